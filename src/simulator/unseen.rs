//! Changes that reads can't see yet, whatever it is that changes.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// What things were before changes that are still invisible. Without a delay it stays empty and costs nothing.
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
    fn default() -> Self {
        Self {
            delay: 0,
            before: HashMap::new(),
            due: VecDeque::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, S> Unseen<K, S> {
    /// Reads see a change only `delay` milliseconds after it was made.
    pub(super) fn new(delay: i64) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// Remembers what a thing is, just before a change at `now`.
    pub(super) fn remember(&mut self, key: K, state: impl FnOnce() -> S, now: i64) {
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
        if self.delay == 0 {
            return None;
        }
        let states = self.before.get(&key)?;
        // The oldest change that is still invisible hides all later ones.
        states
            .iter()
            .find(|before| before.until > now)
            .map(|before| &before.state)
    }

    /// Everything that changed lately, in no order.
    pub(super) fn changed(&self) -> impl Iterator<Item = K> {
        self.before.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_sees_each_change_only_after_the_delay() {
        let mut unseen = Unseen::new(100);
        for (now, state) in [(1_000, "nothing"), (1_050, "first"), (1_060, "second")] {
            unseen.remember('k', || state, now);
        }
        for (now, want) in [
            (1_060, Some("nothing")),
            (1_099, Some("nothing")),
            (1_100, Some("first")),
            (1_150, Some("second")),
            (1_160, None),
        ] {
            assert_eq!(unseen.before('k', now).copied(), want, "at {now}");
        }
        unseen.remember('k', || "third", 2_000);
        assert_eq!(
            unseen.before('k', 2_000),
            Some(&"third"),
            "what is past is forgotten"
        );
        assert_eq!(unseen.before('l', 2_000), None);
    }

    #[test]
    fn without_a_delay_nothing_is_kept() {
        let mut unseen = Unseen::new(0);
        unseen.remember(1, || panic!("nobody asks for it"), 5);
        assert_eq!((unseen.before(1, 5), unseen.changed().count()), (None::<&()>, 0));
    }
}
