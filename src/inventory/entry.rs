//! What reading an inventory gives: its rows, what was detected about its files, and why it is refused.

use std::fmt;
use std::io;
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

/// An inventory can't be read, or not to its end. The job is refused: rows that nobody saw must not go missing.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The job names no file.
    #[error("the source names no `file`; give a path, a pattern or `-`")]
    NoFile,
    /// An option can't be used.
    #[error("{file}: option `{option}` {reason}")]
    Option {
        /// The file.
        file: Arc<str>,
        /// The option.
        option: &'static str,
        /// Why not, and what to do.
        reason: String,
    },
    /// A pattern is malformed.
    #[error("{pattern}: the pattern can't be understood")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A pattern matches nothing.
    #[error("{pattern}: no file matches the pattern")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// A file can't be opened or looked at.
    #[error("{file}: the file can't be opened")]
    Open {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// The path leads to a folder.
    #[error("{file}: is a folder; name a file in it, or a pattern such as `{file}/*.csv`")]
    Folder {
        /// The folder.
        file: String,
    },
    /// A file could be opened, and reading it failed.
    #[error("{file}:{line}: the file can't be read on")]
    Read {
        /// The file.
        file: Arc<str>,
        /// The line that was reached.
        line: u64,
        /// Why not.
        source: io::Error,
    },
    /// A table has nothing in it, not even a header.
    #[error("{file}: the file has no header: it is empty")]
    NoHeader {
        /// The file.
        file: Arc<str>,
    },
    /// The header can't be used.
    #[error("{file}:{line}: the header {reason}")]
    BadHeader {
        /// The file.
        file: Arc<str>,
        /// The header's line.
        line: u64,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A row is longer than any row should be.
    #[error("{file}:{line}: the row is longer than {} MiB; look for a quote or bracket that is never closed", limit >> 20)]
    TooLong {
        /// The file.
        file: Arc<str>,
        /// The line on which the row begins.
        line: u64,
        /// The longest row, in bytes.
        limit: usize,
    },
    /// A JSON document is malformed.
    #[error("{file}:{line}:{column}: the JSON is malformed: {reason}")]
    Syntax {
        /// The file.
        file: Arc<str>,
        /// The line of the error.
        line: u64,
        /// The character on that line.
        column: u64,
        /// What is wrong.
        reason: String,
    },
    /// A JSON document holds no list of rows where it should.
    #[error("{file}:{line}: {reason}")]
    NoList {
        /// The file.
        file: Arc<str>,
        /// The line.
        line: u64,
        /// What is there instead, and what to do.
        reason: String,
    },
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
