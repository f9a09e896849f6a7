//! Hosts that a simulator generates, an inventory of them, and what they must carry in the end, all worked out here a
//! second time.

use std::fmt::Write;

use super::simulator::Simulator;
use super::workspace::Workspace;

/// A tag: key and value.
pub(super) type Tag = (String, Option<String>);

/// The identifier of the generated host `index` (from 0): the output of `SplitMix64` from `seed` at that place.
fn host(seed: u64, index: u64) -> String {
    let state = seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    format!("HOST-{:016X}", state ^ (state >> 31))
}

/// The identifiers of all hosts of `simulate dynatrace --entities N --seed SEED`.
pub(crate) fn hosts(entities: u64, seed: u64) -> Vec<String> {
    (0..entities).map(|index| host(seed, index)).collect()
}

/// An inventory of generated hosts. Its keys are `env` and `owner`, which some of the hosts carry already, right or wrong,
/// and, when it is wide, `asset`, of which no two hosts have the same value, so that every host needs a call of its own.
#[derive(Debug, Clone)]
pub(crate) struct Fleet {
    /// The hosts, in the order of the inventory.
    pub(crate) ids: Vec<String>,
    pub(crate) keys: Vec<&'static str>,
    seed: u64,
}

impl Fleet {
    pub(crate) fn new(entities: u64, seed: u64) -> Self {
        Self {
            ids: hosts(entities, seed),
            keys: vec!["env", "owner"],
            seed,
        }
    }

    /// The same with `asset`.
    pub(crate) fn wide(entities: u64, seed: u64) -> Self {
        let mut fleet = Self::new(entities, seed);
        fleet.keys.push("asset");
        fleet
    }

    /// The options of `simulate` that make these hosts.
    pub(crate) fn options(&self) -> [String; 4] {
        let numbers = [self.ids.len().to_string(), self.seed.to_string()];
        let [entities, seed] = numbers;
        ["--entities".to_owned(), entities, "--seed".to_owned(), seed]
    }

    /// Serves these hosts.
    pub(crate) fn serve(&self, workspace: &Workspace, options: &[&str]) -> Simulator {
        let own = self.options();
        let all: Vec<&str> = own
            .iter()
            .map(String::as_str)
            .chain(options.iter().copied())
            .collect();
        Simulator::serve(workspace, &all)
    }

    /// Writes `hosts.csv`, and a `job.toml` that sets every key at a URL.
    pub(crate) fn write(&self, workspace: &Workspace, url: &str, network: &str) {
        let mut text = format!("entity_id,{}\n", self.keys.join(","));
        for (index, id) in self.ids.iter().enumerate() {
            let values: Vec<String> = self.keys.iter().map(|key| value(key, index)).collect();
            writeln!(text, "{id},{}", values.join(",")).expect("a string takes text");
        }
        workspace.write("hosts.csv", &text);
        workspace.write_job("fleet", &self.keys, url, network);
    }

    /// What the hosts must carry in the end: each key with the inventory's value alone, and everything else as it was.
    pub(crate) fn wanted(&self, simulator: &Simulator) -> Vec<Vec<Tag>> {
        let first = simulator.first_tags(&self.ids);
        let wanted = |(index, tags): (usize, Vec<Tag>)| {
            let foreign = tags
                .into_iter()
                .filter(|(key, _)| !self.keys.contains(&key.as_str()));
            let ours = self
                .keys
                .iter()
                .map(|key| ((*key).to_owned(), Some(value(key, index))));
            let mut all: Vec<Tag> = foreign.chain(ours).collect();
            all.sort_unstable();
            all
        };
        first.into_iter().enumerate().map(wanted).collect()
    }

    /// Panics unless the hosts carry what they must, and nothing else was ever touched.
    pub(crate) fn check(&self, simulator: &Simulator) {
        let (now, wanted) = (simulator.tags(&self.ids), self.wanted(simulator));
        for ((id, now), wanted) in self.ids.iter().zip(now).zip(wanted) {
            assert_eq!(now, wanted, "{id}");
        }
        for change in simulator
            .journal()
            .into_iter()
            .flat_map(|request| request.changes)
        {
            let named = self.ids.contains(&change.entity) && self.keys.contains(&change.key.as_str());
            assert!(named, "a change that nobody asked for: {change:?}");
        }
    }
}

fn value(key: &str, index: usize) -> String {
    match key {
        "env" => ["prod", "stage", "dev"][index % 3].to_owned(),
        "owner" => ["payments", "search", "platform", "identity"][index % 4].to_owned(),
        _ => format!("{key}-{index:05}"),
    }
}
