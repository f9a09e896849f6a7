//! Good answers: one entity or a page of them, enveloped and pretty when asked for.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::super::api::Asked;
use super::pretty::pretty;
use super::query::Query;
use super::refused::Refused;
use super::switches::{EnvelopeField, Switches};

/// Names the server's version, as every recorded good answer does.
pub(super) const SERVICE_VERSION: HeaderValue =
    HeaderValue::from_static("gitHash=0000000000000000000000000000000000000000; versionString=simulated");

/// How an answer shall look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pretty: bool,
    envelope: bool,
    field: EnvelopeField,
}

/// A link of an entity or of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) rel: String,
}

impl Link {
    pub(super) fn new(rel: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            rel: rel.into(),
        }
    }
}

/// A page of a listing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<T> {
    pub(super) links: Vec<Link>,
    pub(super) results: Vec<T>,
    /// How many there are on all pages; left out when `includeCount=false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_count: Option<usize>,
}

impl Shape {
    pub(super) fn of(query: &Query<'_>, switches: &Switches) -> Result<Self, Refused> {
        Ok(Self {
            pretty: query.flag("pretty", false)?,
            envelope: query.flag("envelope", false)?,
            field: switches.envelope_field,
        })
    }

    /// An answer with one entity.
    pub(super) fn one(
        self,
        status: StatusCode,
        media: HeaderValue,
        entity: &impl Serialize,
    ) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Content<'a, T> {
            status: u16,
            content: &'a T,
        }
        #[derive(Serialize)]
        struct Envelope<'a, T> {
            status: u16,
            envelope: &'a T,
        }

        let code = status.as_u16();
        let body = match (self.envelope, self.field) {
            (false, _) => self.text(entity),
            (true, EnvelopeField::Content) => self.text(&Content {
                status: code,
                content: entity,
            }),
            (true, EnvelopeField::Envelope) => self.text(&Envelope {
                status: code,
                envelope: entity,
            }),
        };
        answer(status, media, body)
    }

    /// An answer with a page.
    pub(super) fn list<T: Serialize>(self, media: HeaderValue, list: &List<T>) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Enveloped<'a, T: Serialize> {
            #[serde(flatten)]
            list: &'a List<T>,
            status: u16,
        }
        let body = if self.envelope {
            self.text(&Enveloped { list, status: 200 })
        } else {
            self.text(list)
        };
        answer(StatusCode::OK, media, body)
    }

    fn text(self, value: &impl Serialize) -> Bytes {
        let text = if self.pretty {
            pretty(value)
        } else {
            serde_json::to_vec(value)
        };
        text.expect("every body here is made of strings, numbers, lists and structs")
            .into()
    }
}

/// A good answer with a body of JSON.
pub(super) fn answer(status: StatusCode, media: HeaderValue, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, media);
    headers.insert("x-mongodb-service-version", SERVICE_VERSION);
    answer
}

/// Where links begin: the host that was asked, without a path.
pub(super) fn origin(asked: &Asked<'_>) -> String {
    let host = asked
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(query: &str, field: EnvelopeField) -> Shape {
        let switches = Switches {
            envelope_field: field,
            ..Switches::default()
        };
        Shape::of(&Query::parse(query), &switches).unwrap()
    }

    fn body(answer: &Response<Bytes>) -> &str {
        str::from_utf8(answer.body()).unwrap()
    }

    #[test]
    fn an_entity_is_enveloped_when_asked_for() {
        let media = HeaderValue::from_static("application/json");
        for (query, field, want) in [
            ("", EnvelopeField::Content, r#"{"id":"a"}"#),
            (
                "envelope=true",
                EnvelopeField::Content,
                r#"{"status":201,"content":{"id":"a"}}"#,
            ),
            (
                "envelope=true",
                EnvelopeField::Envelope,
                r#"{"status":201,"envelope":{"id":"a"}}"#,
            ),
            ("pretty=true", EnvelopeField::Content, "{\n  \"id\" : \"a\"\n}"),
        ] {
            let answer = shape(query, field).one(StatusCode::CREATED, media.clone(), &json!({"id": "a"}));
            assert_eq!((answer.status().as_u16(), body(&answer)), (201, want), "{query}");
        }
    }

    #[test]
    fn a_list_gets_its_status_beside_the_results() {
        let media = HeaderValue::from_static("application/json");
        let list = List {
            links: vec![Link::new("self", "h")],
            results: vec![1],
            total_count: Some(7),
        };
        for (query, want) in [
            (
                "",
                r#"{"links":[{"href":"h","rel":"self"}],"results":[1],"totalCount":7}"#,
            ),
            (
                "envelope=true",
                r#"{"links":[{"href":"h","rel":"self"}],"results":[1],"totalCount":7,"status":200}"#,
            ),
        ] {
            let answer = shape(query, EnvelopeField::Content).list(media.clone(), &list);
            assert_eq!(body(&answer), want);
            assert!(answer.headers().contains_key("x-mongodb-service-version"));
        }
    }

    #[test]
    fn a_flag_is_true_or_false() {
        assert!(Shape::of(&Query::parse("pretty=1"), &Switches::default()).is_err());
    }
}
