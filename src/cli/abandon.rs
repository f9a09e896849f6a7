//! `abandon RUN`: closes a run that shall not go on.

use super::exit::{Exit, Refusal};
use super::lock::{self, IfLocked};
use super::{Settings, open, print};
use crate::ledger::{Ledger, RunState};

/// What `abandon` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let ledger = open::ledger(settings).await?;
    let ended = abandon(args.run, &ledger).await;
    ledger.close().await?;
    ended
}

async fn abandon(run: i64, ledger: &Ledger) -> anyhow::Result<Exit> {
    let job = ledger.run(run).await?.job;
    // A run that is being applied must be ended first.
    let _lock = lock::take(&format!("job {job}"), &format!("job `{job}`"), IfLocked::Fail).await?;
    let run = ledger.run(run).await?;
    if matches!(run.state, RunState::Finished | RunState::Abandoned) {
        return Err(Refusal(format!("run {} is {} already", run.id, run.state.as_str())).into());
    }
    ledger
        .set_state(run.id, RunState::Abandoned, Some("abandoned by the user"))
        .await?;
    print::line(&format!(
        "run {} is abandoned; what was sent stays as it is",
        run.id
    ));
    Ok(Exit::Done)
}
