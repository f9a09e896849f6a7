//! A small environment for the tests of this folder.

use std::path::Path;

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::super::reply::Reply;
use super::super::spec::Spec;
use super::api::{Dynatrace, Environment};
use super::world::World;
use super::world::tests::made;

/// A host with `env:prod` and `owner`.
pub(super) const WEB1: &str = "HOST-0000000000000001";
/// A host with `env:dev`.
pub(super) const WEB2: &str = "HOST-0000000000000002";
/// A host without manual tags, on which a rule made `tier:gold` and AWS `Region:eu`.
pub(super) const RULED: &str = "HOST-0000000000000003";
/// A host with `env:prod`, seen 30 hours ago: within the default time frame of entities, not of tags.
pub(super) const IDLE: &str = "HOST-0000000000000004";
/// A host with `env:prod`, seen 100 hours ago.
pub(super) const OLD: &str = "HOST-0000000000000005";
/// A service with `tier:gold`, put there by hand.
pub(super) const SHOP: &str = "SERVICE-00000000000000A1";

fn populate(world: &mut World) {
    world.insert(made("HOST", 1, "Web-1.example.com", 0, &["env:prod", "owner"]));
    world.insert(made("HOST", 2, "web-2.example.com", 0, &["env:dev"]));
    let mut ruled = made("HOST", 3, "Server(prod),1", 0, &[]);
    ruled.given = vec![("CONTEXTLESS", "tier", "gold"), ("AWS", "Region", "eu")];
    world.insert(ruled);
    world.insert(made("HOST", 4, "idle", 30, &["env:prod"]));
    world.insert(made("HOST", 5, "old", 100, &["env:prod"]));
    world.insert(made("SERVICE", 0xA1, "shop", 0, &["tier:gold"]));
    world.insert(made("PROCESS_GROUP_INSTANCE", 6, "java", 0, &[]));
    world.insert(made("MOBILE_APPLICATION", 7, "app", 0, &[]));
}

/// The environment in memory, with options as in a URL.
pub(super) fn environment(options: &str) -> Dynatrace {
    open("simulator:", Path::new(""), options)
}

/// The environment with its state in a folder.
pub(super) fn environment_in(dir: &Path, options: &str) -> Dynatrace {
    open("simulator:state", dir, options)
}

fn open(url: &str, dir: &Path, options: &str) -> Dynatrace {
    let spec = Spec::from_url(&format!("{url}?{options}"), dir).unwrap();
    Dynatrace::with(&spec, |_| {
        Environment::with(&spec, |world| {
            populate(world);
            Ok(())
        })
    })
    .unwrap()
}

/// Sends a request, and returns the answer's status and its JSON (null for an empty body).
pub(super) async fn ask(simulator: &Dynatrace, method: &str, target: &str, body: &str) -> (u16, Value) {
    let target = target.replace(' ', "%20").replace('"', "%22");
    let request = Request::builder().method(method).uri(target);
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let Reply::Answer(answer) = simulator.answer(request).await else {
        panic!("no answer")
    };
    let body = answer.body();
    let json = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).unwrap()
    };
    (answer.status().as_u16(), json)
}

/// The message of the first violated constraint, or of the error.
pub(super) fn complaint(body: &Value) -> &str {
    let error = &body["error"];
    error["constraintViolations"][0]["message"]
        .as_str()
        .or(error["message"].as_str())
        .unwrap_or_default()
}

/// The manual tags of an entity, as `key` or `key:value`, sorted.
pub(super) fn tags_of(simulator: &Dynatrace, id: &str) -> Vec<String> {
    let text = |(key, value): (String, Option<String>)| match value {
        Some(value) => format!("{key}:{value}"),
        None => key,
    };
    simulator.manual_tags(id).unwrap().into_iter().map(text).collect()
}
