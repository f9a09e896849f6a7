//! The wanted (entity, tag) pairs into as few calls as possible. Pure; the same input gives the same calls.
//!
//! A call does every one of its tags on every one of its entities, so a call may only hold entities that want all its
//! tags: each wanted pair is in exactly one call, and no unwanted pair in any. Two ways are tried, and the one of fewer
//! calls is taken: entities of one tag set together, or the entities of each tag.

use std::collections::BTreeMap;

/// Marks the number of a tag that is to go, where a call may add and remove. Marked numbers come after all others.
pub const GOES: u32 = 1 << 31;

/// What one entity wants, by the numbers of entity and tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The entity.
    pub entity: u32,
    /// Its tags, in ascending order.
    pub tags: Vec<u32>,
}

/// How much fits into a call.
#[derive(Debug, Clone, Copy)]
pub struct Room<'a> {
    /// Entities a call, at least 1.
    pub entities: usize,
    /// Tags a call, at least 1.
    pub tags: usize,
    /// Whether entities share a call only where they want exactly the same: so that what is sent for an entity is never
    /// in two calls, unless it does not fit into one.
    pub whole_sets: bool,
    /// Bytes that the tags of a call may take.
    pub bytes: usize,
    /// Bytes that each tag takes, by its number.
    pub weights: &'a [usize],
}

/// One call, by numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Entities in ascending order.
    pub entities: Vec<u32>,
    /// Tags in ascending order.
    pub tags: Vec<u32>,
}

/// Packs what is wanted.
pub fn calls(wanted: &[Wanted], room: &Room<'_>) -> Vec<Packed> {
    let by_set = group(
        wanted
            .iter()
            .filter(|one| !one.tags.is_empty())
            .map(|one| (one.tags.clone(), one.entity)),
    );
    let each_tag = wanted
        .iter()
        .flat_map(|one| one.tags.iter().map(|tag| (vec![*tag], one.entity)));
    let by_tag = group(each_tag);
    let groups = if room.whole_sets || count(&by_set, room) <= count(&by_tag, room) {
        by_set
    } else {
        by_tag
    };
    let mut calls = Vec::new();
    for (tags, entities) in &groups {
        for tags in fitting(tags, room) {
            let chunks = entities.chunks(room.entities.max(1));
            calls.extend(chunks.map(|chunk| Packed {
                entities: chunk.to_vec(),
                tags: tags.to_vec(),
            }));
        }
    }
    calls
}

fn group(pairs: impl Iterator<Item = (Vec<u32>, u32)>) -> BTreeMap<Vec<u32>, Vec<u32>> {
    let mut groups: BTreeMap<Vec<u32>, Vec<u32>> = BTreeMap::new();
    for (tags, entity) in pairs {
        groups.entry(tags).or_default().push(entity);
    }
    for entities in groups.values_mut() {
        entities.sort_unstable();
    }
    groups
}

fn count(groups: &BTreeMap<Vec<u32>, Vec<u32>>, room: &Room<'_>) -> usize {
    groups
        .iter()
        .map(|(tags, entities)| fitting(tags, room).len() * entities.len().div_ceil(room.entities.max(1)))
        .sum()
}

/// Tags cut into runs that fit into a call; one that is too heavy alone still goes alone.
fn fitting<'t>(tags: &'t [u32], room: &Room<'_>) -> Vec<&'t [u32]> {
    let mut runs = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (n, tag) in tags.iter().enumerate() {
        let weight = room.weights[(tag & !GOES) as usize];
        if n > start && (n - start >= room.tags || bytes + weight > room.bytes) {
            runs.push(&tags[start..n]);
            (start, bytes) = (n, 0);
        }
        bytes += weight;
    }
    if start < tags.len() {
        runs.push(&tags[start..]);
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const LIGHT: [usize; 16] = [10; 16];

    fn room(entities: usize, tags: usize) -> Room<'static> {
        Room {
            entities,
            tags,
            whole_sets: false,
            bytes: 1000,
            weights: &LIGHT,
        }
    }

    fn wanted(sets: &[&[u32]]) -> Vec<Wanted> {
        (0..)
            .zip(sets)
            .map(|(entity, tags)| Wanted {
                entity,
                tags: tags.to_vec(),
            })
            .collect()
    }

    #[test]
    fn entities_of_one_set_share_a_call_and_a_common_tag_is_sent_once_where_that_is_cheaper() {
        let same = wanted(&[&[1, 2], &[1, 2], &[1, 2]]);
        assert_eq!(
            calls(&same, &room(80, 1000)),
            [Packed {
                entities: vec![0, 1, 2],
                tags: vec![1, 2]
            }]
        );
        let crossed = wanted(&[
            &[1, 3],
            &[1, 4],
            &[2, 3],
            &[2, 4],
            &[1, 3, 4],
            &[2, 3, 4],
            &[1, 2, 3],
        ]);
        assert_eq!(calls(&crossed, &room(80, 1000)).len(), 4, "by tag: four tags");
    }

    #[test]
    fn whole_sets_are_never_taken_apart_and_what_goes_is_not_what_comes() {
        let crossed = wanted(&[&[1], &[1, 2], &[2], &[1], &[1, GOES | 2]]);
        let together = Room {
            whole_sets: true,
            ..room(80, 1000)
        };
        let sets: Vec<_> = calls(&crossed, &together)
            .into_iter()
            .map(|call| (call.entities, call.tags))
            .collect();
        assert_eq!(
            sets,
            [
                (vec![0, 3], vec![1]),
                (vec![1], vec![1, 2]),
                (vec![4], vec![1, GOES | 2]),
                (vec![2], vec![2]),
            ]
        );
    }

    #[test]
    fn ten_thousand_entities_of_forty_sets_take_no_more_calls_than_they_must() {
        let sets: Vec<Vec<u32>> = (0..40)
            .map(|set| vec![set % 4, 4 + set % 5, 9 + set % 2, 11, 12 + set % 4])
            .collect();
        let wanted: Vec<Wanted> = (0..10_000_u32)
            .map(|entity| Wanted {
                entity,
                tags: sets[(entity as usize * 7919) % 40].clone(),
            })
            .collect();
        let together = Room {
            whole_sets: true,
            ..room(50, 50)
        };
        let mut of_set: BTreeMap<&[u32], usize> = BTreeMap::new();
        for one in &wanted {
            *of_set.entry(&one.tags).or_default() += 1;
        }
        let least: usize = of_set.values().map(|entities| entities.div_ceil(50)).sum();
        assert_eq!(calls(&wanted, &together).len(), least);
    }

    #[test]
    fn one_tag_a_call_and_heavy_tags_are_cut() {
        assert_eq!(calls(&wanted(&[&[1, 2], &[1, 2]]), &room(80, 1)).len(), 2);
        let narrow = Room {
            bytes: 25,
            ..room(80, 1000)
        };
        assert_eq!(calls(&wanted(&[&[1, 2, 3]]), &narrow).len(), 2);
        let tiny = Room {
            bytes: 5,
            ..room(80, 1000)
        };
        assert_eq!(calls(&wanted(&[&[1, 2, 3]]), &tiny).len(), 3);
    }

    proptest! {
        #[test]
        fn every_wanted_pair_is_in_exactly_one_call_and_no_other_pair_in_any(
            sets in proptest::collection::vec(proptest::collection::btree_set(0u32..16, 0..6), 0..40),
            entities in 1usize..9,
            tags in 1usize..5,
        ) {
            let wanted: Vec<Wanted> = (0..)
                .zip(&sets)
                .map(|(entity, tags)| Wanted { entity, tags: tags.iter().copied().collect() })
                .collect();
            let packed = calls(&wanted, &room(entities, tags));
            let mut seen = BTreeSet::new();
            for call in &packed {
                prop_assert!(call.entities.len() <= entities && call.tags.len() <= tags);
                for entity in &call.entities {
                    for tag in &call.tags {
                        prop_assert!(sets[*entity as usize].contains(tag));
                        prop_assert!(seen.insert((*entity, *tag)));
                    }
                }
            }
            prop_assert_eq!(seen.len(), sets.iter().map(BTreeSet::len).sum::<usize>());
            prop_assert_eq!(&packed, &calls(&wanted, &room(entities, tags)));
        }
    }
}
