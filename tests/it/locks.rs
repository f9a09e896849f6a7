//! Two at once: a job and a connection belong to one process at a time, and to nobody once that process is dead.

use std::fmt::Write;
use std::time::Duration;

use crate::harness::{Running, Simulator, Workspace, hosts, until};

/// A simulator that leaves its first request without an answer, and a process that waits for it.
fn held(workspace: &Workspace) -> (Simulator, Running) {
    let options = ["--entities", "20", "--seed", "7", "--fault", "timeout,count=1"];
    let simulator = Simulator::serve(workspace, &options);
    let mut inventory = "entity_id,team\n".to_owned();
    for id in hosts(20, 7) {
        writeln!(inventory, "{id},core").unwrap();
    }
    workspace.write("hosts.csv", &inventory);
    workspace.write_job("nightly", &["team"], simulator.url(), "");
    let holder = workspace.spawn(&["run", "job.toml"]);
    until("the first request", Duration::from_mins(1), || {
        (simulator.handled() == 1).then_some(())
    });
    (simulator, holder)
}

#[test]
fn a_job_that_runs_is_not_run_again_until_its_process_is_gone() {
    let workspace = Workspace::new();
    let (simulator, holder) = held(&workspace);
    let refused = workspace.run(&["run", "job.toml"]).expect(7);
    for part in [
        "job `nightly`",
        &format!("process {}", holder.id()),
        "--if-locked",
    ] {
        assert!(
            refused.stderr.contains(part),
            "{part} is missing: {}",
            refused.stderr
        );
    }
    workspace.run(&["plan", "job.toml"]).expect(7);
    let other_ledger = ["--ledger", "other.db", "run", "job.toml"];
    workspace.run(&other_ledger).expect(7);
    let skipped = workspace
        .run(&["run", "job.toml", "--if-locked", "skip"])
        .expect(0);
    assert!(skipped.stderr.contains("skipped"), "{}", skipped.stderr);
    let waits = workspace.spawn(&["run", "job.toml", "--if-locked", "wait"]);
    assert_eq!(simulator.handled(), 1, "only the holder has sent something");
    assert_eq!(holder.kill().signal, Some(9));
    waits.wait().expect(0);
    workspace.run(&["run", "job.toml"]).expect(0);
}

#[test]
fn a_connection_is_driven_by_one_job_at_a_time_and_another_is_free() {
    let workspace = Workspace::new();
    let (simulator, _holder) = held(&workspace);
    workspace.write_job("hourly", &["team"], simulator.url(), "");
    let refused = workspace.run(&["run", "job.toml"]).expect(7);
    assert!(
        refused.stderr.contains("connection `dynatrace`"),
        "{}",
        refused.stderr
    );
    // Another spelling of the same address.
    workspace.write_job("hourly", &["team"], &format!("{}/", simulator.url()), "");
    workspace.run(&["run", "job.toml"]).expect(7);
    assert_eq!(simulator.handled(), 1);
    let other = Simulator::serve_with(
        &workspace,
        "other.jsonl",
        &["--entities", "20", "--seed", "7"],
        &[],
    );
    workspace.write_job("hourly", &["team"], other.url(), "");
    workspace.run(&["run", "job.toml"]).expect(0);
}
