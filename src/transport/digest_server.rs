//! For this room's tests: the server's side of the Digest scheme, written from RFC 7616 and not from the client's side.

use std::collections::BTreeMap;
use std::sync::Mutex;

use md5::{Digest as _, Md5};

const REALM: &str = "MMS Public API";
const USER: &str = "pub";

/// The password that is right.
pub(crate) const PASSWORD: &str = "canary-priv";

/// A server that accepts one nonce at a time.
#[derive(Debug, Default)]
pub(crate) struct DigestServer {
    state: Mutex<State>,
    /// So many requests are accepted with one nonce; 0 for any number.
    uses: usize,
    /// Whether a nonce that is not accepted any more is called stale.
    tells_stale: bool,
}

#[derive(Debug, Default)]
struct State {
    nonces: usize,
    /// The counts that were used with the nonce that is accepted.
    counts: Vec<u32>,
    signed: usize,
    challenges: usize,
}

impl DigestServer {
    /// A server that accepts so many requests with one nonce.
    pub(crate) fn limited(uses: usize, tells_stale: bool) -> Self {
        Self {
            uses,
            tells_stale,
            ..Self::default()
        }
    }

    /// `Ok` for a request with the right credentials, else the challenge to be sent.
    pub(crate) fn check(&self, method: &str, uri: &str, authorization: Option<&str>) -> Result<(), String> {
        let mut state = self.state.lock().expect("no test panics here");
        let given = authorization.and_then(|header| header.strip_prefix("Digest "));
        let Some(given) = given.map(parameters) else {
            return Err(self.challenge(&mut state, false));
        };
        state.signed += 1;
        let nonce = nonce(state.nonces);
        let is_right = given["response"] == response(&given, method, uri);
        assert_eq!(given["username"], USER);
        assert_eq!(given["uri"], uri, "the URI is not that of the request line");
        let is_used_up = self.uses > 0 && state.counts.len() >= self.uses;
        if !is_right || given["nonce"] != nonce || is_used_up {
            return Err(self.challenge(&mut state, is_right && self.tells_stale));
        }
        let count = u32::from_str_radix(&given["nc"], 16).expect("a count in hexadecimal");
        assert_eq!(given["nc"].len(), 8);
        assert!(!state.counts.contains(&count), "{count} comes twice");
        state.counts.push(count);
        Ok(())
    }

    fn challenge(&self, state: &mut State, stale: bool) -> String {
        // Those who come with the old nonce while others have the new one must not exchange it again.
        let is_used_up = self.uses > 0 && state.counts.len() >= self.uses;
        if state.nonces == 0 || is_used_up {
            state.nonces += 1;
            state.counts.clear();
        }
        state.challenges += 1;
        let nonce = nonce(state.nonces);
        format!(
            r#"Digest realm="{REALM}", domain="", nonce="{nonce}", algorithm=MD5, qop="auth", stale={stale}"#
        )
    }

    /// The counts that came with the nonce that is accepted, in the order of their arrival.
    pub(crate) fn counts(&self) -> Vec<u32> {
        self.state.lock().expect("no test panics here").counts.clone()
    }

    pub(crate) fn challenges(&self) -> usize {
        self.state.lock().expect("no test panics here").challenges
    }

    /// How many requests came with an answer to a challenge, right or wrong.
    pub(crate) fn signed(&self) -> usize {
        self.state.lock().expect("no test panics here").signed
    }
}

fn nonce(number: usize) -> String {
    format!("n+/{number}==")
}

fn response(given: &BTreeMap<String, String>, method: &str, uri: &str) -> String {
    let secret = hash(&format!("{USER}:{REALM}:{PASSWORD}"));
    let request = hash(&format!("{method}:{uri}"));
    let (nonce, count, cnonce) = (&given["nonce"], &given["nc"], &given["cnonce"]);
    hash(&format!("{secret}:{nonce}:{count}:{cnonce}:auth:{request}"))
}

fn hash(text: &str) -> String {
    Md5::digest(text)
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The parameters of an `Authorization` header. None of these values holds a comma.
fn parameters(text: &str) -> BTreeMap<String, String> {
    text.split(", ")
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}
