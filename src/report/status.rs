//! Where runs stand.

use std::fmt::Write as _;

use serde::Serialize;

use super::counts::{RunCounts, VERSION, pretty, time};
use super::table::Columns;
use crate::ledger::{AttemptCounts, RunRow, Summary};
use crate::model::{Outcome, display_safe};

/// A line for each run, with a column for each outcome that some run has, and below them why runs were refused or
/// halted.
pub fn status(runs: &[(RunRow, Summary)]) -> String {
    if runs.is_empty() {
        return "no runs\n".to_owned();
    }
    let had = |outcome: &Outcome| runs.iter().any(|(_, summary)| summary.rows_of(*outcome) > 0);
    let shown: Vec<Outcome> = Outcome::ALL.into_iter().filter(had).collect();
    let mut header: Vec<String> = ["run", "job", "state", "created", "rows"]
        .map(str::to_owned)
        .into();
    header.extend(shown.iter().map(ToString::to_string));
    header.push("calls".to_owned());
    let mut columns = Columns::new(4, header);
    for (run, summary) in runs {
        columns.row(line(run, summary, &shown));
    }
    let mut text = columns.into_text();
    for (run, _) in runs {
        if let Some(reason) = &run.reason {
            // Writing to a string can't fail.
            let _ = writeln!(text, "run {}: {}", run.id, display_safe(reason));
        }
    }
    text
}

/// The runs as a JSON document with a version.
pub fn status_json(runs: &[(RunRow, Summary)]) -> String {
    let document = StatusDocument {
        version: VERSION,
        runs: runs
            .iter()
            .map(|(run, summary)| RunCounts::of(run, summary))
            .collect(),
    };
    pretty(&document)
}

#[derive(Serialize)]
struct StatusDocument<'a> {
    version: u32,
    runs: Vec<RunCounts<'a>>,
}

fn line(run: &RunRow, summary: &Summary, shown: &[Outcome]) -> Vec<String> {
    let mut cells = vec![
        run.id.to_string(),
        display_safe(&run.job).into_owned(),
        run.state.as_str().to_owned(),
        time(run.created_ms).unwrap_or_default(),
        summary.rows.to_string(),
    ];
    cells.extend(shown.iter().map(|outcome| summary.rows_of(*outcome).to_string()));
    let AttemptCounts { observe, write, .. } = summary.attempts;
    cells.push((observe + write).to_string());
    cells
}
