//! What the vendor says is wrong, in its own words, fit to be shown: short, on one line and without tokens.

use std::fmt;

use http::StatusCode;
use serde::Deserialize;

use crate::wire::Response;

/// The most characters of the vendor's words that are shown.
const SHOWN: usize = 200;

/// The most bytes of a body that are looked at when it is no error envelope.
const LOOKED_AT: usize = 4_096;

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

/// What is wrong with one request, or with one object of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fault {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    constraint_violations: Option<Vec<Violation>>,
}

/// A rule of the vendor that a payload breaks.
#[derive(Debug, Deserialize)]
struct Violation {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Fault {
    /// The fault of an envelope, when one came.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let envelope: Envelope = serde_json::from_slice(&response.body).ok()?;
        Some(envelope.error)
    }

    /// The vendor's words, cleaned; empty when it says nothing.
    pub(super) fn words(&self) -> String {
        clean(&tell(self).unwrap_or_default())
    }

    /// Whether all that is wrong is a name that another definition has. The config API says `… must have a unique
    /// name.`, the settings schema `Tag name must be unique`.
    pub(super) fn is_taken_name(&self) -> bool {
        let violations = self.constraint_violations.as_deref().unwrap_or_default();
        !violations.is_empty() && violations.iter().all(Violation::is_taken_name)
    }
}

impl Violation {
    fn is_taken_name(&self) -> bool {
        let message = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
        let of_name = self.path.as_deref().map(place) == Some("name") || message.contains("name");
        of_name && message.contains("unique")
    }
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
    if is_page(response) {
        let shown = clean(&beginning(&response.body));
        return Some(format!("a web page came instead of JSON: {shown}: {URL_HINT}"));
    }
    response
        .body
        .trim_ascii()
        .is_empty()
        .then(|| "the body is empty where JSON is promised".to_owned())
}

/// What to look at when the wrong server answers.
pub(super) const URL_HINT: &str = "check the connection's `url`: classic APIs are at \
     `https://ENVIRONMENT.live.dynatrace.com`, not at `.apps.dynatrace.com`, and those of Managed at \
     `https://DOMAIN/e/ENVIRONMENT`";

/// Whether an answer is a web page.
pub(super) fn is_page(response: &Response) -> bool {
    let content_type = response
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let declared = content_type.is_some_and(|text| text.trim().to_ascii_lowercase().starts_with("text/html"));
    declared || response.body.trim_ascii_start().starts_with(b"<")
}

fn tell(fault: &Fault) -> Option<String> {
    let violations = fault
        .constraint_violations
        .iter()
        .flatten()
        .filter_map(|violation| {
            let message = violation.message.as_deref()?;
            Some(match &violation.path {
                Some(path) => format!("{}: {message}", place(path)),
                None => message.to_owned(),
            })
        });
    let parts: Vec<String> = fault.message.clone().into_iter().chain(violations).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Where in a payload something is wrong. Settings say `SCHEMA/PLACE/PROPERTY…`, of which the property alone tells
/// something to people.
fn place(path: &str) -> &str {
    let mut parts = path.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(schema), Some(_), Some(property)) if schema.starts_with("builtin:") => property,
        _ => path,
    }
}

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]).into_owned()
}

fn reason_phrase(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("no explanation")
}

/// Masks tokens, escapes control characters and cuts: in this order, so that no half token stays.
pub(super) fn clean(text: &str) -> String {
    let masked = mask(text.trim());
    let mut shown = String::new();
    let mut chars = masked.chars();
    for c in chars.by_ref().take(SHOWN) {
        if is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, and those that reverse or hide text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What tokens follow or begin with, and how many characters must come after it to be one: today's are
/// `dt0c01.PUBLIC.SECRET`, and older ones, of no known form, stay valid
/// (<https://docs.dynatrace.com/managed/dynatrace-api/basics/dynatrace-api-authentication>).
const TOKEN_MARKS: [(&str, usize); 4] = [
    ("dt0", 1),
    ("api-token ", 16),
    ("api-token=", 16),
    ("bearer ", 16),
];

fn mask(text: &str) -> String {
    // ASCII lower-casing keeps every offset.
    let lower = text.to_ascii_lowercase();
    let mut masked = String::new();
    let mut at = 0;
    while let Some((after, least)) = next_mark(&lower, at) {
        let length = lower[after..]
            .find(|c: char| !is_token(c))
            .unwrap_or(lower.len() - after);
        masked.push_str(&text[at..after]);
        at = after;
        if length >= least {
            masked.push_str("***");
            at += length;
        }
    }
    masked.push_str(&text[at..]);
    masked
}

/// Where the next mark ends, and how long what follows must be.
fn next_mark(lower: &str, at: usize) -> Option<(usize, usize)> {
    let found = TOKEN_MARKS.iter().filter_map(|(mark, least)| {
        let start = lower[at..].find(mark)?;
        Some((at + start + mark.len(), *least))
    });
    found.min()
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '+' | '/' | '=')
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
    fn a_taken_name_is_told_from_other_violations() {
        let envelope = |violations: &str| {
            format!(
                r#"{{"error":{{"code":400,"message":"Constraints violated.","constraintViolations":{violations}}}}}"#
            )
        };
        let taken = r#"{"path":"name","message":"Auto-tag must have a unique name.","parameterLocation":"PAYLOAD_BODY","location":null}"#;
        let settings = r#"{"path":"builtin:tags.auto-tagging/0","message":"Tag name must be unique"}"#;
        let other = r#"{"path":"rules[0].type","message":"must not be null"}"#;
        for (body, want) in [
            (envelope(&format!("[{taken}]")), true),
            (envelope(&format!("[{settings}]")), true),
            (envelope(&format!("[{taken},{other}]")), false),
            (envelope(&format!("[{other}]")), false),
            (envelope("[]"), false),
            (envelope("null"), false),
        ] {
            let fault = Fault::of(&answer(400, &body)).unwrap();
            assert_eq!(fault.is_taken_name(), want, "{body}");
        }
        assert!(Fault::of(&answer(400, "[]")).is_none());
    }

    #[test]
    fn the_place_of_a_violation_is_shown_without_its_schema() {
        for (path, shown) in [
            ("name", "name"),
            ("rules[0].conditions/1/key", "rules[0].conditions/1/key"),
            (
                "builtin:tags.auto-tagging/0/rules/1/valueFormat",
                "rules/1/valueFormat",
            ),
            ("builtin:tags.auto-tagging/0", "builtin:tags.auto-tagging/0"),
            ("", ""),
        ] {
            assert_eq!(place(path), shown);
        }
    }

    #[test]
    fn tokens_are_never_shown() {
        let secret = "ABCDEFGHIJKLMNOPQRSTUVWX.0123456789";
        for (text, want) in [
            (
                format!("token dt0c01.{secret} is disabled"),
                "token dt0*** is disabled".to_owned(),
            ),
            (format!("DT0S16.{secret}"), "DT0***".to_owned()),
            (
                format!("Api-Token {secret}, and api-token={secret}&x=1"),
                "Api-Token ***, and api-token=***&x=1".to_owned(),
            ),
            (format!("\"Bearer {secret}\""), "\"Bearer ***\"".to_owned()),
            (
                "the Api-Token is missing".to_owned(),
                "the Api-Token is missing".to_owned(),
            ),
            ("Grüße dt0".to_owned(), "Grüße dt0".to_owned()),
        ] {
            assert_eq!(clean(&text), want);
        }
    }

    #[test]
    fn long_and_unprintable_words_are_cut_and_escaped() {
        assert_eq!(clean(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(clean(&"ü".repeat(201)), format!("{}…", "ü".repeat(200)));
        assert_eq!(
            clean("a\u{1b}[31mb\u{202e}c\u{7}"),
            "a\\u{1b}[31mb\\u{202e}c\\u{7}"
        );
    }

    #[test]
    fn a_token_on_the_cut_is_masked_whole() {
        let text = format!("{} dt0c01.ABCDEF.{}", "x".repeat(190), "S".repeat(64));
        assert_eq!(clean(&text), format!("{} dt0***", "x".repeat(190)));
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

    proptest! {
        #[test]
        fn no_token_gets_through_whatever_stands_around_it(before in ".{0,80}", after in "[^A-Za-z0-9./+=~_-].{0,80}") {
            let shown = clean(&format!("{before}dt0c01.PUBLIC.SECRET{after}"));
            prop_assert!(!shown.contains("SECRET") && !shown.contains("PUBLIC"), "{}", shown);
        }

        #[test]
        fn what_is_shown_is_one_short_line(text in "(?s).{0,400}") {
            let shown = clean(&text);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!(shown.chars().count() <= SHOWN * 10 + 1);
        }
    }
}
