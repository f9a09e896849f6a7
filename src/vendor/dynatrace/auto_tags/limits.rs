//! What Dynatrace allows of auto-tags, with the page that states it.

use crate::model::{DOCUMENT_KEY, Grain, IdBudget, Limits, Listing, TagRules, TextRule, ValueRule};

/// Bytes of a body. The vendor takes 1 MB; what it counts as one is not stated.
pub(super) const BODY_BYTES: usize = 900_000;

/// New definitions in one settings call.
pub(super) const CREATIONS: usize = 20;

/// Definitions that an environment may hold, and so the most on the one page of the config API.
const DEFINITIONS: usize = 5_000;

/// What a legal document is, as far as its length goes; `kept` looks into it.
pub(super) fn rules() -> TagRules {
    TagRules {
        key: TextRule {
            min: DOCUMENT_KEY.len(),
            max: DOCUMENT_KEY.len(),
            allowed: None,
        },
        value: ValueRule::Required(TextRule {
            min: 1,
            max: BODY_BYTES,
            allowed: Some(|_| true),
        }),
        tags_per_entity: Some(1),
        reserved: &[],
        join: None,
        sources: &[
            "one document a definition: documented, https://docs.dynatrace.com/managed/dynatrace-api/configuration-api/\
             automatically-applied-tags-api",
            "document 1 MB: documented for requests, \
             https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit; 900 kB are used",
        ],
    }
}

/// The sizes of the config API's requests.
pub(super) fn of_config() -> Limits {
    Limits {
        entities: Some(1),
        creations: 1,
        page: DEFINITIONS,
        // One definition a request.
        observe_ids: Some(IdBudget {
            chars: 1,
            fixed: 0,
            each: 0,
        }),
        sources: &[
            "1 definition a call: documented, https://docs.dynatrace.com/managed/dynatrace-api/configuration-api/\
             automatically-applied-tags-api/put-auto-tag",
            "listing without pages: documented, https://docs.dynatrace.com/managed/dynatrace-api/configuration-api/\
             automatically-applied-tags-api/get-all",
            "5000 definitions an environment: documented, schema builtin:tags.auto-tagging",
            "body 1 MB: documented, https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit; \
             900 kB are used",
        ],
        ..of_any()
    }
}

/// The sizes of the settings API's requests.
pub(super) fn of_settings(page: usize) -> Limits {
    Limits {
        entities: Some(CREATIONS),
        creations: CREATIONS,
        page,
        // Objects are found by what their values say, which takes a listing.
        observe_ids: None,
        sources: &[
            "20 objects created a call: assumed, since only the body's size is documented; 1 updated or deleted: \
             documented, https://docs.dynatrace.com/managed/dynatrace-api/environment-api/settings/objects",
            "page of 500 objects: documented, \
             https://docs.dynatrace.com/managed/dynatrace-api/environment-api/settings/objects/get-objects",
            "body 1 MB: documented, https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit; \
             900 kB are used",
        ],
        ..of_any()
    }
}

fn of_any() -> Limits {
    Limits {
        grain: Grain::Document,
        entities: Some(1),
        id_budget: None,
        adds: 1,
        removes: 1,
        together: true,
        body_bytes: BODY_BYTES,
        lists: Listing::Whole,
        creations: 1,
        page: 1,
        observe_ids: None,
        sources: &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tag;

    #[test]
    fn a_definition_is_asked_for_and_written_alone_by_the_config_api() {
        let limits = of_config();
        assert_eq!(
            (limits.grain, limits.together, limits.lists),
            (Grain::Document, true, Listing::Whole)
        );
        assert_eq!((limits.entities_a_call(36), limits.creations), (1, 1));
        assert_eq!(limits.observe_ids.map(|budget| budget.ids(36)), Some(1));
    }

    #[test]
    fn definitions_are_listed_and_made_several_a_call_by_settings() {
        let limits = of_settings(500);
        assert_eq!(
            (limits.grain, limits.together, limits.lists),
            (Grain::Document, true, Listing::Whole)
        );
        assert_eq!(
            (limits.creations, limits.page, limits.observe_ids),
            (20, 500, None)
        );
    }

    #[test]
    fn a_document_may_hold_any_character_under_its_one_key() {
        let rules = rules();
        assert_eq!(rules.tags_per_entity, Some(1));
        for (tag, legal) in [
            (Tag::new(DOCUMENT_KEY, Some("{\n\t\"name\": \"ü\"\n}")), true),
            (Tag::new(DOCUMENT_KEY, Some("x".repeat(BODY_BYTES))), true),
            (Tag::new(DOCUMENT_KEY, Some("x".repeat(BODY_BYTES + 1))), false),
            (Tag::new(DOCUMENT_KEY, None::<String>), false),
            (Tag::new("env", Some("{}")), false),
        ] {
            assert_eq!(rules.check(&tag).is_ok(), legal);
        }
    }
}
