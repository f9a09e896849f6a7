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
