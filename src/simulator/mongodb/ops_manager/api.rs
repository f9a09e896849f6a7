//! The installation as a whole: what it is made of, who may come in, and which code answers.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};

use super::super::super::api::{Api, Asked};
use super::super::super::journal::{Change, Entry};
use super::super::super::keyed::{Counted, Excess};
use super::super::super::opening::OpenError;
use super::super::super::population::Population;
use super::super::super::simulated::Simulated;
use super::super::super::spec::Spec;
use super::super::answer::SERVICE_VERSION;
use super::super::call::{Call, Setup};
use super::super::members::unauthorized;
use super::super::object_id::ObjectId;
use super::super::populate::found;
use super::super::refused::{JSON, Refused};
use super::super::switches::Switches;
use super::super::world::World;
use super::route::{API, Route};
use super::view::OWNER;
use super::{change, create, listing};

/// A simulated Ops Manager.
pub type OpsManager = Simulated<Installation>;

/// The installation behind the shell.
#[derive(Debug)]
pub struct Installation {
    setup: Setup,
    world: World,
}

impl Installation {
    /// An installation with groups from elsewhere.
    pub(super) fn with(
        spec: &Spec,
        populate: impl FnOnce(&mut World) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let setup = Setup::of(spec)?;
        let mut world = World::new(i64::try_from(spec.visibility.as_millis()).unwrap_or(i64::MAX));
        populate(&mut world)?;
        world.settle();
        Ok(Self { setup, world })
    }

    fn admitted(&self, asked: &Asked<'_>, now: i64) -> Result<Route, Refused> {
        let Setup {
            switches,
            door,
            members,
            ..
        } = &self.setup;
        door.authenticate(asked, now)?;
        door.check_address()?;
        let route = Route::of(asked.method(), asked.path)?;
        if let Some(id) = route.group() {
            members.group(&self.world, id, switches)?;
        }
        if route.writes() && door.lacks(OWNER) {
            return Err(unauthorized(switches));
        }
        Ok(route)
    }
}

impl Api for Installation {
    const VENDOR: &'static str = "mongodb-ops-manager";
    type Route = Route;

    fn open(spec: &Spec, population: &Population) -> Result<Self, OpenError> {
        let population = population.of_kinds("group", str::to_ascii_lowercase);
        let found = found(spec, &population)?;
        Self::with(spec, |world| {
            for one in found.into_iter().filter(|one| one.cluster.is_none()) {
                if let Some(group) = world.insert_group(one.id, &one.made.name) {
                    let tags: Vec<String> = one.made.manual.iter().map(plain).collect();
                    world.equip(group, tags.iter().map(|tag| (&**tag, None)));
                }
            }
            Ok(())
        })
    }

    fn admit(&self, asked: &Asked<'_>, now: i64) -> Result<Route, Box<Response<Bytes>>> {
        self.admitted(asked, now).map_err(|refused| {
            let refused = self.setup.turned_away(refused, now);
            Box::new(refused.into_response(&self.setup.switches))
        })
    }

    fn writes(route: &Route) -> bool {
        route.writes()
    }

    fn read(&self, route: &Route, asked: &Asked<'_>, now: i64) -> Response<Bytes> {
        let Self { setup, world } = self;
        let call = Call::of(setup, asked, API, JSON, now);
        let answer = match route {
            Route::List => listing::all(&call, world),
            Route::Get(id) => listing::one(&call, world, id),
            Route::ByName(name) => listing::by_name(&call, world, name),
            Route::ByAgentKey(key) => listing::by_agent_key(&call, world, key),
            Route::OfOrg(org) => listing::of_org(&call, world, org),
            Route::Create | Route::Change(_) | Route::Remove(_) => Err(Refused::no_resource(asked.path)),
        };
        answer.unwrap_or_else(|refused| refused.into_response(&self.setup.switches))
    }

    fn write(
        &mut self,
        route: &Route,
        asked: &Asked<'_>,
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) -> Response<Bytes> {
        let Self { setup, world } = self;
        let call = Call::of(setup, asked, API, JSON, now);
        let answer = match route {
            Route::Create => create::create(&call, world, changes),
            Route::Change(id) => change::change(&call, world, id, changes),
            Route::Remove(id) => create::remove(&call, world, id, changes),
            _ => Err(Refused::no_resource(asked.path)),
        };
        answer.unwrap_or_else(|refused| refused.into_response(&self.setup.switches))
    }

    fn undo(&mut self, changes: &[Change<'_>], now: i64) {
        self.world.undo(changes, now);
    }

    fn replay(&mut self, entry: &Entry<'_>) {
        self.world.replay(entry);
    }

    fn failure(status: StatusCode, message: &str) -> Response<Bytes> {
        Refused::new(status.as_u16(), "UNEXPECTED_ERROR", message).into_response(&Switches::default())
    }

    fn counted(route: &Route) -> Option<Counted> {
        route.counted()
    }

    fn too_many(&self, excess: &Excess<'_>) -> Response<Bytes> {
        let minutes = excess.per.as_secs().div_ceil(60);
        let refused = Refused::rate_limited(excess.resource, excess.limit, minutes);
        let mut answer = refused.into_response(&self.setup.switches);
        let version: HeaderValue = SERVICE_VERSION;
        answer.headers_mut().insert("x-mongodb-service-version", version);
        answer
    }

    /// An agent API key may stand in a path.
    fn masked(target: &str) -> Cow<'_, str> {
        let Some((before, key)) = target.split_once("/byAgentApiKey/") else {
            return target.into();
        };
        let after = key.find('?').map_or("", |at| &key[at..]);
        format!("{before}/byAgentApiKey/***{after}").into()
    }

    fn entities(&self) -> usize {
        self.world.len()
    }
}

/// A made tag as one word: `ENV.PROD` for the value `prod` of the key `env`.
fn plain((key, value): &(String, Option<String>)) -> String {
    let text = match value {
        Some(value) => format!("{key}.{value}"),
        None => key.clone(),
    };
    text.to_ascii_uppercase()
}

impl Simulated<Installation> {
    /// The tags of a group as they are, in their order; `None` when it does not exist.
    pub fn tags(&self, id: &str) -> Option<Vec<String>> {
        self.look(|Installation { world, .. }| {
            let group = world.group(ObjectId::parse(id)?)?;
            Some(world.tags(group).map(|(key, _)| key.to_owned()).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::super::super::journal::Journal;
    use super::super::super::testing::{Signing, send};
    use super::super::testing::{API, BANK, SHOP, ask, installation, installation_in, patch};
    use super::*;

    #[tokio::test]
    async fn a_challenge_is_answered_once_for_each_nonce_or_counted_on() {
        let simulator = installation("auth=on");
        let target = format!("{API}/groups/{SHOP}?pretty=true");
        let first = send(&simulator, "PATCH", &target, &[], "").await;
        assert_eq!((first.status, first.text.len()), (401, 142));
        let mut signing = Signing::good(first.nonce(), &target);
        signing.method = "PATCH";
        for (nc, status) in [("00000001", 200), ("00000002", 200), ("00000002", 401)] {
            signing.nc = nc;
            let header = signing.header();
            let headers = [("authorization", &*header), ("content-type", "application/json")];
            let got = send(&simulator, "PATCH", &target, &headers, r#"{"tags":["A"]}"#).await;
            assert_eq!(got.status, status, "{nc}");
        }
        signing.method = "HEAD";
        signing.nc = "3";
        let got = send(
            &simulator,
            "HEAD",
            &target,
            &[("authorization", &signing.header())],
            "",
        )
        .await;
        assert_eq!(got.status, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_counted_by_group_and_the_clock_s_minute_and_challenges_are_not() {
        let simulator = installation("auth=on&nonce-life=1h&throttle=group-window,limit=1,per=60s");
        let get = async |path: &str| {
            let target = format!("{API}{path}");
            let nonce = send(&simulator, "GET", &target, &[], "").await.nonce();
            let header = Signing::good(nonce, &target).header();
            send(&simulator, "GET", &target, &[("authorization", &header)], "").await
        };
        let (shop, bank) = (format!("/groups/{SHOP}"), format!("/groups/{BANK}"));
        for (path, status) in [
            (&*shop, 200),
            (&shop, 429),
            (&bank, 200),
            ("/groups", 200),
            ("/groups", 200),
        ] {
            assert_eq!(get(path).await.status, status, "{path}");
        }
        let refused = get(&shop).await;
        assert_eq!(
            refused.json(),
            json!({
                "detail": format!("Resource /api/public/v1.0/groups/{SHOP} is limited to 1 requests every 1 minutes."),
                "error": 429,
                "errorCode": "RATE_LIMITED",
                "parameters": [format!("/api/public/v1.0/groups/{SHOP}"), 1, 1],
                "reason": "Too Many Requests",
            })
        );
        assert!(refused.header("x-mongodb-service-version").is_some());
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
        tokio::time::advance(Duration::from_secs(wait)).await;
        assert_eq!(get(&shop).await.status, 200, "the next minute has begun");
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_sees_tags_only_after_the_delay() {
        let simulator = installation("visibility=2s");
        let written = patch(&simulator, SHOP, r#"{"tags":["NEW"]}"#).await;
        assert_eq!(
            written.json()["tags"],
            json!(["NEW"]),
            "its own answer shows it at once"
        );
        let seen = async || {
            ask(&simulator, "GET", &format!("/groups/{SHOP}"), "")
                .await
                .json()["tags"]
                .clone()
        };
        assert_eq!(seen().await, json!(["PROD", "EU"]));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(seen().await, json!(["NEW"]));
    }

    #[tokio::test]
    async fn the_journal_tells_only_what_changed_and_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let simulator = installation_in(dir.path(), "auth=on");
        let target = format!("{API}/groups/{SHOP}");
        let nonce = send(&simulator, "GET", &target, &[], "").await.nonce();
        let header = Signing {
            method: "PATCH",
            ..Signing::good(nonce, &target)
        }
        .header();
        let headers = [("authorization", &*header), ("content-type", "application/json")];
        send(&simulator, "PATCH", &target, &headers, r#"{"tags":["NEW","EU"]}"#).await;
        let by_key = format!("{API}/groups/byAgentApiKey/canary-agent-api-key-{BANK}?pretty=true");
        send(&simulator, "GET", &by_key, &[], "").await;
        drop(simulator);
        let text = std::fs::read_to_string(dir.path().join("state")).unwrap();
        for secret in ["Digest", "response", "private", "canary"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let lines: Vec<Value> = text
            .lines()
            .skip(1)
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            lines[1]["changes"],
            json!([
                {"entity": SHOP, "op": "remove", "key": "PROD"},
                {"entity": SHOP, "op": "add", "key": "NEW"},
            ])
        );
        assert_eq!(
            lines[2]["target"],
            format!("{API}/groups/byAgentApiKey/***?pretty=true")
        );
        let again = installation_in(dir.path(), "");
        assert_eq!(again.tags(SHOP).unwrap(), ["EU", "NEW"]);
    }

    #[tokio::test]
    async fn what_can_not_be_written_is_neither_confirmed_nor_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut simulator = installation_in(dir.path(), "");
        let read_only = std::fs::File::open(dir.path().join("state")).unwrap();
        simulator.journal = Mutex::new(Journal::in_file(read_only, 0, 0));
        let got = patch(&simulator, BANK, r#"{"name":"x","tags":["NEW"]}"#).await;
        assert_eq!(got.error(), (500, "UNEXPECTED_ERROR".to_owned()));
        assert_eq!(simulator.tags(BANK).unwrap(), ["PROD"]);
        let named = simulator.look(|Installation { world, .. }| world.named("bank").len());
        assert_eq!(named, 1);
    }
}
