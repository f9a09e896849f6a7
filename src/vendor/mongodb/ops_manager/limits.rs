//! What Ops Manager allows, with the page that states it: legal tags, and the sizes of requests.

use super::LowerCase;
use crate::model::{Grain, IdBudget, Limits, Listing, TagRules, TextRule, ValueRule};

/// Tags that a group may carry.
const TAGS_PER_GROUP: usize = 10;

/// The longest tag, in characters.
const TAG_MAX: usize = 32;

/// Bytes of a body. Ten tags are far less; the rest is room for tags of others that break the rules.
const BODY_BYTES: usize = 100_000;

/// Which characters a tag may hold.
pub(super) fn legal(lower_case: LowerCase) -> fn(char) -> bool {
    match lower_case {
        LowerCase::Refuse | LowerCase::Upper => is_documented,
        LowerCase::Allow => |c| is_documented(c) || c.is_ascii_lowercase(),
    }
}

fn is_documented(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
}

/// What a legal tag is, which is a plain string.
pub(super) fn rules(join: Option<&str>, lower_case: LowerCase) -> TagRules {
    TagRules {
        key: TextRule {
            min: 1,
            max: TAG_MAX,
            allowed: Some(legal(lower_case)),
        },
        value: ValueRule::None,
        tags_per_entity: Some(TAGS_PER_GROUP),
        reserved: &[],
        join: join.map(str::to_owned),
        sources: &[
            "plain strings, without values: documented, Add or Remove Tags from One Group of the Ops Manager API",
            "10 tags a group, at most 32 characters, `A` to `Z`, `0` to `9`, `.`, `_` and `-`: documented, the rules of \
             tag names on that page",
            "lower-case letters: disputed; the page lists capitals alone, and the text of INVALID_GROUP_TOKEN says \
             alphanumeric",
        ],
    }
}

/// The sizes of requests.
pub(super) fn of_groups(page: usize) -> Limits {
    Limits {
        grain: Grain::WholeSet,
        entities: Some(1),
        id_budget: None,
        adds: TAGS_PER_GROUP,
        removes: TAGS_PER_GROUP,
        together: true,
        body_bytes: BODY_BYTES,
        lists: Listing::Whole,
        creations: 0,
        page,
        // One a request.
        observe_ids: Some(IdBudget {
            chars: 1,
            fixed: 0,
            each: 1,
        }),
        sources: &[
            "1 group a call, all of its tags: documented, Add or Remove Tags from One Group of the Ops Manager API",
            "page of 500 groups: documented, core API of Ops Manager 7.0; older servers give 100, and shorter pages are \
             followed",
            "body: assumed; ten tags of 32 characters take less than 1 kB",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tag;

    fn plain(key: &str) -> Tag {
        Tag::new(key, None::<String>)
    }

    fn pair(key: &str, value: &str) -> Tag {
        Tag::new(key, Some(value))
    }

    #[test]
    fn legal_tags_are_the_documented_ones() {
        let longest = "A".repeat(32);
        for (join, lower_case, tag, legal) in [
            (None, LowerCase::Refuse, plain("PRODUCT"), true),
            (None, LowerCase::Refuse, plain("V7.0_EU-1"), true),
            (None, LowerCase::Refuse, plain(&longest), true),
            (None, LowerCase::Refuse, plain(&format!("{longest}A")), false),
            (None, LowerCase::Refuse, plain(""), false),
            (None, LowerCase::Refuse, plain("prod"), false),
            (None, LowerCase::Refuse, plain("A B"), false),
            (None, LowerCase::Refuse, plain("A:B"), false),
            (None, LowerCase::Refuse, plain("Ä"), false),
            (None, LowerCase::Refuse, pair("ENV", "PROD"), false),
            (None, LowerCase::Upper, plain("prod"), false),
            (None, LowerCase::Allow, plain("prod"), true),
            (None, LowerCase::Allow, plain("größe"), false),
            (Some("."), LowerCase::Refuse, pair("ENV", "PROD"), true),
            (Some("."), LowerCase::Refuse, pair("ENV", "V1.2"), true),
            (Some("."), LowerCase::Refuse, pair("A.B", "C"), false),
            (
                Some("."),
                LowerCase::Refuse,
                pair(&"A".repeat(16), &"B".repeat(15)),
                true,
            ),
            (
                Some("."),
                LowerCase::Refuse,
                pair(&"A".repeat(16), &"B".repeat(16)),
                false,
            ),
            (Some("."), LowerCase::Refuse, plain("ENV"), true),
        ] {
            assert_eq!(
                rules(join, lower_case).check(&tag).is_ok(),
                legal,
                "{join:?} {lower_case:?} {tag}"
            );
        }
        assert_eq!(rules(None, LowerCase::Refuse).tags_per_entity, Some(10));
    }

    #[test]
    fn a_call_writes_the_whole_set_of_one_group() {
        let limits = of_groups(500);
        assert_eq!((limits.grain, limits.entities_a_call(24)), (Grain::WholeSet, 1));
        assert!(limits.together && limits.lists == Listing::Whole && limits.creations == 0);
        assert_eq!(limits.observe_ids.map(|budget| budget.ids(24)), Some(1));
    }
}
