//! The Atlas Administration API v2, as far as projects, clusters and their tags go.
//!
//! Tags are pairs of key and value, `PATCH` replaces all of them, and every resource has dated versions.

mod api;
mod cluster;
mod cluster_change;
mod endpoint_sets;
mod oauth;
mod populate;
mod project;
mod project_change;
mod route;
mod tags;
#[cfg(test)]
mod testing;
mod tokens;
mod version;

pub use api::{Atlas, Cloud};
