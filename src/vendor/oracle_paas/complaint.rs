//! What the vendor says is wrong, in its own words.
//!
//! A `failed-response` is `{"details":{"message":…,"issues":[…]}}` with every member optional
//! (`JCS/op-paas-api-v1.1-tags-identitydomainid-tags-tagkey-tagvalue-delete.html`). What front ends answer beside it is
//! not documented, and may be a web page.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::vendor::words::{self, clean};
use crate::wire::Response;

/// Issues that are told; any more would be cut anyway.
const ISSUES: usize = 8;

/// An answer that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The HTTP status.
    pub(super) status: u16,
    /// The vendor's words, cleaned.
    pub(super) words: String,
    /// Whether they came in a failed-response, so that it was the vendor who spoke.
    pub(super) enveloped: bool,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the vendor answered {}: {}", self.status, self.words)
    }
}

/// Reads a refusal: the failed-response, the raw body, or the status alone, whichever comes first.
pub(super) fn complaint(response: &Response) -> Complaint {
    let details = details(&response.body);
    let words = details.as_ref().map_or_else(String::new, tell);
    let words = match words {
        none if none.is_empty() => words::of_body(&response.body),
        words => words,
    };
    Complaint {
        status: response.status,
        words: match words {
            none if none.is_empty() => words::reason_phrase(response.status).to_owned(),
            words => words,
        },
        enveloped: details.is_some(),
    }
}

/// Says what stands where the list of tags is due.
pub(super) fn unreadable(response: &Response) -> String {
    if response.body.trim_ascii().is_empty() {
        return format!(
            "the answer {} has no body where a list of tags is promised",
            response.status
        );
    }
    let what = if words::is_page(response) {
        "a web page came instead of JSON"
    } else {
        "the answer is not the list of tags that is promised"
    };
    format!("{what}: {}", complaint(response).words)
}

#[derive(Deserialize)]
struct FailedResponse {
    details: Details,
}

/// Both members may be anything: what kind of elements `issues` has is not documented.
#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    message: Value,
    #[serde(default)]
    issues: Value,
}

fn details(body: &[u8]) -> Option<Details> {
    let failed: FailedResponse = serde_json::from_slice(body).ok()?;
    Some(failed.details)
}

fn tell(details: &Details) -> String {
    let issues = match &details.issues {
        Value::Array(issues) => issues.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    let told = std::iter::once(&details.message)
        .chain(issues.iter().take(ISSUES))
        .filter_map(text_of);
    clean(&told.collect::<Vec<_>>().join("; "))
}

/// A text, the `message` of an object, or whatever else stands there as JSON.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Object(members) => match members.get("message") {
            Some(Value::String(text)) => text.clone(),
            _ => value.to_string(),
        },
        other => other.to_string(),
    };
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::oracle_paas::testing::{answer, answer_with};

    #[test]
    fn the_words_are_the_failed_response_s_else_the_body_s_else_the_status_s() {
        for (status, body, words, enveloped) in [
            (
                400,
                r#"{"details":{"message":"Tag cannot be removed","issues":["ora_x is provided by the system"]}}"#,
                "Tag cannot be removed; ora_x is provided by the system",
                true,
            ),
            (
                404,
                r#"{"details":{"issues":[{"message":"no such service","code":7},{"service":"a"},"last"]}}"#,
                r#"no such service; {"service":"a"}; last"#,
                true,
            ),
            (
                409,
                r#"{"details":{"message":"assigned","issues":null}}"#,
                "assigned",
                true,
            ),
            (409, r#"{"details":{"issues":"one text"}}"#, "one text", true),
            (400, r#"{"details":{"message":7,"issues":[]}}"#, "7", true),
            (400, r#"{"details":{}}"#, r#"{"details":{}}"#, true),
            (400, r#"{"details":"a text"}"#, r#"{"details":"a text"}"#, false),
            (500, "upstream failed\n", "upstream failed", false),
            (503, "", "Service Unavailable", false),
            (599, " \r\n", "no explanation", false),
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
    fn many_issues_are_cut_and_credentials_are_masked() {
        let issues = vec![r#""a fault of Basic dXNlcjpwYXNzd29yZDEyMw==""#; 100].join(",");
        let words = complaint(&answer(400, &format!(r#"{{"details":{{"issues":[{issues}]}}}}"#))).words;
        assert_eq!(words, ["a fault of Basic ***"; ISSUES].join("; "));
        let long = format!(r#"{{"details":{{"message":"{}"}}}}"#, "ü".repeat(9_000));
        assert_eq!(
            complaint(&answer(400, &long)).words,
            format!("{}…", "ü".repeat(200))
        );
    }

    #[test]
    fn what_stands_in_the_place_of_a_list_is_told() {
        for (response, names) in [
            (answer(200, ""), "the answer 200 has no body"),
            (
                answer(200, "<html>Sign in</html>"),
                "a web page came instead of JSON: <html>Sign in",
            ),
            (
                answer_with(200, &[("Content-Type", "Text/HTML; charset=utf-8")], "Sign in"),
                "a web page came instead of JSON: Sign in",
            ),
            (
                answer(200, r#"{"details":{"message":"late"}}"#),
                "the answer is not the list of tags that is promised: late",
            ),
            (answer(200, r#"[{"key":"a""#), r#"promised: [{"key":"a""#),
        ] {
            let told = unreadable(&response);
            assert!(told.contains(names), "{told}");
        }
    }
}
