//! Listings: `GET …/tags`, and the tags of one instance.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::Response;
use serde::Serialize;

use super::answer::{Refused, json};
use super::details::{TagDetails, details};
use super::route::Call;
use super::switches::{AssignmentCounts, InstanceTags, ListedServices, OutputLevel, PathType};
use super::tag_book::TagId;
use super::tag_filter::TagFilter;
use super::world::{ServiceIndex, World};

#[derive(Serialize)]
struct Items<'a> {
    items: Vec<TagDetails<'a>>,
}

/// Tags, each with some of the instances that carry it.
type Carriers = BTreeMap<TagId, BTreeSet<ServiceIndex>>;

/// `GET …/tags`: every tag, or those of some instances; no pages.
pub(super) fn tags(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    call.check_parameters(&["outputLevel", "services", "tagFilter"])?;
    let filter = call.query.first("tagFilter");
    let filter = filter.map(|text| TagFilter::parse(text, call.switches.key_case));
    let filter = filter.transpose()?;
    let asked = asked(call, world)?;
    let wanted = |tag: &TagId| {
        let text = world.tag(*tag);
        let shown = match &asked {
            Some(asked) => asked.contains_key(tag),
            None => world.is_shown(*tag, call.now),
        };
        shown
            && filter
                .as_ref()
                .is_none_or(|filter| filter.wants(&text.key, &text.value))
    };
    let tags = world.tags().all().filter(wanted);
    let list: Vec<_> = tags.map(|tag| listed(call, world, asked.as_ref(), tag)).collect();
    Ok(json(&list))
}

/// A tag as a listing shows it.
fn listed<'w>(call: &Call<'_>, world: &'w World, asked: Option<&Carriers>, tag: TagId) -> TagDetails<'w> {
    let switches = call.switches;
    let counts = switches.assignment_counts == AssignmentCounts::Object;
    let full = call.query.first("outputLevel") == Some("FULL") || switches.output_level == OutputLevel::Full;
    let carriers = match asked.and_then(|asked| asked.get(&tag)) {
        Some(some) if switches.listed_services == ListedServices::Asked => Cow::Borrowed(some),
        _ => world.carriers(tag, call.now),
    };
    details(
        world,
        tag,
        counts.then_some(carriers.len()),
        full.then_some(&*carriers),
    )
}

/// What the instances of the parameter `services` carry; `None` without it. Unknown instances look like those without tags.
fn asked(call: &Call<'_>, world: &World) -> Result<Option<Carriers>, Refused> {
    let mut names = call.query.all("services").peekable();
    if names.peek().is_none() {
        return Ok(None);
    }
    let mut carried = Carriers::new();
    for text in names.flat_map(|list| list.split(',')) {
        // Names may have dots; types are not known to.
        let (kind, name) = text.split_once('.').ok_or_else(|| {
            let issue = format!("The service '{text}' must be written serviceType.serviceName.");
            Refused::new(400, issue)
        })?;
        let Some(index) = world.service(kind, name) else {
            continue;
        };
        for tag in world.shown(index, call.now) {
            carried.entry(*tag).or_default().insert(index);
        }
    }
    Ok(Some(carried))
}

/// `GET …/instances/{serviceId}/tags`, where the identifier is the name.
pub(super) fn instance(
    call: &Call<'_>,
    world: &World,
    kind: &str,
    name: &str,
) -> Result<Response<Bytes>, Refused> {
    call.check_parameters(&[])?;
    let found = match call.switches.path_type {
        PathType::AnyCase => world.service_of_any_case(kind, name),
        PathType::Exact => world.service(kind, name),
    };
    let documented = |index: &ServiceIndex| match call.switches.instance_tags {
        InstanceTags::EveryType => true,
        InstanceTags::Mysqlcs => world.name(*index).0 == "MySQLCS",
    };
    let index = found
        .filter(documented)
        .ok_or_else(|| Refused::new(404, format!("The service {kind}.{name} does not exist.")))?;
    let one = BTreeSet::from([index]);
    let show = |tag| match call.switches.listed_services {
        ListedServices::Asked => details(world, tag, None, Some(&one)),
        ListedServices::All => details(world, tag, None, Some(&world.carriers(tag, call.now))),
    };
    let items = by_text(world, world.shown(index, call.now)).into_iter().map(show);
    Ok(json(&Items {
        items: items.collect(),
    }))
}

/// Tags by key and value.
fn by_text(world: &World, tags: &[TagId]) -> Vec<TagId> {
    let text = |tag: &TagId| {
        let tag = world.tag(*tag);
        (&*tag.key, &*tag.value)
    };
    let mut tags = tags.to_vec();
    tags.sort_unstable_by(|a, b| text(a).cmp(&text(b)));
    tags
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::testing::{Desk, MYSQL, TAGS, WEB1};

    const INSTANCE: &str = "/paas/api/v1.1/instancemgmt/ExampleIdentityDomain/services";

    /// The tags of a list, as `key:value`.
    fn texts(list: &Value) -> Vec<String> {
        let text = |tag: &Value| {
            format!(
                "{}:{}",
                tag["key"].as_str().unwrap(),
                tag["value"].as_str().unwrap()
            )
        };
        list.as_array().unwrap().iter().map(text).collect()
    }

    #[tokio::test]
    async fn a_listing_has_every_tag_with_how_many_services_carry_it() {
        let (status, list) = Desk::new("").get(TAGS).await;
        assert_eq!(status, 200);
        let want = [
            "costcenter:1001",
            "costcenter:1002",
            "costcenter:1003",
            "department:finance",
            "department:research",
            "env:dev",
            "env:prod",
            "ora_ha:on",
            "owner:ops",
            "unused:",
        ];
        assert_eq!(texts(&list), want);
        assert_eq!(
            list[6],
            json!({"key": "env", "value": "prod", "assignmentCounts": {"services": 1}})
        );
        assert_eq!(list[9]["assignmentCounts"], json!({"services": 0}));
    }

    #[tokio::test]
    async fn the_full_level_names_the_services() {
        let prod = json!({"key": "env", "value": "prod", "assignmentCounts": {"services": 1},
            "assignments": {"services": [{"serviceType": "JaaS", "serviceName": "web-1"}]}});
        let mut uncounted = prod.clone();
        uncounted.as_object_mut().unwrap().remove("assignmentCounts");
        let bare = json!({"key": "env", "value": "prod"});
        for (options, level, want) in [
            ("", "&outputLevel=FULL", &prod),
            ("output-level=full", "", &prod),
            ("assignment-counts=absent", "&outputLevel=FULL", &uncounted),
            ("assignment-counts=absent", "", &bare),
        ] {
            let (_, list) = Desk::new(options)
                .get(&format!("{TAGS}?tagFilter='env':'prod'{level}"))
                .await;
            assert_eq!(list, json!([want]), "{options} {level}");
        }
    }

    #[tokio::test]
    async fn services_without_tags_and_unknown_ones_look_the_same() {
        for (services, want) in [
            ("JaaS.web-1", &["env:prod", "owner:ops"][..]),
            (
                "JaaS.web-1,JaaS.web-2,JaaS.web-1",
                &["costcenter:1001", "env:dev", "env:prod", "ora_ha:on", "owner:ops"],
            ),
            (
                "JaaS.web-1&services=JaaS.web-2&tagFilter='env'",
                &["env:dev", "env:prod"],
            ),
            ("MySQLCS.db.1", &[]),
            ("JaaS.nobody,jaas.web-1,SOA.web-1", &[]),
        ] {
            let (status, list) = Desk::new("").get(&format!("{TAGS}?services={services}")).await;
            assert_eq!(
                (status, texts(&list)),
                (200, want.iter().map(|s| (*s).to_owned()).collect()),
                "{services}"
            );
        }
        for services in ["", "JaaS", "JaaS.web-1,"] {
            let (status, _) = Desk::new("").get(&format!("{TAGS}?services={services}")).await;
            assert_eq!(status, 400, "{services}");
        }
    }

    #[tokio::test]
    async fn names_with_dots_are_split_at_the_first() {
        let desk = Desk::new("");
        let body = json!({"tags": [{"key": "env", "value": "dev"}],
            "assignments": {"services": [{"serviceType": "MySQLCS", "serviceName": "db.1"}]}});
        assert_eq!(desk.post(&body).await.0, 200);
        let (_, list) = desk
            .get(&format!("{TAGS}?services=MySQLCS.db.1&outputLevel=FULL"))
            .await;
        let db = json!({"serviceType": "MySQLCS", "serviceName": "db.1"});
        assert_eq!(
            list[0]["assignments"]["services"],
            json!([db]),
            "the other carrier was not asked about"
        );
        assert_eq!(list[0]["assignmentCounts"], json!({"services": 1}));
    }

    #[tokio::test]
    async fn all_carriers_are_listed_when_told() {
        let desk = Desk::new("listed-services=all");
        let body = json!({"tags": [{"key": "env", "value": "dev"}],
            "assignments": {"services": [{"serviceType": "JaaS", "serviceName": "web-1"}]}});
        desk.post(&body).await;
        let targets = [
            format!("{TAGS}?services=JaaS.web-1&tagFilter='env':'dev'&outputLevel=FULL"),
            format!("{INSTANCE}/JaaS/instances/web-1/tags"),
        ];
        for target in targets {
            let (_, answer) = desk.get(&target).await;
            let list = answer.get("items").unwrap_or(&answer);
            let services = list[0]["assignments"]["services"].as_array().unwrap();
            assert_eq!(services.len(), 2, "{target}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_filter_that_can_not_be_read_is_refused() {
        let (status, answer) = Desk::new("").get(&format!("{TAGS}?tagFilter=env")).await;
        assert_eq!(status, 400);
        let message = answer["details"]["message"].as_str().unwrap();
        assert!(message.starts_with("The tagFilter env must be"), "{message}");
    }

    #[tokio::test]
    async fn parameters_that_no_page_names_are_passed_over_or_refused() {
        for (options, want) in [("", 200), ("unknown-fields=refuse", 400)] {
            let (status, _) = Desk::new(options).get(&format!("{TAGS}?limit=5")).await;
            assert_eq!(status, want);
        }
    }

    #[tokio::test]
    async fn one_instance_has_a_listing_of_its_own() {
        let desk = Desk::new("");
        let services = json!({"services": [{"serviceType": "JaaS", "serviceName": "web-1"}]});
        let (status, answer) = desk.get(&format!("{INSTANCE}/jaas/instances/web-1/tags")).await;
        let want = json!({"items": [
            {"key": "env", "value": "prod", "assignments": services},
            {"key": "owner", "value": "ops", "assignments": services},
        ]});
        assert_eq!((status, answer), (200, want));
        let (status, answer) = desk.get(&format!("{INSTANCE}/MySQLCS/instances/db.1/tags")).await;
        assert_eq!((status, answer), (200, json!({"items": []})), "{MYSQL} has none");
    }

    #[tokio::test]
    async fn an_instance_is_found_as_the_switches_say() {
        for (options, path, want) in [
            ("", "jaas/instances/web-1", 200),
            ("", "JaaS/instances/Web-1", 404),
            ("", "JaaS/instances/nobody", 404),
            ("path-type=exact", "jaas/instances/web-1", 404),
            ("path-type=exact", "JaaS/instances/web-1", 200),
            ("instance-tags=mysqlcs", "JaaS/instances/web-1", 404),
            ("instance-tags=mysqlcs", "MySQLCS/instances/db.1", 200),
        ] {
            let (status, _) = Desk::new(options).get(&format!("{INSTANCE}/{path}/tags")).await;
            assert_eq!(status, want, "{options} {path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn reads_see_a_write_only_after_the_delay() {
        let desk = Desk::new("visibility=2s");
        let body = json!({"tags": [{"key": "new"}],
            "assignments": {"services": [{"serviceType": "JaaS", "serviceName": "web-1"}]}});
        let (_, written) = desk.post(&body).await;
        assert!(written[0]["assignments"].is_object(), "the write itself knows");
        desk.ask("DELETE", &format!("{TAGS}/unused/"), &Value::Null).await;
        for (seen, want) in [(false, ["unused:", ""]), (true, ["", "new:"])] {
            let (_, all) = desk.get(TAGS).await;
            let (_, own) = desk.get(&format!("{TAGS}?services=JaaS.web-1")).await;
            let (_, instance) = desk.get(&format!("{INSTANCE}/JaaS/instances/web-1/tags")).await;
            let has = |list: &Value, tag: &str| texts(list).contains(&tag.to_owned());
            assert_eq!(
                [has(&all, "unused:"), has(&all, "new:")],
                want.map(|tag| !tag.is_empty())
            );
            assert_eq!([has(&own, "new:"), has(&instance["items"], "new:")], [seen, seen]);
            tokio::time::advance(Duration::from_secs(2)).await;
        }
        assert_eq!(desk.tags_of(WEB1), ["env:prod", "new:", "owner:ops"]);
    }
}
