//! What bears tags at a vendor, before and after it was found there.

use std::collections::BTreeSet;

use super::Tag;

/// How an inventory names an entity, before it is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EntityKey {
    /// The vendor's own identifier.
    Id(String),
    /// A name, to be resolved against the live entities.
    Name(String),
    /// Several of them, or the key of a declared rule, to be tried one after another.
    Clues(Box<Clues>),
}

/// What a row tells of its entity: at least one of them, none of them empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Clues {
    /// The vendor's own identifier.
    pub id: Option<String>,
    /// What the declared rule makes of the row; the entity is the one of which it makes the same.
    pub key: Option<String>,
    /// A name.
    pub name: Option<String>,
}

/// The ways by which the rows of a job tell of their entities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ways {
    /// By the vendor's own identifier.
    pub id: bool,
    /// By the key of the declared rule.
    pub key: bool,
    /// By name.
    pub name: bool,
}

impl Ways {
    /// Whether the identifier or the name is all that rows tell.
    pub fn is_one(self) -> bool {
        !self.key && self.id != self.name
    }
}

/// An entity that is known: where it lives, what it is and its identifier there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityRef {
    /// The name of the connection in the job file.
    pub connection: String,
    /// The vendor's word for what it is, such as `HOST`.
    pub kind: String,
    /// The vendor's identifier.
    pub id: String,
}

/// Whose a live tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provenance {
    /// Put there by hand or through the API: it may be removed.
    Manual,
    /// Made by a rule of the vendor: it can't be removed and is never counted as ours.
    Automatic,
    /// The answer does not tell; [`crate::vendor::Vendor::ask_manual`] does.
    Undecided,
}

/// A tag that an entity carries now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LiveTag {
    /// The tag.
    pub tag: Tag,
    /// Whose it is.
    pub provenance: Provenance,
}

/// An entity as a vendor reports it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEntity {
    /// The vendor's identifier, in its canonical form.
    pub id: String,
    /// The name that people know it by.
    pub name: Option<String>,
    /// What it carries; imported tags and other contexts that no API can change are left out. `None` when the answer
    /// does not tell, which is not the same as carrying nothing.
    pub tags: Option<Vec<LiveTag>>,
    /// What the vendor wants to have back when the entity is written, such as a version; nobody else reads it.
    pub handle: Option<String>,
}

impl LiveEntity {
    /// The tags that it is told to carry, without whose they are; `None` when the answer does not tell.
    pub fn carried(self) -> Option<BTreeSet<Tag>> {
        let tags = self.tags?;
        Some(tags.into_iter().map(|tag| tag.tag).collect())
    }
}

/// A live tag of a key that a wish names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Present {
    /// The tag.
    pub tag: Tag,
    /// Whether a rule of the vendor makes it, so that it stays whatever is wished.
    pub automatic: bool,
}

impl Present {
    /// A live tag; what is not known to be automatic may be removed.
    pub fn new(tag: Tag, provenance: Provenance) -> Self {
        Self {
            tag,
            automatic: provenance == Provenance::Automatic,
        }
    }
}
