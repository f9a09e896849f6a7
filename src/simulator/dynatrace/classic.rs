//! `/api/v1/entity/…`: the deprecated topology API, with value-only tags.

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde::Serialize;

use super::super::inventory::identifier;
use super::super::journal::{Change, Op};
use super::super::switches::{BareTag, V1Colon};
use super::body::{Pair, value_only};
use super::entities::everything;
use super::envelope::{Refused, empty, json};
use super::query::Query;
use super::route::Call;
use super::selection::{Selection, View};
use super::selector::{Criterion, Selector};
use super::tag_text::TagPattern;
use super::tags::{apply, change};
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
    let from = back
        .map(|back| now - back)
        .or(start)
        .unwrap_or(to.saturating_sub(MAX_FRAME));
    if from > to || to.saturating_sub(from) > MAX_FRAME {
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
    let index = find(call, world, collection, id)?;
    let tags = value_only(call.body)?;
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use serde_json::{Value, json};

    use super::super::super::reply::Reply;
    use super::super::api::Dynatrace;
    use super::super::testing::{IDLE, OLD, RULED, SHOP, WEB1, WEB2, ask, environment, tags_of};

    const HOSTS: &str = "/api/v1/entity/infrastructure/hosts";

    fn ids(list: &Value) -> Vec<&str> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|entity| entity["entityId"].as_str().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_listing_is_a_bare_array_of_three_days() {
        let simulator = environment("");
        let (status, list) = ask(&simulator, "GET", HOSTS, "").await;
        assert_eq!((status, ids(&list)), (200, vec![WEB1, WEB2, RULED, IDLE]));
        assert_eq!(list[0]["displayName"], "Web-1.example.com");
        assert_eq!(list[0]["discoveredName"], "Web-1.example.com");
        assert_eq!(
            list[2]["tags"],
            json!([
                {"context": "CONTEXTLESS", "key": "tier", "value": "gold"},
                {"context": "AWS", "key": "Region", "value": "eu"},
            ])
        );
        assert!(list[0]["lastSeenTimestamp"].as_i64() > list[0]["firstSeenTimestamp"].as_i64());
    }

    #[tokio::test]
    async fn filters_narrow_a_listing() {
        let now = environment("").clock_ms();
        let (three_days, four_days) = (now - 3 * 86_400_000, now - 4 * 86_400_000);
        for (query, want) in [
            ("?tag=env:prod".to_owned(), Some(vec![WEB1, IDLE])),
            ("?tag=env:prod&tag=owner".to_owned(), Some(vec![WEB1])),
            ("?tag=%5BAWS%5DRegion:eu".to_owned(), Some(vec![RULED])),
            (format!("?entity={WEB1}&entity={WEB2}"), Some(vec![WEB1, WEB2])),
            (format!("?entity={SHOP}"), Some(vec![])),
            ("?relativeTime=day".to_owned(), Some(vec![WEB1, WEB2, RULED])),
            ("?managementZone=1".to_owned(), Some(vec![])),
            (
                "?includeDetails=false".to_owned(),
                Some(vec![WEB1, WEB2, RULED, IDLE]),
            ),
            (
                format!("?startTimestamp={four_days}&endTimestamp={three_days}"),
                Some(vec![]),
            ),
            (format!("?startTimestamp={four_days}"), None),
            ("?relativeTime=week".to_owned(), None),
            ("?startTimestamp=yesterday".to_owned(), None),
            ("?pageSize=0".to_owned(), None),
        ] {
            let (status, list) = ask(&environment(""), "GET", &format!("{HOSTS}{query}"), "").await;
            assert_eq!((status == 200).then(|| ids(&list)), want, "{query}");
        }
        let week = now - 5 * 86_400_000;
        let query = format!(
            "{HOSTS}?startTimestamp={week}&endTimestamp={}",
            week + 2 * 86_400_000
        );
        assert_eq!(ids(&ask(&environment(""), "GET", &query, "").await.1), [OLD]);
    }

    async fn page(simulator: &Dynatrace, target: &str) -> http::Response<Bytes> {
        let request = Request::builder().uri(target).body(Bytes::new()).unwrap();
        let Reply::Answer(answer) = simulator.answer(request).await else {
            panic!("no answer")
        };
        answer
    }

    #[tokio::test]
    async fn pages_go_on_by_header_and_keep_all_parameters() {
        let simulator = environment("");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        for _ in 0..2 {
            let answer = page(
                &simulator,
                &format!("{HOSTS}?pageSize=2&relativeTime=3days{cursor}"),
            )
            .await;
            assert_eq!(
                ["total-count", "page-size"].map(|name| answer.headers()[name].to_str().unwrap()),
                ["4", "2"]
            );
            let list: Value = serde_json::from_slice(answer.body()).unwrap();
            seen.extend(ids(&list).into_iter().map(str::to_owned));
            cursor = match answer.headers().get("next-page-key") {
                Some(key) => format!(
                    "&nextPageKey={}",
                    url::form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>()
                ),
                None => String::new(),
            };
            let changed = page(
                &simulator,
                &format!("{HOSTS}?pageSize=3&relativeTime=3days{cursor}"),
            )
            .await;
            assert_eq!(
                changed.status() == 400,
                !cursor.is_empty(),
                "a parameter was changed"
            );
        }
        assert_eq!(
            (seen, &*cursor),
            ([WEB1, WEB2, RULED, IDLE].map(str::to_owned).to_vec(), "")
        );
        let all = page(&simulator, HOSTS).await;
        assert!(
            !all.headers().contains_key("total-count"),
            "without a page size everything comes at once"
        );
    }

    #[tokio::test]
    async fn adding_answers_204_without_a_body() {
        for (options, tags) in [
            ("", ["a:b", "env:prod", "office-linz", "owner"]),
            ("v1-colon=split", ["a:b", "env:prod", "office-linz", "owner"]),
        ] {
            let simulator = environment(options);
            let body = r#"{"tags":["office-linz","office-linz","a:b"]}"#;
            let (status, answer) = ask(&simulator, "POST", &format!("{HOSTS}/{WEB1}"), body).await;
            assert_eq!((status, answer), (204, Value::Null));
            assert_eq!(tags_of(&simulator, WEB1), tags);
            let split = simulator
                .manual_tags(WEB1)
                .unwrap()
                .contains(&("a".to_owned(), Some("b".to_owned())));
            assert_eq!(split, !options.is_empty());
        }
    }

    #[tokio::test]
    async fn each_collection_takes_its_own_kinds() {
        let simulator = environment("");
        for (method, target, status) in [
            ("POST", format!("/api/v1/entity/services/{SHOP}"), 204),
            (
                "POST",
                "/api/v1/entity/applications/MOBILE_APPLICATION-0000000000000007".to_owned(),
                204,
            ),
            ("POST", format!("/api/v1/entity/services/{WEB1}"), 404),
            (
                "GET",
                "/api/v1/entity/infrastructure/processes/PROCESS_GROUP_INSTANCE-0000000000000006".to_owned(),
                200,
            ),
            ("GET", format!("{HOSTS}/{OLD}"), 200),
            ("GET", format!("{HOSTS}/HOST-00000000000000FF"), 404),
            ("POST", format!("{HOSTS}/nonsense"), 404),
        ] {
            assert_eq!(
                ask(&simulator, method, &target, r#"{"tags":["x"]}"#).await.0,
                status,
                "{method} {target}"
            );
        }
        let lenient = environment("v1-unknown=400");
        assert_eq!(
            ask(&lenient, "GET", &format!("{HOSTS}/nonsense"), "").await.0,
            400
        );
    }

    #[tokio::test]
    async fn bodies_are_checked() {
        for (body, status) in [
            (String::new(), 204),
            (r#"{"tags":[]}"#.to_owned(), 204),
            ("{}".to_owned(), 400),
            (r#"{"tags":[""]}"#.to_owned(), 400),
            (r#"{"tags":[{"key":"a"}]}"#.to_owned(), 400),
            (json!({"tags": ["x".repeat(2_001)]}).to_string(), 400),
        ] {
            let simulator = environment("");
            assert_eq!(
                ask(&simulator, "POST", &format!("{HOSTS}/{WEB1}"), &body).await.0,
                status,
                "{body:.40}"
            );
        }
    }

    #[tokio::test]
    async fn a_tag_of_a_host_is_removed_by_path() {
        let simulator = environment("");
        ask(
            &simulator,
            "POST",
            &format!("{HOSTS}/{WEB1}"),
            r#"{"tags":["a/b c:d"]}"#,
        )
        .await;
        for (tag, status) in [
            ("a%2Fb%20c%3Ad", 204),
            ("a%2Fb%20c%3Ad", 404),
            ("owner", 204),
            ("tier", 404),
        ] {
            let (got, body) = ask(&simulator, "DELETE", &format!("{HOSTS}/{WEB1}/tags/{tag}"), "").await;
            assert_eq!((got, body), (status, Value::Null), "{tag}");
        }
        assert_eq!(tags_of(&simulator, WEB1), ["env:prod"]);
    }
}
