//! Reading the object `AutoTag` of the configuration API, and everything that may be wrong with it.

use serde_json::{Value, json};

use super::super::body::unmapped;
use super::super::envelope::Refused;
use super::super::switches::SentMetadata;
use super::definition::{Comparison, Condition, ConditionKey, Definition, Normalization, Rule, SelectorRule};
use super::form::{Form, Style, Violations};
use super::id::Id;
use super::vocabulary::{COMPARISONS, ENTITY_TYPES, Family, KeyType, PROPAGATION, ValueShape, comparison};

/// Characters of a description.
pub(super) const DESCRIPTION: std::ops::RangeInclusive<usize> = 1..=1_000;
/// Conditions of a rule.
pub(super) const CONDITIONS: std::ops::RangeInclusive<usize> = 1..=30;
/// Characters of a name: it becomes a tag's key, which has that limit.
pub(super) const NAME: std::ops::RangeInclusive<usize> = 1..=2_000;
/// Rules of an auto-tag, as the settings schema has it.
pub(super) const RULES: std::ops::RangeInclusive<usize> = 0..=20_000;
/// Contexts of tags.
const CONTEXTS: [&str; 8] = [
    "AWS",
    "AWS_GENERIC",
    "AZURE",
    "CLOUD_FOUNDRY",
    "CONTEXTLESS",
    "ENVIRONMENT",
    "GOOGLE_CLOUD",
    "KUBERNETES",
];

/// Reads a body. `id` is that of the path; without one the body must bear none.
pub(super) fn read(body: &[u8], id: Option<Id>, metadata: SentMetadata) -> Result<Definition, Refused> {
    let body: Value = serde_json::from_slice(body).map_err(|why| unmapped(&why))?;
    let violations = Violations::new(Style::Dots);
    let read = Form::of(&violations, String::new(), &body).map(|mut form| {
        check_id(&mut form, id);
        check_metadata(&mut form, metadata);
        definition(form)
    });
    match violations.pass(read)? {
        Some(definition) => Ok(definition),
        None => Err(Refused::body("", "must be an object")),
    }
}

fn check_id(form: &mut Form<'_, '_>, id: Option<Id>) {
    let Some(sent) = form.any("id") else { return };
    let same = sent.as_str().and_then(|sent| sent.parse().ok());
    match id {
        None => form.blame("id", "must be null"),
        Some(id) if same == Some(id) => {}
        Some(id) => form.blame("id", format!("must match the ID of the path, {id}")),
    }
}

fn check_metadata(form: &mut Form<'_, '_>, metadata: SentMetadata) {
    if form.any("metadata").is_some() && metadata == SentMetadata::Refuse {
        form.blame("metadata", "is read-only");
    }
}

fn definition(mut form: Form<'_, '_>) -> Definition {
    let name = form.text("name", NAME);
    let name = form.required("name", name).unwrap_or_default();
    let description = form.text("description", DESCRIPTION);
    let rules = form.forms("rules", RULES).unwrap_or_default();
    let selectors = form.forms("entitySelectorBasedRules", RULES).unwrap_or_default();
    form.finish();
    Definition {
        name,
        description,
        rules: rules.into_iter().map(rule).collect(),
        entity_selector_based_rules: selectors.into_iter().map(selector_rule).collect(),
    }
}

fn rule(mut form: Form<'_, '_>) -> Rule {
    let r#type = form.word("type", &ENTITY_TYPES);
    let r#type = form.required("type", r#type).unwrap_or_default();
    let enabled = form.flag("enabled");
    let enabled = form.required("enabled", enabled).unwrap_or_default();
    let value_format = form.text("valueFormat", 0..=usize::MAX);
    let normalization = normalization(&mut form);
    let propagation_types = propagation(&mut form, &r#type);
    let conditions = form.forms("conditions", CONDITIONS);
    let conditions = form.required("conditions", conditions).unwrap_or_default();
    form.finish();
    Rule {
        r#type,
        enabled,
        value_format,
        normalization,
        propagation_types,
        conditions: conditions.into_iter().filter_map(condition).collect(),
    }
}

fn normalization(form: &mut Form<'_, '_>) -> Normalization {
    let words = Normalization::ALL.map(Normalization::config_word);
    let sent = form.word("normalization", &words);
    Normalization::ALL
        .into_iter()
        .find(|known| sent.as_deref() == Some(known.config_word()))
        .unwrap_or(Normalization::Leave)
}

fn propagation(form: &mut Form<'_, '_>, entity_type: &str) -> Vec<String> {
    let sent = form.words("propagationTypes", &PROPAGATION.map(|(word, ..)| word));
    for (word, owner, _) in PROPAGATION {
        if owner != entity_type && sent.iter().any(|sent| sent == word) {
            form.blame(
                "propagationTypes",
                format!("{word} is not allowed for rules of the type {entity_type}"),
            );
        }
    }
    // A set, in the order of the vendor's list.
    let is_sent = |word: &&str| sent.iter().any(|sent| sent == word);
    let known = PROPAGATION.iter().map(|(word, ..)| *word);
    known.filter(is_sent).map(str::to_owned).collect()
}

fn selector_rule(mut form: Form<'_, '_>) -> SelectorRule {
    let entity_selector = form.text("entitySelector", 1..=usize::MAX);
    let rule = SelectorRule {
        enabled: form.flag("enabled").unwrap_or(true),
        entity_selector: form
            .required("entitySelector", entity_selector)
            .unwrap_or_default(),
        value_format: form.text("valueFormat", 0..=100),
        normalization: normalization(&mut form),
    };
    form.finish();
    rule
}

fn condition(mut form: Form<'_, '_>) -> Option<Condition> {
    let key = form.form("key");
    let key = form.required("key", key).and_then(condition_key);
    let compared = form.form("comparisonInfo");
    let compared = form.required("comparisonInfo", compared);
    form.finish();
    let family = key.as_ref().and_then(|key| Family::of(&key.attribute));
    let comparison_info = comparison_info(compared?, family)?;
    Some(Condition {
        key: key?,
        comparison_info,
    })
}

fn condition_key(mut form: Form<'_, '_>) -> Option<ConditionKey> {
    let attribute = form.text("attribute", 1..=usize::MAX);
    let attribute = form.required("attribute", attribute)?;
    if Family::of(&attribute).is_none() {
        form.blame("attribute", format!("{attribute} is not a known attribute"));
    }
    let key_type = KeyType::of(&attribute);
    if let Some(sent) = form
        .text("type", 0..=usize::MAX)
        .filter(|sent| sent != key_type.name())
    {
        let message = format!(
            "{sent} is not the type of {attribute}, which is {}",
            key_type.name()
        );
        form.blame("type", message);
    }
    let dynamic_key = dynamic_key(&mut form, key_type);
    form.finish();
    Some(ConditionKey {
        attribute,
        r#type: dynamic_key.as_ref().map(|_| key_type.name().to_owned()),
        dynamic_key,
    })
}

fn dynamic_key(form: &mut Form<'_, '_>, key_type: KeyType) -> Option<Value> {
    match key_type {
        KeyType::Static => {
            if form.any("dynamicKey").is_some() {
                form.blame("dynamicKey", "the attribute takes none");
            }
            None
        }
        KeyType::Text(_) => {
            let key = form.text("dynamicKey", 1..=500);
            form.required("dynamicKey", key).map(Value::from)
        }
        KeyType::Custom(_, sources) => {
            let inner = form.form("dynamicKey");
            let mut inner = form.required("dynamicKey", inner)?;
            let key = inner.text("key", 0..=256);
            let key = inner.required("key", key);
            let source = inner.word("source", sources);
            let source = inner.required("source", source);
            inner.finish();
            Some(json!({"key": key?, "source": source?}))
        }
    }
}

fn comparison_info(mut form: Form<'_, '_>, family: Option<Family>) -> Option<Comparison> {
    let names: Vec<&str> = COMPARISONS.iter().map(|known| known.name).collect();
    let name = form.word("type", &names);
    let known = comparison(&form.required("type", name)?)?;
    if let Some(family) = family.filter(|family| !family.comparisons().contains(&known.name)) {
        let fitting = family.comparisons().join(", ");
        form.blame(
            "type",
            format!("{} does not fit the attribute; use {fitting}", known.name),
        );
    }
    let operator = form.word("operator", known.operators);
    let operator = form.required("operator", operator);
    let negate = form.flag("negate");
    let negate = form.required("negate", negate);
    let exists = operator.as_deref() == Some("EXISTS");
    let value = value(&mut form, known.value);
    let value = if exists {
        None
    } else {
        form.required("value", value)
    };
    let case_sensitive = case_sensitive(&mut form, known.name);
    form.finish();
    Some(Comparison {
        r#type: known.name.to_owned(),
        operator: operator?,
        value,
        negate: negate?,
        case_sensitive: case_sensitive.filter(|_| !exists),
    })
}

/// Case counts unless told, as the settings schema has it.
fn case_sensitive(form: &mut Form<'_, '_>, comparison: &str) -> Option<bool> {
    let sent = form.flag("caseSensitive");
    let takes_case = matches!(comparison, "STRING" | "IP_ADDRESS");
    if sent.is_some() && !takes_case {
        form.blame("caseSensitive", format!("{comparison} takes none"));
    }
    takes_case.then(|| sent.unwrap_or(true))
}

fn value(form: &mut Form<'_, '_>, shape: ValueShape) -> Option<Value> {
    match shape {
        ValueShape::Text => form.text("value", 0..=usize::MAX).map(Value::from),
        ValueShape::Integer => form
            .number("value", i64::from(i32::MIN)..=i64::from(i32::MAX))
            .map(Value::from),
        ValueShape::Word(words) => form.word("value", words).map(Value::from),
        ValueShape::Tag => form.form("value").and_then(tag),
        ValueShape::Technology => form.form("value").and_then(technology),
    }
}

fn tag(mut form: Form<'_, '_>) -> Option<Value> {
    let context = form.word("context", &CONTEXTS);
    let context = form.required("context", context);
    let key = form.text("key", NAME);
    let key = form.required("key", key);
    let value = form.text("value", 0..=2_000);
    form.finish();
    Some(match value {
        Some(value) => json!({"context": context?, "key": key?, "value": value}),
        None => json!({"context": context?, "key": key?}),
    })
}

fn technology(mut form: Form<'_, '_>) -> Option<Value> {
    let known = form.text("type", 1..=500);
    let verbatim = form.text("verbatimType", 0..=128);
    let technology = match (known, verbatim) {
        (Some(known), None) => Some(json!({"type": known})),
        (None, Some(verbatim)) => Some(json!({"verbatimType": verbatim})),
        _ => {
            form.blame("type", "either type or verbatimType must be set");
            None
        }
    };
    form.finish();
    technology
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ID, error, infrastructure, paths, sample, with};
    use super::*;

    fn refusal(body: &Value) -> Option<Value> {
        read(body.to_string().as_bytes(), None, SentMetadata::Ignore)
            .err()
            .map(|refused| error(&refused))
    }

    #[test]
    fn the_vendor_s_examples_are_read() {
        for body in [infrastructure(), sample(), json!({"name": "x"})] {
            assert_eq!(refusal(&body), None, "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        let long = |n| Value::from("x".repeat(n));
        let (rule, key, compared) = (
            "/rules/0",
            "/rules/0/conditions/0/key",
            "/rules/0/conditions/0/comparisonInfo",
        );
        for (pointer, value, want) in [
            ("/name".to_owned(), Value::Null, "name"),
            ("/name".to_owned(), json!(""), "name"),
            ("/name".to_owned(), json!(7), "name"),
            ("/name".to_owned(), long(2_001), "name"),
            ("/description".to_owned(), json!(""), "description"),
            ("/description".to_owned(), long(1_001), "description"),
            ("/colour".to_owned(), json!("red"), "colour"),
            ("/id".to_owned(), json!(ID), "id"),
            ("/rules".to_owned(), json!({}), "rules"),
            (rule.to_owned(), json!("rule"), "rules[0]"),
            (format!("{rule}/type"), Value::Null, "rules[0].type"),
            (format!("{rule}/type"), json!("host"), "rules[0].type"),
            (
                format!("{rule}/type"),
                json!("PROCESS_GROUP_INSTANCE"),
                "rules[0].type",
            ),
            (format!("{rule}/enabled"), Value::Null, "rules[0].enabled"),
            (format!("{rule}/enabled"), json!("true"), "rules[0].enabled"),
            (format!("{rule}/colour"), json!(1), "rules[0].colour"),
            (
                format!("{rule}/normalization"),
                json!("UPPER"),
                "rules[0].normalization",
            ),
            (
                format!("{rule}/propagationTypes"),
                json!(["SIDEWAYS"]),
                "rules[0].propagationTypes[0]",
            ),
            (
                format!("{rule}/propagationTypes"),
                json!(["SERVICE_TO_HOST_LIKE"]),
                "rules[0].propagationTypes",
            ),
            (format!("{rule}/conditions"), Value::Null, "rules[0].conditions"),
            (format!("{rule}/conditions"), json!([]), "rules[0].conditions"),
            (key.to_owned(), Value::Null, "rules[0].conditions[0].key"),
            (
                compared.to_owned(),
                Value::Null,
                "rules[0].conditions[0].comparisonInfo",
            ),
            (
                format!("{key}/attribute"),
                json!("COLOUR"),
                "rules[0].conditions[0].key.attribute",
            ),
            (
                format!("{key}/type"),
                json!("STRING"),
                "rules[0].conditions[0].key.type",
            ),
            (
                format!("{key}/dynamicKey"),
                json!("x"),
                "rules[0].conditions[0].key.dynamicKey",
            ),
            (
                format!("{compared}/type"),
                json!("STRING"),
                "rules[0].conditions[0].comparisonInfo.type",
            ),
            (
                format!("{compared}/type"),
                json!("COLOUR"),
                "rules[0].conditions[0].comparisonInfo.type",
            ),
            (
                format!("{compared}/operator"),
                json!("CONTAINS"),
                "rules[0].conditions[0].comparisonInfo.operator",
            ),
            (
                format!("{compared}/negate"),
                Value::Null,
                "rules[0].conditions[0].comparisonInfo.negate",
            ),
            (
                format!("{compared}/value"),
                Value::Null,
                "rules[0].conditions[0].comparisonInfo.value",
            ),
            (
                format!("{compared}/value"),
                json!("BEOS"),
                "rules[0].conditions[0].comparisonInfo.value",
            ),
            (
                format!("{compared}/caseSensitive"),
                json!(true),
                "rules[0].conditions[0].comparisonInfo.caseSensitive",
            ),
        ] {
            let body = with(infrastructure(), &pointer, value);
            let error = refusal(&body).unwrap_or_else(|| panic!("accepted: {body}"));
            assert_eq!(error["message"], "Constraints violated.");
            assert_eq!(paths(&error), [want], "{pointer}: {error}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let body = json!({"description": "", "rules": [{"type": "X"}], "entitySelectorBasedRules": [{"valueFormat": 1}]});
        let error = refusal(&body).unwrap();
        assert_eq!(
            paths(&error),
            [
                "name",
                "description",
                "rules[0].type",
                "rules[0].enabled",
                "rules[0].conditions",
                "entitySelectorBasedRules[0].entitySelector",
                "entitySelectorBasedRules[0].valueFormat",
            ]
        );
    }

    #[test]
    fn a_rule_has_up_to_thirty_conditions() {
        let condition = infrastructure()["rules"][0]["conditions"][0].clone();
        for (n, refused) in [(1, false), (30, false), (31, true)] {
            let body = with(
                infrastructure(),
                "/rules/0/conditions",
                vec![condition.clone(); n].into(),
            );
            assert_eq!(refusal(&body).is_some(), refused, "{n}");
        }
    }

    #[test]
    fn each_type_of_rule_propagates_in_its_own_ways() {
        for entity_type in ENTITY_TYPES {
            for (word, owner, _) in PROPAGATION {
                let body = with(infrastructure(), "/rules/0/type", entity_type.into());
                let body = with(body, "/rules/0/propagationTypes", json!([word]));
                assert_eq!(
                    refusal(&body).is_none(),
                    owner == entity_type,
                    "{word} of {entity_type}"
                );
            }
        }
    }

    #[test]
    fn each_comparison_has_its_operators_and_its_values() {
        let tag = json!({"context": "AWS", "key": "stage", "value": "prod"});
        for (attribute, comparison, operator, value, legal) in [
            ("HOST_NAME", "STRING", "REGEX_MATCHES", json!("a.*"), true),
            (
                "HOST_NAME",
                "STRING",
                "IS_IP_IN_RANGE",
                json!("10.0.0.0/8"),
                false,
            ),
            (
                "HOST_IP_ADDRESS",
                "IP_ADDRESS",
                "IS_IP_IN_RANGE",
                json!("10.0.0.0/8"),
                true,
            ),
            ("HOST_IP_ADDRESS", "STRING", "EQUALS", json!("10.0.0.1"), false),
            ("HOST_CPU_CORES", "INTEGER", "GREATER_THAN", json!(4), true),
            ("HOST_CPU_CORES", "INTEGER", "GREATER_THAN", json!(-4), true),
            (
                "HOST_CPU_CORES",
                "INTEGER",
                "EQUALS",
                json!(4_294_967_296_i64),
                false,
            ),
            ("HOST_CPU_CORES", "INTEGER", "EQUALS", json!(1.5), false),
            ("HOST_CPU_CORES", "INTEGER", "EQUALS", json!("4"), false),
            ("HOST_CPU_CORES", "INTEGER", "CONTAINS", json!(4), false),
            ("HOST_TAGS", "TAG", "EQUALS", tag.clone(), true),
            ("HOST_TAGS", "TAG", "EXISTS", tag.clone(), false),
            ("HOST_TAGS", "INDEXED_TAG", "EXISTS", Value::Null, true),
            (
                "HOST_TAGS",
                "TAG",
                "TAG_KEY_EQUALS",
                json!({"context": "AWS", "key": "stage"}),
                true,
            ),
            (
                "HOST_TAGS",
                "TAG",
                "EQUALS",
                json!({"context": "MARS", "key": "stage"}),
                false,
            ),
            (
                "HOST_TAGS",
                "TAG",
                "EQUALS",
                json!({"context": "AWS", "key": ""}),
                false,
            ),
            ("HOST_TAGS", "TAG", "EQUALS", json!({"key": "stage"}), false),
            ("HOST_TAGS", "TAG", "EQUALS", json!("stage:prod"), false),
            ("HOST_TAGS", "STRING", "EQUALS", json!("stage:prod"), false),
            ("HOST_NAME", "INDEXED_NAME", "CONTAINS", json!("web"), true),
            ("HOST_NAME", "INDEXED_STRING", "CONTAINS", json!("web"), false),
            (
                "PROCESS_GROUP_ID",
                "ENTITY_ID",
                "EQUALS",
                json!("PROCESS_GROUP-0000000000000001"),
                true,
            ),
            ("PROCESS_GROUP_ID", "ENTITY_ID", "EXISTS", Value::Null, false),
            (
                "HOST_TECHNOLOGY",
                "SIMPLE_HOST_TECH",
                "EQUALS",
                json!({"type": "BOSH"}),
                true,
            ),
            (
                "HOST_TECHNOLOGY",
                "SIMPLE_HOST_TECH",
                "EQUALS",
                json!({"verbatimType": "own"}),
                true,
            ),
            ("HOST_TECHNOLOGY", "SIMPLE_HOST_TECH", "EQUALS", json!({}), false),
            (
                "HOST_TECHNOLOGY",
                "SIMPLE_HOST_TECH",
                "EQUALS",
                json!({"verbatimType": "x".repeat(129)}),
                false,
            ),
            ("HOST_BITNESS", "BITNESS", "EQUALS", json!("64"), true),
            ("HOST_BITNESS", "BITNESS", "EXISTS", Value::Null, true),
            ("HOST_BITNESS", "BITNESS", "EQUALS", json!("16"), false),
            (
                "SERVICE_TYPE",
                "SERVICE_TYPE",
                "EQUALS",
                json!("DATABASE_SERVICE"),
                true,
            ),
        ] {
            let compared = json!({"type": comparison, "operator": operator, "value": value, "negate": true});
            let condition = json!({"key": {"attribute": attribute}, "comparisonInfo": compared});
            let body = with(infrastructure(), "/rules/0/conditions/0", condition);
            let refusal = refusal(&body);
            assert_eq!(
                refusal.is_none(),
                legal,
                "{attribute} {comparison} {operator} {value}: {refusal:?}"
            );
        }
    }

    #[test]
    fn a_dynamic_key_has_the_form_of_its_attribute() {
        for (attribute, key, legal) in [
            (
                "PROCESS_GROUP_CUSTOM_METADATA",
                json!({"key": "k", "source": "PLUGIN"}),
                true,
            ),
            (
                "PROCESS_GROUP_CUSTOM_METADATA",
                json!({"key": "x".repeat(257), "source": "PLUGIN"}),
                false,
            ),
            (
                "PROCESS_GROUP_CUSTOM_METADATA",
                json!({"key": "k", "source": "MARS"}),
                false,
            ),
            ("PROCESS_GROUP_CUSTOM_METADATA", json!({"key": "k"}), false),
            ("PROCESS_GROUP_CUSTOM_METADATA", json!("k"), false),
            ("PROCESS_GROUP_CUSTOM_METADATA", Value::Null, false),
            (
                "HOST_CUSTOM_METADATA",
                json!({"key": "k", "source": "GOOGLE_COMPUTE_ENGINE"}),
                true,
            ),
            (
                "HOST_CUSTOM_METADATA",
                json!({"key": "k", "source": "AGENT"}),
                false,
            ),
            (
                "PROCESS_GROUP_PREDEFINED_METADATA",
                json!("JAVA_MAIN_CLASS"),
                true,
            ),
            ("CUSTOM_DEVICE_METADATA", json!("any"), true),
            (
                "CUSTOM_DEVICE_METADATA",
                json!({"key": "k", "source": "PLUGIN"}),
                false,
            ),
        ] {
            let condition = json!({
                "key": {"attribute": attribute, "dynamicKey": key},
                "comparisonInfo": {"type": "STRING", "operator": "EXISTS", "negate": false},
            });
            let body = with(infrastructure(), "/rules/0/conditions/0", condition);
            assert_eq!(refusal(&body).is_none(), legal, "{attribute} {key}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["", "{", "[]", "null", "7", r#"{"name":"a","name":"b""#] {
            assert!(
                read(body.as_bytes(), None, SentMetadata::Ignore).is_err(),
                "{body}"
            );
        }
    }
}
