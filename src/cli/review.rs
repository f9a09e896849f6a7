//! `review RUN`: the missing and ambiguous entities of a run, as a file to decide in.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::exit::{Exit, Refusal};
use super::replace::replaced;
use super::session::Session;
use super::{Settings, open, print};
use crate::engine::Planned;
use crate::inventory::{Entry, Inventory};
use crate::job::{self, Job};
use crate::ledger::{Ledger, RunRow, Undecided};
use crate::model::{Class, Fields};
use crate::report::{self, DecisionCounts, DecisionSheet, ReportError};

/// What `review` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    /// The file to write. What is decided in it already stays.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let ledger = open::ledger_to_read(settings).await?;
    let found = undecided(args.run, &ledger).await;
    ledger.close().await?;
    let (run, undecided) = found?;
    let job = job::load(run.job_path.as_ref())?;
    let form = form(&job)?;
    let Some(path) = &args.output else {
        let mut out = Vec::new();
        report::decisions(&undecided, None, form, &mut out)?;
        return match io::stdout().lock().write_all(&out) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(Exit::Done),
        };
    };
    if path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
    {
        let why = "is a table to edit, and so not compressed: give it another name, such as decisions.csv";
        return Err(Refusal(format!("{}: it {why}", path.display())).into());
    }
    let old = sheet(path)?;
    let mut counts = DecisionCounts::default();
    replaced(path, async |out: &mut dyn io::Write| {
        counts = report::decisions(&undecided, old.as_ref(), form, out)?;
        Ok(())
    })
    .await?;
    if !settings.quiet {
        let DecisionCounts { decided, open } = counts;
        print::line(&format!(
            "{}: {open} to decide on, {decided} decided",
            path.display()
        ));
    }
    Ok(Exit::Done)
}

async fn undecided(run: i64, ledger: &Ledger) -> anyhow::Result<(RunRow, Vec<Undecided>)> {
    let run = ledger.run(run).await?;
    if run.summary.is_none() {
        return Err(ReportError::NoPlan(run.id).into());
    }
    let undecided = ledger.undecided(run.id).await?;
    Ok((run, undecided))
}

/// What two texts have in common that mean one entity of a job.
fn form(job: &Job) -> anyhow::Result<impl Fn(&str) -> String> {
    let vendor = open::vendor(job)?;
    let (ways, kind) = (job.mapper.ways(), job.target.kind.clone());
    Ok(move |entity: &str| {
        let entity = entity.trim();
        match (ways.name, ways.key) {
            (true, false) => vendor.fold_name(entity),
            // What is called by its key is compared to the letter, and nothing tells it from a name here.
            (_, true) => entity.to_owned(),
            (false, false) => {
                let id = vendor.canonical_id(&kind, entity);
                id.unwrap_or_else(|_| entity.to_owned())
            }
        }
    })
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The file that is there; `None` where there is none, or where a pipe or a device stands. One that is not a file of
/// decisions is not replaced.
fn sheet(path: &Path) -> anyhow::Result<Option<DecisionSheet>> {
    if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return Ok(None);
    }
    match open::decision_table(&path.to_string_lossy(), Path::new(""))? {
        Some(inventory) => Ok(Some(read(inventory, path)?)),
        None => Ok(None),
    }
}

fn read(mut inventory: Inventory, path: &Path) -> anyhow::Result<DecisionSheet> {
    let (header, delimiter) = columns(&inventory, path)?;
    let mut rows = Vec::new();
    for entry in inventory.by_ref() {
        match entry? {
            Entry::Record(record) => {
                if let Fields::Table { row, .. } = record.fields {
                    rows.push(row.iter().map(str::to_owned).collect());
                }
            }
            Entry::Bad { origin, reason } => return Err(Refusal(format!("{origin}: {reason}")).into()),
        }
    }
    Ok(DecisionSheet {
        header,
        rows,
        delimiter,
    })
}

/// The columns of a file of decisions, and what separates its cells.
fn columns(inventory: &Inventory, path: &Path) -> Result<(Vec<String>, char), Refusal> {
    let has =
        |names: &[String], column: &str| names.iter().any(|name| name.trim().eq_ignore_ascii_case(column));
    if let Some(facts) = inventory.facts().first()
        && let (Some(header), Some(delimiter)) = (&facts.header, facts.delimiter)
        && has(&header.names, "entity")
        && has(&header.names, "decision")
    {
        return Ok((header.names.clone(), delimiter));
    }
    Err(Refusal(format!(
        "{}: it is there already and has no columns `entity` and `decision`; give the name of a file of decisions, or a new \
         one",
        path.display()
    )))
}

/// Says how a plan's missing and ambiguous entities are decided on, where its job can make use of it.
pub(super) fn hint(session: &Session, planned: &Planned) {
    let rejected = &planned.summary.rejected;
    let is_open = [Class::Missing, Class::Ambiguous]
        .iter()
        .any(|class| rejected.contains_key(class.as_str()));
    let job = &session.job;
    let run = planned.run;
    match &job.target.decisions {
        _ if !is_open => {}
        Some(file) => session.note(&format!(
            "review: tagferry review {run} -o {}",
            quoted(&job.folder.join(file))
        )),
        None if job.looks_for_entities() => session.note(&format!(
            "review: tagferry review {run} -o decisions.csv, with `decisions = \"decisions.csv\"` in [target]"
        )),
        None => {}
    }
}
