//! Which live entity each named one is. Live entities may be seen in any order, and more than once.

use std::collections::HashMap;

use super::decisions::Decision;
use super::named::{Named, Told};
use super::resolver::{Resolution, Resolver};

/// How an entity was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the key of the declared rule.
    Key,
    /// By name.
    Name,
}

/// What a named entity turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The live entity of this identifier.
    Live(Box<str>),
    /// No way leads to a live entity.
    Missing,
    /// It was decided on, and no live entity has the identifier.
    Astray,
    /// A way leads to several: which, how many, and the first identifiers.
    Ambiguous(Way, u32, Vec<Box<str>>),
    /// Somebody decided that it is left out.
    Skipped,
}

/// Sees live entities, and answers afterwards.
#[derive(Debug)]
pub struct Search {
    /// Whether a live entity has the identifier of each number; `None` where nobody looked.
    ids: Option<Vec<bool>>,
    keys: Resolver,
    names: Resolver,
}

impl Search {
    /// A search among all live entities of the kind.
    pub fn among_all(named: &Named) -> Self {
        Self {
            ids: Some(vec![false; named.ids.len()]),
            ..Self::unlisted(named)
        }
    }

    /// No search: identifiers are taken as they are, since the vendor can be asked about each.
    pub fn unlisted(named: &Named) -> Self {
        Self {
            ids: None,
            keys: Resolver::new(named.keys.len()),
            names: Resolver::new(named.names.len()),
        }
    }

    /// Takes a live entity in, with its key of the declared rule and its name as the vendor compares names; says whether a
    /// row or a decision may mean it.
    pub fn see(&mut self, named: &Named, id: &str, key: Option<&str>, name: Option<&str>) -> bool {
        let of_id = named.ids.find(id);
        let of_key = key.and_then(|key| named.keys.find(key));
        let of_name = name.and_then(|name| named.names.find(name));
        if let (Some(number), Some(ids)) = (of_id, &mut self.ids) {
            ids[number as usize] = true;
        }
        if let Some(number) = of_key {
            self.keys.see(number, id);
        }
        if let Some(number) = of_name {
            self.names.see(number, id);
        }
        of_id.is_some() || of_key.is_some() || of_name.is_some()
    }

    /// What a named entity turned out to be.
    pub fn answer(&self, named: &Named, number: u32) -> Answer {
        match named.decided(number).map(|decided| &decided.decision) {
            Some(Decision::Skip) => return Answer::Skipped,
            Some(Decision::Id(id)) if self.has(named, id) => return Answer::Live(id.clone()),
            Some(Decision::Id(_)) => return Answer::Astray,
            None => {}
        }
        let Told { key, name, .. } = named.entities[number as usize].told;
        if let Some(id) = named.id(number)
            && self.has(named, id)
        {
            return Answer::Live(id.into());
        }
        let by_key = key.map(|key| (Way::Key, self.keys.get(key)));
        let by_name = name.map(|name| (Way::Name, self.names.get(name)));
        let mut found = by_key.into_iter().chain(by_name).map(|(way, found)| match found {
            Resolution::Missing => Answer::Missing,
            Resolution::One(id) => Answer::Live(id.clone()),
            Resolution::Ambiguous(count, ids) => Answer::Ambiguous(way, *count, ids.clone()),
        });
        let answer = found.find(|answer| *answer != Answer::Missing);
        answer.unwrap_or(Answer::Missing)
    }

    fn has(&self, named: &Named, id: &str) -> bool {
        let Some(ids) = &self.ids else { return true };
        named.ids.find(id).is_some_and(|number| ids[number as usize])
    }
}

/// For each of some identities the number of the first that is the same; what has none is like no other.
pub fn first_of_each(identities: &[Option<Box<str>>]) -> Vec<u32> {
    let mut firsts: HashMap<&str, u32> = HashMap::new();
    (0..)
        .zip(identities)
        .map(|(number, identity)| match identity.as_deref() {
            Some(identity) => *firsts.entry(identity).or_insert(number),
            None => number,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::super::decisions::Compare;
    use super::super::decisions::tests::{ALL, Plain, decisions};
    use super::super::named::tests::clues;
    use super::*;
    use crate::model::{Clues, Ways};

    /// A live entity: identifier, key, name.
    type Live<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

    fn searched(named: &Named, live: &[Live<'_>]) -> Search {
        let mut search = Search::among_all(named);
        for (id, key, name) in live {
            let folded = name.map(|name| Plain.name(name));
            search.see(named, id, *key, folded.as_deref());
        }
        search
    }

    #[test]
    fn ways_are_tried_in_order_and_a_decision_wins_over_all() {
        let decided = decisions(
            ALL,
            &[
                ("chosen", "H-2"),
                ("left", "skip"),
                ("gone", "H-77"),
                ("twin", "H-4"),
            ],
        );
        let mut named = Named::new(decided.unwrap());
        let live = [
            ("H-1", Some("a"), Some("web")),
            ("H-2", Some("b"), Some("db")),
            ("H-3", Some("c"), Some("same")),
            ("H-4", Some("c"), Some("Same")),
            ("H-5", None, Some("twin")),
            ("H-6", None, Some("twin")),
        ];
        let id = |id: &str| Answer::Live(id.into());
        let several = |way| Answer::Ambiguous(way, 2, vec!["H-3".into(), "H-4".into()]);
        for (clues, want) in [
            (clues("H-1", "b", "db"), id("H-1")),
            (clues("H-9", "b", "web"), id("H-2")),
            (clues("H-9", "z", "WEB"), id("H-1")),
            (clues("", "", "web"), id("H-1")),
            (clues("H-9", "", ""), Answer::Missing),
            (clues("H-9", "z", "nobody"), Answer::Missing),
            (clues("", "c", "web"), several(Way::Key)),
            (clues("", "z", "same"), several(Way::Name)),
            (clues("H-1", "c", "same"), id("H-1")),
            (clues("H-1", "a", "chosen"), id("H-2")),
            (clues("H-1", "a", "left"), Answer::Skipped),
            (clues("H-1", "a", "gone"), Answer::Astray),
            (clues("", "", "twin"), id("H-4")),
        ] {
            let number = named.number(&clues, &Plain).unwrap();
            assert_eq!(searched(&named, &live).answer(&named, number), want, "{clues:?}");
        }
    }

    #[test]
    fn without_a_listing_an_identifier_is_taken_at_its_word() {
        let by_id = Ways {
            id: true,
            ..Ways::default()
        };
        let mut named = Named::new(decisions(by_id, &[("H-1", "H-2"), ("H-3", "skip")]).unwrap());
        for (id, want) in [
            ("H-1", Answer::Live("H-2".into())),
            ("H-3", Answer::Skipped),
            ("H-4", Answer::Live("H-4".into())),
        ] {
            let number = named.number(&clues(id, "", ""), &Plain).unwrap();
            assert_eq!(Search::unlisted(&named).answer(&named, number), want, "{id}");
        }
    }

    #[test]
    fn what_turns_out_to_be_the_same_is_one_and_what_has_no_identity_is_like_no_other() {
        let some = |id: &str| Some(id.into());
        let identities = [some("a"), None, some("b"), some("a"), None, some("b")];
        assert_eq!(first_of_each(&identities), [0, 1, 2, 0, 4, 2]);
    }

    /// Rows by what they come to: the answer of each, and which others it shares an entity with.
    fn outcome(rows: &[Clues], live: &[Live<'_>]) -> BTreeMap<usize, (String, BTreeSet<String>)> {
        let decided = decisions(ALL, &[("n1", "H-3"), ("n2", "skip"), ("k1", "H-9")]).unwrap();
        let mut named = Named::new(decided);
        let numbers: Vec<u32> = rows
            .iter()
            .map(|row| named.number(row, &Plain).unwrap())
            .collect();
        let search = searched(&named, live);
        let answers: Vec<Answer> = (0..)
            .take(named.len())
            .map(|number| search.answer(&named, number))
            .collect();
        let identities: Vec<Option<Box<str>>> = answers
            .iter()
            .map(|answer| match answer {
                Answer::Live(id) => Some(id.clone()),
                _ => None,
            })
            .collect();
        let firsts = first_of_each(&identities);
        let together = |number: u32| {
            let same = rows
                .iter()
                .zip(&numbers)
                .filter(|(_, other)| firsts[**other as usize] == firsts[number as usize]);
            same.map(|(row, _)| format!("{row:?}")).collect()
        };
        let told = |number: u32| (format!("{:?}", answers[number as usize]), together(number));
        numbers.iter().map(|number| told(*number)).enumerate().collect()
    }

    proptest! {
        #[test]
        fn the_order_of_the_rows_changes_nothing(
            rows in proptest::collection::vec(("(H-[1-4])?", "(k[1-3])?", "(n[1-3])?"), 1..8)
                .prop_map(|rows| rows.iter().map(|(id, key, name)| clues(id, key, name))
                    .filter(|clues| *clues != Clues::default()).collect::<Vec<_>>()),
            live in proptest::collection::vec(("H-[1-4]", "k[1-3]", "n[1-3]"), 0..6),
            turn in 0usize..8,
        ) {
            // An identifier has one key and one name.
            let live: BTreeMap<&str, (&str, &str)> =
                live.iter().map(|(id, key, name)| (id.as_str(), (key.as_str(), name.as_str()))).collect();
            let live: Vec<Live<'_>> =
                live.iter().map(|(id, (key, name))| (*id, Some(*key), Some(*name))).collect();
            let straight = outcome(&rows, &live);
            let mut turned = rows.clone();
            let turn = turn % rows.len().max(1);
            turned.rotate_left(turn);
            let again = outcome(&turned, &live);
            for (place, told) in &straight {
                let moved = (place + rows.len() - turn) % rows.len();
                prop_assert_eq!(told, &again[&moved]);
            }
        }
    }
}
