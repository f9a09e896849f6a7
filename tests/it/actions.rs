//! What each action leaves behind, and that any text survives the way to the vendor and back.

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job, manual, rule};

/// A tenant of `n` hosts without tags, and their identifiers.
fn untagged(n: usize) -> (Desk, Vec<String>) {
    let desk = Desk::new(&format!("entities={n}&seed=3&tags=none"));
    let ids = desk.tenant().hosts().into_keys().collect();
    (desk, ids)
}

#[test]
fn each_action_does_what_its_name_says() {
    // Values of the key before, and after `env:new` was asked for with the action; removing asks for `env:old`.
    let table: &[(&str, &[&str], &[&str])] = &[
        ("set", &[], &["new"]),
        ("set", &["old"], &["new"]),
        ("set", &["old", "older"], &["new"]),
        ("set", &["new", "old"], &["new"]),
        ("set", &[""], &["new"]),
        ("add", &[], &["new"]),
        ("add", &["old"], &["new", "old"]),
        ("add", &["new"], &["new"]),
        ("fill", &[], &["new"]),
        ("fill", &["old"], &["old"]),
        ("fill", &[""], &[""]),
        ("update", &[], &[]),
        ("update", &["old"], &["new"]),
        ("update", &["new"], &["new"]),
        ("remove", &[], &[]),
        ("remove", &["new"], &[]),
        ("remove", &["new", "old"], &["old"]),
        ("remove", &["old"], &["old"]),
    ];
    for action in ["set", "add", "fill", "update", "remove"] {
        let cases: Vec<_> = table.iter().filter(|case| case.0 == action).collect();
        let (desk, ids) = untagged(cases.len());
        let tenant = desk.tenant();
        for (id, (_, before, _)) in ids.iter().zip(&cases) {
            let tags: Vec<(&str, &str)> = before.iter().map(|value| ("env", *value)).collect();
            tenant.add_all(id, &tags);
        }
        drop(tenant);
        desk.table(
            "hosts.csv",
            ["id", "env"],
            ids.iter().map(|id| [id.clone(), "new".into()]),
        );
        desk.job(&rule(action, "env", "env"));
        desk.run().exits(0);
        let hosts = desk.tenant().hosts();
        for (id, (_, before, after)) in ids.iter().zip(&cases) {
            let after = after.iter().copied().collect();
            assert_eq!(hosts[id].values("env"), after, "{action} where {before:?} was");
        }
        desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
            .exits(0);
    }
}

#[test]
fn several_values_of_one_key_come_and_go_one_by_one() {
    let (desk, ids) = untagged(3);
    let values = ["mon;tue", "mon;tue;wed", "tue"];
    desk.table(
        "hosts.csv",
        ["id", "days"],
        ids.iter().zip(values).map(|(id, days)| [id.clone(), days.into()]),
    );
    let days = |action: &str| {
        format!("[[tags_from]]\ncolumn = \"days\"\nseparator = \";\"\nkey = \"day\"\naction = \"{action}\"\n")
    };
    desk.job(&days("add"));
    desk.run().exits(0);
    let hosts = desk.tenant().hosts();
    assert_eq!(hosts[&ids[1]].values("day"), ["mon", "tue", "wed"].into());
    assert_eq!(hosts[&ids[2]].values("day"), ["tue"].into());

    // A key can't end with exactly this value and exactly that one.
    desk.job(&days("set"));
    desk.run().exits(4);
    let rows = desk.rows(2);
    let classes: Vec<_> = rows.iter().map(|row| row.class).collect();
    assert_eq!(classes, [Some(Class::Collision), Some(Class::Collision), None]);
    assert!(
        rows[0]
            .message
            .as_ref()
            .is_some_and(|why| why.contains("use `action = \"add\"`")),
        "{rows:?}"
    );
    assert_eq!(rows[2].outcome, Outcome::Unchanged);

    desk.job(&days("remove"));
    desk.run().exits(0);
    assert!(desk.tenant().hosts().values().all(|host| host.tags.is_empty()));
}

#[test]
fn a_key_without_a_value_is_a_tag_of_its_own() {
    let (desk, ids) = untagged(2);
    desk.table(
        "hosts.csv",
        ["id", "env"],
        ids.iter().map(|id| [id.clone(), "x".into()]),
    );
    desk.job("[[tag]]\nkey = \"patched\"\n[[tag]]\nkey = \"{{ env }}\"\naction = \"add\"\n");
    desk.run().exits(0);
    let want = [manual("patched", ""), manual("x", "")].into();
    assert!(desk.tenant().hosts().values().all(|host| host.tags == want));
}

const TEXTS: &[&str] = &[
    "a:b",
    ":",
    "a\\:b",
    "back\\slash\\",
    "say \"hi\"",
    "it's",
    "ümläut ñ",
    "日本語",
    "🚢 ferry 👩‍👩‍👧",
    "100%",
    "%20",
    "a+b",
    "a&b=c",
    "a;b,c|d",
    "#1?/x",
    "<b>&amp;</b>",
    "~\"~",
    "key [AWS]",
    "{{ id }}",
    "e\u{301}",
    "=1+1",
    "null",
    "0007",
    "1e5",
];

#[test]
fn any_text_survives_as_key_and_as_value_and_can_be_removed() {
    let (desk, ids) = untagged(TEXTS.len());
    let row = |(id, text): (&String, &&str)| [id.clone(), (*text).to_owned()];
    desk.table("hosts.csv", ["id", "text"], ids.iter().zip(TEXTS).map(row));
    let rules = |action: &str| {
        let tag = "[[tag]]\nkey = \"{{ text }}\"\nvalue = \"{{ text }}\"\n";
        format!(
            "{tag}action = \"{action}\"\n{}{}",
            rule(action, "note", "text"),
            "[guard]\nmax_changes = \"100%\"\n"
        )
    };
    desk.job(&rules("set"));
    desk.run().exits(0);
    let hosts = desk.tenant().hosts();
    for (id, text) in ids.iter().zip(TEXTS) {
        assert_eq!(
            hosts[id].tags,
            [manual(text, text), manual("note", text)].into(),
            "{text}"
        );
    }
    desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
        .exits(0);

    desk.job(&rules("remove"));
    desk.run().exits(0);
    for (id, host) in desk.tenant().hosts() {
        assert_eq!(host.tags, [].into(), "{id}");
    }
}

#[test]
fn upper_and_lower_case_are_different_tags() {
    let (desk, ids) = untagged(1);
    desk.tenant()
        .add_all(&ids[0], &[("ENV", "prod"), ("env", "PROD")]);
    desk.table("hosts.csv", ["id", "env"], [[ids[0].clone(), "prod".into()]]);
    desk.job(&rule("set", "env", "env"));
    desk.run().exits(0);
    let host = &desk.tenant().hosts()[&ids[0]];
    assert_eq!(host.tags, [manual("ENV", "prod"), manual("env", "prod")].into());
}

#[test]
fn an_entity_with_a_thousand_tags_is_full_and_never_emptied_to_make_room() {
    let (desk, ids) = untagged(3);
    let many: Vec<String> = (0..1_000).map(|n| format!("key-{n:04}")).collect();
    let tenant = desk.tenant();
    for (id, n) in ids.iter().zip([1_000, 999, 1_000]) {
        let tags: Vec<(&str, &str)> = many[..n].iter().map(|key| (key.as_str(), "x")).collect();
        tenant.add_all(id, &tags);
    }
    let before = tenant.hosts();
    drop(tenant);
    // The third wants a new value of a key that it has: the new one would have to come before the old one goes.
    let rows = [("new", 0), ("new", 1), ("key-0000", 2)];
    desk.table(
        "hosts.csv",
        ["id", "key"],
        rows.map(|(key, n): (&str, usize)| [ids[n].clone(), key.to_owned()]),
    );
    desk.job("[[tag]]\nkey = \"{{ key }}\"\nvalue = \"y\"\n");
    desk.run().exits(4);
    let rows = desk.rows(1);
    let told: Vec<_> = rows.iter().map(|row| (row.outcome, row.class)).collect();
    let full = (Outcome::Rejected, Some(Class::Full));
    assert_eq!(told, [full, (Outcome::Done, None), full], "{rows:?}");
    assert!(
        rows[0]
            .message
            .as_ref()
            .unwrap()
            .contains("1000 of at most 1000 manual tags"),
        "{rows:?}"
    );
    let after = desk.tenant().hosts();
    assert_eq!(
        (&after[&ids[0]], &after[&ids[2]]),
        (&before[&ids[0]], &before[&ids[2]])
    );
    assert_eq!(after[&ids[1]].tags.len(), 1_000);
}

#[test]
fn a_tag_that_the_vendor_would_refuse_rejects_its_whole_row() {
    let (desk, ids) = untagged(3);
    let long = "x".repeat(2_001);
    let rows = [("ok", "ok"), ("ok", long.as_str()), ("a\u{7}b", "ok")];
    let row = |(id, (a, b)): (&String, (&str, &str))| [id.clone(), a.to_owned(), b.to_owned()];
    desk.table("hosts.csv", ["id", "a", "b"], ids.iter().zip(rows).map(row));
    desk.job(&(rule("set", "a", "a") + &rule("set", "b", "b")));
    desk.run().exits(4);
    let rows = desk.rows(1);
    let classes: Vec<_> = rows.iter().map(|row| row.class).collect();
    assert_eq!(
        classes,
        [None, Some(Class::TooLong), Some(Class::Illegal)],
        "{rows:?}"
    );
    let hosts = desk.tenant().hosts();
    assert_eq!(hosts[&ids[0]].tags.len(), 2);
    assert!(hosts[&ids[1]].tags.is_empty() && hosts[&ids[2]].tags.is_empty());
}

#[test]
fn rows_that_disagree_follow_the_policy_and_every_loser_is_named() {
    // Three rows of one host: a, b and again a; another host's rows agree.
    for (policy, values, losers) in [
        ("fail", vec![], vec![2, 3, 4]),
        ("first", vec!["a"], vec![3]),
        ("last", vec!["a"], vec![3]),
        ("all", vec!["a", "b"], vec![]),
        ("join", vec!["a,b"], vec![]),
    ] {
        let (desk, ids) = untagged(2);
        let rows = [(0, "a"), (0, "b"), (0, "a"), (1, "c"), (1, "c")];
        desk.table(
            "hosts.csv",
            ["id", "env"],
            rows.map(|(n, env): (usize, &str)| [ids[n].clone(), env.into()]),
        );
        desk.job(&format!(
            "collision = \"{policy}\"\n{}",
            rule("set", "env", "env")
        ));
        desk.run().exits(if losers.is_empty() { 0 } else { 4 });
        let hosts = desk.tenant().hosts();
        assert_eq!(
            hosts[&ids[0]].values("env"),
            values.into_iter().collect(),
            "{policy}"
        );
        assert_eq!(hosts[&ids[1]].values("env"), ["c"].into());
        let lost = desk
            .rows(1)
            .into_iter()
            .filter(|row| row.class == Some(Class::Collision));
        let lost: Vec<(u64, String)> = lost.map(|row| (row.origin.line, row.message.unwrap())).collect();
        assert_eq!(
            lost.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            losers,
            "{policy}"
        );
        assert!(
            lost.iter()
                .all(|(_, why)| why.contains("`env`") && why.contains("hosts.csv:")),
            "{lost:?}"
        );
        desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
            .exits(0);
    }
}

#[test]
fn entities_of_any_kind_are_tagged() {
    for kind in [
        "SERVICE",
        "PROCESS_GROUP",
        "PROCESS_GROUP_INSTANCE",
        "APPLICATION",
        "KUBERNETES_CLUSTER",
    ] {
        // As many hosts stand beside them, which the job does not name.
        let desk = Desk::new(&format!("entities=40&seed=3&tags=none&kind=HOST,{kind}"));
        let ids: Vec<String> = desk.tenant().entities(kind).into_keys().collect();
        assert_eq!(ids.len(), 20, "{kind}");
        desk.tenant().add(&ids[0], "env", "old");
        // The vendor compares identifiers without case.
        desk.table(
            "hosts.csv",
            ["id", "env"],
            ids.iter().map(|id| [id.to_lowercase(), "prod".into()]),
        );
        desk.write("job.toml", job(&rule("set", "env", "env")).replace("HOST", kind));
        desk.run().exits(0);
        let tagged = desk.tenant().entities(kind);
        assert!(
            tagged
                .values()
                .all(|entity| entity.values("env") == ["prod"].into()),
            "{kind}"
        );
        assert!(
            desk.tenant().hosts().values().all(|host| host.tags.is_empty()),
            "{kind}"
        );
    }
}

#[test]
fn an_entity_of_another_kind_rejects_its_row() {
    let desk = Desk::new("entities=4&seed=3&tags=none&kind=HOST,SERVICE");
    let hosts: Vec<String> = desk.tenant().hosts().into_keys().collect();
    let services: Vec<String> = desk.tenant().entities("SERVICE").into_keys().collect();
    let ids = hosts.iter().chain(&services);
    desk.table(
        "hosts.csv",
        ["id", "env"],
        ids.map(|id| [id.clone(), "prod".into()]),
    );
    desk.job(&rule("set", "env", "env"));
    desk.run().exits(4);
    assert_eq!(
        desk.outcomes(1),
        [(Outcome::Done, 2), (Outcome::Rejected, 2)].into()
    );
    for row in &desk.rows(1)[2..] {
        assert!(
            row.message
                .as_ref()
                .is_some_and(|why| why.contains("is a SERVICE, not a HOST")),
            "{row:?}"
        );
    }
    assert!(
        desk.tenant()
            .entities("SERVICE")
            .values()
            .all(|service| service.tags.is_empty())
    );
}
