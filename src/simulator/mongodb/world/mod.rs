//! The groups, their clusters, and the tags of both.

mod change;

use std::collections::HashMap;

use super::super::tag_index::{TagId, TagIndex};
use super::super::unseen::Unseen;
use super::object_id::ObjectId;

/// The organization that every group belongs to.
pub(super) const ORG: &str = "a0123456789abcdef0123456";

/// A group or a cluster, as an index. Those of removed groups are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Index(u32);

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A group, which Atlas calls a project.
    Group,
    /// A cluster of one group.
    Cluster(Index),
    /// A flex cluster of one group.
    Flex(Index),
}

#[derive(Debug)]
struct Resource {
    kind: Kind,
    id: ObjectId,
    name: Box<str>,
    /// In the order in which they came.
    tags: Vec<TagId>,
    /// The clusters of a group, by name.
    clusters: Vec<Index>,
    paused: bool,
    /// Whether it is a group that was removed.
    removed: bool,
}

/// All there is.
#[derive(Debug, Default)]
pub(super) struct World {
    resources: Vec<Resource>,
    /// The groups by identifier, removed ones among them.
    groups: HashMap<ObjectId, Index>,
    /// The groups by name and identifier, as every recorded listing has them.
    listed: Vec<Index>,
    tags: TagIndex,
    unseen: Unseen<Index, Vec<TagId>>,
}

impl World {
    /// An empty world in which reads see a change of tags only `visibility_ms` after it was made.
    pub(super) fn new(visibility_ms: i64) -> Self {
        Self {
            unseen: Unseen::new(visibility_ms),
            ..Self::default()
        }
    }

    /// Takes in a group; `None` when its identifier is taken. Groups are found by name only once they are
    /// [settled](Self::settle).
    pub(super) fn insert_group(&mut self, id: ObjectId, name: &str) -> Option<Index> {
        if self.groups.contains_key(&id) {
            return None;
        }
        let index = self.push(Kind::Group, id, name)?;
        self.groups.insert(id, index);
        self.listed.push(index);
        Some(index)
    }

    /// Takes in a cluster of a group, to be found once it is [settled](Self::settle).
    pub(super) fn insert_cluster(&mut self, kind: Kind, id: ObjectId, name: &str) -> Option<Index> {
        let (Kind::Cluster(group) | Kind::Flex(group)) = kind else {
            return None;
        };
        let index = self.push(kind, id, name)?;
        self.resources[group.0 as usize].clusters.push(index);
        Some(index)
    }

    fn push(&mut self, kind: Kind, id: ObjectId, name: &str) -> Option<Index> {
        let index = Index(u32::try_from(self.resources.len()).ok()?);
        self.resources.push(Resource {
            kind,
            id,
            name: name.into(),
            tags: Vec::new(),
            clusters: Vec::new(),
            paused: false,
            removed: false,
        });
        Some(index)
    }

    /// Puts what was taken in into order. Of clusters of one name in one group the first stays.
    pub(super) fn settle(&mut self) {
        let resources = &self.resources;
        let key = |index: &Index| {
            let Resource { name, id, .. } = &resources[index.0 as usize];
            (name, id)
        };
        self.listed.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        let mut sorted = Vec::with_capacity(self.listed.len());
        for group in self.groups.values() {
            let mut clusters = resources[group.0 as usize].clusters.clone();
            clusters.sort_by_key(|cluster| &resources[cluster.0 as usize].name);
            clusters.dedup_by_key(|cluster| &resources[cluster.0 as usize].name);
            sorted.push((*group, clusters));
        }
        for (group, clusters) in sorted {
            self.resources[group.0 as usize].clusters = clusters;
        }
    }

    /// The group of an identifier.
    pub(super) fn group(&self, id: ObjectId) -> Option<Index> {
        let known = self.groups.get(&id).copied();
        known.filter(|group| !self.resource(*group).removed)
    }

    /// The cluster of a name in a group.
    pub(super) fn cluster(&self, group: Index, name: &str) -> Option<Index> {
        let clusters = self.clusters(group);
        let at = clusters
            .binary_search_by(|cluster| self.name(*cluster).cmp(name))
            .ok()?;
        Some(clusters[at])
    }

    /// The clusters of a group, flex ones among them, by name.
    pub(super) fn clusters(&self, group: Index) -> &[Index] {
        &self.resource(group).clusters
    }

    /// All groups, by name.
    pub(super) fn listed(&self) -> &[Index] {
        &self.listed
    }

    /// The groups of a name.
    pub(super) fn named(&self, name: &str) -> &[Index] {
        let begin = self.listed.partition_point(|group| self.name(*group) < name);
        let behind = &self.listed[begin..];
        &behind[..behind.partition_point(|group| self.name(*group) == name)]
    }

    /// How many groups and clusters there are.
    pub(super) fn len(&self) -> usize {
        let clusters = |group: &Index| self.clusters(*group).len();
        self.listed.len() + self.listed.iter().map(clusters).sum::<usize>()
    }

    fn resource(&self, index: Index) -> &Resource {
        &self.resources[index.0 as usize]
    }

    pub(super) fn kind(&self, index: Index) -> Kind {
        self.resource(index).kind
    }

    pub(super) fn id(&self, index: Index) -> ObjectId {
        self.resource(index).id
    }

    pub(super) fn name(&self, index: Index) -> &str {
        &self.resource(index).name
    }

    pub(super) fn paused(&self, index: Index) -> bool {
        self.resource(index).paused
    }

    /// What a client calls it: the group's identifier, with a slash and the cluster's name.
    pub(super) fn entity(&self, index: Index) -> String {
        let Resource { kind, id, name, .. } = self.resource(index);
        match kind {
            Kind::Group => id.to_string(),
            Kind::Cluster(group) | Kind::Flex(group) => format!("{}/{name}", self.id(*group)),
        }
    }

    /// What a client calls so.
    pub(super) fn find(&self, entity: &str) -> Option<Index> {
        let (group, cluster) = match entity.split_once('/') {
            Some((group, cluster)) => (group, Some(cluster)),
            None => (entity, None),
        };
        let group = self.group(ObjectId::parse(group)?)?;
        match cluster {
            Some(name) => self.cluster(group, name),
            None => Some(group),
        }
    }

    /// The tags as they are: key and value of each.
    pub(super) fn tags(&self, index: Index) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.resource(index).tags.iter().map(|tag| self.tags.get(*tag))
    }

    /// The tags as a read at a moment sees them.
    pub(super) fn shown(&self, index: Index, now: i64) -> impl Iterator<Item = (&str, Option<&str>)> {
        let tags = self.unseen.before(index, now);
        let tags = tags.unwrap_or_else(|| &self.resource(index).tags);
        tags.iter().map(|tag| self.tags.get(*tag))
    }

    /// Gives tags to what was just taken in.
    pub(super) fn equip<'a>(
        &mut self,
        index: Index,
        tags: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) {
        for (key, value) in tags {
            let tag = self.tags.intern(key, value);
            self.resources[index.0 as usize].tags.push(tag);
        }
    }

    /// An identifier that no group has.
    pub(super) fn new_id(&self, now: i64) -> ObjectId {
        let second = u32::try_from(now / 1_000).unwrap_or(u32::MAX);
        // Numbers of the generator are spread over 64 bits, so a small one is hardly ever taken.
        (self.resources.len() as u64..=u64::MAX)
            .map(|number| ObjectId::at(second, number))
            .find(|id| !self.groups.contains_key(id))
            .unwrap_or_else(|| ObjectId::at(second, 0))
    }

    /// Pauses a cluster or lets it go on.
    pub(super) fn set_paused(&mut self, cluster: Index, paused: bool) {
        self.resources[cluster.0 as usize].paused = paused;
    }

    /// Puts a group of a name into the list, in place of the one that was there.
    fn list_group(&mut self, id: ObjectId, name: &str) {
        self.unlist_group(id);
        let known = self.groups.get(&id).copied();
        let Some(group) = known.or_else(|| self.push(Kind::Group, id, name)) else {
            return;
        };
        self.groups.insert(id, group);
        let resource = &mut self.resources[group.0 as usize];
        resource.name = name.into();
        resource.removed = false;
        let at = self.place(name, id);
        self.listed.insert(at, group);
    }

    fn unlist_group(&mut self, id: ObjectId) {
        let Some(group) = self.group(id) else { return };
        let at = self.place(self.name(group), id);
        if self.listed.get(at) == Some(&group) {
            self.listed.remove(at);
        }
        self.resources[group.0 as usize].removed = true;
    }

    /// Where a group stands in the list, or would.
    fn place(&self, name: &str, id: ObjectId) -> usize {
        self.listed
            .partition_point(|group| (self.name(*group), self.id(*group)) < (name, id))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A group of a number, with tags.
    pub(super) fn group(world: &mut World, number: u64, name: &str, tags: &[&str]) -> Index {
        let group = world.insert_group(ObjectId::of(number), name).unwrap();
        world.equip(group, tags.iter().map(|tag| (*tag, None)));
        world.settle();
        group
    }

    #[test]
    fn groups_are_found_by_identifier_and_name_and_listed_by_name() {
        let mut world = World::new(0);
        for (number, name) in [(1, "b"), (2, "a"), (3, "b"), (4, "B")] {
            group(&mut world, number, name, &[]);
        }
        assert_eq!(world.insert_group(ObjectId::of(1), "again"), None);
        let names = |groups: &[Index]| {
            groups
                .iter()
                .map(|group| world.name(*group).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(world.listed()), ["B", "a", "b", "b"]);
        assert_eq!(names(world.named("b")), ["b", "b"]);
        assert_eq!(names(world.named("c")), [""; 0]);
        assert_eq!(world.name(world.group(ObjectId::of(4)).unwrap()), "B");
        assert_eq!(world.group(ObjectId::of(5)), None);
    }

    #[test]
    fn clusters_are_found_in_their_group() {
        let mut world = World::new(0);
        let [one, two] = [(1, "one"), (2, "two")].map(|(number, name)| group(&mut world, number, name, &[]));
        for (kind, name) in [
            (Kind::Cluster(one), "b"),
            (Kind::Flex(one), "a"),
            (Kind::Cluster(one), "b"),
            (Kind::Cluster(two), "b"),
        ] {
            world.insert_cluster(kind, ObjectId::of(9), name).unwrap();
        }
        world.settle();
        let cluster = world.cluster(two, "b").unwrap();
        assert_eq!(world.entity(cluster), format!("{}/b", ObjectId::of(2)));
        assert_eq!(world.clusters(one).len(), 2, "a name is there once");
        assert_eq!(world.cluster(two, "a"), None);
        assert_eq!(world.len(), 5);
    }
}
