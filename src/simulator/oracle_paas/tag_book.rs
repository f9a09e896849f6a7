//! Every tag that exists or existed, once: by number, by text and by key.

use std::collections::{BTreeMap, BTreeSet};

use super::switches::KeyCase;
use super::tag_rules::{Class, is_system};
use super::world::ServiceIndex;

/// A tag, as an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TagId(u32);

/// A pair of key and value, and who carries it.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) key: Box<str>,
    pub(super) value: Box<str>,
    pub(super) class: Class,
    /// Whether it was created and not deleted since.
    pub(super) exists: bool,
    /// The service instances that carry it.
    pub(super) services: BTreeSet<ServiceIndex>,
}

/// All tags.
#[derive(Debug)]
pub(super) struct TagBook {
    case: KeyCase,
    tags: Vec<Tag>,
    /// By folded key, then by value.
    by_text: BTreeMap<Box<str>, BTreeMap<Box<str>, TagId>>,
}

impl TagBook {
    pub(super) fn new(case: KeyCase) -> Self {
        Self {
            case,
            tags: Vec::new(),
            by_text: BTreeMap::new(),
        }
    }

    /// The number of a pair, made when it is new. A new pair does not exist as a tag yet.
    pub(super) fn slot(&mut self, key: &str, value: &str) -> TagId {
        let folded = self.case.fold(key);
        let values = self.by_text.entry(folded.as_ref().into()).or_default();
        if let Some(tag) = values.get(value) {
            return *tag;
        }
        let tag = TagId(u32::try_from(self.tags.len()).expect("four billion tags do not fit into memory"));
        values.insert(value.into(), tag);
        let class = if is_system(&folded) {
            Class::System
        } else {
            Class::Instance
        };
        self.tags.push(Tag {
            key: key.into(),
            value: value.into(),
            class,
            exists: false,
            services: BTreeSet::new(),
        });
        tag
    }

    /// The number of a tag that exists.
    pub(super) fn find(&self, key: &str, value: &str) -> Option<TagId> {
        let values = self.by_text.get(&*self.case.fold(key))?;
        values.get(value).copied().filter(|tag| self.get(*tag).exists)
    }

    /// The tags of a key that exist, by value.
    pub(super) fn of_key(&self, key: &str) -> Vec<TagId> {
        let values = self.by_text.get(&*self.case.fold(key));
        let tags = values.into_iter().flat_map(BTreeMap::values).copied();
        tags.filter(|tag| self.get(*tag).exists).collect()
    }

    /// Every pair that is or was a tag, by key and value.
    pub(super) fn all(&self) -> impl Iterator<Item = TagId> {
        self.by_text.values().flat_map(BTreeMap::values).copied()
    }

    pub(super) fn get(&self, tag: TagId) -> &Tag {
        &self.tags[tag.0 as usize]
    }

    pub(super) fn get_mut(&mut self, tag: TagId) -> &mut Tag {
        &mut self.tags[tag.0 as usize]
    }

    /// The class that a pair has, or would have if it were created.
    pub(super) fn class(&self, key: &str, value: &str) -> Class {
        match self.find(key, value) {
            Some(tag) => self.get(tag).class,
            None if is_system(&self.case.fold(key)) => Class::System,
            None => Class::Instance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_as_the_switch_says_and_values_always_exactly() {
        for (case, n_tags) in [(KeyCase::Sensitive, 3), (KeyCase::Insensitive, 2)] {
            let mut book = TagBook::new(case);
            for (key, value) in [("Env", "qa"), ("env", "qa"), ("env", "QA"), ("Env", "qa")] {
                let tag = book.slot(key, value);
                book.get_mut(tag).exists = true;
            }
            assert_eq!(book.all().count(), n_tags, "{case:?}");
            let folded = book.of_key("ENV").len();
            assert_eq!(folded, if n_tags == 2 { 2 } else { 0 });
        }
    }

    #[test]
    fn a_pair_is_a_tag_only_while_it_exists() {
        let mut book = TagBook::new(KeyCase::Sensitive);
        let tag = book.slot("env", "");
        assert_eq!((book.find("env", ""), book.of_key("env")), (None, vec![]));
        book.get_mut(tag).exists = true;
        assert_eq!((book.find("env", ""), book.of_key("env")), (Some(tag), vec![tag]));
        assert_eq!(book.class("ora_new", "x"), Class::System);
    }
}
