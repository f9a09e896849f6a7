//! Puts the credentials on a request, at the last moment before it leaves.

use std::fmt;

use http::{HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use super::{Secret, TransportError};
use crate::wire::{AuthScheme, Request};

/// The credentials of a connection. Neither prints nor serialises them.
#[derive(Clone)]
pub struct Auth(Option<(HeaderName, HeaderValue)>);

impl Auth {
    /// Sends no credentials.
    pub const NONE: Self = Self(None);

    /// Joins what the vendor wants to be told with the secret. A scheme without credentials takes no secret.
    pub fn new(scheme: AuthScheme, secret: Option<&Secret>) -> Result<Self, TransportError> {
        match (scheme, secret) {
            (AuthScheme::None, _) => Ok(Self::NONE),
            (AuthScheme::Token { .. }, None) => Err(TransportError::Auth(
                "the vendor requires one; give the connection `token = { env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ command = [...] }`",
            )),
            (AuthScheme::Token { header, prefix }, Some(secret)) => {
                let mut value = HeaderValue::from_str(&format!("{prefix}{}", secret.0.expose_secret()))
                    .map_err(|_| TransportError::Auth("it holds characters that can't be sent"))?;
                value.set_sensitive(true);
                Ok(Self(Some((HeaderName::from_static(header), value))))
            }
        }
    }

    /// The request as it goes out. The journal and the judge only ever see the one without credentials.
    pub(crate) fn sign(&self, request: &Request) -> Request {
        let mut signed = request.clone();
        if let Some((name, value)) = &self.0 {
            signed.headers.insert(name.clone(), value.clone());
        }
        signed
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((name, _)) => write!(f, "Auth({name}: [REDACTED])"),
            None => f.write_str("Auth(none)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::script;

    const SCHEME: AuthScheme = AuthScheme::Token {
        header: "authorization",
        prefix: "Api-Token ",
    };

    #[test]
    fn the_token_goes_on_a_copy_and_is_sensitive() {
        let secret = Secret::from_text("canary-7f3a".to_owned()).expect("a secret");
        let auth = Auth::new(SCHEME, Some(&secret)).expect("a usable token");
        let request = script::write("/api");
        let signed = auth.sign(&request);
        assert_eq!(signed.headers["authorization"], "Api-Token canary-7f3a");
        assert!(signed.headers["authorization"].is_sensitive());
        assert!(request.headers.is_empty());
        for shown in [format!("{signed:?}"), format!("{auth:?}"), format!("{secret:?}")] {
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn a_scheme_with_a_token_needs_one_and_one_without_ignores_it() {
        let error = Auth::new(SCHEME, None)
            .expect_err("no token was given")
            .to_string();
        assert!(error.contains("token = { env"), "{error}");
        let none = Auth::new(AuthScheme::None, None).expect("nothing is needed");
        assert!(none.sign(&script::write("/api")).headers.is_empty());
    }
}
