//! Reading a JSON object field by field, with every violated constraint remembered under its path.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::super::envelope::Refused;

/// How the steps of a path are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `rules[0].type`, as the configuration API.
    Dots,
    /// `rules/0/type`, as the settings API.
    Slashes,
}

/// The violations found so far.
#[derive(Debug)]
pub(super) struct Violations {
    style: Style,
    found: RefCell<Vec<(String, String)>>,
}

impl Violations {
    pub(super) fn new(style: Style) -> Self {
        Self {
            style,
            found: RefCell::default(),
        }
    }

    fn add(&self, path: String, message: impl Into<String>) {
        self.found.borrow_mut().push((path, message.into()));
    }

    /// What was read, unless something was wrong with it.
    pub(super) fn pass<T>(self, read: T) -> Result<T, Refused> {
        let found = self.found.into_inner();
        if found.is_empty() {
            Ok(read)
        } else {
            Err(Refused::bodies(found))
        }
    }
}

/// An object being read. Where something is wrong the reader gets a default and goes on, so that all is told at once.
#[derive(Debug)]
pub(super) struct Form<'b, 'v> {
    violations: &'b Violations,
    path: String,
    fields: &'v Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'b, 'v> Form<'b, 'v> {
    /// The object at a path; `None` when it is something else.
    pub(super) fn of(violations: &'b Violations, path: String, value: &'v Value) -> Option<Self> {
        let Value::Object(fields) = value else {
            violations.add(path, "must be an object");
            return None;
        };
        Some(Self {
            violations,
            path,
            fields,
            known: Vec::new(),
        })
    }

    /// Blames a field.
    pub(super) fn blame(&self, name: &str, message: impl Into<String>) {
        self.violations.add(self.at(name), message);
    }

    fn at(&self, name: &str) -> String {
        let separator = match self.violations.style {
            _ if self.path.is_empty() => "",
            Style::Dots => ".",
            Style::Slashes => "/",
        };
        format!("{}{separator}{name}", self.path)
    }

    fn item(&self, name: &str, n: usize) -> String {
        match self.violations.style {
            Style::Dots => format!("{}[{n}]", self.at(name)),
            Style::Slashes => format!("{}/{n}", self.at(name)),
        }
    }

    /// A field of any type; absent and null are the same.
    pub(super) fn any(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.push(name);
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Blames a field that must be there and is not.
    pub(super) fn required<T>(&self, name: &str, read: Option<T>) -> Option<T> {
        if read.is_none() && self.fields.get(name).is_none_or(Value::is_null) {
            self.blame(name, "must not be null");
        }
        read
    }

    /// A text of so many characters.
    pub(super) fn text(&mut self, name: &'static str, length: RangeInclusive<usize>) -> Option<String> {
        let value = self.any(name)?;
        let Some(text) = value.as_str() else {
            self.blame(name, "must be a string");
            return None;
        };
        if !length.contains(&text.chars().count()) {
            let (min, max) = length.into_inner();
            let message = if max == usize::MAX {
                format!("length must be at least {min}")
            } else {
                format!("length must be between {min} and {max}")
            };
            self.blame(name, message);
        }
        Some(text.to_owned())
    }

    /// A word of a list.
    pub(super) fn word(&mut self, name: &'static str, words: &[&str]) -> Option<String> {
        let value = self.any(name)?;
        let word = value.as_str().filter(|word| words.contains(word));
        if word.is_none() {
            self.blame(name, unlisted(value, words));
        }
        word.map(str::to_owned)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.any(name)?;
        if !value.is_boolean() {
            self.blame(name, "must be true or false");
        }
        value.as_bool()
    }

    /// A whole number of a range.
    pub(super) fn number(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.any(name)?;
        let number = value.as_i64().filter(|number| range.contains(number));
        if number.is_none() {
            let (min, max) = range.into_inner();
            self.blame(name, format!("must be a whole number between {min} and {max}"));
        }
        number
    }

    /// A list of so many items.
    fn items(&mut self, name: &'static str, size: RangeInclusive<usize>) -> Option<&'v [Value]> {
        let value = self.any(name)?;
        let Some(items) = value.as_array() else {
            self.blame(name, "must be an array");
            return None;
        };
        if !size.contains(&items.len()) {
            let (min, max) = size.into_inner();
            self.blame(name, format!("size must be between {min} and {max}"));
        }
        Some(items)
    }

    /// A list of words.
    pub(super) fn words(&mut self, name: &'static str, words: &[&str]) -> Vec<String> {
        let items = self.items(name, 0..=words.len()).unwrap_or_default();
        let mut read = Vec::with_capacity(items.len());
        for (n, item) in items.iter().enumerate() {
            let word = item.as_str().filter(|word| words.contains(word));
            if word.is_none() {
                self.violations.add(self.item(name, n), unlisted(item, words));
            }
            read.extend(word.map(str::to_owned));
        }
        read
    }

    /// A list of objects.
    pub(super) fn forms(
        &mut self,
        name: &'static str,
        size: RangeInclusive<usize>,
    ) -> Option<Vec<Form<'b, 'v>>> {
        let items = self.items(name, size)?;
        let forms = items.iter().enumerate();
        Some(
            forms
                .filter_map(|(n, item)| Form::of(self.violations, self.item(name, n), item))
                .collect(),
        )
    }

    /// An object.
    pub(super) fn form(&mut self, name: &'static str) -> Option<Form<'b, 'v>> {
        let value = self.any(name)?;
        Form::of(self.violations, self.at(name), value)
    }

    /// Blames every field that nobody asked for.
    pub(super) fn finish(self) {
        for name in self.fields.keys() {
            if !self.known.contains(&&**name) {
                self.blame(name, "is not a known property");
            }
        }
    }
}

fn unlisted(value: &Value, words: &[&str]) -> String {
    format!("{value} is not one of {}", words.join(", "))
}
