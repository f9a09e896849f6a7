//! The retry loop: one call, from its first attempt to its last.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::attempt::{self, Ending, Fault, Finding};
use super::backoff::Backoff;
use super::gate::Entry;
use super::pause::{Begun, Pass};
use super::{Connection, HaltKind, Sent, wait};
use crate::wire::{AttemptEnd, Journal, JournalError, Judge, Request, Response};

/// One call on its way.
pub(super) struct Exchange<'a> {
    connection: &'a Connection,
    request: &'a Request,
    judge: &'a (dyn Judge + Send + Sync),
    journal: &'a dyn Journal,
    /// Attempts that were written to the journal.
    number: u32,
    /// Attempts that met a fault. Throttled ones are not among them.
    faults: u32,
    /// Set when the first attempt leaves: waiting for one's turn costs no patience.
    deadline: Option<Instant>,
    last: Option<Fault>,
    maybe_applied: bool,
}

enum Step {
    Over(Sent),
    Again(Duration),
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        request: &'a Request,
        judge: &'a (dyn Judge + Send + Sync),
        journal: &'a dyn Journal,
    ) -> Self {
        Self {
            connection,
            request,
            judge,
            journal,
            number: 0,
            faults: 0,
            deadline: None,
            last: None,
            maybe_applied: false,
        }
    }

    /// Attempts until the call is over.
    pub(super) async fn run(mut self) -> Sent {
        loop {
            let entry = match self.enter().await {
                Ok(entry) => entry,
                Err(sent) => return sent,
            };
            let rest = match self.attempt(entry).await {
                Step::Over(sent) => return sent,
                Step::Again(rest) => rest,
            };
            if let Err(sent) = self.rest(rest).await {
                return sent;
            }
        }
    }

    async fn enter(&self) -> Result<Entry<'a>, Sent> {
        let gate = &self.connection.gate;
        let entered = async {
            match self.deadline {
                Some(deadline) => timeout_at(deadline, gate.enter()).await.ok(),
                None => Some(gate.enter().await),
            }
        };
        tokio::select! {
            biased;
            reason = self.connection.valve.closed() => Err(Sent::NotSent { reason }),
            entry = entered => entry.ok_or_else(|| self.exhausted(&self.out_of_time())),
        }
    }

    async fn rest(&self, length: Duration) -> Result<(), Sent> {
        if length.is_zero() {
            return Ok(());
        }
        tokio::select! {
            biased;
            reason = self.connection.valve.closed() => Err(Sent::NotSent { reason }),
            () = sleep(length) => Ok(()),
        }
    }

    async fn attempt(&mut self, Entry { slot, pass }: Entry<'_>) -> Step {
        let id = match self.journal.intend(self.request, self.number + 1).await {
            Ok(id) => id,
            Err(error) => return self.journal_failed(error),
        };
        self.number += 1;
        if let Some(reason) = self.connection.valve.reason() {
            let end = AttemptEnd {
                class: "not_sent",
                status: None,
                correlation: None,
            };
            self.journal.end(id, end);
            return Step::Over(Sent::NotSent { reason });
        }
        let departed = self.departs();
        let signed = self.connection.auth.sign(self.request);
        let outcome = self.connection.exec.send(&signed).await;
        let every_slot_taken = slot.release();
        let (finding, end) = attempt::read(outcome, self.request, self.judge);
        self.journal.end(id, end);
        self.settle(finding, pass, departed, every_slot_taken)
    }

    fn departs(&mut self) -> Instant {
        let now = Instant::now();
        if self.deadline.is_none() {
            self.connection.budget.call();
            self.deadline = Some(now + self.connection.max_elapsed);
        }
        self.connection.tally.attempts.fetch_add(1, Ordering::Relaxed);
        self.connection.tell_sent();
        now
    }

    fn settle(
        &mut self,
        finding: Finding,
        pass: Pass<'_>,
        departed: Instant,
        every_slot_taken: bool,
    ) -> Step {
        let over = match finding {
            Finding::Throttled { after, reason } => {
                return self.throttled(pass, departed, after, reason);
            }
            Finding::Fault(fault) => {
                self.note_fault(pass, departed, &fault);
                return self.again(fault);
            }
            Finding::Lost(fault) => {
                self.note_fault(pass, departed, &fault);
                let Fault { reason, .. } = fault;
                return Step::Over(Sent::Unknown { reason });
            }
            Finding::Accepted(response) => {
                pass.answered();
                self.accepted(&response, every_slot_taken);
                Sent::Accepted(response)
            }
            Finding::Over(ending) => {
                pass.answered();
                match ending {
                    Ending::Split(reason) => Sent::Split { reason },
                    Ending::Unknown(reason) => Sent::Unknown { reason },
                    Ending::Refused(class, reason) => Sent::Refused { class, reason },
                }
            }
            Finding::Stop(reason) => {
                pass.answered();
                self.connection.halt(HaltKind::Credentials, &reason);
                Sent::NotSent { reason }
            }
            Finding::Unusable(reason) => {
                self.connection.halt(HaltKind::Unusable, &reason);
                Sent::NotSent { reason }
            }
        };
        Step::Over(over)
    }

    fn accepted(&self, response: &Response, every_slot_taken: bool) {
        let connection = self.connection;
        connection.tell_limit(connection.gate.slots.succeeded(every_slot_taken));
        let spent = wait::quota_spent(&response.headers).and_then(|wait| connection.gate.pause.spent(wait));
        if let Some(length) = spent {
            connection.tell_paused(length, "the vendor says that nothing remains of the quota");
        }
    }

    fn throttled(
        &mut self,
        pass: Pass<'_>,
        departed: Instant,
        after: Option<Duration>,
        reason: String,
    ) -> Step {
        let connection = self.connection;
        connection.tally.throttled.fetch_add(1, Ordering::Relaxed);
        if let Some(begun) = pass.throttled(after) {
            connection.tell_paused(begun.length, &reason);
            if !begun.by_probe {
                connection.tell_limit(connection.gate.slots.overloaded(departed));
            }
            self.end_storm(begun);
        }
        self.last = Some(Fault {
            class: "throttled",
            reason,
            after,
            maybe_applied: false,
        });
        Step::Again(Duration::ZERO)
    }

    /// Throttling that does not end is no fault of any call, so it stops the connection rather than failing them all.
    fn end_storm(&self, begun: Begun) {
        if begun.throttled_for >= self.connection.max_elapsed {
            let reason = format!(
                "the vendor has throttled every request for {} s; run the same command again later",
                begun.throttled_for.as_secs()
            );
            self.connection.halt(HaltKind::Throttled, &reason);
        }
    }

    fn note_fault(&self, pass: Pass<'_>, departed: Instant, fault: &Fault) {
        if let Some(begun) = pass.faulted() {
            self.connection.tell_paused(begun.length, &fault.reason);
        }
        if fault.class == "timeout" {
            self.connection
                .tell_limit(self.connection.gate.slots.overloaded(departed));
        }
    }

    /// Decides whether a call goes on after a fault, and when.
    fn again(&mut self, fault: Fault) -> Step {
        let connection = self.connection;
        self.faults += 1;
        self.maybe_applied |= fault.maybe_applied;
        let rest = fault.after.map_or_else(
            || Backoff::CALL.draw(self.faults - 1),
            |after| after.min(connection.max_wait),
        );
        let reason = fault.reason.clone();
        self.last = Some(fault);
        if self.faults >= connection.attempts {
            return Step::Over(self.exhausted(&format!("gave up after {} attempts", self.number)));
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() + rest >= deadline)
        {
            return Step::Over(self.exhausted(&self.out_of_time()));
        }
        if !connection.budget.retry() {
            let why = format!(
                "the retry budget is spent ({} retries of {} calls); run the same command again when the vendor answers",
                connection.budget.retries(),
                connection.budget.calls()
            );
            connection.halt(HaltKind::Budget, &format!("{reason}; {why}"));
            return Step::Over(self.exhausted(&why));
        }
        connection.tell_retrying(rest, &reason);
        Step::Again(rest)
    }

    fn journal_failed(&self, error: JournalError) -> Step {
        self.connection.halt(HaltKind::Journal, &error.to_string());
        Step::Over(Sent::JournalFailed(error))
    }

    fn out_of_time(&self) -> String {
        format!("gave up after {} s", self.connection.max_elapsed.as_secs())
    }

    fn exhausted(&self, why: &str) -> Sent {
        let (class, reason) = self.last.as_ref().map_or(("throttled", why.to_owned()), |last| {
            (last.class, format!("{}; {why}", last.reason))
        });
        Sent::Exhausted {
            class,
            reason,
            maybe_applied: self.maybe_applied,
        }
    }
}
