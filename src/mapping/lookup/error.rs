//! Why a crosswalk can't be used. Nothing is planned then: rows that find nothing would lose their tags.

use std::fmt;

/// A crosswalk that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Its file does not have a column that the job names.
    #[error("lookup `{lookup}`: {file} has no column `{column}`; it has: {columns}{hint}")]
    NoColumn {
        /// The name of the lookup.
        lookup: String,
        /// The file.
        file: String,
        /// The column that is not there.
        column: String,
        /// Those that are.
        columns: String,
        /// Which was probably meant.
        hint: String,
    },
    /// Some rows can't be used.
    #[error("lookup `{lookup}`: {}", Listed(problems, *more))]
    Rows {
        /// The name of the lookup.
        lookup: String,
        /// The first of them, each with its file, line and what to do.
        problems: Vec<String>,
        /// How many more there are.
        more: u64,
    },
    /// It holds more text than offsets of 32 bits reach.
    #[error(
        "lookup `{lookup}`: {file} holds more than {limit} bytes or cells; leave out columns that no template needs"
    )]
    TooLarge {
        /// The name of the lookup.
        lookup: String,
        /// The file that is too much.
        file: String,
        /// The most.
        limit: usize,
    },
}

/// One problem on the line itself, several on lines of their own.
struct Listed<'p>(&'p [String], u64);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(problems, more) = self;
        if let ([only], 0) = (*problems, *more) {
            return f.write_str(only);
        }
        write!(f, "{} rows can't be used", problems.len() as u64 + more)?;
        for problem in *problems {
            write!(f, "\n  {problem}")?;
        }
        if *more > 0 {
            write!(f, "\n  and {more} more")?;
        }
        Ok(())
    }
}
