//! `[[tags_from]]` with `columns`: names of columns are keys, cells are values.

use super::emit::Emit;
use super::options::{Columns, Trouble};
use super::row::{Cell, Row};
use super::template::trimmed;
use super::wishes::Wishes;

/// The columns to take.
#[derive(Debug, Clone)]
pub(super) struct ColumnRule {
    pub(super) columns: Columns,
    pub(super) malformed: Trouble,
    pub(super) missing: Trouble,
}

impl ColumnRule {
    pub(super) fn apply(&self, row: &Row<'_>, emit: &Emit, wishes: &mut Wishes) -> Result<(), String> {
        match &self.columns {
            Columns::All => row
                .cells()
                .into_iter()
                .try_for_each(|(name, cell)| self.take(name, cell, emit, wishes)),
            Columns::Named(names) => names.iter().try_for_each(|name| match row.find(name) {
                Some(cell) => self.take(name, cell, emit, wishes),
                None if self.missing == Trouble::Skip => Ok(()),
                None => Err(row.lacks(name)),
            }),
        }
    }

    fn take(&self, name: &str, cell: Cell<'_>, emit: &Emit, wishes: &mut Wishes) -> Result<(), String> {
        if !emit.takes(name) {
            return Ok(());
        }
        match cell.text() {
            Ok(text) => emit.ask(name, Some(trimmed(text)), wishes),
            Err(_) if self.malformed == Trouble::Skip => Ok(()),
            Err(what) => Err(format!(
                "field `{name}` is {what} and no text; leave it out with `except`, or set `malformed = \"skip\"`"
            )),
        }
    }
}
