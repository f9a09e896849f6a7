//! `[[tags_from]]` with `column`: one field that holds many tags.
//!
//! A text is split into items; a JSON list has its items already; a JSON map is a list of pairs.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::emit::Emit;
use super::options::Trouble;
use super::row::{Cell, Row};
use super::template::trimmed;
use super::wishes::Wishes;

/// How one field is read.
#[derive(Debug, Clone)]
pub(super) struct ListRule {
    pub(super) column: String,
    pub(super) separator: Option<String>,
    pub(super) pair: Option<String>,
    pub(super) key: Option<String>,
    pub(super) key_field: String,
    pub(super) value_field: String,
    pub(super) malformed: Trouble,
    pub(super) missing: Trouble,
}

/// A tag as the field has it; `None` means a tag without a value.
type Found<'r> = (Cow<'r, str>, Option<Cow<'r, str>>);

impl ListRule {
    pub(super) fn apply(&self, row: &Row<'_>, emit: &Emit, wishes: &mut Wishes) -> Result<(), String> {
        let cell = match row.find(&self.column) {
            Some(cell) => cell,
            None if self.missing == Trouble::Skip => return Ok(()),
            None => return Err(row.lacks(&self.column)),
        };
        for found in self.read(cell) {
            match found {
                Ok((key, value)) => emit.ask(&key, value, wishes)?,
                Err(_) if self.malformed == Trouble::Skip => {}
                Err(why) => return Err(format!("field `{}`: {why}", self.column)),
            }
        }
        Ok(())
    }

    /// Every tag of a field; `Err` for an item that can't be read.
    fn read<'r>(&'r self, cell: Cell<'r>) -> Vec<Result<Found<'r>, String>> {
        match cell {
            Cell::Json(Json::Array(items)) => items.iter().filter_map(|item| self.element(item)).collect(),
            Cell::Json(Json::Object(map)) => map.iter().map(|(key, value)| pair_of(key, value)).collect(),
            cell => match cell.text() {
                Ok(Cow::Borrowed(text)) => self.split(text).map(|item| self.item(item)).collect(),
                // Texts that are not borrowed do not occur: numbers and words of JSON are one item each.
                Ok(Cow::Owned(_)) | Err(_) => Vec::new(),
            },
        }
    }

    /// The items of a text, trimmed. Empty ones, such as one after a last separator, are none.
    fn split<'r>(&'r self, text: &'r str) -> impl Iterator<Item = &'r str> + 'r {
        // A text has no item after its end, so `None` as separator gives the whole text.
        let whole = self.separator.is_none().then_some(text);
        let parts = self.separator.as_deref().map(|separator| text.split(separator));
        let items = whole.into_iter().chain(parts.into_iter().flatten());
        items.map(str::trim).filter(|item| !item.is_empty())
    }

    fn item<'r>(&'r self, item: &'r str) -> Result<Found<'r>, String> {
        if let Some(pair) = &self.pair {
            return match item.split_once(pair.as_str()) {
                Some((key, value)) if !key.trim().is_empty() => {
                    Ok((key.trim().into(), Some(value.trim().into())))
                }
                Some(_) => Err(format!("item `{item}` has no key before `{pair}`")),
                None => Err(format!("item `{item}` has no `{pair}` between key and value")),
            };
        }
        Ok(match &self.key {
            Some(key) => (key.as_str().into(), Some(item.into())),
            None => (item.into(), None),
        })
    }

    /// One item of a JSON list; null is none.
    fn element<'r>(&'r self, item: &'r Json) -> Option<Result<Found<'r>, String>> {
        match item {
            Json::Null => None,
            Json::Object(object) => Some(self.object(object)),
            Json::String(text) if text.trim().is_empty() => None,
            Json::String(text) => Some(self.item(text.trim())),
            Json::Number(number) => Some(self.item(number.as_str())),
            Json::Bool(_) | Json::Array(_) => Some(Err(format!("item `{item}` is neither a text nor a map"))),
        }
    }

    /// `{ key, value }`. Where the value is null or absent, the tag has none, as live tags do.
    fn object<'r>(&'r self, object: &'r serde_json::Map<String, Json>) -> Result<Found<'r>, String> {
        let read = |field: &str| object.get(field).map(|value| Cell::Json(value).text());
        let key = match read(&self.key_field) {
            Some(Ok(key)) if !key.trim().is_empty() => trimmed(key),
            Some(Ok(_)) => return Err(format!("an item's `{}` is empty", self.key_field)),
            Some(Err(what)) => return Err(format!("an item's `{}` is {what}", self.key_field)),
            None => return Err(self.no_key(object)),
        };
        match object.get(&self.value_field) {
            None | Some(Json::Null) => Ok((key, None)),
            Some(value) => value_of(key, value),
        }
    }

    fn no_key(&self, object: &serde_json::Map<String, Json>) -> String {
        let names: Vec<_> = object.keys().map(String::as_str).collect();
        format!(
            "an item has no `{}`; it has: {}; name the right ones with `key_field` and `value_field`",
            self.key_field,
            names.join(", ")
        )
    }
}

/// An entry of a JSON map.
fn pair_of<'r>(key: &'r str, value: &'r Json) -> Result<Found<'r>, String> {
    if key.trim().is_empty() {
        return Err("a key of the map is empty".to_owned());
    }
    value_of(key.trim().into(), value)
}

fn value_of<'r>(key: Cow<'r, str>, value: &'r Json) -> Result<Found<'r>, String> {
    match Cell::Json(value).text() {
        Ok(text) => Ok((key, Some(trimmed(text)))),
        Err(what) => Err(format!("the value of `{key}` is {what} and no text")),
    }
}
