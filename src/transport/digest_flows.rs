//! Tests of the Digest scheme over whole calls: who asks, who waits, and what a refused nonce costs.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use tokio::time::{Instant, sleep};

use super::digest_server::{DigestServer, PASSWORD};
use super::script::{Arrival, ByStatus, Line, Memory, OfRows, Outcome, Script, answer, write};
use super::wire_faults::{RawServer, Then};
use super::{Auth, Connection, Credentials, HaltKind, HttpExec, Options, Pace, Secret, Sent};
use crate::event::{Event, Events};
use crate::wire::{AuthScheme, Purpose, Response, SendError};

const LATENCY: Duration = Duration::from_millis(20);

fn digest(password: &str) -> Auth {
    let credentials = Credentials::Password {
        user: Secret::of_name("pub"),
        password: Secret::of_name(password),
    };
    Auth::new(&[AuthScheme::Digest], Some(&credentials)).expect("usable credentials")
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

fn reply(server: &DigestServer, arrival: &Arrival) -> Response {
    let request = &arrival.request;
    let header = request.headers.get(AUTHORIZATION);
    let header = header.map(|value| value.to_str().expect("text"));
    match server.check(request.method.as_str(), &request.target, header) {
        Ok(()) => answer(200, &[]),
        Err(challenge) => answer(401, &[("www-authenticate", &challenge)]),
    }
}

fn script(server: &Arc<DigestServer>) -> Arc<Script> {
    let server = Arc::clone(server);
    Script::new(LATENCY, move |arrival| Ok(reply(&server, arrival)))
}

/// Answers in this order, then as the server does.
fn script_after(server: &Arc<DigestServer>, first: Vec<Outcome>) -> Arc<Script> {
    let server = Arc::clone(server);
    Script::new(LATENCY, move |arrival| match first.get(arrival.before) {
        Some(outcome) => outcome.clone(),
        None => Ok(reply(&server, arrival)),
    })
}

fn line(script: &Arc<Script>, concurrency: usize) -> Line {
    Line::known_by(digest(PASSWORD), script, &options(concurrency))
}

fn accepted(sent: &[Sent]) -> usize {
    sent.iter()
        .filter(|sent| matches!(sent, Sent::Accepted(_)))
        .count()
}

fn is_signed(arrival: &Arrival) -> bool {
    arrival.request.headers.contains_key(AUTHORIZATION)
}

#[tokio::test(start_paused = true)]
async fn of_fifty_calls_at_once_one_asks_without_its_body_and_all_share_the_nonce() {
    let server = Arc::new(DigestServer::default());
    let script = script(&server);
    let line = line(&script, 100);
    assert_eq!(accepted(&line.send_many(50, 50).await), 50);
    let arrivals = script.arrivals();
    assert_eq!((arrivals.len(), server.challenges()), (51, 1));
    let probe = &arrivals[0];
    assert!(!is_signed(probe) && probe.request.body.is_empty());
    assert_eq!(
        (probe.request.method.clone(), probe.request.target.as_str()),
        (Method::POST, "/api")
    );
    assert!(
        arrivals[1..]
            .iter()
            .all(|arrival| is_signed(arrival) && &arrival.request.body[..] == b"{}")
    );
    // Who goes first with a new nonce goes alone.
    assert!(arrivals[1].at >= LATENCY && arrivals[2].at >= LATENCY * 2);
    assert_eq!((arrivals[1].in_flight, arrivals[2].in_flight), (1, 1));
    assert!(
        arrivals.iter().any(|arrival| arrival.in_flight >= 20),
        "the others go together"
    );
    let counts = server.counts();
    assert_eq!(
        counts,
        (1..=50).collect::<Vec<_>>(),
        "the counts arrive as they rise"
    );
}

#[tokio::test(start_paused = true)]
async fn the_journal_knows_every_attempt_before_it_leaves_and_a_challenge_is_no_retry() {
    let server = Arc::new(DigestServer::limited(1, false));
    let script = script(&server);
    let line = line(&script, 1);
    let first = Memory::default();
    line.connection.send(&write("/api"), &ByStatus, &first).await;
    assert_eq!(
        first.attempts(),
        [
            (Purpose::Authenticate, 0, "challenged"),
            (Purpose::Write, 1, "accepted")
        ]
    );
    let second = Memory::default();
    line.connection.send(&write("/api"), &ByStatus, &second).await;
    assert_eq!(
        second.attempts(),
        [(Purpose::Write, 1, "challenged"), (Purpose::Write, 1, "accepted")]
    );
    let counts = line.connection.counts();
    assert_eq!((counts.calls, counts.attempts, counts.retries), (2, 4, 0));
    assert_eq!(line.told(|event| matches!(event, Event::Retrying { .. })), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_body_is_its_own_probe() {
    let server = Arc::new(DigestServer::default());
    let script = script(&server);
    let mut request = write("/api?page=1");
    (request.method, request.purpose) = (Method::GET, Purpose::Observe);
    request.body.clear();
    let journal = Memory::default();
    let sent = line(&script, 4)
        .connection
        .send(&request, &ByStatus, &journal)
        .await;
    assert!(matches!(sent, Sent::Accepted(_)), "{sent:?}");
    assert_eq!(
        journal.attempts(),
        [
            (Purpose::Observe, 1, "challenged"),
            (Purpose::Observe, 1, "accepted")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_nonce_that_ends_costs_each_request_in_flight_one_challenge_whatever_stale_says() {
    for tells_stale in [false, true] {
        let server = Arc::new(DigestServer::limited(100, tells_stale));
        let script = script(&server);
        let line = line(&script, 8);
        let sent = line.send_many(1000, 32).await;
        assert_eq!(accepted(&sent), 1000);
        assert_eq!(line.connection.halted(), None);
        let counts = line.connection.counts();
        assert_eq!((counts.calls, counts.retries), (1000, 0));
        // Nine nonces end while up to eight requests are in flight.
        assert!(server.challenges() <= 1 + 9 * 8, "{}", server.challenges());
        assert!(server.challenges() >= 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once_however_many_calls_wait() {
    let server = Arc::new(DigestServer::default());
    let script = script(&server);
    let line = Line::known_by(digest("wrong"), &script, &options(32));
    let sent = line.send_many(100, 50).await;
    assert!(
        sent.iter().all(|sent| matches!(sent, Sent::NotSent { .. })),
        "{sent:?}"
    );
    assert_eq!((server.signed(), script.count()), (1, 2));
    let halt = line.connection.halted().expect("it halted");
    assert_eq!(halt.kind, HaltKind::Credentials);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_revoked_meanwhile_costs_those_in_flight_and_one_more() {
    let server = Arc::new(DigestServer::default());
    let served = Arc::clone(&server);
    let script = Script::new(LATENCY, move |arrival| {
        if arrival.before < 100 {
            return Ok(reply(&served, arrival));
        }
        let challenge = format!(r#"Digest realm="r", nonce="{}", qop="auth""#, arrival.before);
        Ok(answer(401, &[("www-authenticate", &challenge)]))
    });
    let line = line(&script, 8);
    let sent = line.send_many(500, 32).await;
    assert_eq!(accepted(&sent), 99);
    assert!(script.count() <= 100 + 8 + 1, "{}", script.count());
    assert_eq!(
        line.connection.halted().map(|halt| halt.kind),
        Some(HaltKind::Credentials)
    );
}

#[tokio::test(start_paused = true)]
async fn a_401_to_a_new_nonce_is_what_the_judge_says_and_holds_nobody_up() {
    let server = Arc::new(DigestServer::default());
    let served = Arc::clone(&server);
    let script = Script::new(LATENCY, move |arrival| {
        let reply = reply(&served, arrival);
        if reply.status == 200 && arrival.request.target == "/other" {
            let challenge = r#"Digest realm="MMS Public API", nonce="n+/1==", algorithm=MD5, qop="auth""#;
            return Ok(answer(401, &[("www-authenticate", challenge)]));
        }
        Ok(reply)
    });
    let line = line(&script, 4);
    for (target, ends) in [
        ("/own", &["challenged", "accepted"][..]),
        ("/other", &["challenged", "refused"]),
        ("/own", &["accepted"]),
    ] {
        let journal = Memory::default();
        // The server gives the same nonce again, so the count has to go on.
        let sent = line.connection.send(&write(target), &OfRows, &journal).await;
        assert_eq!(journal.ends(), ends, "{target}: {sent:?}");
        assert_eq!(matches!(sent, Sent::Refused { .. }), target == "/other");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_nothing_gets_no_credentials_and_one_probe() {
    let script = Script::new(LATENCY, |_| Ok(answer(200, &[])));
    let line = line(&script, 8);
    assert_eq!(accepted(&line.send_many(20, 20).await), 20);
    assert_eq!(script.count(), 21);
    assert!(!script.arrivals().iter().any(is_signed));
    // One that begins to ask later is answered.
    let server = Arc::new(DigestServer::default());
    let script = script_after(&server, vec![Ok(answer(200, &[])); 4]);
    let line = self::line(&script, 1);
    assert_eq!(accepted(&line.send_many(10, 1).await), 10);
    assert_eq!((server.challenges(), server.signed()), (1, 7));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_is_a_fault_of_its_call_which_was_surely_not_applied() {
    let throttled = || Ok(answer(429, &[("retry-after", "2")]));
    let lost = || Err(SendError::TimedOut("no answer".to_owned()));
    for (first, class, retries) in [
        (throttled(), "throttled", 0),
        (Ok(answer(503, &[])), "transient", 1),
        (lost(), "timeout", 1),
        (Err(SendError::NotSent("refused".to_owned())), "not_sent", 1),
    ] {
        let server = Arc::new(DigestServer::default());
        let script = script_after(&server, vec![first]);
        let line = line(&script, 4);
        let mut request = write("/api");
        request.idempotent = false;
        let journal = Memory::default();
        let sent = line.connection.send(&request, &ByStatus, &journal).await;
        assert!(matches!(sent, Sent::Accepted(_)), "{class}: {sent:?}");
        assert_eq!(journal.ends(), [class, "challenged", "accepted"]);
        assert_eq!(line.connection.counts().retries, retries, "{class}");
    }
    let script = Script::new(LATENCY, move |_| lost());
    let sent = line(&script, 4).send().await;
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
async fn only_the_one_that_asks_is_delayed_by_faults_and_the_next_takes_over_when_it_gives_up() {
    let server = Arc::new(DigestServer::default());
    let script = script_after(&server, (0..6).map(|_| Ok(answer(500, &[]))).collect());
    let line = line(&script, 16);
    let sent = line.send_many(10, 10).await;
    assert_eq!(accepted(&sent), 9, "{sent:?}");
    assert_eq!(line.connection.counts().retries, 5);
    assert!(
        script.arrivals()[..7]
            .iter()
            .all(|arrival| arrival.in_flight == 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_nonce_that_is_called_stale_is_a_fault_and_not_the_end_of_the_credentials() {
    let challenge = r#"Digest realm="r", nonce="n", qop="auth", stale=true"#;
    let script = Script::new(LATENCY, move |_| {
        Ok(answer(401, &[("www-authenticate", challenge)]))
    });
    let line = line(&script, 4);
    let sent = line.send().await;
    let Sent::Exhausted {
        class: "server",
        reason,
        maybe_applied: false,
    } = &sent
    else {
        panic!("{sent:?}");
    };
    assert!(reason.contains("stale"), "{reason}");
    assert_eq!(script.count(), 1 + 5);
    assert_eq!(line.connection.halted(), None);
}

#[tokio::test(start_paused = true)]
async fn a_challenge_in_an_unknown_form_halts_and_a_basic_one_is_left_to_the_judge() {
    for (challenge, kind) in [
        (
            r#"Digest realm="r", nonce="n", qop="auth-int""#,
            HaltKind::Unusable,
        ),
        (r#"Basic realm="r""#, HaltKind::Credentials),
    ] {
        let script = Script::new(LATENCY, move |_| {
            Ok(answer(401, &[("www-authenticate", challenge)]))
        });
        let line = line(&script, 4);
        let sent = line.send_many(10, 10).await;
        assert!(sent.iter().all(|sent| matches!(sent, Sent::NotSent { .. })));
        assert_eq!(
            line.connection.halted().map(|halt| halt.kind),
            Some(kind),
            "{challenge}"
        );
        assert_eq!(script.count(), 1);
        assert!(
            !script.arrivals().iter().any(is_signed),
            "the password goes out in no other form"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_announced_nonce_is_used_from_then_on_without_a_challenge() {
    let nonce_of = |arrival: &Arrival| {
        let header = arrival.request.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, rest) = header.split_once("nonce=\"")?;
        rest.split('"').next().map(str::to_owned)
    };
    let script = Script::new(LATENCY, move |arrival| match nonce_of(arrival) {
        None => Ok(answer(
            401,
            &[("www-authenticate", r#"Digest realm="r", nonce="0", qop="auth""#)],
        )),
        Some(nonce) => {
            assert_eq!(nonce, (arrival.before - 1).to_string());
            let next = format!("qop=auth, nextnonce=\"{}\"", arrival.before);
            Ok(answer(200, &[("authentication-info", &next)]))
        }
    });
    assert_eq!(accepted(&line(&script, 1).send_many(5, 1).await), 5);
    assert_eq!(script.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_drain_reaches_those_who_wait_for_a_nonce_at_once() {
    let server = Arc::new(DigestServer::default());
    let slow = Arc::clone(&server);
    let script = Script::new(Duration::from_secs(10), move |arrival| Ok(reply(&slow, arrival)));
    let line = line(&script, 16);
    let begun = Instant::now();
    let (sent, ()) = tokio::join!(line.send_many(20, 20), async {
        sleep(Duration::from_secs(1)).await;
        line.connection.drain();
    });
    assert!(sent.iter().all(|sent| matches!(sent, Sent::NotSent { .. })));
    assert_eq!((begun.elapsed().as_secs(), script.count()), (10, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_asks_lets_another_ask() {
    let server = Arc::new(DigestServer::default());
    let script = script(&server);
    let line = line(&script, 4);
    let (dropped, sent) = tokio::join!(
        tokio::time::timeout(LATENCY / 2, line.send()),
        line.send_many(5, 5)
    );
    assert!(dropped.is_err());
    assert_eq!(accepted(&sent), 5);
    assert_eq!(
        script
            .arrivals()
            .iter()
            .filter(|arrival| !is_signed(arrival))
            .count(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn a_challenge_pays_for_a_token_of_the_rate() {
    let server = Arc::new(DigestServer::default());
    let script = script(&server);
    let options = Options {
        pace: Pace {
            rate: Some("10/min".parse().expect("a rate")),
            concurrency: Some(4),
        },
        ..Options::default()
    };
    let line = Line::known_by(digest(PASSWORD), &script, &options);
    line.send().await;
    let at: Vec<_> = script.arrivals().iter().map(|arrival| arrival.at).collect();
    assert_eq!(at.len(), 2);
    assert!(at[1] >= at[0] + Duration::from_secs(6), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn neither_password_nor_response_is_told_or_written_anywhere() {
    let server = Arc::new(DigestServer::limited(3, false));
    let script = script(&server);
    let line = line(&script, 4);
    let journal = Memory::default();
    for _ in 0..5 {
        line.connection.send(&write("/api"), &ByStatus, &journal).await;
    }
    let arrivals = script.arrivals();
    let signed = arrivals
        .iter()
        .filter_map(|arrival| arrival.request.headers.get(AUTHORIZATION));
    assert!(signed.into_iter().all(http::HeaderValue::is_sensitive));
    let attempts = journal.attempts.lock().expect("a journal");
    let auth = &line.connection.auth;
    let told = format!(
        "{arrivals:?} {attempts:?} {:?} {:?} {auth:?}",
        line.events, line.connection
    );
    for part in ["canary", "response=", "cnonce"] {
        assert!(!told.contains(part), "{part} in {told}");
    }
}

#[tokio::test]
async fn over_a_socket_the_uri_is_the_request_line_behind_the_path_of_the_base() {
    let server = Arc::new(DigestServer::default());
    let served = Arc::clone(&server);
    let raw = RawServer::answering(
        move |request| {
            let (line, head) = request.split_once("\r\n").expect("a request line");
            let mut words = line.split(' ');
            let (method, uri) = (words.next().expect("a method"), words.next().expect("a URI"));
            let header = head.lines().find_map(|line| line.strip_prefix("authorization: "));
            let told = match served.check(method, uri, header) {
                Ok(()) => "200 OK\r\n".to_owned(),
                Err(challenge) => format!("401 Unauthorized\r\n{WWW_AUTHENTICATE}: {challenge}\r\n"),
            };
            format!("HTTP/1.1 {told}content-length: 0\r\n\r\n").into_bytes()
        },
        Then::Stay,
    )
    .await;
    let url = raw.url("/api/public/v1.0/");
    let exec = Arc::new(HttpExec::new(&url, &Options::default()).expect("a client"));
    let connection = Connection::new(
        "test",
        exec,
        digest(PASSWORD),
        &Options::default(),
        None,
        Events::default(),
    );
    for (target, on_the_line) in [
        (
            "/groups/5c81?pretty=true",
            "/api/public/v1.0/groups/5c81?pretty=true",
        ),
        (
            "/groups?tag=A&tag=%2F%20",
            "/api/public/v1.0/groups?tag=A&tag=%2F%20",
        ),
        ("/groups?q=\"a\"", "/api/public/v1.0/groups?q=%22a%22"),
        ("/", "/api/public/v1.0/"),
    ] {
        let mut request = write(target);
        request.method = Method::PATCH;
        let sent = connection.send(&request, &ByStatus, &Memory::default()).await;
        assert!(matches!(sent, Sent::Accepted(_)), "{target}: {sent:?}");
        let requests = raw.requests();
        let last = requests.last().expect("a request");
        assert!(
            last.starts_with(&format!("PATCH {on_the_line} HTTP/1.1\r\n")),
            "{last}"
        );
        assert!(last.ends_with("\r\n\r\n{}"), "{last}");
    }
    let probe = raw.requests()[0].to_lowercase();
    assert!(
        probe.ends_with("\r\n\r\n") && !probe.contains("authorization"),
        "{probe}"
    );
    assert_eq!((server.challenges(), server.counts()), (1, vec![1, 2, 3, 4]));
}
