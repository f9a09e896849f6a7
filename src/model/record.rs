//! One row of an inventory, with the place that it came from.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Where a record stands: the file as the user named it with the line on which the record begins, or, for a live entity,
/// the connection and kind with its identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The file, or `-` for standard input; of a live entity its connection and kind, such as `prod:HOST`.
    pub file: Arc<str>,
    /// The line from 1, counted in the file's own line breaks (`\n`, `\r\n` or a lone `\r`); of a live entity its place
    /// in the listing.
    pub line: u64,
    /// The vendor's identifier of a live entity; `None` for what stands in a file.
    pub id: Option<Arc<str>>,
}

impl Origin {
    /// What reports show in their columns for file and line: a live entity is named whole, and stands on no line.
    pub fn columns(&self) -> (Cow<'_, str>, Option<u64>) {
        match &self.id {
            Some(_) => (self.to_string().into(), None),
            None => (Cow::Borrowed(&self.file), Some(self.line)),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{}/{id}", self.file),
            None => write!(f, "{}:{}", self.file, self.line),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_names_a_line_of_a_file_or_a_live_entity() {
        let origin = |file: &str, id: Option<&str>| Origin {
            file: file.into(),
            line: 17,
            id: id.map(Into::into),
        };
        assert_eq!(origin("hosts.csv", None).to_string(), "hosts.csv:17");
        let live = origin("prod:HOST", Some("HOST-1"));
        assert_eq!(live.to_string(), "prod:HOST/HOST-1");
        assert_eq!(live.columns(), ("prod:HOST/HOST-1".into(), None));
        assert_eq!(
            origin("hosts.csv", None).columns(),
            ("hosts.csv".into(), Some(17))
        );
    }
}
