//! `apply RUN`: carries out a saved plan, or goes on with it.

use super::exit::Exit;
use super::lock::IfLocked;
use super::session::{Opening, Session, applicable};
use super::{Settings, open, print, show};
use crate::job;

/// What `apply` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
    /// Print the outcomes as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let ledger = open::ledger(settings).await?;
    let run = ledger.run(args.run).await;
    ledger.close().await?;
    let run = run?;
    applicable(&run)?;
    let job = job::load(run.job_path.as_ref())?;
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
    let ended = walk(&args, &mut session).await;
    session.close().await?;
    ended
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    // Another process may have finished or abandoned it before the lock was ours.
    let run = session.ledger.run(args.run).await?;
    applicable(&run)?;
    session.same_target(&run)?;
    let (summary, exit) = session.apply(run.id, None).await?;
    show::outcomes(&session.ledger, run.id, &summary, args.json).await?;
    Ok(exit)
}
