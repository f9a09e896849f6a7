//! The service instances and tags that are there before the first request.

use super::super::generate::{self, bare};
use super::super::inventory::{self, Row};
use super::super::journal::Op;
use super::super::opening::OpenError;
use super::super::population::{Made, Population};
use super::super::spec::Spec;
use super::tag_book::TagId;
use super::tag_rules::Class;
use super::world::{Fact, World};

/// The account's metering tags, which nobody can assign here.
pub(super) const METERING: [(&str, &str); 3] = [
    ("costcenter", "1001"),
    ("costcenter", "1002"),
    ("costcenter", "1003"),
];
/// The account's other tags, which can be assigned and not deleted.
pub(super) const ACCOUNT: [(&str, &str); 2] = [("department", "finance"), ("department", "research")];
/// Tags of the system, one for each of some instances.
const SYSTEM: [(&str, &str); 2] = [("ora_haMode", "active"), ("ora_haMode", "standby")];
/// A tag that no instance carries.
const UNUSED: (&str, &str) = ("environment", "sandbox");
/// What instances are part of; some of them of two.
const APPLICATIONS: [&str; 4] = ["billing", "crm", "payroll", "shop"];

/// Fills a world as the population says.
pub(super) fn populate(world: &mut World, spec: &Spec, population: &Population) -> Result<(), OpenError> {
    if population.tagged() {
        for (class, pairs) in [
            (Class::Metering, &METERING[..]),
            (Class::Account, &ACCOUNT),
            (Class::Instance, &[UNUSED]),
        ] {
            for (key, value) in pairs {
                world.found(key, value, class);
            }
        }
    }
    let Some(file) = &population.inventory else {
        generate::entities(population).for_each(|made| take(world, &made, population));
        return Ok(());
    };
    for row in inventory::rows_of(&spec.resolve(file), population)? {
        if let Some(made) = of_row(row, population) {
            take(world, &made, population);
        }
    }
    Ok(())
}

/// The instance of a row: its identifier is `TYPE/NAME`, a name alone is one of the first type. Anything else names none.
fn of_row(row: Row, population: &Population) -> Option<Made> {
    let (kind, name) = match (&row.id, row.name) {
        (Some(id), _) => {
            let (kind, name) = id.split_once('/')?;
            (kind, name.to_owned())
        }
        (None, Some(name)) => (&*population.kinds[0], name),
        (None, None) => return None,
    };
    if kind.is_empty() || name.is_empty() {
        return None;
    }
    let number = inventory::id_of_name(kind, &name, 0);
    let mut made = bare(kind, number, name, 0.0);
    if population.tagged() {
        generate::tag(&mut made, "prod");
    }
    Some(made)
}

fn take(world: &mut World, made: &Made, population: &Population) {
    let Some(index) = world.insert(&made.kind, &made.name) else {
        return;
    };
    if !population.tagged() {
        return;
    }
    let manual = made.manual.iter();
    let manual = manual.map(|(key, value)| (&**key, value.as_deref().unwrap_or_default(), Class::Instance));
    let tags: Vec<TagId> = manual
        .chain(more(made.id))
        .map(|(key, value, class)| world.found(key, value, class))
        .collect();
    for tag in tags {
        world.change(Fact::Assigned(index, tag), Op::Add, 0);
    }
}

/// What the generator has no tags for: two values of one key on a quarter of the instances, and on an eighth each a tag of
/// the system, a metering tag and another tag of the account. All follows from the number of the instance alone.
fn more(number: u64) -> Vec<(&'static str, &'static str, Class)> {
    // The low bits choose whether, the next ones which.
    let pick = |n: usize| usize::try_from(number >> 3).unwrap_or_default() % n;
    let of = |pairs: &[(&'static str, &'static str)], class| {
        let (key, value) = pairs[pick(pairs.len())];
        vec![(key, value, class)]
    };
    match number & 7 {
        0 | 1 => {
            let (first, second) = (pick(4), (pick(4) + 1) % 4);
            let tag = |at: usize| ("application", APPLICATIONS[at], Class::Instance);
            vec![tag(first), tag(second)]
        }
        2 => of(&SYSTEM, Class::System),
        3 => of(&METERING, Class::Metering),
        4 => of(&ACCOUNT, Class::Account),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::api::Api as _;
    use super::super::api::Domain;
    use super::super::testing::facts;
    use super::*;

    fn domain(dir: &std::path::Path, options: &str) -> Domain {
        let spec = Spec::from_url(&format!("simulator:?{options}"), dir).unwrap();
        Domain::open(&spec, &spec.population.clone().unwrap_or_default()).unwrap()
    }

    #[test]
    fn generated_instances_are_of_their_types_in_turn_and_spelled_as_given() {
        let dir = std::path::Path::new("");
        let one = domain(dir, "entities=100&seed=7");
        assert_eq!(one.world.len(), 100);
        assert!(one.world.service("JaaS", "web-prod-0001").is_some());
        let two = domain(dir, "entities=100&seed=7&kind=DBaaS,soa");
        let n_of = |kind: &str| {
            let names = (1..100).flat_map(|n| ["web-prod", "db-dev"].map(|role| format!("{role}-{n:04}")));
            names
                .filter(|name| two.world.service(kind, name).is_some())
                .count()
        };
        assert!(n_of("DBaaS") > 0 && n_of("soa") > 0);
        assert_eq!((n_of("JaaS"), n_of("SOA")), (0, 0));
    }

    #[test]
    fn tagged_instances_carry_some_tags_of_each_class_within_the_rules() {
        let world = domain(std::path::Path::new(""), "entities=1000").world;
        let mut carried = [0; 4];
        for id in world.tags().all() {
            let tag = world.tag(id);
            assert_eq!(super::super::tag_rules::complaint(&tag.key, &tag.value), None);
            let at = match tag.class {
                Class::Instance => 0,
                Class::Account => 1,
                Class::Metering => 2,
                Class::System => 3,
            };
            carried[at] += tag.services.len();
        }
        assert!(carried.iter().all(|n| (60..3_000).contains(n)), "{carried:?}");
        let applications = world.tags().of_key("application");
        let several = world.tag(applications[0]).services.iter().filter(|index| {
            applications[1..]
                .iter()
                .any(|other| world.carries(**index, *other))
        });
        assert!(several.count() > 20, "a key has several values on an instance");
    }

    #[test]
    fn without_tags_there_is_none_in_the_account_either() {
        let world = domain(std::path::Path::new(""), "entities=50&tags=none").world;
        assert_eq!((world.len(), facts(&world).len()), (50, 0));
    }

    #[test]
    fn an_inventory_names_instances_by_type_and_name_or_by_name_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("services.csv"),
            "id,name\nDBaaS/db.1,\nJaaS/a/b,x\n,web\n,Web\n,web\n/a,\nb/,\nplain,\n",
        )
        .unwrap();
        let world = domain(dir.path(), "inventory=services.csv&id=id&name=name&kind=SOA,JaaS").world;
        for (kind, name) in [("DBaaS", "db.1"), ("JaaS", "a/b"), ("SOA", "web"), ("SOA", "Web")] {
            assert!(world.service(kind, name).is_some(), "{kind}/{name}");
        }
        assert_eq!((world.len(), facts(&world).len()), (4, 0));
        let tagged = domain(dir.path(), "inventory=services.csv&name=name&tags=some").world;
        let carried = facts(&tagged)
            .into_iter()
            .filter(|fact| fact.starts_with("JaaS/"));
        assert!(carried.count() > 0, "tags come only when asked for");
    }
}
