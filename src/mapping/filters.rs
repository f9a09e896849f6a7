//! Finds filters and tests that do not exist. The engine would only find them row by row.

use std::ops::Range;

use minijinja::{Environment, context};

use super::blame::Blame;
use super::nearest;

/// What people use in tags, for "did you mean".
const USUAL: &[&str] = &[
    "capitalize",
    "default",
    "first",
    "float",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "round",
    "slug",
    "split",
    "title",
    "tojson",
    "trim",
    "upper",
];

/// What a name in a template names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Filter,
    Test,
}

impl Named {
    fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Test => "test",
        }
    }
}

/// The first filter or test of a template that its environment does not have.
pub(super) fn unknown(source: &str, env: &Environment<'_>) -> Option<Blame> {
    let (what, range) = used(source)
        .into_iter()
        .filter_map(|(what, range)| Some((what?, range)))
        .find(|(what, range)| !knows(env, *what, &source[range.clone()]))?;
    let name = &source[range.clone()];
    let hint = nearest(name, USUAL.iter().copied())
        .filter(|_| what == Named::Filter)
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    Some(Blame {
        range,
        message: format!("unknown {} `{name}`{hint}", what.word()),
    })
}

/// Whether there is such a filter or test: the engine's own tests of these names tell.
fn knows(env: &Environment<'_>, what: Named, name: &str) -> bool {
    let asked = env.compile_expression(match what {
        Named::Filter => "name is filter",
        Named::Test => "name is test",
    });
    asked
        .and_then(|asked| asked.eval(context! { name }))
        .is_ok_and(|known| known.is_true())
}

/// Where a template names variables, or what could be some. What follows a dot is none.
pub(super) fn names(source: &str) -> impl Iterator<Item = Range<usize>> {
    let neither = used(source).into_iter().filter(|(what, _)| what.is_none());
    neither.map(|(_, range)| range)
}

/// The filters and tests that a template names, and, as `None`, its variables and the words of the language. Texts in
/// quotes and comments name nothing.
fn used(source: &str) -> Vec<(Option<Named>, Range<usize>)> {
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(opening) = next_opening(source, place) {
        place = match &source[opening..opening + 2] {
            "{#" => source[opening..]
                .find("#}")
                .map_or(source.len(), |end| opening + end + 2),
            "{{" => expression(source, opening + 2, "}}", &mut found),
            _ => expression(source, opening + 2, "%}", &mut found),
        };
        let is_raw = source[opening..place].trim_matches(['{', '%', '}', '-', '+', ' ']) == "raw";
        if is_raw {
            place = source[place..]
                .find("endraw")
                .map_or(source.len(), |end| place + end);
        }
    }
    found
}

fn next_opening(source: &str, from: usize) -> Option<usize> {
    ["{{", "{%", "{#"]
        .iter()
        .filter_map(|opening| source[from..].find(opening))
        .min()
        .map(|place| from + place)
}

/// Reads an expression up to its closing, and gives the place behind that.
fn expression(
    source: &str,
    from: usize,
    closing: &str,
    found: &mut Vec<(Option<Named>, Range<usize>)>,
) -> usize {
    let mut place = from;
    let mut expected = None;
    let mut after_dot = false;
    while let Some(c) = source[place..].chars().next() {
        if source[place..].starts_with(closing) {
            return place + closing.len();
        }
        if c.is_alphabetic() || c == '_' {
            let length = word_length(&source[place..]);
            let word = &source[place..place + length];
            expected = match (expected, word) {
                (None, "is") | (Some(Named::Test), "not") => Some(Named::Test),
                (None, _) => {
                    if !after_dot {
                        found.push((None, place..place + length));
                    }
                    None
                }
                (Some(what), _) => {
                    found.push((Some(what), place..place + length));
                    None
                }
            };
            place += length;
            after_dot = false;
            continue;
        }
        place += match c {
            '"' | '\'' => quoted_length(&source[place..], c),
            // A name may begin with a digit only inside a number.
            '0'..='9' => word_length(&source[place..]),
            c => c.len_utf8(),
        };
        if !c.is_whitespace() {
            expected = (c == '|').then_some(Named::Filter);
            after_dot = c == '.';
        }
    }
    place
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len())
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return place + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::engine::environment;

    #[test]
    fn filters_and_tests_that_do_not_exist_are_found() {
        for (source, want) in [
            (
                "{{ a | lower | loer }}",
                Some("unknown filter `loer`; did you mean `lower`?"),
            ),
            ("{{ a|upper }}-{{ b|zzz(1) }}", Some("unknown filter `zzz`")),
            (
                "{% if a is not definde %}x{% endif %}",
                Some("unknown test `definde`"),
            ),
            ("{{ \"| zzz is zzz\" ~ '\\'| zzz' }}", None),
            ("{# a | zzz #}{{ a | default('x|zzz') | slug }}", None),
            ("{% raw %}{{ a | zzz }}{% endraw %}{{ a is defined }}", None),
            ("a | zzz {{ 1x }}", None),
        ] {
            let got = unknown(source, &environment()).map(|blame| blame.message);
            assert_eq!(got.as_deref(), want, "{source}");
        }
    }

    #[test]
    fn every_usual_filter_exists() {
        for name in USUAL {
            assert!(knows(&environment(), Named::Filter, name), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(source in "\\PC*|[{%#}|'\"\\\\ a-]{0,12}") {
            used(&source);
        }
    }
}
