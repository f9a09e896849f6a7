//! What would lose, repeat or wipe: cases at the edges of lines, listings, splits and targets.

use std::collections::BTreeSet;
use std::fs;

use tagferry::model::Outcome;

use super::desk::{Desk, job, rule};

fn ids(desk: &Desk) -> Vec<String> {
    desk.tenant().hosts().into_keys().collect()
}

/// `job.toml` with other options of the simulator and further lines of the connection.
fn write_job(desk: &Desk, rules: &str, options: &str, connection: &str) {
    let url = format!("simulator:state.db?{options}");
    let text = job(rules).replace("simulator:state.db", &url);
    desk.write("job.toml", text + connection);
}

#[test]
fn an_old_value_stays_when_its_replacement_fails_however_many_operations_an_entity_has() {
    let desk = Desk::new("entities=1&seed=3&tags=none");
    let id = ids(&desk).remove(0);
    let keys: Vec<String> = (0..40).map(|n| format!("key-{n:02}")).collect();
    let old: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "old")).collect();
    desk.tenant().add_all(&id, &old);
    desk.table("hosts.csv", ["id", "value"], [[id.clone(), "new".to_owned()]]);
    let rules: String = keys.iter().map(|key| rule("set", key, "value")).collect();
    let rules = rules + "[guard]\nmax_changes = \"100%\"\n";
    write_job(&desk, &rules, "fault=error,status=400,method=POST", "");
    desk.run().exits(4);
    let host = desk.tenant().hosts().remove(&id).unwrap();
    for key in &keys {
        assert_eq!(host.values(key), BTreeSet::from(["old"]), "{key}");
    }
    // What is mended goes on with both halves of each key.
    write_job(&desk, &rules, "", "");
    desk.tagferry(&["retry", "1", "--apply"]).exits(0);
    let host = desk.tenant().hosts().remove(&id).unwrap();
    assert!(keys.iter().all(|key| host.values(key) == BTreeSet::from(["new"])));
}

#[test]
fn a_run_of_more_operations_than_a_line_holds_goes_on_after_it_was_observed_again() {
    let desk = Desk::new("entities=1&seed=3&tags=none");
    let id = ids(&desk).remove(0);
    let keys: Vec<String> = (0..40).map(|n| format!("key-{n:02}")).collect();
    let old: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "old")).collect();
    desk.tenant().add_all(&id, &old);
    desk.table("hosts.csv", ["id", "value"], [[id.clone(), "new".to_owned()]]);
    let rules: String = keys.iter().map(|key| rule("set", key, "value")).collect();
    let rules = rules + "[guard]\nmax_changes = \"100%\"\n";
    write_job(&desk, &rules, "", "");
    desk.plan().exits(0);
    // Adds go through; removals are refused as credentials, so that they stay open for the next command.
    write_job(&desk, &rules, "fault=error,status=401,method=DELETE", "");
    desk.tagferry(&["apply", "1"]).exits(5);
    write_job(&desk, &rules, "", "");
    desk.tagferry(&["apply", "1"]).exits(0);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 1)].into());
}

#[test]
fn a_listing_whose_cursor_is_refused_is_read_again_from_its_start() {
    let desk = Desk::new("entities=120&seed=3&tags=none");
    let hosts = desk.tenant().hosts();
    let rows = hosts.values().map(|host| [host.name.clone(), "gold".to_owned()]);
    desk.table("hosts.csv", ["name", "stage"], rows);
    let by_name = |options: &str| {
        write_job(&desk, &rule("set", "stage", "stage"), options, "page_size = 50\n");
        let text = fs::read_to_string(desk.path("job.toml")).unwrap();
        let text = text.replace("entity = \"{{ id }}\"", "entity_name = \"{{ name }}\"");
        desk.write("job.toml", text);
    };
    by_name("fault=stale-cursor,count=1,after=1");
    desk.run().exits(0).says(&["read again from its start"]);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 120)].into());
    by_name("fault=stale-cursor");
    desk.run().exits(5).says(&["pages may have been removed"]);
}

#[test]
fn what_all_entities_of_a_call_share_is_found_by_halving_the_tags() {
    let desk = Desk::new("entities=4&seed=3&tags=none");
    let rows = ids(&desk)
        .into_iter()
        .map(|id| [id, "gold".to_owned(), "blue".to_owned()]);
    desk.table("hosts.csv", ["id", "stage", "team"], rows);
    let rules = rule("set", "stage", "stage") + &rule("set", "team", "team");
    // The whole call and both halves of its entities are refused; the halves of its tags are not.
    write_job(&desk, &rules, "fault=error,status=400,method=POST,count=3", "");
    desk.run().exits(0);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 4)].into());
    assert_eq!(desk.asked_since(0).writes, 5);
}

#[test]
fn a_plan_that_was_made_in_one_form_of_tags_is_not_sent_in_another() {
    let desk = Desk::new("entities=3&seed=3&tags=none");
    let rows = ids(&desk).into_iter().map(|id| [id, "gold".to_owned()]);
    desk.table("hosts.csv", ["id", "stage"], rows);
    let rules = rule("add", "stage", "stage");
    desk.job(&rules);
    desk.plan().exits(0);
    let before = desk.asked_since(0).writes;
    write_job(&desk, &rules, "", "api = \"v1\"\njoin = \".\"\n");
    desk.tagferry(&["apply", "1"])
        .exits(3)
        .says(&["dynatrace v1 joined by `.`", "plan again"]);
    assert_eq!(desk.asked_since(0).writes, before);
}

#[test]
fn an_observation_that_is_never_fresh_still_ends() {
    let desk = Desk::new("entities=30&seed=3&tags=none");
    let rows = (0..)
        .zip(ids(&desk))
        .map(|(n, id): (u32, _)| [id, format!("asset-{n}")]);
    desk.table("hosts.csv", ["id", "asset"], rows);
    desk.job(&rule("set", "asset", "asset"));
    let text = fs::read_to_string(desk.path("job.toml")).unwrap();
    desk.write("job.toml", "max_age = \"1ms\"\n".to_owned() + &text);
    desk.run().exits(0);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 30)].into());
}

#[test]
fn a_report_replaces_files_only_and_leaves_nothing_beside_them() {
    let desk = Desk::new("entities=2&seed=3&tags=none");
    let rows = ids(&desk).into_iter().map(|id| [id, "gold".to_owned()]);
    desk.table("hosts.csv", ["id", "stage"], rows);
    desk.job(&rule("set", "stage", "stage"));
    desk.run().exits(0);
    let report = |run: &str, file: &str| desk.tagferry(&["report", run, "--format", "csv", "-o", file]);

    fs::create_dir(desk.path("reports")).unwrap();
    std::os::unix::fs::symlink("/dev/stdout", desk.path("reports/out")).unwrap();
    let shown = report("1", "reports/out").exits(0).out;
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(desk.path("reports/out").is_symlink());

    report("99", "reports/none.csv").exits(3);
    report("1", "reports/rows.csv").exits(0);
    std::os::unix::fs::symlink("rows.csv", desk.path("reports/latest.csv")).unwrap();
    report("1", "reports/latest.csv").exits(0);
    assert!(desk.path("reports/latest.csv").is_symlink());
    let mut names: Vec<_> = fs::read_dir(desk.path("reports"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["latest.csv", "out", "rows.csv"]);
}
