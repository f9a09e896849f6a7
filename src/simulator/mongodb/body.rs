//! Bodies: a JSON object whose fields are all known.

use super::call::Call;
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::refused::Refused;
use super::switches::ContentType;

/// The fields of a body.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads an object, and refuses fields that are not known: they are not ignored.
    pub(super) fn parse(body: &[u8], known: &[&str]) -> Result<Self, Refused> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|_| Refused::new(400, "INVALID_JSON", "Received JSON is malformed."))?;
        let Value::Object(fields) = value else {
            let detail = "Received JSON does not match expected format.";
            return Err(Refused::new(400, "INVALID_JSON_ATTRIBUTE", detail));
        };
        match fields.keys().find(|name| !known.contains(&&***name)) {
            Some(unknown) => Err(Refused::attribute(unknown)),
            None => Ok(Self(fields)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether there are no fields but some.
    pub(super) fn has_only(&self, names: &[&str]) -> bool {
        self.0.keys().all(|name| names.contains(&&**name))
    }

    /// A field that is a text, when it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refused> {
        self.typed(name, Value::as_str)
    }

    /// A field that is true or false, when it is there.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refused> {
        self.typed(name, Value::as_bool)
    }

    /// A field that is a list, when it is there.
    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, Refused> {
        self.typed(name, Value::as_array)
    }

    fn typed<'a, T>(
        &'a self,
        name: &str,
        of: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refused> {
        self.get(name)
            .map(|value| of(value).ok_or_else(|| Refused::attribute(name)))
            .transpose()
    }
}

/// The body of a request, when its media type is good.
pub(super) fn body<'a>(call: &Call<'a>) -> Result<&'a [u8], Refused> {
    check_media(call.asked.headers(), call.setup.switches.content_type)?;
    Ok(call.asked.body())
}

/// Refuses a body whose media type is not JSON with 415.
fn check_media(headers: &HeaderMap, allowed: ContentType) -> Result<(), Refused> {
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if allowed == ContentType::Any || essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refused::new(415, "UNEXPECTED_ERROR", "Unexpected error."))
}

/// Refuses a name that a group can't have.
pub(super) fn check_name(name: &str) -> Result<(), Refused> {
    let legal = |c: char| c.is_alphanumeric() || " -_.(),:&@+'".contains(c);
    if (1..=64).contains(&name.chars().count()) && name.chars().all(legal) {
        Ok(())
    } else {
        Err(Refused::attribute("name"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::switches::Switches;
    use super::*;

    fn code(result: Result<Fields, Refused>) -> String {
        let Err(refused) = result else {
            return String::new();
        };
        let answer = refused.into_response(&Switches::default());
        answer.headers()["x-error-code"].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_body_is_an_object_of_known_fields() {
        for (body, want) in [
            (r#"{"tags":[]}"#, ""),
            ("{}", ""),
            (r#"{"tags":[],"links":[]}"#, "INVALID_ATTRIBUTE"),
            (r#"{"Tags":[]}"#, "INVALID_ATTRIBUTE"),
            (r#"{"tags":[],}"#, "INVALID_JSON"),
            ("", "INVALID_JSON"),
            ("[]", "INVALID_JSON_ATTRIBUTE"),
        ] {
            assert_eq!(code(Fields::parse(body.as_bytes(), &["tags"])), want, "{body}");
        }
    }

    #[test]
    fn a_field_has_its_type() {
        let body = br#"{"name":1,"tags":null,"paused":"yes"}"#;
        let fields = Fields::parse(body, &["name", "tags", "paused"]).unwrap();
        assert_eq!(fields.text("name"), Err(Refused::attribute("name")));
        assert_eq!(fields.list("tags"), Err(Refused::attribute("tags")));
        assert_eq!(fields.flag("paused"), Err(Refused::attribute("paused")));
        assert_eq!(fields.text("id"), Ok(None));
    }

    #[test]
    fn only_json_is_read_unless_anything_is() {
        for (media, allowed, want) in [
            (Some("application/json"), ContentType::Json, true),
            (Some("Application/JSON; charset=utf-8"), ContentType::Json, true),
            (
                Some("application/x-www-form-urlencoded"),
                ContentType::Json,
                false,
            ),
            (None, ContentType::Json, false),
            (None, ContentType::Any, true),
        ] {
            let headers = media.map(|media| (header::CONTENT_TYPE, media.parse().unwrap()));
            let headers: HeaderMap = headers.into_iter().collect();
            assert_eq!(check_media(&headers, allowed).is_ok(), want, "{media:?}");
        }
    }

    #[test]
    fn a_name_has_64_characters_at_most() {
        for (name, legal) in [
            ("Atlas CLI E2E", true),
            ("grün-1", true),
            ("", false),
            ("a/b", false),
            (&"x".repeat(64), true),
            (&"x".repeat(65), false),
        ] {
            assert_eq!(check_name(name).is_ok(), legal, "{name}");
        }
    }
}
