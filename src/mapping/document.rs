//! The `[document]` table: a row into a whole definition, such as an auto-tag.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::condition::Condition;
use super::error::{MappingError, Place};
use super::lookup::Lookups;
use super::options::{DocumentOptions, Empty};
use super::row::Row;
use super::template::Template;
use super::wishes::Wishes;
use crate::model::{DOCUMENT_KEY, Rule};

/// A compiled `[document]`.
#[derive(Debug, Clone)]
pub(super) struct DocumentRule {
    json: Option<Template>,
    except: Vec<String>,
    when: Option<Condition>,
    rule: Rule,
}

const fn place(key: &'static str) -> Place {
    Place {
        table: "document",
        index: None,
        key,
    }
}

impl DocumentRule {
    /// Compiles the table; collects everything that is wrong with it.
    pub(super) fn compile(
        options: &DocumentOptions,
        lookups: &Lookups,
        errors: &mut Vec<MappingError>,
    ) -> Option<Self> {
        let DocumentOptions {
            json,
            except,
            when,
            action,
        } = options;
        let before = errors.len();
        let json = json.as_deref();
        let json = json.map(|json| Template::compile(json, place("json"), lookups));
        let when = when
            .as_deref()
            .map(|when| Condition::compile(when, place("when"), lookups));
        let json = json.transpose().map_err(|error| errors.push(error)).ok();
        let when = when.transpose().map_err(|error| errors.push(error)).ok();
        if *action == Rule::Add {
            let message = "a definition is put as a whole; use `set`, `fill`, `update` or `remove`";
            errors.push(MappingError::refused(place("action"), message));
        }
        if matches!(json, Some(Some(_))) && !except.is_empty() {
            let message = "`except` leaves fields out of the row, and `json` does not take the row; keep one of the two";
            errors.push(MappingError::refused(place("except"), message));
        }
        if errors.len() > before {
            return None;
        }
        Some(Self {
            json: json?,
            except: except.clone(),
            when: when?,
            rule: *action,
        })
    }

    /// Asks for the definition of a row. `Err` says why the row can't be mapped.
    pub(super) fn apply(&mut self, row: &Row<'_>, wishes: &mut Wishes) -> Result<(), String> {
        let at = |key: &'static str| move |why: String| format!("`{}`: {why}", place(key));
        if let Some(when) = &mut self.when
            && !when.holds(row).map_err(at("when"))?
        {
            return Ok(());
        }
        let key = Cow::Borrowed(DOCUMENT_KEY);
        if self.rule == Rule::Remove {
            return wishes.ask_bare(Rule::Remove, key, Empty::Reject);
        }
        let document = match &mut self.json {
            Some(json) => rendered(&json.render(row).map_err(at("json"))?).map_err(at("json"))?,
            None => row
                .document(&self.except)
                .map_err(|why| format!("`document`: {why}"))?,
        };
        wishes.ask(self.rule, key, document.to_string().into(), Empty::Reject)
    }

    /// The fields that it is known to name.
    pub(super) fn fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = self.json.iter().flat_map(Template::fields).collect();
        fields.extend(self.when.iter().flat_map(Condition::fields));
        fields
    }
}

/// What a template rendered, which must be one JSON object.
fn rendered(text: &str) -> Result<Json, String> {
    match serde_json::from_str(text) {
        Ok(object @ Json::Object(_)) => Ok(object),
        Ok(_) => Err("the template renders JSON that is no object; a definition is one".to_owned()),
        Err(why) => Err(format!(
            "the template renders no JSON: {why}; write values as `{{{{ name | tojson }}}}`, with their quotes"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::mapper::tests::{asked, object, table};

    #[test]
    fn a_json_row_is_the_definition_but_for_what_is_left_out() {
        let row = object(r#"{"id": "1", "z": 1.50, "name": "a", "rules": [{"b": 1, "a": null}]}"#);
        let want = r#"set definition:{"z":1.50,"name":"a","rules":[{"b":1,"a":null}]}"#;
        assert_eq!(
            asked("document = { except = ['id'] }", &row),
            Ok(vec![want.to_owned()])
        );
    }

    #[test]
    fn a_row_is_mapped_into_a_definition_by_a_template() {
        let row = table(&["id", "name", "os"], &["1", "say \"hi\"", "LINUX"]);
        let job =
            r#"document = { json = '{"name": {{ name | tojson }}, "rules": [{"os": {{ os | tojson }}}]}' }"#;
        let want = r#"set definition:{"name":"say \"hi\"","rules":[{"os":"LINUX"}]}"#;
        assert_eq!(asked(job, &row), Ok(vec![want.to_owned()]));
    }

    #[test]
    fn what_can_not_be_a_definition_rejects_the_row_and_says_what_to_do() {
        let row = table(&["id", "name"], &["1", "a\"b"]);
        for (job, part) in [
            ("document = {}", "a row of a table is no definition; give `json`"),
            (r#"document = { json = '{"name": "{{ name }}"}' }"#, "tojson"),
            ("document = { json = '[1]' }", "no object"),
            ("document = { json = '{{ nome }}' }", "did you mean `name`?"),
        ] {
            let why = asked(job, &row).unwrap_err();
            assert!(why.contains(part), "{job}: {why}");
        }
    }

    #[test]
    fn a_definition_can_be_removed_or_asked_for_in_some_rows_alone() {
        let row = object(r#"{"id": "1", "gone": true}"#);
        let removed = asked("document = { action = 'remove' }", &row);
        assert_eq!(removed, Ok(vec!["remove definition".to_owned()]));
        assert_eq!(asked("document = { when = 'not gone' }", &row), Ok(Vec::new()));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let row = object(r#"{"id": "1"}"#);
        for (job, part) in [
            ("document = { action = 'add' }", "put as a whole"),
            (
                "document = { json = '{}', except = ['a'] }",
                "keep one of the two",
            ),
        ] {
            let why = asked(job, &row).unwrap_err();
            assert!(why.contains(part), "{job}: {why}");
        }
    }
}
