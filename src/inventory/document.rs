//! The rows of a JSON document: the elements of its list, or of a list inside it, one at a time.

use std::sync::Arc;

use super::items::{self, Level};
use super::object::{self, Fault};
use super::scanner::Scanner;
use super::source::Text;
use super::{Entry, InventoryError};
use crate::model::{Fields, Origin, Record};

/// A document that is being read.
#[derive(Debug)]
pub(super) struct Document {
    scanner: Scanner,
    raw: Vec<u8>,
    /// What encloses the list, outermost first.
    outer: Vec<Level>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The list's bracket was read.
    Begun,
    /// A row was read.
    Within,
    /// The document was read to its end, or given up.
    Ended,
}

impl Document {
    /// Finds the list of rows: `items` is the name of a member, or a JSON pointer.
    pub(super) fn open(file: &Arc<str>, text: Text, items: Option<&str>) -> Result<Self, InventoryError> {
        let mut scanner = Scanner::new(file, text);
        let outer = items::descend(&mut scanner, items)?;
        Ok(Self {
            scanner,
            raw: Vec::new(),
            outer,
            state: State::Begun,
        })
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Option<Result<Entry, InventoryError>> {
        if self.state == State::Ended {
            return None;
        }
        let entry = self.element().transpose();
        if !matches!(entry, Some(Ok(_))) {
            self.state = State::Ended;
        }
        entry
    }

    fn element(&mut self) -> Result<Option<Entry>, InventoryError> {
        let first = self.state == State::Begun;
        self.state = State::Within;
        match self.scanner.peek()? {
            Some(b']') => {
                self.scanner.bump(b']');
                items::ascend(&mut self.scanner, &self.outer)?;
                return Ok(None);
            }
            Some(b',') if !first => self.scanner.bump(b','),
            Some(_) if !first => {
                return Err(self.scanner.malformed("a comma or the list's end should be here"));
            }
            _ => {}
        }
        let position = self.scanner.value(&mut self.raw)?;
        let origin = Origin {
            file: self.scanner.file.clone(),
            line: position.line,
        };
        match object::read(&self.raw, self.scanner.encoding) {
            Ok(object) => Ok(Some(Entry::Record(Record {
                origin,
                fields: Fields::Object(object),
            }))),
            Err(Fault::Unusable(reason)) => Ok(Some(Entry::Bad { origin, reason })),
            Err(Fault::Malformed { at, reason }) => {
                Err(self.scanner.malformed_in(position, &self.raw[..at], reason))
            }
        }
    }
}
