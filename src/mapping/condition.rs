//! The `when` of a rule: an expression that holds or does not.

use super::blame::Blame;
use super::engine;
use super::error::{MappingError, Place};
use super::lookup::Lookups;
use super::rendering::Engine;
use super::row::{Cell, Row};
use super::template::Field;

/// What stands before an expression to make a template of it.
const OPENING: &str = "{% if (";

/// What stands after it.
const CLOSING: &str = ") %}1{% endif %}";

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// A field's name alone: the field is not empty.
    Filled(Field),
    /// Whatever the engine makes of it.
    Engine(Box<Engine>),
}

impl Condition {
    /// Compiles an expression of a job with these lookups, and refuses one that is false whatever the row.
    pub(super) fn compile(source: &str, place: Place, lookups: &Lookups) -> Result<Self, MappingError> {
        if source.trim().is_empty() {
            return Err(MappingError::refused(
                place,
                "the expression is empty; leave `when` out",
            ));
        }
        if let Some(field) = Field::of_expression(source)
            && !lookups.has(field.name())
        {
            return Ok(Self::Filled(field));
        }
        // Compiled alone first, so that no text can close the wrapping and its places are its own.
        engine::environment()
            .compile_expression(source)
            .map_err(|error| Blame::engine(&error, source).at(place, source))?;
        let engine = Engine::compile(&format!("{OPENING}{source}{CLOSING}"), lookups)
            .map_err(|blame| blame.behind(OPENING.len()).at(place, source))?;
        if engine.constant().is_some_and(|text| text.trim().is_empty()) {
            return Err(MappingError::never(place, format!("`{source}` is always false")));
        }
        Ok(Self::Engine(Box::new(engine)))
    }

    /// Whether it holds for a row. `Err` says why that can't be told.
    pub(super) fn holds(&mut self, row: &Row<'_>) -> Result<bool, String> {
        match self {
            Self::Engine(engine) => engine.render(row).map(|text| !text.is_empty()),
            Self::Filled(field) => {
                let cell = row.get(field.name()).ok_or_else(|| row.lacks(field.name()))?;
                Ok(is_filled(cell))
            }
        }
    }

    /// The fields that it is known to name.
    pub(super) fn fields(&self) -> Vec<&str> {
        match self {
            Self::Filled(field) => vec![field.name()],
            Self::Engine(engine) => engine.fields(),
        }
    }
}

/// A text that is not blank, `true`, any number, or a list or map with something in it.
fn is_filled(cell: Cell<'_>) -> bool {
    use serde_json::Value as Json;
    match cell {
        Cell::Text(text) => !text.trim().is_empty(),
        Cell::Json(Json::String(text)) => !text.trim().is_empty(),
        Cell::Json(Json::Null) => false,
        Cell::Json(Json::Bool(yes)) => *yes,
        Cell::Json(Json::Number(_)) => true,
        Cell::Json(Json::Array(items)) => !items.is_empty(),
        Cell::Json(Json::Object(object)) => !object.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mapper::tests::object;

    const PLACE: Place = Place {
        table: "tag",
        index: Some(0),
        key: "when",
    };

    #[test]
    fn a_condition_holds_or_not() {
        let record = object(
            r#"{"owner": "ann", "blank": "  ", "no": null, "off": false, "zero": 0, "n": "12", "list": [], "map": {"a": 1}}"#,
        );
        for (when, want) in [
            ("owner", true),
            (" owner ", true),
            ("blank", false),
            ("no", false),
            ("off", false),
            ("zero", true),
            ("list", false),
            ("map", true),
            ("row[\"owner\"]", true),
            ("not owner", false),
            ("owner == 'ann'", true),
            ("owner == 'ann' and n | int > 11", true),
            ("owner in ['bob', 'eve']", false),
            ("nothing is defined", false),
            ("nothing is not defined", true),
            ("map.a == '1'", true),
            ("'x' if owner else ''", true),
        ] {
            let mut condition = Condition::compile(when, PLACE, &Lookups::default()).unwrap();
            assert_eq!(condition.holds(&Row::new(&record, None)), Ok(want), "{when}");
        }
    }

    #[test]
    fn a_missing_field_is_told_not_taken_for_false() {
        let record = object(r#"{"owner": "ann"}"#);
        for when in ["onwer", "not onwer", "onwer == 'x'"] {
            let mut condition = Condition::compile(when, PLACE, &Lookups::default()).unwrap();
            assert_eq!(
                condition.holds(&Row::new(&record, None)),
                Err("no field `onwer` in this row; it has: owner (did you mean `owner`?)".to_owned()),
                "{when}"
            );
        }
    }

    #[test]
    fn a_mistake_in_an_expression_is_told_with_its_own_place() {
        for (when, want) in [
            ("", "`tag[1].when`: the expression is empty; leave `when` out"),
            (
                "false",
                "`tag[1].when`: the rule can never match: `false` is always false",
            ),
            (
                "1 == 2",
                "`tag[1].when`: the rule can never match: `1 == 2` is always false",
            ),
            (
                "a ==",
                "`tag[1].when`, line 1, column 3: syntax error: unexpected end of input, expected expression",
            ),
            ("a | zzz", "`tag[1].when`, line 1, column 5: unknown filter `zzz`"),
            (
                "a) %}{% if (b",
                "`tag[1].when`, line 1, column 2: syntax error: unexpected input after expression",
            ),
        ] {
            let error = Condition::compile(when, PLACE, &Lookups::default()).unwrap_err();
            assert_eq!(error.to_string(), want, "{when}");
        }
    }
}
