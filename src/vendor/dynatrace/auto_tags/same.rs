//! Whether two documents say the same at the vendor, which keeps no order and fills in what was left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::definition::{Object, parse};
use super::form::Form;
use crate::model::{DOCUMENT_KEY, Tag};

/// Whether a document that is known says the same as another, such as the live one.
///
/// * Lists are sets: rules apply one or another, conditions all, and the vendor hands them back in an order of its own
///   (<https://github.com/dynatrace-oss/terraform-provider-dynatrace/issues/132> and 662).
/// * A field that is `null`, an empty list or its default is one that was left out.
/// * What the server fills in, and fields that are neither documented nor in the known document, are its own business.
pub(super) fn same(form: Form, known: &Tag, other: &Tag) -> bool {
    if known == other {
        return true;
    }
    let [Some(known), Some(other)] = [known, other].map(document) else {
        return false;
    };
    let mut said = form.fields().iter().copied().collect();
    gather(&known, &mut said);
    let mut cases = form.unsaid_case().iter();
    cases.any(|unsaid_case| {
        let plain = Plain {
            form,
            said: &said,
            unsaid_case,
        };
        plain.document(&known) == plain.document(&other)
    })
}

fn document(tag: &Tag) -> Option<Object> {
    let text = tag.value.as_deref().filter(|_| tag.key == DOCUMENT_KEY)?;
    parse(text).ok()
}

/// Every field of an object, at whatever depth.
fn gather<'a>(object: &'a Object, said: &mut BTreeSet<&'a str>) {
    for (field, value) in object {
        said.insert(field);
        gather_in(value, said);
    }
}

fn gather_in<'a>(value: &'a Value, said: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => gather(object, said),
        Value::Array(items) => items.iter().for_each(|item| gather_in(item, said)),
        _ => {}
    }
}

/// Writes a document so that documents which say the same are equal texts.
struct Plain<'a> {
    form: Form,
    said: &'a BTreeSet<&'a str>,
    unsaid_case: &'a str,
}

impl Plain<'_> {
    fn document(&self, document: &Object) -> String {
        let read_only = self.form.read_only();
        self.fields(
            document
                .iter()
                .filter(|(field, _)| !read_only.contains(&field.as_str())),
        )
    }

    /// The text of a value; `None` when it says no more than its absence.
    fn value(&self, value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::Array(items) => {
                let items: BTreeSet<String> = items.iter().filter_map(|item| self.value(item)).collect();
                (!items.is_empty()).then(|| format!("[{}]", Vec::from_iter(items).join(",")))
            }
            Value::Object(object) => {
                // Nothing is compared, so that case does not matter.
                let operator = object.get("operator").and_then(Value::as_str);
                let exists = matches!(operator, Some("EXISTS" | "NOT_EXISTS"));
                let fields = object.iter();
                Some(self.fields(fields.filter(|(field, _)| !(exists && *field == "caseSensitive"))))
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.to_string()),
        }
    }

    fn fields<'v>(&self, fields: impl Iterator<Item = (&'v String, &'v Value)>) -> String {
        let fields: BTreeMap<&str, String> = fields
            .filter(|(field, _)| self.said.contains(field.as_str()))
            .filter_map(|(field, value)| Some((field.as_str(), self.value(value)?)))
            .filter(|(field, text)| !self.is_default(field, text))
            .collect();
        let fields: Vec<String> = fields
            .iter()
            .map(|(field, text)| format!("{field:?}:{text}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    }

    fn is_default(&self, field: &str, text: &str) -> bool {
        let case = ("caseSensitive", self.unsaid_case);
        let mut defaults = self.form.defaults().iter().chain([&case]);
        defaults.any(|default| *default == (field, text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use serde_json::json;

    use super::*;

    fn tag(document: &Value) -> Tag {
        Tag::new(DOCUMENT_KEY, Some(document.to_string()))
    }

    /// A rule of the config API around one comparison.
    fn rule(comparison: &Value) -> Value {
        json!({"name":"a","rules":[{"type":"HOST","enabled":true,"conditions":[
            {"key":{"attribute":"HOST_NAME"},"comparisonInfo":comparison}]}]})
    }

    #[test]
    fn documents_of_the_config_api_say_the_same_whatever_the_server_adds_or_reorders() {
        let bare = json!({"name":"a"});
        let equals = |case: Option<bool>| {
            let mut comparison = json!({"type":"STRING","operator":"EQUALS","value":"x","negate":false});
            if let Some(case) = case {
                comparison["caseSensitive"] = case.into();
            }
            rule(&comparison)
        };
        let exists = |more: &Value| {
            let mut comparison = json!({"type":"STRING","operator":"EXISTS","negate":false});
            comparison["caseSensitive"] = more.clone();
            rule(&comparison)
        };
        let selector = json!({"name":"a","entitySelectorBasedRules":[{"entitySelector":"type(HOST)"}]});
        for (one, other, want) in [
            (&bare, &json!({"name":"b"}), false),
            (
                &bare,
                &json!({"id":"x","metadata":{"clusterVersion":"1"},"name":"a"}),
                true,
            ),
            (
                &bare,
                &json!({"description":null,"name":"a","rules":[],"entitySelectorBasedRules":null}),
                true,
            ),
            (&bare, &json!({"name":"a","description":""}), true),
            (&bare, &json!({"name":"a","description":"x"}), false),
            (&bare, &json!({"name":"a","addedBy":"server"}), true),
            (&json!({"name":"a","addedBy":"me"}), &bare, false),
            (
                &selector,
                &json!({"name":"a","entitySelectorBasedRules":[{"enabled":true,"entitySelector":"type(HOST)",
                "valueFormat":null,"normalization":"LEAVE_TEXT_AS_IS"}]}),
                true,
            ),
            (
                &selector,
                &json!({"name":"a","entitySelectorBasedRules":[{"enabled":false,"entitySelector":"type(HOST)"}]}),
                false,
            ),
            (
                &selector,
                &json!({"name":"a","entitySelectorBasedRules":[{"entitySelector":"type(HOST)",
                "normalization":"TO_LOWER_CASE"}]}),
                false,
            ),
            (&selector, &bare, false),
            (&equals(None), &equals(Some(true)), true),
            (&equals(None), &equals(Some(false)), true),
            (&equals(Some(true)), &equals(Some(false)), false),
            (&exists(&Value::Null), &exists(&json!(false)), true),
            (&exists(&json!(true)), &exists(&json!(false)), true),
            (
                &rule(&json!({"type":"STRING","operator":"EQUALS","value":"x"})),
                &equals(None),
                true,
            ),
            (
                &rule(&json!({"type":"STRING","operator":"EQUALS","value":"x","negate":true})),
                &equals(None),
                false,
            ),
        ] {
            assert_eq!(same(Form::Config, &tag(one), &tag(other)), want, "{one} {other}");
        }
    }

    #[test]
    fn a_static_key_may_name_its_type() {
        let of = |key: Value| json!({"name":"a","rules":[{"type":"HOST","conditions":[{"key":key,"comparisonInfo":{"operator":"EXISTS"}}]}]});
        let plain = of(json!({"attribute":"HOST_NAME"}));
        let named = of(json!({"attribute":"HOST_NAME","type":"STATIC","dynamicKey":null}));
        let string = of(json!({"attribute":"HOST_NAME","type":"STRING"}));
        assert!(same(Form::Config, &tag(&plain), &tag(&named)));
        assert!(!same(Form::Config, &tag(&plain), &tag(&string)));
    }

    #[test]
    fn documents_of_the_settings_schema_say_the_same_with_its_defaults() {
        let me = json!({"name":"a","rules":[{"type":"ME","attributeRule":{"entityType":"HOST","conditions":[
            {"key":"HOST_NAME","operator":"EQUALS","stringValue":"x"}]}}]});
        let filled = json!({"description":null,"name":"a","rules":[{"type":"ME","enabled":true,"valueFormat":null,
            "valueNormalization":"Leave text as-is","attributeRule":{"entityType":"HOST","hostToPGPropagation":false,
            "conditions":[{"key":"HOST_NAME","operator":"EQUALS","stringValue":"x","caseSensitive":true}]}}]});
        let insensitive = json!({"name":"a","rules":[{"type":"ME","attributeRule":{"entityType":"HOST","conditions":[
            {"key":"HOST_NAME","operator":"EQUALS","stringValue":"x","caseSensitive":false}]}}]});
        let propagating = json!({"name":"a","rules":[{"type":"ME","attributeRule":{"entityType":"HOST",
            "hostToPGPropagation":true,"conditions":[{"key":"HOST_NAME","operator":"EQUALS","stringValue":"x"}]}}]});
        for (other, want) in [
            (&me, true),
            (&filled, true),
            (&insensitive, false),
            (&propagating, false),
        ] {
            assert_eq!(same(Form::Settings, &tag(&me), &tag(other)), want, "{other}");
            assert_eq!(same(Form::Settings, &tag(other), &tag(&me)), want, "{other}");
        }
    }

    #[test]
    fn what_is_no_document_is_the_same_as_itself_alone() {
        let text = |text: &str| Tag::new(DOCUMENT_KEY, Some(text));
        assert!(same(Form::Config, &text("no json"), &text("no json")));
        assert!(!same(Form::Config, &text("no json"), &text(r#"{"name":"a"}"#)));
        let other = Tag::new("other", Some(r#"{"name": "a"}"#));
        assert!(!same(Form::Config, &text(r#"{"name":"a"}"#), &other));
    }

    fn condition() -> impl Strategy<Value = Value> {
        (select(&["HOST_NAME", "HOST_OS_TYPE"][..]), "[a-c]{1,2}", any::<bool>()).prop_map(|(attribute, value, negate)| {
            json!({"key":{"attribute":attribute},"comparisonInfo":{"type":"STRING","operator":"EQUALS","value":value,
                "negate":negate,"caseSensitive":true}})
        })
    }

    fn a_rule() -> impl Strategy<Value = Value> {
        let words = vec!["SERVICE_TO_HOST_LIKE", "SERVICE_TO_PROCESS_GROUP_LIKE"];
        let conditions = prop::collection::vec(condition(), 1..4);
        (any::<bool>(), subsequence(words, 0..=2), conditions).prop_map(|(enabled, propagation, conditions)| {
            json!({"type":"SERVICE","enabled":enabled,"propagationTypes":propagation,"conditions":conditions})
        })
    }

    /// A document, and the same with everything reordered and with what a server fills in.
    fn twins() -> impl Strategy<Value = (Value, Value)> {
        let rules = prop::collection::vec(a_rule(), 0..4);
        rules.prop_flat_map(|rules| {
            let shuffled = Just(rules.clone()).prop_shuffle();
            (Just(rules), shuffled).prop_map(|(rules, mut shuffled)| {
                for rule in &mut shuffled {
                    rule["normalization"] = "LEAVE_TEXT_AS_IS".into();
                    for list in ["conditions", "propagationTypes"] {
                        rule[list].as_array_mut().unwrap().reverse();
                    }
                }
                let live = json!({"metadata":{},"id":"x","description":null,"rules":shuffled,"name":"a"});
                (json!({"name":"a","rules":rules}), live)
            })
        })
    }

    proptest! {
        #[test]
        fn order_and_what_a_server_fills_in_never_matter((one, other) in twins()) {
            prop_assert!(same(Form::Config, &tag(&one), &tag(&other)));
            prop_assert!(same(Form::Config, &tag(&other), &tag(&one)));
        }

        #[test]
        fn a_changed_condition_always_matters((one, mut other) in twins(), at in any::<prop::sample::Index>()) {
            let rules = other["rules"].as_array_mut().unwrap();
            prop_assume!(!rules.is_empty());
            let place = at.index(rules.len());
            rules[place]["conditions"][0]["comparisonInfo"]["value"] = "changed".into();
            prop_assert!(!same(Form::Config, &tag(&one), &tag(&other)));
        }
    }
}
