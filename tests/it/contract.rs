//! The contract that every vendor passes against its simulator, through the whole program. A new vendor is one more row of
//! [`VENDORS`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::harness::{Ended, Request, Simulator, TOKEN, Workspace, until};

mod directions;
mod rename;
mod undo;

/// What a test must know of a vendor.
struct Vendor {
    /// Its word in jobs and for `simulate`.
    word: &'static str,
    kind: &'static str,
    /// The identifier of the entity of a number.
    id: fn(usize) -> String,
    /// Further lines of the connection.
    connection: &'static str,
    /// The environment variable that holds the simulator's credentials, and what it holds.
    credentials: (&'static str, &'static str),
    /// How the journal shows a tag.
    shown: fn(&str, &str) -> Shown,
    /// Whether a key can have several values.
    several: bool,
    /// The method of the requests that write.
    writes: &'static str,
    /// A value at the edge of what is legal, which must arrive as it is.
    odd: &'static str,
    /// Tags that the vendor's rules forbid, as `KEY=VALUE`.
    illegal: &'static [&'static str],
    /// Tags that an entity may carry.
    most: usize,
}

/// A tag as the journal shows it.
type Shown = (String, Option<String>);

/// What entities carry.
type State = BTreeMap<String, BTreeSet<Shown>>;

fn pair(key: &str, value: &str) -> Shown {
    (key.to_owned(), Some(value.to_owned()))
}

fn joined(key: &str, value: &str) -> Shown {
    (format!("{key}.{value}"), None)
}

const VENDORS: &[Vendor] = &[
    Vendor {
        word: "dynatrace",
        kind: "HOST",
        id: |n| format!("HOST-{:016X}", 0xA000 + n),
        connection: "token = { env = \"DT_API_TOKEN\" }",
        credentials: ("CONTRACT_TOKEN", TOKEN),
        shown: pair,
        several: true,
        writes: "POST",
        odd: "http://x:80/ä?q=\\\"1\\\"",
        illegal: &["[AWS]KEY=X"],
        most: 1_000,
    },
    Vendor {
        word: "oracle-paas",
        kind: "JaaS",
        id: |n| format!("JaaS/service-{n:05}"),
        connection: "tenant = \"ExampleIdentityDomain\"\nuser = \"admin\"\npassword = { env = \"CONTRACT_PASSWORD\" }",
        credentials: ("CONTRACT_USER", "admin:s3cret"),
        shown: pair,
        several: true,
        writes: "PUT",
        odd: "a/b c:ü%",
        illegal: &["ora_x=1", "a.b=1"],
        most: 50,
    },
    Vendor {
        word: "mongodb-ops-manager",
        kind: "group",
        id: |n| format!("{:024x}", 0xA000_0000_0000_usize + n),
        connection: "join = \".\"\nuser = \"admin\"\npassword = { env = \"CONTRACT_PASSWORD\" }",
        credentials: ("CONTRACT_USER", "admin:s3cret"),
        shown: joined,
        several: true,
        writes: "PATCH",
        odd: "A-B_C.9",
        illegal: &["ENV=lower", "KEY=A-VALUE-THAT-IS-FAR-TOO-LONG-HERE", "KEY=Ä"],
        most: 10,
    },
    Vendor {
        word: "mongodb-atlas",
        kind: "project",
        id: |n| format!("{:024x}", 0xB000_0000_0000_usize + n),
        connection: "user = \"admin\"\npassword = { env = \"CONTRACT_PASSWORD\" }",
        credentials: ("CONTRACT_USER", "admin:s3cret"),
        shown: pair,
        several: false,
        writes: "PATCH",
        odd: "a b@c.d+e_f",
        illegal: &["KEY=a/b", "KEY=a:b"],
        most: 50,
    },
];

/// The password of every vendor that wants one.
const PASSWORD: &str = "s3cret";

/// A vendor's simulator with some entities, and a folder for jobs.
struct Desk {
    vendor: &'static Vendor,
    workspace: Workspace,
    simulator: Simulator,
}

impl Desk {
    fn new(vendor: &'static Vendor, entities: usize, options: &[&str]) -> Self {
        let workspace = Workspace::new();
        let mut text = "id,name\n".to_owned();
        for n in 0..entities {
            writeln!(text, "{},entity {n}", (vendor.id)(n)).expect("a string takes text");
        }
        workspace.write("entities.csv", &text);
        let simulator = Self::serve(vendor, &workspace, options);
        Self {
            vendor,
            workspace,
            simulator,
        }
    }

    fn serve(vendor: &Vendor, workspace: &Workspace, options: &[&str]) -> Simulator {
        let (variable, credentials) = vendor.credentials;
        let own = [
            "--inventory",
            "entities.csv",
            "--id",
            "id",
            "--name",
            "name",
            "--tags",
            "none",
        ];
        let own = own.into_iter().chain(["--token-env", variable]);
        let all: Vec<&str> = own.chain(options.iter().copied()).collect();
        Simulator::serve_of(
            vendor.word,
            workspace,
            "simulator.jsonl",
            &all,
            &[(variable, credentials)],
        )
    }

    /// Writes a job over rows of `id` and one column for each action, whose cells are `KEY=VALUE;…`.
    fn write_job(&self, name: &str, rows: &[(String, &str, &str)], network: &str) {
        let actions = ["set", "add", "fill", "update", "remove"];
        let mut inventory = format!("id,{}\n", actions.join(","));
        for (id, action, tags) in rows {
            let cells = actions.map(|each| {
                if each == *action {
                    format!("\"{tags}\"")
                } else {
                    String::new()
                }
            });
            writeln!(inventory, "{id},{}", cells.join(",")).expect("a string takes text");
        }
        self.workspace.write(&format!("{name}.csv"), &inventory);
        let Vendor {
            word,
            kind,
            connection,
            ..
        } = self.vendor;
        let mut job = format!(
            "name = \"{name}\"\n[source]\nfile = \"{name}.csv\"\n[target]\nconnection = \"it\"\nkind = \"{kind}\"\n\
             entity = \"{{{{ id }}}}\"\n[guard]\nmax_changes = \"100%\"\nmax_missing = \"100%\"\nbreaker = \"100%\"\n"
        );
        for action in actions {
            write!(
                job,
                "[[tags_from]]\ncolumn = \"{action}\"\nseparator = \";\"\npair = \"=\"\naction = \"{action}\"\n"
            )
            .expect("a string takes text");
        }
        let url = self.simulator.url();
        write!(
            job,
            "[connections.it]\nvendor = \"{word}\"\nurl = \"{url}\"\n{connection}\n{network}\n"
        )
        .expect("a string takes text");
        self.workspace.write(&format!("{name}.toml"), &job);
    }

    fn start(&self, arguments: &[&str], password: &str) -> crate::harness::Running {
        let mut command = self.workspace.command(arguments);
        command.env("CONTRACT_PASSWORD", password);
        self.workspace.start(&mut command)
    }

    fn command(&self, arguments: &[&str]) -> Ended {
        self.start(arguments, PASSWORD).wait()
    }

    fn run(&self, name: &str) -> Ended {
        self.command(&["run", &format!("{name}.toml")])
    }

    fn writes_since(&self, before: usize) -> usize {
        let journal = self.simulator.journal();
        journal[before..]
            .iter()
            .filter(|request| request.is_write())
            .count()
    }

    /// The outcome of each row of a run, in the order of the inventory.
    fn outcomes(&self, run: i64) -> Vec<String> {
        let rows = self.workspace.ledger().rows(run);
        rows.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn last_run(&self) -> i64 {
        self.workspace.ledger().runs().last().expect("a run").id
    }

    fn state(&self) -> State {
        state(&self.simulator.journal())
    }

    fn tags(&self, n: usize) -> BTreeSet<Shown> {
        self.state().remove(&(self.vendor.id)(n)).unwrap_or_default()
    }

    fn shown(&self, tags: &str) -> BTreeSet<Shown> {
        let tags = tags.split(';').filter_map(|tag| tag.split_once('='));
        tags.map(|(key, value)| (self.vendor.shown)(key, value)).collect()
    }
}

/// What the journal's changes come to, for entities that began without tags.
fn state(journal: &[Request]) -> State {
    let mut state = State::new();
    let changes = journal.iter().flat_map(|request| &request.changes);
    // A tag that nothing bears yet has no entity at Oracle PaaS.
    for change in changes.filter(|change| !change.entity.is_empty()) {
        let tag = (
            change.key.clone(),
            change.value.clone().filter(|value| !value.is_empty()),
        );
        let tags = state.entry(change.entity.clone()).or_default();
        let fresh = match change.op.as_str() {
            "add" => tags.insert(tag),
            _ => tags.remove(&tag),
        };
        assert!(fresh, "the journal tells only what changes: {change:?}");
    }
    state
}

/// Every vendor at once: each has a simulator of its own, so they do not disturb each other.
fn each(test: impl Fn(&'static Vendor) + Sync) {
    std::thread::scope(|scope| {
        for vendor in VENDORS {
            scope.spawn(|| test(vendor));
        }
    });
}

/// What an entity carries first, the action and what is asked for, what it carries then, and the row's outcome.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const ACTIONS: &[Case] = &[
    ("", "set", "ENV=PROD", "ENV=PROD", "done"),
    ("ENV=DEV;TEAM=A", "set", "ENV=PROD", "ENV=PROD;TEAM=A", "done"),
    ("ENV=PROD", "set", "ENV=PROD", "ENV=PROD", "unchanged"),
    ("ENV=DEV", "set", "ENV=PROD;TIER=1", "ENV=PROD;TIER=1", "done"),
    ("", "fill", "ENV=PROD", "ENV=PROD", "done"),
    ("ENV=DEV", "fill", "ENV=PROD", "ENV=DEV", "unchanged"),
    ("", "update", "ENV=PROD", "", "unchanged"),
    ("ENV=DEV", "update", "ENV=PROD", "ENV=PROD", "done"),
    ("ENV=DEV;TEAM=A", "remove", "ENV=DEV", "TEAM=A", "done"),
    ("TEAM=A", "remove", "ENV=DEV", "TEAM=A", "unchanged"),
    ("ENV=DEV", "remove", "ENV=DEV", "", "done"),
    ("", "add", "ENV=PROD", "ENV=PROD", "done"),
    ("ENV=PROD", "add", "ENV=PROD", "ENV=PROD", "unchanged"),
    ("env=prod", "add", "ENV=PROD", "env=prod;ENV=PROD", "done"),
];

/// The same for keys of several values.
const SEVERAL: &[Case] = &[
    ("TEAM=A", "add", "TEAM=B", "TEAM=A;TEAM=B", "done"),
    ("TEAM=A;TEAM=B", "set", "TEAM=C", "TEAM=C", "done"),
    ("TEAM=A;TEAM=B", "set", "TEAM=B", "TEAM=B", "done"),
    ("TEAM=A;TEAM=B", "remove", "TEAM=A", "TEAM=B", "done"),
];

/// The cases that a vendor's tags can be in.
fn cases(vendor: &Vendor) -> Vec<&'static Case> {
    let lower_case_is_illegal = vendor.illegal.contains(&"ENV=lower");
    ACTIONS
        .iter()
        .chain(SEVERAL.iter().filter(|_| vendor.several))
        .filter(|case| !(lower_case_is_illegal && case.0.contains("env")))
        .collect()
}

impl Desk {
    /// Runs a job that asks of each entity for what its case tells: an action, and tags.
    fn run_cases(
        &self,
        name: &str,
        cases: &[&'static Case],
        tell: fn(&'static Case) -> (&'static str, &'static str),
    ) {
        let row = |(n, case): (usize, &&'static Case)| {
            let (action, tags) = tell(case);
            ((self.vendor.id)(n), action, tags)
        };
        let rows: Vec<_> = cases.iter().enumerate().map(row).collect();
        self.write_job(name, &rows, "");
        self.run(name).expect(0);
    }
}

#[test]
fn every_action_does_what_it_says_at_every_vendor_and_a_second_plan_is_empty() {
    each(|vendor| {
        let cases = cases(vendor);
        let desk = Desk::new(vendor, cases.len(), &[]);
        desk.run_cases("before", &cases, |case| ("add", case.0));
        for (n, case) in cases.iter().enumerate() {
            assert_eq!(
                desk.tags(n),
                desk.shown(case.0),
                "{}: before {case:?}",
                vendor.word
            );
        }
        desk.run_cases("then", &cases, |case| (case.1, case.2));
        let outcomes = desk.outcomes(desk.last_run());
        for ((n, case), outcome) in cases.iter().enumerate().zip(outcomes) {
            assert_eq!(
                desk.tags(n),
                desk.shown(case.3),
                "{}: after {case:?}",
                vendor.word
            );
            assert_eq!(outcome, case.4, "{}: {case:?}", vendor.word);
        }
        let sent = desk.simulator.handled();
        desk.run("then").expect(0);
        let writes = desk.simulator.journal()[sent..]
            .iter()
            .filter(|request| request.is_write())
            .count();
        assert_eq!(writes, 0, "{}", vendor.word);
    });
}

#[test]
fn a_second_value_of_a_key_that_takes_one_is_refused_by_name_and_nothing_is_lost() {
    for vendor in VENDORS.iter().filter(|vendor| !vendor.several) {
        let desk = Desk::new(vendor, 1, &[]);
        desk.write_job("before", &[((vendor.id)(0), "add", "TEAM=A")], "");
        desk.run("before").expect(0);
        desk.write_job("then", &[((vendor.id)(0), "add", "TEAM=B")], "");
        let ended = desk.run("then").expect(4);
        assert!(ended.stdout.contains("TEAM"), "{}", ended.stdout);
        assert_eq!(desk.tags(0), desk.shown("TEAM=A"));
    }
}

#[test]
fn odd_values_arrive_as_they_are_and_forbidden_ones_are_rejected_before_anything_is_sent() {
    each(|vendor| {
        let desk = Desk::new(vendor, 1 + vendor.illegal.len(), &[]);
        let odd = format!("KEY={}", vendor.odd);
        let odd_cell = odd.replace("\\\"", "\"\"");
        let mut rows = vec![((vendor.id)(0), "set", odd_cell.as_str())];
        rows.extend(
            (1..)
                .zip(vendor.illegal)
                .map(|(n, tag)| ((vendor.id)(n), "set", *tag)),
        );
        desk.write_job("odd", &rows, "");
        let ended = desk.run("odd").expect(4);
        assert_eq!(
            desk.tags(0),
            desk.shown(&odd.replace("\\\"", "\"")),
            "{}",
            vendor.word
        );
        let outcomes = desk.outcomes(desk.last_run());
        assert_eq!(outcomes[0], "done", "{}", vendor.word);
        for (n, outcome) in outcomes.iter().enumerate().skip(1) {
            assert_eq!(
                outcome,
                "rejected",
                "{}: {}: {}",
                vendor.word,
                vendor.illegal[n - 1],
                ended.stdout
            );
            assert!(desk.tags(n).is_empty());
        }
        desk.run("odd").expect(4);
        let writes = desk
            .simulator
            .journal()
            .iter()
            .filter(|request| request.is_write() && !request.changes.is_empty())
            .count();
        assert_eq!(writes, 1, "{}: a second run writes nothing", vendor.word);
    });
}

#[test]
fn an_entity_that_is_not_there_fails_alone() {
    each(|vendor| {
        let desk = Desk::new(vendor, 4, &[]);
        let rows: Vec<_> = (0..5).map(|n| ((vendor.id)(n), "set", "ENV=PROD")).collect();
        desk.write_job("job", &rows, "");
        desk.run("job").expect(4);
        let outcomes = desk.outcomes(desk.last_run());
        assert_eq!(outcomes[..4], ["done", "done", "done", "done"], "{}", vendor.word);
        assert!(
            ["rejected", "failed"].contains(&outcomes[4].as_str()),
            "{}: {outcomes:?}",
            vendor.word
        );
        for n in 0..4 {
            assert_eq!(desk.tags(n), desk.shown("ENV=PROD"));
        }
        assert_eq!(desk.state().len(), 4);
    });
}

#[test]
fn an_entity_that_is_full_is_never_emptied_to_make_room() {
    each(|vendor| {
        if vendor.most > 100 {
            return; // A thousand tags are tried where that vendor is tested alone.
        }
        let desk = Desk::new(vendor, 1, &[]);
        let many: Vec<String> = (0..vendor.most).map(|n| format!("K{n}=V")).collect();
        let all = many.join(";");
        desk.write_job("before", &[((vendor.id)(0), "add", &all)], "");
        desk.run("before").expect(0);
        desk.write_job("then", &[((vendor.id)(0), "add", "ONE=MORE")], "");
        let ended = desk.run("then").expect(4);
        assert_eq!(desk.tags(0), desk.shown(&all), "{}", vendor.word);
        assert!(
            ended.stdout.contains(&vendor.most.to_string()),
            "{}: {}",
            vendor.word,
            ended.stdout
        );
    });
}

#[test]
fn throttling_slows_a_run_and_fails_nothing() {
    each(|vendor| {
        for throttle in [
            "plain,limit=20,per=1s,retry-after=seconds",
            "plain,limit=20,per=1s,body=html",
        ] {
            let desk = Desk::new(vendor, 40, &["--throttle", throttle]);
            let rows: Vec<_> = (0..40)
                .map(|n| ((vendor.id)(n), "set", ["ENV=PROD", "ENV=DEV"][n % 2]))
                .collect();
            desk.write_job("job", &rows, "");
            desk.run("job").expect(0);
            assert_eq!(
                desk.outcomes(desk.last_run()),
                vec!["done"; 40],
                "{}",
                vendor.word
            );
        }
    });
}

#[test]
fn lost_acknowledgements_are_looked_into_and_nothing_is_guessed() {
    each(|vendor| {
        let fault = format!("lost-ack,share=0.3,method={}", vendor.writes);
        let desk = Desk::new(vendor, 60, &["--fault", &fault]);
        let rows: Vec<_> = (0..60)
            .map(|n| ((vendor.id)(n), "set", ["ENV=PROD", "ENV=DEV", "ENV=QA"][n % 3]))
            .collect();
        desk.write_job("job", &rows, "retry_budget = 1.0");
        desk.run("job").expect(0);
        for (n, (_, _, tags)) in rows.iter().enumerate() {
            assert_eq!(desk.tags(n), desk.shown(tags), "{}", vendor.word);
        }
    });
}

#[test]
fn wrong_credentials_stop_at_once_and_the_same_command_goes_on_when_they_are_mended() {
    each(|vendor| {
        if vendor.word == "dynatrace" {
            return; // `credentials` has this for tokens.
        }
        let desk = Desk::new(vendor, 10, &[]);
        let rows: Vec<_> = (0..10).map(|n| ((vendor.id)(n), "set", "ENV=PROD")).collect();
        desk.write_job("job", &rows, "");
        let ended = desk.start(&["run", "job.toml"], "wrong-canary").wait().expect(5);
        assert!(
            !format!("{}{}", ended.stdout, ended.stderr).contains("canary"),
            "{ended:?}"
        );
        assert!(desk.simulator.handled() <= 6, "{}", desk.simulator.handled());
        assert!(desk.state().is_empty());
        desk.run("job").expect(0);
        assert_eq!(desk.state().len(), 10, "{}", vendor.word);
    });
}

#[test]
fn a_thousand_entities_with_faults_and_two_kills_end_as_they_should() {
    each(|vendor| {
        let faults = [
            "lost-ack,share=0.05".to_owned(),
            "error,share=0.05".to_owned(),
            format!("truncated,share=0.02,method={}", vendor.writes),
        ];
        let mut options = vec!["--latency", "3ms", "--fault-seed", "11"];
        options.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
        let desk = Desk::new(vendor, 1_000, &options);
        let tags = |n: usize| {
            format!(
                "ENV={};OWNER={};UNIT=U{}",
                ["PROD", "DEV"][n % 2],
                ["A", "B", "C"][n % 3],
                n % 50
            )
        };
        let texts: Vec<String> = (0..1_000).map(tags).collect();
        let rows: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(n, tags)| ((vendor.id)(n), "set", tags.as_str()))
            .collect();
        desk.write_job(
            "job",
            &rows,
            "retry_budget = 1.0\nattempts = 10\npace = { concurrency = 4 }",
        );
        for kill in [5, 25] {
            let mut running = desk.start(&["run", "job.toml"], PASSWORD);
            until("some writes", Duration::from_mins(2), || {
                let writes = desk
                    .simulator
                    .journal()
                    .iter()
                    .filter(|request| !request.changes.is_empty())
                    .count();
                (writes >= kill || running.has_ended()).then_some(())
            });
            assert_eq!(
                running.kill().signal,
                Some(9),
                "{}: it was killed on its way",
                vendor.word
            );
        }
        desk.run("job").expect(0);
        let state = desk.state();
        for (n, tags) in texts.iter().enumerate() {
            assert_eq!(state[&(vendor.id)(n)], desk.shown(tags), "{}: {n}", vendor.word);
        }
        assert_eq!(state.len(), 1_000);
        let outcomes = desk.workspace.outcomes(desk.last_run());
        assert_eq!(outcomes.values().sum::<usize>(), 1_000, "{outcomes:?}");
    });
}

#[test]
fn two_thousand_groups_cost_a_listing_and_a_look_and_a_write_for_each_that_changes() {
    let vendor = named("mongodb-ops-manager");
    let desk = Desk::new(vendor, 2_000, &[]);
    let rows: Vec<_> = (0..2_000)
        .map(|n| ((vendor.id)(n), "set", ["ENV=PROD", "ENV=DEV"][n % 2]))
        .collect();
    desk.write_job("job", &rows, "");
    desk.run("job").expect(0);
    let journal = desk.simulator.journal();
    let of = |method: &str, path: &str| {
        let are = |request: &&Request| request.method == method && request.target.contains(path);
        journal
            .iter()
            .filter(are)
            .filter(|request| request.status != Some(401))
            .count()
    };
    assert_eq!(of("GET", "/groups?"), 4, "the plan lists five hundred a page");
    assert_eq!(of("GET", "/groups/"), 2_000, "a look just before each write");
    assert_eq!(of("PATCH", "/groups/"), 2_000);
    let challenged = journal
        .iter()
        .filter(|request| request.status == Some(401))
        .count();
    assert!(
        challenged * 100 <= journal.len(),
        "{challenged} of {} were challenged",
        journal.len()
    );
}

#[test]
fn ten_thousand_services_of_forty_sets_take_hardly_more_calls_than_they_must() {
    let vendor = named("oracle-paas");
    let desk = Desk::new(vendor, 10_000, &[]);
    let set = |n: usize| {
        let n = n % 40;
        format!(
            "ENV={};OWNER=O{};TIER={};UNIT=U{n};ZONE=Z{}",
            n % 4,
            n % 5,
            n % 2,
            n % 8
        )
    };
    let sets: Vec<String> = (0..10_000).map(set).collect();
    let rows: Vec<_> = sets
        .iter()
        .enumerate()
        .map(|(n, set)| ((vendor.id)(n), "set", set.as_str()))
        .collect();
    desk.write_job("job", &rows, "");
    desk.run("job").expect(0);
    let least = 40 * 250_usize.div_ceil(50);
    let writes = desk
        .simulator
        .journal()
        .iter()
        .filter(|request| request.is_write())
        .count();
    assert!(
        writes * 10 <= least * 11,
        "{writes} calls, and {least} are needed"
    );
    let state = desk.state();
    assert!(
        sets.iter()
            .enumerate()
            .all(|(n, set)| state[&(vendor.id)(n)] == desk.shown(set))
    );
}

#[test]
fn a_new_value_comes_and_the_old_one_goes_in_one_call_where_the_vendor_takes_both() {
    let vendor = named("oracle-paas");
    let desk = Desk::new(vendor, 30, &[]);
    let rows = |tags: &'static str| -> Vec<_> { (0..30).map(|n| ((vendor.id)(n), "set", tags)).collect() };
    for (name, tags) in [("first", "ENV=DEV"), ("second", "ENV=PROD")] {
        desk.write_job(name, &rows(tags), "");
        desk.run(name).expect(0);
    }
    assert_eq!(
        desk.simulator
            .journal()
            .iter()
            .filter(|request| request.is_write())
            .count(),
        2
    );
    assert!((0..30).all(|n| desk.tags(n) == desk.shown("ENV=PROD")));
}

#[test]
fn what_another_writer_adds_before_our_look_or_after_our_write_survives() {
    for vendor in VENDORS.iter().filter(|vendor| vendor.writes == "PATCH") {
        let desk = Desk::new(vendor, 3, &[]);
        let rows = |tags: &'static str| -> Vec<_> { (0..3).map(|n| ((vendor.id)(n), "set", tags)).collect() };
        desk.write_job("ours", &rows("ENV=PROD"), "");
        desk.start(&["plan", "ours.toml"], PASSWORD).wait().expect(0);
        let run = desk.last_run().to_string();
        for (name, tags) in [("before", "BEFORE=1"), ("after", "AFTER=1")] {
            desk.write_job(name, &rows(tags), "");
        }
        desk.start(&["--ledger", "other.db", "run", "before.toml"], PASSWORD)
            .wait()
            .expect(0);
        desk.start(&["apply", &run], PASSWORD).wait().expect(0);
        desk.start(&["--ledger", "other.db", "run", "after.toml"], PASSWORD)
            .wait()
            .expect(0);
        for n in 0..3 {
            assert_eq!(
                desk.tags(n),
                desk.shown("BEFORE=1;ENV=PROD;AFTER=1"),
                "{}",
                vendor.word
            );
        }
    }
}

#[test]
fn a_client_that_others_wrote_reads_and_writes_groups_by_digest() {
    let vendor = named("mongodb-ops-manager");
    let desk = Desk::new(vendor, 1, &[]);
    let url = format!(
        "{}/api/public/v1.0/groups/{}?pretty=true",
        desk.simulator.url(),
        (vendor.id)(0)
    );
    let curl = |arguments: &[&str]| {
        let mut command = std::process::Command::new("curl");
        command.args([
            "--silent",
            "--digest",
            "--max-time",
            "20",
            "--user",
            "admin:s3cret",
        ]);
        command.args(arguments).arg(&url).output()
    };
    let body = r#"{"tags":["DEV","PRODUCT"]}"#;
    let json = ["--header", "Content-Type: application/json"];
    let patch = [&["--request", "PATCH", "--data", body], &json[..]].concat();
    let Ok(patched) = curl(&patch) else {
        println!("skipped: there is no curl on this machine");
        return;
    };
    assert!(patched.status.success(), "{patched:?}");
    let read = curl(&[]).expect("curl ran a moment ago");
    let group: serde_json::Value = serde_json::from_slice(&read.stdout).expect("a group is JSON");
    assert_eq!(group["tags"], serde_json::json!(["DEV", "PRODUCT"]));
}

#[test]
fn definitions_survive_faults_and_kills_and_are_put_once_each() {
    for api in ["v2", "settings"] {
        let workspace = Workspace::new();
        let faults = [
            "lost-ack,share=0.05",
            "error,share=0.05",
            "truncated,share=0.02,method=PUT",
        ];
        let mut options = vec!["--entities", "1", "--latency", "3ms", "--fault-seed", "5"];
        options.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
        let simulator = Simulator::serve(&workspace, &options);
        let rule = r#"{"enabled":true,"entitySelector":"type(HOST)","valueFormat":"v"}"#;
        let settings = r#"{"type":"SELECTOR","enabled":true,"entitySelector":"type(HOST)","valueFormat":"v","valueNormalization":"Leave text as-is"}"#;
        let rules = if api == "v2" {
            format!(r#""entitySelectorBasedRules":[{rule}]"#)
        } else {
            format!(r#""rules":[{settings}]"#)
        };
        let lines: Vec<String> = (0..1_000)
            .map(|n| format!(r#"{{"name":"tag-{n:04}",{rules}}}"#))
            .collect();
        workspace.write("definitions.jsonl", &(lines.join("\n") + "\n"));
        let url = simulator.url();
        workspace.write("job.toml", &format!(
            "name = \"definitions\"\n[source]\nfile = \"definitions.jsonl\"\n[target]\nconnection = \"it\"\nkind = \"auto-tag\"\n\
             entity_name = \"{{{{ name }}}}\"\n[document]\n[connections.it]\nvendor = \"dynatrace\"\napi = \"{api}\"\nurl = \"{url}\"\n\
             token = {{ env = \"DT_API_TOKEN\" }}\nretry_budget = 1.0\nattempts = 10\n"
        ));
        for kill in [5, 25] {
            let mut running = workspace.spawn(&["run", "job.toml"]);
            until("some definitions", Duration::from_mins(2), || {
                let made = simulator
                    .journal()
                    .iter()
                    .filter(|request| !request.changes.is_empty())
                    .count();
                (made >= kill || running.has_ended()).then_some(())
            });
            assert_eq!(running.kill().signal, Some(9), "{api}");
        }
        workspace.run(&["run", "job.toml"]).expect(0);
        let made = state(&simulator.journal());
        assert_eq!(made.len(), 1_000, "{api}");
        let run = workspace.ledger().runs().last().expect("a run").id;
        assert_eq!(workspace.outcomes(run).values().sum::<usize>(), 1_000, "{api}");
        let sent = simulator.handled();
        workspace.run(&["run", "job.toml"]).expect(0);
        let written = simulator.journal()[sent..]
            .iter()
            .filter(|request| !request.changes.is_empty())
            .count();
        assert_eq!(written, 0, "{api}: a second run writes nothing");
    }
}

fn named(word: &str) -> &'static Vendor {
    VENDORS
        .iter()
        .find(|vendor| vendor.word == word)
        .expect("a vendor of that word")
}

/// What a switch may cost: nothing may be said to be done that is not, but the vendor may refuse everything.
const REFUSING: &[&str] = &[
    // The vendor shows no tags, or keeps none.
    "tags-field=hidden",
    "tags-kept=no",
    // The versions of the API that are asked for are gone.
    "sunset=past",
];

#[test]
fn whichever_way_the_vendor_is_where_its_reference_is_silent_a_job_ends_as_it_should_or_says_why() {
    each(|vendor| {
        let of_vendor = tagferry::simulator::Vendor::of(vendor.word).expect("it can be simulated");
        let mut tried = 0;
        for switch in of_vendor.switches {
            for word in words(switch) {
                tried += 1;
                let turned = format!("{switch}={word}");
                let desk = Desk::new(vendor, 6, &["--switch", &turned]);
                let rows = |tags: &'static str| -> Vec<_> {
                    (0..6).map(|n| ((vendor.id)(n), "set", tags)).collect()
                };
                desk.write_job("first", &rows("ENV=DEV;TEAM=A"), "");
                desk.write_job("second", &rows("ENV=PROD"), "");
                let ends = ["first", "second"].map(|name| desk.run(name));
                let told = format!("{} {turned}: {ends:#?}", vendor.word);
                if ends.iter().all(|end| end.code == Some(0)) {
                    for n in 0..6 {
                        assert_eq!(desk.tags(n), desk.shown("ENV=PROD;TEAM=A"), "{told}");
                    }
                } else {
                    assert!(REFUSING.contains(&turned.as_str()), "{told}");
                    assert!(ends.iter().all(|end| matches!(end.code, Some(4 | 5))), "{told}");
                }
            }
        }
        assert!(tried > 20, "{}: {tried}", vendor.word);
    });
}

#[test]
fn definitions_are_put_deleted_and_put_again_whichever_way_the_vendor_is() {
    let switches = [
        "sent-metadata=refuse",
        "rule-order=changed",
        "config-fields=bare",
        "malformed-id=400",
        "name-hold=2s",
        "same-external-id=conflict",
        "inapplicable-property=ignore",
        "omitted-property=refuse",
        "settings-page=clamp",
    ];
    let job = |name: &str, api: &str, url: &str, action: &str| {
        format!(
            "name = \"{name}\"\n[source]\nfile = \"{api}.jsonl\"\n[target]\nconnection = \"it\"\nkind = \"auto-tag\"\n\
             entity_name = \"{{{{ name }}}}\"\n[document]\naction = \"{action}\"\n[guard]\nmax_changes = \"100%\"\n\
             [connections.it]\nvendor = \"dynatrace\"\napi = \"{api}\"\nurl = \"{url}\"\ntoken = {{ env = \"DT_API_TOKEN\" }}\n\
             retry_budget = 1.0\n"
        )
    };
    let v1 = r#"{"name":"a","rules":[{"type":"HOST","enabled":true,"valueFormat":"x","propagationTypes":[],"conditions":[{"key":{"attribute":"HOST_NAME"},"comparisonInfo":{"type":"STRING","operator":"EXISTS","negate":false}}]},{"type":"SERVICE","enabled":false,"conditions":[{"key":{"attribute":"SERVICE_NAME"},"comparisonInfo":{"type":"STRING","operator":"EQUALS","value":"s","negate":true,"caseSensitive":true}}]}]}"#;
    let settings = r#"{"name":"a","description":null,"rules":[{"type":"SELECTOR","enabled":true,"entitySelector":"type(HOST)","valueFormat":"x","valueNormalization":"Leave text as-is"},{"type":"SELECTOR","enabled":true,"entitySelector":"type(SERVICE)","valueFormat":"y","valueNormalization":"Leave text as-is"}]}"#;
    for api in ["v2", "settings"] {
        for switch in switches {
            let workspace = Workspace::new();
            let simulator = Simulator::serve(&workspace, &["--entities", "1", "--switch", switch]);
            workspace.write("v2.jsonl", &format!("{v1}\n"));
            workspace.write("settings.jsonl", &format!("{settings}\n"));
            for (name, action) in [("put", "set"), ("gone", "remove")] {
                workspace.write(&format!("{name}.toml"), &job(name, api, simulator.url(), action));
            }
            let changed = || {
                simulator
                    .journal()
                    .iter()
                    .filter(|request| !request.changes.is_empty())
                    .count()
            };
            for (step, (name, changes)) in [("put", 1), ("put", 1), ("gone", 2), ("put", 3), ("put", 3)]
                .iter()
                .enumerate()
            {
                workspace.run(&["run", &format!("{name}.toml")]).expect(0);
                assert_eq!(changed(), *changes, "{api} {switch}: step {step}");
            }
        }
    }
}

/// The words of a switch, as the simulator tells them to who gives a wrong one; none where any value of a kind is good.
fn words(switch: &str) -> Vec<String> {
    let mut spec = tagferry::simulator::Spec::default();
    let why = spec
        .set(switch, "perhaps")
        .expect_err("no switch has that word")
        .to_string();
    let (_, words) = why.split_once("use ").unwrap_or_default();
    if !words.contains(" or ") || words.contains("duration") {
        return Vec::new();
    }
    words.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
