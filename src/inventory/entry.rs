//! What reading an inventory gives: its rows, and what was detected about its files.

use std::fmt;
use std::sync::Arc;

use super::Format;
use crate::model::{Header, Origin, Record};

/// One row of an inventory, usable or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A row.
    Record(Record),
    /// A row that can't be used. The ones after it can.
    Bad {
        /// Where it begins.
        origin: Origin,
        /// What is wrong with it and what to do, as a fragment of a sentence without the position.
        reason: String,
    },
}

/// What was detected about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The file as the user named it, or `-`.
    pub file: Arc<str>,
    /// Its format.
    pub format: Format,
    /// What its text was decoded from, by the name that the Encoding Standard gives it.
    pub encoding: &'static str,
    /// Whether it was decompressed.
    pub gzip: bool,
    /// What separates its cells; `None` for JSON.
    pub delimiter: Option<char>,
    /// Its columns; `None` for JSON.
    pub header: Option<Arc<Header>>,
}

impl fmt::Display for FileFacts {
    /// One line, such as `hosts.csv: csv, UTF-8, delimiter `;`, 12 columns`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.file, self.format, self.encoding)?;
        if self.gzip {
            f.write_str(", gzip")?;
        }
        if let Some(delimiter) = self.delimiter {
            write!(f, ", delimiter `{}`", delimiter.escape_default())?;
        }
        match self.header.as_ref().map(|header| header.names.len()) {
            Some(1) => f.write_str(", 1 column"),
            Some(n_columns) => write!(f, ", {n_columns} columns"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_one_line() {
        let header = |names: &[&str]| {
            Some(Arc::new(Header {
                names: names.iter().map(ToString::to_string).collect(),
            }))
        };
        let facts = |format, gzip, delimiter, header| FileFacts {
            file: "in/hosts".into(),
            format,
            encoding: "UTF-8",
            gzip,
            delimiter,
            header,
        };
        for (facts, line) in [
            (
                facts(Format::Csv, false, Some(';'), header(&["a", "b"])),
                "in/hosts: csv, UTF-8, delimiter `;`, 2 columns",
            ),
            (
                facts(Format::Tsv, true, Some('\t'), header(&["a"])),
                "in/hosts: tsv, UTF-8, gzip, delimiter `\\t`, 1 column",
            ),
            (facts(Format::Jsonl, false, None, None), "in/hosts: jsonl, UTF-8"),
        ] {
            assert_eq!(facts.to_string(), line);
        }
    }
}
