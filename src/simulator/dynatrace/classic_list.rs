//! Listings of v1: filters as parameters, pages by header.

use bytes::Bytes;
use http::{HeaderValue, Response};

use super::super::inventory::identifier;
use super::classic::{Collection, show};
use super::envelope::{Refused, json};
use super::query::Query;
use super::route::Call;
use super::selection::{Selection, View};
use super::selector::{Criterion, Selector};
use super::switches::BareTag;
use super::tag_text::TagPattern;
use super::time_frame::{HOUR, TimeFrame};
use super::world::World;

/// The longest time frame, and the one without parameters.
const MAX_FRAME: i64 = 72 * HOUR;

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
    if let Some(page_size) = call.query.positive("pageSize")? {
        return Ok(page(call, world, &selection, begin, page_size));
    }
    let all: Vec<_> = selection.all().map(|index| show(call, world, index)).collect();
    Ok(json(200, &all))
}

fn page(
    call: &Call<'_>,
    world: &World,
    selection: &Selection<'_>,
    begin: Position,
    page_size: usize,
) -> Response<Bytes> {
    let (found, next) = selection.page(begin.position, page_size);
    let shown: Vec<_> = found.into_iter().map(|index| show(call, world, index)).collect();
    let mut answer = json(200, &shown);
    let headers = answer.headers_mut();
    headers.insert("page-size", page_size.into());
    headers.insert("total-count", selection.all().count().into());
    let next = next.map(|position| Position { position, ..begin }.text(&call.query));
    if let Some(key) = next.and_then(|key| HeaderValue::from_str(&key).ok()) {
        headers.insert("next-page-key", key);
    }
    answer
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
        match Self::read(text) {
            Some((position, digest)) if digest == query.digest_without("nextPageKey") => Ok(position),
            Some(_) => Err(Refused::query(
                "nextPageKey",
                "all other query parameters must be kept",
            )),
            None => Err(Refused::query("nextPageKey", "The next page key is not valid")),
        }
    }

    /// A position and the digest of the parameters that it was made for.
    fn read(text: &str) -> Option<(Self, u64)> {
        let mut parts = text.strip_suffix("==")?.split('+');
        let position = usize::from_str_radix(parts.next()?, 16).ok()?;
        let now = parts.next()?.parse().ok()?;
        let digest = u64::from_str_radix(parts.next()?, 16).ok()?;
        parts.next().is_none().then_some((Self { position, now }, digest))
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
        .map(|back| now.saturating_sub(back))
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

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::{Value, json};

    use super::super::super::reply::Reply;
    use super::super::api::Dynatrace;
    use super::super::testing::{IDLE, OLD, RULED, SHOP, WEB1, WEB2, ask, environment};
    use super::*;

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
}
