//! Cuts JSON values out of a text without understanding them, and counts the lines.

use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use super::InventoryError;
use super::framing::{Framing, is_blank};
use super::position::{Position, is_break};
use super::source::Text;

/// A JSON text that is being read.
pub(super) struct Scanner {
    /// The file's name.
    pub file: Arc<str>,
    /// What the text was decoded from.
    pub encoding: &'static str,
    text: Box<dyn BufRead + Send>,
    position: Position,
    limit: usize,
}

impl Scanner {
    /// Reads a text from where it stands.
    pub(super) fn new(file: &Arc<str>, text: Text) -> Self {
        Self {
            file: file.clone(),
            encoding: text.encoding,
            text: text.reader,
            position: text.position,
            limit: text.limit,
        }
    }

    /// Reads past white space. Returns the byte that follows, which is not read yet; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, InventoryError> {
        loop {
            let bytes = self
                .text
                .fill_buf()
                .map_err(|error| failed(&self.file, self.position, error))?;
            let blank = bytes.iter().take_while(|byte| is_blank(**byte)).count();
            let found = bytes.get(blank).copied();
            let ended = bytes.is_empty();
            self.position.advance(&bytes[..blank]);
            self.text.consume(blank);
            if found.is_some() || ended {
                return Ok(found);
            }
        }
    }

    /// Reads the byte that was peeked at.
    pub(super) fn bump(&mut self, byte: u8) {
        self.position.advance(&[byte]);
        self.text.consume(1);
    }

    /// Reads the next value into `raw`, whatever is in it, and tells where it begins.
    pub(super) fn value(&mut self, raw: &mut Vec<u8>) -> Result<Position, InventoryError> {
        raw.clear();
        let mut framing = self.begin()?;
        let position = self.position;
        while !self.scan(&mut framing, Some(&mut *raw))? {
            if raw.len() > self.limit {
                let (file, limit) = (self.file.clone(), self.limit);
                return Err(InventoryError::TooLong {
                    file,
                    line: position.line,
                    limit,
                });
            }
        }
        Ok(position)
    }

    /// Reads past the next value, of any length.
    pub(super) fn skip_value(&mut self) -> Result<(), InventoryError> {
        let framing = self.begin()?;
        self.skip(framing)
    }

    /// Reads past the rest of a list or object whose bracket was read.
    pub(super) fn skip_rest(&mut self) -> Result<(), InventoryError> {
        self.skip(Framing::rest_of_list())
    }

    /// Reads a line into `raw`, without its line break. `None` at the end.
    pub(super) fn line(&mut self, raw: &mut Vec<u8>) -> Result<Option<Position>, InventoryError> {
        raw.clear();
        let begin = self.position;
        loop {
            let bytes = self
                .text
                .fill_buf()
                .map_err(|error| failed(&self.file, self.position, error))?;
            if bytes.is_empty() {
                return Ok((!raw.is_empty()).then_some(begin));
            }
            let end = bytes.iter().position(|byte| is_break(*byte));
            raw.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            let n_bytes = end.map_or(bytes.len(), |end| end + 1);
            self.position.advance(&bytes[..n_bytes]);
            self.text.consume(n_bytes);
            if end.is_some() {
                return Ok(Some(begin));
            }
            if raw.len() > self.limit {
                let (file, limit) = (self.file.clone(), self.limit);
                return Err(InventoryError::TooLong {
                    file,
                    line: begin.line,
                    limit,
                });
            }
        }
    }

    /// Where the text stands.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// An error at the place where the text stands.
    pub(super) fn malformed(&self, reason: impl Into<String>) -> InventoryError {
        let Position { line, column, .. } = self.position;
        InventoryError::Syntax {
            file: self.file.clone(),
            line,
            column,
            reason: reason.into(),
        }
    }

    /// An error in a value, after the bytes `before` of it.
    pub(super) fn malformed_in(
        &self,
        mut position: Position,
        before: &[u8],
        reason: String,
    ) -> InventoryError {
        position.advance(before);
        let Position { line, column, .. } = position;
        InventoryError::Syntax {
            file: self.file.clone(),
            line,
            column,
            reason,
        }
    }

    fn begin(&mut self) -> Result<Framing, InventoryError> {
        match self.peek()? {
            Some(b',' | b']' | b'}') => Err(self.malformed("a value should be here")),
            Some(first) => Ok(Framing::begin(first)),
            None => Err(self.malformed("it ends where a value should be")),
        }
    }

    fn skip(&mut self, mut framing: Framing) -> Result<(), InventoryError> {
        while !self.scan(&mut framing, None)? {}
        Ok(())
    }

    /// Reads as much of a value as is at hand. Returns whether it is complete.
    fn scan(&mut self, framing: &mut Framing, raw: Option<&mut Vec<u8>>) -> Result<bool, InventoryError> {
        let bytes = self
            .text
            .fill_buf()
            .map_err(|error| failed(&self.file, self.position, error))?;
        if bytes.is_empty() {
            // Nothing but the end of the text tells where a lone number ends.
            return if framing.ends_with_text() {
                Ok(true)
            } else {
                Err(self.malformed("it ends within a value"))
            };
        }
        let (n_bytes, complete) = framing.feed(bytes);
        if let Some(raw) = raw {
            raw.extend_from_slice(&bytes[..n_bytes]);
        }
        self.position.advance(&bytes[..n_bytes]);
        self.text.consume(n_bytes);
        Ok(complete)
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scanner({}:{})", self.file, self.position.line)
    }
}

fn failed(file: &Arc<str>, position: Position, source: std::io::Error) -> InventoryError {
    InventoryError::Read {
        file: file.clone(),
        line: position.line,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::text;
    use super::*;

    fn scanner(bytes: &str, limit: usize) -> Scanner {
        let (file, text) = text(bytes.as_bytes(), limit);
        // One byte at a time, so that values are cut everywhere.
        let trickle = std::io::BufReader::with_capacity(1, text.reader);
        Scanner::new(
            &file,
            Text {
                reader: Box::new(trickle),
                ..text
            },
        )
    }

    #[test]
    fn a_value_ends_where_it_ends() {
        for (bytes, value, next) in [
            ("12,3", "12", Some(b',')),
            ("true]", "true", Some(b']')),
            ("-1.5e3", "-1.5e3", None),
            ("\"a\\\"]\\\\\"]", "\"a\\\"]\\\\\"", Some(b']')),
            ("{\"a\":[\"}\",{}]} ,", "{\"a\":[\"}\",{}]}", Some(b',')),
            ("[[],[\"[\"]][", "[[],[\"[\"]]", Some(b'[')),
        ] {
            let mut scanner = scanner(bytes, 100);
            let mut raw = Vec::new();
            scanner.value(&mut raw).unwrap();
            assert_eq!(str::from_utf8(&raw).unwrap(), value);
            assert_eq!(scanner.peek().unwrap(), next, "{bytes}");
        }
    }

    #[test]
    fn a_value_that_does_not_end_is_malformed_or_too_long() {
        for (bytes, limit, message) in [
            (
                "{\"a\":\n[1",
                100,
                "x:2:3: the JSON is malformed: it ends within a value",
            ),
            (
                "\n\"abc",
                100,
                "x:2:5: the JSON is malformed: it ends within a value",
            ),
            (
                " ",
                100,
                "x:1:2: the JSON is malformed: it ends where a value should be",
            ),
            (" ,", 100, "x:1:2: the JSON is malformed: a value should be here"),
            (
                "\n[1,2,3,4,5]",
                4,
                "x:2: the row is longer than 0 MiB; look for a quote or bracket that is never closed",
            ),
        ] {
            let error = scanner(bytes, limit).value(&mut Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn lines_are_cut_at_every_kind_of_break() {
        let mut scanner = scanner("a\r\nb\rc\n\nd", 100);
        let mut raw = Vec::new();
        let mut lines = Vec::new();
        while let Some(position) = scanner.line(&mut raw).unwrap() {
            if !raw.is_empty() {
                lines.push((position.line, String::from_utf8(raw.clone()).unwrap()));
            }
        }
        assert_eq!(
            lines,
            [(1, "a".into()), (2, "b".into()), (3, "c".into()), (5, "d".into())]
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_refused() {
        let error = scanner("a\nbcdefgh", 4).line(&mut Vec::new()).and(Ok(())).err();
        assert!(error.is_none());
        let mut scanner = scanner("a\nbcdefgh", 4);
        scanner.line(&mut Vec::new()).unwrap();
        let error = scanner.line(&mut Vec::new()).unwrap_err();
        assert!(matches!(error, InventoryError::TooLong { line: 2, .. }));
    }
}
