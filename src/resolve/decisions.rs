//! What somebody has decided: which entity is meant by what a report calls it, or that it is left out.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::model::{Origin, Ways, unguarded};

/// How a vendor compares what names an entity.
pub trait Compare {
    /// The canonical form of an identifier, or what is wrong with it.
    fn id(&self, text: &str) -> Result<String, String>;
    /// The form in which names are compared.
    fn name(&self, text: &str) -> String;
}

/// What is to become of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Its rows ask for nothing.
    Skip,
    /// It is the live entity of this identifier.
    Id(Box<str>),
}

/// A decision, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What was decided.
    pub decision: Decision,
    /// The line of the file.
    pub place: Origin,
}

/// Every decision, by what it is about.
#[derive(Debug, Default)]
pub struct Decisions {
    ways: Ways,
    all: Vec<Decided>,
    /// Whether a row needed it.
    needed: Vec<bool>,
    undecided: u64,
    ids: HashMap<String, u32>,
    keys: HashMap<String, u32>,
    names: HashMap<String, u32>,
}

impl Decisions {
    /// No decisions yet, for a job whose rows name entities in these ways.
    pub fn new(ways: Ways) -> Self {
        Self {
            ways,
            ..Self::default()
        }
    }

    /// Takes a row of the file in: what a report calls an entity, and what was decided on it. `Err` says why it can't be.
    pub fn add(
        &mut self,
        entity: &str,
        decision: &str,
        place: &Origin,
        compare: &impl Compare,
    ) -> Result<(), String> {
        let entity = unguarded(entity).trim();
        let Some(decision) = decision_of(unguarded(decision).trim(), compare)? else {
            self.undecided += 1;
            return Ok(());
        };
        if entity.is_empty() {
            return Err("decides on nothing: `entity` is empty; write what the report calls it".to_owned());
        }
        self.all.push(Decided {
            decision,
            place: place.clone(),
        });
        self.needed.push(false);
        self.note(entity, compare)
    }

    /// Notes the last decision under what it is about, in each way that the job knows.
    fn note(&mut self, entity: &str, compare: &impl Compare) -> Result<(), String> {
        let Self { ways, all, .. } = self;
        if ways.id
            && let Ok(id) = compare.id(entity)
        {
            note(&mut self.ids, id, all)?;
        }
        if ways.key {
            note(&mut self.keys, entity.to_owned(), all)?;
        }
        if ways.name {
            note(&mut self.names, compare.name(entity), all)?;
        }
        Ok(())
    }

    /// The number of the decision on an entity that reports call by its identifier.
    pub(super) fn on_id(&mut self, id: &str) -> Option<u32> {
        let found = self.ids.get(id).copied();
        self.need(found)
    }

    /// The same for one that they call by its key.
    pub(super) fn on_key(&mut self, key: &str) -> Option<u32> {
        let found = self.keys.get(key.trim()).copied();
        self.need(found)
    }

    /// The same for one that they call by its name.
    pub(super) fn on_name(&mut self, name: &str, compare: &impl Compare) -> Option<u32> {
        if self.names.is_empty() {
            return None;
        }
        let found = self.names.get(&compare.name(name.trim())).copied();
        self.need(found)
    }

    fn need(&mut self, found: Option<u32>) -> Option<u32> {
        let number = found?;
        self.needed[number as usize] = true;
        found
    }

    /// The decision of a number.
    pub(super) fn get(&self, number: u32) -> &Decided {
        &self.all[number as usize]
    }

    /// What is in the file, in a sentence: `3 decisions, 1 of them skip, 2 undecided; no row needs 1 of them`.
    pub fn told(&self) -> String {
        let count = |number: usize| {
            if number == 1 {
                "1 decision".to_owned()
            } else {
                format!("{number} decisions")
            }
        };
        let skipped = self
            .all
            .iter()
            .filter(|one| one.decision == Decision::Skip)
            .count();
        let unneeded = self.needed.iter().filter(|needed| !**needed).count();
        let mut told = count(self.all.len());
        if skipped > 0 {
            told = format!("{told}, {skipped} of them `skip`");
        }
        if self.undecided > 0 {
            told = format!("{told}, {} undecided", self.undecided);
        }
        if unneeded > 0 {
            told = format!("{told}; no row needs {unneeded} of them");
        }
        told
    }
}

/// What a cell decides; `None` where it is empty.
fn decision_of(cell: &str, compare: &impl Compare) -> Result<Option<Decision>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    if cell.eq_ignore_ascii_case("skip") {
        return Ok(Some(Decision::Skip));
    }
    match compare.id(cell) {
        Ok(id) => Ok(Some(Decision::Id(id.into()))),
        Err(why) => Err(format!(
            "the decision {why}; give an identifier, `skip`, or leave it empty"
        )),
    }
}

/// Notes the last of some decisions under what it is about. Saying the same twice is no harm.
fn note(index: &mut HashMap<String, u32>, about: String, all: &[Decided]) -> Result<(), String> {
    let Some((last, earlier)) = all.split_last() else {
        return Ok(());
    };
    match index.entry(about) {
        Entry::Vacant(free) => {
            free.insert(u32::try_from(earlier.len()).unwrap_or(u32::MAX));
        }
        Entry::Occupied(taken) => {
            let first = &all[*taken.get() as usize];
            if first.decision != last.decision {
                return Err(format!(
                    "`{}` is decided otherwise on {}; keep one of the two",
                    taken.key(),
                    first.place
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Identifiers are `H-` and digits in upper case, names are compared without case.
    pub(in crate::resolve) struct Plain;

    impl Compare for Plain {
        fn id(&self, text: &str) -> Result<String, String> {
            let id = text.trim().to_uppercase();
            let digits = id.strip_prefix("H-").unwrap_or_default();
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("`{text}` is no identifier"));
            }
            Ok(id)
        }

        fn name(&self, text: &str) -> String {
            text.to_lowercase()
        }
    }

    pub(in crate::resolve) const ALL: Ways = Ways {
        id: true,
        key: true,
        name: true,
    };

    pub(in crate::resolve) fn line(line: u64) -> Origin {
        Origin {
            file: "decisions.csv".into(),
            line,
            id: None,
        }
    }

    /// Decisions of a file whose first row is on line 2, or the first that is refused.
    pub(in crate::resolve) fn decisions(ways: Ways, rows: &[(&str, &str)]) -> Result<Decisions, String> {
        let mut decisions = Decisions::new(ways);
        for (number, (entity, decision)) in (2..).zip(rows) {
            decisions.add(entity, decision, &line(number), &Plain)?;
        }
        Ok(decisions)
    }

    #[test]
    fn a_decision_is_found_as_the_vendor_compares_and_as_a_spreadsheet_left_it() {
        let rows = [
            (" Web-1 ", "h-7"),
            ("'=db", " Skip "),
            ("''=db", "H-8"),
            ("h-3", "H-9"),
            ("open", ""),
        ];
        let mut decisions = decisions(ALL, &rows).unwrap();
        let told =
            |decisions: &Decisions, found: Option<u32>| found.map(|number| decisions.get(number).clone());
        let id = |id: &str, number| {
            Some(Decided {
                decision: Decision::Id(id.into()),
                place: line(number),
            })
        };
        let found = decisions.on_name("WEB-1", &Plain);
        assert_eq!(told(&decisions, found), id("H-7", 2));
        let found = decisions.on_key("Web-1");
        assert_eq!(told(&decisions, found), id("H-7", 2));
        assert_eq!(decisions.on_key("web-1"), None, "keys are compared to the letter");
        let found = decisions.on_name("=DB", &Plain);
        assert_eq!(told(&decisions, found).unwrap().decision, Decision::Skip);
        let found = decisions.on_name("'=db", &Plain);
        assert_eq!(told(&decisions, found), id("H-8", 4));
        assert_eq!(decisions.on_name("open", &Plain), None);
        assert_eq!(
            decisions.told(),
            "4 decisions, 1 of them `skip`, 1 undecided; no row needs 1 of them"
        );
        let found = decisions.on_id("H-3");
        assert_eq!(told(&decisions, found), id("H-9", 5));
        assert_eq!(decisions.told(), "4 decisions, 1 of them `skip`, 1 undecided");
    }

    /// Rows of the file, and why the first that can't be meant is refused.
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let by_name = Ways {
            name: true,
            ..Ways::default()
        };
        let table: &[Case<'_>] = &[
            (&[("a", "H-1"), ("A", "h-1")], None),
            (&[("a", ""), ("a", "H-1")], None),
            (&[("", ""), ("a", "H-1")], None),
            (
                &[("a", "H-1"), ("A", "H-2")],
                Some("`a` is decided otherwise on decisions.csv:2; keep one of the two"),
            ),
            (
                &[("a", "skip"), ("a", "H-2")],
                Some("`a` is decided otherwise on decisions.csv:2; keep one of the two"),
            ),
            (
                &[("a", "host-1")],
                Some("the decision `host-1` is no identifier; give an identifier, `skip`, or leave it empty"),
            ),
            (
                &[(" ", "skip")],
                Some("decides on nothing: `entity` is empty; write what the report calls it"),
            ),
        ];
        for (rows, want) in table {
            let found = decisions(by_name, rows).err();
            assert_eq!(found.as_deref(), *want, "{rows:?}");
        }
        let by_id = Ways {
            id: true,
            ..Ways::default()
        };
        assert!(decisions(by_id, &[("h-1", "H-1"), ("H-1", "H-2")]).is_err());
        assert!(
            decisions(by_id, &[("web", "H-1"), ("WEB", "H-2")]).is_ok(),
            "no row is called so"
        );
    }
}
