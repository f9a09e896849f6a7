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
        let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
            return;
        };
        let before = if self.after_cr { b'\r' } else { 0 };
        self.line += u64::from(ends_line(before, first)) + breaks_within(bytes);
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

/// The line breaks after the first byte. Every byte of an inventory comes through here: sums of at most 255 in a byte
/// let the compiler compare many bytes at once.
fn breaks_within(bytes: &[u8]) -> u64 {
    let befores = bytes.chunks(255);
    let afters = bytes[1..].chunks(255);
    let breaks = befores.zip(afters).map(|(befores, afters)| {
        let pairs = befores.iter().zip(afters);
        pairs
            .map(|(before, byte)| u8::from(ends_line(*before, *byte)))
            .sum::<u8>()
    });
    breaks.map(u64::from).sum()
}

/// Whether a line ends with this byte, for the first time.
fn ends_line(before: u8, byte: u8) -> bool {
    byte == b'\r' || (byte == b'\n' && before != b'\r')
}

/// Whether a byte ends a line.
pub(super) fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_counted_like_short_ones() {
        for (piece, lines) in [("\n", 1), ("\r\n", 1), ("\r", 1), ("ab\r\r\nc\n", 3), ("x", 0)] {
            for n_pieces in [254, 255, 256, 257, 1000] {
                let mut position = Position::START;
                position.advance(piece.repeat(n_pieces).as_bytes());
                assert_eq!(
                    position.line,
                    1 + lines * n_pieces as u64,
                    "{n_pieces} x {piece:?}"
                );
            }
        }
    }

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
