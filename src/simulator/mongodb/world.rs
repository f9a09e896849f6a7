//! The groups, their clusters, and the tags of both.
//!
//! Everything that changes is told as a change of tags, since that is what a journal keeps: the list of groups is the
//! entity `groups`, whose keys are identifiers and whose values are names, and the paused clusters are the keys of the
//! entity `paused`.

use std::collections::HashMap;

use super::super::journal::{Change, Entry, Op};
use super::super::tag_index::{TagId, TagIndex};
use super::super::unseen::Unseen;
use super::object_id::ObjectId;

/// The entity of the journal that stands for the list of groups.
pub(super) const GROUPS: &str = "groups";
/// The entity of the journal that stands for the paused clusters.
pub(super) const PAUSED: &str = "paused";

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
    unseen: Unseen<Index, TagId>,
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

    /// Replaces all tags, and tells those that went and those that came. What stays keeps its place, and what is new
    /// follows as it was sent.
    pub(super) fn replace_tags(
        &mut self,
        index: Index,
        wanted: &[(String, Option<String>)],
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) {
        let mut coming: Vec<TagId> = wanted
            .iter()
            .map(|(key, value)| self.tags.intern(key, value.as_deref()))
            .collect();
        let mut going = Vec::new();
        for tag in &self.resource(index).tags {
            match coming.iter().position(|wanted| wanted == tag) {
                Some(at) => drop(coming.remove(at)),
                None => going.push(*tag),
            }
        }
        let entity = self.entity(index);
        for (op, tags) in [(Op::Remove, going), (Op::Add, coming)] {
            for tag in tags {
                self.change_tag(index, op, tag, now);
                let (key, value) = self.tags.get(tag);
                changes.push(told(&entity, op, key, value));
            }
        }
    }

    fn change_tag(&mut self, index: Index, op: Op, tag: TagId, now: i64) {
        let tags = &mut self.resources[index.0 as usize].tags;
        self.unseen.remember(index, tags, now);
        match op {
            Op::Add => tags.push(tag),
            // Of two alike the later one goes.
            Op::Remove => {
                if let Some(at) = tags.iter().rposition(|other| *other == tag) {
                    tags.remove(at);
                }
            }
        }
    }

    /// An identifier that no group has.
    pub(super) fn new_id(&self, now: i64) -> ObjectId {
        let second = u32::try_from(now / 1_000).unwrap_or(u32::MAX);
        // Numbers of the generator are spread over 64 bits, so a small one is hardly ever taken.
        (self.resources.len() as u64..)
            .map(|number| ObjectId::at(second, number))
            .find(|id| !self.groups.contains_key(id))
            .unwrap_or_else(|| ObjectId::at(second, 0))
    }

    /// Makes a group, or gives one another name, and tells it.
    pub(super) fn name_group(&mut self, id: ObjectId, name: &str, changes: &mut Vec<Change<'static>>) {
        let id_text = id.to_string();
        if let Some(group) = self.group(id) {
            let old = self.name(group).to_owned();
            if old == name {
                return;
            }
            changes.push(told(GROUPS, Op::Remove, &id_text, Some(&old)));
        }
        changes.push(told(GROUPS, Op::Add, &id_text, Some(name)));
        self.list_group(id, name);
    }

    /// Removes a group with its tags, and tells it.
    pub(super) fn remove_group(&mut self, group: Index, now: i64, changes: &mut Vec<Change<'static>>) {
        self.replace_tags(group, &[], now, changes);
        let id = self.id(group);
        changes.push(told(GROUPS, Op::Remove, &id.to_string(), Some(self.name(group))));
        self.unlist_group(id);
    }

    /// Pauses a cluster or lets it go on, and tells it.
    pub(super) fn pause(&mut self, cluster: Index, paused: bool, changes: &mut Vec<Change<'static>>) {
        if self.paused(cluster) == paused {
            return;
        }
        let op = if paused { Op::Add } else { Op::Remove };
        changes.push(told(PAUSED, op, &self.entity(cluster), None));
        self.set_paused(cluster, paused);
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

    /// Applies what a line of the journal tells; what no longer exists is passed over, since the inventory that it was
    /// made from may have changed.
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
        let (key, value) = (&*change.key, change.value.as_deref());
        match (&*change.entity, op) {
            (GROUPS, _) => self.group_again(key, value.unwrap_or_default(), op),
            (PAUSED, _) => {
                if let Some(cluster) = self.find(key) {
                    self.set_paused(cluster, op == Op::Add);
                }
            }
            (entity, _) => {
                if let Some(index) = self.find(entity) {
                    let tag = self.tags.intern(key, value);
                    self.change_tag(index, op, tag, now);
                }
            }
        }
    }

    fn group_again(&mut self, id: &str, name: &str, op: Op) {
        let Some(id) = ObjectId::parse(id) else { return };
        match op {
            Op::Add => self.list_group(id, name),
            // This is half of a new name as often as the end of a group. Its tags went with changes of their own.
            Op::Remove => self.unlist_group(id),
        }
    }
}

fn told(entity: &str, op: Op, key: &str, value: Option<&str>) -> Change<'static> {
    Change {
        entity: entity.to_owned().into(),
        op,
        key: key.to_owned().into(),
        value: value.map(|value| value.to_owned().into()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A group of a number, with tags.
    pub(in super::super) fn group(world: &mut World, number: u64, name: &str, tags: &[&str]) -> Index {
        let group = world.insert_group(ObjectId::of(number), name).unwrap();
        world.equip(group, tags.iter().map(|tag| (*tag, None)));
        world.settle();
        group
    }

    fn tags(world: &World, index: Index) -> Vec<String> {
        world.tags(index).map(|(key, _)| key.to_owned()).collect()
    }

    fn wanted(tags: &[&str]) -> Vec<(String, Option<String>)> {
        tags.iter().map(|tag| ((*tag).to_owned(), None)).collect()
    }

    #[test]
    fn what_stays_keeps_its_place_and_only_differences_are_told() {
        for (before, sent, after, want) in [
            (
                &["A", "B"][..],
                &["B", "C", "A"][..],
                &["A", "B", "C"][..],
                &["+C"][..],
            ),
            (&["A", "B"], &["C", "B"], &["B", "C"], &["-A", "+C"]),
            (&["A", "B"], &["B", "A"], &["A", "B"], &[]),
            (&["A"], &["A", "A"], &["A", "A"], &["+A"]),
            (&["A", "B", "A"], &["A"], &["A"], &["-B", "-A"]),
            (&["A", "B"], &[], &[], &["-A", "-B"]),
        ] {
            let mut world = World::new(0);
            let index = group(&mut world, 1, "one", before);
            let mut changes = Vec::new();
            world.replace_tags(index, &wanted(sent), 0, &mut changes);
            assert_eq!(tags(&world, index), after, "{before:?} {sent:?}");
            let sign = |op| if op == Op::Add { '+' } else { '-' };
            let told: Vec<String> = changes
                .iter()
                .map(|change| format!("{}{}", sign(change.op), change.key))
                .collect();
            assert_eq!(told, want, "{before:?} {sent:?}");
            assert!(
                changes
                    .iter()
                    .all(|change| change.entity == ObjectId::of(1).to_string())
            );
        }
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

    #[test]
    fn a_new_name_and_an_end_are_told_and_can_be_taken_back() {
        let mut world = World::new(0);
        let index = group(&mut world, 1, "one", &["A"]);
        let id = ObjectId::of(1);
        let mut changes = Vec::new();
        world.name_group(id, "uno", &mut changes);
        world.name_group(id, "uno", &mut changes);
        assert_eq!(
            (changes.len(), world.named("uno"), world.named("one").len()),
            (2, &[index][..], 0)
        );
        world.remove_group(index, 0, &mut changes);
        assert_eq!((world.group(id), world.listed().len()), (None, 0));
        world.undo(&changes, 0);
        assert_eq!(
            (world.named("one"), tags(&world, index)),
            (&[index][..], vec!["A".to_owned()])
        );
    }

    #[test]
    fn a_read_sees_tags_only_after_the_delay() {
        let mut world = World::new(100);
        let index = group(&mut world, 1, "one", &["A"]);
        world.replace_tags(index, &wanted(&["B"]), 1_000, &mut Vec::new());
        let seen = |now| {
            world
                .shown(index, now)
                .map(|(key, _)| key.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (seen(1_099), seen(1_100)),
            (vec!["A".to_owned()], vec!["B".to_owned()])
        );
        assert_eq!(tags(&world, index), ["B"]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Tags(u64, Vec<String>),
        Name(u64, String),
        Remove(u64),
        Pause(bool),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (1..4_u64, prop::collection::vec("[AB]", 0..4)).prop_map(|(group, tags)| Step::Tags(group, tags)),
            2 => (1..5_u64, "[xy]").prop_map(|(group, name)| Step::Name(group, name)),
            1 => (1..5_u64).prop_map(Step::Remove),
            1 => any::<bool>().prop_map(Step::Pause),
        ];
        prop::collection::vec(step, 1..20)
    }

    fn three_groups() -> World {
        let mut world = World::new(0);
        for number in 1..4 {
            group(&mut world, number, "x", &["A"]);
        }
        let first = world.group(ObjectId::of(1)).unwrap();
        world.insert_cluster(Kind::Cluster(first), ObjectId::of(9), "c");
        world
    }

    fn take(world: &mut World, step: &Step, changes: &mut Vec<Change<'static>>) {
        match step {
            Step::Tags(group, tags) => {
                if let Some(index) = world.group(ObjectId::of(*group)) {
                    let tags: Vec<_> = tags.iter().map(|tag| (tag.clone(), None)).collect();
                    world.replace_tags(index, &tags, 0, changes);
                }
            }
            Step::Name(group, name) => world.name_group(ObjectId::of(*group), name, changes),
            Step::Remove(group) => {
                if let Some(index) = world.group(ObjectId::of(*group)) {
                    world.remove_group(index, 0, changes);
                }
            }
            Step::Pause(paused) => {
                if let Some(group) = world.group(ObjectId::of(1)) {
                    let cluster = world.clusters(group)[0];
                    world.pause(cluster, *paused, changes);
                }
            }
        }
    }

    /// Names, tags and pauses of all groups in the order of their listing.
    fn state(world: &World, sorted: bool) -> Vec<(String, String, Vec<String>, Vec<bool>)> {
        let one = |group: &Index| {
            let mut tags = tags(world, *group);
            if sorted {
                tags.sort();
            }
            let paused = world
                .clusters(*group)
                .iter()
                .map(|cluster| world.paused(*cluster));
            (
                world.entity(*group),
                world.name(*group).to_owned(),
                tags,
                paused.collect(),
            )
        };
        world.listed().iter().map(one).collect()
    }

    proptest! {
        #[test]
        fn replaying_gives_the_state_and_taking_back_the_one_before(steps in steps()) {
            let (mut world, mut again) = (three_groups(), three_groups());
            for step in &steps {
                let (before, mut changes) = (state(&world, true), Vec::new());
                take(&mut world, step, &mut changes);
                world.undo(&changes, 0);
                prop_assert_eq!(state(&world, true), before, "{:?}", step);
                for change in &changes {
                    world.again(change, change.op, 0);
                }
                for change in &changes {
                    again.again(change, change.op, 0);
                }
            }
            prop_assert_eq!(state(&again, true), state(&world, true));
        }

        #[test]
        fn replaying_gives_the_order_of_tags_too(steps in steps()) {
            let (mut world, mut again) = (three_groups(), three_groups());
            for step in &steps {
                let mut changes = Vec::new();
                take(&mut world, step, &mut changes);
                for change in &changes {
                    again.again(change, change.op, 0);
                }
            }
            prop_assert_eq!(state(&again, false), state(&world, false));
        }
    }
}
