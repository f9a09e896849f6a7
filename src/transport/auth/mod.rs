//! Puts the credentials on a request, at the last moment before it leaves.

mod challenge;
mod credentials;
mod digest;
mod name_source;
mod nonces;
mod turn;

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

pub use credentials::{CredentialForm, CredentialSource, Credentials, check_credentials};
pub use name_source::NameSource;
pub(super) use turn::Turn;

use self::nonces::Nonces;
use self::turn::Turns;
use super::{Secret, TransportError};
use crate::wire::{AuthScheme, Request, Response};

/// The credentials of a connection, and what was learned about how its server wants them. Neither prints nor serialises
/// them.
pub struct Auth(Kind);

enum Kind {
    None,
    /// The same header on every request.
    Fixed(HeaderName, HeaderValue),
    Digest(Box<Session<Nonces>>),
}

/// What is learned, and who is learning.
struct Session<S> {
    learned: S,
    turns: Turns,
}

/// What an answer says about the credentials of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Nothing but what the vendor's judge says.
    Judge,
    /// The request had no effect, and is to be sent again with other credentials.
    Again,
    /// The same, but the vendor contradicts itself, so this is a fault.
    Fault(&'static str),
    /// No credentials of this connection can be sent.
    Unusable(&'static str),
}

impl Auth {
    /// Sends no credentials.
    pub const NONE: Self = Self(Kind::None);

    /// Takes the first of a vendor's schemes that credentials of this form fit.
    pub fn new(schemes: &[AuthScheme], credentials: Option<&Credentials>) -> Result<Self, TransportError> {
        let given = credentials.map(Credentials::form);
        check_credentials(schemes, given).map_err(TransportError::Auth)?;
        let fits = |scheme: &&AuthScheme| CredentialForm::of(**scheme) == given;
        match (schemes.iter().find(fits), credentials) {
            (Some(scheme), Some(credentials)) => Self::of(*scheme, credentials),
            _ => Ok(Self::NONE),
        }
    }

    fn of(scheme: AuthScheme, credentials: &Credentials) -> Result<Self, TransportError> {
        match (scheme, credentials) {
            (AuthScheme::Token { header, prefix }, Credentials::Token(token)) => {
                Self::fixed(HeaderName::from_static(header), prefix, token.expose())
            }
            (AuthScheme::Bearer, Credentials::Token(token)) => {
                Self::fixed(AUTHORIZATION, "Bearer ", token.expose())
            }
            (AuthScheme::Basic, Credentials::Password { user, password }) => {
                Self::fixed(AUTHORIZATION, "Basic ", &basic(user, password)?)
            }
            (AuthScheme::Digest, Credentials::Password { user, password }) => {
                let learned = Nonces::new(user, password)?;
                let turns = Turns::default();
                Ok(Self(Kind::Digest(Box::new(Session { learned, turns }))))
            }
            _ => Ok(Self::NONE),
        }
    }

    fn fixed(name: HeaderName, prefix: &str, value: &str) -> Result<Self, TransportError> {
        Ok(Self(Kind::Fixed(name, sensitive(&format!("{prefix}{value}"))?)))
    }

    /// Whether any number of requests may be signed now.
    pub(super) fn is_ready(&self) -> bool {
        match &self.0 {
            Kind::None | Kind::Fixed(..) => true,
            Kind::Digest(session) => session.learned.are_ready(),
        }
    }

    /// Waits until requests may be signed, or until it is the caller's turn to find out how.
    pub(super) async fn turn(&self) -> Option<Turn<'_>> {
        match &self.0 {
            Kind::None | Kind::Fixed(..) => None,
            Kind::Digest(session) => session.turns.take(|| self.is_ready()).await,
        }
    }

    /// Whether the one whose turn it is has to ask, without a body, what the server wants.
    pub(super) fn must_probe(&self, request: &Request) -> bool {
        match &self.0 {
            Kind::None | Kind::Fixed(..) => false,
            // A request without a body is as good as a probe, and may be answered at once.
            Kind::Digest(session) => session.learned.are_unknown() && !request.body.is_empty(),
        }
    }

    /// The request as it goes out, and the generation of the credentials that it carries. `uri` gives what stands on its
    /// request line. The journal and the judge only ever see the one without credentials.
    pub(super) fn sign(&self, request: &Request, uri: impl FnOnce() -> String) -> (Request, u64) {
        let mut signed = request.clone();
        // A request never carries two credentials, whatever its builder put there.
        signed.headers.remove(AUTHORIZATION);
        let mut generation = 0;
        let header = match &self.0 {
            Kind::None => None,
            Kind::Fixed(name, value) => Some((name.clone(), value.clone())),
            Kind::Digest(session) => {
                let (value, of) = session.learned.sign(request, &uri());
                generation = of;
                value.map(|value| (AUTHORIZATION, value))
            }
        };
        if let Some((name, mut value)) = header {
            value.set_sensitive(true);
            signed.headers.insert(name, value);
        }
        (signed, generation)
    }

    /// What an answer to a request with credentials of a generation says about them. `is_renewed`: these were got from the
    /// answer before, so there are no better ones.
    pub(super) fn read(&self, response: &Response, generation: u64, is_renewed: bool) -> Reply {
        match &self.0 {
            Kind::None | Kind::Fixed(..) => Reply::Judge,
            Kind::Digest(session) => session.learned.read(response, generation, is_renewed),
        }
    }

    /// The vendor took credentials of this generation, whatever it thinks of the request.
    pub(super) fn prove(&self, generation: u64) {
        match &self.0 {
            Kind::None | Kind::Fixed(..) => {}
            Kind::Digest(session) => session.learned.prove(generation),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::None => f.write_str("Auth(none)"),
            Kind::Fixed(name, _) => write!(f, "Auth({name}: [REDACTED])"),
            Kind::Digest(_) => f.write_str("Auth(digest: [REDACTED])"),
        }
    }
}

/// A header's value that is never shown.
fn sensitive(text: &str) -> Result<HeaderValue, TransportError> {
    let unsendable = |_| TransportError::Auth("they hold characters that can't be sent".to_owned());
    let mut value = HeaderValue::from_str(text).map_err(unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

/// User and password as the Basic scheme wants them, in UTF-8: <https://www.rfc-editor.org/rfc/rfc7617#section-2>.
fn basic(user: &Secret, password: &Secret) -> Result<String, TransportError> {
    if user.expose().contains(':') {
        return Err(TransportError::Auth(
            "`user` holds a colon, which ends the user in the Basic scheme; give another user".to_owned(),
        ));
    }
    Ok(BASE64_STANDARD.encode(format!("{}:{}", user.expose(), password.expose())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::script;

    const TOKEN: AuthScheme = AuthScheme::Token {
        header: "x-token",
        prefix: "Api-Token ",
    };

    fn nowhere() -> String {
        panic!("only a digest needs the request line")
    }

    fn secret(text: &str) -> Secret {
        Secret::from_text(text.to_owned()).expect("a secret")
    }

    fn password(user: &str, password: &str) -> Credentials {
        Credentials::Password {
            user: Secret::of_name(user),
            password: Secret::of_name(password),
        }
    }

    #[test]
    fn the_credentials_go_on_a_copy_and_are_sensitive() {
        let token = || Credentials::Token(secret("canary-7f3a"));
        for (scheme, credentials, name, want) in [
            (TOKEN, token(), "x-token", "Api-Token canary-7f3a"),
            (AuthScheme::Bearer, token(), "authorization", "Bearer canary-7f3a"),
            // The examples of RFC 7617, sections 2 and 2.1.
            (
                AuthScheme::Basic,
                password("Aladdin", "open sesame"),
                "authorization",
                "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            ),
            (
                AuthScheme::Basic,
                password("test", "123\u{a3}"),
                "authorization",
                "Basic dGVzdDoxMjPCow==",
            ),
        ] {
            let auth = Auth::new(&[scheme], Some(&credentials)).expect("usable credentials");
            let request = script::write("/api");
            let (signed, _) = auth.sign(&request, nowhere);
            assert_eq!(signed.headers[name], want);
            assert!(signed.headers[name].is_sensitive());
            assert_eq!(signed.headers.len(), 1);
            assert!(request.headers.is_empty());
            for shown in [
                format!("{signed:?}"),
                format!("{auth:?}"),
                format!("{credentials:?}"),
            ] {
                for part in ["canary", "sesame", "QWx", "dGV"] {
                    assert!(!shown.contains(part), "{shown}");
                }
            }
        }
    }

    #[test]
    fn a_request_never_carries_two_credentials() {
        let mut request = script::write("/api");
        for value in ["Basic b2xkOm9sZA==", "Bearer old"] {
            let value = HeaderValue::from_static(value);
            request.headers.append(AUTHORIZATION, value);
        }
        let token = Credentials::Token(secret("new"));
        for (scheme, want) in [(TOKEN, None), (AuthScheme::Bearer, Some("Bearer new"))] {
            let auth = Auth::new(&[scheme], Some(&token)).expect("usable credentials");
            let (signed, _) = auth.sign(&request, nowhere);
            let values: Vec<_> = signed.headers.get_all(AUTHORIZATION).into_iter().collect();
            assert_eq!(values, want.into_iter().collect::<Vec<_>>());
        }
        assert!(Auth::NONE.sign(&request, nowhere).0.headers.is_empty());
    }

    #[test]
    fn the_scheme_goes_by_the_form_of_the_credentials_and_one_without_needs_none() {
        let schemes = [AuthScheme::Basic, AuthScheme::Bearer];
        let token = Credentials::Token(secret("t"));
        for (credentials, begins) in [(&password("u", "p"), "Basic "), (&token, "Bearer t")] {
            let auth = Auth::new(&schemes, Some(credentials)).expect("usable credentials");
            let (signed, _) = auth.sign(&script::write("/api"), nowhere);
            let value = signed.headers[AUTHORIZATION].to_str().expect("it is text");
            assert!(value.starts_with(begins), "{value}");
        }
        for (schemes, credentials) in [(&schemes[..], None), (&[AuthScheme::Basic], Some(&token))] {
            let error = Auth::new(schemes, credentials).expect_err("of another form");
            assert!(error.to_string().contains("give the connection `user"), "{error}");
        }
        for credentials in [None, Some(&token)] {
            let none = Auth::new(&[AuthScheme::None], credentials).expect("nothing is needed");
            assert!(none.sign(&script::write("/api"), nowhere).0.headers.is_empty());
        }
    }

    #[test]
    fn a_user_with_a_colon_is_refused_for_the_password_would_begin_elsewhere() {
        let error = Auth::new(&[AuthScheme::Basic], Some(&password("a:b", "canary"))).expect_err("a colon");
        assert!(error.to_string().contains("colon"), "{error}");
        assert!(!error.to_string().contains("canary"));
    }
}
