//! Reading inventories, and writing live entities down as such: CSV, TSV, JSON and JSON Lines, plain or gzipped, in any encoding, as a stream of rows.
//!
//! Memory is constant whatever the size of a file. A row that can't be used is [`Entry::Bad`], with its file, its line
//! and the reason, and the others go on; an `Err` means that a file can't be trusted any further, so the job is refused.
//! What a row means is the business of `mapping`. The room is synchronous: whoever calls it gives it a thread.
//!
//! # What is read how
//! * A byte order mark wins over the `encoding` option, the option over UTF-8. Bytes that are not legal make their row
//!   bad; they are never replaced in silence.
//! * The `delimiter` option wins over a first line such as `sep=;`, that over `.tsv`, that over what the rows agree on.
//! * Names of columns are kept as they are written, blanks around them included; an empty one becomes `column_N`.
//! * Blank lines are no rows, nor are lines of spaces and tabs where a row has several cells. Cells beyond the
//!   header make a row bad, even when they are empty. Cells are kept as they are written, blanks included.
//! * Numbers in JSON keep their digits, however many; only an exponent is respelt (`1E5` as `1e+5`).
//!
//! A file goes through `files` (names and globs), `source` (bytes to text: gzip, byte order mark, encoding), and then
//! `table`, `document` or `json_lines`.

mod delimiter;
mod document;
mod entry;
mod export;
mod files;
mod framing;
mod header;
mod items;
mod json_lines;
mod kept;
mod live;
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
pub use export::ExportFormat;
pub use live::{Object, outline, record};
pub use options::{Format, Options};
pub use reader::{Inventory, open};
