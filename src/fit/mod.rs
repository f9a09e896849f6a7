//! What a tag becomes that its target does not take as it is. Pure.
//!
//! A tag that is legal and handed back as it is goes as it is. Any other rejects its row, unless the job allows its class of
//! loss: then it is cut, some of its characters are replaced, it goes as the target rewrites it, or it is left out. The laws,
//! tested as properties: what goes is legal, fitting it again changes nothing, and equal tags become equal ones.

mod cut;
mod options;
mod replace;
mod room;
#[cfg(test)]
mod tests;

pub use options::{Illegal, Options, OverCount, Rewritten, TooLong};
pub use room::{Left, to_room};

use std::fmt;

use crate::model::{Class, Failure, Loss, Remedy, Tag, TagRules, ValueRule};

/// Who takes the tags.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// What a legal tag is there.
    pub rules: &'a TagRules,
    /// The tag as it will be handed back, or why it is not taken.
    pub kept: &'a dyn Fn(&Tag) -> Result<Tag, Failure>,
    /// Whether what `kept` changes is what the connection asks for, and so no loss.
    pub rewrites_as_asked: bool,
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("rules", self.rules)
            .field("rewrites_as_asked", &self.rewrites_as_asked)
            .finish_non_exhaustive()
    }
}

/// A tag that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The tag as the target will hand it back; `None` where it is left out.
    pub tag: Option<Tag>,
    /// What was lost.
    pub losses: Vec<Loss>,
}

/// Fits a tag, or says why its row is rejected.
pub fn fit(tag: &Tag, target: &Target<'_>, options: Options) -> Result<Fitted, Failure> {
    let Err(first) = (target.kept)(tag) else {
        return as_kept(tag, Vec::new(), target, options);
    };
    let mut losses = Vec::new();
    let mut sent = tag.clone();
    // A text that is too long may hold illegal characters besides, which its length hides.
    if options.illegal == Illegal::Replace
        && let Some((replaced, loss)) = replace::replaced(tag, target)
    {
        sent = replaced;
        losses.push(loss);
    }
    let too_long = (target.kept)(&sent)
        .err()
        .filter(|failure| failure.class == Class::TooLong);
    if let (Some(failure), TooLong::Truncate) = (too_long, options.too_long) {
        match cut::truncated(tag, &sent, target, &failure) {
            Ok((cut, loss)) => {
                sent = cut;
                losses.push(loss);
            }
            Err(failure) => return dropped(failure, options),
        }
    }
    match (target.kept)(&sent) {
        Ok(_) => as_kept(&sent, losses, target, options),
        // What was tried has not helped, so that the tag is told as it stands in the row.
        Err(last) if last.class == first.class => dropped(first, options),
        Err(last) => dropped(last, options),
    }
}

/// A key as the target will hand it back, where tags of it stand for all of its values; as it is where it is never legal.
pub fn kept_key(key: &str, kept: impl Fn(&Tag) -> Result<Tag, Failure>) -> String {
    let alone = kept(&Tag::new(key, None::<String>));
    // A capital letter is legal in the values of every vendor.
    let tag = alone.or_else(|_| kept(&Tag::new(key, Some("A"))));
    tag.map_or_else(|_| key.to_owned(), |tag| tag.key)
}

/// A legal tag, as the target will hand it back.
fn as_kept(
    sent: &Tag,
    mut losses: Vec<Loss>,
    target: &Target<'_>,
    options: Options,
) -> Result<Fitted, Failure> {
    let kept = (target.kept)(sent)?;
    if kept != *sent {
        let message = format!("`{sent}` is handed back as `{kept}`");
        match options.rewritten {
            None if target.rewrites_as_asked => {}
            Some(Rewritten::Allow) => losses.push(Loss {
                class: Class::Rewritten,
                remedy: Remedy::Allowed,
                message,
            }),
            None | Some(Rewritten::Reject) => {
                let why = format!("{message}; `rewritten` in [losses] can allow it");
                return Err(Failure::new(Class::Rewritten, why));
            }
        }
    }
    let tag = Some(kept);
    Ok(Fitted { tag, losses })
}

/// Leaves a tag out, where the job allows that.
fn dropped(failure: Failure, options: Options) -> Result<Fitted, Failure> {
    let drop = match failure.class {
        Class::TooLong => options.too_long == TooLong::Drop,
        Class::Illegal => options.illegal == Illegal::Drop,
        _ => false,
    };
    if !drop {
        return Err(failure);
    }
    let loss = Loss {
        class: failure.class,
        remedy: Remedy::Dropped,
        message: format!("{}; the tag is left out", failure.message),
    };
    Ok(Fitted {
        tag: None,
        losses: vec![loss],
    })
}

/// What of a tag may be changed: its value, or the whole of a plain string. A key that stands alone, where others have
/// values, is `None`: it is never changed.
fn changeable<'t>(tag: &'t Tag, rules: &TagRules) -> Option<&'t str> {
    let plain = matches!(rules.value, ValueRule::None) && rules.join.is_none();
    match &tag.value {
        Some(value) => Some(value),
        None if plain => Some(&tag.key),
        None => None,
    }
}

/// The tag with another text in place of what may be changed.
fn with_text(tag: &Tag, text: String) -> Tag {
    match &tag.value {
        Some(_) => Tag::new(tag.key.clone(), Some(text)),
        None => Tag {
            key: text,
            value: None,
        },
    }
}

/// What is told of what may be changed.
fn called(tag: &Tag) -> String {
    match &tag.value {
        Some(_) => format!("value of `{}`", tag.key),
        None => format!("tag `{tag}`"),
    }
}
