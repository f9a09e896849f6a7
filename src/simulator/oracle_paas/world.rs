//! The service instances, the tags, and which tag is on which instance.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::super::journal::{Change, Entry, Op};
use super::super::unseen::Unseen;
use super::switches::KeyCase;
use super::tag_book::{Tag, TagBook, TagId};
use super::tag_rules::Class;

/// A service instance, as an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ServiceIndex(u32);

#[derive(Debug)]
struct Service {
    kind: u32,
    name: Box<str>,
    /// Sorted.
    tags: Vec<TagId>,
}

/// Something that is or is not the case; changes are about these alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    /// A tag exists.
    Exists(TagId),
    /// A service instance carries a tag.
    Assigned(ServiceIndex, TagId),
}

/// All there is. Instances are never added or removed after the beginning.
#[derive(Debug)]
pub(super) struct World {
    /// Service types, such as `JaaS`.
    kinds: Vec<Box<str>>,
    services: Vec<Service>,
    by_name: HashTable<ServiceIndex>,
    hasher: RandomState,
    tags: TagBook,
    /// What instances carried before changes that reads can't see yet.
    unseen: Unseen<ServiceIndex, Vec<TagId>>,
    /// Whether tags existed before such changes.
    unmade: Unseen<TagId, bool>,
}

impl World {
    /// An empty world in which reads see a change only `visibility_ms` after it was made.
    pub(super) fn new(visibility_ms: i64, case: KeyCase) -> Self {
        Self {
            kinds: Vec::new(),
            services: Vec::new(),
            by_name: HashTable::new(),
            hasher: RandomState::new(),
            tags: TagBook::new(case),
            unseen: Unseen::new(visibility_ms),
            unmade: Unseen::new(visibility_ms),
        }
    }

    /// Takes in a service instance; one that is there already stays as it is, and `None` is returned.
    pub(super) fn insert(&mut self, kind: &str, name: &str) -> Option<ServiceIndex> {
        let kind = self.intern_kind(kind)?;
        let next = ServiceIndex(u32::try_from(self.services.len()).ok()?);
        let (services, hasher) = (&self.services, &self.hasher);
        let key = |index: &ServiceIndex| {
            let service = &services[index.0 as usize];
            (service.kind, &*service.name)
        };
        let hash = hasher.hash_one((kind, name));
        if self
            .by_name
            .find(hash, |other| key(other) == (kind, name))
            .is_some()
        {
            return None;
        }
        self.by_name
            .insert_unique(hash, next, |other| hasher.hash_one(key(other)));
        self.services.push(Service {
            kind,
            name: name.into(),
            tags: Vec::new(),
        });
        Some(next)
    }

    fn intern_kind(&mut self, name: &str) -> Option<u32> {
        let at = self.kinds.iter().position(|kind| &**kind == name);
        let at = at.unwrap_or_else(|| {
            self.kinds.push(name.into());
            self.kinds.len() - 1
        });
        u32::try_from(at).ok()
    }

    /// A tag that is there from the beginning.
    pub(super) fn found(&mut self, key: &str, value: &str, class: Class) -> TagId {
        let id = self.tags.slot(key, value);
        let tag = self.tags.get_mut(id);
        (tag.exists, tag.class) = (true, class);
        id
    }

    /// How many instances there are.
    pub(super) fn len(&self) -> usize {
        self.services.len()
    }

    /// The instance of a type and a name.
    pub(super) fn service(&self, kind: &str, name: &str) -> Option<ServiceIndex> {
        let kind = self.kinds.iter().position(|known| &**known == kind)?;
        let kind = u32::try_from(kind).ok()?;
        let same = |other: &ServiceIndex| {
            let service = self.at(*other);
            (service.kind, &*service.name) == (kind, name)
        };
        self.by_name
            .find(self.hasher.hash_one((kind, name)), same)
            .copied()
    }

    /// The instance of a type in any case and a name; an exact type comes first.
    pub(super) fn service_of_any_case(&self, kind: &str, name: &str) -> Option<ServiceIndex> {
        let mut alike = self.kinds.iter().filter(|known| known.eq_ignore_ascii_case(kind));
        self.service(kind, name)
            .or_else(|| alike.find_map(|known| self.service(known, name)))
    }

    fn at(&self, index: ServiceIndex) -> &Service {
        &self.services[index.0 as usize]
    }

    /// Type and name of an instance.
    pub(super) fn name(&self, index: ServiceIndex) -> (&str, &str) {
        let service = self.at(index);
        (&self.kinds[service.kind as usize], &service.name)
    }

    /// The tags as texts.
    pub(super) fn tags(&self) -> &TagBook {
        &self.tags
    }

    pub(super) fn tag(&self, tag: TagId) -> &Tag {
        self.tags.get(tag)
    }

    /// What an instance carries, sorted by number.
    pub(super) fn carried(&self, index: ServiceIndex) -> &[TagId] {
        &self.at(index).tags
    }

    pub(super) fn carries(&self, index: ServiceIndex, tag: TagId) -> bool {
        self.carried(index).binary_search(&tag).is_ok()
    }

    /// What a read at a moment sees an instance carry.
    pub(super) fn shown(&self, index: ServiceIndex, now: i64) -> &[TagId] {
        self.unseen
            .before(index, now)
            .map_or_else(|| self.carried(index), Vec::as_slice)
    }

    /// Whether a read at a moment sees a tag.
    pub(super) fn is_shown(&self, tag: TagId, now: i64) -> bool {
        self.unmade
            .before(tag, now)
            .copied()
            .unwrap_or_else(|| self.tag(tag).exists)
    }

    /// The instances that a read at a moment sees carry a tag.
    pub(super) fn carriers(&self, tag: TagId, now: i64) -> Cow<'_, BTreeSet<ServiceIndex>> {
        let mut carriers = Cow::Borrowed(&self.tag(tag).services);
        for (index, before) in self.unseen.hidden(now) {
            let carried = before.binary_search(&tag).is_ok();
            match (carried, carriers.contains(&index)) {
                (true, false) => drop(carriers.to_mut().insert(index)),
                (false, true) => drop(carriers.to_mut().remove(&index)),
                _ => {}
            }
        }
        carriers
    }

    /// The number of a pair, whether or not it exists as a tag.
    pub(super) fn slot(&mut self, key: &str, value: &str) -> TagId {
        self.tags.slot(key, value)
    }

    /// Makes a fact true or false, and says whether that changed anything.
    pub(super) fn change(&mut self, fact: Fact, op: Op, now: i64) -> bool {
        match fact {
            Fact::Exists(tag) => self.make(tag, op, now),
            Fact::Assigned(index, tag) => self.put(index, tag, op, now),
        }
    }

    fn make(&mut self, id: TagId, op: Op, now: i64) -> bool {
        let tag = self.tags.get_mut(id);
        let (was, is) = (tag.exists, op == Op::Add);
        if was == is {
            return false;
        }
        self.unmade.remember(id, now, || was);
        tag.exists = is;
        true
    }

    fn put(&mut self, index: ServiceIndex, tag: TagId, op: Op, now: i64) -> bool {
        let tags = &mut self.services[index.0 as usize].tags;
        let carriers = &mut self.tags.get_mut(tag).services;
        match (op, tags.binary_search(&tag)) {
            (Op::Add, Err(at)) => {
                self.unseen.remember(index, now, || tags.clone());
                tags.insert(at, tag);
                carriers.insert(index)
            }
            (Op::Remove, Ok(at)) => {
                self.unseen.remember(index, now, || tags.clone());
                tags.remove(at);
                carriers.remove(&index)
            }
            (Op::Add, Ok(_)) | (Op::Remove, Err(_)) => false,
        }
    }

    /// Such as `JaaS/MyJCSExample` for an assignment; empty for a tag's existence.
    pub(super) fn entity(&self, fact: Fact) -> String {
        match fact {
            Fact::Exists(_) => String::new(),
            Fact::Assigned(index, _) => {
                let (kind, name) = self.name(index);
                format!("{kind}/{name}")
            }
        }
    }

    /// The instance that `JaaS/MyJCSExample` names.
    pub(super) fn by_entity(&self, entity: &str) -> Option<ServiceIndex> {
        let (kind, name) = entity.split_once('/')?;
        self.service(kind, name)
    }

    /// Applies what a line of the journal tells; an instance that no longer exists is passed over, since the inventory that
    /// the instances are made from may have changed.
    pub(super) fn replay(&mut self, entry: &Entry<'_>) {
        for change in &entry.changes {
            self.again(change, change.op, entry.ms);
        }
    }

    /// Takes changes back.
    pub(super) fn undo(&mut self, changes: &[Change<'_>], now: i64) {
        for change in changes.iter().rev() {
            let inverse = match change.op {
                Op::Add => Op::Remove,
                Op::Remove => Op::Add,
            };
            self.again(change, inverse, now);
        }
    }

    fn again(&mut self, change: &Change<'_>, op: Op, now: i64) {
        let index = match &*change.entity {
            "" => None,
            entity => match self.by_entity(entity) {
                Some(index) => Some(index),
                None => return,
            },
        };
        let tag = self.slot(&change.key, change.value.as_deref().unwrap_or_default());
        let fact = index.map_or(Fact::Exists(tag), |index| Fact::Assigned(index, tag));
        self.change(fact, op, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_found_by_type_and_name() {
        let mut world = World::new(0, KeyCase::Sensitive);
        for n in 0..1_000 {
            assert!(world.insert("JaaS", &format!("web-{n}")).is_some());
            assert!(world.insert("DBaaS", &format!("web-{n}")).is_some());
        }
        assert_eq!(world.insert("JaaS", "web-7"), None, "a second one");
        assert_eq!(world.len(), 2_000);
        for kind in ["JaaS", "DBaaS"] {
            let index = world.service(kind, "web-7").unwrap();
            assert_eq!(world.name(index), (kind, "web-7"));
            assert_eq!(world.by_entity(&format!("{kind}/web-7")), Some(index));
        }
        for (kind, name) in [("jaas", "web-7"), ("JaaS", "Web-7"), ("SOA", "web-7")] {
            assert_eq!(world.service(kind, name), None);
        }
        assert_eq!(
            world.service_of_any_case("jaas", "web-7"),
            world.service("JaaS", "web-7")
        );
    }

    #[test]
    fn a_read_sees_tags_and_assignments_only_after_the_delay() {
        let mut world = World::new(100, KeyCase::Sensitive);
        let a = world.insert("JaaS", "a").unwrap();
        let tag = world.slot("env", "qa");
        for fact in [Fact::Exists(tag), Fact::Assigned(a, tag)] {
            assert!(world.change(fact, Op::Add, 1_000));
            assert!(!world.change(fact, Op::Add, 1_000), "it is the case already");
        }
        for (now, seen) in [(1_099, false), (1_100, true)] {
            assert_eq!(world.is_shown(tag, now), seen);
            assert_eq!(world.shown(a, now).contains(&tag), seen);
            assert_eq!(world.carriers(tag, now).contains(&a), seen);
        }
        world.change(Fact::Assigned(a, tag), Op::Remove, 2_000);
        assert!(world.carriers(tag, 2_099).contains(&a));
        assert!(!world.carriers(tag, 2_100).contains(&a));
    }
}
