//! Where in a text something stands.

/// A place in a text, moved on by the bytes that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The line, from 1. `\n`, `\r\n` and a lone `\r` end a line.
    pub line: u64,
    /// The character on the line, from 1.
    pub column: u64,
    /// Whether the last byte was a `\r`, so that a `\n` now belongs to the same line break.
    after_cr: bool,
}

impl Position {
    /// The beginning of a text.
    pub(super) const START: Self = Self {
        line: 1,
        column: 1,
        after_cr: false,
    };

    /// Moves past some bytes. A text may come in pieces cut anywhere, even between `\r` and `\n`.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        let Some(&last) = bytes.last() else { return };
        let mut before = if self.after_cr { b'\r' } else { 0 };
        let mut breaks = 0;
        for &byte in bytes {
            breaks += u64::from(byte == b'\r' || (byte == b'\n' && before != b'\r'));
            before = byte;
        }
        self.line += breaks;
        let tail = match bytes.iter().rposition(|byte| is_break(*byte)) {
            Some(end) => {
                self.column = 1;
                &bytes[end + 1..]
            }
            None => bytes,
        };
        // Continuation bytes of UTF-8 belong to the character that was counted before them.
        self.column += tail
            .iter()
            .map(|byte| u64::from(byte & 0xC0 != 0x80))
            .sum::<u64>();
        self.after_cr = last == b'\r';
    }
}

/// Whether a byte ends a line.
pub(super) fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_break_counts_once() {
        for (text, line, column) in [
            ("", 1, 1),
            ("ab", 1, 3),
            ("ab\n", 2, 1),
            ("a\r\nb\r\nc", 3, 2),
            ("a\rb\rc", 3, 2),
            ("a\n\nb", 3, 2),
            ("a\r\rb", 3, 2),
            ("a\n\rb", 3, 2),
            ("aä€", 1, 4),
        ] {
            let mut whole = Position::START;
            whole.advance(text.as_bytes());
            assert_eq!((whole.line, whole.column), (line, column), "{text:?}");
            let mut pieces = Position::START;
            for byte in text.bytes() {
                pieces.advance(&[byte]);
            }
            assert_eq!(pieces, whole, "{text:?} byte by byte");
        }
    }
}
