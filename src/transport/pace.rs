//! How fast a connection may send: the part of a job file that is called `pace`.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The pace of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// The most requests in any span of the unit, such as `20/s`, `50/min` or `1000/h`; without it no rate is kept.
    pub rate: Option<Rate>,
    /// The most requests in flight, from 1 to 1000; 8 without it. Below it the connection finds its own limit.
    pub concurrency: Option<usize>,
}

impl Pace {
    /// The most requests in flight that a connection may be told to have.
    pub const MOST_CONCURRENCY: usize = 1000;

    /// The most requests in flight, with the default filled in.
    pub fn most_in_flight(&self) -> usize {
        self.concurrency.unwrap_or(8).clamp(1, Self::MOST_CONCURRENCY)
    }
}

/// A number of requests in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    /// The most requests in any window.
    pub requests: NonZeroU32,
    /// The window: a second, a minute or an hour.
    pub window: Duration,
}

impl Rate {
    /// How many seconds so many requests take at least, rounded up.
    pub fn least_seconds(self, requests: u64) -> u64 {
        let window = self.window.as_secs();
        requests
            .saturating_mul(window)
            .div_ceil(u64::from(self.requests.get()))
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}` is not a rate; write a whole number of at least 1 and a unit, like `20/s`, `50/min` or `1000/h`"
            )
        };
        let (requests, unit) = text.split_once('/').ok_or_else(refused)?;
        let window = match unit.trim() {
            "s" | "sec" | "second" => Duration::from_secs(1),
            "m" | "min" | "minute" => Duration::from_mins(1),
            "h" | "hour" => Duration::from_hours(1),
            _ => return Err(refused()),
        };
        let requests = requests.trim().parse().map_err(|_| refused())?;
        Ok(Self { requests, window })
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.window.as_secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.requests)
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The most requests in any span of the unit.",
            "pattern": "^\\s*[0-9]+\\s*/\\s*(s|sec|second|m|min|minute|h|hour)\\s*$",
            "examples": ["20/s", "50/min"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        for (text, seconds, shown) in [
            ("20/s", 1, "20/s"),
            (" 50 / min", 60, "50/min"),
            ("50/m", 60, "50/min"),
            ("1000/h", 3600, "1000/h"),
            ("1/second", 1, "1/s"),
        ] {
            let rate: Rate = text.parse().expect(text);
            assert_eq!(rate.window, Duration::from_secs(seconds), "{text}");
            assert_eq!(rate.to_string(), shown);
        }
    }

    #[test]
    fn requests_take_as_long_as_their_rate_says() {
        for (rate, requests, seconds) in [
            ("20/s", 0, 0),
            ("20/s", 1, 1),
            ("20/s", 512, 26),
            ("50/min", 50, 60),
            ("50/min", 51, 62),
            ("1000/h", 500, 1800),
            ("1/h", u64::MAX, u64::MAX),
        ] {
            let rate: Rate = rate.parse().expect(rate);
            assert_eq!(rate.least_seconds(requests), seconds, "{requests} at {rate}");
        }
    }

    #[test]
    fn a_rate_of_nothing_or_without_a_unit_is_refused() {
        for text in ["", "20", "0/s", "-1/s", "1.5/s", "20/day", "/s", "99999999999/s"] {
            let error = text.parse::<Rate>().expect_err(text);
            assert!(error.starts_with(&format!("`{text}` is not a rate")), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_of_a_pace_is_refused() {
        let pace: Pace = toml::from_str("rate = \"20/s\"\nconcurrency = 4").expect("a pace");
        assert_eq!(pace.most_in_flight(), 4);
        assert_eq!(Pace::default().most_in_flight(), 8);
        toml::from_str::<Pace>("rates = \"20/s\"").expect_err("an unknown key");
    }
}
