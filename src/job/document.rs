//! A job file as a tree in which everything knows its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A parsed TOML text.
#[derive(Debug)]
pub(super) struct Document<'t> {
    pub(super) text: &'t str,
    pub(super) root: Spanned<DeTable<'t>>,
}

/// The name of a step: a key of a table, or the number of an element (from 0) as text.
pub(super) type Path<'p> = &'p [&'p str];

impl<'t> Document<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, toml::de::Error> {
        Ok(Self {
            text,
            root: DeTable::parse(text)?,
        })
    }

    /// Whether something is written there.
    pub(super) fn has(&self, path: Path<'_>) -> bool {
        self.entry(path).is_some()
    }

    /// The bytes of the value at a path, or of the nearest table around it.
    pub(super) fn value_span(&self, path: Path<'_>) -> Range<usize> {
        self.nearest(path, |_, value| value)
    }

    /// The bytes of the key at a path, or of the nearest table around it.
    pub(super) fn key_span(&self, path: Path<'_>) -> Range<usize> {
        self.nearest(path, |key, _| key)
    }

    fn nearest(&self, path: Path<'_>, pick: fn(Range<usize>, Range<usize>) -> Range<usize>) -> Range<usize> {
        (1..=path.len())
            .rev()
            .find_map(|length| self.entry(&path[..length]))
            .map_or(0..0, |(key, value)| pick(key, value))
    }

    /// The spans of key and value; an element of an array stands for both.
    fn entry(&self, path: Path<'_>) -> Option<(Range<usize>, Range<usize>)> {
        let (first, rest) = path.split_first()?;
        let (key, mut value) = self.root.get_ref().get_key_value(*first)?;
        let mut key = key.span();
        for step in rest {
            (key, value) = child(value, step)?;
        }
        Some((key, value.span()))
    }
}

fn child<'v, 't>(
    value: &'v Spanned<DeValue<'t>>,
    step: &str,
) -> Option<(Range<usize>, &'v Spanned<DeValue<'t>>)> {
    match value.get_ref() {
        DeValue::Table(table) => {
            let (key, value) = table.get_key_value(step)?;
            Some((key.span(), value))
        }
        DeValue::Array(array) => {
            let value = array.get(step.parse::<usize>().ok()?)?;
            Some((value.span(), value))
        }
        _ => None,
    }
}

/// The bytes of a TOML string's text that stand for a range of the bytes of its value.
///
/// `written` is the string with its quotes. The two differ by the quotes, a first line break, and escapes.
pub(super) fn inside_string(written: &str, range: &Range<usize>) -> Range<usize> {
    let quotes = if ["\"\"\"", "'''"].iter().any(|quotes| written.starts_with(quotes)) {
        3
    } else {
        1
    };
    let mut raw = quotes.min(written.len());
    if quotes == 3 {
        let rest = &written[raw..];
        raw += ["\r\n", "\n"]
            .iter()
            .find(|line_break| rest.starts_with(**line_break))
            .map_or(0, |line_break| line_break.len());
    }
    let escapes = written.starts_with('"');
    let start = advance(written, raw, range.start, escapes);
    let end = advance(written, start, range.end - range.start, escapes);
    start..end.max(start)
}

/// The place after so many bytes of the value.
fn advance(written: &str, from: usize, mut bytes: usize, escapes: bool) -> usize {
    let mut raw = from;
    while bytes > 0 && raw < written.len() {
        let rest = &written[raw..];
        let (taken, given) = match rest.chars().next() {
            Some('\\') if escapes => escape(rest),
            Some(c) => (c.len_utf8(), c.len_utf8()),
            None => break,
        };
        raw += taken;
        bytes = bytes.saturating_sub(given);
    }
    raw
}

/// How long an escape is, and how many bytes it stands for (TOML 1.1, "String").
fn escape(rest: &str) -> (usize, usize) {
    let digits = match rest.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b'\n' | b'\r' | b' ' | b'\t') => {
            // A backslash at the end of a line swallows all white space that follows.
            return (rest.len() - rest[1..].trim_start().len(), 0);
        }
        _ => return (2.min(rest.len()), 1),
    };
    let length = (2 + digits).min(rest.len());
    let code = rest
        .get(2..length)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    (length, code.and_then(char::from_u32).map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_and_elements_know_their_place() {
        let text = "a = 1\n[[t]]\nk = 'x'\n[[t]]\nk = ['y', 'z']\n";
        let document = Document::parse(text).unwrap();
        assert_eq!(&text[document.value_span(&["t", "0", "k"])], "'x'");
        assert_eq!(&text[document.key_span(&["t", "1", "k"])], "k");
        assert_eq!(&text[document.value_span(&["t", "1", "k", "1"])], "'z'");
        assert_eq!(&text[document.value_span(&["t", "1", "absent"])], "[[t]]");
        assert_eq!(document.value_span(&["absent"]), 0..0);
        assert!(document.has(&["a"]) && !document.has(&["t", "2"]));
    }

    #[test]
    fn a_range_of_a_value_is_found_in_its_text() {
        for (written, range, want) in [
            ("\"abc\"", 1..2, "b"),
            ("'a\\nb'", 3..4, "b"),
            ("\"a\\nb\"", 2..3, "b"),
            ("\"\\u00e9b\"", 2..3, "b"),
            ("\"\"\"\nabc\"\"\"", 1..2, "b"),
            ("\"\"\"a\\\n   bc\"\"\"", 1..3, "\\\n   bc"),
            ("\"é{{ x }}\"", 5..6, "x"),
        ] {
            assert_eq!(&written[inside_string(written, &range)], want, "{written}");
        }
    }
}
