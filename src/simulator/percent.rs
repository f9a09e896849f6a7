//! Percent-encoding in paths.

/// A path segment with its percent-encoding undone; what is no such encoding stays as it is, a plus sign too.
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
    fn only_what_is_encoded_is_decoded() {
        for (segment, want) in [
            ("plain", "plain"),
            ("a%2Fb%20c", "a/b c"),
            ("%C3%A9%e2%82%ac", "é€"),
            ("a+b", "a+b"),
            ("%zz%2", "%zz%2"),
            ("%ff", "\u{FFFD}"),
        ] {
            assert_eq!(decoded(segment), want);
        }
    }
}
