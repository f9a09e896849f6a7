//! What changes, told as changes of tags, since that is what a journal keeps.
//!
//! The list of groups is the entity `groups`, whose keys are identifiers and whose values are names, and the paused
//! clusters are the keys of the entity `paused`.

use super::super::super::journal::{Change, Entry, Op};
use super::super::super::tag_index::TagId;
use super::{Index, ObjectId, World};

/// The entity of the journal that stands for the list of groups.
const GROUPS: &str = "groups";
/// The entity of the journal that stands for the paused clusters.
const PAUSED: &str = "paused";

impl World {
    /// Replaces all tags, and tells those that went and those that came. What stays keeps its place, and what is new
    /// follows as it was sent.
    pub(in super::super) fn replace_tags(
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
        self.unseen.remember(index, now, || tags.clone());
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

    /// Makes a group, or gives one another name, and tells it.
    pub(in super::super) fn name_group(
        &mut self,
        id: ObjectId,
        name: &str,
        changes: &mut Vec<Change<'static>>,
    ) {
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
    pub(in super::super) fn remove_group(
        &mut self,
        group: Index,
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) {
        self.replace_tags(group, &[], now, changes);
        let id = self.id(group);
        changes.push(told(GROUPS, Op::Remove, &id.to_string(), Some(self.name(group))));
        self.unlist_group(id);
    }

    /// Pauses a cluster or lets it go on, and tells it.
    pub(in super::super) fn pause(
        &mut self,
        cluster: Index,
        paused: bool,
        changes: &mut Vec<Change<'static>>,
    ) {
        if self.paused(cluster) == paused {
            return;
        }
        let op = if paused { Op::Add } else { Op::Remove };
        changes.push(told(PAUSED, op, &self.entity(cluster), None));
        self.set_paused(cluster, paused);
    }

    /// Applies what a line of the journal tells; what no longer exists is passed over, since the inventory that it was
    /// made from may have changed.
    pub(in super::super) fn replay(&mut self, entry: &Entry<'_>) {
        for change in &entry.changes {
            self.again(change, change.op, entry.ms);
        }
    }

    /// Takes changes back.
    pub(in super::super) fn undo(&mut self, changes: &[Change<'_>], now: i64) {
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
mod tests {
    use proptest::prelude::*;

    use super::super::Kind;
    use super::super::tests::group;
    use super::*;

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
