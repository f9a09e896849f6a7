//! JSON taken apart by hand, so that every issue of a body is told with its place.
//!
//! A `null` is the same as an absent member, and an entry that comes twice is one.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::body::{Pair, ServiceName};
use super::switches::{Switches, UnknownFields};

/// Takes values apart, and collects what is wrong.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    switches: &'a Switches,
    issues: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(switches: &'a Switches) -> Self {
        Self {
            switches,
            issues: Vec::new(),
        }
    }

    /// What is wrong, in the order in which it was found.
    pub(super) fn into_issues(self) -> Vec<String> {
        self.issues
    }

    /// Adds an issue.
    pub(super) fn complain(&mut self, issue: String) {
        self.issues.push(issue);
    }

    /// An object, whose members are these.
    pub(super) fn object<'v>(
        &mut self,
        value: &'v Value,
        path: &str,
        known: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Value::Object(members) = value else {
            self.complain(format!("{path} must be an object."));
            return None;
        };
        if self.switches.unknown_fields == UnknownFields::Refuse {
            let strange = members.keys().filter(|name| !known.contains(&&***name));
            self.issues
                .extend(strange.map(|name| format!("{path} has the unknown member '{name}'.")));
        }
        Some(members)
    }

    fn list<'v>(&mut self, members: &'v Map<String, Value>, name: &str, path: &str) -> &'v [Value] {
        match members.get(name) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.complain(format!("{path} must be an array."));
                &[]
            }
        }
    }

    fn text(&mut self, members: &Map<String, Value>, name: &str, path: &str) -> Option<String> {
        match members.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.complain(format!("{path}.{name} must be a string."));
                // It is wrong, not absent: one issue is enough.
                Some("?".to_owned())
            }
        }
    }

    /// A member that must be there and not be empty.
    fn required(&mut self, members: &Map<String, Value>, name: &str, path: &str) -> String {
        let text = self.text(members, name, path).unwrap_or_default();
        if text.is_empty() {
            self.complain(format!("{path}.{name} must be specified."));
        }
        text
    }

    /// The list of tags that a member holds.
    pub(super) fn tags(&mut self, body: &Map<String, Value>, name: &str) -> Vec<Pair> {
        let case = self.switches.key_case;
        let (mut tags, mut seen) = (Vec::new(), HashSet::new());
        for (n, value) in self.list(body, name, name).iter().enumerate() {
            let path = format!("{name}[{n}]");
            let Some(members) = self.object(value, &path, &["key", "value"]) else {
                continue;
            };
            let pair = Pair {
                key: self.required(members, "key", &path),
                value: self.text(members, "value", &path).unwrap_or_default(),
            };
            if seen.insert((case.fold(&pair.key).into_owned(), pair.value.clone())) {
                tags.push(pair);
            }
        }
        tags
    }

    /// The service instances that a group holds.
    pub(super) fn services(&mut self, body: &Map<String, Value>, name: &str) -> Vec<ServiceName> {
        let group = match body.get(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(group) => self.object(group, name, &["services"]),
        };
        let Some(group) = group else { return Vec::new() };
        let (mut services, mut seen) = (Vec::new(), HashSet::new());
        let list = format!("{name}.services");
        for (n, value) in self.list(group, "services", &list).iter().enumerate() {
            let path = format!("{list}[{n}]");
            let Some(members) = self.object(value, &path, &["serviceType", "serviceName"]) else {
                continue;
            };
            let service = ServiceName {
                kind: self.required(members, "serviceType", &path),
                name: self.required(members, "serviceName", &path),
            };
            if seen.insert(service.clone()) {
                services.push(service);
            }
        }
        services
    }
}
