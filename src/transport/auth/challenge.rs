//! What an answer asks for in its `WWW-Authenticate` headers, as far as the Digest scheme goes. Pure.
//!
//! <https://www.rfc-editor.org/rfc/rfc7616#section-3.3>. Servers write it in many forms: several challenges in one header
//! or in several, parameters with and without quotes, `stale` in any case, parameters that nobody knows.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use http_auth::ChallengeRef;
use http_auth::parser::ChallengeParser;

use super::digest::Algorithm;

/// A challenge that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) algorithm: Algorithm,
    /// Whether the server named the algorithm. It is only then named back.
    pub(super) names_algorithm: bool,
    /// Whether the server knows `qop=auth`; those of RFC 2069 don't.
    pub(super) counts: bool,
    /// Whether the server says that only the nonce was wrong.
    pub(super) stale: bool,
}

/// What an answer asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// No digest.
    Nothing,
    /// A digest, in the strongest form that both sides know.
    Digest(Challenge),
    /// A digest in a form that is not known here.
    Unknown,
}

/// Reads all challenges of an answer.
pub(super) fn asked(headers: &HeaderMap) -> Asked {
    let values = headers.get_all(WWW_AUTHENTICATE).into_iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    // A parser yields what it understands before what it doesn't.
    let challenges = texts.iter().flat_map(|text| ChallengeParser::new(text)).flatten();
    let digests: Vec<_> = challenges
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("digest"))
        .collect();
    let known = digests.iter().filter_map(read);
    // Of equals the first, which the server prefers.
    let strongest = known.reduce(|best, next| {
        if next.algorithm > best.algorithm {
            next
        } else {
            best
        }
    });
    match strongest {
        Some(challenge) => Asked::Digest(challenge),
        None if digests.is_empty() => Asked::Nothing,
        None => Asked::Unknown,
    }
}

/// The nonce that an accepted answer says to use from now on (`Authentication-Info`, RFC 7616, section 3.5).
pub(super) fn next_nonce(headers: &HeaderMap) -> Option<String> {
    let info = headers.get("authentication-info")?.to_str().ok()?;
    // It is written like the parameters of a challenge.
    let text = format!("Digest {info}");
    let challenge = ChallengeParser::new(&text).next()?.ok()?;
    parameter(&challenge, "nextnonce").filter(|nonce| !nonce.is_empty())
}

fn read(challenge: &ChallengeRef<'_>) -> Option<Challenge> {
    let named = parameter(challenge, "algorithm");
    let qop = parameter(challenge, "qop");
    let knows_auth = |qop: &String| {
        qop.split(',')
            .any(|word| word.trim().eq_ignore_ascii_case("auth"))
    };
    if !qop.as_ref().is_none_or(knows_auth) {
        return None;
    }
    Some(Challenge {
        realm: parameter(challenge, "realm")?,
        nonce: parameter(challenge, "nonce")?,
        opaque: parameter(challenge, "opaque"),
        algorithm: named.as_deref().map_or(Some(Algorithm::Md5), Algorithm::named)?,
        names_algorithm: named.is_some(),
        counts: qop.is_some(),
        stale: parameter(challenge, "stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
    })
}

fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let mut all = challenge.params.iter();
    let (_, value) = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(value.to_unescaped())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).expect("a legal value");
            headers.append(WWW_AUTHENTICATE, value);
        }
        headers
    }

    fn plain(nonce: &str) -> Challenge {
        Challenge {
            realm: "r".to_owned(),
            nonce: nonce.to_owned(),
            opaque: None,
            algorithm: Algorithm::Md5,
            names_algorithm: false,
            counts: true,
            stale: false,
        }
    }

    #[test]
    fn the_challenge_of_mongodb_is_read() {
        // Seen in 42 recorded answers of Atlas, all alike; the documentation prints `op` for `qop`.
        let seen = r#"Digest realm="MMS Public API", domain="", nonce="669gyxpgL6MGDuSZvQ80Spv3k+Jc99ed", algorithm=MD5, qop="auth", stale=false"#;
        let want = Challenge {
            realm: "MMS Public API".to_owned(),
            nonce: "669gyxpgL6MGDuSZvQ80Spv3k+Jc99ed".to_owned(),
            opaque: None,
            algorithm: Algorithm::Md5,
            names_algorithm: true,
            counts: true,
            stale: false,
        };
        assert_eq!(asked(&headers(&[seen])), Asked::Digest(want.clone()));
        let printed = seen.replace("qop", "op");
        let want = Challenge {
            counts: false,
            ..want
        };
        assert_eq!(asked(&headers(&[&printed])), Asked::Digest(want));
    }

    #[test]
    fn parameters_are_read_however_they_are_written() {
        let digest = |change: fn(&mut Challenge)| {
            let mut challenge = plain("n");
            change(&mut challenge);
            Asked::Digest(challenge)
        };
        for (text, want) in [
            (r#"Digest realm="r",nonce="n",qop="auth""#, digest(|_| {})),
            ("dIGEST nonce=n , realm=r ,, qop=auth", digest(|_| {})),
            (r#"Digest REALM="r", NONCE="n", QOP="AUTH""#, digest(|_| {})),
            (
                r#"Digest realm="r", nonce="n", qop="auth-int, auth""#,
                digest(|_| {}),
            ),
            (
                r#"Digest realm="r", nonce="n", qop="auth", op="auth", charset=UTF-8, userhash=false"#,
                digest(|_| {}),
            ),
            (
                r#"Digest realm="r", nonce="n", qop="auth", stale=TRUE"#,
                digest(|it| it.stale = true),
            ),
            (
                r#"Digest realm="r", nonce="n", qop="auth", stale="True""#,
                digest(|it| it.stale = true),
            ),
            (
                r#"Digest realm="a, \"b\"", nonce="n", qop="auth""#,
                digest(|it| it.realm = "a, \"b\"".to_owned()),
            ),
            (
                r#"Digest realm="r", nonce="a+b/c==", qop="auth", opaque="o""#,
                digest(|it| {
                    it.nonce = "a+b/c==".to_owned();
                    it.opaque = Some("o".to_owned());
                }),
            ),
            (
                r#"Digest realm="r", nonce="n", qop="auth", algorithm="sha-256""#,
                digest(|it| {
                    it.algorithm = Algorithm::Sha256;
                    it.names_algorithm = true;
                }),
            ),
            (r#"Digest realm="r", nonce="n""#, digest(|it| it.counts = false)),
            (r#"Digest realm="r", nonce="n", qop="auth-int""#, Asked::Unknown),
            (
                r#"Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess"#,
                Asked::Unknown,
            ),
            (r#"Digest realm="r", qop="auth""#, Asked::Unknown),
            (r#"Digest nonce="n", qop="auth""#, Asked::Unknown),
            (r#"Basic realm="r""#, Asked::Nothing),
            ("Bearer", Asked::Nothing),
            ("", Asked::Nothing),
            ("Digest", Asked::Unknown),
        ] {
            assert_eq!(asked(&headers(&[text])), want, "{text}");
        }
        assert_eq!(asked(&HeaderMap::new()), Asked::Nothing);
    }

    #[test]
    fn the_strongest_of_several_challenges_is_chosen_wherever_they_stand() {
        let md5 = r#"Digest realm="r", nonce="m", qop="auth", algorithm=MD5"#;
        let sha = r#"Digest realm="r", nonce="s", qop="auth", algorithm=SHA-256"#;
        let unknown = r#"Digest realm="r", nonce="u", qop="auth", algorithm=SHA-512-256"#;
        let basic = r#"Basic realm="a, Digest nonce=b""#;
        let joined = |several: &[&str]| several.join(", ");
        for (values, nonce) in [
            (vec![md5.to_owned(), sha.to_owned()], "s"),
            (vec![sha.to_owned(), md5.to_owned()], "s"),
            (vec![joined(&[md5, sha])], "s"),
            (vec![joined(&[basic, md5, "Negotiate"])], "m"),
            (vec![basic.to_owned(), unknown.to_owned(), md5.to_owned()], "m"),
            (vec![joined(&[unknown, sha, basic])], "s"),
            (vec![md5.to_owned(), md5.replace("\"m\"", "\"later\"")], "m"),
            (vec!["=garbage".to_owned(), md5.to_owned()], "m"),
            (vec![joined(&[md5, "Basic realm=r", "=garbage"])], "m"),
        ] {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            match asked(&headers(&values)) {
                Asked::Digest(challenge) => assert_eq!(challenge.nonce, nonce, "{values:?}"),
                other => panic!("{values:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_next_nonce_is_read_from_an_accepted_answer() {
        for (info, want) in [
            (r#"nextnonce="a+b=""#, Some("a+b=")),
            (
                r#"rspauth="5c", cnonce="c", nc=00000001, qop=auth, nextnonce=abc"#,
                Some("abc"),
            ),
            (r#"rspauth="5c", qop=auth"#, None),
            (r#"nextnonce="""#, None),
            ("garbage", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("authentication-info", HeaderValue::from_str(info).expect("legal"));
            assert_eq!(next_nonce(&headers).as_deref(), want, "{info}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text in "(Digest |Basic )?[ -~]{0,80}", parts in prop::collection::vec(
            prop::sample::select(vec!["Digest ", "realm=", "nonce=", "\"", "\\", ",", "=", " ", "qop=auth", "stale=true", "x"]), 0..20)) {
            asked(&headers(&[&text, &parts.concat()]));
        }
    }
}
