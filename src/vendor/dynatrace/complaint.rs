//! What the vendor says is wrong, in its own words, fit to be shown: short, on one line and without tokens.

use std::fmt;

use serde::Deserialize;

use crate::vendor::words::{self, beginning, clean, reason_phrase};
use crate::wire::Response;

/// An answer that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The HTTP status.
    pub(super) status: u16,
    /// The vendor's words, cleaned.
    pub(super) words: String,
    /// Whether they came in the vendor's error envelope, so that it was the vendor who spoke.
    pub(super) enveloped: bool,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the vendor answered {}: {}", self.status, self.words)
    }
}

/// `ErrorEnvelope` of both APIs.
#[derive(Deserialize)]
struct Envelope {
    error: Fault,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fault {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    constraint_violations: Option<Vec<Violation>>,
}

#[derive(Deserialize)]
struct Violation {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Reads a refusal: the envelope, an array of envelopes, the raw body, or the status alone, whichever comes
/// first.
pub(super) fn complaint(response: &Response) -> Complaint {
    let Response {
        status,
        headers: _,
        body,
    } = response;
    let envelopes = serde_json::from_slice::<Envelope>(body)
        .map(|envelope| vec![envelope])
        .or_else(|_| serde_json::from_slice::<Vec<Envelope>>(body))
        .unwrap_or_default();
    let told: Vec<String> = envelopes
        .iter()
        .filter_map(|envelope| tell(&envelope.error))
        .collect();
    if !told.is_empty() {
        return Complaint {
            status: *status,
            words: clean(&told.join("; ")),
            enveloped: true,
        };
    }
    let words = match clean(&beginning(body)) {
        empty if empty.is_empty() => reason_phrase(*status).to_owned(),
        words => words,
    };
    Complaint {
        status: *status,
        words,
        enveloped: !envelopes.is_empty(),
    }
}

/// Says what stands where JSON is due, when that is nothing or a web page.
pub(super) fn unreadable(response: &Response) -> Option<String> {
    words::unreadable(response, URL_HINT)
}

/// What to look at when the wrong server answers.
pub(super) const URL_HINT: &str = "check the connection's `url`: classic APIs are at \
     `https://ENVIRONMENT.live.dynatrace.com`, not at `.apps.dynatrace.com`, and those of Managed at \
     `https://DOMAIN/e/ENVIRONMENT`";

fn tell(fault: &Fault) -> Option<String> {
    let violations = fault
        .constraint_violations
        .iter()
        .flatten()
        .filter_map(|violation| {
            let message = violation.message.as_deref()?;
            Some(match &violation.path {
                Some(path) => format!("{path}: {message}"),
                None => message.to_owned(),
            })
        });
    let parts: Vec<String> = fault.message.clone().into_iter().chain(violations).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn the_words_are_the_envelope_s_else_the_body_s_else_the_status_s() {
        for (status, body, words, enveloped) in [
            (
                401,
                r#"{"error":{"code":401,"message":"Missing authorization parameter."}}"#,
                "Missing authorization parameter.",
                true,
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"Constraints violated.","constraintViolations":[{"parameterLocation":"QUERY","message":"must contain type","path":"entitySelector"},{"path":null,"message":"and more","parameterLocation":"QUERY","location":null}]}}"#,
                "Constraints violated. entitySelector: must contain type and more",
                true,
            ),
            (
                400,
                r#"[{"error":{"code":400,"message":"one"}},{"error":{"code":409,"message":"two"}}]"#,
                "one; two",
                true,
            ),
            (
                400,
                r#"{"error":{"code":400}}"#,
                r#"{"error":{"code":400}}"#,
                true,
            ),
            (
                500,
                "upstream failed\n\tat line 1",
                "upstream failed\\n\\tat line 1",
                false,
            ),
            (503, "", "Service Unavailable", false),
            (503, "  \r\n", "Service Unavailable", false),
            (522, "", "no explanation", false),
            (500, "\"just text\"", "\"just text\"", false),
        ] {
            let complaint = complaint(&answer(status, body));
            assert_eq!(
                (complaint.words.as_str(), complaint.enveloped),
                (words, enveloped),
                "{body}"
            );
            assert_eq!(
                complaint.to_string(),
                format!("the vendor answered {status}: {words}")
            );
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_do_no_harm() {
        let response = Response {
            status: 502,
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"bad \xff\xfe"),
        };
        assert_eq!(complaint(&response).words, "bad \u{fffd}\u{fffd}");
    }
}
