//! What can be wrong with the mapping of a job, before any row is read.

use std::fmt;
use std::ops::Range;

/// A key of the job's mapping tables, such as `tag[2].value`. Tables are counted from 1, as people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The table: `target`, `tag` or `tags_from`.
    pub table: &'static str,
    /// Which table of an array, from 0.
    pub index: Option<usize>,
    /// The key in it.
    pub key: &'static str,
}

impl Place {
    pub(super) fn with_key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table)?;
        if let Some(index) = self.index {
            write!(f, "[{}]", index + 1)?;
        }
        write!(f, ".{}", self.key)
    }
}

/// A mapping that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A template or expression can't be compiled.
    #[error("`{place}`, line {line}, column {column}: {message}")]
    Template {
        /// Which.
        place: Place,
        /// The line in its text, from 1.
        line: usize,
        /// The column in that line, in characters from 1.
        column: usize,
        /// The bytes of the text that are to blame.
        range: Range<usize>,
        /// What is wrong with it.
        message: String,
    },
    /// A rule that asks for nothing, whatever the row.
    #[error("`{place}`: the rule can never match: {why}")]
    Never {
        /// Which.
        place: Place,
        /// Why.
        why: String,
    },
    /// Keys that do not go together, or a value that can't be meant.
    #[error("`{place}`: {message}")]
    Refused {
        /// Which.
        place: Place,
        /// What is wrong and what to do.
        message: String,
    },
}

impl MappingError {
    pub(super) fn refused(place: Place, message: impl Into<String>) -> Self {
        Self::Refused {
            place,
            message: message.into(),
        }
    }

    pub(super) fn never(place: Place, why: impl Into<String>) -> Self {
        Self::Never {
            place,
            why: why.into(),
        }
    }

    /// The key that is to blame.
    pub fn place(&self) -> Place {
        match self {
            Self::Template { place, .. } | Self::Never { place, .. } | Self::Refused { place, .. } => *place,
        }
    }

    /// The bytes of the key's text that are to blame, when it is not the whole of it.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Template { range, .. } => Some(range.clone()),
            Self::Never { .. } | Self::Refused { .. } => None,
        }
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> String {
        match self {
            Self::Template { message, .. } | Self::Refused { message, .. } => message.clone(),
            Self::Never { why, .. } => format!("the rule can never match: {why}"),
        }
    }
}
