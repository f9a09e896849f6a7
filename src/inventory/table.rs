//! The rows of a table. The `csv` crate reads the cells; what it is silent about is seen here.

use std::fmt;
use std::io::{self, BufRead};
use std::sync::Arc;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use super::kept::{Kept, TooLong, open_quote};
use super::position::{Position, is_break};
use super::source::{CHUNK, Text};
use super::{Entry, Format, InventoryError, Options, delimiter, header};
use crate::model::{Fields, Header, Origin, Record};

/// A table that is being read.
pub(super) struct Table {
    file: Arc<str>,
    encoding: &'static str,
    limit: usize,
    reader: Reader<Kept>,
    quotes: bool,
    delimiter: u8,
    header: Arc<Header>,
    position: Position,
    /// How many bytes of cells the last row held: the next one will be alike.
    room: usize,
}

/// A row as `csv` read it, and what can only be seen in the text that it was read from.
struct Row {
    cells: ByteRecord,
    line: u64,
    /// Whether it is nothing but spaces and tabs.
    blank: bool,
    nul: bool,
    /// The line of a quote that is open at the end of the file.
    open_quote: Option<u64>,
}

impl Table {
    /// Finds the delimiter and reads the header.
    pub(super) fn open(
        file: &Arc<str>,
        mut text: Text,
        format: Format,
        options: &Options,
    ) -> Result<Self, InventoryError> {
        let delimiter = choose_delimiter(file, &mut text, format, options)?;
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .quoting(!options.literal_quotes)
            .buffer_capacity(CHUNK)
            .from_reader(Kept::new(text.reader, text.limit));
        let mut table = Self {
            file: file.clone(),
            encoding: text.encoding,
            limit: text.limit,
            reader,
            quotes: !options.literal_quotes,
            delimiter,
            header: Arc::new(Header { names: Vec::new() }),
            position: text.position,
            room: 0,
        };
        table.header = Arc::new(if options.columns.is_empty() {
            table.read_header()?
        } else {
            table.given_header(&options.columns)?
        });
        Ok(table)
    }

    /// The columns.
    pub(super) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// What separates the cells.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The next row. Blank lines are none, nor are lines of spaces and tabs where a row has several cells.
    pub(super) fn next(&mut self) -> Option<Result<Entry, InventoryError>> {
        loop {
            match self.read_row() {
                Ok(Some(row)) if row.blank && row.cells.len() < self.header.names.len() => {}
                Ok(Some(row)) => return Some(Ok(self.entry(row))),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn read_header(&mut self) -> Result<Header, InventoryError> {
        let file = self.file.clone();
        let Some(row) = self.read_row()? else {
            return Err(InventoryError::NoHeader { file });
        };
        let columns = match row.open_quote {
            Some(line) => Err(format!(
                "has a quote that opens on line {line} and is never closed"
            )),
            None => header::columns(row.cells.iter()),
        };
        columns.map_err(|reason| InventoryError::BadHeader {
            file,
            line: row.line,
            reason,
        })
    }

    fn given_header(&self, columns: &[String]) -> Result<Header, InventoryError> {
        header::columns(columns.iter().map(String::as_bytes)).map_err(|reason| InventoryError::Option {
            file: self.file.clone(),
            option: "columns",
            reason,
        })
    }

    fn read_row(&mut self) -> Result<Option<Row>, InventoryError> {
        let mut cells = ByteRecord::with_capacity(self.room, self.header.names.len());
        let start = self.reader.position().byte();
        let more = match self.reader.read_byte_record(&mut cells) {
            Ok(more) => more,
            Err(error) => return Err(self.failed(error)),
        };
        let n_bytes = usize::try_from(self.reader.position().byte() - start).expect("a row fits into memory");
        if !more {
            return Ok(None);
        }
        self.room = cells.as_slice().len();
        let kept = self.reader.get_mut();
        let text = kept.take_row(n_bytes);
        // `csv` reads past blank lines, and past the `\n` of the last row's `\r\n`, before a row begins.
        let (breaks, text) = text.split_at(leading_breaks(text));
        self.position.advance(breaks);
        let begin = self.position;
        self.position.advance(text);
        let row = Row {
            cells,
            line: begin.line,
            blank: text.first().is_some_and(u8::is_ascii_whitespace) && text.trim_ascii().is_empty(),
            nul: text.contains(&0),
            open_quote: None,
        };
        Ok(Some(Row {
            open_quote: self.quote_at_end(n_bytes, begin),
            ..row
        }))
    }

    /// Looks for an open quote in the last `n_bytes`, once the text has come to its end.
    fn quote_at_end(&self, n_bytes: usize, begin: Position) -> Option<u64> {
        let kept = self.reader.get_ref();
        if !self.quotes || !kept.at_end() {
            return None;
        }
        let text = kept.taken(n_bytes);
        open_quote(&text[leading_breaks(text)..], self.delimiter, begin)
    }

    fn entry(&self, row: Row) -> Entry {
        let origin = Origin {
            file: self.file.clone(),
            line: row.line,
        };
        match self.cells(row) {
            Ok(row) => Entry::Record(Record {
                origin,
                fields: Fields::Table {
                    header: self.header.clone(),
                    row,
                },
            }),
            Err(reason) => Entry::Bad { origin, reason },
        }
    }

    /// The row's cells, as many as there are columns, or what is wrong with them. Empty cells beyond the last column
    /// are left out: spreadsheets write them.
    fn cells(&self, mut row: Row) -> Result<StringRecord, String> {
        let n_columns = self.header.names.len();
        if let Some(line) = row.open_quote {
            let swallowed = self.position.line.saturating_sub(line);
            return Err(format!(
                "the quote that opens on line {line} is never closed; everything after it, {swallowed} line breaks \
                 long, was read as one cell"
            ));
        }
        if row.nul {
            return Err("holds a NUL byte; export it again as text".to_owned());
        }
        if row.cells.len() > n_columns && row.cells.iter().skip(n_columns).all(<[u8]>::is_empty) {
            row.cells.truncate(n_columns);
        }
        if row.cells.len() != n_columns {
            let (n_cells, s) = (row.cells.len(), if row.cells.len() == 1 { "" } else { "s" });
            return Err(format!(
                "has {n_cells} cell{s} where the header has {n_columns}; look for a missing or stray quote or delimiter"
            ));
        }
        StringRecord::from_byte_record(row.cells).map_err(|error| {
            let name = &self.header.names[error.utf8_error().field()];
            not_text(&format!("column `{name}`"), self.encoding)
        })
    }

    fn failed(&self, error: csv::Error) -> InventoryError {
        let file = self.file.clone();
        let mut position = self.position;
        let pending = self.reader.get_ref().pending();
        let error = match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        };
        if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) {
            position.advance(&pending[..leading_breaks(pending)]);
            return InventoryError::TooLong {
                file,
                line: position.line,
                limit: self.limit,
            };
        }
        position.advance(pending);
        InventoryError::Read {
            file,
            line: position.line,
            source: error,
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("file", &self.file)
            .field("delimiter", &char::from(self.delimiter))
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// What to say of bytes that are not text in the encoding that they were read as.
pub(super) fn not_text(place: &str, encoding: &str) -> String {
    let advice = if encoding == "UTF-8" {
        "if the file is in another encoding, name it, such as `encoding = \"windows-1252\"`"
    } else {
        "check the name of the encoding"
    };
    format!("{place} is not legal {encoding}; {advice}")
}

/// What the options say, then what the file says, then what its rows agree on. A line that says it is read past.
fn choose_delimiter(
    file: &Arc<str>,
    text: &mut Text,
    format: Format,
    options: &Options,
) -> Result<u8, InventoryError> {
    let declared = delimiter::declared(&text.sample);
    if let Some((_, n_bytes)) = declared {
        text.position.advance(&text.sample[..n_bytes]);
        text.reader.consume(n_bytes);
        text.sample.drain(..n_bytes);
    }
    match options.delimiter {
        Some(given) => u8::try_from(given)
            .ok()
            .filter(|byte| byte.is_ascii() && !is_break(*byte) && *byte != b'"')
            .ok_or_else(|| InventoryError::Option {
                file: file.clone(),
                option: "delimiter",
                reason: format!(
                    "is `{}`; only one ASCII character that is no quote and no line break can be",
                    given.escape_default()
                ),
            }),
        None => Ok(match (declared, format) {
            (Some((declared, _)), _) => declared,
            (None, Format::Tsv) => b'\t',
            (None, _) => delimiter::detected(&text.sample, text.whole, options.columns.len()),
        }),
    }
}

fn leading_breaks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_break(**byte)).count()
}
