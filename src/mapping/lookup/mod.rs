//! Lookups: other files, and small tables of values, joined into templates by a key.
//!
//! A crosswalk can have a million rows, so its cells are one text with offsets, and rows are found by a hash of their key.
//! Who reads the file hands its records to a [`CrosswalkBuilder`]; templates see the table through `object`.

mod builder;
mod crosswalk;
mod error;
mod lookups;
mod object;
mod options;
#[cfg(test)]
mod testing;
mod uses;

pub use builder::{CrosswalkBuilder, FileCount};
pub use crosswalk::Crosswalk;
pub use error::LookupError;
pub(super) use lookups::Lookups;
pub(super) use object::{Miss, Missed, View};
pub use options::{BadRows, CrosswalkOptions, LookupOptions, Repeated, ValueOptions};
pub(super) use uses::bare;
