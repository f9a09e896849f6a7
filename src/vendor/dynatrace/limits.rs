//! What Dynatrace allows, with the page that states it: legal tags, and the sizes of requests.

use super::entity_id;
use crate::model::{Grain, IdBudget, Limits, Listing, Reserved, TagRules, TextRule, ValueRule};

/// Bytes of a body. The vendor takes 1 MB; what it counts as one is not stated.
const BODY_BYTES: usize = 900_000;

/// Manual tags that an entity may carry.
const TAGS_PER_ENTITY: usize = 1_000;

/// The longest key, and the longest value, in characters.
const TEXT_MAX: usize = 2_000;

const RESERVED: &[Reserved] = &[Reserved {
    prefix: "[",
    why: "the vendor writes the context of imported tags so, as in `[AWS]key`; choose another key",
}];

/// What a legal tag of v2 is.
pub(super) fn rules_of_custom_tags() -> TagRules {
    TagRules {
        key: text(1, None),
        value: ValueRule::Optional(text(0, None)),
        tags_per_entity: Some(TAGS_PER_ENTITY),
        reserved: RESERVED,
        join: None,
        sources: &[
            "key 1 to 2000 and value 0 to 2000 characters: documented for v1 (TagInfo); assumed for v2, which states \
             a key of at least 1",
            "1000 manual tags an entity: documented, \
             https://docs.dynatrace.com/managed/manage/tags-and-metadata/basic-concepts/best-practice-tagging-at-scale",
            "no key beginning with `[`: assumed from the written form `[CONTEXT]key:value`",
        ],
    }
}

/// What a legal tag of v1 is, which is a plain string.
pub(super) fn rules_of_entity_tags(join: Option<&str>) -> TagRules {
    TagRules {
        key: text(1, Some(|c| c != ':' && !c.is_control())),
        value: ValueRule::None,
        tags_per_entity: Some(TAGS_PER_ENTITY),
        reserved: RESERVED,
        join: join.map(str::to_owned),
        sources: &[
            "plain strings, without values: documented, https://docs.dynatrace.com/managed/dynatrace-api/environment-api/\
             topology-and-smartscape/process-groups-api/post-tags",
            "1 to 2000 characters: documented, TagInfo of the v1 specification",
            "no colon: assumed, since it is not stated whether the server splits the string there",
            "1000 manual tags an entity: documented, \
             https://docs.dynatrace.com/managed/manage/tags-and-metadata/basic-concepts/best-practice-tagging-at-scale",
            "no tag beginning with `[`: assumed from the written form `[CONTEXT]key:value`",
        ],
    }
}

/// The sizes of v2's requests.
pub(super) fn of_custom_tags(page: usize, selector_chars: usize) -> Limits {
    let budget = entity_id::budget(selector_chars);
    Limits {
        grain: Grain::Delta,
        entities: None,
        id_budget: Some(budget),
        adds: 1_000,
        removes: 1,
        together: false,
        body_bytes: BODY_BYTES,
        lists: Listing::Whole,
        creations: 0,
        page,
        observe_ids: Some(budget),
        sources: &[
            "selector 2000 characters: documented, \
             https://docs.dynatrace.com/managed/dynatrace-api/environment-api/entity-v2/entity-selector; 1900 are used, \
             since what is counted is not stated",
            "1000 tags added a call: documented, AddEntityTags of the v2 specification",
            "1 tag removed a call: documented, \
             https://docs.dynatrace.com/managed/dynatrace-api/environment-api/custom-tags/del-tags",
            "body 1 MB: documented, https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit; \
             900 kB are used",
            "page of 500 entities: assumed, since the greatest is not documented; shorter pages are followed",
        ],
    }
}

/// The sizes of v1's requests. Only hosts can lose a tag.
pub(super) fn of_entity_tags(kind: &str, page: usize, id_chars: usize) -> Limits {
    Limits {
        grain: Grain::Delta,
        entities: Some(1),
        id_budget: None,
        adds: 100,
        removes: usize::from(kind.eq_ignore_ascii_case("HOST")),
        together: false,
        body_bytes: BODY_BYTES,
        lists: Listing::Whole,
        creations: 0,
        page,
        // Each is told as `&entity=ID`.
        observe_ids: Some(IdBudget {
            chars: id_chars,
            fixed: 0,
            each: 8,
        }),
        sources: &[
            "1 entity a call, many tags: documented, UpdateEntity of the v1 specification",
            "100 tags added a call: assumed from custom devices, the one v1 body with a stated number",
            "1 tag removed a call, from hosts alone: documented, https://docs.dynatrace.com/managed/dynatrace-api/\
             environment-api/topology-and-smartscape/hosts-api/del-tags",
            "body 1 MB: documented, https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit; \
             900 kB are used",
            "page of 500 entities: assumed; without a size everything comes in one answer",
            "1900 characters of `entity` parameters: assumed, to keep URLs short enough for proxies",
        ],
    }
}

fn text(min: usize, allowed: Option<fn(char) -> bool>) -> TextRule {
    TextRule {
        min,
        max: TEXT_MAX,
        allowed,
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
    fn legal_custom_tags_are_the_documented_ones() {
        let long = "ü".repeat(2_000);
        for (tag, legal) in [
            (pair("env", "prod"), true),
            (pair("url", "http://x:80"), true),
            (plain("mainApp"), true),
            (pair(&long, &long), true),
            (plain(&format!("{long}x")), false),
            (pair("a", &format!("{long}x")), false),
            (plain(""), false),
            (plain("[AWS]Name"), false),
            (pair("a", "[x]"), true),
            (plain("a\tb"), false),
        ] {
            assert_eq!(rules_of_custom_tags().check(&tag).is_ok(), legal, "{tag}");
        }
        assert_eq!(rules_of_custom_tags().tags_per_entity, Some(1_000));
    }

    #[test]
    fn entity_tags_that_the_server_might_split_are_illegal() {
        for (join, tag, legal) in [
            (None, plain("office-linz"), true),
            (None, plain("a:b"), false),
            (None, plain("[AWS]x"), false),
            (None, plain(""), false),
            (None, plain("a\nb"), false),
            (None, pair("a", "b"), false),
            (Some("."), pair("a", "b"), true),
            (Some("."), pair("a", "http://x"), false),
            (Some("."), pair("a.b", "c"), false),
            (None, plain(&"x".repeat(2_000)), true),
            (None, plain(&"x".repeat(2_001)), false),
        ] {
            assert_eq!(rules_of_entity_tags(join).check(&tag).is_ok(), legal, "{tag}");
        }
    }

    #[test]
    fn a_call_of_v2_holds_as_many_entities_as_the_selector() {
        let limits = of_custom_tags(500, 1_900);
        assert_eq!(
            (limits.grain, limits.adds, limits.removes, limits.together),
            (Grain::Delta, 1_000, 1, false)
        );
        assert_eq!((limits.body_bytes, limits.page), (900_000, 500));
        for (kind, ids) in [
            ("HOST", 78),
            ("SERVICE", 70),
            ("PROCESS_GROUP", 57),
            ("PROCESS_GROUP_INSTANCE", 45),
        ] {
            assert_eq!(
                limits.entities_a_call(kind.len() + "-0123456789ABCDEF".len()),
                ids,
                "{kind}"
            );
        }
    }

    #[test]
    fn a_call_of_v1_names_one_entity_and_only_hosts_lose_tags() {
        for (kind, removes) in [("HOST", 1), ("host", 1), ("SERVICE", 0), ("PROCESS_GROUP", 0)] {
            let limits = of_entity_tags(kind, 500, 1_900);
            assert_eq!(
                (limits.entities_a_call(21), limits.removes, limits.together),
                (1, removes, false),
                "{kind}"
            );
            assert_eq!(limits.observe_ids.map(|budget| budget.ids(21)), Some(65));
        }
    }
}
