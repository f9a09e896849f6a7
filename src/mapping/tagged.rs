//! `tagged` in templates: the first value of each tag of a live record, by key, so that `{{ tagged.env }}` is what a
//! migration needs of it.
//!
//! A key that the entity does not carry is an empty text, as an empty cell is: unlike a column's name, a tag's key is no
//! promise that every row has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde_json::Value as Json;

use crate::model::Fields;

/// The name under which templates reach it, unless the row has a field of that name.
pub(super) const TAGGED: &str = "tagged";

/// The first value of each key; of a tag without a value, an empty text.
#[derive(Debug)]
struct Tagged(BTreeMap<String, String>);

/// The map for a record with a list `tags` of objects with a `key`, as live records and their exports have; `None` for any
/// other.
pub(super) fn of(fields: &Fields) -> Option<Value> {
    let Fields::Object(object) = fields else {
        return None;
    };
    let tags = object.get("tags")?.as_array()?;
    let mut first = BTreeMap::new();
    for tag in tags {
        let key = tag.get("key").and_then(Json::as_str)?;
        let value = tag.get("value").and_then(Json::as_str).unwrap_or_default();
        first.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    }
    Some(Value::from_object(Tagged(first)))
}

impl Object for Tagged {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(Value::from(self.0.get(key).map_or("", String::as_str)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(Value::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::mapping::mapper::tests::{asked, object, table};

    #[test]
    fn the_first_value_of_a_key_is_reached_by_its_name_and_what_is_not_carried_is_empty() {
        let row = object(
            r#"{"id":"1","tags":[{"key":"env","value":"prod"},{"key":"env","value":"dev"},{"key":"a-b","value":"x"},
                {"key":"bare","value":null}]}"#,
        );
        for (value, want) in [
            ("{{ tagged.env }}", vec!["set k:prod"]),
            ("{{ tagged.env | upper }}!", vec!["set k:PROD!"]),
            ("{{ tagged['a-b'] }}", vec!["set k:x"]),
            ("{{ tagged.bare }}", vec!["1 empty"]),
            ("{{ tagged.owner }}", vec!["1 empty"]),
            (
                "{% for key in tagged %}{{ key }},{% endfor %}",
                vec!["set k:a-b,bare,env,"],
            ),
        ] {
            let rules = format!("tag = [{{ key = 'k', value = \"{value}\" }}]");
            assert_eq!(asked(&rules, &row).unwrap(), want, "{value}");
        }
        for (when, want) in [("tagged.env", 1), ("tagged.owner", 0), ("tagged.env == 'dev'", 0)] {
            let rules = format!("tag = [{{ key = 'k', when = \"{when}\" }}]");
            assert_eq!(asked(&rules, &row).unwrap().len(), want, "{when}");
        }
    }

    #[test]
    fn results_are_not_remembered_from_row_to_row() {
        use crate::mapping::{Entity, Mapper, Options, TagOptions};
        let tag = TagOptions {
            key: "k".to_owned(),
            value: Some("{{ tagged.env }}".to_owned()),
            ..toml::from_str("key = ''").unwrap()
        };
        let options = Options {
            entity: Entity::by_id("{{ id }}"),
            tags: vec![tag],
            tags_from: Vec::new(),
            document: None,
            lookups: BTreeMap::default(),
        };
        let mut mapper = Mapper::compile(&options).unwrap();
        for value in ["prod", "dev"] {
            let row = object(&format!(
                r#"{{"id":"1","tags":[{{"key":"env","value":"{value}"}}]}}"#
            ));
            let mapped = mapper.map(&row).unwrap();
            assert_eq!(mapped.wishes[0].tag.value.as_deref(), Some(value));
        }
    }

    #[test]
    fn a_row_without_a_list_of_tags_has_no_such_map_and_a_field_of_that_name_comes_first() {
        let rules = "tag = [{ key = 'k', value = '{{ tagged.env }}' }]";
        for row in [
            table(&["id"], &["1"]),
            object(r#"{"id":"1"}"#),
            object(r#"{"id":"1","tags":["env=prod"]}"#),
        ] {
            let why = asked(rules, &row).unwrap_err();
            assert!(why.contains("no field `tagged` in this row"), "{why}");
        }
        let own = object(r#"{"id":"1","tags":[],"tagged":{"env":"own"}}"#);
        assert_eq!(asked(rules, &own).unwrap(), ["set k:own"]);
    }
}
