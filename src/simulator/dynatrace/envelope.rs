//! Error answers: the envelope that v1, v2 and the configuration API share.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// The media type of every JSON body.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    message: String,
    violations: Vec<Violation>,
    /// Whether there is a body at all.
    enveloped: bool,
}

/// One violated constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Violation {
    path: String,
    message: String,
    parameter_location: &'static str,
    /// Always there, and always null.
    location: (),
}

impl Violation {
    fn new(parameter_location: &'static str, path: String, message: String) -> Self {
        Self {
            path,
            message,
            parameter_location,
            location: (),
        }
    }
}

#[derive(Serialize)]
struct Envelope<E> {
    error: E,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Error<'a> {
    code: u16,
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    constraint_violations: &'a [Violation],
}

impl Refused {
    /// A refusal without violations.
    pub(super) fn plain(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            violations: Vec::new(),
            enveloped: true,
        }
    }

    /// The generic answer of a status, such as `HTTP 404 Not Found`.
    pub(super) fn generic(status: StatusCode) -> Self {
        Self::plain(status.as_u16(), format!("HTTP {status}"))
    }

    /// A refusal without a body.
    pub(super) fn bare(status: u16) -> Self {
        Self {
            enveloped: false,
            ..Self::plain(status, "")
        }
    }

    /// A query parameter that violates a constraint.
    pub(super) fn query(path: &str, message: impl Into<String>) -> Self {
        Self::violation("QUERY", path, message.into())
    }

    /// A part of the body that violates a constraint.
    pub(super) fn body(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::violation("PAYLOAD_BODY", path, message.into())
    }

    fn violation(location: &'static str, path: impl Into<String>, message: String) -> Self {
        Self {
            violations: vec![Violation::new(location, path.into(), message)],
            ..Self::plain(400, "Constraints violated.")
        }
    }

    /// Parts of the body that violate constraints: path and message of each.
    pub(super) fn bodies(violations: Vec<(String, String)>) -> Self {
        let violation = |(path, message)| Violation::new("PAYLOAD_BODY", path, message);
        Self {
            violations: violations.into_iter().map(violation).collect(),
            ..Self::plain(400, "Constraints violated.")
        }
    }

    /// A part of the path that violates a constraint.
    pub(super) fn path(name: &str, message: impl Into<String>) -> Self {
        Self::violation("PATH", name, message.into())
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// What an envelope holds, for answers that wrap it otherwise.
    pub(super) fn error(&self) -> impl Serialize {
        Error {
            code: self.status,
            message: &self.message,
            constraint_violations: &self.violations,
        }
    }

    /// The answer.
    pub(super) fn into_response(self) -> Response<Bytes> {
        if !self.enveloped {
            return empty(self.status);
        }
        json(self.status, &Envelope { error: self.error() })
    }
}

/// A JSON answer.
pub(super) fn json(status: u16, body: &impl Serialize) -> Response<Bytes> {
    let body =
        serde_json::to_vec(body).expect("every body here is made of strings, numbers, lists and structs");
    let mut answer = empty(status);
    *answer.body_mut() = Bytes::from(body);
    answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    answer
}

/// An answer without a body.
pub(super) fn empty(status: u16) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_look_as_recorded() {
        for (refused, status, body) in [
            (
                Refused::query("entitySelector", "no"),
                400,
                r#"{"error":{"code":400,"message":"Constraints violated.","constraintViolations":[{"path":"entitySelector","message":"no","parameterLocation":"QUERY","location":null}]}}"#,
            ),
            (
                Refused::generic(StatusCode::NOT_FOUND),
                404,
                r#"{"error":{"code":404,"message":"HTTP 404 Not Found"}}"#,
            ),
            (
                Refused::plain(404, "Unable to find tag a:b"),
                404,
                r#"{"error":{"code":404,"message":"Unable to find tag a:b"}}"#,
            ),
            (Refused::bare(404), 404, ""),
        ] {
            let answer = refused.into_response();
            assert_eq!(answer.status(), status);
            assert_eq!(answer.body(), body);
            assert_eq!(
                answer.headers().contains_key(header::CONTENT_TYPE),
                !body.is_empty()
            );
        }
    }
}
