//! The commands beside planning and applying: what they print, and the exit codes that scripts rely on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use super::desk::{Desk, Ended, job, rule};

/// A desk of ten hosts, whose job sets `stage` by a column.
fn ten(stages: [&str; 10]) -> Desk {
    let desk = Desk::new("entities=10&seed=3&tags=none");
    let ids = desk.tenant().hosts().into_keys();
    desk.table(
        "hosts.csv",
        ["id", "stage"],
        ids.zip(stages).map(|(id, stage)| [id, stage.to_owned()]),
    );
    desk.job(&rule("set", "stage", "stage"));
    desk
}

#[test]
fn check_finds_what_is_wrong_without_touching_anything() {
    let good = job(&rule("set", "stage", "stage"));
    let table: &[(&str, &str, i32, &[&str])] = &[
        ("", "", 0, &[]),
        ("stage }}", "stage | lower }}", 0, &[]),
        ("[target]", "[target", 3, &["job.toml:4:"]),
        (
            "kind = ",
            "kinds = ",
            3,
            &["job.toml:6:", "unknown key `kinds`", "`kind`"],
        ),
        ("stage }}", "stage", 3, &["job.toml:"]),
        ("stage }}", "stage | shout }}", 3, &["job.toml:", "shout"]),
        ("file = \"hosts.csv\"", "file = \"hsots.csv\"", 3, &["hsots.csv"]),
        (
            "connection = \"tenant\"",
            "connection = \"tenent\"",
            3,
            &["tenent"],
        ),
        (
            "url = \"simulator:state.db\"",
            "url = \"https://abc.live.dynatrace.com\"",
            3,
            &["token"],
        ),
        (
            "url = \"simulator:state.db\"",
            "url = \"http://abc.live.dynatrace.com\"",
            3,
            &["url", "https"],
        ),
        ("kind = \"HOST\"", "kind = \"HO ST\"", 3, &["HO ST"]),
    ];
    for (from, to, code, parts) in table {
        let desk = Desk::bare();
        desk.write(
            "hosts.csv",
            "id,stage\nHOST-0000000000000001,gold\nHOST-0000000000000002,\n",
        );
        assert!(good.contains(from), "{from}");
        desk.write("job.toml", good.replace(from, to));
        desk.tagferry(&["check", "job.toml"]).exits(*code).says(parts);
        let files: Vec<_> = fs::read_dir(desk.path(""))
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(files.len(), 2, "neither ledger nor tenant: {files:?}");
    }
}

#[test]
fn check_names_the_rows_that_would_be_rejected() {
    let desk = Desk::bare();
    desk.job(&rule("set", "stage", "stage"));
    let long = "x".repeat(2_001);
    let rows = format!(
        "id,stage\nHOST-0000000000000001,gold\n,gold\nHOST-0000000000000003,{long}\nHOST:4,gold\nHOST-0000000000000005,a,b\n"
    );
    desk.write("hosts.csv", rows);
    let out = desk.tagferry(&["check", "job.toml"]).exits(4).out;
    for part in [
        "hosts.csv:3: ",
        "hosts.csv:4: ",
        "(illegal)",
        "hosts.csv:5: ",
        "hosts.csv:6: ",
        "(unreadable)",
    ] {
        assert!(out.contains(part), "no `{part}` in\n{out}");
    }
    assert!(out.contains("5 rows, 4 rejected"), "{out}");
    assert!(!out.contains("hosts.csv:2"), "{out}");
}

#[test]
fn what_is_typed_wrong_is_a_matter_of_usage() {
    let desk = Desk::bare();
    for words in [
        &[][..],
        &["ferry"],
        &["run"],
        &["run", "a.toml", "b.toml"],
        &["plan", "--exitcode", "job.toml"],
        &["apply", "one"],
        &["report", "1", "--format", "xml"],
        &["retry", "1", "--class", "tired"],
        &["completions", "abacus"],
        &["simulate", "acme"],
        &["simulate", "dynatrace", "--listen", "0.0.0.0:80"],
        &["run", "--if-locked", "cry", "job.toml"],
    ] {
        desk.tagferry(words).exits(2);
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let desk = ten(["a"; 10]);
    for words in [
        &["apply", "7"][..],
        &["status", "7"],
        &["report", "7"],
        &["report", "7", "--format", "csv"],
        &["report", "7", "--format", "json"],
        &["retry", "7"],
        &["abandon", "7"],
    ] {
        desk.tagferry(words)
            .exits(3)
            .says(&["there is no run 7 in this ledger"]);
    }
    desk.tagferry(&["run", "absent.toml"])
        .exits(3)
        .says(&["absent.toml"]);
    desk.run().exits(0);
    // The job of a run is needed to go on with it.
    fs::remove_file(desk.path("job.toml")).unwrap();
    desk.tagferry(&["apply", "1"]).exits(3).says(&["job.toml"]);
    desk.tagferry(&["status", "1"]).exits(0);
}

#[test]
fn help_and_version_are_results() {
    let desk = Desk::bare();
    let help = desk.tagferry(&["--help"]).exits(0).out;
    assert!(help.contains("Exit codes: 0 all done or unchanged"), "{help}");
    let commands = help
        .split_once("Commands:")
        .unwrap()
        .1
        .split_once("Options:")
        .unwrap()
        .0;
    // Names stand at two blanks; what goes on from the line before is further in.
    let names = commands.lines().filter_map(|line| line.strip_prefix("  "));
    let names: Vec<&str> = names
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let page = desk.tagferry(&["help", name]).exits(0).out;
        assert!(page.contains("Usage: tagferry"), "{name}: {page}");
    }
    let version = desk.tagferry(&["--version"]).exits(0).out;
    assert_eq!(version.trim(), concat!("tagferry ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let desk = Desk::bare();
    let shells = ["bash", "zsh", "fish", "elvish", "powershell"];
    let scripts = shells.map(|shell| desk.tagferry(&["completions", shell]).exits(0).out);
    let man = desk.tagferry(&["man"]).exits(0).out;
    assert!(man.contains(".TH tagferry 1"), "{man}");
    for text in scripts.iter().chain([&man]) {
        for name in [
            "check", "plan", "show", "apply", "run", "status", "report", "retry", "abandon", "simulate",
        ] {
            assert!(text.contains(name), "no `{name}` in\n{text}");
        }
    }
}

#[test]
fn the_schema_knows_every_key_of_a_job() {
    let desk = Desk::bare();
    let schema: Value = serde_json::from_str(&desk.tagferry(&["schema"]).exits(0).out).unwrap();
    for (place, keys) in [
        (
            "",
            &[
                "name",
                "source",
                "target",
                "tag",
                "tags_from",
                "guard",
                "connections",
                "max_age",
            ][..],
        ),
        ("/properties/source", &["file", "delimiter", "encoding"]),
        (
            "/properties/target",
            &["connection", "kind", "entity", "entity_name", "collision"],
        ),
        (
            "/properties/tag/items",
            &["key", "value", "when", "action", "empty"],
        ),
        (
            "/properties/tags_from/items",
            &[
                "column",
                "columns",
                "separator",
                "pair",
                "key",
                "rename",
                "prefix",
            ],
        ),
        (
            "/properties/guard",
            &["max_changes", "max_removals", "max_missing", "breaker"],
        ),
        (
            "/properties/connections/additionalProperties",
            &["vendor", "url", "token", "pace", "api", "join", "from"],
        ),
    ] {
        let here = schema.pointer(place).unwrap();
        let of = match here["$ref"].as_str() {
            Some(named) => schema.pointer(named.trim_start_matches('#')).unwrap(),
            None => here,
        };
        for key in keys {
            assert!(
                of["properties"].get(key).is_some(),
                "no `{key}` at `{place}`: {of:#}"
            );
        }
    }
    assert!(schema["$schema"].is_string());
}

#[test]
fn status_says_where_runs_stand() {
    let desk = ten(["gold"; 10]);
    assert_eq!(json(&desk, &["status", "--json"])["runs"], Value::Array(vec![]));
    desk.tagferry(&["status"]).exits(0);
    desk.plan().exits(0);
    desk.run().exits(0);
    let told = json(&desk, &["status", "--json"]);
    assert_eq!(told["version"], 1);
    let [planned, finished] = told["runs"].as_array().unwrap().as_slice() else {
        panic!("{told:#}");
    };
    assert_eq!(
        (&planned["state"], &planned["outcomes"]["not_attempted"]),
        (&"planned".into(), &10.into())
    );
    assert_eq!(
        (&finished["state"], &finished["outcomes"]["done"]),
        (&"finished".into(), &10.into())
    );
    assert_eq!((&finished["run"], &finished["job"]), (&2.into(), &"tags".into()));
    for run in [planned, finished] {
        let outcomes = run["outcomes"].as_object().unwrap();
        assert_eq!(outcomes.len(), 7);
        let sum: u64 = outcomes.values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(Some(sum), run["rows_read"].as_u64());
    }
    // The calls that it counts are those that the tenant was asked.
    let calls = |run: &Value| {
        let of = |name: &str| run["calls"][name].as_u64().unwrap();
        of("reads") + of("writes")
    };
    let listed = desk.journal().len() as u64 - 1;
    assert_eq!(
        calls(planned) + calls(finished),
        listed,
        "one request was this test's own"
    );
    let text = desk.tagferry(&["status"]).exits(0).out;
    assert!(text.contains("planned") && text.contains("finished"), "{text}");
}

fn json(desk: &Desk, words: &[&str]) -> Value {
    serde_json::from_str(&desk.tagferry(words).exits(0).out).unwrap()
}

#[test]
fn a_report_joins_back_by_file_and_line_and_neutralises_formulas() {
    let desk = Desk::bare();
    desk.table(
        "cmdb.csv",
        ["name"],
        [["web-01".to_owned()], ["web-02".to_owned()]],
    );
    drop(desk.tenant_with("inventory=cmdb.csv&name=name"));
    // Names that a spreadsheet would run, and a cell over three lines; each line where its row begins.
    let rows = [
        (2, "web-01", "\"one\ntwo\nthree\"", "done"),
        (5, "=HYPERLINK(1)", "x", "rejected"),
        (6, "+49 30", "x", "rejected"),
        (7, "-1", "x", "rejected"),
        (8, "@SUM(A1)", "x", "rejected"),
        (9, "web-02", "", "unchanged"),
    ];
    let lines: Vec<String> = rows
        .iter()
        .map(|(_, name, note, _)| format!("{name},{note}\n"))
        .collect();
    desk.write("hosts.csv", format!("name,note\n{}", lines.concat()));
    let text = job("[[tag]]\nkey = \"note\"\nvalue = \"{{ note | replace('\\n', ' ') }}\"\n");
    desk.write(
        "job.toml",
        text.replace("entity = \"{{ id }}\"", "entity_name = \"{{ name }}\""),
    );
    desk.run().exits(4);

    let sheet = desk.tagferry(&["report", "1", "--format", "csv"]).exits(0).out;
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    let told: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(told.len(), rows.len());
    for ((line, name, _, outcome), cells) in rows.iter().zip(&told) {
        assert_eq!(
            (&*cells["file"], &*cells["line"]),
            ("hosts.csv", &*line.to_string())
        );
        assert_eq!(cells["outcome"], *outcome, "{cells:?}");
        for cell in cells.values() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cells:?}");
        }
        let shown = [&cells["entity"], &cells["name"]].map(|cell| cell.trim_start_matches('\''));
        assert!(shown.contains(name), "{cells:?}");
    }

    // JSON is not for spreadsheets: it has the names as they are.
    let told = json(&desk, &["report", "1", "--format", "json"]);
    let told = told["rows"].as_array().unwrap();
    assert_eq!(told.len(), rows.len());
    for ((line, name, _, outcome), row) in rows.iter().zip(told) {
        assert_eq!(
            (&row["line"], &row["outcome"]),
            (&(*line).into(), &(*outcome).into())
        );
        assert!(
            [&row["name"], &row["entity"]].contains(&&Value::from(*name)),
            "{row}"
        );
    }

    // Text has what is neither done nor unchanged; a file gets what the screen gets.
    let text = desk.tagferry(&["report", "1"]).exits(0).out;
    assert!(
        text.contains("hosts.csv:8") && !text.contains("hosts.csv:9"),
        "{text}"
    );
    desk.tagferry(&["report", "1", "--format", "csv", "-o", "out.csv"])
        .exits(0);
    assert_eq!(fs::read_to_string(desk.path("out.csv")).unwrap(), sheet);
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let desk = Desk::new("entities=300&seed=3&tags=none");
    let ids = desk.tenant().hosts().into_keys();
    desk.table(
        "hosts.csv",
        ["id", "stage"],
        ids.map(|id| [id, "gold".to_owned()]),
    );
    desk.job(&rule("set", "stage", "stage"));
    for words in [
        &["plan", "job.toml"][..],
        &["show", "1"],
        &["run", "job.toml"],
        &["check", "job.toml"],
        &["status"],
        &["status", "--json"],
        &["report", "2"],
        &["report", "2", "--format", "csv"],
        &["report", "2", "--format", "json"],
        &["schema"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = desk
            .command(words)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        Ended::new(words, output).exits(0);
    }
    assert_eq!(desk.states(), ["planned", "finished"]);
}

#[test]
fn the_ledger_is_where_it_is_told_to_be_and_its_owners_alone() {
    let desk = ten(["gold"; 10]);
    desk.tagferry(&["--ledger", "a.db", "run", "job.toml"]).exits(0);
    let mode = fs::metadata(desk.path("a.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!desk.path("state/tagferry/ledger.db").exists());
    // Another ledger knows nothing of that run; the tenant does.
    let output = desk
        .command(&["status", "--json"])
        .env("TAGFERRY_LEDGER", desk.path("b.db"))
        .output()
        .unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("\"runs\": []"));
    desk.tagferry(&["plan", "--detailed-exitcode", "--ledger", "b.db", "job.toml"])
        .exits(0);
    desk.tagferry(&["report", "1", "--ledger", "a.db"]).exits(0);
    desk.write(
        "c.db",
        "not a database at all, but long enough to be read as one".repeat(100),
    );
    desk.tagferry(&["--ledger", "c.db", "status"])
        .exits(1)
        .says(&["c.db"]);
}

#[test]
fn quiet_leaves_only_results() {
    let desk = ten(["gold"; 10]);
    let ended = desk.tagferry(&["--quiet", "plan", "job.toml"]).exits(0);
    assert_eq!(ended.err, "");
    let noisy = desk.tagferry(&["plan", "job.toml"]).exits(0);
    assert_ne!(noisy.err, "");
    let told = json(&desk, &["run", "--json", "job.toml"]);
    assert_eq!(told["runs"][0]["outcomes"]["done"], 10);
}
