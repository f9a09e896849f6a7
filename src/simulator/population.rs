//! How the entities of a simulator are made; kept in the first line of its journal.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::value::{parse, share, words};

words! {
    /// The tags that entities carry from the beginning.
    TagsMade {
        /// Some manual ones, partly out of date, a few made by rules and a few imported.
        Some = "some",
        /// None at all.
        None = "none",
    }
}

/// How the entities are made: by a generator, or one for each name or identifier of an inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Population {
    /// The kinds of the entities, in turn; empty for what the vendor makes unless told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// How many the generator makes.
    pub entities: u32,
    /// What all of it follows from.
    pub seed: u64,
    /// What the entities carry; by default some tags when generated, and none when made from an inventory.
    pub tags: Option<TagsMade>,
    /// The share of entities that were last seen more than a day ago; for Dynatrace alone.
    pub stale: f64,
    /// The CSV or JSON file to make entities from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<PathBuf>,
    /// The field of the inventory that holds the names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The field of the inventory that holds the identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The key of the list in a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Whether each row with the name of another makes an entity of its own; for Dynatrace alone.
    pub keep_duplicates: bool,
    /// How many auto-tags there are from the beginning, at most 5,000; Dynatrace alone has them.
    #[serde(skip_serializing_if = "is_zero")]
    pub auto_tags: u32,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            entities: 1_000,
            seed: 1,
            tags: None,
            stale: 0.0,
            inventory: None,
            name: None,
            id: None,
            items: None,
            keep_duplicates: false,
            auto_tags: 0,
        }
    }
}

impl Population {
    pub(super) const NAMES: [&'static str; 11] = [
        "entities",
        "seed",
        "kind",
        "tags",
        "stale",
        "inventory",
        "name",
        "id",
        "items",
        "duplicates",
        "auto-tags",
    ];

    /// Sets an option that is named in [`Self::NAMES`].
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "entities" => self.entities = parse(value)?,
            "seed" => self.seed = parse(value)?,
            "kind" => self.kinds = kinds(value)?,
            "tags" => self.tags = Some(parse(value)?),
            "stale" => self.stale = share(value)?,
            "inventory" => self.inventory = Some(PathBuf::from(value)),
            "name" => self.name = Some(value.to_owned()),
            "id" => self.id = Some(value.to_owned()),
            "items" => self.items = Some(value.to_owned()),
            "auto-tags" => self.auto_tags = auto_tags(value)?,
            _ => self.keep_duplicates = keep_duplicates(value)?,
        }
        Ok(())
    }

    /// The same, with kinds as the vendor spells them; `default` when none is named.
    pub(super) fn of_kinds(&self, default: &str, spell: impl Fn(&str) -> String) -> Self {
        let mut kinds: Vec<String> = self.kinds.iter().map(|kind| spell(kind)).collect();
        if kinds.is_empty() {
            kinds.push(default.to_owned());
        }
        Self {
            kinds,
            ..self.clone()
        }
    }

    /// Whether the entities carry tags from the beginning.
    pub(super) fn tagged(&self) -> bool {
        match self.tags {
            Some(tags) => tags == TagsMade::Some,
            None => self.inventory.is_none(),
        }
    }
}

fn kinds(text: &str) -> Result<Vec<String>, String> {
    let kinds: Vec<String> = text.split(',').map(|kind| kind.trim().to_owned()).collect();
    let legal =
        |kind: &String| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if kinds.iter().all(legal) {
        Ok(kinds)
    } else {
        Err("use kinds such as `HOST` or `HOST,SERVICE`".to_owned())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

fn auto_tags(text: &str) -> Result<u32, String> {
    parse(text)
        .ok()
        .filter(|n| *n <= 5_000)
        .ok_or_else(|| "use a number from 0 to 5000".to_owned())
}

fn keep_duplicates(text: &str) -> Result<bool, String> {
    match text {
        "keep" => Ok(true),
        "merge" => Ok(false),
        _ => Err("use `merge` or `keep`".to_owned()),
    }
}

/// An entity as it is made, before the simulator takes it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// Such as `HOST` or `JaaS`.
    pub(super) kind: String,
    /// The 64 bits behind the kind in its identifier.
    pub(super) id: u64,
    /// The display name.
    pub(super) name: String,
    /// Seconds before any request at which it was first seen.
    pub(super) first_seen: u32,
    /// Seconds before any request at which it was last seen.
    pub(super) last_seen: u32,
    /// Tags put there by hand.
    pub(super) manual: Vec<(String, Option<String>)>,
    /// Tags made by rules (`CONTEXTLESS`) or imported: context, key, value.
    pub(super) given: Vec<(&'static str, &'static str, &'static str)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_population_survives_the_journal() {
        let mut population = Population::default();
        for (name, value) in [
            ("kind", "host, service"),
            ("inventory", "hosts.csv"),
            ("name", "fqdn"),
            ("stale", "0.1"),
            ("auto-tags", "12"),
        ] {
            population.set(name, value).unwrap();
        }
        let text = serde_json::to_string(&population).unwrap();
        assert_eq!(serde_json::from_str::<Population>(&text).unwrap(), population);
        assert_eq!(population.kinds, ["host", "service"]);
        assert_eq!(
            population.of_kinds("HOST", str::to_ascii_uppercase).kinds,
            ["HOST", "SERVICE"]
        );
    }

    #[test]
    fn an_inventory_begins_without_tags_and_the_generator_with_some() {
        let mut population = Population::default();
        assert!(population.tagged());
        population.set("inventory", "hosts.csv").unwrap();
        assert!(!population.tagged());
        population.set("tags", "some").unwrap();
        assert!(population.tagged());
    }

    #[test]
    fn a_kind_is_a_word() {
        for (text, legal) in [
            ("HOST", true),
            ("process_group", true),
            ("", false),
            ("HOST,", false),
            ("A-B", false),
        ] {
            assert_eq!(Population::default().set("kind", text).is_ok(), legal, "{text}");
        }
    }
}
