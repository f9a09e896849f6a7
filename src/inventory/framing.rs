//! Where a JSON value ends, without understanding it.

/// Finds the end of a value: of a string at its quote, of a list or object when its brackets are closed, of anything
/// else before what can't belong to it. Whether the value is well formed is not its business.
#[derive(Debug)]
pub(super) struct Framing {
    scalar: bool,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Framing {
    /// The frame of a value that begins with this byte.
    pub(super) fn begin(first: u8) -> Self {
        let scalar = !matches!(first, b'"' | b'[' | b'{');
        Self {
            scalar,
            depth: 0,
            in_string: false,
            escaped: false,
        }
    }

    /// The frame of a list or object whose first bracket was read before.
    pub(super) fn rest_of_list() -> Self {
        Self {
            depth: 1,
            ..Self::begin(b'[')
        }
    }

    /// Whether the end of the text is also the end of the value: nothing else tells where a lone number ends.
    pub(super) fn ends_with_text(&self) -> bool {
        self.scalar
    }

    /// How many of the bytes belong to the value, and whether it ends with them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> (usize, bool) {
        if self.scalar {
            let end = bytes
                .iter()
                .position(|byte| is_blank(*byte) || matches!(byte, b',' | b']' | b'}'));
            return (end.unwrap_or(bytes.len()), end.is_some());
        }
        for (at, &byte) in bytes.iter().enumerate() {
            if self.ends_with(byte) {
                return (at + 1, true);
            }
        }
        (bytes.len(), false)
    }

    fn ends_with(&mut self, byte: u8) -> bool {
        if self.in_string {
            let plain = !std::mem::take(&mut self.escaped);
            self.escaped = plain && byte == b'\\';
            self.in_string = !(plain && byte == b'"');
            return !self.in_string && self.depth == 0;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// White space of RFC 8259, 2.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_at_the_same_byte_however_it_is_cut() {
        for (text, end) in [
            ("{}x", Some(2)),
            ("[[]]]", Some(4)),
            ("\"\\\"\"\"", Some(4)),
            ("\"\\\\\"\"", Some(4)),
            ("{\"}\":\"{\"},", Some(9)),
            ("12 ", Some(2)),
            ("12", None),
            ("[1,2", None),
        ] {
            let bytes = text.as_bytes();
            let whole = Framing::begin(bytes[0]).feed(bytes);
            assert_eq!(whole, (end.unwrap_or(bytes.len()), end.is_some()), "{text}");
            let mut framing = Framing::begin(bytes[0]);
            let mut fed = 0;
            for byte in bytes {
                let (n_bytes, complete) = framing.feed(&[*byte]);
                fed += n_bytes;
                if complete {
                    break;
                }
            }
            assert_eq!(fed, whole.0, "{text} byte by byte");
        }
    }

    #[test]
    fn the_rest_of_a_list_ends_at_its_bracket() {
        assert_eq!(Framing::rest_of_list().feed(b"{\"]\":[]}],"), (9, true));
    }
}
