//! Kills at random moments: whatever is in flight, the same command finishes the job, and nothing is lost, doubled or
//! touched beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use url::Url;

use crate::harness::{Attempt, Fleet, Simulator, Workspace, until};

/// How many kills there are at least, and how many of them must find a call, and a write, in flight.
///
/// What a kill meets is left to chance: half of the calls that have left are not at the simulator yet. So more follow until
/// enough have met one.
const KILLS: usize = 50;
const IN_FLIGHT: usize = 30;
const WRITING: usize = 20;

/// More than this, and something else than chance keeps the kills from what they are to meet.
const MOST_KILLS: usize = 150;

/// How many of them befall one job at most; then it is left in peace.
const KILLS_A_JOB: usize = 6;

/// Jobs that run side by side. They wait for the simulators most of the time.
const SIDE_BY_SIDE: u64 = 4;

/// Each host needs a call of its own, eight are in flight, and each takes 200 ms: six seconds at least.
const HOSTS: u64 = 240;
const LATENCY: &str = "200ms";
const PACE: &str = "pace = { concurrency = 8 }";

#[derive(Debug, Default)]
struct Counts {
    kills: AtomicUsize,
    in_flight: AtomicUsize,
    /// Of those, with a write among the calls.
    writing: AtomicUsize,
}

impl Counts {
    /// Whether there were enough kills, or too many.
    fn are_enough(&self) -> bool {
        let at_least = |count: &AtomicUsize, wanted| count.load(Ordering::Relaxed) >= wanted;
        let met = at_least(&self.in_flight, IN_FLIGHT) && at_least(&self.writing, WRITING);
        (met && at_least(&self.kills, KILLS)) || at_least(&self.kills, MOST_KILLS)
    }

    /// Counts a kill and what it found in flight.
    fn add(&self, in_flight: &[Attempt]) {
        let writing = in_flight.iter().any(|attempt| attempt.purpose == "write");
        let add = |count: &AtomicUsize, met| count.fetch_add(usize::from(met), Ordering::Relaxed);
        add(&self.in_flight, !in_flight.is_empty());
        add(&self.writing, writing);
        add(&self.kills, true);
    }
}

/// A job on its way through several processes.
struct Life {
    workspace: Workspace,
    fleet: Fleet,
    simulator: Simulator,
    /// Every attempt that the ledger tells of, by run and number, as it stood when its process was gone.
    attempts: BTreeMap<(i64, i64), Attempt>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let workspace = Workspace::new();
        let fleet = Fleet::wide(HOSTS, seed);
        let simulator = fleet.serve(&workspace, &["--latency", LATENCY]);
        fleet.write(&workspace, simulator.url(), PACE);
        Self {
            workspace,
            fleet,
            simulator,
            attempts: BTreeMap::new(),
        }
    }

    /// Starts the command and kills it at a random moment; `false` when it ended before.
    ///
    /// Few moments count from the start, to meet the opening of the ledger, and few from the first request, to meet the
    /// plan, which is begun anew each time. Most count from the first write, so that the job gets on.
    fn kill_once(&mut self, dice: &mut fastrand::Rng) -> bool {
        let before = self.simulator.handled();
        let mut running = self.workspace.spawn(&["run", "job.toml"]);
        let (wait_for, longest) = match dice.u8(..8) {
            0 => (None, 400),
            1 => (Some("request"), 1_500),
            _ => (Some("write"), 1_200),
        };
        if let Some(what) = wait_for {
            until(what, Duration::from_mins(1), || {
                let journal = self.simulator.journal();
                let mut new = journal[before..].iter();
                let met = new.any(|request| what == "request" || request.is_write());
                (met || running.has_ended()).then_some(())
            });
        }
        std::thread::sleep(Duration::from_millis(dice.u64(..longest)));
        if running.has_ended() {
            running.wait().expect(0);
            return false;
        }
        running.kill().signal == Some(9)
    }

    /// Takes in what the ledger tells after a process has gone, and gives its attempts that have no end and that reached
    /// the simulator: those that were written down ahead and never left were not in flight.
    fn look(&mut self) -> Vec<Attempt> {
        if !self.workspace.path("state-home/tagferry/ledger.db").exists() {
            return Vec::new();
        }
        let mut ledger = self.workspace.ledger();
        ledger.check();
        let mut in_flight = Vec::new();
        for attempt in ledger.attempts() {
            let key = (attempt.run, attempt.id);
            let known = self.attempts.insert(key, attempt.clone());
            if known.is_none() && attempt.class.is_none() {
                in_flight.push(attempt);
            }
        }
        let journal = self.simulator.journal();
        in_flight.retain(|attempt| {
            let same = |method: &str, target: &str| attempt.method == method && attempt.target == target;
            let arrived = journal
                .iter()
                .filter(|request| same(&request.method, &request.target));
            let answered = self
                .attempts
                .values()
                .filter(|other| other.status.is_some() && same(&other.method, &other.target));
            arrived.count() > answered.count()
        });
        in_flight
    }

    /// Everything that must hold in the end.
    fn check(&mut self) {
        self.fleet.check(&self.simulator);
        let mut ledger = self.workspace.ledger();
        ledger.check();
        for run in ledger.runs() {
            // One that was killed while planning is abandoned, and one that was killed between its plan and its first call
            // is a plan that nobody applied.
            if ["planned", "abandoned"].contains(&run.state.as_str()) {
                assert!(
                    self.attempts
                        .values()
                        .all(|attempt| attempt.run != run.id || attempt.purpose != "write")
                );
                continue;
            }
            assert_eq!(run.state, "finished", "{run:?}");
            let outcomes = self.workspace.outcomes(run.id);
            let settled = ["done", "unchanged"]
                .iter()
                .filter_map(|outcome| outcomes.get(*outcome));
            assert_eq!(
                settled.sum::<usize>(),
                self.fleet.ids.len(),
                "{run:?}: {outcomes:?}"
            );
        }
        self.simulator.check_attempts(&ledger.attempts());
        self.nothing_that_ended_is_sent_again();
    }

    /// A write is repeated only where its earlier attempt has no end, so that nobody could know what became of it.
    fn nothing_that_ended_is_sent_again(&self) {
        let mut ended: BTreeSet<String> = BTreeSet::new();
        for attempt in self
            .attempts
            .values()
            .filter(|attempt| attempt.purpose == "write")
        {
            for operation in operations(attempt) {
                assert!(
                    !ended.contains(&operation),
                    "sent again after its end: {operation}"
                );
                if attempt.class.is_some() {
                    assert_eq!(attempt.class.as_deref(), Some("accepted"), "{attempt:?}");
                    ended.insert(operation);
                }
            }
        }
    }
}

/// What a write carries: for each of its hosts, the method and the removed tag. Everything that a host gets goes in one
/// call, since no two hosts want the same.
fn operations(attempt: &Attempt) -> Vec<String> {
    let url = Url::parse(&format!("http://x{}", attempt.target)).expect("a target is the end of a URL");
    let (mut selector, mut tag) = (String::new(), String::new());
    for (name, value) in url.query_pairs() {
        match &*name {
            "entitySelector" => selector = value.into_owned(),
            "key" | "value" => tag = format!("{tag} {name}={value}"),
            _ => {}
        }
    }
    let ids = selector.split('"').filter(|part| part.starts_with("HOST-"));
    ids.map(|id| format!("{} {id}{tag}", attempt.method)).collect()
}

/// One job after another is killed again and again, finished and checked, until the kills are used up.
fn kill_and_check(seed: u64, counts: &Counts) {
    let mut dice = fastrand::Rng::with_seed(seed);
    while !counts.are_enough() {
        let mut life = Life::new(dice.u64(..1_000));
        for _ in 0..KILLS_A_JOB {
            if counts.are_enough() || !life.kill_once(&mut dice) {
                break;
            }
            counts.add(&life.look());
        }
        life.workspace.run(&["run", "job.toml"]).expect(0);
        life.look();
        life.check();
    }
}

#[test]
fn fifty_kills_and_more_lose_nothing_and_repeat_only_what_had_no_end() {
    let seed = std::env::var("TAGFERRY_SEED").map_or(20_260, |seed| seed.parse().expect("a number"));
    println!("TAGFERRY_SEED={seed}");
    let counts = Counts::default();
    std::thread::scope(|scope| {
        for worker in 0..SIDE_BY_SIDE {
            let counts = &counts;
            scope.spawn(move || kill_and_check(seed + worker, counts));
        }
    });
    let Counts {
        kills,
        in_flight,
        writing,
    } = counts;
    let (kills, in_flight, writing) = (kills.into_inner(), in_flight.into_inner(), writing.into_inner());
    println!("{in_flight} of {kills} kills found a call in flight, {writing} a write");
    assert!(kills >= KILLS, "only {kills} kills");
    assert!(
        in_flight >= IN_FLIGHT,
        "only {in_flight} kills found a call in flight"
    );
    assert!(writing >= WRITING, "only {writing} kills found a write in flight");
}

#[test]
fn the_run_that_is_killed_takes_five_seconds_alone_and_its_second_writes_nothing() {
    let mut life = Life::new(7);
    let began = Instant::now();
    life.workspace.run(&["run", "job.toml"]).expect(0);
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    life.look();
    life.check();
    let sent = life.simulator.handled();
    life.workspace.run(&["run", "job.toml"]).expect(0);
    let second = &life.simulator.journal()[sent..];
    assert!(second.iter().all(|request| !request.is_write()), "{second:#?}");
}
