//! Finds a field that stands twice in one object: JSON readers keep the last without a word, and half a definition would
//! be written.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// JSON in whose objects every field stands once. Nothing of it is kept.
#[derive(Debug)]
pub(super) struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Looker)
    }
}

struct Looker;

impl<'de> Visitor<'de> for Looker {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while items.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Unique, A::Error> {
        let mut seen = HashSet::new();
        while let Some(field) = fields.next_key::<String>()? {
            fields.next_value::<Unique>()?;
            if let Some(twice) = seen.replace(field) {
                let twice = twice.escape_debug();
                return Err(A::Error::custom(format!(
                    "field `{twice}` stands twice in one object"
                )));
            }
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_stands_twice_is_found_at_any_depth() {
        for (text, twice) in [
            ("{}", None),
            (
                r#"{"a":1,"b":[1.5,-2,"x",null,true,12345678901234567890123]}"#,
                None,
            ),
            (r#"[{"a":1},{"a":2}]"#, None),
            (r#"{"a":{"a":{"a":1}}}"#, None),
            (r#"{"a":1,"a":1}"#, Some("field `a` stands twice")),
            (
                r#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#,
                Some("field `a` stands twice"),
            ),
        ] {
            let read: Result<Unique, _> = serde_json::from_str(text);
            let error = read.err().map(|error| error.to_string());
            assert_eq!(error.is_some(), twice.is_some(), "{text}: {error:?}");
            assert!(
                error.unwrap_or_default().contains(twice.unwrap_or_default()),
                "{text}"
            );
        }
    }
}
