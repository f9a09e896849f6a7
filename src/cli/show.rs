//! What commands show of plans and runs.

use std::io::{self, Write};

use super::print;
use crate::engine::Planned;
use crate::ledger::{Ledger, Summary};
use crate::report::{self, PlanView};

/// Rows that are named after a run; the report has them all.
const NAMED: usize = 50;

/// A saved plan, whole.
pub(super) async fn plan(ledger: &Ledger, planned: &Planned, json: bool) -> anyhow::Result<()> {
    let view = PlanView::of(&ledger.run(planned.run).await?, &planned.objections)?;
    let shown = if json {
        report::plan_json(&view)
    } else {
        report::plan(&view)
    };
    print::result(&shown)?;
    Ok(())
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
