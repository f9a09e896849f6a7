//! What is counted of changes that are alike but for their values. Whatever their number, it takes bounded memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

use super::key_change::{Face, KeyChange, Slot};
use super::part::{Part, Side};
use super::relation::Relation;

/// Values of a side that are told apart, and so the most that a shape counts.
const MOST_VALUES: usize = 1000;

/// Faces of a key that are told apart: beyond them rare ones are the rule.
const MOST_FACES: usize = 16;

/// Ways in which entities of one structure may differ in their values and still be a group each.
pub(super) const MOST_WAYS: usize = 4;

/// How often each of some things was seen, while they are not too many.
#[derive(Debug, Clone)]
pub(super) enum Distinct<T> {
    /// All of them.
    Few(HashMap<T, u64>),
    /// More than could be told apart. Whether it comes to that does not depend on the order.
    Many,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self::Few(HashMap::new())
    }
}

impl<T: Eq + Hash + Ord + Clone> Distinct<T> {
    fn add(&mut self, thing: &T, times: u64, most: usize) {
        let Self::Few(counts) = self else { return };
        if let Some(count) = counts.get_mut(thing) {
            *count += times;
        } else if counts.len() < most {
            counts.insert(thing.clone(), times);
        } else {
            *self = Self::Many;
        }
    }

    fn merge(&mut self, other: Self, most: usize) {
        match other {
            Self::Many => *self = Self::Many,
            Self::Few(counts) => counts
                .iter()
                .for_each(|(thing, times)| self.add(thing, *times, most)),
        }
    }

    /// The things, the most frequent first; `None` when they are too many.
    pub(super) fn by_count(&self) -> Option<Vec<(&T, u64)>> {
        let Self::Few(counts) = self else { return None };
        let mut things: Vec<(&T, u64)> = counts.iter().map(|(thing, times)| (thing, *times)).collect();
        things.sort_unstable_by_key(|(thing, times)| (Reverse(*times), *thing));
        Some(things)
    }
}

impl Distinct<String> {
    fn side(&self) -> Option<Side> {
        match self.by_count() {
            None => Some(Side::Over(MOST_VALUES)),
            Some(values) if values.is_empty() => None,
            Some(values) => Some(Side::of(
                values.into_iter().map(|(value, _)| value.clone()).collect(),
            )),
        }
    }
}

/// The values of one key.
#[derive(Debug, Clone, Default)]
pub(super) struct SlotStats {
    pub(super) faces: Distinct<Face>,
    old: Distinct<String>,
    new: Distinct<String>,
}

impl SlotStats {
    fn add(&mut self, face: &Face, entities: u64) {
        self.faces.add(face, entities, MOST_FACES);
        for (side, values) in [(&face.old, &mut self.old), (&face.new, &mut self.new)] {
            if let Some(value) = side {
                values.add(value, entities, MOST_VALUES);
            }
        }
    }

    /// The part of a shape that these values make.
    pub(super) fn part(&self, slot: &Slot, relation: Option<Relation>) -> Part {
        Part {
            kind: slot.kind,
            key: slot.key.clone(),
            to: slot.to.clone(),
            relation,
            old: self.old.side(),
            new: self.new.side(),
        }
    }
}

/// Changes that are alike but for their values.
#[derive(Debug, Clone)]
pub(super) struct Stats {
    pub(super) entities: u64,
    /// The first of them.
    pub(super) first: u32,
    /// The changes whose first entities come first, as (entity, place of the change).
    pub(super) members: Vec<(u32, usize)>,
    pub(super) slots: Vec<SlotStats>,
    /// In which ways the values differ that no relation explains.
    pub(super) ways: Distinct<Vec<Face>>,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            entities: 0,
            first: u32::MAX,
            members: Vec::new(),
            slots: Vec::new(),
            ways: Distinct::default(),
        }
    }
}

impl Stats {
    /// Counts a change of so many entities, of which `member` is the first, and keeps at most `most` members.
    pub(super) fn add(&mut self, changes: &[KeyChange], entities: u64, member: (u32, usize), most: usize) {
        self.entities += entities;
        self.first = self.first.min(member.0);
        self.keep(member, most);
        self.slots.resize_with(changes.len(), SlotStats::default);
        for (stats, change) in self.slots.iter_mut().zip(changes) {
            stats.add(&change.face, entities);
        }
        let unexplained = changes.iter().filter(|change| change.slot.relations.is_empty());
        let way: Vec<Face> = unexplained.map(|change| change.face.clone()).collect();
        self.ways.add(&way, entities, MOST_WAYS);
    }

    /// Takes the counts of changes with the same slots.
    pub(super) fn merge(&mut self, other: Self, most: usize) {
        let Self {
            entities,
            first,
            members,
            slots,
            ways,
        } = other;
        self.entities += entities;
        self.first = self.first.min(first);
        for member in members {
            self.keep(member, most);
        }
        self.slots.resize_with(slots.len(), SlotStats::default);
        for (into, SlotStats { faces, old, new }) in self.slots.iter_mut().zip(slots) {
            into.faces.merge(faces, MOST_FACES);
            into.old.merge(old, MOST_VALUES);
            into.new.merge(new, MOST_VALUES);
        }
        self.ways.merge(ways, MOST_WAYS);
    }

    fn keep(&mut self, member: (u32, usize), most: usize) {
        let place = self.members.partition_point(|one| *one < member);
        if place < most {
            self.members.insert(place, member);
            self.members.truncate(most);
        }
    }
}
