//! The rows of JSON Lines: one object a line, so a bad one hurts no other.

use std::sync::Arc;

use super::object::{self, Fault};
use super::scanner::Scanner;
use super::source::Text;
use super::{Entry, InventoryError};
use crate::model::{Fields, Origin, Record};

/// JSON Lines that are being read.
#[derive(Debug)]
pub(super) struct JsonLines {
    scanner: Scanner,
    raw: Vec<u8>,
}

impl JsonLines {
    /// Begins to read. A text without a line has no rows.
    pub(super) fn open(file: &Arc<str>, text: Text) -> Self {
        Self {
            scanner: Scanner::new(file, text),
            raw: Vec::new(),
        }
    }

    /// The next row. Blank lines are none.
    pub(super) fn next(&mut self) -> Option<Result<Entry, InventoryError>> {
        loop {
            match self.scanner.line(&mut self.raw) {
                Ok(None) => return None,
                Ok(Some(_)) if self.raw.trim_ascii().is_empty() => {}
                Ok(Some(position)) => {
                    let origin = Origin {
                        file: self.scanner.file.clone(),
                        line: position.line,
                    };
                    return Some(Ok(entry(&self.raw, origin, self.scanner.encoding)));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn entry(raw: &[u8], origin: Origin, encoding: &str) -> Entry {
    match object::read(raw, encoding) {
        Ok(object) => Entry::Record(Record {
            origin,
            fields: Fields::Object(object),
        }),
        Err(Fault::Unusable(reason)) => Entry::Bad { origin, reason },
        Err(Fault::Malformed { at, reason }) => {
            let column = String::from_utf8_lossy(&raw[..at]).chars().count() + 1;
            Entry::Bad {
                origin,
                reason: format!("is no JSON at character {column}: {reason}"),
            }
        }
    }
}
