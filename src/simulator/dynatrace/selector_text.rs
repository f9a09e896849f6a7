//! The entity selector as text: commas, parentheses, quotes and identifiers, and what is said of wrong ones.

use super::envelope::Refused;
use super::switches::QuoteEscape;

/// The parameter that every complaint is about.
pub(super) const PARAMETER: &str = "entitySelector";

/// Splits at commas outside parentheses and quotes. An empty text has no parts.
pub(super) fn split(text: &str, escape: QuoteEscape) -> Result<Vec<&str>, Refused> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let (mut parts, mut begin, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '~' if quoted && escape == QuoteEscape::Tilde => drop(chars.next()),
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.checked_sub(1).ok_or_else(|| unreadable(text))?,
            ',' if !quoted && depth == 0 => {
                parts.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    if quoted || depth > 0 {
        return Err(unreadable(text));
    }
    parts.push(text[begin..].trim());
    Ok(parts)
}

/// The values in the parentheses of a criterion, at least one; quotes are optional where no comma or parenthesis
/// needs them.
pub(super) fn values(inner: &str, escape: QuoteEscape) -> Result<Vec<String>, Refused> {
    let values: Vec<String> = split(inner, escape)?
        .into_iter()
        .map(|text| value(text, escape))
        .collect::<Result<_, _>>()?;
    if values.is_empty() {
        Err(unreadable(inner))
    } else {
        Ok(values)
    }
}

fn value(text: &str, escape: QuoteEscape) -> Result<String, Refused> {
    let Some(quoted) = text.strip_prefix('"') else {
        let bare = !text.is_empty() && !text.contains(['"', '(', ')']);
        return if bare {
            Ok(text.to_owned())
        } else {
            Err(unreadable(text))
        };
    };
    let mut value = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' if escape == QuoteEscape::Tilde => value.extend(chars.next()),
            // Nothing may follow the closing quote.
            '"' => {
                return if chars.as_str().is_empty() {
                    Ok(value)
                } else {
                    Err(unreadable(text))
                };
            }
            _ => value.push(c),
        }
    }
    Err(unreadable(text))
}

/// Splits `name(inner)`.
pub(super) fn call(text: &str) -> Result<(&str, &str), Refused> {
    text.split_once('(')
        .and_then(|(name, rest)| Some((name.trim(), rest.strip_suffix(')')?)))
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| unreadable(text))
}

/// The type that an identifier tells, and its 64 bits; an identifier that tells no type is refused.
pub(super) fn identifier(text: &str) -> Result<(String, Option<u64>), Refused> {
    let (kind, digits) = text
        .rsplit_once('-')
        .filter(|(kind, _)| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'))
        .ok_or_else(|| typeless(text))?;
    let whole = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let id = if whole {
        u64::from_str_radix(digits, 16).ok()
    } else {
        None
    };
    Ok((kind.to_ascii_uppercase(), id))
}

/// A complaint about the selector.
pub(super) fn refused(message: String) -> Refused {
    Refused::query(PARAMETER, message)
}

fn unreadable(text: &str) -> Refused {
    refused(format!("The entity selector can't be parsed at: {text}"))
}

/// A predicate that the type does not know.
pub(super) fn not_applicable(name: &str, kind: &str) -> Refused {
    refused(format!("Predicate name {name} not applicable for type {kind}"))
}

/// A selector that tells no type.
pub(super) fn typeless(text: &str) -> Refused {
    refused(format!(
        "The entitySelector parameter must contain entity type information on all levels, not determinable on level \
         with values: {text}"
    ))
}
