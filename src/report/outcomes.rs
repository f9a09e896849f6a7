//! The table that ends every run: what became of its rows and operations, and what that took.

use super::table::Columns;
use crate::ledger::{AttemptCounts, RunRow, Summary};
use crate::model::Outcome;

/// One line for each outcome that a row or an operation has, a total that adds up to the rows read, and the calls.
pub fn outcomes(summary: &Summary) -> String {
    let mut columns = Columns::new(1, vec!["outcome".into(), "rows".into(), "operations".into()]);
    let (mut rows, mut operations) = (0, 0);
    for outcome in Outcome::ALL {
        let (of_rows, of_operations) = (summary.rows_of(outcome), summary.operations_of(outcome));
        rows += of_rows;
        operations += of_operations;
        if of_rows + of_operations > 0 {
            columns.row(line(outcome.as_str(), of_rows, of_operations));
        }
    }
    columns.row(line("total", rows, operations));
    columns.into_text() + &calls(&summary.attempts)
}

/// What is wrong when the rows that have an outcome are not the rows that the plan read; `None` when they add up, or
/// when the run has no plan to compare with.
pub fn unaccounted(run: &RunRow, summary: &Summary) -> Option<String> {
    let read = run.summary.as_ref()?.get("rows")?.as_u64()?;
    let told: u64 = summary.row_outcomes.iter().sum();
    (read != told).then(|| {
        format!(
            "run {}: {read} rows were read, but {told} have an outcome; the ledger is damaged, plan the job afresh",
            run.id
        )
    })
}

fn line(outcome: &str, rows: u64, operations: u64) -> Vec<String> {
    vec![outcome.to_owned(), rows.to_string(), operations.to_string()]
}

fn calls(attempts: &AttemptCounts) -> String {
    let AttemptCounts {
        observe,
        write,
        retries,
    } = *attempts;
    format!("calls: {observe} reads, {write} writes, {retries} of them retries\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::testing;

    #[test]
    fn outcomes_that_nothing_has_are_left_out_and_the_rest_adds_up() {
        let summary = Summary {
            rows: 1_236,
            row_outcomes: [1_200, 31, 4, 0, 1, 0, 0],
            operation_outcomes: [2_400, 0, 0, 0, 1, 0, 0],
            attempts: AttemptCounts {
                observe: 7,
                write: 14,
                retries: 2,
            },
        };
        let want = "outcome    rows  operations\n\
                    done       1200        2400\n\
                    unchanged    31           0\n\
                    rejected      4           0\n\
                    failed        1           1\n\
                    total      1236        2401\n\
                    calls: 7 reads, 14 writes, 2 of them retries\n";
        assert_eq!(outcomes(&summary), want);
    }

    #[test]
    fn a_run_of_no_rows_has_a_total_of_nothing() {
        let want = "outcome  rows  operations\n\
                    total       0           0\n\
                    calls: 0 reads, 0 writes, 0 of them retries\n";
        assert_eq!(outcomes(&Summary::default()), want);
    }

    #[test]
    fn a_row_that_the_ledger_lost_is_told() {
        let run = testing::planned_run(10);
        let summary = |rows| Summary {
            rows,
            row_outcomes: [rows, 0, 0, 0, 0, 0, 0],
            ..Summary::default()
        };
        assert_eq!(unaccounted(&run, &summary(10)), None);
        let lost = unaccounted(&run, &summary(9)).unwrap();
        assert!(
            lost.starts_with("run 7: 10 rows were read, but 9 have an outcome"),
            "{lost}"
        );
        let unplanned = RunRow { summary: None, ..run };
        assert_eq!(unaccounted(&unplanned, &summary(9)), None);
    }

    proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_lines(row_outcomes: [u32; 7], operation_outcomes: [u32; 7]) {
            let summary = Summary {
                row_outcomes: row_outcomes.map(u64::from),
                operation_outcomes: operation_outcomes.map(u64::from),
                ..Summary::default()
            };
            let text = outcomes(&summary);
            let numbers = |line: &str| -> Vec<u64> {
                line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
            };
            let lines: Vec<Vec<u64>> =
                text.lines().skip(1).filter(|line| !line.starts_with("calls")).map(numbers).collect();
            let (total, parts) = lines.split_last().unwrap();
            for column in 0..2 {
                prop_assert_eq!(total[column], parts.iter().map(|part| part[column]).sum::<u64>());
            }
        }
    }
}
