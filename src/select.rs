//! Which live entities are meant: a pattern for their names, and tags that they carry. Pure: the engine brings the
//! entities.

use glob::Pattern;

use crate::model::{LiveEntity, LiveTag, Tag};

/// What an entity must be like; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    name: Option<Pattern>,
    /// A tag without a value stands for every value of its key.
    tags: Vec<Tag>,
    /// Criteria in the vendor's own words: it alone can look at them.
    selector: Option<String>,
}

/// What can't be meant, as a fragment of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The pattern.
    #[error("`{pattern}` is no pattern: {why}; `*`, `?` and `[…]` stand for characters")]
    Name {
        /// What was written.
        pattern: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// One of the tags.
    #[error("`{0}` names no key; write `KEY`, or `KEY=VALUE`")]
    Tag(String),
}

impl Filter {
    /// Reads a pattern such as `web-*`, and tags written `KEY` or `KEY=VALUE`, which are split at the first `=`.
    pub fn parse(name: Option<&str>, tags: &[String]) -> Result<Self, FilterError> {
        let pattern = |text: &str| {
            Pattern::new(text).map_err(|error| FilterError::Name {
                pattern: text.to_owned(),
                why: error.msg,
            })
        };
        Ok(Self {
            name: name.map(pattern).transpose()?,
            tags: tags.iter().map(|text| tag(text)).collect::<Result<_, _>>()?,
            selector: None,
        })
    }

    /// The filter with criteria in the vendor's own words.
    #[must_use]
    pub fn selecting(self, selector: Option<&str>) -> Self {
        Self {
            selector: selector.map(|text| text.trim().to_owned()),
            ..self
        }
    }

    /// These criteria.
    pub fn selector(&self) -> Option<&str> {
        self.selector.as_deref()
    }

    /// The pattern as it is written.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Pattern::as_str)
    }

    /// The tags, those without a value standing for every value of their key.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// The filter with other tags.
    #[must_use]
    pub fn with_tags(self, tags: &[Tag]) -> Self {
        Self {
            tags: tags.to_vec(),
            ..self
        }
    }

    /// The filter with its pattern in the form in which names are compared.
    #[must_use]
    pub fn folded(&self, fold: impl Fn(&str) -> String) -> Self {
        let name = self.name.as_ref();
        // A pattern whose folded form is none would be one of letters alone, which this is not.
        let folded = name.map(|name| Pattern::new(&fold(name.as_str())).unwrap_or_else(|_| name.clone()));
        Self {
            name: folded,
            ..self.clone()
        }
    }

    /// Whether an entity's name fits, in the form in which names are compared. One without a name fits no pattern.
    pub fn fits_name(&self, name: Option<&str>) -> bool {
        match &self.name {
            Some(pattern) => name.is_some_and(|name| pattern.matches(name)),
            None => true,
        }
    }

    /// Whether an entity carries what it must; `None` when it is not told what it carries, and that matters.
    pub fn fits_tags(&self, entity: &LiveEntity) -> Option<bool> {
        if self.tags.is_empty() {
            return Some(true);
        }
        let carried = entity.tags.as_deref()?;
        Some(
            self.tags
                .iter()
                .all(|tag| carried.iter().any(|live| is(live, tag))),
        )
    }
}

fn tag(text: &str) -> Result<Tag, FilterError> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (text, None),
    };
    if key.trim().is_empty() {
        return Err(FilterError::Tag(text.to_owned()));
    }
    Ok(Tag::new(key.trim(), value))
}

fn is(live: &LiveTag, wanted: &Tag) -> bool {
    live.tag.key == wanted.key && (wanted.value.is_none() || live.tag.value == wanted.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provenance;

    fn filter(name: Option<&str>, tags: &[&str]) -> Filter {
        let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        Filter::parse(name, &tags).unwrap()
    }

    fn entity(tags: Option<&[(&str, &str)]>) -> LiveEntity {
        let live = |(key, value): &(&str, &str)| LiveTag {
            tag: Tag::new(*key, Some(*value)),
            provenance: Provenance::Automatic,
        };
        LiveEntity {
            id: "HOST-1".to_owned(),
            name: None,
            tags: tags.map(|tags| tags.iter().map(live).collect()),
            handle: None,
        }
    }

    #[test]
    fn a_name_fits_its_pattern_as_the_vendor_compares_names() {
        for (pattern, name, fits) in [
            (None, None, true),
            (None, Some("web-1"), true),
            (Some("web-*"), Some("web-1"), true),
            (Some("WEB-*"), Some("web-1"), true),
            (Some("web-?"), Some("web-12"), false),
            (Some("*/[a-c]*"), Some("eu/west/b1"), true),
            (Some("web-*"), Some("app-web-1"), false),
            (Some("*"), None, false),
            (Some(""), Some("a"), false),
        ] {
            let filter = filter(pattern, &[]).folded(str::to_lowercase);
            assert_eq!(filter.fits_name(name), fits, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn every_tag_that_is_named_must_be_carried_by_key_or_by_key_and_value() {
        let carried: &[(&str, &str)] = &[("env", "prod"), ("env", "dev"), ("bare", ""), ("url", "a=b")];
        for (tags, fits) in [
            (&[][..], true),
            (&["env"], true),
            (&["env=prod"], true),
            (&["env=prod", "env=dev", "bare"], true),
            (&["env=test"], false),
            (&["env=prod", "owner"], false),
            (&["url=a=b"], true),
            (&[" bare "], true),
            (&["bare="], true),
            (&["Env"], false),
        ] {
            let filter = filter(None, tags);
            assert_eq!(filter.fits_tags(&entity(Some(carried))), Some(fits), "{tags:?}");
            let hidden = filter.fits_tags(&entity(None));
            assert_eq!(hidden, tags.is_empty().then_some(true), "{tags:?}");
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_the_form_to_write() {
        let refused = |name, tag: &[&str]| {
            let tags: Vec<String> = tag.iter().map(|&tag| tag.to_owned()).collect();
            Filter::parse(name, &tags).unwrap_err().to_string()
        };
        assert!(refused(Some("web-[1"), &[]).starts_with("`web-[1` is no pattern: invalid range pattern;"));
        assert_eq!(
            refused(None, &["=prod"]),
            "`=prod` names no key; write `KEY`, or `KEY=VALUE`"
        );
        assert_eq!(
            refused(None, &["a", ""]),
            "`` names no key; write `KEY`, or `KEY=VALUE`"
        );
    }
}
