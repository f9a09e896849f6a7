//! Changes that reads can't see yet.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// What entities carried before changes that are still invisible. Without a delay it stays empty and costs nothing.
#[derive(Debug)]
pub(super) struct Unseen<Entity, Tag> {
    /// Milliseconds that a change stays invisible.
    delay: i64,
    before: HashMap<Entity, VecDeque<Before<Tag>>>,
    /// When each remembered state may be forgotten, oldest first.
    due: VecDeque<(i64, Entity)>,
}

#[derive(Debug)]
struct Before<Tag> {
    until: i64,
    tags: Vec<Tag>,
}

impl<Entity, Tag> Default for Unseen<Entity, Tag> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<Entity, Tag> Unseen<Entity, Tag> {
    pub(super) fn new(delay: i64) -> Self {
        Self {
            delay,
            before: HashMap::new(),
            due: VecDeque::new(),
        }
    }
}

impl<Entity: Copy + Eq + Hash, Tag: Copy> Unseen<Entity, Tag> {
    /// Remembers what an entity carries, just before a change at `now`.
    pub(super) fn remember(&mut self, entity: Entity, tags: &[Tag], now: i64) {
        if self.delay == 0 {
            return;
        }
        self.forget(now);
        let until = now + self.delay;
        self.before.entry(entity).or_default().push_back(Before {
            until,
            tags: tags.to_vec(),
        });
        self.due.push_back((until, entity));
    }

    fn forget(&mut self, now: i64) {
        while let Some((_, entity)) = self.due.pop_front_if(|(until, _)| *until <= now) {
            let Some(states) = self.before.get_mut(&entity) else {
                continue;
            };
            states.pop_front();
            if states.is_empty() {
                self.before.remove(&entity);
            }
        }
    }

    /// What a read at `now` still sees; `None` when it sees what there is.
    pub(super) fn before(&self, entity: Entity, now: i64) -> Option<&[Tag]> {
        if self.delay == 0 {
            return None;
        }
        let states = self.before.get(&entity)?;
        // The oldest change that is still invisible hides all later ones.
        states
            .iter()
            .find(|before| before.until > now)
            .map(|before| &*before.tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_sees_each_change_only_after_the_delay() {
        let mut unseen = Unseen::new(100);
        unseen.remember('h', &[], 1_000);
        unseen.remember('h', &['x'], 1_050);
        unseen.remember('h', &['x', 'y'], 1_060);
        for (now, want) in [
            (1_060, Some(&[][..])),
            (1_099, Some(&[])),
            (1_100, Some(&['x'])),
            (1_150, Some(&['x', 'y'])),
            (1_160, None),
        ] {
            assert_eq!(unseen.before('h', now), want, "at {now}");
        }
        assert_eq!(unseen.before('i', 1_060), None);
        unseen.remember('h', &['y'], 2_000);
        assert_eq!(unseen.due, [(2_100, 'h')], "what is past is forgotten");
    }

    #[test]
    fn without_a_delay_nothing_is_remembered() {
        let mut unseen = Unseen::new(0);
        unseen.remember('h', &['x'], 1_000);
        assert!(unseen.before.is_empty() && unseen.due.is_empty());
    }
}
