//! The Digest session of a connection: one nonce at a time, reused with a rising count, and exchanged when it is refused.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::challenge::{Asked, Challenge, asked, next_nonce};
use super::digest::{Answer, hex};
use super::sensitive;
use super::session::{Preparation, Reply, Session};
use crate::transport::{Secret, TransportError};
use crate::wire::{Purpose, Request, Response};

/// What is known of the server's nonces.
#[derive(Debug)]
pub(super) struct Nonces {
    user: Secret,
    password: Secret,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// None before the first challenge, and for as long as the server asks for none.
    challenge: Option<Challenge>,
    /// Counts the nonces; 0 while there is none.
    generation: u64,
    /// How many requests were signed with this nonce.
    count: u32,
    /// Whether a request that was signed with it, or an unsigned one while there is none, was answered with anything but
    /// a challenge.
    proven: bool,
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

    /// Takes a new nonce, unless another request brought a newer one than this one was signed with. A server that gives
    /// the same nonce again goes on counting.
    fn install(&self, challenge: Challenge, generation: u64) {
        let mut state = self.state();
        if state.generation != generation {
            return;
        }
        let known = state.challenge.as_ref().map(|known| &known.nonce);
        let count = if known == Some(&challenge.nonce) {
            state.count
        } else {
            0
        };
        *state = State {
            challenge: Some(challenge),
            generation: generation + 1,
            count,
            proven: false,
        };
    }

    /// Goes over to the nonce that an accepted answer announces. The credentials are good, so nobody waits.
    fn follow(&self, headers: &HeaderMap, generation: u64) {
        let Some(nonce) = next_nonce(headers) else {
            return;
        };
        let mut state = self.state();
        if state.generation != generation {
            return;
        }
        if let Some(challenge) = &mut state.challenge {
            challenge.nonce = nonce;
            state.generation += 1;
            state.count = 0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for Nonces {
    fn is_ready(&self) -> bool {
        self.state().proven
    }

    /// A request without a body is as good as a probe, and may be answered at once.
    fn before(&self, request: &Request) -> Option<Preparation> {
        let state = self.state();
        let is_known = state.generation > 0 || state.proven;
        if is_known || request.body.is_empty() {
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
        let cnonce = cnonce();
        let mut state = self.state();
        let Some(challenge) = state.challenge.clone() else {
            return (None, state.generation);
        };
        state.count = state.count.wrapping_add(1);
        let (count, generation) = (state.count, state.generation);
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

    fn read(&self, response: &Response, generation: u64, is_renewed: bool) -> Reply {
        if response.status != 401 {
            self.follow(&response.headers, generation);
            return Reply::Judge;
        }
        let is_signed = generation > 0;
        match asked(&response.headers) {
            Asked::Digest(challenge) if is_signed && is_renewed && !challenge.stale => Reply::Judge,
            Asked::Digest(challenge) => {
                self.install(challenge, generation);
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

    fn prove(&self, generation: u64) {
        let mut state = self.state();
        state.proven |= state.generation == generation;
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
