//! The list of tags with their assignments: what readings and changes are answered with.
//!
//! The vendor tells services by tag, and this room wants tags by service
//! (`JCS/op-paas-api-v1.1-tags-identitydomainid-tags-get.html`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::limits::SYSTEM;
use super::service::Service;
use crate::model::Tag;
use crate::wire::Response;

/// A tag and who carries it (`tagsassignments-details`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagDetails {
    key: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    assignments: Option<Assignments>,
    /// An object whose members are not documented.
    #[serde(default)]
    assignment_counts: Value,
}

#[derive(Debug, Deserialize)]
struct Assignments {
    #[serde(default)]
    services: Option<Vec<Assignment>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    service_type: String,
    service_name: String,
}

impl TagDetails {
    /// Who carries it; `None` when that is not told, as it is where the server knows no `outputLevel`. A tag whose
    /// assignments are counted as none needs no list.
    fn bearers(&self) -> Option<&[Assignment]> {
        let listed = self.assignments.as_ref().and_then(|all| all.services.as_deref());
        listed.or_else(|| counts_none(&self.assignment_counts).then_some(&[]))
    }

    fn into_tag(self) -> Tag {
        Tag::new(self.key, self.value)
    }
}

/// Reads a list of tags; `None` when the body is anything else, whatever its content type says.
pub(super) fn listing(answer: &Response) -> Option<Vec<TagDetails>> {
    serde_json::from_slice(&answer.body).ok()
}

/// What each of some services of one type carries, in their order; `None` when it is not told who carries some tag. A
/// system tag of which it is not told does no harm, since none is ever changed.
pub(super) fn carried(listing: Vec<TagDetails>, services: &[Service<'_>]) -> Option<Vec<BTreeSet<Tag>>> {
    let places: HashMap<&str, usize> = (0..)
        .zip(services)
        .map(|(place, service)| (service.service_name, place))
        .collect();
    let kind = services.first().map_or("", |service| service.service_type);
    let mut carried = vec![BTreeSet::new(); services.len()];
    for details in listing {
        let Some(bearers) = details.bearers() else {
            if details.key.starts_with(SYSTEM) {
                continue;
            }
            return None;
        };
        let found: Vec<usize> = bearers
            .iter()
            .filter(|bearer| bearer.service_type.eq_ignore_ascii_case(kind))
            .filter_map(|bearer| places.get(bearer.service_name.as_str()).copied())
            .collect();
        let tag = details.into_tag();
        for place in found {
            carried[place].insert(tag.clone());
        }
    }
    Some(carried)
}

/// What each service of one type carries, by its name; `None` when it is not told who carries some tag, but for the
/// vendor's own.
pub(super) fn of_type(listing: Vec<TagDetails>, kind: &str) -> Option<BTreeMap<String, BTreeSet<Tag>>> {
    let mut carried: BTreeMap<String, BTreeSet<Tag>> = BTreeMap::new();
    for mut details in listing {
        if details.bearers().is_none() {
            if details.key.starts_with(SYSTEM) {
                continue;
            }
            return None;
        }
        let assignments = details.assignments.take();
        let tag = details.into_tag();
        let bearers = assignments.and_then(|all| all.services).unwrap_or_default();
        let of_kind = |bearer: &Assignment| bearer.service_type.eq_ignore_ascii_case(kind);
        for bearer in bearers.into_iter().filter(of_kind) {
            carried
                .entry(bearer.service_name)
                .or_default()
                .insert(tag.clone());
        }
    }
    Some(carried)
}

/// Whether every count that is told is zero.
fn counts_none(counts: &Value) -> bool {
    match counts {
        Value::Number(count) => count.as_u64() == Some(0),
        Value::Object(counts) => !counts.is_empty() && counts.values().all(counts_none),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::oracle_paas::service;
    use crate::vendor::oracle_paas::testing::{answer, ids, pair, plain};

    /// What the services `A` and `B` carry, as words.
    fn told(body: &str) -> Option<Vec<String>> {
        let ids = ids(&["A", "B"]);
        let services = service::all("JaaS", &ids).unwrap();
        let carried = carried(listing(&answer(200, body))?, &services)?;
        let words = |tags: BTreeSet<Tag>| tags.iter().map(Tag::to_string).collect::<Vec<_>>().join(" ");
        Some(carried.into_iter().map(words).collect())
    }

    #[test]
    fn services_by_tag_become_tags_by_service() {
        let on =
            |tag: &str, services: &str| format!(r#"{{{tag},"assignments":{{"services":[{services}]}}}}"#);
        let (a, b) = (
            r#"{"serviceType":"JaaS","serviceName":"A"}"#,
            r#"{"serviceName":"B","serviceType":"jaas","more":1}"#,
        );
        let both = format!("{a},{b}");
        for (tags, want) in [
            (vec![], ["", ""]),
            (
                vec![on(r#""key":"env","value":"qa""#, &both)],
                ["env:qa", "env:qa"],
            ),
            (
                vec![
                    on(r#""key":"env","value":"qa""#, a),
                    on(r#""key":"env","value":"development""#, a),
                    on(r#""key":"bare","value":"""#, b),
                    on(r#""key":"none""#, b),
                    on(r#""key":"null","value":null,"description":"x""#, b),
                ],
                ["env:development env:qa", "bare none null"],
            ),
            // Told twice, and by halves.
            (
                vec![
                    on(r#""key":"k","value":"v""#, a),
                    on(r#""value":"v","key":"k""#, &both),
                ],
                ["k:v", "k:v"],
            ),
            // Others than those that were asked for.
            (
                vec![on(
                    r#""key":"k""#,
                    r#"{"serviceType":"DBaaS","serviceName":"A"},{"serviceType":"JaaS","serviceName":"C"},
                       {"serviceType":"JaaS","serviceName":"b"}"#,
                )],
                ["", ""],
            ),
            (
                vec![on(r#""key":"k","assignmentCounts":{"services":9}"#, a)],
                ["k", ""],
            ),
        ] {
            let body = format!("[{}]", tags.join(","));
            assert_eq!(told(&body), Some(want.map(str::to_owned).to_vec()), "{body}");
        }
    }

    #[test]
    fn a_tag_whose_bearers_are_not_told_leaves_everything_open() {
        for (members, open) in [
            ("", true),
            (r#","assignments":null"#, true),
            (r#","assignments":{}"#, true),
            (r#","assignments":[]"#, true),
            (r#","assignments":{"services":null}"#, true),
            (r#","assignmentCounts":{"services":1}"#, true),
            (r#","assignmentCounts":{}"#, true),
            (r#","assignmentCounts":{"services":0,"others":1}"#, true),
            (r#","assignmentCounts":3"#, true),
            (r#","assignmentCounts":"0""#, true),
            (r#","assignmentCounts":{"services":0}"#, false),
            (r#","assignmentCounts":0"#, false),
            (r#","assignments":{"services":[]}"#, false),
            (
                r#","assignments":{"services":[]},"assignmentCounts":{"services":4}"#,
                false,
            ),
        ] {
            let untold = format!(r#"[{{"key":"k","value":"v"{members}}}]"#);
            assert_eq!(told(&untold).is_none(), open, "{untold}");
            let system = format!(r#"[{{"key":"ora_k","value":"v"{members}}}]"#);
            assert_eq!(told(&system), Some(vec![String::new(); 2]), "{system}");
        }
    }

    #[test]
    fn services_of_a_type_are_told_by_the_tags_that_they_carry() {
        let body = r#"[
            {"key":"env","value":"qa","assignments":{"services":[{"serviceType":"JaaS","serviceName":"B"},
                {"serviceType":"DBaaS","serviceName":"D"},{"serviceType":"jaas","serviceName":"A"}]}},
            {"key":"ora_x","value":"","assignmentCounts":{"services":3}},
            {"key":"bare","assignments":{"services":[{"serviceType":"JaaS","serviceName":"B"}]}},
            {"key":"unused","value":"1","assignments":{"services":[]}}]"#;
        let all = |body: &str, kind| of_type(listing(&answer(200, body)).unwrap(), kind);
        let words = |(name, tags): (String, BTreeSet<Tag>)| {
            let tags: Vec<_> = tags.iter().map(Tag::to_string).collect();
            format!("{name}: {}", tags.join(" "))
        };
        let told: Vec<_> = all(body, "JaaS").unwrap().into_iter().map(words).collect();
        assert_eq!(told, ["A: env:qa", "B: bare env:qa"]);
        assert_eq!(all(body, "SOA").unwrap().len(), 0);
        assert_eq!(all("[]", "JaaS").unwrap().len(), 0);
        assert_eq!(
            all(r#"[{"key":"k","assignmentCounts":{"services":1}}]"#, "JaaS"),
            None
        );
    }

    #[test]
    fn only_a_list_of_whole_tags_is_one() {
        for (body, tags) in [
            ("[]", Some(0)),
            (r#"[{"key":"a"}]"#, Some(1)),
            ("", None),
            ("null", None),
            ("{}", None),
            (r#"{"items":[]}"#, None),
            (r#"{"details":{"message":"late"}}"#, None),
            (r#"[{"key":"a"}"#, None),
            (r#"[{"value":"a"}]"#, None),
            (r#"[{"key":1}]"#, None),
            (r#"[{"key":"a","value":1}]"#, None),
            (r#"[{"key":"a","key":"b"}]"#, None),
            (r#"["a"]"#, None),
            (r#"[{"key":"a","assignments":"A"}]"#, None),
            (
                r#"[{"key":"a","assignments":{"services":[{"serviceName":"A"}]}}]"#,
                None,
            ),
            ("<html></html>", None),
        ] {
            assert_eq!(listing(&answer(200, body)).map(|all| all.len()), tags, "{body}");
        }
        let one = listing(&answer(200, r#"[{"key":"a","value":"b"}]"#)).unwrap();
        assert_eq!(
            one.into_iter().map(TagDetails::into_tag).collect::<Vec<_>>(),
            [pair("a", "b")]
        );
        let bare = listing(&answer(200, r#"[{"key":"a","value":""}]"#)).unwrap();
        assert_eq!(
            bare.into_iter().map(TagDetails::into_tag).collect::<Vec<_>>(),
            [plain("a")]
        );
    }
}
