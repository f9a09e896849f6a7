//! `export CONNECTION`: a vendor's live tags as an inventory.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;

use super::account::{self, Account};
use super::exit::{Exit, Refusal};
use super::partial::{Partial, Stream};
use super::signals::{Interrupted, Signals};
use super::{Settings, open, print, session};
use crate::engine::{self, EngineError, ExportInput, Exported, Sink};
use crate::inventory::ExportFormat;
use crate::job::{self, Job, LiveSource, Source};
use crate::ledger::Ledger;
use crate::select::Filter;
use crate::vendor::Vendor;

/// What `export` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The connection to read, by its name in the job file.
    connection: String,
    /// The job file; what its source says of this connection is the default of the options below.
    #[arg(long, value_name = "JOB")]
    job: PathBuf,
    /// The vendor's word for what is read, such as HOST [default: that of the job's source or target].
    #[arg(long)]
    kind: Option<String>,
    /// Only entities whose names fit a pattern such as `web-*`.
    #[arg(long, value_name = "GLOB")]
    name: Option<String>,
    /// Only entities that these criteria mean, in the vendor's own words, such as `mzName("web")`.
    #[arg(long, value_name = "TEXT")]
    selector: Option<String>,
    /// Only entities that carry this tag; of several, all.
    #[arg(long = "tag", value_name = "KEY[=VALUE]")]
    tags: Vec<String>,
    /// `csv` has a row for each tag, `jsonl` a line for each entity.
    #[arg(long, value_enum)]
    format: Shape,
    /// Write to a file, which is there once it is whole; the same command goes on with one that was cut off.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    Csv,
    Jsonl,
}

/// What is read: kind and filter, by the options and what the job says.
struct Asked {
    kind: String,
    filter: Filter,
    format: ExportFormat,
}

/// Where it is written, with the file's name when it can be gone on with.
struct Output {
    sink: Box<dyn Sink>,
    path: Option<String>,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let job = job::load(&args.job)?;
    let asked = asked(&args, &job)?;
    let account = Account::named(&job, &args.connection, &asked.kind);
    let vendor = open::listing_vendor(account, &asked.filter)?;
    let output = output(args.output.as_deref())?;
    let ledger = open::ledger(settings).await?;
    let ended = export(account, vendor, &asked, output, &ledger, settings).await;
    ledger.close().await?;
    match ended {
        // Its reader has enough, as `head` has.
        Err(error) if is_closed_pipe(&error) => Ok(Exit::Done),
        ended => ended,
    }
}

async fn export(
    account: Account<'_>,
    vendor: Arc<dyn Vendor>,
    asked: &Asked,
    mut output: Output,
    ledger: &Ledger,
    settings: &Settings,
) -> anyhow::Result<Exit> {
    let (events, progress) = session::progress(settings);
    let source = account.open(vendor, ledger, events, None).await?;
    let mut signals = Signals::new()?;
    let job = account.job;
    let input = ExportInput {
        job: &job.name,
        job_path: &job.path.to_string_lossy(),
        job_digest: &job.digest,
        filter: &asked.filter,
        format: asked.format,
        query: &query(asked),
        path: output.path.as_deref(),
    };
    let exporting = engine::export(input, &source, ledger, output.sink.as_mut());
    let exported = signals.heard(exporting, &[source.connection()]).await;
    progress.finish();
    account::keep_learned(&source, ledger).await?;
    match (exported?, signals.first) {
        (Err(EngineError::Stopped { .. }), Some(signal)) => Err(Interrupted { signal }.into()),
        (exported, _) => Ok(told(&exported?, settings)),
    }
}

fn told(exported: &Exported, settings: &Settings) -> Exit {
    let Exported {
        run,
        entities,
        hidden,
    } = exported;
    if !settings.quiet {
        print::line(&format!("run {run}: {entities} entities were exported"));
    }
    if *hidden == 0 {
        return Exit::Done;
    }
    print::line(&format!(
        "{hidden} entities were left out: the vendor does not show what they carry"
    ));
    Exit::Partial
}

fn asked(args: &Args, job: &Job) -> Result<Asked, Refusal> {
    let name = &args.connection;
    if !job.connections.contains_key(name) {
        let known: Vec<_> = job.connections.keys().map(|name| format!("`{name}`")).collect();
        let known = known.join(", ");
        return Err(Refusal(format!(
            "{}: no connection `{name}`; there are {known}",
            job.path.display()
        )));
    }
    let source = match &job.source {
        Source::Live(live) if live.connection == *name => Some(live),
        Source::Live(_) | Source::Files(_) => None,
    };
    let of_target = (job.target.connection == *name).then_some(&job.target.kind);
    let kind = args.kind.as_ref();
    let kind = kind.or(source.map(|source| &source.kind)).or(of_target);
    let none = || {
        Refusal(format!(
            "the job does not say what is read from `{name}`; give --kind, such as --kind HOST"
        ))
    };
    Ok(Asked {
        kind: kind.ok_or_else(none)?.trim().to_owned(),
        filter: filter(args, source)?,
        format: match args.format {
            Shape::Csv => ExportFormat::Csv,
            Shape::Jsonl => ExportFormat::Jsonl,
        },
    })
}

/// The filter of the options; for what they leave open, that of the job.
fn filter(args: &Args, source: Option<&LiveSource>) -> Result<Filter, Refusal> {
    let of_job = source.map(|source| &source.filter);
    let name = args.name.as_deref().or(of_job.and_then(Filter::name));
    let filter = Filter::parse(name, &args.tags).map_err(|error| Refusal(error.to_string()))?;
    let selector = args.selector.as_deref().or(of_job.and_then(Filter::selector));
    let filter = filter.selecting(selector);
    Ok(match of_job {
        Some(of_job) if args.tags.is_empty() => filter.with_tags(of_job.tags()),
        _ => filter,
    })
}

/// Everything that makes one export another, but for where it is read from.
fn query(asked: &Asked) -> String {
    let tags: Vec<_> = asked
        .filter
        .tags()
        .iter()
        .map(|tag| (&tag.key, &tag.value))
        .collect();
    let Asked { filter, format, .. } = asked;
    let (name, selector) = (filter.name(), filter.selector());
    serde_json::json!({ "format": format.as_str(), "name": name, "selector": selector, "tags": tags })
        .to_string()
}

fn output(path: Option<&Path>) -> anyhow::Result<Output> {
    let stream = |out: Box<dyn io::Write>| Output {
        sink: Box::new(Stream(out)),
        path: None,
    };
    let Some(path) = path else {
        return Ok(stream(Box::new(io::stdout())));
    };
    // A pipe, a terminal or `/dev/null` is written to; replacing it would take it from everybody.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let out = OpenOptions::new().write(true).open(path);
        let out = out.with_context(|| format!("{}: opening it", path.display()))?;
        return Ok(stream(Box::new(out)));
    }
    // The file that a link leads to is replaced, not the link.
    let path = fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    let path = path.context("finding the file to write")?;
    Ok(Output {
        sink: Box::new(Partial::open(&path)?),
        path: Some(path.to_string_lossy().into_owned()),
    })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(EngineError::Write(why)) if why.kind() == io::ErrorKind::BrokenPipe)
}
