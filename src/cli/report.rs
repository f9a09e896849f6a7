//! `report RUN`: every row and what became of it.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::Exit;
use super::replace::replaced;
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
    replaced(path, async |out: &mut dyn io::Write| {
        Ok(report::rows(ledger, args.run, format, out).await?)
    })
    .await
}
