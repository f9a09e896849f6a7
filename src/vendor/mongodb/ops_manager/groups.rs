//! Groups: `/api/public/v1.0/groups`.
//!
//! `PATCH` replaces all tags of one group, and its answer is the whole group as it is then
//! ("Add or Remove Tags from One Group" of the Ops Manager API). Cloud Manager documents only the name to be changed so,
//! and may leave tags out or as they are; what its answer shows decides.

use std::collections::BTreeSet;

use super::group::{self, Group, URL_HINT};
use super::{LowerCase, limits, plain};
use crate::model::{Call, Class, Effect, Failure, Limits, LiveEntity, LiveTag, Provenance, Tag, TagRules};
use crate::vendor::contact::Contact;
use crate::vendor::mongodb::judge::{self, Api, Asked};
use crate::vendor::mongodb::listing::{self, Listing};
use crate::vendor::mongodb::{answer, group_id, request, whole};
use crate::vendor::request::Target;
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Request, Response, Verdict};

const GROUPS: &str = "/api/public/v1.0/groups";

/// The media type of the documentation's example, both ways.
const JSON: &str = "application/json";

/// What groups are called: newer pages and Atlas say project.
const KINDS: [&str; 2] = ["group", "project"];

const API: Api = Api {
    url_hint: URL_HINT,
    roles: "tags are seen with the role Project Read Only or Global Read Only, and changed with Project Automation \
            Admin or, before, Global Owner: give the API key one of them",
};

/// Ops Manager and Cloud Manager. Made by [`super::vendor`].
#[derive(Debug)]
pub(super) struct Groups {
    page_size: usize,
    lower_case: LowerCase,
    rules: TagRules,
    contact: Contact,
}

impl Groups {
    pub(super) fn new(join: Option<&str>, lower_case: LowerCase, page_size: usize) -> Self {
        Self {
            page_size,
            lower_case,
            rules: limits::rules(join, lower_case),
            contact: Contact::default(),
        }
    }

    fn join(&self) -> Option<&str> {
        self.rules.join.as_deref()
    }

    /// A group as the engine knows it. Identifiers are compared in lower case.
    fn live(&self, group: Group) -> LiveEntity {
        LiveEntity {
            id: group.id.to_ascii_lowercase(),
            name: group.name.as_str().map(str::to_owned),
            tags: group
                .strings()
                .map(|strings| strings.into_iter().map(|text| self.live_tag(text)).collect()),
            handle: None,
        }
    }

    fn live_tag(&self, text: String) -> LiveTag {
        LiveTag {
            tag: plain::read(text, self.join()),
            provenance: Provenance::Manual,
        }
    }

    fn page(&self, answer: &Response) -> Result<Page, VendorError> {
        let listing: Listing<Group> = answer::read(answer, "a page of groups", URL_HINT)?;
        listing.page(self.page_size, |group| Ok(self.live(group)))
    }

    /// All strings that a group shall carry, each once and in order.
    fn strings(&self, tags: &[Tag]) -> Result<BTreeSet<String>, VendorError> {
        tags.iter().map(|tag| plain::write(tag, self.join())).collect()
    }
}

impl Vendor for Groups {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn kept(&self, tag: &Tag) -> Result<Tag, Failure> {
        let written = self.lower_case.written(tag);
        let checked = self.rules.check(&written);
        let upper = LowerCase::Upper.written(tag);
        if checked.is_err() && upper != written && self.rules.check(&upper).is_ok() {
            let why = format!(
                "tag `{tag}` has lower-case letters, and the vendor's rules list `A` to `Z` alone: write it as `{upper}`, \
                 or give the connection `lower_case = \"upper\"` or `\"allow\"`"
            );
            return Err(Failure::new(Class::Illegal, why));
        }
        checked.map(|()| written)
    }

    fn rewrites_as_asked(&self) -> bool {
        self.lower_case == LowerCase::Upper
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        check_kind(kind)?;
        Ok(limits::of_groups(self.page_size))
    }

    fn canonical_id(&self, _kind: &str, wanted: &str) -> Result<String, String> {
        group_id::canonical(wanted)
    }

    /// Names are compared as they are: the vendor's own operator does, where it has to find one among several. Whether the
    /// server would take two names that differ by case alone is not documented, and such ones are two names here.
    fn fold_name(&self, name: &str) -> String {
        name.to_owned()
    }

    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError> {
        let target = match scope {
            Scope::Kind { kind } => {
                check_kind(kind)?;
                Target::new(GROUPS)
                    .query("pageNum", &listing::number(page)?.to_string())
                    .query("itemsPerPage", &self.page_size.to_string())
                    .query("includeCount", "true")
            }
            Scope::Ids { kind, ids } => {
                check_kind(kind)?;
                Target::new(GROUPS).segment(only(ids)?)
            }
        };
        Ok(request::read(target, JSON))
    }

    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let ids = match scope {
            Scope::Kind { .. } => return self.page(answer),
            Scope::Ids { ids, .. } => ids,
        };
        let id = only(ids)?;
        let live = match answer.status {
            400.. => judge::unshown(id, answer)?,
            _ => Some(self.live(group::read(answer, id)?)),
        };
        Ok(Page {
            entities: live.into_iter().collect(),
            ..Page::default()
        })
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        check_kind(&call.kind)?;
        let (id, whole) = whole::of(call)?;
        let id = group_id::canonical(id).map_err(VendorError::Unsupported)?;
        // `pretty` is of the documentation's example; it changes nothing but white space.
        let target = Target::new(GROUPS).segment(&id).query("pretty", "true");
        request::replace(target, JSON, self.strings(&whole.tags)?)
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let (id, whole) = whole::of(call)?;
        let sent = self.strings(&whole.tags)?;
        let effect = match group::read(answer, id)?.strings() {
            Some(kept) => compared(&sent, &kept.into_iter().collect()),
            None => Effect::Observe("the answer does not show the tags of the group".to_owned()),
        };
        Ok(vec![effect])
    }

    /// The answer to a change shows what is left.
    fn observe_removals(&self) -> bool {
        false
    }
}

impl Judge for Groups {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        let path = request.target.split('?').next().unwrap_or_default();
        let id = path.strip_prefix(GROUPS).map(|rest| rest.trim_start_matches('/'));
        let (asked, fits): (_, &dyn Fn() -> Result<(), VendorError>) = match id.unwrap_or_default() {
            "" => (Asked::Listing, &|| self.page(response).map(drop)),
            id if request.method == "GET" => (Asked::One, &|| group::read(response, id).map(drop)),
            id => (Asked::Change, &|| group::read(response, id).map(drop)),
        };
        judge::judge(&API, &self.contact, asked, response, fits)
    }
}

/// Holds what was sent against what the answer shows.
fn compared(sent: &BTreeSet<String>, kept: &BTreeSet<String>) -> Effect {
    if sent == kept {
        return Effect::Done;
    }
    let upper = |tags: &BTreeSet<String>| -> BTreeSet<String> {
        tags.iter().map(|tag| tag.to_ascii_uppercase()).collect()
    };
    Effect::Observe(if upper(sent) == upper(kept) {
        "the answer shows the tags in other letter case; give the connection `lower_case = \"upper\"`"
            .to_owned()
    } else {
        "the answer shows other tags than were sent; Cloud Manager does not promise to keep any".to_owned()
    })
}

fn check_kind(kind: &str) -> Result<(), VendorError> {
    if KINDS.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(VendorError::Unsupported(format!(
        "kind `{}` bears no tags here; write `kind = \"{}\"`",
        kind.escape_debug(),
        KINDS[0]
    )))
}

/// The one identifier of a scope, in canonical form.
fn only(ids: &[String]) -> Result<&str, VendorError> {
    match ids {
        [id] if group_id::canonical(id).as_ref() == Ok(id) => Ok(id),
        [id] => Err(VendorError::Unsupported(format!(
            "`{}` is no identifier of a group",
            id.escape_debug()
        ))),
        _ => Err(VendorError::Unsupported(format!(
            "{} groups are asked for; one a request can be",
            ids.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Whole;
    use crate::wire::Purpose;

    const ID: &str = "5c8100bcf2a30b12ff88258f";

    fn vendor(join: Option<&str>) -> Groups {
        Groups::new(join, LowerCase::Refuse, 500)
    }

    fn plain_tag(text: &str) -> Tag {
        Tag::new(text, None::<String>)
    }

    fn pair(key: &str, value: &str) -> Tag {
        Tag::new(key, Some(value))
    }

    fn call(tags: &[Tag]) -> Call {
        Call {
            kind: "group".to_owned(),
            entities: vec![ID.to_owned()],
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

    fn kind() -> Scope {
        Scope::Kind {
            kind: "group".to_owned(),
        }
    }

    fn ids(ids: &[&str]) -> Scope {
        Scope::Ids {
            kind: "project".to_owned(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
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

    /// The documentation's example, with its trailing comma left out: it is no JSON with it.
    #[test]
    fn the_documented_example_is_sent() {
        let call = call(&[plain_tag("PRODUCT"), plain_tag("DEV")]);
        let request = vendor(None).encode(&call).unwrap();
        assert_eq!(request.method, "PATCH");
        assert_eq!(
            request.target,
            "/api/public/v1.0/groups/5c8100bcf2a30b12ff88258f?pretty=true"
        );
        assert_eq!(request.headers.len(), 2);
        assert_eq!(request.headers["accept"], "application/json");
        assert_eq!(request.headers["content-type"], "application/json");
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body, json!({ "tags": ["DEV", "PRODUCT"] }));
        assert_eq!(request.purpose, Purpose::Write);
        assert!(
            !request.idempotent,
            "a late duplicate would wipe what others wrote"
        );
    }

    #[test]
    fn the_whole_set_is_sent_each_string_once_and_an_empty_one_too() {
        for (join, tags, body) in [
            (None, vec![], r#"{"tags":[]}"#),
            (
                Some("."),
                vec![pair("ENV", "PROD"), plain_tag("DEV"), plain_tag("ENV.")],
                r#"{"tags":["DEV","ENV.","ENV.PROD"]}"#,
            ),
            // Tags of others that break the rules stay as they are.
            (
                Some("."),
                vec![plain_tag("lower case, \"quoted\""), plain_tag("Ä"), plain_tag("")],
                r#"{"tags":["","lower case, \"quoted\"","Ä"]}"#,
            ),
            (None, vec![plain_tag("A"), plain_tag("A")], r#"{"tags":["A"]}"#),
        ] {
            assert_eq!(vendor(join).encode(&call(&tags)).unwrap().body, body);
        }
    }

    #[test]
    fn calls_that_groups_cannot_take_are_refused_and_told() {
        let one = call(&[plain_tag("A")]);
        let gone = Whole {
            exists: false,
            ..one.wholes[0].clone()
        };
        for (call, names) in [
            (
                Call {
                    wholes: vec![],
                    ..one.clone()
                },
                "1 entities with 0 sets",
            ),
            (
                Call {
                    entities: vec![],
                    ..one.clone()
                },
                "0 entities with 1 sets",
            ),
            (
                Call {
                    wholes: vec![gone],
                    ..one.clone()
                },
                "is not there",
            ),
            (
                Call {
                    entities: vec!["../x".to_owned()],
                    ..one.clone()
                },
                "24 hexadecimal digits",
            ),
            (
                Call {
                    kind: "HOST".to_owned(),
                    ..one.clone()
                },
                "kind `HOST` bears no tags",
            ),
            (call(&[pair("ENV", "PROD")]), "give the connection a `join`"),
        ] {
            let error = vendor(None).encode(&call).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn groups_are_listed_by_page_or_asked_for_one_by_one() {
        let page = Cursor("3".to_owned());
        for (scope, page, want) in [
            (
                kind(),
                None,
                "/api/public/v1.0/groups?pageNum=1&itemsPerPage=500&includeCount=true",
            ),
            (
                kind(),
                Some(&page),
                "/api/public/v1.0/groups?pageNum=3&itemsPerPage=500&includeCount=true",
            ),
            (
                ids(&[ID]),
                None,
                "/api/public/v1.0/groups/5c8100bcf2a30b12ff88258f",
            ),
        ] {
            let request = vendor(None).observe(&scope, page).unwrap();
            assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", want));
            assert_eq!((request.purpose, request.idempotent), (Purpose::Observe, true));
            assert_eq!(request.headers["accept"], "application/json");
        }
        let other = Scope::Kind {
            kind: "HOST".to_owned(),
        };
        for scope in [
            ids(&[]),
            ids(&[ID, ID]),
            ids(&["5C8100BCF2A30B12FF88258F"]),
            ids(&["x?y"]),
            other,
        ] {
            assert!(vendor(None).observe(&scope, None).is_err(), "{scope:?}");
        }
    }

    /// As a client's tests have it (`TestProject_GetAllProjects` of go-client-mongodb-ops-manager), shortened; the
    /// second group and the secret are added.
    const LISTING: &str = r#"{"links":[{"href":"https://cloud.mongodb.com/api/public/v1.0/groups","rel":"self"}],
        "results":[
          {"activeAgentCount":0,"agentApiKey":"cbd728abd6a6d6c6b6d7826345dbcff0e","hostCounts":{"arbiter":0,"config":0},
           "id":"56a10a80e4b0fd3b9a9bb0c2","lastActiveAgent":"2016-03-09T18:19:37Z",
           "links":[{"href":"https://cloud.mongodb.com/api/public/v1.0/groups/56a10a80e4b0fd3b9a9bb0c2","rel":"self"}],
           "name":"012i3091203jioawjioej","orgId":"5980cfdf0b6d97029d82f86e","publicApiEnabled":true,"replicaSetCount":0,
           "shardCount":0,"tags":["ENV.PROD","DEV","lower"]},
          {"id":"5C8100BCF2A30B12FF88258F","name":"My Group"}],
        "totalCount":2}"#;

    #[test]
    fn a_recorded_listing_is_read() {
        let page = vendor(Some("."))
            .observed(&kind(), &answer(200, LISTING))
            .unwrap();
        let tags = [pair("ENV", "PROD"), plain_tag("DEV"), plain_tag("lower")];
        let want = Page {
            entities: vec![
                live("56a10a80e4b0fd3b9a9bb0c2", "012i3091203jioawjioej", Some(&tags)),
                live(ID, "My Group", None),
            ],
            next: None,
            total: Some(2),
            page_size: None,
        };
        assert_eq!(page, want);
    }

    #[test]
    fn tags_that_are_not_told_or_could_not_be_written_back_are_unknown_and_never_none() {
        let group = |tags: &str| format!(r#"{{"name":"G","id":"{ID}"{tags}}}"#);
        for (tags, want) in [
            (r#","tags":[]"#, Some(vec![])),
            (r#","tags":["A","A"]"#, Some(vec![plain_tag("A"), plain_tag("A")])),
            ("", None),
            (r#","tags":null"#, None),
            (r#","tags":"A""#, None),
            (r#","tags":["A",null]"#, None),
            (r#","tags":["A",7]"#, None),
            (r#","tags":[{"key":"A","value":"B"}]"#, None),
        ] {
            let answer = answer(200, &group(tags));
            let scope = ids(&[ID]);
            let request = vendor(None).observe(&scope, None).unwrap();
            assert_eq!(vendor(None).judge(&request, &answer), Verdict::Accept, "{tags}");
            let page = vendor(None).observed(&scope, &answer).unwrap();
            assert_eq!(page.entities, [live(ID, "G", want.as_deref())], "{tags}");
        }
    }

    #[test]
    fn an_answer_that_is_not_the_group_that_was_asked_for_is_no_answer() {
        let request = vendor(None).observe(&ids(&[ID]), None).unwrap();
        let change = vendor(None).encode(&call(&[])).unwrap();
        for (body, names) in [
            (
                r#"{"id":"56a10a80e4b0fd3b9a9bb0c2","tags":[]}"#,
                "is of group `56a10a80e4b0fd3b9a9bb0c2`",
            ),
            (r#"{"tags":[]}"#, "missing field `id`"),
            (
                r#"{"id":"5c8100bcf2a30b12ff88258f","tags":[],"tags":["A"]}"#,
                "duplicate field `tags`",
            ),
            (
                r#"{"id":"5c8100bcf2a30b12ff88258f","agentApiKey":"SECRET","tags":["A""#,
                "EOF while parsing",
            ),
            (
                r#"{"status":200,"content":{"agentApiKey":"SECRET"}}"#,
                "missing field `id`",
            ),
            ("[]", "no JSON object"),
            (r#"["5c8100bcf2a30b12ff88258f","G",[]]"#, "no JSON object"),
            ("null", "no JSON object"),
            ("", "the body is empty"),
            ("<html>Log in</html>", "a web page came instead of JSON"),
        ] {
            let answer = answer(200, body);
            let error = vendor(None)
                .observed(&ids(&[ID]), &answer)
                .unwrap_err()
                .to_string();
            assert!(error.contains(names) && !error.contains("SECRET"), "{error}");
            assert_ne!(vendor(None).judge(&request, &answer), Verdict::Accept, "{body}");
            let Verdict::Unknown { reason } = vendor(None).judge(&change, &answer) else {
                panic!("{body} is believed")
            };
            assert!(reason.contains(names) && !reason.contains("SECRET"), "{reason}");
        }
    }

    #[test]
    fn a_refused_reading_is_a_missing_group_or_one_without_its_tags() {
        let request = vendor(None).observe(&ids(&[ID]), None).unwrap();
        let hidden = LiveEntity {
            name: None,
            ..live(ID, "", None)
        };
        for (status, code, want) in [
            (404, "GROUP_NOT_FOUND", vec![]),
            (401, "NOT_IN_GROUP", vec![]),
            (401, "USER_UNAUTHORIZED", vec![hidden]),
        ] {
            let answer = answer(status, &json!({ "error": status, "errorCode": code }).to_string());
            assert_eq!(vendor(None).judge(&request, &answer), Verdict::Accept, "{code}");
            let page = vendor(None).observed(&ids(&[ID]), &answer).unwrap();
            assert_eq!(page.entities, want, "{code}");
        }
    }

    #[test]
    fn a_change_is_done_when_the_answer_shows_exactly_what_was_sent() {
        let call = call(&[pair("ENV", "PROD"), plain_tag("DEV")]);
        let request = vendor(Some(".")).encode(&call).unwrap();
        for (tags, want) in [
            (r#","tags":["ENV.PROD","DEV"]"#, None),
            (r#","tags":["DEV","ENV.PROD","DEV"]"#, None),
            (r#","tags":["DEV"]"#, Some("other tags than were sent")),
            (
                r#","tags":["DEV","ENV.PROD","QA"]"#,
                Some("other tags than were sent"),
            ),
            (r#","tags":["dev","env.prod"]"#, Some("in other letter case")),
            (r#","tags":[]"#, Some("other tags than were sent")),
            (r#","tags":null"#, Some("does not show the tags")),
            ("", Some("does not show the tags")),
        ] {
            let body = format!(r#"{{"id":"{ID}","name":"My Group","hostCounts":{{"primary":4}}{tags}}}"#);
            let answer = answer(200, &body);
            assert_eq!(vendor(Some(".")).judge(&request, &answer), Verdict::Accept);
            match (vendor(Some(".")).decode(&call, &answer).unwrap().as_slice(), want) {
                ([Effect::Done], None) => {}
                ([Effect::Observe(why)], Some(want)) => assert!(why.contains(want), "{why}"),
                (effects, _) => panic!("{tags}: {effects:?}"),
            }
        }
        let cleared = answer(200, &format!(r#"{{"id":"{ID}","tags":[]}}"#));
        let nothing = super::tests::call(&[]);
        assert_eq!(vendor(None).decode(&nothing, &cleared).unwrap(), [Effect::Done]);
    }

    #[test]
    fn lower_case_is_refused_allowed_or_written_in_upper_case() {
        for (lower_case, tag, want) in [
            (LowerCase::Refuse, pair("ENV", "PROD"), Ok(pair("ENV", "PROD"))),
            (
                LowerCase::Refuse,
                pair("env", "PROD"),
                Err("write it as `ENV:PROD`"),
            ),
            (LowerCase::Refuse, pair("env", "a b"), Err("is not allowed")),
            (LowerCase::Allow, pair("env", "Prod"), Ok(pair("env", "Prod"))),
            (LowerCase::Upper, pair("env", "Prod"), Ok(pair("ENV", "PROD"))),
            (LowerCase::Upper, plain_tag("größe"), Err("is not allowed")),
        ] {
            let kept = Groups::new(Some("."), lower_case, 500).kept(&tag);
            match (kept, want) {
                (Ok(kept), Ok(want)) => assert_eq!(kept, want),
                (Err(failure), Err(want)) => assert!(failure.message.contains(want), "{failure:?}"),
                (kept, want) => panic!("{tag}: {kept:?} and not {want:?}"),
            }
        }
    }

    #[test]
    fn names_keep_their_case_and_identifiers_do_not() {
        assert_ne!(
            vendor(None).fold_name("My Group"),
            vendor(None).fold_name("my group")
        );
        assert_eq!(
            vendor(None)
                .canonical_id("group", "5C8100BCF2A30B12FF88258F")
                .as_deref(),
            Ok(ID)
        );
        for kind in ["group", "project", "GROUP"] {
            assert!(vendor(None).limits(kind).is_ok(), "{kind}");
        }
        assert!(vendor(None).limits("cluster").is_err());
    }

    proptest! {
        /// Whatever strings a group carries, a change that adds one sends all of them back as they were.
        #[test]
        fn tags_of_others_survive_a_change_byte_for_byte(
            strings in proptest::collection::btree_set("(?s).{0,40}|[a-c.]{0,5}", 0..8),
            join in proptest::option::of("[.-]{1,2}"),
        ) {
            let vendor = vendor(join.as_deref());
            let body = json!({ "id": ID, "tags": strings });
            let page = vendor.observed(&ids(&[ID]), &answer(200, &body.to_string())).unwrap();
            let mut carried = page.entities[0].clone().carried().unwrap();
            prop_assert_eq!(carried.len(), strings.len());
            carried.insert(plain_tag("NEW"));
            let request = vendor.encode(&call(&Vec::from_iter(carried))).unwrap();
            let mut want = strings;
            want.insert("NEW".to_owned());
            let sent: Value = serde_json::from_slice(&request.body).unwrap();
            prop_assert_eq!(sent, json!({ "tags": want }));
        }

        #[test]
        fn whatever_comes_nothing_panics_and_garbage_is_never_a_done_change(
            status in 100u16..700,
            body in "(?s).{0,60}|\\{\"(id|results|error|tags|links)\":(\\[\\]|7|null|\"x\"|\\{\\})\\}",
        ) {
            let vendor = vendor(Some("."));
            let answer = answer(status, &body);
            let call = call(&[plain_tag("A")]);
            let listing = vendor.observe(&kind(), None).unwrap();
            let one = vendor.observe(&ids(&[ID]), None).unwrap();
            let change = vendor.encode(&call).unwrap();
            for (request, scope) in [(&listing, kind()), (&one, ids(&[ID]))] {
                let accepted = vendor.judge(request, &answer) == Verdict::Accept;
                prop_assert!(vendor.observed(&scope, &answer).is_ok() || !accepted);
            }
            prop_assert_ne!(vendor.judge(&change, &answer), Verdict::Accept);
            prop_assert!(vendor.decode(&call, &answer).is_err());
        }
    }
}
