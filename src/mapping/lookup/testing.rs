//! Crosswalks for the tests of this room.

use std::sync::Arc;

use super::builder::CrosswalkBuilder;
use super::crosswalk::Crosswalk;
use super::error::LookupError;
use super::options::CrosswalkOptions;
use crate::mapping::mapper::tests::{object, table};
use crate::model::Record;

/// How `cw.csv` is looked up by its column `k`, and what else is said of it.
pub(super) fn options(more: &str) -> CrosswalkOptions {
    toml::from_str(&format!("file = 'cw.csv'\nkey = 'k'\n{more}")).unwrap()
}

/// Puts a record on a line of a file.
pub(super) fn at(file: &str, line: u64, mut record: Record) -> Record {
    record.origin.file = file.into();
    record.origin.line = line;
    record
}

/// Rows of one table `cw.csv`, whose header is on line 1.
pub(super) fn rows(names: &[&str], rows: &[&[&str]]) -> Vec<Record> {
    let mut records: Vec<Record> = (2..)
        .zip(rows)
        .map(|(line, cells)| at("cw.csv", line, table(names, cells)))
        .collect();
    share_header(&mut records);
    records
}

/// Lines of `cw.jsonl`.
pub(super) fn lines(lines: &[&str]) -> Vec<Record> {
    let numbered = (1..).zip(lines);
    numbered
        .map(|(line, text)| at("cw.jsonl", line, object(text)))
        .collect()
}

/// As the rows of one file do.
fn share_header(records: &mut [Record]) {
    use crate::model::Fields;
    let first = records.first().cloned();
    for record in records {
        if let Fields::Table { header, .. } = &mut record.fields
            && let Some(Fields::Table { header: shared, .. }) = first.as_ref().map(|first| &first.fields)
        {
            *header = Arc::clone(shared);
        }
    }
}

/// The crosswalk `hosts` of these rows.
pub(super) fn crosswalk(more: &str, rows: &[Record]) -> Result<Crosswalk, LookupError> {
    let mut builder = CrosswalkBuilder::new("hosts", &options(more));
    for row in rows {
        builder.push(row)?;
    }
    builder.finish()
}
