//! A live entity as a record: what templates see of it, and what an export writes down.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::model::{DOCUMENT_KEY, Grain, LiveEntity, LiveTag, Provenance, Tag};

/// A JSON object.
pub type Object = Map<String, Value>;

/// The record of an entity of a kind: a definition is its own document, anything else is
/// `{ id, name, kind, tags: [{ key, value, context }] }` with its tags in order. `Err` says why there is none.
pub fn record(entity: &LiveEntity, kind: &str, grain: Grain) -> Result<Object, String> {
    let tags = entity.tags.as_deref().ok_or(
        "the vendor does not show what it carries; see to it that the credentials may read it, or leave it out by `name`",
    )?;
    if grain == Grain::Document {
        return definition(tags);
    }
    let LiveEntity { id, name, .. } = entity;
    let tags: Vec<Value> = ordered(tags).into_iter().map(item).collect();
    let record = json!({ "id": id, "name": name, "kind": kind, "tags": tags });
    match record {
        Value::Object(record) => Ok(record),
        _ => Err("a record is an object".to_owned()),
    }
}

/// The record of an entity as far as every listing tells it: `{ id, name, kind }`.
pub fn outline(entity: &LiveEntity, kind: &str) -> Object {
    let LiveEntity { id, name, .. } = entity;
    let fields = [("id", json!(id)), ("name", json!(name)), ("kind", json!(kind))];
    fields
        .into_iter()
        .map(|(field, value)| (field.to_owned(), value))
        .collect()
}

/// The tags of an entity in order, each once with its context.
pub(super) fn ordered(tags: &[LiveTag]) -> BTreeSet<(&Tag, &'static str)> {
    let one = |live: &LiveTag| context(live.provenance);
    tags.iter().map(|live| (&live.tag, one(live))).collect()
}

fn item((Tag { key, value }, context): (&Tag, &str)) -> Value {
    json!({ "key": key, "value": value, "context": context })
}

/// Whose a tag is, in a word.
fn context(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Manual => "manual",
        Provenance::Automatic => "automatic",
        Provenance::Undecided => "undecided",
    }
}

fn definition(tags: &[LiveTag]) -> Result<Object, String> {
    let document = tags.iter().find(|live| live.tag.key == DOCUMENT_KEY);
    let text = document.and_then(|live| live.tag.value.as_deref());
    match serde_json::from_str(text.ok_or("the vendor shows no definition of it")?) {
        Ok(Value::Object(document)) => Ok(document),
        Ok(_) | Err(_) => Err("the vendor's definition of it is no JSON object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(tags: Option<Vec<(&str, &str, Provenance)>>) -> LiveEntity {
        let live = |(key, value, provenance): (&str, &str, Provenance)| LiveTag {
            tag: Tag::new(key, Some(value)),
            provenance,
        };
        LiveEntity {
            id: "HOST-1".to_owned(),
            name: Some("web-1".to_owned()),
            tags: tags.map(|tags| tags.into_iter().map(live).collect()),
            handle: None,
        }
    }

    fn told(entity: &LiveEntity, grain: Grain) -> Result<String, String> {
        record(entity, "HOST", grain).map(|record| Value::Object(record).to_string())
    }

    #[test]
    fn an_entity_is_a_record_with_its_tags_in_order() {
        let tags = vec![
            ("env", "prod", Provenance::Undecided),
            ("bare", "", Provenance::Manual),
            ("env", "dev", Provenance::Automatic),
            ("bare", "", Provenance::Manual),
        ];
        let want = r#"{"id":"HOST-1","name":"web-1","kind":"HOST","tags":[{"key":"bare","value":null,"context":"manual"},{"key":"env","value":"dev","context":"automatic"},{"key":"env","value":"prod","context":"undecided"}]}"#;
        assert_eq!(told(&entity(Some(tags)), Grain::Delta).as_deref(), Ok(want));
        let nameless = LiveEntity {
            name: None,
            ..entity(Some(vec![]))
        };
        let want = r#"{"id":"HOST-1","name":null,"kind":"HOST","tags":[]}"#;
        assert_eq!(told(&nameless, Grain::WholeSet).as_deref(), Ok(want));
    }

    #[test]
    fn a_definition_is_its_own_document() {
        let document = r#"{"name":"web-1","rules":[{"z":1.50,"a":null}]}"#;
        let one = |text| entity(Some(vec![(DOCUMENT_KEY, text, Provenance::Manual)]));
        assert_eq!(told(&one(document), Grain::Document).as_deref(), Ok(document));
        assert!(
            told(&one("[]"), Grain::Document)
                .unwrap_err()
                .contains("no JSON object")
        );
        assert!(told(&entity(Some(vec![])), Grain::Document).is_err());
    }

    #[test]
    fn an_outline_is_what_is_told_of_an_entity_that_hides_its_tags() {
        let told = Value::Object(outline(&entity(None), "HOST")).to_string();
        assert_eq!(told, r#"{"id":"HOST-1","name":"web-1","kind":"HOST"}"#);
    }

    #[test]
    fn what_the_vendor_hides_is_no_entity_without_tags() {
        for grain in [Grain::Delta, Grain::WholeSet, Grain::Document] {
            let why = told(&entity(None), grain).unwrap_err();
            assert!(why.contains("does not show what it carries"), "{why}");
        }
    }
}
