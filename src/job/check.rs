//! What a job file can get wrong though every key and type is right.

use std::ops::Range;

use super::connection;
use super::document::{Document, Path, inside_string};
use super::file::{Bound, JobFile};
use super::lookup;
use super::options::Collision;
use super::shape::{Entry, Finding};
use crate::mapping::{self, Entity, Mapper, MappingError};

/// The longest name: it becomes part of file names.
const LONGEST_NAME: usize = 64;

/// Collects what is wrong, with its place in the document.
#[derive(Debug)]
pub(super) struct Check<'d> {
    document: &'d Document<'d>,
    /// Entries that were left out because they can't be used, and have been told.
    left_out: Vec<Vec<String>>,
    findings: Vec<Finding>,
}

impl<'d> Check<'d> {
    /// A check of a document of which some entries are known to be wrong.
    pub(super) fn new(document: &'d Document<'d>, known: &[Finding]) -> Self {
        Self {
            document,
            left_out: known
                .iter()
                .filter_map(|finding| finding.entry.wrong().map(<[_]>::to_vec))
                .collect(),
            findings: Vec::new(),
        }
    }

    /// Blames the value at a path.
    pub(super) fn value(&mut self, path: Path<'_>, message: impl Into<String>) {
        self.blame(self.document.value_span(path), message);
    }

    /// Blames the key at a path, for what is wrong with a table as a whole.
    pub(super) fn key(&mut self, path: Path<'_>, message: impl Into<String>) {
        self.blame(self.document.key_span(path), message);
    }

    /// Whether something is written at a path, usable or not.
    pub(super) fn has(&self, path: Path<'_>) -> bool {
        self.document.has(path)
    }

    /// Whether what is written at a path can be used.
    pub(super) fn is_usable(&self, path: Path<'_>) -> bool {
        self.has(path) && !self.left_out_of(path)
    }

    /// How much is wrong so far.
    pub(super) fn count(&self) -> usize {
        self.findings.len()
    }

    /// Everything that is wrong.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    fn blame(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.findings.push(Finding {
            span,
            message: message.into(),
            entry: Entry::Read,
        });
    }

    /// Everything but the connections and the mapping.
    pub(super) fn job(&mut self, file: &JobFile) {
        if self.has(&["name"]) {
            self.name(&["name"], &file.name);
        }
        for (name, table) in &file.lookup {
            lookup::check(name, table, self);
        }
        self.asks(file);
        if self.has(&["target"]) {
            self.target(file);
        }
        if file.document.is_some() && self.has(&["losses"]) {
            self.key(
                &["losses"],
                "[losses] is about tags, and definitions are taken as they are or not at all; leave it out",
            );
        }
        if let Some(Bound::Number(_)) = file.guard.breaker {
            self.value(
                &["guard", "breaker"],
                "`breaker` is a share of the calls, such as \"50%\"",
            );
        }
    }

    /// Tags or a definition must be asked for, and not both.
    fn asks(&mut self, file: &JobFile) {
        let is_told = ["tag", "tags_from", "document"]
            .iter()
            .any(|table| self.left_out_of(&[table]));
        let tags = !file.tag.is_empty() || !file.tags_from.is_empty();
        match (tags, &file.document) {
            (false, None) if !is_told => self.blame(
                0..0,
                "the job asks for no tags; add a [[tag]], a [[tags_from]], or, for definitions, a [document]",
            ),
            (true, Some(_)) => self.key(
                &["document"],
                "[document] puts whole definitions and goes with no [[tag]] or [[tags_from]]; keep one of the two",
            ),
            _ => {}
        }
    }

    /// A name that becomes part of file names and command lines.
    pub(super) fn name(&mut self, path: Path<'_>, name: &str) {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let message = if name.is_empty() {
            "the name is empty".to_owned()
        } else if name.len() > LONGEST_NAME {
            format!(
                "the name has {} characters, and at most {LONGEST_NAME} are allowed",
                name.len()
            )
        } else if let Some(bad) = name.chars().find(|c| !legal(*c)) {
            format!("the name holds {bad:?}; use letters, digits, `-`, `_` and `.`")
        } else if name.starts_with('.') {
            "the name begins with `.`; begin it with a letter or a digit".to_owned()
        } else {
            return;
        };
        self.key_or_value(path, message);
    }

    /// The name of a job is a value, that of a connection is a key.
    fn key_or_value(&mut self, path: Path<'_>, message: String) {
        if path.len() == 1 {
            self.value(path, message);
        } else {
            self.key(path, message);
        }
    }

    fn target(&mut self, file: &JobFile) {
        if !["entity", "match", "entity_name"]
            .iter()
            .any(|way| self.has(&["target", way]))
        {
            self.value(
                &["target"],
                "no entity; give `entity` (the vendor's identifier), `match` or `entity_name`, such as `entity = \"{{ entity_id }}\"`",
            );
        }
        self.decisions(file);
        if file.target.kind.trim().is_empty() {
            self.value(
                &["target", "kind"],
                "`kind` is empty; give the vendor's word, such as `HOST`",
            );
        }
        let is_known = !self.left_out_of(&["target", "collision"]);
        if is_known && file.target.separator.is_some() && file.target.collision != Collision::Join {
            self.key(
                &["target", "separator"],
                "`separator` goes with `collision = \"join\"` only",
            );
        }
        self.dwell(file);
        let connection = &file.target.connection;
        let is_told = !self.has(&["target", "connection"]) || self.left_out_of(&["target", "connection"]);
        if !is_told && !self.has(&["connections", connection]) {
            let message = connection::undefined(connection, file.connections.keys());
            self.value(&["target", "connection"], message);
        }
    }

    /// The file is written as well as read, so it is a file.
    fn decisions(&mut self, file: &JobFile) {
        let path = ["target", "decisions"];
        match file.target.decisions.as_deref() {
            Some("") => self.value(&path, "`decisions` is empty; give the path of a file"),
            Some("-") => self.value(
                &path,
                "decisions can't be read from standard input; give the path of a file",
            ),
            Some(pattern) if pattern.contains(['*', '?', '[']) => self.value(
                &path,
                "`decisions` is one file, since `tagferry review` writes it; give a path without `*`, `?` and `[`",
            ),
            _ => {}
        }
    }

    /// A dwell needs something that is replaced, and to know by what.
    fn dwell(&mut self, file: &JobFile) {
        if !self.has(&["target", "dwell"]) || self.left_out_of(&["tag"]) {
            return;
        }
        let replacing = || {
            file.tag
                .iter()
                .zip(0_usize..)
                .filter(|(tag, _)| tag.replaces.is_some())
        };
        if replacing().next().is_none() {
            self.key(
                &["target", "dwell"],
                "`dwell` goes with a tag that `replaces` another; leave it out",
            );
        }
        for (_, index) in replacing().filter(|(tag, _)| !mapping::is_plain(&tag.key)) {
            self.value(
                &["tag", &index.to_string(), "key"],
                "with `dwell`, the key of a tag that `replaces` another must be plain text, so that it is known when it came",
            );
        }
    }

    /// Compiles the mapping; `None` when something is wrong with it.
    pub(super) fn mapping(&mut self, file: &JobFile) -> Option<(mapping::Options, Mapper)> {
        let entity = Entity {
            id: file.target.entity.clone(),
            matching: file.target.matching.clone(),
            name: file.target.entity_name.clone(),
        };
        let is_named = entity != Entity::default();
        let options = mapping::Options {
            // The other rules are checked even where the entity is wrong.
            entity,
            tags: file.tag.clone(),
            tags_from: file.tags_from.clone(),
            document: file.document.clone(),
            lookups: lookup::options(&file.lookup),
        };
        match Mapper::compile(&options) {
            Ok(mapper) => is_named.then_some((options, mapper)),
            Err(errors) => {
                for error in &errors {
                    self.mapping_error(error);
                }
                None
            }
        }
    }

    fn mapping_error(&mut self, error: &MappingError) {
        let place = error.place();
        let index = place.index.map(|index| index.to_string());
        let table = [Some(place.table), index.as_deref()].into_iter().flatten();
        // A key of a table within the table is told with a dot.
        let path: Vec<_> = table.chain(place.key.split('.')).collect();
        // What a rule lacks may be what was left out of it; its templates stand on their own.
        let is_whole = error.range().is_some() || !self.left_out_of(&path[..path.len() - 1]);
        if !is_whole {
            return;
        }
        let span = self.document.value_span(&path);
        let written = &self.document.text[span.clone()];
        let span = match error.range() {
            Some(range) if written.starts_with(['"', '\'']) => {
                let inside = inside_string(written, &range);
                span.start + inside.start..span.start + inside.end
            }
            _ => span,
        };
        self.blame(span, format!("`{place}`: {}", error.message()));
    }
    /// Whether an entry, or something in it, was left out.
    fn left_out_of(&self, path: Path<'_>) -> bool {
        let begins =
            |entry: &Vec<String>| entry.len() >= path.len() && entry.iter().zip(path).all(|(a, b)| a == b);
        self.left_out.iter().any(begins)
    }
}
