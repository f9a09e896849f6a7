//! Reading inventories: CSV, TSV, JSON and JSON Lines, plain or gzipped, in any encoding, as a stream of rows.
//!
//! Memory is constant whatever the size of a file. A row that can't be used is [`Entry::Bad`], with its file, its line
//! and the reason, and the others go on; an `Err` means that a file can't be trusted any further, so the job is refused.
//! What a row means is the business of `mapping`. The room is synchronous: whoever calls it gives it a thread.
//!
//! A file goes through `files` (names and globs), `source` (bytes to text: gzip, byte order mark, encoding), and then
//! `table`, `document` or `json_lines`.

mod delimiter;
mod document;
mod entry;
mod files;
mod framing;
mod header;
mod items;
mod json_lines;
mod kept;
mod object;
mod options;
mod position;
mod reader;
mod scanner;
mod source;
mod table;
#[cfg(test)]
mod testing;
mod transcoder;

pub use entry::{Entry, FileFacts, InventoryError};
pub use options::{Format, Options};
pub use reader::{Inventory, open};
