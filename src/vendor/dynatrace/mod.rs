//! Dynatrace: custom tags (v2, the default) and entity tags (v1, value-only and deprecated).
//!
//! `custom_tags` and `entity_tags` are the two vendors. What they share stands beside them: the job's
//! options, what is allowed, entity identifiers, request building, the shapes of answers, the vendor's words,
//! and the verdicts. `joined` is v1's alone. Nothing here waits or sends.

mod answer;
mod complaint;
mod custom_tags;
mod entity_id;
mod entity_tags;
mod joined;
mod judge;
mod limits;
mod options;

pub use custom_tags::CustomTags;
pub use entity_tags::EntityTags;
pub use options::{AUTH, Api, Options, vendor};
