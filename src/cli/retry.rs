//! `retry RUN`: plans the failed and unknown operations of a run again.

use super::exit::{Exit, Refusal};
use super::lock::IfLocked;
use super::session::{Opening, Session};
use super::{Settings, open, print, show};
use crate::engine::Source;
use crate::job;
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
    let ledger = open::ledger(settings).await?;
    let run = ledger.run(args.run).await;
    ledger.close().await?;
    let job = job::load(run?.job_path.as_ref())?;
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
        show::plan(&session.ledger, &planned, args.json).await?;
        return Ok(if planned.objections.is_empty() {
            Exit::Done
        } else {
            Exit::Stopped
        });
    }
    let (summary, exit) = session.apply(planned.run, Some(planned.observed_at)).await?;
    show::outcomes(&session.ledger, planned.run, &summary, args.json).await?;
    Ok(exit)
}
