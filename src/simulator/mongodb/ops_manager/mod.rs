//! The API v1.0 of Ops Manager and Cloud Manager, as far as groups and their tags go.
//!
//! Tags are plain strings, and `PATCH` replaces all of them.

mod api;
mod change;
mod create;
mod listing;
mod route;
mod tags;
#[cfg(test)]
mod testing;
mod view;

pub use api::{Installation, OpsManager};
