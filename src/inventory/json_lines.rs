//! The rows of JSON Lines: one object a line, so a bad one hurts no other.

use std::sync::Arc;

use super::object::{self, Fault};
use super::scanner::Scanner;
use super::source::Text;
use super::{Entry, InventoryError};
use crate::model::{Fields, Origin, Record};

/// JSON Lines that are being read.
#[derive(Debug)]
pub(super) struct JsonLines {
    scanner: Scanner,
    raw: Vec<u8>,
}

impl JsonLines {
    /// Begins to read. A text without a line has no rows.
    pub(super) fn open(file: &Arc<str>, text: Text) -> Self {
        Self {
            scanner: Scanner::new(file, text),
            raw: Vec::new(),
        }
    }

    /// The next row. Blank lines are none.
    pub(super) fn next(&mut self) -> Option<Result<Entry, InventoryError>> {
        loop {
            match self.scanner.line(&mut self.raw) {
                Ok(None) => return None,
                Ok(Some(_)) if self.raw.trim_ascii().is_empty() => {}
                Ok(Some(position)) => {
                    let origin = Origin {
                        file: self.scanner.file.clone(),
                        line: position.line,
                        id: None,
                    };
                    return Some(Ok(entry(&self.raw, origin, self.scanner.encoding)));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn entry(raw: &[u8], origin: Origin, encoding: &str) -> Entry {
    let reason = match object::read(raw, encoding) {
        Ok(object) => {
            return Entry::Record(Record {
                origin,
                fields: Fields::Object(object),
            });
        }
        Err(Fault::Unusable(reason)) => reason,
        Err(Fault::Malformed { at, reason }) => {
            let column = String::from_utf8_lossy(&raw[..at]).chars().count() + 1;
            format!("is no JSON at character {column}: {reason}")
        }
    };
    let is_list = origin.line == 1 && raw.trim_ascii_start().starts_with(b"[");
    let advice = if is_list {
        "; for a list over several lines, say `format = \"json\"`"
    } else {
        ""
    };
    Entry::Bad {
        origin,
        reason: reason + advice,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::testing::{endless, line_of, read};
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        read("a.jsonl", bytes, Options::default())
    }

    #[test]
    fn a_bad_line_hurts_no_other() {
        for (bad, reason) in [
            (
                &b"{\"a\":1"[..],
                "is no JSON at character 7: the value is cut short",
            ),
            (b"{\"\xc3\xa4\":nul}", "is no JSON at character 9: expected ident"),
            (b"{} {}", "is no JSON at character 4: trailing characters"),
            (b"[1]", "is a list, not an object"),
            (
                b"{\"a\":1,\"a\":2}",
                "names the key `a` twice in one object; which value is meant can't be told",
            ),
            (
                b"{\"a\":\"\\udc00\"}",
                "can't be kept as it is: lone leading surrogate in hex escape",
            ),
        ] {
            let text = [b"{\"a\":1}\n", bad, b"\n{\"a\":3}\n"].concat();
            let told = lines(&text);
            assert_eq!(
                told,
                [
                    "1 {\"a\":1}".to_owned(),
                    format!("2 bad: {reason}"),
                    "3 {\"a\":3}".to_owned()
                ]
            );
        }
    }

    #[test]
    fn no_lines_are_no_rows() {
        assert!(lines(b"").is_empty());
        assert!(lines(b"\n \r\n\t\n").is_empty());
    }

    #[test]
    fn a_document_that_is_taken_for_lines_is_hinted_at() {
        let told = lines(b"[\n{\"a\":1}\n]\n");
        assert!(
            told[0].ends_with("; for a list over several lines, say `format = \"json\"`"),
            "{told:?}"
        );
        assert_eq!(told[1], "2 {\"a\":1}");
    }

    #[test]
    fn endless_lines_are_read_one_by_one() {
        let (file, text) = endless("\n", "{\"a\":\"x\"}\r\n");
        let mut lines = JsonLines::open(&file, text);
        for line in 2..20_000 {
            assert_eq!(line_of(&lines.next().unwrap()), format!("{line} {{\"a\":\"x\"}}"));
            assert!(lines.raw.capacity() < 1000);
        }
    }
}
