//! What a token endpoint answers: <https://www.rfc-editor.org/rfc/rfc6749#section-5>. Pure.
//!
//! Errors come in the form of that standard, or in that of the vendor's API behind the same gateway: Atlas refuses with
//! `{"error":"rate_limited",…}` in its documentation and with `{"error":429,"errorCode":"RATE_LIMITED",…}` on the wire.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::transport::{Secret, wait};
use crate::wire::Response;

/// How long a token is used when the endpoint does not say. Most last an hour.
const UNTOLD: Duration = Duration::from_mins(5);

/// A token that is said to end sooner is used this long all the same: whether it has ended is told by a 401.
const SHORTEST: Duration = Duration::from_secs(30);

/// The longest that is believed.
const LONGEST: Duration = Duration::from_hours(24);

/// The most of the endpoint's words that are told, in characters.
const MOST_WORDS: usize = 200;

/// What came of asking for a token.
#[derive(Debug)]
pub(in crate::transport) enum TokenAnswer {
    /// A token, and how long it lasts.
    Token(Secret, Duration),
    /// The endpoint throttles.
    Throttled(Option<Duration>),
    /// It failed; it may do better next time.
    Fault(String, Option<Duration>),
    /// It refuses, and would again.
    Refused(String),
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    /// Seconds, as a number or as text.
    expires_in: Option<Value>,
}

/// An error in either form.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Denied {
    error: Value,
    #[serde(rename = "error_description")]
    error_description: Option<String>,
    error_code: Option<String>,
    detail: Option<String>,
}

/// Reads the answer of a token endpoint.
pub(super) fn read(response: &Response) -> TokenAnswer {
    let after = wait::asked(&response.headers);
    let denied: Denied = serde_json::from_slice(&response.body).unwrap_or_default();
    match response.status {
        200..=299 => granted(response),
        429 => TokenAnswer::Throttled(after),
        400..=499 if denied.is_throttled() => TokenAnswer::Throttled(after),
        408 | 425 | 500..=599 => TokenAnswer::Fault(denied.words(response.status), after),
        400..=499 if denied.is_passing() => TokenAnswer::Fault(denied.words(response.status), after),
        status => TokenAnswer::Refused(format!(
            "{}; mend `client_id` and `client_secret`, and what the client is allowed",
            denied.words(status)
        )),
    }
}

fn granted(response: &Response) -> TokenAnswer {
    let odd = |why: &str| TokenAnswer::Fault(format!("the token endpoint {why}"), None);
    let Ok(granted) = serde_json::from_slice::<Granted>(&response.body) else {
        return odd("answered without an `access_token`");
    };
    let is_bearer = |kind: &String| kind.eq_ignore_ascii_case("bearer");
    if !granted.token_type.as_ref().is_none_or(is_bearer) {
        return odd("gave a token that is not of the type `Bearer`");
    }
    let is_sendable = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_sendable(&granted.access_token) {
        return odd("gave a token that can't be sent");
    }
    let lifetime = granted.expires_in.as_ref().and_then(seconds).unwrap_or(UNTOLD);
    TokenAnswer::Token(
        Secret::of_name(&granted.access_token),
        lifetime.clamp(SHORTEST, LONGEST),
    )
}

fn seconds(told: &Value) -> Option<Duration> {
    let number = match told {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    Duration::try_from_secs_f64(number).ok()
}

impl Denied {
    fn says(&self, words: &[&str]) -> bool {
        let told = [self.error.as_str(), self.error_code.as_deref()];
        let told: Vec<String> = told.into_iter().flatten().map(str::to_lowercase).collect();
        told.iter()
            .any(|told| words.iter().any(|word| told.starts_with(word)))
    }

    fn is_throttled(&self) -> bool {
        self.says(&["rate_limited", "too_many_requests", "slow_down"])
    }

    fn is_passing(&self) -> bool {
        self.says(&["temporarily_unavailable", "server_error"])
    }

    fn words(&self, status: u16) -> String {
        let parts = [
            self.error.as_str(),
            self.error_code.as_deref(),
            self.error_description.as_deref(),
            self.detail.as_deref(),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let words: String = parts
            .join(": ")
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MOST_WORDS)
            .collect();
        if words.is_empty() {
            format!("the token endpoint answered with status {status}")
        } else {
            format!("the token endpoint answered with status {status}: {words}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::script::answer;

    fn of(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> TokenAnswer {
        read(&Response {
            body: body.into(),
            ..answer(status, headers)
        })
    }

    #[test]
    fn a_token_lasts_as_long_as_is_told_within_bounds() {
        for (body, want) in [
            (
                r#"{"access_token":"t","expires_in":3600,"token_type":"Bearer"}"#,
                3600,
            ),
            (
                r#"{"access_token":"t","expires_in":"600","token_type":"bearer"}"#,
                600,
            ),
            (r#"{"access_token":"t"}"#, 300),
            (r#"{"access_token":"t","expires_in":null}"#, 300),
            (r#"{"access_token":"t","expires_in":-5}"#, 300),
            (r#"{"access_token":"t","expires_in":0}"#, 30),
            (r#"{"access_token":"t","expires_in":1e300}"#, 300),
            (r#"{"access_token":"t","expires_in":999999999}"#, 86_400),
        ] {
            let TokenAnswer::Token(token, lifetime) = of(200, &[], body) else {
                panic!("{body}");
            };
            assert_eq!(
                (token.expose(), lifetime),
                ("t", Duration::from_secs(want)),
                "{body}"
            );
        }
    }

    #[test]
    fn an_answer_without_a_usable_token_is_a_fault_and_is_not_repeated() {
        for body in [
            "",
            "<html>canary</html>",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"can ary"}"#,
            r#"{"access_token":"canary","token_type":"mac"}"#,
        ] {
            let TokenAnswer::Fault(why, None) = of(200, &[], body) else {
                panic!("{body}");
            };
            assert!(!why.contains("ary"), "{why}");
        }
    }

    #[test]
    fn both_forms_of_an_error_are_understood() {
        let standard = r#"{"error":"rate_limited","error_description":"Resource /api/oauth/token is limited to 10 requests every 1 minutes."}"#;
        let of_api = r#"{"detail":"Resource /api/oauth/token is limited to 10 requests every 1 minutes.","error":429,"errorCode":"RATE_LIMITED","parameters":["/api/oauth/token",10,1],"reason":"Too Many Requests"}"#;
        for (status, body) in [
            (429, standard),
            (429, of_api),
            (429, ""),
            (400, standard),
            (403, of_api),
        ] {
            for (headers, want) in [(&[][..], None), (&[("retry-after", "7")], Some(7))] {
                let TokenAnswer::Throttled(after) = of(status, headers, body) else {
                    panic!("{status} {body}");
                };
                assert_eq!(after, want.map(Duration::from_secs));
            }
        }
        for (status, body) in [
            (503, ""),
            (500, of_api),
            (408, ""),
            (400, r#"{"error":"temporarily_unavailable"}"#),
        ] {
            assert!(
                matches!(of(status, &[], body), TokenAnswer::Fault(..)),
                "{status} {body}"
            );
        }
        for (status, body, words) in [
            (
                401,
                r#"{"error":"invalid_client"}"#,
                "status 401: invalid_client; mend `client_id`",
            ),
            (
                400,
                r#"{"error":"invalid_client","error_description":"no\nsuch"}"#,
                "status 400: invalid_client: no such;",
            ),
            (
                403,
                r#"{"error":403,"errorCode":"ACCESS_DENIED","detail":"Access Token limit reached"}"#,
                "ACCESS_DENIED: Access Token limit",
            ),
            (404, "<html>", "status 404; mend"),
            (302, "", "status 302; mend"),
        ] {
            let TokenAnswer::Refused(why) = of(status, &[], body) else {
                panic!("{status} {body}");
            };
            assert!(why.contains(words), "{why}");
        }
    }
}
