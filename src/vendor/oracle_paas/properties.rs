//! What holds for every tag and every answer: tags are read back as they were written, and no answer does harm.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::options::Options;
use super::service_tags::ServiceTags;
use super::testing::{answer, call, first_add, ids, options, plain, scope, vendor};
use crate::model::{Call, Effect, Tag};
use crate::vendor::Vendor;
use crate::wire::{Judge, Response};

/// The server's side of a body that assigns: what it would list afterwards.
fn listed(body: &Value) -> Value {
    let (tags, services) = if body["tags"].is_array() {
        (&body["tags"], &body["assignments"])
    } else {
        (&body["tagsToAssign"], &body["createAssignmentsTo"])
    };
    let one = |tag: &Value| json!({ "key": tag["key"], "value": tag["value"], "assignments": services });
    tags.as_array().unwrap().iter().map(one).collect()
}

fn names() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set("[A-Za-z][A-Za-z0-9-]{0,12}", 1..5)
        .prop_map(|names| names.into_iter().collect())
}

/// Any JSON that is not too deep, with the words of the vendor in it.
fn garbage() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z]{0,4}".prop_map(Value::from),
        Just(Value::from("A")),
        Just(Value::from("JaaS")),
    ];
    leaf.prop_recursive(5, 64, 4, |inner| {
        let word = prop_oneof![
            Just("key"),
            Just("value"),
            Just("assignments"),
            Just("services"),
            Just("serviceType"),
            Just("serviceName"),
            Just("assignmentCounts"),
            Just("details"),
            Just("message"),
            Just("issues"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((word, inner), 0..5).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(word, value)| (word.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

/// Gives an answer to every reader: none may panic, and what was decoded covers the call.
fn read_all(status: u16, body: &[u8]) {
    let vendor = vendor();
    let answer = Response {
        body: Bytes::copy_from_slice(body),
        ..answer(status, "")
    };
    let scope = scope(&["A", "B"]);
    let add = call(&["A", "B"], &[plain("a")], &[]);
    let remove = call(&["A", "B"], &[], &[plain("a")]);
    let first = first_add(&["A", "B"], &[plain("a")]);
    vendor.judge(&vendor.observe(&scope, None).unwrap(), &answer);
    if let Ok(page) = vendor.observed(&scope, &answer) {
        let told: Vec<String> = page.entities.into_iter().map(|entity| entity.id).collect();
        assert_eq!(told, ids(&["A", "B"]));
    }
    for call in [add, remove, first] {
        vendor.judge(&vendor.encode(&call).unwrap(), &answer);
        assert_eq!(vendor.decode(&call, &answer).unwrap().len(), 2);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_the_same(
        names in names(),
        tags in proptest::collection::btree_map("[A-Z0-9-][A-Za-z0-9_-]{0,7}", "\\PC{0,12}", 1..4),
        plain_add in any::<bool>(),
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tags: Vec<Tag> = tags.into_iter().map(|(key, value)| Tag::new(key, Some(value))).collect();
        let vendor = vendor();
        let call = Call { plain_add, ..call(&names, &tags, &[]) };
        let body = serde_json::from_slice(&vendor.encode(&call).unwrap().body).unwrap();
        let answer = answer(200, &listed(&body).to_string());
        prop_assert_eq!(vendor.decode(&call, &answer).unwrap(), vec![Effect::Done; names.len()]);
        let page = vendor.observed(&scope(&names), &answer).unwrap();
        prop_assert_eq!(page.entities.len(), names.len());
        let kept: BTreeSet<Tag> = tags.iter().map(|tag| vendor.kept(tag).unwrap()).collect();
        for (entity, id) in page.entities.into_iter().zip(ids(&names)) {
            prop_assert_eq!(&entity.id, &id);
            prop_assert_eq!(entity.carried(), Some(kept.clone()));
        }
    }

    #[test]
    fn a_tag_comes_back_from_the_path_that_deletes_it(key in "[A-Za-z0-9_-]{1,8}", value in "\\PC{0,12}") {
        let tag = Tag::new(key, Some(value));
        let vendor = ServiceTags::new(&Options { delete_unused: true, ..options() }).unwrap();
        if let Some(Ok(request)) = vendor.tidy(&tag) {
            let url = url::Url::parse(&format!("https://x.example{}", request.target)).unwrap();
            prop_assert_eq!(url.path(), request.target);
            let path: Vec<&str> = url.path_segments().unwrap().collect();
            let [.., told_key, told_value] = path.as_slice() else { panic!("{path:?}") };
            let query = format!("https://x.example/?{told_key}={told_value}");
            let told = url::Url::parse(&query).unwrap().query_pairs().next().map(|(k, v)| Tag::new(k, Some(v)));
            prop_assert_eq!((path.len(), told), (8, Some(tag)));
        } else {
            prop_assert!(tag.key.starts_with("ora_") || matches!(tag.value.as_deref(), Some("." | "..")));
        }
    }

    #[test]
    fn garbage_never_panics_and_is_never_taken_for_an_answer_about_others(
        status in prop_oneof![Just(200u16), Just(201), Just(204), Just(400), Just(404), Just(500), 100..1000u16],
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        json in garbage(),
    ) {
        read_all(status, &bytes);
        let text = json.to_string();
        read_all(status, text.as_bytes());
        read_all(status, &text.as_bytes()[..text.len() / 2]);
    }
}
