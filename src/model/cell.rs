//! Cells of tables that people open in a spreadsheet.
//!
//! A spreadsheet takes a cell that begins with certain characters for a formula; a `'` before them makes it a text. A
//! report is only looked at, a file of decisions comes back, so that there what was put before a cell can be told apart
//! from what was in it.

use std::borrow::Cow;

/// A cell that no spreadsheet takes for a formula: a `'` goes before the characters that OWASP names under "CSV
/// Injection" (<https://owasp.org/www-community/attacks/CSV_Injection>) and before NUL, which ASVS 1.2.10 adds.
pub fn neutral(cell: &str) -> Cow<'_, str> {
    if begins_a_formula(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The same so that [`unguarded`] gives the cell back: one that looks as if it had been guarded already gets another `'`.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if begins_a_formula(cell.trim_start_matches('\'')) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// What a guarded cell held. A cell that nobody guarded stays as it is.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if begins_a_formula(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

fn begins_a_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_spreadsheet_takes_for_a_formula_gets_a_quote_and_nothing_else_does() {
        for (cell, want) in [
            ("", ""),
            ("web-01", "web-01"),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("\0=1", "'\0=1"),
            (" =1", " =1"),
            ("'=1", "'=1"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(neutral(cell), want, "{cell:?}");
        }
    }

    #[test]
    fn a_cell_that_comes_back_loses_the_quote_that_it_was_given_and_no_other() {
        for (cell, written) in [
            ("web-01", "web-01"),
            ("=1+1", "'=1+1"),
            ("'=1", "''=1"),
            ("''-5", "'''-5"),
            ("'quoted'", "'quoted'"),
            ("'", "'"),
            ("''", "''"),
        ] {
            assert_eq!(guarded(cell), written, "{cell:?}");
            assert_eq!(unguarded(written), cell, "{written:?}");
        }
        assert_eq!(unguarded("=1+1"), "=1+1", "somebody took the quote away");
    }

    proptest! {
        #[test]
        fn every_cell_comes_back_as_it_was(cell in "['=+@-]{0,4}\\PC*|(?s:.)*") {
            let written = guarded(&cell);
            prop_assert!(!begins_a_formula(&written));
            prop_assert_eq!(unguarded(&written), cell.as_str());
        }
    }
}
