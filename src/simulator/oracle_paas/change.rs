//! Changes of tags and assignments, whichever route asks for them: each is told once, and only when it changed something.

use super::super::journal::{Change, Op};
use super::tag_book::TagId;
use super::world::{Fact, ServiceIndex, World};

/// A world being changed by one request. Nothing here refuses: everything was checked before.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) world: &'a mut World,
    /// Milliseconds since 1970.
    pub(super) now: i64,
    pub(super) changes: &'a mut Vec<Change<'static>>,
}

impl Work<'_> {
    /// Makes a tag exist.
    pub(super) fn create(&mut self, key: &str, value: &str) -> TagId {
        let tag = self.world.slot(key, value);
        self.change(Fact::Exists(tag), Op::Add);
        tag
    }

    /// Assigns a tag.
    pub(super) fn assign(&mut self, index: ServiceIndex, tag: TagId) {
        self.change(Fact::Assigned(index, tag), Op::Add);
    }

    /// Unassigns a tag.
    pub(super) fn unassign(&mut self, index: ServiceIndex, tag: TagId) {
        self.change(Fact::Assigned(index, tag), Op::Remove);
    }

    /// Unassigns a tag everywhere, and deletes it.
    pub(super) fn delete(&mut self, tag: TagId) {
        let carriers: Vec<_> = self.world.tag(tag).services.iter().copied().collect();
        for index in carriers {
            self.unassign(index, tag);
        }
        self.change(Fact::Exists(tag), Op::Remove);
    }

    fn change(&mut self, fact: Fact, op: Op) {
        if !self.world.change(fact, op, self.now) {
            return;
        }
        let (Fact::Exists(tag) | Fact::Assigned(_, tag)) = fact;
        let text = self.world.tag(tag);
        self.changes.push(Change {
            entity: self.world.entity(fact).into(),
            op,
            key: text.key.to_string().into(),
            value: Some(text.value.to_string().into()),
        });
    }
}
