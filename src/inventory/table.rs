//! The rows of a table. The `csv` crate reads the cells; what it is silent about is seen here.

use std::fmt;
use std::io;
use std::sync::Arc;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use super::kept::{Kept, TooLong, open_quote};
use super::position::{Position, is_break};
use super::source::{CHUNK, Text, not_text};
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
    /// Bytes to hold ready for the cells of the next row, which will be like the last one.
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
        let delimiter = delimiter::choose(file, &mut text, format, options)?;
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
        let row = loop {
            match self.read_row()? {
                Some(row) if row.blank && row.cells.len() == 1 => {}
                Some(row) => break row,
                None => return Err(InventoryError::NoHeader { file }),
            }
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
        match self.reader.read_byte_record(&mut cells) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        }
        self.room = (cells.as_slice().len() * 5 / 4).min(CHUNK);
        let n_bytes = usize::try_from(self.reader.position().byte() - start).expect("a row fits into memory");
        let (text, last) = self.reader.get_mut().take_row(n_bytes);
        // `csv` reads past blank lines, and past the `\n` of the last row's `\r\n`, before a row begins.
        let (breaks, text) = text.split_at(leading_breaks(text));
        self.position.advance(breaks);
        let begin = self.position;
        self.position.advance(text);
        Ok(Some(Row {
            cells,
            line: begin.line,
            blank: text.first().is_some_and(u8::is_ascii_whitespace) && text.trim_ascii().is_empty(),
            nul: text.contains(&0),
            open_quote: (last && self.quotes)
                .then(|| open_quote(text, self.delimiter, begin))
                .flatten(),
        }))
    }

    fn entry(&self, row: Row) -> Entry {
        let origin = Origin {
            file: self.file.clone(),
            line: row.line,
            id: None,
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

    /// The row's cells, as many as there are columns, or what is wrong with them. Even empty cells too many are wrong: a
    /// stray delimiter before an empty last cell would move every value by a column.
    fn cells(&self, row: Row) -> Result<StringRecord, String> {
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
        if is_too_long(&error) {
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

fn is_too_long(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<TooLong>())
}

fn leading_breaks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_break(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{endless, line_of, read, text};
    use super::*;
    use csv::WriterBuilder;
    use proptest::prelude::*;

    fn csv(text: &str) -> Vec<String> {
        read("a.csv", text.as_bytes(), Options::default())
    }

    #[test]
    fn rows_are_read_as_they_are_meant() {
        for (text, rows) in [
            ("a,b\n1,2", &["2 a=1 b=2"][..]),
            ("a,b\r\n1,2\r\n\r\n3,4\r\n", &["2 a=1 b=2", "4 a=3 b=4"]),
            ("a,b\r1,2\r3,4", &["2 a=1 b=2", "3 a=3 b=4"]),
            ("a,b\n1,2\r\n3,4\r5,6\n", &["2 a=1 b=2", "3 a=3 b=4", "4 a=5 b=6"]),
            ("\n\na,b\n\n\n1,2\n\n", &["6 a=1 b=2"]),
            ("a,b\n \t\n1,2\n  ", &["3 a=1 b=2"]),
            (" \na;b\n1;2\n", &["3 a=1 b=2"]),
            ("a\n \n1\n", &["2 a= ", "3 a=1"]),
            ("a,b\n", &[]),
            ("a,b", &[]),
            (
                "a,b\n\"1\n2\r3\r\n4\",x\n5,6\n",
                &["2 a=1\n2\r3\r\n4 b=x", "6 a=5 b=6"],
            ),
            ("\"a\nb\",c\n1,2\n", &["3 a\nb=1 c=2"]),
            ("a,b\n\"x \"\"y\"\" z\",\"\"\n", &["2 a=x \"y\" z b="]),
            ("a,b\nx\"y,\"z\"w\n", &["2 a=x\"y b=zw"]),
            ("a,b\n  1 ,\t2\n", &["2 a=  1  b=\t2"]),
            ("sep=;\na;b\n1,5;2\n", &["3 a=1,5 b=2"]),
            ("sep=,\r\na,b;c\r\n1,2\r\n", &["3 a=1 b;c=2"]),
            ("a,,b,\n1,2,3,\n", &["2 a=1 column_2=2 b=3 column_4="]),
        ] {
            assert_eq!(csv(text), rows, "{text:?}");
        }
    }

    #[test]
    fn a_bad_row_is_named_and_the_others_go_on() {
        let counts = |cells, columns| {
            format!(
                "bad: has {cells} where the header has {columns}; look for a missing or stray quote or delimiter"
            )
        };
        for (text, rows) in [
            (
                "a,b\n1\n2,3\n",
                vec![format!("2 {}", counts("1 cell", 2)), "3 a=2 b=3".into()],
            ),
            (
                "a,b\n1,2,3\n4,5\n",
                vec![format!("2 {}", counts("3 cells", 2)), "3 a=4 b=5".into()],
            ),
            (
                "a,b\n1,2,,\n1,2,,3\n",
                vec![
                    format!("2 {}", counts("4 cells", 2)),
                    format!("3 {}", counts("4 cells", 2)),
                ],
            ),
            (
                "a,b\n1,\0\n2,3\n",
                vec![
                    "2 bad: holds a NUL byte; export it again as text".into(),
                    "3 a=2 b=3".into(),
                ],
            ),
        ] {
            assert_eq!(csv(text), rows, "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_makes_its_row_bad() {
        for (text, line, opened, swallowed) in [
            ("a,b\n1,2\n3,\"4\n5,6\n7,8\n", 3, 3, 3),
            ("a,b\r\n\"x\r\ny\",\"z\r\n", 2, 3, 1),
            ("a,b\n1,\"", 2, 2, 0),
        ] {
            let told = csv(text);
            let wanted = format!(
                "{line} bad: the quote that opens on line {opened} is never closed; everything after it, \
                 {swallowed} line breaks long, was read as one cell"
            );
            assert_eq!(told.last(), Some(&wanted), "{text:?}");
        }
        assert!(csv("a,\"b\n1,2\n")[0].ends_with("a quote that opens on line 1 and is never closed"));
    }

    #[test]
    fn options_say_what_the_file_does_not() {
        let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let default = Options::default;
        for (text, options, rows) in [
            (
                "1,2\n",
                Options {
                    columns: columns(&["a", "b"]),
                    ..default()
                },
                &["1 a=1 b=2"][..],
            ),
            (
                "",
                Options {
                    columns: columns(&["a"]),
                    ..default()
                },
                &[],
            ),
            (
                "x,y\n1,2\n",
                Options {
                    columns: columns(&["a", "b"]),
                    skip_lines: 1,
                    ..default()
                },
                &["2 a=1 b=2"],
            ),
            (
                "a:b;c\n1:2;3\n",
                Options {
                    delimiter: Some(':'),
                    ..default()
                },
                &["2 a=1 b;c=2;3"],
            ),
            (
                "sep=;\na,b\n1,2\n",
                Options {
                    delimiter: Some(','),
                    ..default()
                },
                &["3 a=1 b=2"],
            ),
            (
                "a,b\n\"1,2\"\n",
                Options {
                    literal_quotes: true,
                    ..default()
                },
                &["2 a=\"1 b=2\""],
            ),
            (
                "a,b\n\"1,2\n",
                Options {
                    literal_quotes: true,
                    ..default()
                },
                &["2 a=\"1 b=2"],
            ),
            (
                "a;b\n",
                Options {
                    delimiter: Some('→'),
                    ..default()
                },
                &[
                    "a.csv: option `delimiter` is `\\u{2192}`; only one ASCII character that is no quote and no line break can be",
                ],
            ),
            (
                "1,2\n",
                Options {
                    columns: columns(&["a", "a"]),
                    ..default()
                },
                &[
                    "a.csv: option `columns` names `a` more than once; a template could mean either, so rename all but one",
                ],
            ),
        ] {
            assert_eq!(read("a.csv", text.as_bytes(), options), rows, "{text:?}");
        }
    }

    #[test]
    fn a_header_that_names_a_column_twice_is_refused() {
        let reason = "names `b` more than once; a template could mean either, so rename all but one";
        assert_eq!(
            csv("\n\na,b,b\n1,2,3\n"),
            [format!("a.csv:3: the header {reason}")]
        );
        assert_eq!(csv("a,,\n1,2,3\n"), ["2 a=1 column_2=2 column_3=3"]);
    }

    #[test]
    fn a_row_longer_than_the_limit_is_refused_where_it_begins() {
        let long = ["a,b\n1,2\n\n\n3,\"", &"x\n".repeat(CHUNK)].concat();
        let (file, text) = text(long.as_bytes(), CHUNK);
        let mut table = Table::open(&file, text, Format::Csv, &Options::default()).unwrap();
        assert_eq!(line_of(&table.next().unwrap()), "2 a=1 b=2");
        let refused = line_of(&table.next().unwrap());
        assert!(refused.starts_with("x:5: the row is longer than"), "{refused}");
    }

    #[test]
    fn a_cell_of_ten_megabytes_is_whole() {
        let cell = "0123456789".repeat(1 << 20);
        let told = csv(&format!("a,b\n{cell},1\n2,3\n"));
        assert!(told[0] == format!("2 a={cell} b=1") && told[1] == "3 a=2 b=3");
    }

    #[test]
    fn an_endless_table_is_read_row_by_row() {
        let (file, text) = endless("a,b\n", "1,\"x\ny\"\r\n");
        let mut table = Table::open(&file, text, Format::Csv, &Options::default()).unwrap();
        for row in 0..20_000 {
            assert_eq!(
                line_of(&table.next().unwrap()),
                format!("{} a=1 b=x\ny", 2 + 2 * row)
            );
            assert!(table.reader.get_ref().pending().len() <= 2 * CHUNK);
        }
    }

    /// Cells of anything that may stand in one, with a taste for what is hard to read back.
    fn cell() -> impl Strategy<Value = String> {
        let hard = prop::sample::select(vec![
            "", "\"", "\"\"", "\n", "\r", "\r\n", ",", ";", "\t", " ", "a", "é", "😀", "sep=",
        ]);
        prop_oneof![
            prop::collection::vec(hard, 0..6).prop_map(|parts| parts.concat()),
            "[^\0]{0,8}"
        ]
    }

    fn line_of_breaks(text: &str) -> u64 {
        let breaks = text
            .replace("\r\n", "\n")
            .chars()
            .filter(|c| matches!(c, '\n' | '\r'))
            .count();
        1 + u64::try_from(breaks).unwrap()
    }

    proptest! {
        #[test]
        fn what_csv_writes_is_read_back_with_its_lines(
            rows in (2_usize..6).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(cell(), n), 0..12)),
            delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
            crlf: bool,
        ) {
            let n_columns = rows.first().map_or(2, Vec::len);
            let names: Vec<_> = (0..n_columns).map(|n| format!("c{n}")).collect();
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
            writer.write_record(&names).unwrap();
            let mut lines = Vec::new();
            for row in &rows {
                writer.flush().unwrap();
                lines.push(line_of_breaks(str::from_utf8(writer.get_ref()).unwrap()));
                writer.write_record(row).unwrap();
            }
            let (file, text) = text(&writer.into_inner().unwrap(), usize::MAX);
            let options = Options { delimiter: Some(char::from(delimiter)), ..Options::default() };
            let mut table = Table::open(&file, text, Format::Csv, &options).unwrap();
            for (row, line) in rows.iter().zip(lines) {
                let Some(Ok(Entry::Record(record))) = table.next() else { panic!("no record for {row:?}") };
                prop_assert_eq!(record.origin.line, line);
                let Fields::Table { row: cells, .. } = record.fields else { panic!("no table") };
                prop_assert_eq!(&cells.iter().collect::<Vec<_>>(), row);
            }
            prop_assert!(table.next().is_none());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r\0;\xff ".to_vec()), 0..60)) {
            let (file, text) = text(&bytes, 1000);
            if let Ok(mut table) = Table::open(&file, text, Format::Csv, &Options::default()) {
                let lines: Vec<_> = std::iter::from_fn(|| table.next())
                    .map(|entry| match entry.unwrap() {
                        Entry::Record(record) => record.origin.line,
                        Entry::Bad { origin, .. } => origin.line,
                    })
                    .collect();
                prop_assert!(lines.is_sorted_by(|a, b| a < b), "{:?}", lines);
            }
        }
    }
}
