//! `retry RUN`: plans the failed and unknown operations of a run again.

use super::exit::{Exit, Refusal};
use super::lock::IfLocked;
use super::results::PlanArgs;
use super::session::{Session, planned_job, with_session};
use super::{Settings, results};
use crate::engine::Source;
use crate::model::Class;

/// What `retry` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    /// Only failures of these classes, such as `throttled,timeout`.
    #[arg(long, value_delimiter = ',')]
    class: Vec<Class>,
    /// Send the plan at once.
    #[arg(long)]
    apply: bool,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
    /// Print the plan, or with --apply the outcomes, as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let (_, job) = planned_job(args.run, settings).await?;
    let work = async |session: &mut Session| walk(&args, session).await;
    with_session(job, settings, args.if_locked, work).await
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    let run = session.ledger.run(args.run).await?;
    session.same_target(&run)?;
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
    let planned = session.plan(Source::Retry(rows), Some(run.id)).await?;
    if !args.apply || !planned.objections.is_empty() {
        results::plan(session, &planned, &PlanArgs::json(args.json)).await?;
        return Ok(if planned.objections.is_empty() {
            Exit::Done
        } else {
            Exit::Stopped
        });
    }
    let (summary, exit) = session.apply(planned.run, Some(planned.observed_at)).await?;
    results::outcomes(&session.ledger, planned.run, &summary, args.json).await?;
    Ok(exit)
}
