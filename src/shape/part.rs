//! A part of a shape: what happens to one key, with values where few enough are there, and how that reads.

use std::fmt;

use serde::Serialize;

use super::Relation;

/// Values that are spelled out where there are several.
const MOST_SPELLED: usize = 3;

/// What happens to a key, in the order in which a shape tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The key goes and another comes with a value that follows from the old one.
    Rename,
    /// Its values are replaced.
    Replace,
    /// Values are added, and none goes.
    Add,
    /// Values are removed, and none comes.
    Remove,
}

/// The values on one side of a change; an empty text stands for a tag without a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// All entities have this one. Several values of one entity stand in one text, with commas.
    One(String),
    /// Few, the most frequent first.
    Few(Vec<String>),
    /// So many different ones.
    Count(usize),
    /// More than so many.
    Over(usize),
}

impl Side {
    /// By values that are all there are, the most frequent first.
    pub(super) fn of(mut values: Vec<String>) -> Self {
        match values.len() {
            1 => Self::One(values.remove(0)),
            few if few <= MOST_SPELLED => Self::Few(values),
            more => Self::Count(more),
        }
    }
}

/// What happens to one key of all entities of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What happens.
    pub kind: Kind,
    /// The key. Empty where tags are plain strings without values, which then stand as values.
    pub key: String,
    /// The new key of a rename.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How the new value follows from the old one, for every entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// What goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Side>,
    /// What comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Side>,
}

impl fmt::Display for Part {
    /// As a reviewer reads it. The text of others is in it as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Add => write!(f, "+{}", tag(&self.key, self.new.as_ref())),
            Kind::Remove => write!(f, "-{}", tag(&self.key, self.old.as_ref())),
            Kind::Replace => {
                if !self.key.is_empty() {
                    write!(f, "{}: ", self.key)?;
                }
                self.sides(f, value)?;
                self.relation
                    .map_or(Ok(()), |relation| write!(f, " ({relation})"))
            }
            Kind::Rename => {
                let to = self.to.as_deref().unwrap_or_default();
                match (&self.old, &self.new) {
                    (Some(Side::One(old)), Some(Side::One(new))) => {
                        write!(f, "{} → {}", one(&self.key, old), one(to, new))?;
                    }
                    _ => write!(f, "{} → {to}", self.key)?,
                }
                match self.relation {
                    Some(relation) => write!(f, " (renamed key, {relation})"),
                    None => f.write_str(" (renamed key)"),
                }
            }
        }
    }
}

impl Part {
    /// `old → new`; values that a relation explains need not be spelled unless there is one alone.
    fn sides(&self, f: &mut fmt::Formatter<'_>, value: fn(&Side) -> String) -> fmt::Result {
        let explained = self.relation.is_some();
        let shown = |side: Option<&Side>| match side {
            None => String::new(),
            Some(side @ Side::One(_)) => value(side),
            Some(_) if explained => "…".to_owned(),
            Some(side) => value(side),
        };
        write!(f, "{} → {}", shown(self.old.as_ref()), shown(self.new.as_ref()))
    }
}

/// A key with its values.
fn tag(key: &str, side: Option<&Side>) -> String {
    match side {
        None => key.to_owned(),
        Some(Side::One(value)) => one(key, value),
        Some(Side::Few(values)) if key.is_empty() => values.join(" or "),
        Some(Side::Few(values)) => format!("{key}={}", spelled(values)),
        Some(Side::Count(n)) if key.is_empty() => format!("({n} different tags)"),
        Some(Side::Over(n)) if key.is_empty() => format!("(over {n} different tags)"),
        Some(side) => format!("{key} {}", value(side)),
    }
}

fn one(key: &str, value: &str) -> String {
    match (key, value) {
        ("", only) | (only, "") => only.to_owned(),
        (key, value) => format!("{key}={value}"),
    }
}

fn value(side: &Side) -> String {
    match side {
        Side::One(value) => named(value).to_owned(),
        Side::Few(values) => spelled(values),
        Side::Count(n) => format!("({n} values)"),
        Side::Over(n) => format!("(over {n} values)"),
    }
}

fn spelled(values: &[String]) -> String {
    let named: Vec<&str> = values.iter().map(|value| named(value)).collect();
    named.join(" or ")
}

fn named(value: &str) -> &str {
    if value.is_empty() { "(none)" } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reads_as_a_reviewer_would_write_it() {
        use Kind::{Add, Remove, Rename, Replace};
        let one = |text: &str| Some(Side::One(text.to_owned()));
        let few = |texts: &[&str]| Some(Side::of(texts.iter().map(|text| (*text).to_owned()).collect()));
        let (lower, same) = (Some(Relation::LowerCased), Some(Relation::Same));
        for (kind, key, to, relation, old, new, want) in [
            (Add, "env", None, None, None, one("prod"), "+env=prod"),
            (Add, "critical", None, None, None, one(""), "+critical"),
            (
                Add,
                "env",
                None,
                None,
                None,
                few(&["prod", "", "dev"]),
                "+env=prod or (none) or dev",
            ),
            (
                Add,
                "owner",
                None,
                None,
                None,
                Some(Side::Count(412)),
                "+owner (412 values)",
            ),
            (
                Add,
                "owner",
                None,
                None,
                None,
                Some(Side::Over(1000)),
                "+owner (over 1000 values)",
            ),
            (Add, "", None, None, None, one("team a"), "+team a"),
            (Add, "", None, None, None, few(&["a", "b"]), "+a or b"),
            (
                Add,
                "",
                None,
                None,
                None,
                Some(Side::Count(9)),
                "+(9 different tags)",
            ),
            (Remove, "legacy", None, None, one("yes"), None, "-legacy=yes"),
            (
                Remove,
                "legacy",
                None,
                None,
                Some(Side::Count(4)),
                None,
                "-legacy (4 values)",
            ),
            (
                Replace,
                "env",
                None,
                None,
                one("dev"),
                one("prod"),
                "env: dev → prod",
            ),
            (
                Replace,
                "env",
                None,
                None,
                one(""),
                one("prod"),
                "env: (none) → prod",
            ),
            (
                Replace,
                "env",
                None,
                None,
                few(&["dev", "qa"]),
                one("test"),
                "env: dev or qa → test",
            ),
            (
                Replace,
                "env",
                None,
                None,
                Some(Side::Count(7)),
                Some(Side::Count(4)),
                "env: (7 values) → (4 values)",
            ),
            (
                Replace,
                "env",
                None,
                lower,
                few(&["A", "B"]),
                few(&["a", "b"]),
                "env: … → … (lower-cased)",
            ),
            (
                Replace,
                "env",
                None,
                lower,
                one("A"),
                one("a"),
                "env: A → a (lower-cased)",
            ),
            (
                Replace,
                "",
                None,
                lower,
                one("A"),
                one("a"),
                "A → a (lower-cased)",
            ),
            (
                Rename,
                "Env",
                Some("env"),
                same,
                few(&["a", "b"]),
                few(&["a", "b"]),
                "Env → env (renamed key, same value)",
            ),
            (
                Rename,
                "Env",
                Some("env"),
                lower,
                one("A"),
                one("a"),
                "Env=A → env=a (renamed key, lower-cased)",
            ),
        ] {
            let part = Part {
                kind,
                key: key.to_owned(),
                to: to.map(str::to_owned),
                relation,
                old,
                new,
            };
            assert_eq!(part.to_string(), want);
        }
    }
}
