//! `report RUN`: every row and what became of it.

use std::fs::File;
use std::io;
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
    /// `text` shows what is neither done nor unchanged, `json` and `csv` every row.
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
    let ledger = open::ledger(settings).await?;
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
    let beside = beside(path);
    let mut out = File::create(&beside).with_context(|| format!("{}: creating it", beside.display()))?;
    report::rows(ledger, args.run, format, &mut out).await?;
    out.sync_all()
        .with_context(|| format!("{}: writing it", beside.display()))?;
    std::fs::rename(&beside, path).with_context(|| format!("{}: replacing it", path.display()))
}

/// A name beside a file for the file that will replace it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}
