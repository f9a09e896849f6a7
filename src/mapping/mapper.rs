//! The whole mapping: compiled once, run over every record.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::document::DocumentRule;
use super::entity::{EntityRules, LiveKey};
use super::error::MappingError;
use super::lookup::{Crosswalk, CrosswalkBuilder, Lookups};
use super::many::ManyRule;
use super::options::Options;
use super::row::{Index, Row};
use super::tag::TagRule;
use super::wishes::Wishes;
use crate::model::{Class, EntityKey, Failure, Record, Tag, Ways, Wish};

/// A compiled mapping. It remembers what it rendered, so mapping needs it mutable; the results never depend on that.
#[derive(Debug, Clone)]
pub struct Mapper {
    entity: EntityRules,
    tags: Vec<TagRule>,
    tags_from: Vec<ManyRule>,
    document: Option<DocumentRule>,
    lookups: Arc<Lookups>,
    index: Option<Arc<Index>>,
}

/// What a row asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// What the row tells of its entity.
    pub entity: EntityKey,
    /// The wishes, sorted, each once, free of contradictions.
    pub wishes: Vec<Wish>,
    /// Cells that were empty and asked for nothing.
    pub empty: u32,
    /// Tags that take the place of other keys, each with such a key.
    pub replaces: Vec<(Tag, String)>,
}

impl Mapper {
    /// Compiles a mapping, or says everything that is wrong with it, in the order of the job file.
    pub fn compile(options: &Options) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let lookups = Lookups::new(&options.lookups);
        let entity = EntityRules::compile(&options.entity, &lookups)
            .map_err(|wrong| errors.extend(wrong))
            .ok();
        let tags = options.tags.iter().enumerate();
        let tags: Vec<_> = tags
            .filter_map(|(index, tag)| TagRule::compile(tag, index, &lookups, &mut errors))
            .collect();
        let tags_from = options.tags_from.iter().enumerate();
        let tags_from: Vec<_> = tags_from
            .filter_map(|(index, many)| ManyRule::compile(many, index, &lookups, &mut errors))
            .collect();
        let document = options.document.as_ref();
        let document = document.and_then(|document| DocumentRule::compile(document, &lookups, &mut errors));
        match entity {
            Some(entity) if errors.is_empty() => Ok(Self {
                entity,
                tags,
                tags_from,
                document,
                lookups: Arc::new(lookups),
                index: None,
            }),
            _ => Err(errors),
        }
    }

    /// A builder of the rows that a lookup of a file has; `None` where the job has no such lookup, or its rows are there.
    pub fn crosswalk(&self, name: &str) -> Option<CrosswalkBuilder> {
        self.lookups.builder(name)
    }

    /// Lets templates look up the rows of a file.
    pub fn join(&mut self, crosswalk: Crosswalk) {
        Arc::make_mut(&mut self.lookups).join(crosswalk);
    }

    /// Maps a record. `Err` says why the row is rejected, and at which key of the job.
    pub fn map(&mut self, record: &Record) -> Result<Mapped, Failure> {
        let index = Index::of(record, &mut self.index);
        let row = Row::with_lookups(record, index, Arc::clone(&self.lookups));
        let entity = self.entity.map(&row).map_err(|why| rejected(&why))?;
        let mut wishes = Wishes::for_rules(self.tags.len());
        for tag in &mut self.tags {
            tag.apply(&row, &mut wishes).map_err(|why| rejected(&why))?;
        }
        for many in &mut self.tags_from {
            many.apply(&row, &mut wishes).map_err(|why| rejected(&why))?;
        }
        if let Some(document) = &mut self.document {
            document.apply(&row, &mut wishes).map_err(|why| rejected(&why))?;
        }
        let replaces = wishes.replacements();
        let (wishes, empty) = wishes.finish()?;
        Ok(Mapped {
            entity,
            wishes,
            empty,
            replaces,
        })
    }

    /// The ways by which rows tell of their entities.
    pub fn ways(&self) -> Ways {
        self.entity.ways()
    }

    /// What gives live entities the keys of the declared rule, where the job has one; asked for once lookups are joined.
    pub fn live_key(&self) -> Option<LiveKey> {
        self.entity.live_key(&self.lookups)
    }

    /// The fields that the mapping is known to name, so that they can be compared with a file's header. Fields that
    /// templates reach through `row` in a larger expression are not among them.
    pub fn fields_used(&self) -> BTreeSet<&str> {
        let mut fields: BTreeSet<_> = self.entity.fields().collect();
        fields.extend(self.tags.iter().flat_map(TagRule::fields));
        fields.extend(self.tags_from.iter().flat_map(ManyRule::fields));
        fields.extend(self.document.iter().flat_map(DocumentRule::fields));
        fields
    }
}

fn rejected(why: &str) -> Failure {
    Failure::new(Class::Mapping, why)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mapping::Entity;
    use crate::model::{Fields, Header, Origin};

    /// The row of line 2 of `hosts.csv`.
    pub(in crate::mapping) fn record(fields: Fields) -> Record {
        Record {
            origin: Origin {
                file: "hosts.csv".into(),
                line: 2,
                id: None,
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

    /// A mapping as a job would say it.
    pub(in crate::mapping) fn options(toml: &str) -> Options {
        #[derive(serde::Deserialize)]
        struct Rules {
            entity: Option<String>,
            #[serde(default)]
            tag: Vec<crate::mapping::TagOptions>,
            #[serde(default)]
            tags_from: Vec<crate::mapping::TagsFrom>,
            document: Option<crate::mapping::DocumentOptions>,
            #[serde(default)]
            lookups: std::collections::BTreeMap<String, crate::mapping::LookupOptions>,
        }
        let Rules {
            entity,
            tag,
            tags_from,
            document,
            lookups,
        } = toml::from_str(toml).unwrap();
        Options {
            entity: Entity::by_id(entity.unwrap_or_else(|| "{{ id }}".to_owned())),
            tags: tag,
            tags_from,
            document,
            lookups,
        }
    }

    /// What a row asks for, as `rule key:value` each, then the number of empty cells if there are any.
    pub(in crate::mapping) fn asked(toml: &str, record: &Record) -> Result<Vec<String>, String> {
        let mut mapper = Mapper::compile(&options(toml)).map_err(|errors| errors[0].to_string())?;
        let Mapped { wishes, empty, .. } = mapper.map(record).map_err(|failure| failure.message)?;
        let mut asked: Vec<_> = wishes
            .iter()
            .map(|wish| format!("{} {}", wish.rule, wish.tag))
            .collect();
        if empty > 0 {
            asked.push(format!("{empty} empty"));
        }
        Ok(asked)
    }

    #[test]
    fn a_row_becomes_an_entity_and_sorted_wishes() {
        let mut mapper = Mapper::compile(&options(
            r#"
            entity = " {{ id | upper }} "
            tag = [
                { key = "team", value = "{{ team }}", action = "add" },
                { key = "env", value = "{{ env | lower }}" },
                { key = "env", value = "prod", when = "env == 'Prod'" },
                { key = "{{ team }}" },
                { key = "old", action = "remove" },
                { key = "note", value = "{{ note }}" },
            ]"#,
        ))
        .unwrap();
        let record = table(&["id", "env", "team", "note"], &[" host-1", "Prod", " sre ", " "]);
        let Mapped {
            entity,
            wishes,
            empty,
            replaces,
        } = mapper.map(&record).unwrap();
        assert_eq!(entity, EntityKey::Id("HOST-1".into()));
        let wishes: Vec<_> = wishes
            .iter()
            .map(|wish| format!("{} {}", wish.rule, wish.tag))
            .collect();
        assert_eq!(wishes, ["set env:prod", "set sre", "add team:sre", "remove old"]);
        assert_eq!((empty, replaces), (1, Vec::new()));
        assert_eq!(
            mapper.fields_used().into_iter().collect::<Vec<_>>(),
            ["env", "id", "note", "team"]
        );
    }

    #[test]
    fn a_row_without_an_entity_is_rejected_and_says_where() {
        let names = ["id", "a"];
        for (entity, message) in [
            (
                "{{ id }}",
                "`target.entity`: the row names no entity: the template renders empty",
            ),
            (
                "{{ ip }}",
                "`target.entity`: no field `ip` in this row; it has: id, a (did you mean `id`?)",
            ),
        ] {
            let toml = format!("entity = '{entity}'\ntag = [{{ key = 'a' }}]");
            let failure = asked(&toml, &table(&names, &[" ", "x"]));
            assert_eq!(failure, Err(message.to_owned()));
        }
    }

    #[test]
    fn a_failing_rule_is_named() {
        let record = table(&["id", "a"], &["1", ""]);
        for (rule, message) in [
            (
                "{ key = '{{ a }}', value = 'x', empty = 'reject' }",
                "`tag[1].key`: the key is empty",
            ),
            (
                "{ key = 'k', value = '{{ a }}', empty = 'reject' }",
                "`tag[1].value`: the value of `k` is empty",
            ),
            (
                "{ key = 'k', value = '{{ b }}' }",
                "`tag[1].value`: no field `b` in this row; it has: id, a",
            ),
            (
                "{ key = 'k', when = 'b' }",
                "`tag[1].when`: no field `b` in this row; it has: id, a",
            ),
        ] {
            assert_eq!(
                asked(&format!("tag = [{rule}]"), &record),
                Err(message.to_owned()),
                "{rule}"
            );
        }
    }

    #[test]
    fn an_empty_value_of_a_removal_removes_nothing_unless_told() {
        let record = table(&["id", "a"], &["1", ""]);
        for (empty, want) in [("skip", "1 empty"), ("remove", "remove k")] {
            let rule = format!(
                "tag = [{{ key = 'k', value = '{{{{ a }}}}', action = 'remove', empty = '{empty}' }}]"
            );
            assert_eq!(asked(&rule, &record), Ok(vec![want.to_owned()]), "{empty}");
        }
    }

    #[test]
    fn rules_that_contradict_each_other_reject_the_row_as_a_collision() {
        let mut mapper = Mapper::compile(&options(
            "tag = [{ key = 'env', value = 'a' }, { key = 'env', value = '{{ env }}' }]",
        ))
        .unwrap();
        let failure = mapper.map(&table(&["id", "env"], &["1", "b"])).unwrap_err();
        assert_eq!(failure.class, Class::Collision);
        assert!(mapper.map(&table(&["id", "env"], &["1", "a"])).is_ok());
    }

    #[test]
    fn every_mistake_of_a_mapping_is_told_at_once() {
        let errors = Mapper::compile(&options(
            r#"
            entity = ""
            tag = [
                { key = "", value = "{{ a" , when = "b ==" },
                { key = "k", value = "" },
                { key = "k", action = "remove", empty = "bare" },
            ]
            tags_from = [
                { },
                { column = "a", columns = "*" },
                { column = "a", pair = "=", separator = "=", key = "k" },
                { columns = ["a"], except = ["a"], separator = ";", rename = { b = " " } },
                { column = "a", only = [] },
            ]"#,
        ))
        .unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.place().to_string()).collect();
        assert_eq!(
            places,
            [
                "target.entity",
                "tag[1].value",
                "tag[1].when",
                "tag[2].value",
                "tag[3].empty",
                "tags_from[1].column",
                "tags_from[2].column",
                "tags_from[3].key",
                "tags_from[3].pair",
                "tags_from[4].rename",
                "tags_from[4].separator",
                "tags_from[4].columns",
                "tags_from[5].only",
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_cell_makes_it_panic_and_the_result_is_always_the_same(
            id in "\\PC{0,9}", a in "[a-c=; ]{0,12}|\\PC*", b in ".*",
        ) {
            let mut mapper = Mapper::compile(&options(
                r#"
                tag = [{ key = "{{ a }}", value = "{{ b | slug }}-{{ a | upper }}", when = "a != b" }]
                tags_from = [
                    { column = "a", separator = ";", pair = "=", action = "add", malformed = "skip" },
                    { columns = "*", prefix = "c.", empty = "bare", action = "add" },
                    { column = "a", separator = ";", pattern = "(?<key>[^=]+)(?:=(?<value>.*))?", malformed = "skip",
                      key_as = "{{ key | lower }}.{{ value }}", value_as = "{{ b | upper }}", prefix = "p.", action = "add" },
                ]"#,
            ))
            .unwrap();
            let record = table(&["id", "a", "b"], &[&id, &a, &b]);
            let first = mapper.map(&record);
            proptest::prop_assert_eq!(&mapper.map(&record), &first);
            proptest::prop_assert_eq!(&mapper.clone().map(&record), &first);
            if let Ok(mapped) = first {
                proptest::prop_assert!(mapped.entity != EntityKey::Id(String::new()));
                proptest::prop_assert!(mapped.wishes.is_sorted());
                proptest::prop_assert!(mapped.wishes.iter().all(|wish| wish.tag.key == wish.tag.key.trim()));
            }
        }
    }
}
