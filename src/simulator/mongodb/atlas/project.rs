//! Projects as Atlas shows them, and the routes that read them.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

use super::super::answer::{Link, List};
use super::super::call::Call;
use super::super::paging::Page;
use super::super::refused::Refused;
use super::super::world::{Index, ORG, World};
use super::tags::{Pair, shown};

/// What a project links to beside itself: the relation, which is also the end of the link.
const RELATED: [&str; 6] = [
    "containers",
    "clusters",
    "databaseUsers",
    "peers",
    "processes",
    "whitelist",
];

/// A project, with its fields in the order of recorded answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Project<'a> {
    cluster_count: usize,
    created: String,
    id: String,
    links: Vec<Link>,
    name: &'a str,
    org_id: &'static str,
    tags: Vec<Pair<'a>>,
    with_default_alerts_settings: bool,
}

impl<'a> Project<'a> {
    /// A project of a listing, which links to itself alone; with its tags as a read at a moment sees them, or as they
    /// are.
    fn listed(call: &Call<'_>, world: &'a World, index: Index, at: Option<i64>) -> Self {
        let id = world.id(index);
        Self {
            cluster_count: world.clusters(index).len(),
            created: id.made_at(),
            id: id.to_string(),
            links: vec![Link::new("self", format!("{}/groups/{id}", call.base))],
            name: world.name(index),
            org_id: ORG,
            tags: shown(world, index, at, &call.setup.switches),
            with_default_alerts_settings: true,
        }
    }

    /// A project by itself, with all its links.
    pub(super) fn whole(call: &Call<'_>, world: &'a World, index: Index, at: Option<i64>) -> Self {
        let mut project = Self::listed(call, world, index, at);
        let href = format!("{}/groups/{}", call.base, project.id);
        let related = RELATED.map(|name| {
            let rel = format!("https://cloud.mongodb.com/{name}");
            Link::new(rel, format!("{href}/{name}"))
        });
        project.links.extend(related);
        project
    }
}

/// `GET /groups`.
pub(super) fn list(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    let groups = call.setup.members.among(world, world.listed());
    page(call, &groups, |group| {
        Project::listed(call, world, group, Some(call.now))
    })
}

/// `GET /orgs/{orgId}/groups`: those whose names begin so, in whatever case. Their tags are of an older kind and always
/// empty.
pub(super) fn of_org(call: &Call<'_>, world: &World, org: &str) -> Result<Response<Bytes>, Refused> {
    if org != ORG {
        return Err(Refused::no_resource(org));
    }
    let prefix = call.query.first("name").unwrap_or_default().to_lowercase();
    let begins = |group: &Index| world.name(*group).to_lowercase().starts_with(&prefix);
    let groups = call.setup.members.among(world, world.listed());
    let groups: Vec<Index> = groups.iter().copied().filter(begins).collect();
    page(call, &groups, |group| Project {
        tags: Vec::new(),
        ..Project::listed(call, world, group, None)
    })
}

/// `GET /groups/{groupId}`.
pub(super) fn one(call: &Call<'_>, world: &World, id: &str) -> Result<Response<Bytes>, Refused> {
    show(
        call,
        world,
        call.setup.members.group(world, id, &call.setup.switches)?,
    )
}

/// `GET /groups/byName/{groupName}`.
pub(super) fn by_name(call: &Call<'_>, world: &World, name: &str) -> Result<Response<Bytes>, Refused> {
    show(call, world, call.setup.members.named(world, name)?)
}

fn show(call: &Call<'_>, world: &World, group: Index) -> Result<Response<Bytes>, Refused> {
    let project = Project::whole(call, world, group, Some(call.now));
    Ok(call.shape()?.one(StatusCode::OK, call.media.clone(), &project))
}

/// A page of a listing, which links to itself with all its parameters.
pub(super) fn page<T: Serialize>(
    call: &Call<'_>,
    all: &[Index],
    view: impl Fn(Index) -> T,
) -> Result<Response<Bytes>, Refused> {
    let page = Page::of(&call.query, call.setup.max_page, call.setup.switches.page_limit)?;
    let shape = call.shape()?;
    let (_, url) = call.urls();
    let this = format!("{url}?{}", page.canonical());
    let list = List {
        links: page.links(this, &url, &call.query, all.len()),
        results: page.part(all).iter().map(|index| view(*index)).collect(),
        total_count: page.total(all.len()),
    };
    Ok(shape.list(call.media.clone(), &list))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::testing::send;
    use super::super::testing::{IDLE, PROJECT, ask, cloud};

    const VERSION: &str = "2023-01-01";

    #[tokio::test]
    async fn a_project_looks_as_recorded() {
        let simulator = cloud("");
        let got = ask(&simulator, "GET", &format!("/groups/{PROJECT}"), VERSION, "").await;
        assert_eq!(
            got.header("content-type"),
            Some("application/vnd.atlas.2023-01-01+json;charset=utf-8")
        );
        let mut project = got.json();
        let links = project["links"].take();
        assert_eq!(
            project.to_string(),
            format!(
                r#"{{"clusterCount":4,"created":"2026-08-10T03:05:15Z","id":"{PROJECT}","links":null,"name":"e2e-proj-939","orgId":"a0123456789abcdef0123456","tags":[{{"key":"env","value":"e2e"}},{{"key":"prod","value":"false"}}],"withDefaultAlertsSettings":true}}"#
            )
        );
        let href = format!("http://cloud.example.com/api/atlas/v2/groups/{PROJECT}");
        assert_eq!(links[0], json!({"href": href, "rel": "self"}));
        let rels = links.as_array().unwrap()[1..]
            .iter()
            .map(|link| link["rel"].as_str().unwrap());
        assert_eq!(
            rels.collect::<Vec<_>>(),
            [
                "containers",
                "clusters",
                "databaseUsers",
                "peers",
                "processes",
                "whitelist"
            ]
            .map(|name| format!("https://cloud.mongodb.com/{name}"))
        );
        assert_eq!(links[6]["href"], format!("{href}/whitelist"));
    }

    #[tokio::test]
    async fn a_list_looks_as_recorded() {
        let got = ask(&cloud(""), "GET", "/groups", VERSION, "").await.json();
        let keys: Vec<_> = got.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["links", "results", "totalCount"]);
        assert_eq!(
            got["links"],
            json!([{
                "href": "http://cloud.example.com/api/atlas/v2/groups?includeCount=true&pageNum=1&itemsPerPage=100",
                "rel": "self",
            }])
        );
        assert_eq!(
            (&got["totalCount"], &got["results"][0]["name"]),
            (&json!(2), &json!("e2e-proj-939"))
        );
        let links = &got["results"][0]["links"];
        assert_eq!(
            links.as_array().unwrap().len(),
            1,
            "a listed project links to itself alone"
        );
        let second = ask(&cloud(""), "GET", "/groups?itemsPerPage=1&pageNum=2", VERSION, "")
            .await
            .json();
        assert_eq!(
            second["links"],
            json!([
                {"href": "http://cloud.example.com/api/atlas/v2/groups?includeCount=true&pageNum=2&itemsPerPage=1", "rel": "self"},
                {"href": "http://cloud.example.com/api/atlas/v2/groups?pageNum=1&itemsPerPage=1", "rel": "previous"},
            ])
        );
    }

    #[tokio::test]
    async fn the_older_listing_has_no_tags() {
        let simulator = cloud("");
        let path = "/orgs/a0123456789abcdef0123456/groups?name=E2E";
        let got = ask(&simulator, "GET", path, VERSION, "").await.json();
        assert_eq!(
            (&got["totalCount"], &got["results"][0]["tags"]),
            (&json!(1), &json!([]))
        );
        assert_eq!(
            ask(&simulator, "GET", "/orgs/x/groups", VERSION, "").await.status,
            404
        );
    }

    #[tokio::test]
    async fn projects_are_found_by_name_and_an_unknown_one_is_refused_as_recorded() {
        let simulator = cloud("");
        let found = ask(&simulator, "GET", "/groups/byName/idle%20one", VERSION, "")
            .await
            .json();
        assert_eq!(found["id"], IDLE);
        let unknown = ask(&simulator, "GET", "/groups/111111111111111111111111", VERSION, "").await;
        assert_eq!(
            unknown.text,
            r#"{"detail":"No group with ID 111111111111111111111111 exists.","error":404,"errorCode":"GROUP_NOT_FOUND","parameters":["111111111111111111111111"],"reason":"Not Found"}"#
        );
        assert_eq!(unknown.header("content-type"), Some("application/json"));
        assert_eq!(unknown.header("x-error-code"), Some("GROUP_NOT_FOUND"));
    }

    #[tokio::test]
    async fn a_version_must_be_asked_for() {
        for (options, status) in [("", 406), ("unversioned=newest", 200)] {
            let target = format!("/api/atlas/v2/groups/{PROJECT}");
            let headers = [("accept", "application/json")];
            let got = send(&cloud(options), "GET", &target, &headers, "").await;
            assert_eq!(got.status, status, "{options}");
        }
    }

    #[tokio::test]
    async fn tags_are_sorted_when_the_switch_says_so() {
        let simulator = cloud("tag-order=sorted");
        let body = r#"{"tags":[{"key":"z","value":"1"},{"key":"a","value":"1"}]}"#;
        let got = ask(&simulator, "PATCH", &format!("/groups/{IDLE}"), VERSION, body)
            .await
            .json();
        let keys = |tags: &Value| {
            tags.as_array()
                .unwrap()
                .iter()
                .map(|tag| tag["key"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&got["tags"]), [json!("a"), json!("z")]);
    }
}
