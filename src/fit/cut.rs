//! Texts that are too long: cut, with a digest of the whole at their end.

use super::{Target, called, changeable, with_text};
use crate::model::{Class, Failure, Loss, Remedy, Tag, TagRules, ValueRule};

/// Digits of the digest, four bits each: of a thousand texts with the same beginning, two get the same ones once in about
/// eight thousand jobs.
const DIGITS: usize = 8;

/// Characters that a cut text has behind its beginning.
const SUFFIX: usize = DIGITS + 1;

/// The tag `sent` cut so that it fits; the digest is that of `tag`, which nothing was replaced in. `Err` says why it can't be
/// cut.
pub(super) fn truncated(
    tag: &Tag,
    sent: &Tag,
    target: &Target<'_>,
    failure: &Failure,
) -> Result<(Tag, Loss), Failure> {
    let refused = |why: &str| {
        Err(Failure::new(
            Class::TooLong,
            format!("{}; {why}", failure.message),
        ))
    };
    let (Some(whole), Some(text)) = (changeable(tag, target.rules), changeable(sent, target.rules)) else {
        return refused("a key is never cut: choose a shorter one");
    };
    let room = room(sent, target.rules);
    if room <= SUFFIX {
        return refused("its key leaves no room for a cut value: choose a shorter one");
    }
    if text.chars().count() <= room {
        return refused("a key is never cut: choose a shorter one");
    }
    let beginning: String = text.chars().take(room - SUFFIX).collect();
    let digits = &blake3::hash(whole.as_bytes()).to_hex()[..DIGITS];
    let ends = ["-", "_"]
        .map(|sign| [digits.to_owned(), digits.to_uppercase()].map(|digits| sign.to_owned() + &digits));
    let tags: Vec<(Tag, String)> = ends
        .into_iter()
        .flatten()
        .map(|end| (with_text(sent, format!("{beginning}{end}")), end))
        .collect();
    // One that the target leaves as it is, or else one that it takes.
    let stays = |(tag, _): &&(Tag, String)| (target.kept)(tag).as_ref() == Ok(tag);
    let legal = |(tag, _): &&(Tag, String)| (target.kept)(tag).is_ok();
    let Some((cut, end)) = tags.iter().find(stays).or_else(|| tags.iter().find(legal)) else {
        // Something else is wrong with it as well.
        return Err((target.kept)(&tags[0].0).err().unwrap_or_else(|| failure.clone()));
    };
    // As it is written there, in capitals where the target wants those.
    let end = match (target.kept)(cut) {
        Ok(kept) => changeable(&kept, target.rules).map_or_else(|| end.clone(), last),
        Err(_) => end.clone(),
    };
    let message = format!(
        "{} has {} characters, and {room} fit: it ends after {} with `{end}`",
        called(tag),
        whole.chars().count(),
        room - SUFFIX
    );
    Ok((
        cut.clone(),
        Loss {
            class: Class::TooLong,
            remedy: Remedy::Truncated,
            message,
        },
    ))
}

/// The suffix of a cut text.
fn last(text: &str) -> String {
    text.chars()
        .skip(text.chars().count().saturating_sub(SUFFIX))
        .collect()
}

/// Characters that fit into what of the tag may be cut.
fn room(tag: &Tag, rules: &TagRules) -> usize {
    match (&rules.value, &tag.value, &rules.join) {
        (ValueRule::Optional(rule) | ValueRule::Required(rule), ..) => rule.max,
        (ValueRule::None, Some(_), Some(join)) => {
            let taken = tag.key.chars().count() + join.chars().count();
            rules.key.max.saturating_sub(taken)
        }
        (ValueRule::None, ..) => rules.key.max,
    }
}
