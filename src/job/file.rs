//! The job file as it is written: one struct a table.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::connection_options::ConnectionOptions;
use super::lookup::LookupTable;
use super::options::{Collision, LossOptions, TimeSpan};
use super::source::SourceOptions;
use crate::mapping::{DocumentOptions, MatchOptions, TagOptions, TagsFrom};

/// A tagferry job: where rows come from, which tags they ask for, and where these go.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(title = "tagferry job")]
#[serde(deny_unknown_fields)]
pub struct JobFile {
    /// The job's name: letters, digits, `-`, `_` and `.`. Runs and the lock go by it.
    pub name: String,
    /// How old an observation of live tags may be when its changes are sent. Default `10m`.
    pub max_age: Option<TimeSpan>,
    /// Where rows come from.
    pub source: SourceOptions,
    /// Other files, and small tables of values, that templates look keys up in, by name: `{{ hosts[hostname].entity_id }}`.
    #[serde(default)]
    pub lookup: BTreeMap<String, LookupTable>,
    /// The entities to tag.
    pub target: TargetOptions,
    /// One tag each.
    #[serde(default)]
    pub tag: Vec<TagOptions>,
    /// Many tags each: from one cell, from many columns, or from a JSON list or map.
    #[serde(default)]
    pub tags_from: Vec<TagsFrom>,
    /// A whole definition a row, for kinds that are definitions, such as Dynatrace's `auto-tag`.
    pub document: Option<DocumentOptions>,
    /// What tags may lose where their target does not take them as they are.
    #[serde(default)]
    pub losses: LossOptions,
    /// When a plan or a run is stopped.
    #[serde(default)]
    pub guard: GuardOptions,
    /// The vendor accounts, by name.
    #[serde(default)]
    pub connections: BTreeMap<String, ConnectionOptions>,
}

/// The entities to tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetOptions {
    /// The connection they are reached by: a name of `[connections]`.
    pub connection: String,
    /// The vendor's word for what they are, such as `HOST`.
    pub kind: String,
    /// A template that gives a row's entity by the vendor's identifier. At least one of this, `match` and `entity_name`; of
    /// several, the first that finds a live entity counts, in this order.
    pub entity: Option<String>,
    /// A rule that leads from a row to its entity: two templates, `row` and `live`, that render the same text.
    #[serde(rename = "match")]
    pub matching: Option<MatchOptions>,
    /// A template that gives a row's entity by name, to be resolved against the live ones.
    pub entity_name: Option<String>,
    /// A file that says which entities are meant where that is not clear, and which are left out: a table with the columns
    /// `entity` and `decision`, as `tagferry review` writes it. It need not be there yet.
    pub decisions: Option<String>,
    /// What happens where rows disagree on one key of one entity. Default `fail`.
    #[serde(default)]
    pub collision: Collision,
    /// What stands between the values that `collision = "join"` joins. Default `,`.
    pub separator: Option<String>,
    /// How long a key that a tag `replaces` stays once the new tag is there; a later run takes it away. Default: it goes in
    /// the same run, as soon as the new tag was seen.
    pub dwell: Option<TimeSpan>,
}

/// When a plan or a run is stopped.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardOptions {
    /// The most tags removed or replaced by another value, as a number or as a share of the planned entities' manual
    /// tags. Default: 30 %, but never less than 10.
    pub max_changes: Option<Bound>,
    /// The most tags removed and not replaced, likewise. Default: no bound of its own.
    pub max_removals: Option<Bound>,
    /// The most entities that may be missing at the vendor, as a number or as a share of those that the inventory
    /// names. Default: 20 %, but never less than 10.
    pub max_missing: Option<Bound>,
    /// How many of the entities to change are changed before the run reads them back and goes on, wave after wave: numbers,
    /// or shares such as `1%`. After the last one all others follow. Default: no waves.
    pub waves: Vec<Bound>,
    /// The share of failed operations at which a run stops, once 100 are settled. Default: 50 %.
    pub breaker: Option<Bound>,
}

/// A bound: a number, or a share such as `30%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// So many.
    Number(u64),
    /// So many in a hundred, from 0 to 100.
    Percent(f64),
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BoundVisitor)
    }
}

struct BoundVisitor;

impl Visitor<'_> for BoundVisitor {
    type Value = Bound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a share such as \"30%\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Bound, E> {
        u64::try_from(number).map(Bound::Number).map_err(|_| {
            E::custom(format!(
                "`{number}` is less than nothing; write a number of at least 0"
            ))
        })
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Bound, E> {
        Ok(Bound::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bound, E> {
        share(text).map_err(E::custom)
    }
}

fn share(text: &str) -> Result<Bound, String> {
    text.trim()
        .strip_suffix('%')
        .and_then(|percent| percent.trim().parse::<f64>().ok())
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(Bound::Percent)
        .ok_or_else(|| format!("`{text}` is no share; write it like \"30%\", from \"0%\" to \"100%\""))
}

/// A bound of the command line, where a number needs no type of its own.
impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(number) => Ok(Self::Number(number)),
            Err(_) => share(text),
        }
    }
}

impl JsonSchema for Bound {
    fn schema_name() -> Cow<'static, str> {
        "Bound".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or a share such as `30%`.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^\\s*[0-9.]+\\s*%\\s*$" },
            ],
        })
    }
}
