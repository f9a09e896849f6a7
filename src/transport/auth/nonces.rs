//! The Digest session of a connection: a few nonces, each reused with a rising count, and exchanged when it is refused.
//!
//! A server may insist that the counts of a nonce arrive in order, and requests that are in flight together do not. So
//! once a nonce was refused while others used it too, each is lent to one request at a time, and whoever finds none asks
//! for one more. Only a nonce that the server gives to several is shared then: such a server does not insist.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::challenge::{Asked, Challenge, asked, next_nonce};
use super::digest::{Answer, hex};
use super::sensitive;
use super::session::{Preparation, Reply, Session};
use crate::transport::{Secret, TransportError};
use crate::wire::{Purpose, Request, Response};

/// Nonces that are kept at most; the oldest goes first.
const MOST: usize = 256;

/// What is known of the server's nonces.
#[derive(Debug)]
pub(super) struct Nonces {
    user: Secret,
    password: Secret,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Empty before the first challenge, and for as long as the server asks for none.
    nonces: Vec<Nonce>,
    /// Counts the nonces that there ever were.
    generation: u64,
    /// Whether a nonce was refused while others used it too.
    strict: bool,
    /// Whether a request that was signed, or an unsigned one while the server asks for nothing, was answered with anything
    /// but a challenge.
    proven: bool,
}

#[derive(Debug)]
struct Nonce {
    challenge: Challenge,
    generation: u64,
    /// How many requests were signed with it.
    count: u32,
    /// How many of them are in flight.
    lent: u32,
    /// Whether the server gave it more than once.
    shared: bool,
}

impl Nonces {
    /// A session that has no nonce yet.
    pub(super) fn new(user: &Secret, password: &Secret) -> Result<Self, TransportError> {
        let sendable = |c: char| c.is_ascii_graphic() || c == ' ';
        if !user.expose().chars().all(sendable) {
            return Err(TransportError::Auth(
                "`user` holds characters that are not ASCII, which can't be sent in the Digest scheme"
                    .to_owned(),
            ));
        }
        Ok(Self {
            user: user.clone(),
            password: password.clone(),
            state: Mutex::default(),
        })
    }

    /// Goes over to the nonce that an accepted answer announces.
    fn follow(&self, headers: &HeaderMap, generation: u64) {
        let Some(nonce) = next_nonce(headers) else {
            return;
        };
        if let Some(known) = self.state().of(generation) {
            known.challenge.nonce = nonce;
            known.count = 0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&mut self, generation: u64) -> Option<&mut Nonce> {
        self.nonces
            .iter_mut()
            .find(|nonce| nonce.generation == generation)
    }

    /// The nonce to sign with: an idle one, or the least lent of those that may be shared.
    fn pick(&mut self) -> Option<&mut Nonce> {
        let strict = self.strict;
        let usable = self.nonces.iter_mut();
        let usable = usable.filter(|nonce| nonce.lent == 0 || nonce.shared || !strict);
        usable.min_by_key(|nonce| nonce.lent)
    }

    /// Takes what a refused request was answered with, in the place of the nonce that it was signed with. A server that
    /// gives the same nonce again goes on counting.
    fn install(&mut self, challenge: Challenge, generation: u64) {
        self.strict |= self.of(generation).is_some_and(|nonce| nonce.lent > 0);
        let same = |nonce: &Nonce| nonce.challenge.nonce == challenge.nonce;
        self.nonces
            .retain(|nonce| nonce.generation != generation || same(nonce));
        if let Some(known) = self.nonces.iter_mut().find(|nonce| same(nonce)) {
            known.shared = true;
            return;
        }
        if self.nonces.len() == MOST {
            self.nonces.remove(0);
        }
        self.generation += 1;
        self.nonces.push(Nonce {
            challenge,
            generation: self.generation,
            count: 0,
            lent: 0,
            shared: false,
        });
    }
}

impl Session for Nonces {
    fn is_ready(&self) -> bool {
        self.state().proven
    }

    /// A request without a body is as good as a probe, and may be answered at once.
    fn before(&self, request: &Request) -> Option<Preparation> {
        let mut state = self.state();
        let asks_for_nothing = state.proven && state.generation == 0;
        if asks_for_nothing || request.body.is_empty() || state.pick().is_some() {
            return None;
        }
        Some(Preparation::Probe(Request {
            purpose: Purpose::Authenticate,
            idempotent: true,
            body: Bytes::new(),
            ..request.clone()
        }))
    }

    fn sign(&self, request: &Request, uri: &dyn Fn() -> String) -> (Option<HeaderValue>, u64) {
        // A probe asks for a nonce. Signed with one that came free meanwhile it would not be challenged, and learn nothing.
        if request.purpose == Purpose::Authenticate {
            return (None, 0);
        }
        let cnonce = cnonce();
        let mut state = self.state();
        let Some(nonce) = state.pick() else {
            return (None, 0);
        };
        nonce.count = nonce.count.wrapping_add(1);
        nonce.lent += 1;
        let (challenge, count, generation) = (nonce.challenge.clone(), nonce.count, nonce.generation);
        drop(state);
        let answer = Answer {
            challenge: &challenge,
            method: request.method.as_str(),
            uri: &uri(),
            count,
            cnonce: &cnonce,
        };
        // Only a target that is no URI can't stand in a header, and such a request is not sent.
        let header = sensitive(&answer.header(self.user.expose(), &self.password));
        (header.ok(), generation)
    }

    fn release(&self, generation: u64) {
        if let Some(nonce) = self.state().of(generation) {
            nonce.lent = nonce.lent.saturating_sub(1);
        }
    }

    fn read(&self, response: &Response, generation: u64, is_renewed: bool) -> Reply {
        if response.status != 401 {
            self.follow(&response.headers, generation);
            return Reply::Judge;
        }
        let is_signed = generation > 0;
        match asked(&response.headers) {
            Asked::Digest(challenge) if is_signed && is_renewed && !challenge.stale => Reply::Judge,
            Asked::Digest(challenge) => {
                let mut state = self.state();
                state.install(challenge, generation);
                // Credentials that were good may be revoked: one finds out for all.
                state.proven &= !is_signed;
                if is_signed && is_renewed {
                    Reply::Fault("the vendor calls a nonce stale that it has just given")
                } else {
                    Reply::Again
                }
            }
            Asked::Unknown if !is_signed => Reply::Unusable(
                "the vendor asks for a digest in a form that is not known here: not MD5 or SHA-256 with `qop=auth`",
            ),
            Asked::Unknown | Asked::Nothing => Reply::Judge,
        }
    }

    fn prove(&self, _generation: u64) {
        self.state().proven = true;
    }
}

/// A new text of the client's own, from the random numbers that TLS uses.
fn cnonce() -> String {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    if provider.secure_random.fill(&mut bytes).is_err() {
        fastrand::fill(&mut bytes);
    }
    hex(&bytes)
}
