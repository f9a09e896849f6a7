//! Atlas: tags of projects and clusters, by the Administration API v2.
//!
//! `resources` is the vendor. `kind` tells routes, media types and identifiers of each kind, `resource` what is read of
//! one, `pairs` how tags are written, `limits` what the vendor allows, and `options` what a job may say. Credentials are
//! those of HTTP digest, a public and a private key, or a service account by `OAuth2` (`/api/oauth/token` of the same
//! host).

mod kind;
mod limits;
mod options;
mod pairs;
mod resource;
mod resources;

pub use options::{Options, vendor};
