//! What every `[[tags_from]]` does with a tag that it found: filters, converts, renames, and asks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::conversion::Conversion;
use super::error::{MappingError, Place};
use super::list::Found;
use super::lookup::Lookups;
use super::options::{Empty, TagsFrom};
use super::row::Row;
use super::wishes::Wishes;
use crate::model::Rule;

/// The compiled filters and names of a `[[tags_from]]`.
#[derive(Debug, Clone)]
pub(super) struct Emit {
    rule: Rule,
    empty: Empty,
    only: Option<HashSet<String>>,
    except: HashSet<String>,
    conversion: Conversion,
    rename: BTreeMap<String, String>,
    prefix: String,
}

impl Emit {
    /// Compiles the filters, templates and names; collects what is wrong with the templates.
    pub(super) fn compile(
        options: &TagsFrom,
        place: Place,
        lookups: &Lookups,
        errors: &mut Vec<MappingError>,
    ) -> Self {
        Self {
            rule: options.action,
            empty: options.empty,
            only: options.only.as_ref().map(|only| only.iter().cloned().collect()),
            except: options.except.iter().cloned().collect(),
            conversion: Conversion::compile(options, place, lookups, errors),
            rename: options.rename.clone(),
            prefix: options.prefix.clone(),
        }
    }

    /// Whether a key is taken at all.
    pub(super) fn takes(&self, key: &str) -> bool {
        let wanted = self.only.as_ref().is_none_or(|only| only.contains(key));
        wanted && !self.except.contains(key)
    }

    /// Asks for a tag of a row, if its key is taken. Key and value are trimmed already; `None` means a tag without a value.
    pub(super) fn ask(&mut self, found: Found<'_>, row: &Row<'_>, wishes: &mut Wishes) -> Result<(), String> {
        if !self.takes(&found.0) {
            return Ok(());
        }
        let (key, value) = self.conversion.of(found, row)?;
        let key = self.name(&key);
        match value {
            None => wishes.ask_bare(self.rule, key, self.empty),
            Some(value) => wishes.ask(self.rule, key, value, self.empty),
        }
    }

    /// The fields of the row that its templates are known to name.
    pub(super) fn fields(&self) -> Vec<&str> {
        self.conversion.fields()
    }

    fn name<'k>(&'k self, key: &'k str) -> Cow<'k, str> {
        match self.rename.get(key) {
            Some(name) => name.trim().into(),
            None if self.prefix.is_empty() || key.is_empty() => key.into(),
            None => format!("{}{key}", self.prefix).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mapper::tests::object;

    #[test]
    fn keys_are_filtered_as_the_source_spells_them_then_named() {
        let options = TagsFrom {
            only: Some(vec!["Owner".into(), "env".into(), "x".into()]),
            except: vec!["x".into()],
            rename: BTreeMap::from([("Owner".into(), "owner".into())]),
            prefix: "aws-".into(),
            ..TagsFrom::default()
        };
        let place = Place {
            table: "tags_from",
            index: Some(0),
            key: "column",
        };
        let mut emit = Emit::compile(&options, place, &Lookups::default(), &mut Vec::new());
        let mut wishes = Wishes::default();
        let record = object("{}");
        for key in ["Owner", "env", "x", "other"] {
            let found = (key.into(), Some("v".into()));
            emit.ask(found, &Row::new(&record, None), &mut wishes).unwrap();
        }
        let (wishes, empty) = wishes.finish().unwrap();
        let tags: Vec<_> = wishes.iter().map(|wish| wish.tag.to_string()).collect();
        assert_eq!(
            (tags, empty),
            (vec!["aws-env:v".to_owned(), "owner:v".to_owned()], 0)
        );
    }
}
