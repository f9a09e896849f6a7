//! What the ledger says, read by SQL of our own from a copy.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Row};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A copy of a ledger. Reading the copy leaves the original, its log among it, as a killed process left it.
#[derive(Debug)]
pub(crate) struct LedgerCopy {
    runtime: Runtime,
    connection: SqliteConnection,
    _folder: TempDir,
}

/// A run, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) id: i64,
    pub(crate) job: String,
    pub(crate) state: String,
}

/// An attempt, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) run: i64,
    pub(crate) id: i64,
    pub(crate) sent_ms: i64,
    pub(crate) purpose: String,
    pub(crate) method: String,
    pub(crate) target: String,
    /// `None` when its end was not recorded.
    pub(crate) class: Option<String>,
    pub(crate) status: Option<i64>,
}

const ATTEMPTS: &str =
    "SELECT run, id, sent_ms, purpose, method, target, class, status FROM attempt ORDER BY run, id";

/// The worst outcome of the operations of each row's entity. Enough for inventories in which no entity has two rows.
const ROWS: &str = "SELECT r.line, CASE
        WHEN EXISTS (SELECT 1 FROM verdict v WHERE v.run = r.run AND v.entity = r.entity AND v.outcome = 'unknown')
            THEN 'unknown'
        WHEN EXISTS (SELECT 1 FROM verdict v WHERE v.run = r.run AND v.entity = r.entity AND v.outcome = 'failed')
            THEN 'failed'
        WHEN EXISTS (SELECT 1 FROM verdict v WHERE v.run = r.run AND v.entity = r.entity AND v.outcome = 'conflict')
            THEN 'conflict'
        WHEN r.class IS NOT NULL OR e.class IS NOT NULL THEN 'rejected'
        WHEN EXISTS (SELECT 1 FROM line l WHERE l.run = r.run AND l.entity = r.entity AND l.open <> 0)
            THEN 'not_attempted'
        WHEN EXISTS (SELECT 1 FROM line l WHERE l.run = r.run AND l.entity = r.entity AND l.done <> 0)
            THEN 'done'
        ELSE 'unchanged' END
    FROM inventory_row r LEFT JOIN entity e ON e.run = r.run AND e.id = r.entity
    WHERE r.run = ?1 ORDER BY r.line";

impl LedgerCopy {
    /// Copies a ledger with what its write-ahead log holds.
    pub(crate) fn of(path: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let copy = folder.path().join("ledger.db");
        fs::copy(path, &copy).expect("the ledger can be copied");
        let log = path.with_extension("db-wal");
        if log.exists() {
            fs::copy(log, folder.path().join("ledger.db-wal")).expect("the log can be copied");
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let options = SqliteConnectOptions::new()
            .filename(copy)
            .disable_statement_logging();
        let connection = runtime
            .block_on(options.connect())
            .expect("the copy can be opened");
        Self {
            runtime,
            connection,
            _folder: folder,
        }
    }

    /// Rows of a statement whose only parameter, if it has one, is `run`.
    pub(crate) fn query<T>(&mut self, sql: &'static str, run: i64, row: impl Fn(&SqliteRow) -> T) -> Vec<T> {
        let rows = sqlx::query(sql).bind(run).fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows).expect("the ledger can be read");
        rows.iter().map(row).collect()
    }

    /// A number that a statement counts.
    pub(crate) fn count(&mut self, sql: &'static str, run: i64) -> i64 {
        self.query(sql, run, |row| row.get(0))[0]
    }

    /// Panics unless SQLite finds the file sound.
    pub(crate) fn check(&mut self) {
        let found = sqlx::query_scalar::<_, String>("PRAGMA integrity_check");
        let found = self.runtime.block_on(found.fetch_all(&mut self.connection));
        assert_eq!(found.expect("the ledger can be checked"), ["ok"]);
    }

    /// All runs, oldest first.
    pub(crate) fn runs(&mut self) -> Vec<Run> {
        self.query(
            "SELECT id, job, state FROM run WHERE ?1 = 0 ORDER BY id",
            0,
            |row| Run {
                id: row.get(0),
                job: row.get(1),
                state: row.get(2),
            },
        )
    }

    /// All attempts, in the order in which they were written; none in a ledger whose making was cut short.
    pub(crate) fn attempts(&mut self) -> Vec<Attempt> {
        if self.count(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'attempt' AND ?1 = 0",
            0,
        ) == 0
        {
            return Vec::new();
        }
        let rows = sqlx::query(ATTEMPTS).fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows).expect("the ledger can be read");
        let attempt = |row: &SqliteRow| Attempt {
            run: row.get(0),
            id: row.get(1),
            sent_ms: row.get(2),
            purpose: row.get(3),
            method: row.get(4),
            target: row.get(5),
            class: row.get(6),
            status: row.get(7),
        };
        rows.iter().map(attempt).collect()
    }

    /// Every row of a run: its line in the inventory, and its outcome.
    pub(crate) fn rows(&mut self, run: i64) -> Vec<(i64, String)> {
        self.query(ROWS, run, |row| (row.get(0), row.get(1)))
    }

    /// How many rows of a run have each outcome.
    pub(super) fn outcomes(&mut self, run: i64) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, outcome) in self.rows(run) {
            *counts.entry(outcome).or_default() += 1;
        }
        counts
    }
}
