//! How progress is shown.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A bar on stderr, which is a terminal.
    Bar,
    /// A plain line every 30 s and at the end of each stage.
    Lines,
    /// Nothing but why a connection halted.
    Quiet,
}

impl Style {
    /// What suits stderr: a bar on a terminal that can move its cursor (`TERM` is neither absent nor `dumb`), else
    /// lines. Nothing shown has colours, so `NO_COLOR` has nothing to switch off.
    pub fn for_stderr() -> Self {
        Self::choose(io::stderr().is_terminal(), env::var_os("TERM").as_deref())
    }

    fn choose(is_terminal: bool, term: Option<&OsStr>) -> Self {
        match term {
            Some(term) if is_terminal && term != "dumb" && !term.is_empty() => Self::Bar,
            _ => Self::Lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_needs_a_terminal_that_can_move_its_cursor() {
        for (is_terminal, term, want) in [
            (true, Some("xterm-256color"), Style::Bar),
            (true, Some("dumb"), Style::Lines),
            (true, Some(""), Style::Lines),
            (true, None, Style::Lines),
            (false, Some("xterm-256color"), Style::Lines),
        ] {
            assert_eq!(
                Style::choose(is_terminal, term.map(OsStr::new)),
                want,
                "{is_terminal} {term:?}"
            );
        }
    }
}
