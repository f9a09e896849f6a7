//! Digest credentials: how a header is read, and what its response must be (RFC 7616).

use std::borrow::Cow;

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// A hash that challenges may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    /// Its name on the wire.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The hash of a text, in lower-case hexadecimal digits.
    fn hex(self, text: &str) -> String {
        let hash = match self {
            Self::Md5 => Md5::digest(text).to_vec(),
            Self::Sha256 => Sha256::digest(text).to_vec(),
        };
        let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
        hash.iter().flat_map(digits).flatten().collect()
    }
}

/// What an `Authorization: Digest` header says. It has no `Debug`, since a response is as good as a password for a while.
pub(super) struct Credentials<'a> {
    pub(super) username: Cow<'a, str>,
    pub(super) realm: Cow<'a, str>,
    pub(super) nonce: Cow<'a, str>,
    pub(super) uri: Cow<'a, str>,
    pub(super) response: Cow<'a, str>,
    pub(super) algorithm: Option<Cow<'a, str>>,
    pub(super) protection: Option<Protection<'a>>,
}

/// What comes with a `qop`.
pub(super) struct Protection<'a> {
    pub(super) qop: Cow<'a, str>,
    /// The nonce count as it was sent: the response is made with that text.
    pub(super) nc: Cow<'a, str>,
    pub(super) cnonce: Cow<'a, str>,
}

impl<'a> Credentials<'a> {
    /// Reads the header's value; `None` for another scheme, and for what lacks a parameter or has one twice. Quotes may
    /// be there or not, as the servers in the field have it.
    pub(super) fn parse(header: &'a str) -> Option<Self> {
        let (scheme, rest) = header.trim_start().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut parameters = parameters(rest)?;
        let mut take = |name: &str| {
            let at = parameters
                .iter()
                .position(|(known, _)| known.eq_ignore_ascii_case(name))?;
            Some(parameters.swap_remove(at).1)
        };
        let protection = match take("qop") {
            Some(qop) => Some(Protection {
                qop,
                nc: take("nc")?,
                cnonce: take("cnonce")?,
            }),
            None => None,
        };
        Some(Self {
            username: take("username")?,
            realm: take("realm")?,
            nonce: take("nonce")?,
            uri: take("uri")?,
            response: take("response")?,
            algorithm: take("algorithm"),
            protection,
        })
    }

    /// The response that these credentials must have when the password is right. Without a `qop` it is that of RFC 2069.
    pub(super) fn right_response(&self, hash: Hash, method: &str, password: &str) -> String {
        let Self {
            username,
            realm,
            nonce,
            uri,
            ..
        } = self;
        let secret = hash.hex(&format!("{username}:{realm}:{password}"));
        let request = hash.hex(&format!("{method}:{uri}"));
        hash.hex(&match &self.protection {
            Some(Protection { qop, nc, cnonce }) => {
                format!("{secret}:{nonce}:{nc}:{cnonce}:{qop}:{request}")
            }
            None => format!("{secret}:{nonce}:{request}"),
        })
    }
}

type Parameter<'a> = (&'a str, Cow<'a, str>);

fn parameters(mut rest: &str) -> Option<Vec<Parameter<'_>>> {
    let mut found: Vec<Parameter<'_>> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(found);
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_end();
        let (value, after) = value(after.trim_start())?;
        if found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return None;
        }
        found.push((name, value));
        rest = after;
    }
}

/// A quoted string or a token, and what follows it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].into(), &text[end..]));
    };
    let end = closing_quote(quoted)?;
    let inner = &quoted[..end];
    let value = if inner.contains('\\') {
        unescaped(inner).into()
    } else {
        inner.into()
    };
    Some((value, &quoted[end + 1..]))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescaped(text: &str) -> String {
    let mut escaped = false;
    let kept = text.chars().filter(|c| {
        escaped = *c == '\\' && !escaped;
        !escaped
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_responses_are_those_of_the_rfcs_and_of_the_vendor_s_realm() {
        let rfc7616 = |algorithm: &str| {
            format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
                 algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
                 cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"\""
            )
        };
        let rfc2617 = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
                       nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, nc=00000001, \
                       cnonce=\"0a4f113b\", response=\"\"";
        let mms = "Digest username=\"pub\", realm=\"MMS Public API\", \
                   nonce=\"669gyxpgL6MGDuSZvQ80Spv3k+Jc99ed\", \
                   uri=\"/api/public/v1.0/groups/5c8100bcf2a30b12ff88258f?pretty=true\", qop=auth, nc=00000001, \
                   cnonce=\"0a4f113b0a4f113b\", response=\"\"";
        for (header, hash, method, password, want) in [
            (
                rfc2617,
                Hash::Md5,
                "GET",
                "Circle Of Life",
                "6629fae49393a05397450978507c4ef1",
            ),
            (
                &rfc7616("MD5"),
                Hash::Md5,
                "GET",
                "Circle of Life",
                "8ca523f5e9506fed4657c9700eebdbec",
            ),
            (
                &rfc7616("SHA-256"),
                Hash::Sha256,
                "GET",
                "Circle of Life",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            (
                mms,
                Hash::Md5,
                "PATCH",
                "priv",
                "a92d8cae66cbed1707189294e05f3210",
            ),
        ] {
            let credentials = Credentials::parse(header).unwrap();
            assert_eq!(
                credentials.right_response(hash, method, password),
                want,
                "{header}"
            );
        }
    }

    #[test]
    fn a_header_may_be_written_in_many_ways() {
        for header in [
            r#"Digest username="u", realm="r", nonce="n", uri="/?a=1,b", response="x", qop=auth, nc=00000001, cnonce="c""#,
            r#"digest username=u,realm=r,nonce=n,uri="/?a=1,b",response=x,qop="auth",nc=00000001,cnonce=c"#,
            r#"Digest   uri = "/?a=1,b" ,, USERNAME="\u" , realm="r",nonce="n",response="x",op="auth", qop=auth,nc="00000001",cnonce="c""#,
        ] {
            let Some(credentials) = Credentials::parse(header) else {
                panic!("{header}")
            };
            let protection = credentials.protection.unwrap();
            assert_eq!(
                [
                    credentials.username,
                    credentials.realm,
                    credentials.nonce,
                    credentials.uri,
                    credentials.response,
                    protection.qop,
                    protection.nc,
                    protection.cnonce
                ],
                ["u", "r", "n", "/?a=1,b", "x", "auth", "00000001", "c"],
                "{header}"
            );
        }
    }

    #[test]
    fn what_is_no_digest_header_is_none() {
        for header in [
            "",
            "Digest",
            "Digest ",
            "Basic cHViOnByaXY=",
            r#"Digest username="u""#,
            r#"Digest username="u", realm="r", nonce="n", uri="/", response="x", qop=auth"#,
            r#"Digest username="u", username="v", realm="r", nonce="n", uri="/", response="x""#,
            r#"Digest username="u, realm=r"#,
            r#"Digest username="u\"#,
        ] {
            assert!(Credentials::parse(header).is_none(), "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_is_too_strange_to_be_refused(header in "Digest [a-z=\"\\\\, é]{0,60}") {
            let _ = Credentials::parse(&header);
        }
    }
}
