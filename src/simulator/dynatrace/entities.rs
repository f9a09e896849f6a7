//! `/api/v2/entities`: entities with their tags of every origin, page by page.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::inventory::identifier;
use super::super::switches::LastPage;
use super::cursor::Cursor;
use super::envelope::{Refused, json};
use super::query::Query;
use super::route::Call;
use super::selection::{Selection, View};
use super::tag_text::CONTEXTLESS;
use super::tags::{MeTag, selector};
use super::time_frame::{HOUR, TimeFrame};
use super::world::{EntityIndex, World};

/// Without `from`, entities of the last three days.
const DEFAULT_FRAME: i64 = 72 * HOUR;
/// Entities of a page unless told.
const DEFAULT_PAGE: usize = 50;

/// The properties of hosts that the simulator has values for; the first is there for every kind.
const PROPERTIES: [(&str, &str); 6] = [
    ("detectedName", ""),
    ("bitness", "64"),
    ("monitoringMode", "FULL_STACK"),
    ("osArchitecture", "X86"),
    ("osType", "LINUX"),
    ("state", "RUNNING"),
];

/// Which parts of an entity an answer shows beside identifier, type and name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields {
    first_seen: bool,
    last_seen: bool,
    tags: bool,
    zones: bool,
    from: bool,
    to: bool,
    properties: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entity<'a> {
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
    let selection = selection(call, world, &cursor)?;
    cursor.total = selection.all().count();
    page(call, world, &selection, cursor)
}

fn go_on(call: &Call<'_>, world: &World, key: &str) -> Result<Response<Bytes>, Refused> {
    if let Some((other, _)) = call
        .query
        .others("nextPageKey")
        .find(|(name, _)| name != "api-token")
    {
        let message =
            format!("all other query parameters must be omitted when nextPageKey is set, found '{other}'");
        return Err(Refused::query("nextPageKey", message));
    }
    let cursor: Cursor = key
        .parse()
        .map_err(|()| Refused::query("nextPageKey", "The next page key is not valid"))?;
    // The first request's parameters are read as if they had come again.
    let mut raw = url::form_urlencoded::Serializer::new(String::new());
    raw.append_pair("entitySelector", &cursor.texts[0]);
    let raw = raw.finish();
    let first = Call {
        route: call.route.clone(),
        query: Query::parse(&raw),
        now: cursor.frame[2],
        ..*call
    };
    let selection = selection(&first, world, &cursor)?;
    page(call, world, &selection, cursor)
}

fn selection<'w>(call: &Call<'_>, world: &'w World, cursor: &Cursor) -> Result<Selection<'w>, Refused> {
    let [from, to, now] = cursor.frame;
    let frame = TimeFrame { from, to, now };
    Ok(Selection::of(
        selector(call)?,
        world,
        frame,
        View::Read(call.now),
        call.spec.switches.bare_tag,
    ))
}

fn page(
    call: &Call<'_>,
    world: &World,
    selection: &Selection<'_>,
    cursor: Cursor,
) -> Result<Response<Bytes>, Refused> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct EntitiesList<'a> {
        total_count: usize,
        page_size: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_page_key: Option<Option<String>>,
        entities: Vec<Entity<'a>>,
    }
    let kind = selection.kind();
    let fields = Fields::parse(&cursor.texts[1], kind)?;
    let (indices, next) = slice(world, selection, &cursor)?;
    let show = |&index: &EntityIndex| entity(call, world, index, &fields);
    let next_page_key = match (next, call.spec.switches.last_page) {
        (Some(position), _) => Some(Some(
            Cursor {
                position,
                ..cursor.clone()
            }
            .to_string(),
        )),
        (None, LastPage::Null) => Some(None),
        (None, LastPage::Absent) => None,
    };
    let entities = indices.iter().map(show).collect();
    let Cursor { total, page_size, .. } = cursor;
    Ok(json(
        200,
        &EntitiesList {
            total_count: total,
            page_size,
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
    let Cursor {
        position,
        page_size,
        texts: [_, _, sort],
        ..
    } = cursor;
    let descending = match sort.trim() {
        "" => {
            // In the order in which they were made, which needs no look at what stands on earlier pages.
            let mut found: Vec<_> = selection.from(*position).take(page_size + 1).collect();
            let next = if found.len() > *page_size {
                found.pop().map(|(at, _)| at)
            } else {
                None
            };
            return Ok((found.into_iter().map(|(_, index)| index).collect(), next));
        }
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
    let end = (position + page_size).min(all.len());
    let next = (end < all.len()).then_some(end);
    Ok((all.get(*position..end).unwrap_or_default().to_vec(), next))
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

fn entity<'a>(call: &Call<'_>, world: &'a World, index: EntityIndex, fields: &Fields) -> Entity<'a> {
    let name = world.name(index);
    let property = |property: &&'static str| {
        let fixed = PROPERTIES
            .iter()
            .find(|(known, _)| known == property)
            .map_or("", |(_, value)| value);
        let value = if fixed.is_empty() { name } else { fixed };
        ((*property).to_owned(), Value::from(value))
    };
    let properties = || fields.properties.iter().map(property).collect();
    Entity {
        entity_id: world.id(index),
        r#type: world.kind(index),
        display_name: name,
        first_seen_tms: fields.first_seen.then(|| world.first_seen(index, call.now)),
        last_seen_tms: fields.last_seen.then(|| world.last_seen(index, call.now)),
        properties: (!fields.properties.is_empty()).then(properties),
        tags: fields.tags.then(|| tags(call, world, index)),
        management_zones: fields.zones.then_some([]),
        from_relationships: fields.from.then(Map::new),
        to_relationships: fields.to.then(Map::new),
    }
}

/// Every tag of an entity, whatever made it. Those of rules look like manual ones here.
fn tags<'a>(call: &Call<'_>, world: &'a World, index: EntityIndex) -> Vec<MeTag<'a>> {
    let style = call.spec.switches.representation;
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

impl Fields {
    /// Reads `+tags,+properties.BITNESS`; the plus may be absent, or have become a space on its way.
    fn parse(text: &str, kind: &str) -> Result<Self, Refused> {
        let mut fields = Self::default();
        let names = text
            .split(',')
            .map(|name| name.trim().trim_start_matches('+').trim());
        for name in names.filter(|name| !name.is_empty()) {
            if !fields.set(name, kind) {
                let message = format!("'{name}' is not a valid property for type '{kind}'");
                return Err(Refused::query("fields", message));
            }
        }
        Ok(fields)
    }

    fn set(&mut self, name: &str, kind: &str) -> bool {
        match name {
            "firstSeenTms" => self.first_seen = true,
            "lastSeenTms" => self.last_seen = true,
            "tags" => self.tags = true,
            "managementZones" => self.zones = true,
            "fromRelationships" => self.from = true,
            "toRelationships" => self.to = true,
            "properties" => self.properties = properties(kind).collect(),
            // They always come.
            "entityId" | "type" | "displayName" => {}
            _ => {
                let wanted = name.strip_prefix("properties.");
                let known = |wanted: &str| properties(kind).find(|known| known.eq_ignore_ascii_case(wanted));
                let Some(property) = wanted.and_then(known) else {
                    return false;
                };
                self.properties.push(property);
            }
        }
        true
    }

    fn all(kind: &str) -> Self {
        Self {
            first_seen: true,
            last_seen: true,
            tags: true,
            zones: true,
            from: true,
            to: true,
            properties: properties(kind).collect(),
        }
    }
}

fn properties(kind: &str) -> impl Iterator<Item = &'static str> {
    let n_known = if kind == "HOST" { PROPERTIES.len() } else { 1 };
    PROPERTIES.iter().take(n_known).map(|(name, _)| *name)
}
