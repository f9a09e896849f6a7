//! What is live now against what a run set out to do. Pure.
//!
//! One rule serves resuming, stale plans, long runs and unknown answers: what this run attempted and is so now is done;
//! what is so without an attempt of ours is unchanged; what can't have come from the values before by any subset of
//! the operations that this run attempted is somebody else's change, and is left alone; the rest goes on.

use std::collections::BTreeSet;

use crate::model::{Action, Present, Rule, Tag};

/// The operations of a line, by bit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    /// What each bit does.
    pub(super) actions: &'a [Action],
    /// What is not settled.
    pub(super) open: u64,
    /// What was attempted.
    pub(super) attempted: u64,
    /// What the entity carried when it was planned.
    pub(super) before: &'a [Present],
}

/// What the open operations turn out to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reconciled {
    /// Attempted, and so now.
    pub(super) done: u64,
    /// So now, without an attempt.
    pub(super) unchanged: u64,
    /// Somebody else changed the key.
    pub(super) conflict: u64,
}

/// Compares what is live of one entity with what was to be done to it.
pub(super) fn reconcile(standing: &Standing<'_>, live: &BTreeSet<Tag>) -> Reconciled {
    let mut result = Reconciled::default();
    let keys: BTreeSet<&str> = standing
        .actions
        .iter()
        .map(|action| action.tag.key.as_str())
        .collect();
    for key in keys {
        of_key(standing, key, live, &mut result);
    }
    result
}

fn of_key(standing: &Standing<'_>, key: &str, live: &BTreeSet<Tag>, result: &mut Reconciled) {
    let mine = || {
        standing
            .actions
            .iter()
            .enumerate()
            .filter(|(_, action)| action.tag.key == key)
    };
    let open: Vec<(usize, &Action)> = mine().filter(|(bit, _)| standing.open >> bit & 1 == 1).collect();
    let so_now = |action: &Action| live.contains(&action.tag) != action.remove;
    let all_so = open.iter().all(|(_, action)| so_now(action));
    let attempted = |bit: usize| standing.attempted >> bit & 1 == 1;
    let settled = all_so && reachable(standing, key, live, |_| true);
    let foreign = !settled && !reachable(standing, key, live, attempted);
    for (bit, action) in open {
        let so = so_now(action);
        // An `add` or a `remove` concerns its own value alone, so values beside it do not matter once it is so.
        let alone = matches!(action.rule, Rule::Add | Rule::Remove | Rule::Retire);
        match (so, attempted(bit)) {
            (true, true) => result.done |= 1 << bit,
            (true, false) if settled || alone => result.unchanged |= 1 << bit,
            _ if foreign => result.conflict |= 1 << bit,
            _ => {}
        }
    }
}

/// Whether the live values of a key can have come from those before by some subset of the operations that `may` names.
fn reachable(standing: &Standing<'_>, key: &str, live: &BTreeSet<Tag>, may: impl Fn(usize) -> bool) -> bool {
    let was = |tag: &Tag| standing.before.iter().any(|present| present.tag == *tag);
    let by_us = |tag: &Tag, remove: bool| {
        let mut actions = standing.actions.iter().enumerate();
        actions.any(|(bit, action)| action.remove == remove && action.tag == *tag && may(bit))
    };
    let appeared = live.iter().filter(|tag| tag.key == key && !was(tag));
    let vanished = standing
        .before
        .iter()
        .map(|present| &present.tag)
        .filter(|tag| tag.key == key && !live.contains(tag));
    appeared.into_iter().all(|tag| by_us(tag, false)) && vanished.into_iter().all(|tag| by_us(tag, true))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff;
    use crate::model::Wish;

    fn present(text: &str) -> Vec<Present> {
        text.split_whitespace()
            .map(|word| Present {
                tag: tag(word),
                automatic: false,
            })
            .collect()
    }

    fn tag(word: &str) -> Tag {
        let (key, value) = word.split_once('=').unwrap();
        Tag::new(key, Some(value))
    }

    fn live(text: &str) -> BTreeSet<Tag> {
        text.split_whitespace().map(tag).collect()
    }

    /// The actions are +env:prod (bit 0) and -env:dev (bit 1).
    #[test]
    fn a_set_key_is_done_unchanged_conflict_or_goes_on() {
        let before = present("env=dev");
        let actions = diff::actions(
            &[Wish {
                rule: Rule::Set,
                tag: tag("env=prod"),
            }],
            &before,
        );
        let table: &[(u64, &str, (u64, u64, u64))] = &[
            (0b00, "env=dev", (0, 0, 0)),
            (0b00, "env=prod", (0, 0b11, 0)),
            (0b00, "env=qa", (0, 0, 0b11)),
            (0b00, "env=dev env=qa", (0, 0, 0b11)),
            (0b00, "env=prod env=qa", (0, 0, 0b11)),
            (0b00, "env=prod env=dev", (0, 0, 0b11)),
            (0b00, "", (0, 0, 0b11)),
            (0b01, "env=dev", (0, 0, 0)),
            (0b01, "env=prod env=dev", (0b01, 0, 0)),
            (0b01, "env=prod", (0b01, 0b10, 0)),
            (0b01, "env=prod env=dev env=qa", (0b01, 0, 0b10)),
            (0b11, "env=prod", (0b11, 0, 0)),
            (0b11, "env=prod env=dev", (0b01, 0, 0)),
            (0b11, "other=x env=prod", (0b11, 0, 0)),
        ];
        for (attempted, now, (done, unchanged, conflict)) in table {
            let standing = Standing {
                actions: &actions,
                open: 0b11,
                attempted: *attempted,
                before: &before,
            };
            let want = Reconciled {
                done: *done,
                unchanged: *unchanged,
                conflict: *conflict,
            };
            assert_eq!(
                reconcile(&standing, &live(now)),
                want,
                "attempted {attempted:02b}, now {now}"
            );
        }
    }

    #[test]
    fn an_added_value_that_is_there_is_settled_whatever_stands_beside_it() {
        let before = present("team=a");
        let actions = diff::actions(
            &[Wish {
                rule: Rule::Add,
                tag: tag("team=b"),
            }],
            &before,
        );
        let standing = Standing {
            actions: &actions,
            open: 1,
            attempted: 0,
            before: &before,
        };
        assert_eq!(reconcile(&standing, &live("team=a team=b team=c")).unchanged, 1);
        assert_eq!(reconcile(&standing, &live("team=a team=c")).conflict, 1);
        assert_eq!(reconcile(&standing, &live("team=a")), Reconciled::default());
    }

    proptest! {
        #[test]
        fn any_subset_of_what_was_attempted_is_never_a_conflict_and_all_of_it_is_done(
            value in "[xyz]",
            before in proptest::collection::btree_set("k=[xyz]", 0..3),
            subset in 0u64..8,
        ) {
            let before = present(&before.into_iter().collect::<Vec<_>>().join(" "));
            let actions = diff::actions(&[Wish { rule: Rule::Set, tag: Tag::new("k", Some(value)) }], &before);
            let all = (1 << actions.len()) - 1;
            let mut now: BTreeSet<Tag> = before.iter().map(|present| present.tag.clone()).collect();
            for (bit, action) in actions.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1) {
                let _ = bit;
                if action.remove { now.remove(&action.tag); } else { now.insert(action.tag.clone()); }
            }
            let standing = Standing { actions: &actions, open: all, attempted: all, before: &before };
            let result = reconcile(&standing, &now);
            prop_assert_eq!(result.conflict, 0);
            prop_assert_eq!(result.done, subset & all);
        }
    }
}
