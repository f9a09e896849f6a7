//! The pause that all requests of a connection share.
//!
//! A throttled answer pauses everyone until one deadline. Then one probe goes first; only when it comes back without
//! being throttled do the others follow, spread over a moment. While throttling goes on the pauses grow.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::pass::Pass;

/// Over how long the waiting requests spread after a pause; less when the pause was shorter.
const SPREAD: Duration = Duration::from_secs(1);

/// The pause of a connection.
#[derive(Debug)]
pub(crate) struct Pause {
    pub(super) longest: Duration,
    state: Mutex<State>,
    /// Ticks whenever the phase changes.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// Counts the pauses. What was sent before the latest one says nothing about what came after it.
    pub(super) epoch: u64,
    /// Pauses in a row without relief.
    level: u32,
    /// How long the latest pause was told to be.
    length: Duration,
    /// Since when throttling goes on without a good answer in between.
    pub(super) throttled_since: Option<Instant>,
    /// Faults in a row.
    pub(super) faults: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Until(Instant),
    Probing,
}

/// A pause that has just begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begun {
    /// How long it is.
    pub(crate) length: Duration,
    /// How long throttling has gone on without a break.
    pub(crate) throttled_for: Duration,
    /// Whether it was a probe that was refused. That says nothing about how many requests may be in flight.
    pub(crate) by_probe: bool,
}

impl Pause {
    /// No pause yet; none will be longer than `longest`.
    pub(crate) fn new(longest: Duration) -> Self {
        Self {
            longest,
            state: Mutex::new(State {
                phase: Phase::Open,
                epoch: 0,
                level: 0,
                length: Duration::ZERO,
                throttled_since: None,
                faults: 0,
            }),
            changed: watch::Sender::new(()),
        }
    }

    /// Returns when a request may try for a pass.
    pub(crate) async fn wait(&self) {
        if self.state().phase == Phase::Open {
            return;
        }
        let mut changed = self.changed.subscribe();
        let mut spread_for = None;
        loop {
            changed.mark_unchanged();
            let (phase, epoch, spread) = {
                let state = self.state();
                (state.phase, state.epoch, state.length.min(SPREAD))
            };
            let deadline = match phase {
                Phase::Open if spread_for == Some(epoch) => return,
                Phase::Open => {
                    spread_for = Some(epoch);
                    Some(Instant::now() + spread.mul_f64(fastrand::f64()))
                }
                Phase::Until(end) if end <= Instant::now() => return,
                Phase::Until(end) => Some(end),
                Phase::Probing => None,
            };
            tokio::select! {
                () = until(deadline) => {}
                _ = changed.changed() => {}
            }
        }
    }

    /// A pass, if one is to be had now: any number while open, one for the probe when a pause has ended.
    pub(crate) fn try_pass(&self) -> Option<Pass<'_>> {
        let mut state = self.state();
        let probe = match state.phase {
            Phase::Open => false,
            Phase::Until(end) if end <= Instant::now() => true,
            Phase::Until(_) | Phase::Probing => return None,
        };
        if probe {
            self.enter(&mut state, Phase::Probing);
        }
        Some(Pass {
            pause: self,
            epoch: state.epoch,
            probe,
        })
    }

    /// A quota is spent and known to be whole again after `wait`: pauses, but takes it for no fault.
    pub(crate) fn spent(&self, wait: Duration) -> Option<Duration> {
        let mut state = self.state();
        let length = wait.min(self.longest);
        if length.is_zero() {
            return None;
        }
        let begun = self.begin(&mut state, length);
        begun.then_some(length)
    }

    /// Pauses until `length` from now, or prolongs the pause. Returns whether this one is new.
    pub(super) fn begin(&self, state: &mut State, length: Duration) -> bool {
        let end = Instant::now() + length;
        if let Phase::Until(earlier) = state.phase {
            self.enter(state, Phase::Until(earlier.max(end)));
            return false;
        }
        state.epoch += 1;
        state.length = length;
        self.enter(state, Phase::Until(end));
        true
    }

    /// The probe was not throttled: lets the others go on.
    pub(super) fn open(&self, state: &mut State) {
        state.throttled_since = None;
        self.enter(state, Phase::Open);
    }

    pub(super) fn enter(&self, state: &mut State, phase: Phase) {
        state.phase = phase;
        self.changed.send_replace(());
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many pauses came before the one that begins now without relief between them: each ended with a probe that
    /// was refused. Relief that lasts a moment is still relief: a vendor that allows so many requests in a window
    /// refuses again soon, and waiting longer and longer would leave most of its windows unused.
    pub(super) fn rise(&mut self) -> u32 {
        self.level = if self.phase == Phase::Probing {
            self.level + 1
        } else {
            0
        };
        self.level
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::transport::script::{Arrival, Line, Script, answer};
    use crate::transport::{HaltKind, Options, Pace, TimeSpan};
    use std::sync::Arc;

    const LATENCY: Duration = Duration::from_millis(20);

    fn pace(concurrency: usize) -> Options {
        Options {
            pace: Pace {
                rate: None,
                concurrency: Some(concurrency),
            },
            ..Options::default()
        }
    }

    /// Throttles whatever arrives before `end`.
    fn storm(end: Duration, headers: &'static [(&'static str, &'static str)]) -> Arc<Script> {
        Script::new(LATENCY, move |arrival: &Arrival| {
            if arrival.at < end {
                Ok(answer(429, headers))
            } else {
                Ok(answer(200, &[]))
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn one_429_holds_the_whole_connection() {
        let script = Script::new(LATENCY, |arrival| match arrival.before {
            20 => Ok(answer(429, &[("retry-after", "2")])),
            _ => Ok(answer(200, &[])),
        });
        let line = Line::new(&script, &pace(8));
        line.send_many(200, 16).await;
        let arrivals = script.arrivals();
        let told = arrivals[20].at + LATENCY;
        let early = arrivals
            .iter()
            .filter(|arrival| arrival.at > told && arrival.at < told + Duration::from_secs(2));
        assert_eq!(early.count(), 0);
        assert_eq!(script.count(), 201);
        assert_eq!(line.connection.counts().pauses, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_workers_that_are_throttled_at_once_come_back_one_first_and_then_spread() {
        for seed in 0..10 {
            let script = Script::new(LATENCY, |arrival| match arrival.before {
                ..100 => Ok(answer(429, &[("retry-after", "2")])),
                _ => Ok(answer(200, &[])),
            });
            let line = Line::new(&script, &pace(200));
            fastrand::seed(seed);
            line.send_many(100, 100).await;
            let after: Vec<_> = script.arrivals()[100..]
                .iter()
                .map(|arrival| arrival.at)
                .collect();
            assert_eq!(after.len(), 100);
            assert!(after[0] >= Duration::from_secs(2));
            assert!(after[1] >= after[0] + LATENCY, "the probe goes alone");
            let fullest = after
                .iter()
                .map(|from| {
                    let bin = *from..*from + Duration::from_millis(10);
                    after.iter().filter(|at| bin.contains(at)).count()
                })
                .max();
            assert!(fullest <= Some(20), "seed {seed}: {fullest:?} within 10 ms");
            let lowered = |event: &Event| matches!(event, Event::ConcurrencyChanged { limit: ..100, .. });
            assert_eq!(line.told(lowered), 1, "seed {seed}: lowered once for one pause");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_a_minute_meets_few_requests_whatever_it_says() {
        for headers in [
            &[][..],
            &[("retry-after", "1")],
            &[("retry-after", "0")],
            &[("retry-after", "soon")],
            &[("x-ratelimit-reset", "0")],
        ] {
            for seed in 0..10 {
                let end = Duration::from_mins(1);
                let script = storm(end, headers);
                let line = Line::new(&script, &pace(8));
                fastrand::seed(seed);
                line.send_many(500, 100).await;
                let during = script
                    .arrivals()
                    .iter()
                    .filter(|arrival| arrival.at < end)
                    .count();
                assert!(during <= 40, "{headers:?}, seed {seed}: {during} requests");
                let last = script.arrivals().last().map(|arrival| arrival.at);
                assert!(
                    last <= Some(end + Duration::from_secs(35)),
                    "{headers:?}, seed {seed}: {last:?}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_without_end_halts_the_connection_and_leaves_calls_open() {
        let script = storm(Duration::MAX, &[]);
        let options = Options {
            max_elapsed: TimeSpan::from_secs(120),
            ..pace(8)
        };
        let line = Line::new(&script, &options);
        let begun = Instant::now();
        let sent = line.send_many(1000, 100).await;
        assert!(
            begun.elapsed() <= Duration::from_secs(150),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(
            line.connection.halted().map(|halt| halt.kind),
            Some(HaltKind::Throttled)
        );
        let open = sent
            .iter()
            .filter(|sent| matches!(sent, crate::transport::Sent::NotSent { .. }));
        assert!(open.count() >= 980);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_quota_pauses_until_its_reset_and_lowers_nothing() {
        let script = Script::new(LATENCY, |arrival| match arrival.before {
            10 => Ok(answer(
                200,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")],
            )),
            _ => Ok(answer(
                200,
                &[("x-ratelimit-remaining", "9"), ("x-ratelimit-reset", "30")],
            )),
        });
        let line = Line::new(&script, &pace(2));
        line.send_many(30, 4).await;
        let arrivals = script.arrivals();
        assert!(arrivals[11].at >= arrivals[10].at + Duration::from_secs(30));
        let limit = line.connection.learned().concurrency;
        assert_eq!((limit, line.connection.counts().pauses), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn one_fault_delays_only_its_own_call_and_five_in_a_row_pause_all() {
        for (faults, pauses) in [(1, 0), (4, 0), (5, 1)] {
            let script = Script::new(LATENCY, move |arrival| {
                let fails = arrival.before < faults;
                Ok(answer(if fails { 503 } else { 200 }, &[]))
            });
            let line = Line::new(&script, &pace(16));
            line.send_many(50, 8).await;
            assert_eq!(line.connection.counts().pauses, pauses, "{faults} faults");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_first_of_the_requests_that_were_in_flight_begins_a_pause() {
        let pause = Pause::new(Duration::from_mins(5));
        let passes: Vec<_> = (0..3).filter_map(|_| pause.try_pass()).collect();
        let begun: Vec<_> = passes
            .into_iter()
            .zip([None, None, Some(Duration::from_secs(40))])
            .map(|(pass, after)| pass.throttled(after).is_some())
            .collect();
        assert_eq!(begun, [true, false, false]);
        // The third could not begin a pause, but what the vendor said prolongs the one that goes on.
        tokio::time::advance(Duration::from_secs(39)).await;
        assert!(pause.try_pass().is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(pause.try_pass().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_lets_another_one_go() {
        let pause = Pause::new(Duration::from_mins(5));
        pause.try_pass().expect("it is open").throttled(None);
        pause.wait().await;
        let probe = pause.try_pass().expect("the pause is over");
        assert!(probe.holds());
        assert!(pause.try_pass().is_none(), "one probe at a time");
        drop(probe);
        pause.wait().await;
        pause.try_pass().expect("another may probe").answered();
        assert!(pause.try_pass().is_some() && pause.try_pass().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pass_from_before_a_pause_does_not_hold() {
        let pause = Pause::new(Duration::from_mins(5));
        let (early, throttled) = (pause.try_pass(), pause.try_pass());
        let early = early.expect("it is open");
        assert!(early.holds());
        throttled.expect("it is open").throttled(None);
        assert!(!early.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_while_there_is_no_relief_and_begin_anew_after_it() {
        let pause = Pause::new(Duration::from_mins(5));
        let level = || pause.state().level;
        for want in 0..5 {
            pause.wait().await;
            pause.try_pass().expect("a probe").throttled(None);
            assert_eq!(level(), want);
        }
        pause.wait().await;
        pause.try_pass().expect("a probe").answered();
        tokio::time::advance(Duration::from_mins(1)).await;
        pause.try_pass().expect("it is open").throttled(None);
        assert_eq!(level(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_below_the_pace_is_found_without_drowning_in_refusals() {
        for latency in [5, 20, 100, 400] {
            let recent = Mutex::new(Vec::new());
            // The vendor takes 50 in any second, and says nothing about it.
            let script = Script::new(Duration::from_millis(latency), move |arrival| {
                let mut recent = recent.lock().expect("no answer panics");
                recent.retain(|at: &Duration| *at + Duration::from_secs(1) > arrival.at);
                if recent.len() >= 50 {
                    return Ok(answer(429, &[]));
                }
                recent.push(arrival.at);
                Ok(answer(200, &[]))
            });
            let mut options = pace(32);
            options.pace.rate = Some("100/s".parse().expect("a rate"));
            let line = Line::new(&script, &options);
            let begun = Instant::now();
            line.send_many(3000, 64).await;
            let counts = line.connection.counts();
            assert!(
                counts.throttled * 20 < counts.attempts,
                "{latency} ms: {counts:?}"
            );
            // A minute would be without any loss.
            assert!(
                begun.elapsed() < Duration::from_secs(90),
                "{latency} ms: {:?}",
                begun.elapsed()
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_storm_the_earlier_rate_is_soon_reached_again() {
        for seed in 0..3 {
            let end = Duration::from_secs(40);
            let script = Script::new(LATENCY, move |arrival| {
                let storm = arrival.at > Duration::from_secs(10) && arrival.at < end;
                Ok(answer(if storm { 429 } else { 200 }, &[]))
            });
            let line = Line::new(&script, &pace(8));
            fastrand::seed(seed);
            line.send_many(12_000, 16).await;
            let arrivals = script.arrivals();
            let count = |from: Duration| {
                let span = from..from + Duration::from_secs(2);
                arrivals
                    .iter()
                    .filter(|arrival| span.contains(&arrival.at))
                    .count()
            };
            let over = arrivals.iter().map(|arrival| arrival.at).find(|at| *at >= end);
            let over = over.expect("it goes on after the storm");
            let (before, after) = (
                count(Duration::from_secs(8)),
                count(over + Duration::from_secs(10)),
            );
            assert!(
                after * 10 >= before * 8,
                "seed {seed}: {before} in 2 s before, {after} after"
            );
        }
    }
}
