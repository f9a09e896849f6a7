//! The rows of a JSON document: the elements of its list, or of a list inside it, one at a time.

use std::sync::Arc;

use super::items::{self, Level};
use super::object::{self, Fault};
use super::scanner::Scanner;
use super::source::Text;
use super::{Entry, InventoryError};
use crate::model::{Fields, Origin, Record};

/// A document that is being read.
#[derive(Debug)]
pub(super) struct Document {
    scanner: Scanner,
    raw: Vec<u8>,
    /// What encloses the list, outermost first.
    outer: Vec<Level>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The list's bracket was read.
    Begun,
    /// A row was read.
    Within,
    /// The document was read to its end, or given up.
    Ended,
}

impl Document {
    /// Finds the list of rows: `items` is the name of a member, or a JSON pointer.
    pub(super) fn open(file: &Arc<str>, text: Text, items: Option<&str>) -> Result<Self, InventoryError> {
        let mut scanner = Scanner::new(file, text);
        let outer = items::descend(&mut scanner, items)?;
        Ok(Self {
            scanner,
            raw: Vec::new(),
            outer,
            state: State::Begun,
        })
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Option<Result<Entry, InventoryError>> {
        if self.state == State::Ended {
            return None;
        }
        let entry = self.element().transpose();
        if !matches!(entry, Some(Ok(_))) {
            self.state = State::Ended;
        }
        entry
    }

    fn element(&mut self) -> Result<Option<Entry>, InventoryError> {
        let first = self.state == State::Begun;
        self.state = State::Within;
        match self.scanner.peek()? {
            Some(b']') => {
                self.scanner.bump(b']');
                items::ascend(&mut self.scanner, &self.outer)?;
                return Ok(None);
            }
            Some(b',') if !first => self.scanner.bump(b','),
            Some(_) if !first => {
                return Err(self.scanner.malformed("a comma or the list's end should be here"));
            }
            _ => {}
        }
        let position = self.scanner.value(&mut self.raw)?;
        let origin = Origin {
            file: self.scanner.file.clone(),
            line: position.line,
            id: None,
        };
        match object::read(&self.raw, self.scanner.encoding) {
            Ok(object) => Ok(Some(Entry::Record(Record {
                origin,
                fields: Fields::Object(object),
            }))),
            Err(Fault::Unusable(reason)) => Ok(Some(Entry::Bad { origin, reason })),
            Err(Fault::Malformed { at, reason }) => {
                Err(self.scanner.malformed_in(position, &self.raw[..at], reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::position::Position;
    use super::super::testing::{endless, line_of, read, text};
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> Vec<String> {
        read("a.json", text.as_bytes(), Options::default())
    }

    #[test]
    fn the_elements_of_a_list_are_rows_with_their_lines() {
        for (text, rows) in [
            ("[]", &[][..]),
            (" [ ] \n", &[]),
            ("[{}]", &["1 {}"]),
            ("[{\"a\":1},{\"a\":2}]", &["1 {\"a\":1}", "1 {\"a\":2}"]),
            (
                "[\r\n{\"a\":\r\n1}\r\n,\r\n{\"a\":2}]",
                &["2 {\"a\":1}", "5 {\"a\":2}"],
            ),
            ("[\r{\"a\":1},\r{\"a\":2}\r]", &["2 {\"a\":1}", "3 {\"a\":2}"]),
            (
                "[1,\n{\"a\":\"x\"}]",
                &["1 bad: is a number, not an object", "2 {\"a\":\"x\"}"],
            ),
        ] {
            assert_eq!(json(text), rows, "{text:?}");
        }
    }

    #[test]
    fn malformed_json_ends_the_job_where_it_is() {
        for (text, rows, at) in [
            (
                "[{\"a\":1},]",
                1,
                "1:10: the JSON is malformed: a value should be here",
            ),
            ("[,{}]", 0, "1:2: the JSON is malformed: a value should be here"),
            (
                "[{} {}]",
                1,
                "1:5: the JSON is malformed: a comma or the list's end should be here",
            ),
            (
                "[\n{\"a\":1},\n{\"é\":\n nul}]",
                1,
                "4:5: the JSON is malformed: expected ident",
            ),
            (
                "[{\"a\":1}",
                1,
                "1:9: the JSON is malformed: it ends where a value should be",
            ),
            (
                "[{\"a\":1}] {}",
                1,
                "1:11: the JSON is malformed: something follows the end of the document",
            ),
            (
                "[{\"a\":1",
                0,
                "1:8: the JSON is malformed: it ends within a value",
            ),
            (
                "[{\"a\":1]]",
                0,
                "1:8: the JSON is malformed: expected `,` or `}`",
            ),
            (
                "",
                0,
                "1:1: the JSON is malformed: it ends before a list of rows begins",
            ),
        ] {
            let told = json(text);
            assert_eq!(told.len(), rows + 1, "{text}");
            assert_eq!(told.last(), Some(&format!("a.json:{at}")), "{text}");
        }
    }

    #[test]
    fn a_row_that_can_not_be_used_hurts_no_other() {
        let deep = format!("[{{\"a\":{}{}}},\n{{}}]", "[".repeat(9999), "]".repeat(9999));
        assert_eq!(
            json(&deep),
            ["1 bad: can't be kept as it is: recursion limit exceeded", "2 {}"]
        );
        let told = read("a.json", b"[{\"a\":\"\xe9\"},\n{}]", Options::default());
        assert!(
            told[0].starts_with("1 bad: its text is not legal UTF-8"),
            "{told:?}"
        );
        assert_eq!(told[1], "2 {}");
    }

    #[test]
    fn an_endless_list_is_read_element_by_element() {
        let (file, text) = endless("[", "{\"a\":\n1},");
        let mut document = Document::open(&file, text, None).unwrap();
        for line in 1..=20_000 {
            assert_eq!(line_of(&document.next().unwrap()), format!("{line} {{\"a\":1}}"));
            assert!(document.raw.capacity() < 1000);
        }
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_back_with_its_lines(
            rows in prop::collection::vec((prop::collection::btree_map(".{0,4}", ".{0,9}", 0..4), "[ \r\n]{0,4}"), 0..9),
        ) {
            let mut written = "[".to_owned();
            let mut lines = Vec::new();
            for (index, (row, blank)) in rows.iter().enumerate() {
                written.push_str(if index == 0 { "" } else { "," });
                written.push_str(blank);
                let mut position = Position::START;
                position.advance(written.as_bytes());
                lines.push(position.line);
                written.push_str(&serde_json::to_string_pretty(row).unwrap());
            }
            written.push(']');
            let (file, text) = text(written.as_bytes(), usize::MAX);
            let mut document = Document::open(&file, text, None).unwrap();
            for ((row, _), line) in rows.iter().zip(lines) {
                let Some(Ok(Entry::Record(Record { origin, fields }))) = document.next() else {
                    panic!("no record for {row:?}")
                };
                prop_assert_eq!(origin.line, line);
                let Fields::Object(object) = fields else { panic!("no object") };
                prop_assert_eq!(serde_json::Value::Object(object), serde_json::to_value(row).unwrap());
            }
            prop_assert!(document.next().is_none());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop::sample::select(b"[]{}\",:1a\\\n \xff".to_vec()), 0..40)) {
            let (file, text) = text(&bytes, 1000);
            if let Ok(mut document) = Document::open(&file, text, None) {
                let mut told: Vec<_> = std::iter::from_fn(|| document.next()).collect();
                let last = told.pop();
                prop_assert!(told.iter().all(Result::is_ok), "{:?}", told.iter().map(line_of).collect::<Vec<_>>());
                let parses = serde_json::from_slice::<serde::de::IgnoredAny>(String::from_utf8_lossy(&bytes).as_bytes());
                prop_assert_eq!(last.is_none_or(|last| last.is_ok()), parses.is_ok());
            }
        }
    }
}
