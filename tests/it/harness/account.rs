//! Whether every row is accounted for, by three tellers: our own SQL, `status` and `report`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::workspace::Workspace;

/// Rows by outcome; outcomes of no row are left out.
pub(crate) type Outcomes = BTreeMap<String, usize>;

impl Workspace {
    /// What became of the rows of a run of the default ledger. Panics when the three do not agree, or when a row of the
    /// inventory has no outcome or two.
    pub(crate) fn outcomes(&self, run: i64) -> Outcomes {
        let (rows, outcomes) = {
            let mut ledger = self.ledger();
            let rows: Vec<i64> = ledger.rows(run).into_iter().map(|(line, _)| line).collect();
            (rows, ledger.outcomes(run))
        };
        let number = run.to_string();
        let status: Value = serde_json::from_str(&self.run(&["status", &number, "--json"]).expect(0).stdout)
            .expect("the status is JSON");
        let told = &status["runs"][0];
        assert_eq!(told["rows_read"], rows.len(), "{status:#}");
        assert_eq!(of_status(told), outcomes, "{status:#}");
        let (lines, reported) =
            of_report(&self.run(&["report", &number, "--format", "csv"]).expect(0).stdout);
        assert_eq!(reported, outcomes);
        assert_eq!(
            lines, rows,
            "every row is in the report once, in the order of the inventory"
        );
        outcomes
    }
}

fn of_status(run: &Value) -> Outcomes {
    let counts = run["outcomes"].as_object().expect("the status has outcomes");
    assert_eq!(counts.len(), 7, "{run:#}");
    let count = |(outcome, count): (&String, &Value)| {
        let count = count.as_u64().and_then(|count| usize::try_from(count).ok());
        (outcome.clone(), count.expect("a count"))
    };
    counts.iter().map(count).filter(|(_, count)| *count > 0).collect()
}

/// The lines of the inventory that a report names, and how often it names each outcome.
fn of_report(text: &str) -> (Vec<i64>, Outcomes) {
    let mut outcomes = Outcomes::new();
    let mut lines = Vec::new();
    for row in csv::Reader::from_reader(text.as_bytes()).deserialize() {
        let row: BTreeMap<String, String> = row.expect("the report is CSV");
        lines.push(row["line"].parse().expect("a line is a number"));
        *outcomes.entry(row["outcome"].clone()).or_default() += 1;
    }
    (lines, outcomes)
}
