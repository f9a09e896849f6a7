//! The throttle at work: lets requests through, keeps them waiting, or refuses them with 429.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::throttle::{ResetUnit, RetryAfter, Throttle, ThrottleBody, ThrottleMode};

/// The gate that all requests pass.
#[derive(Debug)]
pub(super) struct Gate {
    throttle: Throttle,
    /// A 429 in the vendor's own form.
    too_many: fn() -> Response<Bytes>,
    workers: Semaphore,
    waiting: AtomicUsize,
    window: Mutex<Window>,
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
    /// What is left of the window.
    pub(super) quota: Quota,
}

/// What is left of a window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quota {
    limit: u64,
    remaining: u64,
    resets: Option<Duration>,
}

/// Counts a request as waiting for as long as it lives, also when its client goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    pub(super) fn new(throttle: &Throttle, too_many: fn() -> Response<Bytes>) -> Self {
        let n_workers = match throttle.mode {
            ThrottleMode::Pool { workers, .. } => workers.min(Semaphore::MAX_PERMITS),
            ThrottleMode::None | ThrottleMode::Window { .. } => 0,
        };
        Self {
            throttle: throttle.clone(),
            too_many,
            workers: Semaphore::new(n_workers),
            waiting: AtomicUsize::new(0),
            window: Mutex::default(),
        }
    }

    /// Lets a request through, perhaps after waiting, or refuses it. `now` is the time since 1970.
    pub(super) async fn pass(&self, now: Duration) -> Pass<'_> {
        match self.throttle.mode {
            ThrottleMode::None => Pass::Go(Admitted::free(Quota::default())),
            ThrottleMode::Window { limit, per, .. } => self.count(now, limit, per),
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

    /// The 429.
    pub(super) fn refusal(&self, quota: Quota, now: Duration) -> Response<Bytes> {
        let mut answer = (self.too_many)();
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
        if let Some(value) = self.retry_after(quota, now) {
            answer.headers_mut().insert(header::RETRY_AFTER, value);
        }
        answer
    }

    /// Adds the `X-RateLimit` headers that go with every answer.
    pub(super) fn mark(&self, answer: &mut Response<Bytes>, quota: Quota) {
        let ThrottleMode::Window { unit: Some(unit), .. } = self.throttle.mode else {
            return;
        };
        let Some(resets) = quota.resets else { return };
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

    fn retry_after(&self, quota: Quota, now: Duration) -> Option<HeaderValue> {
        // A pool can't tell when a worker will be free; a second is what a client is sent away for.
        let free = quota.resets.unwrap_or(now + Duration::from_secs(1));
        match self.throttle.retry_after {
            RetryAfter::None => None,
            RetryAfter::Seconds => Some(whole_seconds(free.saturating_sub(now)).into()),
            RetryAfter::Date => {
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(whole_seconds(free));
                HeaderValue::from_str(&httpdate::fmt_http_date(at)).ok()
            }
        }
    }
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
        let too_many = || Response::new(Bytes::from_static(b"{}"));
        Gate::new(&spec.parse().unwrap(), too_many)
    }

    async fn goes(gate: &Gate, now: u64) -> bool {
        matches!(gate.pass(Duration::from_secs(now)).await, Pass::Go(_))
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
            let Pass::Refused(quota) = gate.pass(now).await else {
                panic!("{spec} let it through")
            };
            let answer = gate.refusal(quota, now);
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
        let busy = gate.pass(Duration::ZERO).await;
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
        let busy = gate.pass(Duration::ZERO).await;
        let gave_up = tokio::time::timeout(Duration::from_secs(1), gate.pass(Duration::ZERO)).await;
        assert!(gave_up.is_err());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
        drop(busy);
    }
}
