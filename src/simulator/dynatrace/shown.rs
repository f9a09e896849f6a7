//! Changes that reads can't see yet.

use std::collections::{HashMap, VecDeque};

use super::tag_index::TagId;
use super::world::EntityIndex;

/// What entities carried before changes that are still invisible. Without a delay it stays empty and costs nothing.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    delay: i64,
    before: HashMap<EntityIndex, VecDeque<Before>>,
    /// When each remembered state may be forgotten, oldest first.
    due: VecDeque<(i64, EntityIndex)>,
}

#[derive(Debug)]
struct Before {
    until: i64,
    tags: Vec<TagId>,
}

impl Unseen {
    pub(super) fn new(delay: i64) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// Remembers what an entity carries, just before a change at `now`.
    pub(super) fn remember(&mut self, index: EntityIndex, tags: &[TagId], now: i64) {
        if self.delay == 0 {
            return;
        }
        self.forget(now);
        let until = now + self.delay;
        self.before.entry(index).or_default().push_back(Before {
            until,
            tags: tags.to_vec(),
        });
        self.due.push_back((until, index));
    }

    fn forget(&mut self, now: i64) {
        while let Some((_, index)) = self.due.pop_front_if(|(until, _)| *until <= now) {
            let Some(states) = self.before.get_mut(&index) else {
                continue;
            };
            states.pop_front();
            if states.is_empty() {
                self.before.remove(&index);
            }
        }
    }

    /// What a read at `now` still sees; `None` when it sees what there is.
    pub(super) fn before(&self, index: EntityIndex, now: i64) -> Option<&[TagId]> {
        if self.delay == 0 {
            return None;
        }
        let states = self.before.get(&index)?;
        // The oldest change that is still invisible hides all later ones.
        states
            .iter()
            .find(|before| before.until > now)
            .map(|before| &*before.tags)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::journal::Op;
    use super::super::world::World;
    use super::super::world::tests::made;

    #[test]
    fn a_read_sees_each_change_only_after_the_delay() {
        let mut world = World::new(100);
        world.insert(made("HOST", 1, "a", 0, &[]));
        let host = world.find("HOST", 1).unwrap();
        let (x, y) = (world.intern("x", None), world.intern("y", None));
        world.change(host, Op::Add, x, 1_000);
        world.change(host, Op::Add, y, 1_050);
        world.change(host, Op::Remove, x, 1_060);
        assert_eq!(world.manual(host), [y]);
        for (now, want) in [
            (1_060, vec![]),
            (1_099, vec![]),
            (1_100, vec![x]),
            (1_150, vec![x, y]),
            (1_160, vec![y]),
        ] {
            assert_eq!(world.shown(host, now), want, "at {now}");
        }
        world.change(host, Op::Add, x, 2_000);
        assert_eq!(world.shown(host, 2_000), [y], "what is past is forgotten");
        assert_eq!(world.shown(host, 2_100), [x, y]);
    }
}
