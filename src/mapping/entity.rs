//! How a row names its entity, and how the declared rule names a live one.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::error::{MappingError, Place};
use super::lookup::Lookups;
use super::options::Entity;
use super::row::Row;
use super::template::Template;
use crate::model::{Clues, EntityKey, Fields, Origin, Record, Ways};

const ID: Place = of_target("entity");
const ROW: Place = of_target("match.row");
const LIVE: Place = of_target("match.live");
const NAME: Place = of_target("entity_name");

const fn of_target(key: &'static str) -> Place {
    Place {
        table: "target",
        index: None,
        key,
    }
}

/// The ways of a job, in the order in which they are tried.
#[derive(Debug, Clone)]
pub(super) struct EntityRules {
    id: Option<Way>,
    key: Option<Way>,
    name: Option<Way>,
    /// The other side of the declared rule.
    live: Option<Template>,
}

/// One of them.
#[derive(Debug, Clone)]
struct Way {
    place: Place,
    template: Template,
}

impl EntityRules {
    pub(super) fn compile(entity: &Entity, lookups: &Lookups) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let mut way = |source: Option<&String>, place| {
            let way = source.map(|source| Way::compile(source, place, lookups));
            way.and_then(|way| way.map_err(|error| errors.push(error)).ok())
        };
        let rule = entity.matching.as_ref();
        let id = way(entity.id.as_ref(), ID);
        let key = way(rule.map(|rule| &rule.row), ROW);
        let name = way(entity.name.as_ref(), NAME);
        let live = rule.map(|rule| live_side(&rule.live, lookups));
        let live = live.and_then(|live| live.map_err(|error| errors.push(error)).ok());
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { id, key, name, live })
    }

    /// What a row tells of its entity. `Err` says which template fails, or that none of them renders anything.
    pub(super) fn map(&mut self, row: &Row<'_>) -> Result<EntityKey, String> {
        match (&mut self.id, &mut self.key, &mut self.name) {
            (Some(id), None, None) => id.alone(row).map(EntityKey::Id),
            (None, None, Some(name)) => name.alone(row).map(EntityKey::Name),
            (id, key, name) => {
                let told = |way: &mut Option<Way>| way.as_mut().map_or(Ok(None), |way| way.told(row));
                let clues = Clues {
                    id: told(id)?,
                    key: told(key)?,
                    name: told(name)?,
                };
                if clues == Clues::default() {
                    return Err(self.nothing());
                }
                Ok(EntityKey::Clues(Box::new(clues)))
            }
        }
    }

    /// The ways that the job declares.
    pub(super) fn ways(&self) -> Ways {
        Ways {
            id: self.id.is_some(),
            key: self.key.is_some(),
            name: self.name.is_some(),
        }
    }

    /// The other side of the declared rule, where there is one.
    pub(super) fn live_key(&self, lookups: &Arc<Lookups>) -> Option<LiveKey> {
        Some(LiveKey {
            template: self.live.clone()?,
            lookups: Arc::clone(lookups),
            origin: Origin {
                file: "".into(),
                line: 0,
                id: None,
            },
        })
    }

    /// The fields that the templates over a row are known to name.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let ways = [&self.id, &self.key, &self.name].into_iter().flatten();
        ways.flat_map(|way| way.template.fields())
    }

    fn nothing(&self) -> String {
        let ways = [&self.id, &self.key, &self.name].into_iter().flatten();
        let places: Vec<String> = ways.map(|way| format!("`{}`", way.place)).collect();
        match places.as_slice() {
            [one] => format!("{one}: {EMPTY}"),
            several => format!(
                "{}: the row names no entity: each template renders empty",
                several.join(", ")
            ),
        }
    }
}

const EMPTY: &str = "the row names no entity: the template renders empty";

impl Way {
    fn compile(source: &str, place: Place, lookups: &Lookups) -> Result<Self, MappingError> {
        let template = Template::compile(source, place, lookups)?;
        if template.constant() == Some("") {
            let message = "it is empty; name the column that holds the entity, such as \"{{ entity_id }}\"";
            return Err(MappingError::refused(place, message));
        }
        Ok(Self { place, template })
    }

    /// The text of the only way, which must not be empty.
    fn alone(&mut self, row: &Row<'_>) -> Result<String, String> {
        let place = self.place;
        self.told(row)?.ok_or_else(|| format!("`{place}`: {EMPTY}"))
    }

    fn told(&mut self, row: &Row<'_>) -> Result<Option<String>, String> {
        let place = self.place;
        let text = self.template.render(row);
        let text = text.map_err(|why| format!("`{place}`: {why}"))?;
        Ok((!text.is_empty()).then(|| text.into_owned()))
    }
}

fn live_side(source: &str, lookups: &Lookups) -> Result<Template, MappingError> {
    let template = Template::compile(source, LIVE, lookups)?;
    if template.constant().is_some() {
        let message = "it is the same for every live entity; name what tells them apart, such as \"{{ tagged['asset-id'] }}\"";
        return Err(MappingError::refused(LIVE, message));
    }
    Ok(template)
}

/// The live side of the declared rule: a template over the record of a live entity.
#[derive(Debug, Clone)]
pub struct LiveKey {
    template: Template,
    lookups: Arc<Lookups>,
    /// A record has one, and templates never see it.
    origin: Origin,
}

impl LiveKey {
    /// The key of an entity by its record; `None` where the template renders empty. `Err` says why it fails.
    pub fn of(&mut self, record: Map<String, Json>) -> Result<Option<String>, String> {
        let record = Record {
            origin: self.origin.clone(),
            fields: Fields::Object(record),
        };
        let row = Row::with_lookups(&record, None, Arc::clone(&self.lookups));
        let text = self.template.render(&row);
        let text = text.map_err(|why| format!("`{LIVE}`: {why}"))?;
        let key = text.trim();
        Ok((!key.is_empty()).then(|| key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::MatchOptions;
    use crate::mapping::mapper::tests::table;

    fn entity(id: &str, row: &str, name: &str) -> Entity {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Entity {
            id: given(id),
            matching: given(row).map(|row| MatchOptions {
                row,
                live: "{{ name | lower | split('.') | first }}".to_owned(),
            }),
            name: given(name),
        }
    }

    fn told(entity: &Entity, cells: [&str; 3]) -> Result<EntityKey, String> {
        let mut rules = EntityRules::compile(entity, &Lookups::default()).unwrap();
        let record = table(&["id", "asset", "host"], &cells);
        let mut at_hand = None;
        let index = super::super::row::Index::of(&record, &mut at_hand);
        rules.map(&Row::new(&record, index))
    }

    #[test]
    fn a_row_tells_what_its_templates_render_and_one_way_alone_is_told_plainly() {
        let clues = |id: &str, key: &str, name: &str| {
            let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Ok(EntityKey::Clues(Box::new(Clues {
                id: given(id),
                key: given(key),
                name: given(name),
            })))
        };
        let all = entity("{{ id }}", "{{ asset }}", "{{ host }}");
        let by_id = entity("{{ id }}", "", "");
        let by_key = entity("", "{{ asset }}", "");
        let by_name = entity("", "", "{{ host }}");
        for (entity, cells, want) in [
            (&all, ["1", "a", "h"], clues("1", "a", "h")),
            (&all, [" ", "a", "h "], clues("", "a", "h")),
            (&all, ["", "", "h"], clues("", "", "h")),
            (&by_key, ["1", " a", "h"], clues("", "a", "")),
            (&by_id, ["1", "a", "h"], Ok(EntityKey::Id("1".to_owned()))),
            (&by_name, ["1", "a", "h"], Ok(EntityKey::Name("h".to_owned()))),
            (
                &all,
                ["", " ", ""],
                Err("`target.entity`, `target.match.row`, `target.entity_name`: the row names no entity: each template renders empty".to_owned()),
            ),
            (
                &by_key,
                ["1", "", "h"],
                Err("`target.match.row`: the row names no entity: the template renders empty".to_owned()),
            ),
            (
                &by_name,
                ["1", "a", ""],
                Err("`target.entity_name`: the row names no entity: the template renders empty".to_owned()),
            ),
        ] {
            assert_eq!(told(entity, cells), want, "{cells:?}");
        }
    }

    fn key(template: &str, record: &str) -> Result<Option<String>, String> {
        let entity = Entity {
            matching: Some(MatchOptions {
                row: "{{ asset }}".to_owned(),
                live: template.to_owned(),
            }),
            ..Entity::default()
        };
        let rules = EntityRules::compile(&entity, &Lookups::default()).unwrap();
        let mut live = rules.live_key(&Arc::default()).unwrap();
        live.of(serde_json::from_str(record).unwrap())
    }

    #[test]
    fn a_live_entity_has_the_key_that_its_template_renders() {
        let host = r#"{"id":"HOST-1","name":"Web-1.example.com","kind":"HOST","tags":[{"key":"asset-id","value":" 4711 ","context":"manual"}]}"#;
        let hidden = r#"{"id":"HOST-1","name":"Web-1.example.com","kind":"HOST"}"#;
        for (template, record, want) in [
            ("{{ tagged['asset-id'] }}", host, Ok(Some("4711"))),
            ("{{ tagged.owner }}", host, Ok(None)),
            ("{{ name | lower | split('.') | first }}", host, Ok(Some("web-1"))),
            ("{{ name }}", hidden, Ok(Some("Web-1.example.com"))),
            (
                "{{ nmae }}",
                hidden,
                Err(
                    "`target.match.live`: no field `nmae` in this row; it has: id, name, kind (did you mean `name`?)",
                ),
            ),
        ] {
            let want = want.map(|key| key.map(str::to_owned)).map_err(str::to_owned);
            assert_eq!(key(template, record), want, "{template}");
        }
        let untold = key("{{ tagged['asset-id'] }}", hidden).unwrap_err();
        assert!(untold.contains("no field `tagged` in this row"), "{untold}");
    }

    #[test]
    fn a_live_side_that_is_the_same_for_all_is_refused() {
        for (live, row) in [("web", "{{ asset }}"), ("", "{{ asset }}"), ("{{ name }}", " ")] {
            let entity = Entity {
                matching: Some(MatchOptions {
                    row: row.to_owned(),
                    live: live.to_owned(),
                }),
                ..Entity::default()
            };
            let errors = EntityRules::compile(&entity, &Lookups::default()).unwrap_err();
            assert_eq!(errors.len(), 1, "{live}: {errors:?}");
        }
    }
}
