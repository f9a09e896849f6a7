//! Runs for the tests of this room.

use serde_json::json;

use crate::ledger::{PlanTarget, RunRow, RunState};

/// What tests write to.
pub(super) fn target() -> PlanTarget {
    PlanTarget {
        connection: "dynatrace".to_owned(),
        vendor: "dynatrace".to_owned(),
        url: "https://abc12345.live.dynatrace.com".to_owned(),
        tenant: String::new(),
        kind: "HOST".to_owned(),
    }
}

/// A planned run of so many rows that ask for nothing.
pub(super) fn planned_run(rows: u64) -> RunRow {
    RunRow {
        id: 7,
        job: "prod-hosts".to_owned(),
        job_path: "prod.toml".to_owned(),
        job_digest: String::new(),
        retry_of: None,
        target: target(),
        state: RunState::Planned,
        reason: None,
        summary: Some(json!({
            "rows": rows, "rejected": {}, "empty_cells": 0, "entities": rows, "unchanged": rows, "to_change": 0,
            "operations": 0, "keys": {}, "files": ["hosts.csv: CSV with comma, UTF-8"],
        })),
        created_ms: 1_700_000_000_000,
        ended_ms: None,
    }
}
