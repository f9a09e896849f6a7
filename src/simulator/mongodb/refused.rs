//! Error answers: the object that Ops Manager and Atlas share.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::switches::{ErrorFields, NoParameters, Switches};

/// The media type of every error.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The body of a 401 without good credentials, byte for byte as it was recorded: it is printed prettily, and has no
/// `parameters`, whatever was asked for.
const NO_CREDENTIALS: &str = "{\n  \"error\" : 401,\n  \"reason\" : \"Unauthorized\",\n  \"detail\" : \"You are not authorized for this resource.\",\n  \"errorCode\" : \"UNEXPECTED_ERROR\"\n}";

/// A request that is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    detail: String,
    parameters: Vec<Value>,
    /// What is wrong with which field of the body.
    fields: Vec<Violation>,
    /// What the answer has beside the headers of every error.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether who asks has good credentials.
    credentials: bool,
}

/// What is wrong with a field, as `badRequestDetail` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Violation {
    description: String,
    field: String,
}

impl Refused {
    /// A refusal with a code of the vendor's table.
    pub(super) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            detail: detail.into(),
            parameters: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
            credentials: true,
        }
    }

    /// The 401 of somebody without good credentials.
    pub(super) fn unauthenticated(challenges: Vec<HeaderValue>) -> Self {
        let refused = Self {
            credentials: false,
            ..Self::new(401, "UNEXPECTED_ERROR", "")
        };
        refused.challenged(|| challenges)
    }

    /// A path that leads nowhere.
    pub(super) fn no_resource(path: &str) -> Self {
        Self::new(404, "RESOURCE_NOT_FOUND", format!("Cannot find resource {path}.")).about(path)
    }

    /// A method that a path does not take; those that it takes are named.
    pub(super) fn no_method(allow: &'static str) -> Self {
        Self {
            headers: vec![(header::ALLOW, HeaderValue::from_static(allow))],
            ..Self::new(405, "UNEXPECTED_ERROR", "Unexpected error.")
        }
    }

    /// A field of the body that is unknown or of the wrong type.
    pub(super) fn attribute(name: &str) -> Self {
        Self::new(
            400,
            "INVALID_ATTRIBUTE",
            format!("Invalid attribute {name} specified."),
        )
        .about(name)
    }

    /// A field of the body that must be there.
    pub(super) fn missing(name: &str) -> Self {
        Self::new(
            400,
            "MISSING_ATTRIBUTE",
            format!("The required attribute {name} was not specified."),
        )
        .about(name)
    }

    /// A parameter of the query that can't be used.
    pub(super) fn query(name: &str) -> Self {
        Self::new(
            400,
            "INVALID_QUERY_PARAMETER",
            format!("Invalid query parameter {name} specified."),
        )
        .about(name)
    }

    /// A resource that has had its requests.
    pub(super) fn rate_limited(resource: &str, limit: u64, minutes: u64) -> Self {
        let detail = format!("Resource {resource} is limited to {limit} requests every {minutes} minutes.");
        Self::new(429, "RATE_LIMITED", detail)
            .about(resource)
            .about(limit)
            .about(minutes)
    }

    /// The same with one more of the values that its text speaks of.
    pub(super) fn about(mut self, parameter: impl Into<Value>) -> Self {
        self.parameters.push(parameter.into());
        self
    }

    /// The same, with a field of the body named as what is wrong.
    pub(super) fn in_field(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.fields.push(Violation {
            description: description.into(),
            field: field.into(),
        });
        self
    }

    /// The same with another status.
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).unwrap_or(self.status);
        self
    }

    /// The same, with challenges when it is a 401 without one.
    pub(super) fn challenged(mut self, challenges: impl FnOnce() -> Vec<HeaderValue>) -> Self {
        let has_one = |(name, _): &(HeaderName, HeaderValue)| *name == header::WWW_AUTHENTICATE;
        if self.status == StatusCode::UNAUTHORIZED && !self.headers.iter().any(has_one) {
            let challenges = challenges().into_iter();
            self.headers
                .extend(challenges.map(|challenge| (header::WWW_AUTHENTICATE, challenge)));
        }
        self
    }

    /// The same, telling for how many seconds to stay away.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.headers.push((header::RETRY_AFTER, seconds.into()));
        self
    }

    /// The answer.
    pub(super) fn into_response(self, switches: &Switches) -> Response<Bytes> {
        let body = if self.credentials {
            Bytes::from(self.object(switches).to_string())
        } else {
            Bytes::from_static(NO_CREDENTIALS.as_bytes())
        };
        let mut answer = Response::new(body);
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON);
        if self.credentials {
            headers.insert("x-error-code", HeaderValue::from_static(self.code));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        answer
    }

    fn object(&self, switches: &Switches) -> Value {
        let mut object = Map::new();
        if !self.fields.is_empty() {
            object.insert("badRequestDetail".to_owned(), json!({"fields": self.fields}));
        }
        object.insert("detail".to_owned(), json!(self.detail));
        object.insert("error".to_owned(), json!(self.status.as_u16()));
        if switches.error_fields == ErrorFields::Five {
            object.insert("errorCode".to_owned(), json!(self.code));
            let parameters = match (&*self.parameters, switches.no_parameters) {
                ([], NoParameters::Absent) => None,
                ([], NoParameters::Null) => Some(Value::Null),
                (parameters, _) => Some(json!(parameters)),
            };
            object.extend(parameters.map(|parameters| ("parameters".to_owned(), parameters)));
        }
        let reason = self.status.canonical_reason().unwrap_or_default();
        object.insert("reason".to_owned(), json!(reason));
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::switches::SwitchSet as _;
    use super::*;

    fn body(refused: Refused, switch: &str) -> String {
        let mut switches = Switches::default();
        if let Some((name, word)) = switch.split_once('=') {
            assert_eq!(switches.set(name, word), Ok(true));
        }
        let answer = refused.into_response(&switches);
        assert_eq!(answer.headers()["content-type"], "application/json");
        String::from_utf8(answer.body().to_vec()).unwrap()
    }

    #[test]
    fn the_first_401_is_as_recorded_whatever_was_asked_for() {
        for switch in ["", "error-fields=three"] {
            let body = body(Refused::unauthenticated(Vec::new()), switch);
            assert_eq!(body.len(), 142);
            assert_eq!(
                body,
                r#"{
  "error" : 401,
  "reason" : "Unauthorized",
  "detail" : "You are not authorized for this resource.",
  "errorCode" : "UNEXPECTED_ERROR"
}"#
            );
        }
    }

    #[test]
    fn bodies_are_as_recorded() {
        let id = "111111111111111111111111";
        for (refused, want) in [
            (
                Refused::new(404, "GROUP_NOT_FOUND", format!("No group with ID {id} exists.")).about(id),
                r#"{"detail":"No group with ID 111111111111111111111111 exists.","error":404,"errorCode":"GROUP_NOT_FOUND","parameters":["111111111111111111111111"],"reason":"Not Found"}"#,
            ),
            (
                Refused::rate_limited("/api/oauth/token", 10, 1),
                r#"{"detail":"Resource /api/oauth/token is limited to 10 requests every 1 minutes.","error":429,"errorCode":"RATE_LIMITED","parameters":["/api/oauth/token",10,1],"reason":"Too Many Requests"}"#,
            ),
            (
                Refused::attribute("tags").in_field("tags[0].key", "too long"),
                r#"{"badRequestDetail":{"fields":[{"description":"too long","field":"tags[0].key"}]},"detail":"Invalid attribute tags specified.","error":400,"errorCode":"INVALID_ATTRIBUTE","parameters":["tags"],"reason":"Bad Request"}"#,
            ),
        ] {
            assert_eq!(body(refused, ""), want);
        }
    }

    #[test]
    fn switches_turn_the_fields_of_an_error() {
        let bare = || Refused::new(401, "NO_CURRENT_USER", "No current user.");
        for (switch, want) in [
            (
                "no-parameters=list",
                r#"{"detail":"No current user.","error":401,"errorCode":"NO_CURRENT_USER","parameters":[],"reason":"Unauthorized"}"#,
            ),
            (
                "no-parameters=null",
                r#"{"detail":"No current user.","error":401,"errorCode":"NO_CURRENT_USER","parameters":null,"reason":"Unauthorized"}"#,
            ),
            (
                "no-parameters=absent",
                r#"{"detail":"No current user.","error":401,"errorCode":"NO_CURRENT_USER","reason":"Unauthorized"}"#,
            ),
            (
                "error-fields=three",
                r#"{"detail":"No current user.","error":401,"reason":"Unauthorized"}"#,
            ),
        ] {
            assert_eq!(body(bare(), switch), want, "{switch}");
        }
    }

    #[test]
    fn headers_say_what_a_client_can_do() {
        let headers = |refused: Refused| refused.into_response(&Switches::default()).into_parts().0.headers;
        let challenge = || {
            vec![
                HeaderValue::from_static("Digest x"),
                HeaderValue::from_static("Digest y"),
            ]
        };
        let refused = headers(Refused::unauthenticated(Vec::new()).challenged(challenge));
        assert_eq!(refused.get_all("www-authenticate").iter().count(), 2);
        assert!(!refused.contains_key("x-error-code"));
        let refused = headers(Refused::attribute("a").challenged(challenge).retry_after(7));
        assert!(!refused.contains_key("www-authenticate"), "400 has no challenge");
        assert_eq!(refused["x-error-code"], "INVALID_ATTRIBUTE");
        assert_eq!(refused["retry-after"], "7");
        assert_eq!(headers(Refused::no_method("GET"))["allow"], "GET");
    }
}
