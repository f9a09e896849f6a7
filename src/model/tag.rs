//! A tag and a set of tags.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The key under which a definition's whole document stands as a value, where what is written is a document.
pub const DOCUMENT_KEY: &str = "definition";

/// A key with an optional value. A value that is empty and one that is absent are the same thing:
/// [`Tag::new`] makes `None` of both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// The key, or the whole tag where a vendor knows plain strings only.
    pub key: String,
    /// The value, never `Some("")`.
    pub value: Option<String>,
}

impl Tag {
    /// A tag of a key and a value; an empty value counts as none.
    pub fn new(key: impl Into<String>, value: Option<impl Into<String>>) -> Self {
        let value = value.map(Into::into).filter(|value: &String| !value.is_empty());
        Self {
            key: key.into(),
            value,
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}:{value}", self.key),
            None => f.write_str(&self.key),
        }
    }
}

/// Tags in order, each once. A key may stand in it with several values.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagSet(pub BTreeSet<Tag>);

impl TagSet {
    /// The tags of one key.
    pub fn of_key<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Tag> + 'a {
        self.0.iter().filter(move |tag| tag.key == key)
    }
}

impl FromIterator<Tag> for TagSet {
    fn from_iter<I: IntoIterator<Item = Tag>>(tags: I) -> Self {
        Self(tags.into_iter().collect())
    }
}
