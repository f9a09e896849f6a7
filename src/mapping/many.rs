//! One `[[tags_from]]`: which of its forms it is, and what goes with that form.

use super::columns::ColumnRule;
use super::emit::Emit;
use super::error::{MappingError, Place};
use super::list::ListRule;
use super::lookup::Lookups;
use super::options::{Columns, Empty, TagsFrom};
use super::pattern::Pattern;
use super::row::Row;
use super::wishes::Wishes;
use crate::model::Rule;

/// A compiled `[[tags_from]]`.
#[derive(Debug, Clone)]
pub(super) struct ManyRule {
    place: Place,
    source: Source,
    emit: Emit,
}

#[derive(Debug, Clone)]
enum Source {
    List(ListRule),
    Columns(ColumnRule),
}

impl ManyRule {
    /// Compiles the `[[tags_from]]` that stands at `index`; collects everything that is wrong with it.
    pub(super) fn compile(
        options: &TagsFrom,
        index: usize,
        lookups: &Lookups,
        errors: &mut Vec<MappingError>,
    ) -> Option<Self> {
        let place = Place {
            table: "tags_from",
            index: Some(index),
            key: "column",
        };
        let before = errors.len();
        let source = source(options, place).map_err(|error| errors.push(error)).ok();
        errors.extend(refusals(options, place));
        let emit = Emit::compile(options, place, lookups, errors);
        let place = place.with_key(if options.columns.is_some() {
            "columns"
        } else {
            "column"
        });
        (errors.len() == before).then_some(Self {
            place,
            source: source?,
            emit,
        })
    }

    /// Asks for what the rule makes of a row. `Err` says why the row can't be mapped.
    pub(super) fn apply(&mut self, row: &Row<'_>, wishes: &mut Wishes) -> Result<(), String> {
        let applied = match &self.source {
            Source::List(list) => list.apply(row, &mut self.emit, wishes),
            Source::Columns(columns) => columns.apply(row, &mut self.emit, wishes),
        };
        applied.map_err(|why| format!("`{}`: {why}", self.place))
    }

    /// The fields that it names; a pointer counts as the field that it begins in.
    pub(super) fn fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = match &self.source {
            Source::List(list) => vec![&list.column],
            Source::Columns(ColumnRule {
                columns: Columns::Named(names),
                ..
            }) => names.iter().map(String::as_str).collect(),
            Source::Columns(_) => Vec::new(),
        };
        fields.extend(self.emit.fields());
        fields
    }
}

fn source(options: &TagsFrom, place: Place) -> Result<Source, MappingError> {
    match (&options.column, &options.columns) {
        (Some(column), None) => list(options, column, place).map(Source::List),
        (None, Some(columns)) => Ok(Source::Columns(ColumnRule {
            columns: columns.clone(),
            malformed: options.malformed,
            missing: options.missing,
        })),
        (None, None) => Err(MappingError::refused(
            place,
            "say where the tags are: `column` for one field, or `columns` for a list of names",
        )),
        (Some(_), Some(_)) => Err(MappingError::refused(
            place,
            "`column` and `columns` do not go together; make two [[tags_from]] of it",
        )),
    }
}

fn list(options: &TagsFrom, column: &str, place: Place) -> Result<ListRule, MappingError> {
    let field = |name: &Option<String>, default: &str| name.clone().unwrap_or_else(|| default.to_owned());
    let pattern = options.pattern.as_deref();
    let pattern = pattern.map(|pattern| Pattern::compile(pattern, place.with_key("pattern")));
    Ok(ListRule {
        column: column.to_owned(),
        separator: options.separator.clone(),
        pair: options.pair.clone(),
        pattern: pattern.transpose()?,
        key: options.key.as_ref().map(|key| key.trim().to_owned()),
        key_field: field(&options.key_field, "key"),
        value_field: field(&options.value_field, "value"),
        malformed: options.malformed,
        missing: options.missing,
    })
}

/// What can only be a mistake.
fn refusals(options: &TagsFrom, place: Place) -> Vec<MappingError> {
    let mut errors = empty_texts(options, place);
    errors.extend(strange_keys(options, place));
    if options.pair.is_some() && options.key.is_some() {
        errors.push(MappingError::refused(
            place.with_key("key"),
            "`key` and `pair` do not go together: with `pair` every item brings its own key",
        ));
    }
    let strange = [("pair", options.pair.is_some()), ("key", options.key.is_some())];
    if let Some((other, _)) = strange
        .into_iter()
        .find(|(_, given)| *given && options.pattern.is_some())
    {
        errors.push(MappingError::refused(
            place.with_key("pattern"),
            format!("`pattern` and `{other}` do not go together: the pattern says what the key is; keep one of the two"),
        ));
    }
    if options.pair.is_some() && options.pair == options.separator {
        errors.push(MappingError::refused(
            place.with_key("pair"),
            "`pair` and `separator` are the same, so no item could have both a key and a value",
        ));
    }
    if options.action == Rule::Remove && options.empty == Empty::Bare {
        errors.push(MappingError::refused(
            place.with_key("empty"),
            "`bare` means nothing with `action = \"remove\"`; use `empty = \"remove\"` to remove every value",
        ));
    }
    errors.extend(never(options, place));
    errors
}

fn empty_texts(options: &TagsFrom, place: Place) -> Vec<MappingError> {
    let mut errors = Vec::new();
    for (key, text) in [
        ("separator", &options.separator),
        ("pair", &options.pair),
        ("key_field", &options.key_field),
        ("value_field", &options.value_field),
    ] {
        if text.as_deref() == Some("") {
            errors.push(MappingError::refused(place.with_key(key), "it is empty"));
        }
    }
    if options.key.as_deref().is_some_and(|key| key.trim().is_empty()) {
        errors.push(MappingError::refused(place.with_key("key"), "it is empty"));
    }
    for (from, to) in &options.rename {
        if to.trim().is_empty() {
            let message = format!("`{from}` gets an empty name; leave it out with `except`");
            errors.push(MappingError::refused(place.with_key("rename"), message));
        }
    }
    errors
}

/// Keys that mean something for one field only, beside `columns`.
fn strange_keys(options: &TagsFrom, place: Place) -> Vec<MappingError> {
    if options.columns.is_none() {
        return Vec::new();
    }
    let given = [
        ("separator", options.separator.is_some()),
        ("pair", options.pair.is_some()),
        ("pattern", options.pattern.is_some()),
        ("key", options.key.is_some()),
        ("key_field", options.key_field.is_some()),
        ("value_field", options.value_field.is_some()),
    ];
    let strange = given.into_iter().filter(|(_, given)| *given);
    strange
        .map(|(key, _)| {
            let message = format!("`{key}` goes with `column`, not with `columns`");
            MappingError::refused(place.with_key(key), message)
        })
        .collect()
}

fn never(options: &TagsFrom, place: Place) -> Option<MappingError> {
    let left_out = |names: &[String]| names.iter().all(|name| options.except.contains(name));
    if let Some(only) = &options.only
        && left_out(only)
    {
        let why = "`only` names no key that `except` does not leave out";
        return Some(MappingError::never(place.with_key("only"), why));
    }
    if let Some(Columns::Named(names)) = &options.columns
        && left_out(names)
    {
        let why = "`columns` names no column that `except` does not leave out";
        return Some(MappingError::never(place.with_key("columns"), why));
    }
    None
}
