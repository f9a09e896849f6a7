//! The bodies of requests that change something, and what a body is about when it was refused.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::service::Service;
use crate::model::Tag;

/// The body of `POST …/tags`: each tag is made and assigned to each service
/// (`JCS/op-paas-api-v1.1-tags-identitydomainid-tags-post.html`).
#[derive(Debug, Serialize)]
pub(super) struct Creation<'a> {
    tags: Vec<Pair<'a>>,
    assignments: Services<'a>,
}

impl<'a> Creation<'a> {
    /// Makes and assigns every tag on every service.
    pub(super) fn of(tags: &'a [Tag], services: &'a [Service<'a>]) -> Self {
        Self {
            tags: pairs(tags),
            assignments: Services { services },
        }
    }
}

/// The body of `PUT …/assignments`. Either half is left out where there is nothing to do
/// (`JCS/op-paas-api-v1.1-tags-identitydomainid-assignments-put.html`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags_to_assign: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags_to_unassign: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_assignments_to: Option<Services<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_assignments_from: Option<Services<'a>>,
}

impl<'a> Change<'a> {
    /// Assigns and unassigns tags on every service.
    pub(super) fn of(add: &'a [Tag], remove: &'a [Tag], services: &'a [Service<'a>]) -> Self {
        let of = |tags: &[Tag]| (!tags.is_empty()).then_some(Services { services });
        Self {
            tags_to_assign: pairs(add),
            tags_to_unassign: pairs(remove),
            create_assignments_to: of(add),
            delete_assignments_from: of(remove),
        }
    }
}

/// A tag in a body. An empty value is always told: it is the default where tags are made, and the default is not stated
/// where they are assigned.
#[derive(Debug, Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Debug, Serialize)]
struct Services<'a> {
    services: &'a [Service<'a>],
}

fn pairs(tags: &[Tag]) -> Vec<Pair<'_>> {
    let pairs = tags.iter().map(|Tag { key, value }| Pair {
        key,
        value: value.as_deref().unwrap_or_default(),
    });
    pairs.collect()
}

/// How much a request carries, counted in its body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Services.
    pub(super) services: usize,
    /// Tags that are assigned to each.
    pub(super) adds: usize,
    /// Tags that are unassigned from each.
    pub(super) removes: usize,
}

impl Parts {
    /// Counts the parts of a [`Creation`] or a [`Change`].
    pub(super) fn of(body: &[u8]) -> Self {
        let counted: Counted = serde_json::from_slice(body).unwrap_or_default();
        let [made, to, from] = [
            counted.assignments,
            counted.create_assignments_to,
            counted.delete_assignments_from,
        ]
        .map(|list| list.services.len());
        Self {
            services: made.max(to).max(from),
            adds: counted.tags.len() + counted.tags_to_assign.len(),
            removes: counted.tags_to_unassign.len(),
        }
    }

    /// Whether the request can be halved.
    pub(super) fn several(self) -> bool {
        self.services > 1 || self.adds + self.removes > 1
    }

    /// Whether the request only removes.
    pub(super) fn only_removes(self) -> bool {
        self.removes > 0 && self.adds == 0
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Counted {
    tags: Vec<IgnoredAny>,
    assignments: CountedServices,
    tags_to_assign: Vec<IgnoredAny>,
    tags_to_unassign: Vec<IgnoredAny>,
    create_assignments_to: CountedServices,
    delete_assignments_from: CountedServices,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CountedServices {
    services: Vec<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::oracle_paas::testing::{pair, plain};

    const ONE: Service<'static> = Service {
        service_type: "JaaS",
        service_name: "MyJCSExample",
    };

    const TWO: [Service<'static>; 2] = [
        ONE,
        Service {
            service_type: "JaaS",
            service_name: "Other",
        },
    ];

    #[test]
    fn unused_halves_are_left_out() {
        let json =
            |add: &[Tag], remove: &[Tag]| serde_json::to_string(&Change::of(add, remove, &[ONE])).unwrap();
        let service = r#"{"services":[{"serviceType":"JaaS","serviceName":"MyJCSExample"}]}"#;
        assert_eq!(
            json(&[pair("environment", "qa")], &[]),
            format!(
                r#"{{"tagsToAssign":[{{"key":"environment","value":"qa"}}],"createAssignmentsTo":{service}}}"#
            )
        );
        assert_eq!(
            json(&[], &[plain("mainApp")]),
            format!(
                r#"{{"tagsToUnassign":[{{"key":"mainApp","value":""}}],"deleteAssignmentsFrom":{service}}}"#
            )
        );
    }

    #[test]
    fn the_parts_of_a_body_are_those_that_were_written() {
        let (add, remove) = ([pair("a", "1"), pair("a", "2")], [plain("b")]);
        let bodies = [
            serde_json::to_vec(&Creation::of(&add, &TWO)).unwrap(),
            serde_json::to_vec(&Change::of(&add, &[], &[ONE])).unwrap(),
            serde_json::to_vec(&Change::of(&[], &remove, &TWO)).unwrap(),
            serde_json::to_vec(&Change::of(&[], &remove, &[ONE])).unwrap(),
            serde_json::to_vec(&Change::of(&remove, &[], &[ONE])).unwrap(),
            serde_json::to_vec(&Change::of(&remove, &add, &[ONE])).unwrap(),
            Vec::new(),
        ];
        let told = bodies.map(|body| {
            let parts = Parts::of(&body);
            let Parts {
                services,
                adds,
                removes,
            } = parts;
            ((services, adds, removes), parts.several(), parts.only_removes())
        });
        assert_eq!(
            told,
            [
                ((2, 2, 0), true, false),
                ((1, 2, 0), true, false),
                ((2, 0, 1), true, true),
                ((1, 0, 1), false, true),
                ((1, 1, 0), false, false),
                ((1, 1, 2), true, false),
                ((0, 0, 0), false, false),
            ]
        );
    }
}
