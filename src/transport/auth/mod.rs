//! Puts the credentials on a request, at the last moment before it leaves.

mod challenge;
mod credentials;
mod digest;
mod name_source;
mod nonces;
mod session;
mod token_answer;
mod tokens;
mod turn;

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

pub use credentials::{CredentialForm, CredentialSource, Credentials, check_credentials};
pub use name_source::NameSource;
pub(super) use session::{Preparation, Reply};
pub(super) use token_answer::TokenAnswer;
pub(super) use turn::Turn;

use self::nonces::Nonces;
use self::session::Session;
use self::tokens::Tokens;
use self::turn::Turns;
use super::{Secret, TransportError};
use crate::wire::{AuthScheme, Request, Response};

/// Headers that are put beside the request's own, by its credentials and by the client: room for them is made at once.
const OF_CLIENT: usize = 6;

/// The credentials of a connection, and what was learned about how its server wants them. Neither prints nor serialises
/// them.
pub struct Auth(Kind);

enum Kind {
    None,
    /// The same header on every request.
    Fixed(HeaderName, HeaderValue),
    /// What answers tell to send, and who finds it out.
    Learned(Box<dyn Session>, Turns),
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
                Ok(Self::learned(Nonces::new(user, password)?))
            }
            (AuthScheme::OAuth2 { endpoint }, Credentials::Client { id, secret }) => {
                Ok(Self::learned(Tokens::new(endpoint, id, secret)?))
            }
            _ => Ok(Self::NONE),
        }
    }

    fn fixed(name: HeaderName, prefix: &str, value: &str) -> Result<Self, TransportError> {
        Ok(Self(Kind::Fixed(name, sensitive(&format!("{prefix}{value}"))?)))
    }

    fn learned(session: impl Session + 'static) -> Self {
        Self(Kind::Learned(Box::new(session), Turns::default()))
    }

    fn session(&self) -> Option<&dyn Session> {
        match &self.0 {
            Kind::Learned(session, _) => Some(&**session),
            Kind::None | Kind::Fixed(..) => None,
        }
    }

    /// Whether any number of requests may be signed now.
    pub(super) fn is_ready(&self) -> bool {
        self.session().is_none_or(Session::is_ready)
    }

    /// Waits until requests may be signed, or until it is the caller's turn to find out how.
    pub(super) async fn turn(&self) -> Option<Turn<'_>> {
        match &self.0 {
            Kind::Learned(session, turns) => turns.take(|| session.is_ready()).await,
            Kind::None | Kind::Fixed(..) => None,
        }
    }

    /// What the one whose turn it is has to send before the call itself.
    pub(super) fn before(&self, request: &Request) -> Option<Preparation> {
        self.session()?.before(request)
    }

    /// The request for a token as it goes out: with the client's secret.
    pub(super) fn ask(&self, request: &Request) -> Request {
        self.session()
            .map_or_else(|| request.clone(), |session| session.ask(request))
    }

    /// Reads the answer to that, and keeps the token that it holds.
    pub(super) fn receive(&self, response: &Response) -> TokenAnswer {
        let answer = token_answer::read(response);
        if let Some(session) = self.session() {
            session.receive(&answer);
        }
        answer
    }

    /// The request as it goes out, and the generation of the credentials that it carries. `uri` gives path and query of
    /// its request line. The journal and the judge only ever see the one without credentials.
    pub(super) fn sign(&self, request: &Request, uri: &dyn Fn() -> String) -> (Request, u64) {
        let mut signed = request.clone();
        signed.headers.reserve(OF_CLIENT);
        // A request never carries two credentials, whatever its builder put there.
        signed.headers.remove(AUTHORIZATION);
        let generation = match &self.0 {
            Kind::None => 0,
            Kind::Fixed(name, value) => {
                signed.headers.insert(name.clone(), value.clone());
                0
            }
            Kind::Learned(session, _) => {
                let (value, generation) = session.sign(request, uri);
                signed.headers.extend(value.map(|value| (AUTHORIZATION, value)));
                generation
            }
        };
        (signed, generation)
    }

    /// What an answer to a request with credentials of a generation says about them. `is_renewed`: these were got from the
    /// answer before, so there are no better ones.
    pub(super) fn read(&self, response: &Response, generation: u64, is_renewed: bool) -> Reply {
        self.session().map_or(Reply::Judge, |session| {
            session.read(response, generation, is_renewed)
        })
    }

    /// A request that carried credentials of this generation is no longer in flight.
    pub(super) fn release(&self, generation: u64) {
        if let Some(session) = self.session() {
            session.release(generation);
        }
    }

    /// The vendor took credentials of this generation, whatever it thinks of the request.
    pub(super) fn prove(&self, generation: u64) {
        if let Some(session) = self.session() {
            session.prove(generation);
        }
    }

    /// The vendor took no credentials of this generation, and its judge would stop the connection.
    pub(super) fn reject(&self, generation: u64) {
        if let Some(session) = self.session() {
            session.reject(generation);
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::None => f.write_str("Auth(none)"),
            Kind::Fixed(name, _) => write!(f, "Auth({name}: [REDACTED])"),
            Kind::Learned(..) => f.write_str("Auth(learned: [REDACTED])"),
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
            let (signed, _) = auth.sign(&request, &nowhere);
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
            let (signed, _) = auth.sign(&request, &nowhere);
            let values: Vec<_> = signed.headers.get_all(AUTHORIZATION).into_iter().collect();
            assert_eq!(values, want.into_iter().collect::<Vec<_>>());
        }
        assert!(Auth::NONE.sign(&request, &nowhere).0.headers.is_empty());
    }

    #[test]
    fn the_scheme_goes_by_the_form_of_the_credentials_and_one_without_needs_none() {
        let schemes = [AuthScheme::Basic, AuthScheme::Bearer];
        let token = Credentials::Token(secret("t"));
        for (credentials, begins) in [(&password("u", "p"), "Basic "), (&token, "Bearer t")] {
            let auth = Auth::new(&schemes, Some(credentials)).expect("usable credentials");
            let (signed, _) = auth.sign(&script::write("/api"), &nowhere);
            let value = signed.headers[AUTHORIZATION].to_str().expect("it is text");
            assert!(value.starts_with(begins), "{value}");
        }
        for (schemes, credentials) in [(&schemes[..], None), (&[AuthScheme::Basic], Some(&token))] {
            let error = Auth::new(schemes, credentials).expect_err("of another form");
            assert!(error.to_string().contains("give the connection `user"), "{error}");
        }
        for credentials in [None, Some(&token)] {
            let none = Auth::new(&[AuthScheme::None], credentials).expect("nothing is needed");
            assert!(none.sign(&script::write("/api"), &nowhere).0.headers.is_empty());
        }
    }

    #[test]
    fn a_user_with_a_colon_is_refused_for_the_password_would_begin_elsewhere() {
        let error = Auth::new(&[AuthScheme::Basic], Some(&password("a:b", "canary"))).expect_err("a colon");
        assert!(error.to_string().contains("colon"), "{error}");
        assert!(!error.to_string().contains("canary"));
    }
}
