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

    fn part(kind: Kind, key: &str, old: Option<Side>, new: Option<Side>) -> Part {
        Part {
            kind,
            key: key.to_owned(),
            to: None,
            relation: None,
            old,
            new,
        }
    }

    fn of(values: &[&str]) -> Side {
        Side::of(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn a_tag_that_comes_or_goes_stands_with_its_values() {
        for (key, side, want) in [
            ("env", of(&["prod"]), "+env=prod"),
            ("critical", of(&[""]), "+critical"),
            ("env", of(&["prod", "", "dev"]), "+env=prod or (none) or dev"),
            ("owner", of(&["a", "b", "c", "d"]), "+owner (4 values)"),
            ("owner", Side::Over(1000), "+owner (over 1000 values)"),
            ("", of(&["team a"]), "+team a"),
            ("", of(&["a", "b"]), "+a or b"),
            ("", Side::Count(9), "+(9 different tags)"),
            ("", Side::Over(1000), "+(over 1000 different tags)"),
        ] {
            let comes = part(Kind::Add, key, None, Some(side.clone()));
            assert_eq!(comes.to_string(), want);
            let goes = part(Kind::Remove, key, Some(side), None);
            assert_eq!(goes.to_string(), want.replacen('+', "-", 1));
        }
    }

    #[test]
    fn a_value_that_replaces_another_stands_behind_it() {
        let lower = Some(Relation::LowerCased);
        for (key, relation, old, new, want) in [
            ("env", None, of(&["dev"]), of(&["prod"]), "env: dev → prod"),
            ("env", None, of(&[""]), of(&["prod"]), "env: (none) → prod"),
            ("env", None, of(&["dev", "qa"]), of(&["x"]), "env: dev or qa → x"),
            (
                "env",
                None,
                Side::Count(7),
                Side::Over(9),
                "env: (7 values) → (over 9 values)",
            ),
            (
                "env",
                lower,
                of(&["A", "B"]),
                of(&["a", "b"]),
                "env: … → … (lower-cased)",
            ),
            ("env", lower, of(&["A"]), of(&["a"]), "env: A → a (lower-cased)"),
            ("", lower, of(&["A"]), of(&["a"]), "A → a (lower-cased)"),
        ] {
            let replaced = part(Kind::Replace, key, Some(old), Some(new));
            assert_eq!(Part { relation, ..replaced }.to_string(), want);
        }
    }

    #[test]
    fn a_renamed_key_says_what_became_of_its_value() {
        let (lower, same) = (Some(Relation::LowerCased), Some(Relation::Same));
        for (relation, old, new, want) in [
            (
                same,
                of(&["a", "b"]),
                of(&["a", "b"]),
                "Env → env (renamed key, same value)",
            ),
            (
                lower,
                of(&["A"]),
                of(&["a"]),
                "Env=A → env=a (renamed key, lower-cased)",
            ),
            (None, of(&["A"]), of(&["a"]), "Env=A → env=a (renamed key)"),
        ] {
            let renamed = Part {
                to: Some("env".to_owned()),
                relation,
                ..part(Kind::Rename, "Env", Some(old), Some(new))
            };
            assert_eq!(renamed.to_string(), want);
        }
    }
}
