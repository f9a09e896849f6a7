//! What a job gives a connection to be known by: in which form, where the secrets are, and the secrets once they are read.

use std::fmt;
use std::path::Path;

use super::NameSource;
use crate::transport::{Secret, SecretError, SecretSource};
use crate::wire::AuthScheme;

/// Credentials as a job gives them: it says where secrets are, never what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// An API token.
    Token(SecretSource),
    /// A user and a password, also called a public and a private key.
    Password {
        /// Who it is.
        user: NameSource,
        /// Where the password is.
        password: SecretSource,
    },
    /// A client of an OAuth2 authorisation server, also called a service account.
    Client {
        /// Who it is.
        id: NameSource,
        /// Where its secret is.
        secret: SecretSource,
    },
}

/// Credentials that are ready to be used. They neither print nor serialise.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An API token.
    Token(Secret),
    /// A user and a password.
    Password {
        /// Who it is.
        user: Secret,
        /// The password.
        password: Secret,
    },
    /// A client of an OAuth2 authorisation server.
    Client {
        /// Who it is.
        id: Secret,
        /// Its secret.
        secret: Secret,
    },
}

/// The forms of credentials, by the keys of the job file that give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialForm {
    /// `token`.
    Token,
    /// `user` and `password`.
    Password,
    /// `client_id` and `client_secret`.
    Client,
}

impl CredentialSource {
    /// The form.
    pub fn form(&self) -> CredentialForm {
        match self {
            Self::Token(_) => CredentialForm::Token,
            Self::Password { .. } => CredentialForm::Password,
            Self::Client { .. } => CredentialForm::Client,
        }
    }

    /// Reads the secrets from where they are. Paths of files begin in a folder.
    pub async fn load(self, folder: &Path) -> Result<Credentials, SecretError> {
        Ok(match self {
            Self::Token(token) => Credentials::Token(Secret::load(&token.within(folder)).await?),
            Self::Password { user, password } => Credentials::Password {
                user: user.load(folder).await?,
                password: Secret::load_text(&password.within(folder)).await?,
            },
            Self::Client { id, secret } => Credentials::Client {
                id: id.load(folder).await?,
                secret: Secret::load_text(&secret.within(folder)).await?,
            },
        })
    }
}

impl Credentials {
    /// The form.
    pub(super) fn form(&self) -> CredentialForm {
        match self {
            Self::Token(_) => CredentialForm::Token,
            Self::Password { .. } => CredentialForm::Password,
            Self::Client { .. } => CredentialForm::Client,
        }
    }
}

impl CredentialForm {
    /// Its keys in the job file.
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Token => &["token"],
            Self::Password => &["user", "password"],
            Self::Client => &["client_id", "client_secret"],
        }
    }

    /// What a scheme needs.
    pub(super) fn of(scheme: AuthScheme) -> Option<Self> {
        match scheme {
            AuthScheme::Token { .. } | AuthScheme::Bearer => Some(Self::Token),
            AuthScheme::Basic | AuthScheme::Digest => Some(Self::Password),
            AuthScheme::OAuth2 { .. } => Some(Self::Client),
            AuthScheme::None => None,
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Token => "`token = { env = \"NAME\" }`",
            Self::Password => "`user = \"NAME\"` and `password = { env = \"NAME\" }`",
            Self::Client => "`client_id = \"ID\"` and `client_secret = { env = \"NAME\" }`",
        }
    }
}

impl fmt::Display for CredentialForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<_> = self.keys().iter().map(|key| format!("`{key}`")).collect();
        f.write_str(&quoted.join(" and "))
    }
}

/// Whether credentials of a form, or none, are what one of a vendor's schemes needs; `Err` says what to give instead.
pub fn check_credentials(schemes: &[AuthScheme], given: Option<CredentialForm>) -> Result<(), String> {
    let wanted: Vec<_> = schemes.iter().map(|scheme| CredentialForm::of(*scheme)).collect();
    if wanted.contains(&given) || wanted.iter().all(Option::is_none) {
        return Ok(());
    }
    let mut examples: Vec<_> = wanted.iter().flatten().map(|form| form.example()).collect();
    examples.dedup();
    let examples = examples.join(", or ");
    Err(match given {
        None => format!("there are none; give the connection {examples}"),
        Some(form) => format!("this vendor does not take {form}; give the connection {examples}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: AuthScheme = AuthScheme::Token {
        header: "x-token",
        prefix: "",
    };

    #[test]
    fn what_a_vendor_takes_is_told_when_something_else_or_nothing_is_given() {
        let (token, password) = (Some(CredentialForm::Token), Some(CredentialForm::Password));
        let says = |text: &str| Err(text.to_owned());
        for (schemes, given, want) in [
            (&[TOKEN][..], token, Ok(())),
            (&[AuthScheme::Basic, AuthScheme::Bearer], token, Ok(())),
            (&[AuthScheme::Basic, AuthScheme::Bearer], password, Ok(())),
            (&[AuthScheme::None], None, Ok(())),
            (&[AuthScheme::None], token, Ok(())),
            (
                &[TOKEN],
                password,
                says(
                    "this vendor does not take `user` and `password`; give the connection `token = { env = \"NAME\" }`",
                ),
            ),
            (
                &[AuthScheme::Basic, AuthScheme::Bearer],
                None,
                says(
                    "there are none; give the connection `user = \"NAME\"` and `password = { env = \"NAME\" }`, or `token = { env = \"NAME\" }`",
                ),
            ),
            (
                &[TOKEN, AuthScheme::Bearer],
                None,
                says("there are none; give the connection `token = { env = \"NAME\" }`"),
            ),
        ] {
            assert_eq!(check_credentials(schemes, given), want, "{schemes:?} {given:?}");
        }
    }
}
