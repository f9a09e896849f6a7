//! A plan to be shown, and its JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::counts::{VERSION, pretty, time};
use super::losses::LossCounts;
use super::review::Review;
use super::rows::ReportError;
use crate::ledger::RunRow;

/// What happens to the tags of one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCounts {
    /// Tags to add.
    pub adds: u64,
    /// Tags to remove, replaced values among them.
    pub removes: u64,
}

/// What a plan comes to, as the ledger keeps it in [`RunRow::summary`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    /// Rows that were read.
    pub rows: u64,
    /// Rows that can't be used, by class.
    pub rejected: BTreeMap<String, u64>,
    /// Cells that rendered empty and asked for nothing.
    pub empty_cells: u64,
    /// What tags lose because the job allows it, by class and by what is done about it.
    #[serde(default)]
    pub losses: LossCounts,
    /// Entities that the rows name.
    pub entities: u64,
    /// Those of them that somebody decided to leave out.
    #[serde(default)]
    pub skipped: u64,
    /// Entities that are as wanted.
    pub unchanged: u64,
    /// Entities to change.
    pub to_change: u64,
    /// Entities where something stays, since somebody else changed it after the run that is taken back; what is beside it
    /// may still go back.
    #[serde(default)]
    pub foreign: u64,
    /// Entities where a replaced key stays for now, beside the one that takes its place.
    #[serde(default)]
    pub resting: u64,
    /// Operations.
    pub operations: u64,
    /// Operations by key.
    pub keys: BTreeMap<String, KeyCounts>,
    /// How each file was read, a sentence each.
    pub files: Vec<String>,
}

/// A plan to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanView {
    version: u32,
    pub(super) run: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<About>,
    pub(super) plan: PlanCounts,
    /// Rows that nothing is done for, by why.
    pub(super) losses: Vec<Loss>,
    /// What an apply will send at least; absent where nobody foretold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calls: Option<PlannedCalls>,
    /// What would change, by shape; absent where nobody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) review: Option<Review>,
    pub(super) objections: Vec<String>,
}

/// Rows that are lost for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Loss {
    /// The class, as reports spell it.
    pub(super) class: String,
    pub(super) rows: u64,
}

/// What an apply will send at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedCalls {
    /// Requests that write.
    pub writes: u64,
    /// Requests that read an entity just before it is written.
    pub reads: u64,
    /// The pace of the connection, such as `20/s`; `None` where none is given.
    pub rate: Option<String>,
    /// How long they take at this pace.
    pub seconds: Option<u64>,
}

/// Whose plan it is, and what it would write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct About {
    pub(super) job: String,
    pub(super) state: &'static str,
    pub(super) retry_of: Option<i64>,
    pub(super) undo_of: Option<i64>,
    pub(super) created: Option<String>,
    pub(super) connection: String,
    pub(super) vendor: String,
    pub(super) url: String,
    pub(super) tenant: String,
    pub(super) kind: String,
}

impl PlanView {
    /// A plan by what was counted, as [`RunRow::summary`] keeps it, and the guard's objections.
    pub fn new(run: i64, summary: &Value, objections: &[String]) -> Result<Self, serde_json::Error> {
        let plan = PlanCounts::deserialize(summary)?;
        let loss = |(class, rows): (&String, &u64)| Loss {
            class: class.clone(),
            rows: *rows,
        };
        Ok(Self {
            version: VERSION,
            run,
            about: None,
            losses: plan.rejected.iter().map(loss).collect(),
            plan,
            calls: None,
            review: None,
            objections: objections.to_vec(),
        })
    }

    /// The plan of a run, with its job and target, and the guard's objections.
    pub fn of(run: &RunRow, objections: &[String]) -> Result<Self, ReportError> {
        let summary = run.summary.as_ref().ok_or(ReportError::NoPlan(run.id))?;
        let view = Self::new(run.id, summary, objections);
        let view = view.map_err(|source| ReportError::Plan { run: run.id, source })?;
        Ok(Self {
            about: Some(About::new(run)),
            ..view
        })
    }

    /// The same with what would change, by shape.
    #[must_use]
    pub fn with_review(self, review: Review) -> Self {
        Self {
            review: Some(review),
            ..self
        }
    }

    /// The same with what an apply will send.
    #[must_use]
    pub fn with_calls(self, calls: PlannedCalls) -> Self {
        Self {
            calls: Some(calls),
            ..self
        }
    }
}

impl About {
    fn new(run: &RunRow) -> Self {
        let target = run.target.clone();
        Self {
            job: run.job.clone(),
            state: run.state.as_str(),
            retry_of: run.retry_of,
            undo_of: run.undo_of,
            created: time(run.created_ms),
            connection: target.connection,
            vendor: target.vendor,
            url: target.url,
            tenant: target.tenant,
            kind: target.kind,
        }
    }
}

/// The plan as a JSON document with a version, with all keys, files and groups.
pub fn plan_json(view: &PlanView) -> String {
    pretty(view)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::testing;

    fn run(summary: serde_json::Value) -> RunRow {
        RunRow {
            summary: Some(summary),
            ..testing::planned_run(0)
        }
    }

    fn busy() -> RunRow {
        run(json!({
            "rows": 100, "rejected": {"illegal": 1, "missing": 2}, "empty_cells": 4,
            "losses": {"too_long": {"truncated": 3}}, "entities": 97, "unchanged": 90,
            "skipped": 0, "to_change": 5, "foreign": 0, "resting": 0, "operations": 13, "keys": {
                "env\u{202e}": {"adds": 5, "removes": 5}, "owner": {"adds": 3, "removes": 0}
            },
            "files": ["hosts.csv: csv, UTF-8, delimiter `;`, 12 columns"],
        }))
    }

    #[test]
    fn the_document_has_a_version_and_every_count_of_the_plan() {
        let summary = busy().summary.unwrap();
        let objections = ["no".to_owned()];
        let document = |view: PlanView| serde_json::from_str::<Value>(&plan_json(&view)).unwrap();
        let bare = PlanView::new(7, &summary, &objections).unwrap();
        let losses = json!([{"class": "illegal", "rows": 1}, {"class": "missing", "rows": 2}]);
        let mut want =
            json!({"version": 1, "run": 7, "plan": summary, "losses": losses, "objections": ["no"]});
        assert_eq!(document(bare), want);
        want["about"] = json!({
            "job": "prod-hosts", "state": "planned", "retry_of": null, "undo_of": null, "created": "2023-11-14T22:13:20Z",
            "connection": "dynatrace", "vendor": "dynatrace", "url": "https://abc12345.live.dynatrace.com",
            "tenant": "", "kind": "HOST",
        });
        assert_eq!(document(PlanView::of(&busy(), &objections).unwrap()), want);
    }

    #[test]
    fn a_plan_that_is_absent_or_of_another_shape_is_told() {
        let unplanned = RunRow {
            summary: None,
            ..testing::planned_run(0)
        };
        let told = |run: &RunRow| PlanView::of(run, &[]).unwrap_err().to_string();
        assert_eq!(
            told(&unplanned),
            "run 7 has no finished plan to show; plan the job afresh"
        );
        assert_eq!(
            told(&run(json!({"rows": "many"}))),
            "run 7: the stored plan can't be read; use the tagferry that made it"
        );
    }
}
