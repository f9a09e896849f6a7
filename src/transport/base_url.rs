//! The base URL of a connection: what it may be, and how a request's target is put behind it.

use url::{Host, Url};

use super::TransportError;

/// A base URL that may be used.
#[derive(Debug, Clone)]
pub(super) struct BaseUrl(Url);

/// Whether a URL points to this machine: `127.0.0.0/8`, `::1` or `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Checks the base URL of a connection, so that a job can be refused before anything is read or sent.
pub fn check_base(url: &Url, allow_http: bool) -> Result<(), TransportError> {
    // The URL itself is not repeated: it may hold a password.
    let refused = |why: &str| Err(TransportError::BaseUrl(why.to_owned()));
    if !url.username().is_empty() || url.password().is_some() {
        return refused(
            "it holds a user name or password; give the connection its credentials in keys of their own instead",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("it holds a query or a fragment; give only scheme, host, port and path");
    }
    match (url.scheme(), url.host()) {
        (_, None) => refused("it has no host; write it like `https://abc12345.live.dynatrace.com`"),
        (_, Some(Host::Ipv4(address))) if address.is_link_local() => {
            refused("it is a link-local address, where cloud machines keep their credentials")
        }
        ("https", _) => Ok(()),
        ("http", _) if allow_http || is_loopback(url) => Ok(()),
        ("http", _) => refused(
            "plain `http` would send the token unencrypted; use `https`, or set `allow_http = true` if the network is trusted",
        ),
        (scheme, _) => refused(&format!("scheme `{scheme}` can't be used; write `https`")),
    }
}

impl BaseUrl {
    pub(super) fn new(url: &Url, allow_http: bool) -> Result<Self, TransportError> {
        check_base(url, allow_http)?;
        Ok(Self(url.clone()))
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The root of the same origin.
    pub(super) fn root(&self) -> Self {
        let mut url = self.0.clone();
        url.set_path("/");
        Self(url)
    }

    /// Puts a target behind the base's own path. `Url::join` is not used, since it drops that path and lets a target
    /// such as `//other/` change the host. A target that would end up elsewhere than it says is refused.
    pub(super) fn join(&self, target: &str) -> Result<Url, String> {
        let odd =
            || "the target of the request can't be sent as it stands; this is a fault of tagferry".to_owned();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        if !path.starts_with('/') || target.contains('#') {
            return Err(odd());
        }
        let path = format!("{}{path}", self.0.path().trim_end_matches('/'));
        let mut url = self.0.clone();
        url.set_path(&path);
        url.set_query(query);
        // Dot segments and characters that are not encoded would make another path of it.
        if url.path() == path { Ok(url) } else { Err(odd()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect(text)
    }

    #[test]
    fn plain_http_is_only_for_this_machine_unless_allowed() {
        for (text, alone, allowed) in [
            ("https://abc12345.live.dynatrace.com", true, true),
            ("https://host:9999/e/abc", true, true),
            ("http://127.0.0.1:8080", true, true),
            ("http://127.9.8.7", true, true),
            ("http://[::1]:8080", true, true),
            ("http://localhost:8080/e/abc", true, true),
            ("http://localhost.example.com", false, true),
            ("http://abc12345.live.dynatrace.com", false, true),
            ("http://10.0.0.1", false, true),
            ("http://0.0.0.0", false, true),
            ("http://169.254.169.254", false, false),
            ("https://169.254.169.254", false, false),
            ("ftp://127.0.0.1", false, false),
            ("unix:/run/socket", false, false),
            ("https://user@host", false, false),
            ("https://host/?api-token=secret", false, false),
            ("https://host/#part", false, false),
        ] {
            assert_eq!(check_base(&url(text), false).is_ok(), alone, "{text}");
            assert_eq!(
                check_base(&url(text), true).is_ok(),
                allowed,
                "{text} when allowed"
            );
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_a_password() {
        for text in ["https://user:canary@host", "https://host/?api-token=canary"] {
            let error = check_base(&url(text), true).expect_err(text).to_string();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_target_goes_behind_the_path_of_the_base() {
        for (base, target, want) in [
            ("https://h", "/api/v2/tags?a=b", "https://h/api/v2/tags?a=b"),
            ("https://h/e/abc", "/api", "https://h/e/abc/api"),
            (
                "https://h/e/abc/",
                "/api?x=%2F..%2F",
                "https://h/e/abc/api?x=%2F..%2F",
            ),
            ("https://h", "//evil/x", "https://h//evil/x"),
            ("https://h", "/api/%2E%2Ex/%20", "https://h/api/%2E%2Ex/%20"),
            (
                "https://h:9999",
                "/?q=type(\"HOST\")",
                "https://h:9999/?q=type(%22HOST%22)",
            ),
        ] {
            let base = BaseUrl::new(&url(base), false).expect(base);
            assert_eq!(base.join(target).expect(target).as_str(), want);
        }
    }

    #[test]
    fn a_target_that_would_end_up_elsewhere_is_refused() {
        let base = BaseUrl::new(&url("https://h/e/abc"), false).expect("a base");
        for target in [
            "",
            "api",
            "/api/../../admin",
            "/./api",
            "/a b",
            "/%2e%2e/x",
            "/api#x",
            "https://evil/",
        ] {
            base.join(target).expect_err(target);
        }
    }
}
