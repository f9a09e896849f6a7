//! What groups and clusters are made from: the generator, or the rows of an inventory.

use std::collections::HashMap;

use super::super::generate;
use super::super::inventory::{Row, id_of_name, rows_of};
use super::super::opening::OpenError;
use super::super::population::{Made, Population};
use super::super::spec::Spec;
use super::object_id::ObjectId;

/// One entity, before the world takes it in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: ObjectId,
    /// The cluster's name, when an inventory named it as `GROUP_ID/NAME`; `id` is then the group's.
    pub(super) cluster: Option<String>,
    /// Everything else.
    pub(super) made: Made,
}

/// Everything that the population asks for, in order. Names of one kind are unique unless duplicates are kept.
pub(super) fn found(spec: &Spec, population: &Population) -> Result<Vec<Found>, OpenError> {
    let Some(file) = &population.inventory else {
        let found = |made: Made| Found {
            id: ObjectId::of(made.id),
            cluster: None,
            made,
        };
        return Ok(generate::entities(population).map(found).collect());
    };
    let rows = rows_of(&spec.resolve(file), population)?;
    let mut making = Making {
        population,
        seen: HashMap::new(),
    };
    Ok(rows.into_iter().filter_map(|row| making.take(row)).collect())
}

struct Making<'a> {
    population: &'a Population,
    /// How often a name has occurred; names compare with case.
    seen: HashMap<String, u64>,
}

impl Making<'_> {
    /// A row that names nothing usable makes nothing.
    fn take(&mut self, row: Row) -> Option<Found> {
        let kind = &*self.population.kinds[0];
        let (id, cluster, name) = match (row.id, row.name) {
            (Some(text), name) => {
                let (group, cluster) = match text.split_once('/') {
                    Some((group, cluster)) => (group, Some(cluster.to_owned())),
                    None => (&*text, None),
                };
                let id = ObjectId::parse(group)?;
                let name = name.unwrap_or_else(|| text.clone());
                if cluster.is_none() {
                    self.occurrence(&name)?;
                }
                (id, cluster, name)
            }
            (None, Some(name)) => {
                let number = id_of_name(kind, &name, self.occurrence(&name)?);
                (ObjectId::of(number), None, name)
            }
            (None, None) => return None,
        };
        let mut made = generate::bare(kind, id.number(), name, self.population.stale);
        if self.population.tagged() {
            generate::tag(&mut made, "prod");
        }
        Some(Found { id, cluster, made })
    }

    /// How many rows had the name before; `None` when one of them is enough.
    fn occurrence(&mut self, name: &str) -> Option<u64> {
        let occurrence = self.seen.entry(name.to_owned()).or_default();
        *occurrence += 1;
        (*occurrence == 1 || self.population.keep_duplicates).then_some(*occurrence - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(csv: &str, options: &str) -> Vec<(String, Option<String>, String)> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("rows.csv"), csv).unwrap();
        let url = format!("simulator:?inventory=rows.csv&{options}");
        let spec = Spec::from_url(&url, dir.path()).unwrap();
        let population = spec.population.clone().unwrap().of_kinds("group", str::to_owned);
        let found = found(&spec, &population).unwrap();
        let text = |found: Found| (found.id.to_string(), found.cluster, found.made.name);
        found.into_iter().map(text).collect()
    }

    const ID: &str = "5c8100bcf2a30b12ff88258f";

    #[test]
    fn an_identifier_is_taken_as_it_is_and_a_foreign_one_left_out() {
        let csv = format!("id,name\n{ID},one\n5C8100BCF2A30B12FF88258F,two\nHOST-1,three\n{ID}/Cluster0,\n");
        assert_eq!(
            from(&csv, "id=id&name=name"),
            [
                (ID.to_owned(), None, "one".to_owned()),
                (
                    ID.to_owned(),
                    Some("Cluster0".to_owned()),
                    format!("{ID}/Cluster0")
                ),
            ]
        );
    }

    #[test]
    fn a_name_makes_one_group_unless_duplicates_are_kept() {
        let csv = "name\none\nOne\none\n";
        let names = |options| {
            from(csv, options)
                .into_iter()
                .map(|(_, _, name)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("name=name"), ["one", "One"]);
        assert_eq!(names("name=name&duplicates=keep"), ["one", "One", "one"]);
        let mut ids: Vec<_> = from(csv, "name=name&duplicates=keep")
            .into_iter()
            .map(|(id, ..)| id)
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn the_generator_s_numbers_become_identifiers() {
        let spec = Spec::from_url("simulator:?entities=3&seed=7", std::path::Path::new("")).unwrap();
        let population = spec.population.clone().unwrap().of_kinds("group", str::to_owned);
        for found in found(&spec, &population).unwrap() {
            assert_eq!(found.id, ObjectId::of(found.made.id));
        }
    }
}
