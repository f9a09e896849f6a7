//! One row of an inventory, with the place that it came from.

use std::fmt;
use std::sync::Arc;

/// Where a record stands: the file as the user named it, and the line on which the record begins (from 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The file, or `-` for standard input.
    pub file: Arc<str>,
    /// The line, counted in the file's own line breaks (`\n`, `\r\n` or a lone `\r`).
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The columns of a table, shared by its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The names in file order.
    pub names: Vec<String>,
}

/// The fields of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Fields {
    /// A row of a table.
    Table {
        /// The names.
        header: Arc<Header>,
        /// The cells, as many as there are names.
        row: csv::StringRecord,
    },
    /// A JSON object. Numbers keep the text they were written with.
    Object(serde_json::Map<String, serde_json::Value>),
}

/// One row of an inventory.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it stands.
    pub origin: Origin,
    /// What it says.
    pub fields: Fields,
}

impl Fields {
    /// The names of the fields, in the order in which they were written.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Table { header, .. } => header.names.iter().map(String::as_str).collect(),
            Self::Object(object) => object.keys().map(String::as_str).collect(),
        }
    }
}
