//! Columns of text and numbers, in plain ASCII and without borders.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// A table of which the named columns hold text and the others numbers, ended by a line break. Cells must be safe to
/// show.
pub(super) struct Columns {
    table: Table,
    text_columns: usize,
}

impl Columns {
    /// A table of so many text columns, followed by columns of numbers.
    pub(super) fn new(text_columns: usize, header: Vec<String>) -> Self {
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(header);
        Self { table, text_columns }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.table.add_row(cells);
    }

    pub(super) fn into_text(mut self) -> String {
        for (n, column) in self.table.column_iter_mut().enumerate() {
            let is_text = n < self.text_columns;
            column.set_padding((0, 2));
            column.set_cell_alignment(if is_text {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            });
        }
        let lines = self.table.lines().map(|line| line.trim_end().to_owned() + "\n");
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_left_and_numbers_right_by_their_width_on_the_screen() {
        let mut columns = Columns::new(1, vec!["key".into(), "adds".into(), "removes".into()]);
        columns.row(vec!["env".into(), "5".into(), "1000000000".into()]);
        columns.row(vec!["日本".into(), "12".into(), "0".into()]);
        let want = "key   adds     removes\n\
                    env      5  1000000000\n\
                    日本    12           0\n";
        assert_eq!(columns.into_text(), want);
    }
}
