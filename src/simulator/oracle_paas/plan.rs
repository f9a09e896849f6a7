//! What a request would assign and unassign, checked in full before anything is changed: a refused request changes nothing.
//!
//! The first of these that finds something wrong refuses the request, with all that it found: classes of tags, texts of new
//! tags, what does not exist, what is or is not assigned, the limit of an instance.

use std::collections::HashSet;

use super::answer::Refused;
use super::body::{Pair, ServiceName};
use super::change::Work;
use super::switches::{LimitCounts, PutOrder, Switches};
use super::tag_book::TagId;
use super::tag_rules::{Class, MAX_TAGS, complaint};
use super::world::{ServiceIndex, World};

/// A tag to assign.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// It exists.
    Known(TagId),
    /// It is to be created first.
    New(&'a Pair),
}

/// Each tag is for each instance.
#[derive(Debug)]
pub(super) struct Product<T> {
    pub(super) tags: Vec<T>,
    pub(super) services: Vec<ServiceIndex>,
}

/// Refuses tags that this API neither assigns nor unassigns.
pub(super) fn check_classes<'a>(
    world: &World,
    tags: impl IntoIterator<Item = &'a Pair>,
) -> Result<(), Refused> {
    let issue = |pair: &Pair| {
        let class = world.tags().class(&pair.key, &pair.value);
        let text = quoted(pair);
        let title = class.title();
        (!class.is_assignable())
            .then(|| format!("The tag {text} is {title} and can't be assigned or unassigned."))
    };
    Refused::unless_tolerated(400, tags.into_iter().filter_map(issue))
}

/// Finds each tag, or lets it be created where its text is legal.
pub(super) fn existing_or_new<'a>(world: &World, tags: &'a [Pair]) -> Result<Vec<Wanted<'a>>, Refused> {
    let find = |pair: &'a Pair| match world.tags().find(&pair.key, &pair.value) {
        Some(tag) => Wanted::Known(tag),
        None => Wanted::New(pair),
    };
    let wanted: Vec<_> = tags.iter().map(find).collect();
    let issue = |wanted: &Wanted<'_>| match wanted {
        Wanted::Known(_) => None,
        Wanted::New(pair) => complaint(&pair.key, &pair.value),
    };
    Refused::unless_tolerated(400, wanted.iter().filter_map(issue))?;
    Ok(wanted)
}

/// The tags that exist; the others refuse the request with this status, unless it is one of success.
pub(super) fn existing(world: &World, tags: &[Pair], status: u16) -> Result<Vec<TagId>, Refused> {
    let find = |pair: &Pair| world.tags().find(&pair.key, &pair.value);
    let missing = tags.iter().filter(|pair| find(pair).is_none());
    Refused::unless_tolerated(
        status,
        missing.map(|pair| format!("The tag {} does not exist.", quoted(pair))),
    )?;
    Ok(tags.iter().filter_map(find).collect())
}

/// The instances that exist; the others refuse the request with this status, unless it is one of success.
pub(super) fn services(
    world: &World,
    names: &[ServiceName],
    status: u16,
) -> Result<Vec<ServiceIndex>, Refused> {
    let find = |service: &ServiceName| world.service(&service.kind, &service.name);
    let missing = names.iter().filter(|service| find(service).is_none());
    Refused::unless_tolerated(
        status,
        missing.map(|ServiceName { kind, name }| format!("The service {kind}.{name} does not exist.")),
    )?;
    Ok(names.iter().filter_map(find).collect())
}

/// Refuses what would give an instance more tags than it may have. One that is full takes what it has already.
pub(super) fn check_room(
    world: &World,
    assign: &Product<Wanted<'_>>,
    unassign: &Product<TagId>,
    switches: &Switches,
) -> Result<(), Refused> {
    let losing: HashSet<_> = match switches.put_order {
        PutOrder::UnassignFirst => unassign.services.iter().collect(),
        PutOrder::AssignFirst => HashSet::new(),
    };
    let overfull = |index: &&ServiceIndex| {
        let n_new = assign
            .tags
            .iter()
            .filter(|tag| is_new(world, **index, **tag))
            .count();
        let gone = |tag: &&TagId| losing.contains(index) && world.carries(**index, **tag);
        let n_gone = unassign.tags.iter().filter(gone).count();
        n_new > 0 && counted(world, **index, switches.limit_counts) + n_new > MAX_TAGS + n_gone
    };
    let issue = |index: &ServiceIndex| {
        let (kind, name) = world.name(*index);
        format!("The service {kind}.{name} would have more than {MAX_TAGS} tags.")
    };
    let services = assign.services.iter().filter(overfull);
    Refused::unless_tolerated(switches.full_status.status(), services.map(issue))
}

fn is_new(world: &World, index: ServiceIndex, tag: Wanted<'_>) -> bool {
    match tag {
        Wanted::Known(tag) => !world.carries(index, tag),
        Wanted::New(_) => true,
    }
}

fn counted(world: &World, index: ServiceIndex, counts: LimitCounts) -> usize {
    let carried = world.carried(index);
    match counts {
        LimitCounts::All => carried.len(),
        LimitCounts::Own => {
            let own = |tag: &&TagId| world.tag(**tag).class.is_assignable();
            carried.iter().filter(own).count()
        }
    }
}

/// Creates and assigns, and returns the tags.
pub(super) fn carry_out(work: &mut Work<'_>, assign: &Product<Wanted<'_>>) -> Vec<TagId> {
    let mut tags = Vec::with_capacity(assign.tags.len());
    for wanted in &assign.tags {
        tags.push(match wanted {
            Wanted::Known(tag) => *tag,
            Wanted::New(pair) => work.create(&pair.key, &pair.value),
        });
    }
    for &index in &assign.services {
        for &tag in &tags {
            work.assign(index, tag);
        }
    }
    tags
}

/// A tag in an issue, in the way of a tag filter.
pub(super) fn quoted(Pair { key, value }: &Pair) -> String {
    format!("'{key}':'{value}'")
}

/// The same for a tag that exists.
pub(super) fn quoted_tag(world: &World, tag: TagId) -> String {
    let tag = world.tag(tag);
    format!("'{}':'{}'", tag.key, tag.value)
}

/// Whether creating is what brings a tag about. An account's tag is only assigned by it.
pub(super) fn is_created_here(world: &World, tag: TagId) -> bool {
    world.tag(tag).class == Class::Instance
}
