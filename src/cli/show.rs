//! What commands show of plans and runs.

use std::io::{self, Write};

use clap::ValueEnum;

use super::session::Session;
use super::{open, print};
use crate::engine::{self, Forecast, Planned};
use crate::ledger::{Ledger, Summary};
use crate::report::{self, PlanView, PlannedCalls};
use crate::transport::Rate;

/// Rows that are named after a run; the report has them all.
const NAMED: usize = 50;

/// Samples of each group of a plan, where nobody says how many.
const SAMPLES: usize = 3;

/// How a plan is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Shape {
    /// For people: one screen.
    #[default]
    Text,
    /// For programs: everything, with a version.
    Json,
    /// For a comment on a merge request.
    Markdown,
}

/// A saved plan, whole. `samples` of each group, where the user says how many. Packing a million entities takes a second
/// or two, so how many calls they take is worked out only here, for plans that somebody looks at.
pub(super) async fn plan(
    session: &Session,
    planned: &Planned,
    shape: Shape,
    samples: Option<usize>,
) -> anyhow::Result<()> {
    let ledger = &session.ledger;
    let review = report::review(ledger, planned.run, samples.unwrap_or(SAMPLES)).await?;
    let forecast = engine::forecast(planned.run, &session.target, ledger).await?;
    let view = PlanView::of(&ledger.run(planned.run).await?, &planned.objections)?
        .with_review(review)
        .with_calls(calls(forecast, open::rate(&session.job)));
    print::result(&match shape {
        Shape::Text => report::plan(&view, samples),
        Shape::Json => report::plan_json(&view),
        Shape::Markdown => report::plan_markdown(&view, samples),
    })?;
    Ok(())
}

fn calls(forecast: Forecast, rate: Option<Rate>) -> PlannedCalls {
    let Forecast { writes, reads } = forecast;
    PlannedCalls {
        writes,
        reads,
        rate: rate.map(|rate| rate.to_string()),
        seconds: rate.map(|rate| rate.least_seconds(writes + reads)),
    }
}

/// A saved plan in one line, for logs.
pub(super) fn plan_line(planned: &Planned) -> String {
    let summary = &planned.summary;
    let rejected: u64 = summary.rejected.values().sum();
    format!(
        "run {}: {} rows, {rejected} rejected; {} entities: {} to change, {} as wanted; {} operations",
        planned.run, summary.rows, summary.entities, summary.to_change, summary.unchanged, summary.operations
    )
}

/// Why the guard refuses a plan.
pub(super) fn refused(planned: &Planned) {
    for objection in &planned.objections {
        print::line(&format!("refused: {objection}"));
    }
    print::line("nothing was sent");
}

/// What became of a run.
pub(super) async fn outcomes(ledger: &Ledger, run: i64, summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        let row = ledger.run(run).await?;
        print::result(&report::status_json(&[(row, summary.clone())]))?;
        return Ok(());
    }
    let mut out = io::stdout().lock();
    let named = report::rows_not_done(ledger, run, NAMED, &mut out).await;
    let table = report::outcomes(summary);
    match named.and_then(|()| Ok(out.write_all(table.as_bytes()).and_then(|()| out.flush())?)) {
        Err(error) if error.is_broken_pipe() => Ok(()),
        other => Ok(other?),
    }
}
