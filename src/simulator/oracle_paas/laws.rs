//! What holds for whatever is asked in whatever order, switches and all.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::api::{Api, Asked};
use super::super::journal::{Change, Entry};
use super::super::spec::Spec;
use super::api::Domain;
use super::tag_rules::MAX_TAGS;
use super::testing::{ASSIGNMENTS, EXAMPLE, MYSQL, TAGS, WEB1, WEB2, facts, fill};

/// Method, target and body.
type Ask = (&'static str, String, String);

fn pair() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        12 => prop::sample::select(vec!["env", "owner", "new", "Env"]),
        1 => prop::sample::select(vec!["ora_ha", "costcenter", "department", "a b"]),
    ];
    let value = prop::sample::select(vec!["", "prod", "dev", "ops", "on", "1001", "finance"]);
    (key, value).prop_map(|(key, value)| json!({"key": key, "value": value}))
}

/// A tag of many, so that instances become full.
fn one_of_many() -> impl Strategy<Value = Value> {
    (0..60).prop_map(|n| json!({"key": format!("k{n}")}))
}

fn pairs() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => prop::collection::vec(pair(), 0..4),
        1 => prop::collection::vec(one_of_many(), 20..50),
    ]
    .prop_map(Value::from)
}

fn services() -> impl Strategy<Value = Value> {
    let known = vec![WEB1, WEB2, MYSQL, EXAMPLE];
    let id = prop_oneof![9 => prop::sample::select(known), 1 => Just("JaaS/nobody")];
    prop::collection::vec(id, 0..3).prop_map(|ids| super::testing::services(&ids))
}

fn ask() -> impl Strategy<Value = Ask> {
    let flag = any::<bool>;
    let create = (pairs(), services()).prop_map(|(tags, assignments)| {
        let body = json!({"tags": tags, "assignments": assignments});
        ("POST", TAGS.to_owned(), body.to_string())
    });
    let half = || (pairs(), services(), any::<bool>());
    let assign = (half(), half(), flag(), flag()).prop_map(|(on, off, create, force)| {
        let mut body = json!({});
        if on.2 {
            (body["tagsToAssign"], body["createAssignmentsTo"]) = (on.0, on.1);
        }
        if off.2 {
            (body["tagsToUnassign"], body["deleteAssignmentsFrom"]) = (off.0, off.1);
        }
        let target = format!("{ASSIGNMENTS}?createTagsIfNeeded={create}&force={force}");
        ("PUT", target, body.to_string())
    });
    let delete = (pair(), flag(), flag()).prop_map(|(tag, whole_key, remove)| {
        let (key, value) = (tag["key"].as_str().unwrap(), tag["value"].as_str().unwrap());
        let path = if whole_key {
            key.to_owned()
        } else {
            format!("{key}/{value}")
        };
        let target = format!("{TAGS}/{path}?removeAssignments={remove}").replace(' ', "%20");
        ("DELETE", target, String::new())
    });
    let several = (pairs(), flag()).prop_map(|(tags, force)| {
        let body = json!({ "tagsToDelete": tags });
        ("PUT", format!("{TAGS}?force={force}"), body.to_string())
    });
    prop_oneof![2 => create, 4 => assign, 1 => delete, 1 => several]
}

fn options() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "existing-tag=409&existing-assignment=409",
        "not-assigned=200&some-missing=204",
        "put-order=assign-first&assigned=204",
        "key-case=insensitive&listed-services=all",
        "visibility=5s",
    ])
}

fn domain(options: &str) -> Domain {
    let spec = Spec::from_url(&format!("simulator:?{options}"), "".as_ref()).unwrap();
    let filled = Domain::with(&spec, |world| {
        fill(world);
        Ok(())
    });
    filled.unwrap()
}

fn send(domain: &mut Domain, ask: &Ask, now: i64) -> (u16, Vec<Change<'static>>) {
    let request = Request::builder().method(ask.0).uri(&ask.1);
    let request = request.body(Bytes::copy_from_slice(ask.2.as_bytes())).unwrap();
    let asked = Asked::of(&request);
    let route = domain.admit(&asked, now).unwrap();
    let mut changes = Vec::new();
    let answer = domain.write(&route, &asked, now, &mut changes);
    (answer.status().as_u16(), changes)
}

/// A line of the journal, as it comes back from the file.
fn replay(domain: &mut Domain, changes: Vec<Change<'static>>, ms: i64) {
    let entry = Entry {
        seq: 1,
        ms,
        method: "PUT".into(),
        target: "/".into(),
        status: Some(200),
        changes,
        fault: None,
    };
    let line = serde_json::to_string(&entry).unwrap();
    domain.replay(&serde_json::from_str(&line).unwrap());
}

proptest! {
    #[test]
    fn a_refusal_changes_nothing_and_the_journal_gives_the_state(
        options in options(),
        asks in prop::collection::vec(ask(), 1..20),
    ) {
        let (mut domain, mut replayed) = (domain(options), domain(options));
        for (now, ask) in (0..).zip(&asks) {
            let before = facts(&domain.world);
            let (status, changes) = send(&mut domain, ask, now);
            let after = facts(&domain.world);
            if status >= 400 {
                prop_assert!(changes.is_empty() && before == after, "{} {:?}", status, ask);
            }
            prop_assert_eq!(changes.is_empty(), before == after, "each change is told: {:?}", ask);

            domain.undo(&changes, now);
            prop_assert_eq!(&facts(&domain.world), &before, "undone: {:?}", ask);
            replay(&mut domain, changes.clone(), now);
            replay(&mut replayed, changes, now);
            prop_assert_eq!(&facts(&domain.world), &after, "done again: {:?}", ask);
            prop_assert_eq!(facts(&replayed.world), after, "replayed: {:?}", ask);
        }
    }

    #[test]
    fn no_instance_has_too_many_tags_and_no_assignment_is_of_a_tag_that_is_gone(
        options in options(),
        asks in prop::collection::vec(ask(), 1..30),
    ) {
        let mut domain = domain(options);
        for (now, ask) in (0..).zip(&asks) {
            send(&mut domain, ask, now);
            for id in [WEB1, WEB2, MYSQL, EXAMPLE] {
                let carried = domain.world.carried(domain.world.by_entity(id).unwrap());
                prop_assert!(carried.len() <= MAX_TAGS, "{}", id);
                prop_assert!(carried.iter().all(|tag| domain.world.tag(*tag).exists), "{}", id);
            }
        }
    }

    #[test]
    fn force_with_creation_is_refused_only_for_what_it_can_not_forgive(ask in ask()) {
        let (_, target, body) = ask;
        prop_assume!(target.starts_with(ASSIGNMENTS));
        let forced = ("PUT", format!("{ASSIGNMENTS}?createTagsIfNeeded=true&force=true"), body);
        let (status, _) = send(&mut domain(""), &forced, 0);
        prop_assert!(matches!(status, 200 | 400), "{} {:?}", status, forced);
        let (again, _) = {
            let mut domain = domain("");
            send(&mut domain, &forced, 0);
            send(&mut domain, &forced, 1)
        };
        prop_assert_eq!(again, status, "it is safe to repeat: {:?}", forced);
    }
}
