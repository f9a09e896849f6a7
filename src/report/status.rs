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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RunState;
    use crate::report::testing;

    fn runs() -> Vec<(RunRow, Summary)> {
        let halted = RunRow {
            id: 12,
            state: RunState::Applying,
            reason: Some("the token is refused\u{7}; mend it and apply again".to_owned()),
            retry_of: Some(7),
            ..testing::planned_run(9)
        };
        let finished = RunRow {
            state: RunState::Finished,
            ended_ms: Some(1_700_000_060_000),
            ..testing::planned_run(1_000)
        };
        let halfway = Summary {
            rows: 9,
            row_outcomes: [4, 0, 0, 0, 0, 0, 5],
            operation_outcomes: [8, 0, 0, 0, 0, 0, 10],
            attempts: AttemptCounts {
                observe: 2,
                write: 3,
                retries: 1,
            },
        };
        let whole = Summary {
            rows: 1_000,
            row_outcomes: [999, 0, 1, 0, 0, 0, 0],
            operation_outcomes: [999, 0, 0, 0, 0, 0, 0],
            attempts: AttemptCounts::default(),
        };
        vec![(finished, whole), (halted, halfway)]
    }

    #[test]
    fn runs_stand_in_columns_and_reasons_below() {
        let want = "\
run  job         state     created               rows  done  rejected  not_attempted  calls
7    prod-hosts  finished  2023-11-14T22:13:20Z  1000   999         1              0      0
12   prod-hosts  applying  2023-11-14T22:13:20Z     9     4         0              5      5
run 12: the token is refused\\u{7}; mend it and apply again
";
        assert_eq!(status(&runs()), want);
        assert_eq!(status(&[]), "no runs\n");
    }

    #[test]
    fn the_document_has_all_seven_outcomes_of_every_run() {
        let want = r#"{"version":1,"runs":[{"run":12,"job":"prod-hosts","state":"applying","reason":"the token is refused\u0007; mend it and apply again","retry_of":7,"undo_of":null,"created":"2023-11-14T22:13:20Z","ended":null,"rows_read":9,"outcomes":{"done":4,"unchanged":0,"rejected":0,"conflict":0,"failed":0,"unknown":0,"not_attempted":5},"operations":{"done":8,"unchanged":0,"rejected":0,"conflict":0,"failed":0,"unknown":0,"not_attempted":10},"calls":{"reads":2,"writes":3,"retries":1}}]}"#;
        let document: serde_json::Value = serde_json::from_str(&status_json(&runs()[1..])).unwrap();
        assert_eq!(document.to_string(), want);
        assert_eq!(status_json(&[]), "{\n  \"version\": 1,\n  \"runs\": []\n}\n");
    }
}
