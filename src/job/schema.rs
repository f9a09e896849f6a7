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
