//! The `when` of a rule: an expression that holds or does not.

use super::engine;
use super::error::{MappingError, Place};
use super::row::{Cell, Row};
use super::template::{Engine, Field, blame};

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
    /// Compiles an expression of the job, and refuses one that is false whatever the row.
    pub(super) fn compile(source: &str, place: Place) -> Result<Self, MappingError> {
        if source.trim().is_empty() {
            return Err(MappingError::refused(
                place,
                "the expression is empty; leave `when` out",
            ));
        }
        if let Some(field) = Field::of_expression(source) {
            return Ok(Self::Filled(field));
        }
        // Compiled alone first, so that no text can close the wrapping and its places are its own.
        engine::environment()
            .compile_expression(source)
            .map_err(|error| blame(&error, source, 0, place))?;
        let engine = Engine::compile(&format!("{OPENING}{source}{CLOSING}"))
            .map_err(|error| blame(&error, source, OPENING.len(), place))?;
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
