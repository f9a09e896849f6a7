//! The room that waits for the network: gate, retry loop, credentials, and the HTTP client.
//!
//! The engine makes one [`Connection`] for each vendor account and hands it requests; what they mean is told by the
//! [`Judge`](crate::wire::Judge) that comes with them. This room knows neither vendors nor tags.
//!
//! Each attempt takes, in this order: a slot (how many are in flight), the shared pause, a token (the rate), the
//! journal's word that it is committed, and only then the wire. No slot is held while waiting for a retry.

mod attempt;
mod auth;
mod backoff;
mod base_url;
mod budget;
mod connection;
#[cfg(test)]
mod digest_flows;
#[cfg(test)]
mod digest_server;
mod error;
mod exchange;
mod gate;
mod http;
mod http_error;
mod options;
mod pace;
mod pacer;
mod pass;
mod patience;
mod pause;
#[cfg(test)]
mod script;
mod secret;
mod sent;
mod signing;
mod slots;
mod time_span;
#[cfg(test)]
mod token_flows;
mod valve;
mod wait;
#[cfg(test)]
mod wire_faults;

pub use auth::{Auth, CredentialForm, CredentialSource, Credentials, NameSource, check_credentials};
pub use base_url::{check_base, is_loopback};
pub use connection::Connection;
pub use error::TransportError;
pub use http::HttpExec;
pub use options::Options;
pub use pace::{Pace, Rate};
pub use secret::{Secret, SecretError, SecretSource};
pub use sent::{Counts, Learned, Sent};
pub use time_span::TimeSpan;
pub use valve::{Halt, HaltKind};
