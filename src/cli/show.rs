//! `show RUN`: a saved plan again.

use super::exit::Exit;
use super::results::{self, PlanArgs};
use super::{Settings, open, print};
use crate::ledger::{Ledger, RunState};
use crate::report::PlanView;

/// What `show` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    #[command(flatten)]
    shown: PlanArgs,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let ledger = open::ledger_to_read(settings).await?;
    let shown = show(&args, &ledger).await;
    ledger.close().await?;
    print::result(&shown?)?;
    Ok(Exit::Done)
}

/// How many calls are left is not told: that takes the job, which may have changed or gone.
async fn show(args: &Args, ledger: &Ledger) -> anyhow::Result<String> {
    let run = ledger.run(args.run).await?;
    let refused = (run.state == RunState::Refused)
        .then(|| run.reason.clone())
        .flatten();
    let view = PlanView::of(&run, refused.as_slice())?;
    results::plan_text(ledger, run.id, view, &args.shown).await
}
