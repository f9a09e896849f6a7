//! What takes back what a run did to one entity. Pure.
//!
//! Only what the run itself attempted and what was confirmed is taken back, and only where it is still as the run left it:
//! for `set`, `fill` and `update` the whole key must be, for `add` and `remove` the value alone. What somebody else changed
//! since is theirs.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, Present, Reversal, Rule, Tag};

/// What is to be done to an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// What takes the run back.
    pub actions: Vec<Action>,
    /// What would, had somebody else not changed the key since.
    pub foreign: Vec<Action>,
}

/// What a run did to an entity that carried `before`: `actions` are those of a line, and `done` the bits of those that it
/// attempted and that were confirmed.
pub fn reversals(before: &[Present], actions: &[Action], done: u64) -> Vec<Reversal> {
    let mut keys: BTreeMap<&str, Vec<&Action>> = BTreeMap::new();
    let confirmed = (0..).zip(actions).filter(|(bit, _)| done >> bit & 1 == 1);
    for (_, action) in confirmed {
        keys.entry(&action.tag.key).or_default().push(action);
    }
    let mut reversals = Vec::new();
    for (key, actions) in keys {
        let by_key = !actions.iter().all(|action| is_of_value(action.rule));
        let was: BTreeSet<&Tag> = before
            .iter()
            .map(|present| &present.tag)
            .filter(|tag| tag.key == key)
            .collect();
        let mut left = was.clone();
        for action in &actions {
            if action.remove {
                left.remove(&action.tag);
            } else {
                left.insert(&action.tag);
            }
        }
        let touched = |tag: &&&Tag| by_key || was.contains(**tag) != left.contains(**tag);
        reversals.extend(was.union(&left).filter(touched).map(|tag| Reversal {
            tag: (*tag).clone(),
            was: was.contains(tag),
            is_left: left.contains(tag),
            by_key,
        }));
    }
    reversals
}

/// The actions that take a run back on an entity that carries `live` now, adds first.
pub fn actions(reversals: &[Reversal], live: &[Present]) -> Undone {
    let mut keys: BTreeMap<&str, Vec<&Reversal>> = BTreeMap::new();
    for reversal in reversals {
        keys.entry(&reversal.tag.key).or_default().push(reversal);
    }
    let mut undone = Undone::default();
    for (key, reversals) in keys {
        let live: Vec<&Present> = live.iter().filter(|present| present.tag.key == key).collect();
        if !reversals.iter().any(|reversal| reversal.by_key) {
            undone.actions.extend(back(&reversals, &live));
            continue;
        }
        let now: BTreeSet<&Tag> = live.iter().map(|present| &present.tag).collect();
        let those = |is: fn(&Reversal) -> bool| -> BTreeSet<&Tag> {
            let those = reversals.iter().filter(|reversal| is(reversal));
            those.map(|reversal| &reversal.tag).collect()
        };
        if now == those(|reversal| reversal.is_left) {
            undone.actions.extend(back(&reversals, &live));
        } else if now != those(|reversal| reversal.was) {
            let left = reversals.iter().filter(|reversal| reversal.is_left);
            let left: Vec<Present> = left
                .map(|reversal| Present {
                    tag: reversal.tag.clone(),
                    automatic: false,
                })
                .collect();
            undone
                .foreign
                .extend(back(&reversals, &left.iter().collect::<Vec<_>>()));
        }
    }
    retire(&mut undone.actions);
    for actions in [&mut undone.actions, &mut undone.foreign] {
        actions.sort_by(|a, b| (a.remove, &a.tag).cmp(&(b.remove, &b.tag)));
    }
    undone
}

/// Where the run took values away, what it put in their place goes only once they are seen again.
fn retire(actions: &mut [Action]) {
    let comes = |key: &str| {
        let mut adds = actions.iter().filter(|action| !action.remove);
        adds.any(|action| action.tag.key == key)
    };
    let gave_place = actions
        .iter()
        .any(|action| !action.remove && action.rule == Rule::Add);
    let alone: Vec<bool> = actions
        .iter()
        .map(|action| gave_place && action.remove && !comes(&action.tag.key))
        .collect();
    for (action, _) in actions.iter_mut().zip(alone).filter(|(_, alone)| *alone) {
        action.rule = Rule::Retire;
    }
}

/// The way back for one key; what a rule of the vendor makes stays.
fn back(reversals: &[&Reversal], live: &[&Present]) -> Vec<Action> {
    let action = |reversal: &&Reversal| {
        let Reversal {
            tag,
            was,
            is_left,
            by_key,
        } = reversal;
        let there = live.iter().find(|present| present.tag == *tag);
        let remove = match (was, is_left) {
            (true, false) if there.is_none() => false,
            (false, true) if there.is_some_and(|present| !present.automatic) => true,
            _ => return None,
        };
        let rule = match (by_key, remove) {
            (true, _) => Rule::Set,
            (false, true) => Rule::Remove,
            (false, false) => Rule::Add,
        };
        Some(Action {
            rule,
            remove,
            tag: tag.clone(),
        })
    };
    reversals.iter().filter_map(action).collect()
}

/// Whether a rule concerns its own value alone, whatever stands beside it.
fn is_of_value(rule: Rule) -> bool {
    match rule {
        Rule::Add | Rule::Remove | Rule::Retire => true,
        Rule::Set | Rule::Fill | Rule::Update => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff;
    use crate::model::Wish;

    fn tag(word: &str) -> Tag {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        Tag::new(key, Some(value))
    }

    /// `env=dev!` is rule-made.
    fn live(text: &str) -> Vec<Present> {
        let word = |word: &str| Present {
            tag: tag(word.trim_end_matches('!')),
            automatic: word.ends_with('!'),
        };
        text.split_whitespace().map(word).collect()
    }

    fn shown(actions: &[Action]) -> String {
        let one = |action: &Action| format!("{}{}", if action.remove { "-" } else { "+" }, action.tag);
        actions.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_as_the_run_left_it_goes_back_and_what_somebody_changed_stays() {
        // rule and tag, before, bits done of it, now, actions, foreign
        type Case<'a> = (Rule, &'a str, &'a str, u64, &'a str, &'a str, &'a str);
        let table: &[Case<'_>] = &[
            (Rule::Set, "env=prod", "", 1, "env=prod", "-env:prod", ""),
            (
                Rule::Set,
                "env=prod",
                "env=dev",
                3,
                "env=prod",
                "+env:dev -env:prod",
                "",
            ),
            (Rule::Set, "env=prod", "env=dev", 3, "env=dev", "", ""),
            (
                Rule::Set,
                "env=prod",
                "env=dev",
                3,
                "env=qa",
                "",
                "+env:dev -env:prod",
            ),
            (
                Rule::Set,
                "env=prod",
                "env=dev",
                3,
                "env=prod env=qa",
                "",
                "+env:dev -env:prod",
            ),
            (Rule::Set, "env=prod", "env=dev", 3, "", "", "+env:dev -env:prod"),
            // Only the new value was confirmed: the old one never went.
            (
                Rule::Set,
                "env=prod",
                "env=dev",
                1,
                "env=dev env=prod",
                "-env:prod",
                "",
            ),
            (Rule::Set, "env=prod", "env=dev", 0, "env=dev", "", ""),
            (
                Rule::Set,
                "env=prod",
                "env=dev!",
                1,
                "env=dev! env=prod",
                "-env:prod",
                "",
            ),
            (Rule::Fill, "env=prod", "", 1, "env=prod", "-env:prod", ""),
            (Rule::Fill, "env=prod", "", 1, "env=prod env=qa", "", "-env:prod"),
            (
                Rule::Update,
                "env=prod",
                "env=dev",
                3,
                "env=prod",
                "+env:dev -env:prod",
                "",
            ),
            (
                Rule::Add,
                "env=prod",
                "env=dev",
                1,
                "env=dev env=prod env=qa",
                "-env:prod",
                "",
            ),
            (Rule::Add, "env=prod", "env=dev", 1, "env=qa", "", ""),
            (Rule::Add, "env=prod", "", 1, "env=prod!", "", ""),
            (Rule::Remove, "env=dev", "env=dev", 1, "env=qa", "+env:dev", ""),
            (Rule::Remove, "env=dev", "env=dev", 1, "env=dev", "", ""),
            (Rule::Remove, "env", "env=a env=b", 3, "env=b", "+env:a", ""),
            (Rule::Set, "env", "env=a", 3, "env", "+env:a -env", ""),
        ];
        for (rule, wish, before, done, now, want, foreign) in table {
            let wish = Wish {
                rule: *rule,
                tag: tag(wish),
            };
            let before = live(before);
            let run = diff::actions(std::slice::from_ref(&wish), &before);
            let undone = actions(&reversals(&before, &run, *done), &live(now));
            let got = (shown(&undone.actions), shown(&undone.foreign));
            assert_eq!(
                got,
                ((*want).to_owned(), (*foreign).to_owned()),
                "{wish:?} on {before:?}, now {now}"
            );
        }
    }

    #[test]
    fn what_took_the_place_of_something_goes_once_that_is_back() {
        let wish = |rule, word: &str| Wish { rule, tag: tag(word) };
        let before = live("env=prod");
        let run = diff::actions(
            &[wish(Rule::Set, "stage=prod"), wish(Rule::Retire, "env")],
            &before,
        );
        let undone = actions(&reversals(&before, &run, 3), &live("stage=prod"));
        let rules: Vec<_> = undone
            .actions
            .iter()
            .map(|action| (action.rule, action.remove, action.tag.to_string()))
            .collect();
        let want = [
            (Rule::Add, false, "env:prod".to_owned()),
            (Rule::Retire, true, "stage:prod".to_owned()),
        ];
        assert_eq!(rules, want);
    }

    fn any_tag() -> impl Strategy<Value = Tag> {
        ("[ab]", "[xyz]?").prop_map(|(key, value)| Tag::new(key, Some(value)))
    }

    fn any_tags() -> impl Strategy<Value = BTreeSet<Tag>> {
        proptest::collection::btree_set(any_tag(), 0..5)
    }

    fn any_wish() -> impl Strategy<Value = Wish> {
        let rule = prop_oneof![
            Just(Rule::Set),
            Just(Rule::Add),
            Just(Rule::Fill),
            Just(Rule::Update),
            Just(Rule::Remove)
        ];
        (rule, any_tag()).prop_map(|(rule, tag)| Wish { rule, tag })
    }

    fn manual(tags: &BTreeSet<Tag>) -> Vec<Present> {
        let present = |tag: &Tag| Present {
            tag: tag.clone(),
            automatic: false,
        };
        tags.iter().map(present).collect()
    }

    fn applied(tags: &BTreeSet<Tag>, actions: &[Action], done: u64) -> BTreeSet<Tag> {
        let mut after = tags.clone();
        for (_, action) in (0..).zip(actions).filter(|(bit, _)| done >> bit & 1 == 1) {
            if action.remove {
                after.remove(&action.tag);
            } else {
                after.insert(action.tag.clone());
            }
        }
        after
    }

    proptest! {
        #[test]
        fn what_nobody_touched_since_is_as_it_was_and_undoing_again_does_nothing(
            before in any_tags(),
            wishes in proptest::collection::vec(any_wish(), 0..4),
            done: u64,
        ) {
            let run = diff::actions(&wishes, &manual(&before));
            let left = applied(&before, &run, done);
            let back = reversals(&manual(&before), &run, done);
            let undone = actions(&back, &manual(&left));
            prop_assert_eq!(&undone.foreign, &vec![]);
            let after = applied(&left, &undone.actions, u64::MAX);
            prop_assert_eq!(&after, &before);
            prop_assert_eq!(actions(&back, &manual(&after)), Undone::default());
        }

        #[test]
        fn what_others_wrote_since_stays_whatever_it_is(
            before in any_tags(),
            wishes in proptest::collection::vec(any_wish(), 0..4),
            theirs in any_tags(),
            gone in any_tags(),
        ) {
            let run = diff::actions(&wishes, &manual(&before));
            let left = applied(&before, &run, u64::MAX);
            let now: BTreeSet<Tag> = left.difference(&gone).chain(&theirs).cloned().collect();
            let undone = actions(&reversals(&manual(&before), &run, u64::MAX), &manual(&now));
            let after = applied(&now, &undone.actions, u64::MAX);
            for tag in before.union(&left).chain(&now) {
                let ours = before.contains(tag) != left.contains(tag);
                let changed = now.contains(tag) != after.contains(tag);
                prop_assert!(!changed || (ours && after.contains(tag) == before.contains(tag)), "{tag}");
            }
        }
    }
}
