//! `pattern` of a `[[tags_from]]`: plain texts read as keys and values by a regular expression.

use std::borrow::Cow;

use regex::Regex;

use super::error::{MappingError, Place};
use super::list::Found;
use super::row::Blanks;

/// The groups that an expression may name.
const GROUPS: [&str; 2] = ["key", "value"];

/// A compiled expression, which matches whole texts only.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// As the job has it.
    source: String,
}

impl Pattern {
    /// Compiles the expression that stands at a place.
    pub(super) fn compile(source: &str, place: Place) -> Result<Self, MappingError> {
        let wrong = |why: &dyn std::fmt::Display| MappingError::refused(place, why.to_string());
        // Alone first, so that no text can close the wrapping.
        let alone = Regex::new(source).map_err(|error| wrong(&words(&error)))?;
        let names: Vec<&str> = alone.capture_names().flatten().collect();
        if let Some(name) = names.iter().find(|name| !GROUPS.contains(name)) {
            let why = format!(
                "the group `{name}` is neither `key` nor `value`; write `(?:…)` for a group without a name"
            );
            return Err(wrong(&why));
        }
        if !names.contains(&"key") {
            return Err(wrong(
                &"no group gives the key; write it like `(?<key>[^-]+)-(?<value>.+)`",
            ));
        }
        // A last comment of an `(?x)` goes on to the end of its line, and then that is what lets it compile.
        let whole = Regex::new(&format!(r"\A(?:{source})\z"));
        let regex = whole.or_else(|error| Regex::new(&format!("\\A(?:{source}\n)\\z")).map_err(|_| error));
        let regex = regex.map_err(|error| wrong(&words(&error)))?;
        Ok(Self {
            regex,
            source: source.to_owned(),
        })
    }

    /// The key and the value of a text; `Err` says why there are none.
    pub(super) fn read<'t>(&self, text: Cow<'t, str>, blanks: Blanks) -> Result<Found<'t>, String> {
        match text {
            Cow::Borrowed(text) => self.parts(text, blanks),
            Cow::Owned(text) => {
                let (key, value) = self.parts(&text, blanks)?;
                let owned = |part: Cow<'_, str>| Cow::Owned(part.into_owned());
                Ok((owned(key), value.map(owned)))
            }
        }
    }

    fn parts<'t>(&self, text: &'t str, blanks: Blanks) -> Result<Found<'t>, String> {
        let found = self
            .regex
            .captures(text)
            .ok_or_else(|| format!("item `{text}` does not match `{}`", self.source))?;
        let part = |name: &str| found.name(name).map(|part| blanks.of(part.as_str().into()));
        match part("key") {
            Some(key) if !key.trim().is_empty() => Ok((key, part("value"))),
            _ => Err(format!("item `{text}` has no key by `{}`", self.source)),
        }
    }
}

/// What is wrong with an expression, without the drawing that goes with it.
fn words(error: &regex::Error) -> String {
    let told = error.to_string();
    let last = told.lines().last().unwrap_or_default();
    format!(
        "it is no regular expression: {}",
        last.trim_start_matches("error: ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mapper::tests::{asked, object, table};

    const PLACE: Place = Place {
        table: "tags_from",
        index: Some(0),
        key: "pattern",
    };

    #[test]
    fn a_whole_text_is_read_as_key_and_value_or_is_malformed() {
        for (pattern, text, want) in [
            (
                r"(?<key>[^-]+)-(?<value>.+)",
                "env-prod-eu",
                Ok(("env", Some("prod-eu"))),
            ),
            (r"(?<key>[^-]+)(?:-(?<value>.*))?", "env", Ok(("env", None))),
            (r"(?<key>[^-]+)(?:-(?<value>.*))?", "env-", Ok(("env", Some("")))),
            (
                r"(?<value>.+)@(?<key>\w+)",
                "a@b@größe",
                Ok(("größe", Some("a@b"))),
            ),
            (r"(?<key>a|ab)", "ab", Ok(("ab", None))),
            (r"(?i)env:(?<key>[a-z]+)", "ENV:Prod", Ok(("Prod", None))),
            (
                r"(?<key>\w+)",
                "a b",
                Err("item `a b` does not match `(?<key>\\w+)`"),
            ),
            (
                r"(?<key>[^=]*)=(?<value>.*)",
                " = b",
                Err("item ` = b` has no key by `(?<key>[^=]*)=(?<value>.*)`"),
            ),
            (
                r"(?:(?<key>a)|b)",
                "b",
                Err("item `b` has no key by `(?:(?<key>a)|b)`"),
            ),
        ] {
            let pattern = Pattern::compile(pattern, PLACE).unwrap();
            let owned = |(key, value): Found<'_>| (key.into_owned(), value.map(Cow::into_owned));
            let want = want
                .map(|(key, value): (&str, Option<&str>)| (key.to_owned(), value.map(str::to_owned)))
                .map_err(str::to_owned);
            for text in [Cow::Borrowed(text), Cow::Owned(text.to_owned())] {
                assert_eq!(pattern.read(text, Blanks::Trimmed).map(owned), want);
            }
        }
    }

    #[test]
    fn an_expression_that_can_not_be_meant_is_refused() {
        for (pattern, want) in [
            ("(?<key>", "it is no regular expression: unclosed group"),
            ("a)(?<key>b", "it is no regular expression: unopened group"),
            (
                "(?<key>.)(?<key>.)",
                "it is no regular expression: duplicate capture group name",
            ),
            (
                "(a)-(b)",
                "no group gives the key; write it like `(?<key>[^-]+)-(?<value>.+)`",
            ),
            (
                "(?<key>.)(?<vaule>.)",
                "the group `vaule` is neither `key` nor `value`; write `(?:…)` for a group without a name",
            ),
        ] {
            let refused = Pattern::compile(pattern, PLACE).unwrap_err().to_string();
            assert_eq!(refused, format!("`tags_from[1].pattern`: {want}"), "{pattern}");
        }
    }

    #[test]
    fn cells_lists_and_tags_without_a_value_are_read_by_a_pattern() {
        let pattern = "pattern = '(?<key>[^-]+)-(?<value>.+)'";
        let cell = table(&["id", "t"], &["1", "env-prod; owner-team-a ;"]);
        let rule = format!("tags_from = [{{ column = 't', separator = ';', {pattern} }}]");
        assert_eq!(asked(&rule, &cell).unwrap(), ["set env:prod", "set owner:team-a"]);

        let live = object(
            r#"{"id": "1", "tags": [{"key": "env-prod"}, {"key": "owner-b", "value": null}, {"key": "a-b", "value": "c"}],
                "list": ["x-1", "y-2", "z"], "map": {"a-b": "c"}}"#,
        );
        for (rule, want) in [
            (
                "column = 'tags'",
                Ok(vec!["set a-b:c", "set env:prod", "set owner:b"]),
            ),
            (
                "column = 'list', malformed = 'skip'",
                Ok(vec!["set x:1", "set y:2"]),
            ),
            ("column = 'map'", Ok(vec!["set a-b:c"])),
            (
                "column = 'list'",
                Err(
                    "`tags_from[1].column`: field `list`: item `z` does not match `(?<key>[^-]+)-(?<value>.+)`",
                ),
            ),
        ] {
            let got = asked(&format!("tags_from = [{{ {rule}, {pattern} }}]"), &live);
            let want = want
                .map(|tags| tags.into_iter().map(str::to_owned).collect::<Vec<_>>())
                .map_err(str::to_owned);
            assert_eq!(got, want, "{rule}");
        }
    }

    #[test]
    fn a_comment_at_the_end_of_an_expression_ends_with_it() {
        let pattern = Pattern::compile("(?x)(?<key>\\w+) - (?<value>\\w+)  # KEY-VALUE", PLACE).unwrap();
        let read = |text: &'static str| pattern.read(text.into(), Blanks::Trimmed);
        assert_eq!(read("env-prod"), Ok(("env".into(), Some("prod".into()))));
        assert!(read("env-prod-x").is_err(), "the whole item must match");
    }

    proptest::proptest! {
        #[test]
        fn joining_and_parsing_by_a_pattern_gives_the_pair(key in "[a-z]{1,8}", value in "[^\\s\\p{C}]{1,8}") {
            let pattern = Pattern::compile("(?<key>[a-z]+)-(?<value>.+)", PLACE).unwrap();
            let joined = format!("{key}-{value}");
            let read = pattern.read(joined.as_str().into(), Blanks::Trimmed);
            proptest::prop_assert_eq!(read, Ok((key.into(), Some(value.into()))));
        }
    }
}
