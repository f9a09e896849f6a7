//! Rows for people: those that need somebody, one line each, and the table of outcomes.

use std::io;

use super::rows::RowWriter;
use crate::ledger::RowReport;
use crate::model::{Outcome, display_safe};

/// Writes the rows that are neither done nor unchanged, and an empty line where there are any.
pub(super) struct TextRows<'a> {
    out: &'a mut dyn io::Write,
    separator: &'static str,
}

impl<'a> TextRows<'a> {
    pub(super) fn new(out: &'a mut dyn io::Write) -> Self {
        Self { out, separator: "" }
    }
}

impl RowWriter for TextRows<'_> {
    fn row(&mut self, row: &RowReport) -> io::Result<()> {
        if is_good(row) {
            return Ok(());
        }
        self.separator = "\n";
        writeln!(self.out, "{}", line(row))
    }

    fn end(&mut self) -> io::Result<()> {
        write!(self.out, "{}", self.separator)
    }
}

/// Writes so many of the rows that are neither done nor unchanged, and counts the others.
pub(super) struct FirstRows<'a> {
    out: &'a mut dyn io::Write,
    run: i64,
    most: usize,
    seen: usize,
}

impl<'a> FirstRows<'a> {
    pub(super) fn new(out: &'a mut dyn io::Write, run: i64, most: usize) -> Self {
        Self {
            out,
            run,
            most,
            seen: 0,
        }
    }
}

impl RowWriter for FirstRows<'_> {
    fn row(&mut self, row: &RowReport) -> io::Result<()> {
        if is_good(row) {
            return Ok(());
        }
        self.seen += 1;
        if self.seen > self.most {
            return Ok(());
        }
        writeln!(self.out, "{}", line(row))
    }

    fn end(&mut self) -> io::Result<()> {
        let (more, run) = (self.seen.saturating_sub(self.most), self.run);
        if more > 0 {
            writeln!(
                self.out,
                "{more} more rows are neither done nor unchanged; `tagferry report {run}` names them"
            )?;
        }
        if self.seen > 0 {
            writeln!(self.out)?;
        }
        self.out.flush()
    }
}

fn is_good(row: &RowReport) -> bool {
    matches!(row.outcome, Outcome::Done | Outcome::Unchanged)
}

/// `hosts.csv:17: rejected (missing): web-01: no such host`: position, outcome and class, entity, message.
fn line(row: &RowReport) -> String {
    let RowReport {
        origin,
        outcome,
        class,
        message,
        ..
    } = row;
    let class = class.map(|class| format!(" ({class})")).unwrap_or_default();
    let parts = [
        Some(format!("{origin}: {outcome}{class}")),
        called(row),
        message.clone(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    display_safe(&parts.join(": ")).into_owned()
}

/// Name and identifier of a row's entity, as far as they are known.
pub(super) fn called(row: &RowReport) -> Option<String> {
    match (&row.name, &row.entity) {
        (Some(name), Some(id)) if name != id => Some(format!("{name} ({id})")),
        (Some(one), _) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, Origin};

    fn row(entity: Option<&str>, name: Option<&str>, message: Option<&str>) -> RowReport {
        RowReport {
            origin: Origin {
                file: "hosts.csv".into(),
                line: 17,
                id: None,
            },
            entity: entity.map(str::to_owned),
            name: name.map(str::to_owned),
            outcome: Outcome::Failed,
            class: Some(Class::Refused),
            message: message.map(str::to_owned),
            losses: Vec::new(),
        }
    }

    #[test]
    fn a_line_says_where_what_who_and_why() {
        for (row, want) in [
            (
                row(Some("HOST-1"), Some("web-01"), Some("no")),
                "hosts.csv:17: failed (refused): web-01 (HOST-1): no",
            ),
            (
                row(Some("HOST-1"), None, Some("no")),
                "hosts.csv:17: failed (refused): HOST-1: no",
            ),
            (
                row(Some("web-01"), Some("web-01"), Some("no")),
                "hosts.csv:17: failed (refused): web-01: no",
            ),
            (row(None, None, Some("no")), "hosts.csv:17: failed (refused): no"),
            (row(None, None, None), "hosts.csv:17: failed (refused)"),
        ] {
            assert_eq!(line(&row), want);
        }
    }

    #[test]
    fn no_text_of_others_breaks_out_of_its_line() {
        let mut hostile = row(
            None,
            Some("web\u{1b}]0;owned\u{7}"),
            Some("tag `a\u{202e}b`\nhosts.csv:18: done"),
        );
        hostile.origin.file = "a\nb.csv".into();
        assert_eq!(
            line(&hostile),
            r"a\nb.csv:17: failed (refused): web\u{1b}]0;owned\u{7}: tag `a\u{202e}b`\nhosts.csv:18: done"
        );
    }

    #[test]
    fn good_rows_are_not_listed() {
        let mut out = Vec::new();
        let mut rows = TextRows::new(&mut out);
        for outcome in [Outcome::Done, Outcome::Unchanged] {
            let good = RowReport {
                outcome,
                ..row(Some("HOST-1"), None, None)
            };
            rows.row(&good).unwrap();
        }
        rows.end().unwrap();
        assert_eq!(out, b"");
    }
}
