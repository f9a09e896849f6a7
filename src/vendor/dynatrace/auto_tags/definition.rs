//! Documents: what a job may hand over, what is sent of it, and what an answer says in its place.
//!
//! Fields and rules keep the order in which they were written, so that the request equals what the user wrote.

use serde_json::{Map, Value};

use super::form::Form;
use super::limits::BODY_BYTES;
use super::unique::Unique;
use crate::model::{DOCUMENT_KEY, LiveTag, Provenance, Tag};
use crate::vendor::VendorError;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// The document that a job hands over, as it is written; or what is wrong with it.
pub(super) fn kept(form: Form, tag: &Tag) -> Result<Tag, String> {
    let text = text_of(tag)?;
    if text.len() > BODY_BYTES {
        return Err(format!(
            "the definition has {} bytes, and at most {BODY_BYTES} fit into a request; split its rules over several \
             definitions",
            text.len()
        ));
    }
    let _: Unique = serde_json::from_str(text)
        .map_err(|error| format!("the definition is no JSON that can be meant ({error}); mend it"))?;
    let document = without_read_only(form, parse(text)?);
    check(form, &document)?;
    Ok(tag_of(&document))
}

/// The document of a tag, as it is sent. Unlike [`kept`] this lets fields pass that nobody documented: a document that is
/// restored came from the vendor.
pub(super) fn sent(form: Form, tag: &Tag) -> Result<Object, VendorError> {
    let document = text_of(tag).and_then(parse).map_err(VendorError::Unsupported)?;
    Ok(without_read_only(form, document))
}

/// The document of an answer, as the tag of a live definition.
pub(super) fn live(form: Form, document: Object) -> LiveTag {
    LiveTag {
        tag: tag_of(&without_read_only(form, document)),
        provenance: Provenance::Manual,
    }
}

/// The name that a document gives its tag.
pub(super) fn name_of(document: &Object) -> Option<&str> {
    document
        .get("name")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
}

/// Reads the text of a document.
pub(super) fn parse(text: &str) -> Result<Object, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) => {
            Err("the definition is JSON, but no object; write `{\"name\": …, \"rules\": […]}`".to_owned())
        }
        Err(error) => Err(format!("the definition is no JSON ({error}); mend it")),
    }
}

fn text_of(tag: &Tag) -> Result<&str, String> {
    if tag.key != DOCUMENT_KEY {
        return Err(format!(
            "an auto-tag is one document, not tags such as `{}`; use [document] in place of [[tag]]",
            tag.key
        ));
    }
    tag.value
        .as_deref()
        .ok_or_else(|| "the definition is empty; write `{\"name\": …, \"rules\": […]}`".to_owned())
}

fn tag_of(document: &Object) -> Tag {
    Tag::new(
        DOCUMENT_KEY,
        Some(serde_json::to_string(document).unwrap_or_default()),
    )
}

fn without_read_only(form: Form, mut document: Object) -> Object {
    for field in form.read_only() {
        // The others keep their order.
        document.shift_remove(*field);
    }
    document
}

fn check(form: Form, document: &Object) -> Result<(), String> {
    if let Some(what) = form.misplaced(document) {
        return Err(what.to_owned());
    }
    if let Some(unknown) = document
        .keys()
        .find(|field| !form.written().contains(&field.as_str()))
    {
        return Err(format!(
            "`{}` is no field of a definition, which has {}; leave it out",
            unknown.escape_debug(),
            form.written().join(", ")
        ));
    }
    check_name(form, document)?;
    form.lists()
        .iter()
        .try_for_each(|list| check_list(list, document))
}

/// The config API wants a name of at least one character; the settings schema one that is neither blank nor padded.
fn check_name(form: Form, document: &Object) -> Result<(), String> {
    let name = name_of(document).ok_or("the definition has no `name`; give it one, as a string")?;
    let padded = name.trim() != name || name.trim().is_empty();
    if form == Form::Settings && padded {
        return Err(format!(
            "the name `{}` begins or ends with a space, which the settings schema refuses; trim it",
            name.escape_debug()
        ));
    }
    Ok(())
}

fn check_list(list: &str, document: &Object) -> Result<(), String> {
    match document.get(list) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(rules)) if rules.iter().all(Value::is_object) => Ok(()),
        Some(Value::Array(_)) => Err(format!(
            "`{list}` holds something that is no rule; write each as an object"
        )),
        Some(_) => Err(format!("`{list}` is no list; write its rules in `[` and `]`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Tag {
        Tag::new(DOCUMENT_KEY, Some(text))
    }

    #[test]
    fn a_legal_document_keeps_its_order_and_loses_what_the_server_fills_in() {
        for (form, text, want) in [
            (Form::Config, r#"{"name":"a"}"#, r#"{"name":"a"}"#),
            (
                Form::Config,
                r#" {"rules" : [ {"type":"HOST","enabled":true} ], "id":"x", "name":"a", "metadata":{"clusterVersion":"1"},
                    "description": null, "entitySelectorBasedRules": []} "#,
                r#"{"rules":[{"type":"HOST","enabled":true}],"name":"a","description":null,"entitySelectorBasedRules":[]}"#,
            ),
            (
                Form::Config,
                r#"{"name":"a","rules":[{"value":12345678901234567890123,"x":1.50}]}"#,
                r#"{"name":"a","rules":[{"value":12345678901234567890123,"x":1.50}]}"#,
            ),
            (Form::Config, r#"{"name":" a "}"#, r#"{"name":" a "}"#),
            (
                Form::Settings,
                r#"{"rules":[{"type":"SELECTOR","entitySelector":"type(HOST)"}],"name":"a"}"#,
                r#"{"rules":[{"type":"SELECTOR","entitySelector":"type(HOST)"}],"name":"a"}"#,
            ),
        ] {
            assert_eq!(kept(form, &tag(text)), Ok(tag(want)), "{text}");
            assert_eq!(kept(form, &tag(want)), Ok(tag(want)), "kept twice");
        }
    }

    #[test]
    fn an_illegal_document_is_told_what_to_do() {
        let long = format!(r#"{{"name":"{}"}}"#, "ü".repeat(BODY_BYTES / 2));
        for (form, text, names) in [
            (Form::Config, "", "the definition is empty"),
            (Form::Config, "[]", "no object; write"),
            (Form::Config, "null", "no object; write"),
            (Form::Config, "{\"name\":\"a\"", "no JSON that can be meant (EOF"),
            (
                Form::Config,
                "{\"name\":\"a\"} x",
                "no JSON that can be meant (trailing",
            ),
            (
                Form::Config,
                r#"{"name":"a","name":"b"}"#,
                "field `name` stands twice",
            ),
            (Form::Config, "{}", "has no `name`"),
            (Form::Config, r#"{"name":""}"#, "has no `name`"),
            (Form::Config, r#"{"name":7}"#, "has no `name`"),
            (
                Form::Config,
                r#"{"name":"a","rule":[]}"#,
                "`rule` is no field of a definition, which has name, desc",
            ),
            (Form::Config, r#"{"name":"a","rules":{}}"#, "`rules` is no list"),
            (
                Form::Config,
                r#"{"name":"a","rules":["x"]}"#,
                "`rules` holds something that is no rule",
            ),
            (
                Form::Config,
                r#"{"name":"a","entitySelectorBasedRules":"x"}"#,
                "`entitySelectorBasedRules` is no list",
            ),
            (
                Form::Config,
                r#"{"name":"a","rules":[{"type":"ME"}]}"#,
                "`api = \"settings\"`",
            ),
            (Form::Config, &long, "bytes, and at most 900000 fit"),
            (Form::Settings, r#"{"name":"a "}"#, "begins or ends with a space"),
            (Form::Settings, r#"{"name":" "}"#, "begins or ends with a space"),
            (Form::Settings, r#"{"name":"a","id":"x"}"#, "`id` is no field"),
            (
                Form::Settings,
                r#"{"schemaId":"x","value":{}}"#,
                "`schemaId` is no field",
            ),
            (
                Form::Settings,
                r#"{"name":"a","entitySelectorBasedRules":[]}"#,
                "form of the config API v1",
            ),
        ] {
            let why = kept(form, &tag(text)).unwrap_err();
            assert!(why.contains(names), "{}: {why}", &text[..text.len().min(80)]);
        }
        let why = kept(Form::Config, &Tag::new("env", Some("prod"))).unwrap_err();
        assert!(why.contains("such as `env`; use [document]"), "{why}");
    }

    #[test]
    fn a_document_that_came_from_the_vendor_may_be_sent_back_with_what_nobody_documented() {
        let sent = sent(Form::Config, &tag(r#"{"id":"x","name":"a","new":{"id":1}}"#)).unwrap();
        assert_eq!(
            Value::Object(sent),
            serde_json::json!({"name":"a","new":{"id":1}})
        );
        assert!(super::sent(Form::Config, &tag("[]")).is_err());
        assert!(super::sent(Form::Config, &Tag::new("env", Some("{}"))).is_err());
    }
}
