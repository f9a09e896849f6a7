//! What Oracle PaaS Service Manager allows, with the page that states it: legal tags, and the sizes of requests.

use super::options::Options;
use super::service;
use crate::model::{Grain, Limits, Listing, Reserved, TagRules, TextRule, ValueRule};

/// What keys of tags begin with that the vendor assigns itself.
pub(super) const SYSTEM: &str = "ora_";

/// Tags that an instance may carry.
pub(super) const TAGS_PER_INSTANCE: usize = 50;

/// The longest key, in characters.
const KEY_MAX: usize = 128;

/// The longest value, in characters.
const VALUE_MAX: usize = 256;

/// Bytes that the tags of a body may take. With the instances beside them, a body stays below half a megabyte.
const BODY_BYTES: usize = 250_000;

/// What a legal tag is.
pub(super) fn rules() -> TagRules {
    TagRules {
        key: TextRule {
            min: 1,
            max: KEY_MAX,
            allowed: Some(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')),
        },
        value: ValueRule::Optional(TextRule {
            min: 0,
            max: VALUE_MAX,
            allowed: None,
        }),
        tags_per_entity: Some(TAGS_PER_INSTANCE),
        reserved: &[Reserved {
            prefix: SYSTEM,
            why: "the vendor assigns such system tags itself, and they can't be assigned or unassigned; choose another \
                  key",
        }],
        join: None,
        sources: &[
            "key of letters, digits, `-` and `_`, at most 128 characters; value at most 256 characters; 50 tags an \
             instance: documented, JCS/op-paas-api-v1.1-tags-identitydomainid-tags-post.html; letters are taken to be \
             those of ASCII",
            "a value of any characters but control characters: assumed, since none are excluded",
            "keys beginning with `ora_` are the vendor's: documented, \
             https://docs.oracle.com/pls/topic/lookup?ctx=en/cloud/paas/java-cloud/jscwn&\
             id=JSCUG-GUID-BA4C241F-CB17-429F-A94F-F6D783119D3F",
        ],
    }
}

/// The sizes of requests.
pub(super) fn limits(options: &Options) -> Limits {
    Limits {
        grain: Grain::Delta,
        entities: Some(options.services_a_call),
        id_budget: None,
        adds: options.tags_a_call,
        removes: options.tags_a_call,
        together: true,
        body_bytes: BODY_BYTES,
        lists: Listing::Bearers,
        creations: 0,
        page: 0, // Nothing is listed.
        observe_ids: Some(service::budget(options.services_chars)),
        sources: &[
            "many tags and many instances a call, added and removed in one: documented, \
             JCS/op-paas-api-v1.1-tags-identitydomainid-assignments-put.html",
            "50 instances and 50 tags a call: assumed, since no number is stated",
            "body 250 kB of tags: assumed, since none is stated",
            "1900 characters of `services` a reading: assumed, to keep URLs short enough for proxies",
            "no pages: documented by JCS/op-paas-api-v1.1-tags-identitydomainid-tags-get.html, which has no parameter \
             for them",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::oracle_paas::testing::{pair, plain};

    #[test]
    fn legal_tags_are_the_documented_ones() {
        let (key, value) = ("k".repeat(128), "ü".repeat(256));
        for (tag, legal) in [
            (pair("environment", "qa"), true),
            (pair("a-B_9", "any: 'text' %\\ / 🚢"), true),
            (plain("mainApp"), true),
            (pair(&key, &value), true),
            (plain(&format!("{key}k")), false),
            (pair("a", &format!("{value}x")), false),
            (plain(""), false),
            (plain("a b"), false),
            (plain("a.b"), false),
            (plain("a:b"), false),
            (plain("clé"), false),
            (pair("a", "b\nc"), false),
            (plain("ora_owner"), false),
            (plain("oracle"), true),
            (plain("an_ora_x"), true),
        ] {
            assert_eq!(rules().check(&tag).is_ok(), legal, "{tag}");
        }
        assert_eq!(rules().tags_per_entity, Some(50));
    }

    #[test]
    fn a_call_takes_what_the_options_say_and_both_ways_at_once() {
        let options = Options {
            services_a_call: 20,
            tags_a_call: 7,
            services_chars: 330,
            ..Options::default()
        };
        let limits = limits(&options);
        assert_eq!(
            (limits.grain, limits.adds, limits.removes, limits.together),
            (Grain::Delta, 7, 7, true)
        );
        assert_eq!(
            (limits.entities_a_call(60), limits.lists, limits.creations),
            (20, Listing::Bearers, 0)
        );
        // `JaaS/Instance-001` has 17 characters, and `%2C` stands between two.
        assert_eq!(limits.observe_ids.map(|budget| budget.ids(17)), Some(16));
    }

    #[test]
    fn the_shortest_budget_asks_for_one_instance_at_a_time() {
        let options = Options {
            services_chars: 1,
            ..Options::default()
        };
        assert_eq!(limits(&options).observe_ids.map(|budget| budget.ids(17)), Some(1));
    }
}
