//! One `[[tag]]`: a compiled rule for one tag.

use super::condition::Condition;
use super::error::{MappingError, Place};
use super::lookup::Lookups;
use super::options::{Empty, TagOptions};
use super::row::Row;
use super::template::Template;
use super::wishes::Wishes;
use crate::model::Rule;

/// A compiled `[[tag]]`.
#[derive(Debug, Clone)]
pub(super) struct TagRule {
    place: Place,
    key: Template,
    value: Option<Template>,
    when: Option<Condition>,
    rule: Rule,
    replaces: Option<String>,
    empty: Empty,
}

impl TagRule {
    /// Compiles the `[[tag]]` that stands at `index`; collects everything that is wrong with it.
    pub(super) fn compile(
        options: &TagOptions,
        index: usize,
        lookups: &Lookups,
        errors: &mut Vec<MappingError>,
    ) -> Option<Self> {
        let place = Place {
            table: "tag",
            index: Some(index),
            key: "key",
        };
        let value = options.value.as_deref();
        let value = value.map(|value| Template::compile(value, place.with_key("value"), lookups));
        let when = options.when.as_deref();
        let when = when.map(|when| Condition::compile(when, place.with_key("when"), lookups));
        let key = kept(Template::compile(&options.key, place, lookups), errors);
        let value = kept(value.transpose(), errors);
        let when = kept(when.transpose(), errors);
        let rule = Self {
            place,
            key: key?,
            value: value?,
            when: when?,
            rule: options.action,
            replaces: options.replaces.as_deref().map(|key| key.trim().to_owned()),
            empty: options.empty,
        };
        kept(rule.check(), errors).map(|()| rule)
    }

    /// Refuses what can only be a mistake.
    fn check(&self) -> Result<(), MappingError> {
        if self.key.constant() == Some("") {
            return Err(MappingError::never(self.place, "the key is empty"));
        }
        if let Some(wrong) = self.wrong_replacement() {
            return Err(MappingError::refused(self.place.with_key("replaces"), wrong));
        }
        if self.rule == Rule::Remove && self.empty == Empty::Bare {
            return Err(MappingError::refused(
                self.place.with_key("empty"),
                "`bare` means nothing with `action = \"remove\"`; use `empty = \"remove\"` to remove every value",
            ));
        }
        let value = self.value.as_ref().and_then(Template::constant);
        if value == Some("") && matches!(self.empty, Empty::Skip | Empty::Reject) {
            return Err(MappingError::never(
                self.place.with_key("value"),
                "the value is empty; leave `value` out for a tag without one",
            ));
        }
        Ok(())
    }

    /// Why the tag can't take the place of the key that it names.
    fn wrong_replacement(&self) -> Option<&'static str> {
        let replaced = self.replaces.as_deref()?;
        if replaced.is_empty() {
            Some("the key is empty")
        } else if !matches!(self.rule, Rule::Set | Rule::Add | Rule::Fill) || self.empty == Empty::Remove {
            Some("only a tag that comes can take the place of another: use `set`, `add` or `fill`")
        } else if self.key.constant() == Some(replaced) {
            Some("a key can't take its own place")
        } else {
            None
        }
    }

    /// Asks for what the rule makes of a row. `Err` says why the row can't be mapped.
    pub(super) fn apply(&mut self, row: &Row<'_>, wishes: &mut Wishes) -> Result<(), String> {
        let place = self.place;
        let at = |key: &'static str| move |why: String| format!("`{}`: {why}", place.with_key(key));
        if let Some(when) = &mut self.when
            && !when.holds(row).map_err(at("when"))?
        {
            return Ok(());
        }
        let key = self.key.render(row).map_err(at("key"))?;
        let before = wishes.len();
        if let Some(value) = &mut self.value {
            let value = value.render(row).map_err(at("value"))?;
            let to_blame = if key.is_empty() { "key" } else { "value" };
            wishes
                .ask(self.rule, key, value, self.empty)
                .map_err(at(to_blame))?;
        } else {
            wishes.ask_bare(self.rule, key, self.empty).map_err(at("key"))?;
        }
        // What asks for nothing replaces nothing.
        if let Some(replaced) = self.replaces.as_deref().filter(|_| wishes.len() > before) {
            wishes.retire(replaced);
        }
        Ok(())
    }

    /// The fields that it is known to name.
    pub(super) fn fields(&self) -> Vec<&str> {
        let mut fields = self.key.fields();
        fields.extend(self.value.iter().flat_map(Template::fields));
        fields.extend(self.when.iter().flat_map(Condition::fields));
        fields
    }
}

/// What was made, or else its error among the others.
fn kept<T>(made: Result<T, MappingError>, errors: &mut Vec<MappingError>) -> Option<T> {
    made.map_err(|error| errors.push(error)).ok()
}
