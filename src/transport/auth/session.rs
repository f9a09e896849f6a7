//! What a scheme that learns from answers has in common: credentials with a generation, which are used until refused.

use std::fmt;

use http::HeaderValue;

use super::TokenAnswer;
use crate::wire::{Request, Response};

/// The session of a scheme at one server.
///
/// Credentials have a generation that counts them, so that an answer to a request with older ones changes nothing. They
/// are proven once a request that carried them was answered with anything but a refusal of the credentials; until then
/// one request goes alone. A wrong password is so tried once, not once for every call that waits, and no account is
/// locked for it.
pub(super) trait Session: fmt::Debug + Send + Sync {
    /// Whether any number of requests may be signed now.
    fn is_ready(&self) -> bool;

    /// What has to be sent before a request can be signed.
    fn before(&self, request: &Request) -> Option<Preparation>;

    /// The `Authorization` header of a request, when there is anything to sign it with, and the generation of that. `uri`
    /// gives path and query of its request line.
    fn sign(&self, request: &Request, uri: &dyn Fn() -> String) -> (Option<HeaderValue>, u64);

    /// A request that was signed with credentials of a generation is no longer in flight.
    fn release(&self, _generation: u64) {}

    /// What an answer to a request with credentials of a generation says about them. `is_renewed`: these were got from the
    /// answer before, so there are no better ones.
    fn read(&self, response: &Response, generation: u64, is_renewed: bool) -> Reply;

    /// The vendor took credentials of this generation, whatever it thinks of the request.
    fn prove(&self, generation: u64);

    /// The vendor took no credentials of this generation, and the judge would stop the connection for it.
    fn reject(&self, _generation: u64) {}

    /// The request for a token as it goes out: with the client's secret.
    fn ask(&self, request: &Request) -> Request {
        request.clone()
    }

    /// Keeps a token.
    fn receive(&self, _answer: &TokenAnswer) {}
}

/// What has to be sent before the call itself.
#[derive(Debug)]
pub(in crate::transport) enum Preparation {
    /// The call's request without its body, to be told what the server asks for. Data goes out once.
    Probe(Request),
    /// A request for a token, whose target begins at the root of the origin.
    Token(Request),
}

/// What an answer says about the credentials of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport) enum Reply {
    /// Nothing but what the vendor's judge says.
    Judge,
    /// The request had no effect, and is to be sent again with other credentials.
    Again,
    /// The same where the judge would stop the connection. A vendor may refuse a row with 401 as well.
    Renew,
    /// The same as `Again`, but the vendor contradicts itself, so this is a fault.
    Fault(&'static str),
    /// No credentials of this connection can be sent.
    Unusable(&'static str),
}
