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
    pub(super) fn apply(&self, row: &Row<'_>, emit: &mut Emit, wishes: &mut Wishes) -> Result<(), String> {
        match &self.columns {
            Columns::All => row
                .cells()
                .into_iter()
                .try_for_each(|(name, cell)| self.take(name, cell, row, emit, wishes)),
            Columns::Named(names) => names.iter().try_for_each(|name| match row.find(name) {
                Some(cell) => self.take(name, cell, row, emit, wishes),
                None if self.missing == Trouble::Skip => Ok(()),
                None => Err(row.lacks(name)),
            }),
        }
    }

    fn take(
        &self,
        name: &str,
        cell: Cell<'_>,
        row: &Row<'_>,
        emit: &mut Emit,
        wishes: &mut Wishes,
    ) -> Result<(), String> {
        if !emit.takes(name) {
            return Ok(());
        }
        match cell.text() {
            Ok(text) => emit.ask((name.into(), Some(trimmed(text))), row, wishes),
            Err(_) if self.malformed == Trouble::Skip => Ok(()),
            Err(what) => Err(format!(
                "field `{name}` is {what} and no text; leave it out with `except`, or set `malformed = \"skip\"`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::mapping::mapper::tests::{asked, object, table};

    #[test]
    fn columns_become_tags() {
        let record = table(&["id", "Owner", "env", "note"], &["1", " ann ", "prod", ""]);
        for (rule, want) in [
            (
                "columns = ['Owner', 'env']",
                vec!["set Owner:ann", "set env:prod"],
            ),
            (
                "columns = '*', except = ['id']",
                vec!["set Owner:ann", "set env:prod", "1 empty"],
            ),
            (
                "columns = '*', only = ['Owner', 'note'], rename = { Owner = 'owner' }, prefix = 'c-', empty = 'bare', action = 'fill'",
                vec!["fill c-note", "fill owner:ann"],
            ),
            (
                "columns = ['env', 'site'], missing = 'skip'",
                vec!["set env:prod"],
            ),
        ] {
            assert_eq!(
                asked(&format!("tags_from = [{{ {rule} }}]"), &record).unwrap(),
                want,
                "{rule}"
            );
        }
    }

    #[test]
    fn a_column_that_is_not_there_or_no_text_rejects_the_row() {
        let record = object(r#"{"id": "1", "env": "prod", "tags": []}"#);
        for (rule, why) in [
            (
                "columns = ['enw']",
                "no field `enw` in this row; it has: id, env, tags (did you mean `env`?)",
            ),
            (
                "columns = '*'",
                "field `tags` is a list and no text; leave it out with `except`, or set `malformed = \"skip\"`",
            ),
        ] {
            let refused = asked(&format!("tags_from = [{{ {rule} }}]"), &record);
            assert_eq!(refused, Err(format!("`tags_from[1].columns`: {why}")), "{rule}");
        }
        let skipped = asked("tags_from = [{ columns = '*', malformed = 'skip' }]", &record);
        assert_eq!(skipped.unwrap(), ["set env:prod", "set id:1"]);
    }
}
