//! Auto-tags: the definitions by which the vendor tags entities, in its two APIs over one store.
//!
//! `/api/config/v1/autoTags` (the older configuration API) and `/api/v2/settings/objects` for the schema
//! `builtin:tags.auto-tagging`. A definition is the same whichever API wrote it; its identifier is a UUID in the one and
//! holds that UUID in the other, see [`id::Id::object_id`]. In the journal a definition is a change of the key `auto-tag`
//! of the entity UUID, with the object `AutoTag` as its value; replacing one is a removal and an addition.
//!
//! What the vendor's reference leaves open is in the second table of [the room](crate::simulator).

mod config;
mod config_form;
mod definition;
mod form;
mod generated;
mod id;
mod route;
mod settings;
mod settings_form;
mod settings_list;
mod settings_view;
mod store;
#[cfg(test)]
mod testing;
mod vocabulary;

pub(super) use generated::generate;
pub(in super::super) use route::Route;
pub(super) use route::{read, write};
pub(super) use store::AutoTags;

/// The schema of auto-tags in the settings API, and its version.
const SCHEMA_ID: &str = "builtin:tags.auto-tagging";
const SCHEMA_VERSION: &str = "1.0.18";
/// The only scope of that schema.
const SCOPE: &str = "environment";
