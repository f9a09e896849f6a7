//! The entity selector: its grammar.
//!
//! Known are `type`, `entityId`, `tag`, `entityName` with its operators, `caseSensitive`, `not`, `firstSeenTms`,
//! `healthState`, `mzId` and `mzName`. Entity attributes and relationships are refused as not applicable.

use super::super::switches::QuoteEscape;
use super::envelope::Refused;
use super::tag_text::TagPattern;
use super::time_frame;

/// The parameter that every complaint is about.
pub(super) const PARAMETER: &str = "entitySelector";

/// A selector that names exactly one type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    /// In capitals.
    pub(super) kind: String,
    /// All of them must hold.
    pub(super) criteria: Vec<Criterion>,
}

/// One criterion beside the type.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    /// One of these identifiers; `None` for a text that can't be one.
    Ids(Vec<Option<u64>>),
    /// One of these tags.
    Tags(Vec<TagPattern>),
    /// The name compared with some texts, of which one must fit.
    Name {
        how: NameTest,
        texts: Vec<String>,
        case_sensitive: bool,
    },
    /// When it was first seen, in milliseconds since 1970.
    FirstSeen(Comparison, i64),
    /// Whatever the entity: all are healthy, and none is in a management zone.
    Always(bool),
    /// The opposite.
    Not(Box<Criterion>),
}

/// How a name is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameTest {
    Contains,
    StartsWith,
    Equals,
}

/// How a time is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Lt,
    Lte,
    Gt,
    Gte,
}

/// What may stand in a selector at its top: a type, or a criterion and the types that it tells.
enum Part {
    Type(String),
    Criterion(Criterion, Vec<String>),
}

/// How selectors are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    /// Relative times count from here.
    pub(super) now: i64,
    /// How a quote is written inside quotes.
    pub(super) escape: QuoteEscape,
}

impl Reader {
    /// Reads a whole selector.
    pub(super) fn read(self, text: &str) -> Result<Selector, Refused> {
        let (mut kinds, mut n_types, mut criteria) = (Vec::new(), 0, Vec::new());
        for part in self.split(text)? {
            match self.part(part)? {
                Part::Type(kind) => {
                    n_types += 1;
                    kinds.push(kind);
                }
                Part::Criterion(criterion, told) => {
                    kinds.extend(told);
                    criteria.push(criterion);
                }
            }
        }
        let mut distinct = kinds.clone();
        distinct.sort_unstable();
        distinct.dedup();
        match (n_types, &*distinct) {
            (_, []) => Err(typeless(text)),
            (0 | 1, [kind]) => {
                let selector = Selector {
                    kind: kind.clone(),
                    criteria,
                };
                applicable(&selector)?;
                Ok(selector)
            }
            _ => Err(refused(format!(
                "All entities must be of exactly one type, found: {}",
                kinds.join(", ")
            ))),
        }
    }

    /// Splits at commas outside parentheses and quotes. An empty text has no parts.
    fn split(self, text: &str) -> Result<Vec<&str>, Refused> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let (mut parts, mut begin, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '~' if quoted && self.escape == QuoteEscape::Tilde => drop(chars.next()),
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

    fn part(self, text: &str) -> Result<Part, Refused> {
        let (name, inner) = call(text)?;
        match name {
            "type" => match &*self.values(inner)? {
                [kind] => Ok(Part::Type(kind.to_ascii_uppercase())),
                _ => Err(refused(format!("'type' takes exactly one entity type: {text}"))),
            },
            "entityId" => {
                let (kinds, ids) = self
                    .values(inner)?
                    .iter()
                    .map(|id| identifier(id))
                    .collect::<Result<_, _>>()?;
                Ok(Part::Criterion(Criterion::Ids(ids), kinds))
            }
            _ => Ok(Part::Criterion(self.criterion(name, inner)?, Vec::new())),
        }
    }

    fn criterion(self, name: &str, inner: &str) -> Result<Criterion, Refused> {
        if let Some(how) = name.strip_prefix("entityName") {
            return self.name(name, how, inner);
        }
        if let Some(how) = name.strip_prefix("firstSeenTms.") {
            return self.first_seen(how, inner);
        }
        match name {
            "tag" => {
                let tags = self.values(inner)?;
                Ok(Criterion::Tags(
                    tags.iter().map(|tag| TagPattern::parse(tag)).collect(),
                ))
            }
            "not" => match self.part(inner)? {
                Part::Criterion(criterion, _) => Ok(Criterion::Not(Box::new(criterion))),
                Part::Type(_) => Err(refused("'not' can't be applied to 'type'".to_owned())),
            },
            "caseSensitive" => match self.part(inner)? {
                Part::Criterion(Criterion::Name { how, texts, .. }, _) => Ok(Criterion::Name {
                    how,
                    texts,
                    case_sensitive: true,
                }),
                _ => Err(refused(
                    "'caseSensitive' takes an 'entityName' criterion".to_owned(),
                )),
            },
            "mzId" | "mzName" => self.values(inner).map(|_| Criterion::Always(false)),
            "healthState" => Ok(Criterion::Always(
                self.values(inner)?.iter().any(|state| state == "HEALTHY"),
            )),
            _ => Err(not_applicable(name)),
        }
    }

    fn name(self, name: &str, how: &str, inner: &str) -> Result<Criterion, Refused> {
        let texts = self.values(inner)?;
        let how = match how {
            "" => NameTest::Contains,
            ".startsWith" => NameTest::StartsWith,
            ".equals" | ".in" => NameTest::Equals,
            _ => return Err(not_applicable(name)),
        };
        if texts.len() > 1 && name != "entityName.in" {
            return Err(refused(format!("'{name}' takes exactly one value")));
        }
        Ok(Criterion::Name {
            how,
            texts,
            case_sensitive: false,
        })
    }

    fn first_seen(self, how: &str, inner: &str) -> Result<Criterion, Refused> {
        let how = match how {
            "lt" => Comparison::Lt,
            "lte" => Comparison::Lte,
            "gt" => Comparison::Gt,
            "gte" => Comparison::Gte,
            _ => return Err(not_applicable(&format!("firstSeenTms.{how}"))),
        };
        let values = self.values(inner)?;
        let at = values.first().and_then(|text| time_frame::parse(text, self.now));
        at.map(|at| Criterion::FirstSeen(how, at))
            .ok_or_else(|| refused(format!("'{inner}' is not a valid timestamp")))
    }

    /// The values in the parentheses of a criterion, at least one; quotes are optional where no comma or parenthesis
    /// needs them.
    fn values(self, inner: &str) -> Result<Vec<String>, Refused> {
        let values: Vec<String> = self
            .split(inner)?
            .into_iter()
            .map(|text| self.value(text))
            .collect::<Result<_, _>>()?;
        if values.is_empty() {
            Err(unreadable(inner))
        } else {
            Ok(values)
        }
    }

    fn value(self, text: &str) -> Result<String, Refused> {
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
                '~' if self.escape == QuoteEscape::Tilde => value.extend(chars.next()),
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
}

/// Splits `name(inner)`.
fn call(text: &str) -> Result<(&str, &str), Refused> {
    text.split_once('(')
        .and_then(|(name, rest)| Some((name.trim(), rest.strip_suffix(')')?)))
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| unreadable(text))
}

/// The type that an identifier tells, and its 64 bits; an identifier that tells no type is refused.
fn identifier(text: &str) -> Result<(String, Option<u64>), Refused> {
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

/// Refuses a selector that still holds a predicate unknown for its type.
fn applicable(selector: &Selector) -> Result<(), Refused> {
    let legal =
        !selector.kind.is_empty() && selector.kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if legal {
        Ok(())
    } else {
        Err(refused(format!("'{}' is not a valid entity type", selector.kind)))
    }
}

fn refused(message: String) -> Refused {
    Refused::query(PARAMETER, message)
}

fn unreadable(text: &str) -> Refused {
    refused(format!("The entity selector can't be parsed at: {text}"))
}

fn not_applicable(name: &str) -> Refused {
    refused(format!("Predicate name {name} not applicable"))
}

fn typeless(text: &str) -> Refused {
    refused(format!(
        "The entitySelector parameter must contain entity type information on all levels, not determinable on level \
         with values: {text}"
    ))
}
