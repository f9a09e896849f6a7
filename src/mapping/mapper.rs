//! The whole mapping: compiled once, run over every record.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::{MappingError, Place};
use super::many::ManyRule;
use super::options::{Entity, Options};
use super::row::{Index, Row};
use super::tag::TagRule;
use super::template::Template;
use super::wishes::Wishes;
use crate::model::{Class, EntityKey, Failure, Record, Wish};

/// A compiled mapping. It remembers what it rendered, so mapping needs it mutable; the results never depend on that.
#[derive(Debug, Clone)]
pub struct Mapper {
    entity: EntityRule,
    tags: Vec<TagRule>,
    tags_from: Vec<ManyRule>,
    index: Option<Arc<Index>>,
}

/// What a row asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The entity, never empty.
    pub entity: EntityKey,
    /// The wishes, sorted, each once, free of contradictions.
    pub wishes: Vec<Wish>,
    /// Cells that were empty and asked for nothing.
    pub empty: u32,
}

impl Mapper {
    /// Compiles a mapping, or says everything that is wrong with it, in the order of the job file.
    pub fn compile(options: &Options) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let entity = EntityRule::compile(&options.entity)
            .map_err(|error| errors.push(error))
            .ok();
        let tags = options.tags.iter().enumerate();
        let tags: Vec<_> = tags
            .filter_map(|(index, tag)| TagRule::compile(tag, index, &mut errors))
            .collect();
        let tags_from = options.tags_from.iter().enumerate();
        let tags_from: Vec<_> = tags_from
            .filter_map(|(index, many)| ManyRule::compile(many, index, &mut errors))
            .collect();
        match entity {
            Some(entity) if errors.is_empty() => Ok(Self {
                entity,
                tags,
                tags_from,
                index: None,
            }),
            _ => Err(errors),
        }
    }

    /// Maps a record. `Err` says why the row is rejected, and at which key of the job.
    pub fn map(&mut self, record: &Record) -> Result<Mapped, Failure> {
        let row = Row::new(record, Index::of(record, &mut self.index));
        let entity = self.entity.map(&row).map_err(|why| rejected(&why))?;
        let mut wishes = Wishes::for_rules(self.tags.len());
        for tag in &mut self.tags {
            tag.apply(&row, &mut wishes).map_err(|why| rejected(&why))?;
        }
        for many in &self.tags_from {
            many.apply(&row, &mut wishes).map_err(|why| rejected(&why))?;
        }
        let (wishes, empty) = wishes.finish()?;
        Ok(Mapped {
            entity,
            wishes,
            empty,
        })
    }

    /// The fields that the mapping is known to name, so that they can be compared with a file's header. Fields that
    /// templates reach through `row` in a larger expression are not among them.
    pub fn fields_used(&self) -> BTreeSet<&str> {
        let mut fields: BTreeSet<_> = self.entity.template.fields().into_iter().collect();
        fields.extend(self.tags.iter().flat_map(TagRule::fields));
        fields.extend(self.tags_from.iter().flat_map(ManyRule::fields));
        fields
    }
}

/// How a row names its entity.
#[derive(Debug, Clone)]
struct EntityRule {
    place: Place,
    template: Template,
    key: fn(String) -> EntityKey,
}

impl EntityRule {
    fn compile(entity: &Entity) -> Result<Self, MappingError> {
        let (source, key, of): (_, _, fn(String) -> EntityKey) = match entity {
            Entity::Id(source) => (source, "entity", EntityKey::Id),
            Entity::Name(source) => (source, "entity_name", EntityKey::Name),
        };
        let place = Place {
            table: "target",
            index: None,
            key,
        };
        let template = Template::compile(source, place)?;
        if template.constant() == Some("") {
            let message = "it is empty; name the column that holds the entity, such as \"{{ entity_id }}\"";
            return Err(MappingError::refused(place, message));
        }
        Ok(Self {
            place,
            template,
            key: of,
        })
    }

    fn map(&mut self, row: &Row<'_>) -> Result<EntityKey, String> {
        let place = self.place;
        let entity = self
            .template
            .render(row)
            .map_err(|why| format!("`{place}`: {why}"))?;
        if entity.is_empty() {
            return Err(format!(
                "`{place}`: the row names no entity: the template renders empty"
            ));
        }
        Ok((self.key)(entity.into_owned()))
    }
}

fn rejected(why: &str) -> Failure {
    Failure::new(Class::Mapping, why)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Fields, Header, Origin};

    fn record(fields: Fields) -> Record {
        Record {
            origin: Origin {
                file: "hosts.csv".into(),
                line: 2,
            },
            fields,
        }
    }

    /// A row of a table.
    pub(in crate::mapping) fn table(names: &[&str], cells: &[&str]) -> Record {
        record(Fields::Table {
            header: Arc::new(Header {
                names: names.iter().map(|name| (*name).to_owned()).collect(),
            }),
            row: csv::StringRecord::from(cells.to_vec()),
        })
    }

    /// A JSON object.
    pub(in crate::mapping) fn object(json: &str) -> Record {
        record(Fields::Object(serde_json::from_str(json).unwrap()))
    }
}
