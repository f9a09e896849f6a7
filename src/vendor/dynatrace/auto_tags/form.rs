//! How the documents of the two APIs differ: their fields, and what a field says when it is left out.
//!
//! Fields and defaults are those of `AutoTag`
//! (<https://docs.dynatrace.com/managed/dynatrace-api/configuration-api/automatically-applied-tags-api>) and of the
//! settings schema `builtin:tags.auto-tagging` 1.0.18.

use serde_json::Value;

use super::definition::Object;

/// The form of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `AutoTag` of the config API v1.
    Config,
    /// The `value` of a settings object.
    Settings,
}

/// A field, and the JSON text that says the same as leaving it out.
pub(super) type Default = (&'static str, &'static str);

impl Form {
    /// The fields of a document that may be written.
    pub(super) fn written(self) -> &'static [&'static str] {
        match self {
            Self::Config => &["name", "description", "rules", "entitySelectorBasedRules"],
            Self::Settings => &["name", "description", "rules"],
        }
    }

    /// The fields that the server fills in, which a document may bring along from a reading: they are left out when it
    /// is written.
    pub(super) fn read_only(self) -> &'static [&'static str] {
        match self {
            Self::Config => &["id", "metadata"],
            Self::Settings => &[],
        }
    }

    /// The fields of a document that are lists of rules.
    pub(super) fn lists(self) -> &'static [&'static str] {
        match self {
            Self::Config => &["rules", "entitySelectorBasedRules"],
            Self::Settings => &["rules"],
        }
    }

    /// Every documented field, at whatever depth. What a server adds beside these is its own business.
    pub(super) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Config => CONFIG_FIELDS,
            Self::Settings => SETTINGS_FIELDS,
        }
    }

    /// What says the same as leaving a field out. `null` and an empty list always do.
    pub(super) fn defaults(self) -> &'static [Default] {
        match self {
            Self::Config => CONFIG_DEFAULTS,
            Self::Settings => SETTINGS_DEFAULTS,
        }
    }

    /// What a comparison without `caseSensitive` may mean. The settings schema says `true`; the config API says
    /// nothing, so both are tried there.
    pub(super) fn unsaid_case(self) -> &'static [&'static str] {
        match self {
            Self::Config => &["true", "false"],
            Self::Settings => &["true"],
        }
    }

    /// What to do with a document that is in the other API's form.
    pub(super) fn misplaced(self, document: &Object) -> Option<&'static str> {
        let foreign = match self {
            Self::Config => has_settings_rules(document),
            Self::Settings => document.contains_key("entitySelectorBasedRules") || has_config_rules(document),
        };
        foreign.then_some(match self {
            Self::Config => {
                "the document has the form of the settings schema (rules of type `ME` or `SELECTOR`); give the \
                 connection `api = \"settings\"`, or write it in the form of the config API v1"
            }
            Self::Settings => {
                "the document has the form of the config API v1 (`comparisonInfo`, `propagationTypes`, \
                 `entitySelectorBasedRules`); leave `api = \"settings\"` out, or write it in the form of the settings \
                 schema"
            }
        })
    }
}

fn has_settings_rules(document: &Object) -> bool {
    rules(document).any(|rule| {
        let kind = rule.get("type").and_then(Value::as_str);
        matches!(kind, Some("ME" | "SELECTOR")) || rule.contains_key("attributeRule")
    })
}

fn has_config_rules(document: &Object) -> bool {
    let of_config = ["conditions", "propagationTypes", "normalization"];
    rules(document).any(|rule| of_config.iter().any(|field| rule.contains_key(*field)))
}

fn rules(document: &Object) -> impl Iterator<Item = &Object> {
    let rules = document.get("rules").and_then(Value::as_array);
    rules.into_iter().flatten().filter_map(Value::as_object)
}

const CONFIG_FIELDS: &[&str] = &[
    "name",
    "description",
    "rules",
    "entitySelectorBasedRules",
    // AutoTagRule and EntitySelectorBasedAutoTagRule
    "type",
    "enabled",
    "valueFormat",
    "normalization",
    "propagationTypes",
    "conditions",
    "entitySelector",
    // EntityRuleEngineCondition
    "key",
    "attribute",
    "dynamicKey",
    "source",
    "comparisonInfo",
    "operator",
    "value",
    "negate",
    "caseSensitive",
    // TagInfo and SimpleTech as values
    "context",
    "verbatimType",
];

/// `enabled` is required in a rule and optional, without a stated default, in one by selector; `true` is what the
/// settings schema says. `negate` is required and `false` unless it reverses. `STATIC` is the type of keys that have no
/// dynamic part, for which the vendor's own examples leave `type` out. An empty description is illegal and an empty
/// value format no value.
const CONFIG_DEFAULTS: &[Default] = &[
    ("description", r#""""#),
    ("enabled", "true"),
    ("valueFormat", r#""""#),
    ("normalization", r#""LEAVE_TEXT_AS_IS""#),
    ("type", r#""STATIC""#),
    ("negate", "false"),
];

const SETTINGS_FIELDS: &[&str] = &[
    "name",
    "description",
    "rules",
    // Rule
    "type",
    "enabled",
    "valueFormat",
    "valueNormalization",
    "attributeRule",
    "entitySelector",
    // AutoTagAttributeRule
    "entityType",
    "conditions",
    "azureToPGPropagation",
    "azureToServicePropagation",
    "hostToPGPropagation",
    "pgToHostPropagation",
    "pgToServicePropagation",
    "serviceToHostPropagation",
    "serviceToPGPropagation",
    // AttributeCondition
    "key",
    "operator",
    "stringValue",
    "integerValue",
    "enumValue",
    "entityId",
    "tag",
    "caseSensitive",
    "dynamicKey",
    "dynamicKeySource",
];

/// All defaults of the schema but those of fields that choose what a rule is about (`type`, `entityType`, `key`,
/// `operator`): a document that leaves such a field out is better written once more than taken for the same.
const SETTINGS_DEFAULTS: &[Default] = &[
    ("description", r#""""#),
    ("enabled", "true"),
    ("valueFormat", r#""""#),
    ("valueNormalization", r#""Leave text as-is""#),
    ("entitySelector", r#""""#),
    ("azureToPGPropagation", "false"),
    ("azureToServicePropagation", "false"),
    ("hostToPGPropagation", "false"),
    ("pgToHostPropagation", "false"),
    ("pgToServicePropagation", "false"),
    ("serviceToHostPropagation", "false"),
    ("serviceToPGPropagation", "false"),
    ("stringValue", r#""""#),
    ("integerValue", "0"),
    ("enumValue", r#""""#),
    ("entityId", r#""""#),
    ("tag", r#""""#),
    ("dynamicKey", r#""""#),
    ("dynamicKeySource", r#""""#),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_document_in_the_other_form_is_told_what_to_do() {
        for (form, text, want) in [
            (Form::Config, r#"{"name":"a"}"#, None),
            (
                Form::Config,
                r#"{"name":"a","rules":[{"type":"HOST","conditions":[]}]}"#,
                None,
            ),
            (
                Form::Config,
                r#"{"name":"a","rules":[{"type":"ME"}]}"#,
                Some("give the connection `api = \"settings\"`"),
            ),
            (
                Form::Config,
                r#"{"name":"a","rules":[{"type":"SELECTOR"}]}"#,
                Some("`api = \"settings\"`"),
            ),
            (
                Form::Config,
                r#"{"name":"a","rules":[{"attributeRule":{}}]}"#,
                Some("`api = \"settings\"`"),
            ),
            (
                Form::Settings,
                r#"{"name":"a","rules":[{"type":"ME","attributeRule":{"conditions":[]}}]}"#,
                None,
            ),
            (
                Form::Settings,
                r#"{"name":"a","entitySelectorBasedRules":[]}"#,
                Some("leave `api = \"settings\"` out"),
            ),
            (
                Form::Settings,
                r#"{"name":"a","rules":[{"type":"HOST","conditions":[]}]}"#,
                Some("config API v1"),
            ),
            (
                Form::Settings,
                r#"{"name":"a","rules":[{"normalization":null}]}"#,
                Some("config API v1"),
            ),
        ] {
            let told = form.misplaced(&object(text));
            assert_eq!(told.is_some(), want.is_some(), "{text}");
            assert!(
                told.unwrap_or_default().contains(want.unwrap_or_default()),
                "{text}"
            );
        }
    }

    #[test]
    fn defaults_are_of_documented_fields_and_are_json() {
        for form in [Form::Config, Form::Settings] {
            for (field, text) in form.defaults() {
                assert!(form.fields().contains(field), "{field}");
                let value: Value = serde_json::from_str(text).unwrap();
                assert_eq!(value.to_string(), *text);
            }
            let known = |field: &&str| form.fields().contains(field);
            assert!(form.written().iter().all(known) && form.lists().iter().all(known));
        }
    }
}
