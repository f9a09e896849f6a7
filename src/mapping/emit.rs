//! What every `[[tags_from]]` does with a key that it found: filters, renames, and asks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::options::{Empty, TagsFrom};
use super::wishes::Wishes;
use crate::model::Rule;

/// The compiled filters and names of a `[[tags_from]]`.
#[derive(Debug, Clone)]
pub(super) struct Emit {
    rule: Rule,
    empty: Empty,
    only: Option<HashSet<String>>,
    except: HashSet<String>,
    rename: BTreeMap<String, String>,
    prefix: String,
}

impl Emit {
    pub(super) fn new(options: &TagsFrom) -> Self {
        Self {
            rule: options.action,
            empty: options.empty,
            only: options.only.as_ref().map(|only| only.iter().cloned().collect()),
            except: options.except.iter().cloned().collect(),
            rename: options.rename.clone(),
            prefix: options.prefix.clone(),
        }
    }

    /// Whether a key is taken at all.
    pub(super) fn takes(&self, key: &str) -> bool {
        let wanted = self.only.as_ref().is_none_or(|only| only.contains(key));
        wanted && !self.except.contains(key)
    }

    /// Asks for a tag, if its key is taken. Key and value are trimmed already; `None` means a tag without a value.
    pub(super) fn ask(
        &self,
        key: &str,
        value: Option<Cow<'_, str>>,
        wishes: &mut Wishes,
    ) -> Result<(), String> {
        if !self.takes(key) {
            return Ok(());
        }
        let key = self.name(key);
        match value {
            None => wishes.ask_bare(self.rule, key, self.empty),
            Some(value) => wishes.ask(self.rule, key, value, self.empty),
        }
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

    #[test]
    fn keys_are_filtered_as_the_source_spells_them_then_named() {
        let emit = Emit::new(&TagsFrom {
            only: Some(vec!["Owner".into(), "env".into(), "x".into()]),
            except: vec!["x".into()],
            rename: BTreeMap::from([("Owner".into(), "owner".into())]),
            prefix: "aws-".into(),
            ..TagsFrom::default()
        });
        let mut wishes = Wishes::default();
        for key in ["Owner", "env", "x", "other"] {
            emit.ask(key, Some("v".into()), &mut wishes).unwrap();
        }
        let (wishes, empty) = wishes.finish().unwrap();
        let tags: Vec<_> = wishes.iter().map(|wish| wish.tag.to_string()).collect();
        assert_eq!(
            (tags, empty),
            (vec!["aws-env:v".to_owned(), "owner:v".to_owned()], 0)
        );
    }
}
