//! Every sample does what its text says, with the real binary, in a copy of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A copy of the samples and a state folder.
pub(crate) struct Desk {
    folder: TempDir,
}

/// How a command ended, and what it printed.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        copy(&samples(), &folder.path().join("samples"));
        Self { folder }
    }

    /// Runs the binary where the samples' folder is, without any token: the embedded simulator needs none.
    pub(crate) fn tagferry(&self, arguments: &[&str]) -> Ended {
        Self::ended(self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagferry"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env_remove("TAGFERRY_LEDGER")
            .env_remove("DT_API_TOKEN");
        command
    }

    fn ended(mut command: Command) -> Ended {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Ended {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Writes a file where commands are run.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs a sample's job, and gives the exit code and the JSON of its only new run.
    fn run(&self, sample: &str) -> (Option<i32>, Value) {
        self.run_job(&format!("{sample}/job.toml"))
    }

    /// The same for a job file of the samples.
    fn run_job(&self, job: &str) -> (Option<i32>, Value) {
        let ended = self.tagferry(&["run", &format!("samples/{job}"), "--json"]);
        let told: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|why| panic!("{job}: {why}: {}", ended.stderr));
        (ended.code, told["runs"][0].clone())
    }

    fn report(&self, run: &Value) -> Value {
        let ended = self.tagferry(&["report", &run["run"].to_string(), "--format", "json"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

/// A simulator served by the real binary; it ends with the test.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    fn new(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = desk.command(&[&["simulate", "dynatrace"], arguments].concat());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim_end().split_once(" listening on ").unwrap().1.to_owned();
        Self { process, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen by then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// Copies a folder, except for the simulators' states, which a run of the samples in place leaves behind.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if !name.to_string_lossy().contains(".db") {
            // What a run in the checkout has left there is not part of the samples.
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// The outcomes that some rows have, and that they add up to the rows read.
fn outcomes(run: &Value) -> BTreeMap<String, u64> {
    let counts = run["outcomes"].as_object().unwrap();
    let counts: BTreeMap<String, u64> = counts
        .iter()
        .map(|(outcome, rows)| (outcome.clone(), rows.as_u64().unwrap()))
        .filter(|(_, rows)| *rows > 0)
        .collect();
    assert_eq!(
        Some(counts.values().sum()),
        run["rows_read"].as_u64(),
        "the outcomes add up to the rows read"
    );
    counts
}

fn counted<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.map(|(outcome, rows)| (outcome.to_owned(), rows)).into()
}

#[test]
fn quickstart_tags_every_host_and_a_second_run_writes_nothing() {
    let desk = Desk::new();
    let (code, first) = desk.run("quickstart");
    assert_eq!((code, outcomes(&first)), (Some(0), counted([("done", 2000)])));
    assert_ne!(first["calls"]["writes"], 0);
    let (code, second) = desk.run("quickstart");
    assert_eq!(
        (code, outcomes(&second)),
        (Some(0), counted([("unchanged", 2000)]))
    );
    assert_eq!(second["calls"]["writes"], 0, "{second}");
    let rows = desk.report(&first)["rows"].as_array().unwrap().len();
    assert_eq!(rows, 2000);
}

#[test]
fn quickstart_runs_against_a_served_simulator_by_changing_the_url_alone() {
    let desk = Desk::new();
    let served = Served::new(&desk, &["--entities", "2000", "--seed", "7"]);
    let job = fs::read_to_string(samples().join("quickstart/job.toml")).unwrap();
    let embedded = "simulator:state.db?entities=2000&seed=7";
    assert!(job.contains(embedded), "{job}");
    desk.write("samples/quickstart/job.toml", &job.replace(embedded, &served.url));
    let token = format!("dt0c01.{}.{}", "A1".repeat(12), "Z9".repeat(32));
    let mut command = desk.command(&["run", "samples/quickstart/job.toml", "--json"]);
    command.env("DT_API_TOKEN", token);
    let ended = Desk::ended(command);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(outcomes(&told["runs"][0]), counted([("done", 2000)]));
}

#[test]
fn messy_names_each_row_that_is_not_done_and_tags_the_others() {
    let desk = Desk::new();
    let (code, run) = desk.run("messy");
    let want = counted([("done", 46), ("rejected", 17)]);
    assert_eq!((code, outcomes(&run)), (Some(4), want));
    let report = desk.report(&run);
    let not_done: Vec<(u64, &str)> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["outcome"] != "done")
        .map(|row| {
            assert!(!row["message"].as_str().unwrap().is_empty(), "{row}");
            assert_eq!(row["file"], "export.csv", "{row}");
            (row["line"].as_u64().unwrap(), row["class"].as_str().unwrap())
        })
        .collect();
    let want = [
        (9, "unreadable"),
        (13, "unreadable"),
        (16, "unreadable"),
        (20, "unreadable"),
        (23, "mapping"),
        (26, "missing"),
        (28, "missing"),
        (31, "ambiguous"),
        (34, "ambiguous"),
        (38, "illegal"),
        (41, "illegal"),
        (44, "illegal"),
        (47, "mapping"),
        (49, "collision"),
        (51, "collision"),
        (61, "mapping"),
        (67, "unreadable"),
    ];
    assert_eq!(not_done, want);
    let lines: BTreeSet<u64> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["line"].as_u64())
        .collect();
    assert_eq!(lines.len(), 63, "no row is told twice");
}

#[test]
fn messy_shows_people_each_row_that_is_not_done() {
    let desk = Desk::new();
    let ended = desk.tagferry(&["run", "samples/messy/job.toml"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let named = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("export.csv:"));
    assert_eq!(named.count(), 17, "{}", ended.stdout);
    let control = ended.stdout.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(control, None, "{}", ended.stdout);
}

#[test]
fn check_finds_what_needs_no_network() {
    let desk = Desk::new();
    let ended = desk.tagferry(&["check", "samples/messy/job.toml"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("export.csv:44: key `[AWS]Region`"),
        "{}",
        ended.stdout
    );
    assert!(
        !desk.folder.path().join("samples/messy/state.db").exists(),
        "nothing was opened"
    );
}

#[test]
fn json_reaches_nested_fields_and_keeps_the_text_of_numbers() {
    let desk = Desk::new();
    let (code, run) = desk.run("json");
    assert_eq!((code, outcomes(&run)), (Some(0), counted([("done", 12)])));
    let journal = fs::read_to_string(desk.folder.path().join("samples/json/state.db")).unwrap();
    assert!(
        journal.contains("900719925474099301"),
        "an identifier beyond 2^53 arrives as it is written"
    );
    let (code, again) = desk.run("json");
    assert_eq!((code, outcomes(&again)), (Some(0), counted([("unchanged", 12)])));
    assert_eq!(again["calls"]["writes"], 0, "{again}");
}

/// The samples of the other vendors, with their rows.
const OF_VENDORS: &[(&str, u64)] = &[
    ("oracle-paas", 60),
    ("mongodb-ops-manager", 40),
    ("mongodb-atlas", 40),
    ("auto-tags", 4),
];

#[test]
fn each_vendor_has_a_sample_that_is_done_and_writes_nothing_the_second_time() {
    for (sample, rows) in OF_VENDORS {
        let desk = Desk::new();
        let (code, run) = desk.run(sample);
        assert_eq!(
            (code, outcomes(&run)),
            (Some(0), counted([("done", *rows)])),
            "{sample}"
        );
        let (code, again) = desk.run(sample);
        assert_eq!(
            (code, outcomes(&again)),
            (Some(0), counted([("unchanged", *rows)])),
            "{sample}"
        );
        assert_eq!(again["calls"]["writes"], 0, "{sample}: {again}");
    }
}

/// The jobs that carry tags or definitions from one account to another: rows that are done, and rows that are so already
/// since there is nothing to carry.
const OF_MIGRATIONS: &[(&str, u64, u64)] = &[
    ("dynatrace-to-mongodb/job.toml", 10, 3),
    ("mongodb-to-oracle/job.toml", 14, 2),
    ("tenant-to-tenant/job.toml", 21, 9),
    ("tenant-to-tenant/auto-tags.toml", 12, 0),
];

#[test]
fn each_migration_arrives_reads_back_and_can_be_taken_back_to_nothing() {
    for (sample, done, unchanged) in OF_MIGRATIONS {
        let desk = Desk::new();
        let mut want = counted([("done", *done), ("unchanged", *unchanged)]);
        want.retain(|_, rows| *rows > 0);
        let (code, run) = desk.run_job(sample);
        assert_eq!((code, outcomes(&run)), (Some(0), want.clone()), "{sample}");
        let (code, again) = desk.run_job(sample);
        assert_eq!(
            (code, &again["calls"]["writes"]),
            (Some(0), &0.into()),
            "{sample}"
        );
        for (words, exit) in [
            (&["verify", "1"][..], 0),
            (&["undo", "1", "--apply"], 0),
            (&["verify", "3"], 0),
            (&["verify", "1", "--patience", "1ms"], 4),
        ] {
            let ended = desk.tagferry(words);
            assert_eq!(ended.code, Some(exit), "{sample}: {words:?}: {}", ended.stderr);
        }
        // What was there before was nothing, so that all of it arrives once more.
        let (code, once_more) = desk.run_job(sample);
        assert_eq!((code, outcomes(&once_more)), (Some(0), want), "{sample}");
    }
}

#[test]
fn every_sample_job_is_tried_here() {
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let jobs: BTreeSet<PathBuf> = entries(&samples())
        .flat_map(|folder| entries(&folder))
        .filter(|file| file.extension().is_some_and(|extension| extension == "toml"))
        .map(|file| file.strip_prefix(samples()).unwrap().to_owned())
        .collect();
    let own = ["json", "messy", "quickstart"].into_iter();
    let all: BTreeSet<PathBuf> = own
        .chain(OF_VENDORS.iter().map(|(sample, _)| *sample))
        .map(|sample| Path::new(sample).join("job.toml"))
        .chain(OF_MIGRATIONS.iter().map(|(job, ..)| PathBuf::from(job)))
        .collect();
    assert_eq!(jobs, all);
}

/// The words after each `tagferry` of a text that begin a command of it.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .filter_map(|line| {
            let (_, command) = line.split_once("tagferry --quiet ")?;
            Some(
                ["--quiet"]
                    .into_iter()
                    .chain(command.split_whitespace())
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn cron_and_systemd_run_a_command_that_exists() {
    let desk = Desk::new();
    let schedule = samples().join("schedule");
    for file in ["tagferry.crontab", "tagferry-nightly.service"] {
        let text = fs::read_to_string(schedule.join(file)).unwrap();
        let commands = commands(&text);
        assert_eq!(commands.len(), 1, "{file}");
        // The job of the schedule is the user's own; the quickstart stands in for it.
        let arguments: Vec<&str> = commands[0]
            .iter()
            .map(|word| {
                if word.ends_with("/hosts.toml") {
                    "samples/quickstart/job.toml"
                } else {
                    word
                }
            })
            .collect();
        let ended = desk.tagferry(&arguments);
        assert_eq!(ended.code, Some(0), "{file}: {arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn the_exit_codes_of_the_schedule_are_those_of_the_help() {
    let help = Desk::new().tagferry(&["--help"]).stdout;
    let table = fs::read_to_string(samples().join("schedule/README.md")).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for code in ["0", "1", "3", "4", "5", "130", "143"] {
        let in_table = table
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" |"))
            .any(|(codes, _)| codes.split(", ").any(|listed| listed == code));
        let in_help = help.split([' ', ';']).any(|word| word == code);
        assert!(in_table && in_help, "exit code {code}");
    }
}
