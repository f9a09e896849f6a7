//! Makes a crosswalk of the records of its files, and finds what is wrong with them.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::crosswalk::{Crosswalk, Full, Shape};
use super::error::LookupError;
use super::options::{BadRows, CrosswalkOptions, Repeated};
use crate::mapping::nearest;
use crate::mapping::row::{Index, Row};
use crate::model::{Fields, Origin, Record};

/// Rows that are named when a crosswalk is refused.
const NAMED: usize = 10;

/// Rows of one file, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCount {
    /// The file as its rows name it.
    pub file: Arc<str>,
    /// Rows that can be found.
    pub rows: u64,
    /// Rows that were left out.
    pub skipped: u64,
}

/// A crosswalk in the making.
#[derive(Debug)]
pub struct CrosswalkBuilder {
    options: CrosswalkOptions,
    crosswalk: Crosswalk,
    index: Option<Arc<Index>>,
    counts: Vec<FileCount>,
    problems: Vec<String>,
    more: u64,
    /// The most bytes, and the most cells.
    limit: usize,
}

impl CrosswalkBuilder {
    pub(in crate::mapping) fn new(name: &str, options: &CrosswalkOptions) -> Self {
        let CrosswalkOptions {
            file,
            fold_case,
            repeated,
            ..
        } = options;
        Self {
            options: options.clone(),
            crosswalk: Crosswalk::new(name, file, *fold_case, *repeated),
            index: None,
            counts: Vec::new(),
            problems: Vec::new(),
            more: 0,
            limit: u32::MAX as usize,
        }
    }

    /// Takes a row. `Err` means that none of its file can be taken.
    pub fn push(&mut self, record: &Record) -> Result<(), LookupError> {
        let Record { origin, fields } = record;
        let index = Index::of(record, &mut self.index);
        self.shape(origin, index.as_ref())?;
        let row = Row::new(record, index);
        let key = match key(&row, &self.options.key) {
            Ok(key) => key,
            Err(why) => {
                self.bad(origin, &why);
                return Ok(());
            }
        };
        let pushed = match fields {
            Fields::Table { row, .. } => self.crosswalk.push(&key, row.iter(), origin.line, self.limit),
            Fields::Object(object) => {
                let text = serde_json::to_string(object).expect("JSON that was read can be written");
                let cells = std::iter::once(text.as_str());
                self.crosswalk.push(&key, cells, origin.line, self.limit)
            }
        };
        let before = pushed.map_err(|Full| LookupError::TooLarge {
            lookup: self.crosswalk.name.clone(),
            file: origin.file.to_string(),
            limit: self.limit,
        })?;
        self.count(&origin.file).rows += 1;
        if let (Some(before), Repeated::Refuse) = (before, self.options.repeated) {
            let before = self.crosswalk.origin(before);
            let key = key.trim();
            self.problem(format!(
                "{origin}: the key `{key}` is on {before} already; keep one of the rows, or say with `repeated` what several mean"
            ));
        }
        Ok(())
    }

    /// Takes note of a row that can't be used, and why.
    pub fn bad(&mut self, origin: &Origin, why: &str) {
        match self.options.bad_rows {
            BadRows::Skip => self.count(&origin.file).skipped += 1,
            BadRows::Refuse => self.problem(format!(
                "{origin}: {why}; such rows can be left out with `bad_rows = \"skip\"`"
            )),
        }
    }

    /// How many rows each file gave, those without any left out.
    pub fn counts(&self) -> &[FileCount] {
        &self.counts
    }

    /// The crosswalk, or what is wrong with it.
    pub fn finish(mut self) -> Result<Crosswalk, LookupError> {
        for column in std::mem::take(&mut self.options.unique) {
            self.check_unique(&column);
        }
        if self.problems.is_empty() {
            return Ok(self.crosswalk);
        }
        Err(LookupError::Rows {
            lookup: self.crosswalk.name,
            problems: self.problems,
            more: self.more,
        })
    }

    /// Makes sure that the last shape is that of the next row, and that its columns are those that the job names.
    fn shape(&mut self, origin: &Origin, index: Option<&Arc<Index>>) -> Result<(), LookupError> {
        let same = |shape: &Shape| {
            let columns = shape.columns.as_ref().map(Arc::as_ptr);
            columns == index.map(Arc::as_ptr) && shape.file == origin.file
        };
        if self.crosswalk.shapes.last().is_some_and(same) {
            return Ok(());
        }
        let named = std::iter::once(&self.options.key).chain(&self.options.unique);
        if let Some(index) = index
            && let Some(column) = named.into_iter().find(|column| index.place(column).is_none())
        {
            let names = index.names();
            let near = nearest(column, names.iter().map(String::as_str));
            return Err(LookupError::NoColumn {
                lookup: self.crosswalk.name.clone(),
                file: origin.file.to_string(),
                column: column.clone(),
                columns: names.join(", "),
                hint: near
                    .map(|near| format!(" (did you mean `{near}`?)"))
                    .unwrap_or_default(),
            });
        }
        self.crosswalk.shapes.push(Shape {
            file: Arc::clone(&origin.file),
            columns: index.cloned(),
        });
        Ok(())
    }

    /// Finds different keys that have the same value of a column. Rows that do not hold count for nothing, nor do empty
    /// cells.
    fn check_unique(&mut self, column: &str) {
        let hasher = DefaultHashBuilder::default();
        let mut seen: HashTable<u32> = HashTable::new();
        let mut same = Vec::new();
        let crosswalk = &self.crosswalk;
        let value = |row: u32| crosswalk.text_of(row, column).unwrap_or_default();
        for row in 0..u32::try_from(crosswalk.len()).unwrap_or(u32::MAX) {
            let text = value(row);
            let holds = || {
                crosswalk
                    .find(crosswalk.key(row))
                    .is_some_and(|mut rows| rows.any(|held| held == row))
            };
            if text.is_empty() || !holds() {
                continue;
            }
            let hash = hasher.hash_one(&*text);
            match seen.find(hash, |other| value(*other) == text) {
                Some(other) if crosswalk.key(*other) != crosswalk.key(row) => same.push((*other, row)),
                Some(_) => {}
                None => {
                    seen.insert_unique(hash, row, |row| hasher.hash_one(&*value(*row)));
                }
            }
        }
        for (other, row) in same {
            let text = format!(
                "{}: `{column}` is `{}`, as on {} for another key; `unique` forbids that",
                self.crosswalk.origin(row),
                self.crosswalk.text_of(row, column).unwrap_or_default(),
                self.crosswalk.origin(other),
            );
            self.problem(text);
        }
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < NAMED {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    fn count(&mut self, file: &Arc<str>) -> &mut FileCount {
        if self.counts.last().is_none_or(|last| last.file != *file) {
            self.counts.push(FileCount {
                file: Arc::clone(file),
                rows: 0,
                skipped: 0,
            });
        }
        self.counts.last_mut().expect("one was just pushed")
    }
}

/// The key of a row, which is never empty.
fn key<'r>(row: &Row<'r>, column: &str) -> Result<Cow<'r, str>, String> {
    let cell = row.find(column).ok_or_else(|| row.lacks(column))?;
    match cell.text() {
        Ok(text) if text.trim().is_empty() => Err(format!("has no key: `{column}` is empty")),
        Ok(text) => Ok(text),
        Err(what) => Err(format!("has no key: `{column}` is {what} and no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, crosswalk, lines, options, rows};
    use super::*;

    /// What is wrong with a crosswalk.
    fn wrong(more: &str, rows: &[Record]) -> String {
        crosswalk(more, rows).unwrap_err().to_string()
    }

    #[test]
    fn a_key_on_two_lines_is_refused_with_both() {
        let twice = rows(&["k", "v"], &[&["a", "1"], &["b", "2"], &["a", "1"]]);
        assert_eq!(
            wrong("", &twice),
            "lookup `hosts`: cw.csv:4: the key `a` is on cw.csv:2 already; keep one of the rows, or say with `repeated` what several mean"
        );
        let folded = rows(&["k", "v"], &[&["a", "1"], &["A", "2"]]);
        assert!(wrong("fold_case = true", &folded).contains("cw.csv:3: the key `A` is on cw.csv:2"));
        assert_eq!(crosswalk("", &folded).unwrap().len(), 2);
    }

    #[test]
    fn rows_without_a_key_are_refused_or_left_out_as_told() {
        for (rows, why) in [
            (
                rows(&["k"], &[&["a"], &[" "]]),
                "cw.csv:3: has no key: `k` is empty",
            ),
            (
                lines(&[r#"{"k": ["a"]}"#]),
                "cw.jsonl:1: has no key: `k` is a list and no text",
            ),
            (lines(&[r#"{"k": null}"#]), "cw.jsonl:1: has no key: `k` is empty"),
            (
                lines(&[r#"{"l": "a"}"#]),
                "cw.jsonl:1: no field `k` in this row; it has: l",
            ),
        ] {
            let told = wrong("", &rows);
            assert!(told.starts_with(&format!("lookup `hosts`: {why}")), "{told}");
            assert!(
                told.ends_with("such rows can be left out with `bad_rows = \"skip\"`"),
                "{told}"
            );
            let left = crosswalk("bad_rows = 'skip'", &rows).unwrap();
            assert_eq!(left.len(), rows.len() - 1, "{why}");
        }
    }

    #[test]
    fn a_column_that_is_not_there_refuses_the_file() {
        let table = rows(&["kk", "v"], &[&["a", "1"]]);
        assert_eq!(
            wrong("", &table),
            "lookup `hosts`: cw.csv has no column `k`; it has: kk, v (did you mean `kk`?)"
        );
        let table = rows(&["k", "v"], &[&["a", "1"]]);
        assert_eq!(
            wrong("unique = ['id']", &table),
            "lookup `hosts`: cw.csv has no column `id`; it has: k, v"
        );
    }

    #[test]
    fn two_keys_of_one_value_are_refused_where_it_is_unique() {
        let table = [
            &["a", "1"][..],
            &["b", "2"],
            &["c", " 1"],
            &["a", "3"],
            &["d", ""],
            &["e", ""],
        ];
        let rows = rows(&["k", "v"], &table);
        let told =
            "lookup `hosts`: cw.csv:4: `v` is `1`, as on cw.csv:2 for another key; `unique` forbids that";
        for (repeated, want) in [("first", Some(told)), ("last", None), ("list", Some(told))] {
            let made = crosswalk(&format!("unique = ['v']\nrepeated = '{repeated}'"), &rows);
            let got = made.err().map(|error| error.to_string());
            assert_eq!(got.as_deref(), want, "{repeated}");
        }
        let json = lines(&[r#"{"k": "a", "v": {"id": 1}}"#, r#"{"k": "b", "v": {"id": "1"}}"#]);
        assert!(wrong("unique = ['/v/id']", &json).contains("cw.jsonl:2: `/v/id` is `1`, as on cw.jsonl:1"));
    }

    #[test]
    fn rows_of_one_key_may_share_a_unique_value() {
        let rows = rows(&["k", "v"], &[&["a", "1"], &["a", "1"]]);
        assert_eq!(
            crosswalk("unique = ['v']\nrepeated = 'list'", &rows)
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn many_problems_are_told_together_and_the_rest_counted() {
        let table: Vec<&[&str]> = vec![&["a"]; 14];
        let told = wrong("", &rows(&["k"], &table));
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines[0], "lookup `hosts`: 13 rows can't be used");
        assert!(
            lines[1].starts_with("  cw.csv:3: the key `a` is on cw.csv:2"),
            "{told}"
        );
        assert_eq!((lines.len(), lines[11]), (12, "  and 3 more"));
    }

    #[test]
    fn rows_are_counted_by_file() {
        let mut builder = CrosswalkBuilder::new("hosts", &options("bad_rows = 'skip'"));
        for row in rows(&["k"], &[&["a"], &[""], &["b"]]) {
            builder.push(&row).unwrap();
        }
        let other = at("other.csv", 2, rows(&["k"], &[&["c"]]).remove(0));
        builder.push(&other).unwrap();
        builder.bad(&other.origin, "is cut off");
        let counts = builder.counts().iter();
        let counts: Vec<_> = counts
            .map(|count| (&*count.file, count.rows, count.skipped))
            .collect();
        assert_eq!(counts, [("cw.csv", 2, 1), ("other.csv", 1, 1)]);
    }

    #[test]
    fn more_text_than_offsets_reach_is_refused() {
        let mut builder = CrosswalkBuilder::new("hosts", &options(""));
        builder.limit = 9;
        let rows = rows(&["k", "v"], &[&["ab", "cd"], &["ef", "gh"]]);
        builder.push(&rows[0]).unwrap();
        assert_eq!(
            builder.push(&rows[1]).unwrap_err().to_string(),
            "lookup `hosts`: cw.csv holds more than 9 bytes or cells; leave out columns that no template needs"
        );
    }
}
