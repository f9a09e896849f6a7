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

    /// Such as `rules[0].type` for `/rules/0/type`.
    fn dotted(pointer: &str) -> String {
        let mut path = String::new();
        for step in pointer.split('/').filter(|step| !step.is_empty()) {
            if step.bytes().all(|b| b.is_ascii_digit()) {
                path.extend(["[", step, "]"]);
            } else {
                path.extend([if path.is_empty() { "" } else { "." }, step]);
            }
        }
        path
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        const RULE: &str = "/rules/0";
        const CONDITION: &str = "/rules/0/conditions/0";
        const KEY: &str = "/rules/0/conditions/0/key";
        const COMPARED: &str = "/rules/0/conditions/0/comparisonInfo";
        let long = |n| Value::from("x".repeat(n));
        for (parent, field, value) in [
            ("", "name", Value::Null),
            ("", "name", json!("")),
            ("", "name", json!(7)),
            ("", "name", long(2_001)),
            ("", "description", json!("")),
            ("", "description", long(1_001)),
            ("", "colour", json!("red")),
            ("", "id", json!(ID)),
            ("", "rules", json!({})),
            ("/rules", "0", json!("rule")),
            (RULE, "type", Value::Null),
            (RULE, "type", json!("host")),
            (RULE, "type", json!("PROCESS_GROUP_INSTANCE")),
            (RULE, "enabled", Value::Null),
            (RULE, "enabled", json!("true")),
            (RULE, "colour", json!(1)),
            (RULE, "normalization", json!("UPPER")),
            (RULE, "propagationTypes", json!(["SERVICE_TO_HOST_LIKE"])),
            (RULE, "propagationTypes", json!("SERVICE_TO_HOST_LIKE")),
            (RULE, "conditions", Value::Null),
            (RULE, "conditions", json!([])),
            (CONDITION, "key", Value::Null),
            (CONDITION, "comparisonInfo", Value::Null),
            (CONDITION, "colour", json!("red")),
            (KEY, "attribute", json!("COLOUR")),
            (KEY, "type", json!("STRING")),
            (KEY, "dynamicKey", json!("x")),
            (COMPARED, "type", json!("STRING")),
            (COMPARED, "type", json!("COLOUR")),
            (COMPARED, "operator", json!("CONTAINS")),
            (COMPARED, "negate", Value::Null),
            (COMPARED, "value", Value::Null),
            (COMPARED, "value", json!("BEOS")),
            (COMPARED, "caseSensitive", json!(true)),
        ] {
            let pointer = format!("{parent}/{field}");
            let body = with(infrastructure(), &pointer, value);
            let error = refusal(&body).unwrap_or_else(|| panic!("accepted: {body}"));
            assert_eq!(error["message"], "Constraints violated.");
            assert_eq!(paths(&error), [dotted(&pointer)], "{error}");
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

    /// Whether a condition is accepted.
    fn is_legal(attribute: &str, comparison: &str, operator: &str, value: &Value) -> bool {
        let compared = json!({"type": comparison, "operator": operator, "value": value, "negate": true});
        let condition = json!({"key": {"attribute": attribute}, "comparisonInfo": compared});
        refusal(&with(infrastructure(), "/rules/0/conditions/0", condition)).is_none()
    }

    #[test]
    fn each_comparison_has_its_operators_and_its_values() {
        let (name, ip, cores, bits) = ("HOST_NAME", "HOST_IP_ADDRESS", "HOST_CPU_CORES", "HOST_BITNESS");
        let range = json!("10.0.0.0/8");
        for (attribute, comparison, operator, value, legal) in [
            (name, "STRING", "REGEX_MATCHES", json!("a.*"), true),
            (name, "STRING", "IS_IP_IN_RANGE", range.clone(), false),
            (name, "INDEXED_NAME", "CONTAINS", json!("web"), true),
            (name, "INDEXED_STRING", "CONTAINS", json!("web"), false),
            (ip, "IP_ADDRESS", "IS_IP_IN_RANGE", range.clone(), true),
            (ip, "STRING", "EQUALS", json!("10.0.0.1"), false),
            (cores, "INTEGER", "GREATER_THAN", json!(4), true),
            (cores, "INTEGER", "GREATER_THAN", json!(-4), true),
            (cores, "INTEGER", "EQUALS", json!(4_294_967_296_i64), false),
            (cores, "INTEGER", "EQUALS", json!(1.5), false),
            (cores, "INTEGER", "EQUALS", json!("4"), false),
            (cores, "INTEGER", "CONTAINS", json!(4), false),
            (bits, "BITNESS", "EQUALS", json!("64"), true),
            (bits, "BITNESS", "EXISTS", Value::Null, true),
            (bits, "BITNESS", "EQUALS", json!("16"), false),
            ("SERVICE_TYPE", "SERVICE_TYPE", "EQUALS", json!("UNIFIED"), true),
            (
                "PROCESS_GROUP_ID",
                "ENTITY_ID",
                "EQUALS",
                json!("PROCESS_GROUP-1"),
                true,
            ),
            ("PROCESS_GROUP_ID", "ENTITY_ID", "EXISTS", Value::Null, false),
        ] {
            let got = is_legal(attribute, comparison, operator, &value);
            assert_eq!(got, legal, "{attribute} {comparison} {operator} {value}");
        }
    }

    #[test]
    fn tags_and_technologies_are_compared_as_objects() {
        let (tags, tech) = ("HOST_TAGS", "HOST_TECHNOLOGY");
        let tag = json!({"context": "AWS", "key": "stage", "value": "prod"});
        let key = json!({"context": "AWS", "key": "stage"});
        let long = "x".repeat(129);
        for (attribute, comparison, operator, value, legal) in [
            (tags, "TAG", "EQUALS", tag.clone(), true),
            (tags, "TAG", "EXISTS", tag, false),
            (tags, "INDEXED_TAG", "EXISTS", Value::Null, true),
            (tags, "TAG", "TAG_KEY_EQUALS", key, true),
            (
                tags,
                "TAG",
                "EQUALS",
                json!({"context": "MARS", "key": "stage"}),
                false,
            ),
            (tags, "TAG", "EQUALS", json!({"context": "AWS", "key": ""}), false),
            (tags, "TAG", "EQUALS", json!({"key": "stage"}), false),
            (tags, "TAG", "EQUALS", json!("stage:prod"), false),
            (tags, "STRING", "EQUALS", json!("stage:prod"), false),
            (tech, "SIMPLE_HOST_TECH", "EQUALS", json!({"type": "BOSH"}), true),
            (
                tech,
                "SIMPLE_HOST_TECH",
                "EQUALS",
                json!({"verbatimType": "own"}),
                true,
            ),
            (tech, "SIMPLE_HOST_TECH", "EQUALS", json!({}), false),
            (
                tech,
                "SIMPLE_HOST_TECH",
                "EQUALS",
                json!({"verbatimType": long}),
                false,
            ),
            (tech, "SIMPLE_HOST_TECH", "EXISTS", Value::Null, true),
        ] {
            let got = is_legal(attribute, comparison, operator, &value);
            assert_eq!(got, legal, "{attribute} {comparison} {operator} {value}");
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
