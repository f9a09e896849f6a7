//! A small installation for the tests of this folder.

use std::path::Path;

use super::super::super::spec::Spec;
use super::super::object_id::ObjectId;
use super::super::testing::{Got, send};
use super::super::world::World;
use super::api::{Installation, OpsManager};

/// A group with the tags `PROD` and `EU`.
pub(super) const SHOP: &str = "5c8100bcf2a30b12ff88258f";
/// A group with the tag `PROD`.
pub(super) const BANK: &str = "5c8100bcf2a30b12ff882590";
/// A group without tags.
pub(super) const IDLE: &str = "5c8100bcf2a30b12ff882591";
/// A group that is not there.
pub(super) const NOBODY: &str = "111111111111111111111111";

/// Where the API is.
pub(super) const API: &str = "/api/public/v1.0";

fn populate(world: &mut World) {
    for (id, name, tags) in [
        (SHOP, "shop", &["PROD", "EU"][..]),
        (BANK, "bank", &["PROD"]),
        (IDLE, "Idle / one", &[]),
    ] {
        let group = world.insert_group(ObjectId::parse(id).unwrap(), name).unwrap();
        world.equip(group, tags.iter().map(|tag| (*tag, None)));
    }
}

/// The installation in memory, with options as in a URL.
pub(super) fn installation(options: &str) -> OpsManager {
    open("simulator:", Path::new(""), options)
}

/// The installation with its state in a folder.
pub(super) fn installation_in(dir: &Path, options: &str) -> OpsManager {
    open("simulator:state", dir, options)
}

fn open(url: &str, dir: &Path, options: &str) -> OpsManager {
    let spec = Spec::from_url(&format!("{url}?{options}"), dir).unwrap();
    OpsManager::with(&spec, |_| {
        Installation::with(&spec, |world| {
            populate(world);
            Ok(())
        })
    })
    .unwrap()
}

/// Sends a request to a path below the API, with a body of JSON when it has one.
pub(super) async fn ask(simulator: &OpsManager, method: &str, path: &str, body: &str) -> Got {
    let headers = [
        ("host", "ops.example.com:8080"),
        ("content-type", "application/json"),
    ];
    let headers = if body.is_empty() { &headers[..1] } else { &headers };
    send(simulator, method, &format!("{API}{path}"), headers, body).await
}

/// Sends a `PATCH` of a group.
pub(super) async fn patch(simulator: &OpsManager, id: &str, body: &str) -> Got {
    ask(simulator, "PATCH", &format!("/groups/{id}"), body).await
}
