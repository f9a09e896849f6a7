//! The credentials of a connection: which of their keys go together, and what the vendor takes.

use super::check::Check;
use super::connection::Address;
use super::connection_options::ConnectionOptions;
use super::options::{CredentialForm, CredentialSource, NameSource, SecretSource};
use crate::transport::check_credentials;
use crate::vendor;

const FORMS: [CredentialForm; 3] = [
    CredentialForm::Token,
    CredentialForm::Password,
    CredentialForm::Client,
];

/// The credentials that the connection of a name gives; `None` where there are none, or where they can't be used, which
/// is then told.
pub(super) fn build(
    name: &str,
    options: &ConnectionOptions,
    address: &Address,
    check: &mut Check<'_>,
) -> Option<CredentialSource> {
    sources(name, options, check);
    let is_written = |check: &Check<'_>, key: &str| check.has(&["connections", name, key]);
    let mut given = FORMS
        .into_iter()
        .filter(|form| form.keys().iter().any(|key| is_written(check, key)));
    match (given.next(), given.next()) {
        (Some(form), Some(other)) => {
            let [form, other] = [form, other].map(|form| first_written(name, form, check));
            let message = format!(
                "`{form}` and `{other}` are both given; keep the credentials that the vendor asks for"
            );
            check.key(&["connections", name, other], message);
        }
        (Some(form), None) => {
            let missing = form.keys().iter().find(|key| !is_written(check, key));
            match missing {
                Some(missing) => check.key(
                    &["connections", name, first_written(name, form, check)],
                    format!("{form} go together; give `{missing}` as well"),
                ),
                None => taken(name, options, Some(form), check),
            }
        }
        // An embedded simulator needs none, and plain `http` is for simulators and tests, which may do without.
        (None, _) if matches!(address, Address::Http(url) if url.scheme() == "https") => {
            taken(name, options, None, check);
        }
        (None, _) => {}
    }
    joined(options)
}

fn first_written(name: &str, form: CredentialForm, check: &Check<'_>) -> &'static str {
    let mut keys = form.keys().iter();
    let written = keys.find(|key| check.has(&["connections", name, key]));
    written.copied().unwrap_or(form.keys()[0])
}

/// Tells when the vendor takes something else.
fn taken(name: &str, options: &ConnectionOptions, given: Option<CredentialForm>, check: &mut Check<'_>) {
    if !check.is_usable(&["connections", name, "vendor"]) {
        return;
    }
    let Some(listed) = vendor::named(&options.vendor) else {
        return;
    };
    let Err(why) = check_credentials(listed.schemes, given) else {
        return;
    };
    match given {
        Some(form) => check.key(&["connections", name, form.keys()[0]], why),
        None => check.value(&["connections", name, "url"], format!("credentials: {why}")),
    }
}

fn sources(name: &str, options: &ConnectionOptions, check: &mut Check<'_>) {
    let elsewhere = |name: &'_ Option<NameSource>| match name {
        Some(NameSource::Elsewhere(source)) => Some(source.clone()),
        Some(NameSource::Text(_)) | None => None,
    };
    for (key, source) in [
        ("token", options.token.clone()),
        ("user", elsewhere(&options.user)),
        ("password", options.password.clone()),
        ("client_id", elsewhere(&options.client_id)),
        ("client_secret", options.client_secret.clone()),
    ] {
        let refused = match source {
            Some(SecretSource::Command(command)) if command.first().is_none_or(String::is_empty) => {
                "`command` is empty; write it like `command = [\"PROGRAM\", \"ARGUMENT\"]`".to_owned()
            }
            Some(SecretSource::File(file)) if file.as_os_str().is_empty() => {
                format!("`file` is empty; give the path of a file that holds the {key}")
            }
            _ => continue,
        };
        check.value(&["connections", name, key], refused);
    }
}

fn joined(options: &ConnectionOptions) -> Option<CredentialSource> {
    let ConnectionOptions {
        token,
        user,
        password,
        client_id,
        client_secret,
        ..
    } = options.clone();
    match (token, user.zip(password), client_id.zip(client_secret)) {
        (Some(token), ..) => Some(CredentialSource::Token(token)),
        (None, Some((user, password)), _) => Some(CredentialSource::Password { user, password }),
        (None, None, Some((id, secret))) => Some(CredentialSource::Client { id, secret }),
        (None, None, None) => None,
    }
}
