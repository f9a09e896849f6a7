//! Which keys are renamed: one goes, another comes, and the value follows from the old one.
//!
//! That two values are equal may be chance, so it is looked for in the plan as a whole: a pair of keys counts as renamed
//! only where that explains at least half of the entities that lose one and gain the other.

use std::collections::HashMap;

use super::key_change::Sides;
use super::relation::Relations;

/// Pairs of keys that are looked at; beyond them no key counts as renamed.
const MOST_PAIRS: usize = 10_000;

/// Keys of one entity on either side that are looked at.
const MOST_KEYS: usize = 8;

/// A pair of keys: the one that goes and the one that comes.
type Pair = (String, String);

/// For how many entities a pair could be a rename, and for how many it is.
#[derive(Debug, Clone, Copy, Default)]
struct Votes {
    might: u64,
    is: u64,
}

/// What is learned of a plan about renamed keys.
#[derive(Debug, Default)]
pub(super) struct Renames {
    votes: HashMap<Pair, Votes>,
    overflown: bool,
}

impl Renames {
    /// Looks at the change of so many entities.
    pub(super) fn see(&mut self, sides: &Sides<'_>, entities: u64) {
        for (old, new) in pairs(sides) {
            if self.votes.len() >= MOST_PAIRS {
                self.overflown = true;
                return;
            }
            let pair = (old.0.to_owned(), new.0.to_owned());
            let votes = self.votes.entry(pair).or_default();
            votes.might += entities;
            if !Relations::between(old.1, new.1).is_empty() {
                votes.is += entities;
            }
        }
    }

    /// The renames of one entity: the pairs that explain the most entities first, each key in one of them at most.
    pub(super) fn of(&self, sides: &Sides<'_>) -> Vec<Pair> {
        let mut found: Vec<(u64, Pair)> = pairs(sides)
            .filter(|(old, new)| !Relations::between(old.1, new.1).is_empty())
            .filter_map(|(old, new)| {
                let pair = (old.0.to_owned(), new.0.to_owned());
                let votes = self.votes.get(&pair).filter(|_| !self.overflown)?;
                (votes.is * 2 >= votes.might).then_some((votes.is, pair))
            })
            .collect();
        found.sort_by(|(one, first), (other, second)| other.cmp(one).then_with(|| first.cmp(second)));
        let mut taken: Vec<Pair> = Vec::new();
        for (_, pair) in found {
            if taken.iter().all(|one| one.0 != pair.0 && one.1 != pair.1) {
                taken.push(pair);
            }
        }
        taken
    }
}

/// A key and its values.
type KeyValues<'a> = (&'a str, &'a [&'a str]);

/// Each key that only goes with each that only comes. Keys without values are none: equal nothings say nothing.
fn pairs<'a>(sides: &'a Sides<'a>) -> impl Iterator<Item = (KeyValues<'a>, KeyValues<'a>)> {
    let valued = |values: &[&str]| values.iter().any(|value| !value.is_empty());
    let going = sides
        .iter()
        .filter(move |(_, side)| side.new.is_empty() && valued(&side.old));
    let coming: Vec<KeyValues<'a>> = sides
        .iter()
        .filter(|(_, side)| side.old.is_empty() && valued(&side.new))
        .map(|(key, side)| (*key, &*side.new))
        .take(MOST_KEYS)
        .collect();
    going.take(MOST_KEYS).flat_map(move |(key, side)| {
        let old = (*key, &*side.old);
        coming.clone().into_iter().map(move |new| (old, new))
    })
}
