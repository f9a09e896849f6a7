//! Runs and where they stand, and what connections taught.

use std::str::FromStr;

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::planning::{PlanTarget, now_ms};
use super::writer::Write;
use super::{Ledger, LedgerError};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Its plan is being made, or was killed while it was.
    Planning,
    /// Planned; nobody has begun to apply it.
    Planned,
    /// A guard refused the plan.
    Refused,
    /// Its apply has begun and something is open.
    Applying,
    /// Live entities are being exported, or an export was cut off. What it is exported to decides who goes on.
    Exporting,
    /// Nothing is open.
    Finished,
    /// The user closed it.
    Abandoned,
}

impl RunState {
    /// The word in table and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Applying => "applying",
            Self::Exporting => "exporting",
            Self::Finished => "finished",
            Self::Abandoned => "abandoned",
        }
    }
}

impl FromStr for RunState {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        [
            Self::Planning,
            Self::Planned,
            Self::Refused,
            Self::Applying,
            Self::Exporting,
            Self::Finished,
            Self::Abandoned,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| LedgerError::Corrupt {
            what: "a run's state",
            text: text.to_owned(),
        })
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: i64,
    /// The job's name.
    pub job: String,
    /// The job file.
    pub job_path: String,
    /// blake3 of the job file at the plan.
    pub job_digest: String,
    /// The run whose failures it tries again.
    pub retry_of: Option<i64>,
    /// The run that it takes back.
    pub undo_of: Option<i64>,
    /// What it writes to.
    pub target: PlanTarget,
    /// Where it stands.
    pub state: RunState,
    /// Why it was refused, or why it halted last.
    pub reason: Option<String>,
    /// What the plan counted.
    pub summary: Option<serde_json::Value>,
    /// When it was planned, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
}

const RUN: &str = "SELECT id, job, job_path, job_digest, retry_of, connection, vendor, url, tenant, kind,
    CASE WHEN state = 'planning' AND id IN (SELECT run FROM export) THEN 'exporting' ELSE state END, reason,
    summary, created_ms, ended_ms, undo_of FROM run WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR job = ?2) ORDER BY id";

fn run_row(row: &SqliteRow) -> Result<RunRow, LedgerError> {
    let target = PlanTarget {
        connection: row.get(5),
        vendor: row.get(6),
        url: row.get(7),
        tenant: row.get(8),
        kind: row.get(9),
    };
    let summary: Option<String> = row.get(12);
    Ok(RunRow {
        id: row.get(0),
        job: row.get(1),
        job_path: row.get(2),
        job_digest: row.get(3),
        retry_of: row.get(4),
        undo_of: row.get(15),
        target,
        state: row.get::<&str, _>(10).parse()?,
        reason: row.get(11),
        summary: summary.and_then(|text| serde_json::from_str(&text).ok()),
        created_ms: row.get(13),
        ended_ms: row.get(14),
    })
}

impl Ledger {
    /// The runs, oldest first; of one job when it is named.
    pub async fn runs(&self, job: Option<&str>) -> Result<Vec<RunRow>, LedgerError> {
        let rows = sqlx::query(RUN)
            .bind(None::<i64>)
            .bind(job)
            .fetch_all(&self.readers)
            .await;
        rows.map_err(LedgerError::sql("listing the runs"))?
            .iter()
            .map(run_row)
            .collect()
    }

    /// One run.
    pub async fn run(&self, run: i64) -> Result<RunRow, LedgerError> {
        let row = sqlx::query(RUN)
            .bind(run)
            .bind(None::<&str>)
            .fetch_optional(&self.readers)
            .await;
        let row = row.map_err(LedgerError::sql("reading a run"))?;
        run_row(&row.ok_or(LedgerError::NoRun(run))?)
    }

    /// The newest run of a job whose apply has begun and that still has something open.
    pub async fn unfinished(&self, job: &str) -> Result<Option<RunRow>, LedgerError> {
        let runs = self.runs(Some(job)).await?;
        Ok(runs.into_iter().rev().find(|run| run.state == RunState::Applying))
    }

    /// Writes where a run stands now; `applying` also notes when it began, `finished` and `abandoned` when it ended.
    pub async fn set_state(
        &self,
        run: i64,
        state: RunState,
        reason: Option<&str>,
    ) -> Result<(), LedgerError> {
        let sql = "UPDATE run SET state = j.value ->> 0, reason = j.value ->> 1,
                began_ms = CASE WHEN j.value ->> 0 = 'applying' THEN coalesce(began_ms, j.value ->> 2) ELSE began_ms END,
                ended_ms = CASE WHEN j.value ->> 0 IN ('finished', 'abandoned') THEN j.value ->> 2 END
            FROM json_each(?2) AS j WHERE run.id = ?1";
        let row = (state.as_str(), reason, now_ms());
        self.writer
            .commit(Write::rows(sql, run, &[row]).into_iter().collect())
            .await
    }

    /// What a connection taught on a topic.
    pub async fn learned(&self, url: &str, tenant: &str, topic: &str) -> Result<Option<String>, LedgerError> {
        sqlx::query_scalar("SELECT value FROM learned WHERE url = ?1 AND tenant = ?2 AND topic = ?3")
            .bind(url)
            .bind(tenant)
            .bind(topic)
            .fetch_optional(&self.readers)
            .await
            .map_err(LedgerError::sql("reading what a connection taught"))
    }

    /// Keeps what a connection taught on a topic.
    pub async fn learn(&self, url: &str, tenant: &str, topic: &str, value: &str) -> Result<(), LedgerError> {
        let sql = "INSERT INTO learned (url, tenant, topic, value)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2) WHERE ?1 = 0
            ON CONFLICT (url, tenant, topic) DO UPDATE SET value = excluded.value";
        self.writer
            .commit(
                Write::rows(sql, 0, &[(url, tenant, topic, value)])
                    .into_iter()
                    .collect(),
            )
            .await
    }
}
