//! The parameter `tagFilter`: `'key'` or `'key':'value'`, with wildcards.
//!
//! The grammar is in "JCS/op-paas-api-v1.1-tags-identitydomainid-tags-get.html". A backslash before anything but `%`, `_` and
//! `'` stands for itself, which no page says.

use super::answer::Refused;
use super::switches::KeyCase;

/// Which tags are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TagFilter {
    key: Pattern,
    value: Option<Pattern>,
    case: KeyCase,
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Char(char),
    /// `_`: any one character.
    One,
    /// `%`: any characters, or none.
    Many,
}

impl TagFilter {
    /// Reads a filter, or refuses it with 400.
    pub(super) fn parse(text: &str, case: KeyCase) -> Result<Self, Refused> {
        let read = || {
            let (key, rest) = quoted(text)?;
            let value = match rest.strip_prefix(':') {
                Some(rest) => Some(quoted(rest).filter(|(_, rest)| rest.is_empty())?.0),
                None if rest.is_empty() => None,
                None => return None,
            };
            let key = key.folded(case);
            Some(Self { key, value, case })
        };
        read().ok_or_else(|| {
            let issue = format!("The tagFilter {text} must be 'key' or 'key':'value', in apostrophes.");
            Refused::new(400, issue)
        })
    }

    /// Whether a tag is wanted.
    pub(super) fn wants(&self, key: &str, value: &str) -> bool {
        let value_is_wanted = |pattern: &Pattern| pattern.matches(value);
        self.key.matches(&self.case.fold(key)) && self.value.as_ref().is_none_or(value_is_wanted)
    }
}

/// A pattern in apostrophes, and what follows it.
fn quoted(text: &str) -> Option<(Pattern, &str)> {
    let mut chars = text.strip_prefix('\'')?.chars();
    let mut parts = Vec::new();
    loop {
        let part = match chars.next()? {
            '\'' => return Some((Pattern(parts), chars.as_str())),
            '%' => Part::Many,
            '_' => Part::One,
            '\\' => {
                let escaped = chars.clone().next().filter(|c| matches!(c, '%' | '_' | '\''));
                if escaped.is_some() {
                    chars.next();
                }
                Part::Char(escaped.unwrap_or('\\'))
            }
            c => Part::Char(c),
        };
        parts.push(part);
    }
}

impl Pattern {
    fn folded(self, case: KeyCase) -> Self {
        let fold = |part| match part {
            Part::Char(c) => case
                .fold(c.encode_utf8(&mut [0; 4]))
                .chars()
                .map(Part::Char)
                .collect(),
            wildcard => vec![wildcard],
        };
        Self(self.0.into_iter().flat_map(fold).collect())
    }

    /// Compares from the left, and goes back to the last `%` where that fails: one such step is enough, since a later `%`
    /// takes whatever an earlier one could have.
    fn matches(&self, text: &str) -> bool {
        let parts = &*self.0;
        let (mut at, mut rest) = (0, text.chars());
        let mut retry = None;
        loop {
            let ahead = rest.clone().next();
            match (parts.get(at), ahead) {
                (Some(Part::Many), _) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                (None, None) => return true,
                (Some(Part::Char(wanted)), Some(c)) if *wanted == c => {}
                (Some(Part::One), Some(_)) => {}
                _ => {
                    let Some((after, mut from)) = retry.take() else {
                        return false;
                    };
                    if from.next().is_none() {
                        return false;
                    }
                    (at, rest) = (after, from.clone());
                    retry = Some((after, from));
                    continue;
                }
            }
            at += 1;
            rest.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(text: &str) -> Option<TagFilter> {
        TagFilter::parse(text, KeyCase::Sensitive).ok()
    }

    #[test]
    fn the_documented_filters_want_what_they_say() {
        for (text, wanted, others) in [
            (
                "'foo':'bar'",
                &[("foo", "bar")][..],
                &[("foo", "Bar"), ("Foo", "bar"), ("foo", "")][..],
            ),
            (
                r"'ora\_%':'%prod%'",
                &[("ora_x", "a prod b"), ("ora_", "prod")],
                &[("orax", "prod"), ("ora_x", "pro")],
            ),
            (
                "'haMode'",
                &[("haMode", ""), ("haMode", "x")],
                &[("haModes", ""), ("hamode", "")],
            ),
            (
                "'site':'pe_r'",
                &[("site", "pear"), ("site", "peer")],
                &[("site", "pepper"), ("site", "per")],
            ),
            ("'foo':''", &[("foo", "")], &[("foo", "x")]),
            (
                r"'accuracy':'100\%'",
                &[("accuracy", "100%")],
                &[("accuracy", "1000")],
            ),
            (
                r"'type':'Abe\'s test'",
                &[("type", "Abe's test")],
                &[("type", "Abes test")],
            ),
            ("'%':'a:b'", &[("x", "a:b")], &[("x", "a")]),
            (r"'%':'a\b%'", &[("x", r"a\b"), ("x", r"a\bc")], &[("x", "ab")]),
            ("''", &[], &[("x", "")]),
        ] {
            let filter = filter(text).unwrap();
            assert!(
                wanted.iter().all(|(key, value)| filter.wants(key, value)),
                "{text}"
            );
            assert!(
                !others.iter().any(|(key, value)| filter.wants(key, value)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_in_apostrophes_is_refused() {
        for text in [
            "",
            "foo",
            "'foo",
            "foo'",
            "'foo':",
            "'foo':bar",
            "'foo':'bar",
            "'foo' :'bar'",
            "'a':'b':'c'",
            "'a''b'",
            r"'a\'",
            "'a','b'",
        ] {
            assert_eq!(filter(text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_compared_as_the_switch_says_and_values_always_exactly() {
        let filter = TagFilter::parse("'HA%':'On'", KeyCase::Insensitive).unwrap();
        assert!(filter.wants("haMode", "On"));
        assert!(!filter.wants("haMode", "on"));
    }

    /// The obvious matcher, which may take exponential time.
    fn slowly(parts: &[Part], text: &[char]) -> bool {
        match (parts, text) {
            ([], []) => true,
            ([Part::Many, rest @ ..], _) => (0..=text.len()).any(|n| slowly(rest, &text[n..])),
            ([Part::One, rest @ ..], [_, after @ ..]) => slowly(rest, after),
            ([Part::Char(c), rest @ ..], [first, after @ ..]) => c == first && slowly(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_obvious_way(pattern in "[ab%_]{0,8}", text in "[ab]{0,8}") {
            let filter = filter(&format!("'x':'{pattern}'")).unwrap();
            let parts = filter.value.clone().unwrap().0;
            let chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(filter.wants("x", &text), slowly(&parts, &chars));
        }

        #[test]
        fn an_escaped_text_wants_itself_alone(text in "[a%_']{0,6}", other in "[a%_']{0,6}") {
            let escaped: String = text
                .chars()
                .flat_map(|c| if c == 'a' { vec![c] } else { vec!['\\', c] })
                .collect();
            let filter = filter(&format!("'x':'{escaped}'")).unwrap();
            prop_assert_eq!(filter.wants("x", &other), other == text);
            prop_assert!(filter.wants("x", &text));
        }
    }
}
