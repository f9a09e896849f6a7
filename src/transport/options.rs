//! What a job may say about the network of a connection. The URL, the vendor and the secret are not here.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::{Pace, TimeSpan, TransportError};

/// The network options of a connection.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How fast to send.
    pub pace: Pace,
    /// How long one attempt may take, from connecting to the last byte of the answer. Default `30s`.
    pub timeout: TimeSpan,
    /// How long connecting and the TLS handshake may take. Default `10s`.
    pub connect_timeout: TimeSpan,
    /// The URL of a proxy, without a password, or `environment` to read `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Without it no proxy is
    /// used, whatever the environment says.
    pub proxy: Option<String>,
    /// A PEM file of certificate authorities to trust beside the system's.
    pub ca_cert: Option<PathBuf>,
    /// Whether plain `http` may leave this machine.
    pub allow_http: bool,
    /// The longest wait that a vendor may ask for; a longer one is cut to this. Default `5m`.
    pub max_wait: TimeSpan,
    /// How long one call goes on being retried, and how long unbroken throttling is borne. Default `15m`.
    pub max_elapsed: TimeSpan,
    /// How often one call is sent at most; throttled attempts do not count. Default 5.
    pub attempts: u32,
    /// How many retries there may be for each call, over the whole connection, beside a small constant. Default 0.1.
    pub retry_budget: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            timeout: TimeSpan::from_secs(30),
            connect_timeout: TimeSpan::from_secs(10),
            proxy: None,
            ca_cert: None,
            allow_http: false,
            max_wait: TimeSpan::from_secs(5 * 60),
            max_elapsed: TimeSpan::from_secs(15 * 60),
            attempts: 5,
            retry_budget: 0.1,
        }
    }
}

impl Options {
    /// The word that makes `proxy` mean the environment's.
    pub(super) const FROM_ENVIRONMENT: &str = "environment";

    /// Finds numbers that can't be meant. A job should ask before anything is sent; a connection only clamps.
    pub fn check(&self) -> Result<(), TransportError> {
        let refused = |key, why: &str| {
            Err(TransportError::Option {
                key,
                why: why.to_owned(),
            })
        };
        if let Some(n @ (0 | 1001..)) = self.pace.concurrency {
            return refused("pace.concurrency", &format!("{n} is not between 1 and 1000"));
        }
        if !(1..=100).contains(&self.attempts) {
            return refused("attempts", &format!("{} is not between 1 and 100", self.attempts));
        }
        if !(0.0..=1.0).contains(&self.retry_budget) {
            return refused(
                "retry_budget",
                &format!("{} is not between 0 and 1", self.retry_budget),
            );
        }
        match self.proxy.as_deref() {
            None | Some(Self::FROM_ENVIRONMENT) => Ok(()),
            Some(proxy) if is_proxy(proxy) => Ok(()),
            Some(_) => Err(TransportError::Proxy),
        }
    }
}

/// Whether this is the URL of a proxy. One with a password is refused: a job file holds no secrets.
fn is_proxy(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_gives_the_defaults() {
        let options: Options = toml::from_str("").expect("nothing is required");
        assert_eq!(options, Options::default());
        assert!(options.check().is_ok());
    }

    #[test]
    fn a_full_table_is_read() {
        let options: Options = toml::from_str(
            r#"
            timeout = "5s"
            connect_timeout = "1s"
            proxy = "environment"
            ca_cert = "ca.pem"
            allow_http = true
            max_wait = "1m"
            max_elapsed = "2m"
            attempts = 3
            retry_budget = 0.2
            pace = { rate = "20/s", concurrency = 2 }
            "#,
        )
        .expect("every key is known");
        assert_eq!(options.timeout, TimeSpan::from_secs(5));
        assert_eq!(options.pace.concurrency, Some(2));
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_named() {
        for (text, key) in [
            ("pace = { concurrency = 0 }", "pace.concurrency"),
            ("pace = { concurrency = 1001 }", "pace.concurrency"),
            ("attempts = 0", "attempts"),
            ("retry_budget = 1.5", "retry_budget"),
            ("retry_budget = nan", "retry_budget"),
            ("proxy = 'proxy:3128'", "proxy"),
            ("proxy = 'http://user:canary@proxy:3128'", "proxy"),
        ] {
            let options: Options = toml::from_str(text).expect(text);
            let error = options.check().expect_err(text).to_string();
            assert!(error.starts_with(key), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        toml::from_str::<Options>("time_out = \"5s\"").expect_err("an unknown key");
    }
}
