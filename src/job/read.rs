//! Reads a document into the structs of a job file, past everything that can't be read.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::file::JobFile;
use super::schema::{COMMON, SCHEMA};
use super::shape::{self, Entry, Finding};

/// The job file as far as it can be read, and what else is wrong with its values.
///
/// What can't be used is left out, and what is missing, as `shape` has told, is filled with something harmless, so that
/// the rest can still be checked. A job is only ever used when nothing of that was needed.
pub(super) fn read(root: &Spanned<DeTable<'_>>, shape: &[Finding]) -> (Option<JobFile>, Vec<Finding>) {
    let mut root = root.clone();
    let mut findings = Vec::new();
    for path in shape.iter().filter_map(|finding| finding.entry.wrong()) {
        remove(root.get_mut(), path);
    }
    let of_vendors = take_options(root.get_mut());
    // Each turn takes an entry out, or fills what is missing with what can be read, so this ends.
    loop {
        let error = match JobFile::deserialize(Deserializer::from(root.clone())) {
            Ok(mut file) => {
                for (name, options) in of_vendors {
                    if let Some(connection) = file.connections.get_mut(&name) {
                        connection.options = options;
                    }
                }
                return (Some(file), findings);
            }
            Err(error) => error,
        };
        if error.message().starts_with("missing field") {
            if fill_missing(&mut root) {
                continue;
            }
            return (None, findings);
        }
        let innermost = error.span().and_then(|span| deepest(root.get_ref(), &span));
        let message = error.message().trim_end().to_owned();
        let Some((path, span)) = innermost.filter(|(path, _)| remove(root.get_mut(), path)) else {
            let entry = Entry::Read;
            findings.push(Finding {
                span: 0..0,
                message,
                entry,
            });
            return (None, findings);
        };
        let entry = Entry::Wrong(path);
        findings.push(Finding { span, message, entry });
    }
}

/// Takes out of every connection what only its vendor knows.
fn take_options(root: &mut DeTable<'_>) -> Vec<(String, toml::Table)> {
    let connections = table_at(root, &["connections".to_owned()]);
    let named = connections.into_iter().flat_map(|table| table.iter_mut());
    let mut taken = Vec::new();
    for (name, connection) in named {
        let DeValue::Table(table) = connection.get_mut() else {
            continue;
        };
        let own: Vec<String> = table
            .keys()
            .map(|key| key.get_ref().to_string())
            .filter(|key| !COMMON.contains(key))
            .collect();
        let mut options = DeTable::new();
        for key in own {
            if let Some((key, value)) = table.remove_entry(key.as_str()) {
                options.insert(key, value);
            }
        }
        // Whatever TOML can say fits into a table.
        let options = toml::Table::deserialize(Deserializer::from(Spanned::new(0..0, options)));
        taken.push((name.get_ref().to_string(), options.unwrap_or_default()));
    }
    taken
}

/// Puts something harmless wherever a required entry is missing; false when none is.
fn fill_missing(root: &mut Spanned<DeTable<'_>>) -> bool {
    let missing = shape::findings(root, &SCHEMA);
    let missing = missing.iter().filter_map(|finding| match &finding.entry {
        Entry::Missing(path) => path.split_last(),
        Entry::Wrong(_) | Entry::Read => None,
    });
    missing.fold(false, |filled, (key, table)| {
        let table = table_at(root.get_mut(), table);
        let fresh = table.map(|table| table.insert(Spanned::new(0..0, key.clone().into()), filler(key)));
        filled || fresh.is_some()
    })
}

fn filler(key: &str) -> Spanned<DeValue<'static>> {
    let value = match key {
        "source" | "target" => DeValue::Table(DeTable::new()),
        "vendor" => DeValue::String("dynatrace".into()),
        "url" => DeValue::String("simulator:state.db".into()),
        _ => DeValue::String("missing".into()),
    };
    Spanned::new(0..0, value)
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
fn remove(root: &mut DeTable<'_>, path: &[String]) -> bool {
    let Some((last, parent)) = path.split_last() else {
        return false;
    };
    match table_at(root, parent) {
        Some(table) => table.remove(last.as_str()).is_some(),
        None => remove(root, parent),
    }
}

/// The table at a path; `None` when something else stands there.
fn table_at<'r, 't>(root: &'r mut DeTable<'t>, path: &[String]) -> Option<&'r mut DeTable<'t>> {
    let mut table = root;
    let mut steps = path.iter();
    while let Some(step) = steps.next() {
        let mut value = table.get_mut(step.as_str())?.get_mut();
        while let DeValue::Array(items) = value {
            let place: usize = steps.next()?.parse().ok()?;
            value = items.get_mut(place)?.get_mut();
        }
        table = match value {
            DeValue::Table(inner) => inner,
            _ => return None,
        };
    }
    Some(table)
}
