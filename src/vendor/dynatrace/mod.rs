//! Dynatrace: custom tags (v2, the default), entity tags (v1, value-only and deprecated) and definitions of auto-tags.
//!
//! `custom_tags`, `entity_tags` and the two of `auto_tags` are the vendors. What they share stands beside them: the
//! job's options, what is allowed, entity identifiers, the shapes of answers, the vendor's words, and the verdicts.
//! `joined` is v1's alone. Nothing here waits or sends.

mod answer;
mod auto_tags;
mod choice;
mod complaint;
mod custom_tags;
mod entity_id;
mod entity_tags;
mod joined;
mod judge;
mod limits;
mod options;

pub use auto_tags::{ConfigAutoTags, KIND as AUTO_TAG, SettingsAutoTags};
pub use custom_tags::CustomTags;
pub use entity_tags::EntityTags;
pub use options::{AUTH, Api, Options, vendor, vendor_for};
