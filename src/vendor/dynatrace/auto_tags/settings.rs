//! Auto-tags by the settings schema that replaces the config API: objects of `builtin:tags.auto-tagging`.
//!
//! A definition is known by its name, which the schema keeps unique; the object's identifier and its update token
//! travel in the handle (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/settings/objects>). The scopes
//! are `settings.read` and `settings.write`; the token goes by [`super::super::AUTH`].

use http::Method;
use serde::de::IgnoredAny;

use super::definition;
use super::form::Form;
use super::objects::{self, Handle};
use super::requests::{self, Definition, definitions};
use super::results::{self, ObjectResult};
use super::{check_kind, limits, same};
use crate::model::{Call, Class, Effect, Failure, Limits, Tag, TagRules, Whole};
use crate::vendor::contact::Contact;
use crate::vendor::dynatrace::answer::Shape;
use crate::vendor::dynatrace::complaint::{Fault, complaint};
use crate::vendor::dynatrace::judge::{self, Case, NotFound};
use crate::vendor::words::is_page;
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Purpose, Request, Response, RetryKind, Verdict};

/// The most objects on a page
/// (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/settings/objects/get-objects>).
pub(in super::super) const PAGE_MAX: usize = 500;

/// Auto-tags by the settings schema. Made by [`super::super::vendor_for`].
#[derive(Debug)]
pub struct SettingsAutoTags {
    page_size: usize,
    rules: TagRules,
    contact: Contact,
}

impl SettingsAutoTags {
    pub(in super::super) fn new(page_size: usize) -> Self {
        Self {
            page_size,
            rules: limits::rules(),
            contact: Contact::default(),
        }
    }
}

impl Vendor for SettingsAutoTags {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn kept(&self, tag: &Tag) -> Result<Tag, Failure> {
        definition::kept(Form::Settings, tag).map_err(|why| Failure::new(Class::Illegal, why))
    }

    fn same(&self, one: &Tag, other: &Tag) -> bool {
        same::same(Form::Settings, one, other)
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        check_kind(kind).map(|()| limits::of_settings(self.page_size))
    }

    /// The name itself. The schema takes none with spaces around it.
    fn canonical_id(&self, _kind: &str, wanted: &str) -> Result<String, String> {
        match wanted.trim() {
            "" => Err("the name of a definition is empty; give the tag's name".to_owned()),
            name => Ok(name.to_owned()),
        }
    }

    /// Tags differ by case, and so do the definitions that name them.
    fn fold_name(&self, name: &str) -> String {
        name.trim().to_owned()
    }

    fn new_id(&self, kind: &str, called: &str) -> Option<String> {
        self.canonical_id(kind, called).ok()
    }

    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError> {
        // Objects can't be chosen by what they say, so that some are a listing of all.
        let (Scope::Kind { kind } | Scope::Ids { kind, .. }) = scope;
        check_kind(kind)?;
        Ok(requests::list(self.page_size, page))
    }

    fn observed(&self, _scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        objects::page(answer)
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        check_kind(&call.kind)?;
        match definitions(call)?.as_slice() {
            [Definition { whole, document, .. }] if whole.exists => {
                requests::change(whole, document.as_ref())
            }
            several => requests::create(several),
        }
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let definitions = definitions(call)?;
        let unread = || {
            let why = format!(
                "{}; that does not say what became of the definition",
                complaint(answer)
            );
            vec![Effect::Observe(why); definitions.len()]
        };
        let deletes = definitions.iter().all(|one| one.document.is_none());
        if deletes && answer.status == 204 && answer.body.trim_ascii().is_empty() {
            return Ok(vec![Effect::Done; definitions.len()]);
        }
        let Some(results) = results::read(answer) else {
            return Ok(unread());
        };
        let names: Vec<&str> = definitions.iter().map(|one| one.name).collect();
        Ok(results::effects(&names, &results, |place, result| {
            let effect = result.written();
            let believed = answer.status < 300 && !deletes && is_of(definitions[place].whole, result);
            if effect == Effect::Done && !believed {
                Effect::Observe("the answer contradicts itself or the call".to_owned())
            } else {
                effect
            }
        }))
    }

    fn validate(&self, call: &Call) -> Option<Result<Request, VendorError>> {
        match check_kind(&call.kind).and_then(|()| definitions(call)) {
            Ok(definitions) => requests::validate(&definitions),
            Err(error) => Some(Err(error)),
        }
    }

    fn validated(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let definitions = definitions(call)?;
        let asked: Vec<&Definition<'_>> = definitions.iter().filter(|one| one.document.is_some()).collect();
        let names: Vec<&str> = asked.iter().map(|one| one.name).collect();
        let told = match results::read(answer) {
            Some(results) => results::effects(&names, &results, |_, result| result.validated()),
            None => vec![refused_whole(answer); asked.len()],
        };
        let mut told = told.into_iter();
        // What is deleted was not asked about.
        let effects = definitions.iter().map(|one| {
            let told = one.document.as_ref().and_then(|_| told.next());
            told.unwrap_or(Effect::Done)
        });
        Ok(effects.collect())
    }

    fn observe_removals(&self) -> bool {
        false
    }
}

impl Judge for SettingsAutoTags {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        let verdict = special(request, response).unwrap_or_else(|| {
            let (shape, not_found) = match request.method.as_str() {
                "GET" => (Shape::Items, NotFound::Route),
                "DELETE" => (Shape::Nothing, NotFound::Removed),
                _ => (Shape::Results, NotFound::Entity),
            };
            let scopes = match request.purpose {
                Purpose::Observe | Purpose::Authenticate => "the scope settings.read",
                Purpose::Write | Purpose::Validate => "the scopes settings.read and settings.write",
            };
            let case = Case {
                shape,
                not_found,
                scopes,
            };
            judge::judge(case, &self.contact, request, response)
        });
        match verdict {
            // The server may have created what it then failed to tell of.
            Verdict::Retry {
                kind: RetryKind::Transient,
                ..
            } if !request.idempotent => unknown(response),
            verdict => verdict,
        }
    }
}

/// The verdicts that tags do not have.
fn special(request: &Request, response: &Response) -> Option<Verdict> {
    let changes_one = matches!(request.method, Method::PUT | Method::DELETE);
    match (request.purpose, response.status) {
        (Purpose::Observe, _) => None,
        (_, 400 | 404 | 409) if Shape::Results.fits(&response.body) => Some(Verdict::Accept),
        (Purpose::Write, 404) if changes_one && !is_page(response) => Some(Verdict::Accept),
        (Purpose::Write, 409 | 412) => Some(unknown(response)),
        (Purpose::Write, 413) if objects_in(request) > 1 => Some(Verdict::Split {
            reason: complaint(response).to_string(),
        }),
        (Purpose::Validate, 400) => Fault::of(response).map(|_| Verdict::Accept),
        (Purpose::Write, 400) => Fault::of(response).map(|fault| refused(&fault, response)),
        _ => None,
    }
}

fn refused(fault: &Fault, response: &Response) -> Verdict {
    if fault.is_taken_name() {
        return unknown(response);
    }
    Verdict::Refuse {
        class: Class::Illegal.as_str(),
        reason: complaint(response).to_string(),
    }
}

fn unknown(response: &Response) -> Verdict {
    Verdict::Unknown {
        reason: complaint(response).to_string(),
    }
}

fn objects_in(request: &Request) -> usize {
    serde_json::from_slice::<Vec<IgnoredAny>>(&request.body).map_or(1, |objects| objects.len())
}

/// What an answer without results says of a dry run.
fn refused_whole(answer: &Response) -> Effect {
    match (answer.status, Fault::of(answer)) {
        (400, Some(_)) => Effect::Failed(Failure::new(Class::Illegal, complaint(answer).to_string())),
        _ => Effect::Observe(format!(
            "{}; that says nothing of the definition",
            complaint(answer)
        )),
    }
}

/// Whether a result is of the object that was meant, as far as it is known.
fn is_of(whole: &Whole, result: &ObjectResult) -> bool {
    let handle = whole.handle.as_deref().filter(|_| whole.exists);
    handle
        .and_then(Handle::read)
        .is_none_or(|handle| result.object_id() == Some(handle.object_id.as_str()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::DOCUMENT_KEY;
    use crate::vendor::dynatrace::auto_tags::KIND;

    const HANDLE: &str = r#"{"object_id":"vu9U3hXa3q0AAA","update_token":"vu9U3hXY3q0ATAAk"}"#;

    const TAKEN: &str = r#"{"code":400,"message":"Validation failed for 1 Validators.","constraintViolations":[
        {"path":"builtin:tags.auto-tagging/0/name","message":"Tag name must be unique","parameterLocation":"PAYLOAD_BODY"}]}"#;

    const ILLEGAL: &str = r#"{"code":400,"message":"Validation failed for 1 Validators.","constraintViolations":[
        {"path":"builtin:tags.auto-tagging/0/rules/0/valueFormat","message":"must be trimmed","parameterLocation":"PAYLOAD_BODY"}]}"#;

    fn vendor() -> SettingsAutoTags {
        SettingsAutoTags::new(500)
    }

    fn tag(text: &str) -> Tag {
        Tag::new(DOCUMENT_KEY, Some(text))
    }

    /// A definition that is wanted so: its name, whether it is there, and whether it shall be.
    fn call(wanted: &[(&str, bool, bool)]) -> Call {
        let whole = |(name, exists, stays): &(&str, bool, bool)| Whole {
            tags: stays
                .then(|| tag(&format!(r#"{{"name":"{name}","rules":[]}}"#)))
                .into_iter()
                .collect(),
            exists: *exists,
            handle: exists.then(|| HANDLE.to_owned()),
        };
        Call {
            kind: KIND.to_owned(),
            entities: wanted.iter().map(|(name, ..)| (*name).to_owned()).collect(),
            add: Vec::new(),
            remove: Vec::new(),
            plain_add: false,
            wholes: wanted.iter().map(whole).collect(),
        }
    }

    fn post() -> Call {
        call(&[("a", false, true), ("b", false, true)])
    }

    fn put() -> Call {
        call(&[("a", true, true)])
    }

    fn delete() -> Call {
        call(&[("a", true, false)])
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

    /// An answer of one result.
    fn refused(error: &str) -> String {
        format!(r#"{{"code":400,"error":{error},"invalidValue":{{"name":"a"}}}}"#)
    }

    /// The five requests that there are.
    fn requests() -> [Request; 5] {
        let vendor = vendor();
        [
            vendor.observe(&all(), None).unwrap(),
            vendor.encode(&post()).unwrap(),
            vendor.encode(&put()).unwrap(),
            vendor.encode(&delete()).unwrap(),
            vendor.validate(&post()).unwrap().unwrap(),
        ]
    }

    /// A verdict in a few words, for tables.
    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Accept => "accept".to_owned(),
            Verdict::Retry { kind, .. } => format!("{kind:?}"),
            Verdict::Split { .. } => "split".to_owned(),
            Verdict::Unknown { .. } => "unknown".to_owned(),
            Verdict::Refuse { class, .. } => format!("refuse {class}"),
            Verdict::Stop { .. } => "stop".to_owned(),
        }
    }

    fn words(effects: &[Effect]) -> Vec<&'static str> {
        let word = |effect: &Effect| match effect {
            Effect::Done => "done",
            Effect::Observe(_) => "observe",
            Effect::Failed(Failure { class, .. }) => class.as_str(),
        };
        effects.iter().map(word).collect()
    }

    #[test]
    fn every_request_is_made_exactly() {
        let objects = r#"[{"schemaId":"builtin:tags.auto-tagging","scope":"environment","value":{"name":"a","rules":[]}},{"schemaId":"builtin:tags.auto-tagging","scope":"environment","value":{"name":"b","rules":[]}}]"#;
        let list = "GET /api/v2/settings/objects?schemaIds=builtin%3Atags.auto-tagging&fields=objectId%2Cvalue%2CupdateToken&pageSize=500";
        let wants = [
            (list, "", Purpose::Observe, true),
            ("POST /api/v2/settings/objects", objects, Purpose::Write, false),
            (
                "PUT /api/v2/settings/objects/vu9U3hXa3q0AAA",
                r#"{"updateToken":"vu9U3hXY3q0ATAAk","value":{"name":"a","rules":[]}}"#,
                Purpose::Write,
                true,
            ),
            (
                "DELETE /api/v2/settings/objects/vu9U3hXa3q0AAA?updateToken=vu9U3hXY3q0ATAAk",
                "",
                Purpose::Write,
                true,
            ),
            (
                "POST /api/v2/settings/objects?validateOnly=true",
                objects,
                Purpose::Validate,
                true,
            ),
        ];
        for (request, (line, body, purpose, idempotent)) in requests().iter().zip(wants) {
            assert_eq!(format!("{} {}", request.method, request.target), line);
            assert_eq!(request.body, body, "{line}");
            assert_eq!(
                (request.purpose, request.idempotent),
                (purpose, idempotent),
                "{line}"
            );
            let media = request
                .headers
                .get("content-type")
                .map(|value| value.to_str().unwrap());
            assert_eq!(
                media,
                (!body.is_empty()).then_some("application/json; charset=utf-8"),
                "{line}"
            );
        }
        let cursor = Cursor("AQAAABQBAAAABQ==".to_owned());
        let next = vendor().observe(&all(), Some(&cursor)).unwrap();
        assert_eq!(
            next.target,
            "/api/v2/settings/objects?nextPageKey=AQAAABQBAAAABQ%3D%3D"
        );
        assert!(vendor().validate(&delete()).is_none(), "nothing to ask about");
    }

    #[test]
    fn an_object_without_update_token_is_changed_without() {
        let handle = Some(r#"{"object_id":"x/y","update_token":null}"#.to_owned());
        let [mut put, mut delete] = [put(), delete()];
        put.wholes[0].handle.clone_from(&handle);
        delete.wholes[0].handle = handle;
        let request = vendor().encode(&put).unwrap();
        assert_eq!(request.target, "/api/v2/settings/objects/x%2Fy");
        assert_eq!(request.body, r#"{"value":{"name":"a","rules":[]}}"#);
        assert_eq!(
            vendor().encode(&delete).unwrap().target,
            "/api/v2/settings/objects/x%2Fy"
        );
    }

    #[test]
    fn what_the_api_can_not_take_is_refused_before_it_is_sent() {
        let mut renamed = put();
        renamed.wholes[0].tags = vec![tag(r#"{"name":"b"}"#)];
        let mut unnamed = put();
        unnamed.wholes[0].handle = None;
        let mut uncovered = post();
        uncovered.wholes.pop();
        let mut other_kind = put();
        other_kind.kind = "HOST".to_owned();
        for (call, names) in [
            (
                renamed,
                "the document's `name` is `b` and the inventory names `a`",
            ),
            (unnamed, "no object identifier"),
            (uncovered, "2 definitions and has 1 documents"),
            (other_kind, "kind `HOST` has no definitions here"),
            (call(&[("a", false, false)]), "1 definitions in one request"),
            (
                call(&[("a", true, true), ("b", false, true)]),
                "changed or deleted one by one",
            ),
            (call(&[]), "0 definitions"),
        ] {
            let error = vendor().encode(&call).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
        assert!(vendor().limits("HOST").is_err());
    }

    #[test]
    fn every_status_has_its_verdict() {
        let fault = r#"{"error":{"code":0,"message":"HTTP"}}"#;
        let taken = format!(r#"{{"error":{TAKEN}}}"#);
        let [accept, transient, stop, unknown] = ["accept", "Transient", "stop", "unknown"];
        let [refused, illegal, missing] = ["refuse refused", "refuse illegal", "refuse missing"];
        for (status, body, [list, post, put, delete, validate]) in [
            (
                200,
                r#"{"items":[]}"#,
                [accept, unknown, unknown, accept, transient],
            ),
            (
                200,
                r#"[{"code":200}]"#,
                [transient, accept, accept, accept, accept],
            ),
            (
                207,
                r#"[{"code":200},{"code":400}]"#,
                [transient, accept, accept, accept, accept],
            ),
            (
                200,
                r#"[{"code":200}"#,
                [transient, unknown, unknown, unknown, transient],
            ),
            (200, "", [transient, unknown, unknown, accept, transient]),
            (204, "", [transient, unknown, unknown, accept, transient]),
            (200, "<html>", [stop, unknown, unknown, unknown, stop]),
            (302, "", [stop; 5]),
            (
                400,
                r#"[{"code":400}]"#,
                [refused, accept, accept, accept, accept],
            ),
            (400, fault, [refused, illegal, illegal, illegal, accept]),
            (400, taken.as_str(), [refused, unknown, unknown, unknown, accept]),
            (400, "nginx: bad request", [refused; 5]),
            (401, fault, [stop; 5]),
            (403, fault, [stop; 5]),
            (404, r#"{"code":404}"#, [stop, accept, accept, accept, accept]),
            (404, fault, [stop, missing, accept, accept, missing]),
            (404, "<html>", [stop; 5]),
            (409, r#"{"code":409}"#, [refused, accept, accept, accept, accept]),
            (409, fault, [refused, unknown, unknown, unknown, refused]),
            (413, fault, [refused, "split", refused, refused, refused]),
            (429, fault, ["Throttled"; 5]),
            (500, fault, [transient, unknown, transient, transient, transient]),
            (503, fault, [transient, unknown, transient, transient, transient]),
            (504, "", [transient, unknown, transient, transient, transient]),
        ] {
            let told = requests().map(|request| word(&vendor().judge(&request, &answer(status, body))));
            assert_eq!(told, [list, post, put, delete, validate], "{status} {body}");
        }
    }

    #[test]
    fn stops_name_the_scopes() {
        let [list, post, ..] = requests();
        let body = r#"{"error":{"code":403,"message":"Token is missing required scope."}}"#;
        for (request, names) in [
            (list, "give the token the scope settings.read"),
            (post, "give the token the scopes settings.read and settings.write"),
        ] {
            let Verdict::Stop { reason } = vendor().judge(&request, &answer(403, body)) else {
                panic!("not stopped")
            };
            assert!(reason.ends_with(names), "{reason}");
        }
    }

    #[test]
    fn each_definition_of_a_call_gets_the_effect_of_its_own_result() {
        let done = r#"{"code":200,"objectId":"vu9U3hXa3q0AAA"}"#;
        let other = r#"{"code":200,"objectId":"another"}"#;
        let (taken, illegal) = (refused(TAKEN), refused(ILLEGAL));
        for (call, status, body, want) in [
            (post(), 200, format!("[{done},{other}]"), vec!["done", "done"]),
            (
                post(),
                207,
                format!("[{illegal},{done}]"),
                vec!["illegal", "done"],
            ),
            (post(), 207, format!("[{taken},{done}]"), vec!["observe", "done"]),
            (
                post(),
                207,
                format!("[{done},{illegal}]"),
                vec!["observe", "observe"],
            ),
            (post(), 200, format!("[{done}]"), vec!["observe", "observe"]),
            (
                post(),
                200,
                format!("[{done},{{\"code\":200}}]"),
                vec!["done", "observe"],
            ),
            (post(), 200, done.to_owned(), vec!["observe", "observe"]),
            (
                post(),
                400,
                format!("[{done},{done}]"),
                vec!["observe", "observe"],
            ),
            (put(), 200, done.to_owned(), vec!["done"]),
            (put(), 200, format!("[{done}]"), vec!["done"]),
            (put(), 200, other.to_owned(), vec!["observe"]),
            (put(), 200, illegal.clone(), vec!["illegal"]),
            (put(), 400, illegal.clone(), vec!["illegal"]),
            (
                put(),
                404,
                r#"{"code":404,"error":{"message":"gone"}}"#.to_owned(),
                vec!["observe"],
            ),
            (
                put(),
                404,
                r#"{"error":{"message":"gone"}}"#.to_owned(),
                vec!["observe"],
            ),
            (put(), 409, r#"{"code":409}"#.to_owned(), vec!["observe"]),
            (delete(), 204, String::new(), vec!["done"]),
            (delete(), 200, String::new(), vec!["observe"]),
            (delete(), 200, done.to_owned(), vec!["observe"]),
            (delete(), 404, String::new(), vec!["observe"]),
            (delete(), 409, r#"{"code":409}"#.to_owned(), vec!["observe"]),
            (delete(), 400, illegal.clone(), vec!["illegal"]),
        ] {
            let effects = vendor().decode(&call, &answer(status, &body)).unwrap();
            assert_eq!(words(&effects), want, "{status} {body}");
        }
    }

    #[test]
    fn a_dry_run_finds_what_is_wrong_and_not_the_name_of_the_definition_itself() {
        let fine = r#"{"code":200}"#;
        let (taken, illegal) = (refused(TAKEN), refused(ILLEGAL));
        for (wanted, status, body, want) in [
            (vec![("a", true, true)], 200, format!("[{fine}]"), vec!["done"]),
            (vec![("a", true, true)], 400, format!("[{taken}]"), vec!["done"]),
            (vec![("a", false, true)], 400, format!("[{taken}]"), vec!["done"]),
            (
                vec![("a", true, true)],
                400,
                format!("[{illegal}]"),
                vec!["illegal"],
            ),
            (
                vec![("a", true, true), ("b", true, false)],
                400,
                format!("[{illegal}]"),
                vec!["illegal", "done"],
            ),
            (
                vec![("a", true, true), ("b", false, true)],
                207,
                format!("[{taken},{fine}]"),
                vec!["done", "done"],
            ),
            (
                vec![("a", true, true), ("b", false, true)],
                200,
                format!("[{fine}]"),
                vec!["observe", "observe"],
            ),
            (
                vec![("a", true, true)],
                400,
                format!(r#"{{"error":{ILLEGAL}}}"#),
                vec!["illegal"],
            ),
            (vec![("a", true, true)], 200, String::new(), vec!["observe"]),
        ] {
            let effects = vendor()
                .validated(&call(&wanted), &answer(status, &body))
                .unwrap();
            assert_eq!(words(&effects), want, "{wanted:?} {body}");
        }
    }

    #[test]
    fn a_definition_is_known_by_its_name() {
        assert_eq!(vendor().canonical_id(KIND, " env "), Ok("env".to_owned()));
        assert!(vendor().canonical_id(KIND, "  ").is_err());
        assert_eq!(vendor().new_id(KIND, "env"), Some("env".to_owned()));
        assert_eq!(vendor().fold_name("Env"), "Env");
    }

    fn document() -> impl Strategy<Value = Value> {
        let rule = ("[a-z]{1,8}", any::<bool>()).prop_map(
            |(selector, enabled)| json!({"type":"SELECTOR","enabled":enabled,"entitySelector":selector}),
        );
        ("[^\\s]{1,12}", prop::collection::vec(rule, 0..4))
            .prop_map(|(name, rules)| json!({"name":name,"rules":rules}))
    }

    proptest! {
        #[test]
        fn what_is_created_is_what_was_written_and_reads_back_the_same(document in document()) {
            let vendor = vendor();
            let kept = vendor.kept(&tag(&document.to_string())).unwrap();
            let name = document["name"].as_str().unwrap();
            let mut call = call(&[(name, false, false)]);
            call.wholes[0].tags = vec![kept.clone()];
            let request = vendor.encode(&call).unwrap();
            let mut objects: Value = serde_json::from_slice(&request.body).unwrap();
            prop_assert_eq!(&objects[0]["value"], &document);
            objects[0]["objectId"] = "x".into();
            let page = vendor.observed(&all(), &answer(200, &json!({"items":objects}).to_string())).unwrap();
            prop_assert_eq!(page.entities[0].id.as_str(), name);
            let live = page.entities[0].clone().carried().unwrap();
            prop_assert!(live.iter().all(|live| *live == kept && vendor.same(&kept, live)));
        }

        #[test]
        fn no_answer_is_too_strange(status in 100u16..600, body in prop::collection::vec(any::<u8>(), 0..64), cut in 0usize..300) {
            let results = format!("[{},{}]", refused(TAKEN), refused(ILLEGAL));
            let recorded = [results.as_bytes(), br#"{"items":[{"objectId":"x","value":{"name":"a"}}],"nextPageKey":"k"}"#, &body];
            for body in recorded {
                let answer = Response { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(&body[..cut.min(body.len())]) };
                for request in requests() {
                    let verdict = vendor().judge(&request, &answer);
                    prop_assert!(verdict != Verdict::Accept || (200..300).contains(&status) || matches!(status, 400 | 404 | 409));
                }
                for call in [post(), put(), delete()] {
                    let effects = vendor().decode(&call, &answer).unwrap();
                    prop_assert_eq!(effects.len(), call.entities.len());
                    let effects = vendor().validated(&call, &answer).unwrap();
                    prop_assert_eq!(effects.len(), call.entities.len());
                }
                let _ = vendor().observed(&all(), &answer);
            }
        }
    }
}
