//! From the text of one JSON value to a row.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::source::not_text;

/// Why a value is no row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is JSON, and can't be used.
    Unusable(String),
    /// It is not JSON, from this byte on.
    Malformed {
        /// The offset of the byte.
        at: usize,
        /// What is wrong.
        reason: String,
    },
}

/// Reads an object from its text.
///
/// An object that names a key twice is refused: which value it means is anybody's guess (RFC 8259, 4). It is noticed
/// because then the text has more members than the value, and each member has one colon.
pub(super) fn read(raw: &[u8], encoding: &str) -> Result<serde_json::Map<String, Value>, Fault> {
    let value = match serde_json::from_slice(raw) {
        Ok(value) => value,
        Err(error) => return Err(fault(raw, &error, encoding)),
    };
    match value {
        Value::Object(object) if count(object.values()) + object.len() == colons(raw) => Ok(object),
        Value::Object(_) => Err(Fault::Unusable(doubled(raw))),
        other => Err(Fault::Unusable(format!("is {}, not an object", kind(&other)))),
    }
}

/// Checks that a text is one JSON value, without keeping it.
pub(super) fn check(raw: &[u8]) -> Result<(), Fault> {
    match serde_json::from_slice::<IgnoredAny>(raw) {
        Ok(_) => Ok(()),
        Err(error) => Err(malformed(raw, &error)),
    }
}

/// What a value is, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The colons outside strings.
fn colons(raw: &[u8]) -> usize {
    let (mut n_colons, mut in_string, mut escaped) = (0, false, false);
    for &byte in raw {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b':' if !in_string => n_colons += 1,
            _ => {}
        }
    }
    n_colons
}

/// The members of all objects in some values.
fn count<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    values
        .map(|value| match value {
            Value::Object(object) => object.len() + count(object.values()),
            Value::Array(list) => count(list.iter()),
            _ => 0,
        })
        .sum()
}

/// Tells what is wrong with one row from what makes the whole document unreadable: text that is grammatical once its
/// illegal bytes are replaced ends where it seems to end, so the rows after it can be trusted. This holds for illegal
/// bytes, halves of surrogate pairs and excessive depth.
fn fault(raw: &[u8], error: &serde_json::Error, encoding: &str) -> Fault {
    let text = String::from_utf8_lossy(raw);
    match check(text.as_bytes()) {
        Err(_) => malformed(raw, error),
        Ok(()) if str::from_utf8(raw).is_err() => Fault::Unusable(not_text("its text", encoding)),
        Ok(()) => Fault::Unusable(format!("can't be kept as it is: {}", reason(error))),
    }
}

fn malformed(raw: &[u8], error: &serde_json::Error) -> Fault {
    if error.is_eof() {
        return Fault::Malformed {
            at: raw.len(),
            reason: "the value is cut short".to_owned(),
        };
    }
    // serde_json counts lines by `\n` alone, and columns in bytes.
    let before = raw
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1));
    let at = before.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1);
    Fault::Malformed {
        at: at.min(raw.len()),
        reason: reason(error),
    }
}

/// The words of an error without its position, which counts from the beginning of the value.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

fn doubled(raw: &[u8]) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let found = Doubled.deserialize(&mut deserializer).ok().flatten();
    match found {
        Some(key) => format!("names the key `{key}` twice in one object; which value is meant can't be told"),
        None => "can't be kept as it is: a key of it is reserved".to_owned(),
    }
}

/// Looks for a key that stands in one object twice.
struct Doubled;

impl<'de> DeserializeSeed<'de> for Doubled {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let mut inner = serde_json::Deserializer::from_str(raw);
        let found = match raw.as_bytes().first() {
            // The value was parsed before, so it is not too deep for recursion.
            Some(b'{') => inner.deserialize_map(self),
            Some(b'[') => inner.deserialize_seq(self),
            _ => Ok(None),
        };
        found.map_err(serde::de::Error::custom)
    }
}

impl<'de> Visitor<'de> for Doubled {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut keys = std::collections::HashSet::new();
        let mut found = None;
        while let Some(key) = members.next_key::<String>()? {
            let inside = members.next_value_seed(Doubled)?;
            found = found.or(inside);
            if let Some(again) = keys.replace(key) {
                found = found.or(Some(again));
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(inside) = elements.next_element_seed(Doubled)? {
            found = found.or(inside);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> String {
        match read(raw.as_bytes(), "UTF-8") {
            Ok(object) => serde_json::to_string(&object).unwrap(),
            Err(Fault::Unusable(reason)) => reason,
            Err(Fault::Malformed { at, reason }) => format!("at {at}: {reason}"),
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        for raw in [
            r#"{"id":9007199254740993}"#,
            r#"{"id":1234567890123456789012345}"#,
            r#"{"id":1.50,"b":[1e-400,2e+5,-0]}"#,
            r#"{"z":1,"a":2}"#,
        ] {
            assert_eq!(shown(raw), raw);
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_named_wherever_it_is() {
        for (raw, key) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":{"b":1,"c":2,"b":3}}"#, "b"),
            (r#"{"x":[1,[{"d:":1}, {"e":0,"e":":"}]]}"#, "e"),
            (r#"{"a":1,"\u0061":2}"#, "a"),
        ] {
            assert_eq!(
                shown(raw),
                format!("names the key `{key}` twice in one object; which value is meant can't be told")
            );
        }
        assert_eq!(
            shown(r#"{"a\":":":{\"","b":{"a":1},"c":{"a":1}}"#),
            r#"{"a\":":":{\"","b":{"a":1},"c":{"a":1}}"#
        );
    }

    #[test]
    fn the_keys_that_serde_json_keeps_for_itself_are_refused() {
        assert_eq!(
            shown(r#"{"a":{"$serde_json::private::Number":"1"}}"#),
            "can't be kept as it is: a key of it is reserved"
        );
    }

    #[test]
    fn what_is_json_and_no_row_is_told_from_what_is_no_json() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500));
        for (raw, told) in [
            ("1", "is a number, not an object"),
            ("[{}]", "is a list, not an object"),
            ("null", "is null, not an object"),
            ("\"a\"", "is a string, not an object"),
            ("true", "is a boolean, not an object"),
            (
                r#"{"a":"\ud800"}"#,
                "can't be kept as it is: unexpected end of hex escape",
            ),
            (&deep, "can't be kept as it is: recursion limit exceeded"),
            ("{\"a\":\n tru}", "at 10: expected ident"),
            ("{\"a\" 1}", "at 5: expected `:`"),
            ("{} x", "at 3: trailing characters"),
        ] {
            assert_eq!(shown(raw), told, "{raw}");
        }
        let illegal = read(b"{\"a\":\"\xff\"}", "UTF-8");
        assert!(
            matches!(&illegal, Err(Fault::Unusable(reason)) if reason.starts_with("its text is not legal UTF-8"))
        );
        assert!(matches!(
            read(b"{\"a\":\xff}", "UTF-8"),
            Err(Fault::Malformed { at: 5, .. })
        ));
    }
}
