//! `/api/v2/entities`: entities with their tags of every origin, page by page.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::inventory::identifier;
use super::cursor::Cursor;
use super::envelope::{Refused, json};
use super::fields::{Fields, Part};
use super::route::Call;
use super::selection::{Selection, View};
use super::switches::LastPage;
use super::tag_text::CONTEXTLESS;
use super::tags::{MAX_SELECTOR, MeTag, read_selector, selector_text};
use super::time_frame::{HOUR, TimeFrame};
use super::world::{EntityIndex, World};

/// Without `from`, entities of the last three days.
const DEFAULT_FRAME: i64 = 72 * HOUR;
/// Entities of a page unless told.
const DEFAULT_PAGE: usize = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedEntity<'a> {
    entity_id: String,
    r#type: &'a str,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen_tms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_tms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<MeTag<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    management_zones: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_relationships: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_relationships: Option<Map<String, Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntitiesList<'a> {
    total_count: usize,
    page_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_key: Option<Value>,
    entities: Vec<ListedEntity<'a>>,
}

/// `GET` of a page.
pub(super) fn list(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    match call.query.first("nextPageKey") {
        Some(key) => go_on(call, world, key),
        None => begin(call, world),
    }
}

fn begin(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    let TimeFrame { from, to, now } = TimeFrame::of(&call.query, call.now, DEFAULT_FRAME)?;
    let text = |name| call.query.first(name).unwrap_or_default().to_owned();
    let wanted = call.query.positive("pageSize")?.unwrap_or(DEFAULT_PAGE);
    let mut cursor = Cursor {
        position: 0,
        total: 0,
        page_size: wanted.min(call.spec.max_page),
        frame: [from, to, now],
        texts: [text("entitySelector"), text("fields"), text("sort")],
    };
    selector_text(call)?;
    let selection = selection(call, world, &cursor)?;
    cursor.total = selection.all().count();
    page(call, world, &selection, &cursor)
}

fn go_on(call: &Call<'_>, world: &World, key: &str) -> Result<Response<Bytes>, Refused> {
    call.query.alone("nextPageKey")?;
    let cursor: Cursor = key
        .parse()
        .ok()
        .filter(|cursor: &Cursor| cursor.texts[0].chars().count() <= MAX_SELECTOR)
        .ok_or_else(|| Refused::query("nextPageKey", "The next page key is not valid"))?;
    let selection = selection(call, world, &cursor)?;
    page(call, world, &selection, &cursor)
}

fn selection<'w>(call: &Call<'_>, world: &'w World, cursor: &Cursor) -> Result<Selection<'w>, Refused> {
    let [from, to, now] = cursor.frame;
    let frame = TimeFrame { from, to, now };
    let selector = read_selector(call, &cursor.texts[0], now)?;
    Ok(Selection::of(
        selector,
        world,
        frame,
        View::Read(call.now),
        call.switches.bare_tag,
    ))
}

fn page(
    call: &Call<'_>,
    world: &World,
    selection: &Selection<'_>,
    cursor: &Cursor,
) -> Result<Response<Bytes>, Refused> {
    let kind = selection.kind();
    let fields = Fields::parse(&cursor.texts[1], kind)?;
    let (indices, next) = slice(world, selection, cursor)?;
    let show = |&index: &EntityIndex| entity(call, world, index, &fields);
    let next_page_key = match (next, call.switches.last_page) {
        (Some(position), _) => Some(cursor.at(position).to_string().into()),
        (None, LastPage::Null) => Some(Value::Null),
        (None, LastPage::Absent) => None,
    };
    let entities = indices.iter().map(show).collect();
    Ok(json(
        200,
        &EntitiesList {
            total_count: cursor.total,
            page_size: cursor.page_size,
            next_page_key,
            entities,
        },
    ))
}

/// The entities of a page, and the position of the next one.
fn slice(
    world: &World,
    selection: &Selection<'_>,
    cursor: &Cursor,
) -> Result<(Vec<EntityIndex>, Option<usize>), Refused> {
    let descending = match cursor.texts[2].trim() {
        "" => return Ok(selection.page(cursor.position, cursor.page_size)),
        "name" | "+name" => false,
        "-name" => true,
        other => {
            return Err(Refused::query(
                "sort",
                format!("'{other}' is not a valid sort order"),
            ));
        }
    };
    let mut all: Vec<EntityIndex> = selection.all().collect();
    all.sort_by_key(|&index| world.name(index));
    if descending {
        all.reverse();
    }
    let end = cursor.position.saturating_add(cursor.page_size).min(all.len());
    let next = (end < all.len()).then_some(end);
    Ok((all.get(cursor.position..end).unwrap_or_default().to_vec(), next))
}

/// `GET` of one entity. Without `fields` it shows everything.
pub(super) fn get(call: &Call<'_>, world: &World, id: &str) -> Result<Response<Bytes>, Refused> {
    let unknown = || Refused::generic(StatusCode::NOT_FOUND);
    let (kind, bits) = identifier(id).ok_or_else(unknown)?;
    let index = world.find(&kind, bits).ok_or_else(unknown)?;
    let frame = TimeFrame::of(&call.query, call.now, DEFAULT_FRAME)?;
    if !frame.holds(world.last_seen(index, call.now)) {
        return Err(unknown());
    }
    let fields = match call.query.first("fields") {
        Some(text) => Fields::parse(text, &kind)?,
        None => Fields::all(&kind),
    };
    Ok(json(200, &entity(call, world, index, &fields)))
}

fn entity<'a>(call: &Call<'_>, world: &'a World, index: EntityIndex, fields: &Fields) -> ListedEntity<'a> {
    let name = world.name(index);
    ListedEntity {
        entity_id: world.id(index),
        r#type: world.kind(index),
        display_name: name,
        first_seen_tms: fields
            .has(Part::FirstSeen)
            .then(|| world.first_seen(index, call.now)),
        last_seen_tms: fields
            .has(Part::LastSeen)
            .then(|| world.last_seen(index, call.now)),
        properties: fields.properties(name),
        tags: fields.has(Part::Tags).then(|| tags(call, world, index)),
        management_zones: fields.has(Part::ManagementZones).then_some([]),
        from_relationships: fields.has(Part::FromRelationships).then(Map::new),
        to_relationships: fields.has(Part::ToRelationships).then(Map::new),
    }
}

/// Every tag of an entity, whatever made it. Those of rules look like manual ones here.
fn tags<'a>(call: &Call<'_>, world: &'a World, index: EntityIndex) -> Vec<MeTag<'a>> {
    let style = call.switches.representation;
    everything(call, world, index)
        .into_iter()
        .map(|(context, key, value)| MeTag::new(context, key, value, style))
        .collect()
}

/// The tags of an entity as a set of context, key and value: a pair that is there by hand and by a rule is there once.
pub(super) fn everything<'a>(
    call: &Call<'_>,
    world: &'a World,
    index: EntityIndex,
) -> Vec<(&'a str, &'a str, Option<&'a str>)> {
    let manual = world.shown(index, call.now).iter().map(|&tag| {
        let (key, value) = world.tag(tag);
        (CONTEXTLESS, key, value)
    });
    let mut all: Vec<_> = manual.collect();
    for &(context, key, value) in world.given(index) {
        let tag = (context, key, Some(value));
        if !all.contains(&tag) {
            all.push(tag);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{IDLE, OLD, RULED, WEB1, ask, complaint, environment};

    const LIST: &str = "/api/v2/entities?entitySelector=type(HOST)";

    fn ids(page: &Value) -> Vec<&str> {
        page["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entity| entity["entityId"].as_str().unwrap())
            .collect()
    }

    fn next(page: &Value) -> Option<String> {
        let key = page["nextPageKey"].as_str()?;
        Some(url::form_urlencoded::byte_serialize(key.as_bytes()).collect())
    }

    #[tokio::test]
    async fn a_page_is_followed_by_a_key_that_comes_alone() {
        let simulator = environment("");
        let target = format!("{LIST}&pageSize=2&from=now-1y&fields=tags");
        let (_, mut page) = ask(&simulator, "GET", &target, "").await;
        let mut seen = Vec::new();
        loop {
            assert_eq!((&page["totalCount"], &page["pageSize"]), (&json!(5), &json!(2)));
            assert!(page["entities"][0]["tags"].is_array(), "the fields go on");
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(key) = next(&page) else { break };
            let again = format!("/api/v2/entities?nextPageKey={key}&pageSize=2");
            assert_eq!(
                ask(&simulator, "GET", &again, "").await.0,
                400,
                "another parameter came along"
            );
            page = ask(
                &simulator,
                "GET",
                &format!("/api/v2/entities?nextPageKey={key}"),
                "",
            )
            .await
            .1;
        }
        let want: Vec<_> = (1..=5).map(|n| format!("HOST-{n:016X}")).collect();
        assert_eq!(seen, want);
    }

    #[tokio::test]
    async fn a_key_that_was_not_encoded_is_refused() {
        let simulator = environment("");
        let (_, page) = ask(&simulator, "GET", &format!("{LIST}&pageSize=1"), "").await;
        let key = page["nextPageKey"].as_str().unwrap();
        let (status, body) = ask(
            &simulator,
            "GET",
            &format!("/api/v2/entities?nextPageKey={key}"),
            "",
        )
        .await;
        assert_eq!(
            (status, complaint(&body)),
            (400, "The next page key is not valid")
        );
    }

    #[tokio::test]
    async fn page_sizes_have_a_default_and_a_largest() {
        for (options, query, want) in [
            ("", "", json!(50)),
            ("", "&pageSize=4000", json!(500)),
            ("max-page=100", "&pageSize=4000", json!(100)),
            ("max-page=20", "", json!(20)),
            ("", "&pageSize=0", json!(null)),
            ("", "&pageSize=many", json!(null)),
        ] {
            let (_, page) = ask(&environment(options), "GET", &format!("{LIST}{query}"), "").await;
            assert_eq!(page["pageSize"], want, "{options} {query}");
        }
    }

    #[tokio::test]
    async fn the_last_page_ends_as_the_switch_says() {
        for (options, there) in [("", false), ("last-page=null", true)] {
            let (_, page) = ask(&environment(options), "GET", LIST, "").await;
            assert_eq!(page.as_object().unwrap().contains_key("nextPageKey"), there);
            assert!(page["nextPageKey"].is_null());
        }
    }

    #[tokio::test]
    async fn three_days_are_seen_unless_told() {
        for (query, there, absent) in [
            ("", IDLE, OLD),
            ("&from=now-1w", OLD, "nothing"),
            ("&from=now-1h", WEB1, IDLE),
        ] {
            let (_, page) = ask(&environment(""), "GET", &format!("{LIST}{query}"), "").await;
            assert!(
                ids(&page).contains(&there) && !ids(&page).contains(&absent),
                "{query}: {page}"
            );
        }
    }

    #[tokio::test]
    async fn names_sort_both_ways_over_pages() {
        let simulator = environment("");
        for (sort, want) in [
            ("name", ["Server(prod),1", "Web-1.example.com"]),
            ("-name", ["web-2.example.com", "idle"]),
            ("%2Bname", ["Server(prod),1", "Web-1.example.com"]),
        ] {
            let (_, first) = ask(&simulator, "GET", &format!("{LIST}&pageSize=1&sort={sort}"), "").await;
            let second = format!("/api/v2/entities?nextPageKey={}", next(&first).unwrap());
            let (_, second) = ask(&simulator, "GET", &second, "").await;
            let names =
                [&first, &second].map(|page| page["entities"][0]["displayName"].as_str().unwrap().to_owned());
            assert_eq!(names, want, "{sort}");
        }
        assert_eq!(
            ask(&simulator, "GET", &format!("{LIST}&sort=age"), "").await.0,
            400
        );
    }

    #[tokio::test]
    async fn tags_of_every_origin_are_shown_and_those_of_rules_look_manual() {
        let simulator = environment("");
        let add = format!("/api/v2/tags?entitySelector=entityId({RULED})");
        ask(
            &simulator,
            "POST",
            &add,
            r#"{"tags":[{"key":"tier","value":"gold"}]}"#,
        )
        .await;
        let target =
            format!("/api/v2/entities?entitySelector=entityId({RULED})&fields=%2Btags,%2BlastSeenTms");
        let (_, page) = ask(&simulator, "GET", &target, "").await;
        let entity = &page["entities"][0];
        assert_eq!(
            entity["tags"],
            json!([
                {"context": "CONTEXTLESS", "key": "tier", "value": "gold", "stringRepresentation": "tier:gold"},
                {"context": "AWS", "key": "Region", "value": "eu", "stringRepresentation": "[AWS]Region:eu"},
            ]),
            "a pair that is there twice is shown once"
        );
        assert_eq!(entity["type"], "HOST");
        assert!(entity["lastSeenTms"].is_i64() && entity["firstSeenTms"].is_null());
    }

    #[tokio::test]
    async fn one_entity_is_found_by_its_identifier_in_any_case() {
        let simulator = environment("");
        let (status, entity) = ask(
            &simulator,
            "GET",
            &format!("/e/x/api/v2/entities/{}", WEB1.to_lowercase()),
            "",
        )
        .await;
        assert_eq!((status, &entity["entityId"]), (200, &json!(WEB1)));
        assert_eq!(entity["properties"]["detectedName"], "Web-1.example.com");
        assert_eq!(entity["managementZones"], json!([]));
        for (target, status) in [
            ("/api/v2/entities/HOST-00000000000000FF".to_owned(), 404),
            ("/api/v2/entities/nonsense".to_owned(), 404),
            (format!("/api/v2/entities/{OLD}"), 404),
            (format!("/api/v2/entities/{OLD}?from=now-1y"), 200),
            (format!("/api/v2/entities/{WEB1}?fields=nonsense"), 400),
        ] {
            assert_eq!(ask(&simulator, "GET", &target, "").await.0, status, "{target}");
        }
    }
}
