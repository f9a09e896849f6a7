//! Time frames: the formats of `from` and `to`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit, Zoned, ZonedRound};

use super::envelope::Refused;
use super::query::Query;

pub(super) const HOUR: i64 = 3_600_000;

/// A span of time in milliseconds since 1970, both ends included, and the moment from which relative times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeFrame {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) now: i64,
}

impl TimeFrame {
    /// Reads `from` and `to`; without them the last `default` milliseconds.
    pub(super) fn of(query: &Query<'_>, now: i64, default: i64) -> Result<Self, Refused> {
        let end = |name: &str, default: i64| match query.first(name) {
            Some(text) => parse(text, now)
                .ok_or_else(|| Refused::query(name, format!("'{text}' is not a valid timestamp"))),
            None => Ok(default),
        };
        let (from, to) = (end("from", now - default)?, end("to", now)?);
        if from > to {
            return Err(Refused::query("from", "must not be later than 'to'"));
        }
        Ok(Self { from, to, now })
    }

    pub(super) fn holds(&self, ms: i64) -> bool {
        (self.from..=self.to).contains(&ms)
    }
}

/// Reads milliseconds, `2021-01-25T05:57:01.123+01:00` (the zone is UTC unless told, a space may stand for the `T`), or
/// `now-NU/A` with the units `m h d w M y`; `-NU` and `/A` may be absent.
pub(super) fn parse(text: &str, now: i64) -> Option<i64> {
    if let Some(rest) = text.strip_prefix("now") {
        return relative(rest, now);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let at: DateTime = text.parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn relative(rest: &str, now: i64) -> Option<i64> {
    let (back, alignment) = match rest.split_once('/') {
        Some((back, alignment)) => (back, Some(alignment)),
        None => (rest, None),
    };
    let mut at = Timestamp::from_millisecond(now).ok()?.to_zoned(TimeZone::UTC);
    if !back.is_empty() {
        at = earlier(&at, back.strip_prefix('-')?)?;
    }
    if let Some(unit) = alignment {
        at = aligned(&at, unit)?;
    }
    Some(at.timestamp().as_millisecond())
}

fn earlier(at: &Zoned, back: &str) -> Option<Zoned> {
    let (number, unit) = back.split_at_checked(back.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
    let span = match unit {
        "m" => jiff::Span::new().try_minutes(number),
        "h" => jiff::Span::new().try_hours(number),
        "d" => jiff::Span::new().try_days(number),
        "w" => jiff::Span::new().try_weeks(number),
        "M" => jiff::Span::new().try_months(number),
        "y" => jiff::Span::new().try_years(number),
        _ => return None,
    };
    at.checked_sub(span.ok()?).ok()
}

/// Rounds everything below the unit down; weeks begin on Monday.
fn aligned(at: &Zoned, unit: &str) -> Option<Zoned> {
    let floor = |unit| {
        at.round(ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Floor))
            .ok()
    };
    let day = floor(Unit::Day)?;
    match unit {
        "m" => floor(Unit::Minute),
        "h" => floor(Unit::Hour),
        "d" => Some(day),
        "w" => day
            .checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
            .ok(),
        "M" => day.first_of_month().ok(),
        "y" => day.first_of_year().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2021-03-31T12:34:56.789Z, a Wednesday.
    const NOW: i64 = 1_617_194_096_789;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn every_documented_format_is_read() {
        for (text, want) in [
            ("1617194096789", NOW),
            ("now", NOW),
            ("now-30m", NOW - 30 * 60_000),
            ("now-24h", NOW - 24 * HOUR),
            ("now-3d", NOW - 72 * HOUR),
            ("now-1w", NOW - 7 * 24 * HOUR),
            ("now-1M", at("2021-02-28T12:34:56.789Z")),
            ("now-3y", at("2018-03-31T12:34:56.789Z")),
            ("now-1h/h", at("2021-03-31T11:00:00Z")),
            ("now-0m/m", at("2021-03-31T12:34:00Z")),
            ("now-1d/d", at("2021-03-30T00:00:00Z")),
            ("now-1y/w", at("2020-03-30T00:00:00Z")),
            ("now/M", at("2021-03-01T00:00:00Z")),
            ("now-1M/y", at("2021-01-01T00:00:00Z")),
            ("2021-01-25T05:57:01.123+01:00", at("2021-01-25T04:57:01.123Z")),
            ("2021-01-25 05:57", at("2021-01-25T05:57:00Z")),
            ("2021-01-25T05:57:01Z", at("2021-01-25T05:57:01Z")),
        ] {
            assert_eq!(parse(text, NOW), Some(want), "{text}");
        }
    }

    #[test]
    fn everything_else_is_not_a_time() {
        for text in [
            "",
            "now-",
            "now-h",
            "now-1s",
            "now+1h",
            "now-1h/",
            "now--1h",
            "nowadays",
            "yesterday",
            "2021-13-01T00:00",
            "now-é",
        ] {
            assert_eq!(parse(text, NOW), None, "{text}");
        }
    }

    #[test]
    fn the_default_reaches_back_and_a_frame_can_not_end_before_it_begins() {
        let frame = |raw: &str| TimeFrame::of(&Query::parse(raw), NOW, 24 * HOUR);
        assert_eq!(
            frame("").unwrap(),
            TimeFrame {
                from: NOW - 24 * HOUR,
                to: NOW,
                now: NOW
            }
        );
        assert_eq!(frame("from=now-2h&to=now-1h").unwrap().to, NOW - HOUR);
        assert!(frame("from=now-1h&to=now-2h").is_err());
        assert!(frame("from=soon").is_err());
    }
}
