//! `retry RUN`: plans the failed and unknown operations of a run again.

use super::exit::{Exit, Refusal};
use super::lock::IfLocked;
use super::session::{Session, planned_job, with_session};
use super::{Settings, follow};
use crate::engine::Source;
use crate::ledger::Follows;
use crate::model::Class;

/// What `retry` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    /// Only failures of these classes, such as `throttled,timeout`.
    #[arg(long, value_delimiter = ',')]
    class: Vec<Class>,
    #[command(flatten)]
    follow: follow::FollowArgs,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let (_, job) = planned_job(args.run, settings).await?;
    let work = async |session: &mut Session| walk(&args, session).await;
    with_session(job, settings, args.if_locked, work).await
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    let run = session.ledger.run(args.run).await?;
    session.same_target(&run)?;
    if let Some(undone) = run.undo_of {
        let why = format!(
            "run {} takes run {undone} back: `tagferry undo {undone}` looks again at what is left of it",
            run.id
        );
        return Err(Refusal(why).into());
    }
    let rows = session.ledger.rows_to_retry(run.id, &args.class).await?;
    if rows.is_empty() {
        let why = format!(
            "run {} has no failed or unknown operations{} to try again; rejected rows need a new `run` after they are \
             mended",
            run.id,
            if args.class.is_empty() {
                ""
            } else {
                " of these classes"
            }
        );
        return Err(Refusal(why).into());
    }
    follow::plan(session, Source::Retry(rows), Follows::Retry(run.id), &args.follow).await
}
