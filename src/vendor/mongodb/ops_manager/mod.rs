//! Ops Manager and Cloud Manager: tags of groups, by the public API v1.0.
//!
//! `groups` is the vendor, and `group` what is read of one. `plain` reads and writes tags as the plain strings that they are there, `limits` has what the
//! vendor allows, and `options` what a job may say. Credentials are those of HTTP digest: a public and a private key, or
//! a user and a personal API key.

mod group;
mod groups;
mod limits;
mod options;
mod plain;

pub use options::{LowerCase, Options, vendor};
