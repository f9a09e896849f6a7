//! What tags lost because the job allows it, with the rows that they are of.

use std::collections::HashMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::writer::Write;
use super::{Ledger, LedgerError};
use crate::model::Loss;

/// The losses of some rows and of their entities.
#[derive(Debug, Default)]
pub(super) struct PageLosses {
    rows: HashMap<i64, Vec<Loss>>,
    entities: HashMap<u32, Vec<Loss>>,
}

impl PageLosses {
    /// What a row lost, and what its entity lost as a whole.
    pub(super) fn of(&self, row: i64, entity: Option<u32>) -> Vec<Loss> {
        let own = self.rows.get(&row);
        let shared = entity.and_then(|entity| self.entities.get(&entity));
        own.into_iter().chain(shared).flatten().cloned().collect()
    }
}

/// Losses as the ledger keeps them.
pub fn loss_members(losses: &[Loss]) -> String {
    let members: Vec<_> = losses
        .iter()
        .map(|loss| (loss.class.as_str(), loss.remedy.as_str(), &*loss.message))
        .collect();
    serde_json::to_string(&members).expect("texts are JSON")
}

fn losses(members: &str) -> Result<Vec<Loss>, LedgerError> {
    let corrupt = || LedgerError::Corrupt {
        what: "losses",
        text: members.to_owned(),
    };
    let stored: Vec<(String, String, String)> = serde_json::from_str(members).map_err(|_| corrupt())?;
    let loss = |(class, remedy, message): (String, String, String)| {
        Ok(Loss {
            class: class.parse().map_err(|_| corrupt())?,
            remedy: remedy.parse().map_err(|_| corrupt())?,
            message,
        })
    };
    stored.into_iter().map(loss).collect()
}

impl Ledger {
    /// Writes sets of losses: number and members.
    pub async fn insert_losses(&self, run: i64, sets: &[(u32, &str)]) -> Result<(), LedgerError> {
        let sql =
            "INSERT INTO loss_set (run, id, members) SELECT ?1, value ->> 0, value ->> 1 FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, sets)).await
    }

    /// Writes which rows lost what: number of the row, and of the set.
    pub async fn insert_row_losses(&self, run: i64, rows: &[(u64, u32)]) -> Result<(), LedgerError> {
        let sql =
            "INSERT INTO row_loss (run, row, losses) SELECT ?1, value ->> 0, value ->> 1 FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, rows)).await
    }

    /// Writes which entities lost what as a whole: number of the entity, and of the set.
    pub async fn insert_entity_losses(&self, run: i64, entities: &[(u32, u32)]) -> Result<(), LedgerError> {
        let sql = "INSERT INTO entity_loss (run, entity, losses) SELECT ?1, value ->> 0, value ->> 1 FROM jsonb_each(?2)";
        self.insert(Write::rows(sql, run, entities)).await
    }

    /// Whether any tag of a run lost something.
    pub async fn has_losses(&self, run: i64) -> Result<bool, LedgerError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM loss_set WHERE run = ?1)")
            .bind(run)
            .fetch_one(&self.readers)
            .await
            .map_err(LedgerError::sql("looking for losses"))
    }

    /// The losses of the rows from one number to another, and of some entities.
    pub(super) async fn losses_of(
        &self,
        run: i64,
        (first, last): (i64, i64),
        entities: &[u32],
    ) -> Result<PageLosses, LedgerError> {
        let doing = LedgerError::sql;
        let of_rows = sqlx::query(
            "SELECT l.row, s.members FROM row_loss AS l JOIN loss_set AS s ON s.run = l.run AND s.id = l.losses
             WHERE l.run = ?1 AND l.row BETWEEN ?2 AND ?3",
        )
        .bind(run)
        .bind(first)
        .bind(last)
        .fetch_all(&self.readers)
        .await
        .map_err(doing("reading the losses"))?;
        let of_entities = sqlx::query(
            "SELECT l.entity, s.members FROM entity_loss AS l JOIN loss_set AS s ON s.run = l.run AND s.id = l.losses
             WHERE l.run = ?1 AND l.entity IN (SELECT value FROM json_each(?2))",
        )
        .bind(run)
        .bind(serde_json::to_string(entities).expect("numbers are JSON"))
        .fetch_all(&self.readers)
        .await
        .map_err(doing("reading the losses"))?;
        let members = |row: &SqliteRow| losses(row.get(1));
        Ok(PageLosses {
            rows: of_rows
                .iter()
                .map(|row| Ok((row.get(0), members(row)?)))
                .collect::<Result<_, LedgerError>>()?,
            entities: of_entities
                .iter()
                .map(|row| Ok((row.get(0), members(row)?)))
                .collect::<Result<_, LedgerError>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, Remedy};

    #[test]
    fn losses_are_read_back_as_they_were_kept_and_others_are_told() {
        let loss = |class, remedy, message: &str| Loss {
            class,
            remedy,
            message: message.to_owned(),
        };
        let kept = [
            loss(Class::TooLong, Remedy::Truncated, "value of `a\"` is \u{7} cut"),
            loss(Class::Full, Remedy::Dropped, ""),
        ];
        assert_eq!(losses(&loss_members(&kept)).unwrap(), kept);
        for members in [
            "",
            "[[\"full\",\"dropped\"]]",
            "[[\"full\",\"eaten\",\"\"]]",
            "[[\"fool\",\"dropped\",\"\"]]",
        ] {
            let told = losses(members).unwrap_err().to_string();
            assert_eq!(
                told,
                format!("the ledger holds losses that can't be read: {members}")
            );
        }
    }
}
