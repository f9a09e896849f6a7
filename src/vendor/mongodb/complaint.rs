//! What MongoDB says is wrong, in its own words: the error body that both APIs share, and that of the token server.
//!
//! `errorCode` and `parameters` may be missing, and parameters are strings, numbers or nothing, whatever the documents
//! promise. So each field is read by itself, and one that can't be read is as good as not there.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::vendor::words::{clean, of_body, reason_phrase};
use crate::wire::Response;

/// The longest word that is taken for an error code.
const CODE_MAX: usize = 100;

/// The longest wait that a body is believed: an hour.
const WAIT_MAX: u64 = 3_600;

/// An answer that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The HTTP status.
    pub(super) status: u16,
    /// The vendor's word for what is wrong, such as `GROUP_NOT_FOUND`.
    pub(super) code: Option<String>,
    /// The vendor's words, cleaned.
    pub(super) words: String,
    /// Who spoke.
    pub(super) speaker: Speaker,
    /// How long the body says to wait.
    pub(super) after: Option<Duration>,
}

/// Who refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The API: the body is its error body (`ApiError`).
    Api,
    /// The `OAuth2` token server: the body is that of RFC 6749, section 5.2.
    TokenServer,
    /// Something else, such as a proxy.
    Other,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the vendor answered {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        write!(f, ": {}", self.words)
    }
}

impl Complaint {
    /// Whether the vendor's word for what is wrong passes a test.
    pub(super) fn code_is(&self, test: impl FnOnce(&str) -> bool) -> bool {
        self.code.as_deref().is_some_and(test)
    }
}

/// Reads a refusal.
pub(super) fn complaint(response: &Response) -> Complaint {
    let fields: Map<String, Value> = serde_json::from_slice(&response.body).unwrap_or_default();
    let (code, speaker) = speaker(response, &fields);
    let words = told(&fields)
        .or_else(|| plain(&response.body))
        .unwrap_or_else(|| reason_phrase(response.status).to_owned());
    Complaint {
        status: response.status,
        after: wait(code, &fields),
        code: code.map(str::to_owned),
        words,
        speaker,
    }
}

/// The error code and who wrote it. A header of Atlas repeats the code.
fn speaker<'a>(response: &'a Response, fields: &'a Map<String, Value>) -> (Option<&'a str>, Speaker) {
    let header = || response.headers.get("x-error-code")?.to_str().ok();
    let code = text(fields, "errorCode").or_else(header);
    if let Some(code) = code.filter(|code| is_code(code)) {
        return (Some(code), Speaker::Api);
    }
    match fields.get("error") {
        Some(Value::Number(_)) => (None, Speaker::Api),
        Some(Value::String(word)) => (
            Some(word.as_str()).filter(|word| is_code(word)),
            Speaker::TokenServer,
        ),
        _ => (None, Speaker::Other),
    }
}

/// Codes are shown and compared as they are, so nothing else is taken for one.
fn is_code(text: &str) -> bool {
    (1..=CODE_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The most exact of the sentences that the body holds, and what is wrong with single fields of the request.
fn told(fields: &Map<String, Value>) -> Option<String> {
    let sentence = ["detail", "error_description", "reason"]
        .into_iter()
        .find_map(|name| text(fields, name));
    let violations = fields
        .get("badRequestDetail")
        .and_then(|detail| detail.get("fields")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|violation| {
            let said = violation.get("description")?.as_str()?;
            Some(match violation.get("field").and_then(Value::as_str) {
                Some(field) => format!("{field}: {said}"),
                None => said.to_owned(),
            })
        });
    let parts: Vec<String> = sentence
        .map(str::to_owned)
        .into_iter()
        .chain(violations)
        .collect();
    (!parts.is_empty()).then(|| clean(&parts.join("; ")))
}

/// The beginning of a body that is no JSON. JSON of another shape is not shown: it may be an entity, with its secrets.
fn plain(body: &[u8]) -> Option<String> {
    let is_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'));
    let words = of_body(body);
    (!is_json && !words.is_empty()).then_some(words)
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = fields.get(name)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// The seconds to wait are the second parameter of a spent token bucket
/// (<https://www.mongodb.com/docs/atlas/api/api-rate-limit>). Those of `RATE_LIMITED` tell the quota alone.
fn wait(code: Option<&str>, fields: &Map<String, Value>) -> Option<Duration> {
    if code != Some("RATE_LIMITED_TOKEN_BUCKET") {
        return None;
    }
    let seconds = match fields.get("parameters")?.get(1)? {
        Value::String(text) => text.trim().parse().ok()?,
        number => number.as_u64()?,
    };
    Some(Duration::from_secs(seconds.min(WAIT_MAX)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    /// Recorded from Atlas, as are the bodies whose `parameters` hold numbers or nothing.
    const NOT_FOUND: &str = r#"{"detail":"No group with ID 111111111111111111111111 exists.","error":404,"errorCode":"GROUP_NOT_FOUND","parameters":["111111111111111111111111"],"reason":"Not Found"}"#;

    #[test]
    fn the_words_are_the_vendor_s_else_the_body_s_else_the_status_s() {
        for (status, body, shown, speaker) in [
            (
                404,
                NOT_FOUND,
                "404 GROUP_NOT_FOUND: No group with ID 111111111111111111111111 exists.",
                Speaker::Api,
            ),
            (
                401,
                "{\n  \"error\" : 401,\n  \"reason\" : \"Unauthorized\",\n  \"detail\" : \"You are not authorized for this resource.\",\n  \"errorCode\" : \"UNEXPECTED_ERROR\"\n}",
                "401 UNEXPECTED_ERROR: You are not authorized for this resource.",
                Speaker::Api,
            ),
            (
                403,
                r#"{"error":403,"reason":"Forbidden","detail":"No."}"#,
                "403: No.",
                Speaker::Api,
            ),
            (
                400,
                r#"{"error":400,"reason":"Bad Request","detail":null,"errorCode":"X","parameters":null}"#,
                "400 X: Bad Request",
                Speaker::Api,
            ),
            (
                400,
                r#"{"error":400,"errorCode":"VALIDATION_ERROR","detail":"Invalid.","badRequestDetail":{"fields":[{"field":"tags[0].key","description":"must not be blank"},{"description":"and more"},7]}}"#,
                "400 VALIDATION_ERROR: Invalid.; tags[0].key: must not be blank; and more",
                Speaker::Api,
            ),
            (
                401,
                r#"{"error":"invalid_client","error_description":"The client is unknown."}"#,
                "401 invalid_client: The client is unknown.",
                Speaker::TokenServer,
            ),
            (
                401,
                r#"{"error":"no such client"}"#,
                "401: Unauthorized",
                Speaker::TokenServer,
            ),
            (
                400,
                r#"{"errorCode":7,"detail":["x"],"reason":""}"#,
                "400: Bad Request",
                Speaker::Other,
            ),
            (
                400,
                r#"{"errorCode":"<b>","detail":"odd"}"#,
                "400: odd",
                Speaker::Other,
            ),
            (
                500,
                r#"{"id":"5c81","agentApiKey":"cbd728abd6"}"#,
                "500: Internal Server Error",
                Speaker::Other,
            ),
            (
                500,
                r#"{"id":"5c81","agentApiKey":"cbd7"#,
                "500: Internal Server Error",
                Speaker::Other,
            ),
            (
                502,
                "upstream failed\n\tat line 1",
                "502: upstream failed\\n\\tat line 1",
                Speaker::Other,
            ),
            (503, "", "503: Service Unavailable", Speaker::Other),
            (522, " \r\n", "522: no explanation", Speaker::Other),
        ] {
            let complaint = complaint(&answer(status, body));
            assert_eq!(
                complaint.to_string(),
                format!("the vendor answered {shown}"),
                "{body}"
            );
            assert_eq!(complaint.speaker, speaker, "{body}");
        }
    }

    #[test]
    fn the_header_tells_the_code_where_the_body_does_not() {
        for (header, body, want) in [
            ("GROUP_NOT_FOUND", "", Some("GROUP_NOT_FOUND")),
            ("OTHER", NOT_FOUND, Some("GROUP_NOT_FOUND")),
            ("not a code", "", None),
        ] {
            let mut response = answer(404, body);
            response
                .headers
                .insert("X-Error-Code", header.parse().expect("a header"));
            assert_eq!(complaint(&response).code.as_deref(), want, "{header}");
        }
    }

    #[test]
    fn a_spent_token_bucket_says_when_it_is_filled_again_and_a_quota_does_not() {
        for (code, parameters, want) in [
            (
                "RATE_LIMITED_TOKEN_BUCKET",
                r#"["api/atlas/v2/orgs",55,10,5,60]"#,
                Some(55),
            ),
            (
                "RATE_LIMITED_TOKEN_BUCKET",
                r#"["api/atlas/v2/orgs","55"]"#,
                Some(55),
            ),
            ("RATE_LIMITED_TOKEN_BUCKET", r#"["x",99999999999]"#, Some(3_600)),
            ("RATE_LIMITED_TOKEN_BUCKET", r#"["x",-5]"#, None),
            ("RATE_LIMITED_TOKEN_BUCKET", r#"["x",null]"#, None),
            ("RATE_LIMITED_TOKEN_BUCKET", "null", None),
            ("RATE_LIMITED", r#"["/api/oauth/token",10,1]"#, None),
        ] {
            let body = format!(r#"{{"error":429,"errorCode":"{code}","parameters":{parameters}}}"#);
            assert_eq!(
                complaint(&answer(429, &body)).after,
                want.map(Duration::from_secs),
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_told_in_one_short_line(status in 400u16..600, body in "(?s).{0,300}") {
            let shown = complaint(&answer(status, &body)).to_string();
            prop_assert!(!shown.chars().any(char::is_control), "{}", shown);
        }
    }
}
