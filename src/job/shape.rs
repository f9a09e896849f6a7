//! Compares a job file with the JSON Schema: unknown and missing keys, wrong types, unknown words.
//!
//! serde would stop at the first of them and know the others only after it is mended; this finds all at once. The schema
//! is made from the types that serde reads, so the two can't disagree about what is known.

use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::words::{self, article, did_you_mean, either, expected, is_of, kind, names, quoted, unknown_key};

/// The keys that say where a secret is.
const SECRETS: [&str; 3] = ["token", "password", "client_secret"];

/// A secret that stands in the job file itself would be copied, committed and shown.
const INLINE_SECRET: &str = "a secret can't stand in the job file: revoke it, and say where the new one is: `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ command = [\"PROGRAM\"] }`";

/// Something that is wrong with the shape.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The bytes to blame.
    pub(super) span: Range<usize>,
    /// What is wrong.
    pub(super) message: String,
    /// What has to be done about it for the rest to be read.
    pub(super) entry: Entry,
}

/// The entry of a finding.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It can't be used: it has to be left out.
    Wrong(Vec<String>),
    /// It is missing.
    Missing(Vec<String>),
    /// It is read, but what it says can't be meant.
    Read,
}

impl Entry {
    /// The path of an entry that can't be used.
    pub(super) fn wrong(&self) -> Option<&[String]> {
        match self {
            Self::Wrong(path) => Some(path),
            Self::Missing(_) | Self::Read => None,
        }
    }
}

/// Everything that is wrong with the shape of a document.
pub(super) fn findings(root: &Spanned<DeTable<'_>>, schema: &Json) -> Vec<Finding> {
    let mut shape = Shape {
        root: schema,
        path: Vec::new(),
        findings: Vec::new(),
    };
    shape.table(root.get_ref(), 0..0, schema);
    shape.findings
}

struct Shape<'s> {
    root: &'s Json,
    path: Vec<Step>,
    findings: Vec<Finding>,
}

/// A step of a path: a key, or the number of an element from 0.
enum Step {
    Key(String),
    Element(usize),
}

impl<'s> Shape<'s> {
    fn table(&mut self, table: &DeTable<'_>, span: Range<usize>, schema: &'s Json) {
        let properties = schema["properties"].as_object();
        for (key, value) in table {
            self.path.push(Step::Key(key.get_ref().to_string()));
            let known = properties.and_then(|known| known.get(key.get_ref().as_ref()));
            match known.or_else(|| schema.get("additionalProperties").filter(|any| any.is_object())) {
                Some(schema) => self.value(value, schema),
                None if properties.is_none() => {}
                None => self.blame(key.span(), unknown_key(key.get_ref(), schema)),
            }
            self.path.pop();
        }
        for required in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
        {
            if !table.contains_key(required) {
                self.missing(required, span.clone());
            }
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &'s Json) {
        let alternatives = self.alternatives(schema);
        let kind = kind(value.get_ref());
        let fitting: Vec<_> = alternatives
            .iter()
            .copied()
            .filter(|schema| is_of(kind, schema))
            .collect();
        if fitting.is_empty() {
            self.wrong_type(value, &alternatives);
            return;
        }
        match value.get_ref() {
            DeValue::Table(table) => self.one_of(table, value.span(), &fitting),
            DeValue::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    self.path.push(Step::Element(place));
                    self.value(item, &fitting[0]["items"]);
                    self.path.pop();
                }
            }
            DeValue::String(text) => self.word(text, value.span(), &fitting, &alternatives),
            DeValue::Integer(number) => self.range(number.as_str(), value.span(), fitting[0]),
            DeValue::Float(number) => self.range(number.as_str(), value.span(), fitting[0]),
            DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
    }

    /// The schemas of which a value may follow any, without references and null.
    fn alternatives(&self, schema: &'s Json) -> Vec<&'s Json> {
        let schema = self.resolved(schema);
        let several = schema
            .get("anyOf")
            .or_else(|| schema.get("oneOf"))
            .and_then(Json::as_array);
        match several {
            Some(several) => several
                .iter()
                .flat_map(|schema| self.alternatives(schema))
                .filter(|schema| schema["type"] != "null")
                .collect(),
            None => vec![schema],
        }
    }

    fn resolved(&self, mut schema: &'s Json) -> &'s Json {
        while let Some(target) = schema["$ref"]
            .as_str()
            .and_then(|target| target.strip_prefix('#'))
        {
            schema = self.root.pointer(target).unwrap_or(&Json::Null);
        }
        schema
    }

    /// A table that follows one schema, or one of several that differ in their only key.
    fn one_of(&mut self, table: &DeTable<'_>, span: Range<usize>, schemas: &[&'s Json]) {
        let [schema] = schemas else {
            let keys: Vec<_> = schemas.iter().flat_map(|schema| names(schema)).collect();
            let named = |schema: &&&Json| names(schema).iter().any(|name| table.contains_key(*name));
            return match schemas.iter().filter(named).collect::<Vec<_>>().as_slice() {
                [schema] => self.table(table, span, schema),
                _ => self.blame(span, format!("give exactly one of {}", quoted(&keys))),
            };
        };
        self.table(table, span, schema);
    }

    /// A text where only certain words are known.
    fn word(&mut self, text: &str, span: Range<usize>, texts: &[&'s Json], alternatives: &[&'s Json]) {
        let words: Vec<_> = texts.iter().flat_map(|schema| words::words(schema)).collect();
        let is_open = texts.iter().any(|schema| words::words(schema).is_empty());
        if is_open || words.contains(&text) {
            return;
        }
        let hint = did_you_mean(text, &words);
        let mut others = alternatives.iter().map(|schema| expected(schema));
        let other = others
            .find(|other| *other != "a text")
            .map(|other| format!(", or {other}"))
            .unwrap_or_default();
        self.blame(
            span,
            format!("unknown word `{text}`{hint}; known are {}{other}", quoted(&words)),
        );
    }

    fn range(&mut self, number: &str, span: Range<usize>, schema: &Json) {
        let number: f64 = number.replace('_', "").parse().unwrap_or(0.0);
        let least = schema["minimum"].as_f64().filter(|least| number < *least);
        let most = schema["maximum"].as_f64().filter(|most| number > *most);
        if let Some(least) = least {
            self.blame(
                span,
                format!("`{}` is {number}; the least is {least}", self.name()),
            );
        } else if let Some(most) = most {
            self.blame(span, format!("`{}` is {number}; the most is {most}", self.name()));
        }
    }

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, alternatives: &[&Json]) {
        let kind = kind(value.get_ref());
        if kind == "string" && self.is_secret() {
            return self.blame(value.span(), INLINE_SECRET.to_owned());
        }
        let wanted: Vec<_> = alternatives.iter().map(|schema| expected(schema)).collect();
        let name = self.name();
        let hint = match kind {
            "object" if wanted == ["a list"] => format!("; write it as [[{name}]]"),
            "integer" | "number" | "boolean" if wanted.contains(&"a text") => "; put it in quotes".to_owned(),
            _ => String::new(),
        };
        let message = format!(
            "`{name}` is {}, and must be {}{hint}",
            article(kind),
            either(&wanted)
        );
        self.blame(value.span(), message);
    }

    fn missing(&mut self, key: &str, span: Range<usize>) {
        let place = match self.path.as_slice() {
            [] => "the job".to_owned(),
            _ => format!("`{}`", self.name()),
        };
        let mut path = self.steps();
        path.push(key.to_owned());
        self.findings.push(Finding {
            span,
            message: format!("missing key `{key}` in {place}"),
            entry: Entry::Missing(path),
        });
    }

    fn blame(&mut self, span: Range<usize>, message: String) {
        let entry = Entry::Wrong(self.steps());
        self.findings.push(Finding { span, message, entry });
    }

    fn steps(&self) -> Vec<String> {
        let steps = self.path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Element(place) => place.to_string(),
        });
        steps.collect()
    }

    fn is_secret(&self) -> bool {
        matches!(self.path.last(), Some(Step::Key(key)) if SECRETS.contains(&key.as_str()))
    }

    /// The path as people write it: tables of a list are counted from 1.
    fn name(&self) -> String {
        let mut name = String::new();
        for step in &self.path {
            let step = match step {
                Step::Element(place) => format!("[{}]", place + 1),
                Step::Key(key) if name.is_empty() => key.clone(),
                Step::Key(key) => format!(".{key}"),
            };
            name.push_str(&step);
        }
        name
    }
}
