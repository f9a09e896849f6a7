//! How a simulator throttles, as it is told: a pool of workers with a queue, or a limit for each window of time.

use std::str::FromStr;
use std::time::Duration;

use super::value::{duration, pairs, parse, words};

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
}

/// How requests are throttled: `pool,workers=4,queue=8,service=20ms`, `window,limit=50,per=60s,unit=us` or, without
/// `X-RateLimit` headers, `plain,limit=50,per=60s`; each also with `retry-after=` and `body=`.
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
            _ => return Err("use `none`, `pool`, `window` or `plain`".to_owned()),
        };
        let mut throttle = Self {
            mode,
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
            ("limit", ThrottleMode::Window { limit, .. }) => *limit = parse(value)?,
            ("per", ThrottleMode::Window { per, .. }) => *per = positive(value)?,
            ("unit", ThrottleMode::Window { unit: Some(unit), .. }) => *unit = parse(value)?,
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
            "mild",
        ] {
            assert!(spec.parse::<Throttle>().is_err(), "{spec}");
        }
    }
}
