//! Reading a value of the schema `builtin:tags.auto-tagging`, and everything that may be wrong with it.

use serde_json::{Value, json};

use super::super::envelope::Refused;
use super::super::switches::{Inapplicable, OmittedProperty, Switches};
use super::super::tag_text::{CONTEXTLESS, TagPattern};
use super::config_form::{CONDITIONS, DESCRIPTION, NAME, RULES};
use super::definition::{Comparison, Condition, ConditionKey, Definition, Normalization, Rule, SelectorRule};
use super::form::{Form, Style, Violations};
use super::vocabulary::{ENTITY_TYPES, Family, KeyType, PROPAGATION, ValueShape, comparison, takes_case};

/// What a negated operator begins with.
pub(super) const NOT: &str = "NOT_";
/// The word for a technology that is not in the vendor's list.
pub(super) const VERBATIM: &str = "VERBATIM";

/// Reads the value at a path such as `builtin:tags.auto-tagging/0`.
pub(super) fn read(value: &Value, path: String, switches: &Switches) -> Result<Definition, Refused> {
    let violations = Violations::new(Style::Slashes);
    let reader = Reader(switches);
    let read = Form::of(&violations, path.clone(), value).map(|form| reader.definition(form));
    match violations.pass(read)? {
        Some(definition) => Ok(definition),
        None => Err(Refused::body(path, "must be an object")),
    }
}

/// The two sorts of rules, of which one list is made in the settings API.
enum AnyRule {
    Attribute(Rule),
    Selector(SelectorRule),
}

/// What rules of both sorts have.
struct Common {
    enabled: bool,
    value_format: Option<String>,
    normalization: Normalization,
}

#[derive(Clone, Copy)]
struct Reader<'s>(&'s Switches);

impl Reader<'_> {
    fn definition(self, mut form: Form<'_, '_>) -> Definition {
        let name = form.text("name", NAME);
        let name = form.required("name", name).unwrap_or_default();
        if name.trim().is_empty() && !name.is_empty() {
            form.blame("name", "must not be blank");
        } else if name.trim() != name {
            form.blame("name", "must not begin or end with white space");
        }
        let description = form.text("description", DESCRIPTION);
        let rules = form.forms("rules", RULES);
        let rules = self.or_default(&form, "rules", rules, Vec::new());
        form.finish();
        let mut definition = Definition {
            name,
            description,
            rules: Vec::new(),
            entity_selector_based_rules: Vec::new(),
        };
        for rule in rules.into_iter().filter_map(|form| self.rule(form)) {
            match rule {
                AnyRule::Attribute(rule) => definition.rules.push(rule),
                AnyRule::Selector(rule) => definition.entity_selector_based_rules.push(rule),
            }
        }
        definition
    }

    /// What was read, or the schema's default where that may stand for it.
    fn or_default<T>(self, form: &Form<'_, '_>, name: &str, read: Option<T>, default: T) -> T {
        let read = match self.0.omitted_property {
            OmittedProperty::Filled => read,
            OmittedProperty::Refuse => form.required(name, read),
        };
        read.unwrap_or(default)
    }

    /// Whether a property may be read. One that is there although its precondition does not hold is refused or passed over.
    fn applies(self, form: &mut Form<'_, '_>, name: &'static str, holds: bool) -> bool {
        let is_there = form.any(name).is_some();
        if is_there && !holds && self.0.inapplicable == Inapplicable::Refuse {
            form.blame(name, "must not be set, its precondition does not hold");
        }
        holds
    }

    fn rule(self, mut form: Form<'_, '_>) -> Option<AnyRule> {
        let sort = form.word("type", &["ME", "SELECTOR"]);
        // Without it there is no telling what else belongs there.
        let by_attributes = form.required("type", sort)? == "ME";
        let common = self.common(&mut form);
        let attributes = self
            .applies(&mut form, "attributeRule", by_attributes)
            .then(|| form.form("attributeRule"))
            .and_then(|inner| form.required("attributeRule", inner));
        let selector = self.text(&mut form, "entitySelector", 10_000, !by_attributes);
        form.finish();
        if by_attributes {
            return self.attribute_rule(attributes?, common).map(AnyRule::Attribute);
        }
        Some(AnyRule::Selector(SelectorRule {
            enabled: common.enabled,
            entity_selector: selector?,
            value_format: common.value_format,
            normalization: common.normalization,
        }))
    }

    fn common(self, form: &mut Form<'_, '_>) -> Common {
        let enabled = form.flag("enabled");
        let value_format = form.text("valueFormat", 1..=usize::MAX);
        if value_format.as_ref().is_some_and(|text| text.trim() != text) {
            form.blame("valueFormat", "must not begin or end with white space");
        }
        let words = Normalization::ALL.map(Normalization::settings_word);
        let word = form.word("valueNormalization", &words);
        let word = self.or_default(form, "valueNormalization", word, words[0].to_owned());
        let normalization = Normalization::ALL
            .into_iter()
            .find(|known| known.settings_word() == word);
        Common {
            enabled: self.or_default(form, "enabled", enabled, true),
            value_format,
            normalization: normalization.unwrap_or(Normalization::Leave),
        }
    }

    fn attribute_rule(self, mut form: Form<'_, '_>, common: Common) -> Option<Rule> {
        let entity_type = form.word("entityType", &ENTITY_TYPES);
        let entity_type = form.required("entityType", entity_type)?;
        let mut propagation_types = Vec::new();
        for (word, owner, property) in PROPAGATION {
            if self.applies(&mut form, property, entity_type == owner) {
                let sent = form.flag(property);
                if self.or_default(&form, property, sent, false) {
                    propagation_types.push(word.to_owned());
                }
            }
        }
        let conditions = form.forms("conditions", CONDITIONS);
        let conditions = form.required("conditions", conditions).unwrap_or_default();
        form.finish();
        let conditions = conditions.into_iter().filter_map(|form| self.condition(form));
        let conditions = conditions.collect();
        Some(Rule {
            r#type: entity_type,
            enabled: common.enabled,
            value_format: common.value_format,
            normalization: common.normalization,
            propagation_types,
            conditions,
        })
    }

    fn condition(self, mut form: Form<'_, '_>) -> Option<Condition> {
        let attribute = form.text("key", 1..=usize::MAX);
        let attribute = form.required("key", attribute).unwrap_or_default();
        let family = Family::of(&attribute);
        if family.is_none() && !attribute.is_empty() {
            form.blame("key", format!("{attribute} is not a known attribute"));
        }
        let operator = form.text("operator", 1..=usize::MAX);
        let operator = form.required("operator", operator);
        let key = self.key(&mut form, attribute);
        // Without both there is no telling which of the other properties belong there.
        let read = family
            .zip(operator)
            .and_then(|(family, operator)| self.comparison(&mut form, &key.attribute, family, &operator));
        if read.is_some() {
            form.finish();
        }
        Some(Condition {
            key,
            comparison_info: read?,
        })
    }

    fn key(self, form: &mut Form<'_, '_>, attribute: String) -> ConditionKey {
        let key_type = KeyType::of(&attribute);
        let (dynamic, custom) = match key_type {
            KeyType::Static => (false, false),
            KeyType::Text(_) => (true, false),
            KeyType::Custom(..) => (true, true),
        };
        let key = self.text(form, "dynamicKey", 500, dynamic);
        let source = self.text(form, "dynamicKeySource", 500, custom);
        let dynamic_key = match (key, source) {
            (Some(key), Some(source)) => Some(json!({"key": key, "source": source})),
            (Some(key), None) if !custom => Some(Value::from(key)),
            _ => None,
        };
        ConditionKey {
            attribute,
            r#type: dynamic_key.as_ref().map(|_| key_type.name().to_owned()),
            dynamic_key,
        }
    }

    /// A text that must be there when its precondition holds.
    fn text(self, form: &mut Form<'_, '_>, name: &'static str, max: usize, holds: bool) -> Option<String> {
        if !self.applies(form, name, holds) {
            return None;
        }
        let text = not_blank(form, name, max);
        form.required(name, text)
    }

    fn comparison(
        self,
        form: &mut Form<'_, '_>,
        attribute: &str,
        family: Family,
        operator: &str,
    ) -> Option<Comparison> {
        let plain = operator.strip_prefix(NOT).unwrap_or(operator);
        let Some((name, shape)) = comparison_type(family, plain) else {
            form.blame(
                "operator",
                format!("{operator} is not an operator for {attribute}"),
            );
            return None;
        };
        let exists = plain == "EXISTS";
        let value = self.value(form, family, shape, exists);
        let cased = takes_case(attribute) && !exists;
        let sent = self
            .applies(form, "caseSensitive", cased)
            .then(|| form.flag("caseSensitive"));
        let case_sensitive = sent.map(|sent| self.or_default(form, "caseSensitive", sent, true));
        Some(Comparison {
            r#type: name.to_owned(),
            operator: plain.to_owned(),
            value,
            negate: plain.len() < operator.len(),
            case_sensitive,
        })
    }

    /// The value, out of the one property of five that fits the attribute.
    fn value(
        self,
        form: &mut Form<'_, '_>,
        family: Family,
        shape: ValueShape,
        exists: bool,
    ) -> Option<Value> {
        let holds = |fits: bool| fits && !exists;
        let choice = self.text(form, "enumValue", 500, holds(matches!(family, Family::Choice(_))));
        if let (ValueShape::Word(words), Some(word)) = (shape, &choice)
            && !words.contains(&&**word)
        {
            form.blame("enumValue", format!("{word} is not one of {}", words.join(", ")));
        }
        let verbatim = shape == ValueShape::Technology && choice.as_deref() == Some(VERBATIM);
        let is_text = matches!(family, Family::Text | Family::Ip) || verbatim;
        let text = self.text(form, "stringValue", 150, holds(is_text));
        let entity = self.text(form, "entityId", 500, holds(family == Family::Entity));
        let tag = self.text(form, "tag", 4_025, holds(family == Family::Tag));
        let integer = self
            .applies(form, "integerValue", holds(family == Family::Integer))
            .then(|| form.number("integerValue", 0..=i64::from(i32::MAX)))
            .and_then(|number| form.required("integerValue", number));
        match shape {
            ValueShape::Technology if verbatim => text.map(|text| json!({"verbatimType": text})),
            ValueShape::Technology => choice.map(|word| json!({"type": word})),
            ValueShape::Word(_) => choice.map(Value::from),
            ValueShape::Integer => integer.map(Value::from),
            ValueShape::Tag => tag.map(|text| tag_info(&text)),
            ValueShape::Text => text.or(entity).map(Value::from),
        }
    }
}

fn not_blank(form: &mut Form<'_, '_>, name: &'static str, max: usize) -> Option<String> {
    let text = form.text(name, 1..=max)?;
    if text.trim().is_empty() && !text.is_empty() {
        form.blame(name, "must not be blank");
    }
    Some(text)
}

/// The first type of comparison of a family that has the operator, and what it compares with. That of tags depends on the
/// operator: only indexed ones can be asked whether they exist.
fn comparison_type(family: Family, operator: &str) -> Option<(&'static str, ValueShape)> {
    let types = family.comparisons().iter().filter_map(|name| comparison(name));
    let mut types = types.filter(|known| known.operators.contains(&operator));
    let first = types.next()?;
    let found = match family {
        Family::Tag => types.next().unwrap_or(first),
        _ => first,
    };
    Some((found.name, found.value))
}

/// The object `TagInfo` of a text such as `[AWS]stage:prod`.
fn tag_info(text: &str) -> Value {
    let TagPattern { context, key, value } = TagPattern::parse(text);
    let context = if context.is_empty() { CONTEXTLESS } else { &context };
    match value {
        Some(value) => json!({"context": context, "key": key, "value": value}),
        None => json!({"context": context, "key": key}),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::switches::SwitchSet as _;
    use super::super::testing::{error, paths, shop, with};
    use super::*;

    const RULE: &str = "/rules/0";
    const ATTRIBUTES: &str = "/rules/0/attributeRule";
    const FIRST: &str = "/rules/0/attributeRule/conditions/0";
    const SECOND: &str = "/rules/0/attributeRule/conditions/1";
    const SELECTOR: &str = "/rules/1";

    fn switches(name: &str, word: &str) -> Switches {
        let mut switches = Switches::default();
        assert_eq!(switches.set(name, word), Ok(true));
        switches
    }

    fn refusal_with(value: &Value, switches: &Switches) -> Option<Value> {
        read(value, "builtin:tags.auto-tagging/0".to_owned(), switches)
            .err()
            .map(|refused| error(&refused))
    }

    fn refusal(value: &Value) -> Option<Value> {
        refusal_with(value, &Switches::default())
    }

    #[test]
    fn the_vendor_s_example_is_read() {
        assert_eq!(refusal(&shop()), None);
        let minimal = json!({"name": "x", "rules": []});
        assert_eq!(refusal(&minimal), None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        let long = |n| Value::from("x".repeat(n));
        for (parent, field, value) in [
            ("", "name", Value::Null),
            ("", "name", json!("")),
            ("", "name", json!("  ")),
            ("", "name", json!(" x")),
            ("", "name", json!("x ")),
            ("", "name", long(2_001)),
            ("", "description", json!("")),
            ("", "description", long(1_001)),
            ("", "colour", json!("red")),
            ("", "rules", json!("none")),
            (RULE, "type", Value::Null),
            (RULE, "type", json!("me")),
            (RULE, "enabled", json!(1)),
            (RULE, "valueFormat", json!("")),
            (RULE, "valueFormat", json!("x ")),
            (RULE, "valueNormalization", json!("TO_UPPER_CASE")),
            (RULE, "attributeRule", Value::Null),
            (RULE, "entitySelector", json!("type(HOST)")),
            (RULE, "colour", json!("red")),
            (ATTRIBUTES, "entityType", Value::Null),
            (ATTRIBUTES, "entityType", json!("PROCESS_GROUP_INSTANCE")),
            (ATTRIBUTES, "serviceToHostPropagation", json!(false)),
            (ATTRIBUTES, "hostToPGPropagation", json!(true)),
            (ATTRIBUTES, "pgToHostPropagation", json!("yes")),
            (ATTRIBUTES, "conditions", Value::Null),
            (ATTRIBUTES, "conditions", json!([])),
            (FIRST, "key", json!("COLOUR")),
            (FIRST, "key", Value::Null),
            (FIRST, "operator", json!("IS_IP_IN_RANGE")),
            (FIRST, "operator", json!("NOT_NOT_EQUALS")),
            (FIRST, "operator", Value::Null),
            (FIRST, "stringValue", Value::Null),
            (FIRST, "stringValue", json!("")),
            (FIRST, "stringValue", json!("  ")),
            (FIRST, "stringValue", long(151)),
            (FIRST, "integerValue", json!(1)),
            (FIRST, "enumValue", json!("LINUX")),
            (FIRST, "entityId", json!("HOST-0000000000000001")),
            (FIRST, "tag", json!("a")),
            (FIRST, "dynamicKey", json!("a")),
            (FIRST, "dynamicKeySource", json!("a")),
            (FIRST, "caseSensitive", json!("yes")),
            (FIRST, "colour", json!("red")),
            (SECOND, "tag", Value::Null),
            (SECOND, "tag", long(4_026)),
            (SECOND, "caseSensitive", json!(true)),
            (SELECTOR, "entitySelector", Value::Null),
            (SELECTOR, "entitySelector", json!("")),
            (SELECTOR, "entitySelector", long(10_001)),
            (SELECTOR, "attributeRule", json!({})),
        ] {
            let body = with(shop(), &format!("{parent}/{field}"), value);
            let error = refusal(&body).unwrap_or_else(|| panic!("accepted: {body}"));
            let want = format!("builtin:tags.auto-tagging/0{parent}/{field}");
            assert_eq!(paths(&error), [want], "{error}");
        }
    }

    /// Whether a condition of an attribute is accepted with an operator and more properties.
    fn is_legal(attribute: &str, operator: &str, more: &Value) -> bool {
        let mut condition = json!({"key": attribute, "operator": operator});
        let fields = condition.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        refusal(&with(shop(), FIRST, condition)).is_none()
    }

    #[test]
    fn each_attribute_has_the_operators_and_the_property_that_fit_it() {
        let (name, ip, cores, os) = ("HOST_NAME", "HOST_IP_ADDRESS", "HOST_CPU_CORES", "HOST_OS_TYPE");
        let (group, tags) = ("PROCESS_GROUP_ID", "HOST_TAGS");
        for (attribute, operator, more, legal) in [
            (name, "NOT_REGEX_MATCHES", json!({"stringValue": "a.*"}), true),
            (name, "NOT_EXISTS", json!({}), true),
            (name, "EXISTS", json!({"stringValue": "a"}), false),
            (name, "EXISTS", json!({"caseSensitive": true}), false),
            (name, "GREATER_THAN", json!({"stringValue": "a"}), false),
            (ip, "IS_IP_IN_RANGE", json!({"stringValue": "10.0.0.0/8"}), true),
            (
                ip,
                "EQUALS",
                json!({"stringValue": "::1", "caseSensitive": true}),
                false,
            ),
            (cores, "NOT_LOWER_THAN_OR_EQUAL", json!({"integerValue": 4}), true),
            (cores, "EQUALS", json!({"integerValue": -1}), false),
            (cores, "EQUALS", json!({"integerValue": 2_147_483_648_i64}), false),
            (cores, "EQUALS", json!({"integerValue": "4"}), false),
            (cores, "EQUALS", json!({"stringValue": "4"}), false),
            (os, "NOT_EQUALS", json!({"enumValue": "LINUX"}), true),
            (os, "EQUALS", json!({"enumValue": "BEOS"}), false),
            (os, "EQUALS", json!({"stringValue": "LINUX"}), false),
            (group, "EQUALS", json!({"entityId": "PROCESS_GROUP-01"}), true),
            (group, "EQUALS", json!({"stringValue": "PROCESS_GROUP-01"}), false),
            (tags, "TAG_KEY_EQUALS", json!({"tag": "stage"}), true),
            (tags, "EXISTS", json!({}), true),
            (tags, "CONTAINS", json!({"tag": "stage"}), false),
        ] {
            assert_eq!(
                is_legal(attribute, operator, &more),
                legal,
                "{attribute} {operator} {more}"
            );
        }
    }

    #[test]
    fn technologies_in_free_text_and_dynamic_keys_need_a_second_property() {
        let (tech, device, host) = (
            "HOST_TECHNOLOGY",
            "CUSTOM_DEVICE_METADATA",
            "HOST_CUSTOM_METADATA",
        );
        for (attribute, operator, more, legal) in [
            (tech, "EQUALS", json!({"enumValue": "BOSH"}), true),
            (
                tech,
                "EQUALS",
                json!({"enumValue": "VERBATIM", "stringValue": "x"}),
                true,
            ),
            (tech, "EQUALS", json!({"enumValue": "VERBATIM"}), false),
            (
                tech,
                "EQUALS",
                json!({"enumValue": "BOSH", "stringValue": "x"}),
                false,
            ),
            (device, "EXISTS", json!({"dynamicKey": "a"}), true),
            (device, "EXISTS", json!({}), false),
            (
                device,
                "EXISTS",
                json!({"dynamicKey": "a", "dynamicKeySource": "b"}),
                false,
            ),
            (
                host,
                "EXISTS",
                json!({"dynamicKey": "a", "dynamicKeySource": "b"}),
                true,
            ),
            (host, "EXISTS", json!({"dynamicKey": "a"}), false),
        ] {
            assert_eq!(
                is_legal(attribute, operator, &more),
                legal,
                "{attribute} {operator} {more}"
            );
        }
    }

    #[test]
    fn a_property_whose_precondition_fails_is_refused_or_passed_over() {
        let ignore = switches("inapplicable-property", "ignore");
        for (pointer, value) in [
            (format!("{ATTRIBUTES}/serviceToHostPropagation"), json!(true)),
            (format!("{FIRST}/integerValue"), json!(1)),
            (format!("{SECOND}/caseSensitive"), json!(true)),
            (format!("{SELECTOR}/attributeRule"), json!({})),
        ] {
            let body = with(shop(), &pointer, value);
            assert!(refusal(&body).is_some(), "{pointer}");
            assert_eq!(refusal_with(&body, &ignore), None, "{pointer}");
            let plain = read(&shop(), String::new(), &ignore).unwrap();
            assert_eq!(read(&body, String::new(), &ignore).unwrap(), plain, "{pointer}");
        }
    }

    #[test]
    fn a_property_that_is_left_out_gets_its_default_or_is_refused() {
        let strict = switches("omitted-property", "refuse");
        assert_eq!(refusal_with(&shop(), &strict), None);
        let plain = read(&shop(), String::new(), &strict).unwrap();
        for pointer in [
            format!("{RULE}/enabled"),
            format!("{RULE}/valueNormalization"),
            format!("{ATTRIBUTES}/pgToHostPropagation"),
            format!("{FIRST}/caseSensitive"),
        ] {
            let body = with(shop(), &pointer, Value::Null);
            assert_eq!(
                read(&body, String::new(), &Switches::default()).unwrap(),
                plain,
                "{pointer}"
            );
            let error = refusal_with(&body, &strict).unwrap();
            assert_eq!(paths(&error), [format!("builtin:tags.auto-tagging/0{pointer}")]);
        }
    }
}
