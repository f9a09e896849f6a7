//! Plans that are kept: applied later, applied by nobody, overtaken by somebody else, abandoned.

use std::collections::BTreeSet;

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job, manual, rule};

/// A desk whose job sets `stage:gold` on each of 60 hosts, of which none is so.
fn sixty() -> Desk {
    let desk = Desk::new("entities=60&seed=3");
    gold(&desk);
    desk
}

fn gold(desk: &Desk) {
    let hosts = desk.tenant().hosts();
    desk.table(
        "hosts.csv",
        ["id", "stage"],
        hosts.into_keys().map(|id| [id, "gold".into()]),
    );
    desk.job(&rule("set", "stage", "stage"));
}

#[test]
fn what_somebody_changed_since_the_plan_is_a_conflict_and_left_alone() {
    let desk = Desk::new("entities=60&seed=3");
    let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
    for id in &ids[..4] {
        desk.tenant().add(id, "stage", "old");
    }
    gold(&desk);
    desk.plan().exits(0);

    // One value changed, one went, one came beside, and one key appeared where there was none.
    let tenant = desk.tenant();
    tenant.remove(&ids[0], "stage");
    tenant.add(&ids[0], "stage", "silver");
    tenant.remove(&ids[1], "stage");
    tenant.add(&ids[2], "stage", "silver");
    tenant.add(&ids[4], "stage", "silver");
    // Changes of keys that the plan does not name, and what the plan wants anyway, are nobody's business.
    tenant.add(&ids[5], "color", "red");
    tenant.add(&ids[6], "stage", "gold");
    let by_hand = tenant.hosts();
    drop(tenant);
    let before = desk.journal().len();

    desk.tagferry(&["apply", "1"]).exits(4);
    let changed: BTreeSet<&str> = [0, 1, 2, 4].map(|n| ids[n].as_str()).into();
    let hosts = desk.tenant().hosts();
    for row in desk.rows(1) {
        let id = row.entity.as_deref().unwrap();
        if changed.contains(id) {
            assert_eq!(
                (row.outcome, row.class),
                (Outcome::Conflict, Some(Class::Changed)),
                "{row:?}"
            );
            assert!(
                row.message
                    .unwrap()
                    .contains("`stage` was changed by somebody else")
            );
            assert_eq!(hosts[id], by_hand[id], "a conflict is untouched");
        } else {
            let want = if id == ids[6] {
                Outcome::Unchanged
            } else {
                Outcome::Done
            };
            assert_eq!(row.outcome, want, "{id}");
            assert_eq!(hosts[id].values("stage"), ["gold"].into());
        }
    }
    let named: Vec<String> = desk.journal()[before..]
        .iter()
        .filter(|entry| entry["method"] != "GET")
        .map(|entry| entry["target"].to_string())
        .collect();
    assert!(
        changed
            .iter()
            .all(|id| named.iter().all(|target| !target.contains(id))),
        "{named:?}"
    );
    assert!(hosts[&ids[5]].tags.contains(&manual("color", "red")));
    assert_eq!(desk.states(), ["finished"]);
}

/// Gives each host exactly these values of `stage`, by hand.
fn put<'a>(desk: &Desk, values: impl Iterator<Item = (&'a String, &'a [&'a str])>) {
    let tenant = desk.tenant();
    for (id, values) in values {
        tenant.remove_if_any(id, "stage");
        let tags: Vec<_> = values.iter().map(|value| ("stage", *value)).collect();
        tenant.add_all(id, &tags);
    }
}

#[test]
fn what_counts_as_somebody_elses_change_depends_on_the_action() {
    use Outcome::{Conflict, Done, Unchanged};
    // The action with `gold`, the values of the key at the plan and at the apply, and what becomes of the row.
    let table: &[(&str, &[&str], &[&str], Outcome)] = &[
        ("set", &["tin"], &["tin"], Done),
        ("set", &["tin"], &["gold"], Unchanged),
        ("set", &["tin"], &["gold", "tin"], Conflict),
        ("set", &["tin"], &["lead"], Conflict),
        ("set", &["tin"], &["gold", "lead"], Conflict),
        ("add", &["tin"], &["tin"], Done),
        ("add", &["tin"], &["gold", "lead"], Unchanged),
        ("fill", &[], &[], Done),
        ("fill", &[], &["tin"], Conflict),
        ("update", &["tin"], &["tin"], Done),
        ("update", &["tin"], &[], Conflict),
        ("remove", &["gold", "tin"], &["gold", "tin"], Done),
        ("remove", &["gold", "tin"], &["tin"], Unchanged),
        ("remove", &["gold"], &["tin"], Unchanged),
    ];
    for action in ["set", "add", "fill", "update", "remove"] {
        let cases: Vec<_> = table.iter().filter(|case| case.0 == action).collect();
        let desk = Desk::new(&format!("entities={}&seed=3&tags=none", cases.len()));
        let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
        put(&desk, ids.iter().zip(cases.iter().map(|case| case.1)));
        gold(&desk);
        desk.job(&rule(action, "stage", "stage"));
        desk.plan().exits(0);
        put(&desk, ids.iter().zip(cases.iter().map(|case| case.2)));
        let conflicts = cases.iter().any(|case| case.3 == Conflict);
        desk.tagferry(&["apply", "1"])
            .exits(if conflicts { 4 } else { 0 });
        let hosts = desk.tenant().hosts();
        for ((row, id), (_, before, now, outcome)) in desk.rows(1).iter().zip(&ids).zip(&cases) {
            assert_eq!(
                row.outcome, *outcome,
                "{action} where {before:?} became {now:?}: {row:?}"
            );
            if *outcome != Done {
                assert_eq!(hosts[id].values("stage"), now.iter().copied().collect());
            }
        }
    }
}

#[test]
fn a_plan_for_another_target_is_refused_and_nothing_is_sent() {
    for (from, to) in [
        ("simulator:state.db", "simulator:other.db?entities=60&seed=3"),
        (
            "url = \"simulator:state.db\"",
            "url = \"http://127.0.0.1:9\"\ntoken = { env = \"DT_API_TOKEN\" }",
        ),
        (
            "vendor = \"dynatrace\"",
            "vendor = \"dynatrace\"\ntenant = \"other\"",
        ),
        ("kind = \"HOST\"", "kind = \"SERVICE\""),
    ] {
        let desk = sixty();
        desk.plan().exits(0);
        let before = desk.journal().len();
        let text = job(&rule("set", "stage", "stage"));
        assert!(text.contains(from));
        desk.write("job.toml", text.replace(from, to));
        desk.tagferry(&["apply", "1"])
            .exits(3)
            .says(&["run 1 was planned for", "plan again"]);
        assert_eq!(
            (desk.journal().len(), desk.states()),
            (before, vec!["planned".to_owned()]),
            "{to}"
        );
    }
}

#[test]
fn a_plan_that_nobody_applied_is_not_applied_by_the_next_run() {
    let desk = sixty();
    desk.plan().exits(0);
    let rows = desk
        .tenant()
        .hosts()
        .into_keys()
        .take(5)
        .map(|id| [id, "tin".into()]);
    desk.table("hosts.csv", ["id", "stage"], rows.collect::<Vec<_>>());
    desk.run().exits(0);
    let hosts = desk.tenant().hosts();
    let with = |value| {
        hosts
            .values()
            .filter(|host| host.values("stage").contains(value))
            .count()
    };
    assert_eq!((with("tin"), with("gold")), (5, 0));
    assert_eq!(desk.states(), ["planned", "finished"]);
    assert_eq!(desk.outcomes(1), [(Outcome::NotAttempted, 60)].into());
}

#[test]
fn a_plan_is_applied_once_and_applying_it_again_sends_nothing() {
    let desk = sixty();
    desk.plan().exits(0);
    let planned = desk.asked_since(0);
    assert_eq!(planned.writes, 0, "a plan only reads");
    desk.tagferry(&["apply", "1"]).exits(0);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 60)].into());
    let after = desk.journal().len();
    desk.tagferry(&["apply", "1"]).exits(0);
    assert_eq!(
        (desk.journal().len(), desk.states()),
        (after, vec!["finished".to_owned()])
    );
}

#[test]
fn an_abandoned_run_is_closed_for_good() {
    let desk = sixty();
    desk.plan().exits(0);
    desk.tagferry(&["abandon", "1"])
        .exits(0)
        .says(&["run 1 is abandoned"]);
    desk.tagferry(&["apply", "1"])
        .exits(3)
        .says(&["run 1 can't be applied: it was abandoned"]);
    desk.tagferry(&["abandon", "1"])
        .exits(3)
        .says(&["run 1 is abandoned already"]);
    desk.run().exits(0);
    desk.tagferry(&["abandon", "2"])
        .exits(3)
        .says(&["run 2 is finished already"]);
    assert_eq!(desk.states(), ["abandoned", "finished"]);
}

/// A run that a refused token has stopped, with the token accepted from now on.
fn interrupted() -> Desk {
    let desk = sixty();
    let text = job(&rule("set", "stage", "stage"));
    let refused = "simulator:state.db?fault=error,status=401,method=POST";
    desk.write("job.toml", text.replace("simulator:state.db", refused));
    desk.run().exits(5);
    assert_eq!(desk.states(), ["applying"]);
    desk.write("job.toml", text);
    desk
}

#[test]
fn a_run_that_was_stopped_is_finished_before_the_next_plan() {
    let desk = interrupted();
    desk.run()
        .exits(0)
        .says(&["run 1 was interrupted: finishing it first"]);
    assert_eq!(desk.states(), ["finished", "finished"]);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 60)].into());
    assert_eq!(desk.outcomes(2), [(Outcome::Unchanged, 60)].into());
}

#[test]
fn run_fresh_abandons_what_was_stopped_and_plans_anew() {
    let desk = interrupted();
    desk.tagferry(&["run", "--fresh", "job.toml"]).exits(0);
    assert_eq!(desk.states(), ["abandoned", "finished"]);
    assert_eq!(desk.outcomes(1), [(Outcome::NotAttempted, 60)].into());
    assert_eq!(desk.outcomes(2), [(Outcome::Done, 60)].into());
}

#[test]
fn a_detailed_exit_code_tells_a_plan_with_changes_from_one_without() {
    let desk = sixty();
    let plan = ["plan", "--detailed-exitcode", "job.toml"];
    desk.tagferry(&plan).exits(6);
    desk.run().exits(0);
    desk.tagferry(&plan).exits(0);
    desk.plan().exits(0);
    assert_eq!(desk.operations(3), Vec::<String>::new());
}

#[test]
fn a_stopped_run_for_another_target_is_not_finished_there() {
    let desk = interrupted();
    let text = job(&rule("set", "stage", "stage"));
    let other = text.replace("simulator:state.db", "simulator:other.db?entities=60&seed=3");
    desk.write("job.toml", &other);
    let before = desk.journal().len();
    desk.run()
        .exits(3)
        .says(&["run 1 was planned for", "or abandon it"]);
    desk.tagferry(&["retry", "1"])
        .exits(3)
        .says(&["run 1 was planned for"]);
    desk.tagferry(&["run", "--fresh", "job.toml"]).exits(0);
    assert_eq!(desk.states(), ["abandoned", "finished"]);
    assert_eq!(desk.journal().len(), before, "the first tenant was left alone");
}
