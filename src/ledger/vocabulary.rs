//! The tags and tag sets of a run, and how they are written as integers.

use std::collections::HashMap;

use super::pages::Numbered;
use super::{Ledger, LedgerError};
use crate::model::{Action, Present, Reversal, Rule, Tag, Wish};

/// Operations a line: they are the bits of a signed 64-bit integer, and the sign stays out of it.
pub const BITS_A_LINE: usize = 62;

/// What a stored set of tags is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetRole {
    /// What a row or an entity asks for.
    Want,
    /// What an entity carried of the keys that are wanted.
    Before,
    /// What is to be done.
    Change,
}

impl SetRole {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Want => "want",
            Self::Before => "before",
            Self::Change => "change",
        }
    }
}

const TAGS: Numbered = Numbered {
    doing: "reading its tags",
    last: "SELECT max(id) FROM tag WHERE run = ?1",
    page: "SELECT json_group_array(json_array(id, key, value)) FROM tag WHERE run = ?1 AND id >= ?2 AND id < ?3",
};

fn sets_of(role: SetRole) -> Numbered {
    let (last, page) = match role {
        SetRole::Want => (
            "SELECT max(id) FROM tag_set WHERE run = ?1 AND role = 'want'",
            "SELECT json_group_array(json_array(id, json(members))) FROM tag_set
            WHERE run = ?1 AND role = 'want' AND id >= ?2 AND id < ?3",
        ),
        SetRole::Before => (
            "SELECT max(id) FROM tag_set WHERE run = ?1 AND role = 'before'",
            "SELECT json_group_array(json_array(id, json(members))) FROM tag_set
            WHERE run = ?1 AND role = 'before' AND id >= ?2 AND id < ?3",
        ),
        SetRole::Change => (
            "SELECT max(id) FROM tag_set WHERE run = ?1 AND role = 'change'",
            "SELECT json_group_array(json_array(id, json(members))) FROM tag_set
            WHERE run = ?1 AND role = 'change' AND id >= ?2 AND id < ?3",
        ),
    };
    Numbered {
        doing: "reading its sets of tags",
        last,
        page,
    }
}

/// Rules in the order of their codes.
pub const RULES: [Rule; 6] = [
    Rule::Set,
    Rule::Add,
    Rule::Fill,
    Rule::Update,
    Rule::Remove,
    Rule::Retire,
];

fn rule_code(rule: Rule) -> u64 {
    match rule {
        Rule::Set => 0,
        Rule::Add => 1,
        Rule::Fill => 2,
        Rule::Update => 3,
        Rule::Remove => 4,
        Rule::Retire => 5,
    }
}

/// A wish as an integer, for a tag of this number.
pub fn wish_code(rule: Rule, tag: u32) -> u64 {
    u64::from(tag) * 8 + rule_code(rule)
}

/// A live tag as an integer.
pub fn present_code(automatic: bool, tag: u32) -> u64 {
    u64::from(tag) * 2 + u64::from(automatic)
}

/// An action as an integer.
pub fn action_code(rule: Rule, remove: bool, tag: u32) -> u64 {
    (u64::from(tag) * 2 + u64::from(remove)) * 8 + rule_code(rule)
}

/// A reversal as an integer, for a tag of this number.
pub fn reversal_code(reversal: &Reversal, tag: u32) -> u64 {
    let Reversal {
        was, is_left, by_key, ..
    } = *reversal;
    u64::from(tag) * 8 + u64::from(was) + 2 * u64::from(is_left) + 4 * u64::from(by_key)
}

/// The reversal of an integer, for its tag.
pub fn reversal(code: u64, tag: Tag) -> Reversal {
    let is = |bit: u64| code >> bit & 1 == 1;
    Reversal {
        tag,
        was: is(0),
        is_left: is(1),
        by_key: is(2),
    }
}

/// The tags and sets of one run, in memory.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Whether the run takes another one back: then its entities want reversals.
    undoes: bool,
    tags: HashMap<u32, Tag>,
    sets: HashMap<(SetRole, u32), Box<[u64]>>,
}

impl Vocabulary {
    /// Loads what a run stored.
    pub async fn load(ledger: &Ledger, run: i64) -> Result<Self, LedgerError> {
        Self::load_roles(ledger, run, &[SetRole::Want, SetRole::Before, SetRole::Change]).await
    }

    /// Loads what an apply needs: everything but what rows and entities ask for.
    pub async fn load_changes(ledger: &Ledger, run: i64) -> Result<Self, LedgerError> {
        Self::load_roles(ledger, run, &[SetRole::Before, SetRole::Change]).await
    }

    /// Loads what it takes to tell what is to be done.
    pub async fn load_actions(ledger: &Ledger, run: i64) -> Result<Self, LedgerError> {
        Self::load_roles(ledger, run, &[SetRole::Change]).await
    }

    async fn load_roles(ledger: &Ledger, run: i64, roles: &[SetRole]) -> Result<Self, LedgerError> {
        let mut tags = HashMap::new();
        ledger
            .each_numbered(TAGS, run, |(id, key, value): (u32, String, Option<String>)| {
                tags.insert(id, Tag { key, value });
            })
            .await?;
        let mut sets = HashMap::new();
        for &role in roles {
            ledger
                .each_numbered(sets_of(role), run, |(id, members): (u32, Box<[u64]>)| {
                    sets.insert((role, id), members);
                })
                .await?;
        }
        let undo_of: Option<i64> = sqlx::query_scalar("SELECT undo_of FROM run WHERE id = ?1")
            .bind(run)
            .fetch_one(&ledger.readers)
            .await
            .map_err(LedgerError::sql("reading a run"))?;
        Ok(Self {
            undoes: undo_of.is_some(),
            tags,
            sets,
        })
    }

    fn members(&self, role: SetRole, set: u32) -> &[u64] {
        self.sets.get(&(role, set)).map_or(&[], |members| members)
    }

    fn tag(&self, code: u64) -> Tag {
        let id = u32::try_from(code).unwrap_or(u32::MAX);
        self.tags.get(&id).cloned().unwrap_or_else(|| Tag {
            key: format!("(tag {id})"),
            value: None,
        })
    }

    fn rule(code: u64) -> Rule {
        RULES
            .get(usize::try_from(code % 8).unwrap_or(0))
            .copied()
            .unwrap_or_default()
    }

    /// What a row or an entity asks for.
    pub fn wishes(&self, want: u32) -> Vec<Wish> {
        let wish = |code: &u64| Wish {
            rule: Self::rule(*code),
            tag: self.tag(code / 8),
        };
        self.members(SetRole::Want, want).iter().map(wish).collect()
    }

    /// What an entity of a run that takes another one back wants back.
    pub fn reversals(&self, want: u32) -> Vec<Reversal> {
        let reversal = |code: &u64| reversal(*code, self.tag(code / 8));
        self.members(SetRole::Want, want).iter().map(reversal).collect()
    }

    /// Whether the run takes another one back.
    pub fn undoes(&self) -> bool {
        self.undoes
    }

    /// What an entity carried.
    pub fn before(&self, before: u32) -> Vec<Present> {
        let present = |code: &u64| Present {
            automatic: code % 2 == 1,
            tag: self.tag(code / 2),
        };
        self.members(SetRole::Before, before)
            .iter()
            .map(present)
            .collect()
    }

    /// What is to be done, by bit.
    pub fn actions(&self, change: u32) -> Vec<Action> {
        let action = |code: &u64| Action {
            rule: Self::rule(*code),
            remove: (code / 8) % 2 == 1,
            tag: self.tag(code / 16),
        };
        self.members(SetRole::Change, change).iter().map(action).collect()
    }

    /// The tag of each bit of a change, by its number, and whether it is removed.
    pub fn action_tags(&self, change: u32) -> Vec<(u32, bool)> {
        let part = |code: &u64| (u32::try_from(code / 16).unwrap_or(u32::MAX), (code / 8) % 2 == 1);
        self.members(SetRole::Change, change).iter().map(part).collect()
    }

    /// A tag by its number.
    pub fn tag_of(&self, tag: u32) -> Tag {
        self.tag(u64::from(tag))
    }

    /// The bytes of a tag's own text.
    pub fn bytes_of(&self, tag: u32) -> usize {
        let bytes = |tag: &Tag| tag.key.len() + tag.value.as_ref().map_or(0, String::len);
        self.tags.get(&tag).map_or(0, bytes)
    }

    /// How many tags there are; they are numbered from 0.
    pub fn tags(&self) -> usize {
        self.tags.len()
    }

    /// The bits of a change that concern what a row asks for: those of its keys, or for `add` and `remove` of its tags.
    /// Where a run is taken back, all of them: an entity has one row.
    pub fn bits_of(&self, want: u32, change: u32) -> u64 {
        if self.undoes {
            return u64::MAX;
        }
        let wishes = self.wishes(want);
        let concerns = |action: &Action| {
            wishes.iter().any(|wish| {
                let whole_key = !matches!(wish.rule, Rule::Add)
                    && (wish.rule != Rule::Remove || wish.tag.value.is_none());
                wish.tag == action.tag || (whole_key && wish.tag.key == action.tag.key)
            })
        };
        let actions = self.actions(change);
        let bits = actions.iter().enumerate().filter(|(_, action)| concerns(action));
        bits.fold(0, |bits, (n, _)| bits | 1 << n)
    }
}
