//! `plan JOB`: everything but sending.

use std::path::PathBuf;

use super::exit::Exit;
use super::lock::IfLocked;
use super::loosen::LoosenArgs;
use super::results::PlanArgs;
use super::session::{Session, with_session};
use super::{Settings, results, review};
use crate::job;

/// What `plan` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job file.
    job: PathBuf,
    #[command(flatten)]
    shown: PlanArgs,
    /// End with exit code 6 when the plan has changes.
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    loosen: LoosenArgs,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let job = job::load(&args.job)?;
    let work = async |session: &mut Session| walk(&args, session).await;
    with_session(job, settings, args.if_locked, work).await
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    session.bounds = args.loosen.of(session.bounds);
    let source = session.source().await?;
    let planned = session.plan(source, None).await?;
    results::plan(session, &planned, &args.shown).await?;
    review::hint(session, &planned);
    let exit = if !planned.objections.is_empty() {
        Exit::Stopped
    } else if args.detailed_exitcode && planned.summary.operations > 0 {
        Exit::Changes
    } else {
        Exit::Done
    };
    Ok(exit)
}
