//! Keys that wait to go, by job and account: since when what takes their place is there.

use std::collections::HashMap;

use sqlx::Row;

use super::planning::PlanTarget;
use super::writer::Write;
use super::{Ledger, LedgerError};

/// A key of an entity that waits to go: the vendor's identifier, and the key.
pub type Dweller = (String, String);

const ALL: &str =
    "SELECT d.entity, d.key, iif(d.run IS NULL, d.since_ms, iif(r.state = 'finished', r.ended_ms, NULL))
    FROM dwell AS d LEFT JOIN run AS r ON r.id = d.run
    WHERE d.job = ?1 AND d.url = ?2 AND d.tenant = ?3 AND d.kind = ?4";

const KEEP: &str = "INSERT INTO dwell (job, url, tenant, kind, entity, key, run, since_ms)
    SELECT r.job, r.url, r.tenant, r.kind, j.value ->> 0, j.value ->> 1, iif(j.value ->> 2, r.id, NULL), j.value ->> 3
    FROM jsonb_each(?2) AS j JOIN run AS r ON r.id = ?1
    WHERE true
    ON CONFLICT DO UPDATE SET run = excluded.run, since_ms = excluded.since_ms";

const FORGET: &str =
    "DELETE FROM dwell WHERE (job, url, tenant, kind) = (SELECT job, url, tenant, kind FROM run WHERE id = ?1)
    AND (entity, key) IN (SELECT value ->> 0, value ->> 1 FROM jsonb_each(?2))";

impl Ledger {
    /// The keys that wait to go by a job at an account, and since when what takes their place is known to be there, in
    /// milliseconds; `None` where a run was to bring it and did not come to its end.
    pub async fn dwellers(
        &self,
        job: &str,
        target: &PlanTarget,
    ) -> Result<HashMap<Dweller, Option<i64>>, LedgerError> {
        let rows = sqlx::query(ALL)
            .bind(job)
            .bind(&target.url)
            .bind(&target.tenant)
            .bind(&target.kind)
            .fetch_all(&self.readers)
            .await
            .map_err(LedgerError::sql("reading which keys wait to go"))?;
        Ok(rows
            .iter()
            .map(|row| ((row.get(0), row.get(1)), row.get(2)))
            .collect())
    }

    /// Keeps that keys wait to go: identifier, key, whether the run is to bring what takes its place, and the time now in
    /// milliseconds. What was kept of them is replaced.
    pub async fn keep_dwellers(
        &self,
        run: i64,
        dwellers: &[(&str, &str, bool, i64)],
    ) -> Result<(), LedgerError> {
        self.insert(Write::rows(KEEP, run, dwellers)).await
    }

    /// Forgets keys that wait no longer: identifier and key.
    pub async fn forget_dwellers(&self, run: i64, dwellers: &[&Dweller]) -> Result<(), LedgerError> {
        self.insert(Write::rows(FORGET, run, dwellers)).await
    }
}
