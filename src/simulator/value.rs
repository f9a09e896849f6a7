//! How the values of options are written: durations, shares, words, and lists of `word,key=value`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// An enum whose variants are words of an option; the first is what the table in the room's docs calls the default.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $each:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[doc = $each])+ #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// The word that options use.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("use {}", [$(concat!("`", $word, "`")),+].join(" or "))),
                }
            }
        }
    };
}
pub(super) use words;

/// Parses a value, with whatever its type says is wrong.
pub(super) fn parse<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: fmt::Display,
{
    text.parse().map_err(|why: T::Err| why.to_string())
}

/// A duration such as `20ms`, `1.5s`, `2m` or `0`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "use a duration such as `20ms`, `1.5s` or `2m`".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let scale = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * scale).map_err(|_| wrong())
}

/// A probability from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "use a share from 0 to 1".to_owned())
}

/// `on` or `off`.
pub(super) fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("use `on` or `off`".to_owned()),
    }
}

/// A key and its value.
type Pair<'a> = (&'a str, &'a str);

/// Splits `word,key=value,…` into the word and the pairs.
pub(super) fn pairs(text: &str) -> Result<(&str, Vec<Pair<'_>>), String> {
    let mut parts = text.split(',').map(str::trim);
    let word = parts.next().unwrap_or_default();
    let pairs = parts
        .map(|part| {
            part.split_once('=')
                .ok_or_else(|| format!("`{part}` is not `key=value`"))
        })
        .collect::<Result<_, _>>()?;
    Ok((word, pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, want) in [
            ("0", Some(0)),
            ("20ms", Some(20_000)),
            ("1.5s", Some(1_500_000)),
            ("2m", Some(120_000_000)),
            ("1h", Some(3_600_000_000)),
            ("7us", Some(7)),
            ("20", None),
            ("ms", None),
            ("-1s", None),
            ("1 fortnight", None),
        ] {
            let got = duration(text).ok().map(|duration| duration.as_micros());
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn shares_lie_between_0_and_1() {
        for (text, want) in [
            ("0", Some(0.0)),
            ("0.25", Some(0.25)),
            ("1", Some(1.0)),
            ("1.1", None),
            ("NaN", None),
        ] {
            assert_eq!(share(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn a_word_comes_before_its_pairs() {
        assert_eq!(
            pairs("pool,workers=2, queue=3"),
            Ok(("pool", vec![("workers", "2"), ("queue", "3")]))
        );
        assert_eq!(pairs("none"), Ok(("none", vec![])));
        assert!(pairs("pool,workers").is_err());
    }
}
