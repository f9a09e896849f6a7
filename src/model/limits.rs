//! What a vendor allows, as data: each limit with the page that states it.

use super::{Class, Failure, Rule, Tag};

/// How a vendor takes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Tags are added and removed one by one.
    Delta,
    /// The whole set of an entity is replaced.
    WholeSet,
    /// A definition is put or deleted as a whole.
    Document,
}

/// Which entities of a kind a listing tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// All of them: one that is not on it does not exist, and names can be resolved by it.
    Whole,
    /// Those alone that carry a tag: enough for reading tags, and no more.
    Bearers,
    /// The vendor lists none.
    No,
}

/// How many identifiers fit into one request, counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdBudget {
    /// Characters that a request may hold for its selector.
    pub chars: usize,
    /// Characters that the selector spends beside the identifiers.
    pub fixed: usize,
    /// Characters that each identifier costs beside its own.
    pub each: usize,
}

impl IdBudget {
    /// How many identifiers of `longest` characters surely fit, at least one.
    pub fn ids(&self, longest: usize) -> usize {
        (self.chars.saturating_sub(self.fixed) / (longest + self.each).max(1)).max(1)
    }
}

/// The sizes and shapes of a vendor's requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How changes are taken.
    pub grain: Grain,
    /// Identifiers a call, where a number is stated.
    pub entities: Option<usize>,
    /// Identifiers a call, where their length counts.
    pub id_budget: Option<IdBudget>,
    /// Tags to add in one call; 0 where the kind can't be added to.
    pub adds: usize,
    /// Tags to remove in one call; 0 where nothing can be removed.
    pub removes: usize,
    /// Whether one call may add and remove.
    pub together: bool,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Which entities of a kind can be listed; names are resolved where all can.
    pub lists: Listing,
    /// Entities that one call may bring into being; 0 where the vendor's API makes none.
    pub creations: usize,
    /// Entities on a page of a listing.
    pub page: usize,
    /// Identifiers in one observation by identifier; `None` when it can only list.
    pub observe_ids: Option<IdBudget>,
    /// Where the figures come from, one line each: figure, page, documented or assumed.
    pub sources: &'static [&'static str],
}

impl Limits {
    /// How many entities of identifiers of `longest` characters fit into one call.
    pub fn entities_a_call(&self, longest: usize) -> usize {
        let by_length = self.id_budget.map_or(usize::MAX, |budget| budget.ids(longest));
        self.entities.unwrap_or(usize::MAX).min(by_length).max(1)
    }
}

/// A prefix that belongs to the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// The prefix of a key.
    pub prefix: &'static str,
    /// Why it can't be used.
    pub why: &'static str,
}

/// What a legal key or value is. Lengths are in characters (Unicode scalar values).
#[derive(Debug, Clone, Copy)]
pub struct TextRule {
    /// The shortest.
    pub min: usize,
    /// The longest.
    pub max: usize,
    /// The characters; `None` allows all but control characters.
    pub allowed: Option<fn(char) -> bool>,
}

/// Whether tags have values.
#[derive(Debug, Clone, Copy)]
pub enum ValueRule {
    /// Plain strings only: a tag is its key.
    None,
    /// A value may be there.
    Optional(TextRule),
    /// A value must be there.
    Required(TextRule),
}

/// What a legal tag is at a vendor.
#[derive(Debug, Clone)]
pub struct TagRules {
    /// The key.
    pub key: TextRule,
    /// The value.
    pub value: ValueRule,
    /// Manual tags an entity may carry.
    pub tags_per_entity: Option<usize>,
    /// Prefixes of keys that are the vendor's.
    pub reserved: &'static [Reserved],
    /// The separator by which a value-only vendor's strings are read as key and value.
    pub join: Option<String>,
    /// Where the rules come from.
    pub sources: &'static [&'static str],
}

impl TagRules {
    /// Whether a rule of a job can be meant at all here: without values and without `join` only adding and removing can.
    pub fn allows(&self, rule: Rule) -> bool {
        let keyed = !matches!(self.value, ValueRule::None) || self.join.is_some();
        keyed || matches!(rule, Rule::Add | Rule::Remove | Rule::Retire)
    }

    /// Checks a tag, and says what is wrong with it and what to do: of class [`Class::TooLong`] where it is only too long,
    /// else of class [`Class::Illegal`].
    pub fn check(&self, tag: &Tag) -> Result<(), Failure> {
        if let Some(reserved) = self
            .reserved
            .iter()
            .find(|reserved| tag.key.starts_with(reserved.prefix))
        {
            return illegal(format!(
                "key `{}` begins with `{}`: {}",
                tag.key, reserved.prefix, reserved.why
            ));
        }
        if let (ValueRule::None, Some(join)) = (&self.value, &self.join) {
            return self.check_joined(tag, join);
        }
        if let (ValueRule::None, Some(value)) = (&self.value, &tag.value) {
            return illegal(format!(
                "tag `{}:{value}` has a value, and this API knows plain strings only; give the connection a `join`",
                tag.key
            ));
        }
        self.key.check("key", &tag.key)?;
        match (&self.value, &tag.value) {
            (ValueRule::Required(_), None) => illegal(format!(
                "tag `{}` has no value, and this API requires one",
                tag.key
            )),
            (ValueRule::Optional(rule) | ValueRule::Required(rule), Some(value)) => {
                rule.check(&format!("value of `{}`", tag.key), value)
            }
            (ValueRule::None, _) | (ValueRule::Optional(_), None) => Ok(()),
        }
    }

    /// The same for a tag that is written as key and value around a separator.
    fn check_joined(&self, tag: &Tag, join: &str) -> Result<(), Failure> {
        if tag.key.contains(join) {
            return illegal(format!(
                "key `{}` holds the separator `{join}` and would be read back otherwise",
                tag.key
            ));
        }
        let joined = tag
            .value
            .as_ref()
            .map_or_else(|| tag.key.clone(), |value| format!("{}{join}{value}", tag.key));
        if let Some(value) = &tag.value
            && joined.split_once(join) != Some((tag.key.as_str(), value.as_str()))
        {
            return illegal(format!(
                "tag `{tag}` would be read back otherwise from `{joined}`"
            ));
        }
        if tag.key.is_empty() {
            return illegal("key is empty".to_owned());
        }
        self.key.check("tag", &joined)
    }
}

impl TextRule {
    fn check(&self, what: &str, text: &str) -> Result<(), Failure> {
        let length = text.chars().count();
        if length < self.min {
            return illegal(format!("{what} is empty"));
        }
        if length > self.max {
            let why = format!(
                "{what} has {length} characters, and at most {} are allowed",
                self.max
            );
            return Err(Failure::new(Class::TooLong, why));
        }
        let legal = |c: char| self.allowed.map_or(!c.is_control(), |allowed| allowed(c));
        match text.chars().find(|c| !legal(*c)) {
            Some(bad) if bad.is_ascii_graphic() => {
                illegal(format!("{what} holds `{bad}`, which is not allowed"))
            }
            Some(bad) => illegal(format!(
                "{what} holds {}, which is not allowed",
                bad.escape_unicode()
            )),
            None => Ok(()),
        }
    }
}

fn illegal(why: String) -> Result<(), Failure> {
    Err(Failure::new(Class::Illegal, why))
}
