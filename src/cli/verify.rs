//! `verify RUN`: reads back what a run left, and compares.

use super::exit::{Exit, Refusal};
use super::lock::IfLocked;
use super::session::{Session, planned_job, with_session};
use super::{Settings, print};
use crate::engine::{Difference, Finding, Verified};
use crate::ledger::{RunRow, RunState};
use crate::report::{self, DifferenceView, VerifyView};
use crate::transport::TimeSpan;

/// What `verify` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    /// How long to look again at what differs, since writes may become visible late.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    patience: TimeSpan,
    /// What to do when another tagferry has the job or its connection.
    #[arg(long, value_enum, default_value_t)]
    if_locked: IfLocked,
    /// Print what differs as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let (run, job) = planned_job(args.run, settings).await?;
    verifiable(&run)?;
    let work = async |session: &mut Session| walk(&args, session).await;
    with_session(job, settings, args.if_locked, work).await
}

fn verifiable(run: &RunRow) -> Result<(), Refusal> {
    match run.state {
        RunState::Applying | RunState::Finished | RunState::Abandoned => Ok(()),
        RunState::Planning | RunState::Planned | RunState::Refused | RunState::Exporting => Err(Refusal(
            format!("run {} can't be verified: nothing of it was sent", run.id),
        )),
    }
}

async fn walk(args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
    let run = session.ledger.run(args.run).await?;
    session.same_target(&run)?;
    let Verified {
        entities,
        skipped,
        differences,
    } = session.verify(run.id, args.patience.get()).await?;
    let view = VerifyView {
        run: run.id,
        entities,
        skipped,
        differences: differences.into_iter().map(shown).collect(),
    };
    print::result(&if args.json {
        report::verify_json(&view)
    } else {
        report::verify(&view)
    })?;
    Ok(if view.differences.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn shown(difference: Difference) -> DifferenceView {
    let (trouble, lacks, carries) = match difference.finding {
        Finding::Gone => (Some("is no longer there"), Vec::new(), Vec::new()),
        Finding::Hidden => (
            Some("the vendor does not show what it carries"),
            Vec::new(),
            Vec::new(),
        ),
        Finding::Tags { lacks, carries } => (None, lacks, carries),
    };
    DifferenceView {
        origin: difference.origin,
        entity: difference.entity,
        trouble,
        lacks,
        carries,
    }
}
