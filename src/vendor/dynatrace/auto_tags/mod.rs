//! Auto-tags: definitions by which the vendor tags entities itself, written as whole documents.
//!
//! `config` and `settings` are the two vendors: the config API v1 (`/api/config/v1/autoTags`, the default) and the
//! settings schema that replaces it (`builtin:tags.auto-tagging`). `definition` reads documents, `form` says how those
//! of the two APIs differ, `same` compares them; `requests`, `objects` and `results` are those of settings.

mod config;
mod definition;
mod form;
mod id;
mod limits;
mod objects;
mod requests;
mod results;
mod same;
mod settings;
mod unique;

pub use config::ConfigAutoTags;
pub(super) use settings::PAGE_MAX;
pub use settings::SettingsAutoTags;

use crate::vendor::VendorError;

/// The kind of a target whose entities are definitions of auto-tags.
pub const KIND: &str = "auto-tag";

/// Whether a kind is that of auto-tags.
pub(super) fn is_kind(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(KIND)
}

/// Refuses what is no auto-tag.
fn check_kind(kind: &str) -> Result<(), VendorError> {
    if is_kind(kind) {
        return Ok(());
    }
    Err(VendorError::Unsupported(format!(
        "kind `{}` has no definitions here; the kind of definitions is `{KIND}`",
        kind.escape_debug()
    )))
}
