//! Characters that a target does not allow, and what stands in their place.

use super::{Target, called, changeable, with_text};
use crate::model::{Class, Loss, Remedy, Tag};

/// What may stand in the place of a character, the first that is legal.
const STANDINS: [char; 2] = ['_', '-'];

/// The tag with something legal in the place of every character that is not; `None` where none is to blame, or nothing is
/// legal in its place. It may still be too long.
pub(super) fn replaced(tag: &Tag, target: &Target<'_>) -> Option<(Tag, Loss)> {
    let text = changeable(tag, target.rules)?;
    let is_legal = |text: String| (target.kept)(&with_text(tag, text)).is_ok();
    // A key that is to blame itself lets no value pass, and then nothing is done.
    let standin = STANDINS.into_iter().find(|c| is_legal(c.to_string()))?;
    // Behind another character, since what begins a tag may be reserved there alone. What is legal is asked rather than
    // read from the rules: a target may change a character into a legal one.
    let stays = |c: char| c.is_ascii_alphanumeric() || is_legal(format!("{standin}{c}"));
    let mut n_replaced = 0_usize;
    let replaced: String = text
        .chars()
        .map(|c| {
            if stays(c) {
                return c;
            }
            n_replaced += 1;
            standin
        })
        .collect();
    let sent = with_text(tag, replaced);
    let is_better = (target.kept)(&sent)
        .err()
        .is_none_or(|failure| failure.class == Class::TooLong);
    if n_replaced == 0 || !is_better {
        return None;
    }
    let of = called(tag);
    let message = match n_replaced {
        1 => format!("{of} holds a character that is not allowed; `{standin}` stands in its place"),
        n => format!("{of} holds {n} characters that are not allowed; `{standin}` stands in their places"),
    };
    Some((
        sent,
        Loss {
            class: Class::Illegal,
            remedy: Remedy::Replaced,
            message,
        },
    ))
}
