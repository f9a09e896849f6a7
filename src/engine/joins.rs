//! Several numbers of a gathering that turned out to be one entity: the first of them gets the rows of all.

use std::collections::{BTreeSet, HashSet};

use super::gather::Gathering;
use crate::ledger::RowMove;
use crate::model::Interner;
use crate::resolve::{Answer, Called, Named, first_of_each};
use crate::vendor::Vendor;

/// Which numbers turned out to be one entity.
#[derive(Debug)]
pub(super) struct Joins {
    /// For each number the first that is the same.
    firsts: Vec<u32>,
    /// What identifies each in the gathering, as far as that is known.
    texts: Vec<Option<Box<str>>>,
    /// What reports call each beside its identifier.
    called: Vec<Option<Called>>,
}

impl Joins {
    /// By what each number turned out to be.
    pub(super) fn new(named: &Named, answers: &[Answer], vendor: &dyn Vendor, kind: &str) -> Self {
        let identity = |(number, answer): (u32, &Answer)| match answer {
            Answer::Live(id) => Some(id.clone()),
            // Where entities can be made, those that would be made alike are one.
            Answer::Missing => named
                .new_from(number)
                .and_then(|from| vendor.new_id(kind, from))
                .map(Into::into),
            Answer::Astray | Answer::Ambiguous(..) | Answer::Skipped => None,
        };
        let texts: Vec<Option<Box<str>>> = (0..).zip(answers).map(identity).collect();
        let firsts = first_of_each(&texts);
        let called = named.called_in_groups(&firsts);
        Self {
            firsts,
            texts,
            called,
        }
    }

    /// Of each number whether it is the first of those that are the same.
    pub(super) fn are_first(&self) -> impl Iterator<Item = bool> {
        (0..)
            .zip(&self.firsts)
            .map(|(number, first): (u32, &u32)| number == *first)
    }

    /// Joins the rows of the gathering, and says which of them belong to another number now.
    pub(super) fn apply(&self, gathering: &mut Gathering) -> Vec<RowMove> {
        let mut entities = Interner::default();
        gathering.spelled.clear();
        let found = self.are_first().zip(&self.texts);
        let found: HashSet<&str> = found
            .filter_map(|(is_first, text)| text.as_deref().filter(|_| is_first))
            .collect();
        for ((number, first), (text, called)) in
            (0..).zip(&self.firsts).zip(self.texts.iter().zip(&self.called))
        {
            let own = called
                .as_ref()
                .filter(|called| called.is_id)
                .map(|called| &*called.text);
            // What was decided otherwise must not stand for the entity whose identifier its rows tell.
            let nobodys = own.filter(|own| !found.contains(own));
            let text = text.as_deref().filter(|_| number == *first).or(nobodys);
            // A text that is another's already, or none at all, gives way to one that is nobody's.
            if text.map(|text| entities.intern(text)) != Some(number) {
                entities.intern(&format!("\0{number}"));
            }
            let is_its_own = own == Some(entities.text(number));
            let beside = called.as_ref().filter(|_| !is_its_own);
            gathering.spelled.push(beside.map(|called| called.text.clone()));
        }
        gathering.entities = entities;
        join(gathering, &self.firsts)
    }
}

/// Gives the rows of each number to the first that is the same entity, and says which rows that are.
fn join(gathering: &mut Gathering, firsts: &[u32]) -> Vec<RowMove> {
    let mut moves = Vec::new();
    let mut joined = BTreeSet::new();
    for (number, first) in (0..).zip(firsts.iter().copied()) {
        if number == first {
            continue;
        }
        let mut rows = vec![gathering.firsts[number as usize]];
        rows.extend(gathering.further.remove(&number).unwrap_or_default());
        moves.extend(rows.iter().map(|(row, _)| (*row, first)));
        gathering.further.entry(first).or_default().extend(rows);
        joined.insert(first);
    }
    // Numbers are given in the order of the rows, so that a first number has the first row.
    for first in joined {
        if let Some(rows) = gathering.further.get_mut(&first) {
            rows.sort_unstable();
        }
    }
    moves.sort_unstable();
    moves
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn rows_of_numbers_that_are_one_entity_are_those_of_the_first_in_their_order() {
        let mut gathering = Gathering::new();
        gathering.firsts = vec![(0, 10), (1, 11), (2, 12), (5, 13)];
        gathering.further = HashMap::from([
            (0, vec![(4, 14)]),
            (2, vec![(3, 15), (7, 16)]),
            (3, vec![(6, 17)]),
        ]);
        let moves = join(&mut gathering, &[0, 1, 0, 1]);
        assert_eq!(moves, [(2, 0), (3, 0), (5, 1), (6, 1), (7, 0)]);
        let want = [
            (0, vec![(2, 12), (3, 15), (4, 14), (7, 16)]),
            (1, vec![(5, 13), (6, 17)]),
        ];
        assert_eq!(gathering.further, HashMap::from(want));
        assert_eq!(gathering.firsts[..2], [(0, 10), (1, 11)]);
    }
}
