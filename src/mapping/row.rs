//! A record as templates and rules see it: fields by name, and the text of a cell.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use hashbrown::HashMap;
use minijinja::Value;

use super::engine;
use super::lookup::{Lookups, Missed};
use super::nearest;
use super::template::trimmed;
use crate::model::{Fields, Header, Record};

/// How many field names an error lists.
const LISTED: usize = 20;

/// Where the columns of a header stand.
#[derive(Debug, Clone)]
pub(super) struct Index {
    header: Arc<Header>,
    places: HashMap<String, usize>,
}

impl Index {
    /// The index of a record's header: the one at hand while the header is the same, else a new one. A name that
    /// occurs twice means its first column.
    pub(super) fn of(record: &Record, at_hand: &mut Option<Arc<Self>>) -> Option<Arc<Self>> {
        let Fields::Table { header, .. } = &record.fields else {
            return None;
        };
        if !at_hand
            .as_ref()
            .is_some_and(|index| Arc::ptr_eq(&index.header, header))
        {
            let names = header.names.iter().enumerate().rev();
            *at_hand = Some(Arc::new(Self {
                header: Arc::clone(header),
                places: names.map(|(place, name)| (name.clone(), place)).collect(),
            }));
        }
        at_hand.clone()
    }

    /// Where the column of a name stands, from 0.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.header.names
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'r> {
    Text(&'r str),
    Json(&'r serde_json::Value),
}

impl<'r> Cell<'r> {
    /// Its text: null is empty, numbers keep the text they were written with. `Err` says what it is instead.
    pub(super) fn text(self) -> Result<Cow<'r, str>, &'static str> {
        use serde_json::Value as Json;
        Ok(match self {
            Self::Text(text) => text.into(),
            Self::Json(Json::String(text)) => text.as_str().into(),
            Self::Json(Json::Null) => "".into(),
            Self::Json(Json::Bool(yes)) => if *yes { "true" } else { "false" }.into(),
            Self::Json(Json::Number(number)) => number.as_str().into(),
            Self::Json(Json::Array(_)) => return Err("a list"),
            Self::Json(Json::Object(_)) => return Err("a map"),
        })
    }
}

/// What becomes of blanks around a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blanks {
    /// They go: people and spreadsheets leave them by mistake.
    Trimmed,
    /// They stay: a live tag is what it is, and another one without them.
    Kept,
}

impl Blanks {
    /// The text with or without them.
    pub(super) fn of(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Trimmed => trimmed(text),
            Self::Kept => text,
        }
    }
}

/// The names under which templates of a `[[tags_from]]` see the tag that was found; the columns of these names are
/// `row["key"]` and `row["value"]` there.
pub(super) const TAG: [&str; 2] = ["key", "value"];

/// A tag of a row that was found, while templates are rendered for it.
#[derive(Debug, Clone, Copy)]
struct OfTag<'r> {
    row: &'r Row<'r>,
    key: &'r str,
    value: &'r str,
}

/// The columns of an exported table, and the fields of a live record.
const EXPORTED: (&[&str], &[&str]) = (
    &["id", "name", "kind", "key", "value", "context"],
    &["id", "name", "kind", "tags"],
);

/// A record with the index of its header, and its engine value once that is needed.
#[derive(Debug)]
pub(super) struct Row<'r> {
    fields: &'r Fields,
    index: Option<Arc<Index>>,
    lookups: Arc<Lookups>,
    missed: Missed,
    tag: Option<OfTag<'r>>,
    value: OnceCell<Value>,
}

impl<'r> Row<'r> {
    /// A row where nothing can be looked up.
    pub(super) fn new(record: &'r Record, index: Option<Arc<Index>>) -> Self {
        Self::with_lookups(record, index, Arc::default())
    }

    /// A row with what its templates can look up.
    pub(super) fn with_lookups(record: &'r Record, index: Option<Arc<Index>>, lookups: Arc<Lookups>) -> Self {
        Self {
            fields: &record.fields,
            index,
            lookups,
            missed: Missed::default(),
            tag: None,
            value: OnceCell::new(),
        }
    }

    /// The row as templates see it for one of its tags.
    pub(super) fn with_tag<'t>(&'t self, key: &'t str, value: &'t str) -> Row<'t> {
        Row {
            fields: self.fields,
            index: self.index.clone(),
            lookups: Arc::clone(&self.lookups),
            missed: self.missed.clone(),
            tag: Some(OfTag {
                row: self,
                key,
                value,
            }),
            value: OnceCell::new(),
        }
    }

    /// Whether a name is that of a lookup.
    pub(super) fn can_look_up(&self, name: &str) -> bool {
        self.lookups.has(name)
    }

    /// What its templates asked lookups for in vain.
    pub(super) fn missed(&self) -> &Missed {
        &self.missed
    }

    /// What a name means in a template: a part of the tag at hand, or the field of that name.
    pub(super) fn get(&self, name: &str) -> Option<Cell<'r>> {
        match (self.tag, name) {
            (Some(tag), "key") => Some(Cell::Text(tag.key)),
            (Some(tag), "value") => Some(Cell::Text(tag.value)),
            _ => self.field(name),
        }
    }

    /// The field of a name.
    pub(super) fn field(&self, name: &str) -> Option<Cell<'r>> {
        lookup(self.fields, self.index.as_deref(), name)
    }

    /// The field of a name, or of a JSON pointer where no field has that very name.
    pub(super) fn find(&self, name: &str) -> Option<Cell<'r>> {
        match self.fields {
            Fields::Object(object) => found(object, name).map(Cell::Json),
            Fields::Table { .. } => self.field(name),
        }
    }

    /// What becomes of blanks around its texts. A live record and what `export` has written are taken to the letter.
    pub(super) fn blanks(&self) -> Blanks {
        let exported = match self.fields {
            Fields::Table { header, .. } => header.names == EXPORTED.0,
            Fields::Object(object) => object.keys().eq(EXPORTED.1),
        };
        if exported { Blanks::Kept } else { Blanks::Trimmed }
    }

    /// Every field with its name, in the order in which they were written.
    pub(super) fn cells(&self) -> Vec<(&'r str, Cell<'r>)> {
        match self.fields {
            Fields::Table { header, row } => header
                .names
                .iter()
                .map(String::as_str)
                .zip(row.iter().map(Cell::Text))
                .collect(),
            Fields::Object(object) => object
                .iter()
                .map(|(name, value)| (name.as_str(), Cell::Json(value)))
                .collect(),
        }
    }

    /// The row as a JSON object, without some of its fields. `Err` says why it is none.
    pub(super) fn document(&self, except: &[String]) -> Result<serde_json::Value, String> {
        let Fields::Object(object) = self.fields else {
            return Err("a row of a table is no definition; give `json`, a template of one".to_owned());
        };
        if let Some(name) = except.iter().find(|name| !object.contains_key(*name)) {
            return Err(format!("`except`: {}", self.lacks(name)));
        }
        let kept = object.iter().filter(|(name, _)| !except.contains(name));
        Ok(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The row as the engine sees it. It owns its cells, because the engine's values may outlive a borrow.
    pub(super) fn value(&self) -> Value {
        let value = self.value.get_or_init(|| match self.tag {
            // The row's own value is made once for all its tags.
            Some(OfTag { row, key, value }) => Value::from_object(engine::EngineTag {
                row: row.value(),
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            None => Value::from_object(engine::EngineRow {
                fields: self.fields.clone(),
                index: self.index.clone(),
                lookups: Arc::clone(&self.lookups),
                missed: self.missed.clone(),
            }),
        });
        value.clone()
    }

    /// Says that a field is not there, which ones are, and which was probably meant.
    pub(super) fn lacks(&self, name: &str) -> String {
        let names = self.fields.names();
        let mut listed = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
        if names.len() > LISTED {
            listed = format!("{listed} and {} more", names.len() - LISTED);
        }
        let hint = nearest(name, names.into_iter().chain(self.lookups.names()))
            .map(|near| format!(" (did you mean `{near}`?)"))
            .unwrap_or_default();
        format!("no field `{name}` in this row; it has: {listed}{hint}")
    }
}

/// The field of a name.
pub(super) fn lookup<'r>(fields: &'r Fields, index: Option<&Index>, name: &str) -> Option<Cell<'r>> {
    match fields {
        Fields::Table { row, .. } => row.get(index?.place(name)?).map(Cell::Text),
        Fields::Object(object) => object.get(name).map(Cell::Json),
    }
}

/// The member of a name, or of a JSON pointer where no member has that very name.
pub(super) fn found<'r>(
    object: &'r serde_json::Map<String, serde_json::Value>,
    name: &str,
) -> Option<&'r serde_json::Value> {
    object.get(name).or_else(|| pointed(object, name))
}

/// Follows a JSON pointer (RFC 6901) into an object, without building a value of it.
fn pointed<'r>(
    object: &'r serde_json::Map<String, serde_json::Value>,
    pointer: &str,
) -> Option<&'r serde_json::Value> {
    let path = pointer.strip_prefix('/')?;
    let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    object
        .get(&first.replace("~1", "/").replace("~0", "~"))?
        .pointer(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mapper::tests::{object, table};

    #[test]
    fn a_field_is_found_by_name_and_by_pointer() {
        let record = object(r#"{"a": {"b/c": [1, 2.50]}, "/x": "y", "n": null}"#);
        let row = Row::new(&record, None);
        let text = |name: &str| row.find(name).map(|cell| cell.text().map(Cow::into_owned));
        assert_eq!(text("/a/b~1c/1"), Some(Ok("2.50".to_owned())));
        assert_eq!(text("/x"), Some(Ok("y".to_owned())));
        assert_eq!(text("n"), Some(Ok(String::new())));
        assert_eq!(text("a"), Some(Err("a map")));
        assert_eq!(text("/a/z"), None);
        assert_eq!(text("z"), None);
    }

    #[test]
    fn a_missing_field_is_told_with_those_that_are_there() {
        let record = table(&["host", "owner"], &["h", "o"]);
        let row = Row::new(&record, None);
        assert_eq!(
            row.lacks("onwer"),
            "no field `onwer` in this row; it has: host, owner (did you mean `owner`?)"
        );
        assert_eq!(
            row.lacks("zzz"),
            "no field `zzz` in this row; it has: host, owner"
        );
    }

    #[test]
    fn a_doubled_column_means_its_first_and_a_new_header_a_new_index() {
        let mut at_hand = None;
        for (record, want) in [
            (table(&["a", "a"], &["1", "2"]), "1"),
            (table(&["b", "a"], &["1", "2"]), "2"),
        ] {
            let index = Index::of(&record, &mut at_hand);
            let row = Row::new(&record, index);
            assert_eq!(row.get("a").unwrap().text().unwrap(), want);
        }
    }
}
