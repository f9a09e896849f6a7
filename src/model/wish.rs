//! What a mapping asks for, and what is to be done about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Tag;

/// How a tag rule of a job means its tag.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The key ends with exactly this value.
    #[default]
    Set,
    /// The value is added beside the others of its key.
    Add,
    /// The value is added only where the key is absent.
    Fill,
    /// The value replaces the others only where the key is present.
    Update,
    /// The value goes; without a value, every value of the key.
    Remove,
    /// Every value of the key goes, once everything that comes to the entity is there. What a tag with `replaces` asks for
    /// beside its own wish; no job names it.
    #[serde(skip)]
    Retire,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "set",
            Self::Add => "add",
            Self::Fill => "fill",
            Self::Update => "update",
            Self::Remove => "remove",
            Self::Retire => "replace",
        })
    }
}

/// One tag that a row asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// How it is meant.
    pub rule: Rule,
    /// The tag. For [`Rule::Remove`] a tag without a value means every value of the key.
    pub tag: Tag,
}

/// One thing to do to one entity: the smallest unit that is settled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Action {
    /// The rule that asked for it: it decides what counts as a foreign change, and what an undo restores.
    pub rule: Rule,
    /// Whether the tag is removed rather than added.
    pub remove: bool,
    /// The tag.
    pub tag: Tag,
}
