//! How long an answer says to wait.
//!
//! A vendor has no clock, so points in time are read against the answer's own `Date`, which the same server
//! wrote.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// The bounds of a wait that a reset header asks for: its unit is disputed, so it is not trusted far.
const RESET_BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// `Retry-After`, else `X-RateLimit-Reset`, as a length of time.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let date = text(headers, DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok());
    retry_after(headers, date).or_else(|| reset(headers, date))
}

/// Whether the answer says when to come back, in whatever form.
pub(super) fn says_when(headers: &HeaderMap) -> bool {
    headers.contains_key(RETRY_AFTER)
}

fn retry_after(headers: &HeaderMap, date: Option<SystemTime>) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER.as_str())?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(date?).unwrap_or(Duration::ZERO))
}

/// Dynatrace's documentation counts in microseconds
/// (<https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit>), the vendor's own clients in
/// seconds; the magnitude tells which.
fn reset(headers: &HeaderMap, date: Option<SystemTime>) -> Option<Duration> {
    let stamp: u64 = text(headers, "x-ratelimit-reset")?.parse().ok()?;
    let since_epoch = match stamp {
        100_000_000_000_000.. => Duration::from_micros(stamp),
        100_000_000_000.. => Duration::from_millis(stamp),
        _ => Duration::from_secs(stamp),
    };
    let now = date?.duration_since(UNIX_EPOCH).ok()?;
    let (least, most) = RESET_BOUNDS;
    Some(since_epoch.saturating_sub(now).clamp(least, most))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

    #[test]
    fn the_wait_is_read_from_whatever_header_tells_it() {
        let reset = "x-ratelimit-reset";
        for (headers, want) in [
            (vec![], None),
            (vec![("retry-after", "7")], Some(7)),
            (vec![("retry-after", "0")], Some(0)),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "-1")], None),
            (
                vec![DATE, ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")],
                Some(30),
            ),
            (
                vec![DATE, ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")],
                Some(0),
            ),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], None),
            (vec![DATE, (reset, "784111787")], Some(10)),
            (vec![DATE, (reset, "784111787000")], Some(10)),
            (vec![DATE, (reset, "784111787000000")], Some(10)),
            (vec![DATE, (reset, "784119999")], Some(60)),
            (vec![DATE, (reset, "784111700")], Some(1)),
            (vec![DATE, (reset, "60")], Some(1)),
            (vec![DATE, (reset, "18446744073709551615")], Some(60)),
            (vec![(reset, "784111787")], None),
            (vec![DATE, (reset, "784111787"), ("retry-after", "3")], Some(3)),
            (
                vec![DATE, (reset, "784111787"), ("retry-after", "soon")],
                Some(10),
            ),
        ] {
            let map = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(wait(&map), want.map(Duration::from_secs), "{headers:?}");
        }
    }
}
