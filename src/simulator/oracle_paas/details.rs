//! Tags in answers: how one looks, and what writes answer.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Response;
use serde::Serialize;

use super::answer::json;
use super::switches::{ListedServices, Switches};
use super::tag_book::TagId;
use super::world::{ServiceIndex, World};

/// A tag, as "JCS/op-paas-api-v1.1-tags-identitydomainid-tags-post.html" names its members.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagDetails<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment_counts: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignments: Option<Assignments<'a>>,
}

/// The vendor's pages hide its members.
#[derive(Debug, Serialize)]
struct Counts {
    services: usize,
}

#[derive(Debug, Serialize)]
struct Assignments<'a> {
    services: Vec<ServiceDetails<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceDetails<'a> {
    service_type: &'a str,
    service_name: &'a str,
}

/// What a write answers: the tags that it was about, with what they are assigned to now.
pub(super) fn written(
    world: &World,
    tags: &[TagId],
    asked: &[ServiceIndex],
    switches: &Switches,
) -> Response<Bytes> {
    let asked: BTreeSet<_> = asked.iter().copied().collect();
    let show = |tag: &TagId| {
        let carriers = &world.tag(*tag).services;
        match switches.listed_services {
            ListedServices::Asked => {
                let some = asked.intersection(carriers).copied().collect();
                details(world, *tag, None, Some(&some))
            }
            ListedServices::All => details(world, *tag, None, Some(carriers)),
        }
    };
    json(&tags.iter().map(show).collect::<Vec<_>>())
}

/// A tag without assignments has no member for them.
pub(super) fn details<'w>(
    world: &'w World,
    tag: TagId,
    count: Option<usize>,
    services: Option<&BTreeSet<ServiceIndex>>,
) -> TagDetails<'w> {
    let service = |index: &ServiceIndex| {
        let (service_type, service_name) = world.name(*index);
        ServiceDetails {
            service_type,
            service_name,
        }
    };
    let tag = world.tag(tag);
    let services = services.filter(|services| !services.is_empty());
    TagDetails {
        key: &tag.key,
        value: &tag.value,
        assignment_counts: count.map(|services| Counts { services }),
        assignments: services.map(|services| Assignments {
            services: services.iter().map(service).collect(),
        }),
    }
}
