//! Tells manual tags from rule-made ones where live tags do not say it themselves.
//!
//! The vendor answers with the union of the manual tags of the entities that it is asked about. So a pair that is not
//! in the answer is rule-made on all of them, and one that is in the answer is manual for sure only where a single one
//! of them bears it. First whole groups are asked about, which settles what is rule-made; then groups in which nobody
//! else bears a pair that one is asked about for, which settles the rest.

use std::collections::{BTreeSet, HashMap};

use futures::stream::{self, StreamExt, TryStreamExt};

use super::EngineError;
use super::target::Target;
use crate::ledger::RunLog;
use crate::model::{Limits, Tag, TagSet};

/// An entity and the pairs of it that are in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubtful {
    /// The entity's number.
    pub(super) entity: u32,
    /// Its identifier.
    pub(super) id: String,
    /// The pairs.
    pub(super) tags: Vec<Tag>,
    /// These and the other pairs in doubt that it bears: they stay, and so nobody needs to know whose they are, but they
    /// are in the answer too.
    pub(super) borne: Vec<Tag>,
}

/// The pairs of each entity that turned out to be rule-made.
pub(super) type RuleMade = HashMap<u32, BTreeSet<Tag>>;

/// Settles whose the doubtful pairs are.
pub(super) async fn settle(
    target: &Target,
    log: &RunLog,
    limits: &Limits,
    mut doubtful: Vec<Doubtful>,
) -> Result<RuleMade, EngineError> {
    let mut made = RuleMade::new();
    let longest = doubtful.iter().map(|one| one.id.len()).max().unwrap_or(0);
    let a_request = limits.observe_ids.map_or(1, |budget| budget.ids(longest));
    let groups = doubtful.chunks(a_request).map(<[Doubtful]>::to_vec).collect();
    for (group, manual) in ask(target, log, groups).await? {
        for one in &group {
            note(&mut made, one, &manual);
        }
    }
    for one in &mut doubtful {
        let ruled = |tag: &Tag| made.get(&one.entity).is_some_and(|made| made.contains(tag));
        one.tags.retain(|tag| !ruled(tag));
        one.borne.retain(|tag| !ruled(tag));
    }
    doubtful.retain(|one| !one.tags.is_empty());
    for (group, manual) in ask(target, log, apart(&doubtful, a_request)).await? {
        for one in &group {
            note(&mut made, one, &manual);
        }
    }
    Ok(made)
}

/// Notes which of an entity's pairs are not among the manual ones of its group.
fn note(made: &mut RuleMade, one: &Doubtful, manual: &TagSet) {
    let ruled = one.tags.iter().filter(|tag| !manual.0.contains(tag));
    for tag in ruled {
        made.entry(one.entity).or_default().insert(tag.clone());
    }
}

async fn ask(
    target: &Target,
    log: &RunLog,
    groups: Vec<Vec<Doubtful>>,
) -> Result<Vec<(Vec<Doubtful>, TagSet)>, EngineError> {
    let asked = groups.into_iter().map(|group| async move {
        let ids: Vec<String> = group.iter().map(|one| one.id.clone()).collect();
        let Some(request) = target.vendor.ask_manual(target.kind(), &ids) else {
            // The vendor has no way to tell: every pair counts as manual, and a refused removal says otherwise.
            let all = group.iter().flat_map(|one| one.tags.iter().cloned()).collect();
            return Ok((group, all));
        };
        let request = request.map_err(|error| EngineError::Job(error.to_string()))?;
        let answer = target.ask(&request, log, ids.len()).await?;
        let manual = target
            .vendor
            .read_manual(&answer)
            .map_err(|error| target.bad_answer(&error))?;
        Ok((group, manual))
    });
    stream::iter(asked)
        .buffer_unordered(target.concurrency)
        .try_collect()
        .await
}

/// Groups of at most `size` entities in which nobody else bears a pair that one is doubtful for.
fn apart(doubtful: &[Doubtful], size: usize) -> Vec<Vec<Doubtful>> {
    let mut groups: Vec<Vec<Doubtful>> = Vec::new();
    // The first group after those in which a pair is asked about, and after those in which it is borne at all.
    let mut unasked: HashMap<&Tag, usize> = HashMap::new();
    let mut unborne: HashMap<&Tag, usize> = HashMap::new();
    let mut first_open = 0;
    for one in doubtful {
        let after = |first: &HashMap<&Tag, usize>, tags: &[Tag]| {
            let places = tags.iter().filter_map(|tag| first.get(tag)).copied();
            places.max().unwrap_or(0)
        };
        let mut place = first_open
            .max(after(&unborne, &one.tags))
            .max(after(&unasked, &one.borne));
        while groups.get(place).is_some_and(|group| group.len() >= size) {
            place += 1;
        }
        if place >= groups.len() {
            groups.resize_with(place + 1, Vec::new);
        }
        groups[place].push(one.clone());
        for (first, tags) in [(&mut unasked, &one.tags), (&mut unborne, &one.borne)] {
            for tag in tags {
                let next = first.entry(tag).or_default();
                *next = (*next).max(place + 1);
            }
        }
        while groups.get(first_open).is_some_and(|group| group.len() >= size) {
            first_open += 1;
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Entities with the pairs that they are doubtful for and those that they bear beside.
    fn doubtful(sets: &[(BTreeSet<String>, BTreeSet<String>)]) -> Vec<Doubtful> {
        let tags = |words: &BTreeSet<String>| words.iter().map(|word| Tag::new(word, None::<&str>)).collect();
        (0..)
            .zip(sets)
            .map(|(entity, (doubted, beside))| Doubtful {
                entity,
                id: format!("HOST-{entity}"),
                tags: tags(doubted),
                borne: tags(&(doubted | beside)),
            })
            .collect()
    }

    fn alone(words: &[String]) -> (BTreeSet<String>, BTreeSet<String>) {
        (words.iter().cloned().collect(), BTreeSet::new())
    }

    proptest! {
        #[test]
        fn every_entity_is_asked_about_once_and_nobody_else_of_its_group_bears_its_doubtful_pairs(
            sets in proptest::collection::vec(
                (
                    proptest::collection::btree_set("[a-e]", 1..3),
                    proptest::collection::btree_set("[a-h]", 0..3),
                ),
                0..30,
            ),
            size in 1usize..6,
        ) {
            let doubtful = doubtful(&sets);
            let groups = apart(&doubtful, size);
            let mut entities: Vec<u32> = groups.iter().flatten().map(|one| one.entity).collect();
            entities.sort_unstable();
            prop_assert_eq!(entities, (0..u32::try_from(sets.len()).unwrap()).collect::<Vec<_>>());
            for group in &groups {
                prop_assert!(group.len() <= size);
                for one in group {
                    let others = group.iter().filter(|other| other.entity != one.entity);
                    let borne: BTreeSet<&Tag> = others.flat_map(|other| &other.borne).collect();
                    prop_assert!(one.tags.iter().all(|tag| !borne.contains(tag)), "{:?}", group);
                }
            }
        }
    }

    #[test]
    fn pairs_that_differ_share_one_question() {
        let sets: Vec<_> = (0..50).map(|n| alone(&[format!("owner-{n}")])).collect();
        assert_eq!(apart(&doubtful(&sets), 80).len(), 1);
        let same = vec![alone(&["env".to_owned()]); 5];
        assert_eq!(apart(&doubtful(&same), 80).len(), 5);
    }

    #[test]
    fn a_pair_that_stays_by_hand_on_one_does_not_speak_for_another() {
        let word = |word: &str| BTreeSet::from([word.to_owned()]);
        let sets = [(word("env"), word("tier")), (word("tier"), BTreeSet::new())];
        assert_eq!(apart(&doubtful(&sets), 80).len(), 2);
    }
}
