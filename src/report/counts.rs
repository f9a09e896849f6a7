//! The counts of a run as every JSON document of reports spells them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ledger::{RunRow, Summary};
use crate::model::Outcome;

/// The version of the JSON documents. It rises when something is renamed, removed or means something else; new members
/// leave it alone.
pub(super) const VERSION: u32 = 1;

/// What a run is and comes to.
#[derive(Debug, Serialize)]
pub(super) struct RunCounts<'a> {
    run: i64,
    job: &'a str,
    state: &'static str,
    /// Why it was refused, or why it halted last.
    reason: Option<&'a str>,
    retry_of: Option<i64>,
    undo_of: Option<i64>,
    created: Option<String>,
    ended: Option<String>,
    rows_read: u64,
    /// Rows by outcome, all seven.
    outcomes: Map<String, Value>,
    /// Operations by outcome, all seven.
    operations: Map<String, Value>,
    calls: Calls,
}

/// Requests that left, repeated ones counted each time.
#[derive(Debug, Serialize)]
struct Calls {
    reads: u64,
    writes: u64,
    retries: u64,
}

impl<'a> RunCounts<'a> {
    pub(super) fn of(run: &'a RunRow, summary: &Summary) -> Self {
        let by_outcome = |count: &dyn Fn(Outcome) -> u64| {
            let each = Outcome::ALL.into_iter();
            each.map(|outcome| (outcome.as_str().to_owned(), count(outcome).into()))
                .collect()
        };
        Self {
            run: run.id,
            job: &run.job,
            state: run.state.as_str(),
            reason: run.reason.as_deref(),
            retry_of: run.retry_of,
            undo_of: run.undo_of,
            created: time(run.created_ms),
            ended: run.ended_ms.and_then(time),
            rows_read: summary.rows,
            outcomes: by_outcome(&|outcome| summary.rows_of(outcome)),
            operations: by_outcome(&|outcome| summary.operations_of(outcome)),
            calls: Calls {
                reads: summary.attempts.observe,
                writes: summary.attempts.write,
                retries: summary.attempts.retries,
            },
        }
    }
}

/// A document as JSON for programs and for those who look at it, ended by a line break.
pub(super) fn pretty(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).expect("texts and counts are JSON") + "\n"
}

/// A time of the ledger by RFC 3339, in UTC and to the second; `None` when it lies outside the years that jiff knows.
pub(super) fn time(ms: i64) -> Option<String> {
    let time = Timestamp::from_second(ms.div_euclid(1000)).ok()?;
    Some(time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc_to_the_second() {
        for (ms, want) in [
            (0, Some("1970-01-01T00:00:00Z")),
            (1_700_000_000_999, Some("2023-11-14T22:13:20Z")),
            (-1, Some("1969-12-31T23:59:59Z")),
            (i64::MAX, None),
        ] {
            assert_eq!(time(ms).as_deref(), want, "{ms}");
        }
    }
}
