//! The shapes of accepted answers, as far as they are read.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::complaint;
use crate::model::{Tag, TagSet};
use crate::vendor::VendorError;
use crate::wire::Response;

/// A tag as both APIs report it (`METag` of v2, `TagInfo` of v1). `stringRepresentation` is not read: whether
/// it escapes colons is not documented.
#[derive(Debug, Deserialize)]
pub(super) struct MeTag {
    context: String,
    key: String,
    #[serde(default)]
    value: Option<String>,
}

impl MeTag {
    /// The tag, unless it has a context: those are imported, and no API can change them. The specification
    /// spells contexts in capitals and other sources do not.
    pub(super) fn contextless(self) -> Option<Tag> {
        let Self { context, key, value } = self;
        context
            .eq_ignore_ascii_case("CONTEXTLESS")
            .then(|| Tag::new(key, value))
    }
}

/// A page of `GET /api/v2/entities`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntitiesPage {
    pub(super) entities: Vec<EntityV2>,
    #[serde(default)]
    pub(super) total_count: Option<u64>,
    #[serde(default)]
    pub(super) page_size: Option<u64>,
    #[serde(default)]
    pub(super) next_page_key: Option<String>,
}

/// An entity on it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntityV2 {
    pub(super) entity_id: String,
    #[serde(default)]
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<MeTag>,
}

/// The answer to `GET /api/v2/tags`.
#[derive(Debug, Deserialize)]
pub(super) struct CustomEntityTags {
    tags: Vec<MeTag>,
}

impl CustomEntityTags {
    /// The tags that can be changed.
    pub(super) fn contextless(self) -> TagSet {
        self.tags.into_iter().filter_map(MeTag::contextless).collect()
    }
}

/// An entity of v1's lists, which are bare arrays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntityV1 {
    pub(super) entity_id: String,
    #[serde(default)]
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) discovered_name: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<MeTag>,
}

/// How many entities a change matched: the answer to `POST` and `DELETE /api/v2/tags`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Matched {
    matched_entities_count: u64,
}

/// Reads `matchedEntitiesCount`, when it is there and is a count.
pub(super) fn matched(answer: &Response) -> Option<u64> {
    serde_json::from_slice(&answer.body)
        .ok()
        .map(|matched: Matched| matched.matched_entities_count)
}

/// Reads an answer, or says what it is instead. `what` names it.
pub(super) fn read<T: DeserializeOwned>(answer: &Response, what: &str) -> Result<T, VendorError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let problem = complaint::unreadable(answer).unwrap_or_else(|| error.to_string());
        VendorError::BadAnswer(format!("{what} can't be read: {problem}"))
    })
}

/// The shape that an answer must have before anything is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object with a list of `entities`.
    Entities,
    /// An object with a list of `tags`.
    Tags,
    /// An object that tells a count.
    Count,
    /// A bare array.
    Array,
    /// An object with a list of `values`.
    Values,
    /// An object with a list of `items`.
    Items,
    /// A definition: an object with a `name`.
    Definition,
    /// What became of settings objects: one of them, or a list.
    Results,
    /// Nothing is promised; what comes nevertheless must be JSON.
    Nothing,
}

impl Shape {
    /// Whether an answer has this shape. Nothing is kept, so that a large page costs no memory.
    pub(super) fn fits(self, body: &[u8]) -> bool {
        match self {
            Self::Entities => is::<HasEntities>(body),
            Self::Tags => is::<HasTags>(body),
            Self::Count => is::<Matched>(body),
            Self::Array => is::<Vec<IgnoredAny>>(body),
            Self::Values => is::<HasValues>(body),
            Self::Items => is::<HasItems>(body),
            Self::Definition => is::<HasName>(body),
            Self::Results => is::<HasCode>(body) || is::<Vec<HasCode>>(body),
            Self::Nothing => body.trim_ascii().is_empty() || is::<IgnoredAny>(body),
        }
    }
}

#[derive(Deserialize)]
struct HasEntities {
    #[serde(rename = "entities")]
    _entities: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct HasTags {
    #[serde(rename = "tags")]
    _tags: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct HasValues {
    #[serde(rename = "values")]
    _values: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct HasItems {
    #[serde(rename = "items")]
    _items: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct HasName {
    #[serde(rename = "name")]
    _name: String,
}

#[derive(Deserialize)]
struct HasCode {
    #[serde(rename = "code")]
    _code: u16,
}

fn is<T: DeserializeOwned>(body: &[u8]) -> bool {
    serde_json::from_slice::<T>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_contextless_tags_are_taken_in_whatever_case() {
        let tag = |key: &str, value: Option<&str>| Some(Tag::new(key, value));
        for (text, want) in [
            (
                r#"{"context":"CONTEXTLESS","key":"mainApp","stringRepresentation":"mainApp"}"#,
                tag("mainApp", None),
            ),
            (
                r#"{"context":"Contextless","key":"a","value":"b"}"#,
                tag("a", Some("b")),
            ),
            (
                r#"{"context":"CONTEXTLESS","key":"a","value":""}"#,
                tag("a", None),
            ),
            (
                r#"{"context":"CONTEXTLESS","key":"a","value":null}"#,
                tag("a", None),
            ),
            (
                r#"{"context":"CONTEXTLESS","key":"u:r\"l","value":"http://x","stringRepresentation":"?"}"#,
                tag("u:r\"l", Some("http://x")),
            ),
            (r#"{"context":"ENVIRONMENT","key":"a","value":"b"}"#, None),
            (r#"{"context":"AWS","key":"a"}"#, None),
            (r#"{"context":"SOMETHING_NEW","key":"a"}"#, None),
        ] {
            let read: MeTag = serde_json::from_str(text).unwrap();
            assert_eq!(read.contextless(), want, "{text}");
        }
    }

    #[test]
    fn shapes_tell_answers_from_other_json() {
        use Shape::{Array, Count, Definition, Entities, Items, Nothing, Results, Tags, Values};
        for (shape, body, fits) in [
            (Entities, r#"{"totalCount":0,"entities":[]}"#, true),
            (Entities, r#"{"entities":[{"entityId":"HOST-1"#, false),
            (Entities, r#"{"error":{"code":400,"message":"no"}}"#, false),
            (Entities, "[]", false),
            (Entities, "", false),
            (Tags, r#"{"tags":[]}"#, true),
            (Tags, r#"{"entities":[]}"#, false),
            (Count, r#"{"matchedEntitiesCount": 1}"#, true),
            (Count, r#"{"matchedEntitiesCount": -1}"#, false),
            (Count, r#"{"matchedEntitiesCount": "1"}"#, false),
            (Count, r#"{"appliedTags": []}"#, false),
            (Count, "<html>", false),
            (Array, "[]", true),
            (Array, r#"[{"entityId":"HOST-1"}]"#, true),
            (Array, r#"{"entities":[]}"#, false),
            (Values, r#"{"values":[]}"#, true),
            (Values, r#"{"values":{}}"#, false),
            (Values, "[]", false),
            (Items, r#"{"items":[],"totalCount":0}"#, true),
            (Items, r#"{"values":[]}"#, false),
            (Definition, r#"{"name":"env","rules":[]}"#, true),
            (Definition, r#"{"name":null}"#, false),
            (Definition, r#"{"error":{"code":500}}"#, false),
            (Definition, "null", false),
            (Results, r#"[{"code":200,"objectId":"x"}]"#, true),
            (Results, r#"{"code":409}"#, true),
            (Results, "[]", true),
            (Results, r#"[{"objectId":"x"}]"#, false),
            (Results, r#"{"error":{"code":403}}"#, false),
            (Nothing, "", true),
            (Nothing, " \r\n", true),
            (Nothing, "{}", true),
            (Nothing, "<!doctype html>", false),
        ] {
            assert_eq!(shape.fits(body.as_bytes()), fits, "{shape:?} {body}");
        }
    }
}
