//! The words of tagferry as types: what every room speaks of.
//!
//! Nothing here reads, sends or stores anything, and this room imports no other.

mod call;
mod cell;
mod entity;
mod intern;
mod limits;
mod loss;
mod outcome;
mod record;
mod reversal;
mod safe;
mod tag;
mod wish;

pub use call::{Call, Effect, Whole};
pub use cell::{guarded, neutral, unguarded};
pub use entity::{Clues, EntityKey, EntityRef, LiveEntity, LiveTag, Present, Provenance, Ways};
pub use intern::Interner;
pub use limits::{Grain, IdBudget, Limits, Listing, Reserved, TagRules, TextRule, ValueRule};
pub use loss::{Loss, Remedy};
pub use outcome::{Class, Failure, Outcome};
pub use record::{Fields, Header, Origin, Record};
pub use reversal::Reversal;
pub use safe::display_safe;
pub use tag::{DOCUMENT_KEY, Tag, TagSet};
pub use wish::{Action, Rule, Wish};
