//! Projects and clusters: `/api/atlas/v2/groups` and what is under it.
//!
//! `PATCH` with a list of tags replaces all that there were, and leaves every other setting alone; its answer is the
//! whole resource as it is then, seen on the wire for projects. `GET /orgs/{id}/groups` is never read: its tags are always
//! empty there (`OrgGroup` of the Atlas specification).

use super::kind::{GROUPS, Kind, Place};
use super::resource::{self, Resource, URL_HINT};
use super::{limits, pairs};
use crate::model::{Call, Effect, Limits, Tag, TagRules, TagSet};
use crate::vendor::contact::Contact;
use crate::vendor::mongodb::judge::{self, Api, Asked};
use crate::vendor::mongodb::listing::{self, Listing};
use crate::vendor::mongodb::{answer, request, whole};
use crate::vendor::request::Target;
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Request, Response, Verdict};

const API: Api = Api {
    url_hint: URL_HINT,
    roles: "projects are read with the role Project Read Only and changed with Project Owner, clusters are changed with \
            Project Cluster Manager: give the API key or service account one of them",
};

/// Atlas. Made by [`super::vendor`].
#[derive(Debug)]
pub(super) struct Resources {
    page_size: usize,
    rules: TagRules,
    contact: Contact,
}

impl Resources {
    pub(super) fn new(page_size: usize) -> Self {
        Self {
            page_size,
            rules: limits::rules(),
            contact: Contact::default(),
        }
    }

    fn page(&self, answer: &Response) -> Result<Page, VendorError> {
        let listing: Listing<Resource> = answer::read(answer, "a page of projects", URL_HINT)?;
        listing.page(self.page_size, Resource::listed)
    }
}

impl Vendor for Resources {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        Ok(limits::of(Kind::named(kind)?, self.page_size))
    }

    fn canonical_id(&self, kind: &str, wanted: &str) -> Result<String, String> {
        let kind = Kind::named(kind).map_err(|error| error.to_string())?;
        kind.place(wanted).map(|place| place.id())
    }

    /// Names are compared as they are: whether letter case tells two projects apart is not documented.
    fn fold_name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError> {
        let (kind, target) = match scope {
            Scope::Kind { kind } => {
                let kind = listed(kind)?;
                let target = Target::new(GROUPS)
                    .query("pageNum", &listing::number(page)?.to_string())
                    .query("itemsPerPage", &self.page_size.to_string())
                    .query("includeCount", "true");
                (kind, target)
            }
            Scope::Ids { kind, ids } => {
                let (kind, place) = only(kind, ids)?;
                (kind, kind.target(&place))
            }
        };
        Ok(request::read(target, kind.read_as()))
    }

    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let (kind, ids) = match scope {
            Scope::Kind { .. } => return self.page(answer),
            Scope::Ids { kind, ids } => (kind, ids),
        };
        let (_, place) = only(kind, ids)?;
        let live = match answer.status {
            400.. => judge::unshown(&place.id(), answer)?,
            _ => Some(resource::read(answer, &place)?.live(place.id())),
        };
        Ok(Page {
            entities: live.into_iter().collect(),
            ..Page::default()
        })
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        let kind = Kind::named(&call.kind)?;
        let (id, whole) = whole::of(call)?;
        let place = kind.place(id).map_err(VendorError::Unsupported)?;
        request::replace(kind.target(&place), kind.written_as(), pairs::write(&whole.tags)?)
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let kind = Kind::named(&call.kind)?;
        let (id, whole) = whole::of(call)?;
        let place = kind.place(id).map_err(VendorError::Unsupported)?;
        let kept = pairs::read(resource::read(answer, &place)?.tags());
        Ok(vec![compared(&whole.tags, kept.as_deref())])
    }

    /// The answer to a change shows what is left.
    fn observe_removals(&self) -> bool {
        false
    }
}

impl Judge for Resources {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        let path = request.target.split('?').next().unwrap_or_default();
        let place = Place::of_path(path);
        let asked = match &place {
            None => Asked::Listing,
            Some(_) if request.method == "GET" => Asked::One,
            Some(_) => Asked::Change,
        };
        let fits = || match &place {
            None => self.page(response).map(drop),
            Some(place) => resource::read(response, place).map(drop),
        };
        judge::judge(&API, &self.contact, asked, response, fits)
    }
}

/// Holds what was sent against what the answer shows.
fn compared(sent: &[Tag], kept: Option<&[Tag]>) -> Effect {
    let Some(kept) = kept else {
        return Effect::Observe("the answer does not show the tags".to_owned());
    };
    let set = |tags: &[Tag]| tags.iter().cloned().collect::<TagSet>();
    if set(sent) == set(kept) {
        return Effect::Done;
    }
    Effect::Observe("the answer shows other tags than were sent".to_owned())
}

/// The kind, if all of it can be listed.
fn listed(kind: &str) -> Result<Kind, VendorError> {
    match Kind::named(kind)? {
        Kind::Project => Ok(Kind::Project),
        Kind::Cluster | Kind::FlexCluster => Err(VendorError::Unsupported(format!(
            "the vendor lists a {kind} under its project alone; name it by identifier, `project/name`"
        ))),
    }
}

/// The one place of a scope, by an identifier in canonical form.
fn only(kind: &str, ids: &[String]) -> Result<(Kind, Place), VendorError> {
    let [id] = ids else {
        return Err(VendorError::Unsupported(format!(
            "{} entities are asked for; one a request can be",
            ids.len()
        )));
    };
    let kind = Kind::named(kind)?;
    let place = kind.place(id).map_err(VendorError::Unsupported)?;
    Ok((kind, place))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{LiveEntity, LiveTag, Provenance, Whole};
    use crate::wire::Purpose;

    const ID: &str = "6a793feb2c88faeba59bd8f6";
    const CLUSTER: &str = "6a793feb2c88faeba59bd8f6/Orders-1";

    fn vendor() -> Resources {
        Resources::new(500)
    }

    fn tag(key: &str, value: &str) -> Tag {
        Tag::new(key, Some(value))
    }

    fn call(kind: &str, id: &str, tags: &[Tag]) -> Call {
        Call {
            kind: kind.to_owned(),
            entities: vec![id.to_owned()],
            add: tags.to_vec(),
            remove: Vec::new(),
            plain_add: false,
            wholes: vec![Whole {
                tags: tags.to_vec(),
                exists: true,
                handle: None,
            }],
        }
    }

    fn kind(kind: &str) -> Scope {
        Scope::Kind {
            kind: kind.to_owned(),
        }
    }

    fn one(kind: &str, id: &str) -> Scope {
        Scope::Ids {
            kind: kind.to_owned(),
            ids: vec![id.to_owned()],
        }
    }

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::from_iter([(
                http::header::CONTENT_TYPE,
                "application/vnd.atlas.2023-01-01+json;charset=utf-8"
                    .parse()
                    .unwrap(),
            )]),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn live(id: &str, name: &str, tags: Option<&[Tag]>) -> LiveEntity {
        let manual = |tag: &Tag| LiveTag {
            tag: tag.clone(),
            provenance: Provenance::Manual,
        };
        LiveEntity {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            tags: tags.map(|tags| tags.iter().map(manual).collect()),
            handle: None,
        }
    }

    #[test]
    fn a_change_is_the_whole_list_of_tags_in_the_newest_version_of_its_route() {
        let versions = |date: &str| format!("application/vnd.atlas.{date}+json");
        for (name, id, path, date) in [
            ("project", ID, "", "2023-01-01"),
            ("cluster", CLUSTER, "/clusters/Orders-1", "2024-10-23"),
            ("flex-cluster", CLUSTER, "/flexClusters/Orders-1", "2024-11-13"),
        ] {
            let request = vendor()
                .encode(&call(name, id, &[tag("env", "e2e"), tag("app", "cli")]))
                .unwrap();
            assert_eq!(request.method, "PATCH");
            assert_eq!(request.target, format!("/api/atlas/v2/groups/{ID}{path}"));
            assert_eq!(request.headers.len(), 2);
            assert_eq!(request.headers["accept"], versions(date));
            assert_eq!(request.headers["content-type"], versions(date));
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let want =
                json!({ "tags": [{ "key": "app", "value": "cli" }, { "key": "env", "value": "e2e" }] });
            assert_eq!(body, want);
            assert_eq!(request.purpose, Purpose::Write);
            assert!(
                !request.idempotent,
                "a late duplicate would wipe what others wrote"
            );
            let cleared = vendor().encode(&call(name, id, &[])).unwrap();
            assert_eq!(cleared.body, r#"{"tags":[]}"#);
        }
    }

    #[test]
    fn calls_that_can_not_be_meant_are_refused_and_told() {
        let two = [tag("env", "dev"), tag("env", "prod")];
        for (call, names) in [
            (call("project", ID, &two), "`env` would have `dev` and `prod`"),
            (call("project", CLUSTER, &[]), "24 hexadecimal digits"),
            (call("cluster", ID, &[]), "one is project and name"),
            (call("HOST", ID, &[]), "kind `HOST` bears no tags"),
            (
                Call {
                    wholes: vec![],
                    ..call("project", ID, &[])
                },
                "1 entities with 0 sets",
            ),
        ] {
            let error = vendor().encode(&call).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn projects_are_listed_and_everything_is_asked_for_one_by_one() {
        let page = Cursor("2".to_owned());
        for (scope, page, path, date) in [
            (
                kind("project"),
                None,
                "?pageNum=1&itemsPerPage=500&includeCount=true",
                "2023-01-01",
            ),
            (
                kind("group"),
                Some(&page),
                "?pageNum=2&itemsPerPage=500&includeCount=true",
                "2023-01-01",
            ),
            (
                one("project", ID),
                None,
                "/6a793feb2c88faeba59bd8f6",
                "2023-01-01",
            ),
            (
                one("cluster", CLUSTER),
                None,
                "/6a793feb2c88faeba59bd8f6/clusters/Orders-1",
                "2024-08-05",
            ),
            (
                one("flex-cluster", CLUSTER),
                None,
                "/6a793feb2c88faeba59bd8f6/flexClusters/Orders-1",
                "2024-11-13",
            ),
        ] {
            let request = vendor().observe(&scope, page).unwrap();
            let want = format!("/api/atlas/v2/groups{path}");
            assert_eq!((request.method.as_str(), request.target), ("GET", want));
            assert_eq!((request.purpose, request.idempotent), (Purpose::Observe, true));
            assert_eq!(
                request.headers["accept"],
                format!("application/vnd.atlas.{date}+json")
            );
        }
        for scope in [
            kind("cluster"),
            kind("flex-cluster"),
            kind("HOST"),
            one("project", "x?y"),
        ] {
            assert!(vendor().observe(&scope, None).is_err(), "{scope:?}");
        }
    }

    /// Recorded from Atlas (end-to-end snapshots of mongodb-atlas-cli), shortened.
    const PROJECT: &str = r#"{"clusterCount":0,"created":"2026-08-10T03:05:16Z","id":"6a793feb2c88faeba59bd8f6",
        "links":[{"href":"http://localhost:8080/api/atlas/v2/groups/6a793feb2c88faeba59bd8f6","rel":"self"}],
        "name":"e2e-proj-939","orgId":"a0123456789abcdef012345a",
        "tags":[{"key":"env","value":"e2e"},{"key":"prod","value":"false"}],"withDefaultAlertsSettings":true}"#;

    #[test]
    fn a_recorded_project_is_read() {
        let request = vendor().observe(&one("project", ID), None).unwrap();
        let answer = answer(200, PROJECT);
        assert_eq!(vendor().judge(&request, &answer), Verdict::Accept);
        let page = vendor().observed(&one("project", ID), &answer).unwrap();
        let tags = [tag("env", "e2e"), tag("prod", "false")];
        assert_eq!(page.entities, [live(ID, "e2e-proj-939", Some(&tags))]);
        assert_eq!((page.next, page.total), (None, None));
    }

    #[test]
    fn a_recorded_listing_is_read() {
        let body = r#"{"links":[{"href":"http://localhost:8080/api/atlas/v2/groups?includeCount=true&pageNum=1&itemsPerPage=100","rel":"self"}],
            "results":[{"clusterCount":5,"created":"2020-07-02T09:19:46Z","id":"b0123456789abcdef012345b",
            "links":[],"name":"Atlas CLI E2E","orgId":"a0123456789abcdef012345a","tags":[]},
            {"id":"6a793feb2c88faeba59bd8f6","name":"accessList-e2e-149"}],"totalCount":2}"#;
        let request = vendor().observe(&kind("project"), None).unwrap();
        assert_eq!(vendor().judge(&request, &answer(200, body)), Verdict::Accept);
        let page = vendor().observed(&kind("project"), &answer(200, body)).unwrap();
        let want = Page {
            entities: vec![
                live("b0123456789abcdef012345b", "Atlas CLI E2E", Some(&[])),
                live(ID, "accessList-e2e-149", None),
            ],
            next: None,
            total: Some(2),
            page_size: None,
        };
        assert_eq!(page, want);
    }

    #[test]
    fn an_answer_is_taken_only_from_what_was_asked_for() {
        let cluster =
            |more: &str| format!(r#"{{"id":"32b6e34b3d91647abb20e7b8","paused":false{more},"tags":[]}}"#);
        for (kind, id, body, fits) in [
            ("project", ID, PROJECT.to_owned(), true),
            ("project", "b0123456789abcdef012345b", PROJECT.to_owned(), false),
            (
                "project",
                ID,
                r#"{"name":"e2e-proj-939","tags":[]}"#.to_owned(),
                false,
            ),
            (
                "cluster",
                CLUSTER,
                cluster(r#","name":"Orders-1","groupId":"6A793FEB2C88FAEBA59BD8F6""#),
                true,
            ),
            ("flex-cluster", CLUSTER, cluster(r#","name":"orders-1""#), true),
            ("cluster", CLUSTER, cluster(r#","name":"Orders-2""#), false),
            (
                "cluster",
                CLUSTER,
                cluster(r#","name":"Orders-1","groupId":"b0123456789abcdef012345b""#),
                false,
            ),
            ("cluster", CLUSTER, cluster(""), false),
            ("cluster", CLUSTER, String::new(), false),
            ("cluster", CLUSTER, "[]".to_owned(), false),
        ] {
            let answer = answer(200, &body);
            let read = vendor().observe(&one(kind, id), None).unwrap();
            let change = call(kind, id, &[]);
            assert_eq!(vendor().judge(&read, &answer) == Verdict::Accept, fits, "{body}");
            match vendor().judge(&vendor().encode(&change).unwrap(), &answer) {
                Verdict::Accept => assert!(fits, "{body}"),
                Verdict::Unknown { .. } => assert!(!fits, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
            match vendor().observed(&one(kind, id), &answer) {
                Ok(page) => assert_eq!((page.entities[0].id.as_str(), fits), (id, true), "{body}"),
                Err(_) => assert!(!fits, "{body}"),
            }
            assert_eq!(vendor().decode(&change, &answer).is_ok(), fits, "{body}");
        }
    }

    #[test]
    fn a_change_is_done_when_the_answer_shows_exactly_what_was_sent() {
        let call = call("project", ID, &[tag("app", "cli"), tag("env", "e2e")]);
        for (tags, want) in [
            (
                json!([{ "key": "env", "value": "e2e" }, { "key": "app", "value": "cli" }]),
                None,
            ),
            (
                json!([{ "key": "env", "value": "e2e" }]),
                Some("other tags than were sent"),
            ),
            (
                json!([{ "key": "ENV", "value": "e2e" }, { "key": "app", "value": "cli" }]),
                Some("other tags"),
            ),
            (json!([]), Some("other tags than were sent")),
            (json!(null), Some("does not show the tags")),
        ] {
            let body = json!({ "id": ID, "name": "e2e-proj-939-updated", "tags": tags });
            let effects = vendor().decode(&call, &answer(200, &body.to_string())).unwrap();
            match (effects.as_slice(), want) {
                ([Effect::Done], None) => {}
                ([Effect::Observe(why)], Some(want)) => assert!(why.contains(want), "{why}"),
                (effects, _) => panic!("{tags}: {effects:?}"),
            }
        }
    }

    #[test]
    fn what_is_not_there_or_not_shown_is_a_row_s_business() {
        let read = vendor().observe(&one("cluster", CLUSTER), None).unwrap();
        let change = vendor().encode(&call("cluster", CLUSTER, &[])).unwrap();
        for (status, code, entities, class) in [
            (404, "CLUSTER_NOT_FOUND", 0, "missing"),
            (404, "GROUP_NOT_FOUND", 0, "missing"),
            (400, "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API", 0, "missing"),
            (403, "USER_UNAUTHORIZED", 1, "refused"),
            (401, "USER_UNAUTHORIZED", 1, "refused"),
        ] {
            let answer = answer(status, &json!({ "error": status, "errorCode": code }).to_string());
            assert_eq!(vendor().judge(&read, &answer), Verdict::Accept, "{code}");
            let page = vendor().observed(&one("cluster", CLUSTER), &answer).unwrap();
            assert_eq!(page.entities.len(), entities, "{code}");
            assert!(
                page.entities
                    .iter()
                    .all(|live| live.id == CLUSTER && live.tags.is_none())
            );
            let Verdict::Refuse { class: told, .. } = vendor().judge(&change, &answer) else {
                panic!("{code} is not refused")
            };
            assert_eq!(told, class, "{code}");
        }
    }

    #[test]
    fn names_keep_their_case_and_identifiers_of_projects_do_not() {
        assert_ne!(vendor().fold_name("Orders"), vendor().fold_name("orders"));
        let upper = CLUSTER.replace(ID, &ID.to_ascii_uppercase());
        assert_eq!(vendor().canonical_id("cluster", &upper).as_deref(), Ok(CLUSTER));
        assert!(vendor().canonical_id("HOST", ID).is_err());
    }

    proptest! {
        /// Whatever tags there are, a change that adds one sends all of them back as they were.
        #[test]
        fn tags_of_others_survive_a_change(tags in proptest::collection::btree_map("(?s).{0,20}", "(?s).{0,20}", 0..8)) {
            let pairs = |tags: &std::collections::BTreeMap<String, String>| {
                let pair = |(key, value)| json!({ "key": key, "value": value });
                tags.iter().map(pair).collect::<Value>()
            };
            let body = json!({ "id": ID, "tags": pairs(&tags) });
            let page = vendor().observed(&one("project", ID), &answer(200, &body.to_string())).unwrap();
            let mut carried = page.entities[0].clone().carried().unwrap();
            carried.retain(|tag| tag.key != "new");
            carried.insert(tag("new", "tag"));
            let request = vendor().encode(&call("project", ID, &Vec::from_iter(carried))).unwrap();
            let mut want = tags;
            want.insert("new".to_owned(), "tag".to_owned());
            let sent: Value = serde_json::from_slice(&request.body).unwrap();
            prop_assert_eq!(sent, json!({ "tags": pairs(&want) }));
        }

        #[test]
        fn whatever_comes_nothing_panics_and_garbage_is_never_a_done_change(
            status in 100u16..700,
            body in "(?s).{0,60}|\\{\"(id|results|error|tags|links|name)\":(\\[\\]|7|null|\"x\"|\\{\\})\\}",
        ) {
            let answer = answer(status, &body);
            let call = call("cluster", CLUSTER, &[]);
            for scope in [kind("project"), one("project", ID), one("cluster", CLUSTER)] {
                let request = vendor().observe(&scope, None).unwrap();
                let accepted = vendor().judge(&request, &answer) == Verdict::Accept;
                prop_assert!(vendor().observed(&scope, &answer).is_ok() || !accepted);
            }
            prop_assert_ne!(vendor().judge(&vendor().encode(&call).unwrap(), &answer), Verdict::Accept);
            prop_assert!(vendor().decode(&call, &answer).is_err());
        }
    }
}
