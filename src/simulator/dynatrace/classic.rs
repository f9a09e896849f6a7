//! `/api/v1/entity/…`: the deprecated topology API, with value-only tags.

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde::{Deserialize, Serialize};

use super::super::inventory::identifier;
use super::super::journal::{Change, Op};
use super::super::switches::{BareTag, V1Colon};
use super::entities::everything;
use super::envelope::{Refused, empty, json};
use super::query::Query;
use super::route::Call;
use super::selection::{Selection, View};
use super::selector::{Criterion, Selector};
use super::tag_text::TagPattern;
use super::tags::{Pair, apply, change, check_text};
use super::time_frame::{HOUR, TimeFrame};
use super::world::{EntityIndex, World};

/// The longest time frame, and the one without parameters.
const MAX_FRAME: i64 = 72 * HOUR;

/// A collection of entities of v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    Hosts,
    ProcessGroups,
    Processes,
    Services,
    Applications,
}

impl Collection {
    /// The collection that a path after `/entity/` begins with, and the segments behind it.
    pub(super) fn of<'a, 'b>(segments: &'a [&'b str]) -> Option<(Self, &'a [&'b str])> {
        match segments {
            ["infrastructure", "hosts", rest @ ..] => Some((Self::Hosts, rest)),
            ["infrastructure", "process-groups", rest @ ..] => Some((Self::ProcessGroups, rest)),
            ["infrastructure", "processes", rest @ ..] => Some((Self::Processes, rest)),
            ["services", rest @ ..] => Some((Self::Services, rest)),
            ["applications", rest @ ..] => Some((Self::Applications, rest)),
            _ => None,
        }
    }

    /// The types whose identifiers it takes; the first is the one that it lists.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Hosts => &["HOST"],
            Self::ProcessGroups => &["PROCESS_GROUP"],
            Self::Processes => &["PROCESS_GROUP_INSTANCE"],
            Self::Services => &["SERVICE"],
            Self::Applications => &["APPLICATION", "MOBILE_APPLICATION"],
        }
    }

    /// Whether tags can be added: to everything but processes.
    pub(super) fn takes_tags(self) -> bool {
        self != Self::Processes
    }

    /// Whether a tag can be removed: from hosts alone.
    pub(super) fn gives_tags_back(self) -> bool {
        self == Self::Hosts
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClassicEntity<'a> {
    entity_id: String,
    display_name: &'a str,
    discovered_name: &'a str,
    first_seen_timestamp: i64,
    last_seen_timestamp: i64,
    tags: Vec<TagInfo<'a>>,
}

#[derive(Serialize)]
struct TagInfo<'a> {
    context: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

fn show<'a>(call: &Call<'_>, world: &'a World, index: EntityIndex) -> ClassicEntity<'a> {
    let name = world.name(index);
    let tag = |(context, key, value)| TagInfo { context, key, value };
    ClassicEntity {
        entity_id: world.id(index),
        display_name: name,
        discovered_name: name,
        first_seen_timestamp: world.first_seen(index, call.now),
        last_seen_timestamp: world.last_seen(index, call.now),
        tags: everything(call, world, index).into_iter().map(tag).collect(),
    }
}

/// `GET` of a collection: all of it, or a page when `pageSize` is there.
pub(super) fn list(
    call: &Call<'_>,
    world: &World,
    collection: Collection,
) -> Result<Response<Bytes>, Refused> {
    let begin = Position::of(&call.query, call.now)?;
    let frame = frame(&call.query, begin.now)?;
    let kind = collection.kinds()[0];
    let selector = Selector {
        kind: kind.to_owned(),
        criteria: criteria(&call.query, kind),
    };
    let selection = Selection::of(selector, world, frame, View::Read(call.now), BareTag::Exact);
    let Some(page_size) = call.query.positive("pageSize")? else {
        let all: Vec<_> = selection.all().map(|index| show(call, world, index)).collect();
        return Ok(json(200, &all));
    };
    let mut found: Vec<_> = selection
        .from(begin.position)
        .take(page_size.saturating_add(1))
        .collect();
    let next = if found.len() > page_size {
        found.pop().map(|(at, _)| at)
    } else {
        None
    };
    let shown: Vec<_> = found.iter().map(|&(_, index)| show(call, world, index)).collect();
    let mut answer = json(200, &shown);
    let headers = answer.headers_mut();
    headers.insert("page-size", page_size.into());
    headers.insert("total-count", selection.all().count().into());
    let next = next.map(|position| Position { position, ..begin }.text(&call.query));
    if let Some(key) = next.and_then(|key| HeaderValue::from_str(&key).ok()) {
        headers.insert("next-page-key", key);
    }
    Ok(answer)
}

/// Where a listing goes on. All other parameters must come again, which their digest checks.
#[derive(Debug, Clone, Copy)]
struct Position {
    position: usize,
    /// The moment of the first page, from which relative times count on all of them.
    now: i64,
}

impl Position {
    fn of(query: &Query<'_>, now: i64) -> Result<Self, Refused> {
        let Some(text) = query.first("nextPageKey") else {
            return Ok(Self { position: 0, now });
        };
        let parts: Vec<&str> = text.split('+').collect();
        let number = |text: &str| text.parse().ok();
        let read = match &*parts {
            [position, now, digest] => (|| {
                let digest = u64::from_str_radix(digest.strip_suffix("==")?, 16).ok()?;
                let position = usize::from_str_radix(position, 16).ok()?;
                Some((
                    Self {
                        position,
                        now: number(now)?,
                    },
                    digest,
                ))
            })(),
            _ => None,
        };
        match read {
            Some((position, digest)) if digest == query.digest_without("nextPageKey") => Ok(position),
            Some(_) => Err(Refused::query(
                "nextPageKey",
                "all other query parameters must be kept",
            )),
            None => Err(Refused::query("nextPageKey", "The next page key is not valid")),
        }
    }

    fn text(self, query: &Query<'_>) -> String {
        format!(
            "{:x}+{}+{:x}==",
            self.position,
            self.now,
            query.digest_without("nextPageKey")
        )
    }
}

fn frame(query: &Query<'_>, now: i64) -> Result<TimeFrame, Refused> {
    let ms = |name: &str| match query.first(name).map(str::parse::<i64>) {
        Some(Ok(ms)) => Ok(Some(ms)),
        Some(Err(_)) => Err(Refused::query(name, "must be a timestamp in milliseconds")),
        None => Ok(None),
    };
    let (start, end) = (ms("startTimestamp")?, ms("endTimestamp")?);
    let back = match query.first("relativeTime") {
        Some(word) => Some(
            relative(word)
                .ok_or_else(|| Refused::query("relativeTime", format!("'{word}' is not a relative time")))?,
        ),
        None => None,
    };
    let to = end.unwrap_or(now);
    let from = back.map(|back| now - back).or(start).unwrap_or(to - MAX_FRAME);
    if from > to || to - from > MAX_FRAME {
        return Err(Refused::query(
            "startTimestamp",
            "The timeframe must not exceed 3 days",
        ));
    }
    Ok(TimeFrame { from, to, now })
}

fn relative(word: &str) -> Option<i64> {
    let minutes = match word {
        "min" => 1,
        "5mins" => 5,
        "10mins" => 10,
        "15mins" => 15,
        "30mins" => 30,
        "hour" => 60,
        "2hours" => 120,
        "6hours" => 360,
        "day" => 1_440,
        "3days" => 4_320,
        _ => return None,
    };
    Some(minutes * 60_000)
}

/// `tag` must hold each time it comes, `entity` once; there are no management zones and no host groups to be in.
fn criteria(query: &Query<'_>, kind: &str) -> Vec<Criterion> {
    let mut criteria: Vec<_> = query
        .all("tag")
        .map(|tag| Criterion::Tags(vec![TagPattern::parse(tag)]))
        .collect();
    let own = |id: &str| {
        identifier(id)
            .filter(|(own, _)| own == kind)
            .map(|(_, bits)| bits)
    };
    if query.first("entity").is_some() {
        criteria.push(Criterion::Ids(query.all("entity").map(own).collect()));
    }
    if ["managementZone", "hostGroupId", "hostGroupName"]
        .iter()
        .any(|name| query.first(name).is_some())
    {
        criteria.push(Criterion::Always(false));
    }
    criteria
}

/// `GET` of one entity.
pub(super) fn get(
    call: &Call<'_>,
    world: &World,
    collection: Collection,
    id: &str,
) -> Result<Response<Bytes>, Refused> {
    let index = find(call, world, collection, id)?;
    Ok(json(200, &show(call, world, index)))
}

fn find(call: &Call<'_>, world: &World, collection: Collection, id: &str) -> Result<EntityIndex, Refused> {
    identifier(id)
        .filter(|(kind, _)| collection.kinds().contains(&&**kind))
        .and_then(|(kind, bits)| world.find(&kind, bits))
        .ok_or_else(|| {
            let message = format!("Entity with ID '{id}' can't be found");
            Refused::plain(call.spec.switches.v1_unknown.status(), message)
        })
}

/// `POST`: adds value-only tags to one entity. The body itself may be absent.
pub(super) fn add(
    call: &Call<'_>,
    world: &mut World,
    collection: Collection,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    #[derive(Deserialize)]
    struct UpdateEntity {
        tags: Option<Vec<String>>,
    }
    let index = find(call, world, collection, id)?;
    if call.body.is_empty() {
        return Ok(empty(204));
    }
    let body: UpdateEntity = serde_json::from_slice(call.body)
        .map_err(|why| Refused::plain(400, format!("Could not map the JSON payload: {why}")))?;
    let tags = body
        .tags
        .ok_or_else(|| Refused::body("tags", "must not be null"))?;
    for (at, tag) in tags.iter().enumerate() {
        check_text(&format!("tags[{at}]"), tag, 1)?;
    }
    let pairs: Vec<Pair> = tags.into_iter().map(|tag| pair(call, tag)).collect();
    apply(call, world, &[index], &pairs, changes)?;
    Ok(empty(204))
}

fn pair(call: &Call<'_>, tag: String) -> Pair {
    match (call.spec.switches.v1_colon, tag.split_once(':')) {
        (V1Colon::Split, Some((key, value))) if !key.is_empty() => (
            key.to_owned(),
            Some(value.to_owned()).filter(|value| !value.is_empty()),
        ),
        _ => (tag, None),
    }
}

/// `DELETE`: takes one tag off a host. A tag that is not there is answered with 404 and no body.
pub(super) fn delete(
    call: &Call<'_>,
    world: &mut World,
    collection: Collection,
    id: &str,
    tag: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let index = find(call, world, collection, id)?;
    let (key, value) = pair(call, tag.to_owned());
    let before = changes.len();
    if let Some(tag) = world.tag_id(&key, value.as_deref()) {
        change(world, index, Op::Remove, tag, call.now, changes);
    }
    if changes.len() > before {
        Ok(empty(204))
    } else {
        Err(Refused::bare(404))
    }
}
