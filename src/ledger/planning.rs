//! Writing a plan: everything by the thousand rows, in the order in which keys grow.

use super::vocabulary::SetRole;
use super::writer::Write;
use super::{Ledger, LedgerError};

/// A run about to be planned.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    /// The job's name.
    pub job: &'a str,
    /// The job file.
    pub job_path: &'a str,
    /// blake3 of the job file.
    pub job_digest: &'a str,
    /// The earlier run that it is about, when it is.
    pub follows: Option<Follows>,
    /// What it writes to.
    pub target: PlanTarget,
}

/// What a run has to do with an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// It tries the failures of that run again.
    Retry(i64),
    /// It takes back what that run did.
    Undo(i64),
}

impl Follows {
    fn retry(self) -> Option<i64> {
        match self {
            Self::Retry(run) => Some(run),
            Self::Undo(_) => None,
        }
    }

    fn undo(self) -> Option<i64> {
        match self {
            Self::Undo(run) => Some(run),
            Self::Retry(_) => None,
        }
    }
}

/// The connection that a plan was made for. `apply` refuses when it has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTarget {
    /// Its name in the job.
    pub connection: String,
    /// The vendor.
    pub vendor: String,
    /// The base URL.
    pub url: String,
    /// The tenant, where a vendor has several at one URL; else empty.
    pub tenant: String,
    /// The kind of the entities.
    pub kind: String,
}

/// A row of the inventory: number, file, line, entity, wanted set, class and message of a rejection, and the identifier of
/// the live entity that it was read from.
pub type RowRow<'a> = (
    u64,
    u32,
    u64,
    Option<u32>,
    Option<u32>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
);

/// A row that belongs to another entity than it was written with: the row's number, the entity's.
pub type RowMove = (u64, u32);

/// A tag: number, key, value.
pub type TagRow<'a> = (u32, &'a str, Option<&'a str>);

/// An entity: number, identifier or unresolved name, name, class and message of why nothing can be done to it.
pub type EntityRow<'a> = (u32, &'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// A line: entity, part, wanted set, set before, change, open bits.
pub type LineRow = (u32, u32, u32, u32, u32, u64);

/// The run goes through `j` for the same reason as in `applying::END`.
pub(super) const REJECT: &str = "UPDATE inventory_row SET class = j.value ->> 1, message = j.value ->> 2
    FROM jsonb_each(?2) AS j
    WHERE inventory_row.run = iif(j.key >= 0, ?1, NULL) AND inventory_row.id = j.value ->> 0";

/// As [`REJECT`].
const MOVE: &str = "UPDATE inventory_row SET entity = j.value ->> 1
    FROM jsonb_each(?2) AS j
    WHERE inventory_row.run = iif(j.key >= 0, ?1, NULL) AND inventory_row.id = j.value ->> 0";

impl Ledger {
    /// Begins a run in state `planning`. One that stays there was killed and is discarded by
    /// [`Ledger::discard_unplanned`].
    pub async fn begin_run(&self, run: &NewRun<'_>) -> Result<i64, LedgerError> {
        self.begin_in(run, "planning").await
    }

    /// Begins a run in a state.
    pub(super) async fn begin_in(&self, run: &NewRun<'_>, state: &str) -> Result<i64, LedgerError> {
        let PlanTarget {
            connection,
            vendor,
            url,
            tenant,
            kind,
        } = &run.target;
        let row = (
            (run.job, run.job_path, run.job_digest),
            (
                run.follows.and_then(Follows::retry),
                run.follows.and_then(Follows::undo),
            ),
            (connection, vendor, url, tenant, kind),
            (now_ms(), state),
        );
        let sql = "INSERT INTO run
            (job, job_path, job_digest, retry_of, undo_of, connection, vendor, url, tenant, kind, created_ms, state)
            SELECT ?1 ->> '$[0][0]', ?1 ->> '$[0][1]', ?1 ->> '$[0][2]', ?1 ->> '$[1][0]', ?1 ->> '$[1][1]',
                   ?1 ->> '$[2][0]', ?1 ->> '$[2][1]', ?1 ->> '$[2][2]', ?1 ->> '$[2][3]', ?1 ->> '$[2][4]',
                   ?1 ->> '$[3][0]', ?1 ->> '$[3][1]'";
        self.writer.insert_one(sql, &row).await
    }

    /// Forgets the plans of a job that were never finished; exports are none. The runs stay as abandoned, with their attempts: what was sent
    /// stays known, and no number that somebody has seen is given again. The job's lock must be held, so that none of
    /// them is being made.
    pub async fn discard_unplanned(&self, job: &str) -> Result<(), LedgerError> {
        let runs: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM run WHERE job = ?1 AND state = 'planning' AND id NOT IN (SELECT run FROM export)",
        )
        .bind(job)
        .fetch_all(&self.readers)
        .await
        .map_err(LedgerError::sql("looking for unfinished plans"))?;
        for run in runs {
            let statements = [
                "DELETE FROM inventory_file WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM inventory_row WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM row_loss WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM entity_loss WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM loss_set WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM tag WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM tag_set WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM entity WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM candidate WHERE run = ?1 AND ?2 <> ''",
                "DELETE FROM line WHERE run = ?1 AND ?2 <> ''",
                "UPDATE run SET state = 'abandoned', reason = 'its plan was not finished' WHERE id = ?1 AND ?2 <> ''",
            ];
            let writes = statements.map(|sql| Write::Rows {
                sql,
                run,
                rows: String::new(),
            });
            self.writer.commit(writes.into()).await?;
        }
        Ok(())
    }

    /// Writes the files of the inventory, by number.
    pub async fn insert_files(&self, run: i64, files: &[(u32, &str)]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO inventory_file (run, id, path) SELECT ?1, value ->> 0, value ->> 1 FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, files)).await
    }

    /// Writes rows of the inventory.
    pub async fn insert_rows(&self, run: i64, rows: &[RowRow<'_>]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO inventory_row (run, id, file, line, entity, want, class, message, live_id)
            SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
            FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, rows)).await
    }

    /// Rejects rows that were written as good: number, class, message.
    pub async fn reject_rows(&self, run: i64, rows: &[(u64, &str, String)]) -> Result<(), LedgerError> {
        self.insert(Write::rows(REJECT, run, rows)).await
    }

    /// Gives rows to the entity that theirs turned out to be.
    pub async fn move_rows(&self, run: i64, rows: &[RowMove]) -> Result<(), LedgerError> {
        self.insert(Write::rows(MOVE, run, rows)).await
    }

    /// Writes tags.
    pub async fn insert_tags(&self, run: i64, tags: &[TagRow<'_>]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO tag (run, id, key, value)
            SELECT ?1, value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, tags)).await
    }

    /// Writes sets of tags of one role: number and members as JSON.
    pub async fn insert_sets(
        &self,
        run: i64,
        role: SetRole,
        sets: &[(u32, &str)],
    ) -> Result<(), LedgerError> {
        let sql = match role {
            SetRole::Want => {
                "INSERT INTO tag_set (run, role, id, members)
                SELECT ?1, 'want', value ->> 0, value ->> 1 FROM jsonb_each(?2)"
            }
            SetRole::Before => {
                "INSERT INTO tag_set (run, role, id, members)
                SELECT ?1, 'before', value ->> 0, value ->> 1 FROM jsonb_each(?2)"
            }
            SetRole::Change => {
                "INSERT INTO tag_set (run, role, id, members)
                SELECT ?1, 'change', value ->> 0, value ->> 1 FROM jsonb_each(?2)"
            }
        };
        self.insert(Write::rows(sql, run, sets)).await
    }

    /// Writes entities.
    pub async fn insert_entities(&self, run: i64, entities: &[EntityRow<'_>]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO entity (run, id, key, name, class, message)
            SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, entities)).await
    }

    /// Writes the identifiers among which somebody has to choose: entity, and a JSON array of them.
    pub async fn insert_candidates(&self, run: i64, candidates: &[(u32, String)]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO candidate (run, entity, ids) SELECT ?1, value ->> 0, value ->> 1 FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, candidates)).await
    }

    /// Writes lines.
    pub async fn insert_lines(&self, run: i64, lines: &[LineRow]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO line (run, entity, part, want, before, change, open)
            SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
            FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, lines)).await
    }

    /// Closes the plan: `planned`, or `refused` with the guard's reason.
    pub async fn finish_plan(
        &self,
        run: i64,
        inventory_digest: &str,
        summary: &serde_json::Value,
        refused: Option<&str>,
    ) -> Result<(), LedgerError> {
        let state = if refused.is_some() { "refused" } else { "planned" };
        let sql =
            "UPDATE run SET state = j.value ->> 0, reason = j.value ->> 1, inventory_digest = j.value ->> 2,
            summary = j.value ->> 3 FROM jsonb_each(?2) AS j WHERE run.id = ?1";
        self.insert(Write::rows(
            sql,
            run,
            &[(state, refused, inventory_digest, summary.to_string())],
        ))
        .await
    }

    pub(super) async fn insert(&self, write: Option<Write>) -> Result<(), LedgerError> {
        match write {
            Some(write) => self.writer.commit(vec![write]).await,
            None => Ok(()),
        }
    }
}

/// Milliseconds since 1970 by the wall clock: for people to read, never to order by.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
