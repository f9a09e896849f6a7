//! Reading many rows. One by one they cost several times what SQLite takes to read them, since sqlx hands each over to
//! another thread; so they come by the thousand, as one JSON text.

use serde::de::DeserializeOwned;

use super::{Ledger, LedgerError};

/// How many numbers a page spans.
const PAGE: usize = 4096;

/// Rows of a run that are numbered, densely enough to be read by ranges of their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered {
    /// What is being read, for when it fails.
    pub(super) doing: &'static str,
    /// The highest number of the run `?1`.
    pub(super) last: &'static str,
    /// The rows of the run `?1` whose numbers go from `?2` to before `?3`, as one JSON array of arrays.
    pub(super) page: &'static str,
}

impl Ledger {
    /// Calls `each` with every row, in the order of their numbers.
    pub(super) async fn each_numbered<T: DeserializeOwned>(
        &self,
        rows: Numbered,
        run: i64,
        mut each: impl FnMut(T),
    ) -> Result<(), LedgerError> {
        let Numbered { doing, last, page } = rows;
        let last: Option<i64> = sqlx::query_scalar(last)
            .bind(run)
            .fetch_one(&self.readers)
            .await
            .map_err(LedgerError::sql(doing))?;
        let Some(last) = last else { return Ok(()) };
        let mut firsts = (0..=last).step_by(PAGE).peekable();
        while let Some(from) = firsts.next() {
            let before = firsts.peek().copied().unwrap_or(last + 1);
            let text: String = sqlx::query_scalar(page)
                .bind(run)
                .bind(from)
                .bind(before)
                .fetch_one(&self.readers)
                .await
                .map_err(LedgerError::sql(doing))?;
            let rows: Vec<T> = serde_json::from_str(&text).map_err(|_| LedgerError::Corrupt {
                what: "rows",
                text: text.chars().take(200).collect(),
            })?;
            rows.into_iter().for_each(&mut each);
        }
        Ok(())
    }
}
