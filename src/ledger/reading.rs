//! The rows of runs and what became of them.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::applying::bits;
use super::losses::PageLosses;
use super::vocabulary::Vocabulary;
use super::{Ledger, LedgerError};
use crate::model::{Class, Loss, Origin, Outcome, Wish};

/// Rows of a page of a report.
const PAGE: u32 = 5_000;

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReport {
    /// Where it stands in the inventory.
    pub origin: Origin,
    /// The vendor's identifier, or the name while it is not resolved.
    pub entity: Option<String>,
    /// The name by which the inventory knows the entity.
    pub name: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, when it is neither done nor unchanged.
    pub class: Option<Class>,
    /// The sentence about this case.
    pub message: Option<String>,
    /// What its tags lost because the job allows it.
    pub losses: Vec<Loss>,
}

/// A row that `retry` tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryRow {
    /// Where it stands in the inventory.
    pub origin: Origin,
    /// The vendor's identifier.
    pub entity: String,
    /// The name by which the inventory knows the entity.
    pub name: Option<String>,
    /// What it asks for of the keys that failed.
    pub wishes: Vec<Wish>,
}

/// What a run did to an entity that a row names first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneRow {
    /// Where the row stands in the inventory.
    pub origin: Origin,
    /// The vendor's identifier.
    pub entity: String,
    /// The lines of the entity with something done.
    pub lines: Vec<DoneLine>,
}

/// What was done of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DoneLine {
    /// What the entity carried.
    pub before: u32,
    /// What was to be done.
    pub change: u32,
    /// The operations that were confirmed.
    pub done: u64,
}

/// How often requests were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AttemptCounts {
    /// Requests that read.
    pub observe: u64,
    /// Requests that write.
    pub write: u64,
    /// Those of both that repeat an earlier one.
    pub retries: u64,
}

/// What a run comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Rows of the inventory.
    pub rows: u64,
    /// Rows by outcome, in the order of [`Outcome::ALL`].
    pub row_outcomes: [u64; 7],
    /// Operations by outcome.
    pub operation_outcomes: [u64; 7],
    /// Requests.
    pub attempts: AttemptCounts,
}

impl Summary {
    /// Rows of one outcome.
    pub fn rows_of(&self, outcome: Outcome) -> u64 {
        self.row_outcomes[place(outcome)]
    }

    /// Operations of one outcome.
    pub fn operations_of(&self, outcome: Outcome) -> u64 {
        self.operation_outcomes[place(outcome)]
    }
}

fn place(outcome: Outcome) -> usize {
    Outcome::ALL.iter().position(|one| *one == outcome).unwrap_or(0)
}

impl Ledger {
    /// Calls `each` with every row of a run, in the order of the inventory, a page in memory at a time.
    pub async fn each_row(&self, run: i64, mut each: impl FnMut(RowReport)) -> Result<(), LedgerError> {
        let vocabulary = Vocabulary::load(self, run).await?;
        let lossy = self.has_losses(run).await?;
        let mut memo = HashMap::new();
        let mut after = -1;
        loop {
            let page = self.row_page(run, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let lines = self.lines_of(run, &page).await?;
            let losses = if lossy {
                self.losses_of_page(run, &page).await?
            } else {
                PageLosses::default()
            };
            for row in page {
                let losses = losses.of(row.id, row.entity);
                each(RowReport {
                    losses,
                    ..row.report(&lines, &vocabulary, &mut memo)
                });
            }
        }
    }

    /// What a run comes to.
    pub async fn summary(&self, run: i64) -> Result<Summary, LedgerError> {
        let mut summary = Summary {
            attempts: self.attempt_counts(run).await?,
            ..Summary::default()
        };
        self.each_row(run, |row| {
            summary.rows += 1;
            summary.row_outcomes[place(row.outcome)] += 1;
        })
        .await?;
        summary.operation_outcomes = self.operation_outcomes(run).await?;
        Ok(summary)
    }

    /// The rows whose operations failed or are unknown, for one of `classes` when any is named.
    pub async fn rows_to_retry(&self, run: i64, classes: &[Class]) -> Result<Vec<RetryRow>, LedgerError> {
        let vocabulary = Vocabulary::load(self, run).await?;
        let mut found = Vec::new();
        let mut after = -1;
        loop {
            let page = self.row_page(run, after).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.id;
            let lines = self.lines_of(run, &page).await?;
            found.extend(
                page.into_iter()
                    .filter_map(|row| row.retry(&lines, &vocabulary, classes)),
            );
        }
    }

    /// Calls `each` for every entity that the run changed, as far as that was confirmed, in the order of the inventory.
    pub async fn each_done(&self, run: i64, mut each: impl FnMut(DoneRow)) -> Result<(), LedgerError> {
        let mut seen = HashSet::new();
        let mut after = -1;
        loop {
            let page = self.row_page(run, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let lines = self.lines_of(run, &page).await?;
            for row in page {
                // A row that lost to another has changed nothing.
                if row.class.is_none()
                    && let Some(entity) = row.entity
                    && seen.insert(entity)
                    && let Some(done) = row.done(&lines)
                {
                    each(done);
                }
            }
        }
    }

    /// Where some rows stand in the inventory, by their numbers.
    pub async fn row_places(&self, run: i64, rows: &[u64]) -> Result<HashMap<u64, Origin>, LedgerError> {
        let rows = serde_json::to_string(rows).expect("numbers are JSON");
        let found = sqlx::query(
            "SELECT r.id, f.path, r.line, r.live_id FROM inventory_row AS r
             LEFT JOIN inventory_file AS f ON f.run = r.run AND f.id = r.file
             WHERE r.run = ?1 AND r.id IN (SELECT value FROM json_each(?2))",
        )
        .bind(run)
        .bind(rows)
        .fetch_all(&self.readers)
        .await
        .map_err(LedgerError::sql("reading the rows"))?;
        let place = |row: &SqliteRow| {
            let file = row.get::<Option<&str>, _>(1).unwrap_or("-");
            (
                bits(row.get(0)),
                Origin {
                    file: file.into(),
                    line: bits(row.get(2)),
                    id: row.get::<Option<&str>, _>(3).map(Into::into),
                },
            )
        };
        Ok(found.iter().map(place).collect())
    }

    async fn attempt_counts(&self, run: i64) -> Result<AttemptCounts, LedgerError> {
        let row = sqlx::query(
            "SELECT count(*) FILTER (WHERE purpose IN ('observe', 'validate')), count(*) FILTER (WHERE purpose = 'write'),
                    count(*) FILTER (WHERE number > 1) FROM attempt WHERE run = ?1",
        )
        .bind(run)
        .fetch_one(&self.readers)
        .await
        .map_err(LedgerError::sql("counting attempts"))?;
        Ok(AttemptCounts {
            observe: bits(row.get(0)),
            write: bits(row.get(1)),
            retries: bits(row.get(2)),
        })
    }

    async fn operation_outcomes(&self, run: i64) -> Result<[u64; 7], LedgerError> {
        let doing = "counting operations";
        let mut counts = [0; 7];
        let lines = sqlx::query(
            "SELECT open, done, unchanged, count(*) FROM line WHERE run = ?1 AND change <> 0 GROUP BY 1, 2, 3",
        )
        .bind(run)
        .fetch_all(&self.readers)
        .await
        .map_err(LedgerError::sql(doing))?;
        for row in lines {
            let times = bits(row.get(3));
            for (column, outcome) in [Outcome::NotAttempted, Outcome::Done, Outcome::Unchanged]
                .into_iter()
                .enumerate()
            {
                counts[place(outcome)] += times * u64::from(bits(row.get(column)).count_ones());
            }
        }
        let verdicts =
            sqlx::query("SELECT outcome, bits, count(*) FROM verdict WHERE run = ?1 GROUP BY 1, 2")
                .bind(run)
                .fetch_all(&self.readers)
                .await
                .map_err(LedgerError::sql(doing))?;
        for row in verdicts {
            let outcome = outcome(row.get(0))?;
            counts[place(outcome)] += bits(row.get(2)) * u64::from(bits(row.get(1)).count_ones());
        }
        Ok(counts)
    }

    async fn row_page(&self, run: i64, after: i64) -> Result<Vec<StoredRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT r.id, f.path, r.line, r.entity, r.want, coalesce(r.class, e.class), coalesce(r.message, e.message),
                    e.key, e.name, r.live_id
             FROM inventory_row AS r
             JOIN inventory_file AS f ON f.run = r.run AND f.id = r.file
             LEFT JOIN entity AS e ON e.run = r.run AND e.id = r.entity
             WHERE r.run = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3",
        )
        .bind(run)
        .bind(after)
        .bind(PAGE)
        .fetch_all(&self.readers)
        .await
        .map_err(LedgerError::sql("reading the rows"))?;
        rows.iter().map(StoredRow::read).collect()
    }

    async fn losses_of_page(&self, run: i64, page: &[StoredRow]) -> Result<PageLosses, LedgerError> {
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return Ok(PageLosses::default());
        };
        let entities: Vec<u32> = page.iter().filter_map(|row| row.entity).collect();
        self.losses_of(run, (first.id, last.id), &entities).await
    }

    /// The lines of the entities of a page, with their verdicts.
    async fn lines_of(
        &self,
        run: i64,
        page: &[StoredRow],
    ) -> Result<HashMap<u32, Vec<StoredLine>>, LedgerError> {
        let doing = "reading the lines";
        let entities: Vec<u32> = page.iter().filter_map(|row| row.entity).collect();
        let entities = serde_json::to_string(&entities).expect("numbers are JSON");
        let lines = sqlx::query(
            "SELECT entity, part, before, change, open, done, unchanged FROM line
             WHERE run = ?1 AND entity IN (SELECT value FROM json_each(?2)) ORDER BY entity, part",
        )
        .bind(run)
        .bind(&entities)
        .fetch_all(&self.readers)
        .await
        .map_err(LedgerError::sql(doing))?;
        let mut found: HashMap<u32, Vec<StoredLine>> = HashMap::new();
        for row in lines {
            let line = StoredLine {
                part: row.get(1),
                before: row.get(2),
                change: row.get(3),
                open: bits(row.get(4)),
                done: bits(row.get(5)),
                unchanged: bits(row.get(6)),
                verdicts: Vec::new(),
            };
            found.entry(row.get(0)).or_default().push(line);
        }
        let verdicts = sqlx::query(
            "SELECT entity, part, bits, outcome, class, message FROM verdict
             WHERE run = ?1 AND entity IN (SELECT value FROM json_each(?2)) ORDER BY rowid",
        )
        .bind(run)
        .bind(&entities)
        .fetch_all(&self.readers)
        .await
        .map_err(LedgerError::sql(doing))?;
        for row in verdicts {
            let verdict = StoredVerdict {
                bits: bits(row.get(2)),
                outcome: outcome(row.get(3))?,
                class: class(row.get(4))?,
                message: row.get(5),
            };
            let part: u32 = row.get(1);
            let lines = found.entry(row.get(0)).or_default();
            if let Some(line) = lines.iter_mut().find(|line| line.part == part) {
                line.verdicts.push(verdict);
            }
        }
        Ok(found)
    }
}

fn outcome(text: &str) -> Result<Outcome, LedgerError> {
    text.parse().map_err(|_| LedgerError::Corrupt {
        what: "an outcome",
        text: text.to_owned(),
    })
}

pub(super) fn class(text: &str) -> Result<Class, LedgerError> {
    text.parse().map_err(|_| LedgerError::Corrupt {
        what: "a class",
        text: text.to_owned(),
    })
}

#[derive(Debug)]
struct StoredVerdict {
    bits: u64,
    outcome: Outcome,
    class: Class,
    message: String,
}

#[derive(Debug)]
struct StoredLine {
    part: u32,
    before: u32,
    change: u32,
    open: u64,
    done: u64,
    unchanged: u64,
    verdicts: Vec<StoredVerdict>,
}

#[derive(Debug)]
struct StoredRow {
    id: i64,
    origin: Origin,
    entity: Option<u32>,
    want: Option<u32>,
    class: Option<Class>,
    message: Option<String>,
    key: Option<String>,
    name: Option<String>,
}

/// The bits of a (want, change), worked out once.
type Memo = HashMap<(u32, u32), u64>;

impl StoredRow {
    fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        let rejected: Option<&str> = row.get(5);
        Ok(Self {
            id: row.get(0),
            origin: Origin {
                file: row.get::<&str, _>(1).into(),
                line: bits(row.get(2)),
                id: row.get::<Option<&str>, _>(9).map(Into::into),
            },
            entity: row.get(3),
            want: row.get(4),
            class: rejected.map(class).transpose()?,
            message: row.get(6),
            key: row.get(7),
            name: row.get(8),
        })
    }

    /// The row with the worst of its operations' outcomes.
    fn report(
        self,
        lines: &HashMap<u32, Vec<StoredLine>>,
        vocabulary: &Vocabulary,
        memo: &mut Memo,
    ) -> RowReport {
        let (outcome, class, message) = match (self.class, self.entity, self.want) {
            (Some(class), _, _) => (Outcome::Rejected, Some(class), self.message),
            (None, Some(entity), Some(want)) => {
                let lines = lines.get(&entity).map_or(&[][..], Vec::as_slice);
                worst(lines, |change| {
                    *memo
                        .entry((want, change))
                        .or_insert_with(|| vocabulary.bits_of(want, change))
                })
            }
            (None, _, _) => (Outcome::Unchanged, None, None),
        };
        RowReport {
            origin: self.origin,
            entity: self.key,
            name: self.name,
            outcome,
            class,
            message,
            losses: Vec::new(),
        }
    }

    /// What was done to its entity; `None` when nothing was.
    fn done(self, lines: &HashMap<u32, Vec<StoredLine>>) -> Option<DoneRow> {
        let lines = lines.get(&self.entity?)?.iter();
        let done = lines.filter(|line| line.done != 0);
        let line = |line: &StoredLine| DoneLine {
            before: line.before,
            change: line.change,
            done: line.done,
        };
        let lines: Vec<DoneLine> = done.map(line).collect();
        Some(DoneRow {
            origin: self.origin,
            entity: self.key.filter(|_| !lines.is_empty())?,
            lines,
        })
    }

    fn retry(
        self,
        lines: &HashMap<u32, Vec<StoredLine>>,
        vocabulary: &Vocabulary,
        classes: &[Class],
    ) -> Option<RetryRow> {
        let (None, Some(entity), Some(want), Some(key)) = (self.class, self.entity, self.want, self.key)
        else {
            return None;
        };
        let mut keys = Vec::new();
        for line in lines.get(&entity)? {
            let again = line.verdicts.iter().filter(|verdict| {
                matches!(verdict.outcome, Outcome::Failed | Outcome::Unknown)
                    && (classes.is_empty() || classes.contains(&verdict.class))
            });
            let bits =
                again.fold(0, |bits, verdict| bits | verdict.bits) & vocabulary.bits_of(want, line.change);
            let actions = vocabulary.actions(line.change);
            keys.extend(
                actions
                    .into_iter()
                    .enumerate()
                    .filter(|(n, _)| bits >> n & 1 == 1)
                    .map(|(_, a)| a.tag.key),
            );
        }
        let wishes: Vec<Wish> = vocabulary
            .wishes(want)
            .into_iter()
            .filter(|wish| keys.contains(&wish.tag.key))
            .collect();
        let row = RetryRow {
            origin: self.origin,
            entity: key,
            name: self.name,
            wishes,
        };
        (!row.wishes.is_empty()).then_some(row)
    }
}

/// The worst outcome among the operations of `lines` that concern a row; a row that nothing concerns is unchanged.
fn worst(
    lines: &[StoredLine],
    mut concerning: impl FnMut(u32) -> u64,
) -> (Outcome, Option<Class>, Option<String>) {
    let mut worst = (Outcome::Unchanged, None, None);
    for line in lines.iter().filter(|line| line.change != 0) {
        let mine = concerning(line.change);
        for (bits, outcome) in [
            (line.open, Outcome::NotAttempted),
            (line.done, Outcome::Done),
            (line.unchanged, Outcome::Unchanged),
        ] {
            if bits & mine != 0 && outcome < worst.0 {
                worst = (outcome, None, None);
            }
        }
        for verdict in line.verdicts.iter().filter(|verdict| verdict.bits & mine != 0) {
            if verdict.outcome < worst.0 {
                worst = (
                    verdict.outcome,
                    Some(verdict.class),
                    Some(verdict.message.clone()),
                );
            }
        }
    }
    worst
}
