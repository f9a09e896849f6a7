//! Throttles that count by key: fixed windows of the clock, and token buckets.
//!
//! Which key a request has is the vendor's affair: a group, an endpoint set, or none at all.

use std::collections::HashMap;
use std::time::Duration;

/// What a request is counted against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    /// Requests of one key share one window or bucket.
    pub(super) key: String,
    /// What the vendor's 429 calls it.
    pub(super) resource: String,
}

/// What a refused request was too much for, in the vendor's 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excess<'a> {
    /// What is limited, as the vendor calls it.
    pub(super) resource: &'a str,
    /// Requests a window, or those that a full bucket holds; 0 where nothing is counted.
    pub(super) limit: u64,
    /// What a bucket gets back at a time.
    pub(super) refill: Option<u64>,
    /// The window's length, or how often a bucket gets something back.
    pub(super) per: Duration,
    /// When a request may come again, since 1970.
    pub(super) free: Duration,
    /// Whole seconds until then.
    pub(super) wait: u64,
}

/// What is left to a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quota {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// When there will be more, since 1970; `None` where nothing is counted.
    pub(super) resets: Option<Duration>,
}

/// The counts of all keys.
#[derive(Debug, Default)]
pub(super) struct Keyed {
    window_ends: Duration,
    used: HashMap<Box<str>, u64>,
    buckets: HashMap<Box<str>, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: u64,
    /// When the period began after which it gets something back.
    since: Duration,
}

impl Keyed {
    /// Takes one request from the key's window; the windows of all keys begin at whole multiples of `per` since 1970.
    /// `Err` when there is none left.
    pub(super) fn window(
        &mut self,
        key: &str,
        now: Duration,
        limit: u64,
        per: Duration,
    ) -> Result<Quota, Quota> {
        if now >= self.window_ends {
            self.window_ends = now + per.saturating_sub(remainder(now, per));
            self.used.clear();
        }
        let used = self.used.entry(key.into()).or_default();
        let refused = *used >= limit;
        *used += u64::from(!refused);
        let quota = Quota {
            limit,
            remaining: limit - (*used).min(limit),
            resets: Some(self.window_ends),
        };
        if refused { Err(quota) } else { Ok(quota) }
    }

    /// Takes one token from the key's bucket, which holds `capacity` and gets `refill` back after each `per` since it
    /// was full. `Err` when it is empty.
    pub(super) fn bucket(
        &mut self,
        key: &str,
        now: Duration,
        (capacity, refill): (u64, u64),
        per: Duration,
    ) -> Result<Quota, Quota> {
        let bucket = self.buckets.entry(key.into()).or_insert(Bucket {
            tokens: capacity,
            since: now,
        });
        bucket.refill(now, (capacity, refill), per);
        let taken = bucket.tokens.checked_sub(1);
        bucket.tokens = taken.unwrap_or_default();
        let quota = Quota {
            limit: capacity,
            remaining: bucket.tokens,
            resets: Some(bucket.since + per),
        };
        taken.map(|_| quota).ok_or(quota)
    }
}

impl Bucket {
    fn refill(&mut self, now: Duration, (capacity, refill): (u64, u64), per: Duration) {
        let elapsed = now.saturating_sub(self.since);
        let periods = u64::try_from(elapsed.as_nanos() / per.as_nanos().max(1)).unwrap_or(u64::MAX);
        let gained = periods.saturating_mul(refill);
        self.tokens = self.tokens.saturating_add(gained).min(capacity);
        // A full bucket waits for nothing, so its period begins with what is taken next.
        self.since = if self.tokens == capacity {
            now
        } else {
            now.saturating_sub(remainder(elapsed, per))
        };
    }
}

/// What is left of a length after as many whole `per` as fit.
fn remainder(length: Duration, per: Duration) -> Duration {
    let nanos = length.as_nanos() % per.as_nanos().max(1);
    // Less than `per`, whose nanoseconds fit unless it is longer than 500 years.
    Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn windows_follow_the_clock_and_each_key_has_its_own() {
        let mut keyed = Keyed::default();
        for (key, now, want) in [
            ("a", 59, Ok(1)),
            ("a", 59, Ok(0)),
            ("a", 59, Err(0)),
            ("b", 59, Ok(1)),
            ("a", 60, Ok(1)),
            ("a", 119, Ok(0)),
            ("a", 119, Err(0)),
            ("a", 120, Ok(1)),
        ] {
            let got = keyed.window(key, at(now), 2, MINUTE);
            let remaining = |quota: Quota| quota.remaining;
            assert_eq!(got.map(remaining).map_err(remaining), want, "{key} at {now}");
            let ends = got.unwrap_or_else(|quota| quota).resets;
            assert_eq!(ends, Some(at((now / 60 + 1) * 60)), "{key} at {now}");
        }
    }

    #[test]
    fn a_bucket_gets_its_refill_after_each_period_since_it_was_full() {
        let mut keyed = Keyed::default();
        for (now, want, resets) in [
            (100, Ok(2), 160),
            (105, Ok(1), 160),
            (110, Ok(0), 160),
            (115, Err(0), 160),
            (159, Err(0), 160),
            (160, Ok(1), 220),
            (219, Ok(0), 220),
            (219, Err(0), 220),
            // Two periods fill it, and the next one begins with this request.
            (285, Ok(2), 345),
        ] {
            let got = keyed.bucket("k", at(now), (3, 2), MINUTE);
            let remaining = |quota: Quota| quota.remaining;
            assert_eq!(got.map(remaining).map_err(remaining), want, "at {now}");
            assert_eq!(
                got.unwrap_or_else(|quota| quota).resets,
                Some(at(resets)),
                "at {now}"
            );
        }
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_capacity() {
        let mut keyed = Keyed::default();
        for now in [0, 1_000_000] {
            let quota = keyed.bucket("k", at(now), (5, 5), MINUTE).unwrap();
            assert_eq!(quota.remaining, 4);
        }
    }
}
