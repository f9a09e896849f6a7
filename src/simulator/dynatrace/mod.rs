//! A simulator of the Dynatrace environment API, as far as custom tags and auto-tags go.
//!
//! `GET`, `POST` and `DELETE /api/v2/tags`, `GET /api/v2/entities` and one entity, and the older routes of v1 for hosts,
//! process groups, services, applications and processes; the definitions of auto-tags in the configuration API and in
//! settings. Any path before `/api/` is accepted, so environment URLs with `/e/{id}` work. What the vendor's reference
//! leaves open is in the table of [the room](crate::simulator).
//!
//! Entities are last seen relative to the time of each request, so that an old state file is as good as a new one.

mod access;
mod api;
mod auto_tags;
mod body;
mod change;
mod classic;
mod classic_list;
mod cursor;
mod entities;
mod envelope;
mod fields;
mod query;
mod route;
mod selection;
mod selector;
mod selector_text;
mod switches;
mod tag_text;
mod tags;
#[cfg(test)]
mod testing;
mod time_frame;
mod world;

pub use api::{Dynatrace, Environment};
pub use switches::Switches;
