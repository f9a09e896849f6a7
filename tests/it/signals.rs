//! The first signal drains, the second stops at once, and the same command finishes the job.

use std::time::Duration;

use crate::harness::{Fleet, Running, Simulator, Workspace, until};

const WITHIN: Duration = Duration::from_mins(1);

/// How many calls may be in flight.
const IN_FLIGHT: usize = 4;

/// A run in the middle of its writes.
struct Begun {
    workspace: Workspace,
    fleet: Fleet,
    simulator: Simulator,
    running: Running,
}

impl Begun {
    /// Starts a run against a simulator with options, and waits for its tenth write.
    fn new(options: &[&str]) -> Self {
        let workspace = Workspace::new();
        let fleet = Fleet::wide(100, 11);
        let simulator = fleet.serve(&workspace, options);
        fleet.write(
            &workspace,
            simulator.url(),
            &format!("pace = {{ concurrency = {IN_FLIGHT} }}"),
        );
        let running = workspace.spawn(&["run", "job.toml"]);
        until("ten writes", WITHIN, || {
            let writes = simulator
                .journal()
                .iter()
                .filter(|request| request.is_write())
                .count();
            (writes >= 10).then_some(())
        });
        Self {
            workspace,
            fleet,
            simulator,
            running,
        }
    }

    fn told_to_stop(&self) -> bool {
        self.running.stderr().contains("stopping")
    }
}

/// How many writes of a run the ledger knows without an end.
const UNENDED: &str = "SELECT count(*) FROM attempt WHERE run = ?1 AND class IS NULL";

/// A signal by name, and the exit code that says so.
fn drains(name: &str, code: i32) {
    let begun = Begun::new(&["--latency", "100ms"]);
    begun.running.signal(name);
    until("the drain", WITHIN, || begun.told_to_stop().then_some(()));
    let at_signal = begun.simulator.handled();
    let Begun {
        workspace,
        fleet,
        simulator,
        running,
    } = begun;
    let ended = running.wait().expect(code);
    let after = simulator.handled() - at_signal;
    assert!(
        after <= IN_FLIGHT,
        "{after} requests after SIG{name}: {}",
        ended.stderr
    );
    let mut ledger = workspace.ledger();
    ledger.check();
    assert_eq!(ledger.count(UNENDED, 1), 0, "every call in flight was awaited");
    let outcomes = workspace.outcomes(1);
    assert!(
        outcomes["done"] > 0 && outcomes["not_attempted"] > 0,
        "{outcomes:?}"
    );
    assert_eq!(outcomes.values().sum::<usize>(), fleet.ids.len(), "{outcomes:?}");
    workspace.run(&["run", "job.toml"]).expect(0);
    fleet.check(&simulator);
    simulator.check_attempts(&workspace.ledger().attempts());
    assert_eq!(workspace.outcomes(1)["done"], fleet.ids.len());
}

#[test]
fn sigint_lets_calls_in_flight_finish_and_the_same_command_goes_on() {
    drains("INT", 130);
}

#[test]
fn sigterm_lets_calls_in_flight_finish_and_the_same_command_goes_on() {
    drains("TERM", 143);
}

#[test]
fn the_second_signal_does_not_wait_for_anything() {
    // From the fifteenth write on, nothing is answered any more.
    let mut begun = Begun::new(&["--latency", "50ms", "--fault", "timeout,method=POST,after=14"]);
    until("calls without an answer", WITHIN, || {
        let journal = begun.simulator.journal();
        let lost = journal.iter().filter(|request| request.status.is_none()).count();
        (lost == IN_FLIGHT).then_some(())
    });
    begun.running.signal("INT");
    until("the drain", WITHIN, || begun.told_to_stop().then_some(()));
    assert!(!begun.running.has_ended(), "it waits: {}", begun.running.stderr());
    begun.running.signal("TERM");
    let Begun {
        workspace,
        fleet,
        mut simulator,
        running,
    } = begun;
    let ended = running.wait().expect(130);
    assert!(ended.stderr.contains("same command"), "{}", ended.stderr);
    let mut ledger = workspace.ledger();
    ledger.check();
    assert_eq!(ledger.count(UNENDED, 1), 4, "calls were given up");
    let address = simulator.address().to_owned();
    simulator.stop();
    let again = fleet.serve(&workspace, &["--listen", &address]);
    workspace.run(&["run", "job.toml"]).expect(0);
    fleet.check(&again);
}

#[test]
fn a_plan_that_is_interrupted_sends_no_write_and_is_abandoned() {
    let workspace = Workspace::new();
    let fleet = Fleet::new(200, 12);
    let simulator = fleet.serve(&workspace, &["--fault", "slow,delay=1s,count=1"]);
    fleet.write(&workspace, simulator.url(), "");
    let running = workspace.spawn(&["run", "job.toml"]);
    until("the first request", WITHIN, || {
        (simulator.handled() == 1).then_some(())
    });
    running.signal("INT");
    let ended = running.wait().expect(130);
    assert!(ended.stderr.contains("same command"), "{}", ended.stderr);
    assert_eq!(simulator.handled(), 1, "nothing is sent after the signal");
    workspace.run(&["run", "job.toml"]).expect(0);
    fleet.check(&simulator);
    let mut ledger = workspace.ledger();
    let states: Vec<String> = ledger.runs().into_iter().map(|run| run.state).collect();
    assert_eq!(states, ["abandoned", "finished"]);
    assert!(ledger.rows(1).is_empty(), "nothing of the plan is left");
    simulator.check_attempts(&ledger.attempts());
}
