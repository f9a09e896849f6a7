//! Digest authentication as a server does it (RFC 7616): challenges, and whether an answer to one is good.

use std::time::Duration;

use http::{HeaderValue, header};
use secrecy::ExposeSecret;

use super::super::api::Asked;
use super::digest::{Credentials, Hash};
use super::door::{Keys, same};
use super::nonce::Nonces;
use super::refused::Refused;
use super::switches::{Algorithm, Challenge, NcCheck, StaleFlag, Switches, UriMismatch};

/// The realm of every challenge that was recorded.
const REALM: &str = "MMS Public API";

/// What checks credentials.
#[derive(Debug)]
pub(super) struct Verifier {
    nonces: Nonces,
    algorithm: Algorithm,
    stale_flag: StaleFlag,
    nc_check: NcCheck,
    uri_mismatch: UriMismatch,
    challenge: Challenge,
}

/// Why digest credentials are no good.
#[derive(Debug, PartialEq, Eq)]
enum Flaw {
    /// They are not there, can't be read, or are wrong.
    Wrong,
    /// They are right, and their nonce can't be used any more.
    Stale,
    /// They were made for another target.
    OtherTarget,
}

impl Verifier {
    /// One whose nonces live so long.
    pub(super) fn new(nonce_life: Duration, switches: &Switches) -> Self {
        Self {
            nonces: Nonces::new(nonce_life),
            algorithm: switches.algorithm,
            stale_flag: switches.stale_flag,
            nc_check: switches.nc_check,
            uri_mismatch: switches.uri_mismatch,
            challenge: switches.challenge,
        }
    }

    /// Refuses a request whose credentials are not good.
    pub(super) fn verify(&self, asked: &Asked<'_>, keys: &Keys, now: i64) -> Result<(), Refused> {
        match self.check(asked, keys, now) {
            Ok(()) => Ok(()),
            Err(Flaw::OtherTarget) if self.uri_mismatch == UriMismatch::BadRequest => {
                let detail = "The uri of the digest credentials is not the target of the request.";
                Err(Refused::new(400, "UNEXPECTED_ERROR", detail))
            }
            Err(flaw) => {
                let challenges = self.challenges(flaw == Flaw::Stale, now);
                Err(Refused::unauthenticated(challenges))
            }
        }
    }

    /// The challenges of a 401, in the order of preference.
    pub(super) fn challenges(&self, stale: bool, now: i64) -> Vec<HeaderValue> {
        let stale = stale && self.stale_flag == StaleFlag::Said;
        let qop = match self.challenge {
            Challenge::Qop => "qop",
            Challenge::Op => "op",
        };
        let one = |hash: &Hash| {
            let (nonce, algorithm) = (self.nonces.issue(now), hash.as_str());
            // Comma and space, and no parameter more: a widespread Go client reads nothing else.
            let text = format!(
                "Digest realm=\"{REALM}\", domain=\"\", nonce=\"{nonce}\", algorithm={algorithm}, {qop}=\"auth\", stale={stale}"
            );
            HeaderValue::from_str(&text).ok()
        };
        self.hashes().iter().filter_map(one).collect()
    }

    fn hashes(&self) -> &'static [Hash] {
        match self.algorithm {
            Algorithm::Md5 => &[Hash::Md5],
            Algorithm::Sha256 => &[Hash::Sha256],
            Algorithm::Both => &[Hash::Sha256, Hash::Md5],
        }
    }

    fn check(&self, asked: &Asked<'_>, keys: &Keys, now: i64) -> Result<(), Flaw> {
        let header = asked.headers().get(header::AUTHORIZATION);
        let credentials = header
            .and_then(|value| value.to_str().ok())
            .and_then(Credentials::parse)
            .ok_or(Flaw::Wrong)?;
        if !is_target(&credentials.uri, asked.target) {
            return Err(Flaw::OtherTarget);
        }
        let hash = self.hash_of(&credentials).ok_or(Flaw::Wrong)?;
        let count = self.count_of(&credentials)?;
        let method = asked.method().as_str();
        let right = credentials.right_response(hash, method, keys.private.expose_secret());
        // All are compared, so that nothing tells which of them is wrong.
        let good = same(&credentials.username, &keys.public)
            & same(&credentials.realm, REALM)
            & same(&credentials.response.to_ascii_lowercase(), &right);
        if !good {
            return Err(Flaw::Wrong);
        }
        let nonce = self.nonces.live(&credentials.nonce, now).ok_or(Flaw::Stale)?;
        match count {
            Some(count) if self.nc_check == NcCheck::On && !self.nonces.rises(nonce, count, now) => {
                Err(Flaw::Stale)
            }
            _ => Ok(()),
        }
    }

    /// The hash that credentials were made with, when a challenge named it; MD5 unless they say.
    fn hash_of(&self, credentials: &Credentials<'_>) -> Option<Hash> {
        let named = credentials.algorithm.as_deref().unwrap_or("MD5");
        self.hashes()
            .iter()
            .find(|hash| hash.as_str().eq_ignore_ascii_case(named))
            .copied()
    }

    /// The nonce count, padded or not. Credentials without a `qop` have none, and are good only for a challenge without.
    fn count_of(&self, credentials: &Credentials<'_>) -> Result<Option<u32>, Flaw> {
        match &credentials.protection {
            Some(protection) if protection.qop == "auth" => u32::from_str_radix(&protection.nc, 16)
                .map(Some)
                .map_err(|_| Flaw::Wrong),
            None if self.challenge == Challenge::Op => Ok(None),
            _ => Err(Flaw::Wrong),
        }
    }
}

/// Whether a `uri` names the target of the request, path and query as they stand there; it may be a whole URL.
fn is_target(uri: &str, target: &str) -> bool {
    let path = uri
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    uri == target || path == Some(target)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::super::super::spec::Spec;
    use super::super::door::Door;
    use super::super::testing::Signing;
    use super::*;

    const NOW: i64 = 1_786_000_000_000;
    const TARGET: &str = "/api/public/v1.0/groups?pageNum=1&tag=A%20B";

    fn door(options: &str) -> (Door, Switches) {
        let url = format!("simulator:?auth=on&nonce-life=2s&{options}");
        let spec = Spec::from_url(&url, std::path::Path::new("")).unwrap();
        let switches = spec.switches();
        (Door::of(&spec, &switches).unwrap(), switches)
    }

    /// The status, and the challenges of a 401.
    fn knock((door, switches): &(Door, Switches), header: &str, now: i64) -> (u16, Vec<String>) {
        let request = Request::builder().uri(TARGET).header("authorization", header);
        let request = request.body(Bytes::new()).unwrap();
        let Err(refused) = door.authenticate(&Asked::of(&request), now) else {
            return (200, Vec::new());
        };
        let answer = refused.into_response(switches);
        let challenges = answer.headers().get_all("www-authenticate").iter();
        let challenges = challenges
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        (answer.status().as_u16(), challenges)
    }

    fn nonce(door: &(Door, Switches)) -> String {
        let (_, challenges) = knock(door, "", NOW);
        let (_, rest) = challenges[0].split_once("nonce=\"").unwrap();
        rest[..32].to_owned()
    }

    fn good(door: &(Door, Switches)) -> Signing {
        Signing::good(nonce(door), TARGET)
    }

    #[test]
    fn the_challenge_is_written_as_recorded() {
        for (options, want) in [
            (
                "",
                &[
                    "Digest realm=\"MMS Public API\", domain=\"\", nonce=\"N\", algorithm=MD5, qop=\"auth\", stale=false",
                ][..],
            ),
            (
                "challenge=op",
                &[
                    "Digest realm=\"MMS Public API\", domain=\"\", nonce=\"N\", algorithm=MD5, op=\"auth\", stale=false",
                ],
            ),
            (
                "algorithm=both",
                &[
                    "Digest realm=\"MMS Public API\", domain=\"\", nonce=\"N\", algorithm=SHA-256, qop=\"auth\", stale=false",
                    "Digest realm=\"MMS Public API\", domain=\"\", nonce=\"N\", algorithm=MD5, qop=\"auth\", stale=false",
                ],
            ),
        ] {
            let (status, challenges) = knock(&door(options), "", NOW);
            assert_eq!(status, 401);
            let without_nonce = |text: &String| {
                let (before, rest) = text.split_once("nonce=\"").unwrap();
                format!("{before}nonce=\"N{}", &rest[32..])
            };
            assert_eq!(
                challenges.iter().map(without_nonce).collect::<Vec<_>>(),
                want,
                "{options}"
            );
        }
    }

    #[test]
    fn right_credentials_come_in_however_they_are_written() {
        let door = door("nc-check=off");
        let good = good(&door);
        for (what, signing) in [
            ("as they are", good.clone()),
            (
                "quoted algorithm",
                Signing {
                    algorithm: "algorithm=\"MD5\"",
                    ..good.clone()
                },
            ),
            (
                "no algorithm",
                Signing {
                    algorithm: "",
                    ..good.clone()
                },
            ),
            (
                "quoted qop",
                Signing {
                    qop: "qop=\"auth\"",
                    ..good.clone()
                },
            ),
            (
                "unpadded nc",
                Signing {
                    nc: "1",
                    ..good.clone()
                },
            ),
            (
                "whole URL",
                Signing {
                    uri: format!("https://cloud.mongodb.com{TARGET}"),
                    ..good.clone()
                },
            ),
        ] {
            assert_eq!(knock(&door, &signing.header(), NOW).0, 200, "{what}");
        }
    }

    #[test]
    fn wrong_credentials_get_a_new_challenge_that_is_not_stale() {
        let door = door("");
        let good = good(&door);
        for (what, header) in [
            (
                "another password",
                Signing {
                    password: "Private",
                    ..good.clone()
                }
                .header(),
            ),
            (
                "another user",
                Signing {
                    user: "pub",
                    ..good.clone()
                }
                .header(),
            ),
            (
                "another realm",
                Signing {
                    realm: "x",
                    ..good.clone()
                }
                .header(),
            ),
            (
                "another method",
                Signing {
                    method: "PATCH",
                    ..good.clone()
                }
                .header(),
            ),
            (
                "another hash",
                Signing {
                    hash: Hash::Sha256,
                    ..good.clone()
                }
                .header(),
            ),
            (
                "a hash not offered",
                Signing {
                    hash: Hash::Sha256,
                    algorithm: "algorithm=SHA-256",
                    ..good.clone()
                }
                .header(),
            ),
            (
                "auth-int",
                Signing {
                    qop: "qop=auth-int",
                    ..good.clone()
                }
                .header(),
            ),
            (
                "no qop",
                Signing {
                    qop: "",
                    ..good.clone()
                }
                .header(),
            ),
            (
                "no number",
                Signing {
                    nc: "g",
                    ..good.clone()
                }
                .header(),
            ),
            ("Basic", "Basic cHVibGljOnByaXZhdGU=".to_owned()),
            ("half a header", "Digest username=\"public\"".to_owned()),
            ("nothing", String::new()),
        ] {
            let (status, challenges) = knock(&door, &header, NOW);
            assert_eq!((status, challenges.len()), (401, 1), "{what}");
            assert!(challenges[0].ends_with("stale=false"), "{what}: {challenges:?}");
        }
        assert_eq!(
            knock(&door, &good.header(), NOW).0,
            200,
            "the nonce is still good"
        );
    }

    #[test]
    fn a_nonce_that_is_too_old_is_called_stale_unless_the_switch_says_otherwise() {
        for (options, stale) in [("", "stale=true"), ("stale-flag=false", "stale=false")] {
            let door = door(options);
            let good = good(&door);
            assert_eq!(knock(&door, &good.header(), NOW + 1_999).0, 200);
            let (status, challenges) = knock(&door, &good.header(), NOW + 2_000);
            assert_eq!(status, 401);
            assert!(challenges[0].ends_with(stale), "{challenges:?}");
            let wrong = Signing {
                password: "x",
                ..good
            };
            let (_, challenges) = knock(&door, &wrong.header(), NOW + 2_000);
            assert!(
                challenges[0].ends_with("stale=false"),
                "the password is wrong: {challenges:?}"
            );
        }
    }

    #[test]
    fn the_count_of_a_nonce_must_rise_unless_the_switch_says_otherwise() {
        for (options, want) in [("", [200, 200, 401, 401, 200]), ("nc-check=off", [200; 5])] {
            let door = door(options);
            let good = good(&door);
            let got = ["00000001", "00000002", "00000002", "1", "10"]
                .map(|nc| knock(&door, &Signing { nc, ..good.clone() }.header(), NOW).0);
            assert_eq!(got, want, "{options}");
        }
    }

    #[test]
    fn credentials_of_another_target_are_a_bad_request() {
        for (options, want) in [("", 400), ("uri-mismatch=401", 401)] {
            let door = door(options);
            for uri in [
                "/api/public/v1.0/groups",
                "/",
                "/api/public/v1.0/groups?pageNum=1&tag=A+B",
            ] {
                let signing = Signing {
                    uri: uri.to_owned(),
                    ..good(&door)
                };
                assert_eq!(knock(&door, &signing.header(), NOW).0, want, "{uri}");
            }
        }
    }

    #[test]
    fn each_hash_that_is_offered_is_taken() {
        for (options, md5, sha) in [
            ("algorithm=MD5", 200, 401),
            ("algorithm=SHA-256", 401, 200),
            ("algorithm=both", 200, 200),
        ] {
            let door = door(options);
            assert_eq!(knock(&door, &good(&door).header(), NOW).0, md5, "{options}");
            let signing = Signing {
                hash: Hash::Sha256,
                algorithm: "algorithm=SHA-256",
                ..good(&door)
            };
            assert_eq!(knock(&door, &signing.header(), NOW).0, sha, "{options}");
        }
    }

    #[test]
    fn without_a_qop_in_the_challenge_none_is_needed() {
        let door = door("challenge=op");
        let old = Signing {
            qop: "",
            ..good(&door)
        };
        assert_eq!(knock(&door, &old.header(), NOW).0, 200);
        assert_eq!(knock(&door, &good(&door).header(), NOW).0, 200);
    }

    #[test]
    fn without_a_lock_everybody_comes_in() {
        let spec = Spec::default();
        let switches = Switches::default();
        let door = (Door::of(&spec, &switches).unwrap(), switches);
        assert_eq!(knock(&door, "Digest nonsense", NOW).0, 200);
    }
}
