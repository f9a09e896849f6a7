//! `apply RUN`: carries out a saved plan, or goes on with it.

use super::exit::Exit;
use super::lock::IfLocked;
use super::session::{Session, applicable, planned_job, with_session};
use super::{Settings, results};

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
    let (run, job) = planned_job(args.run, settings).await?;
    applicable(&run)?;
    let work = async |session: &mut Session| walk(&args, session).await;
    with_session(job, settings, args.if_locked, work).await
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    // Another process may have finished or abandoned it before the lock was ours.
    let run = session.ledger.run(args.run).await?;
    applicable(&run)?;
    session.same_target(&run)?;
    let (summary, exit) = session.apply(run.id, None).await?;
    results::outcomes(&session.ledger, run.id, &summary, args.json).await?;
    Ok(exit)
}
