//! The groups that a caller is in, and what the others are answered with.

use std::borrow::Cow;
use std::collections::HashSet;

use super::door::Door;
use super::object_id::ObjectId;
use super::refused::Refused;
use super::switches::{Switches, UnknownGroup};
use super::world::{Index, World};

/// The caller's membership: in every group but some.
#[derive(Debug)]
pub(super) struct Members {
    outside: HashSet<ObjectId>,
}

impl Members {
    pub(super) fn of(door: &Door) -> Self {
        Self {
            outside: door.hidden().collect(),
        }
    }

    /// The group of an identifier as it stands in a path, when it exists and the caller is in it.
    pub(super) fn group(&self, world: &World, id: &str, switches: &Switches) -> Result<Index, Refused> {
        let invalid = || {
            Refused::new(
                404,
                "INVALID_GROUP_ID",
                format!("An invalid group ID {id} was specified."),
            )
        };
        let parsed = ObjectId::parse(id).ok_or_else(|| invalid().about(id))?;
        if self.outside.contains(&parsed) {
            return Err(not_in(id));
        }
        world.group(parsed).ok_or_else(|| match switches.unknown_group {
            UnknownGroup::NotFound => {
                Refused::new(404, "GROUP_NOT_FOUND", format!("No group with ID {id} exists.")).about(id)
            }
            UnknownGroup::NotIn => not_in(id),
        })
    }

    /// The groups of a list that the caller is in.
    pub(super) fn among<'a>(&self, world: &World, groups: &'a [Index]) -> Cow<'a, [Index]> {
        if self.outside.is_empty() {
            return groups.into();
        }
        let inside = |group: &Index| !self.outside.contains(&world.id(*group));
        groups.iter().copied().filter(inside).collect()
    }

    /// The one group of a name that the caller is in.
    pub(super) fn named(&self, world: &World, name: &str) -> Result<Index, Refused> {
        match &*self.among(world, world.named(name)) {
            [one] => Ok(*one),
            [] => Err(Refused::new(
                404,
                "GROUP_NAME_NOT_FOUND",
                format!("No group with name \"{name}\" exists."),
            )
            .about(name)),
            _ => Err(Refused::new(
                409,
                "MULTIPLE_GROUPS",
                format!("Multiple groups exist with name \"{name}\"."),
            )
            .about(name)),
        }
    }
}

/// A group that the caller is not in; nothing tells whether it exists.
fn not_in(id: &str) -> Refused {
    let detail = "The current user is not in the group, or the group does not exist.";
    Refused::new(401, "NOT_IN_GROUP", detail).about(id)
}

/// A caller without the role that a call needs.
pub(super) fn unauthorized(switches: &Switches) -> Refused {
    let detail = "Current user is not authorized to perform this action.";
    Refused::new(401, "USER_UNAUTHORIZED", detail).with_status(switches.unauthorized.status())
}

/// A name that another group has.
pub(super) fn name_taken(name: &str) -> Refused {
    Refused::new(
        409,
        "GROUP_ALREADY_EXISTS",
        format!("A group with name \"{name}\" already exists."),
    )
    .about(name)
}
