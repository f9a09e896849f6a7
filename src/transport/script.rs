//! For this room's tests: an `Exec` that follows a script, a journal in memory, and a judge that goes by the status.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::Instant;

use super::{Auth, Connection, Options, Sent};
use crate::event::{Event, Events};
use crate::wire::{
    AttemptEnd, AttemptId, Exec, Journal, JournalError, Judge, Purpose, Request, Response, RetryKind,
    SendError, Verdict,
};

/// A write that may be repeated.
pub(crate) fn write(target: &str) -> Request {
    Request {
        purpose: Purpose::Write,
        idempotent: true,
        method: Method::POST,
        target: target.to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{}"),
    }
}

/// What an `Exec` gives back.
pub(crate) type Outcome = Result<Response, SendError>;

/// An answer with some headers.
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)]) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a legal value");
        map.append(HeaderName::from_static(name), value);
    }
    Response {
        status,
        headers: map,
        body: Bytes::new(),
    }
}

/// What a scripted server sees of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// Since the script began.
    pub(crate) at: Duration,
    /// How many were there before it.
    pub(crate) before: usize,
    /// How many are in flight, this one included.
    pub(crate) in_flight: usize,
    pub(crate) request: Request,
}

type Answers = dyn Fn(&Arrival) -> Outcome + Send + Sync;

/// A server that answers as it is told, after a while.
pub(crate) struct Script {
    answers: Box<Answers>,
    latency: Duration,
    begun: Instant,
    arrivals: Mutex<Vec<Arrival>>,
    in_flight: Mutex<usize>,
}

impl Script {
    pub(crate) fn new(
        latency: Duration,
        answers: impl Fn(&Arrival) -> Outcome + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answers: Box::new(answers),
            latency,
            begun: Instant::now(),
            arrivals: Mutex::default(),
            in_flight: Mutex::default(),
        })
    }

    /// Answers in this order, then 200.
    pub(crate) fn list(answers: impl IntoIterator<Item = Outcome>) -> Arc<Self> {
        let left = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::new(Duration::from_millis(20), move |_| {
            let mut left = left.lock().expect("no answer panics");
            left.pop_front().unwrap_or_else(|| Ok(answer(200, &[])))
        })
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().expect("no test panics here").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.arrivals().len()
    }

    fn arrive(&self, request: Request) -> Arrival {
        let mut arrivals = self.arrivals.lock().expect("no test panics here");
        let mut in_flight = self.in_flight.lock().expect("no test panics here");
        *in_flight += 1;
        let arrival = Arrival {
            at: self.begun.elapsed(),
            before: arrivals.len(),
            in_flight: *in_flight,
            request,
        };
        arrivals.push(arrival.clone());
        arrival
    }
}

impl Exec for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Outcome> {
        async move {
            let arrival = self.arrive(request);
            tokio::time::sleep(self.latency).await;
            *self.in_flight.lock().expect("no test panics here") -= 1;
            (self.answers)(&arrival)
        }
        .boxed()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

/// Judges by the status alone.
#[derive(Debug)]
pub(crate) struct ByStatus;

impl Judge for ByStatus {
    fn judge(&self, _: &Request, response: &Response) -> Verdict {
        let reason = format!("status {}", response.status);
        let retry = |kind| Verdict::Retry { kind, after: None };
        match response.status {
            200..300 => Verdict::Accept,
            401 | 403 => Verdict::Stop { reason },
            413 => Verdict::Split { reason },
            418 => Verdict::Unknown { reason },
            429 => retry(RetryKind::Throttled),
            500.. => retry(RetryKind::Transient),
            _ => Verdict::Refuse {
                class: "refused",
                reason,
            },
        }
    }
}

/// Takes every 401 for a refusal of that row.
#[derive(Debug)]
pub(crate) struct OfRows;

impl Judge for OfRows {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        match response.status {
            401 => Verdict::Refuse {
                class: "refused",
                reason: "not in the group".to_owned(),
            },
            _ => ByStatus.judge(request, response),
        }
    }
}

/// A journal in memory, which may be told to fail from some attempt on.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The attempts, each with what became of it and the request as the journal saw it.
    pub(crate) attempts: Mutex<Vec<(Request, u32, Option<AttemptEnd>)>>,
    pub(crate) fails_after: Option<usize>,
    /// How long a commit takes.
    pub(crate) commits_in: Duration,
}

impl Memory {
    /// Purpose, number and end of each attempt.
    pub(crate) fn attempts(&self) -> Vec<(Purpose, u32, &'static str)> {
        let attempts = self.attempts.lock().expect("no test panics here");
        let tell = |(request, number, end): &(Request, u32, Option<AttemptEnd>)| {
            let class = end.as_ref().map_or("none", |end| end.class);
            (request.purpose, *number, class)
        };
        attempts.iter().map(tell).collect()
    }

    /// The ends in order; `none` for an attempt that has none.
    pub(crate) fn ends(&self) -> Vec<&'static str> {
        let attempts = self.attempts.lock().expect("no test panics here");
        attempts
            .iter()
            .map(|(_, _, end)| end.as_ref().map_or("none", |end| end.class))
            .collect()
    }
}

impl Journal for Memory {
    fn intend<'a>(
        &'a self,
        request: &'a Request,
        number: u32,
    ) -> BoxFuture<'a, Result<AttemptId, JournalError>> {
        async move {
            if self.commits_in.is_zero() {
                // A commit lets others run in any case.
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(self.commits_in).await;
            }
            let mut attempts = self.attempts.lock().expect("no test panics here");
            if self.fails_after.is_some_and(|most| attempts.len() >= most) {
                return Err(JournalError("the disk is full".to_owned()));
            }
            attempts.push((request.clone(), number, None));
            Ok(AttemptId(attempts.len() as u64 - 1))
        }
        .boxed()
    }

    fn end(&self, attempt: AttemptId, end: AttemptEnd) {
        let index = usize::try_from(attempt.0).expect("a small number");
        self.attempts.lock().expect("no test panics here")[index].2 = Some(end);
    }
}

/// A connection to a script, and all that it tells.
pub(crate) struct Line {
    pub(crate) connection: Connection,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
}

impl Line {
    pub(crate) fn new(script: &Arc<Script>, options: &Options) -> Self {
        Self::known_by(Auth::NONE, script, options)
    }

    /// The same, with credentials.
    pub(crate) fn known_by(auth: Auth, script: &Arc<Script>, options: &Options) -> Self {
        // A test that fails does so again. Those that want other draws seed anew.
        fastrand::seed(7);
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&events);
        let listener = Events::to(move |event: &Event| {
            heard.lock().expect("no test panics here").push(event.clone());
        });
        let exec: Arc<dyn Exec> = script.clone();
        Self {
            connection: Connection::new("test", exec, auth, options, None, listener),
            events,
        }
    }

    /// Sends a write that may be repeated.
    pub(crate) async fn send(&self) -> Sent {
        self.connection
            .send(&write("/api"), &ByStatus, &Memory::default())
            .await
    }

    /// Sends `calls` writes through `workers` at a time.
    pub(crate) async fn send_many(&self, calls: usize, workers: usize) -> Vec<Sent> {
        use futures::StreamExt as _;
        futures::stream::iter(0..calls)
            .map(|_| self.send())
            .buffer_unordered(workers)
            .collect()
            .await
    }

    /// How many of the events are of a kind.
    pub(crate) fn told(&self, kind: impl Fn(&Event) -> bool) -> usize {
        let events = self.events.lock().expect("no test panics here");
        events.iter().filter(|event| kind(event)).count()
    }
}
