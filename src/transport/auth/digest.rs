//! The answer to a Digest challenge: <https://www.rfc-editor.org/rfc/rfc7616#section-3.4>. Pure.

use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::challenge::Challenge;
use crate::transport::Secret;

/// How the digest is made; the stronger is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// The algorithm of a name, when it is known here.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The digest of a text in hexadecimal.
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// What is answered for one request.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) challenge: &'a Challenge,
    pub(super) method: &'a str,
    /// Path and query as they stand on the request line.
    pub(super) uri: &'a str,
    /// How many requests were signed with this nonce, this one included.
    pub(super) count: u32,
    /// The client's own part, which no server can foresee.
    pub(super) cnonce: &'a str,
}

impl Answer<'_> {
    /// The value of the `Authorization` header.
    pub(super) fn header(&self, user: &str, password: &Secret) -> String {
        let Challenge {
            realm,
            nonce,
            opaque,
            algorithm,
            names_algorithm,
            counts,
            ..
        } = self.challenge;
        let mut parts = vec![
            format!("username={}", quoted(user)),
            format!("realm={}", quoted(realm)),
            format!("nonce={}", quoted(nonce)),
            format!("uri={}", quoted(self.uri)),
            format!("response=\"{}\"", self.response(user, password)),
        ];
        if *names_algorithm {
            parts.push(format!("algorithm={}", algorithm.name()));
        }
        if *counts {
            let (count, cnonce) = (self.count, self.cnonce);
            parts.push(format!("qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""));
        }
        parts.extend(
            opaque
                .as_deref()
                .map(|opaque| format!("opaque={}", quoted(opaque))),
        );
        format!("Digest {}", parts.join(", "))
    }

    fn response(&self, user: &str, password: &Secret) -> String {
        let Challenge {
            realm,
            nonce,
            algorithm,
            counts,
            ..
        } = self.challenge;
        let secret = algorithm.hash(&format!("{user}:{realm}:{}", password.expose()));
        let request = algorithm.hash(&format!("{}:{}", self.method, self.uri));
        if *counts {
            let (count, cnonce) = (self.count, self.cnonce);
            algorithm.hash(&format!("{secret}:{nonce}:{count:08x}:{cnonce}:auth:{request}"))
        } else {
            algorithm.hash(&format!("{secret}:{nonce}:{request}"))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("half a byte is one digit");
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(realm: &str, nonce: &str, algorithm: Algorithm) -> Challenge {
        Challenge {
            realm: realm.to_owned(),
            nonce: nonce.to_owned(),
            opaque: None,
            algorithm,
            names_algorithm: true,
            counts: true,
            stale: false,
        }
    }

    fn answer<'a>(challenge: &'a Challenge, method: &'a str, uri: &'a str, cnonce: &'a str) -> Answer<'a> {
        Answer {
            challenge,
            method,
            uri,
            count: 1,
            cnonce,
        }
    }

    #[test]
    fn the_vectors_of_the_standards_and_of_mongodb_agree() {
        let old = challenge(
            "testrealm@host.com",
            "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            Algorithm::Md5,
        );
        let new = |algorithm| {
            challenge(
                "http-auth@example.org",
                "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                algorithm,
            )
        };
        let (md5, sha) = (new(Algorithm::Md5), new(Algorithm::Sha256));
        let mms = challenge(
            "MMS Public API",
            "669gyxpgL6MGDuSZvQ80Spv3k+Jc99ed",
            Algorithm::Md5,
        );
        let group = "/api/public/v1.0/groups/5c8100bcf2a30b12ff88258f?pretty=true";
        let long = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let (mufasa, pub_) = (("Mufasa", "Circle Of Life"), ("pub", "priv"));
        let newer = ("Mufasa", "Circle of Life");
        let index = "/dir/index.html";
        for (answer, (user, password), want) in [
            // RFC 2617, section 3.5.
            (
                answer(&old, "GET", index, "0a4f113b"),
                mufasa,
                "6629fae49393a05397450978507c4ef1",
            ),
            // RFC 7616, section 3.9.1.
            (
                answer(&md5, "GET", index, long),
                newer,
                "8ca523f5e9506fed4657c9700eebdbec",
            ),
            (
                answer(&sha, "GET", index, long),
                newer,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            (
                answer(&mms, "PATCH", group, "0a4f113b0a4f113b"),
                pub_,
                "a92d8cae66cbed1707189294e05f3210",
            ),
        ] {
            assert_eq!(answer.response(user, &Secret::of_name(password)), want, "{user}");
        }
    }

    #[test]
    fn a_server_that_does_not_count_gets_the_form_of_rfc_2069() {
        let mut challenge = challenge(
            "testrealm@host.com",
            "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            Algorithm::Md5,
        );
        (challenge.counts, challenge.names_algorithm) = (false, false);
        let header = answer(&challenge, "GET", "/dir/index.html", "never")
            .header("Mufasa", &Secret::of_name("CircleOfLife"));
        // The erratum 749 of RFC 2069 has this digest.
        assert_eq!(
            header,
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             uri=\"/dir/index.html\", response=\"1949323746fe6a43ef61f9606e7febea\""
        );
    }

    #[test]
    fn the_header_quotes_what_the_server_chose_and_counts_in_eight_digits() {
        let mut challenge = challenge("a \"b\" \\", "n+/=", Algorithm::Sha256);
        challenge.opaque = Some("o\"".to_owned());
        let answer = Answer {
            count: 0x1f,
            ..answer(&challenge, "GET", "/x?a=\\", "c")
        };
        let header = answer.header("me", &Secret::of_name("canary"));
        assert!(
            header.starts_with(
                r#"Digest username="me", realm="a \"b\" \\", nonce="n+/=", uri="/x?a=\\", response=""#
            ),
            "{header}"
        );
        assert!(
            header.ends_with(r#"", algorithm=SHA-256, qop=auth, nc=0000001f, cnonce="c", opaque="o\"""#),
            "{header}"
        );
        assert!(!header.contains("canary"));
    }
}
