//! The template engine: what it may do, and how a record looks from inside.
//!
//! It reads nothing but the row, runs for a bounded number of steps and writes a bounded text. An undefined name is an
//! error, so that a misspelt column never becomes an empty tag.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter,
};

use super::lookup::{Lookups, Missed, View};
use super::row::{self, Cell, Index};
use super::tagged::{self, TAGGED};
use crate::model::Fields;

/// The most bytes that one template may write: far more than any vendor's key or value.
pub(super) const MOST_BYTES: usize = 65_536;

/// The most steps that one template may run; a usual one takes about ten.
const FUEL: u64 = 20_000;

/// The name under which the whole row is reached, for columns that are no identifiers.
pub(super) const ROW: &str = "row";

/// An environment without escaping, loaders or a view of anything but the row.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_fuel(Some(FUEL));
    env.set_debug(true);
    env.set_formatter(format);
    env.add_filter("slug", slug);
    // It would print the whole row, and memoised results would depend on more than the names that they show.
    env.remove_global("debug");
    env
}

/// Writes a value as text: none is empty, truth is `true` or `false` as in JSON, and lists and maps are refused rather
/// than printed in the engine's notation.
fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let what = match value.kind() {
        ValueKind::None => return Ok(()),
        ValueKind::Bool => return Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map | ValueKind::Plain => "a map",
        _ => return escape_formatter(out, state, value),
    };
    Err(Error::new(
        ErrorKind::InvalidOperation,
        format!("{what} is no text; use `join`, an index, or [[tags_from]]"),
    ))
}

/// Lower case, and one `-` for each run of characters that are neither letters nor digits.
fn slug(text: &str) -> String {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// A record as the engine's object.
#[derive(Debug)]
pub(super) struct EngineRow {
    pub(super) fields: Fields,
    pub(super) index: Option<Arc<Index>>,
    pub(super) lookups: Arc<Lookups>,
    pub(super) missed: Missed,
}

impl EngineRow {
    /// The lookup of a name; fields go first.
    fn lookup(&self, name: &str) -> Option<Value> {
        let view = View::new(name, self.lookups.get(name)?, &self.missed);
        view.map(Value::from_object)
    }
}

impl Object for EngineRow {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match row::lookup(&self.fields, self.index.as_deref(), key) {
            Some(Cell::Text(text)) => Some(Value::from(text)),
            Some(Cell::Json(json)) => Some(value(json)),
            None if key == ROW => Some(Value::from_dyn_object(Arc::clone(self))),
            None if key == TAGGED => tagged::of(&self.fields),
            None => self.lookup(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.fields.names().into_iter().map(Value::from).collect())
    }
}

/// A tag of a record as the engine's object: its key and value, and behind them the record.
#[derive(Debug)]
pub(super) struct EngineTag {
    pub(super) row: Value,
    pub(super) key: String,
    pub(super) value: String,
}

impl Object for EngineTag {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "key" => Some(Value::from(self.key.as_str())),
            "value" => Some(Value::from(self.value.as_str())),
            _ => self.row.get_attr(key).ok().filter(|value| !value.is_undefined()),
        }
    }
}

/// JSON as the engine's value. Numbers become their text, so that `1.10` and long identifiers stay what they are; `| int`
/// and `| float` make numbers of them. Null is an empty text, as an empty cell is: the engine's own none would be
/// written as `None` when it is joined to a text.
pub(super) fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::from(""),
        Json::Bool(yes) => Value::from(*yes),
        Json::Number(number) => Value::from(number.as_str()),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(object) => {
            let members = object.iter().map(|(name, item)| (name.clone(), value(item)));
            Value::from(members.collect::<BTreeMap<_, _>>())
        }
    }
}

/// A buffer that takes at most [`MOST_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Bounded(pub(super) Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::from(io::ErrorKind::WriteZero));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the engine says about an error, without the name of the template.
pub(super) fn words(error: &Error) -> String {
    match error.kind() {
        ErrorKind::OutOfFuel => return format!("it takes more than {FUEL} steps"),
        ErrorKind::WriteFailure => return format!("it writes more than {MOST_BYTES} bytes"),
        _ => {}
    }
    let mut words = error.kind().to_string();
    if let Some(detail) = error.detail() {
        // Writing to a string can't fail.
        let _ = write!(words, ": {detail}");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_keeps_letters_and_digits() {
        for (text, want) in [
            ("Team A / B", "team-a-b"),
            ("--x--", "x"),
            ("", ""),
            ("Grüße 7", "grüße-7"),
        ] {
            assert_eq!(slug(text), want, "{text}");
        }
    }

    #[test]
    fn json_numbers_keep_their_text() {
        let json = serde_json::from_str("[1.10, 12345678901234567890123, true, null]").unwrap();
        let texts: Vec<_> = value(&json)
            .try_iter()
            .unwrap()
            .map(|value| value.to_string())
            .collect();
        assert_eq!(texts, ["1.10", "12345678901234567890123", "True", ""]);
    }
}
