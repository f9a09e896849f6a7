//! Auto-tags from before the first request, as a grown environment has them.

use serde_json::{Value, json};

use super::definition::{Comparison, Condition, ConditionKey, Definition, Normalization, Rule, SelectorRule};
use super::store::AutoTags;

/// What the tags are about.
const SUBJECTS: [&str; 5] = ["team", "stage", "application", "cost-centre", "data-centre"];

/// Fills a store with `n` definitions, which follow from their numbers alone. Every fourth has a condition that refers to a
/// process group, every eighth of all nothing but such a condition in one of its rules, every third a selector.
pub(in super::super) fn generate(store: &mut AutoTags, n: u32) {
    for n in 0..n {
        store.begin_with(definition(n));
    }
}

fn definition(n: u32) -> Definition {
    let subject = SUBJECTS[n as usize % SUBJECTS.len()];
    let mut rules = vec![rule("HOST", vec![named("HOST_NAME", n), linux()])];
    if n % 4 == 1 {
        rules.push(rule(
            "PROCESS_GROUP",
            vec![named("PROCESS_GROUP_NAME", n), process_group(n)],
        ));
    }
    if n % 8 == 5 {
        rules.push(rule("PROCESS_GROUP", vec![process_group(n)]));
    }
    let selector = SelectorRule {
        enabled: true,
        entity_selector: format!("type(SERVICE),entityName.startsWith({subject}-{n})"),
        value_format: None,
        normalization: Normalization::Leave,
    };
    Definition {
        name: format!("{subject}-{n:04}"),
        description: n.is_multiple_of(2).then(|| format!("Entities of {subject} {n}")),
        rules,
        entity_selector_based_rules: if n.is_multiple_of(3) {
            vec![selector]
        } else {
            Vec::new()
        },
    }
}

fn rule(entity_type: &str, conditions: Vec<Condition>) -> Rule {
    Rule {
        r#type: entity_type.to_owned(),
        enabled: true,
        value_format: Some("prod".to_owned()),
        normalization: Normalization::Leave,
        propagation_types: Vec::new(),
        conditions,
    }
}

fn condition(attribute: &str, comparison: &str, operator: &str, value: Value) -> Condition {
    Condition {
        key: ConditionKey {
            attribute: attribute.to_owned(),
            r#type: None,
            dynamic_key: None,
        },
        comparison_info: Comparison {
            r#type: comparison.to_owned(),
            operator: operator.to_owned(),
            value: Some(value),
            negate: false,
            case_sensitive: (comparison == "STRING").then_some(true),
        },
    }
}

fn named(attribute: &str, n: u32) -> Condition {
    condition(attribute, "STRING", "BEGINS_WITH", format!("web-{n:04}").into())
}

fn linux() -> Condition {
    condition("HOST_OS_TYPE", "OS_TYPE", "EQUALS", "LINUX".into())
}

fn process_group(n: u32) -> Condition {
    let id = json!(format!("PROCESS_GROUP-{n:016X}"));
    condition("PROCESS_GROUP_ID", "ENTITY_ID", "EQUALS", id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::to_vec;

    use super::super::super::switches::{SentMetadata, Switches};
    use super::super::{config_form, settings_form, settings_view};
    use super::*;

    #[test]
    fn generated_definitions_are_unique_and_legal_in_both_apis() {
        let all: Vec<_> = (0..100).map(definition).collect();
        let names: HashSet<_> = all.iter().map(|definition| &definition.name).collect();
        assert_eq!(names.len(), 100);
        for definition in &all {
            let body = to_vec(definition).unwrap();
            assert_eq!(
                config_form::read(&body, None, SentMetadata::Refuse).as_ref(),
                Ok(definition)
            );
            let value = settings_view::value(definition);
            let read = settings_form::read(&value, String::new(), &Switches::default());
            assert_eq!(read.as_ref(), Ok(definition));
        }
    }

    #[test]
    fn some_refer_to_process_groups_and_lose_conditions_or_a_rule() {
        let lost = |n: u32| {
            let (all, left) = (definition(n), definition(n).without_process_groups());
            let conditions = |definition: &Definition| -> usize {
                definition.rules.iter().map(|rule| rule.conditions.len()).sum()
            };
            (
                all.rules.len() - left.rules.len(),
                conditions(&all) - conditions(&left),
            )
        };
        assert_eq!([0, 1, 5].map(lost), [(0, 0), (0, 1), (1, 2)]);
    }
}
