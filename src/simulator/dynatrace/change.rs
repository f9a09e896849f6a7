//! Changes of manual tags, whichever route asks for them.

use super::super::journal::{Change, Op};
use super::super::tag_index::TagId;
use super::body::Pair;
use super::envelope::Refused;
use super::route::Call;
use super::world::{EntityIndex, World};

/// Manual tags of an entity.
const MAX_MANUAL: usize = 1_000;

/// Adds tags to entities, all or nothing, and says how many entities changed. v1 ends here too.
pub(super) fn apply(
    call: &Call<'_>,
    world: &mut World,
    entities: &[EntityIndex],
    tags: &[Pair],
    changes: &mut Vec<Change<'static>>,
) -> Result<usize, Refused> {
    let ids: Vec<TagId> = tags
        .iter()
        .map(|(key, value)| world.intern(key, value.as_deref()))
        .collect();
    for &index in entities {
        check_room(call, world, index, &ids)?;
    }
    let mut n_changed = 0;
    for &index in entities {
        let before = changes.len();
        for &tag in &ids {
            change(world, index, Op::Add, tag, call.now, changes);
        }
        n_changed += usize::from(changes.len() > before);
    }
    Ok(n_changed)
}

fn check_room(call: &Call<'_>, world: &World, index: EntityIndex, tags: &[TagId]) -> Result<(), Refused> {
    let manual = world.manual(index);
    let mut new: Vec<_> = tags
        .iter()
        .filter(|tag| manual.binary_search(tag).is_err())
        .collect();
    new.sort_unstable();
    new.dedup();
    if new.is_empty() || manual.len() + new.len() <= MAX_MANUAL {
        return Ok(());
    }
    let message = format!(
        "{} can't carry more than {MAX_MANUAL} manual tags",
        world.id(index)
    );
    Err(Refused::plain(call.switches.full_status.status(), message))
}

/// Changes one tag of one entity, and tells it when that changed anything.
pub(super) fn change(
    world: &mut World,
    index: EntityIndex,
    op: Op,
    tag: TagId,
    now: i64,
    changes: &mut Vec<Change<'static>>,
) {
    if world.change(index, op, tag, now) {
        let (key, value) = world.tag(tag);
        changes.push(Change {
            entity: world.id(index).into(),
            op,
            key: key.to_owned().into(),
            value: value.map(|value| value.to_owned().into()),
        });
    }
}
