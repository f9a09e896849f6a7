//! What a tag of a group may be (`includes/requirements-tag-names.rst` of the vendor's documentation).

use serde_json::Value;

use super::super::refused::Refused;
use super::super::switches::{DuplicateTags, LowerCase, Switches};

/// Tags of a group; "a hard limit" in the vendor's own operator.
const MAX_TAGS: usize = 10;
/// Characters of a tag.
const MAX_LENGTH: usize = 32;

/// Checks the tags of a body, and returns them as they will be stored.
pub(super) fn checked(tags: &[Value], switches: &Switches) -> Result<Vec<String>, Refused> {
    let mut stored: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = tag.as_str().and_then(|tag| legal(tag, switches.lower_case));
        let tag = tag.ok_or_else(bad_tag)?;
        match switches.duplicate_tags {
            DuplicateTags::Dedupe if stored.contains(&tag) => {}
            DuplicateTags::Refuse if stored.contains(&tag) => return Err(Refused::attribute("tags")),
            _ => stored.push(tag),
        }
    }
    if stored.len() > MAX_TAGS {
        let detail = format!("Groups are limited to {MAX_TAGS} tags.");
        return Err(Refused::new(400, "TOO_MANY_GROUP_TOKENS", detail).about(MAX_TAGS));
    }
    Ok(stored)
}

/// The tag as it will be stored; `None` when it is not legal.
fn legal(tag: &str, lower_case: LowerCase) -> Option<String> {
    let tag = match lower_case {
        LowerCase::Upper => tag.to_ascii_uppercase(),
        LowerCase::Refuse | LowerCase::Accept => tag.to_owned(),
    };
    let legal = |b: u8| {
        b.is_ascii_uppercase()
            || b.is_ascii_digit()
            || b"._-".contains(&b)
            || (b.is_ascii_lowercase() && lower_case == LowerCase::Accept)
    };
    ((1..=MAX_LENGTH).contains(&tag.len()) && tag.bytes().all(legal)).then_some(tag)
}

fn bad_tag() -> Refused {
    let detail = format!(
        "A group tag must be a string (alphanumeric, periods, underscores, and dashes) of length {MAX_LENGTH} \
         characters or less."
    );
    Refused::new(400, "INVALID_GROUP_TOKEN", detail).about(MAX_LENGTH)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::super::switches::SwitchSet as _;
    use super::*;

    /// What is stored, or the code of the refusal.
    fn outcome(tags: &Value, switch: &str) -> Result<Vec<String>, String> {
        let mut switches = Switches::default();
        if let Some((name, word)) = switch.split_once('=') {
            assert_eq!(switches.set(name, word), Ok(true));
        }
        checked(tags.as_array().unwrap(), &switches).map_err(|refused| {
            let answer = refused.into_response(&Switches::default());
            answer.headers()["x-error-code"].to_str().unwrap().to_owned()
        })
    }

    #[test]
    fn a_tag_is_32_capitals_digits_and_signs_at_most() {
        for (tag, legal) in [
            (json!("PROD"), true),
            (json!("0"), true),
            (json!("A.B_C-9"), true),
            (json!("X".repeat(32)), true),
            (json!("X".repeat(33)), false),
            (json!(""), false),
            (json!("prod"), false),
            (json!("A B"), false),
            (json!("A:B"), false),
            (json!("É"), false),
            (json!(7), false),
            (json!(null), false),
            (json!({"key": "A"}), false),
        ] {
            let want = if legal {
                Ok(())
            } else {
                Err("INVALID_GROUP_TOKEN".to_owned())
            };
            assert_eq!(outcome(&json!([tag]), "").map(drop), want, "{tag}");
        }
    }

    #[test]
    fn lower_case_is_what_its_switch_says() {
        for (switch, want) in [
            ("lower-case=refuse", Err("INVALID_GROUP_TOKEN".to_owned())),
            ("lower-case=accept", Ok(vec!["Prod".to_owned()])),
            ("lower-case=upper", Ok(vec!["PROD".to_owned()])),
        ] {
            assert_eq!(outcome(&json!(["Prod"]), switch), want, "{switch}");
        }
    }

    #[test]
    fn duplicates_are_what_their_switch_says() {
        let tags = json!(["A", "B", "A"]);
        let stored = |tags: &[&str]| Ok(tags.iter().map(|&tag| tag.to_owned()).collect());
        for (switch, want) in [
            ("duplicate-tags=keep", stored(&["A", "B", "A"])),
            ("duplicate-tags=dedupe", stored(&["A", "B"])),
            ("duplicate-tags=refuse", Err("INVALID_ATTRIBUTE".to_owned())),
        ] {
            assert_eq!(outcome(&tags, switch), want, "{switch}");
        }
    }

    #[test]
    fn a_group_has_ten_tags_at_most() {
        let tags = |n: usize| json!((0..n).map(|n| format!("T{n}")).collect::<Vec<_>>());
        assert_eq!(outcome(&tags(10), "").map(|stored| stored.len()), Ok(10));
        assert_eq!(outcome(&tags(11), ""), Err("TOO_MANY_GROUP_TOKENS".to_owned()));
        assert_eq!(outcome(&json!([]), ""), Ok(Vec::new()));
    }
}
