//! The environment as a whole: what it is made of, who may come in, and which code answers.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::super::api::{Api, Asked};
use super::super::journal::{Change, Entry};
use super::super::keyed::Excess;
use super::super::opening::OpenError;
use super::super::population::Population;
use super::super::simulated::Simulated;
use super::super::spec::Spec;
use super::super::{generate, inventory};
use super::access::{Door, masked};
use super::auto_tags::{self, AutoTags};
use super::envelope::Refused;
use super::query::Query;
use super::route::{Call, Route, read, write};
use super::switches::Switches;
use super::world::World;

/// A simulated Dynatrace environment.
pub type Dynatrace = Simulated<Environment>;

/// The environment behind the shell.
#[derive(Debug)]
pub struct Environment {
    spec: Spec,
    switches: Switches,
    door: Door,
    world: World,
    auto_tags: AutoTags,
}

impl Environment {
    /// An environment with entities from elsewhere.
    pub(super) fn with(
        spec: &Spec,
        populate: impl FnOnce(&mut World) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let door = Door::of(&spec.access)?;
        let switches: Switches = spec.switches();
        let visibility = millis(spec.visibility);
        let mut world = World::new(visibility);
        populate(&mut world)?;
        Ok(Self {
            spec: spec.clone(),
            door,
            world,
            auto_tags: AutoTags::new(visibility, millis(switches.name_hold.duration())),
            switches,
        })
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Api for Environment {
    const VENDOR: &'static str = "dynatrace";
    type Route = Route;

    fn open(spec: &Spec, population: &Population) -> Result<Self, OpenError> {
        let population = &population.of_kinds("HOST", str::to_ascii_uppercase);
        let mut environment = Self::with(spec, |world| {
            match &population.inventory {
                Some(file) => inventory::entities(&spec.resolve(file), population)?
                    .into_iter()
                    .for_each(|made| world.insert(made)),
                None => generate::entities(population).for_each(|made| world.insert(made)),
            }
            Ok(())
        })?;
        auto_tags::generate(&mut environment.auto_tags, population.auto_tags);
        Ok(environment)
    }

    fn admit(&self, asked: &Asked<'_>, _now: i64) -> Result<Route, Box<Response<Bytes>>> {
        let admitted = || {
            self.door
                .authenticate(asked.headers(), &Query::parse(asked.query))?;
            let route = Route::of(asked.method(), asked.path)?;
            self.door.authorize(route.scopes())?;
            Ok(route)
        };
        admitted().map_err(|refused: Refused| Box::new(refused.into_response()))
    }

    fn writes(route: &Route) -> bool {
        route.writes()
    }

    fn read(&self, route: &Route, asked: &Asked<'_>, now: i64) -> Response<Bytes> {
        let call = Call::of(route, asked, now, &self.spec, &self.switches);
        read(&call, &self.world, &self.auto_tags).unwrap_or_else(Refused::into_response)
    }

    fn write(
        &mut self,
        route: &Route,
        asked: &Asked<'_>,
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) -> Response<Bytes> {
        let call = Call::of(route, asked, now, &self.spec, &self.switches);
        write(&call, &mut self.world, &mut self.auto_tags, changes).unwrap_or_else(Refused::into_response)
    }

    fn undo(&mut self, changes: &[Change<'_>], now: i64) {
        for change in changes.iter().rev() {
            if !self.auto_tags.undo(change, now) {
                self.world.undo(change, now);
            }
        }
    }

    fn replay(&mut self, entry: &Entry<'_>) {
        for change in &entry.changes {
            if !self.auto_tags.replay(change, entry.ms) {
                self.world.replay(change, entry.ms);
            }
        }
    }

    fn failure(status: StatusCode, message: &str) -> Response<Bytes> {
        Refused::plain(status.as_u16(), message).into_response()
    }

    fn too_many(&self, _excess: &Excess<'_>) -> Response<Bytes> {
        Refused::plain(429, "Too many requests. Please try again later.").into_response()
    }

    fn masked(target: &str) -> Cow<'_, str> {
        masked(target)
    }

    fn entities(&self) -> usize {
        self.world.len()
    }
}

impl Simulated<Environment> {
    /// The manual tags of an entity as they are, sorted; `None` when it does not exist.
    pub fn manual_tags(&self, id: &str) -> Option<Vec<(String, Option<String>)>> {
        let (kind, bits) = inventory::identifier(id)?;
        self.look(|Environment { world, .. }| {
            let index = world.find(&kind, bits)?;
            let pair = |&tag| {
                let (key, value) = world.tag(tag);
                (key.to_owned(), value.map(str::to_owned))
            };
            let mut tags: Vec<_> = world.manual(index).iter().map(pair).collect();
            tags.sort_unstable();
            Some(tags)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use http::Request;
    use serde_json::json;
    use tokio::time::Instant;

    use super::super::super::journal::Journal;
    use super::super::super::reply::Reply;
    use super::super::super::simulated::Simulator as _;

    use super::super::testing::{OLD, SHOP, WEB1, WEB2, ask, environment, environment_in, tags_of};
    use super::*;

    const ADD: &str = "/api/v2/tags?entitySelector=entityId(HOST-0000000000000001)";

    async fn send(simulator: &Dynatrace, method: &str, target: &str) -> Reply {
        let request = Request::builder().method(method).uri(target);
        let body = if method == "POST" {
            r#"{"tags":[{"key":"new"}]}"#
        } else {
            ""
        };
        simulator
            .answer(request.body(Bytes::from_static(body.as_bytes())).unwrap())
            .await
    }

    fn carries_new(simulator: &Dynatrace) -> bool {
        tags_of(simulator, WEB1).contains(&"new".to_owned())
    }

    #[tokio::test]
    async fn each_fault_applies_or_not_and_answers_as_it_says() {
        for (fault, status, applied) in [
            ("reset", None, false),
            ("timeout", None, false),
            ("lost-ack", None, true),
            ("hang", None, true),
            ("lost-reply", Some(503), true),
            ("lost-reply,status=502", Some(502), true),
            ("error,status=500", Some(500), false),
            ("truncated", Some(200), true),
            ("garbage", Some(200), false),
        ] {
            let simulator = environment(&format!("fault={fault}"));
            let reply = send(&simulator, "POST", ADD).await;
            assert_eq!(
                (reply.status(), carries_new(&simulator)),
                (status, applied),
                "{fault}"
            );
        }
    }

    #[tokio::test]
    async fn a_truncated_answer_sends_half_of_its_body() {
        let simulator = environment("fault=truncated");
        let Reply::Truncated { answer, sent } = send(&simulator, "POST", ADD).await else {
            panic!("it is not truncated");
        };
        assert_eq!(sent, answer.body().len() / 2);
        assert!(sent > 0);
    }

    #[tokio::test]
    async fn an_error_may_say_how_long_to_wait() {
        let simulator = environment("fault=error,retry-after=7");
        let Reply::Answer(answer) = send(&simulator, "POST", ADD).await else {
            panic!("no answer")
        };
        assert_eq!(answer.headers()["retry-after"], "7");
        assert_eq!(
            answer.body(),
            r#"{"error":{"code":503,"message":"HTTP 503 Service Unavailable"}}"#
        );
    }

    #[tokio::test(start_paused = true)]
    async fn latency_and_a_slow_answer_add_up() {
        let simulator = environment("latency=20ms&fault=slow,delay=3s");
        let began = Instant::now();
        send(&simulator, "POST", ADD).await;
        assert_eq!(began.elapsed(), Duration::from_millis(3_020));
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_on_the_way_in_changes_nothing_and_on_the_way_out_everything() {
        for (patience, applied) in [(40, false), (60, true)] {
            let simulator = environment("latency=100ms");
            let sent = send(&simulator, "POST", ADD);
            assert!(
                tokio::time::timeout(Duration::from_millis(patience), sent)
                    .await
                    .is_err()
            );
            assert_eq!(carries_new(&simulator), applied, "after {patience} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_becomes_visible_to_reads_after_the_delay() {
        let simulator = environment("visibility=2s");
        send(&simulator, "POST", ADD).await;
        let seen = async || {
            let (_, body) = ask(&simulator, "GET", ADD, "").await;
            body["tags"]
                .as_array()
                .unwrap()
                .iter()
                .any(|tag| tag["key"] == "new")
        };
        assert!(!seen().await);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(seen().await);
    }

    #[tokio::test]
    async fn a_throttled_request_is_refused_and_the_others_carry_what_is_left() {
        let simulator = environment("throttle=window,limit=1,per=60s,unit=s");
        let Reply::Answer(first) = send(&simulator, "GET", ADD).await else {
            panic!("no answer")
        };
        assert_eq!(first.headers()["x-ratelimit-remaining"], "0");
        assert_eq!(first.headers()["x-ratelimit-limit"], "1");
        assert_eq!(send(&simulator, "POST", ADD).await.status(), Some(429));
        assert!(!carries_new(&simulator));
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit() {
        let simulator = environment("max-body=30");
        let padded = |length: usize| format!(r#"{{"tags":[]}}{}"#, " ".repeat(length - 11));
        assert_eq!(ask(&simulator, "POST", ADD, &padded(30)).await.0, 200);
        let (status, body) = ask(&simulator, "POST", ADD, &padded(31)).await;
        assert_eq!((status, &body["error"]["code"]), (413, &json!(413)));
    }

    #[tokio::test]
    async fn who_has_no_token_is_turned_away_before_anything_else() {
        let simulator = environment("auth=on&throttle=window,limit=0");
        for target in [ADD, "/api/v2/nowhere"] {
            assert_eq!(ask(&simulator, "GET", target, "").await.0, 401, "{target}");
        }
        let simulator = environment("missing-scopes=DataExport,entities.write");
        for (method, target, status) in [
            ("GET", ADD, 200),
            ("POST", ADD, 403),
            ("GET", "/api/v1/entity/infrastructure/hosts", 403),
        ] {
            assert_eq!(
                ask(&simulator, method, target, "").await.0,
                status,
                "{method} {target}"
            );
        }
    }

    fn lines(dir: &Path) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(dir.join("state")).unwrap();
        text.lines()
            .skip(1)
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn every_request_is_a_line_and_opening_again_gives_the_state() {
        let dir = tempfile::tempdir().unwrap();
        let simulator = environment_in(dir.path(), "fault=lost-ack,method=DELETE");
        ask(&simulator, "GET", &format!("{ADD}&api-token=dt0c01.SECRET"), "").await;
        ask(
            &simulator,
            "POST",
            ADD,
            r#"{"tags":[{"key":"new"},{"key":"a:b","value":"c\"d"}]}"#,
        )
        .await;
        ask(&simulator, "GET", "/nowhere", "").await;
        send(&simulator, "DELETE", &format!("{ADD}&key=env&value=prod")).await;
        let before = tags_of(&simulator, WEB1);
        drop(simulator);

        let lines = lines(dir.path());
        let brief: Vec<_> = lines
            .iter()
            .map(|line| (&line["seq"], &line["method"], &line["status"]))
            .collect();
        assert_eq!(
            serde_json::to_value(brief).unwrap(),
            json!([
                [1, "GET", 200],
                [2, "POST", 200],
                [3, "GET", 404],
                [4, "DELETE", null]
            ])
        );
        assert_eq!(lines[0]["target"], format!("{ADD}&api-token=***"));
        assert_eq!(
            lines[1]["changes"][1],
            json!({"entity": WEB1, "op": "add", "key": "a:b", "value": "c\"d"})
        );
        assert_eq!(
            lines[3]["changes"],
            json!([{"entity": WEB1, "op": "remove", "key": "env", "value": "prod"}])
        );
        assert_eq!(lines[3]["fault"], "lost-ack");

        let again = environment_in(dir.path(), "");
        assert_eq!(tags_of(&again, WEB1), before);
        assert_eq!(again.handled(), 4);
        assert!(
            !before.contains(&"env:prod".to_owned()),
            "the lost removal was applied"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn lines_come_in_the_order_of_their_changes_however_many_ask_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let simulator = std::sync::Arc::new(environment_in(dir.path(), ""));
        let mut asking = tokio::task::JoinSet::new();
        for n in 0..8 {
            let simulator = std::sync::Arc::clone(&simulator);
            asking.spawn(async move {
                for round in 0..25 {
                    // Even and odd tasks work against each other on the same tag.
                    let (method, target) = match (n + round) % 2 {
                        0 => ("POST", ADD.to_owned()),
                        _ => ("DELETE", format!("{ADD}&key=new")),
                    };
                    send(&simulator, method, &target).await;
                }
            });
        }
        asking.join_all().await;
        let before = tags_of(&simulator, WEB1);
        drop(simulator);
        let sequence: Vec<_> = lines(dir.path())
            .iter()
            .map(|line| line["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(sequence, (1..=200).collect::<Vec<_>>());
        let operations: Vec<_> = lines(dir.path())
            .iter()
            .filter_map(|line| line["changes"][0]["op"].as_str().map(str::to_owned))
            .collect();
        let alternate = operations
            .iter()
            .enumerate()
            .all(|(n, op)| op == ["add", "remove"][n % 2]);
        assert!(
            alternate,
            "a change is told only where it changed something: {operations:?}"
        );
        assert_eq!(tags_of(&environment_in(dir.path(), ""), WEB1), before);
    }

    #[tokio::test]
    async fn changes_of_entities_that_are_gone_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let inventory = dir.path().join("hosts.csv");
        let url = "simulator:state?inventory=hosts.csv&name=host";
        let spec = Spec::from_url(url, dir.path()).unwrap();
        let all = "/api/v2/tags?entitySelector=type(HOST)";
        std::fs::write(&inventory, "host\na\nb\n").unwrap();
        ask(
            &Dynatrace::open(&spec).unwrap(),
            "POST",
            all,
            r#"{"tags":[{"key":"x"}]}"#,
        )
        .await;
        std::fs::write(&inventory, "host\nb\nc\n").unwrap();
        let simulator = Dynatrace::open(&spec).unwrap();
        let tagged = "/api/v2/entities?entitySelector=type(HOST),tag(x)";
        let (_, body) = ask(&simulator, "GET", tagged, "").await;
        assert_eq!(simulator.entities(), 2);
        assert_eq!(
            (&body["totalCount"], &body["entities"][0]["displayName"]),
            (&json!(1), &json!("b"))
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]
        #[test]
        fn replaying_gives_the_state_whatever_was_asked(asked in proptest::collection::vec((0..3_usize, 0..3_usize, "[a-c]", "[xy]?"), 1..30)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let dir = tempfile::tempdir().unwrap();
            let simulator = environment_in(dir.path(), "");
            for (method, entity, key, value) in asked {
                let selector = ["type(HOST)", "type(SERVICE)", "entityId(HOST-0000000000000001)"][entity];
                let target = format!("/api/v2/tags?entitySelector={selector}&from=now-1y&key={key}");
                let body = json!({"tags": [{"key": key, "value": value}]}).to_string();
                let (method, target) = match method {
                    0 => ("DELETE", format!("{target}&deleteAllWithKey=true")),
                    1 => ("DELETE", format!("{target}&value={value}")),
                    _ => ("POST", target),
                };
                runtime.block_on(ask(&simulator, method, &target, &body));
            }
            let state = |simulator: &Dynatrace| [WEB1, WEB2, OLD, SHOP].map(|id| tags_of(simulator, id));
            let before = state(&simulator);
            drop(simulator);
            proptest::prop_assert_eq!(state(&environment_in(dir.path(), "")), before);
        }
    }

    #[tokio::test]
    async fn what_can_not_be_written_is_neither_confirmed_nor_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut simulator = environment_in(dir.path(), "");
        let read_only = std::fs::File::open(dir.path().join("state")).unwrap();
        simulator.journal = Mutex::new(Journal::in_file(read_only, 0, 0));
        assert_eq!(send(&simulator, "POST", ADD).await.status(), Some(500));
        assert_eq!(tags_of(&simulator, WEB1), ["env:prod", "owner"]);
        assert_eq!(send(&simulator, "GET", ADD).await.status(), Some(500));
    }

    #[test]
    fn the_token_to_accept_must_be_there() {
        let mut spec = Spec::default();
        spec.set("token-env", "TAGFERRY_TEST_NO_SUCH_VARIABLE").unwrap();
        assert!(matches!(Dynatrace::open(&spec), Err(OpenError::NoToken(_))));
    }
}
