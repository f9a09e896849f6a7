//! How long an answer asks to wait, read from its headers.
//!
//! `Retry-After`: <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>. Dynatrace documents `X-RateLimit-Reset` as
//! microseconds, its clients read seconds, others send milliseconds or a number of seconds from now: so its unit is told
//! by its size.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};

/// The wait that the headers ask for, uncut; `None` when they say nothing that can be read. A time that has passed is no
/// wait at all.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    retry_after(headers).or_else(|| reset(headers))
}

/// How long a quota stays spent, when an answer says that nothing remains of it and until when. Atlas sends no reset but
/// `Retry-After`: <https://www.mongodb.com/docs/atlas/api/api-rate-limit>.
pub(crate) fn quota_spent(headers: &HeaderMap) -> Option<Duration> {
    let remaining = texts(headers, "x-ratelimit-remaining")
        .chain(texts(headers, "ratelimit-remaining"))
        .next()?;
    (remaining == "0").then(|| asked(headers)).flatten()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    texts(headers, header::RETRY_AFTER.as_str())
        .filter_map(|text| {
            let date = || httpdate::parse_http_date(text).ok();
            seconds(text).or_else(|| date().map(|date| until(headers, date)))
        })
        .max()
}

fn reset(headers: &HeaderMap) -> Option<Duration> {
    let text = texts(headers, "x-ratelimit-reset")
        .chain(texts(headers, "ratelimit-reset"))
        .find(|text| is_whole(text))?;
    // More digits than fit are a time that is too far away, whatever the unit.
    let number: u64 = text.parse().unwrap_or(u64::MAX);
    let epoch = match number {
        100_000_000_000_000.. => Duration::from_micros(number),
        100_000_000_000.. => Duration::from_millis(number),
        1_000_000_000.. => Duration::from_secs(number),
        _ => return Some(Duration::from_secs(number)),
    };
    Some(until(headers, UNIX_EPOCH.checked_add(epoch)?))
}

/// The time from the answer's own `Date` to a point, so that a clock that differs from the vendor's does no harm.
fn until(headers: &HeaderMap, point: SystemTime) -> Duration {
    let now = texts(headers, header::DATE.as_str())
        .find_map(|text| httpdate::parse_http_date(text).ok())
        .unwrap_or_else(SystemTime::now);
    point.duration_since(now).unwrap_or(Duration::ZERO)
}

/// Seconds, whole as the standard says or with a fraction as some servers send them.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !is_whole(whole) || !is_whole(fraction) {
        return None;
    }
    let whole = whole.parse().unwrap_or(u64::from(u32::MAX));
    let part: f64 = format!("0.{fraction}").parse().ok()?;
    Some(Duration::from_secs(whole.min(u64::from(u32::MAX))) + Duration::try_from_secs_f64(part).ok()?)
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn texts<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    /// 2026-11-21 12:00:00 UTC, in seconds since 1970.
    const NOON: &str = "Sat, 21 Nov 2026 12:00:00 GMT";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                HeaderValue::from_str(value).expect("a value"),
            );
        }
        map
    }

    #[test]
    fn every_form_of_retry_after_is_read_or_ignored() {
        for (text, want) in [
            ("2", Some(2.0)),
            (" 120 ", Some(120.0)),
            ("0", Some(0.0)),
            ("1.5", Some(1.5)),
            ("Sat, 21 Nov 2026 12:00:30 GMT", Some(30.0)),
            ("Saturday, 21-Nov-26 12:00:30 GMT", Some(30.0)),
            ("Sat Nov 21 12:00:30 2026", Some(30.0)),
            ("Sat, 21 Nov 2026 11:00:00 GMT", Some(0.0)),
            ("99999999999999999999999", Some(f64::from(u32::MAX))),
            ("-5", None),
            ("+5", None),
            ("1e20", None),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("", None),
            ("soon", None),
            ("Sat, 99 Nov 2026 12:00:30 GMT", None),
        ] {
            let got = asked(&headers(&[("date", NOON), ("retry-after", text)]));
            assert_eq!(got, want.map(Duration::from_secs_f64), "`{text}`");
        }
    }

    #[test]
    fn the_unit_of_a_reset_is_told_by_its_size() {
        for (text, want) in [
            ("30", Some(30)),
            ("0", Some(0)),
            ("1795262430", Some(30)),
            ("1795262430000", Some(30)),
            ("1795262430000000", Some(30)),
            ("1795262000", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("never", None),
            ("", None),
        ] {
            let got = asked(&headers(&[("date", NOON), ("x-ratelimit-reset", text)]));
            assert_eq!(got, want.map(Duration::from_secs), "`{text}`");
        }
    }

    #[test]
    fn the_longest_of_two_retry_afters_counts_and_comes_before_a_reset() {
        let both = headers(&[
            ("retry-after", "3"),
            ("retry-after", "7"),
            ("x-ratelimit-reset", "60"),
        ]);
        assert_eq!(asked(&both), Some(Duration::from_secs(7)));
        let unreadable = headers(&[("retry-after", "later"), ("ratelimit-reset", "60")]);
        assert_eq!(asked(&unreadable), Some(Duration::from_mins(1)));
        assert_eq!(asked(&HeaderMap::new()), None);
    }

    #[test]
    fn a_clock_that_is_ten_minutes_off_changes_nothing() {
        let skewed = headers(&[
            ("date", "Sat, 21 Nov 2026 12:10:00 GMT"),
            ("retry-after", "Sat, 21 Nov 2026 12:10:05 GMT"),
        ]);
        assert_eq!(asked(&skewed), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_quota_is_spent_only_when_nothing_remains_and_its_end_is_known() {
        for (remaining, reset, want) in [
            ("0", "30", Some(30)),
            ("1", "30", None),
            ("0", "never", None),
            ("", "30", None),
        ] {
            for (of_remaining, of_reset) in [
                ("x-ratelimit-remaining", "x-ratelimit-reset"),
                ("ratelimit-remaining", "ratelimit-reset"),
                ("ratelimit-remaining", "retry-after"),
            ] {
                let got = quota_spent(&headers(&[(of_remaining, remaining), (of_reset, reset)]));
                assert_eq!(
                    got,
                    want.map(Duration::from_secs),
                    "{remaining} {of_reset} {reset}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(retry in "[ -~]{0,40}", reset in "[0-9]{0,30}", date in "[ -~]{0,40}") {
            let all = headers(&[("retry-after", &retry), ("x-ratelimit-reset", &reset), ("date", &date)]);
            asked(&all);
            quota_spent(&all);
        }
    }
}
