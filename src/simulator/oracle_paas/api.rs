//! The identity domain as a whole: what it is made of, who may come in, and which code answers.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::super::api::{Api, Asked};
use super::super::journal::{Change, Entry};
use super::super::keyed::Excess;
use super::super::opening::OpenError;
use super::super::population::Population;
use super::super::simulated::Simulated;
use super::super::spec::Spec;
use super::access::Door;
use super::answer::Refused;
use super::front_end::FrontEnd;
use super::populate::populate;
use super::route::{Call, Route, read, write};
use super::switches::{Issues, Switches};
use super::world::World;

/// A simulated Oracle PaaS Service Manager.
pub type OraclePaas = Simulated<Domain>;

/// The identity domain behind the shell.
#[derive(Debug)]
pub struct Domain {
    switches: Switches,
    door: Door,
    front_end: FrontEnd,
    pub(super) world: World,
}

impl Domain {
    /// A domain with service instances from elsewhere.
    pub(super) fn with(
        spec: &Spec,
        fill: impl FnOnce(&mut World) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let switches: Switches = spec.switches();
        let door = Door::of(&spec.access, switches.tenant_mismatch.status())?;
        let visibility_ms = i64::try_from(spec.visibility.as_millis()).unwrap_or(i64::MAX);
        let mut world = World::new(visibility_ms, switches.key_case);
        fill(&mut world)?;
        Ok(Self {
            door,
            front_end: FrontEnd::new(&switches),
            world,
            switches,
        })
    }
}

impl Api for Domain {
    const VENDOR: &'static str = "oracle-paas";
    type Route = Route;

    fn open(spec: &Spec, population: &Population) -> Result<Self, OpenError> {
        let population = population.of_kinds("JaaS", str::to_owned);
        Self::with(spec, |world| populate(world, spec, &population))
    }

    fn admit(&self, asked: &Asked<'_>, _now: i64) -> Result<Route, Box<Response<Bytes>>> {
        let admitted = || {
            self.door.authenticate(asked.headers())?;
            let route = Route::of(asked.method(), asked.path, self.switches.trailing_slash)?;
            self.door.check_domain(&route.domain, asked.headers())?;
            self.door.authorize(route.scope())?;
            Ok(route)
        };
        admitted().map_err(|refused: Refused| Box::new(refused.into_response(self.switches.issues)))
    }

    fn writes(route: &Route) -> bool {
        route.writes()
    }

    fn read(&self, route: &Route, asked: &Asked<'_>, now: i64) -> Response<Bytes> {
        let call = Call::of(asked, now, &self.switches);
        read(route, &call, &self.world).unwrap_or_else(|refused| refused.into_response(self.switches.issues))
    }

    fn write(
        &mut self,
        route: &Route,
        asked: &Asked<'_>,
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) -> Response<Bytes> {
        let call = Call::of(asked, now, &self.switches);
        write(route, &call, &mut self.world, changes)
            .unwrap_or_else(|refused| refused.into_response(self.switches.issues))
    }

    fn undo(&mut self, changes: &[Change<'_>], now: i64) {
        self.world.undo(changes, now);
    }

    fn replay(&mut self, entry: &Entry<'_>) {
        self.world.replay(entry);
    }

    fn failure(status: StatusCode, message: &str) -> Response<Bytes> {
        Refused::new(status.as_u16(), message).into_response(Issues::Strings)
    }

    fn too_many(&self, _excess: &Excess<'_>) -> Response<Bytes> {
        Refused::new(429, "Too many requests.").into_response(Issues::Strings)
    }

    fn finish(&self, answer: &mut Response<Bytes>) {
        self.front_end.finish(answer);
    }

    fn entities(&self) -> usize {
        self.world.len()
    }
}

impl Simulated<Domain> {
    /// What a service instance such as `JaaS/MyJCSExample` carries, as keys and values, sorted; `None` when it does not exist.
    pub fn assigned_tags(&self, id: &str) -> Option<Vec<(String, String)>> {
        self.look(|Domain { world, .. }| {
            let index = world.by_entity(id)?;
            let pair = |&tag| {
                let tag = world.tag(tag);
                (tag.key.to_string(), tag.value.to_string())
            };
            let mut tags: Vec<_> = world.carried(index).iter().map(pair).collect();
            tags.sort_unstable();
            Some(tags)
        })
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::{Value, json};

    use super::super::super::journal::Journal;
    use super::super::super::simulated::Simulator as _;
    use super::super::testing::{Desk, EXAMPLE, TAGS, WEB1};

    fn example() -> Value {
        json!({"tags": [{"key": "environment", "value": "qa"}, {"key": "empty"}],
            "assignments": {"services": [{"serviceType": "JaaS", "serviceName": "MyJCSExample"}]}})
    }

    #[tokio::test]
    async fn every_request_is_a_line_and_opening_again_gives_the_state() {
        let dir = tempfile::tempdir().unwrap();
        let desk = Desk::within(dir.path(), "fault=lost-reply,method=DELETE&front-end-body=json");
        desk.post(&example()).await;
        desk.get(TAGS).await;
        desk.ask(
            "DELETE",
            &format!("{TAGS}/env/prod?removeAssignments=true"),
            &Value::Null,
        )
        .await;
        desk.post(&json!({})).await;
        let before = desk.facts();
        drop(desk);

        let text = std::fs::read_to_string(dir.path().join("state")).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["vendor"], "oracle-paas");
        let statuses: Vec<_> = lines[1..].iter().map(|line| &line["status"]).collect();
        assert_eq!(statuses, [200, 200, 503, 400]);
        let change = |entity: &str, op: &str, key: &str, value: &str| json!({"entity": entity, "op": op, "key": key, "value": value});
        assert_eq!(
            lines[1]["changes"],
            json!([
                change("", "add", "environment", "qa"),
                change("", "add", "empty", ""),
                change(EXAMPLE, "add", "environment", "qa"),
                change(EXAMPLE, "add", "empty", ""),
            ])
        );
        assert_eq!(
            lines[3]["changes"],
            json!([
                change(WEB1, "remove", "env", "prod"),
                change("", "remove", "env", "prod")
            ])
        );
        let again = Desk::within(dir.path(), "");
        assert_eq!((again.facts(), again.0.handled()), (before, 4));
    }

    #[tokio::test]
    async fn what_the_journal_can_not_be_told_is_taken_back() {
        let desk = Desk::new("");
        let before = desk.facts();
        // Every write to this device fails, as on a full disk.
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        *desk.0.journal.lock().unwrap() = Journal::in_file(full, 0, 0);
        let request = Request::post(TAGS).body(example().to_string()).unwrap();
        assert_eq!(desk.send(request).await.status(), 500);
        assert_eq!(desk.facts(), before);
        *desk.0.journal.lock().unwrap() = Journal::in_memory();
        assert_eq!(desk.post(&example()).await.0, 200);
    }

    #[tokio::test]
    async fn who_has_no_credentials_is_turned_away_before_anything_else() {
        let desk = Desk::new("auth=on");
        for (path, basic, domain, status) in [
            (TAGS, false, "ExampleIdentityDomain", 401),
            ("/nowhere", false, "ExampleIdentityDomain", 401),
            ("/nowhere", true, "ExampleIdentityDomain", 404),
            (TAGS, true, "", 401),
            (TAGS, true, "OtherDomain", 401),
            (TAGS, true, "ExampleIdentityDomain", 200),
        ] {
            let mut request = Request::get(path).header("x-id-tenant-name", domain);
            if basic {
                request = request.header("authorization", "Basic dXNlcjpwYXNzd29yZA==");
            }
            let answer = desk.send(request.body(String::new()).unwrap()).await;
            assert_eq!(answer.status(), status, "{path} {basic} {domain}");
            assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401);
            let html = answer.headers()["content-type"] == "text/html; charset=UTF-8";
            assert_eq!(html, status == 401, "{path} {basic} {domain}");
        }
        for (options, status) in [
            ("missing-scopes=tags", 403),
            ("missing-scopes=tags.write", 200),
            ("tenant=Other", 401),
            ("tenant=Other&tenant-mismatch=404", 404),
            ("tenant=ExampleIdentityDomain", 200),
        ] {
            let request = Request::get(TAGS).body(String::new()).unwrap();
            assert_eq!(
                Desk::new(options).send(request).await.status(),
                status,
                "{options}"
            );
        }
    }

    #[tokio::test]
    async fn every_answer_carries_a_correlation_identifier_whoever_made_it() {
        for (options, status) in [
            ("", 200),
            ("auth=on", 401),
            ("throttle=window,limit=0", 429),
            ("fault=error", 503),
            ("fault=garbage", 200),
        ] {
            let request = Request::get(TAGS).body(String::new()).unwrap();
            let answer = Desk::new(options).send(request).await;
            assert_eq!(answer.status(), status, "{options}");
            assert!(answer.headers().contains_key("x-oracle-dms-ecid"), "{options}");
        }
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit() {
        for (max, status) in [(example().to_string().len(), 200), (30, 413)] {
            let desk = Desk::new(&format!("max-body={max}"));
            let (got, answer) = desk.post(&example()).await;
            assert_eq!(got, status);
            assert_eq!(answer["details"]["message"].is_string(), status == 413);
        }
    }
}
