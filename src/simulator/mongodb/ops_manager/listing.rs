//! `GET`: pages of groups, and one group.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::super::answer::List;
use super::super::call::Call;
use super::super::object_id::ObjectId;
use super::super::paging::Page;
use super::super::refused::{JSON, Refused};
use super::super::switches::TagFilter;
use super::super::world::{Index, ORG, World};
use super::view::{AGENT_KEY, View};

/// `GET /groups`: those that the caller is in, perhaps only those with some tags.
pub(super) fn all(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    let groups = call.setup.members.among(world, world.listed());
    let tags: Vec<&str> = call.query.all("tag").collect();
    if tags.is_empty() {
        return page(call, world, &groups);
    }
    let carries = |group: Index, tag: &str| world.shown(group, call.now).any(|(key, _)| key == tag);
    let wanted = |group: &Index| match call.setup.switches.tag_filter {
        TagFilter::And => tags.iter().all(|tag| carries(*group, tag)),
        TagFilter::Or => tags.iter().any(|tag| carries(*group, tag)),
    };
    let groups: Vec<Index> = groups.iter().copied().filter(wanted).collect();
    page(call, world, &groups)
}

/// `GET /orgs/{id}/groups`: those whose names begin so, in whatever case.
pub(super) fn of_org(call: &Call<'_>, world: &World, org: &str) -> Result<Response<Bytes>, Refused> {
    if org != ORG {
        return Err(Refused::no_resource(org));
    }
    let groups = call.setup.members.among(world, world.listed());
    let Some(prefix) = call.query.first("name") else {
        return page(call, world, &groups);
    };
    let prefix = prefix.to_lowercase();
    let begins = |group: &Index| world.name(*group).to_lowercase().starts_with(&prefix);
    let groups: Vec<Index> = groups.iter().copied().filter(begins).collect();
    page(call, world, &groups)
}

fn page(call: &Call<'_>, world: &World, groups: &[Index]) -> Result<Response<Bytes>, Refused> {
    let page = Page::of(&call.query, call.setup.max_page, call.setup.switches.page_limit)?;
    let shape = call.shape()?;
    let view = View::of(call, Some(call.now));
    let (this, url) = call.urls();
    let list = List {
        links: page.links(this, &url, &call.query, groups.len()),
        results: page
            .part(groups)
            .iter()
            .map(|group| view.listed(world, *group))
            .collect(),
        total_count: page.total(groups.len()),
    };
    Ok(shape.list(JSON, &list))
}

/// `GET /groups/{id}`.
pub(super) fn one(call: &Call<'_>, world: &World, id: &str) -> Result<Response<Bytes>, Refused> {
    show(
        call,
        world,
        call.setup.members.group(world, id, &call.setup.switches)?,
    )
}

/// `GET /groups/byName/{name}`.
pub(super) fn by_name(call: &Call<'_>, world: &World, name: &str) -> Result<Response<Bytes>, Refused> {
    show(call, world, call.setup.members.named(world, name)?)
}

/// `GET /groups/byAgentApiKey/{key}`. The key is in no text of a refusal.
pub(super) fn by_agent_key(call: &Call<'_>, world: &World, key: &str) -> Result<Response<Bytes>, Refused> {
    let id = key
        .strip_prefix(AGENT_KEY)
        .filter(|id| ObjectId::parse(id).is_some());
    let group = id.and_then(|id| call.setup.members.group(world, id, &call.setup.switches).ok());
    let detail = "No group exists with the specified agent API key.";
    show(
        call,
        world,
        group.ok_or_else(|| Refused::new(404, "GROUP_API_KEY_NOT_FOUND", detail))?,
    )
}

fn show(call: &Call<'_>, world: &World, group: Index) -> Result<Response<Bytes>, Refused> {
    let view = View::of(call, Some(call.now));
    Ok(call.shape()?.one(StatusCode::OK, JSON, &view.whole(world, group)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::super::spec::Spec;
    use super::super::super::switches::Switches;
    use super::super::api::{Installation, OpsManager};
    use super::super::tags::checked;
    use super::super::testing::{API, BANK, SHOP, ask, installation, patch};
    use super::*;

    #[tokio::test]
    async fn a_list_has_pages_with_links() {
        let simulator = installation("");
        let names = |body: &Value| {
            let results = body["results"].as_array().unwrap();
            results
                .iter()
                .map(|group| group["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let all = ask(&simulator, "GET", "/groups", "").await.json();
        assert_eq!(names(&all), ["Idle / one", "bank", "shop"]);
        assert_eq!(all["totalCount"], 3);
        let this = format!("http://ops.example.com:8080{API}/groups");
        assert_eq!(all["links"], json!([{"href": this, "rel": "self"}]));
        let second = ask(
            &simulator,
            "GET",
            "/groups?pageNum=2&itemsPerPage=1&includeCount=false",
            "",
        )
        .await
        .json();
        assert_eq!(
            (names(&second), second.get("totalCount")),
            (vec!["bank".to_owned()], None)
        );
        assert_eq!(
            second["links"],
            json!([
                {"href": format!("{this}?pageNum=2&itemsPerPage=1&includeCount=false"), "rel": "self"},
                {"href": format!("{this}?includeCount=false&pageNum=1&itemsPerPage=1"), "rel": "previous"},
                {"href": format!("{this}?includeCount=false&pageNum=3&itemsPerPage=1"), "rel": "next"},
            ])
        );
        let beyond = ask(&simulator, "GET", "/groups?pageNum=9", "").await;
        assert_eq!((beyond.status, &beyond.json()["results"]), (200, &json!([])));
        for (query, status) in [
            ("pageNum=0", 400),
            ("itemsPerPage=x", 400),
            ("itemsPerPage=501", 200),
        ] {
            assert_eq!(
                ask(&simulator, "GET", &format!("/groups?{query}"), "")
                    .await
                    .status,
                status,
                "{query}"
            );
        }
        let small = installation("max-page=2&page-limit=400");
        let got = ask(&small, "GET", "/groups?itemsPerPage=3", "").await;
        assert_eq!(got.error(), (400, "INVALID_QUERY_PARAMETER".to_owned()));
        assert_eq!(names(&ask(&small, "GET", "/groups", "").await.json()).len(), 2);
    }

    #[tokio::test]
    async fn groups_are_listed_by_their_tags() {
        for (options, query, want) in [
            ("", "tag=PROD", 2),
            ("", "tag=PROD&tag=EU", 1),
            ("tag-filter=or", "tag=PROD&tag=EU", 2),
            ("", "tag=prod", 0),
        ] {
            let got = ask(&installation(options), "GET", &format!("/groups?{query}"), "")
                .await
                .json();
            assert_eq!(got["totalCount"], want, "{options} {query}");
        }
    }

    #[tokio::test]
    async fn groups_are_found_by_name_key_and_organization() {
        let simulator = installation("");
        for (path, want) in [
            ("/groups/byName/shop", Ok("shop")),
            ("/groups/byName/Idle%20%2F%20one", Ok("Idle / one")),
            ("/groups/byName/Shop", Err((404, "GROUP_NAME_NOT_FOUND"))),
            (
                "/groups/byAgentApiKey/canary-agent-api-key-5c8100bcf2a30b12ff882590",
                Ok("bank"),
            ),
            ("/groups/byAgentApiKey/x", Err((404, "GROUP_API_KEY_NOT_FOUND"))),
        ] {
            let got = ask(&simulator, "GET", path, "").await;
            let error = got.error();
            let body = got.json();
            let found = body["name"].as_str().ok_or((error.0, &*error.1));
            assert_eq!(found, want, "{path}");
        }
        for (query, want) in [("", 3), ("?name=S", 1), ("?name=shopping", 0), ("?name=", 3)] {
            let path = format!("/orgs/a0123456789abcdef0123456/groups{query}");
            assert_eq!(
                ask(&simulator, "GET", &path, "").await.json()["totalCount"],
                want,
                "{query}"
            );
        }
        let unknown = ask(&simulator, "GET", "/orgs/nobody/groups", "").await;
        assert_eq!(unknown.error(), (404, "RESOURCE_NOT_FOUND".to_owned()));
    }

    #[tokio::test]
    async fn namesakes_are_a_conflict() {
        let simulator = installation("");
        let same = "/groups/byName/twin";
        assert_eq!(ask(&simulator, "GET", same, "").await.status, 404);
        let spec = Spec::from_url("simulator:", std::path::Path::new("")).unwrap();
        let twins = OpsManager::with(&spec, |_| {
            Installation::with(&spec, |world| {
                for number in 1..3 {
                    world.insert_group(ObjectId::of(number), "twin");
                }
                Ok(())
            })
        });
        let got = ask(&twins.unwrap(), "GET", same, "").await;
        assert_eq!(got.error(), (409, "MULTIPLE_GROUPS".to_owned()));
    }

    #[tokio::test]
    async fn who_is_not_in_a_group_does_not_see_it() {
        let simulator = installation(&format!("missing-scopes=group:{SHOP}"));
        assert_eq!(
            patch(&simulator, SHOP, r#"{"tags":[]}"#).await.error(),
            (401, "NOT_IN_GROUP".to_owned())
        );
        assert_eq!(
            ask(&simulator, "GET", "/groups", "").await.json()["totalCount"],
            2
        );
        assert_eq!(
            ask(&simulator, "GET", "/groups/byName/shop", "").await.status,
            404
        );
        assert_eq!(patch(&simulator, BANK, r#"{"tags":[]}"#).await.status, 200);
    }

    #[tokio::test]
    async fn an_answer_is_enveloped_and_pretty_when_asked_for() {
        let simulator = installation("");
        let got = ask(
            &simulator,
            "GET",
            &format!("/groups/{SHOP}?envelope=true&pretty=true"),
            "",
        )
        .await;
        assert!(
            got.text
                .starts_with("{\n  \"status\" : 200,\n  \"content\" : {\n"),
            "{}",
            got.text
        );
        assert_eq!(got.json()["content"]["name"], "shop");
        let list = ask(&simulator, "GET", "/groups?envelope=true", "").await.json();
        assert_eq!((&list["status"], &list["totalCount"]), (&json!(200), &json!(3)));
        let old = ask(
            &installation("envelope-field=envelope"),
            "GET",
            &format!("/groups/{SHOP}?envelope=true"),
            "",
        )
        .await;
        assert_eq!(old.json()["envelope"]["name"], "shop");
    }

    #[tokio::test]
    async fn a_generated_installation_has_legal_tags_and_pages_quickly() {
        let spec = Spec::from_url("simulator:?entities=20000&seed=7", std::path::Path::new("")).unwrap();
        let simulator = OpsManager::open(&spec).unwrap();
        let mut tagged = 0;
        for page in 1..=40 {
            let path = format!("/groups?pageNum={page}&itemsPerPage=500");
            let got = ask(&simulator, "GET", &path, "").await.json();
            let results = got["results"].as_array().unwrap();
            assert_eq!((results.len(), &got["totalCount"]), (500, &json!(20_000)));
            for group in results {
                let tags = group["tags"].as_array().unwrap();
                checked(tags, &Switches::default()).unwrap();
                tagged += usize::from(!tags.is_empty());
            }
        }
        assert!((10_000..20_000).contains(&tagged), "{tagged}");
    }
}
