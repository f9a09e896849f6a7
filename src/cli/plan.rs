//! `plan JOB`: everything but sending.

use std::path::PathBuf;

use super::exit::Exit;
use super::lock::IfLocked;
use super::session::{Session, with_session};
use super::show::Shape;
use super::{Settings, open, show};
use crate::job;

/// What `plan` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job file.
    job: PathBuf,
    /// How to print the plan.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Entities to show of each group of changes, 10 at most [default: 3, in text as many as the screen has room for].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=10))]
    samples: Option<u8>,
    /// End with exit code 6 when the plan has changes.
    #[arg(long)]
    detailed_exitcode: bool,
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
    let source = open::source(&session.job)?;
    let planned = session.plan(source, None).await?;
    let shape = if args.json { Shape::Json } else { args.format };
    show::plan(session, &planned, shape, args.samples.map(usize::from)).await?;
    let exit = if !planned.objections.is_empty() {
        Exit::Stopped
    } else if args.detailed_exitcode && planned.summary.operations > 0 {
        Exit::Changes
    } else {
        Exit::Done
    };
    Ok(exit)
}
