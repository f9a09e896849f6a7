//! Percent-encoding in paths.

/// A path segment with its percent-encoding undone, once; what is no valid encoding stays as it is.
pub(super) fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (first, after) {
            (b'%', [high, low, beyond @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or_default() * 16 + hex(*low).unwrap_or_default());
                rest = beyond;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_decoded_once_and_a_plus_is_a_plus() {
        for (segment, want) in [
            ("a%2Fb%20c%3A+%zz", "a/b c:+%zz"),
            ("%2525", "%25"),
            ("%C3%BC", "ü"),
            ("%", "%"),
            ("", ""),
        ] {
            assert_eq!(decoded(segment), want, "{segment}");
        }
    }
}
