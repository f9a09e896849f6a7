//! Who may come in: Basic or bearer credentials, the identity domain, and scopes.
//!
//! "JCS/Authentication.html" has both schemes and the header. No page names roles, so the scopes are this simulator's own:
//! `tags.read`, `tags.write`, and `tags` for both.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretSlice};

use super::super::opening::OpenError;
use super::super::spec::Access;
use super::answer::Refused;
use super::route::Scope;

/// The header that names the identity domain of the path once more.
const TENANT: &str = "x-id-tenant-name";

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    required: bool,
    /// `user:password`, or a token, which has no colon.
    only: Option<SecretSlice<u8>>,
    tenant: Option<String>,
    /// The status for a wrong identity domain.
    mismatch: u16,
    missing_scopes: Vec<String>,
}

impl Door {
    pub(super) fn of(access: &Access, mismatch: u16) -> Result<Self, OpenError> {
        let only = match &access.token_env {
            Some(name) => Some(std::env::var(name).map_err(|_| OpenError::NoToken(name.clone()))?),
            None => None,
        };
        Ok(Self {
            required: access.required || only.is_some(),
            only: only.map(|only| SecretSlice::from(only.into_bytes())),
            tenant: access.tenant.clone(),
            mismatch,
            missing_scopes: access.missing_scopes.clone(),
        })
    }

    /// Lets a request in, or refuses it with 401.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Result<(), Refused> {
        if !self.required {
            return Ok(());
        }
        let accepted = match (credentials(headers), &self.only) {
            (Some(sent), Some(only)) => sent == only.expose_secret(),
            (sent, None) => sent.is_some(),
            (None, Some(_)) => false,
        };
        if accepted {
            Ok(())
        } else {
            Err(Refused::new(401, "Authentication failed."))
        }
    }

    /// Refuses an identity domain that is not the one to accept, or that the header does not repeat.
    pub(super) fn check_domain(&self, domain: &str, headers: &HeaderMap) -> Result<(), Refused> {
        let repeated = headers.get(TENANT).is_some_and(|value| value == domain);
        if self.required && !repeated {
            let issue = "The header X-ID-TENANT-NAME must be the identity domain of the path.";
            return Err(Refused::new(self.mismatch, issue));
        }
        match &self.tenant {
            Some(tenant) if tenant != domain => {
                let issue = format!("The identity domain {domain} is not known.");
                Err(Refused::new(self.mismatch, issue))
            }
            _ => Ok(()),
        }
    }

    /// Refuses with 403 what needs a scope that the credentials lack.
    pub(super) fn authorize(&self, scope: Scope) -> Result<(), Refused> {
        let name = scope.name();
        let lacks = |missing: &String| missing == name || missing == "tags";
        if self.missing_scopes.iter().any(lacks) {
            return Err(Refused::new(403, format!("The scope {name} is missing.")));
        }
        Ok(())
    }
}

/// What a well-formed header holds: user and password with their colon, or a token.
fn credentials(headers: &HeaderMap) -> Option<Vec<u8>> {
    let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, text) = header.split_once(' ')?;
    let text = text.trim();
    if scheme.eq_ignore_ascii_case("Basic") {
        let pair = BASE64_STANDARD.decode(text).ok()?;
        let colon = pair.iter().position(|b| *b == b':')?;
        return (colon > 0).then_some(pair);
    }
    let is_token = scheme.eq_ignore_ascii_case("Bearer") && well_formed(text);
    is_token.then(|| text.as_bytes().to_vec())
}

/// Whether a text is a token of RFC 6750: letters, digits and `-._~+/`, then `=`.
fn well_formed(token: &str) -> bool {
    let text = token.trim_end_matches('=');
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !text.is_empty() && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::super::switches::Issues;
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let parsed = pairs.iter().map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        parsed.collect()
    }

    fn door(access: &Access) -> Door {
        Door::of(access, 401).unwrap()
    }

    fn required() -> Access {
        Access {
            required: true,
            ..Access::default()
        }
    }

    fn status(result: Result<(), Refused>) -> Option<u16> {
        let answer = result.err()?.into_response(Issues::Strings);
        assert_eq!(
            answer.headers().contains_key("www-authenticate"),
            answer.status() == 401
        );
        Some(answer.status().as_u16())
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    #[test]
    fn only_well_formed_credentials_come_in() {
        let door = door(&required());
        for (header, comes_in) in [
            ("Basic dXNlcjpwYXNzd29yZA==".to_owned(), true),
            (basic("user:").replace("Basic", "basic"), true),
            (basic("user:pass:word"), true),
            (basic(":password"), false),
            (basic("user"), false),
            ("Basic user:password".to_owned(), false),
            ("Bearer eyJh.eyJz.c2ln-_~+/==".to_owned(), true),
            ("Bearer a b".to_owned(), false),
            ("Bearer ".to_owned(), false),
            ("Bearer ==".to_owned(), false),
            ("Api-Token x".to_owned(), false),
            ("x".to_owned(), false),
        ] {
            let got = status(door.authenticate(&headers(&[("authorization", &header)])));
            assert_eq!(got, (!comes_in).then_some(401), "{header}");
        }
        assert_eq!(status(door.authenticate(&HeaderMap::new())), Some(401));
        assert!(
            self::door(&Access::default())
                .authenticate(&HeaderMap::new())
                .is_ok()
        );
    }

    #[test]
    fn only_the_credentials_of_the_variable_come_in_when_one_is_named() {
        // Any variable will do that is there wherever tests run; the folders in this one stand between colons.
        let pair = std::env::var("PATH").unwrap();
        let access = Access {
            token_env: Some("PATH".to_owned()),
            ..Access::default()
        };
        let door = door(&access);
        for (header, want) in [
            (basic(&pair), None),
            (basic(&format!("{pair}x")), Some(401)),
            ("Bearer abc".to_owned(), Some(401)),
        ] {
            let headers = headers(&[("authorization", &header)]);
            assert_eq!(status(door.authenticate(&headers)), want, "{header}");
        }
        assert!(!format!("{door:?}").contains(&pair), "credentials do not print");
    }

    #[test]
    fn user_and_password_are_told_from_a_token_by_their_colon() {
        for (only, header, want) in [
            ("user:pass:word", basic("user:pass:word"), None),
            ("user:pass:word", basic("user:pass"), Some(401)),
            ("user:pass:word", "Bearer user".to_owned(), Some(401)),
            ("eyJh.x", "Bearer eyJh.x".to_owned(), None),
            ("eyJh.x", "Bearer eyJh.y".to_owned(), Some(401)),
            ("eyJh.x", basic("eyJh.x"), Some(401)),
            ("eyJh.x", basic("eyJh.x:"), Some(401)),
        ] {
            let door = Door {
                only: Some(SecretSlice::from(only.as_bytes().to_vec())),
                ..door(&required())
            };
            let headers = headers(&[("authorization", &header)]);
            assert_eq!(status(door.authenticate(&headers)), want, "{only} {header}");
        }
    }

    #[test]
    fn path_and_header_name_one_identity_domain() {
        let one = Access {
            tenant: Some("Example".to_owned()),
            ..required()
        };
        let open = Access {
            required: false,
            ..one.clone()
        };
        for (access, domain, header, want) in [
            (required(), "Any", Some("Any"), None),
            (required(), "Any", Some("any"), Some(401)),
            (required(), "Any", None, Some(401)),
            (one.clone(), "Example", Some("Example"), None),
            (one, "Other", Some("Other"), Some(401)),
            (open.clone(), "Example", None, None),
            (open, "Other", None, Some(401)),
            (Access::default(), "Any", Some("Other"), None),
        ] {
            let headers = header.map_or_else(HeaderMap::new, |name| headers(&[("x-id-tenant-name", name)]));
            let got = status(door(&access).check_domain(domain, &headers));
            assert_eq!(got, want, "{domain} {header:?}");
        }
    }

    #[test]
    fn a_missing_scope_is_403() {
        for (missing, read, write) in [
            ("", None, None),
            ("tags.read", Some(403), None),
            ("tags.write", None, Some(403)),
            ("tags", Some(403), Some(403)),
        ] {
            let access = Access {
                missing_scopes: vec![missing.to_owned()],
                ..Access::default()
            };
            let door = door(&access);
            assert_eq!(status(door.authorize(Scope::Read)), read, "{missing}");
            assert_eq!(status(door.authorize(Scope::Write)), write, "{missing}");
        }
    }
}
