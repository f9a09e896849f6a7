//! How long one call is worth going on with: its attempts, its time, and what went wrong last.

use std::time::Duration;

use tokio::time::Instant;

use super::attempt::{Ending, Fault};
use super::backoff::Backoff;
use super::{Options, Sent};
use crate::wire::Purpose;

/// What every call of a connection is granted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grant {
    attempts: u32,
    elapsed: Duration,
    longest_wait: Duration,
}

impl Grant {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            attempts: options.attempts.max(1),
            elapsed: options.max_elapsed.get(),
            longest_wait: options.max_wait.get(),
        }
    }

    /// How long unbroken throttling is borne.
    pub(super) fn elapsed(self) -> Duration {
        self.elapsed
    }
}

/// What is left of it for one call.
#[derive(Debug)]
pub(super) struct Patience {
    grant: Grant,
    /// Attempts that met a fault. Throttled ones are not among them.
    faults: u32,
    /// Set when the first attempt leaves: waiting for one's turn costs no patience.
    deadline: Option<Instant>,
    last: Option<Fault>,
    maybe_applied: bool,
}

impl Patience {
    pub(super) fn new(grant: Grant) -> Self {
        Self {
            grant,
            faults: 0,
            deadline: None,
            last: None,
            maybe_applied: false,
        }
    }

    /// An attempt leaves. Returns whether it is the first.
    pub(super) fn departs(&mut self) -> bool {
        let first = self.deadline.is_none();
        self.deadline
            .get_or_insert_with(|| Instant::now() + self.grant.elapsed);
        first
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// An attempt was throttled, which spends only time.
    pub(super) fn throttled(&mut self, reason: String) {
        self.last = Some(Fault {
            class: "throttled",
            reason,
            after: None,
            maybe_applied: false,
        });
    }

    /// An attempt met a fault. Returns how long to rest before the next, or what has run out.
    pub(super) fn fault(&mut self, fault: Fault) -> Result<Duration, String> {
        self.faults += 1;
        self.maybe_applied |= fault.maybe_applied;
        let rest = match fault.after {
            Some(after) => after.min(self.grant.longest_wait),
            None => Backoff::CALL.draw(self.faults - 1),
        };
        self.last = Some(fault);
        if self.faults >= self.grant.attempts {
            return Err(format!("gave up after {} faults", self.faults));
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() + rest >= deadline)
        {
            return Err(self.out_of_time());
        }
        Ok(rest)
    }

    /// What has run out when the deadline has passed.
    pub(super) fn out_of_time(&self) -> String {
        format!("gave up after {} s", self.grant.elapsed.as_secs())
    }

    /// How an answered call ends. A refusal says nothing of an earlier attempt that may have had its effect.
    pub(super) fn over(&self, ending: Ending, purpose: Purpose) -> Sent {
        match ending {
            Ending::Split(reason) => Sent::Split { reason },
            Ending::Unknown(reason) => Sent::Unknown { reason },
            Ending::Refused(class, reason) if self.maybe_applied && purpose == Purpose::Write => {
                Sent::Exhausted {
                    class,
                    reason: format!("{reason}; an earlier attempt had no answer that tells"),
                    maybe_applied: true,
                }
            }
            Ending::Refused(class, reason) => Sent::Refused { class, reason },
        }
    }

    /// How the call ends when something ran out.
    pub(super) fn exhausted(&self, why: &str) -> Sent {
        let (class, reason) = match &self.last {
            Some(last) => (last.class, format!("{}; {why}", last.reason)),
            None => ("throttled", why.to_owned()),
        };
        Sent::Exhausted {
            class,
            reason,
            maybe_applied: self.maybe_applied,
        }
    }
}
