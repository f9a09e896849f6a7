//! Keeps a rate: no window of the vendor's length ever holds more requests than the job allows.
//!
//! Where the vendor allows less than the job, the rate falls to what it bears: throttling takes a fifth, and every ten
//! good seconds give back a twentieth of the job's rate.
//!
//! `governor` counts; this file decides what to ask of it. Its default burst equals the quota and would let twice the
//! limit through in the first window, so the burst is small, and the rate is lowered by as much as that burst needs.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, Reference as _};
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter, middleware::NoOpMiddleware};
use tokio::time::{Instant, sleep_until};

use super::Rate;

/// How much later than another a request may arrive after leaving at its due time. The rate is lowered by this much of a
/// window, so that such jitter does not push an arrival into a window that is full.
const GUARD: Duration = Duration::from_millis(20);

/// A wake-up no later than this counts as punctual. Timers fire on whole milliseconds; without it each such delay would
/// be added to the schedule (5 % of the rate at 50 a second). It stays well below [`GUARD`].
const SLACK: Duration = Duration::from_millis(5);

/// The least that is left of the job's rate, in percent.
const LEAST: u8 = 5;

/// What a good while gives back of the job's rate, in percent, and how long it is.
const STEP: u8 = 5;
const GOOD_WHILE: Duration = Duration::from_secs(10);

type Limiter = RateLimiter<NotKeyed, InMemoryState, Schedule, NoOpMiddleware<Nanos>>;

/// Hands out one token for each request.
#[derive(Debug)]
pub(crate) struct Pacer {
    rate: Rate,
    schedule: Schedule,
    current: Mutex<Current>,
    /// One waiter at a time: it keeps the order of arrival, and waiters do not wake each other.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Current {
    limiter: Arc<Limiter>,
    percent: u8,
    since: Instant,
}

impl Pacer {
    /// Begins with so many percent of a rate.
    pub(crate) fn new(rate: Rate, percent: u8) -> Self {
        let schedule = Schedule::new();
        let percent = percent.clamp(LEAST, 100);
        let current = Current {
            limiter: RateLimiter::direct_with_clock(quota(rate, percent), schedule.clone()).into(),
            percent,
            since: Instant::now(),
        };
        Self {
            rate,
            schedule,
            current: Mutex::new(current),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Waits for a token.
    pub(crate) async fn take(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let limiter = Arc::clone(&self.current().limiter);
            let Err(early) = limiter.check() else { return };
            let due = early.earliest_possible();
            sleep_until(self.schedule.at(due)).await;
            self.schedule.woke(due);
        }
    }

    /// The share of the job's rate that is kept now.
    pub(crate) fn percent(&self) -> u8 {
        self.current().percent
    }

    /// The vendor throttled.
    pub(crate) fn slower(&self) {
        let mut current = self.current();
        let percent = u16::from(current.percent) * 8 / 10;
        let percent = u8::try_from(percent).unwrap_or(100).max(LEAST);
        self.change(&mut current, percent);
    }

    /// The vendor accepted a request.
    pub(crate) fn succeeded(&self) {
        let mut current = self.current();
        if current.percent < 100 && current.since.elapsed() >= GOOD_WHILE {
            let percent = (current.percent + STEP).min(100);
            self.change(&mut current, percent);
        }
    }

    /// A quota of `governor` can't change, so the limiter is replaced, by one whose burst is used up already.
    fn change(&self, current: &mut Current, percent: u8) {
        let limiter = RateLimiter::direct_with_clock(quota(self.rate, percent), self.schedule.clone());
        while limiter.check().is_ok() {}
        *current = Current {
            limiter: limiter.into(),
            percent,
            since: Instant::now(),
        };
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With a burst of b and arrivals up to J late, (L - b + 1) requests in each window and J keep every window at L or
/// below. One is the right burst up to about 200 a second; above, a larger one makes up for late timers.
fn quota(rate: Rate, percent: u8) -> Quota {
    let per_second = f64::from(rate.requests.get()) / rate.window.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 2^32 / 200, and at least 0"
    )]
    let burst = NonZeroU32::new((per_second / 200.0).ceil() as u32).unwrap_or(NonZeroU32::MIN);
    let spread = rate.requests.get() - burst.get() + 1;
    let interval = (rate.window + GUARD) * 100 / u32::from(percent) / spread;
    Quota::with_period(interval.max(Duration::from_nanos(1)))
        .expect("the interval is at least a nanosecond")
        .allow_burst(burst)
}

/// Tokio's clock, which takes a punctual wake-up for the time that was asked for.
#[derive(Debug, Clone)]
struct Schedule {
    origin: Instant,
    /// The due time of the last wake-up, in nanoseconds from the origin.
    woke: Arc<AtomicU64>,
}

impl Schedule {
    fn new() -> Self {
        Self {
            origin: Instant::now(),
            woke: Arc::default(),
        }
    }

    fn at(&self, time: Nanos) -> Instant {
        self.origin + Duration::from(time)
    }

    fn woke(&self, due: Nanos) {
        self.woke.store(due.as_u64(), Ordering::Relaxed);
    }
}

impl Clock for Schedule {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let now = Nanos::from(self.origin.elapsed());
        let woke = Nanos::new(self.woke.load(Ordering::Relaxed));
        let late = now.duration_since(woke);
        if Duration::from(late) <= SLACK { woke } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes tokens for as long as `windows` windows, with 16 takers at once.
    async fn arrivals(rate: &str, windows: u32) -> (Rate, Vec<Duration>) {
        let rate: Rate = rate.parse().expect("a rate");
        let pacer = Pacer::new(rate, 100);
        let begun = Instant::now();
        let seen = Mutex::new(Vec::new());
        let takers = futures::future::join_all((0..16).map(|_| async {
            while begun.elapsed() < rate.window * windows {
                pacer.take().await;
                seen.lock().expect("no taker panics").push(begun.elapsed());
            }
        }));
        takers.await;
        let seen = seen.into_inner().expect("no taker panics");
        (rate, seen)
    }

    /// The most arrivals in any window that begins with one of them.
    fn fullest(rate: Rate, seen: &[Duration]) -> usize {
        (0..seen.len())
            .map(|first| {
                seen[first..]
                    .iter()
                    .take_while(|at| **at < seen[first] + rate.window)
                    .count()
            })
            .max()
            .unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn no_sliding_window_holds_more_than_the_limit_and_little_is_left_unused() {
        for (text, windows) in [
            ("1/s", 30),
            ("50/s", 10),
            ("200/s", 10),
            ("1000/s", 5),
            ("50/min", 3),
        ] {
            let (rate, seen) = arrivals(text, windows).await;
            let limit = rate.requests.get() as usize;
            assert!(fullest(rate, &seen) <= limit, "{text}: {}", fullest(rate, &seen));
            let mut late: Vec<_> = seen
                .iter()
                .map(|at| *at + GUARD.mul_f64(fastrand::f64()))
                .collect();
            late.sort_unstable();
            assert!(
                fullest(rate, &late) <= limit,
                "{text} arriving late: {}",
                fullest(rate, &late)
            );
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let used = seen.len() as f64 / (limit * windows as usize) as f64;
            assert!(used >= 0.97, "{text}: only {used} of the rate is used");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_time_saves_up_no_burst() {
        let rate: Rate = "50/s".parse().expect("a rate");
        let pacer = Pacer::new(rate, 100);
        tokio::time::advance(Duration::from_mins(1)).await;
        let begun = Instant::now();
        for _ in 0..10 {
            pacer.take().await;
        }
        assert!(
            begun.elapsed() >= Duration::from_millis(9 * 20),
            "{:?}",
            begun.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_taker_that_gives_up_does_not_block_the_others() {
        let pacer = Pacer::new("1/min".parse().expect("a rate"), 100);
        pacer.take().await;
        tokio::time::timeout(Duration::from_secs(1), pacer.take())
            .await
            .expect_err("the second token is a minute away");
        pacer.take().await;
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_slows_down_and_good_while_speeds_up_to_the_job_s_rate_and_no_further() {
        let pacer = Pacer::new("100/s".parse().expect("a rate"), 100);
        pacer.slower();
        assert_eq!(pacer.percent(), 80);
        let begun = Instant::now();
        pacer.take().await;
        assert!(
            begun.elapsed() >= Duration::from_millis(12),
            "a change gives no token away"
        );
        for _ in 1..80 {
            pacer.take().await;
        }
        assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
        pacer.succeeded();
        assert_eq!(pacer.percent(), 80, "a good while is longer");
        let mut seen = Vec::new();
        for _ in 0..6 {
            tokio::time::advance(GOOD_WHILE).await;
            pacer.succeeded();
            seen.push(pacer.percent());
        }
        assert_eq!(seen, [85, 90, 95, 100, 100, 100]);
        for _ in 0..50 {
            pacer.slower();
        }
        assert_eq!(pacer.percent(), LEAST);
    }
}
