//! Foreign text made fit for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text that others wrote (tags, names, files, vendors' messages) as it may be shown: what a terminal would obey or an
/// eye would not see is escaped, everything else stays as it is.
///
/// Escaped are control characters (C0, DEL, C1), line and paragraph separators, what changes the direction of text and
/// what has no width: `\n`, `\r` and `\t` by their letters, the rest as `\u{1b}`. A backslash stays a backslash, so
/// what is shown is for reading and not for parsing back.
pub fn display_safe(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else {
        return Cow::Borrowed(text);
    };
    let mut safe = String::with_capacity(text.len() + 8);
    safe.push_str(&text[..first]);
    for c in text[first..].chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => {
                // Writing to a string can't fail.
                let _ = write!(safe, "{}", c.escape_unicode());
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal would obey a character, or nobody would see it.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero width space, joiners and direction marks.
            | '\u{200b}'..='\u{200f}'
            // Line and paragraph separators; embeddings and overrides of direction.
            | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates of direction, deprecated formats.
            | '\u{2060}'..='\u{206f}'
            // Byte order mark, interlinear annotation, invisible tags.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for (text, want) in [
            ("", ""),
            ("web-01", "web-01"),
            ("größe 日本 e\u{301} 🦀", "größe 日本 e\u{301} 🦀"),
            (r"C:\hosts", r"C:\hosts"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[31mred\u{7}", r"\u{1b}[31mred\u{7}"),
            ("del\u{7f} csi\u{9b}2J", r"del\u{7f} csi\u{9b}2J"),
            (
                "user\u{202e}nimda\u{2066}x\u{2069}",
                r"user\u{202e}nimda\u{2066}x\u{2069}",
            ),
            ("pro\u{200b}d\u{feff}", r"pro\u{200b}d\u{feff}"),
            ("two\u{2028}lines", r"two\u{2028}lines"),
        ] {
            assert_eq!(display_safe(text), want, "{text:?}");
        }
    }

    #[test]
    fn text_that_is_safe_is_not_copied() {
        assert!(matches!(display_safe("owner:team a"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left_and_showing_twice_changes_nothing(text in "\\PC*|(?s:.)*") {
            let shown = display_safe(&text).into_owned();
            prop_assert!(!shown.chars().any(is_unsafe));
            prop_assert_eq!(display_safe(&shown), shown.as_str());
        }
    }
}
