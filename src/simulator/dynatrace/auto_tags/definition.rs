//! An auto-tag's definition as the store holds it.
//!
//! It has the form of the configuration API, in which every comparison says its type; the settings API's form follows
//! from it. Words of the vendor stay text, since its lists of words grow.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What becomes of a tag's value after its format is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Normalization {
    /// Nothing; the default.
    #[serde(rename = "LEAVE_TEXT_AS_IS")]
    Leave,
    #[serde(rename = "TO_UPPER_CASE")]
    Upper,
    #[serde(rename = "TO_LOWER_CASE")]
    Lower,
}

impl Normalization {
    pub(super) const ALL: [Self; 3] = [Self::Leave, Self::Upper, Self::Lower];

    /// The word of the configuration API.
    pub(super) fn config_word(self) -> &'static str {
        match self {
            Self::Leave => "LEAVE_TEXT_AS_IS",
            Self::Upper => "TO_UPPER_CASE",
            Self::Lower => "TO_LOWER_CASE",
        }
    }

    /// The word of the settings API.
    pub(super) fn settings_word(self) -> &'static str {
        match self {
            Self::Leave => "Leave text as-is",
            Self::Upper => "To upper case",
            Self::Lower => "To lower case",
        }
    }
}

/// The object `AutoTag`, without identifier and metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Definition {
    /// The tag's key; no two auto-tags share one.
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) rules: Vec<Rule>,
    pub(super) entity_selector_based_rules: Vec<SelectorRule>,
}

/// The object `AutoTagRule`: entities of a type for which all conditions hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) r#type: String,
    pub(super) enabled: bool,
    pub(super) value_format: Option<String>,
    pub(super) normalization: Normalization,
    pub(super) propagation_types: Vec<String>,
    pub(super) conditions: Vec<Condition>,
}

/// The object `EntitySelectorBasedAutoTagRule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SelectorRule {
    pub(super) enabled: bool,
    pub(super) entity_selector: String,
    pub(super) value_format: Option<String>,
    pub(super) normalization: Normalization,
}

/// The object `EntityRuleEngineCondition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Condition {
    pub(super) key: ConditionKey,
    pub(super) comparison_info: Comparison,
}

/// The object `ConditionKey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConditionKey {
    pub(super) attribute: String,
    /// Absent for `STATIC`, the type of attributes without a dynamic key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<String>,
    /// A text, or an object of `key` and `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dynamic_key: Option<Value>,
}

/// The object `ComparisonBasic` with what its kinds add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comparison {
    pub(super) r#type: String,
    pub(super) operator: String,
    /// A text, a number, a tag or a technology, as the type says; absent for `EXISTS`.
    pub(super) value: Option<Value>,
    pub(super) negate: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) case_sensitive: Option<bool>,
}

impl Condition {
    /// Whether it names a process group by its identifier, which another environment does not know.
    fn refers_to_process_group(&self) -> bool {
        let value = self.comparison_info.value.as_ref().and_then(Value::as_str);
        self.key.attribute == "PROCESS_GROUP_ID"
            || self.comparison_info.r#type == "ENTITY_ID"
                && value.is_some_and(|id| id.starts_with("PROCESS_GROUP-"))
    }
}

impl Definition {
    /// The same without conditions that refer to process groups, and without rules that are left with none.
    pub(super) fn without_process_groups(mut self) -> Self {
        for rule in &mut self.rules {
            rule.conditions
                .retain(|condition| !condition.refers_to_process_group());
        }
        self.rules.retain(|rule| !rule.conditions.is_empty());
        self
    }

    /// The same with its rules in another order.
    pub(super) fn reordered(mut self) -> Self {
        self.rules.reverse();
        self.entity_selector_based_rules.reverse();
        self
    }
}

/// A definition with what the server knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    #[serde(flatten)]
    pub(super) definition: Definition,
    /// The client's own identifier, which only the settings API knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_id: Option<String>,
    pub(super) revision: Revision,
}

/// Which write made a record, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Revision {
    /// Counts the writes of the environment: no two records ever share one.
    pub(super) version: u64,
    /// Milliseconds since 1970, as all moments.
    pub(super) created: i64,
    pub(super) modified: i64,
}

impl Record {
    /// The record as the journal tells it: the object `AutoTag` in compact JSON, with `externalId` and `revision`.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("a record is made of strings, numbers, lists and structs")
    }

    /// Reads what [`Record::text`] wrote.
    pub(super) fn read(text: &str) -> Option<Self> {
        // Not by `flatten`, which does not know numbers that keep their text.
        let mut fields: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
        let external_id = fields
            .remove("externalId")
            .and_then(|id| id.as_str().map(str::to_owned));
        let revision = serde_json::from_value(fields.remove("revision")?).ok()?;
        Some(Self {
            definition: serde_json::from_value(Value::Object(fields)).ok()?,
            external_id,
            revision,
        })
    }
}
