//! `run JOB`: plan and apply, unattended.

use std::path::PathBuf;

use super::exit::Exit;
use super::lock::IfLocked;
use super::loosen::LoosenArgs;
use super::session::{Session, with_session};
use super::{Settings, results, review};
use crate::job;
use crate::ledger::RunState;

/// What `run` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job file.
    job: PathBuf,
    /// Abandon an interrupted run of this job instead of finishing it first.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    loosen: LoosenArgs,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
    /// Print the outcomes as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let job = job::load(&args.job)?;
    let work = async |session: &mut Session| walk(&args, session).await;
    with_session(job, settings, args.if_locked, work).await
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    let mut before = Exit::Done;
    if let Some(unfinished) = session.ledger.unfinished(&session.job.name).await? {
        if args.fresh {
            session
                .ledger
                .set_state(unfinished.id, RunState::Abandoned, Some("run --fresh"))
                .await?;
        } else {
            session.same_target(&unfinished)?;
            session.note(&format!(
                "run {} was interrupted: finishing it first",
                unfinished.id
            ));
            let (summary, exit) = session.apply(unfinished.id, None).await?;
            results::outcomes(&session.ledger, unfinished.id, &summary, args.json).await?;
            if matches!(exit, Exit::Stopped | Exit::Interrupted(_)) {
                return Ok(exit);
            }
            before = exit;
        }
    }
    session.bounds = args.loosen.of(session.bounds);
    let source = session.source().await?;
    let planned = session.plan(source, None).await?;
    session.note(&results::plan_line(&planned));
    review::hint(session, &planned);
    if !planned.objections.is_empty() {
        results::refused(&planned);
        return Ok(Exit::Stopped);
    }
    let (summary, exit) = session.apply(planned.run, Some(planned.observed_at)).await?;
    results::outcomes(&session.ledger, planned.run, &summary, args.json).await?;
    // A run that was finished first still counts: its failures are not this plan's.
    Ok(if exit == Exit::Done { before } else { exit })
}
