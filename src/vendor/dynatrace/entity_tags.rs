//! Entity tags: the Topology and Smartscape API, `/api/v1/entity/…`, for tokens that can do no more.
//!
//! Tags are plain strings, a call names one entity, and only hosts can lose a tag. Deprecated since 1.263
//! (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/topology-and-smartscape>).

use http::HeaderMap;
use serde::Serialize;

use super::answer::{self, EntityV1, MeTag, Shape};
use super::complaint::complaint;
use super::entity_id;
use super::joined::{read, write};
use super::judge::{self, Case, NotFound};
use super::limits;
use crate::model::{Call, Effect, Limits, LiveEntity, TagRules, TagSet};
use crate::vendor::contact::Contact;
use crate::vendor::request::Target;
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Request, Response, Verdict};

/// The words of `relativeTime`.
pub(super) const FRAMES: [&str; 10] = [
    "min", "5mins", "10mins", "15mins", "30mins", "hour", "2hours", "6hours", "day", "3days",
];

/// The media type of the documentation's example.
const JSON: &str = "application/json";

/// The kinds that bear tags here, and their routes. Mobile applications share the route of web applications.
const ROUTES: [(&str, &str); 5] = [
    ("HOST", "/api/v1/entity/infrastructure/hosts"),
    ("PROCESS_GROUP", "/api/v1/entity/infrastructure/process-groups"),
    ("SERVICE", "/api/v1/entity/services"),
    ("APPLICATION", "/api/v1/entity/applications"),
    ("MOBILE_APPLICATION", "/api/v1/entity/applications"),
];

/// Dynatrace by its v1 API. Made by [`super::vendor`].
#[derive(Debug)]
pub struct EntityTags {
    frame: String,
    page_size: usize,
    id_chars: usize,
    rules: TagRules,
    contact: Contact,
}

impl EntityTags {
    pub(super) fn new(frame: &str, join: Option<&str>, page_size: usize, id_chars: usize) -> Self {
        Self {
            frame: frame.to_owned(),
            page_size,
            id_chars,
            rules: limits::rules_of_entity_tags(join),
            contact: Contact::default(),
        }
    }

    fn live(&self, entity: EntityV1) -> LiveEntity {
        let EntityV1 {
            entity_id,
            display_name,
            discovered_name,
            tags,
        } = entity;
        let join = self.rules.join.as_deref();
        LiveEntity {
            id: entity_id.to_ascii_uppercase(),
            name: display_name.or(discovered_name),
            tags: Some(
                tags.into_iter()
                    .filter_map(MeTag::contextless)
                    .filter_map(|tag| read(tag, join))
                    .collect(),
            ),
            handle: None,
        }
    }
}

impl Vendor for EntityTags {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        route(kind)?;
        Ok(limits::of_entity_tags(kind, self.page_size, self.id_chars))
    }

    fn canonical_id(&self, kind: &str, wanted: &str) -> Result<String, String> {
        entity_id::canonical(kind, wanted)
    }

    fn fold_name(&self, name: &str) -> String {
        name.to_lowercase()
    }

    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError> {
        let kind = kind_of(scope);
        let mut target = Target::new(route(kind)?)
            .query("relativeTime", &self.frame)
            .query("pageSize", &self.page_size.to_string());
        if let Scope::Ids { kind, ids } = scope {
            entity_id::check_ids(kind, ids)?;
            target = ids.iter().fold(target, |target, id| target.query("entity", id));
        }
        if let Some(Cursor(key)) = page {
            // Unlike v2, all other parameters have to stay.
            target = target.query("nextPageKey", key);
        }
        Ok(target.read())
    }

    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let listed: Vec<EntityV1> = answer::read(answer, "a list of entities")?;
        let prefix = format!("{}-", kind_of(scope).to_ascii_uppercase());
        let entities = listed.into_iter().map(|entity| self.live(entity));
        Ok(Page {
            // One route lists web and mobile applications.
            entities: entities.filter(|entity| entity.id.starts_with(&prefix)).collect(),
            next: header(&answer.headers, "next-page-key").map(Cursor),
            // `Total-Count` is an estimate, and counts what was just left out.
            total: None,
            page_size: header(&answer.headers, "page-size").and_then(|size| size.parse().ok()),
        })
    }

    /// Nothing here tells manual tags from those of rules; a tag that a rule makes is found when its removal
    /// shows no effect.
    fn ask_manual(&self, _kind: &str, _ids: &[String]) -> Option<Result<Request, VendorError>> {
        None
    }

    fn read_manual(&self, _answer: &Response) -> Result<TagSet, VendorError> {
        Err(VendorError::Unsupported(
            "the v1 API does not list manual tags; use `api = \"v2\"`".to_owned(),
        ))
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        let Call {
            kind,
            entities,
            add,
            remove,
            plain_add: _,
            wholes: _,
        } = call;
        let path = route(kind)?;
        entity_id::check_ids(kind, entities)?;
        let [id] = entities.as_slice() else {
            return unsupported(format!(
                "a call names {} entities; v1 takes one a call",
                entities.len()
            ));
        };
        let target = Target::new(path).segment(id);
        let join = self.rules.join.as_deref();
        match (add.as_slice(), remove.as_slice()) {
            ([_, ..], []) => {
                let tags = add.iter().map(|tag| write(tag, join)).collect::<Result<_, _>>()?;
                target.post(JSON, &UpdateEntity { tags })
            }
            ([], [tag]) if kind.eq_ignore_ascii_case("HOST") => delete(target, &write(tag, join)?),
            ([], [_]) => unsupported(format!(
                "v1 removes tags from hosts alone, not from a {kind}; use `api = \"v2\"`"
            )),
            _ => unsupported(format!(
                "a call adds {} tags and removes {}; v1 adds tags, or removes one a call",
                add.len(),
                remove.len()
            )),
        }
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let effect = if call.remove.is_empty() {
            Effect::Done
        } else if answer.status >= 400 {
            Effect::Observe(format!(
                "{}; a removal counts once it is seen gone",
                complaint(answer)
            ))
        } else {
            Effect::Observe("a removal counts once it is seen gone".to_owned())
        };
        Ok(vec![effect; call.entities.len()])
    }

    fn observe_removals(&self) -> bool {
        true
    }
}

impl Judge for EntityTags {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        let (shape, not_found) = match request.method.as_str() {
            "GET" => (Shape::Array, NotFound::Route),
            "DELETE" => (Shape::Nothing, NotFound::Removed),
            _ => (Shape::Nothing, NotFound::Entity),
        };
        let case = Case {
            shape,
            not_found,
            scopes: "the scope DataExport",
        };
        judge::judge(case, &self.contact, request, response)
    }

    fn correlation(&self) -> &'static [&'static str] {
        judge::CORRELATION
    }
}

/// The body of a `POST`.
#[derive(Serialize)]
struct UpdateEntity {
    tags: Vec<String>,
}

fn delete(target: Target, tag: &str) -> Result<Request, VendorError> {
    if matches!(tag, "." | "..") {
        // Encoded or not, URLs drop such a segment, and the request would mean another resource.
        return unsupported(format!(
            "tag `{tag}` can't be named in a path; remove it with `api = \"v2\"`"
        ));
    }
    Ok(target.segment("tags").segment(tag).delete())
}

fn kind_of(scope: &Scope) -> &str {
    match scope {
        Scope::Kind { kind } | Scope::Ids { kind, .. } => kind,
    }
}

fn route(kind: &str) -> Result<&'static str, VendorError> {
    let found = ROUTES.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind));
    found.map(|(_, route)| *route).ok_or_else(|| {
        let kinds: Vec<&str> = ROUTES.iter().map(|(kind, _)| *kind).collect();
        VendorError::Unsupported(format!(
            "kind `{}` bears no tags through v1, which knows {}; use `api = \"v2\"`",
            kind.escape_debug(),
            kinds.join(", ")
        ))
    })
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)?
        .to_str()
        .ok()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn unsupported<T>(why: String) -> Result<T, VendorError> {
    Err(VendorError::Unsupported(why))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::{LiveTag, Provenance, Tag};
    use crate::wire::{Purpose, RetryKind};

    fn vendor(join: Option<&str>) -> EntityTags {
        EntityTags::new("3days", join, 500, 1_900)
    }

    fn call(kind: &str, entities: &[&str], add: &[Tag], remove: &[Tag]) -> Call {
        Call {
            kind: kind.to_owned(),
            entities: entities.iter().map(|&id| id.to_owned()).collect(),
            add: add.to_vec(),
            remove: remove.to_vec(),
            plain_add: false,
            wholes: Vec::new(),
        }
    }

    fn plain(key: &str) -> Tag {
        Tag::new(key, None::<String>)
    }

    fn pair(key: &str, value: &str) -> Tag {
        Tag::new(key, Some(value))
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Response {
            status,
            headers: headers.collect(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn ids(kind: &str, ids: &[&str]) -> Scope {
        Scope::Ids {
            kind: kind.to_owned(),
            ids: ids.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn of_kind(kind: &str) -> Scope {
        Scope::Kind {
            kind: kind.to_owned(),
        }
    }

    #[test]
    fn the_documented_example_is_made_exactly() {
        // https://www.dynatrace.com/docs/dynatrace-api/environment-api/topology-and-smartscape/process-groups-api/post-tags
        let call = call(
            "PROCESS_GROUP",
            &["PROCESS_GROUP-E5C3CC7EC1F80B5B"],
            &[plain("PHP")],
            &[],
        );
        let request = vendor(None).encode(&call).unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(
            request.target,
            "/api/v1/entity/infrastructure/process-groups/PROCESS_GROUP-E5C3CC7EC1F80B5B"
        );
        assert_eq!(request.headers.len(), 1);
        assert_eq!(request.headers["content-type"], "application/json");
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body, serde_json::json!({ "tags": ["PHP"] }));
        assert_eq!((request.purpose, request.idempotent), (Purpose::Write, true));
        let answer = answer(204, &[], "");
        assert_eq!(vendor(None).judge(&request, &answer), Verdict::Accept);
        assert_eq!(vendor(None).decode(&call, &answer).unwrap(), [Effect::Done]);
    }

    #[test]
    fn each_kind_has_its_route_and_its_removals() {
        let vendor = vendor(Some("."));
        for (kind, path, removes) in [
            ("HOST", "/api/v1/entity/infrastructure/hosts", 1),
            ("PROCESS_GROUP", "/api/v1/entity/infrastructure/process-groups", 0),
            ("SERVICE", "/api/v1/entity/services", 0),
            ("APPLICATION", "/api/v1/entity/applications", 0),
            ("MOBILE_APPLICATION", "/api/v1/entity/applications", 0),
        ] {
            let limits = vendor.limits(kind).unwrap();
            assert_eq!((limits.entities_a_call(21), limits.removes), (1, removes));
            let id = format!("{kind}-1");
            let request = vendor
                .encode(&call(kind, &[&id], &[pair("env", "prod"), plain("x")], &[]))
                .unwrap();
            assert_eq!(request.target, format!("{path}/{id}"));
            assert_eq!(request.body, r#"{"tags":["env.prod","x"]}"#);
            let removal = vendor.encode(&call(kind, &[&id], &[], &[plain("x")]));
            assert_eq!(removal.is_ok(), removes == 1, "{kind}");
        }
        for kind in ["PROCESS_GROUP_INSTANCE", "CUSTOM_DEVICE", "HTTP_CHECK", ""] {
            let error = vendor.limits(kind).unwrap_err().to_string();
            assert!(error.contains("use `api = \"v2\"`"), "{error}");
            assert!(vendor.observe(&of_kind(kind), None).is_err());
        }
    }

    #[test]
    fn removals_name_the_tag_as_one_path_segment() {
        for (tag, segment) in [
            (plain("REST-test"), "REST-test"),
            (pair("env", "prod"), "env.prod"),
            (plain("a/b"), "a%2Fb"),
            (plain("a:b"), "a%3Ab"),
            (plain("a b"), "a%20b"),
            (plain("100%"), "100%25"),
            (plain("who?"), "who%3F"),
            (plain("Grüße"), "Gr%C3%BC%C3%9Fe"),
            (plain("..."), "..."),
        ] {
            let join = tag.value.is_some().then_some(".");
            let request = vendor(join)
                .encode(&call("HOST", &["HOST-1"], &[], &[tag]))
                .unwrap();
            assert_eq!(request.method, "DELETE");
            assert_eq!(
                request.target,
                format!("/api/v1/entity/infrastructure/hosts/HOST-1/tags/{segment}")
            );
            assert!(request.headers.is_empty() && request.body.is_empty() && request.idempotent);
        }
    }

    #[test]
    fn calls_that_v1_cannot_say_are_refused_and_told() {
        for (join, call, names) in [
            (
                None,
                call("HOST", &["HOST-1"], &[], &[plain(".")]),
                "can't be named in a path",
            ),
            (
                None,
                call("HOST", &["HOST-1"], &[], &[plain("..")]),
                "can't be named in a path",
            ),
            (
                None,
                call("HOST", &["HOST-1"], &[pair("a", "b")], &[]),
                "give a `join`",
            ),
            (
                Some("--"),
                call("HOST", &["HOST-1"], &[pair("a-", "b")], &[]),
                "read back otherwise",
            ),
            (
                Some("."),
                call("HOST", &["HOST-1"], &[pair("", "b")], &[]),
                "read back otherwise",
            ),
            (
                None,
                call("HOST", &["HOST-1", "HOST-2"], &[plain("a")], &[]),
                "names 2 entities",
            ),
            (None, call("HOST", &[], &[plain("a")], &[]), "names no entity"),
            (
                None,
                call("HOST", &["SERVICE-1"], &[plain("a")], &[]),
                "not a HOST",
            ),
            (
                None,
                call("HOST", &["HOST-1"], &[plain("a")], &[plain("b")]),
                "adds 1 tags and removes 1",
            ),
            (
                None,
                call("HOST", &["HOST-1"], &[], &[plain("a"), plain("b")]),
                "removes 2",
            ),
            (None, call("HOST", &["HOST-1"], &[], &[]), "adds 0"),
            (
                None,
                call("SERVICE", &["SERVICE-1"], &[], &[plain("a")]),
                "from hosts alone",
            ),
            (
                None,
                call("PROCESS", &["PROCESS-1"], &[plain("a")], &[]),
                "bears no tags",
            ),
        ] {
            let error = vendor(join).encode(&call).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn observing_keeps_every_parameter_on_the_next_page() {
        let hosts = "/api/v1/entity/infrastructure/hosts?relativeTime=3days&pageSize=500";
        let next = Cursor("AAA+/= &".to_owned());
        for (scope, page, want) in [
            (of_kind("HOST"), None, hosts.to_owned()),
            (
                of_kind("HOST"),
                Some(&next),
                format!("{hosts}&nextPageKey=AAA%2B%2F%3D%20%26"),
            ),
            (
                ids("HOST", &["HOST-1", "HOST-2"]),
                None,
                format!("{hosts}&entity=HOST-1&entity=HOST-2"),
            ),
            (
                ids("HOST", &["HOST-1"]),
                Some(&next),
                format!("{hosts}&entity=HOST-1&nextPageKey=AAA%2B%2F%3D%20%26"),
            ),
        ] {
            let request = vendor(None).observe(&scope, page).unwrap();
            assert_eq!((request.method.as_str(), request.target), ("GET", want));
            assert_eq!((request.purpose, request.idempotent), (Purpose::Observe, true));
        }
        assert!(vendor(None).observe(&ids("HOST", &[]), None).is_err());
        assert!(
            vendor(None)
                .observe(&ids("HOST", &["HOST-1&entity=HOST-2"]), None)
                .is_err()
        );
    }

    /// Recorded from `GET /api/v1/entity/infrastructure/hosts`, shortened.
    const HOSTS: &str = r#"[{"entityId":"HOST-7EC661999923A6B9","displayName":"TAG009444368559.clients.example.com",
        "discoveredName":"TAG009444368559.clients.example.com","firstSeenTimestamp":1613136172232,
        "lastSeenTimestamp":1621519976487,"tags":[{"context":"CONTEXTLESS","key":"APP1234567"},
        {"context":"CONTEXTLESS","key":"IP","value":"192.168.56.1, 192.168.86.34"},
        {"context":"AWS","key":"Name","value":"web"}],
        "fromRelationships":{"isNetworkClientOfHost":["CUSTOM_DEVICE-A172DA7B3AB88C58"]}}]"#;

    #[test]
    fn a_recorded_page_is_read_with_its_headers() {
        let headers = [("Next-Page-Key", "k-2"), ("Total-Count", "7"), ("Page-Size", "1")];
        let page = vendor(None)
            .observed(&of_kind("HOST"), &answer(200, &headers, HOSTS))
            .unwrap();
        let tags = vec![
            LiveTag {
                tag: plain("APP1234567"),
                provenance: Provenance::Manual,
            },
            LiveTag {
                tag: pair("IP", "192.168.56.1, 192.168.86.34"),
                provenance: Provenance::Automatic,
            },
        ];
        let name = Some("TAG009444368559.clients.example.com".to_owned());
        let entity = LiveEntity {
            id: "HOST-7EC661999923A6B9".to_owned(),
            name,
            tags: Some(tags),
            handle: None,
        };
        let want = Page {
            entities: vec![entity],
            next: Some(Cursor("k-2".to_owned())),
            total: None,
            page_size: Some(1),
        };
        assert_eq!(page, want);
        let last = vendor(None)
            .observed(&of_kind("HOST"), &answer(200, &[], "[]"))
            .unwrap();
        assert_eq!(last, Page::default());
    }

    #[test]
    fn web_and_mobile_applications_share_a_route_and_are_told_apart() {
        let both =
            r#"[{"entityId":"APPLICATION-1"},{"entityId":"MOBILE_APPLICATION-2","discoveredName":"app"}]"#;
        for (kind, id, name) in [
            ("APPLICATION", "APPLICATION-1", None),
            ("mobile_application", "MOBILE_APPLICATION-2", Some("app")),
        ] {
            let page = vendor(None)
                .observed(&of_kind(kind), &answer(200, &[], both))
                .unwrap();
            let seen: Vec<_> = page
                .entities
                .iter()
                .map(|it| (it.id.as_str(), it.name.as_deref()))
                .collect();
            assert_eq!(seen, [(id, name)]);
        }
    }

    #[test]
    fn a_removal_is_always_observed() {
        let call = call("HOST", &["HOST-1"], &[], &[plain("a")]);
        let request = vendor(None).encode(&call).unwrap();
        let gone = r#"{"error":{"code":400,"message":"Unable to find tag a"}}"#;
        for (status, body, why) in [
            (204, "", ""),
            (404, "", "the vendor answered 404: Not Found; "),
            (400, gone, "the vendor answered 400: Unable to find tag a; "),
        ] {
            let answer = answer(status, &[], body);
            assert_eq!(vendor(None).judge(&request, &answer), Verdict::Accept, "{status}");
            let want = Effect::Observe(format!("{why}a removal counts once it is seen gone"));
            assert_eq!(vendor(None).decode(&call, &answer).unwrap(), [want]);
        }
        assert!(vendor(None).observe_removals());
    }

    #[test]
    fn answers_to_additions_are_judged_by_how_many_tags_they_carry() {
        let of = |tags: &[Tag]| {
            vendor(None)
                .encode(&call("HOST", &["HOST-1"], tags, &[]))
                .unwrap()
        };
        let (one, two) = (of(&[plain("a")]), of(&[plain("a"), plain("b")]));
        let refuse = |class, reason: &str| Verdict::Refuse {
            class,
            reason: reason.to_owned(),
        };
        let split = |reason: &str| Verdict::Split {
            reason: reason.to_owned(),
        };
        let missing = r#"{"error":{"code":404,"message":"no such entity"}}"#;
        let invalid = r#"{"error":{"code":400,"message":"The input is invalid."}}"#;
        for (request, status, body, want) in [
            (
                &one,
                400,
                invalid,
                refuse("refused", "the vendor answered 400: The input is invalid."),
            ),
            (
                &two,
                400,
                invalid,
                split("the vendor answered 400: The input is invalid."),
            ),
            (
                &one,
                404,
                missing,
                refuse("missing", "the vendor answered 404: no such entity"),
            ),
            (
                &two,
                404,
                missing,
                refuse("missing", "the vendor answered 404: no such entity"),
            ),
            (&two, 413, "", split("the vendor answered 413: Payload Too Large")),
            (
                &one,
                503,
                "",
                Verdict::Retry {
                    kind: RetryKind::Transient,
                    after: None,
                },
            ),
        ] {
            assert_eq!(vendor(None).judge(request, &answer(status, &[], body)), want);
        }
        let Verdict::Stop { reason } = vendor(None).judge(&one, &answer(401, &[], "")) else {
            panic!("not stopped")
        };
        assert!(reason.contains("DataExport"), "{reason}");
        let page = vendor(None).judge(&one, &answer(200, &[], "<html>login</html>"));
        assert!(matches!(page, Verdict::Unknown { .. }), "{page:?}");
    }

    #[test]
    fn v1_cannot_list_manual_tags() {
        assert!(vendor(None).ask_manual("HOST", &["HOST-1".to_owned()]).is_none());
        assert!(
            vendor(None)
                .read_manual(&answer(200, &[], r#"{"tags":[]}"#))
                .is_err()
        );
    }
}
