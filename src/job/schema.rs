//! The JSON Schema of a job file (draft 2020-12), made from the very types that read it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{SchemaGenerator, schema_for};
use serde_json::{Map, Value, json};

use super::connection_options::ConnectionOptions;
use super::file::JobFile;
use crate::vendor::{Listed, VENDORS};

/// The schema, for editors and for `tagferry schema`.
pub fn schema() -> Value {
    SCHEMA.clone()
}

/// Made once: the check of every job file walks it.
pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let of_vendors: Vec<Value> = VENDORS
        .iter()
        .map(|vendor| (vendor.schema)(&mut generator).to_value())
        .collect();
    let mut root = generator.into_root_schema_for::<JobFile>().to_value();
    let table = root.pointer_mut("/$defs/ConnectionOptions/properties");
    if let Some(Value::Object(table)) = table {
        for (vendor, schema) in VENDORS.iter().zip(&of_vendors) {
            join(table, vendor.name, schema);
        }
    }
    root
});

/// Puts the options of a vendor beside the others of a connection. Where two vendors know an option of one name, either
/// form is good: which one holds is checked when the connection is built.
fn join(table: &mut Map<String, Value>, vendor: &str, schema: &Value) {
    for (key, option) in schema["properties"].as_object().into_iter().flatten() {
        let mut option = option.clone();
        let said = format!("{vendor}: {}", option["description"].as_str().unwrap_or_default());
        match table.get_mut(key) {
            None => {
                option["description"] = said.into();
                table.insert(key.clone(), option);
            }
            Some(known) => {
                let before = known["description"].as_str().unwrap_or_default();
                let described = format!("{before} {said}");
                let (mut one, mut other) = (known.clone(), option);
                for schema in [&mut one, &mut other] {
                    schema
                        .as_object_mut()
                        .map(|members| members.remove("description"));
                }
                if one != other {
                    *known = json!({ "anyOf": [one, other] });
                }
                known["description"] = described.into();
            }
        }
    }
}

/// The options that a vendor knows beside those of every connection.
pub(super) fn names_of(vendor: &Listed) -> BTreeSet<String> {
    let schema = (vendor.schema)(&mut SchemaGenerator::default()).to_value();
    let names = schema["properties"].as_object().into_iter().flatten();
    names.map(|(name, _)| name.clone()).collect()
}

/// The keys of a connection that are the same for every vendor.
pub(super) static COMMON: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let schema = schema_for!(ConnectionOptions).to_value();
    let names = schema["properties"].as_object().into_iter().flatten();
    names.map(|(name, _)| name.clone()).collect()
});

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::job::{GuardOptions, LookupTable, LossOptions, Pace, SourceOptions, TargetOptions};
    use crate::mapping::{DocumentOptions, TagOptions, TagsFrom};

    /// The keys that the schema of a table has, and those that the loader knows.
    fn keys<T: JsonSchema + DeserializeOwned>() -> (BTreeSet<String>, BTreeSet<String>) {
        let schema = schema_for!(T).to_value();
        let described = schema["properties"].as_object().unwrap().keys().cloned();
        let Err(refused) = toml::from_str::<T>("zzz = 1") else {
            panic!("an unknown key is refused");
        };
        let (_, known) = refused.message().split_once("expected one of ").unwrap();
        let known = known.split('`').skip(1).step_by(2).map(str::to_owned);
        (described.collect(), known.collect())
    }

    #[test]
    fn every_key_that_the_loader_knows_is_in_the_schema() {
        for (described, known) in [
            keys::<JobFile>(),
            keys::<SourceOptions>(),
            keys::<LookupTable>(),
            keys::<TargetOptions>(),
            keys::<TagOptions>(),
            keys::<TagsFrom>(),
            keys::<DocumentOptions>(),
            keys::<LossOptions>(),
            keys::<GuardOptions>(),
            keys::<ConnectionOptions>(),
        ] {
            assert!(known.len() > 2);
            assert_eq!(described, known);
        }
        assert_eq!(
            schema_for!(Pace).to_value()["properties"]
                .as_object()
                .unwrap()
                .len(),
            2
        );
    }

    /// Calls with every schema of a key, and the key.
    fn walk(schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            visit(key, inner);
        }
        match schema {
            Value::Object(members) => members.values().for_each(|inner| walk(inner, visit)),
            Value::Array(items) => items.iter().for_each(|inner| walk(inner, visit)),
            _ => {}
        }
    }

    #[test]
    fn every_key_is_described_and_every_reference_leads_somewhere() {
        let schema = schema();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(
            schema["required"],
            serde_json::json!(["name", "source", "target"])
        );
        let mut count = 0;
        walk(&schema, &mut |key, inner| {
            let named = ["env", "file", "command"].contains(&key);
            assert!(named || inner["description"].is_string(), "{key}");
            if let Some(target) = inner["$ref"].as_str() {
                assert!(schema.pointer(&target[1..]).is_some(), "{target}");
            }
            count += 1;
        });
        assert!(count > 60, "{count}");
    }

    #[test]
    fn words_are_listed_in_the_schema() {
        let text = schema().to_string();
        for word in [
            "update",
            "reject",
            "bare",
            "skip",
            "join",
            "jsonl",
            "v1",
            "dynatrace",
        ] {
            assert!(text.contains(&format!("\"{word}\"")), "{word}");
        }
    }
}
