//! tagferry moves tags in bulk.
//!
//! It reads an inventory, maps each row to the tags that an entity should carry, compares that with what the entity
//! carries now, packs the difference into as few vendor calls as possible, sends them at the pace that the vendor
//! allows, and writes every outcome to a SQLite ledger, so that any interruption resumes and every row is accounted for.
//!
//! # The walk
//! Data goes one way; the ledger is the table between two halves.
//! ```text
//! plan    inventory > mapping > fit > ledger(wanted) > resolve > collide > observe > diff > guard > ledger(planned)
//! apply   ledger(open) > pack > encode > transport( intend > send ) > decode > settle > report
//! ```
//!
//! # Invariants
//! `tests/it/rooms.rs` reads `src/` and fails when one of these breaks.
//! 1. No two rooms import each other. Vendors and transport never meet: both know only [`wire`].
//! 2. SQL only in `ledger`; outgoing network only in `transport`; indicatif only in `listen`; printing only in `cli`.
//! 3. Each room has its own `Options`; none sees the whole job but `job`, `engine` and `cli`.
//! 4. The simulator shares no type with the other rooms: it is written from the vendors' references alone.

pub mod event;
pub mod model;
pub mod wire;

pub mod inventory;
pub mod job;
pub mod mapping;

pub mod collide;
pub mod diff;
pub mod fit;
pub mod guard;
pub mod pack;
pub mod resolve;
pub mod select;
pub mod shape;
pub mod undo;

pub mod ledger;
pub mod simulator;
pub mod transport;
pub mod vendor;

pub mod cli;
pub mod engine;
pub mod listen;
pub mod report;
