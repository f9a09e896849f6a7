//! Pages of settings objects, read as live definitions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::definition::{self, Object};
use super::form::Form;
use crate::model::LiveEntity;
use crate::vendor::dynatrace::answer;
use crate::vendor::{Cursor, Page, VendorError};
use crate::wire::Response;

/// What a change of an object has to name: [`LiveEntity::handle`] as text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handle {
    /// The object.
    pub(super) object_id: String,
    /// What it looked like, so that a change in between is found.
    pub(super) update_token: Option<String>,
}

impl Handle {
    /// Reads the text of a handle.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// `ObjectsList`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectsList {
    items: Vec<SettingsObject>,
    #[serde(default)]
    total_count: Option<u64>,
    #[serde(default)]
    page_size: Option<u64>,
    #[serde(default)]
    next_page_key: Option<String>,
}

/// An object, as far as it was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettingsObject {
    #[serde(default)]
    object_id: Option<String>,
    #[serde(default)]
    update_token: Option<String>,
    value: Object,
}

/// Reads a page of definitions.
pub(super) fn page(answer: &Response) -> Result<Page, VendorError> {
    let ObjectsList {
        items,
        total_count,
        page_size,
        next_page_key,
    } = answer::read(answer, "a page of auto-tags")?;
    let mut seen = BTreeSet::new();
    let once = items
        .into_iter()
        .filter(|item| item.object_id.as_ref().is_none_or(|id| seen.insert(id.clone())));
    let entities: Vec<LiveEntity> = once.map(live).collect::<Result<_, _>>()?;
    Ok(Page {
        entities: told_apart(entities),
        next: next_page_key.filter(|key| !key.is_empty()).map(Cursor),
        total: total_count,
        page_size,
    })
}

/// A live definition. Without a name nobody could say which it is, and one that is wanted would seem to be missing.
fn live(object: SettingsObject) -> Result<LiveEntity, VendorError> {
    let SettingsObject {
        object_id,
        update_token,
        value,
    } = object;
    let name = definition::name_of(&value).map(str::to_owned).ok_or_else(|| {
        VendorError::BadAnswer("a page of auto-tags can't be read: an object on it has no name".to_owned())
    })?;
    let handle = object_id.filter(|id| can_be_named(id)).map(|object_id| Handle {
        object_id,
        update_token,
    });
    Ok(LiveEntity {
        id: name.clone(),
        name: Some(name),
        tags: Some(vec![definition::live(Form::Settings, value)]),
        handle: handle.and_then(|handle| serde_json::to_string(&handle).ok()),
    })
}

/// Whether an identifier can stand in a path. Encoded or not, URLs drop segments of dots, and the request would mean
/// another resource.
fn can_be_named(object_id: &str) -> bool {
    !matches!(object_id, "" | "." | "..")
}

/// Names are unique by the schema. Where several objects of a page bear one all the same, none of them is the definition
/// that is meant: each gets an identifier of its own, so that the name is ambiguous, and nothing is written over.
fn told_apart(mut entities: Vec<LiveEntity>) -> Vec<LiveEntity> {
    let mut bearers: BTreeMap<String, usize> = BTreeMap::new();
    for entity in &entities {
        *bearers.entry(entity.id.clone()).or_default() += 1;
    }
    let several = |id: &str| bearers.get(id).is_some_and(|bearers| *bearers > 1);
    for entity in entities.iter_mut().filter(|entity| several(&entity.id)) {
        let handle = entity.handle.as_deref().and_then(Handle::read);
        let object_id = handle.map_or_else(|| "of unknown identifier".to_owned(), |handle| handle.object_id);
        entity.id = format!("{} ({object_id})", entity.id);
    }
    entities
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::json;

    use super::*;
    use crate::model::{DOCUMENT_KEY, LiveTag, Provenance, Tag};

    fn answer(body: &str) -> Response {
        Response {
            status: 200,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn ids(body: &serde_json::Value) -> Vec<String> {
        let page = page(&answer(&body.to_string())).unwrap();
        page.entities.into_iter().map(|entity| entity.id).collect()
    }

    #[test]
    fn a_page_is_read_with_what_writing_back_needs() {
        let page = page(&answer(
            r#"{"items":[{"objectId":"vu9U3hXa3q0","updateToken":"vu9U3hXY3q0","value":{"name":"env","rules":[],
                "description":null},"author":"x"}],"totalCount":501,"pageSize":500,"nextPageKey":"AQAA=="}"#,
        ));
        let want = LiveEntity {
            id: "env".to_owned(),
            name: Some("env".to_owned()),
            tags: Some(vec![LiveTag {
                tag: Tag::new(
                    DOCUMENT_KEY,
                    Some(r#"{"name":"env","rules":[],"description":null}"#),
                ),
                provenance: Provenance::Manual,
            }]),
            handle: Some(r#"{"object_id":"vu9U3hXa3q0","update_token":"vu9U3hXY3q0"}"#.to_owned()),
        };
        assert_eq!(
            page,
            Ok(Page {
                entities: vec![want],
                next: Some(Cursor("AQAA==".to_owned())),
                total: Some(501),
                page_size: Some(500),
            })
        );
    }

    #[test]
    fn the_last_page_has_no_cursor_however_it_says_so() {
        for more in ["", r#","nextPageKey":null"#, r#","nextPageKey":"""#] {
            let page = page(&answer(&format!(r#"{{"items":[]{more}}}"#))).unwrap();
            assert_eq!(page, Page::default(), "{more}");
        }
    }

    #[test]
    fn an_object_without_identifier_is_shown_and_can_not_be_written() {
        for object in [
            json!({"value":{"name":"env"}}),
            json!({"objectId":null,"value":{"name":"env"}}),
            json!({"objectId":"","updateToken":"t","value":{"name":"env"}}),
            json!({"objectId":"..","updateToken":"t","value":{"name":"env"}}),
        ] {
            let page = page(&answer(&json!({"items":[object]}).to_string())).unwrap();
            assert_eq!(page.entities[0].id, "env");
            assert_eq!(page.entities[0].handle, None, "{object}");
        }
    }

    #[test]
    fn what_bears_one_name_is_told_apart() {
        let object = |id: &str, name: &str| json!({"objectId":id,"value":{"name":name}});
        for (items, want) in [
            (json!([object("1", "a"), object("2", "b")]), vec!["a", "b"]),
            (json!([object("1", "a"), object("2", "A")]), vec!["a", "A"]),
            (json!([object("1", "a"), object("1", "a")]), vec!["a"]),
            (
                json!([object("1", "a"), object("2", "a"), object("3", "b")]),
                vec!["a (1)", "a (2)", "b"],
            ),
            (
                json!([{"value":{"name":"a"}}, object("2", "a")]),
                vec!["a (of unknown identifier)", "a (2)"],
            ),
        ] {
            assert_eq!(ids(&json!({"items":items})), want, "{items}");
        }
    }

    #[test]
    fn what_can_not_be_told_is_no_page() {
        for body in [
            "",
            "<html>",
            "null",
            "[]",
            r#"{"items":[{"objectId":"1"}]}"#,
            r#"{"items":[{"objectId":"1","value":{}}]}"#,
            r#"{"items":[{"objectId":"1","value":{"name":""}}]}"#,
            r#"{"items":[{"objectId":"1","value":"{}"}]}"#,
            r#"{"items":[{"objectId":"1","value":{"name":"a"}}"#,
        ] {
            let error = page(&answer(body)).unwrap_err().to_string();
            assert!(
                error.starts_with("a page of auto-tags can't be read: "),
                "{error}"
            );
        }
    }
}
