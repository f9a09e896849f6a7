//! A vendor that loses, garbles, refuses and delays answers: the end is as it must be, and every row is accounted for.

use crate::harness::{Fleet, Simulator, Workspace};

/// What a job's connection says, so that five retries of one call in a row are no reason to give up.
const NETWORK: &str = "pace = { concurrency = 8 }\ntimeout = \"5s\"\nretry_budget = 0.5";

/// Runs a job over so many hosts against a simulator with faults, once, and checks everything that must hold.
fn survives(hosts: u64, options: &[&str]) -> (Workspace, Simulator) {
    let workspace = Workspace::new();
    let fleet = Fleet::new(hosts, 9);
    let all: Vec<&str> = ["--fault-seed", "4"]
        .into_iter()
        .chain(options.iter().copied())
        .collect();
    let simulator = fleet.serve(&workspace, &all);
    fleet.write(&workspace, simulator.url(), NETWORK);
    workspace.run(&["run", "job.toml"]).expect(0);
    fleet.check(&simulator);
    let mut ledger = workspace.ledger();
    ledger.check();
    simulator.check_attempts(&ledger.attempts());
    let outcomes = workspace.outcomes(1);
    let settled = ["done", "unchanged"]
        .iter()
        .filter_map(|outcome| outcomes.get(*outcome));
    assert_eq!(settled.sum::<usize>(), fleet.ids.len(), "{outcomes:?}");
    let second = simulator.handled();
    workspace.run(&["run", "job.toml"]).expect(0);
    let writes = simulator.journal()[second..]
        .iter()
        .filter(|request| request.is_write())
        .count();
    assert_eq!(writes, 0, "a second run has nothing to do");
    (workspace, simulator)
}

fn committed(simulator: &Simulator, fault: &str) -> usize {
    simulator
        .journal()
        .iter()
        .filter(|request| request.fault.as_deref() == Some(fault))
        .count()
}

/// The first answers are spared from web pages: one there means that the URL is wrong.
#[test]
fn lost_refused_cut_and_garbled_answers_all_at_once() {
    let (_workspace, simulator) = survives(
        1_000,
        &[
            "--fault",
            "lost-ack,share=0.05",
            "--fault",
            "error,share=0.05",
            "--fault",
            "truncated,share=0.02",
            "--fault",
            "garbage,share=0.01,after=20",
        ],
    );
    for fault in ["lost-ack", "error"] {
        assert!(committed(&simulator, fault) > 0, "no {fault} was tried");
    }
}

/// Three calls of the first wave are struck, none of them three times, so that none has a reason to fail.
#[test]
fn each_fault_of_a_write_on_its_own() {
    std::thread::scope(|scope| {
        for method in ["POST", "DELETE"] {
            scope.spawn(move || {
                for fault in ["lost-ack", "lost-reply", "error", "truncated", "garbage", "reset"] {
                    let spec = format!("{fault},count=3,method={method}");
                    let (_workspace, simulator) = survives(300, &["--fault", &spec]);
                    assert_eq!(committed(&simulator, fault), 3, "{spec}");
                }
            });
        }
    });
}

#[test]
fn writes_that_become_visible_a_second_late() {
    let (_workspace, simulator) = survives(
        1_000,
        &[
            "--visibility",
            "1s",
            "--fault",
            "lost-ack,share=0.2,count=6,method=POST",
            "--fault",
            "lost-ack,share=0.2,count=6,method=DELETE",
        ],
    );
    assert!(committed(&simulator, "lost-ack") > 0);
}

#[test]
fn a_web_page_for_a_first_answer_stops_the_run_and_names_the_url() {
    let workspace = Workspace::new();
    let fleet = Fleet::new(50, 9);
    let simulator = fleet.serve(&workspace, &["--fault", "garbage,count=1"]);
    fleet.write(&workspace, simulator.url(), NETWORK);
    let ended = workspace.run(&["run", "job.toml"]).expect(5);
    assert!(ended.stderr.contains("`url`"), "{}", ended.stderr);
    assert_eq!(simulator.handled(), 1);
    workspace.run(&["run", "job.toml"]).expect(0);
    fleet.check(&simulator);
}
