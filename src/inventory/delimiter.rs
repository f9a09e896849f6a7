//! What separates the cells of a table.

use std::io::BufRead;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::position::is_break;
use super::source::Text;
use super::{Format, InventoryError, Options};

/// What may separate cells, the likeliest first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What the options say, then what the file says, then what its rows agree on. A line that says it is read past.
pub(super) fn choose(
    file: &Arc<str>,
    text: &mut Text,
    format: Format,
    options: &Options,
) -> Result<u8, InventoryError> {
    let declared = declared(&text.sample);
    if let Some((_, n_bytes)) = declared {
        text.position.advance(&text.sample[..n_bytes]);
        text.reader.consume(n_bytes);
        text.sample.drain(..n_bytes);
    }
    match options.delimiter {
        Some(given) => u8::try_from(given)
            .ok()
            .filter(|byte| can_separate(*byte))
            .ok_or_else(|| InventoryError::Option {
                file: file.clone(),
                option: "delimiter",
                reason: format!(
                    "is `{}`; only one ASCII character that is no quote and no line break can be",
                    given.escape_default()
                ),
            }),
        None => Ok(match (declared, format) {
            (Some((declared, _)), _) => declared,
            (None, Format::Tsv) => b'\t',
            (None, _) => detected(&text.sample, text.whole, options),
        }),
    }
}

/// Whether `csv` can tell the byte from quotes, line breaks and parts of characters.
fn can_separate(byte: u8) -> bool {
    byte.is_ascii() && !is_break(byte) && byte != b'"'
}

/// Excel's first line that names the delimiter, such as `sep=;`: the delimiter and how many bytes the line takes.
///
/// Excel writes and reads it, though no standard knows it.
fn declared(sample: &[u8]) -> Option<(u8, usize)> {
    let blank = sample.iter().take_while(|byte| is_break(**byte)).count();
    let text = &sample[blank..];
    let end = text.iter().position(|byte| is_break(*byte)).unwrap_or(text.len());
    let line = &text[..end];
    let line = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""))
        .unwrap_or(line);
    match line {
        [word @ .., delimiter] if word.eq_ignore_ascii_case(b"sep=") && can_separate(*delimiter) => {
            Some((*delimiter, blank + end))
        }
        _ => None,
    }
}

/// The delimiter under which the lines of a sample agree best: most rows as wide as the header, then the wider header.
/// A sample in which no candidate separates anything is a single column.
fn detected(sample: &[u8], whole: bool, options: &Options) -> u8 {
    let mut best = (b',', 0.0, 1);
    for candidate in CANDIDATES {
        let (agreement, width) = agreement(sample, whole, options, candidate);
        if width > 1 && (agreement, width) > (best.1, best.2) {
            best = (candidate, agreement, width);
        }
    }
    best.0
}

/// Which share of the rows is as wide as the header (or as the given columns), and that width.
fn agreement(sample: &[u8], whole: bool, options: &Options, delimiter: u8) -> (f64, usize) {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quoting(!options.literal_quotes)
        .from_reader(sample);
    let mut row = ByteRecord::new();
    let mut widths = Vec::new();
    // A slice can't fail to be read.
    while reader.read_byte_record(&mut row).is_ok_and(|more| more) {
        let is_blank = row.len() == 1 && row.iter().all(|cell| cell.trim_ascii().is_empty());
        if !is_blank {
            widths.push(row.len());
        }
    }
    if !whole && widths.len() > 1 {
        // The last row may be cut off.
        widths.pop();
    }
    let width = match options.columns.len() {
        0 => widths.first().copied().unwrap_or(0),
        n_columns => n_columns,
    };
    let agreeing = widths.iter().filter(|other| **other == width).count();
    let share = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    (share(agreeing) / share(widths.len().max(1)), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_on_which_the_lines_agree_is_found() {
        for (sample, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1;2\n", b';'),
            ("a\tb\n1\t2\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("a\n1\n", b','),
            ("", b','),
            // Commas in values, as in decimals of half of Europe.
            ("id;price;note\n1;1,5;a\n2;2,5;b, c\n", b';'),
            ("id;price, net\n1;1,5\n2;2\n", b';'),
            // Delimiters inside quotes separate nothing.
            ("\"a;b;c\",d\n\"1;2;3\",4\n", b','),
            // A list in a cell.
            ("name,tags\nx,a|b|c\ny,a|b\n", b','),
            ("a|b,c|d\n1|2|3\n1|2,5|3\n", b'|'),
        ] {
            assert_eq!(
                char::from(detected(sample.as_bytes(), true, &Options::default())),
                char::from(delimiter),
                "{sample}"
            );
        }
    }

    #[test]
    fn a_last_row_that_is_cut_off_has_no_say() {
        assert_eq!(detected(b"a;b,c\n1;2,3", false, &Options::default()), b',');
        assert_eq!(detected(b"a;b\n1;2\n1,2,3;4;5", false, &Options::default()), b';');
    }

    #[test]
    fn given_columns_decide_what_a_width_should_be() {
        let columns = |n: usize| Options {
            columns: vec![String::new(); n],
            ..Options::default()
        };
        assert_eq!(detected(b"1,5;x\n2,5;y;\n", true, &columns(2)), b',');
        assert_eq!(detected(b"x, y;1;2\nz;1;2\n", true, &columns(3)), b';');
    }

    #[test]
    fn literal_quotes_enclose_no_delimiter() {
        let sample = b"5\" pipe;x\n6\" pipe;y\n\"a;b\nc;\"d\n";
        let options = Options {
            literal_quotes: true,
            ..Options::default()
        };
        assert_eq!(detected(sample, true, &options), b';');
        assert_eq!(agreement(sample, true, &options, b';'), (1.0, 2));
    }

    #[test]
    fn excels_line_declares_the_delimiter() {
        for (sample, declared_as) in [
            ("sep=;\na;b", Some((b';', 5))),
            ("SEP=\t\r\na", Some((b'\t', 5))),
            ("\"sep=|\"\na", Some((b'|', 7))),
            ("\nsep=,", Some((b',', 6))),
            ("sep=\na", None),
            ("sep=\"\na", None),
            ("sep=ab\na", None),
            ("separator;b", None),
        ] {
            assert_eq!(declared(sample.as_bytes()), declared_as, "{sample:?}");
        }
    }
}
