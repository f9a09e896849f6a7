//! One template of a job: plain text, one field, or anything that the engine can do.
//!
//! Most jobs copy columns, so text and plain fields never reach the engine. What the engine renders is remembered by the
//! fields that the template names, because inventories repeat (few teams own many hosts).

use std::borrow::Cow;

use super::engine;
use super::error::{MappingError, Place};
use super::lookup::Lookups;
use super::rendering::Engine;
use super::row::Row;

/// A compiled template.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// The same for every row.
    Text(String),
    /// A field as it stands or in another case.
    Field(Field),
    /// Whatever the engine makes of it.
    Engine(Box<Engine>),
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    name: String,
    case: Case,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    AsIs,
    Trimmed,
    Lower,
    Upper,
}

impl Template {
    /// Compiles a template of a job with these lookups.
    pub(super) fn compile(source: &str, place: Place, lookups: &Lookups) -> Result<Self, MappingError> {
        if is_plain(source) {
            return Ok(Self::Text(source.trim().to_owned()));
        }
        if let Some(field) = plain_field(source)
            && !lookups.has(&field.name)
        {
            return Ok(Self::Field(field));
        }
        let engine = Engine::compile(source, lookups).map_err(|blame| blame.at(place, source))?;
        Ok(Self::Engine(Box::new(engine)))
    }

    /// The text for a row, trimmed but for a single field of a live record. `Err` says why there is none.
    pub(super) fn render<'r>(&'r mut self, row: &Row<'r>) -> Result<Cow<'r, str>, String> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Field(field) => field.text(row),
            Self::Engine(engine) => engine.render(row).map(Cow::Owned),
        }
    }

    /// The text, if it is the same for every row.
    pub(super) fn constant(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Field(_) | Self::Engine(_) => None,
        }
    }

    /// The fields that it is known to name.
    pub(super) fn fields(&self) -> Vec<&str> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Field(field) => vec![&field.name],
            Self::Engine(engine) => engine.fields(),
        }
    }
}

impl Field {
    /// The field that an expression is, when it is no more than that: `owner`, `row["Domain name"]`.
    pub(super) fn of_expression(expression: &str) -> Option<Self> {
        Some(Self {
            name: field_name(expression.trim())?.to_owned(),
            case: Case::AsIs,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn text<'r>(&self, row: &Row<'r>) -> Result<Cow<'r, str>, String> {
        let cell = row.get(&self.name).ok_or_else(|| row.lacks(&self.name))?;
        let text = cell.text().map_err(|what| {
            format!(
                "field `{}` is {what} and no text; use `join`, an index, or [[tags_from]]",
                self.name
            )
        })?;
        let text = row.blanks().of(text);
        Ok(match self.case {
            Case::AsIs => text,
            Case::Trimmed => trimmed(text),
            Case::Lower => text.to_lowercase().into(),
            Case::Upper => text.to_uppercase().into(),
        })
    }
}

/// Trims without copying what is borrowed.
pub(super) fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The one field that a template shows, when it does no more: `{{ owner }}`, `{{ row["Domain name"] | lower }}`.
fn plain_field(source: &str) -> Option<Field> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    if inner.starts_with(['-', '+']) || inner.ends_with(['-', '+']) {
        return None;
    }
    let (name, case) = match inner.rsplit_once('|') {
        None => (inner, Case::AsIs),
        Some((name, filter)) => (name, case_of(filter.trim())?),
    };
    Some(Field {
        name: field_name(name.trim())?.to_owned(),
        case,
    })
}

fn case_of(filter: &str) -> Option<Case> {
    match filter {
        "trim" => Some(Case::Trimmed),
        "lower" => Some(Case::Lower),
        "upper" => Some(Case::Upper),
        _ => None,
    }
}

fn field_name(expression: &str) -> Option<&str> {
    let quoted = expression
        .strip_prefix("row[")
        .and_then(|rest| rest.strip_suffix(']'))
        .map(str::trim);
    if let Some(quoted) = quoted {
        let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let name = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
        return (!name.contains([quote, '\\'])).then_some(name);
    }
    is_variable(expression).then_some(expression)
}

/// Whether a text is the same for every row, as it holds nothing that a template would open.
pub(crate) fn is_plain(source: &str) -> bool {
    !["{{", "{%", "{#"].iter().any(|opening| source.contains(opening))
}

/// Whether a template can use a text as the name of a variable.
pub(crate) fn is_variable(text: &str) -> bool {
    let identifier = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    identifier && !RESERVED.contains(&text)
}

/// Identifiers that mean something else to the engine.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "not",
    "and",
    "or",
    "in",
    "is",
    "if",
    "else",
    "loop",
    "self",
    "range",
    "dict",
    "namespace",
    engine::ROW,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mapper::tests::{object, table};
    use crate::model::Record;

    const PLACE: Place = Place {
        table: "tag",
        index: Some(1),
        key: "value",
    };

    fn render(source: &str, record: &Record) -> Result<String, String> {
        let mut template =
            Template::compile(source, PLACE, &Lookups::default()).map_err(|error| error.to_string())?;
        let mut at_hand = None;
        let row = Row::new(record, super::super::row::Index::of(record, &mut at_hand));
        let first = template.render(&row).map(Cow::into_owned);
        let again = template.render(&row).map(Cow::into_owned);
        assert_eq!(first, again, "what is remembered is what was rendered");
        first
    }

    fn hosts() -> Record {
        table(
            &["owner", "Domain name", "n", "blank", "range"],
            &[" Ann B ", "a.Example", "007", "  ", "r"],
        )
    }

    #[test]
    fn a_row_of_a_table_renders() {
        for (source, want) in [
            ("  plain ", "plain"),
            ("{{ owner }}", "Ann B"),
            ("{{owner|lower}}", "ann b"),
            ("{{ owner | upper }}", "ANN B"),
            ("{{ row[\"Domain name\"] }}", "a.Example"),
            ("{{ row['Domain name'] | lower }}", "a.example"),
            ("{{ row[\"Domain name\"] ~ '!' }}", "a.Example!"),
            ("{{ n }}", "007"),
            ("{{ n | int + 1 }}", "8"),
            ("{{ blank }}", ""),
            ("{% if blank | trim %}x{% else %}y{% endif %}", "y"),
            ("{{ owner | trim | replace(' ', '-') }}", "Ann-B"),
            ("{{ owner | slug }}", "ann-b"),
            ("{{ nothing | default('d') }}", "d"),
            ("{{ range }}", "r"),
            ("{{ range ~ 1 }}", "r1"),
            (
                "{% for name in row %}{{ name }};{% endfor %}",
                "owner;Domain name;n;blank;range;",
            ),
            ("{{ '{{' }}", "{{"),
            ("{# nothing #}", ""),
        ] {
            assert_eq!(render(source, &hosts()).as_deref(), Ok(want), "{source}");
        }
    }

    #[test]
    fn a_json_object_renders() {
        let record = object(
            r#"{"host": {"name": "h", "tags": ["a", "b"]}, "n": 12345678901234567890.10, "yes": true, "no": null, "list": []}"#,
        );
        for (source, want) in [
            ("{{ host.name }}", "h"),
            ("{{ host.name | upper }}", "H"),
            ("{{ host.tags | join(',') }}", "a,b"),
            ("{{ host.tags[1] }}", "b"),
            ("{{ n }}", "12345678901234567890.10"),
            ("n={{ n }}", "n=12345678901234567890.10"),
            ("{{ yes }}", "true"),
            ("is {{ yes }}", "is true"),
            ("{{ no }}", ""),
            ("a{{ no }}b{{ 'c' ~ no }}", "abc"),
            ("{{ host.owner | default('nobody') }}", "nobody"),
        ] {
            assert_eq!(render(source, &record).as_deref(), Ok(want), "{source}");
        }
    }

    #[test]
    fn what_can_not_be_rendered_says_why() {
        let json = object(r#"{"host": {"name": "h"}, "list": ["a"]}"#);
        for (source, record, want) in [
            (
                "{{ onwer }}",
                &hosts(),
                "no field `onwer` in this row; it has: owner, Domain name, n, blank, range (did you mean `owner`?)",
            ),
            (
                "{{ owner }}-{{ domain }}",
                &hosts(),
                "no field `domain` in this row; it has: owner, Domain name, n, blank, range",
            ),
            (
                "{{ a | default('x') }}{{ team | upper }}",
                &hosts(),
                "no field `team` in this row; it has: owner, Domain name, n, blank, range",
            ),
            (
                "{{ host.owner }}",
                &json,
                "`host.owner` is not in this row; where that is meant, add `| default(\"\")`",
            ),
            (
                "{{ list }}",
                &json,
                "field `list` is a list and no text; use `join`, an index, or [[tags_from]]",
            ),
            (
                "x{{ host }}",
                &json,
                "invalid operation: a map is no text; use `join`, an index, or [[tags_from]]",
            ),
            (
                "{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}",
                &json,
                "it takes more than 20000 steps",
            ),
            ("{{ 'x' * 70000 }}", &hosts(), "it writes more than 65536 bytes"),
            (
                "{% include \"template\" %}",
                &hosts(),
                "could not render include: error in \"template\"",
            ),
        ] {
            assert_eq!(render(source, record), Err(want.to_owned()), "{source}");
        }
    }

    #[test]
    fn a_mistake_in_a_template_is_told_with_its_place() {
        for (source, want) in [
            (
                "{{ owner",
                "`tag[2].value`, line 1, column 4: syntax error: unexpected end of input, expected end of variable block",
            ),
            (
                "a\n{{ owner | loer }}",
                "`tag[2].value`, line 2, column 12: unknown filter `loer`; did you mean `lower`?",
            ),
            (
                "é{% if x %}",
                "`tag[2].value`, line 1, column 10: syntax error: unexpected end of input, expected end of block",
            ),
        ] {
            assert_eq!(
                Template::compile(source, PLACE, &Lookups::default())
                    .unwrap_err()
                    .to_string(),
                want,
                "{source}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn plain_fields_render_as_the_engine_would(cell in "\\PC*", filter in "|lower|upper|trim") {
            let filter = if filter.is_empty() { filter } else { format!(" | {filter}") };
            let record = table(&["a"], &[&cell]);
            let fast = render(&format!("{{{{ a{filter} }}}}"), &record);
            let engine = render(&format!("{{{{ a{filter} }}}}{{% if true %}}{{% endif %}}"), &record);
            proptest::prop_assert_eq!(fast, engine);
        }
    }
}
