//! How files are read: what a job's `[source]` says of them.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::InventoryError;

/// How an inventory is to be read. Only `file` is needed: everything else is detected, and the plan shows as what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A path or a pattern such as `exports/*.csv`, relative to the job file's folder; `-` is standard input. The files
    /// of a pattern are read in the order of their names, each with its own header.
    pub file: String,
    /// The format. By default the file's extension tells (`.gz` aside), and the first character where it does not.
    pub format: Option<Format>,
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
}

/// What an inventory is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Cells separated by a delimiter, with a header.
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// One JSON document that is a list of objects, or holds one.
    Json,
    /// One JSON object a line; also called NDJSON.
    Jsonl,
}

impl Format {
    /// What a file's name says, a final `.gz` left aside.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (_, extension) = name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.')?;
        match extension {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }

    /// What the beginning of a text looks like: a list is JSON, a line that is a whole object is JSON Lines.
    pub(super) fn of_text(sample: &[u8]) -> Self {
        let text = sample.trim_ascii_start();
        match text.first() {
            Some(b'[') => Self::Json,
            Some(b'{') => {
                let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next();
                let whole =
                    line.is_some_and(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok());
                if whole { Self::Jsonl } else { Self::Json }
            }
            _ => Self::Csv,
        }
    }

    fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
        })
    }
}

impl Options {
    /// Refuses an option that means nothing for the format: ignoring it would read something else than was asked for.
    pub(super) fn check(&self, file: &str, format: Format) -> Result<(), InventoryError> {
        let table = [
            (self.delimiter.is_some(), "delimiter"),
            (self.literal_quotes, "literal_quotes"),
            (!self.columns.is_empty(), "columns"),
        ];
        let json = [(self.items.is_some(), "items")];
        let alien: &[_] = match format {
            _ if format.is_table() => &json,
            Format::Json => &table,
            _ => &[table.as_slice(), json.as_slice()].concat(),
        };
        match alien.iter().find(|(given, _)| *given) {
            Some((_, option)) => Err(InventoryError::Option {
                file: file.into(),
                option,
                reason: format!("means nothing for {format}; leave it out or name another `format`"),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_the_format() {
        for (name, format) in [
            ("a.csv", Some(Format::Csv)),
            ("a.CSV.GZ", Some(Format::Csv)),
            ("a.b.tsv", Some(Format::Tsv)),
            ("a.json.gz", Some(Format::Json)),
            ("a.ndjson", Some(Format::Jsonl)),
            ("a.gz", None),
            ("a.txt", None),
            ("-", None),
        ] {
            assert_eq!(Format::of_name(name), format, "{name}");
        }
    }

    #[test]
    fn the_first_character_tells_the_format_where_the_name_does_not() {
        for (text, format) in [
            (" [\n{}]", Format::Json),
            ("{\"a\": 1}\n{\"a\": 2}", Format::Jsonl),
            ("{\n\"a\": [{}]}", Format::Json),
            ("a,b\n1,2", Format::Csv),
            ("", Format::Csv),
        ] {
            assert_eq!(Format::of_text(text.as_bytes()), format, "{text}");
        }
    }

    #[test]
    fn an_option_of_another_format_is_refused() {
        let items = Options {
            items: Some("rows".into()),
            ..Options::default()
        };
        let columns = Options {
            columns: vec!["a".into()],
            ..Options::default()
        };
        for (options, format, legal) in [
            (&items, Format::Json, true),
            (&items, Format::Csv, false),
            (&items, Format::Jsonl, false),
            (&columns, Format::Tsv, true),
            (&columns, Format::Json, false),
            (&columns, Format::Jsonl, false),
        ] {
            assert_eq!(options.check("x", format).is_ok(), legal, "{format} {options:?}");
        }
    }
}
