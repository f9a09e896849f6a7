//! Exports: what is written reads back as the same, and an export that was cut off goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::desk::Desk;
use super::harness::{Fleet, Running, Simulator, Workspace, hosts, until};

const WITHIN: Duration = Duration::from_mins(1);

/// Values that a careless writer or reader would change.
const AWKWARD: [&str; 12] = [
    "a,b",
    "say \"hi\"",
    "\"",
    "=1+1",
    "+49 89",
    "@x",
    "-1",
    "  leading and trailing ",
    "x;y|z\u{a0}",
    "Grüße, 漢字 🦀",
    "k=v",
    "'quoted'",
];

const DYNATRACE: &str = "vendor = \"dynatrace\"\nurl = \"simulator:state.db\"\n";

/// A job that reads a file back at the connection `it`.
fn back(file: &str, kind: &str, rules: &str, connection: &str) -> String {
    format!(
        "name = \"back\"\n[source]\nfile = \"{file}\"\n[target]\nconnection = \"it\"\nkind = \"{kind}\"\n\
         entity = \"{{{{ id }}}}\"\n{rules}\n[connections.it]\n{connection}"
    )
}

const BY_ROW: &str =
    "[[tag]]\nkey = \"{{ key }}\"\nvalue = \"{{ value }}\"\naction = \"add\"\nempty = \"bare\"\n";
const BY_LIST: &str = "[[tags_from]]\ncolumn = \"tags\"\naction = \"add\"\n";

/// Exports a connection in both formats and plans what was written; gives back how many rows of each are rejected.
fn round_trips(desk: &Desk, kind: &str, connection: &str) -> [u64; 2] {
    let both = [("live.csv", "csv", BY_ROW), ("live.jsonl", "jsonl", BY_LIST)];
    both.map(|(file, format, rules)| {
        desk.write("job.toml", back(file, kind, rules, connection));
        let words = [
            "export", "it", "--job", "job.toml", "--format", format, "-o", file,
        ];
        desk.tagferry(&words).exits(0);
        let out = desk.tagferry(&["plan", "job.toml", "--json"]).exits(0).out;
        let plan: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(plan["plan"]["operations"], 0, "{file}: {plan:#}");
        assert!(plan["plan"]["entities"].as_u64().unwrap() > 0, "{plan:#}");
        let rejected = plan["plan"]["rejected"].as_object().unwrap().values();
        rejected.map(|rows| rows.as_u64().unwrap()).sum()
    })
}

#[test]
fn an_export_of_hosts_reads_back_as_the_same_whatever_its_values_hold() {
    let desk = Desk::new("entities=40&seed=3");
    let ids = hosts(40, 3);
    {
        let tenant = desk.tenant();
        for (id, value) in ids.iter().zip(AWKWARD) {
            tenant.add_all(
                id,
                &[("note", value), (value, "x"), ("twice", "1"), ("twice", "2")],
            );
            tenant.add(id, "bare", "");
        }
    }
    assert_eq!(round_trips(&desk, "HOST", DYNATRACE), [0, 0]);
    let table = fs::read_to_string(desk.path("live.csv")).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in csv::Reader::from_reader(table.as_bytes()).records() {
        let row = row.unwrap();
        let values = found.entry(row[0].to_owned()).or_default();
        if &row[3] == "note" {
            values.insert(row[4].to_owned());
        }
    }
    assert_eq!(found.len(), 40, "an entity without tags has a row too");
    for (id, value) in ids.iter().zip(AWKWARD) {
        assert_eq!(found[id], BTreeSet::from([value.to_owned()]), "{id}");
    }
}

#[test]
fn a_line_break_that_no_rule_allows_is_written_as_it_is_and_changes_nothing_when_it_is_read_back() {
    let desk = Desk::new("entities=3&seed=3&tags=none");
    let id = &hosts(3, 3)[0];
    desk.tenant().add(id, "note", "two\r\nlines");
    assert_eq!(round_trips(&desk, "HOST", DYNATRACE), [1, 1]);
    let table = fs::read_to_string(desk.path("live.csv")).unwrap();
    assert!(table.contains("\"two\r\nlines\""), "{table}");
}

#[test]
fn groups_and_projects_read_back_as_the_same() {
    let desk = Desk::bare();
    let ops = "vendor = \"mongodb-ops-manager\"\nurl = \"simulator:ops.db?entities=30&seed=3\"\nlower_case = \"allow\"\n";
    assert_eq!(round_trips(&desk, "group", ops), [0, 0]);

    let desk = Desk::bare();
    let atlas =
        "vendor = \"mongodb-atlas\"\nurl = \"simulator:atlas.db?entities=30&seed=3&tag-letters=unicode\"\n";
    assert_eq!(round_trips(&desk, "project", atlas), [0, 0]);
    let lines = fs::read_to_string(desk.path("live.jsonl")).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let id = first["id"].as_str().unwrap();
    let values = [" leading", "+1; a@b", "Größe 漢"];
    let rows = values.map(|value| format!("{id},,project,note{},{value},\n", value.len()));
    desk.write(
        "awkward.csv",
        "id,name,kind,key,value,context\n".to_owned() + &rows.concat(),
    );
    desk.write("job.toml", back("awkward.csv", "project", BY_ROW, atlas));
    // Three rows of one entity, each with a key of its own.
    desk.tagferry(&["run", "job.toml"]).exits(0);
    assert_eq!(round_trips(&desk, "project", atlas), [0, 0]);
    let table = fs::read_to_string(desk.path("live.csv")).unwrap();
    for value in values {
        assert!(table.contains(&format!("\"{value}\"")), "{value} in {table}");
    }
}

#[test]
fn what_is_exported_is_chosen_by_the_options_and_else_by_the_source_of_the_job() {
    let desk = Desk::new("entities=60&seed=3");
    let all = desk.tenant().hosts();
    desk.write(
        "job.toml",
        format!(
            "name = \"chosen\"\n[source]\nconnection = \"it\"\nkind = \"HOST\"\nname = \"web-*\"\ntag = \"env=prod\"\n\
             [target]\nconnection = \"other\"\nkind = \"HOST\"\nentity = \"{{{{ id }}}}\"\n{BY_LIST}\n\
             [connections.it]\n{DYNATRACE}[connections.other]\nvendor = \"dynatrace\"\nurl = \"simulator:other.db\"\n\
             [connections.third]\nvendor = \"dynatrace\"\nurl = \"simulator:third.db\"\n"
        ),
    );
    let exported = |more: &[&str]| {
        let words: Vec<&str> = ["export", "it", "--job", "job.toml", "--format", "jsonl"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let out = desk.tagferry(&words).exits(0).out;
        let id = |line: &str| {
            serde_json::from_str::<Value>(line).unwrap()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        out.lines().map(id).collect::<BTreeSet<String>>()
    };
    let of = |web: bool, prod: bool| {
        let fits = all.iter().filter(|(_, host)| {
            (!web || host.name.starts_with("web-")) && (!prod || host.values("env").contains("prod"))
        });
        fits.map(|(id, _)| id.clone()).collect::<BTreeSet<String>>()
    };
    let sizes = [of(true, true), of(false, true), of(true, false)].map(|ids| ids.len());
    assert!(sizes.iter().all(|size| (1..60).contains(size)), "{sizes:?}");
    assert_eq!(exported(&[]), of(true, true));
    assert_eq!(exported(&["--name", "*"]), of(false, true));
    assert_eq!(
        exported(&["--tag", "owner", "--name", "WEB-*"])
            .difference(&of(true, false))
            .count(),
        0
    );
    assert_eq!(exported(&["--kind", "SERVICE"]), BTreeSet::new());

    let refused = |words: &[&str], why: &str| drop(desk.tagferry(words).exits(3).says(&[why]));
    let other = ["export", "nowhere", "--job", "job.toml", "--format", "csv"];
    refused(
        &other,
        "no connection `nowhere`; there are `it`, `other`, `third`",
    );
    let third = ["export", "third", "--job", "job.toml", "--format", "csv"];
    refused(&third, "give --kind");
}

/// A fleet behind a served simulator that answers late, twenty hosts a page.
struct Slow {
    workspace: Workspace,
    fleet: Fleet,
    simulator: Simulator,
}

const PAGES: usize = 20;

impl Slow {
    fn new(options: &[&str]) -> Self {
        let workspace = Workspace::new();
        let fleet = Fleet::new(20 * PAGES as u64, 5);
        let simulator = fleet.serve(&workspace, options);
        fleet.write(&workspace, simulator.url(), "page_size = 20");
        Self {
            workspace,
            fleet,
            simulator,
        }
    }

    fn command(format: &str) -> Vec<&str> {
        vec![
            "export",
            "dynatrace",
            "--job",
            "job.toml",
            "--format",
            format,
            "-o",
            "out",
        ]
    }

    /// An export in its sixth page or further.
    fn begun(&self, format: &str) -> Running {
        let before = self.simulator.handled();
        let running = self.workspace.spawn(&Self::command(format));
        until("six pages", WITHIN, || {
            (self.simulator.handled() >= before + 6).then_some(())
        });
        running
    }

    /// Panics unless each host is in the file once.
    fn check(&self, format: &str) {
        let text = fs::read_to_string(self.workspace.path("out")).unwrap();
        let ids: Vec<String> = match format {
            "csv" => {
                let mut reader = csv::Reader::from_reader(text.as_bytes());
                let rows = reader.records().map(|row| row.unwrap()[0].to_owned());
                let mut ids: Vec<String> = rows.collect();
                // The tags of a host stand together.
                ids.dedup();
                ids
            }
            _ => text
                .lines()
                .map(|line| {
                    serde_json::from_str::<Value>(line).unwrap()["id"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
                .collect(),
        };
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        let mut want = self.fleet.ids.clone();
        want.sort_unstable();
        assert_eq!(sorted, want);
        assert!(!self.workspace.path("out.partial").exists());
    }
}

/// Where runs stand, by `status`.
fn states(workspace: &Workspace) -> Vec<String> {
    let out = workspace.run(&["status", "--json"]).expect(0).stdout;
    let status: Value = serde_json::from_str(&out).unwrap();
    let runs = status["runs"].as_array().unwrap().iter();
    runs.map(|run| run["state"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_export_that_was_killed_goes_on_with_each_entity_once() {
    for format in ["csv", "jsonl"] {
        let slow = Slow::new(&["--latency", "40ms"]);
        assert_eq!(slow.begun(format).kill().signal, Some(9));
        assert!(!slow.workspace.path("out").exists());
        assert_eq!(states(&slow.workspace), ["exporting"]);
        // A plan of the same job is another run, and leaves the export alone.
        slow.workspace.run(&["plan", "job.toml"]).expect(0);
        assert_eq!(states(&slow.workspace), ["exporting", "planned"]);

        let before = slow.simulator.handled();
        let ended = slow.workspace.run(&Slow::command(format)).expect(0);
        assert!(ended.stderr.contains("going on after"), "{}", ended.stderr);
        let asked = slow.simulator.handled() - before;
        assert!((1..=PAGES - 3).contains(&asked), "{asked} pages were read again");
        slow.check(format);
        assert_eq!(states(&slow.workspace), ["finished", "planned"]);
        slow.simulator.check_attempts(&slow.workspace.ledger().attempts());
        // What is whole is exported anew.
        slow.workspace.run(&Slow::command(format)).expect(0);
        slow.check(format);
        assert_eq!(states(&slow.workspace), ["finished", "planned", "finished"]);
    }
}

#[test]
fn a_signal_drains_an_export_and_the_same_command_goes_on() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let slow = Slow::new(&["--latency", "40ms"]);
        let running = slow.begun("jsonl");
        running.signal(name);
        let ended = running.wait().expect(code);
        assert!(
            ended.stderr.contains("the same command goes on"),
            "{}",
            ended.stderr
        );
        let ended = slow.workspace.run(&Slow::command("jsonl")).expect(0);
        assert!(ended.stderr.contains("going on after"), "{}", ended.stderr);
        slow.check("jsonl");
    }
}

#[test]
fn another_export_to_the_same_file_begins_anew() {
    let slow = Slow::new(&["--latency", "40ms"]);
    slow.begun("csv").kill();
    slow.workspace.run(&Slow::command("jsonl")).expect(0);
    slow.check("jsonl");
    assert_eq!(states(&slow.workspace), ["abandoned", "finished"]);
}

#[test]
fn a_partial_file_that_somebody_else_has_written_is_not_gone_on_with() {
    let slow = Slow::new(&["--latency", "40ms"]);
    slow.begun("csv").kill();
    let path = slow.workspace.path("out.partial");
    let mut text = fs::read(&path).unwrap();
    text[100] ^= 1;
    fs::write(&path, text).unwrap();
    slow.workspace.run(&Slow::command("csv")).expect(0);
    slow.check("csv");
    assert_eq!(states(&slow.workspace), ["abandoned", "finished"]);
}

#[test]
fn an_old_cursor_that_the_vendor_refuses_begins_the_export_anew() {
    let mut slow = Slow::new(&["--latency", "40ms"]);
    slow.begun("csv").kill();
    let address = slow.simulator.address().to_owned();
    slow.simulator.stop();
    let options = ["--listen", &address, "--fault", "stale-cursor,count=1"];
    slow.simulator = slow.fleet.serve(&slow.workspace, &options);
    let before = slow.simulator.handled();
    let ended = slow.workspace.run(&Slow::command("csv")).expect(0);
    assert!(
        ended.stderr.contains("a listing is read again from its start"),
        "{}",
        ended.stderr
    );
    assert_eq!(slow.simulator.handled() - before, PAGES + 1);
    slow.check("csv");
}

#[test]
fn a_listing_that_begins_again_is_written_once_to_a_file_and_to_a_stream() {
    let slow = Slow::new(&["--fault", "stale-cursor,after=4,count=1"]);
    slow.workspace.run(&Slow::command("jsonl")).expect(0);
    slow.check("jsonl");
    let slow = Slow::new(&["--fault", "stale-cursor,after=4,count=1"]);
    let words = &Slow::command("jsonl")[..6];
    let out = slow.workspace.run(words).expect(0).stdout;
    fs::write(slow.workspace.path("out"), out).unwrap();
    slow.check("jsonl");
}

#[test]
fn five_thousand_hosts_are_ten_pages_and_no_other_call() {
    let workspace = Workspace::new();
    let fleet = Fleet::new(5_000, 3);
    let simulator = fleet.serve(&workspace, &[]);
    fleet.write(&workspace, simulator.url(), "");
    workspace.run(&Slow::command("csv")).expect(0);
    assert_eq!(simulator.handled(), 10);
    let refused = workspace.run(&["apply", "1"]).expect(3);
    let why = "run 1 can't be applied: it is an export, which changes nothing";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
}

#[test]
fn a_reader_that_has_enough_ends_an_export_quietly() {
    let slow = Slow::new(&["--latency", "5ms"]);
    let line = format!(
        "({} {}; echo $? > code) | head -n 1",
        env!("CARGO_BIN_EXE_tagferry"),
        Slow::command("csv")[..6].join(" ")
    );
    let mut command = Command::new("sh");
    command.args(["-c", &line]);
    slow.workspace.at_home(&mut command);
    let ended = slow.workspace.start(&mut command).wait().expect(0);
    assert_eq!(
        ended.stdout,
        "\"id\",\"name\",\"kind\",\"key\",\"value\",\"context\"\n"
    );
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(slow.workspace.path("code")).unwrap(), "0\n");
    assert_eq!(states(&slow.workspace), ["abandoned"]);
}

#[test]
fn two_exports_to_one_file_do_not_mix_and_reading_needs_no_lock_of_the_connection() {
    let slow = Slow::new(&["--fault", "timeout,count=1"]);
    let holder = slow.workspace.spawn(&Slow::command("csv"));
    until("the first request", WITHIN, || {
        (slow.simulator.handled() == 1).then_some(())
    });
    let refused = slow.workspace.run(&Slow::command("csv")).expect(7);
    assert!(
        refused.stderr.contains("another tagferry exports to this file"),
        "{}",
        refused.stderr
    );
    let other: Vec<&str> = Slow::command("csv")
        .into_iter()
        .map(|word| if word == "out" { "other" } else { word })
        .collect();
    slow.workspace.run(&other).expect(0);
    holder.kill();
    slow.workspace.run(&Slow::command("csv")).expect(0);
    slow.check("csv");
}
