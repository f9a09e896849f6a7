//! `undo` and `verify` at Dynatrace: what the guard weighs, what can't be taken back, definitions, and interruptions. That every
//! action goes back at every vendor is in `contract/undo.rs`.

use std::collections::BTreeMap;

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, Entity, job, rule};
use crate::harness::{Fleet, Workspace, until};

/// A desk whose run 1 has set `stage:gold` on 60 hosts, of which the first 30 were `stage:tin`; and the hosts before it.
fn golden() -> (Desk, BTreeMap<String, Entity>) {
    let desk = Desk::new("entities=60&seed=3");
    let tenant = desk.tenant();
    let ids: Vec<String> = tenant.hosts().into_keys().collect();
    for id in &ids[..30] {
        tenant.add(id, "stage", "tin");
    }
    let before = tenant.hosts();
    drop(tenant);
    desk.table(
        "hosts.csv",
        ["id", "stage"],
        ids.into_iter().map(|id| [id, "gold".into()]),
    );
    desk.job(&rule("set", "stage", "stage"));
    desk.tagferry(&["run", "job.toml", "--max-changes", "100%"])
        .exits(0);
    (desk, before)
}

#[test]
fn what_an_undone_run_added_does_not_weigh_against_the_guard() {
    let (desk, before) = golden();
    let after = desk.tenant().hosts();
    assert_ne!(before, after);
    let asked = desk.handled();
    let plan = desk.tagferry(&["undo", "1"]).exits(0);
    assert!(plan.out.contains("taking run 1 back"), "{}", plan.out);
    assert_eq!(
        desk.asked_since(asked).ownership,
        0,
        "what the run has put there is manual"
    );
    assert_eq!(
        desk.tenant().hosts(),
        after,
        "nothing is sent until that is asked for"
    );
    desk.tagferry(&["apply", "2"]).exits(0);
    assert_eq!(desk.tenant().hosts(), before);
    assert_eq!(desk.outcomes(2), [(Outcome::Done, 60)].into());
    // Each row stands where the inventory has it.
    let lines: Vec<u64> = desk.rows(2).iter().map(|row| row.origin.line).collect();
    assert_eq!(lines, (2..62).collect::<Vec<u64>>());
    desk.tagferry(&["verify", "2"]).exits(0);
    let differs = desk
        .tagferry(&["verify", "1", "--patience", "1ms", "--json"])
        .exits(4);
    let found: serde_json::Value = serde_json::from_str(&differs.out).unwrap();
    assert_eq!(found["differences"].as_array().unwrap().len(), 60);
    assert_eq!(found["differences"][0]["lacks"][0]["value"], "gold");
    assert_eq!(found["differences"][0]["carries"][0]["value"], "tin");
}

#[test]
fn what_cannot_be_undone_or_verified_says_why() {
    let (desk, _) = golden();
    desk.plan().exits(0);
    for (words, says) in [
        (["undo", "2"], "nothing of it was sent"),
        (["verify", "2"], "nothing of it was sent"),
        (["undo", "7"], "there is no run 7"),
    ] {
        let ended = desk.tagferry(&words);
        assert!(ended.err.contains(says), "{words:?}: {}", ended.err);
        assert_ne!(ended.code, Some(0));
    }
    // A run that found everything so has changed nothing.
    desk.run().exits(0);
    desk.tagferry(&["undo", "3"])
        .exits(3)
        .says(&["changed nothing, as far as was confirmed"]);
    desk.tagferry(&["undo", "1", "--apply"]).exits(0);
    desk.tagferry(&["retry", "4"]).exits(3).says(&["tagferry undo 1"]);
    // At another tenant there is nothing to take back.
    let text = std::fs::read_to_string(desk.path("job.toml")).unwrap();
    desk.write("job.toml", text.replace("state.db", "other.db?entities=60"));
    desk.tagferry(&["undo", "1"]).exits(3).says(&["was planned for"]);
}

#[test]
fn what_the_vendor_cannot_remove_is_told_while_planning() {
    let desk = Desk::new("entities=4&seed=3&tags=none&kind=SERVICE");
    let services = desk.tenant().entities("SERVICE");
    assert!(!services.is_empty());
    desk.table(
        "hosts.csv",
        ["id", "tag"],
        services.keys().map(|id| [id.clone(), "gold".into()]),
    );
    let text = job("[[tag]]\nkey = \"{{ tag }}\"\naction = \"add\"\n") + "api = \"v1\"\n";
    desk.write("job.toml", text.replace("HOST", "SERVICE"));
    desk.run().exits(0);
    let before = desk.journal().len();
    desk.tagferry(&["undo", "1", "--apply"]).exits(4);
    assert_eq!(desk.asked_since(before).writes, 0);
    let classes: Vec<_> = desk.rows(2).into_iter().map(|row| row.class).collect();
    assert_eq!(classes, vec![Some(Class::Unsupported); services.len()]);
    desk.tagferry(&["verify", "1"]).exits(0);
}

#[test]
fn definitions_go_back_to_their_whole_text_and_new_ones_away() {
    let put = |what: &str, text: &str| {
        format!(
            "{{\"name\": \"{what}\", \"description\": \"{text}\", \"rules\": [{{\"type\": \"HOST\", \"enabled\": true, \
             \"valueFormat\": null, \"propagationTypes\": [], \"conditions\": [{{\"key\": {{\"attribute\": \
             \"HOST_NAME\"}}, \"comparisonInfo\": {{\"type\": \"STRING\", \"operator\": \"CONTAINS\", \"value\": \
             \"{text}\", \"negate\": false, \"caseSensitive\": true}}}}]}}]}}"
        )
    };
    let desk = Desk::new("entities=2&seed=3");
    let text = "name = \"tags\"\n[source]\nfile = \"rules.json\"\n[target]\nconnection = \"tenant\"\nkind = \"auto-tag\"\n\
         entity_name = \"{{ name }}\"\n[document]\n[connections.tenant]\nvendor = \"dynatrace\"\nurl = \"simulator:state.db\"\n";
    desk.write("job.toml", text);
    desk.write("rules.json", format!("[{}]", put("old", "a")));
    desk.run().exits(0);
    desk.write(
        "rules.json",
        format!("[{}, {}]", put("old", "b"), put("new", "c")),
    );
    desk.run().exits(0);
    desk.tagferry(&["verify", "2"]).exits(0);
    desk.tagferry(&["undo", "2", "--apply"]).exits(0);
    desk.tagferry(&["verify", "3"]).exits(0);
    // The first text is there again, so that asking for it changes nothing, and the new definition is not.
    desk.write("rules.json", format!("[{}]", put("old", "a")));
    let before = desk.journal().len();
    desk.run().exits(0);
    assert_eq!(desk.asked_since(before).writes, 0);
    desk.write("rules.json", format!("[{}]", put("new", "c")));
    desk.run().exits(0);
    assert_eq!(desk.outcomes(5), [(Outcome::Done, 1)].into(), "it is made anew");
}

#[test]
fn an_undo_that_was_killed_is_finished_by_the_same_command() {
    let workspace = Workspace::new();
    let fleet = Fleet::wide(60, 5);
    let simulator = fleet.serve(&workspace, &["--latency", "50ms"]);
    fleet.write(&workspace, simulator.url(), "pace = { concurrency = 4 }");
    let before = simulator.tags(&fleet.ids);
    workspace.run(&["run", "job.toml"]).expect(0);
    fleet.check(&simulator);
    let sent = simulator.handled();
    let mut running = workspace.spawn(&["undo", "1", "--apply"]);
    until("some writes", std::time::Duration::from_mins(1), || {
        let writes = simulator.journal()[sent..]
            .iter()
            .filter(|request| request.is_write())
            .count();
        (writes >= 10 || running.has_ended()).then_some(())
    });
    assert_eq!(running.kill().signal, Some(9));
    let ended = workspace.run(&["undo", "1"]).expect(3);
    assert!(ended.stderr.contains("tagferry apply 2"), "{}", ended.stderr);
    workspace.run(&["undo", "1", "--apply"]).expect(0);
    assert_eq!(simulator.tags(&fleet.ids), before);
    let runs = workspace.ledger().runs();
    let states: Vec<&str> = runs.iter().map(|run| run.state.as_str()).collect();
    assert_eq!(states, ["finished"; 3]);
}

#[test]
fn removals_may_be_allowed_for_one_plan() {
    let (desk, _) = golden();
    desk.job("[[tag]]\nkey = \"stage\"\naction = \"remove\"\n");
    desk.plan().exits(5);
    desk.tagferry(&["plan", "job.toml", "--max-changes", "59"])
        .exits(5);
    desk.tagferry(&["plan", "job.toml", "--max-changes", "60"])
        .exits(0);
    desk.tagferry(&["plan", "job.toml", "--max-changes", "lots"])
        .exits(2);
    desk.tagferry(&["run", "job.toml", "--allow-removals"]).exits(0);
    let hosts = desk.tenant().hosts();
    assert!(hosts.values().all(|host| host.values("stage").is_empty()));
}
