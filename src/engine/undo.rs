//! What a run did, as the rows of a plan that takes it back.

use std::collections::HashMap;
use std::sync::Arc;

use super::EngineError;
use crate::ledger::{DoneLine, Ledger, Vocabulary};
use crate::model::{Origin, Reversal};
use crate::undo;

/// What a run did to one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRow {
    /// Where the first row of the entity stands in the inventory.
    pub(super) origin: Origin,
    /// The vendor's identifier.
    pub(super) entity: Box<str>,
    /// What takes it back; shared by entities to which the same was done.
    pub(super) reversals: Arc<[Reversal]>,
}

/// What a run attempted and what was confirmed, entity by entity. What was so already, what failed and what nobody knows is
/// not among it.
pub async fn undo_rows(ledger: &Ledger, run: i64) -> Result<Vec<UndoRow>, EngineError> {
    let vocabulary = Vocabulary::load_changes(ledger, run).await?;
    let mut known: HashMap<Vec<DoneLine>, Arc<[Reversal]>> = HashMap::new();
    let mut rows = Vec::new();
    ledger
        .each_done(run, |row| {
            let reversals = known.entry(row.lines).or_insert_with_key(|lines| {
                let of_line = |line: &DoneLine| {
                    let before = vocabulary.before(line.before);
                    undo::reversals(&before, &vocabulary.actions(line.change), line.done)
                };
                lines.iter().flat_map(of_line).collect()
            });
            rows.push(UndoRow {
                origin: row.origin,
                entity: row.entity.into(),
                reversals: Arc::clone(reversals),
            });
        })
        .await?;
    Ok(rows)
}
