//! What is to be done to one entity: wishes against live tags. Pure.
//!
//! Only keys that the wishes name are touched, and tags that a rule of the vendor makes are never removed. The laws,
//! tested as properties: nothing is to be done where everything is as wished, and doing what is to be done makes it so.

use std::collections::BTreeMap;

use crate::model::{Action, Present, Rule, Tag, Wish};

/// The actions that turn `live` into what `wishes` ask for, adds first, in a fixed order.
pub fn actions(wishes: &[Wish], live: &[Present]) -> Vec<Action> {
    let mut keys: BTreeMap<&str, (Vec<&Wish>, Vec<&Present>)> = BTreeMap::new();
    for wish in wishes {
        keys.entry(&wish.tag.key).or_default().0.push(wish);
    }
    for present in live {
        if let Some((_, live)) = keys.get_mut(present.tag.key.as_str()) {
            live.push(present);
        }
    }
    let mut actions = Vec::new();
    for (wishes, live) in keys.into_values() {
        actions.extend(of_key(&wishes, &live));
    }
    actions.sort_by(|a, b| (a.remove, &a.tag, a.rule).cmp(&(b.remove, &b.tag, b.rule)));
    actions
}

/// The actions of one key.
fn of_key(wishes: &[&Wish], live: &[&Present]) -> Vec<Action> {
    let is_live = |tag: &Tag| live.iter().any(|present| present.tag == *tag);
    let mut actions = Vec::new();
    let mut add = |rule: Rule, tag: &Tag| {
        if !is_live(tag) {
            actions.push(Action {
                rule,
                remove: false,
                tag: tag.clone(),
            });
        }
    };
    let mut exact: Option<Rule> = None;
    let mut removed: Vec<&Wish> = Vec::new();
    for wish in wishes {
        match wish.rule {
            Rule::Add => add(Rule::Add, &wish.tag),
            Rule::Fill if live.is_empty() => add(Rule::Fill, &wish.tag),
            Rule::Update if live.is_empty() => {}
            Rule::Set | Rule::Update => {
                add(wish.rule, &wish.tag);
                exact = Some(wish.rule);
            }
            Rule::Remove | Rule::Retire => removed.push(wish),
            Rule::Fill => {}
        }
    }
    let wanted = |tag: &Tag| {
        wishes
            .iter()
            .any(|wish| !matches!(wish.rule, Rule::Remove | Rule::Retire) && wish.tag == *tag)
    };
    for present in live
        .iter()
        .filter(|present| !present.automatic && !wanted(&present.tag))
    {
        let asked = removed
            .iter()
            .find(|wish| wish.tag.value.is_none() || wish.tag == present.tag);
        if let Some(rule) = asked.map(|wish| wish.rule).or(exact) {
            actions.push(Action {
                rule,
                remove: true,
                tag: present.tag.clone(),
            });
        }
    }
    actions
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn wish(rule: Rule, key: &str, value: &str) -> Wish {
        Wish {
            rule,
            tag: Tag::new(key, Some(value)),
        }
    }

    fn live(tags: &[(&str, &str, bool)]) -> Vec<Present> {
        tags.iter()
            .map(|(key, value, automatic)| Present {
                tag: Tag::new(*key, Some(*value)),
                automatic: *automatic,
            })
            .collect()
    }

    fn shown(actions: &[Action]) -> String {
        let one = |action: &Action| format!("{}{}", if action.remove { "-" } else { "+" }, action.tag);
        actions.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    type Case<'a> = (Wish, &'a [(&'a str, &'a str, bool)], &'a str);

    #[test]
    fn each_rule_asks_for_what_its_name_says() {
        let dev = [("env", "dev", false)];
        let ruled = [("env", "dev", true)];
        let none: [(&str, &str, bool); 0] = [];
        let table: &[Case<'_>] = &[
            (wish(Rule::Set, "env", "prod"), &none, "+env:prod"),
            (wish(Rule::Set, "env", "prod"), &dev, "+env:prod -env:dev"),
            (wish(Rule::Set, "env", "dev"), &dev, ""),
            (wish(Rule::Set, "env", "prod"), &ruled, "+env:prod"),
            (wish(Rule::Set, "env", "dev"), &ruled, ""),
            (wish(Rule::Set, "Env", "prod"), &dev, "+Env:prod"),
            (wish(Rule::Add, "env", "prod"), &dev, "+env:prod"),
            (wish(Rule::Add, "env", "dev"), &dev, ""),
            (wish(Rule::Fill, "env", "prod"), &dev, ""),
            (wish(Rule::Fill, "env", "prod"), &none, "+env:prod"),
            (wish(Rule::Update, "env", "prod"), &none, ""),
            (wish(Rule::Update, "env", "prod"), &dev, "+env:prod -env:dev"),
            (wish(Rule::Remove, "env", "dev"), &dev, "-env:dev"),
            (wish(Rule::Remove, "env", "prod"), &dev, ""),
            (wish(Rule::Remove, "env", ""), &dev, "-env:dev"),
            (wish(Rule::Remove, "env", ""), &ruled, ""),
            (wish(Rule::Retire, "env", ""), &dev, "-env:dev"),
            (wish(Rule::Retire, "env", ""), &ruled, ""),
        ];
        for (wish, now, want) in table {
            let got = actions(std::slice::from_ref(wish), &live(now));
            assert_eq!(shown(&got), *want, "{wish:?} on {now:?}");
        }
    }

    fn any_tag() -> impl Strategy<Value = Tag> {
        ("[ab]", "[xyz]?").prop_map(|(key, value)| Tag::new(key, Some(value)))
    }

    fn any_live() -> impl Strategy<Value = Vec<Present>> {
        proptest::collection::btree_map(any_tag(), any::<bool>(), 0..5).prop_map(|tags| {
            tags.into_iter()
                .map(|(tag, automatic)| Present { tag, automatic })
                .collect()
        })
    }

    fn any_wishes() -> impl Strategy<Value = Vec<Wish>> {
        let rule = prop_oneof![
            Just(Rule::Set),
            Just(Rule::Add),
            Just(Rule::Fill),
            Just(Rule::Update),
            Just(Rule::Remove)
        ];
        proptest::collection::btree_map(
            "[ab]",
            (rule, proptest::collection::btree_set("[xyz]", 1..3)),
            0..3,
        )
        .prop_map(|keys| {
            let wishes = keys.into_iter().flat_map(|(key, (rule, values))| {
                values.into_iter().map(move |value| Wish {
                    rule,
                    tag: Tag::new(key.clone(), Some(value)),
                })
            });
            wishes.collect()
        })
    }

    fn applied(live: &[Present], actions: &[Action]) -> Vec<Present> {
        let mut after: BTreeSet<Present> = live.iter().cloned().collect();
        for action in actions {
            if action.remove {
                after.retain(|present| present.automatic || present.tag != action.tag);
            } else {
                after.insert(Present {
                    tag: action.tag.clone(),
                    automatic: false,
                });
            }
        }
        after.into_iter().collect()
    }

    proptest! {
        #[test]
        fn doing_what_is_to_be_done_leaves_nothing_to_do(wishes in any_wishes(), now in any_live()) {
            let after = applied(&now, &actions(&wishes, &now));
            prop_assert_eq!(actions(&wishes, &after), vec![]);
        }

        #[test]
        fn an_entity_that_is_as_set_is_left_alone(now in any_live()) {
            let wishes: Vec<Wish> =
                now.iter().map(|present| Wish { rule: Rule::Set, tag: present.tag.clone() }).collect();
            prop_assert_eq!(actions(&wishes, &now), vec![]);
        }

        #[test]
        fn keys_that_nobody_named_and_automatic_tags_stay(wishes in any_wishes(), now in any_live()) {
            let after = applied(&now, &actions(&wishes, &now));
            for present in &now {
                let named = wishes.iter().any(|wish| wish.tag.key == present.tag.key);
                if present.automatic || !named {
                    prop_assert!(after.contains(present));
                }
            }
        }

        #[test]
        fn a_set_key_ends_with_exactly_its_values(values in proptest::collection::btree_set("[xyz]", 1..3), now in any_live()) {
            let wishes: Vec<Wish> = values.iter().map(|value| wish(Rule::Set, "a", value)).collect();
            let after = applied(&now, &actions(&wishes, &now));
            let manual: BTreeSet<_> = after
                .iter()
                .filter(|present| present.tag.key == "a" && !present.automatic)
                .map(|present| present.tag.clone())
                .collect();
            let automatic = |tag: &Tag| now.iter().any(|present| present.automatic && present.tag == *tag);
            for tag in &manual {
                prop_assert!(values.contains(tag.value.as_deref().unwrap_or_default()));
            }
            for wish in &wishes {
                prop_assert!(manual.contains(&wish.tag) || automatic(&wish.tag));
            }
        }
    }
}
