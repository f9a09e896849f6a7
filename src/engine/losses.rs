//! What tags lose because the job allows it, while a plan is made: each set of losses once.

use std::collections::BTreeMap;

use crate::ledger::loss_members;
use crate::model::{Interner, Loss};

/// How often each class of loss was met by which remedy: `too_long`, `truncated`, 3.
pub type LossCounts = BTreeMap<String, BTreeMap<String, u64>>;

/// Sets of losses, in the form that the ledger keeps, and how often each occurs.
#[derive(Debug, Default)]
pub(super) struct Losses {
    members: Interner,
    sets: Vec<Vec<Loss>>,
    times: Vec<u64>,
}

impl Losses {
    /// Counts what a row or an entity lost, and gives the number of the set; `None` where it is nothing.
    pub(super) fn note(&mut self, losses: Vec<Loss>) -> Option<u32> {
        if losses.is_empty() {
            return None;
        }
        let set = self.members.intern(&loss_members(&losses));
        let place = set as usize;
        if place == self.sets.len() {
            self.sets.push(losses);
            self.times.push(0);
        }
        self.times[place] += 1;
        Some(set)
    }

    /// The losses of a number.
    pub(super) fn set(&self, set: u32) -> &[Loss] {
        &self.sets[set as usize]
    }

    /// All sets with their numbers, as the ledger keeps them.
    pub(super) fn rows(&self) -> Vec<(u32, &str)> {
        let numbers = (0..).take(self.members.len());
        numbers.map(|set| (set, self.members.text(set))).collect()
    }

    /// How often what was lost.
    pub(super) fn counts(&self) -> LossCounts {
        let mut counts = LossCounts::new();
        for (losses, times) in self.sets.iter().zip(&self.times) {
            for Loss { class, remedy, .. } in losses {
                let of_class = counts.entry(class.to_string()).or_default();
                *of_class.entry(remedy.to_string()).or_default() += times;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, Remedy};

    #[test]
    fn losses_are_kept_once_and_counted_each_time() {
        let loss = |class, remedy| Loss {
            class,
            remedy,
            message: "why".to_owned(),
        };
        let cut = loss(Class::TooLong, Remedy::Truncated);
        let gone = loss(Class::Illegal, Remedy::Dropped);
        let mut losses = Losses::default();
        let noted = [
            vec![cut.clone()],
            vec![],
            vec![cut.clone(), gone.clone()],
            vec![cut.clone()],
        ]
        .map(|set| losses.note(set));
        assert_eq!(noted, [Some(0), None, Some(1), Some(0)]);
        assert_eq!(losses.set(1), [cut, gone]);
        assert_eq!(
            losses.rows(),
            [
                (0, r#"[["too_long","truncated","why"]]"#),
                (
                    1,
                    r#"[["too_long","truncated","why"],["illegal","dropped","why"]]"#
                )
            ]
        );
        let counts: Vec<(String, String, u64)> = losses
            .counts()
            .into_iter()
            .flat_map(|(class, by)| by.into_iter().map(move |(remedy, n)| (class.clone(), remedy, n)))
            .collect();
        let count = |class: &str, remedy: &str, n| (class.to_owned(), remedy.to_owned(), n);
        assert_eq!(
            counts,
            [count("illegal", "dropped", 1), count("too_long", "truncated", 3)]
        );
    }
}
