//! Simulators of MongoDB's administration APIs.

mod answer;
mod atlas;
mod body;
mod call;
mod digest;
mod door;
mod members;
mod nonce;
mod object_id;
mod ops_manager;
mod paging;
mod populate;
mod pretty;
mod query;
mod refused;
mod switches;
#[cfg(test)]
mod testing;
mod world;

pub use atlas::{Atlas, Cloud};
pub use ops_manager::{Installation, OpsManager};
pub use switches::Switches;
