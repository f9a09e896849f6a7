//! A length of time as job files write it: `30s`, `5m`, `1h30m`, `250ms`, `7d`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The longest time that can be written. It keeps sums with a clock's readings far from overflowing.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// A length of time, more than nothing and at most 366 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeSpan(Duration);

impl TimeSpan {
    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The length, for clocks.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<TimeSpan> for Duration {
    fn from(span: TimeSpan) -> Self {
        span.0
    }
}

impl FromStr for TimeSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span: Span = text.parse().map_err(|_| {
            format!("`{text}` is not a length of time; write it like `30s`, `5m`, `1h30m` or `7d`")
        })?;
        // A day has 24 hours here; a month or a year has no length.
        let signed = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| format!("`{text}` is not of one length; write it in days or hours"))?;
        let length = Duration::try_from(signed).unwrap_or(Duration::ZERO);
        if length.is_zero() {
            return Err(format!(
                "`{text}` is no time at all; a length of time is more than `0s`"
            ));
        }
        if length > LONGEST {
            return Err(format!("`{text}` is longer than the 366 days that are allowed"));
        }
        Ok(Self(length))
    }
}

impl TryFrom<String> for TimeSpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl JsonSchema for TimeSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time, such as `30s`, `5m`, `1h30m` or `7d`.",
            "examples": ["30s", "5m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_written_with_its_unit() {
        for (text, want) in [
            ("30s", Duration::from_secs(30)),
            ("5m", Duration::from_mins(5)),
            ("1h30m", Duration::from_mins(90)),
            ("1h 30m", Duration::from_mins(90)),
            ("250ms", Duration::from_millis(250)),
            ("7d", Duration::from_hours(168)),
            ("2w", Duration::from_hours(336)),
            ("8784h", LONGEST),
        ] {
            assert_eq!(text.parse::<TimeSpan>().map(TimeSpan::get), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused_with_the_text() {
        for text in [
            "",
            "30",
            "0s",
            "-5s",
            "soon",
            "8785h",
            "1mo",
            "1y",
            "99999999999999h",
        ] {
            let error = text.parse::<TimeSpan>().expect_err(text);
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
