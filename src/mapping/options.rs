//! What a job file says about mapping: the tables `[[tag]]`, `[[tags_from]]` and `[document]`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::lookup::LookupOptions;
use crate::model::Rule;

/// How rows become wishes.
#[derive(Debug, Clone, PartialEq, Eq, DeriveDeserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Which entity a row is about.
    pub entity: Entity,
    /// One rule a tag.
    #[serde(default)]
    pub tags: Vec<TagOptions>,
    /// Rules that take many tags at once.
    #[serde(default)]
    pub tags_from: Vec<TagsFrom>,
    /// The whole definition that a row is or is made into, in place of tags.
    #[serde(default)]
    pub document: Option<DocumentOptions>,
    /// What templates look up, by name.
    #[serde(default)]
    pub lookups: BTreeMap<String, LookupOptions>,
}

/// How a row names its entity: templates, at least one, in the order in which they are tried. Results are trimmed; an empty
/// one tells nothing, and a row of which none tells anything is rejected.
#[derive(Debug, Clone, Default, PartialEq, Eq, DeriveDeserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Entity {
    /// The vendor's identifier.
    pub id: Option<String>,
    /// The declared rule.
    pub matching: Option<MatchOptions>,
    /// A name, to be resolved against the live entities.
    pub name: Option<String>,
}

impl Entity {
    /// By the vendor's identifier alone.
    pub fn by_id(template: impl Into<String>) -> Self {
        Self {
            id: Some(template.into()),
            ..Self::default()
        }
    }

    /// Whether the live entities have to be listed to find those of the rows.
    pub fn needs_listing(&self) -> bool {
        self.matching.is_some() || self.name.is_some()
    }
}

/// A rule that leads from a row to its entity: two templates that render the same text.
#[derive(Debug, Clone, PartialEq, Eq, DeriveDeserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchOptions {
    /// A template over the row.
    pub row: String,
    /// A template over the record of a live entity, `{ id, name, kind, tags }` with `tagged`, such as
    /// `{{ tagged['asset-id'] }}`. A definition has no `tags`, since listings do not tell what it is.
    pub live: String,
}

/// One tag: templates for its key and value, and when and how it is meant.
#[derive(Debug, Clone, PartialEq, Eq, DeriveDeserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagOptions {
    /// The key: plain text or a template. Trimmed.
    pub key: String,
    /// The value: plain text or a template, trimmed. Left out, the tag has no value; with `action = "remove"`, every value of the key goes.
    #[serde(default)]
    pub value: Option<String>,
    /// An expression; the tag is asked for only where it holds. A column's name alone means that its cell is not empty.
    #[serde(default)]
    pub when: Option<String>,
    /// How the tag is meant.
    #[serde(default)]
    pub action: Rule,
    /// The key that this tag takes the place of: its tags go from an entity once this one is seen there.
    #[serde(default)]
    pub replaces: Option<String>,
    /// What an empty value does.
    #[serde(default)]
    pub empty: Empty,
}

/// Many tags from one cell, from many columns, or from a list or map of a JSON record.
#[derive(Debug, Clone, Default, PartialEq, Eq, DeriveDeserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TagsFrom {
    /// The field that holds the tags: its name, or a JSON pointer such as `/fields/tags`.
    pub column: Option<String>,
    /// The columns whose names are keys and whose cells are values: a list of names, or `"*"` for all.
    pub columns: Option<Columns>,
    /// What separates the items of a text; left out, the whole cell is one item. Lists of JSON need none.
    pub separator: Option<String>,
    /// What separates key and value in an item, split where it first occurs.
    pub pair: Option<String>,
    /// A regular expression in place of `pair`, which the whole item must match: its group `key` is the key, its group `value`,
    /// where it has one, the value. Tags of JSON lists that have no value are read by it too, so that plain strings become
    /// keys and values: `(?<key>[^-]+)-(?<value>.+)`.
    pub pattern: Option<String>,
    /// The key of which every item is a value; without `key` and `pair` each item is a tag without a value.
    pub key: Option<String>,
    /// The field that holds the key in a list of objects (default `key`).
    pub key_field: Option<String>,
    /// The field that holds the value in a list of objects (default `value`).
    pub value_field: Option<String>,
    /// A template of the key, over `key` and `value` as they were found and everything else that templates see. The order is:
    /// `pattern` or `pair`, `only` and `except`, `key_as` and `value_as`, then `rename` and `prefix`.
    pub key_as: Option<String>,
    /// A template of the value, likewise: `{{ value | lower }}`, or `{{ stages.get(value, value) }}` by a table. An empty text
    /// (`""`) leaves the tags without a value; what else renders empty follows `empty`.
    pub value_as: Option<String>,
    /// New names of keys, as `key_as` gives them. A renamed key gets no `prefix`.
    pub rename: BTreeMap<String, String>,
    /// What is put before every key that is not renamed.
    pub prefix: String,
    /// The only keys to take, as the source spells them.
    pub only: Option<Vec<String>>,
    /// Keys to leave out, as the source spells them.
    pub except: Vec<String>,
    /// How the tags are meant.
    pub action: Rule,
    /// What an empty value does.
    pub empty: Empty,
    /// What an item does that can't be read, such as one without the `pair` separator or one that `pattern` does not match.
    pub malformed: Trouble,
    /// What a row does that does not have the field at all.
    pub missing: Trouble,
}

/// A whole definition, such as an auto-tag: the row itself, which must be a JSON object, or what a template makes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, DeriveDeserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentOptions {
    /// A template that renders the definition as a JSON object; `{{ name | tojson }}` writes a field with its quotes. Left
    /// out, the row itself is the definition.
    pub json: Option<String>,
    /// Fields of the row that are not part of the definition.
    pub except: Vec<String>,
    /// An expression; the definition is asked for only where it holds.
    pub when: Option<String>,
    /// `set` puts it, `fill` only where there is none of the identifier or name, `update` only where there is one, and
    /// `remove` deletes it.
    pub action: Rule,
}

/// What an empty key or value does. An empty key can't be removed or set, so `remove` and `bare` skip it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, DeriveDeserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Empty {
    /// Nothing is asked for, and the cell is counted.
    #[default]
    Skip,
    /// The row is rejected.
    Reject,
    /// Every value of the key is removed.
    Remove,
    /// The tag is meant without a value.
    Bare,
}

/// What something unusable does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, DeriveDeserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trouble {
    /// The row is rejected.
    #[default]
    Reject,
    /// It is passed over.
    Skip,
}

/// Which columns hold values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// Every column of the row: `"*"`.
    All,
    /// These.
    Named(Vec<String>),
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnsVisitor)
    }
}

struct ColumnsVisitor;

impl<'de> Visitor<'de> for ColumnsVisitor {
    type Value = Columns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names, or \"*\" for all columns")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Columns, E> {
        if text == "*" {
            return Ok(Columns::All);
        }
        Err(E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Columns, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        Ok(Columns::Named(names))
    }
}

impl JsonSchema for Columns {
    fn schema_name() -> Cow<'static, str> {
        "Columns".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A list of names, or `*` for all columns.",
            "anyOf": [
                { "type": "string", "const": "*" },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_a_list_or_a_star() {
        let read = |text: &str| serde_json::from_str::<Columns>(text);
        assert_eq!(read("\"*\"").unwrap(), Columns::All);
        assert_eq!(read("[\"a\"]").unwrap(), Columns::Named(vec!["a".into()]));
        let refused = read("\"a\"").unwrap_err().to_string();
        assert!(refused.contains("expected a list of names"), "{refused}");
    }

    #[test]
    fn an_unknown_key_of_a_tag_is_refused() {
        let refused = serde_json::from_str::<TagOptions>(r#"{"key": "a", "vaule": "b"}"#).unwrap_err();
        assert!(refused.to_string().contains("unknown field `vaule`"), "{refused}");
    }
}
