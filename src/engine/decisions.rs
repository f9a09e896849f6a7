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
pub(super) fn read(file: DecisionFile, ways: Ways, compare: &impl Compare) -> Result<Read, EngineError> {
    let mut decisions = Decisions::new(ways);
    let Some(mut inventory) = file.inventory else {
        return Ok(Read {
            decisions,
            fact: format!(
                "{}: not there yet, or empty, so that nothing is decided",
                file.name
            ),
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
                    decisions.add(&entity, &decision, &record.origin, compare)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::inventory::{self, Options};

    /// Identifiers begin with `H-`.
    struct Plain;

    impl Compare for Plain {
        fn id(&self, text: &str) -> Result<String, String> {
            let is_one = text.starts_with("H-");
            is_one
                .then(|| text.to_owned())
                .ok_or_else(|| format!("`{text}` is no identifier"))
        }

        fn name(&self, text: &str) -> String {
            text.to_lowercase()
        }
    }

    /// What is told of a file of this name and text.
    fn told(name: &str, text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let options = Options {
            file: name.to_owned(),
            ..Options::default()
        };
        let inventory = inventory::open(&options, folder.path()).map_err(|error| error.to_string())?;
        let file = DecisionFile {
            name: name.to_owned(),
            inventory: Some(Box::new(inventory)),
        };
        let by_name = Ways {
            name: true,
            ..Ways::default()
        };
        let read = read(file, by_name, &Plain).map_err(|error| error.to_string())?;
        assert_eq!(read.digest, blake3::hash(text.as_bytes()).to_hex().to_string());
        Ok(format!("{}; {}", read.fact, read.decisions.told()))
    }

    #[test]
    fn a_file_is_read_in_any_form_and_by_the_names_of_its_columns() {
        let none = "no row needs 1 of them";
        for (name, text, want) in [
            (
                "d.csv",
                "who;Decision; ENTITY\nann;skip;web\nann;;db\n",
                format!(
                    "d.csv: csv, UTF-8, delimiter `;`, 3 columns; 1 decision, 1 of them `skip`, 1 undecided; {none}"
                ),
            ),
            (
                "d.jsonl",
                "{\"entity\":\"web\",\"decision\":\"H-1\"}\n{\"entity\":7,\"decision\":null}\n",
                format!("d.jsonl: jsonl, UTF-8; 1 decision, 1 undecided; {none}"),
            ),
            (
                "d.csv",
                "entity,decision\n",
                "d.csv: csv, UTF-8, delimiter `,`, 2 columns; 0 decisions".to_owned(),
            ),
        ] {
            assert_eq!(told(name, text), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_told_with_its_place() {
        for (name, text, want) in [
            (
                "d.jsonl",
                "{\"entity\":\"a\",\"decision\":[]}\n",
                "d.jsonl:1: `decision` is no text",
            ),
            (
                "d.jsonl",
                "{\"decision\":\"skip\"}\n",
                "d.jsonl:1: has no `entity`",
            ),
            (
                "d.csv",
                "entity,decision\na,skip\nb,yes\n",
                "d.csv:3: the decision `yes` is no identifier; give an identifier, `skip`, or leave it empty",
            ),
            (
                "d.csv",
                "name,decision\n",
                "d.csv: a file of decisions has the columns `entity` and `decision`, and here is no `entity`; it has: name, \
                 decision",
            ),
        ] {
            assert_eq!(told(name, text), Err(want.to_owned()), "{text}");
        }
    }
}
