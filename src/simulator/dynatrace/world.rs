//! The entities and their tags, in as little memory as a million of them allow.

use std::collections::HashMap;

use hashbrown::HashTable;

use super::super::generate::mix;
use super::super::inventory::identifier;
use super::super::journal::{Change, Op};
use super::super::population::Made;
use super::super::tag_index::{TagId, TagIndex};
use super::super::unseen::Unseen;

/// An entity, as an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EntityIndex(u32);

/// A tag that is not manual: context, key, value.
pub(super) type GivenTag = (&'static str, &'static str, &'static str);

#[derive(Debug)]
struct Entity {
    kind: u16,
    id: u64,
    /// Where its name ends in [`World::names`]; it begins where the one before ends.
    name_end: usize,
    /// Seconds before any request.
    first_seen: u32,
    last_seen: u32,
    /// Manual tags, sorted.
    manual: Vec<TagId>,
    /// Into [`World::given`].
    given: u32,
}

#[derive(Debug)]
struct Kind {
    name: Box<str>,
    members: Vec<EntityIndex>,
}

/// All there is. Entities are never added or removed after the beginning, so positions in a kind are stable.
#[derive(Debug, Default)]
pub(super) struct World {
    kinds: Vec<Kind>,
    entities: Vec<Entity>,
    names: String,
    by_id: HashTable<EntityIndex>,
    tags: TagIndex,
    given: Vec<Vec<GivenTag>>,
    by_given: HashMap<Vec<GivenTag>, u32>,
    unseen: Unseen<EntityIndex, Vec<TagId>>,
}

impl World {
    /// An empty world in which reads see a change only `visibility_ms` after it was made.
    pub(super) fn new(visibility_ms: i64) -> Self {
        Self {
            unseen: Unseen::new(visibility_ms),
            ..Self::default()
        }
    }

    /// Takes in a new entity; one whose identifier is there already is left out.
    pub(super) fn insert(&mut self, made: Made) {
        let kind = self.intern_kind(&made.kind);
        let Some(index) = self.claim(kind, made.id) else {
            return;
        };
        self.names.push_str(&made.name);
        let tags = made
            .manual
            .iter()
            .map(|(key, value)| self.tags.intern(key, value.as_deref()));
        let mut manual: Vec<_> = tags.collect();
        manual.sort_unstable();
        manual.dedup();
        let given = self.intern_given(made.given);
        self.kinds[usize::from(kind)].members.push(index);
        self.entities.push(Entity {
            kind,
            id: made.id,
            name_end: self.names.len(),
            first_seen: made.first_seen,
            last_seen: made.last_seen,
            manual,
            given,
        });
    }

    /// The index for the next entity, under which it will be found; `None` when its identifier is taken.
    fn claim(&mut self, kind: u16, id: u64) -> Option<EntityIndex> {
        let next = EntityIndex(u32::try_from(self.entities.len()).ok()?);
        let entities = &self.entities;
        let key = |index: &EntityIndex| {
            let Entity { kind, id, .. } = entities[index.0 as usize];
            (kind, id)
        };
        let hash = id_hash(kind, id);
        if self.by_id.find(hash, |other| key(other) == (kind, id)).is_some() {
            return None;
        }
        self.by_id.insert_unique(hash, next, |other| {
            let (kind, id) = key(other);
            id_hash(kind, id)
        });
        Some(next)
    }

    fn intern_kind(&mut self, name: &str) -> u16 {
        let found = self.kinds.iter().position(|kind| &*kind.name == name);
        let at = found.unwrap_or_else(|| {
            self.kinds.push(Kind {
                name: name.into(),
                members: Vec::new(),
            });
            self.kinds.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    fn intern_given(&mut self, tags: Vec<GivenTag>) -> u32 {
        let given = &mut self.given;
        *self.by_given.entry(tags).or_insert_with_key(|tags| {
            given.push(tags.clone());
            u32::try_from(given.len() - 1).unwrap_or_default()
        })
    }

    /// The number of a tag, made when it is new.
    pub(super) fn intern(&mut self, key: &str, value: Option<&str>) -> TagId {
        self.tags.intern(key, value)
    }

    /// The number of a tag that some entity has or had.
    pub(super) fn tag_id(&self, key: &str, value: Option<&str>) -> Option<TagId> {
        self.tags.find(key, value)
    }

    /// Key and value of a tag.
    pub(super) fn tag(&self, tag: TagId) -> (&str, Option<&str>) {
        self.tags.get(tag)
    }

    /// The entity of an identifier; `kind` in capitals.
    pub(super) fn find(&self, kind: &str, id: u64) -> Option<EntityIndex> {
        let kind = self.kinds.iter().position(|known| &*known.name == kind)?;
        let kind = u16::try_from(kind).ok()?;
        let same = |other: &EntityIndex| {
            let entity = self.entity(*other);
            entity.kind == kind && entity.id == id
        };
        self.by_id.find(id_hash(kind, id), same).copied()
    }

    /// Every entity of a kind, in the order in which they were made.
    pub(super) fn members(&self, kind: &str) -> &[EntityIndex] {
        self.kinds
            .iter()
            .find(|known| &*known.name == kind)
            .map_or(&[], |kind| &kind.members)
    }

    /// How many entities there are.
    pub(super) fn len(&self) -> usize {
        self.entities.len()
    }

    fn entity(&self, index: EntityIndex) -> &Entity {
        &self.entities[index.0 as usize]
    }

    pub(super) fn kind(&self, index: EntityIndex) -> &str {
        &self.kinds[usize::from(self.entity(index).kind)].name
    }

    /// Such as `HOST-06F288EE2A930951`.
    pub(super) fn id(&self, index: EntityIndex) -> String {
        format!("{}-{:016X}", self.kind(index), self.entity(index).id)
    }

    pub(super) fn name(&self, index: EntityIndex) -> &str {
        let begin = (index.0 as usize)
            .checked_sub(1)
            .map_or(0, |before| self.entities[before].name_end);
        &self.names[begin..self.entity(index).name_end]
    }

    /// When it was first seen, as of a moment in milliseconds since 1970.
    pub(super) fn first_seen(&self, index: EntityIndex, now: i64) -> i64 {
        now.saturating_sub(i64::from(self.entity(index).first_seen) * 1_000)
    }

    /// When it was last seen, as of a moment.
    pub(super) fn last_seen(&self, index: EntityIndex, now: i64) -> i64 {
        now.saturating_sub(i64::from(self.entity(index).last_seen) * 1_000)
    }

    /// The manual tags as they are, sorted.
    pub(super) fn manual(&self, index: EntityIndex) -> &[TagId] {
        &self.entity(index).manual
    }

    /// The manual tags as a read at a moment sees them.
    pub(super) fn shown(&self, index: EntityIndex, now: i64) -> &[TagId] {
        self.unseen
            .before(index, now)
            .map_or_else(|| self.manual(index), Vec::as_slice)
    }

    /// The tags that rules made or that were imported.
    pub(super) fn given(&self, index: EntityIndex) -> &[GivenTag] {
        &self.given[self.entity(index).given as usize]
    }

    /// Puts a tag on an entity or takes it off, and says whether that changed anything.
    pub(super) fn change(&mut self, index: EntityIndex, op: Op, tag: TagId, now: i64) -> bool {
        let manual = &mut self.entities[index.0 as usize].manual;
        match (op, manual.binary_search(&tag)) {
            (Op::Add, Err(at)) => {
                self.unseen.remember(index, now, || manual.clone());
                manual.insert(at, tag);
                true
            }
            (Op::Remove, Ok(at)) => {
                self.unseen.remember(index, now, || manual.clone());
                manual.remove(at);
                true
            }
            (Op::Add, Ok(_)) | (Op::Remove, Err(_)) => false,
        }
    }

    /// Applies a change that the journal tells; an entity that no longer exists is passed over, since the inventory that
    /// the entities are made from may have changed.
    pub(super) fn replay(&mut self, change: &Change<'_>, ms: i64) {
        self.again(change, change.op, ms);
    }

    /// Takes a change back.
    pub(super) fn undo(&mut self, change: &Change<'_>, now: i64) {
        let inverse = match change.op {
            Op::Add => Op::Remove,
            Op::Remove => Op::Add,
        };
        self.again(change, inverse, now);
    }

    fn again(&mut self, change: &Change<'_>, op: Op, now: i64) {
        let Some((kind, id)) = identifier(&change.entity) else {
            return;
        };
        let Some(index) = self.find(&kind, id) else { return };
        let tag = self.intern(&change.key, change.value.as_deref());
        self.change(index, op, tag, now);
    }
}

fn id_hash(kind: u16, id: u64) -> u64 {
    mix(id ^ (u64::from(kind) << 48))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An entity seen `hours` ago, with manual tags written `key` or `key:value`.
    pub(in super::super) fn made(kind: &str, id: u64, name: &str, hours: u32, manual: &[&str]) -> Made {
        let tag = |text: &&str| match text.split_once(':') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => ((*text).to_owned(), None),
        };
        Made {
            kind: kind.to_owned(),
            id,
            name: name.to_owned(),
            first_seen: 90 * 24 * 3_600,
            last_seen: hours * 3_600 + 60,
            manual: manual.iter().map(tag).collect(),
            given: Vec::new(),
        }
    }

    #[test]
    fn entities_are_found_by_kind_and_identifier() {
        let mut world = World::new(0);
        for id in 0..1_000 {
            world.insert(made("HOST", id, &format!("host-{id}"), 0, &[]));
            world.insert(made("SERVICE", id, &format!("service-{id}"), 0, &[]));
        }
        world.insert(made("HOST", 7, "a second one", 0, &[]));
        assert_eq!(
            (
                world.len(),
                world.members("HOST").len(),
                world.members("DISK").len()
            ),
            (2_000, 1_000, 0)
        );
        for id in [0, 7, 999] {
            let service = world.find("SERVICE", id).unwrap();
            assert_eq!(world.name(service), format!("service-{id}"));
            assert_eq!(world.id(service), format!("SERVICE-{id:016X}"));
        }
        assert_eq!(world.find("HOST", 1_000), None);
        assert_eq!(world.find("DISK", 7), None);
    }

    #[test]
    fn tags_are_a_set() {
        let mut world = World::new(0);
        world.insert(made("HOST", 1, "a", 0, &["env:prod", "env:prod", "x"]));
        let host = world.find("HOST", 1).unwrap();
        let (prod, dev) = (
            world.intern("env", Some("prod")),
            world.intern("env", Some("dev")),
        );
        for (op, tag, changed, left) in [
            (Op::Add, prod, false, 2),
            (Op::Add, dev, true, 3),
            (Op::Remove, prod, true, 2),
            (Op::Remove, prod, false, 2),
        ] {
            assert_eq!(world.change(host, op, tag, 0), changed);
            assert_eq!(world.manual(host).len(), left);
        }
    }

    #[test]
    fn a_read_sees_each_change_only_after_the_delay() {
        let mut world = World::new(100);
        world.insert(made("HOST", 1, "a", 0, &[]));
        let host = world.find("HOST", 1).unwrap();
        let (x, y) = (world.intern("x", None), world.intern("y", None));
        world.change(host, Op::Add, x, 1_000);
        world.change(host, Op::Add, y, 1_050);
        world.change(host, Op::Remove, x, 1_060);
        assert_eq!(world.manual(host), [y]);
        for (now, want) in [
            (1_060, vec![]),
            (1_099, vec![]),
            (1_100, vec![x]),
            (1_150, vec![x, y]),
            (1_160, vec![y]),
        ] {
            assert_eq!(world.shown(host, now), want, "at {now}");
        }
        world.change(host, Op::Add, x, 2_000);
        assert_eq!(world.shown(host, 2_000), [y], "what is past is forgotten");
        assert_eq!(world.shown(host, 2_100), [x, y]);
    }
}
