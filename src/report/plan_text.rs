//! A plan for people: what fits on one screen, the rest counted.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::fit::{SCREEN, WIDTH, cut, fitted, joined, shown};
use super::losses::losses;
use super::plan::{KeyCounts, PlanCounts, PlanView, PlannedCalls};
use super::review::{GroupView, Review, Sample};
use crate::model::display_safe;

/// The most files that people are shown; the others are counted.
const MOST_FILES: usize = 3;

/// What the lines of groups have at least, however much stands above and below them.
const LEAST_LINES: usize = 8;

/// The plan for people, with the guard's objections at its end. `samples` of each group that is shown, or else as many as
/// the screen has room for.
pub fn plan(view: &PlanView, samples: Option<usize>) -> String {
    let counts = &view.plan;
    let mut lines = vec![title(view)];
    lines.extend(files(&counts.files));
    lines.push(rows(counts));
    lines.extend(losses(&counts.losses).map(|lost| format!("losses: {lost}")));
    lines.push(entities(counts));
    lines.push(operations(counts));
    lines.extend(view.calls.as_ref().map(|sent| format!("calls: {}", calls(sent))));
    let mut lines: Vec<String> = lines.iter().map(|line| display_safe(line).into_owned()).collect();
    if let Some(review) = view.review.as_ref().filter(|review| review.changed > 0) {
        let objections = view.objections.len();
        let around = lines.len() + 1 + objections + usize::from(objections > 0);
        lines.push(String::new());
        lines.extend(groups(
            review,
            SCREEN.saturating_sub(around).max(LEAST_LINES),
            samples,
        ));
    }
    if !view.objections.is_empty() {
        lines.push(String::new());
    }
    let refused = |objection: &String| format!("refused: {}", display_safe(objection));
    lines.extend(view.objections.iter().map(refused));
    lines.join("\n") + "\n"
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
        // Writing to a string can't fail.
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
    if view.resting > 0 {
        let _ = write!(line, ", {} with a replaced key that stays for now", view.resting);
    }
    if view.skipped > 0 {
        let _ = write!(line, ", {} skipped", view.skipped);
    }
    let barred = named.saturating_sub(unchanged + to_change + foreign + view.skipped);
    if barred > 0 {
        let _ = write!(line, ", {barred} unusable");
    }
    line
}

/// How many there are, and the keys that have the most of them, as far as a line goes.
fn operations(view: &PlanCounts) -> String {
    let line = format!("operations: {}", view.operations);
    let mut keys: Vec<(&String, &KeyCounts)> = view.keys.iter().collect();
    // Stable, so that keys with as many operations stay in alphabetical order.
    keys.sort_by_key(|(_, count)| Reverse(count.adds + count.removes));
    let of_keys: Vec<String> = keys.into_iter().map(|(key, count)| of_key(key, *count)).collect();
    if of_keys.is_empty() {
        return line;
    }
    let room = WIDTH.saturating_sub(line.len() + 2);
    format!("{line}: {}", joined(&of_keys, room))
}

fn of_key(key: &str, count: KeyCounts) -> String {
    let KeyCounts { adds, removes } = count;
    let mut text = display_safe(key).into_owned();
    for (sign, n) in [('+', adds), ('-', removes)] {
        if n > 0 {
            let _ = write!(text, " {sign}{n}");
        }
    }
    text
}

/// `512 writes, at least 26 s at 20/s`.
pub(super) fn calls(calls: &PlannedCalls) -> String {
    let PlannedCalls {
        writes,
        reads,
        rate,
        seconds,
    } = calls;
    let mut text = format!("{writes} writes");
    if *reads > 0 {
        let _ = write!(text, " and {reads} reads before them");
    }
    if let (Some(rate), Some(seconds)) = (rate, seconds) {
        let _ = write!(text, ", at least {} at {rate}", time(*seconds));
    }
    text
}

/// A time to the unit that matters, rounded up.
fn time(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// The groups in at most `room` lines, or with `samples` of each that is shown.
fn groups(review: &Review, room: usize, samples: Option<usize>) -> Vec<String> {
    let (exceptions, usual): (Vec<&GroupView>, Vec<&GroupView>) =
        review.groups.iter().partition(|group| group.exception);
    let fitted = fitted(exceptions.len(), usual.len(), room - 1);
    let wide = review.groups.iter().map(|group| group.entities.to_string().len());
    let wide = wide.max().unwrap_or(0).max("entities".len());
    let mark = if exceptions.is_empty() {
        ""
    } else {
        " (! marks exceptions)"
    };
    let mut lines = vec![format!("{:>width$}  change{mark}", "entities", width = wide + 2)];
    let sampled: Vec<&GroupView> = exceptions[..fitted.exceptions]
        .iter()
        .chain(&usual[..fitted.usual])
        .copied()
        .collect();
    let each: Vec<usize> = sampled.iter().map(|group| group.samples.len()).collect();
    let of_each = samples.map_or_else(
        || shown(&each, fitted.left),
        |most| each.iter().map(|n| (*n).min(most)).collect(),
    );
    for (n, (group, samples)) in sampled.iter().zip(of_each).enumerate() {
        lines.push(group_line(group, wide));
        let samples = group.samples.iter().take(samples);
        lines.extend(samples.map(sample_line));
        if n + 1 == fitted.exceptions {
            lines.extend(more(&exceptions[fitted.exceptions..], "exceptions", wide));
        }
    }
    lines.extend(more(&usual[fitted.usual..], "shapes", wide));
    lines
}

fn group_line(group: &GroupView, wide: usize) -> String {
    let mark = if group.exception { '!' } else { ' ' };
    let parts: Vec<String> = group
        .parts
        .iter()
        .map(|part| display_safe(&part.to_string()).into_owned())
        .collect();
    let room = WIDTH.saturating_sub(wide + 4);
    format!("{mark} {:>wide$}  {}", group.entities, joined(&parts, room))
}

/// `hosts.csv:17: web-01 (HOST-1): env: dev → prod`.
fn sample_line(sample: &Sample) -> String {
    let changes: Vec<String> = sample.changes.iter().map(ToString::to_string).collect();
    let parts = [place(sample), Some(called(sample)), Some(changes.join(", "))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let line = display_safe(&parts.join(": ")).into_owned();
    format!("    {}", cut(&line, WIDTH - 4))
}

/// File and line of a sample.
pub(super) fn place(sample: &Sample) -> Option<String> {
    let Sample { file, line, .. } = sample;
    Some(format!("{}:{}", file.as_ref()?, line.as_ref()?))
}

/// Name and identifier of a sample.
pub(super) fn called(sample: &Sample) -> String {
    let Sample { entity, name, .. } = sample;
    match name {
        Some(name) if name != entity => format!("{name} ({entity})"),
        _ => entity.clone(),
    }
}

/// How many groups are not shown, when any.
fn more(hidden: &[&GroupView], what: &str, wide: usize) -> Option<String> {
    let entities: u64 = hidden.iter().map(|group| group.entities).sum();
    let more = hidden.len();
    (more > 0).then(|| format!("  {entities:>wide$}  in {more} more {what}; `--format json` has them all"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::RunRow;
    use crate::report::testing;

    fn run(summary: serde_json::Value) -> RunRow {
        RunRow {
            summary: Some(summary),
            ..testing::planned_run(0)
        }
    }

    fn shown(run: &RunRow) -> String {
        plan(&PlanView::of(run, &[]).unwrap(), None)
    }

    fn busy() -> RunRow {
        run(json!({
            "rows": 100, "rejected": {"illegal": 1, "missing": 2}, "empty_cells": 4,
            "losses": {"too_long": {"truncated": 1000}, "illegal": {"dropped": 12}}, "entities": 97, "unchanged": 90,
            "to_change": 5, "operations": 13, "keys": {
                "env\u{202e}": {"adds": 5, "removes": 5}, "owner": {"adds": 3, "removes": 0}
            },
            "files": ["hosts.csv: csv, UTF-8, delimiter `;`, 12 columns"],
        }))
    }

    #[test]
    fn a_plan_tells_what_was_read_and_what_would_change() {
        let objections = ["too many removals\nraise `max_changes`".to_owned()];
        let sent = PlannedCalls {
            writes: 512,
            reads: 0,
            rate: Some("20/s".to_owned()),
            seconds: Some(26),
        };
        let view = PlanView::of(&busy(), &objections).unwrap().with_calls(sent);
        let view = view.with_review(testing::review());
        let want = "\
run 7: prod-hosts to HOST at dynatrace (https://abc12345.live.dynatrace.com)
file: hosts.csv: csv, UTF-8, delimiter `;`, 12 columns
rows: 100 read, 3 rejected (1 illegal, 2 missing), 4 empty cells that ask for nothing
losses: illegal 12 (dropped), too_long 1000 (truncated)
entities: 97 named, 90 unchanged, 5 to change, 2 unusable
operations: 13: env\\u{202e} +5 -5, owner +3
calls: 512 writes, at least 26 s at 20/s

  entities  change (! marks exceptions)
!        1  env\\u{202e}: a|b\\n → prod
    hosts.csv:17: web-01 (HOST-1): env\\u{202e}: a|b\\n → prod
       400  +owner (12 values)
    hosts.csv:2: HOST-2: +owner=`team`

refused: too many removals\\nraise `max_changes`
";
        assert_eq!(plan(&view, None), want);
        assert_eq!(plan(&view, Some(0)).lines().count(), want.lines().count() - 2);
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
        let title = text.lines().next().unwrap();
        assert!(title.ends_with(", again what failed in run 6"), "{text}");
    }

    #[test]
    fn a_plan_of_any_size_is_one_screen() {
        let mut review = testing::review();
        let many = |group: &GroupView| vec![group.clone(); 60];
        review.groups = review.groups.iter().flat_map(many).collect();
        let objections = ["no".to_owned(), "never".to_owned()];
        for objections in [&[][..], &objections] {
            let view = PlanView::of(&busy(), objections)
                .unwrap()
                .with_review(review.clone());
            let text = plan(&view, None);
            assert_eq!(text.lines().count(), SCREEN, "{text}");
            assert!(text.contains("in 55 more exceptions; "), "{text}");
            assert!(text.contains("     22000  in 55 more shapes; "), "{text}");
        }
    }

    #[test]
    fn the_keys_with_the_most_operations_come_first_as_far_as_the_line_goes() {
        let key = |n: u64| (format!("key-{n:02}"), KeyCounts { adds: n, removes: 1 });
        let counts = PlanCounts {
            operations: 66,
            keys: (1..12).map(key).collect(),
            ..PlanCounts::default()
        };
        let want = "operations: 66: key-11 +11 -1, key-10 +10 -1, key-09 +9 -1, 8 more keys";
        assert_eq!(operations(&counts), want);
    }

    #[test]
    fn beyond_three_files_the_others_are_counted() {
        let named = |n: usize| (0..n).map(|n| format!("{n}.csv: csv")).collect::<Vec<_>>();
        assert_eq!(files(&named(3)).len(), 3);
        let lines = files(&named(5));
        assert_eq!(
            (lines.len(), &*lines[2], &*lines[3]),
            (4, "file: 2.csv: csv", "(2 more files)")
        );
    }

    #[test]
    fn a_time_has_the_unit_that_matters() {
        for (seconds, want) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (121, "3 min"),
            (7200, "2 h 0 min"),
            (9001, "2 h 31 min"),
        ] {
            assert_eq!(time(seconds), want);
        }
    }

    #[test]
    fn reads_and_paces_are_told_where_they_are_known() {
        let sent = |reads, rate: Option<&str>, seconds| PlannedCalls {
            writes: 9,
            reads,
            rate: rate.map(str::to_owned),
            seconds,
        };
        for (sent, want) in [
            (sent(0, None, None), "9 writes"),
            (
                sent(9, Some("1/s"), Some(18)),
                "9 writes and 9 reads before them, at least 18 s at 1/s",
            ),
        ] {
            assert_eq!(calls(&sent), want);
        }
    }
}
