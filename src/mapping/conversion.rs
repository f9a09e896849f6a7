//! `key_as` and `value_as` of a `[[tags_from]]`: what becomes of a tag that was found, as templates over it.

use std::borrow::Cow;

use super::error::{MappingError, Place};
use super::list::Found;
use super::lookup::Lookups;
use super::options::TagsFrom;
use super::row::{Row, TAG};
use super::template::Template;

/// The compiled templates; one that is not there leaves its part as it was found.
#[derive(Debug, Clone)]
pub(super) struct Conversion {
    key: Option<Template>,
    value: Option<Template>,
}

impl Conversion {
    /// Compiles the templates; collects what is wrong with them.
    pub(super) fn compile(
        options: &TagsFrom,
        place: Place,
        lookups: &Lookups,
        errors: &mut Vec<MappingError>,
    ) -> Self {
        let mut compiled = |source: &Option<String>, key: &'static str| {
            let template = Template::compile(source.as_deref()?, place.with_key(key), lookups);
            template.map_err(|error| errors.push(error)).ok()
        };
        let key = compiled(&options.key_as, "key_as");
        let value = compiled(&options.value_as, "value_as");
        if key.as_ref().and_then(Template::constant) == Some("") {
            errors.push(MappingError::never(place.with_key("key_as"), "the key is empty"));
        }
        Self { key, value }
    }

    /// What becomes of a tag. A tag without a value, and one whose `value_as` is an empty text, has none; what else renders
    /// empty is an empty value.
    pub(super) fn of<'t>(&mut self, found: Found<'t>, row: &Row<'_>) -> Result<Found<'t>, String> {
        let (key, value) = found;
        if self.key.is_none() && self.value.is_none() {
            return Ok((key, value));
        }
        let row = row.with_tag(&key, value.as_deref().unwrap_or_default());
        let of = |template: &mut Template, what: &str| {
            let rendered = template.render(&row).map(Cow::into_owned);
            rendered.map_err(|why| format!("`{what}` for `{key}`: {why}"))
        };
        let new_key = self
            .key
            .as_mut()
            .map(|template| of(template, "key_as"))
            .transpose()?;
        let new_value = match &mut self.value {
            None => value.clone(),
            Some(template) if template.constant() == Some("") => None,
            Some(template) => {
                let text = of(template, "value_as")?;
                (value.is_some() || !text.is_empty()).then_some(Cow::Owned(text))
            }
        };
        Ok((new_key.map_or_else(|| key.clone(), Cow::Owned), new_value))
    }

    /// The fields of the row that they are known to name.
    pub(super) fn fields(&self) -> Vec<&str> {
        let templates = self.key.iter().chain(&self.value);
        let fields = templates.flat_map(Template::fields);
        fields.filter(|field| !TAG.contains(field)).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::mapping::mapper::tests::{asked, object, options, table};
    use crate::mapping::{Mapper, MappingError};

    fn live() -> crate::model::Record {
        object(
            r#"{"id": "1", "site": "LNZ", "key": "own", "tags": [
                {"key": "Env", "value": "PRD"}, {"key": "owner", "value": "Ann"}, {"key": "mainApp", "value": null}]}"#,
        )
    }

    #[test]
    fn keys_and_values_become_what_templates_make_of_them() {
        for (rule, want) in [
            (
                "key_as = '{{ key | lower }}'",
                vec!["set env:PRD", "set mainapp", "set owner:Ann"],
            ),
            (
                "value_as = '{{ value | upper }}'",
                vec!["set Env:PRD", "set mainApp", "set owner:ANN"],
            ),
            (
                "value_as = '{{ stages.get(value, value) }}'",
                vec!["set Env:production", "set mainApp", "set owner:Ann"],
            ),
            (
                "key_as = '{{ key }}-{{ value }}', value_as = '', only = ['Env', 'owner']",
                vec!["set Env-PRD", "set owner-Ann"],
            ),
            (
                "key_as = '{{ site }}/{{ key }}', value_as = '{{ tagged.owner }}:{{ row.site }}'",
                vec![
                    "set LNZ/Env:Ann:LNZ",
                    "set LNZ/mainApp:Ann:LNZ",
                    "set LNZ/owner:Ann:LNZ",
                ],
            ),
            (
                "key_as = '{{ row[\"key\"] }}.{{ key }}', value_as = '{{ row.key }}'",
                vec!["set own.Env:own", "set own.mainApp:own", "set own.owner:own"],
            ),
            (
                "key_as = '{{ row[\"key\"] }}', action = 'add'",
                vec!["add own", "add own:Ann", "add own:PRD"],
            ),
            (
                "key_as = 'k', action = 'add'",
                vec!["add k", "add k:Ann", "add k:PRD"],
            ),
            (
                "key_as = '{{ \"\" if key == \"owner\" else key }}'",
                vec!["set Env:PRD", "set mainApp", "1 empty"],
            ),
            (
                "value_as = '{{ \"\" if key == \"owner\" else value }}'",
                vec!["set Env:PRD", "set mainApp", "1 empty"],
            ),
            (
                "value_as = '{{ \"\" if key == \"owner\" else value }}', empty = 'remove'",
                vec!["set Env:PRD", "set mainApp", "remove owner"],
            ),
        ] {
            let rules = format!(
                "tags_from = [{{ column = 'tags', {rule} }}]\nlookups.stages.values = {{ map = {{ PRD = 'production' }}, fold_case = false }}"
            );
            assert_eq!(asked(&rules, &live()).unwrap(), want, "{rule}");
        }
    }

    #[test]
    fn filters_see_the_key_as_it_was_found_and_names_the_key_that_it_became() {
        let record = table(&["id", "t"], &["1", "Env-a;OWNER-b;other-c"]);
        let rule = "tags_from = [{ column = 't', separator = ';', pattern = '(?<key>\\w+)-(?<value>.*)', \
                    only = ['Env', 'OWNER', 'owner'], key_as = '{{ key | lower }}', rename = { owner = 'team' }, \
                    prefix = 'x-' }]";
        assert_eq!(asked(rule, &record).unwrap(), ["set team:b", "set x-env:a"]);
    }

    #[test]
    fn what_a_fold_makes_equal_is_one_wish_and_what_stays_different_contradicts() {
        let record = table(&["id", "t"], &["1", "env=Prod;ENV=PROD"]);
        let rule = |value_as: &str| {
            format!(
                "tags_from = [{{ column = 't', separator = ';', pair = '=', key_as = '{{{{ key | lower }}}}'{value_as} }}]"
            )
        };
        let folded = asked(&rule(", value_as = '{{ value | lower }}'"), &record);
        assert_eq!(folded.unwrap(), ["set env:prod"]);
        let why = asked(&rule(""), &record).unwrap_err();
        assert!(why.contains("the row asks for both"), "{why}");
    }

    #[test]
    fn columns_are_converted_too() {
        let record = table(&["id", "Env", "Owner"], &["1", "PRD", " Ann "]);
        let rule = "tags_from = [{ columns = ['Env', 'Owner'], key_as = '{{ key | lower }}', \
                    value_as = '{{ value | lower }}@{{ id }}' }]";
        assert_eq!(
            asked(rule, &record).unwrap(),
            ["set env:prd@1", "set owner:ann@1"]
        );
    }

    #[test]
    fn a_template_that_fails_names_itself_and_the_tag() {
        for (rule, want) in [
            (
                "key_as = '{{ nope }}'",
                "`tags_from[1].column`: `key_as` for `Env`: no field `nope` in this row; it has: id, site, key, tags",
            ),
            (
                "value_as = '{{ stages[value] }}', only = ['owner']",
                "`tags_from[1].column`: `value_as` for `owner`: lookup `stages` has no value of key `Ann`; add it to `map`, or give another with `stages.get(KEY, OTHER)`",
            ),
        ] {
            let rules = format!(
                "tags_from = [{{ column = 'tags', {rule} }}]\nlookups.stages.values = {{ map = {{ PRD = 'production' }}, fold_case = false }}"
            );
            assert_eq!(asked(&rules, &live()), Err(want.to_owned()), "{rule}");
        }
    }

    #[test]
    fn wrong_templates_are_told_with_their_places() {
        let told = |rule: &str| -> Vec<String> {
            let errors = Mapper::compile(&options(&format!("tags_from = [{{ {rule} }}]"))).unwrap_err();
            errors.iter().map(MappingError::to_string).collect()
        };
        assert_eq!(
            told("column = 'a', key_as = '', value_as = '{{ value | loer }}'"),
            [
                "`tags_from[1].value_as`, line 1, column 12: unknown filter `loer`; did you mean `lower`?",
                "`tags_from[1].key_as`: the rule can never match: the key is empty",
            ]
        );
    }

    #[test]
    fn the_fields_of_the_templates_are_known() {
        let mapper = Mapper::compile(&options(
            "tags_from = [{ column = 'tags', key_as = '{{ key }}-{{ site }}', value_as = '{{ value }}' }]",
        ));
        let fields: Vec<String> = mapper
            .unwrap()
            .fields_used()
            .into_iter()
            .map(str::to_owned)
            .collect();
        assert_eq!(fields, ["id", "site", "tags"]);
    }
}
