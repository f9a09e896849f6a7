//! The inventory as one stream of entries, whatever files and formats it is made of.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::vec;

use encoding_rs::{Encoding, REPLACEMENT};

use super::document::Document;
use super::files::{self, Place};
use super::json_lines::JsonLines;
use super::source::{self, Digest, Reading};
use super::table::Table;
use super::{Format, Options};
use crate::model::{Header, Origin, Record};

/// Opens an inventory. Relative paths are relative to `base`, the job file's folder.
///
/// All files are looked up at once and the first is opened, so that what is plainly wrong is said before any row; the
/// others are opened when their turn comes.
pub fn open(options: &Options, base: &Path) -> Result<Inventory, InventoryError> {
    let encoding = options
        .encoding
        .as_deref()
        .map(|label| known(&options.file, label))
        .transpose()?;
    let mut inventory = Inventory {
        places: files::list(&options.file, base)?.into_iter(),
        options: options.clone(),
        encoding,
        rows: None,
        facts: Vec::new(),
        digests: Vec::new(),
    };
    inventory.open_next()?;
    Ok(inventory)
}

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

/// A stream of entries. After an `Err` it ends.
pub struct Inventory {
    places: vec::IntoIter<Place>,
    options: Options,
    encoding: Option<&'static Encoding>,
    rows: Option<Rows>,
    facts: Vec<FileFacts>,
    digests: Vec<Digest>,
}

/// The rows of one file.
enum Rows {
    Table(Table),
    Document(Document),
    Lines(JsonLines),
}

impl Inventory {
    /// What was detected about each file, in the order in which they are read: those that were opened so far, and all
    /// of them after the last entry. A file that was refused has none.
    pub fn facts(&self) -> &[FileFacts] {
        &self.facts
    }

    /// A BLAKE3 digest of the bytes that were read, final after the last entry. For one file it is what `b3sum FILE`
    /// prints; for several, what `b3sum FILE… | b3sum` does.
    pub fn digest(&self) -> String {
        if let [only] = self.digests.as_slice() {
            return only.hex();
        }
        let mut all = blake3::Hasher::new();
        for (digest, facts) in self.digests.iter().zip(&self.facts) {
            all.update(format!("{}  {}\n", digest.hex(), facts.file).as_bytes());
        }
        all.finalize().to_hex().to_string()
    }

    /// Opens the next file, if there is one.
    fn open_next(&mut self) -> Result<(), InventoryError> {
        self.rows = None;
        let Some(place) = self.places.next() else {
            return Ok(());
        };
        let file = &place.name;
        let digest = Digest::default();
        let reading = Reading {
            encoding: self.encoding,
            gzip: place.is_gzip(),
            skip_lines: self.options.skip_lines,
        };
        let text = source::text(bytes(&place)?, reading, &digest).map_err(|failed| InventoryError::Read {
            file: file.clone(),
            line: failed.line,
            source: failed.error,
        })?;
        let format = self.options.format.or_else(|| Format::of_name(file));
        let format = format.unwrap_or_else(|| Format::of_text(&text.sample));
        self.options.check(file, format)?;
        let mut facts = FileFacts {
            file: file.clone(),
            format,
            encoding: text.encoding,
            gzip: text.gzip,
            delimiter: None,
            header: None,
        };
        self.rows = Some(match format {
            Format::Csv | Format::Tsv => {
                let table = Table::open(file, text, format, &self.options)?;
                facts.delimiter = Some(char::from(table.delimiter()));
                facts.header = Some(table.header().clone());
                Rows::Table(table)
            }
            Format::Json => Rows::Document(Document::open(file, text, self.options.items.as_deref())?),
            Format::Jsonl => Rows::Lines(JsonLines::open(file, text)),
        });
        self.facts.push(facts);
        self.digests.push(digest);
        Ok(())
    }

    fn close(&mut self) {
        self.rows = None;
        self.places = Vec::new().into_iter();
    }
}

impl Iterator for Inventory {
    type Item = Result<Entry, InventoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.rows.as_mut()? {
                Rows::Table(table) => table.next(),
                Rows::Document(document) => document.next(),
                Rows::Lines(lines) => lines.next(),
            };
            let entry = match entry {
                Some(entry) => entry,
                None => match self.open_next() {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
            };
            if entry.is_err() {
                self.close();
            }
            return Some(entry);
        }
    }
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory")
            .field("options", &self.options)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

fn bytes(place: &Place) -> Result<Box<dyn Read + Send>, InventoryError> {
    Ok(match &place.path {
        None => Box::new(io::stdin()),
        Some(path) => Box::new(File::open(path).map_err(|source| InventoryError::Open {
            file: place.name.to_string(),
            source,
        })?),
    })
}

/// The encoding of a label. Those that the Encoding Standard replaces for safety can't be read.
fn known(file: &str, label: &str) -> Result<&'static Encoding, InventoryError> {
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT).ok_or_else(|| {
        InventoryError::Option {
            file: file.into(),
            option: "encoding",
            reason: format!("is `{label}`, which is no known encoding; use a label such as `utf-8`, `utf-16le` or `windows-1252`"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Fields;
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// Each entry in one line: `LINE a=1 b=2` or `LINE bad: REASON`; an error ends it.
    fn told(options: &Options, base: &Path) -> Vec<String> {
        let inventory = match open(options, base) {
            Ok(inventory) => inventory,
            Err(error) => return vec![error.to_string()],
        };
        inventory
            .map(|entry| match entry {
                Ok(Entry::Record(Record { origin, fields })) => format!("{} {}", origin.line, shown(&fields)),
                Ok(Entry::Bad { origin, reason }) => format!("{} bad: {reason}", origin.line),
                Err(error) => error.to_string(),
            })
            .collect()
    }

    fn shown(fields: &Fields) -> String {
        match fields {
            Fields::Table { header, row } => {
                let cells = header.names.iter().zip(row);
                cells
                    .map(|(name, cell)| format!("{name}={cell}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Fields::Object(object) => serde_json::to_string(object).unwrap(),
        }
    }

    fn read(name: &str, bytes: &[u8], options: Options) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        told(
            &Options {
                file: name.to_owned(),
                ..options
            },
            folder.path(),
        )
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_format_gives_rows_with_their_lines() {
        for (name, text, rows) in [
            ("a.csv", "a,b\n1,2\n\n3,4", &["2 a=1 b=2", "4 a=3 b=4"][..]),
            ("a.tsv", "a\tb\n1\t2\n", &["2 a=1 b=2"]),
            (
                "a.json",
                "[\n {\"a\": 1},\n {\n\"b\": 2.50}\n]\n",
                &["2 {\"a\":1}", "3 {\"b\":2.50}"],
            ),
            (
                "a.jsonl",
                "{\"a\":1}\n\n{\"a\":}\n{\"a\":3}",
                &[
                    "1 {\"a\":1}",
                    "3 bad: is no JSON at character 6: expected value",
                    "4 {\"a\":3}",
                ],
            ),
            ("a.txt", "a;b\r\n1;2\r\n", &["2 a=1 b=2"]),
        ] {
            assert_eq!(read(name, text.as_bytes(), Options::default()), rows, "{name}");
        }
    }
}
