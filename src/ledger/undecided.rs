//! The entities of a plan that somebody may decide on.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::applying::bits;
use super::reading::class;
use super::{Ledger, LedgerError};
use crate::model::{Class, Origin};

/// An entity that is missing or ambiguous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// What reports call it: its name, else the key of the declared rule, else its identifier.
    pub entity: String,
    /// [`Class::Missing`] or [`Class::Ambiguous`].
    pub class: Class,
    /// How many rows name it.
    pub rows: u64,
    /// Where the first of them stands.
    pub first: Option<Origin>,
    /// The live entities that it may be, by identifier; of many only the first.
    pub candidates: Vec<String>,
}

impl Ledger {
    /// The missing and ambiguous entities of a run, in the order of the inventory.
    pub async fn undecided(&self, run: i64) -> Result<Vec<Undecided>, LedgerError> {
        // The other columns are those of the row with the least number: SQLite says so of `min`.
        let found = sqlx::query(
            "SELECT coalesce(e.name, e.key), e.class, r.rows, f.path, r.line, r.live_id, c.ids
             FROM (SELECT entity, count(*) AS rows, min(id) AS id, file, line, live_id FROM inventory_row
                 WHERE run = ?1 AND entity IN
                     (SELECT id FROM entity WHERE run = ?1 AND class IN ('missing', 'ambiguous')) GROUP BY entity) AS r
             JOIN entity AS e ON e.run = ?1 AND e.id = r.entity
             LEFT JOIN inventory_file AS f ON f.run = ?1 AND f.id = r.file
             LEFT JOIN candidate AS c ON c.run = ?1 AND c.entity = r.entity
             ORDER BY r.id",
        )
        .bind(run)
        .fetch_all(&self.readers)
        .await
        .map_err(LedgerError::sql("reading what is to be decided on"))?;
        found.iter().map(undecided).collect()
    }
}

fn undecided(row: &SqliteRow) -> Result<Undecided, LedgerError> {
    let first = row.get::<Option<&str>, _>(3).map(|file| Origin {
        file: file.into(),
        line: bits(row.get(4)),
        id: row.get::<Option<&str>, _>(5).map(Into::into),
    });
    let ids = row.get::<Option<&str>, _>(6).unwrap_or("[]");
    let candidates = serde_json::from_str(ids).map_err(|_| LedgerError::Corrupt {
        what: "identifiers",
        text: ids.to_owned(),
    })?;
    Ok(Undecided {
        entity: row.get(0),
        class: class(row.get(1))?,
        rows: bits(row.get(2)),
        first,
        candidates,
    })
}
