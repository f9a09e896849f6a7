//! The shell that every vendor's simulator shares: from a request to what becomes of it.

use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::api::{Api, Asked};
use super::clock::Clock;
use super::fault::{Dice, Fault};
use super::gate::{Gate, Pass};
use super::journal::{Entry, Journal};
use super::keyed::Quota;
use super::mishap::{distort, instead};
use super::opening::{OpenError, Opened};
use super::population::Population;
use super::reply::Reply;
use super::spec::Spec;

/// A vendor's server, whichever it is.
pub trait Simulator: fmt::Debug + Send + Sync {
    /// Answers a request.
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'_, Reply>;

    /// The largest body that is read, in bytes; a larger one is refused with 413.
    fn max_body(&self) -> usize;

    /// How many entities there are.
    fn entities(&self) -> usize;

    /// How many requests the journal tells of, those before this process among them.
    fn handled(&self) -> u64;
}

/// One vendor's API with everything around it.
#[derive(Debug)]
#[expect(private_bounds, reason = "only this room's own types are vendors' APIs")]
pub struct Simulated<A: Api> {
    spec: Spec,
    gate: Gate,
    dice: Dice,
    clock: Clock,
    // Taken in this order: a change and its line in the journal must come in the same order.
    api: RwLock<A>,
    pub(super) journal: Mutex<Journal>,
}

#[expect(private_bounds, reason = "only this room's own types are vendors' APIs")]
impl<A: Api> Simulated<A> {
    /// Opens the state that a spec names, or makes the entities anew. Reading a large state takes time: a caller on an
    /// async runtime does this on a blocking thread.
    pub fn open(spec: &Spec) -> Result<Self, OpenError> {
        Self::with(spec, |population| A::open(spec, population))
    }

    /// Opens the state, with an API that is made otherwise.
    pub(super) fn with(
        spec: &Spec,
        make: impl FnOnce(&Population) -> Result<A, OpenError>,
    ) -> Result<Self, OpenError> {
        let opened = Opened::open(spec, A::VENDOR)?;
        let mut api = make(&opened.population)?;
        let journal = opened.replay(|entry| api.replay(entry))?;
        Ok(Self {
            spec: spec.clone(),
            gate: Gate::new(&spec.throttle),
            dice: Dice::new(&spec.faults, spec.fault_seed),
            clock: Clock::start(),
            api: RwLock::new(api),
            journal: Mutex::new(journal),
        })
    }

    /// Looks at the state.
    pub(super) fn look<T>(&self, at: impl FnOnce(&A) -> T) -> T {
        at(&self.api.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The simulator's time, in milliseconds since 1970.
    #[cfg(test)]
    pub(super) fn clock_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Answers a request. Half of the latency passes before anything is applied and half of it after, so that a client
    /// that goes away meanwhile leaves both cases behind.
    pub async fn answer(&self, request: Request<Bytes>) -> Reply {
        let began = Instant::now();
        if !self.spec.latency.is_zero() {
            tokio::time::sleep_until(began + self.spec.latency / 2).await;
        }
        let (mut reply, late) = self.handle(&Asked::of(&request)).await;
        if let Reply::Answer(answer) | Reply::Truncated { answer, .. } = &mut reply {
            self.look(|api| api.finish(answer));
        }
        if !self.spec.latency.is_zero() || !late.is_zero() {
            tokio::time::sleep_until(began + self.spec.latency + late).await;
        }
        reply
    }

    /// What becomes of a request, and how late a fault makes it.
    async fn handle(&self, asked: &Asked<'_>) -> (Reply, Duration) {
        let route = match self.admit(asked) {
            Ok(route) => route,
            Err(refused) => return (self.refuse(asked, *refused), Duration::ZERO),
        };
        let counted = A::counted(&route);
        let admitted = match self.gate.pass(self.clock.now(), counted.as_ref()).await {
            Pass::Go(admitted) => admitted,
            Pass::Refused(quota) => {
                let resource = counted.as_ref().map_or(asked.path, |counted| &counted.resource);
                let excess = self.gate.excess(quota, resource, self.clock.now());
                let answer = self.look(|api| api.too_many(&excess));
                let answer = self.gate.refusal(answer, quota, &excess);
                return (self.refuse(asked, answer), Duration::ZERO);
            }
        };
        if !admitted.service.is_zero() {
            tokio::time::sleep(admitted.service).await;
        }
        let fault = self.dice.draw(asked.method(), asked.target);
        let late = fault.as_ref().map_or(Duration::ZERO, Fault::lateness);
        (self.act(asked, &route, fault.as_ref(), admitted.quota), late)
    }

    fn admit(&self, asked: &Asked<'_>) -> Result<A::Route, Box<Response<Bytes>>> {
        let route = self.look(|api| api.admit(asked, self.clock.now_ms()))?;
        if asked.body().len() > self.spec.max_body {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Box::new(A::failure(status, &format!("HTTP {status}"))));
        }
        Ok(route)
    }

    fn refuse(&self, asked: &Asked<'_>, answer: Response<Bytes>) -> Reply {
        self.record(asked, Reply::Answer(answer), None, self.clock.now_ms())
    }

    fn act(&self, asked: &Asked<'_>, route: &A::Route, fault: Option<&Fault>, quota: Quota) -> Reply {
        let now = self.clock.now_ms();
        if let Some(reply) = fault.and_then(instead::<A>) {
            return self.record(asked, reply, fault, now);
        }
        let shape = |mut answer: Response<Bytes>| {
            self.gate.mark(&mut answer, quota);
            distort::<A>(answer, fault)
        };
        if A::writes(route) {
            let mut api = self.api.write().unwrap_or_else(PoisonError::into_inner);
            let mut changes = Vec::new();
            let reply = shape(api.write(route, asked, now, &mut changes));
            let mut entry = Entry {
                changes,
                ..entry::<A>(asked, &reply, fault, now)
            };
            // Still under the lock. What the file does not tell must neither be confirmed nor stay.
            self.append(&mut entry).map_or_else(
                |why| {
                    api.undo(&entry.changes, now);
                    unwritten::<A>(&why)
                },
                |()| reply,
            )
        } else {
            let reply = self.look(|api| shape(api.read(route, asked, now)));
            self.record(asked, reply, fault, now)
        }
    }

    /// Writes the line of a request that changed nothing before its reply leaves.
    fn record(&self, asked: &Asked<'_>, reply: Reply, fault: Option<&Fault>, ms: i64) -> Reply {
        match self.append(&mut entry::<A>(asked, &reply, fault, ms)) {
            Ok(()) => reply,
            Err(why) => unwritten::<A>(&why),
        }
    }

    fn append(&self, entry: &mut Entry<'_>) -> std::io::Result<()> {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(entry)
    }
}

impl<A: Api> Simulator for Simulated<A> {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'_, Reply> {
        Box::pin(self.answer(request))
    }

    fn max_body(&self) -> usize {
        self.spec.max_body
    }

    fn entities(&self) -> usize {
        self.look(Api::entities)
    }

    fn handled(&self) -> u64 {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .handled()
    }
}

/// The line of a request, without what it changed.
fn entry<'a, A: Api>(asked: &Asked<'a>, reply: &Reply, fault: Option<&Fault>, ms: i64) -> Entry<'a> {
    Entry {
        seq: 0,
        ms,
        method: asked.method().as_str().into(),
        target: A::masked(asked.target),
        status: reply.status(),
        changes: Vec::new(),
        fault: fault.map(|fault| fault.kind.as_str().into()),
    }
}

fn unwritten<A: Api>(why: &std::io::Error) -> Reply {
    let message = format!("The simulator's state file can't be written: {why}");
    Reply::Answer(A::failure(StatusCode::INTERNAL_SERVER_ERROR, &message))
}
