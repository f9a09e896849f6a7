//! Where in a template's text a mistake is.

use std::ops::Range;

use minijinja::Error;

use super::engine;
use super::error::{MappingError, Place};

/// A mistake in a compiled text.
#[derive(Debug)]
pub(super) struct Blame {
    /// The bytes of the text.
    pub(super) range: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
}

impl Blame {
    /// What the engine found wrong with a text.
    pub(super) fn engine(error: &Error, source: &str) -> Self {
        let line = error.line().unwrap_or(1).max(1);
        Self {
            range: error.range().unwrap_or_else(|| from_line(source, line)),
            message: engine::words(error),
        }
    }

    /// The same for a text that stands behind `before` other bytes in the one that was compiled.
    pub(super) fn behind(self, before: usize) -> Self {
        let Range { start, end } = self.range;
        Self {
            range: start.saturating_sub(before)..end.saturating_sub(before),
            ..self
        }
    }

    /// The error of a job, at a key whose text is `source`.
    pub(super) fn at(self, place: Place, source: &str) -> MappingError {
        let start = floor(source, self.range.start);
        let end = floor(source, self.range.end).max(start);
        let head = &source[..start];
        MappingError::Template {
            place,
            line: head.matches('\n').count() + 1,
            column: head.chars().rev().take_while(|c| *c != '\n').count() + 1,
            range: start..end,
            message: self.message,
        }
    }
}

fn from_line(source: &str, line: usize) -> Range<usize> {
    let before = source.split_inclusive('\n').take(line - 1);
    before.map(str::len).sum()..source.len()
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
