//! The words in which a JSON Schema is told to people: names, types and choices.

use serde_json::Value as Json;
use toml::de::DeValue;

use crate::mapping::nearest;

pub(super) fn unknown_key(key: &str, schema: &Json) -> String {
    let known = names(schema);
    let hint = did_you_mean(key, &known);
    format!("unknown key `{key}`{hint}; known are {}", quoted(&known))
}

pub(super) fn did_you_mean(wrong: &str, known: &[&str]) -> String {
    nearest(wrong, known.iter().copied())
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}

pub(super) fn names(schema: &Json) -> Vec<&str> {
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect()
}

/// The words that a schema allows, none where every text is.
pub(super) fn words(schema: &Json) -> Vec<&str> {
    let several = schema["enum"].as_array().into_iter().flatten();
    several
        .chain(schema.get("const"))
        .filter_map(Json::as_str)
        .collect()
}

pub(super) fn quoted(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The JSON type of a value.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "datetime",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

pub(super) fn is_of(kind: &str, schema: &Json) -> bool {
    let fits = |wanted: &str| wanted == kind || (wanted == "number" && kind == "integer");
    match &schema["type"] {
        Json::String(wanted) => fits(wanted),
        Json::Array(several) => several.iter().filter_map(Json::as_str).any(fits),
        _ => true,
    }
}

pub(super) fn expected(schema: &Json) -> &'static str {
    let kind = match &schema["type"] {
        Json::Array(several) => several
            .iter()
            .find(|kind| **kind != "null")
            .unwrap_or(&Json::Null),
        kind => kind,
    };
    kind.as_str().map_or("something else", article)
}

pub(super) fn article(kind: &str) -> &'static str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        "object" => "a table",
        _ => "something else",
    }
}

pub(super) fn either(wanted: &[&'static str]) -> String {
    let mut wanted = wanted.to_vec();
    wanted.dedup();
    wanted.join(" or ")
}
