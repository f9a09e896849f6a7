//! What happens to one entity, key by key.

use std::collections::BTreeMap;

use super::part::{Kind, Part, Side};
use super::relation::Relations;
use super::renames::Renames;
use crate::model::Action;

/// The values of a key that go and those that come, each in ascending order.
#[derive(Debug, Default)]
pub(super) struct KeySides<'a> {
    pub(super) old: Vec<&'a str>,
    pub(super) new: Vec<&'a str>,
}

/// The sides of an entity's change by key. The key of tags that are plain strings is empty, and they are its values.
pub(super) type Sides<'a> = BTreeMap<&'a str, KeySides<'a>>;

/// The values of a key of one entity; several stand in one text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Face {
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

/// What happens to a key, apart from its values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    pub(super) key: String,
    pub(super) to: Option<String>,
    pub(super) relations: Relations,
}

/// What happens to one key of one entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyChange {
    pub(super) slot: Slot,
    pub(super) face: Face,
}

impl KeyChange {
    fn new(kind: Kind, key: &str, to: Option<&str>, old: &[&str], new: &[&str]) -> Self {
        let relations = match kind {
            Kind::Rename | Kind::Replace => Relations::between(old, new),
            Kind::Add | Kind::Remove => Relations::default(),
        };
        let text = |values: &[&str]| (!values.is_empty()).then(|| values.join(", "));
        Self {
            slot: Slot {
                kind,
                key: key.to_owned(),
                to: to.map(str::to_owned),
                relations,
            },
            face: Face {
                old: text(old),
                new: text(new),
            },
        }
    }

    /// As the part of a shape that one entity has.
    pub(super) fn into_part(self) -> Part {
        let Self { slot, face } = self;
        Part {
            kind: slot.kind,
            key: slot.key,
            to: slot.to,
            relation: None,
            old: face.old.map(Side::One),
            new: face.new.map(Side::One),
        }
    }
}

/// What happens to each key.
pub(super) fn key_changes(sides: &Sides<'_>, renames: &Renames) -> Vec<KeyChange> {
    let renamed = renames.of(sides);
    let mut changes: Vec<KeyChange> = renamed
        .iter()
        .map(|(key, to)| {
            let (old, new) = (&sides[&**key].old, &sides[&**to].new);
            KeyChange::new(Kind::Rename, key, Some(to), old, new)
        })
        .collect();
    let rest = sides
        .iter()
        .filter(|(key, _)| renamed.iter().all(|(old, new)| old != *key && new != *key));
    for (key, KeySides { old, new }) in rest {
        let (add, remove) = (!new.is_empty(), !old.is_empty());
        // Plain strings that come and go are a replacement only where one follows from the other.
        let apart = key.is_empty() && Relations::between(old, new).is_empty();
        if add && remove && !apart {
            changes.push(KeyChange::new(Kind::Replace, key, None, old, new));
            continue;
        }
        if add {
            changes.push(KeyChange::new(Kind::Add, key, None, &[], new));
        }
        if remove {
            changes.push(KeyChange::new(Kind::Remove, key, None, old, &[]));
        }
    }
    changes.sort_unstable();
    changes
}

/// The sides of a change.
pub(super) fn sides(actions: &[Action]) -> Sides<'_> {
    let mut of_keys: Sides<'_> = BTreeMap::new();
    for action in actions {
        let sides = of_keys.entry(&action.tag.key).or_default();
        let value = action.tag.value.as_deref().unwrap_or_default();
        let side = if action.remove {
            &mut sides.old
        } else {
            &mut sides.new
        };
        side.push(value);
    }
    let mut sides: Sides<'_> = BTreeMap::new();
    for (key, mut of_key) in of_keys {
        let is_bare = |values: &[&str]| values.iter().all(|value| value.is_empty());
        if is_bare(&of_key.old) && is_bare(&of_key.new) {
            let plain = sides.entry("").or_default();
            plain.old.extend(of_key.old.first().map(|_| key));
            plain.new.extend(of_key.new.first().map(|_| key));
        } else {
            for side in [&mut of_key.old, &mut of_key.new] {
                side.sort_unstable();
                // Two rules may ask for the same tag.
                side.dedup();
            }
            sides.insert(key, of_key);
        }
    }
    sides
}
