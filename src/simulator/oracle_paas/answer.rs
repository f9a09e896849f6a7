//! Answers: JSON, nothing, and the `failed-response` that a refusal is.
//!
//! Its schema is in the text of the pages that delete tags, such as
//! "JCS/op-paas-api-v1.1-tags-identitydomainid-tags-tagkey-delete.html": `details` with `issues` and `message`, all optional.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::switches::Issues;

/// What marks a body as JSON until the front end writes the media type that a switch asks for.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a 401 asks for.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Oracle PaaS Service Manager\"");

/// So many issues are told at most: a large request can have millions.
pub(super) const MAX_ISSUES: usize = 50;

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    /// At least one, each a sentence.
    issues: Vec<String>,
    /// The methods that the path takes.
    allow: Option<&'static str>,
}

#[derive(Serialize)]
struct FailedResponse<'a> {
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    issues: Option<Vec<Issue<'a>>>,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Issue<'a> {
    Text(&'a str),
    Object { message: &'a str },
}

impl Refused {
    /// A refusal for one reason.
    pub(super) fn new(status: u16, issue: impl Into<String>) -> Self {
        Self {
            status,
            issues: vec![issue.into()],
            allow: None,
        }
    }

    /// A method that the path does not take.
    pub(super) fn method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(405, format!("This resource takes {allow}."))
        }
    }

    /// Refuses when there is an issue, unless the status is one of success: then the issues are tolerated.
    pub(super) fn unless_tolerated(
        status: u16,
        issues: impl IntoIterator<Item = String>,
    ) -> Result<(), Self> {
        let mut issues = issues.into_iter().take(MAX_ISSUES).peekable();
        if (200..300).contains(&status) || issues.peek().is_none() {
            return Ok(());
        }
        Err(Self {
            status,
            issues: issues.collect(),
            allow: None,
        })
    }

    /// The answer. Its message is the first issue.
    pub(super) fn into_response(self, shape: Issues) -> Response<Bytes> {
        let issue = |text| match shape {
            Issues::Strings => Some(Issue::Text(text)),
            Issues::Objects => Some(Issue::Object { message: text }),
            Issues::Absent => None,
        };
        let issues: Option<Vec<_>> = self.issues.iter().map(|text| issue(text)).collect();
        let message = self.issues.first().map_or("", String::as_str);
        let details = Details { issues, message };
        let mut answer = json(&FailedResponse { details });
        *answer.status_mut() = status(self.status);
        if let Some(allow) = self.allow {
            let allow = HeaderValue::from_static(allow);
            answer.headers_mut().insert(header::ALLOW, allow);
        }
        if answer.status() == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        answer
    }
}

/// A JSON answer with status 200.
pub(super) fn json(body: &impl Serialize) -> Response<Bytes> {
    let body =
        serde_json::to_vec(body).expect("every body here is made of strings, numbers, lists and structs");
    let mut answer = Response::new(Bytes::from(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    answer
}

/// The answer 204.
pub(super) fn no_content() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_have_the_shape_that_their_switch_says() {
        for (shape, body) in [
            (
                Issues::Strings,
                r#"{"details":{"issues":["a","b"],"message":"a"}}"#,
            ),
            (
                Issues::Objects,
                r#"{"details":{"issues":[{"message":"a"},{"message":"b"}],"message":"a"}}"#,
            ),
            (Issues::Absent, r#"{"details":{"message":"a"}}"#),
        ] {
            let issues = ["a", "b"].map(str::to_owned);
            let refused = Refused::unless_tolerated(409, issues).unwrap_err();
            let answer = refused.into_response(shape);
            assert_eq!(
                (answer.status().as_u16(), &**answer.body()),
                (409, body.as_bytes())
            );
        }
    }

    #[test]
    fn a_success_tolerates_every_issue_and_a_refusal_tells_only_so_many() {
        let many = || (0..).map(|n| n.to_string());
        assert_eq!(Refused::unless_tolerated(200, many()), Ok(()));
        assert_eq!(Refused::unless_tolerated(404, []), Ok(()));
        let refused = Refused::unless_tolerated(404, many()).unwrap_err();
        assert_eq!(refused.issues.len(), MAX_ISSUES);
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let answer = Refused::method("GET").into_response(Issues::Strings);
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "GET");
    }
}
