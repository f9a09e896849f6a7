//! `[lookup.NAME]`: a file or a table of values that templates look keys up in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Check;
use super::options::{InventoryOptions, SourceFormat};
use crate::mapping::{BadRows, CrosswalkOptions, LookupOptions, Repeated, ValueOptions, is_variable};

/// A table that templates look keys up in: the rows of a `file`, found by `key`, or the values of a `map`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LookupTable {
    /// A path or a pattern such as `exports/*.csv`, relative to the job file's folder. It is read as an inventory is, and
    /// kept in memory.
    pub file: Option<String>,
    /// The column by which rows are found, or a JSON pointer.
    pub key: Option<String>,
    /// Whether keys are compared without case.
    pub fold_case: bool,
    /// What several rows of one key mean.
    pub repeated: Repeated,
    /// Columns of which no two keys may have the same value.
    pub unique: Vec<String>,
    /// What a row does that can't be read or has no key.
    pub bad_rows: BadRows,
    /// Values by key, in place of a file.
    pub map: Option<BTreeMap<String, String>>,
    /// As in `[source]`.
    pub format: Option<SourceFormat>,
    /// As in `[source]`.
    pub encoding: Option<String>,
    /// As in `[source]`.
    pub delimiter: Option<char>,
    /// As in `[source]`.
    pub literal_quotes: bool,
    /// As in `[source]`.
    pub columns: Vec<String>,
    /// As in `[source]`.
    pub skip_lines: u64,
    /// As in `[source]`.
    pub items: Option<String>,
}

/// What means something for a file only.
const OF_FILES: [&str; 11] = [
    "key",
    "repeated",
    "unique",
    "bad_rows",
    "format",
    "encoding",
    "delimiter",
    "literal_quotes",
    "columns",
    "skip_lines",
    "items",
];

impl LookupTable {
    /// How its file is read; `None` where it has none.
    pub(super) fn source(&self) -> Option<InventoryOptions> {
        Some(InventoryOptions {
            file: self.file.clone()?,
            format: self.format,
            encoding: self.encoding.clone(),
            delimiter: self.delimiter,
            literal_quotes: self.literal_quotes,
            columns: self.columns.clone(),
            skip_lines: self.skip_lines,
            items: self.items.clone(),
        })
    }

    /// What the mapping must know of it. What is missing has been told.
    fn options(&self) -> LookupOptions {
        match &self.map {
            Some(map) => LookupOptions::Values(ValueOptions {
                map: map.clone(),
                fold_case: self.fold_case,
            }),
            None => LookupOptions::Crosswalk(CrosswalkOptions {
                file: self.file.clone().unwrap_or_default(),
                key: self.key.clone().unwrap_or_default(),
                fold_case: self.fold_case,
                repeated: self.repeated,
                unique: self.unique.clone(),
                bad_rows: self.bad_rows,
            }),
        }
    }
}

/// What the mapping must know of each lookup.
pub(super) fn options(tables: &BTreeMap<String, LookupTable>) -> BTreeMap<String, LookupOptions> {
    let named = tables.iter();
    named
        .map(|(name, table)| (name.clone(), table.options()))
        .collect()
}

/// Finds what can't be meant.
pub(super) fn check(name: &str, table: &LookupTable, check: &mut Check<'_>) {
    if !is_variable(name) {
        check.key(
            &["lookup", name],
            format!(
                "`{name}` can't be used in templates; use letters, digits and `_`, and no word of theirs"
            ),
        );
    }
    let has = |check: &Check<'_>, key: &str| check.has(&["lookup", name, key]);
    match (has(check, "file"), has(check, "map")) {
        (true, true) => check.key(
            &["lookup", name, "map"],
            "`file` and `map` are both given; keep the one that holds the values",
        ),
        (false, false) => check.key(
            &["lookup", name],
            format!("`lookup.{name}` has no values; give `file` and `key`, or `map`"),
        ),
        (true, false) => check_file(name, table, check),
        (false, true) => check_map(name, table, check),
    }
}

fn check_file(name: &str, table: &LookupTable, check: &mut Check<'_>) {
    let path = ["lookup", name, "file"];
    match table.file.as_deref() {
        Some("") => check.value(&path, "`file` is empty; give a path or a pattern"),
        Some("-") => check.value(
            &path,
            "a lookup can't be read from standard input; give a path or a pattern",
        ),
        _ => {}
    }
    let path = ["lookup", name, "key"];
    if !check.has(&path) {
        check.key(
            &path[..2],
            format!("missing key `key` in `lookup.{name}`: the column by which rows are found"),
        );
    } else if check.is_usable(&path) && table.key.as_deref().is_some_and(str::is_empty) {
        check.value(&path, "`key` is empty; name the column by which rows are found");
    }
}

fn check_map(name: &str, table: &LookupTable, check: &mut Check<'_>) {
    for key in OF_FILES {
        let path = ["lookup", name, key];
        if check.has(&path) {
            check.key(&path, format!("`{key}` goes with `file`, not with `map`"));
        }
    }
    let LookupOptions::Values(values) = table.options() else {
        return; // Its `map` can't be used, which has been told.
    };
    if values.map.is_empty() {
        check.value(
            &["lookup", name, "map"],
            "`map` is empty; give it values, or leave the lookup out",
        );
    }
    if let Some((one, other)) = values.same_keys() {
        check.key(
            &["lookup", name, "map", other],
            format!("`{one}` and `{other}` are one key as keys are compared; keep one of the two"),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_is_of_files_or_of_values_too() {
        let schema = schemars::schema_for!(LookupTable).to_value();
        let keys = schema["properties"].as_object().unwrap().keys();
        let keys: BTreeSet<&str> = keys.map(String::as_str).collect();
        let told = OF_FILES.into_iter().chain(["file", "map", "fold_case"]);
        assert_eq!(keys, told.collect());
    }
}
