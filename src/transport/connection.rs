//! One vendor account: what shares one quota, one pause and one set of credentials.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::budget::Budget;
use super::exchange::Exchange;
use super::gate::Gate;
use super::valve::Valve;
use super::{Auth, Counts, Halt, HaltKind, Learned, Options, Sent};
use crate::event::{Event, Events};
use crate::wire::{Exec, Journal, Judge, Request};

/// One vendor account. Shared by all who send to it.
pub struct Connection {
    name: Arc<str>,
    pub(super) exec: Arc<dyn Exec>,
    pub(super) auth: Auth,
    pub(super) gate: Gate,
    pub(super) valve: Valve,
    pub(super) budget: Budget,
    pub(super) attempts: u32,
    pub(super) max_wait: Duration,
    pub(super) max_elapsed: Duration,
    pub(super) tally: Tally,
    events: Events,
}

/// What is counted beside calls and retries, which the budget counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) attempts: AtomicU64,
    pub(super) throttled: AtomicU64,
    pauses: AtomicU64,
}

impl Connection {
    /// A connection that has sent nothing yet. `learned` is what the gate of an earlier run told.
    pub fn new(
        name: &str,
        exec: Arc<dyn Exec>,
        auth: Auth,
        options: &Options,
        learned: Option<Learned>,
        events: Events,
    ) -> Self {
        Self {
            name: name.into(),
            exec,
            auth,
            gate: Gate::new(options, learned),
            valve: Valve::new(),
            budget: Budget::new(options.retry_budget),
            attempts: options.attempts.max(1),
            max_wait: options.max_wait.get(),
            max_elapsed: options.max_elapsed.get(),
            tally: Tally::default(),
            events,
        }
    }

    /// Sends one call, as often as it takes and is allowed, and says what came of it. Every attempt is committed to the
    /// journal before it leaves. A future that is dropped leaves its last attempt in the journal without an end.
    pub async fn send(
        &self,
        request: &Request,
        judge: &(dyn Judge + Send + Sync),
        journal: &dyn Journal,
    ) -> Sent {
        Exchange::new(self, request, judge, journal).run().await
    }

    /// What the gate learned, for the next run.
    pub fn learned(&self) -> Learned {
        Learned {
            concurrency: self.gate.slots.limit(),
        }
    }

    /// Why nothing more is sent; `None` while the connection is open or merely drained.
    pub fn halted(&self) -> Option<Halt> {
        self.valve.halted()
    }

    /// Begins no new attempt: waiting calls end at once with [`Sent::NotSent`], those in flight finish.
    pub fn drain(&self) {
        self.valve.drain();
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        Counts {
            calls: self.budget.calls(),
            attempts: self.tally.attempts.load(Ordering::Relaxed),
            retries: self.budget.retries(),
            throttled: self.tally.throttled.load(Ordering::Relaxed),
            pauses: self.tally.pauses.load(Ordering::Relaxed),
        }
    }

    pub(super) fn halt(&self, kind: HaltKind, reason: &str) {
        let halt = Halt {
            kind,
            reason: reason.to_owned(),
        };
        if self.valve.halt(halt) {
            self.events.tell(Event::Halted {
                connection: self.name.clone(),
                reason: reason.to_owned(),
            });
        }
    }

    pub(super) fn tell_sent(&self) {
        self.events.tell(Event::AttemptSent {
            connection: self.name.clone(),
        });
    }

    pub(super) fn tell_retrying(&self, after: Duration, reason: &str) {
        self.events.tell(Event::Retrying {
            connection: self.name.clone(),
            after,
            reason: reason.to_owned(),
        });
    }

    pub(super) fn tell_paused(&self, length: Duration, reason: &str) {
        self.tally.pauses.fetch_add(1, Ordering::Relaxed);
        self.events.tell(Event::Paused {
            connection: self.name.clone(),
            length,
            reason: reason.to_owned(),
        });
    }

    /// Tells of a new limit, when there is one.
    pub(super) fn tell_limit(&self, limit: Option<usize>) {
        if let Some(limit) = limit {
            self.events.tell(Event::ConcurrencyChanged {
                connection: self.name.clone(),
                limit,
            });
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("counts", &self.counts())
            .field("halted", &self.halted())
            .finish_non_exhaustive()
    }
}
