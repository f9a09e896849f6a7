//! Dynatrace: custom tags (v2, the default) and entity tags (v1, value-only and deprecated).
//!
//! `custom_tags` and `entity_tags` are the two vendors; the other files are what they share: the job's options, request
//! building, entity identifiers, the shapes of answers, the vendor's words and the verdicts. Nothing here waits or sends.

mod answer;
mod complaint;
mod custom_tags;
mod entity_id;
mod entity_tags;
mod judge;
mod options;
mod request;
mod wait;

pub use custom_tags::CustomTags;
pub use entity_tags::EntityTags;
pub use options::{AUTH, Api, Options, vendor};
