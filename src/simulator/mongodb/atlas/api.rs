//! The cloud as a whole: what it is made of, who may come in, and which code answers.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::super::super::api::{Api, Asked};
use super::super::super::journal::{Change, Entry};
use super::super::super::keyed::{Counted, Excess};
use super::super::super::opening::OpenError;
use super::super::super::population::Population;
use super::super::super::simulated::Simulated;
use super::super::super::spec::Spec;
use super::super::call::{Call, Setup};
use super::super::members::unauthorized;
use super::super::populate::found;
use super::super::refused::Refused;
use super::super::switches::Switches;
use super::super::world::World;
use super::endpoint_sets::Limits;
use super::oauth::{self, Errand};
use super::populate::populate;
use super::route::{API, Route};
use super::tokens::Tokens;
use super::version::{Version, negotiated};
use super::{cluster, cluster_change, endpoint_sets, project, project_change};

/// A simulated Atlas.
pub type Atlas = Simulated<Cloud>;

/// The cloud behind the shell.
#[derive(Debug)]
pub struct Cloud {
    setup: Setup,
    tokens: Tokens,
    limits: Limits,
    world: World,
}

/// A request that was let in.
#[derive(Debug)]
pub(in super::super::super) struct Admitted(Wanted);

#[derive(Debug)]
enum Wanted {
    /// A resource, in one of its versions.
    Resource(Route, Version),
    /// Something of the authorization server, which looks at credentials itself.
    Errand(Errand),
}

impl Cloud {
    /// A cloud with projects from elsewhere.
    pub(super) fn with(spec: &Spec, fill: impl FnOnce(&mut World)) -> Result<Self, OpenError> {
        let setup = Setup::of(spec)?;
        let mut world = World::new(i64::try_from(spec.visibility.as_millis()).unwrap_or(i64::MAX));
        fill(&mut world);
        world.settle();
        Ok(Self {
            tokens: Tokens::new(spec.token_life, oauth::limit(&setup.switches)),
            limits: Limits::of(&spec.throttle),
            setup,
            world,
        })
    }

    fn admitted(&self, asked: &Asked<'_>, now: i64) -> Result<Wanted, Refused> {
        if let Some(errand) = Errand::of(asked.path) {
            return Ok(Wanted::Errand(errand));
        }
        let Setup {
            switches,
            door,
            members,
            ..
        } = &self.setup;
        self.authenticate(asked, now)?;
        door.check_address()?;
        let route = Route::of(asked.method(), asked.path)?;
        if let Some(id) = route.project() {
            members.group(&self.world, id, switches)?;
        }
        if door.lacks(route.role()) {
            return Err(unauthorized(switches));
        }
        let versions = route.versions();
        let version = negotiated(asked.headers(), route.has_body(), versions, switches, now)?;
        Ok(Wanted::Resource(route, version))
    }

    /// A live access token is as good as digest credentials.
    fn authenticate(&self, asked: &Asked<'_>, now: i64) -> Result<(), Refused> {
        let door = &self.setup.door;
        let Some(token) = bearer(asked).filter(|_| door.required()) else {
            return door.authenticate(asked, now);
        };
        if self.tokens.is_live(token, now) {
            return Ok(());
        }
        let challenge = "Bearer realm=\"MMS Public API\", error=\"invalid_token\"";
        Err(Refused::unauthenticated(vec![HeaderValue::from_static(
            challenge,
        )]))
    }

    fn read_resource(&self, route: &Route, call: &Call<'_>) -> Result<Response<Bytes>, Refused> {
        let (world, limits) = (&self.world, self.limits);
        match route {
            Route::Projects => project::list(call, world),
            Route::Project(id) => project::one(call, world, id),
            Route::ByName(name) => project::by_name(call, world, name),
            Route::OfOrg(org) => project::of_org(call, world, org),
            Route::Clusters(id, sort) => cluster::list(call, world, id, *sort),
            Route::Cluster(id, sort, name) => cluster::one(call, world, (id, *sort, name)),
            Route::RateLimits => endpoint_sets::list(call, world, limits),
            Route::RateLimit(id) => endpoint_sets::one(call, world, id, limits),
            _ => Err(Refused::no_resource(call.asked.path)),
        }
    }
}

/// The token of a Bearer header.
fn bearer<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    let header = asked.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

impl Api for Cloud {
    const VENDOR: &'static str = "mongodb-atlas";
    type Route = Admitted;

    fn open(spec: &Spec, population: &Population) -> Result<Self, OpenError> {
        let population = population.of_kinds("project", str::to_ascii_lowercase);
        let found = found(spec, &population)?;
        Self::with(spec, |world| populate(world, found, &population))
    }

    fn admit(&self, asked: &Asked<'_>, now: i64) -> Result<Admitted, Box<Response<Bytes>>> {
        self.admitted(asked, now).map(Admitted).map_err(|refused| {
            let refused = self.setup.turned_away(refused, now);
            Box::new(refused.into_response(&self.setup.switches))
        })
    }

    fn writes(Admitted(wanted): &Admitted) -> bool {
        matches!(wanted, Wanted::Resource(route, _) if route.writes())
    }

    fn read(&self, Admitted(wanted): &Admitted, asked: &Asked<'_>, now: i64) -> Response<Bytes> {
        match wanted {
            Wanted::Errand(errand) => oauth::answer(*errand, asked, &self.setup, &self.tokens, now),
            Wanted::Resource(route, version) => {
                let call = Call::of(&self.setup, asked, API, version.media(), now);
                self.read_resource(route, &call)
                    .unwrap_or_else(|refused| refused.into_response(&self.setup.switches))
            }
        }
    }

    fn write(
        &mut self,
        Admitted(wanted): &Admitted,
        asked: &Asked<'_>,
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) -> Response<Bytes> {
        let Wanted::Resource(route, version) = wanted else {
            return Refused::no_resource(asked.path).into_response(&self.setup.switches);
        };
        let Self { setup, world, .. } = self;
        let call = Call::of(setup, asked, API, version.media(), now);
        let answer = match route {
            Route::CreateProject => project_change::create(&call, world, changes),
            Route::ChangeProject(id) => project_change::change(&call, world, id, changes),
            Route::RemoveProject(id) => project_change::remove(&call, world, id, changes),
            Route::ChangeCluster(id, sort, name) => {
                cluster_change::change(&call, world, (id, *sort, name), changes)
            }
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

    /// Requests for tokens have a limit of their own.
    fn counted(Admitted(wanted): &Admitted) -> Option<Counted> {
        match wanted {
            Wanted::Resource(route, _) => Some(route.counted()),
            Wanted::Errand(_) => None,
        }
    }

    fn too_many(&self, excess: &Excess<'_>) -> Response<Bytes> {
        let Excess {
            resource,
            limit,
            per,
            wait,
            ..
        } = *excess;
        let per = per.as_secs();
        let refused = match excess.refill {
            Some(refill) => {
                let detail = format!(
                    "Rate limit exceeded for {resource}. Please retry after {wait} seconds. Request capacity: {limit}. \
                     Refill rate: {refill} per {per} seconds."
                );
                [wait, limit, refill, per].into_iter().fold(
                    Refused::new(429, "RATE_LIMITED_TOKEN_BUCKET", detail).about(resource),
                    Refused::about,
                )
            }
            None => Refused::rate_limited(resource, limit, per.div_ceil(60)),
        };
        refused.into_response(&self.setup.switches)
    }

    fn entities(&self) -> usize {
        self.world.len()
    }
}

impl Simulated<Cloud> {
    /// The tags of a project (`GROUP_ID`) or cluster (`GROUP_ID/NAME`) as they are, in their order; `None` when it does
    /// not exist.
    pub fn tags(&self, entity: &str) -> Option<Vec<(String, String)>> {
        self.look(|Cloud { world, .. }| {
            let index = world.find(entity)?;
            let pair =
                |(key, value): (&str, Option<&str>)| (key.to_owned(), value.unwrap_or_default().to_owned());
            Some(world.tags(index).map(pair).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::super::testing::{Signing, send};
    use super::super::testing::{IDLE, PROJECT, ask, cloud, cloud_in};
    use super::*;

    const VERSION: &str = "2023-01-01";

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_refuses_as_recorded_until_it_is_refilled() {
        let simulator = cloud("throttle=bucket,capacity=10,refill=5,per=60s");
        let path = "/orgs/a0123456789abcdef0123456/groups";
        for left in (0..10).rev() {
            let got = ask(&simulator, "GET", path, VERSION, "").await;
            assert_eq!((got.status, got.header("ratelimit-limit")), (200, Some("10")));
            assert_eq!(got.header("ratelimit-remaining"), Some(&*left.to_string()));
            assert_eq!(got.header("retry-after"), None, "only when limited");
        }
        tokio::time::advance(Duration::from_secs(5)).await;
        let refused = ask(&simulator, "GET", path, VERSION, "").await;
        assert_eq!(
            refused.text,
            r#"{"detail":"Rate limit exceeded for api/atlas/v2/orgs. Please retry after 55 seconds. Request capacity: 10. Refill rate: 5 per 60 seconds.","error":429,"errorCode":"RATE_LIMITED_TOKEN_BUCKET","parameters":["api/atlas/v2/orgs",55,10,5,60],"reason":"Too Many Requests"}"#
        );
        assert_eq!(refused.header("retry-after"), Some("55"));
        assert_eq!(
            ask(&simulator, "GET", "/groups", VERSION, "").await.status,
            200,
            "another set"
        );
        tokio::time::advance(Duration::from_secs(55)).await;
        let again = ask(&simulator, "GET", path, VERSION, "").await;
        assert_eq!(
            (again.status, again.header("ratelimit-remaining")),
            (200, Some("4"))
        );
    }

    #[tokio::test]
    async fn a_challenge_takes_no_token_from_a_bucket() {
        let simulator = cloud("auth=on&throttle=bucket,capacity=10000");
        let target = format!("/api/atlas/v2/groups/{PROJECT}");
        for left in ["9999", "9998", "9997"] {
            let first = send(&simulator, "GET", &target, &[], "").await;
            assert_eq!((first.status, first.header("ratelimit-limit")), (401, None));
            let header = Signing::good(first.nonce(), &target).header();
            let headers = [
                ("authorization", &*header),
                ("accept", "application/vnd.atlas.2023-01-01+json"),
            ];
            let got = send(&simulator, "GET", &target, &headers, "").await;
            assert_eq!((got.status, got.header("ratelimit-remaining")), (200, Some(left)));
        }
        let unknown = ask(
            &cloud("throttle=bucket"),
            "GET",
            "/groups/111111111111111111111111",
            VERSION,
            "",
        )
        .await;
        assert_eq!((unknown.status, unknown.header("ratelimit-limit")), (404, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_sees_tags_only_after_the_delay() {
        let simulator = cloud("visibility=2s");
        let path = format!("/groups/{IDLE}");
        let body = r#"{"tags":[{"key":"a","value":"b"}]}"#;
        let want = json!([{"key": "a", "value": "b"}]);
        assert_eq!(
            ask(&simulator, "PATCH", &path, VERSION, body).await.json()["tags"],
            want
        );
        let seen = async || ask(&simulator, "GET", &path, VERSION, "").await.json()["tags"].clone();
        assert_eq!(seen().await, json!([]));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(seen().await, want);
    }

    #[tokio::test]
    async fn the_journal_names_entities_as_clients_do_and_gives_the_state_again() {
        let dir = tempfile::tempdir().unwrap();
        let simulator = cloud_in(dir.path(), "");
        let body = r#"{"tags":[{"key":"env","value":"test"}]}"#;
        ask(
            &simulator,
            "PATCH",
            &format!("/groups/{PROJECT}/clusters/Cluster0"),
            "2024-10-23",
            body,
        )
        .await;
        ask(&simulator, "PATCH", &format!("/groups/{IDLE}"), VERSION, body).await;
        drop(simulator);
        let text = std::fs::read_to_string(dir.path().join("state")).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .skip(1)
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let entity = format!("{PROJECT}/Cluster0");
        assert_eq!(
            lines[0]["changes"],
            json!([
                {"entity": entity, "op": "remove", "key": "env", "value": "prod"},
                {"entity": entity, "op": "add", "key": "env", "value": "test"},
            ])
        );
        assert_eq!(
            lines[1]["changes"],
            json!([{"entity": IDLE, "op": "add", "key": "env", "value": "test"}])
        );
        let again = cloud_in(dir.path(), "");
        let want = Some(vec![("env".to_owned(), "test".to_owned())]);
        assert_eq!((again.tags(&entity), again.tags(IDLE)), (want.clone(), want));
    }

    #[tokio::test]
    async fn a_generated_cloud_has_legal_tags() {
        let spec = Spec::from_url("simulator:?entities=500&seed=7", std::path::Path::new("")).unwrap();
        let simulator = Atlas::open(&spec).unwrap();
        let got = ask(&simulator, "GET", "/groups?itemsPerPage=500", VERSION, "")
            .await
            .json();
        let results = got["results"].as_array().unwrap();
        assert_eq!(results.len(), 500);
        for project in results {
            let tags = project["tags"].as_array().unwrap();
            super::super::tags::checked(tags, &Switches::default()).unwrap();
        }
        assert!(results.iter().any(|project| project["tags"] != json!([])));
    }
}
