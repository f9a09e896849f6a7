//! Rows as CSV that opens safely in a spreadsheet.

use std::io;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::rows::RowWriter;
use crate::ledger::RowReport;
use crate::model::{Class, neutral};

const HEADER: [&str; 8] = [
    "file", "line", "entity", "name", "outcome", "class", "message", "losses",
];

/// Writes UTF-8 without a byte order mark: with one, the first column would not be called `file` by a program that
/// joins.
pub(super) struct CsvRows<'a>(Writer<&'a mut dyn io::Write>);

impl<'a> CsvRows<'a> {
    pub(super) fn begin(out: &'a mut dyn io::Write) -> io::Result<Self> {
        let mut writer = WriterBuilder::new()
            .quote_style(QuoteStyle::Always)
            .terminator(Terminator::CRLF)
            .from_writer(out);
        writer.write_record(HEADER).map_err(as_written)?;
        Ok(Self(writer))
    }
}

impl RowWriter for CsvRows<'_> {
    fn row(&mut self, row: &RowReport) -> io::Result<()> {
        let RowReport {
            origin,
            entity,
            name,
            outcome,
            class,
            message,
            losses,
        } = row;
        let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
        let losses = losses.join("; ");
        let (file, line) = origin.columns();
        let line = line.map(|line| line.to_string()).unwrap_or_default();
        let cells = [
            &*file,
            &line,
            entity.as_deref().unwrap_or_default(),
            name.as_deref().unwrap_or_default(),
            outcome.as_str(),
            class.map_or("", Class::as_str),
            message.as_deref().unwrap_or_default(),
            &losses,
        ];
        self.0
            .write_record(cells.map(neutral).iter().map(|cell| cell.as_bytes()))
            .map_err(as_written)
    }

    fn end(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The writer's own error, whose kind csv's conversion would hide.
pub(super) fn as_written(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Loss, Origin, Outcome, Remedy};

    fn loss(class: Class, remedy: Remedy, message: &str) -> Loss {
        Loss {
            class,
            remedy,
            message: message.to_owned(),
        }
    }

    fn written(rows: &[RowReport]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut csv = CsvRows::begin(&mut out).unwrap();
        for row in rows {
            csv.row(row).unwrap();
        }
        csv.end().unwrap();
        drop(csv);
        out
    }

    #[test]
    fn every_cell_is_quoted_and_every_record_ends_as_rfc_4180_says() {
        let row = RowReport {
            origin: Origin {
                file: "-".into(),
                line: 17,
                id: None,
            },
            entity: None,
            name: Some("=cmd|' /C calc'!A0".to_owned()),
            outcome: Outcome::Rejected,
            class: Some(Class::Mapping),
            message: Some("key \"env\", value\nover two lines".to_owned()),
            losses: vec![
                loss(Class::TooLong, Remedy::Truncated, "value of `a` is cut"),
                loss(Class::Illegal, Remedy::Dropped, "no"),
            ],
        };
        let want = "\"file\",\"line\",\"entity\",\"name\",\"outcome\",\"class\",\"message\",\"losses\"\r\n\
                    \"'-\",\"17\",\"\",\"'=cmd|' /C calc'!A0\",\"rejected\",\"mapping\",\
                    \"key \"\"env\"\", value\nover two lines\",\
                    \"too_long (truncated): value of `a` is cut; illegal (dropped): no\"\r\n";
        assert_eq!(String::from_utf8(written(&[row])).unwrap(), want);
    }

    #[test]
    fn a_long_report_keeps_the_kind_of_its_writers_error() {
        struct Gone;
        impl io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let long = RowReport {
            origin: Origin {
                file: "a".into(),
                line: 2,
                id: None,
            },
            entity: None,
            name: None,
            outcome: Outcome::Failed,
            class: None,
            message: Some("m".repeat(100_000)),
            losses: Vec::new(),
        };
        let mut out = Gone;
        let error = CsvRows::begin(&mut out).unwrap().row(&long).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_parser_reads_back_what_was_written() {
        let row = RowReport {
            origin: Origin {
                file: "größe, \"a\".csv".into(),
                line: u64::MAX,
                id: None,
            },
            entity: Some("HOST-1".to_owned()),
            name: None,
            outcome: Outcome::NotAttempted,
            class: None,
            message: None,
            losses: Vec::new(),
        };
        let out = written(&[row]);
        let mut reader = csv::Reader::from_reader(&*out);
        assert_eq!(reader.headers().unwrap(), &HEADER[..]);
        let record = reader.records().next().unwrap().unwrap();
        let want = [
            "größe, \"a\".csv",
            "18446744073709551615",
            "HOST-1",
            "",
            "not_attempted",
            "",
            "",
            "",
        ];
        assert_eq!(record, want[..]);
    }
}
