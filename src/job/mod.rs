//! The job file: reading it, finding everything that is wrong with it, and its JSON Schema.
//!
//! [`load()`] is all that others call. A [`Job`] that it returns has been checked as far as that is possible without the
//! inventory and the network: keys, types, templates, connections. It holds where secrets are, never the secrets.

mod check;
mod connection;
mod connection_options;
mod credentials;
mod document;
mod file;
mod load;
mod lookup;
mod mask;
mod options;
mod problem;
mod read;
mod schema;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod words;

pub use connection::{Address, Connection, Vendor};
pub use connection_options::ConnectionOptions;
pub use file::{Bound, GuardOptions, JobFile, TargetOptions};
pub use load::{Job, Target, load};
pub use lookup::LookupTable;
pub use options::{
    Collision, CredentialForm, CredentialSource, InventoryOptions, LossOptions, NameSource, NetworkOptions,
    Pace, Rate, SecretSource, SourceFormat, TimeSpan,
};
pub use problem::{JobError, Problem};
pub use schema::schema;
pub use source::{LiveSource, OneOrMany, Source, SourceOptions};
