//! Cursors: where a listing goes on, as text that clients hand back.

use std::fmt;
use std::str::FromStr;

/// Where a listing of v2 goes on. It carries the whole query, since nothing else may come with it, and its text needs
/// percent-encoding, as the vendor's own cursors do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The next candidate.
    pub(super) position: usize,
    /// Matches on all pages, as counted for the first.
    pub(super) total: usize,
    /// Entities a page.
    pub(super) page_size: usize,
    /// The time frame of the first page and its moment: entities must not fall out of it from page to page.
    pub(super) frame: [i64; 3],
    /// Selector, fields and order, as they came.
    pub(super) texts: [String; 3],
}

impl Cursor {
    /// The same listing from another position on.
    pub(super) fn at(&self, position: usize) -> Self {
        Self {
            position,
            ..self.clone()
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            total,
            page_size,
            frame: [from, to, now],
            texts,
        } = self;
        write!(f, "AQ/{position:x}+{total:x}+{page_size:x}+{from}+{to}+{now}+")?;
        for byte in texts.join("\0").bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("==")
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let inner = text
            .strip_prefix("AQ/")
            .and_then(|rest| rest.strip_suffix("=="))
            .ok_or(())?;
        let parts: Vec<&str> = inner.split('+').collect();
        let &[position, total, page_size, from, to, now, texts] = &*parts else {
            return Err(());
        };
        let hex = |text| usize::from_str_radix(text, 16).map_err(|_| ());
        let ms = |text: &str| text.parse::<i64>().map_err(|_| ());
        let texts = String::from_utf8(bytes(texts).ok_or(())?).map_err(|_| ())?;
        let texts: Vec<String> = texts.split('\0').map(str::to_owned).collect();
        Ok(Self {
            position: hex(position)?,
            total: hex(total)?,
            page_size: hex(page_size)?,
            frame: [ms(from)?, ms(to)?, ms(now)?],
            texts: texts.try_into().map_err(|_| ())?,
        })
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(
            position in 0..1_000_000_usize,
            from in -1_000..1_000_i64,
            texts in ["[^\0]{0,20}", "[^\0]{0,20}", "[^\0]{0,20}"],
        ) {
            let cursor = Cursor { position, total: 7, page_size: 500, frame: [from, 2, 3], texts };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn no_text_is_too_strange_to_be_refused(text in "(AQ/)?[0-9a-f+é]{0,30}(==)?") {
            let _: Result<Cursor, ()> = text.parse();
        }
    }

    #[test]
    fn a_cursor_that_was_not_encoded_is_none() {
        let texts = ["type(HOST)", "tags", ""].map(str::to_owned);
        let cursor = Cursor {
            position: 1,
            total: 2,
            page_size: 3,
            frame: [4, 5, 6],
            texts,
        };
        let mangled = cursor.to_string().replace('+', " ");
        assert_eq!(mangled.parse::<Cursor>(), Err(()));
    }
}
