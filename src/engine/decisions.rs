//! Reads the file of decisions, before the first row is mapped.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::EngineError;
use crate::inventory::{Entry, Inventory};
use crate::model::{Fields, Ways};
use crate::resolve::{Compare, Decisions};
use crate::vendor::Vendor;

/// The columns that mean something; the others are for people.
const COLUMNS: [&str; 2] = ["entity", "decision"];

/// A file that says which entities are meant where that is not clear, and which are left out.
#[derive(Debug)]
pub struct DecisionFile {
    /// The file as the job names it.
    pub name: String,
    /// The file, opened; `None` while it is not there.
    pub inventory: Option<Box<Inventory>>,
}

/// What was read of it.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) decisions: Decisions,
    /// How the file was read.
    pub(super) fact: String,
    /// blake3 of the file, empty while it is not there.
    pub(super) digest: String,
}

/// How a vendor compares what names entities of a kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forms<'a> {
    pub(super) vendor: &'a dyn Vendor,
    pub(super) kind: &'a str,
}

impl Compare for Forms<'_> {
    fn id(&self, text: &str) -> Result<String, String> {
        self.vendor.canonical_id(self.kind, text)
    }

    fn name(&self, text: &str) -> String {
        self.vendor.fold_name(text)
    }
}

/// Reads the file to its end. A row that can't be read or meant refuses the plan: what somebody decided must not go missing.
pub(super) fn read(file: DecisionFile, ways: Ways, forms: Forms<'_>) -> Result<Read, EngineError> {
    let mut decisions = Decisions::new(ways);
    let Some(mut inventory) = file.inventory else {
        return Ok(Read {
            decisions,
            fact: format!("{}: not there yet, so that nothing is decided", file.name),
            digest: String::new(),
        });
    };
    columns(&inventory)?;
    for entry in inventory.by_ref() {
        let (origin, taken) = match entry? {
            Entry::Bad { origin, reason } => (origin, Err(reason)),
            Entry::Record(record) => {
                let cells = COLUMNS.map(|column| cell(&record.fields, column));
                let [entity, decision] = cells;
                let taken = entity.and_then(|entity| {
                    let decision = decision?;
                    decisions.add(&entity, &decision, &record.origin, &forms)
                });
                (record.origin.clone(), taken)
            }
        };
        taken.map_err(|why| EngineError::Job(format!("{origin}: {why}")))?;
    }
    let facts: Vec<String> = inventory.facts().iter().map(ToString::to_string).collect();
    Ok(Read {
        decisions,
        fact: facts.join("; "),
        digest: inventory.digest(),
    })
}

/// Refuses a table without the columns, even where it has no rows.
fn columns(inventory: &Inventory) -> Result<(), EngineError> {
    for facts in inventory.facts() {
        let Some(header) = &facts.header else { continue };
        for column in COLUMNS {
            if !header.names.iter().any(|name| is_column(name, column)) {
                let names = header.names.join(", ");
                return Err(EngineError::Job(format!(
                    "{}: a file of decisions has the columns `entity` and `decision`, and here is no `{column}`; it has: {names}",
                    facts.file
                )));
            }
        }
    }
    Ok(())
}

fn is_column(name: &str, column: &str) -> bool {
    name.trim().eq_ignore_ascii_case(column)
}

fn cell<'r>(fields: &'r Fields, column: &str) -> Result<Cow<'r, str>, String> {
    match fields {
        Fields::Table { header, row } => {
            let place = header.names.iter().position(|name| is_column(name, column));
            let cell = place.and_then(|place| row.get(place));
            Ok(cell.unwrap_or_default().into())
        }
        Fields::Object(object) => {
            let field = object.iter().find(|(name, _)| is_column(name, column));
            match field.map(|(_, value)| value) {
                Some(Json::String(text)) => Ok(text.into()),
                Some(Json::Number(number)) => Ok(number.to_string().into()),
                Some(Json::Null) => Ok("".into()),
                Some(_) => Err(format!("`{column}` is no text")),
                None => Err(format!("has no `{column}`")),
            }
        }
    }
}
