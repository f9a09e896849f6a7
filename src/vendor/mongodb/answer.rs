//! Reading accepted answers: JSON into a shape, or what stands there instead.
//!
//! Only the fields that are named are taken in; others, `agentApiKey` among them, are passed over unread.

use serde::de::DeserializeOwned;

use crate::vendor::VendorError;
use crate::vendor::words::{clean, unreadable};
use crate::wire::Response;

/// Reads an answer. `what` names it, and `url_hint` says what to look at when the wrong server answers.
pub(super) fn read<T: DeserializeOwned>(
    answer: &Response,
    what: &str,
    url_hint: &str,
) -> Result<T, VendorError> {
    let body = &answer.body;
    // A list would be read as the fields of a struct, in their order.
    let read = if body.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice(body).map_err(|error| clean(&error.to_string()))
    } else {
        Err("it is no JSON object".to_owned())
    };
    read.map_err(|problem| {
        let problem = unreadable(answer, url_hint).unwrap_or(problem);
        VendorError::BadAnswer(format!("{what} can't be read: {problem}"))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use http::header::CONTENT_TYPE;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Named {
        name: String,
    }

    #[test]
    fn what_is_read_goes_by_the_body_whatever_it_is_called() {
        for (content_type, body, want) in [
            (
                "application/json",
                r#" {"name":"x","agentApiKey":"secret"}"#,
                Ok("x"),
            ),
            ("text/html", r#"{"name":"x"}"#, Ok("x")),
            ("application/octet-stream", "\r\n{\"name\":\"x\"}", Ok("x")),
            (
                "application/json",
                "<html>Log in</html>",
                Err("a web page came instead of JSON"),
            ),
            (
                "text/html",
                "Log in",
                Err("a web page came instead of JSON: Log in: see the url"),
            ),
            ("application/json", "", Err("the body is empty")),
            ("application/json", r#"["x"]"#, Err("no JSON object")),
            ("application/json", r#"{"name":"x""#, Err("EOF while parsing")),
            (
                "application/json",
                r#"{"name":"x","name":"y"}"#,
                Err("duplicate field `name`"),
            ),
            ("application/json", r#"{"name":"x"}{"#, Err("trailing characters")),
            ("application/json", r#"{"name":"\ud800"}"#, Err("can't be read: ")),
        ] {
            let answer = Response {
                status: 200,
                headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]),
                body: Bytes::from_static(body.as_bytes()),
            };
            match (read::<Named>(&answer, "the thing", "see the url"), want) {
                (Ok(named), Ok(want)) => assert_eq!(named.name, want, "{body}"),
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
                (read, want) => panic!("{body}: {read:?} and not {want:?}"),
            }
        }
    }
}
