//! What the rows of a table were read from.

use std::fmt;
use std::io::{self, BufRead, Read};

use super::position::{Position, is_break};

/// Hands a text on and keeps what was not taken yet, so that a row can be seen as it is written.
///
/// `csv` reads ahead by its buffer: what is kept is that, and the row that it is reading.
pub(super) struct Kept {
    text: Box<dyn BufRead + Send>,
    bytes: Vec<u8>,
    start: usize,
    limit: usize,
    ended: bool,
}

/// More than the limit was read without the end of a row.
#[derive(Debug, thiserror::Error)]
#[error("the row is too long")]
pub(super) struct TooLong;

impl Kept {
    /// Keeps rows of up to `limit` bytes.
    pub(super) fn new(text: Box<dyn BufRead + Send>, limit: usize) -> Self {
        Self {
            text,
            bytes: Vec::new(),
            start: 0,
            limit,
            ended: false,
        }
    }

    /// Takes the next bytes, which `csv` has made a row of, and tells whether the text ends with them.
    pub(super) fn take_row(&mut self, n_bytes: usize) -> (&[u8], bool) {
        let start = self.start;
        self.start += n_bytes;
        (
            &self.bytes[start..self.start],
            self.ended && self.start == self.bytes.len(),
        )
    }

    /// What was read and not taken.
    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.drain(..self.start);
        self.start = 0;
        if self.bytes.len() > self.limit {
            return Err(io::Error::other(TooLong));
        }
        let n_bytes = self.text.read(buffer)?;
        self.bytes.extend_from_slice(&buffer[..n_bytes]);
        self.ended = n_bytes == 0 && !buffer.is_empty();
        Ok(n_bytes)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} bytes)", self.pending().len())
    }
}

/// The line of a quote that is still open at the end of a row. `csv` closes it silently at the end of a file.
///
/// A quote opens only at the beginning of a cell, and `""` inside quotes is a quote, as `csv` reads them.
pub(super) fn open_quote(row: &[u8], delimiter: u8, mut position: Position) -> Option<u64> {
    let mut opened = None;
    let mut cell_begins = true;
    let mut seen = 0;
    let mut bytes = row.iter().copied().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if opened.is_some() {
            if byte == b'"' && bytes.next_if(|(_, next)| *next == b'"').is_none() {
                opened = None;
                cell_begins = false;
            }
        } else if byte == b'"' && cell_begins {
            position.advance(&row[seen..at]);
            seen = at;
            opened = Some(position.line);
        } else {
            cell_begins = byte == delimiter || is_break(byte);
        }
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_is_never_closed_is_found_where_it_opened() {
        for (row, line) in [
            ("a,b", None),
            ("\"a\",b", None),
            ("\"a", Some(1)),
            ("\"a\"\"", Some(1)),
            ("\"a\"\"\"", None),
            ("\"x\ny\",\"b\n", Some(2)),
            // Inside a cell a quote is a character, also after the cell's own quotes.
            ("a\"b,c", None),
            ("\"a\"b\"c", None),
            ("\"a\"b\"c,\"", Some(1)),
            ("\"", Some(1)),
            ("\"\"", None),
        ] {
            assert_eq!(open_quote(row.as_bytes(), b',', Position::START), line, "{row:?}");
        }
    }

    #[test]
    fn only_what_was_not_taken_is_kept() {
        let mut kept = Kept::new(Box::new(&b"abcdef"[..]), 3);
        let mut buffer = [0; 4];
        assert_eq!(kept.read(&mut buffer).unwrap(), 4);
        assert_eq!(kept.take_row(3), (&b"abc"[..], false));
        assert_eq!(kept.read(&mut buffer).unwrap(), 2);
        assert_eq!(kept.pending(), b"def");
        assert_eq!(kept.read(&mut buffer).unwrap(), 0);
        assert_eq!(kept.take_row(3), (&b"def"[..], true));
    }

    #[test]
    fn a_row_longer_than_the_limit_is_refused() {
        let mut kept = Kept::new(Box::new(&b"abcdef"[..]), 3);
        let mut buffer = [0; 4];
        kept.read_exact(&mut buffer).unwrap();
        let error = kept.read(&mut buffer).unwrap_err();
        assert!(error.into_inner().unwrap().is::<TooLong>());
    }
}
