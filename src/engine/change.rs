//! What is to be done to many entities alike: its tags by number, what removes, and what has to wait for what.

use super::wave::Direction;
use crate::ledger::Vocabulary;
use crate::model::{Action, Limits, Rule};
use crate::pack::GOES;

/// What is to be done to many entities alike, worked out once.
#[derive(Debug)]
pub(super) struct Change {
    /// The number of each bit's tag, marked with [`GOES`] where it is removed.
    pub(super) tags: Vec<u32>,
    /// The bits that remove.
    pub(super) removes: u64,
    /// For each bit that removes a replaced value, the bits that must have succeeded before it may go; empty where
    /// nothing is removed.
    pub(super) waits_for: Vec<u64>,
    /// The bits that remove a key whose place another one takes.
    pub(super) retires: u64,
    /// The bits that an `add` rule asks for, where the vendor has a simpler request for those.
    pub(super) plain: u64,
}

impl Change {
    pub(super) fn new(change: u32, vocabulary: &Vocabulary, limits: &Limits) -> Self {
        let tags = vocabulary.action_tags(change);
        let removes = (0..)
            .zip(&tags)
            .fold(0, |bits, (bit, (_, remove))| bits | u64::from(*remove) << bit);
        // Where nothing is removed, no text is needed.
        let (waits_for, retires) = if removes == 0 {
            (Vec::new(), 0)
        } else {
            let actions = vocabulary.actions(change);
            let waits = actions.iter().map(|action| replacing(&actions, action));
            (
                waits.collect(),
                bits_where(&actions, |action| action.rule == Rule::Retire),
            )
        };
        let plain = if limits.together {
            let is_plain = |action: &Action| action.rule == Rule::Add && !action.remove;
            bits_where(&vocabulary.actions(change), is_plain)
        } else {
            0
        };
        let marked = |(tag, remove)| if remove { tag | GOES } else { tag };
        Self {
            tags: tags.into_iter().map(marked).collect(),
            removes,
            waits_for,
            retires,
            plain,
        }
    }

    /// The bits of a direction.
    pub(super) fn of_direction(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Together => u64::MAX,
            Direction::Add => !self.removes,
            Direction::Remove => self.removes,
        }
    }

    /// The bits that wait for some of `bits`.
    pub(super) fn waiting_for(&self, bits: u64) -> u64 {
        let waits = self
            .waits_for
            .iter()
            .enumerate()
            .filter(|(_, for_bits)| **for_bits & bits != 0);
        waits.fold(0, |waiting, (bit, _)| waiting | 1 << bit)
    }
}

/// The bits of the actions that are so.
pub(super) fn bits_where(actions: &[Action], is_so: impl Fn(&Action) -> bool) -> u64 {
    actions
        .iter()
        .enumerate()
        .fold(0, |bits, (bit, action)| bits | u64::from(is_so(action)) << bit)
}

/// The adds that must have succeeded before an action may remove a value: those that replace it, and where a key takes the
/// place of another all that come to the entity.
fn replacing(actions: &[Action], gone: &Action) -> u64 {
    let replaces = |rule: Rule| matches!(rule, Rule::Set | Rule::Update);
    if gone.remove && gone.rule == Rule::Retire {
        return bits_where(actions, |action| !action.remove);
    }
    if !gone.remove || !replaces(gone.rule) {
        return 0;
    }
    bits_where(actions, |action| {
        !action.remove && action.tag.key == gone.tag.key && replaces(action.rule)
    })
}
