//! The tags of service instances: `/paas/api/v1.1/tags/{identityDomainId}`.
//!
//! A tag is a key with a value, and an instance may carry several values of a key. One request assigns and unassigns
//! many tags on many instances; it is refused or done as a whole
//! (`JCS/op-paas-api-v1.1-tags-identitydomainid-assignments-put.html`).

use std::collections::BTreeSet;

use http::header::HeaderValue;
use http::{HeaderName, Method};

use super::answer::{self, TagDetails};
use super::body::{Change, Creation};
use super::complaint::unreadable;
use super::options::Options;
use super::service::{self, Service};
use super::{judge, limits};
use crate::model::{Call, Effect, Limits, LiveEntity, LiveTag, Provenance, Tag, TagRules};
use crate::vendor::contact::Contact;
use crate::vendor::request::Target;
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Purpose, Request, Response, Verdict};

/// What stands before the identity domain in every path.
const BASE: &str = "/paas/api/v1.1/tags";

/// The media type of the vendor's own example.
const JSON: &str = "application/json";

/// Names the identity domain once more (`JCS/Authentication.html`).
const TENANT: HeaderName = HeaderName::from_static("x-id-tenant-name");

/// Oracle PaaS Service Manager. Made by [`super::vendor`].
#[derive(Debug)]
pub struct ServiceTags {
    options: Options,
    tenant: HeaderValue,
    rules: TagRules,
    contact: Contact,
}

impl ServiceTags {
    pub(super) fn new(options: &Options) -> Result<Self, VendorError> {
        let tenant = HeaderValue::from_str(&options.identity_domain).map_err(|_| {
            VendorError::Unsupported("`tenant` can't stand in a header; give the bare ID".to_owned())
        })?;
        Ok(Self {
            options: options.clone(),
            tenant,
            rules: limits::rules(),
            contact: Contact::default(),
        })
    }

    fn route(&self, name: &str) -> Target {
        Target::new(BASE)
            .segment(&self.options.identity_domain)
            .segment(name)
    }

    fn of_tenant(&self, mut request: Request) -> Request {
        request.headers.insert(TENANT, self.tenant.clone());
        request
    }

    /// Makes tags and assigns them. Sent again after a lost answer it may be refused for what it has done itself.
    fn create(&self, tags: &[Tag], services: &[Service<'_>]) -> Result<Request, VendorError> {
        let mut request = self.route("tags").post(JSON, &Creation::of(tags, services))?;
        request.idempotent = false;
        Ok(self.of_tenant(request))
    }

    /// Assigns and unassigns. An assignment that is gone already is refused unless forced, so a removal is not repeated
    /// blindly.
    fn change(&self, add: &[Tag], remove: &[Tag], services: &[Service<'_>]) -> Result<Request, VendorError> {
        let mut target = self.route("assignments");
        if !add.is_empty() {
            // Left out where tags only go: those that are to be unassigned stand in the payload too.
            target = target.query("createTagsIfNeeded", "true");
        }
        if self.options.force {
            target = target.query("force", "true");
        }
        let body = Change::of(add, remove, services);
        let mut request = target.json(Purpose::Write, Method::PUT, JSON, &body)?;
        request.idempotent = remove.is_empty() || self.options.force;
        Ok(self.of_tenant(request))
    }
}

impl Vendor for ServiceTags {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        service::check_type(kind)?;
        Ok(limits::limits(&self.options))
    }

    fn canonical_id(&self, kind: &str, wanted: &str) -> Result<String, String> {
        service::canonical(kind, wanted)
    }

    /// Nothing can be resolved by name, since nothing lists instances.
    fn fold_name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn observe(&self, scope: &Scope, _page: Option<&Cursor>) -> Result<Request, VendorError> {
        let mut target = self.route("tags");
        match scope {
            // Every tag of the identity domain, which the vendor hands out at once.
            Scope::Kind { kind } => service::check_type(kind)?,
            Scope::Ids { kind, ids } => {
                target = target.query("services", &service::selected(&service::all(kind, ids)?));
            }
        }
        // Without `outputLevel` the vendor counts who carries a tag and does not name them.
        Ok(self.of_tenant(target.query("outputLevel", "FULL").read()))
    }

    /// The vendor leaves out what has no tags, and says nothing of what does not exist: so every instance of the scope
    /// is taken to be there. The one that a 404 is about is not.
    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let (kind, ids) = match scope {
            Scope::Kind { kind } => return bearers(kind, answer),
            Scope::Ids { kind, ids } => (kind, ids),
        };
        let services = service::all(kind, ids)?;
        let carried = match (answer.status, ids.len()) {
            (404, 1) => return Ok(Page::default()),
            (404, _) => None,
            _ => answer::carried(listing(answer)?, &services),
        };
        let tags = match carried {
            Some(carried) => carried.into_iter().map(Some).collect(),
            None => vec![None; ids.len()],
        };
        Ok(Page {
            entities: ids.iter().zip(tags).map(|(id, tags)| live(id, tags)).collect(),
            ..Page::default()
        })
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        let Call {
            kind,
            entities,
            add,
            remove,
            plain_add,
            wholes: _,
        } = call;
        let services = service::all(kind, entities)?;
        match (add.as_slice(), remove.as_slice()) {
            ([], []) => Err(VendorError::Unsupported("a call changes no tag".to_owned())),
            (add, []) if *plain_add => self.create(add, &services),
            (add, remove) => self.change(add, remove, &services),
        }
    }

    /// What is added is done where the answer shows it. What is removed is never shown by what a list holds, and what
    /// `PUT …/assignments` is answered with is not documented, so that a removal is always observed. So is everything
    /// that was forced, since the vendor then passes over what it does not find.
    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let services = service::all(&call.kind, &call.entities)?;
        let all = |why: &str| Ok(vec![Effect::Observe(why.to_owned()); services.len()]);
        if !call.remove.is_empty() {
            return all("a removal counts once it is seen gone");
        }
        if self.options.force {
            return all("what is forced counts once it is seen there");
        }
        let Some(shown) = answer::listing(answer).and_then(|listing| answer::carried(listing, &services))
        else {
            return all("the answer does not say which services carry the tags now");
        };
        let effect = |shown: &BTreeSet<Tag>| match call.add.iter().find(|tag| !shown.contains(tag)) {
            None => Effect::Done,
            Some(tag) => Effect::Observe(format!("the answer does not show `{tag}` on it")),
        };
        Ok(shown.iter().map(effect).collect())
    }

    /// Deletes one pair by its path. `removeAssignments` is never sent, so what is carried by anything stays. An empty
    /// value makes a path that ends with a slash; a server that does not see it would delete every value of the key
    /// that nothing carries, and no more.
    fn tidy(&self, tag: &Tag) -> Option<Result<Request, VendorError>> {
        if !self.options.delete_unused || self.rules.check(tag).is_err() {
            return None;
        }
        let value = tag.value.as_deref().unwrap_or_default();
        if matches!(value, "." | "..") {
            return Some(Err(VendorError::Unsupported(format!(
                "tag `{tag}` can't be deleted: its value would be resolved away in the path"
            ))));
        }
        let target = self.route("tags").segment(&tag.key).segment(value);
        Some(Ok(self.of_tenant(target.delete())))
    }

    fn observe_removals(&self) -> bool {
        true
    }
}

impl Judge for ServiceTags {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        judge::judge(&self.contact, request, response)
    }

    fn correlation(&self) -> &'static [&'static str] {
        &["x-oracle-dms-ecid"]
    }
}

fn listing(answer: &Response) -> Result<Vec<TagDetails>, VendorError> {
    answer::listing(answer).ok_or_else(|| {
        VendorError::BadAnswer(format!(
            "the tags of services can't be read: {}",
            unreadable(answer)
        ))
    })
}

fn live(id: &str, tags: Option<BTreeSet<Tag>>) -> LiveEntity {
    LiveEntity {
        id: id.to_owned(),
        name: None,
        tags: tags.map(|tags| tags.into_iter().map(live_tag).collect()),
        handle: None,
    }
}

fn live_tag(tag: Tag) -> LiveTag {
    let provenance = if tag.key.starts_with(limits::SYSTEM) {
        Provenance::Automatic
    } else {
        Provenance::Manual
    };
    LiveTag { tag, provenance }
}

/// The services of a type that carry a tag: nothing tells of any other.
fn bearers(kind: &str, answer: &Response) -> Result<Page, VendorError> {
    let carried = answer::of_type(listing(answer)?, kind).ok_or_else(|| {
        VendorError::BadAnswer(
            "the vendor counts who carries a tag and does not name them, so that nothing can be listed; name the \
             services in an inventory"
                .to_owned(),
        )
    })?;
    let bearers = carried.into_iter();
    Ok(Page {
        entities: bearers
            .map(|(name, tags)| live(&format!("{kind}/{name}"), Some(tags)))
            .collect(),
        ..Page::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::vendor::oracle_paas::testing::{
        answer, answer_with, call, first_add, ids, options, pair, plain, scope, vendor,
    };

    const EXAMPLE: &str = "MyJCSExample";

    fn forced() -> ServiceTags {
        let options = Options {
            force: true,
            ..options()
        };
        ServiceTags::new(&options).unwrap()
    }

    fn json_of(request: &Request) -> Value {
        serde_json::from_slice(&request.body).unwrap()
    }

    /// The example of `JCS/op-paas-api-v1.1-tags-identitydomainid-tags-post.html`: its request line, the headers that
    /// are the driver's, its body, and its answer, whose content type is told twice.
    #[test]
    fn the_documented_example_is_made_exactly_and_its_answer_is_done() {
        let add = first_add(&[EXAMPLE], &[pair("environment", "qa")]);
        let request = vendor().encode(&add).unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(request.target, "/paas/api/v1.1/tags/ExampleIdentityDomain/tags");
        assert_eq!(request.headers.len(), 2);
        assert_eq!(request.headers["Content-Type"], "application/json");
        assert_eq!(request.headers["X-ID-TENANT-NAME"], "ExampleIdentityDomain");
        assert_eq!(
            json_of(&request),
            json!({
                "tags": [{ "key": "environment", "value": "qa" }],
                "assignments": { "services": [{ "serviceType": "JaaS", "serviceName": "MyJCSExample" }] },
            })
        );
        assert_eq!((request.purpose, request.idempotent), (Purpose::Write, false));

        let headers = [
            (
                "content-type",
                "application/vnd.com.oracle.oracloud.provisioning.Service+json",
            ),
            (
                "x-oracle-dms-ecid",
                "1bcaf164-c5b5-4c70-b7d8-5a24c1e19493-00000a8a",
            ),
            ("content-type", "application/json"),
        ];
        let body = r#"[ { "key":"environment", "value":"qa",
            "assignments":{ "services":[ { "serviceType":"JaaS", "serviceName":"MyJCSExample" } ] } } ]"#;
        let answer = answer_with(200, &headers, body);
        assert_eq!(vendor().judge(&request, &answer), Verdict::Accept);
        assert_eq!(vendor().decode(&add, &answer).unwrap(), [Effect::Done]);
    }

    /// The payload of `https://docs.oracle.com/en/cloud/paas/java-cloud/pscli/jcs-update-service.html`.
    #[test]
    fn a_change_assigns_and_unassigns_in_one_request() {
        let add = [pair("environment", "qa"), pair("environment", "development")];
        let request = vendor()
            .encode(&call(&[EXAMPLE], &add, &[pair("environment", "qa-other")]))
            .unwrap();
        assert_eq!(request.method, "PUT");
        assert_eq!(
            request.target,
            "/paas/api/v1.1/tags/ExampleIdentityDomain/assignments?createTagsIfNeeded=true"
        );
        assert_eq!(request.headers["Content-Type"], "application/json");
        assert_eq!(request.headers["X-ID-TENANT-NAME"], "ExampleIdentityDomain");
        let services = json!({ "services": [{ "serviceType": "JaaS", "serviceName": "MyJCSExample" }] });
        assert_eq!(
            json_of(&request),
            json!({
                "tagsToAssign": [
                    { "key": "environment", "value": "qa" },
                    { "key": "environment", "value": "development" },
                ],
                "tagsToUnassign": [{ "key": "environment", "value": "qa-other" }],
                "createAssignmentsTo": services,
                "deleteAssignmentsFrom": services,
            })
        );
    }

    #[test]
    fn only_what_may_be_done_twice_is_called_idempotent() {
        let (a, b) = (plain("a"), plain("b"));
        let add = call(&["A", "B"], std::slice::from_ref(&a), &[]);
        let remove = call(&["A", "B"], &[], std::slice::from_ref(&b));
        let both = call(&["A"], std::slice::from_ref(&a), std::slice::from_ref(&b));
        let first = first_add(&["A"], std::slice::from_ref(&a));
        let never_plain = Call {
            plain_add: true,
            ..both.clone()
        };
        for (vendor, call, target, idempotent) in [
            (vendor(), &add, "assignments?createTagsIfNeeded=true", true),
            (vendor(), &remove, "assignments", false),
            (vendor(), &both, "assignments?createTagsIfNeeded=true", false),
            (
                vendor(),
                &never_plain,
                "assignments?createTagsIfNeeded=true",
                false,
            ),
            (vendor(), &first, "tags", false),
            (
                forced(),
                &add,
                "assignments?createTagsIfNeeded=true&force=true",
                true,
            ),
            (forced(), &remove, "assignments?force=true", true),
            (forced(), &first, "tags", false),
        ] {
            let request = vendor.encode(call).unwrap();
            assert_eq!(
                request.target,
                format!("/paas/api/v1.1/tags/ExampleIdentityDomain/{target}")
            );
            assert_eq!(request.idempotent, idempotent, "{call:?}");
        }
    }

    #[test]
    fn calls_that_can_not_be_said_are_refused_and_told() {
        let a = [plain("a")];
        let other = Call {
            entities: vec!["DBaaS/Db1".to_owned()],
            ..call(&[], &a, &[])
        };
        for (call, names) in [
            (call(&["A"], &[], &[]), "changes no tag"),
            (call(&[], &a, &[]), "names no service"),
            (call(&["A,JaaS.B"], &a, &[]), "is no service"),
            (other, "`DBaaS/Db1` is no service of type JaaS"),
        ] {
            let error = vendor().encode(&call).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn a_reading_names_its_services_and_asks_for_their_names() {
        let request = vendor().observe(&scope(&["Inst1", "Db1"]), None).unwrap();
        assert_eq!(request.method, "GET");
        assert_eq!(
            request.target,
            "/paas/api/v1.1/tags/ExampleIdentityDomain/tags?services=JaaS.Inst1%2CJaaS.Db1&outputLevel=FULL"
        );
        assert_eq!(request.headers["X-ID-TENANT-NAME"], "ExampleIdentityDomain");
        assert_eq!(request.headers.len(), 1);
        assert_eq!((request.purpose, request.idempotent), (Purpose::Observe, true));
    }

    #[test]
    fn nothing_is_read_without_a_service() {
        let errors = [
            vendor().observe(&scope(&[]), None).unwrap_err(),
            vendor().observed(&scope(&[]), &answer(200, "[]")).unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("names no service"), "{error}");
        }
    }

    #[test]
    fn the_services_of_a_type_that_carry_a_tag_are_listed_in_one_answer() {
        let kind = Scope::Kind {
            kind: "JaaS".to_owned(),
        };
        let request = vendor().observe(&kind, None).unwrap();
        assert_eq!(
            request.target,
            "/paas/api/v1.1/tags/ExampleIdentityDomain/tags?outputLevel=FULL"
        );
        let body = r#"[{"key":"env","value":"qa","assignments":{"services":[{"serviceType":"JaaS","serviceName":"B"},
            {"serviceType":"DBaaS","serviceName":"A"}]}}]"#;
        let page = vendor().observed(&kind, &answer(200, body)).unwrap();
        let manual = LiveTag {
            tag: pair("env", "qa"),
            provenance: Provenance::Manual,
        };
        assert_eq!(page.entities, [entity("B", Some(vec![manual]))]);
        assert_eq!(
            (page.next, page.total),
            (None, None),
            "nobody knows how many there are"
        );
        let counted = answer(
            200,
            r#"[{"key":"env","value":"qa","assignmentCounts":{"services":2}}]"#,
        );
        let error = vendor().observed(&kind, &counted).unwrap_err().to_string();
        assert!(error.contains("does not name them"), "{error}");
        let unreadable = Scope::Kind {
            kind: "a b".to_owned(),
        };
        assert!(vendor().observe(&unreadable, None).is_err());
    }

    fn entity(name: &str, tags: Option<Vec<LiveTag>>) -> LiveEntity {
        LiveEntity {
            id: format!("JaaS/{name}"),
            name: None,
            tags,
            handle: None,
        }
    }

    #[test]
    fn every_service_of_the_scope_is_there_and_system_tags_are_automatic() {
        let body = r#"[
            {"key":"environment","value":"qa","assignmentCounts":{"services":2},
             "assignments":{"services":[{"serviceType":"JaaS","serviceName":"A"},{"serviceType":"DBaaS","serviceName":"B"}]}},
            {"key":"environment","value":"development",
             "assignments":{"services":[{"serviceType":"JaaS","serviceName":"A"}]}},
            {"key":"ora_owner","value":"jane","assignments":{"services":[{"serviceType":"JaaS","serviceName":"A"}]}}]"#;
        let page = vendor()
            .observed(&scope(&["B", "A"]), &answer(200, body))
            .unwrap();
        let manual = |tag| LiveTag {
            tag,
            provenance: Provenance::Manual,
        };
        let automatic = LiveTag {
            tag: pair("ora_owner", "jane"),
            provenance: Provenance::Automatic,
        };
        let tags = vec![
            manual(pair("environment", "development")),
            manual(pair("environment", "qa")),
            automatic,
        ];
        let want = Page {
            entities: vec![entity("B", Some(Vec::new())), entity("A", Some(tags))],
            ..Page::default()
        };
        assert_eq!(page, want);
        assert!(vendor().ask_manual("JaaS", &ids(&["A"])).is_none());
    }

    #[test]
    fn what_an_answer_does_not_tell_is_not_taken_for_untagged() {
        let failed = r#"{"details":{"message":"no such service"}}"#;
        for (status, body) in [
            (
                200,
                r#"[{"key":"environment","value":"qa","assignmentCounts":{"services":1}}]"#,
            ),
            (404, failed),
        ] {
            let page = vendor()
                .observed(&scope(&["A", "B"]), &answer(status, body))
                .unwrap();
            assert_eq!(page.entities, [entity("A", None), entity("B", None)], "{body}");
        }
        let alone = vendor().observed(&scope(&["A"]), &answer(404, failed)).unwrap();
        assert_eq!(alone, Page::default());
        for (body, names) in [
            ("", "has no body"),
            ("<html>", "a web page came instead of JSON"),
            (r#"{"items":[]}"#, r#"promised: {"items":[]}"#),
        ] {
            let Err(VendorError::BadAnswer(error)) = vendor().observed(&scope(&["A"]), &answer(200, body))
            else {
                panic!("{body} was read")
            };
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn an_addition_is_done_where_the_answer_shows_every_pair() {
        let on_a = r#"{"services":[{"serviceType":"JaaS","serviceName":"A"}]}"#;
        let on_both = r#"{"services":[{"serviceType":"JaaS","serviceName":"B"},{"serviceType":"JaaS","serviceName":"A"}]}"#;
        let tag = |value: &str, on: &str| format!(r#"{{"key":"env","value":"{value}","assignments":{on}}}"#);
        let add = [pair("env", "qa"), pair("env", "dev")];
        for (status, body, want) in [
            (
                200,
                format!("[{},{}]", tag("qa", on_both), tag("dev", on_both)),
                [true, true],
            ),
            (
                201,
                format!("[{},{}]", tag("dev", on_a), tag("qa", on_both)),
                [true, false],
            ),
            (200, format!("[{}]", tag("qa", on_both)), [false, false]),
            (
                200,
                format!("[{},{}]", tag("QA", on_both), tag("dev", on_both)),
                [false, false],
            ),
            (
                200,
                format!(
                    "[{},{},{{\"key\":\"x\"}}]",
                    tag("qa", on_both),
                    tag("dev", on_both)
                ),
                [false, false],
            ),
            (
                200,
                r#"[{"key":"env","value":"qa"},{"key":"env","value":"dev"}]"#.to_owned(),
                [false, false],
            ),
            (200, "[]".to_owned(), [false, false]),
            (204, String::new(), [false, false]),
            (200, "<html>".to_owned(), [false, false]),
        ] {
            for call in [call(&["A", "B"], &add, &[]), first_add(&["A", "B"], &add)] {
                let answer = answer(status, &body);
                let done = |vendor: &ServiceTags| {
                    let effects = vendor.decode(&call, &answer).unwrap();
                    effects
                        .iter()
                        .map(|effect| matches!(effect, Effect::Done))
                        .collect::<Vec<_>>()
                };
                assert_eq!(done(&vendor()), want, "{body}");
                assert_eq!(done(&forced()), [false, false], "{body}");
            }
        }
    }

    #[test]
    fn a_call_that_removes_is_observed_whatever_the_answer_shows() {
        let shown = r#"[{"key":"a","assignments":{"services":[{"serviceType":"JaaS","serviceName":"A"}]}}]"#;
        for call in [
            call(&["A", "B"], &[], &[plain("b")]),
            call(&["A", "B"], &[plain("a")], &[plain("b")]),
        ] {
            for (status, body) in [(200, shown), (200, "[]"), (204, "")] {
                let effects = vendor().decode(&call, &answer(status, body)).unwrap();
                let why = Effect::Observe("a removal counts once it is seen gone".to_owned());
                assert_eq!(effects, [why.clone(), why]);
            }
        }
        assert!(vendor().observe_removals());
    }

    #[test]
    fn unused_tags_are_deleted_one_by_one_and_only_when_asked_for() {
        let options = Options {
            delete_unused: true,
            ..options()
        };
        let tidying = ServiceTags::new(&options).unwrap();
        for (tag, want) in [
            (pair("environment", "qa"), "environment/qa"),
            (plain("mainApp"), "mainApp/"),
            (pair("path", "a/b c?d"), "path/a%2Fb%20c%3Fd"),
            (pair("dots", "..."), "dots/..."),
            (pair("dots", "%2e%2E"), "dots/%252e%252E"),
        ] {
            let request = tidying.tidy(&tag).unwrap().unwrap();
            assert_eq!(request.method, "DELETE");
            let prefix = "/paas/api/v1.1/tags/ExampleIdentityDomain/tags/";
            assert_eq!(request.target, format!("{prefix}{want}"));
            assert_eq!(request.headers["X-ID-TENANT-NAME"], "ExampleIdentityDomain");
            assert!(request.body.is_empty() && request.idempotent);
            assert_eq!(request.purpose, Purpose::Write);
            assert!(vendor().tidy(&tag).is_none());
        }
        for value in [".", ".."] {
            assert!(tidying.tidy(&pair("dots", value)).unwrap().is_err(), "{value}");
        }
        assert!(tidying.tidy(&pair("ora_owner", "jane")).is_none());
    }

    #[test]
    fn a_domain_is_encoded_in_the_path_and_not_in_the_header() {
        let options = Options {
            identity_domain: "idcs-9%?#".to_owned(),
            ..options()
        };
        let request = ServiceTags::new(&options)
            .unwrap()
            .encode(&call(&["A"], &[plain("a")], &[]))
            .unwrap();
        assert!(
            request
                .target
                .starts_with("/paas/api/v1.1/tags/idcs-9%25%3F%23/assignments?")
        );
        assert_eq!(request.headers["X-ID-TENANT-NAME"], "idcs-9%?#");
    }
}
