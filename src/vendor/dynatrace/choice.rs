//! The entity selector of a listing that is to hold fewer entities than a kind has.
//!
//! How to escape what has a meaning in a selector is hardly documented, so that only plain characters of names and tags go
//! there (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/entity-v2/entity-selector>): what is left out is
//! looked at here, as everything is once more.

use super::entity_id::check_type;
use super::options::SELECTOR_MAX;
use crate::model::Tag;
use crate::vendor::{Choice, VendorError};

/// The longest text of a name or a tag in a selector.
const TEXT_MAX: usize = 500;

/// The selector, where one says more than the kind.
pub(super) fn selector(choice: &Choice<'_>) -> Option<Result<String, VendorError>> {
    let names = choice.names.and_then(of_names);
    let tags = choice.tags.iter().filter_map(of_tag);
    let own = choice.selector.map(str::to_owned);
    let criteria: Vec<String> = own.into_iter().chain(names).chain(tags).collect();
    if criteria.is_empty() {
        return None;
    }
    Some(check_type(choice.kind).map(|()| fitting(choice.kind, &criteria)))
}

/// As many criteria as fit, the user's own first, which is checked to fit.
fn fitting(kind: &str, criteria: &[String]) -> String {
    let mut selector = format!("type(\"{kind}\")");
    for criterion in criteria {
        if selector.chars().count() + 1 + criterion.chars().count() <= SELECTOR_MAX {
            selector.push(',');
            selector.push_str(criterion);
        }
    }
    selector
}

/// Refuses what can't stand behind the kind.
pub(super) fn check(kind: &str, selector: &str) -> Result<(), VendorError> {
    let wrong = if selector.trim().is_empty() {
        "it is empty".to_owned()
    } else if selector.chars().any(char::is_control) {
        "it holds control characters".to_owned()
    } else if names_type(selector) {
        format!("the kind is `{kind}` already, and a selector has one type: leave `type(…)` out")
    } else if format!("type(\"{kind}\"),{selector}").chars().count() > SELECTOR_MAX {
        format!("with its type it has more than {SELECTOR_MAX} characters")
    } else {
        return Ok(());
    };
    Err(VendorError::Unsupported(wrong))
}

/// Whether one of the criteria is a type, in whatever case and with whatever blanks. What stands in quotes is none.
fn names_type(selector: &str) -> bool {
    let outside = selector.split('"').step_by(2).collect::<Vec<_>>().join("\"");
    let plain: String = outside.to_lowercase().split_whitespace().collect();
    plain.starts_with("type(") || [",type(", "(type("].iter().any(|inside| plain.contains(inside))
}

/// Names that are equal or begin so, in any letter case: patterns that a selector can say exactly.
fn of_names(pattern: &str) -> Option<String> {
    let (test, text) = match pattern.strip_suffix('*') {
        Some(beginning) => ("startsWith", beginning),
        None => ("equals", pattern),
    };
    is_plain(text).then(|| format!("entityName.{test}(\"{text}\")"))
}

/// A key with a value. What a key alone finds is not documented.
fn of_tag(tag: &Tag) -> Option<String> {
    let (key, value) = (tag.key.as_str(), tag.value.as_deref()?);
    (is_plain(key) && is_plain(value)).then(|| format!("tag(\"{key}:{value}\")"))
}

fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= TEXT_MAX && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: Option<&str>, tags: &[&str], selector: Option<&str>) -> Option<String> {
        let tags: Vec<Tag> = tags
            .iter()
            .map(|tag| match tag.split_once('=') {
                Some((key, value)) => Tag::new(key, Some(value)),
                None => Tag::new(*tag, None::<String>),
            })
            .collect();
        let choice = Choice {
            kind: "HOST",
            names,
            tags: &tags,
            selector,
        };
        super::selector(&choice).map(Result::unwrap)
    }

    #[test]
    fn names_are_chosen_by_the_vendor_where_a_selector_says_exactly_the_pattern() {
        for (pattern, want) in [
            ("web-*", Some("type(\"HOST\"),entityName.startsWith(\"web-\")")),
            ("a.b_1", Some("type(\"HOST\"),entityName.equals(\"a.b_1\")")),
            ("*", None),
            ("", None),
            ("*-web", None),
            ("web-?", None),
            ("web-**", None),
            ("we[ab]*", None),
            ("a b*", None),
            ("say \"hi\"", None),
            ("größe*", None),
        ] {
            assert_eq!(chosen(Some(pattern), &[], None).as_deref(), want, "{pattern}");
        }
    }

    #[test]
    fn tags_with_plain_keys_and_values_are_chosen_by_the_vendor_and_all_must_be_carried() {
        for (tags, want) in [
            (&["env=prod"][..], Some("type(\"HOST\"),tag(\"env:prod\")")),
            (
                &["env=prod", "a b=c", "tier=gold"],
                Some("type(\"HOST\"),tag(\"env:prod\"),tag(\"tier:gold\")"),
            ),
            (&["env"], None),
            (&["url=http://x"], None),
        ] {
            assert_eq!(chosen(None, tags, None).as_deref(), want, "{tags:?}");
        }
    }

    #[test]
    fn the_users_own_criteria_come_first_and_what_finds_no_room_is_left_out() {
        let own = "mzName(\"web\"),healthState(\"HEALTHY\")";
        assert_eq!(
            chosen(Some("web-*"), &["env=prod"], Some(own)).unwrap(),
            format!("type(\"HOST\"),{own},entityName.startsWith(\"web-\"),tag(\"env:prod\")")
        );
        let long = format!("mzName(\"{}\")", "x".repeat(1900));
        assert_eq!(
            chosen(Some("web-*"), &["a=b"], Some(&long)).unwrap(),
            format!("type(\"HOST\"),{long},entityName.startsWith(\"web-\"),tag(\"a:b\")")
        );
        let longest = format!("mzName(\"{}\")", "x".repeat(1970));
        assert_eq!(
            chosen(Some("web-*"), &[], Some(&longest)).unwrap(),
            format!("type(\"HOST\"),{longest}")
        );
        let wrong = Choice {
            kind: "HO ST",
            names: Some("web-*"),
            tags: &[],
            selector: None,
        };
        assert!(super::selector(&wrong).is_some_and(|refused| refused.is_err()));
    }

    #[test]
    fn a_selector_of_another_kind_or_of_no_criterion_is_refused() {
        for (selector, legal) in [
            ("mzName(\"a\")", true),
            ("not(tag(\"type(x)\"))", true),
            ("tag(\"x,type(y\")", true),
            ("fromRelationships.runsOn(mzName(\"x\"))", true),
            ("", false),
            (" ", false),
            ("type(\"SERVICE\")", false),
            ("mzName(\"a\"), Type (SERVICE)", false),
            ("not(type(SERVICE))", false),
            ("mzName(\"a\n\")", false),
        ] {
            assert_eq!(check("HOST", selector).is_ok(), legal, "{selector:?}");
        }
        assert!(check("HOST", &"x".repeat(2000)).is_err());
    }
}
