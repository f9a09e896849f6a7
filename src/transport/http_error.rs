//! What an error of the HTTP client says about the request: did it leave, and may it have had its effect?

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::wire::SendError;

/// Classifies an error of sending, or of reading the answer. URLs are cut from its text, for queries name entities.
pub(super) fn classify(error: reqwest::Error, timeout: Duration) -> SendError {
    let error = error.without_url();
    if error.is_connect() {
        return match causes(&error).into_iter().find_map(tls) {
            Some(tls) => handshake(tls),
            None => SendError::NotSent(format!("can't connect: {}", innermost(&error))),
        };
    }
    if error.is_timeout() {
        return SendError::TimedOut(format!("no answer within {timeout:?}"));
    }
    if error.is_builder() {
        return SendError::Fatal(format!("the request can't be built: {}", innermost(&error)));
    }
    SendError::Broken(format!("the connection broke: {}", innermost(&error)))
}

/// A failed handshake: nothing was sent, and a server that is not trusted stays so.
fn handshake(error: &rustls::Error) -> SendError {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(_) => SendError::Fatal(format!(
            "the server's certificate is not trusted: {error}; check the URL and the clock, or name the authority in `ca_cert`"
        )),
        Tls::InvalidMessage(_) => SendError::Fatal(format!(
            "the server does not speak TLS: {error}; check scheme and port of the URL"
        )),
        Tls::PeerIncompatible(_) | Tls::AlertReceived(_) | Tls::NoApplicationProtocol => SendError::Fatal(
            format!("the server refuses the TLS handshake: {error}; TLS 1.2 or newer is needed"),
        ),
        _ => SendError::NotSent(format!("the TLS handshake failed: {error}")),
    }
}

fn tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref()
}

/// The error and all that caused it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error)).collect()
}

/// What caused an error. `io::Error` hides the error that it wraps from `source`, so it is asked for.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The last cause says what happened; those above it only say that sending failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}
