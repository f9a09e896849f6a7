//! A plan for people, and the same as JSON.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::counts::{VERSION, pretty, time};
use super::rows::ReportError;
use super::table::Columns;
use crate::ledger::RunRow;
use crate::model::display_safe;

/// The most keys that people are shown; the others are summed.
const MOST_KEYS: usize = 30;

/// The most files that people are shown; the others are counted.
const MOST_FILES: usize = 30;

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
    /// Entities that the rows name.
    pub entities: u64,
    /// Entities that are as wanted.
    pub unchanged: u64,
    /// Entities to change.
    pub to_change: u64,
    /// Entities where something stays, since somebody else changed it after the run that is taken back; what is beside it
    /// may still go back.
    #[serde(default)]
    pub foreign: u64,
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
    run: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<About>,
    plan: PlanCounts,
    objections: Vec<String>,
}

/// Whose plan it is, and what it would write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct About {
    job: String,
    state: &'static str,
    retry_of: Option<i64>,
    undo_of: Option<i64>,
    created: Option<String>,
    connection: String,
    vendor: String,
    url: String,
    tenant: String,
    kind: String,
}

impl PlanView {
    /// A plan by what was counted, as [`RunRow::summary`] keeps it, and the guard's objections.
    pub fn new(run: i64, summary: &Value, objections: &[String]) -> Result<Self, serde_json::Error> {
        Ok(Self {
            version: VERSION,
            run,
            about: None,
            plan: PlanCounts::deserialize(summary)?,
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

/// The plan for people, with the guard's objections at its end.
pub fn plan(view: &PlanView) -> String {
    let counts = &view.plan;
    let mut lines = vec![title(view)];
    lines.extend(files(&counts.files));
    lines.push(rows(counts));
    lines.push(entities(counts));
    lines.push(format!("operations: {}", counts.operations));
    let mut text = String::new();
    for line in lines {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", display_safe(&line));
    }
    if !counts.keys.is_empty() {
        let _ = write!(text, "\n{}", keys(&counts.keys));
    }
    if !view.objections.is_empty() {
        text.push('\n');
    }
    for objection in &view.objections {
        let _ = writeln!(text, "refused: {}", display_safe(objection));
    }
    text
}

/// The plan as a JSON document with a version, with all keys and files.
pub fn plan_json(view: &PlanView) -> String {
    pretty(view)
}

fn title(view: &PlanView) -> String {
    let Some(about) = &view.about else {
        return format!("run {}", view.run);
    };
    let earlier = match (about.retry_of, about.undo_of) {
        (Some(earlier), _) => format!(", again what failed in run {earlier}"),
        (None, Some(earlier)) => format!(", taking run {earlier} back"),
        (None, None) => String::new(),
    };
    format!(
        "run {}: {} to {} at {} ({}){earlier}",
        view.run, about.job, about.kind, about.connection, about.url
    )
}

fn files(files: &[String]) -> Vec<String> {
    let shown = files.iter().take(MOST_FILES);
    let mut lines: Vec<String> = shown.map(|file| format!("file: {file}")).collect();
    if files.len() > MOST_FILES {
        lines.push(format!("({} more files)", files.len() - MOST_FILES));
    }
    lines
}

fn rows(view: &PlanCounts) -> String {
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

fn entities(view: &PlanCounts) -> String {
    let (named, unchanged, to_change) = (view.entities, view.unchanged, view.to_change);
    let mut line = format!("entities: {named} named, {unchanged} unchanged, {to_change} to change");
    let foreign = view.foreign;
    if foreign > 0 {
        let _ = write!(
            line,
            ", {foreign} with something that somebody else changed since, which stays"
        );
    }
    let barred = named.saturating_sub(unchanged + to_change + foreign);
    if barred > 0 {
        let _ = write!(line, ", {barred} unusable");
    }
    line
}

/// The keys with the most operations first.
fn keys(keys: &BTreeMap<String, KeyCounts>) -> String {
    let mut sorted: Vec<(&String, &KeyCounts)> = keys.iter().collect();
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

fn sum(counts: impl Iterator<Item = KeyCounts>) -> KeyCounts {
    counts.fold(KeyCounts::default(), |sum, count| KeyCounts {
        adds: sum.adds + count.adds,
        removes: sum.removes + count.removes,
    })
}

fn line(key: &str, count: KeyCounts) -> Vec<String> {
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

    fn shown(run: &RunRow) -> String {
        plan(&PlanView::of(run, &[]).unwrap())
    }

    fn busy() -> RunRow {
        run(json!({
            "rows": 100, "rejected": {"illegal": 1, "missing": 2}, "empty_cells": 4, "entities": 97, "unchanged": 90,
            "to_change": 5, "foreign": 0, "operations": 13, "keys": {
                "env\u{202e}": {"adds": 5, "removes": 5}, "owner": {"adds": 3, "removes": 0}
            },
            "files": ["hosts.csv: csv, UTF-8, delimiter `;`, 12 columns"],
        }))
    }

    #[test]
    fn a_plan_tells_what_was_read_and_what_would_change() {
        let objections = ["too many removals\nraise `max_changes`".to_owned()];
        let want = "\
run 7: prod-hosts to HOST at dynatrace (https://abc12345.live.dynatrace.com)
file: hosts.csv: csv, UTF-8, delimiter `;`, 12 columns
rows: 100 read, 3 rejected (1 illegal, 2 missing), 4 empty cells that ask for nothing
entities: 97 named, 90 unchanged, 5 to change, 2 unusable
operations: 13

key          adds  removes
env\\u{202e}     5        5
owner           3        0
total           8        5

refused: too many removals\\nraise `max_changes`
";
        assert_eq!(plan(&PlanView::of(&busy(), &objections).unwrap()), want);
    }

    #[test]
    fn a_plan_without_changes_is_short() {
        let want = "\
run 7: prod-hosts to HOST at dynatrace (https://abc12345.live.dynatrace.com)
file: hosts.csv: csv, UTF-8, delimiter `,`, 2 columns
rows: 10 read
entities: 10 named, 10 unchanged, 0 to change
operations: 0
";
        assert_eq!(shown(&testing::planned_run(10)), want);
        let again = RunRow {
            retry_of: Some(6),
            ..testing::planned_run(10)
        };
        let text = shown(&again);
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
        let key = |n: u64| (format!("key-{n:02}"), KeyCounts { adds: n, removes: 1 });
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
    fn beyond_thirty_files_the_others_are_counted() {
        let named = |n: usize| (0..n).map(|n| format!("{n}.csv: csv")).collect::<Vec<_>>();
        assert_eq!(files(&named(30)).len(), 30);
        let lines = files(&named(31));
        assert_eq!(
            (lines.len(), &*lines[29], &*lines[30]),
            (31, "file: 29.csv: csv", "(1 more files)")
        );
    }

    #[test]
    fn the_document_has_a_version_and_every_count_of_the_plan() {
        let summary = busy().summary.unwrap();
        let objections = ["no".to_owned()];
        let document = |view: PlanView| serde_json::from_str::<Value>(&plan_json(&view)).unwrap();
        let bare = PlanView::new(7, &summary, &objections).unwrap();
        assert_eq!(plan(&bare).lines().next(), Some("run 7"));
        let mut want = json!({"version": 1, "run": 7, "plan": summary, "objections": ["no"]});
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
