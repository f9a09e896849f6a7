//! The simulator as a whole: from a request to what becomes of it.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use tokio::time::Instant;

use super::super::clock::Clock;
use super::super::fault::{Dice, Fault, FaultKind};
use super::super::journal::{Change, Entry, Journal, OpenError, Opened};
use super::super::reply::Reply;
use super::super::spec::Spec;
use super::super::throttle::{Gate, Pass, Quota};
use super::super::{generate, inventory};
use super::access::{Door, masked};
use super::envelope::{Refused, empty};
use super::query::Query;
use super::route::{Call, Route, read, write};
use super::world::World;

/// A simulated Dynatrace environment.
#[derive(Debug)]
pub struct Dynatrace {
    spec: Spec,
    door: Door,
    gate: Gate,
    dice: Dice,
    clock: Clock,
    // Taken in this order: a change and its line in the journal must come in the same order.
    world: RwLock<World>,
    journal: Mutex<Journal>,
}

/// A request, with what the journal says of it.
struct Asked<'a> {
    request: &'a Request<Bytes>,
    target: &'a str,
    path: &'a str,
    query: &'a str,
}

impl Dynatrace {
    /// Opens the state that a spec names, or makes the entities anew. Reading a large state takes time: a caller on an
    /// async runtime does this on a blocking thread.
    pub fn open(spec: &Spec) -> Result<Self, OpenError> {
        let door = Door::of(&spec.access)?;
        let opened = Opened::open(spec, "dynatrace")?;
        let mut world = World::new(i64::try_from(spec.visibility.as_millis()).unwrap_or(i64::MAX));
        match &opened.population.inventory {
            Some(file) => inventory::entities(&spec.resolve(file), &opened.population)?
                .into_iter()
                .for_each(|made| world.insert(made)),
            None => generate::entities(&opened.population).for_each(|made| world.insert(made)),
        }
        let journal = opened.replay(|entry| world.replay(entry))?;
        Ok(Self {
            spec: spec.clone(),
            door,
            gate: Gate::new(&spec.throttle),
            dice: Dice::new(&spec.faults, spec.fault_seed),
            clock: Clock::start(),
            world: RwLock::new(world),
            journal: Mutex::new(journal),
        })
    }

    /// How many entities there are.
    pub fn entities(&self) -> usize {
        self.world.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many requests the journal tells of, those before this process among them.
    pub fn handled(&self) -> u64 {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .handled()
    }

    /// The manual tags of an entity as they are, sorted; `None` when it does not exist.
    pub fn manual_tags(&self, id: &str) -> Option<Vec<(String, Option<String>)>> {
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        let (kind, bits) = inventory::identifier(id)?;
        let index = world.find(&kind, bits)?;
        let pair = |&tag| {
            let (key, value) = world.tag(tag);
            (key.to_owned(), value.map(str::to_owned))
        };
        let mut tags: Vec<_> = world.manual(index).iter().map(pair).collect();
        tags.sort_unstable();
        Some(tags)
    }

    /// The largest body that is read, in bytes; a larger one is refused with 413.
    pub(in super::super) fn max_body(&self) -> usize {
        self.spec.max_body
    }

    /// Answers a request. Half of the latency passes before anything is applied and half of it after, so that a client
    /// that goes away meanwhile leaves both cases behind.
    pub async fn answer(&self, request: Request<Bytes>) -> Reply {
        let began = Instant::now();
        if !self.spec.latency.is_zero() {
            tokio::time::sleep_until(began + self.spec.latency / 2).await;
        }
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked = Asked {
            request: &request,
            target,
            path,
            query,
        };
        let (reply, late) = self.handle(&asked).await;
        if !self.spec.latency.is_zero() || !late.is_zero() {
            tokio::time::sleep_until(began + self.spec.latency + late).await;
        }
        reply
    }

    /// What becomes of a request, and how late a fault makes it.
    async fn handle(&self, asked: &Asked<'_>) -> (Reply, Duration) {
        let query = Query::parse(asked.query);
        let route = match self.admit(asked, &query) {
            Ok(route) => route,
            Err(refused) => return (self.refuse(asked, refused.into_response()), Duration::ZERO),
        };
        let now = self.clock.now();
        let admitted = match self.gate.pass(now).await {
            Pass::Go(admitted) => admitted,
            Pass::Refused(quota) => {
                let answer = self.gate.refusal(quota, self.clock.now());
                return (self.refuse(asked, answer), Duration::ZERO);
            }
        };
        if !admitted.service.is_zero() {
            tokio::time::sleep(admitted.service).await;
        }
        let fault = self.dice.draw(asked.request.method(), asked.target);
        let late = match &fault {
            Some(Fault {
                kind: FaultKind::Slow,
                delay,
                ..
            }) => *delay,
            _ => Duration::ZERO,
        };
        let body = asked.request.body();
        let call = Call {
            route,
            query,
            body,
            now: self.clock.now_ms(),
            spec: &self.spec,
        };
        (self.act(asked, &call, fault.as_ref(), admitted.quota), late)
    }

    fn admit(&self, asked: &Asked<'_>, query: &Query<'_>) -> Result<Route, Refused> {
        let route = Route::of(asked.request.method(), asked.path)?;
        self.door.check(asked.request.headers(), query, route.scope())?;
        if asked.request.body().len() > self.spec.max_body {
            return Err(Refused::generic(StatusCode::PAYLOAD_TOO_LARGE));
        }
        Ok(route)
    }

    fn refuse(&self, asked: &Asked<'_>, answer: Response<Bytes>) -> Reply {
        self.record(
            asked,
            Reply::Answer(answer),
            Vec::new(),
            None,
            self.clock.now_ms(),
        )
    }

    fn act(&self, asked: &Asked<'_>, call: &Call<'_>, fault: Option<&Fault>, quota: Quota) -> Reply {
        if let Some(reply) = fault.and_then(instead) {
            return self.record(asked, reply, Vec::new(), fault, call.now);
        }
        let shape = |outcome: Result<Response<Bytes>, Refused>| {
            let mut answer = outcome.unwrap_or_else(Refused::into_response);
            self.gate.mark(&mut answer, quota);
            distort(answer, fault)
        };
        if call.route.writes() {
            let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
            let mut changes = Vec::new();
            let reply = shape(write(call, &mut world, &mut changes));
            // Still under the lock.
            self.record(asked, reply, changes, fault, call.now)
        } else {
            let reply = {
                let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
                shape(read(call, &world))
            };
            self.record(asked, reply, Vec::new(), fault, call.now)
        }
    }

    /// Writes the request's line before its reply leaves. When that fails the answer is 500: what the file does not tell
    /// must not be confirmed.
    fn record(
        &self,
        asked: &Asked<'_>,
        reply: Reply,
        changes: Vec<Change<'static>>,
        fault: Option<&Fault>,
        ms: i64,
    ) -> Reply {
        let mut entry = Entry {
            seq: 0,
            ms,
            method: asked.request.method().as_str().into(),
            target: masked(asked.target),
            status: reply.status(),
            changes,
            fault: fault.map(|fault| Cow::Borrowed(fault.kind.as_str())),
        };
        let written = self
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut entry);
        match written {
            Ok(()) => reply,
            Err(why) => {
                let message = format!("The simulator's state file can't be written: {why}");
                Reply::Answer(Refused::plain(500, message).into_response())
            }
        }
    }
}

/// What a fault answers in place of anything being applied.
fn instead(fault: &Fault) -> Option<Reply> {
    match fault.kind {
        FaultKind::Reset => Some(Reply::Reset),
        FaultKind::Timeout => Some(Reply::Never),
        FaultKind::Error => Some(Reply::Answer(server_error(fault))),
        FaultKind::Garbage => {
            let mut answer = empty(200);
            *answer.body_mut() =
                Bytes::from_static(b"<!DOCTYPE html><html><body><div id=\"root\"></div></body></html>");
            answer.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            );
            Some(Reply::Answer(answer))
        }
        FaultKind::StaleCursor => {
            let message = "The next page can't be found, pages may have been removed during request";
            Some(Reply::Answer(Refused::plain(400, message).into_response()))
        }
        FaultKind::LostAck | FaultKind::LostReply | FaultKind::Truncated | FaultKind::Slow => None,
    }
}

/// What a fault makes of an answer to a request that was applied.
fn distort(answer: Response<Bytes>, fault: Option<&Fault>) -> Reply {
    match fault.map(|fault| (fault.kind, fault)) {
        Some((FaultKind::LostAck, _)) => Reply::Reset,
        Some((FaultKind::LostReply, fault)) => Reply::Answer(server_error(fault)),
        Some((FaultKind::Truncated, _)) if !answer.body().is_empty() => {
            let sent = answer.body().len() / 2;
            Reply::Truncated { answer, sent }
        }
        _ => Reply::Answer(answer),
    }
}

fn server_error(fault: &Fault) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = Refused::generic(status).into_response();
    if let Some(seconds) = fault.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}
