//! How a simulator throttles, as it is told: a pool of workers with a queue, or a limit for each window of time.

use std::str::FromStr;
use std::time::Duration;

use super::value::{duration, on_or_off, pairs, parse, words};

words! {
    /// The unit of `X-RateLimit-Reset`: the reference says microseconds, clients also read seconds.
    ResetUnit {
        /// Microseconds since 1970.
        Micros = "us",
        /// Milliseconds since 1970.
        Millis = "ms",
        /// Seconds since 1970.
        Seconds = "s",
    }
}

words! {
    /// Whether a 429 carries `Retry-After`.
    RetryAfter {
        /// No.
        None = "none",
        /// In seconds.
        Seconds = "seconds",
        /// As an HTTP date.
        Date = "date",
    }
}

words! {
    /// The body of a 429, which is not documented.
    ThrottleBody {
        /// An error envelope.
        Envelope = "envelope",
        /// Nothing.
        Empty = "empty",
        /// A page of HTML.
        Html = "html",
    }
}

/// When requests are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleMode {
    /// Never.
    None,
    /// When all workers are busy and the queue is full, or after waiting too long in it.
    Pool {
        /// Requests handled at the same time.
        workers: usize,
        /// Requests that may wait.
        queue: usize,
        /// How long a worker is busy with each.
        service: Duration,
        /// How long a request may wait; 10 s at the vendor.
        patience: Duration,
    },
    /// When a window has had its number of requests.
    Window {
        /// Requests a window.
        limit: u64,
        /// The window's length.
        per: Duration,
        /// The unit of the reset header; without one no `X-RateLimit` header is sent.
        unit: Option<ResetUnit>,
    },
    /// When a window of the clock has had its number of requests for one key, such as a group: MongoDB Cloud Manager
    /// documents 100 a minute and group. It counts what the vendor gives a key.
    GroupWindow {
        /// Requests a window and key.
        limit: u64,
        /// The window's length; windows begin at whole multiples of it since 1970.
        per: Duration,
    },
    /// When the bucket of one key, such as an endpoint set, is empty: as MongoDB Atlas documents. It counts what the
    /// vendor gives a key.
    Bucket {
        /// Requests that a full bucket holds.
        capacity: u64,
        /// Requests that it gets back at a time.
        refill: u64,
        /// After how long it gets them.
        per: Duration,
        /// Whether answers carry `RateLimit-Limit` and `RateLimit-Remaining`.
        headers: bool,
    },
}

/// How requests are throttled: `pool,workers=4,queue=8,service=20ms`, `window,limit=50,per=60s,unit=us`, without
/// `X-RateLimit` headers `plain,limit=50,per=60s`, by key `group-window,limit=100,per=60s` or
/// `bucket,capacity=1200,refill=1200,per=60s,headers=on`; each also with `retry-after=`, which is `seconds` by key and
/// else `none` unless told, and `body=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    /// When.
    pub mode: ThrottleMode,
    /// Whether a 429 says how long to wait.
    pub retry_after: RetryAfter,
    /// What a 429 has for a body.
    pub body: ThrottleBody,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            mode: ThrottleMode::None,
            retry_after: RetryAfter::None,
            body: ThrottleBody::Envelope,
        }
    }
}

impl FromStr for Throttle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, pairs) = pairs(text)?;
        let mode = match word {
            "none" => ThrottleMode::None,
            "pool" => ThrottleMode::Pool {
                workers: 4,
                queue: 16,
                service: Duration::from_millis(20),
                patience: Duration::from_secs(10),
            },
            "window" | "plain" => ThrottleMode::Window {
                limit: 50,
                per: Duration::from_mins(1),
                unit: (word == "window").then_some(ResetUnit::Micros),
            },
            "group-window" => ThrottleMode::GroupWindow {
                limit: 100,
                per: Duration::from_mins(1),
            },
            "bucket" => ThrottleMode::Bucket {
                capacity: 1_200,
                refill: 1_200,
                per: Duration::from_mins(1),
                headers: true,
            },
            _ => {
                let words = "use `none`, `pool`, `window`, `plain`, `group-window` or `bucket`";
                return Err(words.to_owned());
            }
        };
        let by_key = matches!(
            mode,
            ThrottleMode::GroupWindow { .. } | ThrottleMode::Bucket { .. }
        );
        let mut throttle = Self {
            mode,
            retry_after: if by_key {
                RetryAfter::Seconds
            } else {
                RetryAfter::None
            },
            ..Self::default()
        };
        for (key, value) in pairs {
            throttle
                .set(key, value)
                .map_err(|why| format!("`{key}`: {why}"))?;
        }
        Ok(throttle)
    }
}

impl Throttle {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match (key, &mut self.mode) {
            ("retry-after", _) => self.retry_after = parse(value)?,
            ("body", _) => self.body = parse(value)?,
            ("workers", ThrottleMode::Pool { workers, .. }) => *workers = at_least_one(value)?,
            ("queue", ThrottleMode::Pool { queue, .. }) => *queue = parse(value)?,
            ("service", ThrottleMode::Pool { service, .. }) => *service = duration(value)?,
            ("patience", ThrottleMode::Pool { patience, .. }) => *patience = duration(value)?,
            ("limit", ThrottleMode::Window { limit, .. } | ThrottleMode::GroupWindow { limit, .. }) => {
                *limit = parse(value)?;
            }
            (
                "per",
                ThrottleMode::Window { per, .. }
                | ThrottleMode::GroupWindow { per, .. }
                | ThrottleMode::Bucket { per, .. },
            ) => *per = positive(value)?,
            ("unit", ThrottleMode::Window { unit: Some(unit), .. }) => *unit = parse(value)?,
            ("capacity", ThrottleMode::Bucket { capacity, .. }) => *capacity = parse(value)?,
            ("refill", ThrottleMode::Bucket { refill, .. }) => *refill = parse(value)?,
            ("headers", ThrottleMode::Bucket { headers, .. }) => *headers = on_or_off(value)?,
            _ => return Err("not an option of this mode".to_owned()),
        }
        Ok(())
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    parse(text).and_then(|n| {
        if n == 0 {
            Err("use at least 1".to_owned())
        } else {
            Ok(n)
        }
    })
}

fn positive(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|length| {
        if length.is_zero() {
            Err("use more than 0".to_owned())
        } else {
            Ok(length)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_belong_to_modes() {
        for spec in [
            "window,workers=1",
            "plain,unit=us",
            "pool,limit=3",
            "pool,workers=0",
            "window,per=0",
            "group-window,capacity=1",
            "group-window,headers=on",
            "bucket,limit=1",
            "bucket,per=0",
            "bucket,headers=perhaps",
            "mild",
        ] {
            assert!(spec.parse::<Throttle>().is_err(), "{spec}");
        }
    }
}
