//! Groups as Ops Manager shows them.

use serde::Serialize;

use super::super::answer::Link;
use super::super::call::Call;
use super::super::object_id::ObjectId;
use super::super::switches::{TagOrder, TagsField};
use super::super::world::{Index, ORG, World};

/// What agent API keys begin with here: a client must never log one, and whoever looks for this text finds it out.
pub(super) const AGENT_KEY: &str = "canary-agent-api-key-";

/// The role that may change groups.
pub(super) const OWNER: &str = "GLOBAL_OWNER";
/// The role that, beside [`OWNER`], may see tags and agent API keys.
const READER: &str = "GLOBAL_READ_ONLY";

/// What a group links to beside itself.
const RELATED: [&str; 7] = [
    "hosts",
    "users",
    "clusters",
    "alerts",
    "alertConfigs",
    "backupConfigs",
    "agents",
];

/// A group, with its fields in the order of recorded answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group<'a> {
    active_agent_count: u32,
    /// Only for owners and global readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_api_key: Option<String>,
    host_counts: HostCounts,
    id: String,
    last_active_agent: String,
    links: Vec<Link>,
    name: &'a str,
    org_id: &'static str,
    public_api_enabled: bool,
    replica_set_count: u32,
    shard_count: u32,
    /// Only for those who may see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<&'a str>>,
}

/// No group here has a host.
#[derive(Debug, Default, Serialize)]
struct HostCounts {
    arbiter: u32,
    config: u32,
    master: u32,
    mongos: u32,
    primary: u32,
    secondary: u32,
    slave: u32,
}

/// How much of a group is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// Scheme, host and port as they were asked.
    origin: &'a str,
    /// The URL where the API begins.
    base: &'a str,
    agent_key: bool,
    tags: bool,
    order: TagOrder,
    /// The moment that a read sees; `None` shows what is.
    at: Option<i64>,
}

impl<'c> View<'c> {
    /// What the caller sees: groups as they were at a moment, or as they are.
    pub(super) fn of(call: &'c Call<'_>, at: Option<i64>) -> Self {
        let (door, switches) = (&call.setup.door, &call.setup.switches);
        let privileged = !(door.lacks(OWNER) && door.lacks(READER));
        Self {
            origin: &call.origin,
            base: &call.base,
            agent_key: privileged,
            tags: privileged && switches.tags_field == TagsField::Shown,
            order: switches.tag_order,
            at,
        }
    }

    /// A group of a listing, which links to itself alone.
    pub(super) fn listed<'a>(&self, world: &'a World, index: Index) -> Group<'a> {
        let id = world.id(index);
        Group {
            active_agent_count: 0,
            agent_api_key: self.agent_key.then(|| agent_key(id)),
            host_counts: HostCounts::default(),
            id: id.to_string(),
            last_active_agent: id.made_at(),
            links: vec![Link::new("self", self.href(id))],
            name: world.name(index),
            org_id: ORG,
            public_api_enabled: true,
            replica_set_count: 0,
            shard_count: 0,
            tags: self.tags.then(|| self.tags_of(world, index)),
        }
    }

    /// A group by itself, with all its links.
    pub(super) fn whole<'a>(&self, world: &'a World, index: Index) -> Group<'a> {
        let mut group = self.listed(world, index);
        let href = self.href(world.id(index));
        let related =
            RELATED.map(|name| Link::new(format!("{}/{name}", self.origin), format!("{href}/{name}")));
        group.links.extend(related);
        group
    }

    fn tags_of<'a>(&self, world: &'a World, index: Index) -> Vec<&'a str> {
        let mut tags: Vec<&str> = match self.at {
            Some(now) => world.shown(index, now).map(|(key, _)| key).collect(),
            None => world.tags(index).map(|(key, _)| key).collect(),
        };
        if self.order == TagOrder::Sorted {
            tags.sort_unstable();
        }
        tags
    }

    fn href(&self, id: ObjectId) -> String {
        format!("{}/groups/{id}", self.base)
    }
}

/// The agent API key of a group.
fn agent_key(id: ObjectId) -> String {
    format!("{AGENT_KEY}{id}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{API, IDLE, ask, installation};

    #[tokio::test]
    async fn a_group_looks_as_recorded() {
        let simulator = installation("");
        let got = ask(&simulator, "GET", &format!("/groups/{IDLE}"), "").await;
        assert_eq!(got.header("content-type"), Some("application/json"));
        let mut group = got.json();
        let links = group["links"].take();
        assert_eq!(
            group.to_string(),
            format!(
                r#"{{"activeAgentCount":0,"agentApiKey":"canary-agent-api-key-{IDLE}","hostCounts":{{"arbiter":0,"config":0,"master":0,"mongos":0,"primary":0,"secondary":0,"slave":0}},"id":"{IDLE}","lastActiveAgent":"2019-03-07T11:30:04Z","links":null,"name":"Idle / one","orgId":"a0123456789abcdef0123456","publicApiEnabled":true,"replicaSetCount":0,"shardCount":0,"tags":[]}}"#
            )
        );
        let href = format!("http://ops.example.com:8080{API}/groups/{IDLE}");
        assert_eq!(links[0], json!({"href": href, "rel": "self"}));
        assert_eq!(
            links[1],
            json!({"href": format!("{href}/hosts"), "rel": "http://ops.example.com:8080/hosts"})
        );
    }

    #[tokio::test]
    async fn who_may_see_less_gets_less() {
        for (options, tags, key) in [
            ("", true, true),
            ("missing-scopes=GLOBAL_OWNER", true, true),
            ("missing-scopes=GLOBAL_READ_ONLY", true, true),
            ("missing-scopes=GLOBAL_OWNER,GLOBAL_READ_ONLY", false, false),
            ("tags-field=hidden", false, true),
        ] {
            let list = ask(&installation(options), "GET", "/groups", "").await.json();
            let group = &list["results"][0];
            assert_eq!(
                (group.get("tags").is_some(), group.get("agentApiKey").is_some()),
                (tags, key),
                "{options}"
            );
        }
    }
}
