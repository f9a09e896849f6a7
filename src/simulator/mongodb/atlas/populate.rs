//! Projects and clusters out of what a population finds.
//!
//! A made project has `mix(number) % 3` clusters, named `Cluster0` and `Cluster1`, and every fourth one has a flex cluster
//! `Flex0`; `number` is its identifier's last sixteen digits. Made clusters stand in projects of ten, named
//! `project-0001` and so on, unless an inventory names their project. The stale share of clusters is paused.

use super::super::super::generate::{self, mix};
use super::super::super::population::{Made, Population};
use super::super::object_id::ObjectId;
use super::super::populate::Found;
use super::super::world::{Index, Kind, World};

/// Clusters of a project that was made for them.
const CLUSTERS: usize = 10;
/// What was last seen longer ago is stale; in seconds.
const DAY: u32 = 24 * 3_600;

/// Takes everything in.
pub(super) fn populate(world: &mut World, found: Vec<Found>, population: &Population) {
    let mut n_clusters = 0;
    for one in found {
        let is_cluster = one.made.kind == "cluster";
        match one.cluster {
            Some(name) => {
                let project = project(world, one.id, &format!("project-{}", one.id));
                cluster(world, project, &name, &one.made);
            }
            None if is_cluster => {
                let number = n_clusters / CLUSTERS;
                n_clusters += 1;
                let id = ObjectId::of(mix(population.seed ^ number as u64));
                let project = project(world, id, &format!("project-{:04}", number + 1));
                let name = one.made.name.clone();
                cluster(world, project, &name, &one.made);
            }
            None => whole_project(world, one.id, &one.made, population),
        }
    }
}

/// The project of an identifier, made when it is not there.
fn project(world: &mut World, id: ObjectId, name: &str) -> Option<Index> {
    world.group(id).or_else(|| world.insert_group(id, name))
}

/// A cluster, unless its name is not one that clusters have.
fn cluster(world: &mut World, project: Option<Index>, name: &str, made: &Made) {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let begins = |b: u8| b.is_ascii_alphanumeric();
    let is_name = name.bytes().next().is_some_and(begins) && name.bytes().all(legal);
    let Some(project) = project.filter(|_| is_name) else {
        return;
    };
    let id = ObjectId::of(made.id);
    if let Some(cluster) = world.insert_cluster(Kind::Cluster(project), id, name) {
        world.set_paused(cluster, made.last_seen > DAY);
        equip(world, cluster, made);
    }
}

fn whole_project(world: &mut World, id: ObjectId, made: &Made, population: &Population) {
    let Some(project) = world.insert_group(id, &made.name) else {
        return;
    };
    equip(world, project, made);
    let dice = mix(id.number());
    let names = ["Cluster0", "Cluster1"];
    let dedicated = names.iter().take((dice % 3) as usize);
    let flex = dice.is_multiple_of(4).then_some("Flex0");
    for (at, name) in (1..).zip(dedicated.copied().chain(flex)) {
        let mut made = generate::bare(
            "cluster",
            mix(id.number() ^ at),
            name.to_owned(),
            population.stale,
        );
        if population.tagged() {
            generate::tag(&mut made, "prod");
        }
        if name == "Flex0" {
            let cluster = world.insert_cluster(Kind::Flex(project), ObjectId::of(made.id), name);
            if let Some(cluster) = cluster {
                equip(world, cluster, &made);
            }
        } else {
            cluster(world, Some(project), name, &made);
        }
    }
}

/// Gives the made tags; one without a value has `true`.
fn equip(world: &mut World, index: Index, made: &Made) {
    let pairs = made.manual.iter();
    let pairs = pairs.map(|(key, value)| (&**key, Some(value.as_deref().unwrap_or("true"))));
    world.equip(index, pairs);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::super::super::spec::Spec;
    use super::super::super::populate::found;
    use super::*;

    fn world(options: &str, dir: &Path) -> World {
        let spec = Spec::from_url(&format!("simulator:?{options}"), dir).unwrap();
        let population = spec
            .population
            .clone()
            .unwrap()
            .of_kinds("project", str::to_owned);
        let mut world = World::new(0);
        populate(&mut world, found(&spec, &population).unwrap(), &population);
        world.settle();
        world
    }

    fn clusters(world: &World, project: Index) -> Vec<(&str, bool)> {
        let clusters = world.clusters(project).iter();
        clusters
            .map(|cluster| (world.name(*cluster), world.paused(*cluster)))
            .collect()
    }

    #[test]
    fn made_projects_have_clusters_of_either_sort() {
        let world = world("entities=300&seed=7", Path::new(""));
        assert_eq!(world.listed().len(), 300);
        let count = |name: &str| {
            let has = |project: &&Index| world.cluster(**project, name).is_some();
            world.listed().iter().filter(has).count()
        };
        let [first, second, flex] = ["Cluster0", "Cluster1", "Flex0"].map(count);
        assert!((150..250).contains(&first) && (70..130).contains(&second) && (50..100).contains(&flex));
        assert!(second < first, "a second cluster comes after a first");
    }

    #[test]
    fn the_stale_share_of_clusters_is_paused() {
        for (stale, paused) in [("0", false), ("1", true)] {
            let world = world(&format!("entities=20&kind=cluster&stale={stale}"), Path::new(""));
            let all = world
                .listed()
                .iter()
                .flat_map(|project| clusters(&world, *project));
            assert!(all.map(|(_, paused)| paused).all(|is| is == paused), "{stale}");
        }
    }

    #[test]
    fn made_clusters_stand_in_projects_of_ten() {
        let world = world("entities=25&kind=cluster", Path::new(""));
        let counts = world
            .listed()
            .iter()
            .map(|project| (world.name(*project), world.clusters(*project).len()));
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [("project-0001", 10), ("project-0002", 10), ("project-0003", 5)]
        );
    }

    #[test]
    fn an_inventory_names_clusters_in_their_projects() {
        let dir = tempfile::tempdir().unwrap();
        let id = "5c8100bcf2a30b12ff88258f";
        let rows =
            format!("id,name\n{id},shop\n{id}/Cluster7,x\n{id}/not a name,\n5c8100bcf2a30b12ff882590/c,\n");
        std::fs::write(dir.path().join("rows.csv"), rows).unwrap();
        let world = world("inventory=rows.csv&id=id&name=name", dir.path());
        let shop = world.named("shop")[0];
        assert!(world.cluster(shop, "Cluster7").is_some());
        assert!(world.cluster(shop, "not a name").is_none());
        assert_eq!(
            clusters(&world, world.named("project-5c8100bcf2a30b12ff882590")[0]),
            [("c", false)]
        );
    }
}
