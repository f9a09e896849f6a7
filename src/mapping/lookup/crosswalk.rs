//! The rows of a file, compact: one text of all keys and cells, offsets into it, and a table of hashes.
//!
//! A row costs its text, its key once more, four bytes a cell, and about thirty.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::options::{Repeated, compared};
use crate::mapping::row::{Cell, Index, found};

/// No row.
const NONE: u32 = u32::MAX;

/// Rows that are found by their keys.
#[derive(Debug)]
pub struct Crosswalk {
    pub(super) name: String,
    /// The file as the job names it.
    pub(super) file: String,
    pub(super) fold_case: bool,
    pub(super) repeated: Repeated,
    pub(super) shapes: Vec<Shape>,
    pub(super) rows: Vec<Place>,
    /// Keys and cells, one after the other.
    text: String,
    /// Where each of them ends.
    ends: Vec<u32>,
    index: HashTable<OfKey>,
    hasher: DefaultHashBuilder,
}

/// What rows of one file and header share.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) file: Arc<str>,
    /// The columns; `None` where a row is one cell of JSON.
    pub(super) columns: Option<Arc<Index>>,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The number of its key among the texts; its cells follow.
    first: u32,
    pub(super) shape: u32,
    /// Its line in the file, or the greatest number beyond that.
    pub(super) line: u32,
    /// The next row of the same key.
    next: u32,
}

/// The rows of one key.
#[derive(Debug, Clone, Copy)]
struct OfKey {
    first: u32,
    last: u32,
}

/// More text or cells than offsets of 32 bits reach.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Crosswalk {
    /// A crosswalk without rows.
    pub(super) fn new(name: &str, file: &str, fold_case: bool, repeated: Repeated) -> Self {
        Self {
            name: name.to_owned(),
            file: file.to_owned(),
            fold_case,
            repeated,
            shapes: Vec::new(),
            rows: Vec::new(),
            text: String::new(),
            ends: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row of the last shape. Gives back the row that had its key before, if any.
    pub(super) fn push<'c>(
        &mut self,
        key: &str,
        cells: impl Iterator<Item = &'c str>,
        line: u64,
        limit: usize,
    ) -> Result<Option<u32>, Full> {
        let key = compared(key, self.fold_case);
        let row = number(self.rows.len(), limit)?;
        let first = number(self.ends.len(), limit)?;
        self.add(&key, limit)?;
        for cell in cells {
            self.add(cell, limit)?;
        }
        self.rows.push(Place {
            first,
            shape: number(self.shapes.len() - 1, limit)?,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            next: NONE,
        });
        Ok(self.chain(&key, row))
    }

    /// Adds a key or a cell.
    fn add(&mut self, text: &str, limit: usize) -> Result<(), Full> {
        self.text.push_str(text);
        self.ends.push(number(self.text.len(), limit)?);
        Ok(())
    }

    /// Puts a row behind those of its key. Gives back the one before it.
    fn chain(&mut self, key: &str, row: u32) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        let (text, ends, rows) = (&self.text, &self.ends, &self.rows);
        let key_of = |row: u32| slice(text, ends, rows[row as usize].first);
        if let Some(known) = self.index.find_mut(hash, |known| key_of(known.first) == key) {
            let before = std::mem::replace(&mut known.last, row);
            self.rows[before as usize].next = row;
            return Some(before);
        }
        let hasher = &self.hasher;
        let of_key = OfKey {
            first: row,
            last: row,
        };
        self.index
            .insert_unique(hash, of_key, |known| hasher.hash_one(key_of(known.first)));
        None
    }

    /// The rows of a key that hold, in the order of the file: one at most unless rows may repeat.
    pub(super) fn find(&self, key: &str) -> Option<impl Iterator<Item = u32>> {
        let key = compared(key, self.fold_case);
        let hash = self.hasher.hash_one(&*key);
        let of_key = *self.index.find(hash, |known| self.key(known.first) == key)?;
        let (from, all) = match self.repeated {
            Repeated::Refuse | Repeated::First => (of_key.first, false),
            Repeated::Last => (of_key.last, false),
            Repeated::List => (of_key.first, true),
        };
        let next = move |row: &u32| Some(self.rows[*row as usize].next).filter(|next| all && *next != NONE);
        Some(std::iter::successors(Some(from), next))
    }

    /// The key of a row, as keys are compared.
    pub(super) fn key(&self, row: u32) -> &str {
        slice(&self.text, &self.ends, self.rows[row as usize].first)
    }

    /// A cell of a row, from 0.
    pub(super) fn cell(&self, row: u32, column: usize) -> Option<&str> {
        let cells = self.rows[row as usize].first + 1;
        let cell = cells.checked_add(u32::try_from(column).ok()?)?;
        let end = self
            .rows
            .get(row as usize + 1)
            .map_or(self.ends.len(), |next| next.first as usize);
        ((cell as usize) < end).then(|| slice(&self.text, &self.ends, cell))
    }

    /// The columns of a row; `None` where it is JSON.
    pub(super) fn columns(&self, row: u32) -> Option<&Index> {
        self.shape(row).columns.as_deref()
    }

    /// The row itself where it is JSON.
    pub(super) fn object(&self, row: u32) -> Option<serde_json::Map<String, serde_json::Value>> {
        if self.columns(row).is_some() {
            return None;
        }
        let object = serde_json::from_str(self.cell(row, 0)?);
        Some(object.expect("what was written as a JSON object is one"))
    }

    /// What a row has in a column, without blanks around it; `None` where that is no text.
    pub(super) fn text_of(&self, row: u32, column: &str) -> Option<Cow<'_, str>> {
        if let Some(index) = self.columns(row) {
            return Some(self.cell(row, index.place(column)?)?.trim().into());
        }
        let object = self.object(row)?;
        let text = Cell::Json(found(&object, column)?).text().ok()?;
        Some(text.trim().to_owned().into())
    }

    /// Where a row stands, as `file:line`.
    pub(super) fn origin(&self, row: u32) -> String {
        format!("{}:{}", self.shape(row).file, self.rows[row as usize].line)
    }

    fn shape(&self, row: u32) -> &Shape {
        &self.shapes[self.rows[row as usize].shape as usize]
    }
}

/// A text by its number.
fn slice<'t>(text: &'t str, ends: &[u32], number: u32) -> &'t str {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &text[start as usize..ends[number] as usize]
}

fn number(number: usize, limit: usize) -> Result<u32, Full> {
    u32::try_from(number).ok().filter(|_| number <= limit).ok_or(Full)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;

    use super::super::testing::{crosswalk, lines, rows};
    use super::*;

    /// The cell `v` of every row that a key finds.
    fn found(crosswalk: &Crosswalk, key: &str) -> Vec<String> {
        let rows = crosswalk.find(key).into_iter().flatten();
        let cell = |row| crosswalk.text_of(row, "v").unwrap().into_owned();
        rows.map(cell).collect()
    }

    #[test]
    fn several_rows_of_a_key_mean_what_is_declared() {
        let rows = rows(
            &["k", "v"],
            &[&["a", "1"], &["b", "2"], &["a", "3"], &[" a ", "4"]],
        );
        for (repeated, of_a) in [
            ("first", &["1"][..]),
            ("last", &["4"]),
            ("list", &["1", "3", "4"]),
        ] {
            let crosswalk = crosswalk(&format!("repeated = '{repeated}'"), &rows).unwrap();
            assert_eq!(found(&crosswalk, "a"), of_a, "{repeated}");
            assert_eq!(found(&crosswalk, "b"), ["2"], "{repeated}");
            assert_eq!(found(&crosswalk, "c"), [""; 0], "{repeated}");
        }
    }

    #[test]
    fn keys_are_compared_without_blanks_and_without_case_if_told() {
        let rows = rows(&["k", "v"], &[&[" Web-1", "1"], &["STRASSE", "2"]]);
        for (more, key, want) in [
            ("", "Web-1", &["1"][..]),
            ("", " Web-1 ", &["1"]),
            ("", "web-1", &[]),
            ("fold_case = true", "wEB-1", &["1"]),
            ("fold_case = true", "Strasse", &["2"]),
            ("fold_case = true", "web-2", &[]),
        ] {
            assert_eq!(found(&crosswalk(more, &rows).unwrap(), key), want, "{more} {key}");
        }
    }

    #[test]
    fn files_of_different_columns_are_one_crosswalk() {
        let mut all = rows(&["k", "v"], &[&["a", "1"]]);
        all.extend(rows(&["v", "x", "k"], &[&["2", "", "b"]]));
        all.extend(lines(&[r#"{"k": 7, "v": 3.10}"#]));
        let crosswalk = crosswalk("", &all).unwrap();
        assert_eq!(crosswalk.len(), 3);
        for (key, value, origin) in [
            ("a", "1", "cw.csv:2"),
            ("b", "2", "cw.csv:2"),
            ("7", "3.10", "cw.jsonl:1"),
        ] {
            assert_eq!(found(&crosswalk, key), [value]);
            let row = crosswalk.find(key).unwrap().next().unwrap();
            assert_eq!(crosswalk.origin(row), origin);
        }
    }

    #[test]
    fn a_cell_of_the_next_row_is_none_of_this_one() {
        let crosswalk = crosswalk("", &rows(&["k", "v"], &[&["a", "1"], &["b", "2"]])).unwrap();
        assert_eq!((crosswalk.cell(0, 1), crosswalk.cell(0, 2)), (Some("1"), None));
        assert_eq!((crosswalk.cell(1, 1), crosswalk.cell(1, 2)), (Some("2"), None));
    }

    proptest::proptest! {
        #[test]
        fn every_row_that_went_in_is_found_whatever_its_text(
            cells in vec(("\\PC{0,6}|[a-c ]{1,2}|.{0,4}", ".{0,5}"), 0..40), fold_case: bool,
        ) {
            let cells: Vec<_> = cells.iter().filter(|(key, _)| !key.trim().is_empty()).collect();
            let texts: Vec<[&str; 2]> = cells.iter().map(|(key, value)| [key.as_str(), value.as_str()]).collect();
            let table: Vec<&[&str]> = texts.iter().map(<[&str; 2]>::as_slice).collect();
            let more = format!("repeated = 'list'\nfold_case = {fold_case}");
            let crosswalk = crosswalk(&more, &rows(&["k", "v"], &table)).unwrap();
            for (key, _) in &cells {
                let same = |(other, _): &&&(String, String)| compared(other, fold_case) == compared(key, fold_case);
                let want: Vec<_> = cells.iter().filter(same).map(|(_, value)| value.trim().to_owned()).collect();
                proptest::prop_assert_eq!(found(&crosswalk, key), want);
            }
        }
    }
}
