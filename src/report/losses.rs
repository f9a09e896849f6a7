//! What tags lost because the job allows it: counted in a line, and the rows that it concerns.

use std::collections::BTreeMap;
use std::io;

use super::rows::RowWriter;
use super::text::called;
use crate::ledger::RowReport;
use crate::model::display_safe;

/// How often each class of loss was met by which remedy.
pub type LossCounts = BTreeMap<String, BTreeMap<String, u64>>;

/// Losses in a line, such as `too_long 1000 (truncated), illegal 12 (dropped)`; `None` where there are none.
pub fn losses(counts: &LossCounts) -> Option<String> {
    let each = counts.iter().flat_map(|(class, by)| {
        let remedies = by.iter();
        remedies.map(move |(remedy, count)| format!("{class} {count} ({remedy})"))
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| each.join(", "))
}

/// Writes a line for each loss, whatever became of its row.
pub(super) struct LossRows<'a>(pub(super) &'a mut dyn io::Write);

impl RowWriter for LossRows<'_> {
    fn row(&mut self, row: &RowReport) -> io::Result<()> {
        for loss in &row.losses {
            let (class, remedy, message) = (loss.class, loss.remedy, &loss.message);
            let parts = [
                Some(format!("{}: {remedy} ({class})", row.origin)),
                called(row),
                Some(message.clone()),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            writeln!(self.0, "{}", display_safe(&parts.join(": ")))?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        writeln!(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_one_line_and_none_is_nothing() {
        let by = |remedies: &[(&str, u64)]| {
            remedies
                .iter()
                .map(|(word, n)| ((*word).to_owned(), *n))
                .collect()
        };
        let counts = LossCounts::from([
            ("too_long".to_owned(), by(&[("truncated", 1000)])),
            ("illegal".to_owned(), by(&[("dropped", 12), ("replaced", 3)])),
        ]);
        assert_eq!(
            losses(&counts).as_deref(),
            Some("illegal 12 (dropped), illegal 3 (replaced), too_long 1000 (truncated)")
        );
        assert_eq!(losses(&LossCounts::new()), None);
    }
}
