//! What Atlas allows, with the page that states it: legal tags, and the sizes of requests.

use super::kind::Kind;
use crate::model::{Grain, IdBudget, Limits, Listing, TagRules, TextRule, ValueRule};

/// Tags that an entity may carry.
const TAGS_PER_ENTITY: usize = 50;

/// The longest key, and the longest value, in characters.
const TEXT_MAX: usize = 255;

/// Bytes of a body: 50 tags of the greatest length, four bytes a character, with room for tags of others.
const BODY_BYTES: usize = 200_000;

/// What a legal tag is.
pub(super) fn rules() -> TagRules {
    let text = TextRule {
        min: 1,
        max: TEXT_MAX,
        allowed: Some(is_legal),
    };
    TagRules {
        key: text,
        value: ValueRule::Required(text),
        tags_per_entity: Some(TAGS_PER_ENTITY),
        reserved: &[],
        join: None,
        sources: &[
            "key and value required, 1 to 255 characters: documented, ResourceTag of the Atlas specification",
            "letters, digits, spaces and `;@_-.+`: documented, https://www.mongodb.com/docs/atlas/tags/; that letters of \
             every script are meant is assumed",
            "50 tags a cluster: documented on that page; the same for projects: assumed",
        ],
    }
}

fn is_legal(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | ';' | '@' | '_' | '-' | '.' | '+')
}

/// The sizes of requests. Clusters are listed project by project alone, so that no listing holds them all.
pub(super) fn of(kind: Kind, page: usize) -> Limits {
    Limits {
        grain: Grain::WholeSet,
        entities: Some(1),
        id_budget: None,
        adds: TAGS_PER_ENTITY,
        removes: TAGS_PER_ENTITY,
        together: true,
        body_bytes: BODY_BYTES,
        lists: match kind {
            Kind::Project => Listing::Whole,
            Kind::Cluster | Kind::FlexCluster => Listing::No,
        },
        creations: 0,
        page,
        // One a request.
        observe_ids: Some(IdBudget {
            chars: 1,
            fixed: 0,
            each: 1,
        }),
        sources: &[
            "1 entity a call, all of its tags: documented, GroupUpdate of the Atlas specification; that the list replaces \
             the one before was seen on the wire",
            "page of 500 projects: documented, itemsPerPage of the Atlas specification",
            "body: assumed from the greatest tags",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tag;

    #[test]
    fn legal_tags_are_the_documented_ones() {
        let longest = "ü".repeat(255);
        for (key, value, legal) in [
            ("env", "prod", true),
            ("Cost Center", "a;b@c_d-e.f+g 1", true),
            (&longest, &longest, true),
            (&format!("{longest}x"), "a", false),
            ("a", &format!("{longest}x"), false),
            ("", "a", false),
            ("a", "", false),
            ("a:b", "c", false),
            ("a", "b/c", false),
            ("a", "b\tc", false),
            ("a", "b=c", false),
        ] {
            assert_eq!(
                rules().check(&Tag::new(key, Some(value))).is_ok(),
                legal,
                "{key}={value}"
            );
        }
        assert_eq!(rules().tags_per_entity, Some(50));
    }

    #[test]
    fn projects_alone_can_be_listed() {
        for (kind, lists) in [
            (Kind::Project, Listing::Whole),
            (Kind::Cluster, Listing::No),
            (Kind::FlexCluster, Listing::No),
        ] {
            let limits = of(kind, 500);
            assert_eq!(limits.lists, lists, "{kind:?}");
            assert_eq!((limits.grain, limits.entities_a_call(24)), (Grain::WholeSet, 1));
            assert_eq!(limits.observe_ids.map(|budget| budget.ids(24)), Some(1));
        }
    }
}
