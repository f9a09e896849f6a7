//! `/api/v2/settings/objects`: reading auto-tags in the settings API.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use base64::Engine as _;

use super::super::super::generate::mix;
use super::super::cursor::Cursor;
use super::super::envelope::{self, Refused};
use super::super::route::Call;
use super::super::switches::{LastPage, RuleOrder, SettingsPage};
use super::definition::Record;
use super::id::{BASE64, Id};
use super::store::AutoTags;
use super::{SCHEMA_ID, SCHEMA_VERSION, SCOPE, settings_view};

/// Objects of a page unless told, and at most.
const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 500;
/// Who wrote everything, in the fields that name users.
const AUTHOR: &str = "simulator";

/// Every field of an object, in the order of answers.
const FIELDS: [&str; 15] = [
    "objectId",
    "schemaId",
    "schemaVersion",
    "scope",
    "externalId",
    "summary",
    "searchSummary",
    "created",
    "createdBy",
    "modified",
    "modifiedBy",
    "author",
    "updateToken",
    "modificationInfo",
    "value",
];

/// The object `ObjectsList`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectsList {
    items: Vec<Value>,
    total_count: usize,
    page_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_key: Option<Value>,
}

/// What a record's next change may be made conditional on: opaque, and another one after every write.
pub(super) fn update_token(record: &Record) -> String {
    let version = record.revision.version;
    let bits = [mix(version), mix(!version)].map(u64::to_be_bytes);
    BASE64.encode(bits.concat())
}

/// `GET` of a page.
pub(super) fn list(call: &Call<'_>, store: &AutoTags) -> Result<Response<Bytes>, Refused> {
    let cursor = match call.query.first("nextPageKey") {
        Some(key) => next(call, key)?,
        None => first(call)?,
    };
    let [fields, external_ids, after] = &cursor.texts;
    let fields = fields_of(fields)?;
    let after: Option<Id> = after.parse().ok();
    let wanted: Vec<&str> = list_of(external_ids);
    let is_wanted = |record: &Record| {
        let external_id = record.external_id.as_deref();
        wanted.is_empty() || external_id.is_some_and(|id| wanted.contains(&id))
    };
    let all: Vec<_> = store
        .all_shown(call.now)
        .filter(|(_, record)| is_wanted(record))
        .collect();
    let start = all.partition_point(|(id, _)| after.is_some_and(|after| *id <= after));
    let end = start.saturating_add(cursor.page_size).min(all.len());
    let page = &all[start..end];
    let more = page.last().filter(|_| end < all.len());
    let answer = ObjectsList {
        items: page
            .iter()
            .map(|(id, record)| object(call, *id, record, &fields))
            .collect(),
        total_count: all.len(),
        page_size: cursor.page_size,
        next_page_key: next_key(call, &cursor, more.map(|(id, _)| *id)),
    };
    Ok(envelope::json(200, &answer))
}

fn next_key(call: &Call<'_>, cursor: &Cursor, last: Option<Id>) -> Option<Value> {
    match (last, call.switches.last_page) {
        (Some(last), _) => {
            let mut next = cursor.clone();
            next.texts[2] = last.to_string();
            Some(next.to_string().into())
        }
        (None, LastPage::Null) => Some(Value::Null),
        (None, LastPage::Absent) => None,
    }
}

/// The first page, as the query asks for it.
fn first(call: &Call<'_>) -> Result<Cursor, Refused> {
    let (schemas, scopes) = (call.query.first("schemaIds"), call.query.first("scopes"));
    if schemas.is_none() && scopes.is_none() {
        let message = "Either schemaIds or scopes is required when nextPageKey is not set";
        return Err(Refused::query("schemaIds", message));
    }
    for (texts, known, what) in [(schemas, SCHEMA_ID, "Schema"), (scopes, SCOPE, "Scope")] {
        if let Some(other) = list_of(texts.unwrap_or_default())
            .into_iter()
            .find(|text| *text != known)
        {
            return Err(Refused::plain(404, format!("{what} '{other}' not found.")));
        }
    }
    let text = |name| call.query.first(name).unwrap_or_default().to_owned();
    Ok(Cursor {
        position: 0,
        total: 0,
        page_size: page_size(call)?,
        frame: [0; 3],
        texts: [text("fields"), text("externalIds"), String::new()],
    })
}

fn page_size(call: &Call<'_>) -> Result<usize, Refused> {
    match (call.query.positive("pageSize")?, call.switches.settings_page) {
        (None, _) => Ok(DEFAULT_PAGE),
        (Some(size), SettingsPage::Refuse) if size > MAX_PAGE => {
            let message = format!("must be less than or equal to {MAX_PAGE}");
            Err(Refused::query("pageSize", message))
        }
        (Some(size), _) => Ok(size.min(MAX_PAGE)),
    }
}

/// A later page, as its key says.
fn next(call: &Call<'_>, key: &str) -> Result<Cursor, Refused> {
    call.query.alone("nextPageKey")?;
    key.parse()
        .map_err(|()| Refused::query("nextPageKey", "The next page key is not valid"))
}

fn list_of(text: &str) -> Vec<&str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The wanted fields; identifier and value when none is named.
fn fields_of(text: &str) -> Result<Vec<&'static str>, Refused> {
    let named = list_of(text);
    if let Some(other) = named.iter().find(|name| !FIELDS.contains(name)) {
        return Err(Refused::query(
            "fields",
            format!("'{other}' is not a known field"),
        ));
    }
    let is_wanted = |field: &&str| match &*named {
        [] => matches!(*field, "objectId" | "value"),
        named => named.contains(field),
    };
    Ok(FIELDS.into_iter().filter(is_wanted).collect())
}

/// `GET` of one, with every field.
pub(super) fn get(call: &Call<'_>, store: &AutoTags, object_id: &str) -> Result<Response<Bytes>, Refused> {
    let found = Id::of_object(object_id).and_then(|id| Some((id, store.shown(id, call.now)?)));
    let (id, record) = found.ok_or_else(|| Refused::generic(StatusCode::NOT_FOUND))?;
    Ok(envelope::json(200, &object(call, id, record, &FIELDS)))
}

/// The object `SettingsObject`.
fn object(call: &Call<'_>, id: Id, record: &Record, fields: &[&'static str]) -> Value {
    let mut shown = Map::new();
    for &field in fields {
        if let Some(value) = field_of(call, id, record, field) {
            shown.insert(field.to_owned(), value);
        }
    }
    shown.into()
}

fn field_of(call: &Call<'_>, id: Id, record: &Record, field: &str) -> Option<Value> {
    Some(match field {
        "objectId" => id.object_id().into(),
        "schemaId" => SCHEMA_ID.into(),
        "schemaVersion" => SCHEMA_VERSION.into(),
        "scope" => SCOPE.into(),
        "externalId" => record.external_id.clone()?.into(),
        "summary" | "searchSummary" => record.definition.name.clone().into(),
        "created" => record.revision.created.into(),
        "modified" => record.revision.modified.into(),
        "createdBy" | "modifiedBy" | "author" => AUTHOR.into(),
        "updateToken" => update_token(record).into(),
        "modificationInfo" => json!({
            "deletable": true,
            "first": false,
            "last": false,
            "modifiable": true,
            "modifiablePaths": [],
            "movable": false,
            "nonModifiablePaths": [],
        }),
        _ if call.switches.rule_order == RuleOrder::Changed => {
            settings_view::value(&record.definition.clone().reordered())
        }
        _ => settings_view::value(&record.definition),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::api::Dynatrace;
    use super::super::super::testing::{ask, environment};
    use super::super::testing::{CONFIG, ID, OBJECTS, infrastructure, object, with};
    use super::*;

    const ALL: &str = "schemaIds=builtin:tags.auto-tagging";

    async fn get(simulator: &Dynatrace, query: &str) -> (u16, Value) {
        ask(simulator, "GET", &format!("{OBJECTS}?{query}"), "").await
    }

    async fn filled(options: &str, n: usize) -> Dynatrace {
        let simulator = environment(options);
        let item = |n| {
            with(
                object(&format!("tag-{n}")),
                "/externalId",
                json!(format!("own-{n}")),
            )
        };
        let items: Value = (0..n).map(item).collect();
        let (status, _) = ask(&simulator, "POST", OBJECTS, &items.to_string()).await;
        assert_eq!(status, 200);
        simulator
    }

    fn encoded(key: &Value) -> String {
        url::form_urlencoded::byte_serialize(key.as_str().unwrap().as_bytes()).collect()
    }

    #[tokio::test]
    async fn pages_hold_everything_once() {
        let simulator = filled("", 250).await;
        for (size, want) in [
            ("", vec![100, 100, 50]),
            ("&pageSize=125", vec![125, 125]),
            ("&pageSize=500", vec![250]),
        ] {
            let (mut seen, mut sizes) = (Vec::new(), Vec::new());
            let mut query = format!("{ALL}{size}");
            loop {
                let (status, page) = get(&simulator, &query).await;
                assert_eq!((status, &page["totalCount"]), (200, &json!(250)));
                let items = page["items"].as_array().unwrap().clone();
                sizes.push(items.len());
                seen.extend(
                    items
                        .iter()
                        .map(|item| item["value"]["name"].as_str().unwrap().to_owned()),
                );
                let Some(key) = page.get("nextPageKey") else { break };
                query = format!("nextPageKey={}", encoded(key));
            }
            assert_eq!(sizes, want);
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 250);
        }
    }

    #[tokio::test]
    async fn a_later_page_keeps_fields_and_filter_and_takes_nothing_else() {
        let simulator = filled("last-page=null", 3).await;
        let query = format!("{ALL}&fields=externalId&externalIds=own-0,own-2,own-7&pageSize=1");
        let (_, first) = get(&simulator, &query).await;
        assert_eq!(first["totalCount"], 2);
        let key = encoded(&first["nextPageKey"]);
        let (_, second) = get(&simulator, &format!("nextPageKey={key}")).await;
        assert_eq!(second["nextPageKey"], Value::Null);
        assert!(second.as_object().unwrap().contains_key("nextPageKey"));
        let mut ids = [&first, &second].map(|page| page["items"][0].to_string());
        ids.sort_unstable();
        assert_eq!(ids, [r#"{"externalId":"own-0"}"#, r#"{"externalId":"own-2"}"#]);
        for wrong in [
            format!("nextPageKey={key}&pageSize=1"),
            "nextPageKey=xyz".to_owned(),
        ] {
            assert_eq!(get(&simulator, &wrong).await.0, 400, "{wrong}");
        }
    }

    #[tokio::test]
    async fn parameters_are_looked_at() {
        let simulator = filled("", 1).await;
        for (query, status) in [
            (ALL.to_owned(), 200),
            ("scopes=environment".to_owned(), 200),
            (String::new(), 400),
            ("schemaIds=builtin:nothing".to_owned(), 404),
            (format!("{ALL}&scopes=HOST-0000000000000001"), 404),
            (format!("{ALL}&fields=colour"), 400),
            (format!("{ALL}&pageSize=0"), 400),
            (format!("{ALL}&pageSize=500"), 200),
            (format!("{ALL}&pageSize=501"), 400),
        ] {
            assert_eq!(get(&simulator, &query).await.0, status, "{query}");
        }
        let (_, page) = get(
            &filled("settings-page=clamp", 1).await,
            &format!("{ALL}&pageSize=501"),
        )
        .await;
        assert_eq!(page["pageSize"], 500);
    }

    #[tokio::test]
    async fn an_object_shows_the_fields_that_are_asked_for() {
        let simulator = filled("", 1).await;
        let fields = async |query: &str| {
            let (_, page) = get(&simulator, query).await;
            let item = page["items"][0].as_object().unwrap().clone();
            item.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(fields(ALL).await, ["objectId", "value"]);
        let some = format!("{ALL}&fields=objectId,value,updateToken");
        assert_eq!(fields(&some).await, ["objectId", "updateToken", "value"]);
        let every = format!("{ALL}&fields={}", FIELDS.join(","));
        assert_eq!(fields(&every).await, FIELDS);
        let (status, body) = ask(&simulator, "GET", &format!("{OBJECTS}/nothing"), "").await;
        assert_eq!((status, &body["error"]["code"]), (404, &json!(404)));
    }

    #[tokio::test]
    async fn rules_come_back_in_another_order_when_told() {
        let simulator = environment("rule-order=changed");
        ask(
            &simulator,
            "PUT",
            &format!("{CONFIG}/{ID}"),
            &infrastructure().to_string(),
        )
        .await;
        let (_, page) = get(&simulator, ALL).await;
        let rules = &page["items"][0]["value"]["rules"];
        assert_eq!(
            [0, 1].map(|n| rules[n]["valueFormat"].clone()),
            ["preProd", "prod"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn reads_see_an_object_only_after_the_delay() {
        let simulator = filled("visibility=2s", 1).await;
        assert_eq!(get(&simulator, ALL).await.1["totalCount"], 0);
        tokio::time::advance(Duration::from_secs(2)).await;
        let (_, page) = get(&simulator, ALL).await;
        assert_eq!(page["totalCount"], 1);
        let target = format!("{OBJECTS}/{}", page["items"][0]["objectId"].as_str().unwrap());
        assert_eq!(ask(&simulator, "DELETE", &target, "").await.0, 204);
        assert_eq!(ask(&simulator, "GET", &target, "").await.0, 200, "still seen");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(ask(&simulator, "GET", &target, "").await.0, 404);
    }
}
