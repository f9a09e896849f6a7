//! Auto-tags by the config API v1, `/api/config/v1/autoTags`: one definition a request, put and deleted by UUID.
//!
//! Deprecated in favour of the settings schema, and what every environment still takes
//! (<https://docs.dynatrace.com/managed/dynatrace-api/configuration-api/automatically-applied-tags-api>). The scopes are
//! `ReadConfig` and `WriteConfig`; the token goes by [`super::super::AUTH`].

use std::time::Duration;

use http::Method;
use serde::Deserialize;

use super::definition::{self, Object};
use super::form::Form;
use super::{check_kind, id, limits, same};
use crate::model::{Call, Class, DOCUMENT_KEY, Effect, Failure, Limits, LiveEntity, Tag, TagRules, Whole};
use crate::vendor::contact::Contact;
use crate::vendor::dynatrace::answer::{self, Shape};
use crate::vendor::dynatrace::complaint::{Fault, complaint};
use crate::vendor::dynatrace::judge::{self, Case, NotFound};
use crate::vendor::request::Target;
use crate::vendor::words::is_page;
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Purpose, Request, Response, RetryKind, Verdict};

const AUTO_TAGS: &str = "/api/config/v1/autoTags";

/// The media type of the documentation's example.
const JSON: &str = "application/json";

/// How long to wait before a name is tried again that a deleted definition seems to hold still: the nodes of a cluster
/// learn of each other's changes late, and the vendor's own client tries once a second
/// (<https://github.com/Dynatrace/dynatrace-configuration-as-code/issues/114>).
const NAME_WAIT: Duration = Duration::from_secs(1);

/// Auto-tags by the config API v1. Made by [`super::super::vendor_for`].
#[derive(Debug)]
pub struct ConfigAutoTags {
    rules: TagRules,
    contact: Contact,
}

impl ConfigAutoTags {
    pub(in super::super) fn new() -> Self {
        Self {
            rules: limits::rules(),
            contact: Contact::default(),
        }
    }
}

impl Vendor for ConfigAutoTags {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn kept(&self, tag: &Tag) -> Result<Tag, Failure> {
        definition::kept(Form::Config, tag).map_err(|why| Failure::new(Class::Illegal, why))
    }

    fn same(&self, one: &Tag, other: &Tag) -> bool {
        same::same(Form::Config, one, other)
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        check_kind(kind).map(|()| limits::of_config())
    }

    fn canonical_id(&self, _kind: &str, wanted: &str) -> Result<String, String> {
        id::canonical(wanted)
    }

    /// Tags differ by case, and so do the definitions that name them.
    fn fold_name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn new_id(&self, _kind: &str, called: &str) -> Option<String> {
        Some(id::of_new(called))
    }

    fn observe(&self, scope: &Scope, _page: Option<&Cursor>) -> Result<Request, VendorError> {
        match scope {
            Scope::Kind { kind } => check_kind(kind).map(|()| Target::new(AUTO_TAGS).read()),
            Scope::Ids { kind, ids } => {
                check_kind(kind)?;
                // Without the parameter, conditions on process groups are left out of the answer, and writing it back
                // would wipe them.
                let target = of_id(one_of(ids)?)?.query("includeProcessGroupReferences", "true");
                Ok(target.read())
            }
        }
    }

    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let entities = match scope {
            Scope::Kind { .. } => listed(answer)?,
            Scope::Ids { .. } if answer.status == 404 => Vec::new(),
            Scope::Ids { ids, .. } => vec![live(one_of(ids)?, answer)?],
        };
        Ok(Page {
            entities,
            ..Page::default()
        })
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        check_kind(&call.kind)?;
        let target = of_id(one_of(&call.entities)?)?;
        match document(call)? {
            Some(document) => target.json(Purpose::Write, Method::PUT, JSON, &document),
            None => Ok(target.delete()),
        }
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let deletes = document(call)?.is_none();
        let wanted = one_of(&call.entities)?;
        let effect = match answer.status {
            204 if answer.body.trim_ascii().is_empty() => Effect::Done,
            201 if !deletes && created(answer).is_some_and(|id| id == wanted) => Effect::Done,
            404 if deletes => {
                Effect::Observe(format!("{}; it counts once it is seen gone", complaint(answer)))
            }
            _ => Effect::Observe(format!(
                "{}; that does not say whether the definition is as it should be",
                complaint(answer)
            )),
        };
        Ok(vec![effect])
    }

    fn validate(&self, call: &Call) -> Option<Result<Request, VendorError>> {
        match document(call) {
            Ok(Some(document)) => Some(check_kind(&call.kind).and_then(|()| validator(call, &document))),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }

    fn validated(&self, _call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let effect = match (answer.status, Fault::of(answer)) {
            (204, None) => Effect::Done,
            // What has the name is the definition itself, or one that was deleted a moment ago: then it is tried again when
            // it is put.
            (400, Some(fault)) if fault.is_taken_name() => Effect::Done,
            (400, Some(_)) => Effect::Failed(Failure::new(Class::Illegal, complaint(answer).to_string())),
            _ => Effect::Observe(format!(
                "{}; that says nothing of the definition",
                complaint(answer)
            )),
        };
        Ok(vec![effect])
    }

    fn observe_removals(&self) -> bool {
        false
    }
}

impl Judge for ConfigAutoTags {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        special(request, response).unwrap_or_else(|| {
            let (shape, not_found) = match request.method.as_str() {
                "GET" if is_of_one(request) => (Shape::Definition, NotFound::Entity),
                "GET" => (Shape::Values, NotFound::Route),
                "DELETE" => (Shape::Nothing, NotFound::Removed),
                _ => (Shape::Nothing, NotFound::Entity),
            };
            let scopes = match request.purpose {
                Purpose::Observe | Purpose::Authenticate => "the scope ReadConfig",
                Purpose::Write | Purpose::Validate => "the scopes ReadConfig and WriteConfig",
            };
            let case = Case {
                shape,
                not_found,
                scopes,
            };
            judge::judge(case, &self.contact, request, response)
        })
    }
}

/// The verdicts that tags do not have.
fn special(request: &Request, response: &Response) -> Option<Verdict> {
    match (request.purpose, response.status) {
        (Purpose::Observe, 404) if is_of_one(request) && !is_page(response) => Some(Verdict::Accept),
        (Purpose::Write, 409 | 412) => Some(Verdict::Unknown {
            reason: complaint(response).to_string(),
        }),
        (Purpose::Validate, 400) => Fault::of(response).map(|_| Verdict::Accept),
        (Purpose::Write, 400) => Fault::of(response).map(|fault| refused(&fault, response)),
        _ => None,
    }
}

fn refused(fault: &Fault, response: &Response) -> Verdict {
    if fault.is_taken_name() {
        return Verdict::Retry {
            kind: RetryKind::Transient,
            after: Some(NAME_WAIT),
        };
    }
    Verdict::Refuse {
        class: Class::Illegal.as_str(),
        reason: complaint(response).to_string(),
    }
}

/// Whether a request is about one definition.
fn is_of_one(request: &Request) -> bool {
    request
        .target
        .strip_prefix(AUTO_TAGS)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn of_id(id: &str) -> Result<Target, VendorError> {
    let id = id::canonical(id).map_err(VendorError::Unsupported)?;
    Ok(Target::new(AUTO_TAGS).segment(&id))
}

fn one_of(ids: &[String]) -> Result<&str, VendorError> {
    match ids {
        [id] => Ok(id),
        _ => Err(VendorError::Unsupported(format!(
            "{} auto-tags in one request; the config API takes one",
            ids.len()
        ))),
    }
}

fn whole(call: &Call) -> Result<&Whole, VendorError> {
    match call.wholes.as_slice() {
        [whole] => Ok(whole),
        wholes => Err(VendorError::Unsupported(format!(
            "{} documents in one request; the config API takes one",
            wholes.len()
        ))),
    }
}

/// The document that a call puts; `None` when it deletes.
fn document(call: &Call) -> Result<Option<Object>, VendorError> {
    match whole(call)?.tags.as_slice() {
        [] => Ok(None),
        [tag] => definition::sent(Form::Config, tag).map(Some),
        tags => Err(VendorError::Unsupported(format!(
            "{} documents for one definition; give one under `{DOCUMENT_KEY}`",
            tags.len()
        ))),
    }
}

/// Validates by the route that fits: that of an identifier is for updates, and says nowhere what it makes of one that
/// does not exist.
fn validator(call: &Call, document: &Object) -> Result<Request, VendorError> {
    let target = if whole(call)?.exists {
        of_id(one_of(&call.entities)?)?
    } else {
        Target::new(AUTO_TAGS)
    };
    target
        .segment("validator")
        .json(Purpose::Validate, Method::POST, JSON, document)
}

/// The whole listing (`StubList`), which has no pages. It tells names and no documents.
#[derive(Deserialize)]
struct Listed {
    values: Vec<Stub>,
}

/// `EntityShortRepresentation`.
#[derive(Deserialize)]
struct Stub {
    id: String,
    #[serde(default)]
    name: Option<String>,
}

fn listed(answer: &Response) -> Result<Vec<LiveEntity>, VendorError> {
    let Listed { values } = answer::read(answer, "the list of auto-tags")?;
    let entity = |Stub { id, name }| {
        Ok(LiveEntity {
            id: id::canonical(&id).map_err(|_| {
                VendorError::BadAnswer(format!(
                    "the list of auto-tags can't be read: `{}` is no UUID",
                    id.escape_debug()
                ))
            })?,
            name,
            tags: None,
            handle: None,
        })
    };
    values.into_iter().map(entity).collect()
}

/// The definition of an answer. One that names another identifier is not the one that was asked for.
fn live(id: &str, answer: &Response) -> Result<LiveEntity, VendorError> {
    let document: Object = answer::read(answer, "a definition")?;
    let name = definition::name_of(&document).map(str::to_owned);
    let told = document.get("id").filter(|told| !told.is_null());
    let is_it = told.is_none_or(|told| told.as_str().is_some_and(|told| told.eq_ignore_ascii_case(id)));
    if name.is_none() || !is_it {
        return Err(VendorError::BadAnswer(format!(
            "a definition can't be read: the answer is not the auto-tag {id}"
        )));
    }
    Ok(LiveEntity {
        id: id.to_owned(),
        name,
        tags: Some(vec![definition::live(Form::Config, document)]),
        handle: None,
    })
}

/// The identifier that the answer to a `PUT` says it made.
fn created(answer: &Response) -> Option<String> {
    #[derive(Deserialize)]
    struct Created {
        id: String,
    }
    let Created { id } = serde_json::from_slice(&answer.body).ok()?;
    id::canonical(&id).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::vendor::dynatrace::auto_tags::KIND;

    const ID: &str = "7c82c170-b380-4fa7-992a-453f3e73047b";

    const TAKEN: &str = r#"{"error":{"code":400,"message":"Constraints violated.","constraintViolations":[
        {"path":"name","message":"Auto-tag must have a unique name.","parameterLocation":"PAYLOAD_BODY","location":null}]}}"#;

    const ILLEGAL: &str = r#"{"error":{"code":400,"message":"Constraints violated.","constraintViolations":[
        {"path":"rules[0].conditions","message":"must not be empty","parameterLocation":"PAYLOAD_BODY","location":null}]}}"#;

    fn vendor() -> ConfigAutoTags {
        ConfigAutoTags::new()
    }

    fn tag(text: &str) -> Tag {
        Tag::new(DOCUMENT_KEY, Some(text))
    }

    fn call(id: &str, exists: bool, documents: &[&str]) -> Call {
        let tags: Vec<Tag> = documents.iter().map(|text| tag(text)).collect();
        Call {
            kind: KIND.to_owned(),
            entities: vec![id.to_owned()],
            add: tags.clone(),
            remove: Vec::new(),
            plain_add: false,
            wholes: vec![Whole {
                tags,
                exists,
                handle: None,
            }],
        }
    }

    fn put() -> Call {
        call(ID, true, &[r#"{"name":"a"}"#])
    }

    fn delete() -> Call {
        call(ID, true, &[])
    }

    fn ids(ids: &[&str]) -> Scope {
        Scope::Ids {
            kind: KIND.to_owned(),
            ids: ids.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn all() -> Scope {
        Scope::Kind {
            kind: KIND.to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    /// A verdict in a few words, for tables.
    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Accept => "accept".to_owned(),
            Verdict::Retry { kind, after: None } => format!("{kind:?}"),
            Verdict::Retry {
                kind,
                after: Some(after),
            } => format!("{kind:?} {}", after.as_secs()),
            Verdict::Split { .. } => "split".to_owned(),
            Verdict::Unknown { .. } => "unknown".to_owned(),
            Verdict::Refuse { class, .. } => format!("refuse {class}"),
            Verdict::Stop { .. } => "stop".to_owned(),
        }
    }

    /// The five requests that there are.
    fn requests() -> [Request; 5] {
        let vendor = vendor();
        [
            vendor.observe(&all(), None).unwrap(),
            vendor.observe(&ids(&[ID]), None).unwrap(),
            vendor.encode(&put()).unwrap(),
            vendor.encode(&delete()).unwrap(),
            vendor.validate(&put()).unwrap().unwrap(),
        ]
    }

    fn verdicts(status: u16, body: &str) -> [String; 5] {
        requests().map(|request| word(&vendor().judge(&request, &answer(status, body))))
    }

    #[test]
    fn the_documented_example_is_made_exactly() {
        // https://docs.dynatrace.com/managed/dynatrace-api/configuration-api/automatically-applied-tags-api/put-auto-tag
        let linux = json!({
            "key": {"attribute": "HOST_OS_TYPE"},
            "comparisonInfo": {"type": "OS_TYPE", "operator": "EQUALS", "value": "LINUX", "negate": false}
        });
        let text = |attribute: &str, operator: &str, value: &str, negate: bool| {
            json!({
                "key": {"attribute": attribute},
                "comparisonInfo": {"type": "STRING", "operator": operator, "value": value, "negate": negate,
                    "caseSensitive": true}
            })
        };
        let rule = |format: &str, conditions: &[Value]| {
            json!({"type": "HOST", "enabled": true, "valueFormat": format, "propagationTypes": [],
                "conditions": conditions})
        };
        let document = json!({
            "name": "Infrastructure - Linux",
            "rules": [
                rule("prod", &[
                    linux.clone(),
                    text("HOST_NAME", "BEGINS_WITH", "PreProd", true),
                    text("HOST_GROUP_NAME", "CONTAINS", "production", false),
                ]),
                rule("preProd", &[linux, text("HOST_NAME", "BEGINS_WITH", "PreProd", false)]),
            ]
        });
        let kept = vendor().kept(&tag(&document.to_string())).unwrap();
        let request = vendor()
            .encode(&call(ID, true, &[kept.value.as_deref().unwrap()]))
            .unwrap();
        assert_eq!(request.method, "PUT");
        assert_eq!(
            request.target,
            "/api/config/v1/autoTags/7c82c170-b380-4fa7-992a-453f3e73047b"
        );
        assert_eq!(request.headers.len(), 1);
        assert_eq!(request.headers["content-type"], "application/json");
        // Its text too, not only its value: fields and rules keep the order in which they were written.
        assert_eq!(request.body, document.to_string());
        assert_eq!((request.purpose, request.idempotent), (Purpose::Write, true));
    }

    #[test]
    fn every_other_request_is_made_exactly() {
        let [list, one, _, delete, validate] = requests();
        for (request, purpose, line) in [
            (list, Purpose::Observe, "GET /api/config/v1/autoTags".to_owned()),
            (
                one,
                Purpose::Observe,
                format!("GET /api/config/v1/autoTags/{ID}?includeProcessGroupReferences=true"),
            ),
            (
                delete,
                Purpose::Write,
                format!("DELETE /api/config/v1/autoTags/{ID}"),
            ),
        ] {
            assert_eq!(format!("{} {}", request.method, request.target), line);
            assert_eq!((request.purpose, request.idempotent), (purpose, true), "{line}");
            assert!(request.headers.is_empty() && request.body.is_empty(), "{line}");
        }
        assert_eq!(
            (validate.method.as_str(), validate.purpose),
            ("POST", Purpose::Validate)
        );
        assert_eq!(validate.target, format!("/api/config/v1/autoTags/{ID}/validator"));
        assert_eq!(validate.body, r#"{"name":"a"}"#);
        let fresh = vendor()
            .validate(&call(ID, false, &[r#"{"name":"a"}"#]))
            .unwrap()
            .unwrap();
        assert_eq!(fresh.target, "/api/config/v1/autoTags/validator");
        assert!(
            vendor().validate(&super::tests::delete()).is_none(),
            "nothing to ask about"
        );
    }

    #[test]
    fn what_the_api_can_not_take_is_refused_before_it_is_sent() {
        let mut two = put();
        two.entities.push(ID.to_owned());
        let mut other_kind = put();
        other_kind.kind = "HOST".to_owned();
        let mut bare = put();
        bare.wholes.clear();
        for (call, names) in [
            (two, "2 auto-tags in one request"),
            (other_kind, "kind `HOST` has no definitions here"),
            (bare, "0 documents in one request"),
            (
                call("../x", true, &["{}"]),
                "`../x` is no identifier of an auto-tag",
            ),
            (call(ID, true, &["{}", "{}"]), "2 documents for one definition"),
            (call(ID, true, &["[]"]), "no object"),
        ] {
            let error = vendor().encode(&call).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
        assert!(vendor().observe(&ids(&[ID, ID]), None).is_err());
        assert!(vendor().observe(&ids(&["x"]), None).is_err());
        assert!(vendor().limits("HOST").is_err());
    }

    #[test]
    fn a_listing_tells_names_and_no_documents() {
        let body = r#"{"values":[{"id":"7C82C170-B380-4FA7-992A-453F3E73047B","name":"a","description":"x","new":1},
            {"id":"6a98d7bc-abb9-44f8-ae6a-73e68e71812a"}]}"#;
        let page = vendor().observed(&all(), &answer(200, body)).unwrap();
        let told: Vec<_> = page
            .entities
            .iter()
            .map(|entity| (entity.id.as_str(), entity.name.as_deref(), entity.tags.is_none()))
            .collect();
        assert_eq!(
            told,
            [
                (ID, Some("a"), true),
                ("6a98d7bc-abb9-44f8-ae6a-73e68e71812a", None, true)
            ]
        );
        assert_eq!((page.next, page.total), (None, None));
    }

    #[test]
    fn a_definition_is_read_without_what_the_server_fills_in() {
        let body = format!(
            r#"{{"metadata":{{"clusterVersion":"1.2"}},"id":"{}","rules":[],"name":"a"}}"#,
            ID.to_ascii_uppercase()
        );
        let page = vendor().observed(&ids(&[ID]), &answer(200, &body)).unwrap();
        let [entity] = page.entities.as_slice() else {
            panic!("not one entity")
        };
        assert_eq!((entity.id.as_str(), entity.name.as_deref()), (ID, Some("a")));
        let carried: Vec<Tag> = entity.clone().carried().unwrap().into_iter().collect();
        assert_eq!(carried, [tag(r#"{"rules":[],"name":"a"}"#)]);
    }

    #[test]
    fn a_definition_that_is_not_there_is_missing_and_a_wrong_one_is_no_answer() {
        let observed = |status: u16, body: &str| vendor().observed(&ids(&[ID]), &answer(status, body));
        for body in ["", r#"{"error":{"code":404,"message":"HTTP 404 Not Found"}}"#] {
            assert_eq!(observed(404, body), Ok(Page::default()), "{body}");
        }
        for body in [
            r#"{"id":"6a98d7bc-abb9-44f8-ae6a-73e68e71812a","name":"a"}"#,
            r#"{"id":7,"name":"a"}"#,
            r#"{"rules":[]}"#,
            r#"["a"]"#,
            "null",
            "<html>",
            "",
        ] {
            let error = observed(200, body).unwrap_err().to_string();
            assert!(error.starts_with("a definition can't be read: "), "{error}");
        }
        for body in [r#"{"name":"a"}"#, r#"{"id":null,"name":"a"}"#] {
            assert_eq!(observed(200, body).unwrap().entities[0].id, ID);
        }
        for body in [r#"{"values":[{"name":"a"}]}"#, r#"{"values":[{"id":"x"}]}"#, "[]"] {
            assert!(vendor().observed(&all(), &answer(200, body)).is_err(), "{body}");
        }
    }

    #[test]
    fn only_what_the_page_promises_is_done() {
        let made = format!(r#"{{"id":"{ID}","name":"a"}}"#);
        let other = r#"{"id":"6a98d7bc-abb9-44f8-ae6a-73e68e71812a","name":"a"}"#;
        for (call, status, body, done) in [
            (put(), 204, "", true),
            (put(), 204, " \r\n", true),
            (put(), 201, made.as_str(), true),
            (
                put(),
                201,
                &made.to_ascii_uppercase().replace("\"ID\"", "\"id\""),
                true,
            ),
            (put(), 201, other, false),
            (put(), 201, "", false),
            (put(), 201, "{}", false),
            (put(), 200, "", false),
            (put(), 200, made.as_str(), false),
            (put(), 202, "", false),
            (put(), 204, r#"{"error":{"code":500,"message":"late"}}"#, false),
            (delete(), 204, "", true),
            (delete(), 200, "", false),
            (delete(), 201, made.as_str(), false),
            (delete(), 404, "", false),
        ] {
            let effects = vendor().decode(&call, &answer(status, body)).unwrap();
            let [effect] = effects.as_slice() else {
                panic!("not one effect")
            };
            assert_eq!(*effect == Effect::Done, done, "{status} {body}: {effect:?}");
            assert!(
                !matches!(effect, Effect::Failed(_)),
                "an accepted answer refuses nothing"
            );
        }
    }

    #[test]
    fn every_status_has_its_verdict() {
        let fault = r#"{"error":{"code":0,"message":"HTTP"}}"#;
        let [accept, transient, stop] = ["accept", "Transient", "stop"];
        let [refused, illegal, missing] = ["refuse refused", "refuse illegal", "refuse missing"];
        for (status, body, [list, one, put, delete, validate]) in [
            (
                200,
                r#"{"values":[]}"#,
                [accept, transient, accept, accept, accept],
            ),
            (
                200,
                r#"{"name":"a"}"#,
                [transient, accept, accept, accept, accept],
            ),
            (
                200,
                r#"{"name":"a""#,
                [transient, transient, "unknown", "unknown", transient],
            ),
            (
                201,
                r#"{"id":"x"}"#,
                [transient, transient, accept, accept, accept],
            ),
            (204, "", [transient, transient, accept, accept, accept]),
            (200, "<html>", [stop, stop, "unknown", "unknown", stop]),
            (302, "", [stop; 5]),
            (400, fault, [refused, refused, illegal, illegal, accept]),
            (400, ILLEGAL, [refused, refused, illegal, illegal, accept]),
            (
                400,
                TAKEN,
                [refused, refused, "Transient 1", "Transient 1", accept],
            ),
            (400, "nginx: bad request", [refused; 5]),
            (401, fault, [stop; 5]),
            (403, fault, [stop; 5]),
            (404, fault, [stop, accept, missing, accept, missing]),
            (404, "", [stop, accept, missing, accept, missing]),
            (404, "<html>", [stop; 5]),
            (409, fault, [refused, refused, "unknown", "unknown", refused]),
            (412, "", [refused, refused, "unknown", "unknown", refused]),
            (413, fault, [refused; 5]),
            (429, fault, ["Throttled"; 5]),
            (500, fault, [transient; 5]),
            (501, fault, ["refuse server"; 5]),
            (503, fault, [transient; 5]),
            (504, "", [transient; 5]),
        ] {
            assert_eq!(
                verdicts(status, body),
                [list, one, put, delete, validate],
                "{status} {body}"
            );
        }
    }

    #[test]
    fn refusals_say_where_and_stops_say_what_to_mend() {
        let [list, _, put, ..] = requests();
        let Verdict::Refuse { reason, .. } = vendor().judge(&put, &answer(400, ILLEGAL)) else {
            panic!("not refused")
        };
        assert_eq!(
            reason,
            "the vendor answered 400: Constraints violated. rules[0].conditions: must not be empty"
        );
        let body =
            r#"{"error":{"code":403,"message":"Token is missing required scope. Use one of: WriteConfig"}}"#;
        for (request, scopes) in [
            (list, "the scope ReadConfig"),
            (put, "the scopes ReadConfig and WriteConfig"),
        ] {
            let Verdict::Stop { reason } = vendor().judge(&request, &answer(403, body)) else {
                panic!("not stopped")
            };
            assert!(
                reason.ends_with(&format!("Use one of: WriteConfig: give the token {scopes}")),
                "{reason}"
            );
        }
    }

    #[test]
    fn a_dry_run_finds_what_is_wrong_and_not_a_name_that_is_taken_at_the_moment() {
        for (exists, status, body, want) in [
            (true, 204, "", "done"),
            (false, 204, "", "done"),
            (true, 400, TAKEN, "done"),
            (false, 400, TAKEN, "done"),
            (true, 400, ILLEGAL, "failed"),
            (true, 200, "", "observe"),
            (true, 204, r#"{"error":{"message":"late"}}"#, "observe"),
        ] {
            let call = call(ID, exists, &[r#"{"name":"a"}"#]);
            let effects = vendor().validated(&call, &answer(status, body)).unwrap();
            let told = match effects.as_slice() {
                [Effect::Done] => "done",
                [Effect::Failed(Failure { class, message })] => {
                    assert_eq!(*class, Class::Illegal);
                    assert!(
                        message.starts_with("the vendor answered 400: Constraints violated. "),
                        "{message}"
                    );
                    "failed"
                }
                [Effect::Observe(_)] => "observe",
                other => panic!("{other:?}"),
            };
            assert_eq!(told, want, "{exists} {status} {body}");
        }
    }

    #[test]
    fn a_new_definition_gets_the_identifier_of_its_name_and_a_named_one_keeps_its_own() {
        let new = vendor().new_id(KIND, "env").unwrap();
        assert_eq!(vendor().canonical_id(KIND, &new), Ok(new.clone()));
        assert_eq!(vendor().new_id(KIND, ID), Some(ID.to_owned()));
        assert_ne!(vendor().new_id(KIND, "Env"), Some(new));
    }

    fn document() -> impl Strategy<Value = Value> {
        let rule = ("[A-L]{3,6}", any::<bool>(), ".{0,8}")
            .prop_map(|(kind, enabled, format)| json!({"type":kind,"enabled":enabled,"valueFormat":format}));
        (".{1,12}", prop::collection::vec(rule, 0..4))
            .prop_map(|(name, rules)| json!({"name":name,"rules":rules}))
    }

    proptest! {
        #[test]
        fn what_is_put_is_what_was_written_and_reads_back_the_same(document in document()) {
            let vendor = vendor();
            let kept = vendor.kept(&tag(&document.to_string())).unwrap();
            let request = vendor.encode(&call(ID, true, &[kept.value.as_deref().unwrap()])).unwrap();
            let mut body: Value = serde_json::from_slice(&request.body).unwrap();
            prop_assert_eq!(&body, &document);
            body["id"] = ID.into();
            body["metadata"] = json!({"clusterVersion":"1"});
            let page = vendor.observed(&ids(&[ID]), &answer(200, &body.to_string())).unwrap();
            let live = page.entities[0].clone().carried().unwrap();
            prop_assert!(live.iter().all(|live| *live == kept && vendor.same(&kept, live)));
        }

        #[test]
        fn no_answer_is_too_strange(status in 100u16..600, body in prop::collection::vec(any::<u8>(), 0..64), cut in 0usize..80) {
            let recorded = [TAKEN.as_bytes(), br#"{"values":[{"id":"7c82c170-b380-4fa7-992a-453f3e73047b","name":"a"}]}"#, &body];
            for body in recorded {
                let answer = Response { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(&body[..cut.min(body.len())]) };
                for request in requests() {
                    let verdict = vendor().judge(&request, &answer);
                    prop_assert!(verdict != Verdict::Accept || (200..300).contains(&status) || matches!(status, 400 | 404));
                }
                for call in [put(), delete()] {
                    prop_assert_eq!(vendor().decode(&call, &answer).unwrap().len(), 1);
                    prop_assert_eq!(vendor().validated(&call, &answer).unwrap().len(), 1);
                }
                for scope in [all(), ids(&[ID])] {
                    let _ = vendor().observed(&scope, &answer);
                }
            }
        }
    }
}
