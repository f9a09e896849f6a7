//! What the ledger holds, told to people and to programs: the rows of a run, its outcomes, plans, and where runs stand.
//!
//! Nothing here prints: texts are given back, and rows go to a writer. All text that others wrote is escaped before
//! people see it.

mod counts;
mod csv;
mod decisions;
mod fit;
mod json;
mod losses;
mod outcomes;
mod plan;
mod plan_markdown;
mod plan_text;
mod review;
mod rows;
mod status;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod verify;

pub use decisions::{DecisionCounts, DecisionSheet, decisions};
pub use losses::{LossCounts, losses};
pub use outcomes::{outcomes, unaccounted};
pub use plan::{KeyCounts, PlanCounts, PlanView, PlannedCalls, plan_json};
pub use plan_markdown::plan_markdown;
pub use plan_text::plan;
pub use review::{Review, review};
pub use rows::{Format, ReportError, rows, rows_not_done};
pub use status::{status, status_json};
pub use verify::{DifferenceView, VerifyView, verify, verify_json};
