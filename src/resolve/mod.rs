//! What rows say of their entities, into identifiers of live ones. Pure: the engine brings the live entities.
//!
//! A job that knows its entities by name alone needs a [`Resolver`] and no more. Where several ways lead to an entity, or
//! somebody has decided on some, [`Named`] numbers what the rows say, and a [`Search`] sees the live entities and answers
//! for each number: a decision wins, then the identifier, the declared rule and the name are tried in this order.

mod decisions;
mod named;
mod resolver;
mod search;

pub use decisions::{Compare, Decided, Decision, Decisions};
pub use named::{Called, Named};
pub use resolver::{Resolution, Resolver};
pub use search::{Answer, Search, Way, first_of_each};
