//! MongoDB: groups of Ops Manager and Cloud Manager, and projects and clusters of Atlas, its successor.
//!
//! `ops_manager` and `atlas` are the two vendors. Both replace all tags of an entity at once, page alike and complain
//! alike; what they share stands beside them. Ops Manager takes digest credentials; Atlas takes them too, or a service
//! account by `OAuth2`, whose tokens come from `/api/oauth/token` of the same host. Nothing here waits or sends.

mod answer;
mod complaint;
mod group_id;
mod judge;
mod listing;
mod request;
mod whole;

pub mod atlas;
pub mod ops_manager;
