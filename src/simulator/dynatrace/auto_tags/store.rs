//! All auto-tags of the environment: what there is, what reads see of it, and which names are taken.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::super::generate::mix;
use super::super::super::journal::{Change, Op};
use super::super::super::unseen::Unseen;
use super::definition::{Definition, Record, Revision};
use super::id::Id;

/// Auto-tags of an environment, as the settings schema has it.
pub(super) const MAX_OBJECTS: usize = 5_000;
/// When the auto-tags from before the first request were written: the first day of 2024.
const BEGINNING: i64 = 1_704_067_200_000;
/// The key of changes in the journal.
const KEY: &str = "auto-tag";

/// The store that both APIs share.
#[derive(Debug, Default)]
pub(in super::super) struct AutoTags {
    records: BTreeMap<Id, Arc<Record>>,
    by_name: HashMap<String, Id>,
    by_external_id: HashMap<String, Id>,
    unseen: Unseen<Id, Option<Arc<Record>>>,
    /// Names that were given up lately: by whom, and until when they still count as taken.
    held: HashMap<String, (Id, i64)>,
    /// How long a name is held, in milliseconds.
    hold: i64,
    /// The version of the last write.
    version: u64,
}

impl AutoTags {
    /// None, in a store where reads see a change, and others get a name that was given up, only after so many milliseconds.
    pub(in super::super) fn new(visibility: i64, hold: i64) -> Self {
        Self {
            unseen: Unseen::new(visibility),
            hold,
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// A record as it is, for writes.
    pub(super) fn get(&self, id: Id) -> Option<&Arc<Record>> {
        self.records.get(&id)
    }

    /// A record as a read at a moment sees it.
    pub(super) fn shown(&self, id: Id, now: i64) -> Option<&Arc<Record>> {
        self.unseen
            .before(id, now)
            .map_or_else(|| self.get(id), Option::as_ref)
    }

    /// Every record that a read at a moment sees, by identifier.
    pub(super) fn all_shown(&self, now: i64) -> impl Iterator<Item = (Id, &Arc<Record>)> {
        let mut ids: Vec<Id> = self
            .records
            .keys()
            .copied()
            .chain(self.unseen.changed())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter()
            .filter_map(move |id| Some((id, self.shown(id, now)?)))
    }

    /// Whether a name belongs to another auto-tag than `id`, or did so just now.
    pub(super) fn is_taken(&self, name: &str, id: Option<Id>, now: i64) -> bool {
        let others = |owner: Id| id != Some(owner);
        let held = self.held.get(name).filter(|(_, until)| *until > now);
        self.by_name.get(name).copied().is_some_and(others) || held.is_some_and(|(owner, _)| others(*owner))
    }

    /// The auto-tag with a client's own identifier.
    pub(super) fn of_external_id(&self, external_id: &str) -> Option<Id> {
        self.by_external_id.get(external_id).copied()
    }

    /// An identifier that is not in use.
    pub(super) fn new_id(&self) -> Id {
        let mut n = self.version + 1;
        loop {
            // Only an identifier that a client chose can be in the way.
            let id = Id::of_bits(mix(n), mix(!n));
            if !self.records.contains_key(&id) {
                return id;
            }
            n += 1;
        }
    }

    /// Creates an auto-tag or replaces it whole. Without an `external_id` it keeps the one that it has.
    pub(super) fn put(
        &mut self,
        id: Id,
        definition: Definition,
        external_id: Option<String>,
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) {
        let old = self.records.get(&id).cloned();
        let record = Record {
            definition,
            external_id: external_id.or_else(|| old.as_ref()?.external_id.clone()),
            revision: Revision {
                version: self.version + 1,
                created: old.as_ref().map_or(now, |old| old.revision.created),
                modified: now,
            },
        };
        if let Some(old) = old {
            changes.push(change(id, Op::Remove, &old));
            self.take(id, now, true);
        }
        changes.push(change(id, Op::Add, &record));
        self.insert(id, record, now);
    }

    /// Deletes an auto-tag, and says whether it was there.
    pub(super) fn delete(&mut self, id: Id, now: i64, changes: &mut Vec<Change<'static>>) -> bool {
        let old = self.take(id, now, true);
        if let Some(old) = &old {
            changes.push(change(id, Op::Remove, old));
        }
        old.is_some()
    }

    /// Takes in a record from before the first request.
    pub(super) fn begin_with(&mut self, definition: Definition) {
        let id = self.new_id();
        let revision = Revision {
            version: self.version + 1,
            created: BEGINNING,
            modified: BEGINNING,
        };
        // From before any read: nothing of it is unseen.
        let record = Record {
            definition,
            external_id: None,
            revision,
        };
        self.index(id, record);
    }

    /// Applies a change that the journal tells; `false` when it is not one of auto-tags.
    pub(in super::super) fn replay(&mut self, told: &Change<'_>, ms: i64) -> bool {
        self.again(told, told.op, ms, true)
    }

    /// Takes a change back; `false` when it is not one of auto-tags.
    pub(in super::super) fn undo(&mut self, told: &Change<'_>, now: i64) -> bool {
        let inverse = match told.op {
            Op::Add => Op::Remove,
            Op::Remove => Op::Add,
        };
        // What never happened holds no name.
        self.again(told, inverse, now, false)
    }

    fn again(&mut self, told: &Change<'_>, op: Op, now: i64, hold: bool) -> bool {
        let Ok(id) = told.entity.parse::<Id>() else {
            return false;
        };
        match op {
            Op::Remove => drop(self.take(id, now, hold)),
            Op::Add => {
                if let Some(record) = told.value.as_deref().and_then(Record::read) {
                    self.insert(id, record, now);
                }
            }
        }
        true
    }

    fn insert(&mut self, id: Id, record: Record, now: i64) {
        self.unseen.remember(id, now, || self.records.get(&id).cloned());
        self.index(id, record);
    }

    fn index(&mut self, id: Id, record: Record) {
        let name = record.definition.name.clone();
        self.held.remove(&name);
        self.by_name.insert(name, id);
        if let Some(external_id) = &record.external_id {
            self.by_external_id.insert(external_id.clone(), id);
        }
        self.version = self.version.max(record.revision.version);
        self.records.insert(id, Arc::new(record));
    }

    fn take(&mut self, id: Id, now: i64, hold: bool) -> Option<Arc<Record>> {
        let old = self.records.remove(&id)?;
        self.unseen.remember(id, now, || Some(Arc::clone(&old)));
        let name = &old.definition.name;
        self.by_name.remove(name);
        if let Some(external_id) = &old.external_id {
            self.by_external_id.remove(external_id);
        }
        if hold && self.hold > 0 {
            self.held.retain(|_, (_, until)| *until > now);
            let until = now.saturating_add(self.hold);
            self.held.insert(name.clone(), (id, until));
        }
        Some(old)
    }
}

fn change(id: Id, op: Op, record: &Record) -> Change<'static> {
    Change {
        entity: id.to_string().into(),
        op,
        key: KEY.into(),
        value: Some(record.text().into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn definition(name: &str) -> Definition {
        Definition {
            name: name.to_owned(),
            description: None,
            rules: Vec::new(),
            entity_selector_based_rules: Vec::new(),
        }
    }

    fn id(n: u64) -> Id {
        Id::of_bits(n, n)
    }

    /// Everything that a store tells, long after the last change.
    fn state(store: &AutoTags) -> Vec<(Id, Record, Option<Id>)> {
        store
            .all_shown(i64::MAX)
            .map(|(id, record)| {
                let found = record.external_id.as_deref();
                (
                    id,
                    Record::clone(record),
                    found.and_then(|found| store.of_external_id(found)),
                )
            })
            .collect()
    }

    /// What a client may do: put or delete one of a few auto-tags under one of a few names.
    #[derive(Debug, Clone)]
    enum Act {
        Put(u64, String, bool),
        Delete(u64),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let put = (0..4_u64, "[abc]", any::<bool>()).prop_map(|(n, name, own)| Act::Put(n, name, own));
        let delete = (0..4_u64).prop_map(Act::Delete);
        prop::collection::vec(prop_oneof![2 => put, 1 => delete], 0..30)
    }

    /// Does what an act says, as far as names allow.
    fn act(store: &mut AutoTags, act: &Act, now: i64) -> Vec<Change<'static>> {
        let mut changes = Vec::new();
        match act {
            Act::Put(n, name, own) if !store.is_taken(name, Some(id(*n)), now) => {
                let external_id = own.then(|| format!("own-{n}"));
                store.put(id(*n), definition(name), external_id, now, &mut changes);
            }
            Act::Put(..) => {}
            Act::Delete(n) => drop(store.delete(id(*n), now, &mut changes)),
        }
        changes
    }

    proptest! {
        #[test]
        fn replaying_what_was_told_gives_the_same_state(acts in acts(), hold in 0..4_i64) {
            let (mut live, mut again) = (AutoTags::new(3, hold), AutoTags::new(3, hold));
            for (now, done) in (100..).zip(&acts) {
                for change in act(&mut live, done, now) {
                    prop_assert!(again.replay(&change, now));
                }
                prop_assert_eq!(state(&again), state(&live));
                let names = |store: &AutoTags| ["a", "b", "c"].map(|name| store.is_taken(name, None, now + 1));
                prop_assert_eq!(names(&again), names(&live));
                for n in 0..4 {
                    prop_assert_eq!(again.shown(id(n), now), live.shown(id(n), now));
                }
            }
        }

        #[test]
        fn undoing_the_last_request_gives_the_state_before_it(acts in acts(), last in acts()) {
            let mut store = AutoTags::new(0, 50);
            for (now, done) in (100..).zip(&acts) {
                act(&mut store, done, now);
            }
            let before = state(&store);
            let names = |store: &AutoTags| ["a", "b", "c"].map(|name| store.is_taken(name, None, 1_000));
            let taken = names(&store);
            // Far enough behind that no name is held any more.
            for done in &last {
                let changes = act(&mut store, done, 1_000);
                for change in changes.iter().rev() {
                    prop_assert!(store.undo(change, 1_000));
                }
                prop_assert_eq!(state(&store), before.clone());
            }
            prop_assert!(names(&store).iter().zip(taken).all(|(now, before)| *now || !before));
        }

        #[test]
        fn a_record_comes_back_from_its_text(name in "\\PC{1,10}", own in prop::option::of("\\PC{0,10}"), version: u64) {
            let record = Record {
                definition: definition(&name),
                external_id: own,
                revision: Revision { version, created: -1, modified: i64::MAX },
            };
            prop_assert_eq!(Record::read(&record.text()), Some(record));
        }
    }

    #[test]
    fn changes_of_others_are_left_to_them() {
        let mut store = AutoTags::new(0, 0);
        let change = Change {
            entity: "HOST-0000000000000001".into(),
            op: Op::Add,
            key: KEY.into(),
            value: None,
        };
        assert!(!store.replay(&change, 0));
        assert!(!store.undo(&change, 0));
    }

    #[test]
    fn a_version_is_never_used_twice() {
        let mut store = AutoTags::new(0, 0);
        let mut changes = Vec::new();
        for (n, name) in [(1, "a"), (1, "a"), (2, "b"), (1, "c")] {
            store.put(id(n), definition(name), None, 5, &mut changes);
        }
        store.delete(id(1), 6, &mut changes);
        store.put(id(1), definition("a"), None, 7, &mut changes);
        let revision = store.get(id(1)).unwrap().revision;
        assert_eq!((revision.version, revision.created, revision.modified), (5, 7, 7));
    }
}
