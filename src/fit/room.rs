//! Entities that have no room for everything that is wanted of them.

use std::collections::BTreeSet;

use crate::model::{Rule, Tag, Wish};

/// What is left to want of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The wishes that go on, in order.
    pub wishes: Vec<Wish>,
    /// The tags that find no room, in order.
    pub dropped: Vec<Tag>,
}

/// Leaves out what finds no room; `over` says by how many tags an entity would be over its limit. Tags go by key and value:
/// the last are left out first, and one stays whose absence would make no room. Where something is left out, nothing is
/// retired, since what was to take its place may be what is missing. `None` where even that is not enough.
pub fn to_room(wishes: &[Wish], over: impl Fn(&[Wish]) -> usize) -> Option<Left> {
    let mut left: Vec<Wish> = wishes.to_vec();
    let mut dropped = Vec::new();
    if over(&left) > 0 {
        left.retain(|wish| wish.rule != Rule::Retire);
    }
    let coming = left.iter().filter(|wish| wish.rule != Rule::Remove);
    let mut candidates: BTreeSet<Tag> = coming.map(|wish| wish.tag.clone()).collect();
    let mut too_many = over(&left);
    while too_many > 0 {
        let last: BTreeSet<Tag> = (0..too_many).map_while(|_| candidates.pop_last()).collect();
        if last.is_empty() {
            return None;
        }
        let rest = without(&left, &last);
        let still = over(&rest);
        // A tag makes room for one other at most, so that here each of them has done so.
        if still + last.len() == too_many {
            (left, too_many) = (rest, still);
            dropped.extend(last);
            continue;
        }
        for tag in last.into_iter().rev() {
            let rest = without(&left, &BTreeSet::from([tag.clone()]));
            let still = over(&rest);
            if still < too_many {
                (left, too_many) = (rest, still);
                dropped.push(tag);
            }
            if too_many == 0 {
                break;
            }
        }
    }
    dropped.sort();
    Some(Left {
        wishes: left,
        dropped,
    })
}

fn without(wishes: &[Wish], tags: &BTreeSet<Tag>) -> Vec<Wish> {
    let stays = |wish: &&Wish| wish.rule == Rule::Remove || !tags.contains(&wish.tag);
    wishes.iter().filter(stays).cloned().collect()
}
