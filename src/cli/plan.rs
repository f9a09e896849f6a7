//! `plan JOB`: everything but sending.

use std::path::PathBuf;

use super::exit::Exit;
use super::lock::IfLocked;
use super::session::{Opening, Session};
use super::{Settings, open, print, show};
use crate::job;

/// What `plan` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job file.
    job: PathBuf,
    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
    /// End with exit code 6 when the plan has changes.
    #[arg(long)]
    detailed_exitcode: bool,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let job = job::load(&args.job)?;
    let Some(mut session) = Session::open(
        job,
        Opening {
            settings,
            if_locked: args.if_locked,
        },
    )
    .await?
    else {
        print::line("skipped: another tagferry has the job or its connection");
        return Ok(Exit::Done);
    };
    let source = open::source(&session.job)?;
    let planned = session.plan(source, None).await;
    let shown = match &planned {
        Ok(planned) => show::plan(&session.ledger, planned, args.json).await,
        Err(_) => Ok(()),
    };
    session.close().await?;
    let planned = planned?;
    shown?;
    let exit = if !planned.objections.is_empty() {
        Exit::Stopped
    } else if args.detailed_exitcode && planned.summary.operations > 0 {
        Exit::Changes
    } else {
        Exit::Done
    };
    Ok(exit)
}
