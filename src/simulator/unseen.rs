//! Changes that reads can't see yet.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// What things were like before changes that are still invisible. Without a delay it stays empty and costs nothing.
#[derive(Debug)]
pub(super) struct Unseen<K, S> {
    /// Milliseconds.
    delay: i64,
    before: HashMap<K, VecDeque<Before<S>>>,
    /// When each remembered state may be forgotten, oldest first.
    due: VecDeque<(i64, K)>,
}

#[derive(Debug)]
struct Before<S> {
    until: i64,
    state: S,
}

impl<K, S> Default for Unseen<K, S> {
    /// Every change is seen at once.
    fn default() -> Self {
        Self {
            delay: 0,
            before: HashMap::new(),
            due: VecDeque::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, S> Unseen<K, S> {
    /// Changes are seen so many milliseconds after they were made.
    pub(super) fn new(delay: i64) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// Remembers what something is like, just before a change at `now`.
    pub(super) fn remember(&mut self, key: K, now: i64, state: impl FnOnce() -> S) {
        if self.delay == 0 {
            return;
        }
        self.forget(now);
        let until = now.saturating_add(self.delay);
        let before = Before {
            until,
            state: state(),
        };
        self.before.entry(key).or_default().push_back(before);
        self.due.push_back((until, key));
    }

    fn forget(&mut self, now: i64) {
        while let Some((_, key)) = self.due.pop_front_if(|(until, _)| *until <= now) {
            let Some(states) = self.before.get_mut(&key) else {
                continue;
            };
            states.pop_front();
            if states.is_empty() {
                self.before.remove(&key);
            }
        }
    }

    /// What a read at `now` still sees; `None` when it sees what there is.
    pub(super) fn before(&self, key: K, now: i64) -> Option<&S> {
        oldest(self.before.get(&key)?, now)
    }

    /// Everything that changed lately, in no order.
    pub(super) fn changed(&self) -> impl Iterator<Item = K> {
        self.before.keys().copied()
    }

    /// Everything of which a read at `now` still sees what was before.
    pub(super) fn hidden(&self, now: i64) -> impl Iterator<Item = (K, &S)> {
        self.before
            .iter()
            .filter_map(move |(key, states)| Some((*key, oldest(states, now)?)))
    }
}

/// The oldest change that is still invisible hides all later ones.
fn oldest<S>(states: &VecDeque<Before<S>>, now: i64) -> Option<&S> {
    let before = states.iter().find(|before| before.until > now)?;
    Some(&before.state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_sees_each_change_only_after_the_delay() {
        let mut unseen = Unseen::new(100);
        for (now, state) in [(1_000, ""), (1_050, "x"), (1_060, "x y")] {
            unseen.remember('a', now, || state);
        }
        for (now, want) in [
            (1_060, Some("")),
            (1_099, Some("")),
            (1_100, Some("x")),
            (1_150, Some("x y")),
            (1_160, None),
        ] {
            assert_eq!(unseen.before('a', now).copied(), want, "at {now}");
            assert_eq!(
                unseen.hidden(now).count(),
                usize::from(want.is_some()),
                "at {now}"
            );
        }
        assert_eq!(unseen.before('b', 1_060), None);
        unseen.remember('a', 2_000, || "y");
        assert_eq!(unseen.due.len(), 1, "what is past is forgotten");
        assert_eq!(unseen.before('a', 2_099), Some(&"y"));
    }

    #[test]
    fn without_a_delay_nothing_is_remembered() {
        let mut unseen = Unseen::default();
        unseen.remember(1, 1_000, || unreachable!("no state is looked at"));
        assert_eq!(unseen.before(1, 1_000), None::<&()>);
    }
}
