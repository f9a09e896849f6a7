//! Reads the files that templates look keys up in, before the first row is mapped.

use std::fmt::Write as _;

use super::EngineError;
use crate::inventory::{Entry, FileFacts, Inventory};
use crate::mapping::{CrosswalkBuilder, Mapper};

/// A file that templates look keys up in.
#[derive(Debug)]
pub struct LookupFile {
    /// The name of the lookup.
    pub name: String,
    /// The file, opened.
    pub inventory: Box<Inventory>,
}

/// Reads a file to its end and joins it to the mapping, unless nobody wants it any more. Tells how it was read, a
/// sentence a file.
pub(super) fn read(
    lookup: LookupFile,
    mapper: &mut Mapper,
    wanted: impl Fn() -> bool,
) -> Result<Vec<String>, EngineError> {
    let LookupFile { name, mut inventory } = lookup;
    let mut builder = mapper
        .crosswalk(&name)
        .ok_or_else(|| EngineError::Job(format!("the mapping looks nothing up in `{name}`")))?;
    for entry in inventory.by_ref() {
        match entry? {
            Entry::Record(record) => builder.push(&record)?,
            Entry::Bad { origin, reason } => builder.bad(&origin, &reason),
        }
        if !wanted() {
            return Ok(Vec::new());
        }
    }
    let facts = told(&name, &inventory, &builder);
    mapper.join(builder.finish()?);
    Ok(facts)
}

/// How each file of a lookup was read, with its rows.
fn told(name: &str, inventory: &Inventory, builder: &CrosswalkBuilder) -> Vec<String> {
    let told = |facts: &FileFacts| {
        let count = builder.counts().iter().find(|count| count.file == facts.file);
        let (rows, skipped) = count.map_or((0, 0), |count| (count.rows, count.skipped));
        let noun = if rows == 1 { "row" } else { "rows" };
        let mut told = format!("{facts}; {rows} {noun} of lookup `{name}`");
        if skipped > 0 {
            let _ = write!(told, ", {skipped} skipped"); // Writing to a string can't fail.
        }
        told
    };
    inventory.facts().iter().map(told).collect()
}
