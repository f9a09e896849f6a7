//! A definition as a value of the schema `builtin:tags.auto-tagging`.

use serde_json::{Map, Value};

use super::super::switches::Representation;
use super::super::tag_text::{CONTEXTLESS, representation};
use super::definition::{Condition, Definition, Rule, SelectorRule};
use super::settings_form::{NOT, VERBATIM};
use super::vocabulary::{Family, PROPAGATION, takes_case};

/// The value. Rules of both sorts are one list, those of attributes first.
pub(super) fn value(definition: &Definition) -> Value {
    let rules = definition.rules.iter().map(attribute_rule);
    let selectors = definition.entity_selector_based_rules.iter().map(selector_rule);
    object([
        ("name", Some(definition.name.as_str().into())),
        ("description", definition.description.as_deref().map(Value::from)),
        ("rules", Some(rules.chain(selectors).collect())),
    ])
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let present = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect())
}

fn attribute_rule(rule: &Rule) -> Value {
    let mut attributes = Map::new();
    attributes.insert("entityType".to_owned(), rule.r#type.as_str().into());
    for (word, _, property) in PROPAGATION.iter().filter(|(_, owner, _)| *owner == rule.r#type) {
        let propagates = rule.propagation_types.iter().any(|sent| sent == word);
        attributes.insert((*property).to_owned(), propagates.into());
    }
    let conditions: Value = rule.conditions.iter().map(condition).collect();
    attributes.insert("conditions".to_owned(), conditions);
    object([
        ("type", Some("ME".into())),
        ("enabled", Some(rule.enabled.into())),
        ("valueFormat", rule.value_format.as_deref().and_then(format)),
        (
            "valueNormalization",
            Some(rule.normalization.settings_word().into()),
        ),
        ("attributeRule", Some(attributes.into())),
    ])
}

fn selector_rule(rule: &SelectorRule) -> Value {
    object([
        ("type", Some("SELECTOR".into())),
        ("enabled", Some(rule.enabled.into())),
        ("valueFormat", rule.value_format.as_deref().and_then(format)),
        (
            "valueNormalization",
            Some(rule.normalization.settings_word().into()),
        ),
        ("entitySelector", Some(rule.entity_selector.as_str().into())),
    ])
}

/// The schema knows no empty format.
fn format(text: &str) -> Option<Value> {
    Some(text).filter(|text| !text.is_empty()).map(Value::from)
}

fn condition(condition: &Condition) -> Value {
    let Condition {
        key,
        comparison_info: compared,
    } = condition;
    let negation = if compared.negate { NOT } else { "" };
    let (dynamic_key, source) = match &key.dynamic_key {
        Some(Value::Object(parts)) => (parts.get("key").cloned(), parts.get("source").cloned()),
        other => (other.clone(), None),
    };
    let mut shown = object([
        ("key", Some(key.attribute.as_str().into())),
        ("dynamicKey", dynamic_key),
        ("dynamicKeySource", source),
        (
            "operator",
            Some(format!("{negation}{}", compared.operator).into()),
        ),
    ]);
    if let (Some(value), Value::Object(fields)) = (&compared.value, &mut shown) {
        let family = Family::of(&key.attribute);
        fields.extend(
            values(family, value)
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        if takes_case(&key.attribute) {
            let case = compared.case_sensitive.unwrap_or(true);
            fields.insert("caseSensitive".to_owned(), case.into());
        }
    }
    shown
}

/// The property, or the two for a technology in free text, that hold a value.
fn values(family: Option<Family>, value: &Value) -> Vec<(&'static str, Value)> {
    match (family, value) {
        (Some(Family::Tag), Value::Object(tag)) => {
            let part = |name| tag.get(name).and_then(Value::as_str);
            let (context, key) = (
                part("context").unwrap_or(CONTEXTLESS),
                part("key").unwrap_or_default(),
            );
            let text = representation(context, key, part("value"), Representation::Escaped);
            vec![("tag", text.into())]
        }
        (Some(Family::Choice(_)), Value::Object(technology)) => match technology.get("verbatimType") {
            Some(text) => vec![("enumValue", VERBATIM.into()), ("stringValue", text.clone())],
            None => vec![("enumValue", technology.get("type").cloned().unwrap_or_default())],
        },
        (Some(Family::Choice(_)), _) => vec![("enumValue", value.clone())],
        (Some(Family::Integer), _) => vec![("integerValue", value.clone())],
        (Some(Family::Entity), _) => vec![("entityId", value.clone())],
        _ => vec![("stringValue", value.clone())],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::super::switches::{SentMetadata, Switches};
    use super::super::definition::Normalization;
    use super::super::testing::{infrastructure, sample, shop};
    use super::super::{config_form, settings_form};
    use super::*;

    fn of_config(body: &Value) -> Definition {
        config_form::read(body.to_string().as_bytes(), None, SentMetadata::Ignore).unwrap()
    }

    fn of_settings(value: &Value) -> Definition {
        settings_form::read(value, String::new(), &Switches::default()).unwrap()
    }

    #[test]
    fn a_value_comes_back_as_it_was_sent() {
        assert_eq!(value(&of_settings(&shop())), shop());
    }

    #[test]
    fn the_examples_of_one_api_are_told_in_the_other() {
        let shown = value(&of_config(&infrastructure()));
        assert_eq!(
            shown["rules"][0]["attributeRule"],
            json!({
                "entityType": "HOST",
                "hostToPGPropagation": false,
                "conditions": [
                    {"key": "HOST_OS_TYPE", "operator": "EQUALS", "enumValue": "LINUX"},
                    {"key": "HOST_NAME", "operator": "NOT_BEGINS_WITH", "stringValue": "PreProd", "caseSensitive": true},
                    {"key": "HOST_GROUP_NAME", "operator": "CONTAINS", "stringValue": "production", "caseSensitive": true},
                ],
            })
        );
        let shown = value(&of_config(&sample()));
        assert_eq!(
            shown["rules"][0]["attributeRule"]["conditions"][2],
            json!({
                "key": "PROCESS_GROUP_CUSTOM_METADATA", "dynamicKey": "kubernetes.io/limit-ranger",
                "dynamicKeySource": "KUBERNETES", "operator": "BEGINS_WITH", "stringValue": "sample", "caseSensitive": false,
            })
        );
        assert_eq!(
            shown["rules"][0]["attributeRule"]["serviceToHostPropagation"],
            json!(true)
        );
        assert_eq!(shown["rules"][1]["type"], "SELECTOR");
        let definition = of_settings(&shop());
        let tag = &definition.rules[0].conditions[1].comparison_info;
        assert_eq!(tag.r#type, "TAG");
        assert_eq!(
            tag.value,
            Some(json!({"context": "AWS", "key": "stage", "value": "prod"}))
        );
    }

    fn tag() -> impl Strategy<Value = Value> {
        let context = prop::sample::select(vec!["CONTEXTLESS", "AWS", "KUBERNETES"]);
        (context, "[a-z:/]{1,6}", prop::option::of("[a-z:/]{1,6}")).prop_map(|(context, key, value)| {
            match value {
                Some(value) => json!({"context": context, "key": key, "value": value}),
                None => json!({"context": context, "key": key}),
            }
        })
    }

    /// Attribute, type, operators and value of comparisons that both APIs can tell.
    fn comparison() -> impl Strategy<Value = (&'static str, &'static str, &'static str, Value)> {
        let text = "[a-z]{1,8}".prop_map(Value::from);
        let texts = ("[a-z]{1,8}").prop_map(|text| json!({"verbatimType": text}));
        prop_oneof![
            (
                prop::sample::select(vec!["EQUALS", "CONTAINS", "EXISTS"]),
                text.clone()
            )
                .prop_map(|(operator, value)| ("HOST_NAME", "STRING", operator, value)),
            text.clone()
                .prop_map(|value| ("AZURE_TENANT_NAME", "STRING", "EQUALS", value)),
            text.prop_map(|value| ("HOST_IP_ADDRESS", "IP_ADDRESS", "IS_IP_IN_RANGE", value)),
            (0..=i32::MAX).prop_map(|n| ("HOST_CPU_CORES", "INTEGER", "LOWER_THAN", n.into())),
            tag().prop_map(|tag| ("HOST_TAGS", "TAG", "EQUALS", tag)),
            Just(("HOST_TAGS", "INDEXED_TAG", "EXISTS", Value::Null)),
            Just(("HOST_OS_TYPE", "OS_TYPE", "EQUALS", json!("AIX"))),
            Just((
                "PROCESS_GROUP_ID",
                "ENTITY_ID",
                "EQUALS",
                json!("PROCESS_GROUP-0000000000000001")
            )),
            Just((
                "QUEUE_TECHNOLOGY",
                "SIMPLE_TECH",
                "EQUALS",
                json!({"type": "KAFKA"})
            )),
            texts.prop_map(|value| ("HOST_TECHNOLOGY", "SIMPLE_HOST_TECH", "EQUALS", value)),
        ]
    }

    fn condition() -> impl Strategy<Value = Value> {
        (comparison(), any::<bool>()).prop_map(|((attribute, comparison, operator, value), negate)| {
            json!({
                "key": {"attribute": attribute},
                "comparisonInfo": {"type": comparison, "operator": operator, "value": value, "negate": negate},
            })
        })
    }

    proptest! {
        #[test]
        fn both_apis_tell_the_same_definition(
            conditions in prop::collection::vec(condition(), 1..5),
            kind in prop::sample::select(vec!["HOST", "SERVICE", "AZURE", "HTTP_CHECK"]),
            propagated in prop::bits::u8::between(0, 7),
            format in prop::option::of("[a-z]{1,5}"),
            normalization in prop::sample::select(Normalization::ALL.to_vec()),
        ) {
            let ways: Vec<_> = PROPAGATION
                .iter()
                .enumerate()
                .filter(|(n, (_, owner, _))| *owner == kind && propagated >> n & 1 == 1)
                .map(|(_, (word, ..))| *word)
                .collect();
            let definition = of_config(&json!({
                "name": "x",
                "rules": [{
                    "type": kind, "enabled": false, "valueFormat": format, "normalization": normalization,
                    "propagationTypes": ways, "conditions": conditions,
                }],
                "entitySelectorBasedRules": [{"entitySelector": "type(HOST)", "normalization": normalization}],
            }));
            let again = of_settings(&value(&definition));
            let mut want = definition;
            for condition in want.rules.iter_mut().flat_map(|rule| &mut rule.conditions) {
                // The settings API can't say for these whether case counts.
                if !takes_case(&condition.key.attribute) {
                    condition.comparison_info.case_sensitive = None;
                }
            }
            prop_assert_eq!(again, want);
        }
    }
}
