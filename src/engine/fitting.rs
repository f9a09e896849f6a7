//! The wishes of rows as their target takes them: each tag is held against the vendor's rules once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::words::Words;
use crate::fit::{self, Fitted};
use crate::mapping::{Mapped, agreed};
use crate::model::{Class, Failure, Grain, Loss, Rule, Tag, Wish};
use crate::vendor::Vendor;

/// What is asked for, and what is lost by it.
pub(super) type Wanted<'m> = (Cow<'m, [Wish]>, Vec<Loss>);

/// What is known of a tag.
#[derive(Debug, Clone)]
enum Checked {
    Not,
    /// Legal, and handed back as it is.
    Legal,
    /// Something else goes in its place, or nothing.
    Fitted(Box<Fitted>),
    Rejected(Box<Failure>),
}

/// Fits the tags of rows.
#[derive(Debug)]
pub(super) struct Fitter {
    vendor: Arc<dyn Vendor>,
    options: fit::Options,
    /// Whether tags are whole definitions: those are taken as they are, or not at all.
    is_document: bool,
    /// Each tag that was looked at, by its number.
    checked: Vec<Checked>,
    /// Each key that goes with all its values, as the vendor hands it back.
    keys: HashMap<String, String>,
}

impl Fitter {
    pub(super) fn new(vendor: Arc<dyn Vendor>, kind: &str, options: fit::Options) -> Self {
        let is_document = vendor
            .limits(kind)
            .is_ok_and(|limits| limits.grain == Grain::Document);
        Self {
            vendor,
            options,
            is_document,
            checked: Vec::new(),
            keys: HashMap::new(),
        }
    }

    /// What a row asks for as the vendor will keep it, and what it loses; or why it can't be used.
    pub(super) fn fit<'m>(&mut self, mapped: &'m Mapped, words: &mut Words) -> Result<Wanted<'m>, Failure> {
        self.fit_wishes(&mapped.wishes, &mapped.replaces, words)
    }

    /// The same for wishes of several rows, whose values were joined. Nothing tells any more which tag takes the place of which
    /// key, so that all of them stay where one is left out.
    pub(super) fn fit_joined<'m>(
        &mut self,
        wishes: &'m [Wish],
        words: &mut Words,
    ) -> Result<Wanted<'m>, Failure> {
        let retired = wishes.iter().filter(|wish| wish.rule == Rule::Retire);
        let replaces: Vec<(Tag, String)> = retired
            .flat_map(|retired| {
                wishes
                    .iter()
                    .map(|wish| (wish.tag.clone(), retired.tag.key.clone()))
            })
            .collect();
        self.fit_wishes(wishes, &replaces, words)
    }

    fn fit_wishes<'m>(
        &mut self,
        wishes: &'m [Wish],
        replaces: &[(Tag, String)],
        words: &mut Words,
    ) -> Result<Wanted<'m>, Failure> {
        let mut fitted = Vec::new();
        for (place, wish) in wishes.iter().enumerate() {
            if let Some(one) = self.check(wish, words)? {
                fitted.push((place, one));
            }
        }
        if fitted.is_empty() {
            return Ok((Cow::Borrowed(wishes), Vec::new()));
        }
        let (wishes, losses) = put(wishes, replaces, fitted);
        // What was different may be the same now, or contradict each other.
        Ok((Cow::Owned(agreed(wishes)?), losses))
    }

    /// What goes in the place of a wish's tag, where that is not the tag itself.
    fn check(&mut self, wish: &Wish, words: &mut Words) -> Result<Option<Fitted>, Failure> {
        if !self.vendor.rules().allows(wish.rule) {
            let why = format!(
                "`{}` of `{}` needs keys and values, and this API knows plain strings only: use `add` or `remove`, or \
                 give the connection a `join`",
                wish.rule, wish.tag
            );
            return Err(Failure::new(Class::Unsupported, why));
        }
        if matches!(wish.rule, Rule::Remove | Rule::Retire) && wish.tag.value.is_none() {
            // Every value of the key goes: the vendor is sent only tags that it has.
            return Ok(self.whole_key(&wish.tag.key));
        }
        let id = words.tag_id(&wish.tag) as usize;
        if self.checked.len() <= id {
            self.checked.resize(id + 1, Checked::Not);
        }
        if let Checked::Not = self.checked[id] {
            self.checked[id] = self.look(&wish.tag);
        }
        match &self.checked[id] {
            Checked::Rejected(why) => Err((**why).clone()),
            Checked::Fitted(fitted) => Ok(Some((**fitted).clone())),
            Checked::Not | Checked::Legal => Ok(None),
        }
    }

    /// A key that goes with all its values, as the vendor hands it back, where it does so otherwise.
    fn whole_key(&mut self, key: &str) -> Option<Fitted> {
        if !self.keys.contains_key(key) {
            let kept = fit::kept_key(key, |tag| self.vendor.kept(tag));
            self.keys.insert(key.to_owned(), kept);
        }
        let kept = self.keys.get(key).filter(|kept| *kept != key)?;
        Some(Fitted {
            tag: Some(Tag::new(kept, None::<String>)),
            losses: Vec::new(),
        })
    }

    fn look(&self, tag: &Tag) -> Checked {
        let kept = |tag: &Tag| self.vendor.kept(tag);
        let fitted = if self.is_document {
            kept(tag).map(|tag| Fitted {
                tag: Some(tag),
                losses: Vec::new(),
            })
        } else {
            let target = fit::Target {
                rules: self.vendor.rules(),
                kept: &kept,
                rewrites_as_asked: self.vendor.rewrites_as_asked(),
            };
            fit::fit(tag, &target, self.options)
        };
        match fitted {
            Ok(fitted) if fitted.losses.is_empty() && fitted.tag.as_ref() == Some(tag) => Checked::Legal,
            Ok(fitted) => Checked::Fitted(fitted.into()),
            Err(why) => Checked::Rejected(why.into()),
        }
    }
}

/// The wishes of a row with what goes in the place of some, and what is lost by it. A key whose replacement is left out is not
/// replaced.
fn put(asked: &[Wish], replaces: &[(Tag, String)], fitted: Vec<(usize, Fitted)>) -> (Vec<Wish>, Vec<Loss>) {
    let mut wishes: Vec<Option<Wish>> = asked.iter().cloned().map(Some).collect();
    let mut losses = Vec::new();
    let mut staying: Vec<&str> = Vec::new();
    for (
        place,
        Fitted {
            tag,
            losses: mut lost,
        },
    ) in fitted
    {
        if tag.is_none() {
            let gone = &asked[place].tag;
            for (_, key) in replaces.iter().filter(|(by, _)| by == gone) {
                staying.push(key);
                if let Some(loss) = lost.last_mut() {
                    // Writing to a string can't fail.
                    let _ = write!(loss.message, ", and `{key}`, which it was to replace, stays");
                }
            }
        }
        losses.append(&mut lost);
        wishes[place] = tag.map(|tag| Wish {
            rule: asked[place].rule,
            tag,
        });
    }
    let stays = |asked: &Wish| asked.rule == Rule::Retire && staying.contains(&asked.tag.key.as_str());
    let left = asked.iter().zip(wishes).filter(|(asked, _)| !stays(asked));
    (left.filter_map(|(_, wish)| wish).collect(), losses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Remedy;

    #[test]
    fn a_key_stays_whose_replacement_is_left_out_and_any_other_goes() {
        let wish = |rule, key: &str, value: &str| Wish {
            rule,
            tag: Tag::new(key, Some(value)),
        };
        let asked = [
            wish(Rule::Set, "stage", "long"),
            wish(Rule::Set, "team", "a"),
            wish(Rule::Retire, "env", ""),
            wish(Rule::Retire, "owner", ""),
        ];
        let replaces = [
            (asked[0].tag.clone(), "env".to_owned()),
            (asked[1].tag.clone(), "owner".to_owned()),
        ];
        let dropped = Fitted {
            tag: None,
            losses: vec![Loss {
                class: Class::TooLong,
                remedy: Remedy::Dropped,
                message: "left out".to_owned(),
            }],
        };
        let (wishes, losses) = put(&asked, &replaces, vec![(0, dropped.clone())]);
        assert_eq!(
            wishes,
            [wish(Rule::Set, "team", "a"), wish(Rule::Retire, "owner", "")]
        );
        assert_eq!(
            losses[0].message,
            "left out, and `env`, which it was to replace, stays"
        );
        let renamed = Fitted {
            tag: Some(Tag::new("STAGE", Some("long"))),
            losses: Vec::new(),
        };
        let (wishes, losses) = put(&asked, &replaces, vec![(0, renamed)]);
        assert_eq!(
            (wishes[0].tag.key.as_str(), wishes.len(), losses.len()),
            ("STAGE", 4, 0)
        );
        let gone = |place| {
            let key = Fitted {
                tag: Some(Tag::new("ENV", None::<String>)),
                losses: Vec::new(),
            };
            (place, key)
        };
        let (wishes, _) = put(&asked, &replaces, vec![(0, dropped), gone(2)]);
        assert_eq!(wishes.len(), 2, "the old key stays however it is spelled there");
    }
}
