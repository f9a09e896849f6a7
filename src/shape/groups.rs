//! The groups of a plan.
//!
//! Changes are gathered by their structure (what happens to which keys). A structure of few different values is a group
//! for each of them; else the values that all share are kept, the rare ones stand alone, and the others are counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};

use super::key_change::{Face, KeyChange, Slot, key_changes, sides};
use super::part::{Kind, Part};
use super::rare::{is_dwarfed, largest_exception};
use super::relation::{Relation, Relations, by_coverage};
use super::renames::Renames;
use super::stats::{MOST_WAYS, SlotStats, Stats};
use crate::model::Action;

/// Structures that are told apart; beyond them only the kinds of changes are.
const MOST_STRUCTURES: usize = 2000;

/// What stands for the keys of a plan that has more structures than are told apart.
const VARIOUS: &str = "(various keys)";

/// What is done to some entities alike.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is done to each.
    pub actions: Vec<Action>,
    /// How many entities.
    pub entities: u64,
    /// The first of them. No two changes have the same.
    pub first: u32,
}

/// One of the changes of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its place among the changes.
    pub change: usize,
    /// What it does.
    pub parts: Vec<Part>,
}

/// Entities whose changes have the same shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The shape, key by key: what happens to the fewest entities of the plan first.
    pub parts: Vec<Part>,
    /// How many entities.
    pub entities: u64,
    /// The first of them.
    pub first: u32,
    /// Whether it is rare in a plan that does something else to nearly all.
    pub is_exception: bool,
    /// Some of its changes: those whose first entities come first.
    pub members: Vec<Member>,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(Part::to_string).collect();
        f.write_str(&parts.join(", "))
    }
}

/// Groups changes by their shape, exceptions first, then the larger first, each with at most `members` of its changes.
/// `change` gives the change at a place below `changes`; it is asked several times.
pub fn groups(changes: usize, change: impl Fn(usize) -> Change, members: usize) -> Vec<Group> {
    let grouping = Grouping {
        changes,
        renames: learn(changes, &change),
        change,
        members,
    };
    let mut groups = grouping.groups();
    rarest_first(&mut groups);
    let bound = largest_exception(groups.iter().map(|group| group.entities).collect());
    for group in &mut groups {
        group.is_exception = group.entities <= bound;
    }
    groups.sort_by_cached_key(|group| {
        (
            !group.is_exception,
            Reverse(group.entities),
            group.to_string(),
            group.first,
        )
    });
    groups
}

/// Puts what happens to the fewest entities first in each shape: what sets a group apart is read first.
fn rarest_first(groups: &mut [Group]) {
    let what = |part: &Part| (part.kind, part.key.clone(), part.to.clone());
    let mut entities: HashMap<(Kind, String, Option<String>), u64> = HashMap::new();
    for group in &*groups {
        for part in &group.parts {
            *entities.entry(what(part)).or_default() += group.entities;
        }
    }
    // Stable, so that parts as frequent stay in the order of their kinds and keys.
    let order = |parts: &mut Vec<Part>| parts.sort_by_cached_key(|part| entities.get(&what(part)).copied());
    for Group { parts, members, .. } in groups {
        order(parts);
        for member in members {
            order(&mut member.parts);
        }
    }
}

fn learn(changes: usize, change: impl Fn(usize) -> Change) -> Renames {
    let mut renames = Renames::default();
    for n in 0..changes {
        let Change {
            actions, entities, ..
        } = change(n);
        renames.see(&sides(&actions), entities);
    }
    renames
}

struct Grouping<F> {
    changes: usize,
    change: F,
    renames: Renames,
    members: usize,
}

/// Structures by their slots, and the structure of each change.
struct Survey {
    structures: Vec<(Vec<Slot>, Stats)>,
    of: Vec<usize>,
}

/// A structure whose relations are settled: of several that explain an entity, the one that explains the most.
struct Settled {
    slots: Vec<Slot>,
    relations: Vec<Option<Relation>>,
    stats: Stats,
}

/// Which values of a slot are kept, so that they make a group of their own.
enum Keep {
    None,
    All,
    These(Vec<Face>),
}

impl<F: Fn(usize) -> Change> Grouping<F> {
    fn groups(&self) -> Vec<Group> {
        let fine = self.survey(|changes| changes);
        let Survey { structures, of } = fine.unwrap_or_else(|| {
            let coarse = self.survey(coarse);
            coarse.expect("there are fewer sets of kinds than structures are told apart")
        });
        let is_coarse = structures
            .iter()
            .any(|(slots, _)| slots.iter().any(|slot| slot.key == VARIOUS));
        let (settled, settled_of) = settle(structures, self.members);
        let kept: Vec<Vec<Keep>> = settled.iter().map(|one| one.kept(is_coarse)).collect();
        let mut found: HashMap<(usize, Vec<Option<Face>>), Stats> = HashMap::new();
        for (n, structure) in of.iter().enumerate() {
            let structure = settled_of[*structure];
            if kept[structure].iter().all(|keep| matches!(keep, Keep::None)) {
                continue;
            }
            let (change, changes) = self.exact(n);
            let faces = changes
                .iter()
                .zip(&kept[structure])
                .map(|(one, keep)| keep.face(&one.face));
            let stats = found.entry((structure, faces.collect())).or_default();
            stats.add(&changes, change.entities, (change.first, n), self.members);
        }
        let whole = settled
            .iter()
            .zip(&kept)
            .filter(|(_, kept)| kept.iter().all(|keep| matches!(keep, Keep::None)));
        let whole = whole.map(|(one, _)| self.group(one, &one.stats));
        let split = found
            .iter()
            .map(|((structure, _), stats)| self.group(&settled[*structure], stats));
        whole.chain(split).collect()
    }

    /// Gathers the changes by structure; `None` when there are too many.
    fn survey(&self, view: impl Fn(Vec<KeyChange>) -> Vec<KeyChange>) -> Option<Survey> {
        let mut numbers: HashMap<Vec<Slot>, usize> = HashMap::new();
        let mut stats: Vec<Stats> = Vec::new();
        let mut of = Vec::with_capacity(self.changes);
        for n in 0..self.changes {
            let (change, changes) = self.exact(n);
            let changes = view(changes);
            let slots: Vec<Slot> = changes.iter().map(|change| change.slot.clone()).collect();
            let number = *numbers.entry(slots).or_insert(stats.len());
            if number == stats.len() {
                if number == MOST_STRUCTURES {
                    return None;
                }
                stats.push(Stats::default());
            }
            stats[number].add(&changes, change.entities, (change.first, n), self.members);
            of.push(number);
        }
        let mut structures: Vec<(Vec<Slot>, usize)> = numbers.into_iter().collect();
        structures.sort_unstable_by_key(|(_, number)| *number);
        let structures = structures.into_iter().map(|(slots, _)| slots).zip(stats);
        Some(Survey {
            structures: structures.collect(),
            of,
        })
    }

    fn exact(&self, n: usize) -> (Change, Vec<KeyChange>) {
        let change = (self.change)(n);
        let changes = key_changes(&sides(&change.actions), &self.renames);
        (change, changes)
    }

    fn group(&self, structure: &Settled, stats: &Stats) -> Group {
        let slots = structure.slots.iter().zip(&structure.relations);
        let parts = slots
            .zip(&stats.slots)
            .map(|((slot, relation), stats)| stats.part(slot, *relation));
        let member = |(_, change): &(u32, usize)| Member {
            change: *change,
            parts: self
                .exact(*change)
                .1
                .into_iter()
                .map(KeyChange::into_part)
                .collect(),
        };
        Group {
            parts: parts.collect(),
            entities: stats.entities,
            first: stats.first,
            is_exception: false,
            members: stats.members.iter().map(member).collect(),
        }
    }
}

/// A change by its kinds alone.
fn coarse(changes: Vec<KeyChange>) -> Vec<KeyChange> {
    let mut of_kinds: BTreeMap<Kind, KeyChange> = BTreeMap::new();
    for KeyChange { slot, face } in changes {
        let into = of_kinds.entry(slot.kind).or_insert_with(|| KeyChange {
            slot: Slot {
                kind: slot.kind,
                key: VARIOUS.to_owned(),
                to: slot.to.as_ref().map(|_| VARIOUS.to_owned()),
                relations: Relations::default(),
            },
            face: Face::default(),
        });
        for (side, all) in [(face.old, &mut into.face.old), (face.new, &mut into.face.new)] {
            if let Some(value) = side {
                let all = all.get_or_insert_default();
                // Writing to a string can't fail.
                let _ = write!(all, "{}={value};", slot.key);
            }
        }
    }
    of_kinds.into_values().collect()
}

/// Settles relations, which joins the structures that differ in nothing else. Gives back where each went.
fn settle(structures: Vec<(Vec<Slot>, Stats)>, members: usize) -> (Vec<Settled>, Vec<usize>) {
    let bare = |slots: &[Slot]| -> Vec<Slot> {
        let bare = |slot: &Slot| Slot {
            relations: Relations::default(),
            ..slot.clone()
        };
        slots.iter().map(bare).collect()
    };
    let mut alike: HashMap<Vec<Slot>, Vec<(u64, Vec<Relations>)>> = HashMap::new();
    for (slots, stats) in &structures {
        let relations = slots.iter().map(|slot| slot.relations).collect();
        alike
            .entry(bare(slots))
            .or_default()
            .push((stats.entities, relations));
    }
    let (mut settled, mut of): (Vec<Settled>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut numbers: HashMap<(Vec<Slot>, Vec<Option<Relation>>), usize> = HashMap::new();
    for (slots, stats) in structures {
        let bare = bare(&slots);
        let relations: Vec<Option<Relation>> = slots
            .iter()
            .enumerate()
            .map(|(n, slot)| {
                let each: Vec<_> = alike[&bare]
                    .iter()
                    .map(|(entities, of)| (*entities, of[n]))
                    .collect();
                by_coverage(&each)
                    .into_iter()
                    .find(|one| slot.relations.contain(*one))
            })
            .collect();
        let number = *numbers
            .entry((bare.clone(), relations.clone()))
            .or_insert(settled.len());
        if number == settled.len() {
            settled.push(Settled {
                slots: bare,
                relations,
                stats: Stats::default(),
            });
        }
        settled[number].stats.merge(stats, members);
        of.push(number);
    }
    (settled, of)
}

impl Settled {
    /// Which values are kept of each slot.
    fn kept(&self, is_coarse: bool) -> Vec<Keep> {
        // A group for each way, unless most of them would be one entity's.
        let ways = self.stats.ways.by_count().map_or(usize::MAX, |ways| ways.len());
        let keep = |(stats, relation): (&SlotStats, &Option<Relation>)| {
            // What a relation explains is no group for each value.
            if relation.is_some() || is_coarse || ways <= 1 {
                Keep::None
            } else if ways <= MOST_WAYS && self.stats.entities >= 2 * ways as u64 {
                Keep::All
            } else {
                rare(stats, self.stats.entities)
            }
        };
        self.stats.slots.iter().zip(&self.relations).map(keep).collect()
    }
}

/// The rare values of a slot, where there are so few different ones that rare ones stand out.
fn rare(stats: &SlotStats, total: u64) -> Keep {
    let faces = stats.faces.by_count().unwrap_or_default();
    let largest = faces.first().map_or(0, |(_, entities)| *entities);
    let rare = faces
        .into_iter()
        .filter(|(_, entities)| is_dwarfed(*entities, total, largest));
    let rare: Vec<Face> = rare.map(|(face, _)| face.clone()).collect();
    if rare.is_empty() {
        Keep::None
    } else {
        Keep::These(rare)
    }
}

impl Keep {
    fn face(&self, face: &Face) -> Option<Face> {
        let kept = match self {
            Self::None => false,
            Self::All => true,
            Self::These(faces) => faces.contains(face),
        };
        kept.then(|| face.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Rule, Tag};

    /// `-env=dev +env=prod` as actions.
    fn actions(text: &str) -> Vec<Action> {
        let action = |word: &str| {
            let (sign, tag) = word.split_at(1);
            let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
            Action {
                rule: Rule::Set,
                remove: sign == "-",
                tag: Tag::new(key, Some(value.replace('_', " "))),
            }
        };
        text.split_whitespace().map(action).collect()
    }

    fn changes(table: &[(u64, &str)]) -> Vec<Change> {
        (0..)
            .zip(table)
            .map(|(first, (entities, text))| Change {
                actions: actions(text),
                entities: *entities,
                first,
            })
            .collect()
    }

    fn grouped(changes: &[Change]) -> Vec<Group> {
        groups(changes.len(), |n| changes[n].clone(), 3)
    }

    /// Each group as a line: `!` where it is an exception, how many, and its shape.
    fn told(changes: &[Change]) -> Vec<String> {
        let line = |group: &Group| {
            let mark = if group.is_exception { "! " } else { "" };
            format!("{mark}{} {group}", group.entities)
        };
        grouped(changes).iter().map(line).collect()
    }

    #[test]
    fn changes_are_grouped_by_what_they_have_in_common() {
        for (table, want) in [
            (&[][..], &[][..]),
            (&[(5, "+env=prod")], &["5 +env=prod"]),
            (&[(5, "-env=dev +env=prod")], &["5 env: dev → prod"]),
            // Few ways: a group each.
            (
                &[(5, "+env=prod +tier=1"), (7, "+env=dev +tier=1")],
                &["7 +env=dev, +tier=1", "5 +env=prod, +tier=1"],
            ),
            // A value for each entity is no group for each.
            (&[(1, "+o=1 +t=x"), (1, "+o=2 +t=x")], &["2 +o=1 or 2, +t=x"]),
            // More: what all share is kept, the others are listed or counted.
            (
                &[
                    (1, "+env=a +o=1 +t=x"),
                    (2, "+env=b +o=2 +t=x"),
                    (1, "+env=a +o=3 +t=x"),
                    (1, "+env=b +o=4 +t=x"),
                    (1, "+env=b +o=5 +t=x"),
                ],
                &["6 +env=b or a, +o (5 values), +t=x"],
            ),
            (
                &[
                    (1, "-k=1 +k=z"),
                    (1, "-k=2 +k=z"),
                    (1, "-k=3 +k=z"),
                    (1, "-k=4 +k=z"),
                    (1, "-k=5 +k=z"),
                ],
                &["5 k: (5 values) → z"],
            ),
            // A relation explains values of any number, also those that are so already.
            (
                &[
                    (31_192, "-Env=PROD +env=prod"),
                    (20, "-Env=dev +env=dev"),
                    (12, "-Env=Qa +env=Test"),
                ],
                &[
                    "! 12 +env=Test, -Env=Qa",
                    "31212 Env → env (renamed key, lower-cased)",
                ],
            ),
            (
                &[
                    (9000, "-env=PROD +env=prod"),
                    (8000, "-env=DEV +env=dev"),
                    (9, "-env=x +env=y"),
                ],
                &["! 9 env: x → y", "17000 env: … → … (lower-cased)"],
            ),
            (
                &[(3, "-a=_x_ +a=x"), (2, "-a=_y +a=y")],
                &["5 a: … → … (trimmed)"],
            ),
            (
                &[(3, "-env=x +environment=x")],
                &["3 env=x → environment=x (renamed key, same value)"],
            ),
            // Equal by chance: that explains too few of those that lose one and gain the other.
            (
                &[(3, "-a=x +b=x"), (9, "-a=x +b=y")],
                &["9 +b=y, -a=x", "3 +b=x, -a=x"],
            ),
            // A value of another kind among the usual ones.
            (
                &[
                    (9000, "+env=prod +o=1"),
                    (8000, "+env=dev +o=2"),
                    (7000, "+env=qa +o=3"),
                    (6000, "+env=test +o=4"),
                    (3, "+env=prdo +o=1"),
                ],
                &["! 3 +env=prdo, +o=1", "30000 +env (4 values), +o (4 values)"],
            ),
            // Several values of a key, and tags that are plain strings.
            (&[(2, "-k=a -k=b +k=c")], &["2 k: a, b → c"]),
            (&[(2, "+gold +web"), (1, "-old")], &["2 +gold, web", "1 -old"]),
            (&[(2, "-Web +web"), (3, "-App +app")], &["5 … → … (lower-cased)"]),
            (&[(2, "-k +k=v")], &["2 k: (none) → v"]),
        ] {
            assert_eq!(told(&changes(table)), want, "{table:?}");
        }
    }

    #[test]
    fn what_sets_a_group_apart_is_told_first() {
        let table = [
            (9000, "+a=1 +b=1 +c=1"),
            (100, "+a=1 +b=1 +z=1"),
            (20, "-k=1 +k=2 +a=1 +b=1"),
        ];
        let want = [
            "! 20 k: 1 → 2, +a=1, +b=1",
            "9000 +c=1, +a=1, +b=1",
            "100 +z=1, +a=1, +b=1",
        ];
        assert_eq!(told(&changes(&table)), want);
    }

    #[test]
    fn more_values_and_structures_than_are_told_apart_are_summed_up() {
        let many = |text: &dyn Fn(u32) -> String, n: u32| -> Vec<Change> {
            let change = |first| Change {
                actions: actions(&text(first)),
                entities: 1,
                first,
            };
            (0..n).map(change).collect()
        };
        assert_eq!(
            told(&many(&|n| format!("+id={n}"), 1000)),
            ["1000 +id (1000 values)"]
        );
        assert_eq!(
            told(&many(&|n| format!("+id={n}"), 1001)),
            ["1001 +id (over 1000 values)"]
        );
        let keys = |n| many(&|n| format!("+key-{n}=1"), n);
        assert_eq!(told(&keys(2000)).len(), 2000);
        assert_eq!(told(&keys(2001)), ["2001 +(various keys) (over 1000 values)"]);
    }

    #[test]
    fn members_are_the_changes_whose_entities_come_first_with_what_they_do() {
        let mut all = changes(&[(1, "+o=1"), (1, "+o=2"), (1, "+o=3"), (1, "+o=4"), (1, "+o=5")]);
        all.reverse();
        let groups = grouped(&all);
        let members: Vec<(u32, String)> = groups[0]
            .members
            .iter()
            .map(|member| (all[member.change].first, member.parts[0].to_string()))
            .collect();
        let want = [(0, "+o=1"), (1, "+o=2"), (2, "+o=3")];
        assert_eq!(members, want.map(|(first, text)| (first, text.to_owned())));
    }

    fn some_changes() -> impl Strategy<Value = Vec<Change>> {
        let word = prop_oneof![
            Just("+env=prod"),
            Just("+env=dev"),
            Just("-env=DEV"),
            Just("-Env=dev"),
            Just("-Env=DEV"),
            Just("+o=1"),
            Just("+o=2"),
            Just("+o=3"),
            Just("-o=9"),
            Just("+plain"),
            Just("-Plain"),
            Just("+k=_v")
        ];
        let change = (proptest::collection::btree_set(word, 1..5), 1u64..3000);
        let texts = proptest::collection::vec(change, 0..40);
        texts.prop_map(|texts| {
            let change =
                |(first, (words, entities)): (u32, (std::collections::BTreeSet<&str>, u64))| Change {
                    actions: actions(&words.into_iter().collect::<Vec<_>>().join(" ")),
                    entities,
                    first,
                };
            (0..).zip(texts).map(change).collect()
        })
    }

    proptest! {
        #[test]
        fn groups_add_up_to_the_entities_and_do_not_depend_on_the_order(
            (sorted, shuffled) in some_changes().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            let groups = grouped(&sorted);
            let entities: u64 = sorted.iter().map(|change| change.entities).sum();
            prop_assert_eq!(groups.iter().map(|group| group.entities).sum::<u64>(), entities);
            let by_first = |changes: &[Change]| -> Vec<(String, u64, bool, Vec<u32>)> {
                let of = |group: Group| {
                    let firsts = group.members.iter().map(|member| changes[member.change].first).collect();
                    (group.to_string(), group.entities, group.is_exception, firsts)
                };
                grouped(changes).into_iter().map(of).collect()
            };
            prop_assert_eq!(by_first(&shuffled), by_first(&sorted));
            let exceptions: u64 = groups.iter().filter(|group| group.is_exception).map(|group| group.entities).sum();
            prop_assert!(exceptions * 20 <= entities);
        }
    }
}
