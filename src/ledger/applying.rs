//! Applying a plan: what is open, attempts before they leave, and settlements.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

use super::pages::Numbered;
use super::planning::now_ms;
use super::writer::{LineKey, Write};
use super::{Ledger, LedgerError};
use crate::model::{Class, Failure, Outcome};
use crate::wire::{AttemptEnd, AttemptId, Request};

/// `?1`: run, entity, part, bits.
pub(super) const ATTEMPTED: &str = "UPDATE line SET attempted = attempted | (j.value ->> 3)
    FROM jsonb_each(?1) AS j WHERE run = j.value ->> 0 AND entity = j.value ->> 1 AND part = j.value ->> 2";

/// `?1`: run, entity, part, closed, done, unchanged.
pub(super) const SETTLED: &str = "UPDATE line
    SET open = open & ~(j.value ->> 3), done = done | (j.value ->> 4), unchanged = unchanged | (j.value ->> 5)
    FROM jsonb_each(?1) AS j WHERE run = j.value ->> 0 AND entity = j.value ->> 1 AND part = j.value ->> 2";

const VERDICT: &str = "INSERT INTO verdict (run, entity, part, bits, outcome, class, message)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM jsonb_each(?2)";

const INTEND: &str = "INSERT INTO attempt (run, id, number, purpose, method, target, entities, sent_ms)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
    FROM jsonb_each(?2)";

/// The run goes through `j`, so that each element looks its row up: with `attempt.run = ?1` SQLite would look through
/// the elements for each row of the run.
pub(super) const END: &str = "UPDATE attempt
    SET ended_ms = j.value ->> 1, class = j.value ->> 2, status = j.value ->> 3, correlation = j.value ->> 4
    FROM jsonb_each(?2) AS j WHERE attempt.run = iif(j.key >= 0, ?1, NULL) AND attempt.id = j.value ->> 0";

/// The lines with something open, numbered by their entity. The index must be named: the table itself is in the same
/// order, and SQLite can't know how few lines are open.
pub(super) const OPEN_LINES: Numbered = Numbered {
    doing: "reading what is open",
    last: "SELECT max(entity) FROM line INDEXED BY line_open WHERE run = ?1 AND open <> 0",
    page: "SELECT json_group_array(json_array(
            l.entity, l.part, l.before, l.change, l.open, l.attempted, l.done | l.unchanged, e.key))
        FROM line AS l INDEXED BY line_open JOIN entity AS e ON e.run = l.run AND e.id = l.entity
        WHERE l.run = ?1 AND l.open <> 0 AND l.entity >= ?2 AND l.entity < ?3",
};

/// All lines, numbered by their entity.
const RUN_LINES: Numbered = Numbered {
    doing: "reading the lines",
    last: "SELECT max(entity) FROM line WHERE run = ?1",
    page: "SELECT json_group_array(json_array(
            l.entity, l.part, l.want, l.before, l.change, l.done | l.unchanged, e.key))
        FROM line AS l JOIN entity AS e ON e.run = l.run AND e.id = l.entity
        WHERE l.run = ?1 AND l.entity >= ?2 AND l.entity < ?3",
};

/// Bits of what a line settled, collected for one transaction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SettledBits {
    pub(super) closed: u64,
    pub(super) done: u64,
    pub(super) unchanged: u64,
}

impl SettledBits {
    pub(super) fn merge(&mut self, other: Self) {
        self.closed |= other.closed;
        self.done |= other.done;
        self.unchanged |= other.unchanged;
    }
}

/// A line with something open, as `OPEN_LINES` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OpenLine {
    /// The entity's number.
    pub entity: u32,
    /// Which of the entity's lines.
    pub part: u32,
    /// What the entity carried.
    pub before: u32,
    /// What is to be done.
    pub change: u32,
    /// What is not settled.
    pub open: u64,
    /// What this run has sent, or was about to.
    pub attempted: u64,
    /// What is done, or was found so.
    pub good: u64,
    /// The vendor's identifier.
    pub id: Arc<str>,
}

/// A line of a run, as `RUN_LINES` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RunLine {
    /// The entity's number.
    pub entity: u32,
    /// Which of the entity's lines.
    pub part: u32,
    /// What is wanted of the entity.
    pub want: u32,
    /// What the entity carried.
    pub before: u32,
    /// What was to be done; 0 when nothing was.
    pub change: u32,
    /// What is done, or was found so.
    pub good: u64,
    /// The vendor's identifier.
    pub id: Arc<str>,
}

/// A request that is about to leave.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    /// The request.
    pub request: &'a Request,
    /// How many entities it concerns.
    pub entities: usize,
    /// The operations that it carries; none for an observation.
    pub lines: &'a [LineBits],
}

/// Some operations of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineBits {
    /// The entity's number.
    pub entity: u32,
    /// Which of the entity's lines.
    pub part: u32,
    /// The operations.
    pub bits: u64,
}

/// How operations ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The vendor confirmed it.
    Done,
    /// It was found as wanted without an attempt of this run.
    Unchanged,
    /// Any other end, with why.
    Other(Outcome, Failure),
}

impl Verdict {
    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Done => Outcome::Done,
            Self::Unchanged => Outcome::Unchanged,
            Self::Other(outcome, _) => *outcome,
        }
    }

    /// A failure.
    pub fn failed(class: Class, message: impl Into<String>) -> Self {
        Self::Other(Outcome::Failed, Failure::new(class, message))
    }
}

/// Operations and how they ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The operations.
    pub line: LineBits,
    /// How they ended.
    pub verdict: Verdict,
}

/// Writes one run's attempts and settlements. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct RunLog {
    ledger: Ledger,
    run: i64,
    next: Arc<AtomicU64>,
}

impl Ledger {
    /// The log of a run, which goes on counting its attempts.
    pub async fn run_log(&self, run: i64) -> Result<RunLog, LedgerError> {
        let last: Option<i64> = sqlx::query_scalar("SELECT max(id) FROM attempt WHERE run = ?1")
            .bind(run)
            .fetch_one(&self.readers)
            .await
            .map_err(LedgerError::sql("counting attempts"))?;
        let next = u64::try_from(last.unwrap_or(0)).unwrap_or(0) + 1;
        Ok(RunLog {
            ledger: self.clone(),
            run,
            next: Arc::new(AtomicU64::new(next)),
        })
    }

    /// The lines of a run with something open, in order.
    pub async fn open_lines(&self, run: i64) -> Result<Vec<OpenLine>, LedgerError> {
        let mut lines = Vec::new();
        self.each_numbered(OPEN_LINES, run, |line| lines.push(line))
            .await?;
        // SQLite does not promise the order in which it gathers a page.
        lines.sort_unstable_by_key(|line: &OpenLine| (line.entity, line.part));
        Ok(lines)
    }

    /// How many entities a run was to change.
    pub async fn entities_to_change(&self, run: i64) -> Result<u64, LedgerError> {
        let sql = "SELECT count(DISTINCT entity) FROM line WHERE run = ?1 AND change <> 0";
        let count: i64 = sqlx::query_scalar(sql)
            .bind(run)
            .fetch_one(&self.readers)
            .await
            .map_err(LedgerError::sql("counting entities"))?;
        Ok(bits(count))
    }

    /// The lines of a run, in order.
    pub async fn run_lines(&self, run: i64) -> Result<Vec<RunLine>, LedgerError> {
        let mut lines = Vec::new();
        self.each_numbered(RUN_LINES, run, |line| lines.push(line))
            .await?;
        lines.sort_unstable_by_key(|line: &RunLine| (line.entity, line.part));
        Ok(lines)
    }
}

/// Bits as they are stored: SQLite's integers are signed, and the sign is never set.
pub(super) fn bits(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

impl RunLog {
    /// The run.
    pub fn run(&self) -> i64 {
        self.run
    }

    /// Returns once an attempt is committed, together with the operations that it carries. `number` counts the attempts
    /// of its call from 1.
    pub async fn intend(&self, intent: &Intent<'_>, number: u32) -> Result<AttemptId, LedgerError> {
        let ids = self.commit_attempts(std::slice::from_ref(intent), number).await?;
        Ok(AttemptId(ids.start))
    }

    /// Returns once the first attempts of several calls are committed, in one transaction.
    pub async fn intend_all(&self, intents: &[Intent<'_>]) -> Result<Vec<AttemptId>, LedgerError> {
        if intents.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.commit_attempts(intents, 1).await?.map(AttemptId).collect())
    }

    async fn commit_attempts(&self, intents: &[Intent<'_>], number: u32) -> Result<Range<u64>, LedgerError> {
        let first = self.next.fetch_add(intents.len() as u64, Ordering::Relaxed);
        let row = |(id, intent): (u64, &Intent<'_>)| {
            let Request {
                purpose,
                method,
                target,
                ..
            } = intent.request;
            let (purpose, method) = (purpose.as_str(), method.as_str().to_owned());
            (
                id,
                number,
                purpose,
                method,
                target.clone(),
                intent.entities,
                now_ms(),
            )
        };
        let rows: Vec<_> = (first..).zip(intents).map(row).collect();
        let mut writes: Vec<Write> = Write::rows(INTEND, self.run, &rows).into_iter().collect();
        let lines = intents.iter().flat_map(|intent| intent.lines);
        writes.extend(lines.map(|line| Write::Attempted(self.key(*line), line.bits)));
        self.ledger.writer.commit(writes).await?;
        Ok(first..first + intents.len() as u64)
    }

    /// Queues what became of an attempt.
    pub fn end(&self, attempt: AttemptId, end: &AttemptEnd) {
        let row = (attempt.0, now_ms(), end.class, end.status, &end.correlation);
        self.ledger
            .writer
            .queue(Write::rows(END, self.run, &[row]).into_iter().collect());
    }

    /// Returns once the settlements are committed.
    pub async fn settle(&self, settlements: &[Settlement]) -> Result<(), LedgerError> {
        let mut writes = Vec::with_capacity(settlements.len());
        let mut verdicts = Vec::new();
        for Settlement { line, verdict } in settlements {
            let mut settled = SettledBits {
                closed: line.bits,
                ..SettledBits::default()
            };
            match verdict {
                Verdict::Done => settled.done = line.bits,
                Verdict::Unchanged => settled.unchanged = line.bits,
                Verdict::Other(outcome, failure) => verdicts.push((
                    line.entity,
                    line.part,
                    line.bits,
                    outcome.as_str(),
                    failure.class.as_str(),
                    &failure.message,
                )),
            }
            writes.push(Write::Settled(self.key(*line), settled));
        }
        writes.extend(Write::rows(VERDICT, self.run, &verdicts));
        if writes.is_empty() {
            Ok(())
        } else {
            self.ledger.writer.commit(writes).await
        }
    }

    fn key(&self, line: LineBits) -> LineKey {
        (self.run, line.entity, line.part)
    }
}
