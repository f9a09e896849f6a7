//! What a tag of a project or cluster may be (`https://www.mongodb.com/docs/atlas/tags/` and the vendor's specification).

use serde::Serialize;
use serde_json::Value;

use super::super::refused::Refused;
use super::super::switches::{Switches, TagLetters, TagOrder};
use super::super::world::{Index, World};

/// Tags of a cluster; for projects the same is assumed.
const MAX_TAGS: usize = 50;
/// Characters of a key and of a value.
const MAX_LENGTH: usize = 255;
/// Characters that are neither letters nor digits.
const SIGNS: &str = " ;@_-.+";

/// A tag as it is shown.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

/// The tags of a project or cluster, as a read at a moment sees them or as they are.
pub(super) fn shown<'a>(
    world: &'a World,
    index: Index,
    at: Option<i64>,
    switches: &Switches,
) -> Vec<Pair<'a>> {
    let pair = |(key, value): (&'a str, Option<&'a str>)| Pair {
        key,
        value: value.unwrap_or_default(),
    };
    let mut pairs: Vec<Pair<'a>> = match at {
        Some(now) => world.shown(index, now).map(pair).collect(),
        None => world.tags(index).map(pair).collect(),
    };
    if switches.tag_order == TagOrder::Sorted {
        pairs.sort_unstable();
    }
    pairs
}

/// Checks the tags of a body, and returns them as they will be stored.
pub(super) fn checked(tags: &[Value], switches: &Switches) -> Result<Vec<(String, Option<String>)>, Refused> {
    if tags.len() > MAX_TAGS {
        return Err(invalid("tags", &format!("size must be between 0 and {MAX_TAGS}")));
    }
    let mut stored: Vec<(String, Option<String>)> = Vec::with_capacity(tags.len());
    for (at, tag) in tags.iter().enumerate() {
        let fields = tag
            .as_object()
            .ok_or_else(|| invalid(&format!("tags[{at}]"), "must be an object"))?;
        if let Some(unknown) = fields.keys().find(|name| !["key", "value"].contains(&&***name)) {
            return Err(Refused::attribute(unknown));
        }
        let text = |name: &str| {
            checked_text(
                fields.get(name),
                &format!("tags[{at}].{name}"),
                switches.tag_letters,
            )
        };
        let (key, value) = (text("key")?, text("value")?);
        if stored.iter().any(|(other, _)| *other == key) {
            return Err(invalid(&format!("tags[{at}].key"), "must be unique"));
        }
        stored.push((key, Some(value)));
    }
    Ok(stored)
}

fn checked_text(value: Option<&Value>, field: &str, letters: TagLetters) -> Result<String, Refused> {
    let text = value
        .and_then(Value::as_str)
        .ok_or_else(|| invalid(field, "must be a string"))?;
    if !(1..=MAX_LENGTH).contains(&text.chars().count()) {
        return Err(invalid(
            field,
            &format!("length must be between 1 and {MAX_LENGTH}"),
        ));
    }
    let legal = |c: char| match letters {
        TagLetters::Ascii => c.is_ascii_alphanumeric() || SIGNS.contains(c),
        TagLetters::Unicode => c.is_alphanumeric() || SIGNS.contains(c),
    };
    if text.chars().all(legal) {
        Ok(text.to_owned())
    } else {
        Err(invalid(
            field,
            "must contain only letters, digits, spaces and ;@_-.+",
        ))
    }
}

/// A tag that is not legal; the code is not documented, and is that of the specification's example.
fn invalid(field: &str, description: &str) -> Refused {
    Refused::new(400, "VALIDATION_ERROR", format!("{field}: {description}.")).in_field(field, description)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The field that is refused, if any.
    fn refused(tags: &Value, letters: TagLetters) -> Option<String> {
        let switches = Switches {
            tag_letters: letters,
            ..Switches::default()
        };
        let refused = checked(tags.as_array().unwrap(), &switches).err()?;
        let answer = refused.into_response(&switches);
        assert_eq!(answer.status(), 400);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        let field = &body["badRequestDetail"]["fields"][0]["field"];
        Some(field.as_str().unwrap_or("unknown").to_owned())
    }

    #[test]
    fn keys_and_values_have_their_rules() {
        for (tag, want) in [
            (json!({"key": "env", "value": "prod"}), None),
            (json!({"key": "A 1;@_-.+", "value": "x"}), None),
            (json!({"key": "x".repeat(255), "value": "y".repeat(255)}), None),
            (json!({"key": "x".repeat(256), "value": "y"}), Some("tags[0].key")),
            (
                json!({"key": "x", "value": "y".repeat(256)}),
                Some("tags[0].value"),
            ),
            (json!({"key": "", "value": "y"}), Some("tags[0].key")),
            (json!({"key": "x", "value": ""}), Some("tags[0].value")),
            (json!({"key": "x"}), Some("tags[0].value")),
            (json!({"value": "y"}), Some("tags[0].key")),
            (json!({"key": "x", "value": 1}), Some("tags[0].value")),
            (json!({"key": "a:b", "value": "y"}), Some("tags[0].key")),
            (json!({"key": "a/b", "value": "y"}), Some("tags[0].key")),
            (
                json!({"key": "x", "value": "y", "colour": "red"}),
                Some("unknown"),
            ),
            (json!("x"), Some("tags[0]")),
        ] {
            assert_eq!(
                refused(&json!([tag]), TagLetters::Ascii).as_deref(),
                want,
                "{tag}"
            );
        }
    }

    #[test]
    fn letters_of_other_languages_are_what_the_switch_says() {
        let tags = json!([{"key": "größe", "value": "x"}]);
        assert_eq!(refused(&tags, TagLetters::Ascii).as_deref(), Some("tags[0].key"));
        assert_eq!(refused(&tags, TagLetters::Unicode), None);
    }

    #[test]
    fn a_key_is_there_once_and_fifty_tags_at_most() {
        let twice = json!([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]);
        assert_eq!(refused(&twice, TagLetters::Ascii).as_deref(), Some("tags[1].key"));
        let other_case = json!([{"key": "a", "value": "1"}, {"key": "A", "value": "1"}]);
        assert_eq!(refused(&other_case, TagLetters::Ascii), None);
        let many = |n: usize| {
            json!(
                (0..n)
                    .map(|n| json!({"key": format!("k{n}"), "value": "v"}))
                    .collect::<Vec<_>>()
            )
        };
        assert_eq!(refused(&many(50), TagLetters::Ascii), None);
        assert_eq!(refused(&many(51), TagLetters::Ascii).as_deref(), Some("tags"));
    }
}
