//! The tags and tag sets of a plan while it is made: each once, known by a number, in the form that the ledger keeps.

use std::collections::BTreeSet;

use crate::ledger::{RULES, action_code, present_code, reversal, reversal_code, wish_code};
use crate::model::{Action, Interner, Present, Reversal, Tag, Wish};

/// Tags, and sets of wishes, of live tags and of actions.
#[derive(Debug)]
pub(super) struct Words {
    /// Whether entities want reversals of an earlier run, in place of wishes.
    pub(super) undoing: bool,
    pub(super) tags: Interner,
    pub(super) wants: Interner,
    pub(super) befores: Interner,
    pub(super) changes: Interner,
}

impl Words {
    /// Set 0 of live tags and of actions is the empty one.
    pub(super) fn new() -> Self {
        let mut words = Self {
            undoing: false,
            tags: Interner::default(),
            wants: Interner::default(),
            befores: Interner::default(),
            changes: Interner::default(),
        };
        words.befores.intern("[]");
        words.changes.intern("[]");
        words
    }

    /// The number of a tag. Its text is the key's length, the key and the value, so that no two tags share one.
    pub(super) fn tag_id(&mut self, tag: &Tag) -> u32 {
        let text = match &tag.value {
            Some(value) => format!("{}:{}{value}", tag.key.len(), tag.key),
            None => format!("{}:{}", tag.key.len(), tag.key),
        };
        self.tags.intern(&text)
    }

    /// Key and value of a tag's number.
    pub(super) fn tag_parts(&self, id: u32) -> (&str, Option<&str>) {
        let text = self.tags.text(id);
        let (length, rest) = text.split_once(':').unwrap_or(("0", text));
        let (key, value) = rest.split_at(length.parse().unwrap_or(0));
        (key, (!value.is_empty()).then_some(value))
    }

    /// The keys of all tags that are known.
    pub(super) fn keys(&self) -> BTreeSet<String> {
        let ids = (0..).take(self.tags.len());
        let mut keys = BTreeSet::new();
        for (key, _) in ids.map(|id| self.tag_parts(id)) {
            if !keys.contains(key) {
                keys.insert(key.to_owned());
            }
        }
        keys
    }

    /// The tag of a number.
    pub(super) fn tag(&self, id: u64) -> Tag {
        let (key, value) = self.tag_parts(u32::try_from(id).unwrap_or(0));
        Tag {
            key: key.to_owned(),
            value: value.map(str::to_owned),
        }
    }

    /// The number of a set of wishes.
    pub(super) fn want_id(&mut self, wishes: &[Wish]) -> u32 {
        let codes: Vec<u64> = wishes
            .iter()
            .map(|wish| wish_code(wish.rule, self.tag_id(&wish.tag)))
            .collect();
        self.wants.intern(&members(&codes))
    }

    /// The wishes of a number.
    pub(super) fn wishes(&self, want: u32) -> Vec<Wish> {
        let wish = |code: u64| Wish {
            rule: RULES[usize::try_from(code % 8).unwrap_or(0)],
            tag: self.tag(code / 8),
        };
        codes(self.wants.text(want)).into_iter().map(wish).collect()
    }

    /// The number of a set of reversals.
    pub(super) fn reversals_id(&mut self, reversals: &[Reversal]) -> u32 {
        let codes: Vec<u64> = reversals
            .iter()
            .map(|one| reversal_code(one, self.tag_id(&one.tag)))
            .collect();
        self.wants.intern(&members(&codes))
    }

    /// The reversals of a number.
    pub(super) fn reversals(&self, want: u32) -> Vec<Reversal> {
        let codes = codes(self.wants.text(want)).into_iter();
        codes.map(|code| reversal(code, self.tag(code / 8))).collect()
    }

    /// The tags that the run which is taken back has put there, where they were not before: they are manual, and nobody needs
    /// to be asked whose they are. None where no run is taken back.
    pub(super) fn put_there(&self, want: u32) -> BTreeSet<Tag> {
        if !self.undoing {
            return BTreeSet::new();
        }
        let reversals = self.reversals(want).into_iter();
        reversals
            .filter(|one| one.is_left && !one.was)
            .map(|one| one.tag)
            .collect()
    }

    /// The tags that an entity's wanted set speaks of.
    pub(super) fn named(&self, want: u32) -> Vec<Tag> {
        // Wishes and reversals put the tag into the same place.
        let codes = codes(self.wants.text(want)).into_iter();
        codes.map(|code| self.tag(code / 8)).collect()
    }

    /// The number of a set of live tags.
    pub(super) fn before_id(&mut self, live: &[Present]) -> u32 {
        let mut codes: Vec<u64> = live
            .iter()
            .map(|present| present_code(present.automatic, self.tag_id(&present.tag)))
            .collect();
        codes.sort_unstable();
        self.befores.intern(&members(&codes))
    }

    /// The live tags of a number.
    pub(super) fn before(&self, before: u32) -> Vec<Present> {
        let present = |code: u64| Present {
            automatic: code % 2 == 1,
            tag: self.tag(code / 2),
        };
        codes(self.befores.text(before))
            .into_iter()
            .map(present)
            .collect()
    }

    /// The number of a list of actions; 0 for none.
    pub(super) fn change_id(&mut self, actions: &[Action]) -> u32 {
        let codes: Vec<u64> = actions
            .iter()
            .map(|action| action_code(action.rule, action.remove, self.tag_id(&action.tag)))
            .collect();
        self.changes.intern(&members(&codes))
    }
}

fn members(codes: &[u64]) -> String {
    serde_json::to_string(codes).expect("numbers are JSON")
}

fn codes(members: &str) -> Vec<u64> {
    serde_json::from_str(members).expect("written by `members`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rule;

    #[test]
    fn what_goes_in_comes_out_whatever_the_text_holds() {
        let mut words = Words::new();
        let wish = |rule, key: &str, value: &str| Wish {
            rule,
            tag: Tag::new(key, Some(value)),
        };
        let wishes = vec![
            wish(Rule::Set, "env", "prod"),
            wish(Rule::Add, "2:ab", "1:c\u{0}"),
            wish(Rule::Remove, "schlüssel", ""),
            wish(Rule::Fill, "e", "nvprod"),
        ];
        let want = words.want_id(&wishes);
        assert_eq!(words.wishes(want), wishes);
        let live: Vec<Present> = wishes
            .iter()
            .map(|wish| Present {
                tag: wish.tag.clone(),
                automatic: wish.rule == Rule::Add,
            })
            .collect();
        let before = words.before_id(&live);
        let mut back = words.before(before);
        back.sort();
        let mut sorted = live;
        sorted.sort();
        assert_eq!(back, sorted);
        assert_eq!((words.before_id(&[]), words.change_id(&[])), (0, 0));
    }
}
