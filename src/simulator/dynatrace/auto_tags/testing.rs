//! Definitions and helpers for the tests of this folder.

use serde_json::{Value, json};

use super::super::envelope::Refused;

/// The identifier in the vendor's example of `PUT /autoTags/{id}`.
pub(super) const ID: &str = "7c82c170-b380-4fa7-992a-453f3e73047b";
/// Where auto-tags are in the configuration API.
pub(super) const CONFIG: &str = "/api/config/v1/autoTags";
/// Where they are in the settings API.
pub(super) const OBJECTS: &str = "/api/v2/settings/objects";

fn compared(attribute: &str, comparison: &Value) -> Value {
    json!({"key": {"attribute": attribute}, "comparisonInfo": comparison})
}

/// An auto-tag as in the vendor's example "Infrastructure - Linux": two rules for Linux hosts, by name and host group.
pub(super) fn infrastructure() -> Value {
    let linux = || {
        compared(
            "HOST_OS_TYPE",
            &json!({"type": "OS_TYPE", "operator": "EQUALS", "value": "LINUX", "negate": false}),
        )
    };
    let text = |attribute, operator, value, negate| {
        let comparison = json!({
            "type": "STRING", "operator": operator, "value": value, "negate": negate, "caseSensitive": true,
        });
        compared(attribute, &comparison)
    };
    let rule = |format, conditions: Vec<Value>| {
        json!({
            "type": "HOST", "enabled": true, "valueFormat": format, "propagationTypes": [], "conditions": conditions,
        })
    };
    let group = text("HOST_GROUP_NAME", "CONTAINS", "production", false);
    let prod = vec![linux(), text("HOST_NAME", "BEGINS_WITH", "PreProd", true), group];
    let pre_prod = vec![linux(), text("HOST_NAME", "BEGINS_WITH", "PreProd", false)];
    json!({"name": "Infrastructure - Linux", "rules": [rule("prod", prod), rule("preProd", pre_prod)]})
}

/// An auto-tag as in the vendor's model of the body: for services, with a dynamic key, `EXISTS`, and a selector.
pub(super) fn sample() -> Value {
    json!({
        "name": "sampleAutoTag",
        "description": "sampleDescription",
        "rules": [{
            "type": "SERVICE", "enabled": true, "valueFormat": "myTagValue {Service:DetectedName}",
            "propagationTypes": ["SERVICE_TO_HOST_LIKE"],
            "conditions": [
                compared("SERVICE_DATABASE_NAME", &json!({
                    "type": "STRING", "operator": "BEGINS_WITH", "value": "sample", "negate": false, "caseSensitive": false,
                })),
                compared("SERVICE_WEB_SERVER_NAME", &json!({"type": "STRING", "operator": "EXISTS", "negate": false})),
                {
                    "key": {
                        "attribute": "PROCESS_GROUP_CUSTOM_METADATA", "type": "PROCESS_CUSTOM_METADATA_KEY",
                        "dynamicKey": {"source": "KUBERNETES", "key": "kubernetes.io/limit-ranger"},
                    },
                    "comparisonInfo": {
                        "type": "STRING", "operator": "BEGINS_WITH", "value": "sample", "negate": false,
                        "caseSensitive": false,
                    },
                },
            ],
        }],
        "entitySelectorBasedRules": [{"enabled": true, "entitySelector": "type(HOST) AND cpuCores(4)"}],
    })
}

/// An auto-tag without rules, in the configuration API.
pub(super) fn bare(name: &str) -> String {
    json!({"name": name}).to_string()
}

/// A settings object without rules.
pub(super) fn object(name: &str) -> Value {
    json!({
        "schemaId": "builtin:tags.auto-tagging", "scope": "environment", "value": {"name": name, "rules": []},
    })
}

/// The value of a settings object as in the vendor's example: process groups by name and tag, and a selector.
pub(super) fn shop() -> Value {
    json!({
        "name": "ocp-project",
        "description": "1..1000 or null",
        "rules": [
            {
                "type": "ME", "enabled": true, "valueFormat": "{ProcessGroup:DetectedName}",
                "valueNormalization": "Leave text as-is",
                "attributeRule": {
                    "entityType": "PROCESS_GROUP", "pgToHostPropagation": false, "pgToServicePropagation": true,
                    "conditions": [
                        {"key": "PROCESS_GROUP_NAME", "operator": "BEGINS_WITH", "stringValue": "shop", "caseSensitive": true},
                        {"key": "HOST_TAGS", "operator": "EQUALS", "tag": "[AWS]stage:prod"},
                    ],
                },
            },
            {
                "type": "SELECTOR", "enabled": true, "valueFormat": "dev", "valueNormalization": "Leave text as-is",
                "entitySelector": "type(HOST),tag(\"Environment:Dev\")",
            },
        ],
    })
}

/// A value with another one at a JSON pointer; null takes the field out.
pub(super) fn with(mut value: Value, pointer: &str, other: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    match parent {
        Value::Object(fields) if other.is_null() => drop(fields.shift_remove(name)),
        Value::Object(fields) => drop(fields.insert(name.to_owned(), other)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = other,
        _ => panic!("{pointer} leads nowhere"),
    }
    value
}

/// The paths of the violated constraints of an error.
pub(super) fn paths(error: &Value) -> Vec<&str> {
    let violations = error["constraintViolations"].as_array();
    violations
        .into_iter()
        .flatten()
        .map(|violation| violation["path"].as_str().unwrap())
        .collect()
}

/// The error of a refusal.
pub(super) fn error(refused: &Refused) -> Value {
    serde_json::to_value(refused.error()).unwrap()
}
