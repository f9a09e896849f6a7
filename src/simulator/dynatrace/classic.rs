//! `/api/v1/entity/…`: the deprecated topology API, with value-only tags.

use bytes::Bytes;
use http::Response;
use serde::Serialize;

use super::super::inventory::identifier;
use super::super::journal::{Change, Op};
use super::body::{Pair, value_only};
use super::change::{apply, change};
use super::entities::everything;
use super::envelope::{Refused, empty, json};
use super::route::Call;
use super::switches::V1Colon;
use super::world::{EntityIndex, World};

/// A collection of entities of v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Collection {
    Hosts,
    ProcessGroups,
    Processes,
    Services,
    Applications,
}

impl Collection {
    /// The collection that a path after `/entity/` begins with, and the segments behind it.
    pub(super) fn of<'a, 'b>(segments: &'a [&'b str]) -> Option<(Self, &'a [&'b str])> {
        match segments {
            ["infrastructure", "hosts", rest @ ..] => Some((Self::Hosts, rest)),
            ["infrastructure", "process-groups", rest @ ..] => Some((Self::ProcessGroups, rest)),
            ["infrastructure", "processes", rest @ ..] => Some((Self::Processes, rest)),
            ["services", rest @ ..] => Some((Self::Services, rest)),
            ["applications", rest @ ..] => Some((Self::Applications, rest)),
            _ => None,
        }
    }

    /// The types whose identifiers it takes; the first is the one that it lists.
    pub(super) fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Hosts => &["HOST"],
            Self::ProcessGroups => &["PROCESS_GROUP"],
            Self::Processes => &["PROCESS_GROUP_INSTANCE"],
            Self::Services => &["SERVICE"],
            Self::Applications => &["APPLICATION", "MOBILE_APPLICATION"],
        }
    }

    /// Whether tags can be added: to everything but processes.
    pub(super) fn takes_tags(self) -> bool {
        self != Self::Processes
    }

    /// Whether a tag can be removed: from hosts alone.
    pub(super) fn gives_tags_back(self) -> bool {
        self == Self::Hosts
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClassicEntity<'a> {
    entity_id: String,
    display_name: &'a str,
    discovered_name: &'a str,
    first_seen_timestamp: i64,
    last_seen_timestamp: i64,
    tags: Vec<TagInfo<'a>>,
}

#[derive(Serialize)]
struct TagInfo<'a> {
    context: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

pub(super) fn show<'a>(call: &Call<'_>, world: &'a World, index: EntityIndex) -> ClassicEntity<'a> {
    let name = world.name(index);
    let tag = |(context, key, value)| TagInfo { context, key, value };
    ClassicEntity {
        entity_id: world.id(index),
        display_name: name,
        discovered_name: name,
        first_seen_timestamp: world.first_seen(index, call.now),
        last_seen_timestamp: world.last_seen(index, call.now),
        tags: everything(call, world, index).into_iter().map(tag).collect(),
    }
}

/// `GET` of one entity.
pub(super) fn get(
    call: &Call<'_>,
    world: &World,
    collection: Collection,
    id: &str,
) -> Result<Response<Bytes>, Refused> {
    let index = find(call, world, collection, id)?;
    Ok(json(200, &show(call, world, index)))
}

fn find(call: &Call<'_>, world: &World, collection: Collection, id: &str) -> Result<EntityIndex, Refused> {
    identifier(id)
        .filter(|(kind, _)| collection.kinds().contains(&&**kind))
        .and_then(|(kind, bits)| world.find(&kind, bits))
        .ok_or_else(|| {
            let message = format!("Entity with ID '{id}' can't be found");
            Refused::plain(call.switches.v1_unknown.status(), message)
        })
}

/// `POST`: adds value-only tags to one entity. The body itself may be absent.
pub(super) fn add(
    call: &Call<'_>,
    world: &mut World,
    collection: Collection,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let index = find(call, world, collection, id)?;
    let tags = value_only(call.body)?;
    let pairs: Vec<Pair> = tags.into_iter().map(|tag| pair(call, tag)).collect();
    apply(call, world, &[index], &pairs, changes)?;
    Ok(empty(204))
}

fn pair(call: &Call<'_>, tag: String) -> Pair {
    match (call.switches.v1_colon, tag.split_once(':')) {
        (V1Colon::Split, Some((key, value))) if !key.is_empty() => (
            key.to_owned(),
            Some(value.to_owned()).filter(|value| !value.is_empty()),
        ),
        _ => (tag, None),
    }
}

/// `DELETE`: takes one tag off a host. A tag that is not there is answered with 404 and no body.
pub(super) fn delete(
    call: &Call<'_>,
    world: &mut World,
    collection: Collection,
    id: &str,
    tag: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let index = find(call, world, collection, id)?;
    let (key, value) = pair(call, tag.to_owned());
    let before = changes.len();
    if let Some(tag) = world.tag_id(&key, value.as_deref()) {
        change(world, index, Op::Remove, tag, call.now, changes);
    }
    if changes.len() > before {
        Ok(empty(204))
    } else {
        Err(Refused::bare(404))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{OLD, SHOP, WEB1, ask, environment, tags_of};

    const HOSTS: &str = "/api/v1/entity/infrastructure/hosts";

    #[tokio::test]
    async fn adding_answers_204_without_a_body() {
        for (options, tags) in [
            ("", ["a:b", "env:prod", "office-linz", "owner"]),
            ("v1-colon=split", ["a:b", "env:prod", "office-linz", "owner"]),
        ] {
            let simulator = environment(options);
            let body = r#"{"tags":["office-linz","office-linz","a:b"]}"#;
            let (status, answer) = ask(&simulator, "POST", &format!("{HOSTS}/{WEB1}"), body).await;
            assert_eq!((status, answer), (204, Value::Null));
            assert_eq!(tags_of(&simulator, WEB1), tags);
            let split = simulator
                .manual_tags(WEB1)
                .unwrap()
                .contains(&("a".to_owned(), Some("b".to_owned())));
            assert_eq!(split, !options.is_empty());
        }
    }

    #[tokio::test]
    async fn each_collection_takes_its_own_kinds() {
        let simulator = environment("");
        for (method, target, status) in [
            ("POST", format!("/api/v1/entity/services/{SHOP}"), 204),
            (
                "POST",
                "/api/v1/entity/applications/MOBILE_APPLICATION-0000000000000007".to_owned(),
                204,
            ),
            ("POST", format!("/api/v1/entity/services/{WEB1}"), 404),
            (
                "GET",
                "/api/v1/entity/infrastructure/processes/PROCESS_GROUP_INSTANCE-0000000000000006".to_owned(),
                200,
            ),
            ("GET", format!("{HOSTS}/{OLD}"), 200),
            ("GET", format!("{HOSTS}/HOST-00000000000000FF"), 404),
            ("POST", format!("{HOSTS}/nonsense"), 404),
        ] {
            assert_eq!(
                ask(&simulator, method, &target, r#"{"tags":["x"]}"#).await.0,
                status,
                "{method} {target}"
            );
        }
        let lenient = environment("v1-unknown=400");
        assert_eq!(
            ask(&lenient, "GET", &format!("{HOSTS}/nonsense"), "").await.0,
            400
        );
    }

    #[tokio::test]
    async fn bodies_are_checked() {
        for (body, status) in [
            (String::new(), 204),
            (r#"{"tags":[]}"#.to_owned(), 204),
            ("{}".to_owned(), 400),
            (r#"{"tags":[""]}"#.to_owned(), 400),
            (r#"{"tags":[{"key":"a"}]}"#.to_owned(), 400),
            (json!({"tags": ["x".repeat(2_001)]}).to_string(), 400),
        ] {
            let simulator = environment("");
            assert_eq!(
                ask(&simulator, "POST", &format!("{HOSTS}/{WEB1}"), &body).await.0,
                status,
                "{body:.40}"
            );
        }
    }

    #[tokio::test]
    async fn a_tag_of_a_host_is_removed_by_path() {
        let simulator = environment("");
        ask(
            &simulator,
            "POST",
            &format!("{HOSTS}/{WEB1}"),
            r#"{"tags":["a/b c:d"]}"#,
        )
        .await;
        for (tag, status) in [
            ("a%2Fb%20c%3Ad", 204),
            ("a%2Fb%20c%3Ad", 404),
            ("owner", 204),
            ("tier", 404),
        ] {
            let (got, body) = ask(&simulator, "DELETE", &format!("{HOSTS}/{WEB1}/tags/{tag}"), "").await;
            assert_eq!((got, body), (status, Value::Null), "{tag}");
        }
        assert_eq!(tags_of(&simulator, WEB1), ["env:prod"]);
    }
}
