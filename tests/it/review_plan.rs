//! Plans as somebody reviews them: groups, exceptions, samples and calls, in every format.

use serde_json::Value;

use super::desk::{Desk, rule};
use super::samples;

/// A desk of `hosts` hosts that all get an `env` and one of 412 owners; each of `odd` of them has another `env` already.
fn desk(hosts: usize, odd: usize) -> Desk {
    let desk = Desk::new(&format!("entities={hosts}&seed=3&tags=none"));
    let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
    let tenant = desk.tenant();
    for id in ids.iter().rev().take(odd) {
        tenant.add(id, "env", "test");
    }
    drop(tenant);
    let row = |(n, id): (usize, String)| [id, "prod".to_owned(), format!("team-{}", n % 412)];
    desk.table(
        "hosts.csv",
        ["id", "env", "owner"],
        ids.into_iter().enumerate().map(row),
    );
    let guard = "[guard]\nmax_changes = \"100%\"\n";
    desk.job(&(rule("set", "env", "env") + &rule("set", "owner", "owner") + guard));
    desk
}

fn planned(desk: &Desk, words: &[&str]) -> String {
    let words = [&["--quiet", "plan", "job.toml"], words].concat();
    desk.tagferry(&words).exits(0).out
}

fn document(desk: &Desk, words: &[&str]) -> Value {
    serde_json::from_str(&planned(desk, words)).unwrap()
}

#[test]
fn a_plan_of_forty_thousand_changes_is_one_screen_with_its_exceptions_first() {
    let desk = desk(40_000, 12);
    let text = planned(&desk, &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() <= 24, "{text}");
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "{text}");
    let heading = lines
        .iter()
        .position(|line| line.contains("change (! marks exceptions)"))
        .unwrap();
    assert_eq!(
        lines[heading + 1],
        "!       12  env: test → prod, +owner (12 values)"
    );
    let usual = lines
        .iter()
        .position(|line| line.trim() == "39988  +env=prod, +owner (412 values)");
    assert!(usual.unwrap() > heading + 1, "{text}");
    let first = "    hosts.csv:2: ";
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with(first) && line.ends_with("+env=prod, +owner=team-0")),
        "{text}"
    );

    // The next plan is of another run, and shows the same.
    let again = planned(&desk, &[]);
    assert_eq!(again.replacen("run 2", "run 1", 1), text);
}

#[test]
fn every_format_tells_the_same_groups() {
    let desk = desk(500, 5);
    let document = document(&desk, &["--format", "json", "--samples", "2"]);
    let review = &document["review"];
    assert_eq!(
        (&document["version"], &review["changed"]),
        (&1.into(), &500.into())
    );
    let groups = review["groups"].as_array().unwrap();
    let told = |group: &Value| {
        (
            group["shape"].clone(),
            group["entities"].clone(),
            group["exception"].clone(),
        )
    };
    let told: Vec<_> = groups.iter().map(told).collect();
    let want = [
        ("env: test → prod, +owner (5 values)", 5, true),
        ("+env=prod, +owner (412 values)", 495, false),
    ];
    assert_eq!(
        told,
        want.map(|(shape, entities, exception)| (shape.into(), entities.into(), exception.into()))
    );
    for group in groups {
        let samples = group["samples"].as_array().unwrap();
        assert_eq!(samples.len(), 2);
        assert!(
            samples
                .iter()
                .all(|sample| sample["file"] == "hosts.csv" && sample["line"].is_u64())
        );
    }
    let alias: Value = serde_json::from_str(&planned(&desk, &["--json", "--samples", "2"])).unwrap();
    assert_eq!(alias["review"], *review);

    let markdown = planned(&desk, &["--format", "markdown"]);
    assert!(markdown.starts_with("## tagferry: plan of run 3\n"), "{markdown}");
    for row in [
        "| 5 | `env: test → prod, +owner (5 values)` | exception |",
        "| 495 | `+env=prod, +owner (412 values)` |  |",
    ] {
        assert!(markdown.lines().any(|line| line == row), "{markdown}");
    }
    let columns = |line: &str| line.matches('|').count();
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.iter().all(|line| columns(line) == 4), "{markdown}");
    assert_eq!(rows.len(), 2 + 2 + 2 + 6, "{markdown}");
}

#[test]
fn formats_and_samples_that_make_no_sense_are_usage_errors() {
    let desk = Desk::bare();
    for words in [
        &["--json", "--format", "text"][..],
        &["--format", "csv"],
        &["--samples", "11"],
        &["--samples", "-1"],
    ] {
        let words = [&["plan", "job.toml"], words].concat();
        desk.tagferry(&words).exits(2);
    }
}

#[test]
fn the_pace_of_the_connection_says_how_long_the_calls_take() {
    let desk = desk(200, 0);
    let calls = document(&desk, &["--json"])["calls"].clone();
    assert_eq!((&calls["rate"], &calls["seconds"]), (&Value::Null, &Value::Null));
    let job = std::fs::read_to_string(desk.path("job.toml")).unwrap();
    desk.write("job.toml", job + "pace = { rate = \"50/s\" }\n");
    let writes = calls["writes"].as_u64().unwrap();
    let paced = document(&desk, &["--json"])["calls"].clone();
    assert_eq!(paced["writes"], writes);
    let seconds = writes.div_ceil(50);
    assert_eq!(
        (&paced["rate"], &paced["seconds"]),
        (&"50/s".into(), &seconds.into())
    );
}

#[test]
fn an_apply_sends_as_many_calls_as_its_plan_foretold() {
    let desk = desk(300, 40);
    let foretold = document(&desk, &["--json"])["calls"]["writes"].as_u64().unwrap();
    let before = desk.journal().len();
    desk.tagferry(&["apply", "1"]).exits(0);
    let sent = desk.asked_since(before).writes;
    assert_eq!(foretold, sent as u64);
    assert!(foretold > 1);
}

#[test]
fn the_calls_of_every_vendor_are_foretold() {
    for sample in [
        "quickstart",
        "oracle-paas",
        "mongodb-ops-manager",
        "mongodb-atlas",
        "auto-tags",
    ] {
        let desk = samples::Desk::new();
        let plan = desk.tagferry(&["plan", "--json", &format!("samples/{sample}/job.toml")]);
        let plan: Value =
            serde_json::from_str(&plan.stdout).unwrap_or_else(|error| panic!("{sample}: {error}"));
        desk.tagferry(&["apply", "1"]);
        let status = desk.tagferry(&["status", "1", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        assert_eq!(
            plan["calls"]["writes"], status["runs"][0]["calls"]["writes"],
            "{sample}"
        );
        assert!(plan["calls"]["writes"].as_u64() > Some(0), "{sample}");
    }
}

#[test]
fn a_saved_plan_is_shown_again_also_when_it_was_refused_or_applied() {
    let desk = desk(60, 12);
    let without_calls = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("calls: "));
        lines.map(str::to_owned).collect()
    };
    let text = planned(&desk, &["--samples", "1"]);
    let shown = |run: &str| desk.tagferry(&["show", run, "--samples", "1"]).exits(0).out;
    assert_eq!(without_calls(&shown("1")), without_calls(&text));
    desk.tagferry(&["apply", "1"]).exits(0);
    assert_eq!(without_calls(&shown("1")), without_calls(&text));

    desk.job(&rule("set", "env", "id"));
    let refused = desk.plan().exits(5).out;
    let objection = refused.lines().last().unwrap();
    assert!(objection.starts_with("refused: "), "{refused}");
    assert_eq!(shown("2").lines().last(), Some(objection));
    desk.tagferry(&["show", "3"])
        .exits(3)
        .says(&["there is no run 3 in this ledger"]);
}

#[test]
fn a_plan_of_nothing_has_no_groups() {
    let desk = desk(20, 0);
    desk.run().exits(0);
    let text = planned(&desk, &[]);
    assert!(text.ends_with("operations: 0\ncalls: 0 writes\n"), "{text}");
    assert!(!planned(&desk, &["--format", "markdown"]).contains("### Changes"));
    let review = &document(&desk, &["--json"])["review"];
    assert_eq!(review, &serde_json::json!({ "changed": 0, "groups": [] }));
}

#[test]
fn no_text_of_others_breaks_out_of_a_plan() {
    let desk = Desk::new("entities=1&seed=3&tags=none");
    let id = desk.tenant().hosts().into_keys().next().unwrap();
    let hostile = "\u{202e}`|</details>@all".to_owned();
    desk.table("hosts.csv", ["id", "env"], [[id, hostile]]);
    desk.job(&rule("set", "env", "env"));
    let text = planned(&desk, &[]);
    assert!(text.contains("+env=\\u{202e}`|</details>@all"), "{text}");
    let markdown = planned(&desk, &["--format", "markdown"]);
    assert!(
        markdown.contains("| 1 | ``+env=\\u{202e}`\\u{7c}</details>@all`` |  |"),
        "{markdown}"
    );
    let exact = document(&desk, &["--json"]);
    assert_eq!(
        exact["review"]["groups"][0]["shape"],
        "+env=\u{202e}`|</details>@all"
    );
}
