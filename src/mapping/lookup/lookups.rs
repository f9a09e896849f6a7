//! The lookups of a job by their names.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::builder::CrosswalkBuilder;
use super::crosswalk::Crosswalk;
use super::options::{CrosswalkOptions, LookupOptions, ValueOptions, compared};

/// Every lookup of a job.
#[derive(Debug, Clone, Default)]
pub(in crate::mapping) struct Lookups(BTreeMap<String, Lookup>);

/// One of them.
#[derive(Debug, Clone)]
pub(in crate::mapping) enum Lookup {
    /// A file that was not read yet.
    Unread(CrosswalkOptions),
    /// The rows of a file.
    Rows(Arc<Crosswalk>),
    /// Values of the job itself.
    Values(Arc<Values>),
}

/// Values by key, as keys are compared.
#[derive(Debug)]
pub(in crate::mapping) struct Values {
    values: HashMap<String, String>,
    fold_case: bool,
}

impl Lookups {
    /// The lookups of a job; those of files are to be read.
    pub(in crate::mapping) fn new(options: &BTreeMap<String, LookupOptions>) -> Self {
        let lookup = |options: &LookupOptions| match options {
            LookupOptions::Crosswalk(options) => Lookup::Unread(options.clone()),
            LookupOptions::Values(options) => Lookup::Values(Arc::new(Values::new(options))),
        };
        let named = options.iter();
        Self(
            named
                .map(|(name, options)| (name.clone(), lookup(options)))
                .collect(),
        )
    }

    /// Whether a name is that of a lookup.
    pub(in crate::mapping) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The lookup of a name.
    pub(in crate::mapping) fn get(&self, name: &str) -> Option<&Lookup> {
        self.0.get(name)
    }

    /// The names.
    pub(in crate::mapping) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A builder of the rows of a lookup; `None` where the job has no such lookup of a file.
    pub(in crate::mapping) fn builder(&self, name: &str) -> Option<CrosswalkBuilder> {
        match self.0.get(name)? {
            Lookup::Unread(options) => Some(CrosswalkBuilder::new(name, options)),
            Lookup::Rows(_) | Lookup::Values(_) => None,
        }
    }

    /// Puts rows that were read in their place.
    pub(in crate::mapping) fn join(&mut self, crosswalk: Crosswalk) {
        let name = crosswalk.name.clone();
        self.0.insert(name, Lookup::Rows(Arc::new(crosswalk)));
    }
}

impl Values {
    fn new(options: &ValueOptions) -> Self {
        let ValueOptions { map, fold_case } = options;
        let pair = |(key, value): (&String, &String)| (compared(key, *fold_case).into_owned(), value.clone());
        Self {
            values: map.iter().map(pair).collect(),
            fold_case: *fold_case,
        }
    }

    /// The value of a key.
    pub(super) fn find(&self, key: &str) -> Option<&str> {
        let value = self.values.get(&*compared(key, self.fold_case))?;
        Some(value)
    }
}
