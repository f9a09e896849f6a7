//! A plan for people, and the same as JSON.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::counts::{VERSION, pretty, time};
use super::rows::ReportError;
use super::table::Columns;
use crate::ledger::RunRow;
use crate::model::display_safe;

/// The most keys that people are shown; the others are summed.
const MOST_KEYS: usize = 30;

/// What happens to the tags of one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Tags to add.
    pub adds: u64,
    /// Tags to remove, replaced values among them.
    pub removes: u64,
}

/// What a plan comes to, as the ledger keeps it in [`RunRow::summary`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// Rows that were read.
    pub rows: u64,
    /// Rows that can't be used, by class.
    pub rejected: BTreeMap<String, u64>,
    /// Cells that rendered empty and asked for nothing.
    pub empty_cells: u64,
    /// Entities that the rows name.
    pub entities: u64,
    /// Entities that are as wanted.
    pub unchanged: u64,
    /// Entities to change.
    pub to_change: u64,
    /// Operations.
    pub operations: u64,
    /// Operations by key.
    pub keys: BTreeMap<String, KeyView>,
    /// How each file was read, a sentence each.
    pub files: Vec<String>,
}

impl PlanView {
    /// The plan of a run.
    pub fn of(run: &RunRow) -> Result<Self, ReportError> {
        let summary = run.summary.as_ref().ok_or(ReportError::NoPlan(run.id))?;
        Self::deserialize(summary).map_err(|source| ReportError::Plan { run: run.id, source })
    }
}

/// The plan for people, with the guard's objections at its end.
pub fn plan(run: &RunRow, objections: &[String]) -> Result<String, ReportError> {
    let view = PlanView::of(run)?;
    let mut lines = vec![title(run)];
    lines.extend(view.files.iter().map(|file| format!("file: {file}")));
    lines.push(rows(&view));
    lines.push(entities(&view));
    lines.push(format!("operations: {}", view.operations));
    let mut text = String::new();
    for line in lines {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", display_safe(&line));
    }
    if !view.keys.is_empty() {
        let _ = write!(text, "\n{}", keys(&view.keys));
    }
    if !objections.is_empty() {
        text.push('\n');
    }
    for objection in objections {
        let _ = writeln!(text, "refused: {}", display_safe(objection));
    }
    Ok(text)
}

/// The plan as a JSON document with a version, with all keys.
pub fn plan_json(run: &RunRow, objections: &[String]) -> Result<String, ReportError> {
    let target = &run.target;
    let document = PlanDocument {
        version: VERSION,
        run: run.id,
        job: &run.job,
        state: run.state.as_str(),
        retry_of: run.retry_of,
        created: time(run.created_ms),
        target: TargetView {
            connection: &target.connection,
            vendor: &target.vendor,
            url: &target.url,
            tenant: &target.tenant,
            kind: &target.kind,
        },
        plan: PlanView::of(run)?,
        objections,
    };
    Ok(pretty(&document))
}

#[derive(Serialize)]
struct PlanDocument<'a> {
    version: u32,
    run: i64,
    job: &'a str,
    state: &'static str,
    retry_of: Option<i64>,
    created: Option<String>,
    target: TargetView<'a>,
    plan: PlanView,
    objections: &'a [String],
}

#[derive(Serialize)]
struct TargetView<'a> {
    connection: &'a str,
    vendor: &'a str,
    url: &'a str,
    tenant: &'a str,
    kind: &'a str,
}

fn title(run: &RunRow) -> String {
    let target = &run.target;
    let retry = run
        .retry_of
        .map(|earlier| format!(", again what failed in run {earlier}"))
        .unwrap_or_default();
    format!(
        "run {}: {} to {} at {} ({}){retry}",
        run.id, run.job, target.kind, target.connection, target.url
    )
}

fn rows(view: &PlanView) -> String {
    let mut line = format!("rows: {} read", view.rows);
    let rejected: u64 = view.rejected.values().sum();
    if rejected > 0 {
        let classes: Vec<String> = view
            .rejected
            .iter()
            .map(|(class, rows)| format!("{rows} {class}"))
            .collect();
        let _ = write!(line, ", {rejected} rejected ({})", classes.join(", "));
    }
    if view.empty_cells > 0 {
        let _ = write!(line, ", {} empty cells that ask for nothing", view.empty_cells);
    }
    line
}

fn entities(view: &PlanView) -> String {
    let (named, unchanged, to_change) = (view.entities, view.unchanged, view.to_change);
    let mut line = format!("entities: {named} named, {unchanged} unchanged, {to_change} to change");
    let barred = named.saturating_sub(unchanged + to_change);
    if barred > 0 {
        let _ = write!(line, ", {barred} unusable");
    }
    line
}

/// The keys with the most operations first.
fn keys(keys: &BTreeMap<String, KeyView>) -> String {
    let mut sorted: Vec<(&String, &KeyView)> = keys.iter().collect();
    // Stable, so that keys with as many operations stay in alphabetical order.
    sorted.sort_by_key(|(_, count)| Reverse(count.adds + count.removes));
    let (shown, rest) = sorted.split_at(sorted.len().min(MOST_KEYS));
    let mut columns = Columns::new(1, vec!["key".into(), "adds".into(), "removes".into()]);
    for (key, count) in shown {
        columns.row(line(&display_safe(key), **count));
    }
    if !rest.is_empty() {
        let name = format!("({} more keys)", rest.len());
        columns.row(line(&name, sum(rest.iter().map(|(_, count)| **count))));
    }
    columns.row(line("total", sum(keys.values().copied())));
    columns.into_text()
}

fn sum(counts: impl Iterator<Item = KeyView>) -> KeyView {
    counts.fold(KeyView::default(), |sum, count| KeyView {
        adds: sum.adds + count.adds,
        removes: sum.removes + count.removes,
    })
}

fn line(key: &str, count: KeyView) -> Vec<String> {
    vec![key.to_owned(), count.adds.to_string(), count.removes.to_string()]
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
            "rows": 100, "rejected": {"illegal": 1, "missing": 2}, "empty_cells": 4, "entities": 97, "unchanged": 90,
            "to_change": 5, "operations": 13, "keys": {
                "env\u{202e}": {"adds": 5, "removes": 5}, "owner": {"adds": 3, "removes": 0}
            },
            "files": ["hosts.csv: CSV with semicolon, UTF-8"],
        }))
    }

    #[test]
    fn a_plan_tells_what_was_read_and_what_would_change() {
        let objections = ["too many removals\nraise `max_changes`".to_owned()];
        let want = "\
run 7: prod-hosts to HOST at dynatrace (https://abc12345.live.dynatrace.com)
file: hosts.csv: CSV with semicolon, UTF-8
rows: 100 read, 3 rejected (1 illegal, 2 missing), 4 empty cells that ask for nothing
entities: 97 named, 90 unchanged, 5 to change, 2 unusable
operations: 13

key          adds  removes
env\\u{202e}     5        5
owner           3        0
total           8        5

refused: too many removals\\nraise `max_changes`
";
        assert_eq!(plan(&busy(), &objections).unwrap(), want);
    }

    #[test]
    fn a_plan_without_changes_is_short() {
        let want = "\
run 7: prod-hosts to HOST at dynatrace (https://abc12345.live.dynatrace.com)
file: hosts.csv: CSV with comma, UTF-8
rows: 10 read
entities: 10 named, 10 unchanged, 0 to change
operations: 0
";
        assert_eq!(plan(&testing::planned_run(10), &[]).unwrap(), want);
        let again = RunRow {
            retry_of: Some(6),
            ..testing::planned_run(10)
        };
        let text = plan(&again, &[]).unwrap();
        assert!(
            text.lines()
                .next()
                .unwrap()
                .ends_with(", again what failed in run 6"),
            "{text}"
        );
    }

    #[test]
    fn beyond_thirty_keys_the_least_are_summed_and_the_total_still_adds_up() {
        let key = |n: u64| (format!("key-{n:02}"), KeyView { adds: n, removes: 1 });
        let text = keys(&(0..33).map(key).collect());
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines.len(), 1 + 30 + 1 + 1);
        assert_eq!(
            (&lines[1], &lines[30]),
            (&vec!["key-32", "32", "1"], &vec!["key-03", "3", "1"])
        );
        assert_eq!(lines[31], ["(3", "more", "keys)", "3", "3"]);
        assert_eq!(lines[32], ["total", "528", "33"]);
    }

    #[test]
    fn the_document_has_a_version_and_every_count_of_the_plan() {
        let document: serde_json::Value =
            serde_json::from_str(&plan_json(&busy(), &["no".to_owned()]).unwrap()).unwrap();
        assert_eq!(&document["plan"], busy().summary.as_ref().unwrap());
        assert_eq!(
            document["target"],
            json!({
                "connection": "dynatrace", "vendor": "dynatrace", "url": "https://abc12345.live.dynatrace.com",
                "tenant": "", "kind": "HOST"
            })
        );
        for (member, want) in [
            ("version", json!(1)),
            ("run", json!(7)),
            ("job", json!("prod-hosts")),
            ("state", json!("planned")),
            ("created", json!("2023-11-14T22:13:20Z")),
            ("objections", json!(["no"])),
        ] {
            assert_eq!(document[member], want, "{member}");
        }
    }

    #[test]
    fn a_plan_that_is_absent_or_of_another_shape_is_told() {
        let unplanned = RunRow {
            summary: None,
            ..testing::planned_run(0)
        };
        let told = |run: &RunRow| plan(run, &[]).unwrap_err().to_string();
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
