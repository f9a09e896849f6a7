//! `undo RUN`: plans what takes a run back.

use super::exit::{Exit, Refusal};
use super::follow;
use super::lock::IfLocked;
use super::session::{Session, planned_job, with_session};
use super::{Settings, results};
use crate::engine::{self, Source};
use crate::ledger::{Follows, RunRow, RunState};

/// What `undo` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    #[command(flatten)]
    follow: follow::FollowArgs,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let (run, job) = planned_job(args.run, settings).await?;
    undoable(&run)?;
    let work = async |session: &mut Session| walk(&args, session).await;
    with_session(job, settings, args.if_locked, work).await
}

/// Refuses a run that has changed nothing, or that may go on doing so.
fn undoable(run: &RunRow) -> Result<(), Refusal> {
    let why = match run.state {
        RunState::Finished | RunState::Abandoned => return Ok(()),
        RunState::Applying => {
            "something of it is still open: finish it with `apply`, or close it with `abandon`, and undo it then"
        }
        RunState::Planning | RunState::Planned | RunState::Refused | RunState::Exporting => {
            "nothing of it was sent"
        }
    };
    Err(Refusal(format!("run {} can't be undone: {why}", run.id)))
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    let run = session.ledger.run(args.run).await?;
    session.same_target(&run)?;
    let runs = session.ledger.runs(Some(&run.job)).await?;
    let is_open = |other: &&RunRow| other.undo_of == Some(run.id) && other.state == RunState::Applying;
    let mut before = Exit::Done;
    if let Some(open) = runs.iter().find(is_open) {
        if !args.follow.apply {
            let why = format!(
                "run {} is undoing run {} and was interrupted: `tagferry apply {}` goes on with it",
                open.id, run.id, open.id
            );
            return Err(Refusal(why).into());
        }
        session.note(&format!(
            "run {} was undoing run {} and was interrupted: finishing it first",
            open.id, run.id
        ));
        let (summary, exit) = session.apply(open.id, None).await?;
        if matches!(exit, Exit::Stopped | Exit::Interrupted(_)) {
            results::outcomes(&session.ledger, open.id, &summary, args.follow.json).await?;
            return Ok(exit);
        }
        before = exit;
    }
    let rows = engine::undo_rows(&session.ledger, run.id).await?;
    if rows.is_empty() {
        let why = format!(
            "run {} changed nothing, as far as was confirmed; there is nothing to undo",
            run.id
        );
        return Err(Refusal(why).into());
    }
    let exit = follow::plan(session, Source::Undo(rows), Follows::Undo(run.id), &args.follow).await?;
    Ok(if exit == Exit::Done { before } else { exit })
}
