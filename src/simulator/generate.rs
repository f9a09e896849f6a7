//! Entities out of nothing: fleets of plausible hosts that follow from a seed alone.

use super::population::{Made, Population};

/// What a fleet's machines do. The list's length and that of [`STAGES`] share no factor with the mixing below.
const ROLES: [&str; 10] = [
    "web", "app", "api", "db", "cache", "queue", "batch", "proxy", "worker", "search",
];
/// Where they do it; production has most of them.
const STAGES: [&str; 8] = ["prod", "prod", "prod", "stage", "stage", "test", "dev", "dev"];
const OWNERS: [&str; 6] = [
    "payments",
    "identity",
    "checkout",
    "logistics",
    "platform",
    "search",
];
const REGIONS: [&str; 4] = ["eu-west-1", "eu-central-1", "us-east-1", "ap-south-1"];

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// The golden-ratio step of `SplitMix64`.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finalizer of `SplitMix64`, a bijection on 64 bits.
pub(super) fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

/// The identifier of the generated entity `index` (from 0): `mix(seed + (index + 1) * STEP)`, the output of `SplitMix64`
/// at that position. Different indices never collide.
fn id(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add((index + 1).wrapping_mul(STEP)))
}

/// All entities of a population.
pub(super) fn entities(population: &Population) -> impl Iterator<Item = Made> {
    let mut numbers = [[0_u32; 4]; ROLES.len()];
    (0..population.entities).map(move |index| {
        let id = id(population.seed, u64::from(index));
        let dice = Dice(mix(id));
        let (role, stage) = (dice.roll(0, ROLES.len()), STAGES[dice.roll(8, STAGES.len())]);
        let number = &mut numbers[role][stage_number(stage)];
        *number += 1;
        let kind = &population.kinds[index as usize % population.kinds.len()];
        let mut made = bare(
            kind,
            id,
            name(kind, ROLES[role], stage, *number),
            population.stale,
        );
        if population.tagged() {
            tag(&mut made, stage);
        }
        made
    })
}

fn stage_number(stage: &str) -> usize {
    match stage {
        "prod" => 0,
        "stage" => 1,
        "test" => 2,
        _ => 3,
    }
}

fn name(kind: &str, role: &str, stage: &str, number: u32) -> String {
    match kind {
        "HOST" => format!("{role}-{stage}-{number:04}.example.com"),
        _ => format!("{role}-{stage}-{number:04}"),
    }
}

/// An entity without tags, whose times follow from its identifier: first seen one to thirty months ago, last seen a minute to
/// six hours ago, or, for the stale share, between 25 hours and 300 days ago.
pub(super) fn bare(kind: &str, id: u64, name: String, stale: f64) -> Made {
    let dice = Dice(mix(id ^ STEP));
    let last_seen = match (dice.chance(0, stale), dice.chance(16, 0.5)) {
        (false, _) => dice.between(24, 60, 6 * HOUR),
        (true, true) => dice.between(24, 25 * HOUR, 70 * HOUR),
        (true, false) => dice.between(24, 10 * DAY, 300 * DAY),
    };
    Made {
        kind: kind.to_owned(),
        id,
        name,
        first_seen: seconds(last_seen + dice.between(8, 30 * DAY, 900 * DAY)),
        last_seen: seconds(last_seen),
        manual: Vec::new(),
        given: Vec::new(),
    }
}

fn seconds(length: u64) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Gives an entity what a grown environment carries: manual tags, some of them out of date, tags of rules, imported tags,
/// and the same pair by hand on some entities and by a rule on others.
pub(super) fn tag(made: &mut Made, stage: &'static str) {
    let dice = Dice(mix(made.id.rotate_left(17)));
    let mut manual = |key: &str, value: Option<&str>| {
        made.manual.push((key.to_owned(), value.map(str::to_owned)));
    };
    if dice.chance(0, 0.6) {
        let outdated = dice.chance(8, 0.2);
        manual("env", Some(if outdated { "legacy" } else { stage }));
    }
    if dice.chance(16, 0.4) {
        manual("owner", Some(OWNERS[dice.roll(24, OWNERS.len())]));
    }
    if dice.chance(32, 0.1) {
        manual("patch-window", None);
    }
    if dice.chance(40, 0.05) {
        manual("tier", Some("gold"));
    } else if dice.chance(48, 0.05) {
        made.given.push(("CONTEXTLESS", "tier", "gold"));
    }
    if dice.chance(56, 0.05) {
        made.given
            .push(("AWS", "Region", REGIONS[dice.roll(4, REGIONS.len())]));
    }
}

/// Random numbers that are parts of one number: independent enough, and the same for ever.
struct Dice(u64);

impl Dice {
    /// A number below `n`.
    fn roll(&self, shift: u32, n: usize) -> usize {
        let bits = mix(self.0.rotate_right(shift).wrapping_add(u64::from(shift)));
        usize::try_from(bits % (n as u64)).unwrap_or_default()
    }

    fn between(&self, shift: u32, low: u64, high: u64) -> u64 {
        low + mix(self.0.rotate_right(shift).wrapping_add(u64::from(shift))) % (high - low)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a millionth is exact enough for a share"
    )]
    fn chance(&self, shift: u32, share: f64) -> bool {
        (self.between(shift, 0, 1_000_000) as f64) < share * 1e6
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn population(entities: u32, stale: f64) -> Population {
        Population {
            entities,
            seed: 7,
            stale,
            ..Population::default().of_kinds("HOST", str::to_owned)
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_entities() {
        let first: Vec<_> = entities(&population(500, 0.1)).collect();
        assert_eq!(first, entities(&population(500, 0.1)).collect::<Vec<_>>());
        let other = Population {
            seed: 8,
            ..population(500, 0.1)
        };
        assert_ne!(first, entities(&other).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_identifiers_are_those_of_splitmix64() {
        // The generator's published first outputs for the seed 1234567.
        let got = [id(1_234_567, 0), id(1_234_567, 1), id(1_234_567, 2)];
        assert_eq!(
            got,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn names_and_identifiers_are_unique() {
        let made: Vec<_> = entities(&population(20_000, 0.0)).collect();
        let names: HashSet<_> = made.iter().map(|made| &made.name).collect();
        let ids: HashSet<_> = made.iter().map(|made| made.id).collect();
        assert_eq!((names.len(), ids.len()), (20_000, 20_000));
        assert!(names.contains(&"web-prod-0001.example.com".to_owned()));
    }

    #[test]
    fn the_stale_share_was_not_seen_for_a_day_and_the_others_were_seen_today() {
        let day = 24 * 3_600;
        for (stale, low, high) in [(0.0, 0, 0), (0.25, 4_500, 5_500), (1.0, 20_000, 20_000)] {
            let n_stale = entities(&population(20_000, stale))
                .filter(|made| made.last_seen > day)
                .count();
            assert!((low..=high).contains(&n_stale), "{stale}: {n_stale}");
        }
    }

    #[test]
    fn some_entities_carry_each_sort_of_tag() {
        let made: Vec<_> = entities(&population(2_000, 0.0)).collect();
        let manual = |key: &str, value: Option<&str>| {
            let tag = (key.to_owned(), value.map(str::to_owned));
            made.iter().filter(|made| made.manual.contains(&tag)).count()
        };
        let given = |context: &str| {
            made.iter()
                .filter(|made| made.given.iter().any(|tag| tag.0 == context))
                .count()
        };
        let counts = [
            manual("env", Some("prod")),
            manual("env", Some("legacy")),
            manual("tier", Some("gold")),
            manual("patch-window", None),
            given("CONTEXTLESS"),
            given("AWS"),
        ];
        assert!(counts.iter().all(|n| (20..1_200).contains(n)), "{counts:?}");
    }
}
