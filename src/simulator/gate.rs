//! The throttle at work: lets requests through, keeps them waiting, or refuses them with 429.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::keyed::{Counted, Excess, Keyed, Quota};
use super::throttle::{ResetUnit, RetryAfter, Throttle, ThrottleBody, ThrottleMode};

/// The gate that all requests pass.
#[derive(Debug)]
pub(super) struct Gate {
    throttle: Throttle,
    workers: Semaphore,
    waiting: AtomicUsize,
    window: Mutex<Window>,
    keyed: Mutex<Keyed>,
}

#[derive(Debug, Default)]
struct Window {
    ends: Duration,
    used: u64,
}

/// What the gate says to a request.
#[derive(Debug)]
pub(super) enum Pass<'a> {
    /// It may go on; a worker is busy with it until this is dropped.
    Go(Admitted<'a>),
    /// It is refused.
    Refused(Quota),
}

/// A worker, and the headers that every answer carries.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    _worker: Option<SemaphorePermit<'a>>,
    /// How long the worker is busy.
    pub(super) service: Duration,
    /// What is left to requests of its kind.
    pub(super) quota: Quota,
}

/// Counts a request as waiting for as long as it lives, also when its client goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    pub(super) fn new(throttle: &Throttle) -> Self {
        let n_workers = match throttle.mode {
            ThrottleMode::Pool { workers, .. } => workers.min(Semaphore::MAX_PERMITS),
            _ => 0,
        };
        Self {
            throttle: throttle.clone(),
            workers: Semaphore::new(n_workers),
            waiting: AtomicUsize::new(0),
            window: Mutex::default(),
            keyed: Mutex::default(),
        }
    }

    /// Lets a request through, perhaps after waiting, or refuses it. `now` is the time since 1970.
    pub(super) async fn pass(&self, now: Duration, counted: Option<&Counted>) -> Pass<'_> {
        match self.throttle.mode {
            ThrottleMode::None => Pass::Go(Admitted::free(Quota::default())),
            ThrottleMode::Window { limit, per, .. } => self.count(now, limit, per),
            ThrottleMode::GroupWindow { limit, per } => {
                self.count_keyed(counted, |keyed, key| keyed.window(key, now, limit, per))
            }
            ThrottleMode::Bucket {
                capacity,
                refill,
                per,
                ..
            } => self.count_keyed(counted, |keyed, key| {
                keyed.bucket(key, now, (capacity, refill), per)
            }),
            ThrottleMode::Pool {
                queue,
                service,
                patience,
                ..
            } => match self.worker(queue, patience).await {
                Some(worker) => Pass::Go(Admitted {
                    _worker: Some(worker),
                    service,
                    quota: Quota::default(),
                }),
                None => Pass::Refused(Quota::default()),
            },
        }
    }

    fn count(&self, now: Duration, limit: u64, per: Duration) -> Pass<'_> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= window.ends {
            *window = Window {
                ends: now + per,
                used: 0,
            };
        }
        let refused = window.used >= limit;
        window.used += u64::from(!refused);
        let quota = Quota {
            limit,
            remaining: limit - window.used.min(limit),
            resets: Some(window.ends),
        };
        if refused {
            Pass::Refused(quota)
        } else {
            Pass::Go(Admitted::free(quota))
        }
    }

    fn count_keyed(
        &self,
        counted: Option<&Counted>,
        count: impl FnOnce(&mut Keyed, &str) -> Result<Quota, Quota>,
    ) -> Pass<'_> {
        let Some(counted) = counted else {
            return Pass::Go(Admitted::free(Quota::default()));
        };
        let mut keyed = self.keyed.lock().unwrap_or_else(PoisonError::into_inner);
        match count(&mut keyed, &counted.key) {
            Ok(quota) => Pass::Go(Admitted::free(quota)),
            Err(quota) => Pass::Refused(quota),
        }
    }

    async fn worker(&self, queue: usize, patience: Duration) -> Option<SemaphorePermit<'_>> {
        if let Ok(worker) = self.workers.try_acquire() {
            return Some(worker);
        }
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if ahead >= queue {
            return None;
        }
        tokio::time::timeout(patience, self.workers.acquire())
            .await
            .ok()?
            .ok()
    }

    /// What a refused request was too much for.
    pub(super) fn excess<'a>(&self, quota: Quota, resource: &'a str, now: Duration) -> Excess<'a> {
        let (refill, per) = match self.throttle.mode {
            ThrottleMode::Window { per, .. } | ThrottleMode::GroupWindow { per, .. } => (None, per),
            ThrottleMode::Bucket { refill, per, .. } => (Some(refill), per),
            ThrottleMode::None | ThrottleMode::Pool { .. } => (None, Duration::ZERO),
        };
        // A pool can't tell when a worker will be free; a second is what a client is sent away for.
        let free = quota.resets.unwrap_or(now + Duration::from_secs(1));
        Excess {
            resource,
            limit: quota.limit,
            refill,
            per,
            free,
            wait: whole_seconds(free.saturating_sub(now)),
        }
    }

    /// Makes the vendor's 429 the one that the throttle's options ask for.
    pub(super) fn refusal(
        &self,
        mut answer: Response<Bytes>,
        quota: Quota,
        excess: &Excess<'_>,
    ) -> Response<Bytes> {
        *answer.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
        match self.throttle.body {
            ThrottleBody::Envelope => {}
            ThrottleBody::Empty => *answer.body_mut() = Bytes::new(),
            ThrottleBody::Html => {
                let page = b"<html><body><h1>429 Too Many Requests</h1></body></html>";
                *answer.body_mut() = Bytes::from_static(page);
                let kind = HeaderValue::from_static("text/html");
                answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
        }
        self.mark(&mut answer, quota);
        if let Some(value) = self.retry_after(excess) {
            answer.headers_mut().insert(header::RETRY_AFTER, value);
        }
        answer
    }

    /// Adds the headers that go with every answer: those of a bucket, or the `X-RateLimit` ones of a window.
    pub(super) fn mark(&self, answer: &mut Response<Bytes>, quota: Quota) {
        let Some(resets) = quota.resets else { return };
        match self.throttle.mode {
            ThrottleMode::Window { unit: Some(unit), .. } => mark_window(answer, quota, resets, unit),
            ThrottleMode::Bucket { headers: true, .. } => {
                let headers = answer.headers_mut();
                headers.insert("ratelimit-limit", quota.limit.into());
                headers.insert("ratelimit-remaining", quota.remaining.into());
            }
            _ => {}
        }
    }

    fn retry_after(&self, excess: &Excess<'_>) -> Option<HeaderValue> {
        match self.throttle.retry_after {
            RetryAfter::None => None,
            RetryAfter::Seconds => Some(excess.wait.into()),
            RetryAfter::Date => {
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(whole_seconds(excess.free));
                HeaderValue::from_str(&httpdate::fmt_http_date(at)).ok()
            }
        }
    }
}

fn mark_window(answer: &mut Response<Bytes>, quota: Quota, resets: Duration, unit: ResetUnit) {
    let resets = match unit {
        ResetUnit::Micros => resets.as_micros(),
        ResetUnit::Millis => resets.as_millis(),
        ResetUnit::Seconds => u128::from(whole_seconds(resets)),
    };
    let headers = answer.headers_mut();
    headers.insert("x-ratelimit-limit", quota.limit.into());
    headers.insert("x-ratelimit-remaining", quota.remaining.into());
    headers.insert(
        "x-ratelimit-reset",
        u64::try_from(resets).unwrap_or(u64::MAX).into(),
    );
}

impl Admitted<'_> {
    fn free(quota: Quota) -> Self {
        Self {
            _worker: None,
            service: Duration::ZERO,
            quota,
        }
    }
}

/// Rounded up, so that who waits so long does not come too early.
fn whole_seconds(length: Duration) -> u64 {
    length.as_secs() + u64::from(length.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(spec: &str) -> Gate {
        Gate::new(&spec.parse().unwrap())
    }

    fn too_many() -> Response<Bytes> {
        Response::new(Bytes::from_static(b"{}"))
    }

    async fn goes(gate: &Gate, now: u64) -> bool {
        matches!(gate.pass(Duration::from_secs(now), None).await, Pass::Go(_))
    }

    #[tokio::test]
    async fn a_window_refuses_what_is_too_much_and_opens_again() {
        let gate = gate("window,limit=2,per=10s");
        for (now, want) in [(100, true), (101, true), (102, false), (109, false), (110, true)] {
            assert_eq!(goes(&gate, now).await, want, "at {now}");
        }
    }

    #[tokio::test]
    async fn a_refusal_says_what_its_options_ask_for() {
        for (spec, reset, retry, body) in [
            ("window,limit=0,per=10s", Some("110000000"), None, "{"),
            ("window,limit=0,per=10s,unit=ms", Some("110000"), None, "{"),
            (
                "window,limit=0,per=10s,unit=s,retry-after=seconds",
                Some("110"),
                Some("10"),
                "{",
            ),
            ("plain,limit=0,per=10s,body=empty", None, None, ""),
            (
                "plain,limit=0,per=10s,retry-after=date,body=html",
                None,
                Some("Thu, 01 Jan 1970 00:01:50 GMT"),
                "<",
            ),
        ] {
            let gate = gate(spec);
            let now = Duration::from_secs(100);
            let Pass::Refused(quota) = gate.pass(now, None).await else {
                panic!("{spec} let it through")
            };
            let answer = gate.refusal(too_many(), quota, &gate.excess(quota, "x", now));
            let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(answer.status(), 429, "{spec}");
            assert_eq!(header("x-ratelimit-reset"), reset, "{spec}");
            assert_eq!(header("retry-after"), retry, "{spec}");
            assert!(answer.body().starts_with(body.as_bytes()), "{spec}");
            assert_eq!(answer.body().is_empty(), body.is_empty(), "{spec}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_at_once_and_a_long_wait_in_the_end() {
        let gate = gate("pool,workers=1,queue=1,patience=10s");
        let busy = gate.pass(Duration::ZERO, None).await;
        let began = tokio::time::Instant::now();
        let (waited, turned_away) = tokio::join!(goes(&gate, 0), goes(&gate, 0));
        assert!(!waited && !turned_away);
        assert_eq!(began.elapsed(), Duration::from_secs(10));
        drop(busy);
        assert!(goes(&gate, 0).await, "the worker is free again");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_no_longer_waits() {
        let gate = gate("pool,workers=1,queue=1");
        let busy = gate.pass(Duration::ZERO, None).await;
        let gave_up = tokio::time::timeout(Duration::from_secs(1), gate.pass(Duration::ZERO, None)).await;
        assert!(gave_up.is_err());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
        drop(busy);
    }

    fn counted(key: &str) -> Counted {
        Counted {
            key: key.to_owned(),
            resource: format!("/{key}"),
        }
    }

    #[tokio::test]
    async fn a_throttle_that_counts_by_key_lets_pass_what_has_none() {
        for spec in ["group-window,limit=1", "bucket,capacity=1"] {
            let (gate, now) = (gate(spec), Duration::from_secs(90));
            let passes = async |key: Option<&str>| {
                let counted = key.map(counted);
                matches!(gate.pass(now, counted.as_ref()).await, Pass::Go(_))
            };
            for (key, want) in [
                (Some("a"), true),
                (Some("a"), false),
                (Some("b"), true),
                (None, true),
                (None, true),
            ] {
                assert_eq!(passes(key).await, want, "{spec} {key:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_refusal_by_key_tells_the_vendor_its_numbers_and_the_client_how_long_to_wait() {
        let now = Duration::from_millis(94_200);
        for (spec, want, headers) in [
            ("group-window,limit=0", (0, None, 26), [Some("26"), None, None]),
            (
                "group-window,limit=0,retry-after=none",
                (0, None, 26),
                [None, None, None],
            ),
            (
                "bucket,capacity=0,refill=5,per=55s",
                (0, Some(5), 55),
                [Some("55"), Some("0"), Some("0")],
            ),
            (
                "bucket,capacity=0,refill=5,per=55s,headers=off",
                (0, Some(5), 55),
                [Some("55"), None, None],
            ),
        ] {
            let gate = gate(spec);
            let Pass::Refused(quota) = gate.pass(now, Some(&counted("a"))).await else {
                panic!("{spec} let it through")
            };
            let excess = gate.excess(quota, "/a", now);
            assert_eq!((excess.limit, excess.refill, excess.wait), want, "{spec}");
            let answer = gate.refusal(too_many(), quota, &excess);
            let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(
                ["retry-after", "ratelimit-limit", "ratelimit-remaining"].map(header),
                headers,
                "{spec}"
            );
        }
    }
}
