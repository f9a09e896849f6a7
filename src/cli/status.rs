//! `status [RUN]`: where runs stand.

use super::exit::Exit;
use super::{Settings, open, print};
use crate::ledger::Ledger;
use crate::report;

/// Runs that are shown when none is named.
const NEWEST: usize = 20;

/// What `status` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number; without it, the newest runs.
    run: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let ledger = open::ledger_to_read(settings).await?;
    let shown = show(&args, &ledger).await;
    ledger.close().await?;
    print::result(&shown?)?;
    Ok(Exit::Done)
}

async fn show(args: &Args, ledger: &Ledger) -> anyhow::Result<String> {
    let mut runs = match args.run {
        Some(run) => vec![ledger.run(run).await?],
        None => ledger.runs(None).await?,
    };
    runs.drain(..runs.len().saturating_sub(NEWEST));
    let mut shown = Vec::with_capacity(runs.len());
    for run in runs {
        let summary = ledger.summary(run.id).await?;
        shown.push((run, summary));
    }
    Ok(if args.json {
        report::status_json(&shown)
    } else {
        report::status(&shown)
    })
}
