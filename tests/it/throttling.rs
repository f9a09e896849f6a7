//! However a vendor throttles, a run finishes with every row done, and does not hammer.

use std::time::Duration;

use crate::harness::{Fleet, Request, Workspace};

/// Runs a job against a simulator that throttles, checks that all is done, and gives every request.
fn finishes(throttle: &str, hosts: u64) -> Vec<Request> {
    let workspace = Workspace::new();
    let fleet = Fleet::wide(hosts, 5);
    let simulator = fleet.serve(&workspace, &["--throttle", throttle]);
    fleet.write(&workspace, simulator.url(), "pace = { concurrency = 8 }");
    workspace.run(&["run", "job.toml"]).expect(0);
    fleet.check(&simulator);
    simulator.check_attempts(&workspace.ledger().attempts());
    let outcomes = workspace.outcomes(1);
    assert_eq!(outcomes["done"], fleet.ids.len(), "{throttle}: {outcomes:?}");
    simulator.journal()
}

/// How many requests were refused. There must be some, else nothing was tried.
#[track_caller]
fn refused(requests: &[Request]) -> usize {
    let refused = requests
        .iter()
        .filter(|request| request.status == Some(429))
        .count();
    assert!(refused > 0, "nothing was throttled");
    refused
}

/// The longest time, in milliseconds, in which nothing arrived.
fn longest_silence(requests: &[Request]) -> i64 {
    let gaps = requests.windows(2).map(|pair| pair[1].ms - pair[0].ms);
    gaps.max().unwrap_or_default()
}

#[test]
fn a_full_thread_pool() {
    let requests = finishes("pool,workers=1,queue=1,service=20ms", 60);
    let refused = refused(&requests);
    assert!(
        refused * 2 < requests.len(),
        "{refused} of {} refused",
        requests.len()
    );
}

#[test]
fn a_window_with_its_reset_in_each_unit() {
    for unit in ["us", "ms", "s"] {
        let per = Duration::from_secs(2);
        let requests = finishes(&format!("window,limit=30,per={}s,unit={unit}", per.as_secs()), 60);
        // The headers tell when the quota is spent, so that at most what is in flight then is refused, once a window.
        let spent = requests
            .iter()
            .filter(|request| request.status == Some(429))
            .count();
        let windows = requests.len() / 30 + 1;
        assert!(
            spent <= 8 * windows,
            "{unit}: {spent} refused in {windows} windows"
        );
        assert!(
            longest_silence(&requests) > 200,
            "{unit}: it waited for a window to end"
        );
    }
}

#[test]
fn refusals_that_say_nothing() {
    let requests = finishes("plain,limit=40,per=2s,body=html", 60);
    let refused = refused(&requests);
    assert!(
        refused * 2 < requests.len(),
        "{refused} of {} refused",
        requests.len()
    );
}

#[test]
fn refusals_that_say_how_long_to_wait() {
    for form in ["seconds", "date"] {
        let requests = finishes(
            &format!("plain,limit=40,per=3s,body=empty,retry-after={form}"),
            60,
        );
        let refused = refused(&requests);
        assert!(
            refused * 2 < requests.len(),
            "{form}: {refused} of {} refused",
            requests.len()
        );
        nothing_arrives_while_it_waits(&requests, 3_000);
    }
}

/// After a refusal until its window ends nothing arrives but what was in flight already.
fn nothing_arrives_while_it_waits(requests: &[Request], per_ms: i64) {
    let mut window_ends = 0;
    let mut refused_in_window = 0;
    for request in requests {
        if request.ms >= window_ends {
            (window_ends, refused_in_window) = (request.ms + per_ms, 0);
        }
        refused_in_window += usize::from(request.status == Some(429));
        assert!(
            refused_in_window <= 8,
            "{request:?} and {refused_in_window} refusals in one window"
        );
    }
}
