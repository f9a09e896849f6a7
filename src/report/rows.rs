//! The rows of a run with their outcomes, streamed to a writer.

use std::cell::RefCell;
use std::io;

use futures::future::{AbortHandle, Abortable, Aborted};

use super::csv::CsvRows;
use super::json::JsonRows;
use super::text::TextRows;
use crate::ledger::{Ledger, LedgerError, RowReport};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a line for each row that is neither done nor unchanged, and the table of outcomes.
    Text,
    /// For programs: one document with a version, the counts and every row. A report that was cut off does not parse.
    Json,
    /// For spreadsheets: every row, each cell quoted, as RFC 4180 has it (with `\r\n`); what a spreadsheet would take
    /// for a formula begins with `'`. File and line join a row to its inventory.
    Csv,
}

/// A report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The report could not be written.
    #[error("writing the report failed")]
    Write(#[source] io::Error),
    /// The plan of a run was never finished.
    #[error("run {0} has no finished plan to show; plan the job afresh")]
    NoPlan(i64),
    /// The plan was stored in another shape.
    #[error("run {run}: the stored plan can't be read; use the tagferry that made it")]
    Plan {
        /// The run.
        run: i64,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
}

impl ReportError {
    /// Whether the reader of the report went away, as `head` does when it has enough.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// One way of writing rows: [`RowWriter::row`] for each of them, then [`RowWriter::end`].
pub(super) trait RowWriter {
    fn row(&mut self, row: &RowReport) -> io::Result<()>;
    fn end(&mut self) -> io::Result<()>;
}

/// Writes the rows of a run in the order of the inventory, with a page of them in memory at a time, and flushes. Gives
/// up at the first error of the writer.
pub async fn rows(
    ledger: &Ledger,
    run: i64,
    format: Format,
    out: &mut dyn io::Write,
) -> Result<(), ReportError> {
    let run_row = ledger.run(run).await?;
    match format {
        Format::Text => {
            let summary = ledger.summary(run).await?;
            stream(ledger, run, TextRows::new(out, &summary)).await
        }
        Format::Json => {
            let summary = ledger.summary(run).await?;
            let rows = JsonRows::begin(out, &run_row, &summary).map_err(ReportError::Write)?;
            stream(ledger, run, rows).await
        }
        Format::Csv => {
            let rows = CsvRows::begin(out).map_err(ReportError::Write)?;
            stream(ledger, run, rows).await
        }
    }
}

async fn stream(ledger: &Ledger, run: i64, mut writer: impl RowWriter) -> Result<(), ReportError> {
    let failure = RefCell::new(None);
    let (stop, stopped) = AbortHandle::new_pair();
    let each = |row: RowReport| {
        if failure.borrow().is_none()
            && let Err(error) = writer.row(&row)
        {
            *failure.borrow_mut() = Some(error);
            // No further page is read for a reader that has gone.
            stop.abort();
        }
    };
    let read = Abortable::new(ledger.each_row(run, each), stopped).await;
    if let Some(error) = failure.into_inner() {
        return Err(ReportError::Write(error));
    }
    match read {
        Ok(read) => read?,
        Err(Aborted) => unreachable!("only a failure, which has returned, stops the reading"),
    }
    writer.end().map_err(ReportError::Write)
}
