//! A small cloud for the tests of this folder.

use std::path::Path;

use serde_json::{Value, json};

use super::super::super::spec::Spec;
use super::super::object_id::ObjectId;
use super::super::testing::{Got, send};
use super::super::world::{Kind, World};
use super::api::{Atlas, Cloud};

/// A project with `env:e2e` and `prod:false`, with the clusters `Cluster0` (`env:prod`), `Cluster1`, `asleep`, which is
/// paused, and the flex cluster `Flex0`.
pub(super) const PROJECT: &str = "6a793feb2c88faeba59bd8f6";
/// A project without tags and clusters.
pub(super) const IDLE: &str = "6a793feb2c88faeba59bd8f7";

fn fill(world: &mut World) {
    let id = |text| ObjectId::parse(text).unwrap();
    let project = world.insert_group(id(PROJECT), "e2e-proj-939").unwrap();
    world.equip(project, [("env", Some("e2e")), ("prod", Some("false"))]);
    world.insert_group(id(IDLE), "idle one").unwrap();
    for (number, name) in (1..).zip(["Cluster0", "Cluster1", "asleep"]) {
        let cluster = world
            .insert_cluster(Kind::Cluster(project), ObjectId::of(number), name)
            .unwrap();
        world.set_paused(cluster, name == "asleep");
        if name == "Cluster0" {
            world.equip(cluster, [("env", Some("prod"))]);
        }
    }
    world
        .insert_cluster(Kind::Flex(project), ObjectId::of(9), "Flex0")
        .unwrap();
}

/// The cloud in memory, with options as in a URL.
pub(super) fn cloud(options: &str) -> Atlas {
    open("simulator:", Path::new(""), options)
}

/// The cloud with its state in a folder.
pub(super) fn cloud_in(dir: &Path, options: &str) -> Atlas {
    open("simulator:state", dir, options)
}

fn open(url: &str, dir: &Path, options: &str) -> Atlas {
    let spec = Spec::from_url(&format!("{url}?{options}"), dir).unwrap();
    Atlas::with(&spec, |_| Cloud::with(&spec, fill)).unwrap()
}

/// Sends a request to a path below the API in a version of the resource, with a body when it has one.
pub(super) async fn ask(simulator: &Atlas, method: &str, path: &str, version: &str, body: &str) -> Got {
    let media = format!("application/vnd.atlas.{version}+json");
    let headers = [
        ("host", "cloud.example.com"),
        ("accept", &media),
        ("content-type", &media),
    ];
    let headers = if body.is_empty() { &headers[..2] } else { &headers };
    send(simulator, method, &format!("/api/atlas/v2{path}"), headers, body).await
}

/// A tag as it is shown.
pub(super) fn pair(key: &str, value: &str) -> Value {
    json!({"key": key, "value": value})
}
