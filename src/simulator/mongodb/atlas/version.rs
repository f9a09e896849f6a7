//! Versions of resources: which one a request asks for, and which one it gets.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::super::refused::Refused;
use super::super::switches::{Sunset, Switches, Unversioned};

/// A version of a resource: its date, and the date on which it goes, both as in the vendor's specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) date: &'static str,
    pub(super) sunset: Option<&'static str>,
}

impl Version {
    pub(super) const fn lasting(date: &'static str) -> Self {
        Self { date, sunset: None }
    }

    pub(super) const fn until(date: &'static str, sunset: &'static str) -> Self {
        Self {
            date,
            sunset: Some(sunset),
        }
    }

    /// The media type of an answer.
    pub(super) fn media(self) -> HeaderValue {
        let text = format!("application/vnd.atlas.{}+json;charset=utf-8", self.date);
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/json"))
    }

    fn is_gone(self, sunset: Sunset, now: i64) -> bool {
        let today = Timestamp::from_millisecond(now).unwrap_or_default();
        let today = Offset::UTC.to_datetime(today).date();
        let over = |end: &str| sunset == Sunset::Past || end.parse::<Date>().is_ok_and(|end| end <= today);
        self.sunset.is_some_and(over)
    }
}

/// The version that a request gets, from those of the resource in their order. A writing request must also say which
/// version its body has.
pub(super) fn negotiated(
    headers: &HeaderMap,
    writes: bool,
    versions: &[Version],
    switches: &Switches,
    now: i64,
) -> Result<Version, Refused> {
    let of = |name: &HeaderName, status: u16| {
        let asked = header_text(headers, name);
        chosen(&asked, versions, switches)
            .ok_or_else(|| Refused::new(status, "UNEXPECTED_ERROR", "Unexpected error."))
    };
    let mut wanted = vec![of(&header::ACCEPT, 406)?];
    if writes {
        wanted.push(of(&header::CONTENT_TYPE, 415)?);
    }
    if let Some(gone) = wanted
        .iter()
        .find(|version| version.is_gone(switches.sunset, now))
    {
        let detail = format!("The version {} of this resource is gone.", gone.date);
        return Err(Refused::new(410, "VERSION_GONE", detail).about(gone.date));
    }
    Ok(wanted[0])
}

/// All values of a header, with commas between.
fn header_text(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

/// The newest version that is not after the date of a media type. The first media type with a date counts.
fn chosen(media_types: &str, versions: &[Version], switches: &Switches) -> Option<Version> {
    let date = media_types.split(',').find_map(date_of);
    match date {
        Some(date) => versions.iter().rfind(|version| version.date <= &*date).copied(),
        None if switches.unversioned == Unversioned::Newest => versions.last().copied(),
        None => None,
    }
}

/// The date in `application/vnd.atlas.DATE+json`.
fn date_of(media_type: &str) -> Option<String> {
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let date = essence
        .strip_prefix("application/vnd.atlas.")?
        .strip_suffix("+json")?;
    (date.len() == 10 && date.parse::<Date>().is_ok()).then(|| date.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [Version; 3] = [
        Version::until("2023-01-01", "2027-07-01"),
        Version::until("2024-08-05", "2027-03-01"),
        Version::lasting("2024-10-23"),
    ];
    /// In August 2026.
    const NOW: i64 = 1_786_000_000_000;

    /// The date of the version, or the status of the refusal.
    fn got(accept: &str, content: Option<&str>, switches: &Switches, now: i64) -> Result<&'static str, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        if let Some(content) = content {
            headers.insert(header::CONTENT_TYPE, content.parse().unwrap());
        }
        negotiated(&headers, content.is_some(), &VERSIONS, switches, now)
            .map(|version| version.date)
            .map_err(|refused| refused.into_response(switches).status().as_u16())
    }

    #[test]
    fn a_date_gets_the_newest_version_that_is_not_after_it() {
        for (accept, want) in [
            ("application/vnd.atlas.2023-01-01+json", Ok("2023-01-01")),
            ("application/vnd.atlas.2023-02-01+json", Ok("2023-01-01")),
            (
                "Application/VND.atlas.2024-10-23+JSON; charset=utf-8",
                Ok("2024-10-23"),
            ),
            ("application/vnd.atlas.2099-12-31+json", Ok("2024-10-23")),
            (
                "text/html, application/vnd.atlas.2024-08-05+json;q=0.5",
                Ok("2024-08-05"),
            ),
            ("application/vnd.atlas.2022-12-31+json", Err(406)),
            ("application/vnd.atlas.2023-13-01+json", Err(406)),
            ("application/vnd.atlas.2023-1-1+json", Err(406)),
            ("application/vnd.atlas.preview+json", Err(406)),
            ("application/vnd.atlas.2024-10-23+csv", Err(406)),
            ("application/json", Err(406)),
            ("*/*", Err(406)),
        ] {
            assert_eq!(got(accept, None, &Switches::default(), NOW), want, "{accept}");
        }
    }

    #[test]
    fn a_body_must_have_a_version_too() {
        let accept = "application/vnd.atlas.2024-10-23+json";
        for (content, want) in [
            (accept, Ok("2024-10-23")),
            ("application/vnd.atlas.2024-08-05+json", Ok("2024-10-23")),
            ("application/json", Err(415)),
        ] {
            assert_eq!(
                got(accept, Some(content), &Switches::default(), NOW),
                want,
                "{content}"
            );
        }
    }

    #[test]
    fn without_a_version_the_switch_gives_the_newest() {
        let switches = Switches {
            unversioned: Unversioned::Newest,
            ..Switches::default()
        };
        for accept in ["*/*", "application/json"] {
            assert_eq!(
                got(accept, Some("application/json"), &switches, NOW),
                Ok("2024-10-23")
            );
        }
    }

    #[test]
    fn a_version_goes_on_its_date_or_at_once() {
        let [old, newest] = [
            "application/vnd.atlas.2024-08-05+json",
            "application/vnd.atlas.2024-10-23+json",
        ];
        let past = Switches {
            sunset: Sunset::Past,
            ..Switches::default()
        };
        // The first moments of February and March 2027.
        let (february, march) = (1_801_440_000_000, 1_803_859_200_000);
        for (accept, switches, now, want) in [
            (old, &Switches::default(), february, Ok("2024-08-05")),
            (old, &Switches::default(), march - 1, Ok("2024-08-05")),
            (old, &Switches::default(), march, Err(410)),
            (old, &past, NOW, Err(410)),
            (newest, &past, NOW, Ok("2024-10-23")),
        ] {
            assert_eq!(got(accept, None, switches, now), want, "{accept} at {now}");
        }
        assert_eq!(
            got(newest, Some(old), &past, NOW),
            Err(410),
            "a body of a version that is gone"
        );
    }
}
