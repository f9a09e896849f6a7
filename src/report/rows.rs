//! The rows of a run with their outcomes, streamed to a writer.

use std::cell::RefCell;
use std::io::{self, BufWriter, Write as _};

use futures::future::{AbortHandle, Abortable, Aborted};

use super::csv::CsvRows;
use super::json::JsonRows;
use super::losses::LossRows;
use super::outcomes::outcomes;
use super::text::{FirstRows, TextRows};
use crate::ledger::{Ledger, LedgerError, RowReport};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a line for each row that is neither done nor unchanged, one for each loss, and the table of outcomes.
    Text,
    /// For programs: one document with a version, the counts and every row. A report that was cut off does not parse.
    Json,
    /// For spreadsheets: every row, each cell quoted, as RFC 4180 has it (with `\r\n`); what a spreadsheet would take
    /// for a formula begins with `'`. File and line join a row to its inventory.
    Csv,
}

/// A report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The report could not be written.
    #[error("writing the report failed")]
    Write(#[from] io::Error),
    /// The plan of a run was never finished.
    #[error("run {0} has no finished plan to show; plan the job afresh")]
    NoPlan(i64),
    /// The plan was stored in another shape.
    #[error("run {run}: the stored plan can't be read; use the tagferry that made it")]
    Plan {
        /// The run.
        run: i64,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
}

impl ReportError {
    /// Whether the reader of the report went away, as `head` does when it has enough.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// One way of writing rows: [`RowWriter::row`] for each of them, then [`RowWriter::end`].
pub(super) trait RowWriter {
    fn row(&mut self, row: &RowReport) -> io::Result<()>;
    fn end(&mut self) -> io::Result<()>;
}

/// Writes the rows of a run in the order of the inventory, with a page of them in memory at a time, and flushes. Gives
/// up at the first error of the writer. What is applied meanwhile shows in the rows that are read after it.
pub async fn rows(
    ledger: &Ledger,
    run: i64,
    format: Format,
    out: &mut dyn io::Write,
) -> Result<(), ReportError> {
    let run_row = ledger.run(run).await?;
    let mut out = BufWriter::new(out);
    match format {
        Format::Text => {
            let summary = ledger.summary(run).await?;
            stream(ledger, run, TextRows::new(&mut out)).await?;
            if ledger.has_losses(run).await? {
                stream(ledger, run, LossRows(&mut out)).await?;
            }
            out.write_all(outcomes(&summary).as_bytes())?;
            Ok(out.flush()?)
        }
        Format::Json => {
            let summary = ledger.summary(run).await?;
            let rows = JsonRows::begin(&mut out, &run_row, &summary).map_err(ReportError::Write)?;
            stream(ledger, run, rows).await
        }
        Format::Csv => {
            let rows = CsvRows::begin(&mut out).map_err(ReportError::Write)?;
            stream(ledger, run, rows).await
        }
    }
}

/// Writes the first `most` rows that are neither done nor unchanged as [`Format::Text`] does, how many more there are,
/// and no table.
pub async fn rows_not_done(
    ledger: &Ledger,
    run: i64,
    most: usize,
    out: &mut dyn io::Write,
) -> Result<(), ReportError> {
    stream(ledger, run, FirstRows::new(out, run, most)).await
}

async fn stream(ledger: &Ledger, run: i64, mut writer: impl RowWriter) -> Result<(), ReportError> {
    let failure = RefCell::new(None);
    let (stop, stopped) = AbortHandle::new_pair();
    let each = |row: RowReport| {
        if failure.borrow().is_none()
            && let Err(error) = writer.row(&row)
        {
            *failure.borrow_mut() = Some(error);
            // No further page is read for a reader that has gone.
            stop.abort();
        }
    };
    let read = Abortable::new(ledger.each_row(run, each), stopped).await;
    if let Some(error) = failure.into_inner() {
        return Err(ReportError::Write(error));
    }
    match read {
        Ok(read) => read?,
        Err(Aborted) => unreachable!("only a failure, which has returned, stops the reading"),
    }
    writer.end().map_err(ReportError::Write)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    async fn written(format: Format) -> String {
        let stored = testing::stored_run().await;
        let mut out = Vec::new();
        rows(&stored.ledger, stored.run, format, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    #[tokio::test]
    async fn people_see_the_rows_that_need_them_and_totals_that_add_up() {
        let want = "\
hosts.csv:3: failed (refused): web-02 (HOST-2): the vendor said no\\nreally
hosts.csv:4: rejected (unreadable): 3 cells, and the header has 2
hosts.csv:5: rejected (missing): web-09: no HOST of this name
hosts.csv:6: unknown (timeout): HOST-4: no answer \\u{1b}[2J
hosts.csv:7: not_attempted: HOST-5
hosts.csv:9: conflict (changed): HOST-7: `env` is now `test`

outcome        rows  operations
done              1           5
unchanged         1           0
rejected          2           0
conflict          1           1
failed            1           1
unknown           1           1
not_attempted     1           2
total             8          10
calls: 0 reads, 0 writes, 0 of them retries
";
        assert_eq!(written(Format::Text).await, want);
    }

    #[tokio::test]
    async fn losses_stand_between_the_rows_and_the_totals_and_beside_their_row() {
        let stored = testing::stored_run().await;
        let members = r#"[["too_long","truncated","value of `a` is cut\n"],["illegal","dropped","no"]]"#;
        stored
            .ledger
            .insert_losses(stored.run, &[(0, members)])
            .await
            .unwrap();
        stored
            .ledger
            .insert_row_losses(stored.run, &[(1, 0)])
            .await
            .unwrap();
        let mut written = Vec::new();
        for format in [Format::Text, Format::Json] {
            let mut out = Vec::new();
            rows(&stored.ledger, stored.run, format, &mut out).await.unwrap();
            written.push(String::from_utf8(out).unwrap());
        }
        let want = "\
hosts.csv:9: conflict (changed): HOST-7: `env` is now `test`

hosts.csv:2: truncated (too_long): web-01 (HOST-1): value of `a` is cut\\n
hosts.csv:2: dropped (illegal): web-01 (HOST-1): no

outcome        rows  operations
";
        assert!(written[0].contains(want), "{}", written[0]);
        let document: serde_json::Value = serde_json::from_str(&written[1]).unwrap();
        assert_eq!(
            document["rows"][0]["losses"],
            serde_json::json!([
                {"class": "too_long", "remedy": "truncated", "message": "value of `a` is cut\n"},
                {"class": "illegal", "remedy": "dropped", "message": "no"},
            ])
        );
        assert_eq!(document["rows"][1]["losses"], serde_json::json!([]));
    }

    #[tokio::test]
    async fn the_end_of_a_run_names_some_rows_and_counts_the_others() {
        let stored = testing::stored_run().await;
        let named = async |most| {
            let mut out = Vec::new();
            rows_not_done(&stored.ledger, stored.run, most, &mut out)
                .await
                .unwrap();
            String::from_utf8(out).unwrap()
        };
        let want = "\
hosts.csv:3: failed (refused): web-02 (HOST-2): the vendor said no\\nreally
hosts.csv:4: rejected (unreadable): 3 cells, and the header has 2
4 more rows are neither done nor unchanged; `tagferry report 1` names them

";
        assert_eq!(named(2).await, want);
        let all = written(Format::Text).await;
        let (rows, _) = all.split_once("\n\n").unwrap();
        assert_eq!(named(6).await, format!("{rows}\n\n"));
        let empty = testing::empty_run().await;
        let mut out = Vec::new();
        rows_not_done(&empty.ledger, empty.run, 2, &mut out)
            .await
            .unwrap();
        assert!(out.is_empty());
    }

    #[tokio::test]
    async fn csv_has_every_row_and_joins_by_file_and_line() {
        let want = [
            r#""file","line","entity","name","outcome","class","message","losses""#,
            r#""hosts.csv","2","HOST-1","web-01","done","","","""#,
            "\"hosts.csv\",\"3\",\"HOST-2\",\"web-02\",\"failed\",\"refused\",\"the vendor said no\nreally\",\"\"",
            r#""hosts.csv","4","","","rejected","unreadable","3 cells, and the header has 2","""#,
            r#""hosts.csv","5","web-09","web-09","rejected","missing","no HOST of this name","""#,
            "\"hosts.csv\",\"6\",\"HOST-4\",\"\",\"unknown\",\"timeout\",\"no answer \u{1b}[2J\",\"\"",
            r#""hosts.csv","7","HOST-5","","not_attempted","","","""#,
            r#""hosts.csv","8","HOST-6","'=web-06","unchanged","","","""#,
            r#""hosts.csv","9","HOST-7","","conflict","changed","`env` is now `test`","""#,
        ];
        assert_eq!(written(Format::Csv).await, want.join("\r\n") + "\r\n");
    }

    #[tokio::test]
    async fn json_is_one_document_with_all_outcomes_and_a_row_a_line() {
        let text = written(Format::Json).await;
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (
                &document["version"],
                &document["job"],
                &document["state"],
                &document["rows_read"]
            ),
            (&1.into(), &"prod-hosts".into(), &"planned".into(), &8.into())
        );
        assert_eq!(
            document["outcomes"].to_string(),
            r#"{"done":1,"unchanged":1,"rejected":2,"conflict":1,"failed":1,"unknown":1,"not_attempted":1}"#
        );
        assert_eq!(
            document["operations"].to_string(),
            r#"{"done":5,"unchanged":0,"rejected":0,"conflict":1,"failed":1,"unknown":1,"not_attempted":2}"#
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1..4],
            [
                r#"{"file":"hosts.csv","line":2,"entity":"HOST-1","name":"web-01","outcome":"done","class":null,"message":null,"losses":[]},"#,
                r#"{"file":"hosts.csv","line":3,"entity":"HOST-2","name":"web-02","outcome":"failed","class":"refused","message":"the vendor said no\nreally","losses":[]},"#,
                r#"{"file":"hosts.csv","line":4,"entity":null,"name":null,"outcome":"rejected","class":"unreadable","message":"3 cells, and the header has 2","losses":[]},"#,
            ]
        );
        assert_eq!((lines.len(), lines[9]), (10, "]}"));
    }

    #[tokio::test]
    async fn a_run_without_rows_is_a_document_too() {
        let stored = testing::empty_run().await;
        let mut out = Vec::new();
        rows(&stored.ledger, stored.run, Format::Json, &mut out)
            .await
            .unwrap();
        let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(document["rows"], serde_json::json!([]));
    }

    #[tokio::test]
    async fn a_reader_that_goes_away_is_told_from_a_disk_that_is_full() {
        struct Fails(io::ErrorKind);
        impl io::Write for Fails {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(self.0.into())
            }
        }
        let stored = testing::stored_run().await;
        for format in [Format::Text, Format::Json, Format::Csv] {
            for (kind, gone) in [
                (io::ErrorKind::BrokenPipe, true),
                (io::ErrorKind::StorageFull, false),
            ] {
                let error = rows(&stored.ledger, stored.run, format, &mut Fails(kind))
                    .await
                    .unwrap_err();
                assert!(
                    matches!(&error, ReportError::Write(source) if source.kind() == kind),
                    "{error:?}"
                );
                assert_eq!(error.is_broken_pipe(), gone, "{format:?}");
            }
        }
    }

    #[tokio::test]
    async fn the_first_error_of_a_writer_ends_the_reading() {
        struct Refuses(std::rc::Rc<std::cell::Cell<u32>>);
        impl RowWriter for Refuses {
            fn row(&mut self, _: &RowReport) -> io::Result<()> {
                self.0.set(self.0.get() + 1);
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn end(&mut self) -> io::Result<()> {
                panic!("a report that failed has no end")
            }
        }
        let stored = testing::stored_run().await;
        let asked = std::rc::Rc::default();
        let error = stream(&stored.ledger, stored.run, Refuses(std::rc::Rc::clone(&asked)))
            .await
            .unwrap_err();
        assert!(error.is_broken_pipe());
        assert_eq!(asked.get(), 1);
    }

    #[tokio::test]
    async fn a_run_that_is_not_there_is_told_before_anything_is_written() {
        let stored = testing::empty_run().await;
        let mut out = Vec::new();
        let error = rows(&stored.ledger, 99, Format::Csv, &mut out).await.unwrap_err();
        assert!(
            matches!(error, ReportError::Ledger(LedgerError::NoRun(99))),
            "{error:?}"
        );
        assert!(out.is_empty());
    }
}
