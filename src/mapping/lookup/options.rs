//! What the mapping must know of a `[lookup.NAME]`; how its file is read is not among it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table that templates look values up in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LookupOptions {
    /// The rows of a file.
    Crosswalk(CrosswalkOptions),
    /// Values that stand in the job itself.
    Values(ValueOptions),
}

/// Rows of a file, found by a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrosswalkOptions {
    /// The file as the job names it, for messages.
    pub file: String,
    /// The column by which rows are found, or a JSON pointer.
    pub key: String,
    /// Whether keys are compared without case.
    #[serde(default)]
    pub fold_case: bool,
    /// What several rows of one key mean.
    #[serde(default)]
    pub repeated: Repeated,
    /// Columns of which no two keys may have the same value.
    #[serde(default)]
    pub unique: Vec<String>,
    /// What a row does that can't be read or has no key.
    #[serde(default)]
    pub bad_rows: BadRows,
}

/// Values by key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueOptions {
    /// The values.
    pub map: BTreeMap<String, String>,
    /// Whether keys are compared without case.
    #[serde(default)]
    pub fold_case: bool,
}

impl ValueOptions {
    /// Two keys of the table that are the same as keys are compared, if there are any.
    pub fn same_keys(&self) -> Option<(&str, &str)> {
        let mut seen: BTreeMap<Cow<'_, str>, &str> = BTreeMap::new();
        let twice = |key| Some((seen.insert(compared(key, self.fold_case), key)?, key));
        self.map.keys().map(String::as_str).find_map(twice)
    }
}

/// What several rows of one key mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Repeated {
    /// A mistake: nothing is planned.
    #[default]
    Refuse,
    /// The first row holds.
    First,
    /// The last row holds.
    Last,
    /// All hold: every key gives a list of rows, also where it has one.
    List,
}

/// What a row of a crosswalk does that can't be read or has no key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BadRows {
    /// Nothing is planned: a crosswalk with holes would leave out tags.
    #[default]
    Refuse,
    /// It is left out and counted.
    Skip,
}

/// A key as keys are compared: without blanks around it and, if so told, without case.
pub(super) fn compared(key: &str, fold_case: bool) -> Cow<'_, str> {
    let key = key.trim();
    if fold_case {
        key.to_lowercase().into()
    } else {
        key.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_only_look_different_are_found() {
        for (keys, fold_case, want) in [
            (["dev", "Dev"], false, None),
            (["dev", "Dev"], true, Some(("Dev", "dev"))),
            (["dev", " dev "], false, Some((" dev ", "dev"))),
            (["a", "b"], true, None),
        ] {
            let map = keys.map(|key| (key.to_owned(), "x".to_owned())).into();
            let options = ValueOptions { map, fold_case };
            assert_eq!(options.same_keys(), want, "{keys:?}");
        }
    }
}
