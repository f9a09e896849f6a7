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

/// How a plan shall be shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct PlanArgs {
    /// How to print the plan.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Entities to show of each group of changes, 10 at most [default: 3, in text as many as the screen has room for].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=10))]
    samples: Option<u8>,
}

impl PlanArgs {
    /// As the commands ask that know JSON alone.
    pub(super) fn json(json: bool) -> Self {
        Self {
            json,
            ..Self::default()
        }
    }
}

/// A plan that was just made, whole. Foretelling the calls loads and packs what an apply would, some seconds for a million
/// entities, so it is done only here, for plans that somebody looks at.
pub(super) async fn plan(session: &Session, planned: &Planned, args: &PlanArgs) -> anyhow::Result<()> {
    let run = session.ledger.run(planned.run).await?;
    let forecast = engine::forecast(planned.run, &session.target, &session.ledger).await?;
    let view = PlanView::of(&run, &planned.objections)?.with_calls(calls(forecast, open::rate(&session.job)));
    print::result(&plan_text(&session.ledger, planned.run, view, args).await?)?;
    Ok(())
}

/// The plan of a run with its groups.
pub(super) async fn plan_text(
    ledger: &Ledger,
    run: i64,
    view: PlanView,
    args: &PlanArgs,
) -> anyhow::Result<String> {
    let samples = args.samples.map(usize::from);
    let review = report::review(ledger, run, samples.unwrap_or(SAMPLES)).await?;
    let view = view.with_review(review);
    let shape = if args.json { Shape::Json } else { args.format };
    Ok(match shape {
        Shape::Text => report::plan(&view, samples),
        Shape::Json => report::plan_json(&view),
        Shape::Markdown => report::plan_markdown(&view, samples),
    })
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
    let losses = report::losses(&summary.losses);
    let losses = losses.map(|lost| format!("; losses: {lost}")).unwrap_or_default();
    format!(
        "run {}: {} rows, {rejected} rejected; {} entities: {} to change, {} as wanted; {} operations{losses}",
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
