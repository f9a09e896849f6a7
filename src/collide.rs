//! Rows that ask for different things of one entity and key. Pure, and independent of the order of processing: rows
//! are taken in the order of their origin.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Rule, Tag, Wish};

/// What becomes of rows that disagree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// None of them is sent.
    #[default]
    Fail,
    /// The row that stands first in the inventory wins; later ones that disagree with it are rejected as a whole.
    First,
    /// The row that stands last wins.
    Last,
    /// The key gets the values of all of them.
    All,
    /// The key gets one value: theirs, in the order of the inventory, each once, joined by a separator.
    Join,
}

/// One row's wishes for an entity.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The row's number, in the order of the inventory.
    pub row: u64,
    /// What it asks for.
    pub wishes: &'a [Wish],
}

/// What is wanted of the entity in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// The wishes that hold, in order.
    pub wishes: Vec<Wish>,
    /// The rows that lose, each with what they disagree about and the row that they disagree with.
    pub losers: Vec<Loser>,
}

/// A row that loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loser {
    /// The row.
    pub row: u64,
    /// The key that it disagrees about.
    pub key: String,
    /// A row that it disagrees with.
    pub other: u64,
}

/// Settles what the rows of one entity ask for.
pub fn settle(claims: &[Claim<'_>], policy: Policy, separator: &str) -> Settled {
    let mut claims: Vec<Claim<'_>> = claims.to_vec();
    claims.sort_by_key(|claim| claim.row);
    match policy {
        Policy::Fail => fail(&claims),
        Policy::First => in_order(&claims),
        Policy::Last => {
            claims.reverse();
            in_order(&claims)
        }
        Policy::All => merged(&claims, None),
        Policy::Join => merged(&claims, Some(separator)),
    }
}

/// Every row that disagrees with any other loses.
fn fail(claims: &[Claim<'_>]) -> Settled {
    let mut losers: BTreeMap<u64, Loser> = BTreeMap::new();
    for (n, claim) in claims.iter().enumerate() {
        for other in &claims[n + 1..] {
            if let Some(key) = disagreement(claim.wishes, other.wishes) {
                let lost = |row, other| Loser {
                    row,
                    key: key.to_owned(),
                    other,
                };
                losers
                    .entry(claim.row)
                    .or_insert_with(|| lost(claim.row, other.row));
                losers
                    .entry(other.row)
                    .or_insert_with(|| lost(other.row, claim.row));
            }
        }
    }
    let kept = claims.iter().filter(|claim| !losers.contains_key(&claim.row));
    Settled {
        wishes: union(kept.map(|claim| claim.wishes)),
        losers: losers.into_values().collect(),
    }
}

/// A row loses when it disagrees with one that was taken before it.
fn in_order(claims: &[Claim<'_>]) -> Settled {
    let mut taken: Vec<Claim<'_>> = Vec::new();
    let mut losers = Vec::new();
    for claim in claims {
        let against = taken
            .iter()
            .find_map(|other| Some((other.row, disagreement(other.wishes, claim.wishes)?)));
        match against {
            Some((other, key)) => losers.push(Loser {
                row: claim.row,
                key: key.to_owned(),
                other,
            }),
            None => taken.push(*claim),
        }
    }
    losers.sort_by_key(|loser| loser.row);
    Settled {
        wishes: union(taken.iter().map(|claim| claim.wishes)),
        losers,
    }
}

/// Values of a key that several rows set, fill or update are kept side by side or joined; rows that mean the key in
/// different ways still lose, since no value can hold both.
fn merged(claims: &[Claim<'_>], separator: Option<&str>) -> Settled {
    let mut rules: BTreeMap<&str, (Rule, u64)> = BTreeMap::new();
    let mut kept: Vec<Claim<'_>> = Vec::new();
    let mut losers = Vec::new();
    for claim in claims {
        let against = claim.wishes.iter().find_map(|wish| {
            let (rule, row) = *rules.get(wish.tag.key.as_str())?;
            (rule != wish.rule).then(|| Loser {
                row: claim.row,
                key: wish.tag.key.clone(),
                other: row,
            })
        });
        if let Some(loser) = against {
            losers.push(loser);
            continue;
        }
        for wish in claim.wishes {
            rules.entry(&wish.tag.key).or_insert((wish.rule, claim.row));
        }
        kept.push(*claim);
    }
    let Some(separator) = separator else {
        return Settled {
            wishes: union(kept.iter().map(|claim| claim.wishes)),
            losers,
        };
    };
    Settled {
        wishes: joined(&kept, separator),
        losers,
    }
}

fn joined(claims: &[Claim<'_>], separator: &str) -> Vec<Wish> {
    let mut values: BTreeMap<(Rule, &str), Vec<&str>> = BTreeMap::new();
    let mut wishes = BTreeSet::new();
    for wish in claims.iter().flat_map(|claim| claim.wishes) {
        if matches!(wish.rule, Rule::Add | Rule::Remove | Rule::Retire) {
            wishes.insert(wish.clone());
            continue;
        }
        let values = values.entry((wish.rule, &wish.tag.key)).or_default();
        let value = wish.tag.value.as_deref().unwrap_or_default();
        if !value.is_empty() && !values.contains(&value) {
            values.push(value);
        }
    }
    for ((rule, key), values) in values {
        wishes.insert(Wish {
            rule,
            tag: Tag::new(key, Some(values.join(separator))),
        });
    }
    wishes.into_iter().collect()
}

/// The first key about which two rows ask for different things. Adding and removing different tags of a key agree.
fn disagreement<'a>(one: &'a [Wish], other: &'a [Wish]) -> Option<&'a str> {
    let of_key = |wishes: &'a [Wish], key: &str| -> BTreeSet<&'a Wish> {
        wishes.iter().filter(|wish| wish.tag.key == key).collect()
    };
    let mut keys = one.iter().map(|wish| wish.tag.key.as_str());
    keys.find(|key| {
        let (one, other) = (of_key(one, key), of_key(other, key));
        !other.is_empty() && one != other && !compatible(&one, &other)
    })
}

fn compatible(one: &BTreeSet<&Wish>, other: &BTreeSet<&Wish>) -> bool {
    let both = || one.iter().chain(other);
    let added: BTreeSet<&Tag> = both()
        .filter(|wish| wish.rule == Rule::Add)
        .map(|wish| &wish.tag)
        .collect();
    both().all(|wish| match wish.rule {
        Rule::Add => true,
        Rule::Remove => wish.tag.value.is_some() && !added.contains(&wish.tag),
        Rule::Set | Rule::Fill | Rule::Update | Rule::Retire => false,
    })
}

fn union<'a>(wishes: impl Iterator<Item = &'a [Wish]>) -> Vec<Wish> {
    wishes
        .flatten()
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wishes(text: &str) -> Vec<Wish> {
        let one = |word: &str| {
            let (rule, tag) = match word.as_bytes()[0] {
                b'+' => (Rule::Add, &word[1..]),
                b'-' => (Rule::Remove, &word[1..]),
                b'?' => (Rule::Fill, &word[1..]),
                _ => (Rule::Set, word),
            };
            let (key, value) = tag.split_once('=').unwrap();
            Wish {
                rule,
                tag: Tag::new(key, Some(value)),
            }
        };
        text.split_whitespace().map(one).collect()
    }

    fn settled(rows: &[&str], policy: Policy) -> (String, String) {
        let rows: Vec<Vec<Wish>> = rows.iter().map(|row| wishes(row)).collect();
        let claims: Vec<Claim<'_>> = (1..)
            .zip(&rows)
            .map(|(row, wishes)| Claim {
                row,
                wishes: wishes.as_slice(),
            })
            .collect();
        let settled = settle(&claims, policy, "+");
        let tags: Vec<String> = settled
            .wishes
            .iter()
            .map(|wish| format!("{} {}", wish.rule, wish.tag))
            .collect();
        let losers: Vec<String> = settled
            .losers
            .iter()
            .map(|lost| format!("{}<{} {}", lost.row, lost.other, lost.key))
            .collect();
        (tags.join(", "), losers.join(", "))
    }

    #[test]
    fn each_policy_does_what_its_name_says() {
        let table: &[(&[&str], Policy, &str, &str)] = &[
            (&["env=a", "env=a"], Policy::Fail, "set env:a", ""),
            (&["env=a", "owner=x"], Policy::Fail, "set env:a, set owner:x", ""),
            (
                &["env=a", "env=b", "owner=x"],
                Policy::Fail,
                "set owner:x",
                "1<2 env, 2<1 env",
            ),
            (&["env=a", "env=b owner=x"], Policy::First, "set env:a", "2<1 env"),
            (
                &["env=a", "env=b owner=x"],
                Policy::Last,
                "set env:b, set owner:x",
                "1<2 env",
            ),
            (&["env=b", "env=a"], Policy::All, "set env:a, set env:b", ""),
            (&["env=b", "env=a", "env=b"], Policy::Join, "set env:b+a", ""),
            (&["env=b", "?env=a"], Policy::All, "set env:b", "2<1 env"),
            (&["+env=a", "+env=b"], Policy::Fail, "add env:a, add env:b", ""),
            (&["+env=a", "-env=b"], Policy::Fail, "add env:a, remove env:b", ""),
            (&["+env=a", "-env=a"], Policy::Fail, "", "1<2 env, 2<1 env"),
            (&["+env=a", "-env="], Policy::Fail, "", "1<2 env, 2<1 env"),
        ];
        for (rows, policy, want, lost) in table {
            assert_eq!(
                settled(rows, *policy),
                ((*want).to_owned(), (*lost).to_owned()),
                "{rows:?} {policy:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_order_of_processing_changes_nothing(
            rows in proptest::collection::vec("[ab]=[xy]( [ab]=[xy])?", 1..5),
            policy in prop_oneof![Just(Policy::Fail), Just(Policy::First), Just(Policy::Last), Just(Policy::All), Just(Policy::Join)],
            turn in 0usize..5,
        ) {
            let rows: Vec<Vec<Wish>> = rows.iter().map(|row| wishes(row)).collect();
            let mut claims: Vec<Claim<'_>> =
                (1..).zip(&rows).map(|(row, wishes)| Claim { row, wishes: wishes.as_slice() }).collect();
            let straight = settle(&claims, policy, "+");
            let turn = turn % claims.len();
            claims.rotate_left(turn);
            prop_assert_eq!(settle(&claims, policy, "+"), straight);
        }
    }
}
