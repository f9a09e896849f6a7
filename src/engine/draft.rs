//! The difference, written to the ledger: entities, lines and the words that they use.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::EngineError;
use super::apply::shortened;
use super::change::bits_where;
use super::gather::Gathering;
use super::observed::{Live, Observed, Seen};
use super::plan::{BATCH, PlanSummary};
use super::target::Target;
use super::words::Words;
use crate::diff;
use crate::event::{Event, Stage};
use crate::guard::Weight;
use crate::ledger::{
    BITS_A_LINE, EntityRow, Ledger, LineBits, LineRow, RunLog, SetRole, Settlement, Verdict,
};
use crate::model::{Action, Class, Failure, Limits, Outcome, Present, Rule};
use crate::resolve::{Decided, Decision, Way};
use crate::undo::{self, Undone};

/// Why an entity is left alone whose tags are not shown.
pub(super) const HIDDEN: &str = "the vendor does not show which tags it carries, so that writing could wipe them: give the credentials the role that sees tags";

/// Why nothing can be done to an entity.
type Bar = (Class, String);

/// What the difference is written with.
pub(super) struct Draft<'a> {
    pub(super) target: &'a Target,
    pub(super) ledger: &'a Ledger,
    pub(super) run: i64,
    pub(super) log: &'a RunLog,
    pub(super) limits: &'a Limits,
    pub(super) summary: &'a mut PlanSummary,
    /// How many rows of an entity lost a collision.
    pub(super) lost: &'a HashMap<u32, u64>,
}

/// What goes into one line.
#[derive(Debug)]
struct Part {
    change: u32,
    /// Its operations.
    bits: u64,
    /// Those that stay undone, and why.
    foreign: Option<(u64, String)>,
}

/// What is worked out once and used for many entities.
#[derive(Debug, Default)]
struct Work {
    memo: Memo,
    /// The parts of a difference, by wanted set and set before.
    parts: HashMap<(u32, u32), Vec<Part>>,
    lines: Vec<LineRow>,
    /// What is settled before anything is sent.
    settled: Vec<Settlement>,
    /// The identifiers among which somebody has to choose, by entity.
    candidates: Vec<(u32, String)>,
    weight: Weight,
}

/// How many identifiers of an ambiguous name are told.
const TOLD: usize = 3;

impl Draft<'_> {
    /// Computes the difference and writes everything. Gives back what the guard weighs.
    pub(super) async fn save(
        mut self,
        gathering: &mut Gathering,
        observed: &Observed,
    ) -> Result<Weight, EngineError> {
        let events = &self.target.events;
        let total = observed.states.len();
        events.tell(Event::StageBegan {
            stage: Stage::Diff,
            total: Some(total as u64),
        });
        let mut work = Work::default();
        let is_here = |entity: &u32| !matches!(observed.states[*entity as usize].seen, Seen::Elsewhere);
        let numbers: Vec<u32> = (0..).take(total).filter(is_here).collect();
        work.weight.entities = numbers.len() as u64;
        for batch in numbers.chunks(BATCH) {
            let bars: Vec<Option<Bar>> = batch
                .iter()
                .map(|entity| self.difference(*entity, gathering, observed, &mut work))
                .collect();
            let entities: Vec<EntityRow<'_>> = batch
                .iter()
                .zip(&bars)
                .map(|(entity, bar)| row(*entity, bar.as_ref(), gathering, observed))
                .collect();
            // Together, so that they go into one transaction.
            let (entities, lines) = futures::join!(
                self.ledger.insert_entities(self.run, &entities),
                self.ledger.insert_lines(self.run, &work.lines)
            );
            entities.and(lines)?;
            work.lines.clear();
            let candidates = std::mem::take(&mut work.candidates);
            self.ledger.insert_candidates(self.run, &candidates).await?;
            self.log.settle(&std::mem::take(&mut work.settled)).await?;
            events.tell(Event::Advanced {
                by: batch.len() as u64,
            });
        }
        self.save_words(&gathering.words).await?;
        self.summary.operations = work.weight.operations;
        events.tell(Event::StageEnded { stage: Stage::Diff });
        Ok(work.weight)
    }

    /// The lines of one entity, or why nothing can be done to it.
    fn difference(
        &mut self,
        entity: u32,
        gathering: &mut Gathering,
        observed: &Observed,
        work: &mut Work,
    ) -> Option<Bar> {
        let state = &observed.states[entity as usize];
        let bar = match &state.seen {
            Seen::Missing => {
                work.weight.missing += 1;
                Some((Class::Missing, self.missing(entity, gathering)))
            }
            Seen::Untold(_) => Some((Class::Hidden, HIDDEN.to_owned())),
            Seen::Ambiguous(way, count, ids) => {
                let candidates = serde_json::to_string(ids).expect("texts are JSON");
                work.candidates.push((entity, candidates));
                Some((Class::Ambiguous, ambiguous(*way, *count, ids)))
            }
            Seen::Skipped => {
                self.summary.skipped += 1;
                work.weight.entities -= 1;
                None
            }
            Seen::Elsewhere => None,
            Seen::Barred(class, why) => Some((*class, why.clone())),
            Seen::Live(live) => state
                .want
                .and_then(|want| self.lines(entity, want, live, gathering, work)),
        };
        if let Some((class, _)) = &bar {
            let rows = 1 + gathering.further.get(&entity).map_or(0, |rows| rows.len() as u64);
            let left = rows - self.lost.get(&entity).copied().unwrap_or(0);
            *self
                .summary
                .rejected
                .entry(class.as_str().to_owned())
                .or_default() += left;
        }
        bar
    }

    fn lines(
        &mut self,
        entity: u32,
        want: u32,
        live: &Live,
        gathering: &mut Gathering,
        work: &mut Work,
    ) -> Option<Bar> {
        let before = live.before;
        let words = &mut gathering.words;
        work.weight.manual_tags += u64::from(live.tags);
        let Undone { actions, foreign } = work.memo.difference(want, before, words);
        if actions.is_empty() && foreign.is_empty() {
            self.summary.unchanged += 1;
            work.lines.push((entity, 0, want, before, 0, 0));
            return None;
        }
        // Most entities are like another: what takes copies is done where they are not, or where there are many.
        let all = || [actions.as_slice(), foreign].concat();
        let many = actions.len() + foreign.len() > BITS_A_LINE;
        let why = self
            .unsupported(actions)
            .or_else(|| many.then(|| too_many(&all())).flatten());
        if let Some(why) = why {
            return Some((Class::Unsupported, why));
        }
        if foreign.is_empty() {
            self.summary.to_change += 1;
        } else {
            self.summary.foreign += 1;
        }
        self.count(actions, &mut work.weight);
        if work.parts.len() >= REMEMBERED {
            work.parts.clear();
        }
        let parts = work.parts.entry((want, before)).or_insert_with(|| {
            let part = |actions: Vec<Action>| Part {
                change: words.change_id(&actions),
                bits: (1 << actions.len()) - 1,
                foreign: theirs(&actions, foreign, &words.before(before)),
            };
            whole_keys(&all()).into_iter().map(part).collect()
        });
        for (number, part) in (0..).zip(parts.iter()) {
            work.lines
                .push((entity, number, want, before, part.change, part.bits));
            if let Some((bits, why)) = &part.foreign {
                let line = LineBits {
                    entity,
                    part: number,
                    bits: *bits,
                };
                let verdict = Verdict::Other(Outcome::Conflict, Failure::new(Class::Changed, why.clone()));
                work.settled.push(Settlement { line, verdict });
            }
        }
        None
    }

    fn count(&mut self, actions: &[Action], weight: &mut Weight) {
        weight.operations += actions.len() as u64;
        for action in actions {
            if !self.summary.keys.contains_key(&action.tag.key) {
                self.summary
                    .keys
                    .insert(action.tag.key.clone(), super::KeyCount::default());
            }
            if let Some(count) = self.summary.keys.get_mut(&action.tag.key) {
                *(if action.remove {
                    &mut count.removes
                } else {
                    &mut count.adds
                }) += 1;
            }
            match (action.remove, action.rule) {
                (true, Rule::Remove) => weight.removals += 1,
                (true, _) => weight.rewrites += 1,
                (false, _) => {}
            }
        }
    }

    fn unsupported(&self, actions: &[Action]) -> Option<String> {
        let can = |action: &&Action| {
            if action.remove {
                self.limits.removes > 0
            } else {
                self.limits.adds > 0
            }
        };
        let action = actions.iter().find(|action| !can(action))?;
        let what = if action.remove { "remove" } else { "add" };
        Some(format!(
            "this API can't {what} tags of a {} (`{}`)",
            self.target.kind(),
            action.tag
        ))
    }

    fn missing(&self, entity: u32, gathering: &Gathering) -> String {
        let plan = &self.target.plan;
        let nowhere = format!(
            "exists at `{}`, or it was not seen within the time frame",
            plan.connection
        );
        let decided = gathering.named.as_ref().and_then(|named| named.decided(entity));
        if let Some(Decided {
            decision: Decision::Id(id),
            place,
        }) = decided
        {
            let kind = &plan.kind;
            return format!("{place} decides on {id}, and no {kind} of this identifier {nowhere}");
        }
        let how = match &gathering.named {
            Some(named) => named.sought(entity),
            None if gathering.by_name => "name".to_owned(),
            None => "identifier".to_owned(),
        };
        format!("no {} of this {how} {nowhere}", plan.kind)
    }

    async fn save_words(&self, words: &Words) -> Result<(), EngineError> {
        let numbers: Vec<u32> = (0..).take(words.tags.len()).collect();
        for batch in numbers.chunks(BATCH) {
            let row = |id: &u32| {
                let (key, value) = words.tag_parts(*id);
                (*id, key, value)
            };
            self.ledger
                .insert_tags(self.run, &batch.iter().map(row).collect::<Vec<_>>())
                .await?;
        }
        let sets = [
            (SetRole::Want, &words.wants),
            (SetRole::Before, &words.befores),
            (SetRole::Change, &words.changes),
        ];
        for (role, sets) in sets {
            let numbers: Vec<u32> = (0..).take(sets.len()).collect();
            for batch in numbers.chunks(BATCH) {
                let rows: Vec<_> = batch.iter().map(|id| (*id, sets.text(*id))).collect();
                self.ledger.insert_sets(self.run, role, &rows).await?;
            }
        }
        Ok(())
    }
}

fn row<'a>(
    entity: u32,
    bar: Option<&'a Bar>,
    gathering: &'a Gathering,
    observed: &'a Observed,
) -> EntityRow<'a> {
    let name = gathering.spelled.get(entity as usize).and_then(Option::as_deref);
    let text = gathering.entities.text(entity);
    let key = match &observed.states[entity as usize].seen {
        Seen::Live(live) => live.id(entity, &gathering.entities),
        Seen::Untold(_) | Seen::Barred(..) if !gathering.by_name => text,
        _ => name.unwrap_or(text),
    };
    let (class, why) = bar.map_or((None, None), |(class, why)| {
        (Some(class.as_str()), Some(why.as_str()))
    });
    (entity, key, name, class, why)
}

/// Why nobody can tell which entity is meant.
fn ambiguous(way: Way, count: u32, ids: &[Box<str>]) -> String {
    let how = match way {
        Way::Key => "have this match key",
        Way::Name => "bear this name",
    };
    let told: Vec<&str> = ids.iter().take(TOLD).map(|id| &**id).collect();
    format!("{count} live entities {how}, such as {}", told.join(", "))
}

/// The bits of a part that would undo what is somebody else's now, and a sentence about them.
fn theirs(part: &[Action], foreign: &[Action], live: &[Present]) -> Option<(u64, String)> {
    let bits = bits_where(part, |action| foreign.contains(action));
    let keys: BTreeSet<&str> = part
        .iter()
        .filter(|action| foreign.contains(action))
        .map(|action| &*action.tag.key)
        .collect();
    let of_key = |key: &&str| {
        let now = live.iter().filter(|present| present.tag.key == **key);
        let now: Vec<String> = now.map(|present| shortened(&present.tag.to_string())).collect();
        let now = if now.is_empty() {
            "not there".to_owned()
        } else {
            now.join(", ")
        };
        format!("`{key}` is no longer as the run left it (now {now}), so it stays")
    };
    let why: Vec<String> = keys.iter().map(of_key).collect();
    (bits != 0).then(|| (bits, why.join("; ")))
}

/// Actions cut into parts that fit into a line each. All actions of a key are in one part: whether an old value may go,
/// and whether somebody else changed the key, is decided within a line.
fn whole_keys(actions: &[Action]) -> Vec<Vec<Action>> {
    let mut keys: BTreeMap<&str, Vec<&Action>> = BTreeMap::new();
    for action in actions {
        keys.entry(&action.tag.key).or_default().push(action);
    }
    let mut parts: Vec<Vec<Action>> = vec![Vec::new()];
    for of_key in keys.into_values() {
        if parts
            .last()
            .is_some_and(|part| part.len() + of_key.len() > BITS_A_LINE)
        {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.extend(of_key.into_iter().cloned());
        }
    }
    for part in &mut parts {
        part.sort_by_key(|action| action.remove);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Why actions can't be kept: so many of one key that they do not fit into one line.
fn too_many(actions: &[Action]) -> Option<String> {
    if actions.len() <= BITS_A_LINE {
        return None;
    }
    if actions.iter().any(|action| action.rule == Rule::Retire) {
        // Whether what is old may go is decided within a line.
        return Some(format!(
            "{} tags would be added or removed, and at most {BITS_A_LINE} can be at once where `replaces` is used; ask \
             for fewer",
            actions.len()
        ));
    }
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for action in actions {
        *keys.entry(&action.tag.key).or_default() += 1;
    }
    let (key, many) = keys.into_iter().find(|(_, many)| *many > BITS_A_LINE)?;
    Some(format!(
        "{many} values of `{key}` would be added or removed, and at most {BITS_A_LINE} of one key can be at once; ask for \
         fewer"
    ))
}

/// How many things are remembered at most. Where most entities share what they want a few suffice, and where none do
/// remembering would only fill the memory.
pub(super) const REMEMBERED: usize = 50_000;

/// The difference of each (want, before), worked out once while there are not too many.
#[derive(Debug, Default)]
pub(super) struct Memo(HashMap<(u32, u32), Undone>);

impl Memo {
    /// What is to be done.
    pub(super) fn actions(&mut self, want: u32, before: u32, words: &Words) -> &[Action] {
        &self.difference(want, before, words).actions
    }

    /// The same, with what is not to be done although it was wanted; only taking a run back knows that.
    fn difference(&mut self, want: u32, before: u32, words: &Words) -> &Undone {
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.entry((want, before)).or_insert_with(|| {
            let live = words.before(before);
            if words.undoing {
                return undo::actions(&words.reversals(want), &live);
            }
            Undone {
                actions: diff::actions(&words.wishes(want), &live),
                foreign: Vec::new(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Tag;

    fn action(remove: bool, key: &str, value: usize) -> Action {
        Action {
            rule: Rule::Set,
            remove,
            tag: Tag::new(key, Some(value.to_string())),
        }
    }

    #[test]
    fn a_key_of_more_values_than_a_line_holds_is_refused_by_name() {
        let many: Vec<Action> = (0..63).map(|n| action(true, "owner", n)).collect();
        let why = too_many(&many).unwrap();
        assert!(why.contains("63 values of `owner`"), "{why}");
        assert_eq!(too_many(&many[1..]), None);
    }

    proptest! {
        #[test]
        fn every_action_is_in_one_part_and_every_key_too(keys in proptest::collection::vec(1usize..9, 0..60)) {
            let mut actions: Vec<Action> = (0..)
                .zip(&keys)
                .flat_map(|(key, many): (usize, &usize)| {
                    (0..*many).map(move |n| action(n > 0, &format!("k{key}"), n))
                })
                .collect();
            actions.sort_by(|a, b| (a.remove, &a.tag).cmp(&(b.remove, &b.tag)));
            let parts = whole_keys(&actions);
            prop_assert!(parts.iter().all(|part| (1..=BITS_A_LINE).contains(&part.len())));
            let mut homes: BTreeMap<&str, usize> = BTreeMap::new();
            for (home, action) in parts.iter().enumerate().flat_map(|(n, part)| part.iter().map(move |one| (n, one))) {
                prop_assert_eq!(*homes.entry(&action.tag.key).or_insert(home), home);
            }
            let mut all: Vec<Action> = parts.concat();
            all.sort_by(|a, b| (a.remove, &a.tag).cmp(&(b.remove, &b.tag)));
            prop_assert_eq!(all, actions);
        }
    }
}
