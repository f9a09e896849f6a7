//! What the room's tests share: inventories written to a folder and told line by line.

use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::source::{self, Digest, Reading, Text};
use super::{Entry, InventoryError, Options};
use crate::model::{Fields, Record};

/// Each entry in one line: `LINE a=1 b=2`, `LINE {"a":1}` or `LINE bad: REASON`. An error is told with its cause.
pub(super) fn told(options: &Options, base: &Path) -> Vec<String> {
    match super::open(options, base) {
        Ok(inventory) => inventory.map(|entry| line_of(&entry)).collect(),
        Err(error) => vec![chain(&error)],
    }
}

/// Tells the entries of one file.
pub(super) fn read(name: &str, bytes: &[u8], options: Options) -> Vec<String> {
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

/// One entry in one line.
pub(super) fn line_of(entry: &Result<Entry, InventoryError>) -> String {
    match entry {
        Ok(Entry::Record(Record { origin, fields })) => format!("{} {}", origin.line, shown(fields)),
        Ok(Entry::Bad { origin, reason }) => format!("{} bad: {reason}", origin.line),
        Err(error) => chain(error),
    }
}

/// The bytes as gzip.
pub(super) fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A text in memory, with a limit for its rows.
pub(super) fn text(bytes: &[u8], limit: usize) -> (Arc<str>, Text) {
    let (file, text) = text_of(Cursor::new(bytes.to_vec()));
    (file, Text { limit, ..text })
}

/// A text that goes on for ever.
pub(super) fn endless(start: &'static str, again: &'static str) -> (Arc<str>, Text) {
    text_of(Cursor::new(start).chain(Endless {
        again: again.as_bytes(),
        at: 0,
    }))
}

struct Endless {
    again: &'static [u8],
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = (&self.again[self.at..]).read(buffer)?;
        self.at = (self.at + n_bytes) % self.again.len();
        Ok(n_bytes)
    }
}

fn text_of(bytes: impl Read + Send + 'static) -> (Arc<str>, Text) {
    let reading = Reading {
        encoding: None,
        gzip: false,
        skip_lines: 0,
    };
    (
        "x".into(),
        source::text(Box::new(bytes), reading, &Digest::default()).unwrap(),
    )
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

fn chain(error: &InventoryError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
