//! Tests of OAuth2 client credentials over whole calls: who fetches, who waits, and what a token that is refused costs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use tokio::time::{advance, sleep};

use super::script::{Arrival, ByStatus, Line, Memory, OfRows, Script, answer, write};
use super::wire_faults::{RawServer, Then};
use super::{Auth, Connection, Credentials, HaltKind, HttpExec, Options, Pace, Secret, Sent};
use crate::event::Events;
use crate::wire::{AuthScheme, Purpose, Response};

const LATENCY: Duration = Duration::from_millis(20);
const ENDPOINT: &str = "/api/oauth/token";

fn client() -> Auth {
    let credentials = Credentials::Client {
        id: Secret::of_name("mdb_sa_id_1"),
        secret: Secret::of_name("canary-secret"),
    };
    let scheme = AuthScheme::OAuth2 { endpoint: ENDPOINT };
    Auth::new(&[scheme], Some(&credentials)).expect("usable credentials")
}

fn options(concurrency: usize) -> Options {
    Options {
        pace: Pace {
            rate: None,
            concurrency: Some(concurrency),
        },
        ..Options::default()
    }
}

fn line(script: &Arc<Script>) -> Line {
    Line::known_by(client(), script, &options(32))
}

fn is_fetch(arrival: &Arrival) -> bool {
    arrival.request.target == ENDPOINT
}

fn fetches(script: &Script) -> usize {
    script
        .arrivals()
        .iter()
        .filter(|arrival| is_fetch(arrival))
        .count()
}

fn with_body(status: u16, body: String) -> Response {
    Response {
        body: body.into(),
        ..answer(status, &[])
    }
}

/// The token of a number, which lasts an hour.
fn token(number: usize) -> Response {
    let body = format!(r#"{{"access_token":"canary-t{number}","expires_in":3600,"token_type":"Bearer"}}"#);
    with_body(200, body)
}

/// A vendor that gives tokens by number from 1, and takes those from `least` on.
#[derive(Debug, Default)]
struct Issuer {
    given: AtomicUsize,
    least: AtomicUsize,
}

impl Issuer {
    fn reply(&self, arrival: &Arrival) -> Response {
        if is_fetch(arrival) {
            return token(self.given.fetch_add(1, Ordering::Relaxed) + 1);
        }
        let header = arrival.request.headers.get(AUTHORIZATION);
        let number = header
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer canary-t")?.parse().ok())
            .unwrap_or(0);
        let is_good = (self.least.load(Ordering::Relaxed)..usize::MAX).contains(&number) && number > 0;
        answer(if is_good { 200 } else { 401 }, &[])
    }

    fn script(self: &Arc<Self>) -> Arc<Script> {
        let issuer = Arc::clone(self);
        Script::new(LATENCY, move |arrival| Ok(issuer.reply(arrival)))
    }

    /// Takes no token that was given so far.
    fn revoke(&self) {
        let given = self.given.load(Ordering::Relaxed);
        self.least.store(given + 1, Ordering::Relaxed);
    }
}

fn accepted(sent: &[Sent]) -> usize {
    sent.iter()
        .filter(|sent| matches!(sent, Sent::Accepted(_)))
        .count()
}

fn left_open(sent: &[Sent]) -> usize {
    sent.iter()
        .filter(|sent| matches!(sent, Sent::NotSent { .. }))
        .count()
}

#[tokio::test(start_paused = true)]
async fn of_fifty_calls_at_once_one_fetches_a_token_and_all_use_it() {
    let script = Arc::new(Issuer::default()).script();
    assert_eq!(accepted(&line(&script).send_many(50, 50).await), 50);
    let arrivals = script.arrivals();
    assert_eq!((arrivals.len(), fetches(&script)), (51, 1));
    let fetch = &arrivals[0].request;
    assert_eq!(
        (&fetch.method, &fetch.body[..]),
        (&Method::POST, &b"grant_type=client_credentials"[..])
    );
    // The base64 of `mdb_sa_id_1:canary-secret`.
    assert_eq!(
        fetch.headers[AUTHORIZATION],
        "Basic bWRiX3NhX2lkXzE6Y2FuYXJ5LXNlY3JldA=="
    );
    assert_eq!(fetch.headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
    for arrival in &arrivals[1..] {
        assert_eq!(arrival.request.headers[AUTHORIZATION], "Bearer canary-t1");
    }
    assert_eq!((arrivals[1].in_flight, arrivals[2].in_flight), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_is_in_the_journal_and_no_attempt_of_the_call() {
    let script = Arc::new(Issuer::default()).script();
    let line = line(&script);
    let journal = Memory::default();
    line.connection.send(&write("/api"), &ByStatus, &journal).await;
    assert_eq!(
        journal.attempts(),
        [
            (Purpose::Authenticate, 0, "accepted"),
            (Purpose::Write, 1, "accepted")
        ]
    );
    assert_eq!(journal.attempts.lock().expect("a journal")[0].0.target, ENDPOINT);
    assert_eq!(line.connection.counts().retries, 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_a_minute_before_its_end_and_not_earlier() {
    let script = Arc::new(Issuer::default()).script();
    let line = line(&script);
    line.send().await;
    advance(Duration::from_secs(3538)).await;
    line.send().await;
    assert_eq!(fetches(&script), 1);
    advance(Duration::from_secs(2)).await;
    assert_eq!(accepted(&line.send_many(20, 20).await), 20);
    assert_eq!((fetches(&script), script.count()), (2, 24));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_revoked_is_fetched_anew_once_for_all() {
    let issuer = Arc::new(Issuer::default());
    let script = issuer.script();
    let line = line(&script);
    line.send_many(40, 40).await;
    issuer.revoke();
    let before = script.count();
    assert_eq!(accepted(&line.send_many(100, 40).await), 100);
    assert_eq!(fetches(&script), 2);
    let refused = script.count() - before - 100 - 1;
    assert!((1..=32).contains(&refused), "{refused}: those in flight");
    assert_eq!(line.connection.counts().retries, 0);
    let journal = Memory::default();
    issuer.revoke();
    line.connection.send(&write("/api"), &ByStatus, &journal).await;
    assert_eq!(
        journal.attempts(),
        [
            (Purpose::Write, 1, "challenged"),
            (Purpose::Authenticate, 0, "accepted"),
            (Purpose::Write, 1, "accepted")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_is_refused_halts_and_is_not_fetched_again() {
    let issuer = Arc::new(Issuer::default());
    issuer.least.store(usize::MAX, Ordering::Relaxed);
    let script = issuer.script();
    let line = line(&script);
    let sent = line.send_many(50, 50).await;
    assert_eq!((left_open(&sent), script.count(), fetches(&script)), (50, 2, 1));
    assert_eq!(
        line.connection.halted().map(|halt| halt.kind),
        Some(HaltKind::Credentials)
    );
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_refused_with_401_costs_no_token() {
    let issuer = Arc::new(Issuer::default());
    let script = issuer.script();
    let line = line(&script);
    line.send().await;
    issuer.revoke();
    for _ in 0..5 {
        let sent = line
            .connection
            .send(&write("/api"), &OfRows, &Memory::default())
            .await;
        assert!(matches!(sent, Sent::Refused { .. }), "{sent:?}");
    }
    assert_eq!(fetches(&script), 1);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_throttles_pauses_the_connection_in_either_form() {
    for body in [
        r#"{"error":"rate_limited","error_description":"Resource is limited"}"#,
        r#"{"detail":"Resource is limited","error":429,"errorCode":"RATE_LIMITED"}"#,
    ] {
        let issuer = Arc::new(Issuer::default());
        let script = Script::new(LATENCY, move |arrival| match arrival.before {
            0 => Ok(Response {
                body: body.into(),
                ..answer(429, &[("retry-after", "9")])
            }),
            _ => Ok(issuer.reply(arrival)),
        });
        let line = line(&script);
        let begun = tokio::time::Instant::now();
        assert_eq!(accepted(&line.send_many(10, 10).await), 10);
        assert!(begun.elapsed() >= Duration::from_secs(9));
        let counts = line.connection.counts();
        assert_eq!((counts.pauses, counts.throttled, counts.retries), (1, 1, 0));
        assert_eq!(script.count(), 12);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_is_asked_again_and_the_call_was_surely_not_applied() {
    let issuer = Arc::new(Issuer::default());
    let script = Script::new(LATENCY, move |arrival| match arrival.before {
        0 => Ok(answer(503, &[])),
        1 => Ok(with_body(200, "<html>".to_owned())),
        _ => Ok(issuer.reply(arrival)),
    });
    let line = line(&script);
    let journal = Memory::default();
    let sent = line.connection.send(&write("/api"), &ByStatus, &journal).await;
    assert!(matches!(sent, Sent::Accepted(_)), "{sent:?}");
    assert_eq!(journal.ends(), ["transient", "transient", "accepted", "accepted"]);
    assert_eq!(line.connection.counts().retries, 2);
    let script = Script::new(LATENCY, |_| Ok(answer(500, &[])));
    let sent = self::line(&script).send().await;
    assert!(
        matches!(
            sent,
            Sent::Exhausted {
                maybe_applied: false,
                ..
            }
        ),
        "{sent:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_halts_at_once_with_the_words_of_the_endpoint() {
    let script = Script::new(LATENCY, |_| {
        Ok(with_body(401, r#"{"error":"invalid_client"}"#.to_owned()))
    });
    let line = line(&script);
    let sent = line.send_many(50, 50).await;
    assert_eq!((left_open(&sent), script.count()), (50, 1));
    let halt = line.connection.halted().expect("it halted");
    assert_eq!(halt.kind, HaltKind::Credentials);
    assert!(
        halt.reason.contains("invalid_client; mend `client_id`"),
        "{}",
        halt.reason
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_reaches_those_who_wait_for_a_token_at_once() {
    let issuer = Arc::new(Issuer::default());
    let script = Script::new(Duration::from_secs(10), move |arrival| Ok(issuer.reply(arrival)));
    let line = line(&script);
    let (sent, ()) = tokio::join!(line.send_many(20, 20), async {
        sleep(Duration::from_secs(1)).await;
        line.connection.drain();
    });
    assert_eq!((left_open(&sent), script.count()), (20, 1));
}

#[tokio::test(start_paused = true)]
async fn neither_secret_nor_token_is_told_or_written_anywhere() {
    let issuer = Arc::new(Issuer::default());
    let script = issuer.script();
    let line = line(&script);
    let journal = Memory::default();
    for _ in 0..3 {
        line.connection.send(&write("/api"), &ByStatus, &journal).await;
        issuer.revoke();
    }
    let attempts = journal.attempts.lock().expect("a journal");
    let sent: Vec<_> = script
        .arrivals()
        .into_iter()
        .map(|arrival| arrival.request)
        .collect();
    let auth = &line.connection.auth;
    let told = format!(
        "{sent:?} {attempts:?} {:?} {:?} {auth:?}",
        line.events, line.connection
    );
    for part in ["canary", "bWRiX3Nh"] {
        assert!(!told.contains(part), "{part} in {told}");
    }
}

#[tokio::test]
async fn over_a_socket_the_endpoint_is_at_the_root_of_the_origin_and_requests_are_behind_the_base() {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&lines);
    let raw = RawServer::answering(
        move |request| {
            let line = request.lines().next().unwrap_or_default().to_owned();
            let body = if line.contains("/oauth/") {
                r#"{"access_token":"t"}"#
            } else {
                "{}"
            };
            seen.lock().expect("no test panics here").push(line);
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        },
        Then::Stay,
    )
    .await;
    let exec = HttpExec::new(&raw.url("/api/atlas/v2"), &Options::default()).expect("a client");
    let connection = Connection::new(
        "test",
        Arc::new(exec),
        client(),
        &Options::default(),
        None,
        Events::default(),
    );
    let sent = connection
        .send(&write("/groups"), &ByStatus, &Memory::default())
        .await;
    assert!(matches!(sent, Sent::Accepted(_)), "{sent:?}");
    assert_eq!(
        *lines.lock().expect("no test panics here"),
        [
            "POST /api/oauth/token HTTP/1.1",
            "POST /api/atlas/v2/groups HTTP/1.1"
        ]
    );
    assert_eq!(raw.connections(), 1);
}
