//! The OAuth2 session of a connection: a token that is fetched with the client's secret, reused, and renewed in time.
//!
//! <https://www.rfc-editor.org/rfc/rfc6749#section-4.4>.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use tokio::time::Instant;
use url::form_urlencoded;

use super::session::{Preparation, Reply, Session};
use super::{TokenAnswer, sensitive};
use crate::transport::{Secret, TransportError};
use crate::wire::{Purpose, Request, Response};

/// How long before its end a token is renewed, at most a quarter of its life: what is sent may wait on its way.
const MARGIN: Duration = Duration::from_mins(1);

/// What is known of the tokens of a connection.
#[derive(Debug)]
pub(super) struct Tokens {
    /// The client, as the endpoint wants to be told.
    client: HeaderValue,
    endpoint: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// Counts the tokens; 0 while there is none.
    generation: u64,
    /// Whether a request with it was answered with anything but a refusal of the token.
    proven: bool,
}

#[derive(Debug)]
struct Token {
    header: HeaderValue,
    renewed_at: Instant,
}

impl Tokens {
    /// A session that has no token yet. `endpoint`: the path of the token endpoint, from the root of the origin.
    pub(super) fn new(endpoint: &'static str, id: &Secret, secret: &Secret) -> Result<Self, TransportError> {
        // Both are form-encoded first (section 2.3.1), so that neither holds a colon.
        let encoded =
            |text: &Secret| form_urlencoded::byte_serialize(text.expose().as_bytes()).collect::<String>();
        let client = BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        Ok(Self {
            client: sensitive(&format!("Basic {client}"))?,
            endpoint,
            state: Mutex::default(),
        })
    }

    /// The request for a token, before the client is told.
    fn request(&self) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        Request {
            purpose: Purpose::Authenticate,
            // Twice gives two tokens, of which one is forgotten.
            idempotent: true,
            method: Method::POST,
            target: self.endpoint.to_owned(),
            headers,
            body: Bytes::from_static(b"grant_type=client_credentials"),
        }
    }

    /// Takes a token that lasts so long from now on.
    fn install(&self, token: &Secret, lifetime: Duration) {
        let Ok(header) = sensitive(&format!("Bearer {}", token.expose())) else {
            return;
        };
        let life = lifetime.saturating_sub(MARGIN.min(lifetime / 4));
        let mut state = self.state();
        *state = State {
            token: Some(Token {
                header,
                renewed_at: Instant::now() + life,
            }),
            generation: state.generation + 1,
            proven: false,
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for Tokens {
    fn is_ready(&self) -> bool {
        let state = self.state();
        state.proven && state.lasts()
    }

    fn before(&self, _: &Request) -> Option<Preparation> {
        let lasts = self.state().lasts();
        (!lasts).then(|| Preparation::Token(self.request()))
    }

    fn sign(&self, _: &Request, _: &dyn Fn() -> String) -> (Option<HeaderValue>, u64) {
        let state = self.state();
        let header = state.token.as_ref().map(|token| token.header.clone());
        (header, state.generation)
    }

    fn read(&self, response: &Response, _: u64, is_renewed: bool) -> Reply {
        if response.status == 401 && !is_renewed {
            Reply::Renew
        } else {
            Reply::Judge
        }
    }

    fn prove(&self, generation: u64) {
        let mut state = self.state();
        state.proven |= state.generation == generation && state.token.is_some();
    }

    fn reject(&self, generation: u64) {
        let mut state = self.state();
        if state.generation == generation {
            state.token = None;
            state.proven = false;
        }
    }

    fn ask(&self, request: &Request) -> Request {
        let mut request = request.clone();
        request.headers.insert(AUTHORIZATION, self.client.clone());
        request
    }

    fn receive(&self, answer: &TokenAnswer) {
        if let TokenAnswer::Token(token, lifetime) = answer {
            self.install(token, *lifetime);
        }
    }
}

impl State {
    fn lasts(&self) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| Instant::now() < token.renewed_at)
    }
}
