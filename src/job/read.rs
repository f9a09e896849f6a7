//! Reads a document into the structs of a job file, past everything that can't be read.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::file::JobFile;
use super::shape::Finding;

/// The job file without the entries that can't be used, and what else is wrong with its values. There is none when
/// something that every job needs is missing, which `shape` has told then.
pub(super) fn read(root: &Spanned<DeTable<'_>>, shape: &[Finding]) -> (Option<JobFile>, Vec<Finding>) {
    let mut root = root.clone();
    let mut findings = Vec::new();
    for path in shape.iter().filter_map(|finding| finding.entry.as_deref()) {
        remove(root.get_mut(), path);
    }
    // Each turn removes an entry, so this ends.
    loop {
        let error = match JobFile::deserialize(Deserializer::from(root.clone())) {
            Ok(file) => return (Some(file), findings),
            Err(error) => error,
        };
        let Some((path, span)) = error.span().and_then(|span| deepest(root.get_ref(), &span)) else {
            return (None, findings);
        };
        // What serde says of a missing field, `shape` has said already, and better.
        if !remove(root.get_mut(), &path) || error.message().starts_with("missing field") {
            return (None, findings);
        }
        findings.push(Finding {
            span,
            message: error.message().trim_end().to_owned(),
            entry: Some(path),
        });
    }
}

/// The innermost entry around some bytes: its path and the bytes of its value.
fn deepest(table: &DeTable<'_>, span: &Range<usize>) -> Option<(Vec<String>, Range<usize>)> {
    let (key, value) = table
        .iter()
        .find(|(key, value)| holds(&key.span(), span) || around(value, span))?;
    let mut path = vec![key.get_ref().to_string()];
    let place = within(value, span, &mut path);
    Some((path, place))
}

fn within(value: &Spanned<DeValue<'_>>, span: &Range<usize>, path: &mut Vec<String>) -> Range<usize> {
    match value.get_ref() {
        DeValue::Table(table) => match deepest(table, span) {
            Some((rest, place)) => {
                path.extend(rest);
                place
            }
            None => value.span(),
        },
        DeValue::Array(items) => match items.iter().enumerate().find(|(_, item)| around(item, span)) {
            Some((place, item)) => {
                path.push(place.to_string());
                within(item, span, path)
            }
            None => value.span(),
        },
        _ => value.span(),
    }
}

/// Whether some bytes are inside a value. The span of a table is that of its header alone, so its entries count.
fn around(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    let inside = match value.get_ref() {
        DeValue::Table(table) => table
            .iter()
            .any(|(key, value)| holds(&key.span(), span) || around(value, span)),
        DeValue::Array(items) => items.iter().any(|item| around(item, span)),
        _ => false,
    };
    inside || holds(&value.span(), span)
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Takes an entry out; false when there is none. An element of a list takes the whole list with it, so that the places
/// of its neighbours stay true.
fn remove(table: &mut DeTable<'_>, path: &[String]) -> bool {
    let [first, rest @ ..] = path else {
        return false;
    };
    let Some(value) = table.get_mut(first.as_str()) else {
        return false;
    };
    let removed = match value.get_mut() {
        DeValue::Table(inner) if !rest.is_empty() => return remove(inner, rest),
        DeValue::Array(items) if rest.len() > 1 => rest[0]
            .parse::<usize>()
            .ok()
            .and_then(|place| items.get_mut(place))
            .map(Spanned::get_mut)
            .and_then(|item| match item {
                DeValue::Table(inner) => Some(remove(inner, &rest[1..])),
                _ => None,
            }),
        _ => None,
    };
    removed.unwrap_or_else(|| table.remove(first.as_str()).is_some())
}
