//! Building requests: percent-encoding, query strings and JSON bodies.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Serialize;

use crate::vendor::VendorError;
use crate::wire::{Purpose, Request};

/// Path and query, percent-encoded as they grow.
#[derive(Debug)]
pub(super) struct Target {
    text: String,
    queried: bool,
}

impl Target {
    /// Begins with a path that needs no encoding.
    pub(super) fn new(path: &str) -> Self {
        Self {
            text: path.to_owned(),
            queried: false,
        }
    }

    /// Appends a path segment.
    pub(super) fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        push_encoded(&mut self.text, segment);
        self
    }

    /// Appends a query parameter.
    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.queried { '&' } else { '?' });
        self.queried = true;
        self.text.push_str(name);
        self.text.push('=');
        push_encoded(&mut self.text, value);
        self
    }

    /// A request that reads.
    pub(super) fn read(self) -> Request {
        self.request(Purpose::Observe, Method::GET, HeaderMap::new(), Bytes::new())
    }

    /// A request that removes, without a body.
    pub(super) fn delete(self) -> Request {
        self.request(Purpose::Write, Method::DELETE, HeaderMap::new(), Bytes::new())
    }

    /// A request that adds what a JSON body says.
    pub(super) fn post(
        self,
        content_type: &'static str,
        body: &impl Serialize,
    ) -> Result<Request, VendorError> {
        self.json(Purpose::Write, Method::POST, content_type, body)
    }

    /// A request with a JSON body.
    pub(super) fn json(
        self,
        purpose: Purpose,
        method: Method,
        content_type: &'static str,
        body: &impl Serialize,
    ) -> Result<Request, VendorError> {
        let body = serde_json::to_vec(body).map_err(|error| {
            VendorError::Unsupported(format!("the request can't be written as JSON: {error}"))
        })?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Ok(self.request(purpose, method, headers, body.into()))
    }

    /// May be repeated unless the vendor says otherwise: tags are a set, so adding twice is adding once, and a removal
    /// that finds nothing is settled by observing.
    fn request(self, purpose: Purpose, method: Method, headers: HeaderMap, body: Bytes) -> Request {
        Request {
            purpose,
            idempotent: true,
            method,
            target: self.text,
            headers,
            body,
        }
    }
}

/// Encodes all but the unreserved characters of RFC 3986. Quotes, commas and parentheses of selectors are
/// encoded too: what proxies make of them raw differs.
fn push_encoded(to: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    to.reserve(text.len() + text.len() / 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(byte));
        } else {
            to.push('%');
            to.push(char::from(HEX[usize::from(byte >> 4)]));
            to.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn everything_but_unreserved_characters_is_encoded() {
        for (text, want) in [
            ("HOST-01A_2.~", "HOST-01A_2.~"),
            ("a b+c", "a%20b%2Bc"),
            ("100% & more", "100%25%20%26%20more"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
            ("say \"hi\"", "say%20%22hi%22"),
            ("C:\\x", "C%3A%5Cx"),
            ("Grüße", "Gr%C3%BC%C3%9Fe"),
            ("🚢", "%F0%9F%9A%A2"),
            ("k=v;w", "k%3Dv%3Bw"),
        ] {
            assert_eq!(
                Target::new("/p").segment(text).read().target,
                format!("/p/{want}")
            );
            assert_eq!(
                Target::new("/p").query("q", text).read().target,
                format!("/p?q={want}")
            );
        }
    }

    #[test]
    fn parameters_stand_in_order_and_may_repeat() {
        let target = Target::new("/p").query("a", "1").query("b", "2").query("a", "3");
        assert_eq!(target.read().target, "/p?a=1&b=2&a=3");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_the_query(text in ".*") {
            let target = Target::new("/p").query("key", &text).query("more", "1").read().target;
            let url = url::Url::parse(&format!("https://x.example{target}")).unwrap();
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, vec![("key".to_owned(), text), ("more".to_owned(), "1".to_owned())]);
        }
    }
}
