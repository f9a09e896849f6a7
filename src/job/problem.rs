//! What is wrong with a job file, where, and how that looks.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The most characters of a source line that are shown.
const WIDTH: usize = 110;

/// A job file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The file can't be read.
    #[error("{}: can't be read; give the path of a job file", path.display())]
    Unreadable {
        /// The file, as it was named.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is read, and can't be used: everything that is wrong with it, in the order of its lines.
    #[error("{}", Listed(problems))]
    Refused {
        /// At least one.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong with a job file. `Display` shows it with its source line and a caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
    /// The source line as far as it is shown, without secrets.
    excerpt: String,
    /// Where the caret stands in the excerpt, in characters from 0.
    caret: usize,
    /// How many characters it underlines.
    length: usize,
}

impl Problem {
    /// A problem with some bytes of a text. `shown` is the text with its secrets masked character by character.
    pub(super) fn new(path: &Path, text: &str, shown: &str, span: &Range<usize>, message: String) -> Self {
        let start = floor(text, span.start);
        let end = floor(text, span.end).max(start);
        let before = &text[..start];
        let line = before.matches('\n').count();
        let column = before.chars().rev().take_while(|c| *c != '\n').count();
        // A long line is shown around what is wrong with it.
        let first = column.saturating_sub(WIDTH - 30);
        let whole = shown.lines().nth(line).unwrap_or_default();
        let excerpt: String = whole.chars().skip(first).take(WIDTH).map(printable).collect();
        let blamed = text[start..end].lines().next().unwrap_or_default();
        let caret = column - first;
        let room = excerpt.chars().count().saturating_sub(caret);
        Self {
            path: path.to_owned(),
            line: line + 1,
            column: column + 1,
            message,
            excerpt,
            caret,
            length: blamed.chars().count().min(room).max(1),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            column,
            message,
            excerpt,
            caret,
            length,
        } = self;
        writeln!(f, "{}:{line}:{column}: {message}", path.display())?;
        let margin = line.to_string().len();
        writeln!(f, "{:margin$} |", "")?;
        writeln!(f, "{line} | {}", excerpt.trim_end())?;
        write!(f, "{:margin$} | {:caret$}{:^<length$}", "", "", "")
    }
}

struct Listed<'p>(&'p [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// Tabs would move the caret, and control characters could move the terminal's cursor.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        Problem::new(Path::new("job.toml"), text, text, &span, "what".into()).to_string()
    }

    #[test]
    fn the_source_line_is_shown_with_a_caret() {
        assert_eq!(
            shown("a = 1\n\tvaule = 2\n", 7..12),
            "job.toml:2:2: what\n  |\n2 |  vaule = 2\n  |  ^^^^^"
        );
    }

    #[test]
    fn ends_empty_texts_and_several_lines_are_shown() {
        assert_eq!(shown("", 0..0), "job.toml:1:1: what\n  |\n1 | \n  | ^");
        assert_eq!(
            shown("é = '''\nx'''", 5..13),
            "job.toml:1:5: what\n  |\n1 | é = '''\n  |     ^^^"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_the_caret() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let lines: Vec<_> = shown(&text, 500..501).lines().map(str::to_owned).collect();
        let at = lines[3].find('^').unwrap();
        assert_eq!(lines[2].chars().nth(at), Some('X'));
        assert!(lines[2].len() < 130, "{}", lines[2].len());
    }

    #[test]
    fn characters_that_move_the_cursor_are_replaced() {
        assert!(!shown("a\u{1b}[2J\u{202e}", 0..1).contains(['\u{1b}', '\u{202e}']));
    }
}
