//! A client for the tests of this folder: plain requests, and digest credentials.

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;

use super::super::reply::Reply;
use super::super::simulated::Simulator;
use super::digest::{Credentials, Hash};

/// What came back.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Got {
    /// The body, or null when there is none.
    pub(super) fn json(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap()
    }

    /// Status and `errorCode`.
    pub(super) fn error(&self) -> (u16, String) {
        let code = &self.json()["errorCode"];
        (self.status, code.as_str().unwrap_or_default().to_owned())
    }

    /// The text of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The nonce of its first challenge.
    pub(super) fn nonce(&self) -> String {
        let challenge = self.header("www-authenticate").unwrap();
        let (_, rest) = challenge.split_once("nonce=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

/// Sends a request with some headers.
pub(super) async fn send(
    simulator: &dyn Simulator,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Got {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let Reply::Answer(answer) = simulator.answer(request).await else {
        panic!("no answer")
    };
    let (head, body) = answer.into_parts();
    Got {
        status: head.status.as_u16(),
        headers: head.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// What digest credentials are made of.
#[derive(Debug, Clone)]
pub(super) struct Signing {
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) realm: &'static str,
    pub(super) nonce: String,
    pub(super) method: &'static str,
    pub(super) uri: String,
    pub(super) hash: Hash,
    /// `algorithm` as it is written, and nothing for none.
    pub(super) algorithm: &'static str,
    pub(super) nc: &'static str,
    /// `qop` as it is written, and nothing for the form of RFC 2069.
    pub(super) qop: &'static str,
}

impl Signing {
    /// Good credentials for a first `GET`.
    pub(super) fn good(nonce: String, uri: &str) -> Self {
        Self {
            user: "public",
            password: "private",
            realm: "MMS Public API",
            nonce,
            method: "GET",
            uri: uri.to_owned(),
            hash: Hash::Md5,
            algorithm: "algorithm=MD5",
            nc: "00000001",
            qop: "qop=auth",
        }
    }

    /// The header's value.
    pub(super) fn header(&self) -> String {
        let Self {
            user,
            realm,
            nonce,
            uri,
            algorithm,
            nc,
            qop,
            ..
        } = self;
        let protection = match *qop {
            "" => String::new(),
            qop => format!(", {qop}, nc={nc}, cnonce=\"0a4f113b\""),
        };
        let comma = if algorithm.is_empty() { "" } else { ", " };
        let text = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\"{protection}{comma}{algorithm}"
        );
        let unsigned = format!("{text}, response=\"\"");
        let credentials = Credentials::parse(&unsigned).unwrap();
        let response = credentials.right_response(self.hash, self.method, self.password);
        format!("{text}, response=\"{response}\"")
    }
}
