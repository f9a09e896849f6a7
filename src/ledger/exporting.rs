//! Exports: runs that only write down what is live, and how far they have come.

use sqlx::Row;

use super::applying::bits;
use super::planning::NewRun;
use super::writer::Write;
use super::{Ledger, LedgerError};

/// How far an export has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportRow {
    /// Its run.
    pub run: i64,
    /// What is exported, in words.
    pub query: String,
    /// Where the listing goes on, in the vendor's words; `None` at its beginning.
    pub cursor: Option<String>,
    /// How long the file was then.
    pub bytes: u64,
    /// blake3 of those bytes, in hexadecimal.
    pub digest: String,
    /// How many entities were in it.
    pub entities: u64,
    /// How many entities were left out of it.
    pub hidden: u64,
}

const BEGUN: &str =
    "INSERT INTO export (run, path, query) SELECT ?1, value ->> 0, value ->> 1 FROM jsonb_each(?2)";

const RUNNING: &str = "UPDATE run SET state = 'planning', reason = NULL WHERE id = ?1 AND ?2 <> ''";

const KEPT: &str = "UPDATE export SET cursor = j.value ->> 0, bytes = j.value ->> 1, digest = j.value ->> 2,
    entities = j.value ->> 3, hidden = j.value ->> 4 FROM jsonb_each(?2) AS j WHERE export.run = ?1";

impl Ledger {
    /// Begins an export to a file, or with an empty path to a stream.
    pub async fn begin_export(
        &self,
        run: &NewRun<'_>,
        path: &str,
        query: &str,
    ) -> Result<ExportRow, LedgerError> {
        // Until it is known to be an export, it must not be taken for a plan that was never finished.
        let run = self.begin_in(run, "abandoned").await?;
        let begun = Write::rows(BEGUN, run, &[(path, query)]);
        let running = Write::Rows {
            sql: RUNNING,
            run,
            rows: String::new(),
        };
        self.writer
            .commit(begun.into_iter().chain([running]).collect())
            .await?;
        Ok(ExportRow {
            run,
            query: query.to_owned(),
            ..ExportRow::default()
        })
    }

    /// The newest export to a file that has not come to its end.
    pub async fn export_to(&self, path: &str) -> Result<Option<ExportRow>, LedgerError> {
        let row = sqlx::query(
            "SELECT e.run, e.query, e.cursor, e.bytes, e.digest, e.entities, e.hidden
             FROM export AS e JOIN run AS r ON r.id = e.run
             WHERE e.path = ?1 AND r.state = 'planning' ORDER BY e.run DESC LIMIT 1",
        )
        .bind(path)
        .fetch_optional(&self.readers)
        .await
        .map_err(LedgerError::sql("looking for an unfinished export"))?;
        Ok(row.map(|row| ExportRow {
            run: row.get(0),
            query: row.get(1),
            cursor: row.get(2),
            bytes: bits(row.get(3)),
            digest: row.get(4),
            entities: bits(row.get(5)),
            hidden: bits(row.get(6)),
        }))
    }

    /// Returns once it is committed how far an export has come.
    pub async fn keep_export(&self, at: &ExportRow) -> Result<(), LedgerError> {
        let row = (&at.cursor, at.bytes, &at.digest, at.entities, at.hidden);
        let kept = Write::rows(KEPT, at.run, &[row]);
        self.writer.commit(kept.into_iter().collect()).await
    }
}
