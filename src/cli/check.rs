//! `check JOB`: job and inventory (live entities are not asked for), without network, secrets or ledger.

use std::fmt::Write;
use std::path::PathBuf;

use super::account::Account;
use super::exit::Exit;
use super::{Settings, open, print};
use crate::model::display_safe;
use crate::{engine, job, report};

/// Rejected rows that are named, and likewise rows that lose something.
const NAMED: usize = 50;

/// What `check` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The job file.
    job: PathBuf,
}

pub(super) async fn run(args: Args, _settings: &Settings) -> anyhow::Result<Exit> {
    let job = job::load(&args.job)?;
    let vendor = open::vendor(&job)?;
    let files = match &job.source {
        job::Source::Files(files) => files,
        job::Source::Live(live) => {
            let account = Account::named(&job, &live.connection, &live.kind);
            open::listing_vendor(account, &live.filter)?;
            let (kind, name) = (&live.kind, &live.connection);
            print::result(&format!(
                "the rows are live: {kind} of `{name}`, read when the job is planned\n"
            ))?;
            return Ok(Exit::Done);
        }
    };
    let source = open::files_of(&job, files)?;
    let checked = engine::check(source, vendor, &job.target.kind, job.losses, NAMED).await?;
    let mut text = String::new();
    for fact in &checked.files {
        let _ = writeln!(text, "{fact}");
    }
    for (origin, failure) in &checked.rejected {
        let _ = writeln!(
            text,
            "{origin}: {} ({})",
            display_safe(&failure.message),
            failure.class
        );
    }
    let more = checked.n_rejected - checked.rejected.len() as u64;
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    for (origin, losses) in &checked.lost {
        for loss in losses {
            let _ = writeln!(text, "{origin}: {}", display_safe(&loss.to_string()));
        }
    }
    if let Some(losses) = report::losses(&checked.losses) {
        let _ = writeln!(text, "losses: {losses}");
    }
    let _ = writeln!(
        text,
        "{} rows, {} rejected, {} entities, {} empty cells skipped",
        checked.rows, checked.n_rejected, checked.entities, checked.empty
    );
    print::result(&text)?;
    Ok(if checked.n_rejected == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}
