//! `report RUN`: every row and what became of it.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use super::exit::Exit;
use super::{Settings, open};
use crate::ledger::Ledger;
use crate::report::{self, Format};

/// What `report` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's number.
    run: i64,
    /// `text` shows what is neither done nor unchanged and what tags lost, `json` and `csv` every row.
    #[arg(long, value_enum, default_value = "text")]
    format: Shape,
    /// Write to a file, which is replaced only once the report is whole.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    Text,
    Json,
    Csv,
}

pub(super) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let ledger = open::ledger_to_read(settings).await?;
    let written = write(&args, &ledger).await;
    ledger.close().await?;
    written?;
    Ok(Exit::Done)
}

async fn write(args: &Args, ledger: &Ledger) -> anyhow::Result<()> {
    let format = match args.format {
        Shape::Text => Format::Text,
        Shape::Json => Format::Json,
        Shape::Csv => Format::Csv,
    };
    let Some(path) = &args.output else {
        return match report::rows(ledger, args.run, format, &mut io::stdout().lock()).await {
            Err(error) if error.is_broken_pipe() => Ok(()),
            other => Ok(other?),
        };
    };
    // A pipe, a terminal or `/dev/null` is written to; replacing it would take it from everybody.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let out = OpenOptions::new().write(true).open(path);
        let mut out = out.with_context(|| format!("{}: opening it", path.display()))?;
        return Ok(report::rows(ledger, args.run, format, &mut out).await?);
    }
    // The file that a link leads to is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let beside = beside(&path);
    let written = replace(ledger, args.run, format, &beside, &path).await;
    if written.is_err() {
        // Nothing else can be done about a file that nobody asked for.
        let _ = fs::remove_file(&beside);
    }
    written
}

async fn replace(
    ledger: &Ledger,
    run: i64,
    format: Format,
    beside: &Path,
    path: &Path,
) -> anyhow::Result<()> {
    // A killed process of the same number may have left one; what else stands there is not written through.
    let _ = fs::remove_file(beside);
    let out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside);
    let mut out = out.with_context(|| format!("{}: creating it", beside.display()))?;
    report::rows(ledger, run, format, &mut out).await?;
    out.sync_all()
        .with_context(|| format!("{}: writing it", beside.display()))?;
    fs::rename(beside, path).with_context(|| format!("{}: replacing it", path.display()))
}

/// A name beside a file for the file that will replace it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}
