//! What must never happen to a tenant: tags wiped, foreign tags touched, the wrong tenant written to.

use std::collections::{BTreeMap, BTreeSet};

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, Entity, Tags, manual, rule};

fn ids(desk: &Desk) -> Vec<String> {
    desk.tenant().hosts().into_keys().collect()
}

/// What is not the job's: every tag but those of its keys.
fn others(hosts: &BTreeMap<String, Entity>, keys: &[&str]) -> BTreeMap<String, Tags> {
    let foreign = |tags: &Tags| {
        let ours = |context: &str, key: &str| context == "CONTEXTLESS" && keys.contains(&key);
        tags.iter().filter(|tag| !ours(&tag.0, &tag.1)).cloned().collect()
    };
    hosts
        .iter()
        .map(|(id, host)| (id.clone(), foreign(&host.tags)))
        .collect()
}

#[test]
fn a_column_that_is_emptied_plans_no_removal() {
    let desk = Desk::new("entities=50&seed=3");
    let ids = ids(&desk);
    for action in ["set", "add", "fill", "update", "remove"] {
        desk.table(
            "hosts.csv",
            ["id", "owner"],
            ids.iter().map(|id| [id.clone(), String::new()]),
        );
        desk.job(&rule(action, "owner", "owner"));
        let tags = desk.tenant().hosts();
        assert!(tags.values().any(|host| !host.values("owner").is_empty()));
        let before = desk.journal().len();
        desk.run().exits(0);
        assert_eq!(desk.asked_since(before).writes, 0, "{action}");
        assert_eq!(desk.tenant().hosts(), tags);
    }
}

#[test]
fn a_column_that_is_not_there_rejects_and_an_inventory_without_rows_changes_nothing() {
    let desk = Desk::new("entities=5&seed=3");
    desk.table("hosts.csv", ["id"], ids(&desk).into_iter().map(|id| [id]));
    desk.job(&rule("set", "owner", "owner"));
    desk.run().exits(4);
    let rows = desk.rows(1);
    assert_eq!(rows.len(), 5);
    assert!(
        rows.iter().all(|row| row.class == Some(Class::Mapping)),
        "{rows:?}"
    );
    desk.table("hosts.csv", ["id", "owner"], []);
    desk.run().exits(0);
    assert_eq!(desk.asked_since(0).writes, 0);
}

#[test]
fn the_wrong_tenant_is_refused_and_not_written_to() {
    let desk = Desk::new("entities=50&seed=3");
    let other = Desk::new("entities=50&seed=4");
    let rows = ids(&other).into_iter().map(|id| [id, "payments".to_owned()]);
    desk.table("hosts.csv", ["id", "owner"], rows);
    desk.job(&rule("set", "owner", "owner"));
    desk.run().exits(5).says(&[
        "50 of 50 entities do not exist",
        "right tenant",
        "nothing was sent",
    ]);
    assert_eq!(desk.asked_since(0).writes, 0);
    assert_eq!(desk.states(), ["refused"]);
    desk.tagferry(&["apply", "1"])
        .exits(3)
        .says(&["the guard refused its plan"]);
    assert_eq!(desk.asked_since(0).writes, 0);
    let rows = desk.rows(1);
    assert!(
        rows.iter().all(|row| row.class == Some(Class::Missing)),
        "{rows:?}"
    );
}

#[test]
fn a_few_missing_entities_are_rejected_and_the_others_tagged() {
    let desk = Desk::new("entities=50&seed=3");
    let gone = (0..10).map(|n| format!("HOST-{n:016X}"));
    let rows = ids(&desk)
        .into_iter()
        .chain(gone)
        .map(|id| [id, "gold".to_owned()]);
    desk.table("hosts.csv", ["id", "stage"], rows);
    desk.job(&rule("set", "stage", "stage"));
    desk.run().exits(4);
    assert_eq!(
        desk.outcomes(1),
        [(Outcome::Done, 50), (Outcome::Rejected, 10)].into()
    );
    let missing = desk
        .rows(1)
        .into_iter()
        .filter(|row| row.class == Some(Class::Missing));
    assert_eq!(missing.count(), 10);
}

#[test]
fn many_removals_trip_the_guard_until_the_job_allows_them() {
    let desk = Desk::new("entities=100&seed=3");
    let ids = ids(&desk);
    desk.table("hosts.csv", ["id"], ids.iter().map(|id| [id.clone()]));
    let remove = "[[tag]]\nkey = \"env\"\naction = \"remove\"\n";
    desk.job(remove);
    desk.run()
        .exits(5)
        .says(&["tags would be removed", "`max_changes` in [guard]"]);
    assert_eq!(
        (desk.asked_since(0).writes, desk.states()),
        (0, vec!["refused".to_owned()])
    );

    desk.job(&format!(
        "{remove}[guard]\nmax_changes = \"100%\"\nmax_removals = 10\n"
    ));
    desk.run().exits(5).says(&["`max_removals` in [guard]"]);
    desk.job(&format!("{remove}[guard]\nmax_changes = \"100%\"\n"));
    desk.run().exits(0);
    let hosts = desk.tenant().hosts();
    assert!(hosts.values().all(|host| host.values("env").is_empty()));
}

#[test]
fn few_changes_pass_whatever_their_share_is() {
    let desk = Desk::new("entities=5&seed=3&tags=none");
    let ids = ids(&desk);
    for id in &ids {
        desk.tenant().add(id, "env", "old");
    }
    desk.table(
        "hosts.csv",
        ["id", "env"],
        ids.iter().map(|id| [id.clone(), "new".to_owned()]),
    );
    desk.job(&rule("set", "env", "env"));
    desk.run().exits(0);
    assert!(
        desk.tenant()
            .hosts()
            .values()
            .all(|host| host.values("env") == ["new"].into())
    );
}

#[test]
fn rule_made_tags_are_never_planned_for_removal_though_others_hold_the_pair_by_hand() {
    // `tier:gold` is by hand on some hosts and rule-made on others; one chunk of identifiers holds both sorts.
    let desk = Desk::new("entities=400&seed=3");
    let hosts = desk.tenant().hosts();
    let gold: Vec<&String> = hosts
        .iter()
        .filter(|(_, host)| host.values("tier").contains("gold"))
        .map(|(id, _)| id)
        .collect();
    let tenant = desk.tenant();
    let by_hand: BTreeSet<&String> = gold
        .iter()
        .copied()
        .filter(|id| tenant.has_by_hand(id, "tier", "gold"))
        .collect();
    drop(tenant);
    assert!(
        !by_hand.is_empty() && by_hand.len() < gold.len() && gold.len() < 75,
        "{}",
        gold.len()
    );

    for rules in [
        "[[tag]]\nkey = \"tier\"\naction = \"remove\"\n".to_owned(),
        rule("remove", "tier", "tier"),
        rule("set", "tier", "new"),
    ] {
        let desk = Desk::new("entities=400&seed=3");
        let row = |id: &&String| [(*id).clone(), "gold".to_owned(), "silver".to_owned()];
        desk.table("hosts.csv", ["id", "tier", "new"], gold.iter().map(row));
        desk.job(&format!("{rules}[guard]\nmax_changes = \"100%\"\n"));
        desk.run().exits(0);
        let removed: BTreeSet<String> = desk
            .operations(1)
            .into_iter()
            .filter_map(|operation| operation.strip_suffix(" -tier:gold").map(str::to_owned))
            .collect();
        assert_eq!(removed.iter().collect::<BTreeSet<_>>(), by_hand, "{rules}");
        for (id, host) in desk.tenant().hosts() {
            let ruled = gold.contains(&&id) && !by_hand.contains(&id);
            assert_eq!(host.values("tier").contains("gold"), ruled, "{id}");
        }
        desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
            .exits(0);
    }
}

#[test]
fn tags_of_other_keys_imported_ones_and_entities_not_named_stay_as_they_are() {
    let desk = Desk::new("entities=400&seed=3");
    let before = desk.tenant().hosts();
    let imported = before
        .values()
        .filter(|host| host.tags.iter().any(|tag| tag.0 == "AWS"))
        .count();
    assert!(imported > 5, "the population has some");
    // An imported tag of the same key is another tag: it is neither replaced nor taken for ours.
    let named: Vec<&String> = before.keys().take(300).collect();
    let row = |id: &&String| [(*id).clone(), "prod".to_owned(), "eu-west-1".to_owned()];
    desk.table("hosts.csv", ["id", "env", "region"], named.iter().map(row));
    desk.job(
        &(rule("set", "env", "env") + &rule("set", "Region", "region") + "[guard]\nmax_changes = \"100%\"\n"),
    );
    desk.run().exits(0);
    let after = desk.tenant().hosts();
    assert_eq!(
        others(&after, &["env", "Region"]),
        others(&before, &["env", "Region"])
    );
    for (id, host) in &after {
        if named.contains(&id) {
            assert!(host.tags.contains(&manual("Region", "eu-west-1")));
            assert_eq!(host.values("env"), ["prod"].into());
        } else {
            assert_eq!(host, &before[id]);
        }
    }
    assert_eq!(
        desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
            .exits(0)
            .code,
        Some(0)
    );
}

#[test]
fn a_value_whose_successor_is_refused_stays() {
    let desk = Desk::new("entities=40&seed=3&tags=none");
    let ids = ids(&desk);
    for id in &ids {
        desk.tenant().add(id, "env", "old");
    }
    desk.table(
        "hosts.csv",
        ["id", "env"],
        ids.iter().map(|id| [id.clone(), "new".to_owned()]),
    );
    let guard = "[guard]\nmax_changes = \"100%\"\n";
    desk.job(&(rule("set", "env", "env") + guard));
    let text = std::fs::read_to_string(desk.path("job.toml")).unwrap();
    let refusing = "simulator:state.db?fault=error,status=400,method=POST";
    desk.write("job.toml", text.replace("simulator:state.db", refusing));
    desk.run().exits(4);
    assert_eq!(desk.outcomes(1), [(Outcome::Failed, 40)].into());
    let hosts = desk.tenant().hosts();
    assert!(hosts.values().all(|host| host.values("env") == ["old"].into()));
    desk.write("job.toml", text);
    desk.run().exits(0);
    assert!(
        desk.tenant()
            .hosts()
            .values()
            .all(|host| host.values("env") == ["new"].into())
    );
}

#[test]
fn what_changes_at_the_tenant_is_what_was_planned_and_nothing_else() {
    // Values at random, so that packing finds overlaps of every shape; the seed is told when it fails.
    for seed in 1..=4 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let desk = Desk::new("entities=250&seed=3");
        let ids = ids(&desk);
        let mut word = |words: &[&str]| words[rng.usize(..words.len())].to_owned();
        let row = |id: &String| {
            [
                id.clone(),
                word(&["prod", "stage", "legacy", ""]),
                word(&["payments", "search", "identity", ""]),
                word(&["gold", "tin", ""]),
                word(&["a", "b", "c", "d", "e"]),
            ]
        };
        desk.table(
            "hosts.csv",
            ["id", "env", "owner", "tier", "rack"],
            ids.iter().map(row),
        );
        let rules = [
            ("set", "env"),
            ("remove", "owner"),
            ("update", "tier"),
            ("add", "rack"),
        ];
        let rules: String = rules.iter().map(|(action, key)| rule(action, key, key)).collect();
        desk.job(&format!("{rules}[guard]\nmax_changes = \"100%\"\n"));
        let before = desk.tenant().hosts();
        let asked = desk.journal().len();
        desk.run().exits(0);

        let mut changes: Vec<String> = Vec::new();
        for request in &desk.journal()[asked..] {
            for change in request["changes"].as_array().into_iter().flatten() {
                let text = |name: &str| change[name].as_str().unwrap();
                let sign = if text("op") == "remove" { '-' } else { '+' };
                let value = change["value"]
                    .as_str()
                    .map(|value| format!(":{value}"))
                    .unwrap_or_default();
                changes.push(format!("{} {sign}{}{value}", text("entity"), text("key")));
            }
        }
        changes.sort();
        assert_eq!(changes, desk.operations(1), "seed {seed}");
        let after = desk.tenant().hosts();
        let ours = ["env", "owner", "tier", "rack"];
        assert_eq!(others(&after, &ours), others(&before, &ours), "seed {seed}");
        desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
            .exits(0);
    }
}
