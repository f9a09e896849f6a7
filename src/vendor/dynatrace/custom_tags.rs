//! Custom tags: `/api/v2/tags`, with `/api/v2/entities` to observe by.
//!
//! Adding takes many tags for many entities a call, removing one tag; the answer tells one count for all.
//! Live tags do not tell whether a rule made them: [`Vendor::ask_manual`] does
//! (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/custom-tags>).

use serde::Serialize;

use super::answer::{self, CustomEntityTags, EntitiesPage, EntityV2, MeTag, Shape};
use super::choice;
use super::complaint::complaint;
use super::entity_id;
use super::judge::{self, Case, NotFound};
use super::limits;
use crate::model::{Call, Effect, Limits, LiveEntity, LiveTag, Provenance, Tag, TagRules, TagSet};
use crate::vendor::contact::Contact;
use crate::vendor::request::Target;
use crate::vendor::{Choice, Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Request, Response, Verdict};

const ENTITIES: &str = "/api/v2/entities";
const TAGS: &str = "/api/v2/tags";

/// The media type of the specification's request body.
const JSON: &str = "application/json; charset=utf-8";

/// Dynatrace by its v2 API. Made by [`super::vendor`].
#[derive(Debug)]
pub struct CustomTags {
    from: String,
    page_size: usize,
    selector_chars: usize,
    rules: TagRules,
    contact: Contact,
}

impl CustomTags {
    pub(super) fn new(from: &str, page_size: usize, selector_chars: usize) -> Self {
        Self {
            from: from.to_owned(),
            page_size,
            selector_chars,
            rules: limits::rules_of_custom_tags(),
            contact: Contact::default(),
        }
    }

    /// The first page of what a selector chooses.
    fn selected(&self, selector: &str) -> Request {
        Target::new(ENTITIES)
            .query("entitySelector", selector)
            .query("from", &self.from)
            // The documentation writes `+tags`, whose plus would be a space in a URL; the bare name is taken
            // too.
            .query("fields", "tags")
            .query("pageSize", &self.page_size.to_string())
            .read()
    }

    /// The route for the custom tags of some entities. `from` always goes along: without it, entities that
    /// were not seen for 24 hours are passed over in silence.
    fn tags_of(&self, kind: &str, ids: &[String]) -> Result<Target, VendorError> {
        let selector = entity_id::of_ids(kind, ids)?;
        Ok(Target::new(TAGS)
            .query("entitySelector", &selector)
            .query("from", &self.from))
    }
}

impl Vendor for CustomTags {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        entity_id::check_type(kind)?;
        Ok(limits::of_custom_tags(self.page_size, self.selector_chars))
    }

    fn canonical_id(&self, kind: &str, wanted: &str) -> Result<String, String> {
        entity_id::canonical(kind, wanted)
    }

    fn fold_name(&self, name: &str) -> String {
        name.to_lowercase()
    }

    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError> {
        if let Some(Cursor(key)) = page {
            // The key stands for the whole query: any other parameter beside it is refused.
            return Ok(Target::new(ENTITIES).query("nextPageKey", key).read());
        }
        Ok(self.selected(&entity_id::selector(scope)?))
    }

    fn observe_chosen(&self, choice: &Choice<'_>) -> Option<Result<Request, VendorError>> {
        let selector = choice::selector(choice)?;
        Some(selector.map(|selector| self.selected(&selector)))
    }

    fn check_selector(&self, kind: &str, selector: &str) -> Result<(), VendorError> {
        choice::check(kind, selector)
    }

    fn observed(&self, _scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let page: EntitiesPage = answer::read(answer, "a page of entities")?;
        let EntitiesPage {
            entities,
            total_count,
            page_size,
            next_page_key,
        } = page;
        Ok(Page {
            entities: entities.into_iter().map(live).collect(),
            next: next_page_key.filter(|key| !key.is_empty()).map(Cursor),
            total: total_count,
            page_size,
        })
    }

    fn ask_manual(&self, kind: &str, ids: &[String]) -> Option<Result<Request, VendorError>> {
        Some(self.tags_of(kind, ids).map(Target::read))
    }

    fn read_manual(&self, answer: &Response) -> Result<TagSet, VendorError> {
        answer::read(answer, "the list of custom tags").map(CustomEntityTags::contextless)
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
        let target = self.tags_of(kind, entities)?;
        match (add.as_slice(), remove.as_slice()) {
            ([], [tag]) => Ok(delete(target, tag)),
            ([_, ..], []) => target.post(JSON, &AddEntityTags::of(add)),
            _ => Err(VendorError::Unsupported(format!(
                "a call adds {} tags and removes {}; custom tags are added, or removed one a call",
                add.len(),
                remove.len()
            ))),
        }
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let sent = call.entities.len();
        let matched = answer::matched(answer);
        let effect = if !call.remove.is_empty() {
            Effect::Observe(removal(sent, matched, answer))
        } else if matched == u64::try_from(sent).ok() {
            Effect::Done
        } else {
            Effect::Observe(addition(sent, matched))
        };
        Ok(vec![effect; sent])
    }

    fn observe_removals(&self) -> bool {
        true
    }
}

impl Judge for CustomTags {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        let case = match request.method.as_str() {
            "GET" => Case {
                shape: if request.target.starts_with(TAGS) {
                    Shape::Tags
                } else {
                    Shape::Entities
                },
                not_found: NotFound::Route,
                scopes: "the scope entities.read",
            },
            method => Case {
                shape: Shape::Count,
                not_found: if method == "DELETE" {
                    NotFound::Removed
                } else {
                    NotFound::Entity
                },
                scopes: "the scopes entities.read and entities.write",
            },
        };
        judge::judge(case, &self.contact, request, response)
    }

    fn correlation(&self) -> &'static [&'static str] {
        judge::CORRELATION
    }
}

/// The body of a `POST`.
#[derive(Serialize)]
struct AddEntityTags<'a> {
    tags: Vec<AddEntityTag<'a>>,
}

/// A tag in it. No value is told by leaving it out: what an empty one would do is not documented.
#[derive(Serialize)]
struct AddEntityTag<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

impl<'a> AddEntityTags<'a> {
    fn of(tags: &'a [Tag]) -> Self {
        let tags = tags.iter().map(|Tag { key, value }| AddEntityTag {
            key,
            value: value.as_deref(),
        });
        Self { tags: tags.collect() }
    }
}

/// Removes exactly this pair. A tag without a value is told by its key alone; `deleteAllWithKey`, which would
/// take every value of the key, is never sent.
fn delete(target: Target, tag: &Tag) -> Request {
    let target = target.query("key", &tag.key);
    match &tag.value {
        Some(value) => target.query("value", value).delete(),
        None => target.delete(),
    }
}

fn live(entity: EntityV2) -> LiveEntity {
    let EntityV2 {
        entity_id,
        display_name,
        tags,
    } = entity;
    let tags = tags.into_iter().filter_map(MeTag::contextless);
    LiveEntity {
        id: entity_id.to_ascii_uppercase(),
        name: display_name,
        tags: Some(
            tags.map(|tag| LiveTag {
                tag,
                provenance: Provenance::Undecided,
            })
            .collect(),
        ),
        handle: None,
    }
}

fn addition(sent: usize, matched: Option<u64>) -> String {
    match matched {
        Some(matched) => format!("the vendor matched {matched} of {sent} entities and does not say which"),
        None => "the vendor does not say how many entities it matched".to_owned(),
    }
}

fn removal(sent: usize, matched: Option<u64>, answer: &Response) -> String {
    match matched {
        Some(matched) => {
            format!("the vendor matched {matched} of {sent} entities; a removal counts once it is seen gone")
        }
        None => format!("{}; a removal counts once it is seen gone", complaint(answer)),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::wire::Purpose;

    fn vendor() -> CustomTags {
        CustomTags::new("now-1y", 500, 1_900)
    }

    fn hosts(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    fn call(ids: &[&str], add: &[Tag], remove: &[Tag]) -> Call {
        Call {
            kind: "HOST".to_owned(),
            entities: hosts(ids),
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

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn an_addition_is_made_exactly() {
        let tags = [pair("Datacenter", "Linz"), pair("Rack", "014"), plain("mainApp")];
        let request = vendor()
            .encode(&call(
                &["HOST-01A00204B50FF735", "HOST-0AF138A0258C7DFF"],
                &tags,
                &[],
            ))
            .unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(
            request.target,
            "/api/v2/tags?entitySelector=entityId%28%22HOST-01A00204B50FF735%22%2C%22HOST-0AF138A0258C7DFF%22%29\
             &from=now-1y"
        );
        assert_eq!(request.headers.len(), 1);
        assert_eq!(request.headers["content-type"], "application/json; charset=utf-8");
        assert_eq!(
            request.body,
            r#"{"tags":[{"key":"Datacenter","value":"Linz"},{"key":"Rack","value":"014"},{"key":"mainApp"}]}"#
        );
        assert_eq!((request.purpose, request.idempotent), (Purpose::Write, true));
    }

    #[test]
    fn awkward_keys_and_values_travel_unescaped_in_bodies_and_encoded_in_queries() {
        for (tag, body, query) in [
            (
                pair("url", "http://x"),
                r#"{"key":"url","value":"http://x"}"#,
                "key=url&value=http%3A%2F%2Fx",
            ),
            (
                pair("a:b", "c"),
                r#"{"key":"a:b","value":"c"}"#,
                "key=a%3Ab&value=c",
            ),
            (
                pair("q", "say \"hi\""),
                r#"{"key":"q","value":"say \"hi\""}"#,
                "key=q&value=say%20%22hi%22",
            ),
            (
                pair("p", "C:\\x"),
                r#"{"key":"p","value":"C:\\x"}"#,
                "key=p&value=C%3A%5Cx",
            ),
            (
                pair("R&D", "a+b=100%"),
                r#"{"key":"R&D","value":"a+b=100%"}"#,
                "key=R%26D&value=a%2Bb%3D100%25",
            ),
            (
                pair("Straße", "🚢"),
                r#"{"key":"Straße","value":"🚢"}"#,
                "key=Stra%C3%9Fe&value=%F0%9F%9A%A2",
            ),
            (plain("mainApp"), r#"{"key":"mainApp"}"#, "key=mainApp"),
            (pair("empty", ""), r#"{"key":"empty"}"#, "key=empty"),
            (
                plain("a&deleteAllWithKey=true"),
                r#"{"key":"a&deleteAllWithKey=true"}"#,
                "key=a%26deleteAllWithKey%3Dtrue",
            ),
        ] {
            let add = vendor()
                .encode(&call(&["HOST-1"], std::slice::from_ref(&tag), &[]))
                .unwrap();
            assert_eq!(add.body, format!("{{\"tags\":[{body}]}}"));
            let remove = vendor().encode(&call(&["HOST-1"], &[], &[tag])).unwrap();
            assert_eq!(remove.method, "DELETE");
            assert_eq!(
                remove.target,
                format!("/api/v2/tags?entitySelector=entityId%28%22HOST-1%22%29&from=now-1y&{query}")
            );
            assert!(remove.headers.is_empty() && remove.body.is_empty() && remove.idempotent);
        }
    }

    #[test]
    fn calls_that_v2_cannot_say_are_refused_and_told() {
        let (a, b) = (plain("a"), plain("b"));
        let both = [a.clone(), b.clone()];
        let many: Vec<String> = (0..90).map(|n| format!("HOST-{n:016X}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (call, names) in [
            (call(&["HOST-1"], &[a], &[b]), "adds 1 tags and removes 1"),
            (call(&["HOST-1"], &[], &both), "removes 2"),
            (call(&["HOST-1"], &[], &[]), "adds 0"),
            (call(&[], &both, &[]), "names no entity"),
            (call(&["SERVICE-1"], &both, &[]), "not a HOST"),
            (call(&["HOST-1\"),type(\"HOST"], &both, &[]), "does not end like"),
            (call(&many, &both, &[]), "send fewer a call"),
        ] {
            let error = vendor().encode(&call).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn observing_names_the_scope_first_and_the_cursor_alone_after() {
        let kind = Scope::Kind {
            kind: "HOST".to_owned(),
        };
        let ids = Scope::Ids {
            kind: "HOST".to_owned(),
            ids: hosts(&["HOST-1", "HOST-2"]),
        };
        let cursor = Cursor("AQAA+/8=&x".to_owned());
        let tail = "&from=now-1y&fields=tags&pageSize=500";
        for (scope, page, want) in [
            (
                &kind,
                None,
                format!("/api/v2/entities?entitySelector=type%28%22HOST%22%29{tail}"),
            ),
            (
                &ids,
                None,
                format!("/api/v2/entities?entitySelector=entityId%28%22HOST-1%22%2C%22HOST-2%22%29{tail}"),
            ),
            (
                &kind,
                Some(&cursor),
                "/api/v2/entities?nextPageKey=AQAA%2B%2F8%3D%26x".to_owned(),
            ),
        ] {
            let request = vendor().observe(scope, page).unwrap();
            assert_eq!((request.method.as_str(), request.target), ("GET", want));
            assert_eq!((request.purpose, request.idempotent), (Purpose::Observe, true));
        }
    }

    /// Recorded from `GET /api/v2/entities`, shortened; the contexts are added.
    const ENTITIES: &str = r#"{"totalCount":3,"pageSize":50,"nextPageKey":"k-2","entities":[
        {"entityId":"HOST-82F576674F19AC16","displayName":"arch-david","firstSeenTms":1620821456242,
         "properties":{"bitness":"64","ipAddress":["192.168.15.101"]},
         "tags":[{"context":"CONTEXTLESS","key":"citrix-prod","stringRepresentation":"citrix-prod"},
                 {"context":"contextless","key":"env","value":"prod","stringRepresentation":"env:prod"},
                 {"context":"CONTEXTLESS","key":"blank","value":""},
                 {"context":"ENVIRONMENT","key":"env","value":"prod"},
                 {"context":"AWS","key":"Name"}],
         "managementZones":[],"icon":{"primaryIconType":"linux"}},
        {"entityId":"host-2"}]}"#;

    #[test]
    fn a_recorded_page_is_read() {
        let scope = Scope::Kind {
            kind: "HOST".to_owned(),
        };
        let page = vendor().observed(&scope, &answer(200, ENTITIES)).unwrap();
        let undecided = |tag| LiveTag {
            tag,
            provenance: Provenance::Undecided,
        };
        let first = LiveEntity {
            id: "HOST-82F576674F19AC16".to_owned(),
            name: Some("arch-david".to_owned()),
            tags: [plain("citrix-prod"), pair("env", "prod"), plain("blank")]
                .map(undecided)
                .to_vec()
                .into(),
            handle: None,
        };
        let second = LiveEntity {
            id: "HOST-2".to_owned(),
            name: None,
            tags: Some(Vec::new()),
            handle: None,
        };
        let want = Page {
            entities: vec![first, second],
            next: Some(Cursor("k-2".to_owned())),
            total: Some(3),
            page_size: Some(50),
        };
        assert_eq!(page, want);
    }

    #[test]
    fn the_last_page_has_no_cursor_however_that_is_told() {
        let scope = Scope::Kind {
            kind: "HOST".to_owned(),
        };
        for body in [
            r#"{"entities":[]}"#,
            r#"{"entities":[],"nextPageKey":null}"#,
            r#"{"entities":[],"nextPageKey":""}"#,
        ] {
            assert_eq!(
                vendor().observed(&scope, &answer(200, body)).unwrap().next,
                None,
                "{body}"
            );
        }
    }

    #[test]
    fn an_unreadable_page_is_told_and_never_taken_for_an_empty_one() {
        let scope = Scope::Kind {
            kind: "HOST".to_owned(),
        };
        for (body, names) in [
            ("", "the body is empty"),
            ("<html>", "a web page came instead of JSON"),
            (
                r#"{"entities":[{"displayName":"x"}]}"#,
                "missing field `entityId`",
            ),
            (r#"{"totalCount":0}"#, "missing field `entities`"),
        ] {
            let Err(VendorError::BadAnswer(error)) = vendor().observed(&scope, &answer(200, body)) else {
                panic!("{body} was read")
            };
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn manual_tags_are_asked_for_by_identifier_and_read_as_a_union() {
        let request = vendor()
            .ask_manual("HOST", &hosts(&["HOST-1", "HOST-2"]))
            .unwrap()
            .unwrap();
        assert_eq!(request.method, "GET");
        assert_eq!(
            request.target,
            "/api/v2/tags?entitySelector=entityId%28%22HOST-1%22%2C%22HOST-2%22%29&from=now-1y"
        );
        // Recorded from `GET /api/v2/tags`; the third is added.
        let body = r#"{"tags":[{"context":"CONTEXTLESS","key":"mainApp","stringRepresentation":"mainApp"},
            {"context":"CONTEXTLESS","key":"bookings","stringRepresentation":"bookings"},
            {"context":"AWS","key":"bookings","value":"x"}]}"#;
        let answer = answer(200, body);
        assert_eq!(vendor().judge(&request, &answer), Verdict::Accept);
        assert_eq!(
            vendor().read_manual(&answer).unwrap(),
            TagSet::from_iter([plain("mainApp"), plain("bookings")])
        );
    }

    #[test]
    fn an_addition_is_done_only_when_every_entity_matched() {
        let two = call(&["HOST-1", "HOST-2"], &[plain("a")], &[]);
        for (body, done) in [
            (r#"{"matchedEntitiesCount":2,"appliedTags":[]}"#, true),
            (r#"{"matchedEntitiesCount":1}"#, false),
            (r#"{"matchedEntitiesCount":0}"#, false),
            (r#"{"matchedEntitiesCount":3}"#, false),
            (r#"{"matchedEntitiesCount":"2"}"#, false),
            ("{}", false),
            ("", false),
        ] {
            let effects = vendor().decode(&two, &answer(200, body)).unwrap();
            assert_eq!(effects.len(), 2);
            for effect in effects {
                assert_eq!(matches!(effect, Effect::Done), done, "{body}");
                assert_eq!(matches!(effect, Effect::Observe(_)), !done, "{body}");
            }
        }
        let recorded = r#"{"matchedEntitiesCount": 1, "appliedTags": [{"context": "CONTEXTLESS", "key": "test-tag-value",
            "value": "tag-value", "stringRepresentation": "test-tag-value:tag-value"}]}"#;
        let one = call(&["HOST-1"], &[pair("test-tag-value", "tag-value")], &[]);
        assert_eq!(
            vendor().decode(&one, &answer(200, recorded)).unwrap(),
            [Effect::Done]
        );
    }

    #[test]
    fn a_removal_is_always_observed() {
        let gone = r#"{"error":{"code":404,"message":"Unable to find tag a"}}"#;
        let removal = call(&["HOST-1", "HOST-2"], &[], &[plain("a")]);
        let request = vendor().encode(&removal).unwrap();
        for (status, body, names) in [
            (200, r#"{"matchedEntitiesCount": 2}"#, "matched 2 of 2"),
            (200, r#"{"matchedEntitiesCount": 0}"#, "matched 0 of 2"),
            (404, gone, "Unable to find tag a"),
            (400, gone, "Unable to find tag a"),
        ] {
            let answer = answer(status, body);
            assert_eq!(vendor().judge(&request, &answer), Verdict::Accept);
            let effects = vendor().decode(&removal, &answer).unwrap();
            let [Effect::Observe(one), Effect::Observe(two)] = effects.as_slice() else {
                panic!("{effects:?}")
            };
            assert!(one == two && one.contains(names), "{one}");
        }
        assert!(vendor().observe_removals());
    }

    #[test]
    fn a_refused_call_is_split_by_what_the_request_carries() {
        let bad = answer(400, r#"{"error":{"code":400,"message":"Constraints violated."}}"#);
        let (a, b) = (plain("a"), plain("b"));
        for (call, split) in [
            (call(&["HOST-1"], std::slice::from_ref(&a), &[]), false),
            (call(&["HOST-1", "HOST-2"], std::slice::from_ref(&a), &[]), true),
            (call(&["HOST-1"], &[a, b.clone()], &[]), true),
            (call(&["HOST-1"], &[], std::slice::from_ref(&b)), false),
            (call(&["HOST-1", "HOST-2"], &[], &[b]), true),
        ] {
            let verdict = vendor().judge(&vendor().encode(&call).unwrap(), &bad);
            assert_eq!(matches!(verdict, Verdict::Split { .. }), split, "{call:?}");
            assert_eq!(
                matches!(verdict, Verdict::Refuse { class: "refused", .. }),
                !split,
                "{call:?}"
            );
        }
        let listing = vendor()
            .ask_manual("HOST", &hosts(&["HOST-1", "HOST-2"]))
            .unwrap()
            .unwrap();
        assert!(matches!(vendor().judge(&listing, &bad), Verdict::Refuse { .. }));
    }

    #[test]
    fn names_compare_without_case_and_kinds_must_be_types() {
        assert_eq!(
            vendor().fold_name("Web-01.Example.COM"),
            vendor().fold_name("wEB-01.example.com")
        );
        assert!(vendor().limits("HOST").is_ok());
        assert!(vendor().limits("a b").is_err());
    }

    proptest! {
        #[test]
        fn any_tag_comes_back_from_body_and_query(key in ".{1,40}", value in ".{0,40}") {
            let tag = Tag::new(key, Some(value));
            let add = vendor().encode(&call(&["HOST-1"], std::slice::from_ref(&tag), &[])).unwrap();
            let body: serde_json::Value = serde_json::from_slice(&add.body).unwrap();
            let live = json!({ "entities": [{ "entityId": "HOST-1", "tags": [{
                "context": "CONTEXTLESS", "key": body["tags"][0]["key"], "value": body["tags"][0].get("value"),
            }] }] });
            let scope = Scope::Kind { kind: "HOST".to_owned() };
            let page = vendor().observed(&scope, &answer(200, &live.to_string())).unwrap();
            prop_assert_eq!(&page.entities[0].tags.as_ref().unwrap()[0].tag, &tag);

            let remove = vendor().encode(&call(&["HOST-1"], &[], std::slice::from_ref(&tag))).unwrap();
            let url = url::Url::parse(&format!("https://x.example{}", remove.target)).unwrap();
            let told = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            prop_assert_eq!(Tag::new(told("key").unwrap(), told("value")), tag);
            prop_assert_eq!(told("deleteAllWithKey"), None);
        }
    }
}
