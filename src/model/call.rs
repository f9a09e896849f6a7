//! One vendor request's worth of operations.

use super::{Failure, Tag};

/// What one vendor request shall do: every tag of `add` and `remove` on every entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The kind of all its entities.
    pub kind: String,
    /// Identifiers at the vendor, each once.
    pub entities: Vec<String>,
    /// Tags to add.
    pub add: Vec<Tag>,
    /// Tags to remove.
    pub remove: Vec<Tag>,
    /// Whether a rule `add` asks for all of it and nothing of it was sent before: a vendor may have a simpler request
    /// for that.
    pub plain_add: bool,
    /// What each entity carries in the end, in the order of `entities`, where whole sets or documents are written;
    /// empty elsewhere.
    pub wholes: Vec<Whole>,
}

/// Everything that an entity shall carry, worked out from what it carried a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The tags, those of others among them.
    pub tags: Vec<Tag>,
    /// Whether the entity was there.
    pub exists: bool,
    /// [`super::LiveEntity::handle`] of that observation.
    pub handle: Option<String>,
}

/// What an answer says about one entity of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The vendor confirmed it.
    Done,
    /// The answer can't say; observing the entity settles it. The text says why.
    Observe(String),
    /// The vendor refused it.
    Failed(Failure),
}
