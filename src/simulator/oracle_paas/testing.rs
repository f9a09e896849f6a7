//! A small identity domain for the tests of this folder.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::super::journal::Op;
use super::super::reply::Reply;
use super::super::spec::Spec;
use super::api::{Domain, OraclePaas};
use super::populate::{ACCOUNT, METERING};
use super::tag_rules::Class;
use super::world::{Fact, World};

/// An instance with `env:prod` and `owner:ops`.
pub(super) const WEB1: &str = "JaaS/web-1";
/// An instance with `env:dev`, a system tag and a metering tag.
pub(super) const WEB2: &str = "JaaS/web-2";
/// An instance without tags.
pub(super) const MYSQL: &str = "MySQLCS/db.1";
/// An instance without tags, which examples in the documentation use.
pub(super) const EXAMPLE: &str = "JaaS/MyJCSExample";

/// Where the tags of the domain are.
pub(super) const TAGS: &str = "/paas/api/v1.1/tags/ExampleIdentityDomain/tags";
/// Where assignments are changed.
pub(super) const ASSIGNMENTS: &str = "/paas/api/v1.1/tags/ExampleIdentityDomain/assignments";

/// Fills a world with these.
pub(super) fn fill(world: &mut World) {
    for (class, pairs) in [(Class::Metering, &METERING[..]), (Class::Account, &ACCOUNT)] {
        for (key, value) in pairs {
            world.found(key, value, class);
        }
    }
    world.found("unused", "", Class::Instance);
    for (id, tags) in [
        (WEB1, &[("env", "prod"), ("owner", "ops")][..]),
        (WEB2, &[("env", "dev"), ("ora_ha", "on"), ("costcenter", "1001")]),
        (MYSQL, &[]),
        (EXAMPLE, &[]),
    ] {
        let (kind, name) = id.split_once('/').unwrap();
        let index = world.insert(kind, name).unwrap();
        for (key, value) in tags {
            let class = world.tags().class(key, value);
            let tag = world.found(key, value, class);
            world.change(Fact::Assigned(index, tag), Op::Add, 0);
        }
    }
}

/// Everything that is the case: `KEY:VALUE` for each tag, `TYPE/NAME KEY:VALUE` for each assignment.
pub(super) fn facts(world: &World) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for id in world.tags().all().filter(|tag| world.tag(*tag).exists) {
        let tag = world.tag(id);
        let text = format!("{}:{}", tag.key, tag.value);
        for index in &tag.services {
            assert!(world.carries(*index, id), "both directions tell the same");
            facts.insert(format!("{} {text}", world.entity(Fact::Assigned(*index, id))));
        }
        facts.insert(text);
    }
    facts
}

/// Tags, as bodies have them.
pub(super) fn tags(pairs: &[(&str, &str)]) -> Value {
    let tag = |(key, value): &(&str, &str)| json!({"key": key, "value": value});
    pairs.iter().map(tag).collect()
}

/// Service instances, as bodies have them.
pub(super) fn services(ids: &[&str]) -> Value {
    let service = |id: &&str| {
        let (kind, name) = id.split_once('/').unwrap();
        json!({"serviceType": kind, "serviceName": name})
    };
    json!({"services": ids.iter().map(service).collect::<Value>()})
}

/// The domain behind its shell.
#[derive(Debug)]
pub(super) struct Desk(pub(super) OraclePaas);

impl Desk {
    /// In memory, with options as in a URL.
    pub(super) fn new(options: &str) -> Self {
        Self::open("simulator:", Path::new(""), options)
    }

    /// With its state in a folder.
    pub(super) fn within(dir: &Path, options: &str) -> Self {
        Self::open("simulator:state", dir, options)
    }

    fn open(url: &str, dir: &Path, options: &str) -> Self {
        let spec = Spec::from_url(&format!("{url}?{options}"), dir).unwrap();
        let domain = |_: &_| {
            Domain::with(&spec, |world| {
                fill(world);
                Ok(())
            })
        };
        Self(OraclePaas::with(&spec, domain).unwrap())
    }

    /// Sends a request, and returns the answer whole.
    pub(super) async fn send(&self, request: Request<String>) -> Response<Bytes> {
        let Reply::Answer(answer) = self.0.answer(request.map(Bytes::from)).await else {
            panic!("no answer")
        };
        answer
    }

    /// Sends a request, and returns the answer's status and its JSON (null for an empty body).
    pub(super) async fn ask(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder().method(method).uri(target.replace(' ', "%20"));
        let answer = self.send(request.body(body).unwrap()).await;
        let json = if answer.body().is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(answer.body()).unwrap()
        };
        (answer.status().as_u16(), json)
    }

    pub(super) async fn get(&self, target: &str) -> (u16, Value) {
        self.ask("GET", target, &Value::Null).await
    }

    /// Creates tags.
    pub(super) async fn post(&self, body: &Value) -> (u16, Value) {
        self.ask("POST", TAGS, body).await
    }

    /// Changes assignments; `query` begins with its question mark.
    pub(super) async fn put(&self, query: &str, body: &Value) -> (u16, Value) {
        self.ask("PUT", &format!("{ASSIGNMENTS}{query}"), body).await
    }

    /// What an instance carries, as `key:value`, sorted.
    pub(super) fn tags_of(&self, id: &str) -> Vec<String> {
        let tags = self.0.assigned_tags(id).unwrap();
        tags.into_iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .collect()
    }

    /// See [`facts`].
    pub(super) fn facts(&self) -> BTreeSet<String> {
        self.0.look(|domain| facts(&domain.world))
    }

    /// The tags that exist, as `key:value`, sorted.
    pub(super) fn tags(&self) -> Vec<String> {
        let facts = self.facts().into_iter();
        facts.filter(|fact| !fact.contains(' ')).collect()
    }
}
