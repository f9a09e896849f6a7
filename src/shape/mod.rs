//! What the changes of many entities have in common, so that a plan can be reviewed: entities are grouped by the shape of
//! their change, such as `Env → env (renamed key, lower-cased)`. Pure; the same changes give the same groups, in whatever
//! order they come.

mod groups;
mod key_change;
mod part;
mod rare;
mod relation;
mod renames;
mod stats;

pub use groups::{Change, Group, Member, groups};
pub use part::{Kind, Part, Side};
pub use relation::Relation;
