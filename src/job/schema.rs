//! The JSON Schema of a job file (draft 2020-12), made from the very types that read it.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::JobFile;

/// The schema, for editors and for `tagferry schema`.
pub fn schema() -> Value {
    SCHEMA.clone()
}

/// Made once: the check of every job file walks it.
pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    generator.into_root_schema_for::<JobFile>().to_value()
});

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemars::{JsonSchema, schema_for};
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::job::{ConnectionOptions, GuardOptions, Pace, SourceOptions, TargetOptions};
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
            keys::<TargetOptions>(),
            keys::<TagOptions>(),
            keys::<TagsFrom>(),
            keys::<DocumentOptions>(),
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
