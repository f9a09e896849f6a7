//! The wishes of one row: collected, counted, and checked against each other.

use std::borrow::Cow;
use std::mem;

use super::options::Empty;
use crate::model::{Class, Failure, Rule, Tag, Wish};

/// What one row asks for.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    asked: Vec<Wish>,
    empty: u32,
    /// Tags that take the place of other keys.
    replaces: Vec<(Tag, String)>,
}

impl Wishes {
    /// A row with room for as many wishes as there are rules.
    pub(super) fn for_rules(rules: usize) -> Self {
        Self {
            asked: Vec::with_capacity(rules),
            empty: 0,
            replaces: Vec::new(),
        }
    }

    /// Asks for a tag without a value.
    pub(super) fn ask_bare(&mut self, rule: Rule, key: Cow<'_, str>, empty: Empty) -> Result<(), String> {
        if key.is_empty() {
            return self.pass_over(empty, || "the key is empty".to_owned());
        }
        self.push(rule, key, None);
        Ok(())
    }

    /// Asks for a tag with a value, or does what the rule says about an empty one.
    pub(super) fn ask(
        &mut self,
        rule: Rule,
        key: Cow<'_, str>,
        value: Cow<'_, str>,
        empty: Empty,
    ) -> Result<(), String> {
        if key.is_empty() {
            return self.pass_over(empty, || "the key is empty".to_owned());
        }
        match empty {
            _ if !value.is_empty() => self.push(rule, key, Some(value)),
            Empty::Remove => self.push(Rule::Remove, key, None),
            Empty::Bare => self.push(rule, key, None),
            Empty::Skip | Empty::Reject => {
                return self.pass_over(empty, || format!("the value of `{key}` is empty"));
            }
        }
        Ok(())
    }

    /// Asks for another key to go once everything that was asked for is there; what was asked for last takes its place.
    pub(super) fn retire(&mut self, key: &str) {
        if let Some(last) = self.asked.last() {
            self.replaces.push((last.tag.clone(), key.to_owned()));
        }
        self.push(Rule::Retire, key.into(), None);
    }

    /// The tags that take the place of other keys, each with such a key.
    pub(super) fn replacements(&mut self) -> Vec<(Tag, String)> {
        mem::take(&mut self.replaces)
    }

    /// How many wishes there are so far.
    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    fn push(&mut self, rule: Rule, key: Cow<'_, str>, value: Option<Cow<'_, str>>) {
        self.asked.push(Wish {
            rule,
            tag: Tag::new(key, value),
        });
    }

    fn pass_over(&mut self, empty: Empty, why: impl Fn() -> String) -> Result<(), String> {
        if empty == Empty::Reject {
            return Err(why());
        }
        self.empty += 1;
        Ok(())
    }

    /// The wishes in order, each once, and the number of empty cells; or which two contradict each other.
    pub(super) fn finish(self) -> Result<(Vec<Wish>, u32), Failure> {
        Ok((agreed(self.asked)?, self.empty))
    }
}

/// The wishes of one row in order, each once; or which two contradict each other.
pub fn agreed(mut wishes: Vec<Wish>) -> Result<Vec<Wish>, Failure> {
    wishes.sort_unstable();
    wishes.dedup();
    match contradiction(&wishes) {
        None => Ok(wishes),
        Some((one, other)) => Err(Failure::new(
            Class::Collision,
            format!(
                "the row asks for both {} `{}` and {} `{}`; {}",
                one.rule,
                one.tag,
                other.rule,
                other.tag,
                advice(one, other)
            ),
        )),
    }
}

fn advice(one: &Wish, other: &Wish) -> &'static str {
    if [one.rule, other.rule].contains(&Rule::Retire) {
        "a key that is replaced can't be asked for"
    } else if one.rule == Rule::Remove || other.rule == Rule::Remove {
        "let only one of the two rules apply to it with `when`"
    } else {
        "use `action = \"add\"` where a key shall have several values"
    }
}

/// Two wishes that can't both be granted. Only wishes of one key can contradict each other.
fn contradiction(wishes: &[Wish]) -> Option<(&Wish, &Wish)> {
    let mut by_key: Vec<&Wish> = wishes.iter().collect();
    // Stable, so that the pair that is named does not depend on anything but the wishes.
    by_key.sort_by(|a, b| a.tag.key.cmp(&b.tag.key));
    by_key
        .chunk_by(|a, b| a.tag.key == b.tag.key)
        .filter(|same_key| same_key.len() > 1)
        .find_map(contradiction_of_key)
}

fn contradiction_of_key<'w>(wishes: &[&'w Wish]) -> Option<(&'w Wish, &'w Wish)> {
    // Lists of one action can be long and never contradict themselves.
    let same = |rule| wishes.iter().all(|wish| wish.rule == rule);
    if same(Rule::Add) || same(Rule::Remove) {
        return None;
    }
    wishes.iter().enumerate().find_map(|(place, one)| {
        let other = wishes[place + 1..].iter().find(|other| contradict(one, other))?;
        Some((*one, *other))
    })
}

/// Whether two wishes of one key contradict each other: keeping one would break what the other asks for.
fn contradict(one: &Wish, other: &Wish) -> bool {
    use Rule::{Add, Fill, Remove, Retire, Update};
    match (one.rule, other.rule) {
        (Retire | Remove, Retire | Remove) | (Add, Add) | (Fill, Update) | (Update, Fill) => false,
        (Retire, _) | (_, Retire) => true,
        (Remove, _) => one.tag.value.is_none() || one.tag == other.tag,
        (_, Remove) => other.tag.value.is_none() || one.tag == other.tag,
        _ => one.tag != other.tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(wishes: &[(Rule, &str)]) -> Result<usize, Failure> {
        let mut row = Wishes::default();
        for (rule, value) in wishes {
            let asked = match *value {
                "" => row.ask_bare(*rule, "env".into(), Empty::Skip),
                value => row.ask(*rule, "env".into(), value.into(), Empty::Skip),
            };
            asked.unwrap();
        }
        row.finish().map(|(wishes, _)| wishes.len())
    }

    #[test]
    fn wishes_of_one_key_contradict_each_other_or_not() {
        use Rule::{Add, Fill, Remove, Set, Update};
        for (one, other, fine) in [
            ((Set, "a"), (Set, "b"), false),
            ((Set, "a"), (Set, ""), false),
            ((Set, "a"), (Add, "b"), false),
            ((Set, "a"), (Add, "a"), true),
            ((Set, "a"), (Fill, "b"), false),
            ((Set, "a"), (Remove, "a"), false),
            ((Set, "a"), (Remove, ""), false),
            ((Set, "a"), (Remove, "b"), true),
            ((Add, "a"), (Add, "b"), true),
            ((Add, "a"), (Remove, "b"), true),
            ((Add, "a"), (Remove, ""), false),
            ((Fill, "a"), (Fill, "b"), false),
            ((Fill, "a"), (Update, "b"), true),
            ((Update, "a"), (Update, "b"), false),
            ((Update, "a"), (Add, "b"), false),
            ((Remove, ""), (Remove, "b"), true),
        ] {
            assert_eq!(finish(&[one, other]).is_ok(), fine, "{one:?} {other:?}");
            assert_eq!(finish(&[other, one]).is_ok(), fine, "{other:?} {one:?}");
        }
    }

    #[test]
    fn a_contradiction_names_both_wishes_and_what_to_do() {
        let failure = finish(&[(Rule::Set, "b"), (Rule::Set, "a")]).unwrap_err();
        assert_eq!(failure.class, Class::Collision);
        assert_eq!(
            failure.message,
            "the row asks for both set `env:a` and set `env:b`; use `action = \"add\"` where a key shall have several values"
        );
    }

    #[test]
    fn the_same_wish_twice_is_one() {
        assert_eq!(finish(&[(Rule::Set, "a"), (Rule::Set, "a")]), Ok(1));
    }

    #[test]
    fn an_empty_value_does_what_the_rule_says() {
        for (empty, want) in [
            (Empty::Skip, Ok((vec![], 1))),
            (Empty::Remove, Ok((vec![(Rule::Remove, None)], 0))),
            (Empty::Bare, Ok((vec![(Rule::Set, None)], 0))),
            (Empty::Reject, Err("the value of `env` is empty".to_owned())),
        ] {
            let mut row = Wishes::default();
            let asked = row.ask(Rule::Set, "env".into(), "".into(), empty);
            let got = asked.map(|()| {
                let (wishes, count) = row.finish().unwrap();
                let short = wishes.into_iter().map(|wish| (wish.rule, wish.tag.value));
                (short.collect::<Vec<_>>(), count)
            });
            assert_eq!(got, want, "{empty:?}");
        }
    }

    #[test]
    fn an_empty_key_is_counted_or_rejects_the_row() {
        for empty in [Empty::Skip, Empty::Remove, Empty::Bare] {
            let mut row = Wishes::default();
            row.ask(Rule::Set, "".into(), "x".into(), empty).unwrap();
            row.ask_bare(Rule::Set, "".into(), empty).unwrap();
            assert_eq!(row.finish(), Ok((vec![], 2)), "{empty:?}");
        }
        let mut row = Wishes::default();
        assert!(row.ask(Rule::Set, "".into(), "x".into(), Empty::Reject).is_err());
    }
}
