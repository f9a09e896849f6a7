//! Entities without room for all that is wanted of them, where the job lets tags be left out.

use super::gather::Gathering;
use super::observed::{Observed, Seen};
use crate::diff;
use crate::fit;
use crate::model::{Class, Grain, Loss, Remedy, Tag, Wish};

/// What an entity carries and may carry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Manual tags that it carries.
    pub(super) manual: usize,
    /// Manual tags that it may carry.
    pub(super) most: usize,
    /// How changes are taken: where the whole set is written at once, what goes makes room for what comes.
    pub(super) grain: Grain,
}

impl Room {
    /// By how many tags an entity would be over its limit.
    fn over(self, adds: usize, removes: usize) -> usize {
        let leaving = match self.grain {
            Grain::Delta => 0,
            Grain::WholeSet | Grain::Document => removes,
        };
        (self.manual + adds.saturating_sub(leaving)).saturating_sub(self.most)
    }
}

/// Leaves out of what is wanted of an entity what finds no room. Gives back what it loses, or `None` where that would not be
/// enough.
pub(super) fn leave_out(
    entity: u32,
    room: Room,
    gathering: &mut Gathering,
    observed: &mut Observed,
) -> Option<Vec<Loss>> {
    let state = &mut observed.states[entity as usize];
    let (Some(want), Seen::Live(live)) = (state.want, &state.seen) else {
        return None;
    };
    let before = gathering.words.before(live.before);
    let over = |wishes: &[Wish]| {
        let actions = diff::actions(wishes, &before);
        let removes = actions.iter().filter(|action| action.remove).count();
        let adds = actions.len() - removes;
        if adds == 0 { 0 } else { room.over(adds, removes) }
    };
    let left = fit::to_room(&gathering.words.wishes(want), over)?;
    state.want = Some(gathering.words.want_id(&left.wishes));
    let lost = |tag: &Tag| Loss {
        class: Class::Full,
        remedy: Remedy::Dropped,
        message: format!(
            "`{tag}` finds no room: {} of at most {} manual tags are there",
            room.manual, room.most
        ),
    };
    Some(left.dropped.iter().map(lost).collect())
}
