//! Rows as one JSON document, a row a line.

use std::io;

use serde::Serialize;

use super::counts::{RunCounts, VERSION};
use super::rows::RowWriter;
use crate::ledger::{RowReport, RunRow, Summary};
use crate::model::{Class, Loss, Remedy};

/// `{"version":1,…counts of the run…,"rows":[…]}`, of which only the row at hand is in memory.
pub(super) struct JsonRows<'a> {
    out: &'a mut dyn io::Write,
    separator: &'static str,
}

/// What a row is. Absent texts are `null`.
#[derive(Serialize)]
struct RowView<'a> {
    file: &'a str,
    /// None for a live entity.
    line: Option<u64>,
    entity: Option<&'a str>,
    name: Option<&'a str>,
    outcome: &'static str,
    class: Option<&'static str>,
    message: Option<&'a str>,
    /// What tags of the row lost because the job allows it.
    losses: Vec<LossView<'a>>,
}

/// What a tag lost.
#[derive(Serialize)]
struct LossView<'a> {
    class: &'static str,
    remedy: Remedy,
    message: &'a str,
}

impl<'a> LossView<'a> {
    fn of(loss: &'a Loss) -> Self {
        Self {
            class: loss.class.as_str(),
            remedy: loss.remedy,
            message: &loss.message,
        }
    }
}

impl<'a> JsonRows<'a> {
    pub(super) fn begin(out: &'a mut dyn io::Write, run: &RunRow, summary: &Summary) -> io::Result<Self> {
        let counts = serde_json::to_string(&RunCounts::of(run, summary))?;
        // The members of the counts go into the document's own object, which stays open for the rows.
        let members = &counts[1..counts.len() - 1];
        write!(out, "{{\"version\":{VERSION},{members},\"rows\":[")?;
        Ok(Self { out, separator: "\n" })
    }
}

impl RowWriter for JsonRows<'_> {
    fn row(&mut self, row: &RowReport) -> io::Result<()> {
        let (file, line) = row.origin.columns();
        let view = RowView {
            file: &file,
            line,
            entity: row.entity.as_deref(),
            name: row.name.as_deref(),
            outcome: row.outcome.as_str(),
            class: row.class.map(Class::as_str),
            message: row.message.as_deref(),
            losses: row.losses.iter().map(LossView::of).collect(),
        };
        self.out.write_all(self.separator.as_bytes())?;
        self.separator = ",\n";
        serde_json::to_writer(&mut self.out, &view)?;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}
