//! Access tokens of service accounts: issued, used, revoked, expired. None outlives the process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::super::super::keyed::{Keyed, Quota};

/// Tokens of one service account that may live at the same time.
const MAX_LIVE: usize = 100;

/// What tokens begin with here: a client must never log one, and whoever looks for this text finds it out.
const PREFIX: &str = "canary-access-token-";

/// A minute, over which requests for tokens are counted.
pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// All tokens. It does not print them.
pub(super) struct Tokens {
    life: Duration,
    /// Requests for a token a minute and client.
    limit: Option<u64>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// When each token expires, in milliseconds since 1970.
    live: HashMap<String, i64>,
    asked: Keyed,
}

/// Why no token is issued.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoToken {
    /// The client has asked too often; it may come again after so many seconds.
    TooOften(u64),
    /// It has as many as it may.
    TooMany,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { life, limit, .. } = self;
        f.debug_struct("Tokens")
            .field("life", life)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn new(life: Duration, limit: Option<u64>) -> Self {
        Self {
            life,
            limit,
            inner: Mutex::default(),
        }
    }

    /// How many tokens a minute a client may ask for; 0 for any number.
    pub(super) fn limit(&self) -> u64 {
        self.limit.unwrap_or_default()
    }

    /// How long a token lives, in seconds.
    pub(super) fn life(&self) -> u64 {
        self.life.as_secs()
    }

    /// Counts a client's request for a token.
    pub(super) fn count(&self, client: &str, now: i64) -> Result<(), NoToken> {
        let Some(limit) = self.limit else { return Ok(()) };
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Duration::from_millis(now.unsigned_abs());
        let wait = |quota: Quota| {
            let left = quota.resets.unwrap_or(now).saturating_sub(now);
            NoToken::TooOften(left.as_secs() + u64::from(left.subsec_nanos() > 0))
        };
        inner
            .asked
            .window(client, now, limit, MINUTE)
            .map(drop)
            .map_err(wait)
    }

    /// A new token.
    pub(super) fn issue(&self, now: i64) -> Result<String, NoToken> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.live.retain(|_, expires| *expires > now);
        if inner.live.len() >= MAX_LIVE {
            return Err(NoToken::TooMany);
        }
        let token = format!("{PREFIX}{:032x}", fastrand::u128(..));
        let life = i64::try_from(self.life.as_millis()).unwrap_or(i64::MAX);
        inner.live.insert(token.clone(), now.saturating_add(life));
        Ok(token)
    }

    /// Whether a token can be used.
    pub(super) fn is_live(&self, token: &str, now: i64) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.live.get(token).is_some_and(|expires| *expires > now)
    }

    /// Ends a token, if there is one.
    pub(super) fn revoke(&self, token: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.live.remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_786_000_060_000;

    #[test]
    fn a_token_lives_until_it_expires_or_is_revoked() {
        let tokens = Tokens::new(Duration::from_secs(3), Some(10));
        let [one, two] = [(); 2].map(|()| tokens.issue(NOW).unwrap());
        assert_ne!(one, two);
        assert!(tokens.is_live(&one, NOW + 2_999) && !tokens.is_live(&one, NOW + 3_000));
        tokens.revoke(&two);
        assert!(!tokens.is_live(&two, NOW));
        assert!(!tokens.is_live("x", NOW));
        assert!(!format!("{tokens:?}").contains(PREFIX), "tokens do not print");
    }

    #[test]
    fn a_hundred_tokens_live_at_most() {
        let tokens = Tokens::new(Duration::from_secs(3), None);
        let issued: Vec<_> = (0..100).map(|_| tokens.issue(NOW).unwrap()).collect();
        assert_eq!(tokens.issue(NOW), Err(NoToken::TooMany));
        tokens.revoke(&issued[0]);
        assert!(tokens.issue(NOW).is_ok());
        assert!(tokens.issue(NOW + 3_000).is_ok(), "those before have expired");
    }

    #[test]
    fn a_client_asks_ten_times_a_minute() {
        let tokens = Tokens::new(Duration::from_secs(3), Some(10));
        assert!((0..10).all(|_| tokens.count("a", NOW).is_ok()));
        // The minute ends 20 seconds later.
        assert_eq!(tokens.count("a", NOW), Err(NoToken::TooOften(20)));
        assert_eq!(tokens.count("b", NOW), Ok(()));
        assert_eq!(tokens.count("a", NOW + 20_000), Ok(()));
        let unlimited = Tokens::new(Duration::from_secs(3), None);
        assert!((0..100).all(|_| unlimited.count("a", NOW).is_ok()));
    }
}
