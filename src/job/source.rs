//! The `[source]` table: files, or the live entities of a connection.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::check::Check;
use super::connection;
use super::file::JobFile;
use super::options::{InventoryOptions, SourceFormat};
use crate::select::{Filter, FilterError};

/// Where rows come from: files, named by `file`, or the live entities of a `connection`. What is left out about files is
/// detected, and the plan shows as what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceOptions {
    /// A path or a pattern such as `exports/*.csv`, relative to the job file's folder; `-` is standard input. The files
    /// of a pattern are read in the order of their names, each with its own header.
    pub file: Option<String>,
    /// The format. By default the file's extension tells (`.gz` aside), and the first character where it does not.
    pub format: Option<SourceFormat>,
    /// The encoding, such as `windows-1252` or `shift_jis`: a label of the WHATWG Encoding Standard. By default UTF-8.
    /// A byte order mark overrides it.
    pub encoding: Option<String>,
    /// The character between cells, one of ASCII. By default detected among `,`, `;`, tab and `|`.
    pub delimiter: Option<char>,
    /// Whether a double quote is a character like any other, rather than the mark that encloses a cell.
    pub literal_quotes: bool,
    /// The names of the columns, for tables without a header: the first line is then a row. To replace a header, skip
    /// it with `skip_lines = 1`.
    pub columns: Vec<String>,
    /// How many lines to leave out at the beginning of each file, before the header.
    pub skip_lines: u64,
    /// Where the list of rows is inside a JSON document: the name of a member, or a JSON pointer such as `/data/hosts`.
    pub items: Option<String>,
    /// In place of `file`: a name of `[connections]`, whose live entities are the rows.
    pub connection: Option<String>,
    /// With `connection`: the vendor's word for what they are, such as `HOST`. By default that of the target, where this is
    /// its connection.
    pub kind: Option<String>,
    /// With `connection`: a pattern for their names, such as `web-*`. By default all.
    pub name: Option<String>,
    /// With `connection`: further criteria in the vendor's own words, where it has some, such as
    /// `mzName("web"),healthState("HEALTHY")` of a Dynatrace entity selector.
    pub selector: Option<String>,
    /// With `connection`: a tag that they carry, as `KEY` or `KEY=VALUE`, or a list of which all must be carried.
    pub tag: Option<OneOrMany>,
}

/// Where the rows of a job come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From files.
    Files(InventoryOptions),
    /// From a vendor.
    Live(LiveSource),
}

/// The live entities of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSource {
    /// A name of [`super::Job::connections`].
    pub connection: String,
    /// The vendor's word for what they are.
    pub kind: String,
    /// Which of them.
    pub filter: Filter,
}

/// A text, or a list of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<String>);

/// The keys that go with `file` alone.
const OF_FILES: [&str; 7] = [
    "format",
    "encoding",
    "delimiter",
    "literal_quotes",
    "columns",
    "skip_lines",
    "items",
];

/// The keys that go with `connection` alone.
const OF_CONNECTIONS: [&str; 4] = ["kind", "name", "selector", "tag"];

/// Checks the table and builds what it says; `None` when it can't be used.
pub(super) fn build(file: &JobFile, check: &mut Check<'_>) -> Option<Source> {
    if !check.has(&["source"]) {
        return None; // That is told already.
    }
    match (
        check.has(&["source", "connection"]),
        check.has(&["source", "file"]),
    ) {
        (true, true) => {
            let message = "`file` and `connection` are both given; keep the one that the rows come from";
            check.key(&["source", "connection"], message);
            None
        }
        (true, false) => {
            alien(&OF_FILES, "is for files, and goes with no `connection`", check)?;
            live(file, check).map(Source::Live)
        }
        (false, _) => {
            alien(
                &OF_CONNECTIONS,
                "goes with `connection` only, and not with files",
                check,
            )?;
            files(&file.source, check).map(Source::Files)
        }
    }
}

/// Blames the keys that mean nothing here; `None` when there are any.
fn alien(keys: &[&str], why: &str, check: &mut Check<'_>) -> Option<()> {
    let found: Vec<_> = keys.iter().filter(|key| check.has(&["source", key])).collect();
    for key in &found {
        check.key(&["source", key], format!("`{key}` {why}; leave it out"));
    }
    found.is_empty().then_some(())
}

fn files(source: &SourceOptions, check: &mut Check<'_>) -> Option<InventoryOptions> {
    let path = ["source", "file"];
    let file = source.file.clone().filter(|file| !file.is_empty());
    if file.is_none() && check.is_usable(&path) {
        check.value(&path, "`file` is empty; give a path, or `-` for standard input");
    } else if file.is_none() && !check.has(&path) {
        let message =
            "missing key `file` in `source`; `-` is standard input, and `connection` reads live tags";
        check.value(&path, message);
    }
    Some(InventoryOptions {
        file: file?,
        format: source.format,
        encoding: source.encoding.clone(),
        delimiter: source.delimiter,
        literal_quotes: source.literal_quotes,
        columns: source.columns.clone(),
        skip_lines: source.skip_lines,
        items: source.items.clone(),
    })
}

fn live(file: &JobFile, check: &mut Check<'_>) -> Option<LiveSource> {
    let SourceOptions {
        connection,
        kind,
        name,
        selector,
        tag,
        ..
    } = &file.source;
    let connection = connection.as_ref()?;
    if !check.has(&["connections", connection]) {
        let message = connection::undefined(connection, file.connections.keys());
        check.value(&["source", "connection"], message);
        return None;
    }
    let kind = kind.as_deref().map(str::trim);
    let of_target = (file.target.connection == *connection).then(|| file.target.kind.trim());
    let Some(kind) = kind.or(of_target).filter(|kind| !kind.is_empty()) else {
        let message = "no kind; give the vendor's word for what is read, such as `kind = \"HOST\"`";
        check.value(&["source", "kind"], message);
        return None;
    };
    let filter = Filter::parse(
        name.as_deref(),
        tag.as_ref().map_or(&[], |tags| tags.0.as_slice()),
    );
    let filter = filter.map_err(|error| {
        let key = match &error {
            FilterError::Name { .. } => "name",
            FilterError::Tag(_) => "tag",
        };
        check.value(&["source", key], format!("`{key}`: {error}"));
    });
    Some(LiveSource {
        connection: connection.clone(),
        kind: kind.to_owned(),
        filter: filter.ok()?.selecting(selector.as_deref()),
    })
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(OneOrMany(texts))
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, or a list of texts.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}
