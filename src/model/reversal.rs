//! What is needed to take back what a run did.

use super::Tag;

/// One tag of an entity before and after a run, as far as the run's own operations were confirmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reversal {
    /// The tag.
    pub tag: Tag,
    /// Whether the entity carried it before the run.
    pub was: bool,
    /// Whether the run left it there.
    pub is_left: bool,
    /// Whether it may be taken back only where all tags of its key are as the run left them.
    pub by_key: bool,
}
