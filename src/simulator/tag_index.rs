//! Every pair of key and value that some entity has or had, once.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// A tag, as an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TagId(u32);

#[derive(Debug)]
struct Tag {
    key: Box<str>,
    value: Option<Box<str>>,
}

/// Tags by number and by text.
#[derive(Debug, Default)]
pub(super) struct TagIndex {
    tags: Vec<Tag>,
    by_text: HashTable<TagId>,
    hasher: RandomState,
}

impl TagIndex {
    /// The number of a tag, made when it is new.
    pub(super) fn intern(&mut self, key: &str, value: Option<&str>) -> TagId {
        if let Some(tag) = self.find(key, value) {
            return tag;
        }
        let tag = TagId(u32::try_from(self.tags.len()).expect("four billion tags do not fit into memory"));
        self.tags.push(Tag {
            key: key.into(),
            value: value.map(Into::into),
        });
        let (tags, hasher) = (&self.tags, &self.hasher);
        let hash = |tag: &TagId| {
            let tag = &tags[tag.0 as usize];
            hasher.hash_one((&*tag.key, tag.value.as_deref()))
        };
        self.by_text.insert_unique(hash(&tag), tag, hash);
        tag
    }

    /// The number of a tag that is known.
    pub(super) fn find(&self, key: &str, value: Option<&str>) -> Option<TagId> {
        let same = |tag: &TagId| self.get(*tag) == (key, value);
        self.by_text
            .find(self.hasher.hash_one((key, value)), same)
            .copied()
    }

    /// Key and value of a tag.
    pub(super) fn get(&self, tag: TagId) -> (&str, Option<&str>) {
        let tag = &self.tags[tag.0 as usize];
        (&tag.key, tag.value.as_deref())
    }
}
