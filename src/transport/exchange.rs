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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::transport::script::{ByStatus, Line, Memory, Script, answer, write};
    use crate::transport::{Options, TimeSpan};
    use crate::wire::SendError;

    fn line(script: &std::sync::Arc<Script>) -> Line {
        Line::new(script, &Options::default())
    }

    fn timed_out() -> SendError {
        SendError::TimedOut("no answer within 30s".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_fault_is_sent_again_and_the_journal_knows_both() {
        let script = Script::list([Ok(answer(500, &[]))]);
        let line = line(&script);
        let journal = Memory::default();
        let sent = line.connection.send(&write("/api"), &ByStatus, &journal).await;
        assert!(matches!(sent, Sent::Accepted(_)), "{sent:?}");
        assert_eq!(journal.ends(), ["transient", "accepted"]);
        let numbers: Vec<_> = journal
            .attempts
            .lock()
            .expect("a journal")
            .iter()
            .map(|a| a.1)
            .collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!(line.told(|event| matches!(event, Event::AttemptSent { .. })), 2);
        assert_eq!(line.told(|event| matches!(event, Event::Retrying { .. })), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_idempotent_is_sent_again_only_when_it_surely_never_left() {
        for (error, idempotent, attempts, end) in [
            (SendError::NotSent("refused".to_owned()), false, 2, "not_sent"),
            (timed_out(), false, 1, "timeout"),
            (timed_out(), true, 2, "timeout"),
            (SendError::Broken("reset".to_owned()), false, 1, "broken"),
            (SendError::Broken("reset".to_owned()), true, 2, "broken"),
        ] {
            let script = Script::list([Err(error)]);
            let journal = Memory::default();
            let mut request = write("/api");
            request.idempotent = idempotent;
            let sent = line(&script).connection.send(&request, &ByStatus, &journal).await;
            assert_eq!(script.count(), attempts, "{end}, idempotent {idempotent}");
            assert_eq!(journal.ends()[0], end);
            assert_eq!(matches!(sent, Sent::Unknown { .. }), attempts == 1, "{sent:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_end_a_call_are_not_sent_again() {
        for (status, end) in [
            (404, "refused"),
            (413, "split"),
            (418, "unknown"),
            (200, "accepted"),
        ] {
            let script = Script::list([Ok(answer(status, &[]))]);
            let journal = Memory::default();
            let sent = line(&script)
                .connection
                .send(&write("/"), &ByStatus, &journal)
                .await;
            let ended = match sent {
                Sent::Refused { class, .. } => class,
                Sent::Split { .. } => "split",
                Sent::Unknown { .. } => "unknown",
                Sent::Accepted(_) => "accepted",
                other => panic!("{other:?}"),
            };
            assert_eq!(ended, end);
            assert_eq!(journal.ends(), [end]);
            assert_eq!(script.count(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_run_out_and_the_call_says_whether_it_may_have_been_applied() {
        for (outcome, class, applied) in [
            (Ok(answer(500, &[])), "server", true),
            (Err(timed_out()), "timeout", true),
            (Err(SendError::Broken("reset".to_owned())), "network", true),
            (Err(SendError::NotSent("refused".to_owned())), "network", false),
        ] {
            let script = Script::new(Duration::from_millis(20), move |_| outcome.clone());
            let line = line(&script);
            match line.send().await {
                Sent::Exhausted {
                    class: got,
                    reason,
                    maybe_applied,
                } => {
                    assert_eq!((got, maybe_applied), (class, applied));
                    assert!(reason.ends_with("gave up after 5 attempts"), "{reason}");
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(script.count(), 5);
            assert_eq!(line.connection.halted(), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_attempt_that_may_have_been_applied_is_not_forgotten() {
        let script = Script::new(Duration::from_millis(20), |arrival| match arrival.before {
            0 => Err(SendError::TimedOut("no answer".to_owned())),
            _ => Err(SendError::NotSent("refused".to_owned())),
        });
        let sent = line(&script).send().await;
        assert!(
            matches!(
                sent,
                Sent::Exhausted {
                    class: "network",
                    maybe_applied: true,
                    ..
                }
            ),
            "{sent:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_spends_neither_attempts_nor_budget() {
        let script = Script::list((0..30).map(|_| Ok(answer(429, &[("retry-after", "1")]))));
        let line = line(&script);
        let sent = line.send().await;
        assert!(matches!(sent, Sent::Accepted(_)), "{sent:?}");
        let counts = line.connection.counts();
        assert_eq!(
            (counts.attempts, counts.throttled, counts.retries, counts.calls),
            (31, 30, 0, 1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_when_its_time_is_over_however_it_is_held_up() {
        for status in [429, 503] {
            let script = Script::new(Duration::from_millis(20), move |_| {
                Ok(answer(status, &[("retry-after", "50")]))
            });
            let options = Options {
                max_elapsed: TimeSpan::from_secs(120),
                ..Options::default()
            };
            let line = Line::new(&script, &options);
            let begun = Instant::now();
            let sent = line.send().await;
            let class = if status == 429 { "throttled" } else { "server" };
            assert!(
                matches!(&sent, Sent::Exhausted { class: got, .. } if *got == class),
                "{sent:?}"
            );
            assert!(
                begun.elapsed() <= Duration::from_secs(121),
                "{:?}",
                begun.elapsed()
            );
            assert_eq!(script.count(), 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_the_vendor_asks_for_is_kept_and_cut_to_the_longest() {
        for (status, asked, want) in [
            (429, "7", 7),
            (503, "7", 7),
            (429, "4000", 300),
            (503, "4000", 300),
        ] {
            let script = Script::list([Ok(answer(status, &[("retry-after", asked)]))]);
            line(&script).send().await;
            let arrivals = script.arrivals();
            let gap = arrivals[1].at - arrivals[0].at;
            assert!(gap >= Duration::from_secs(want), "{status} {asked}: {gap:?}");
            assert!(gap < Duration::from_secs(want + 2), "{status} {asked}: {gap:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retries_stay_within_the_budget_and_then_the_connection_halts() {
        for (share_failing, calls) in [(2, 2000), (1, 2000), (20, 2000)] {
            let script = Script::new(Duration::from_millis(5), move |arrival| {
                let fails = arrival.before % share_failing == 0;
                Ok(answer(if fails { 500 } else { 200 }, &[]))
            });
            let line = line(&script);
            line.send_many(calls, 16).await;
            let counts = line.connection.counts();
            let most = counts.calls + counts.calls * 15 / 100 + 20;
            assert!(counts.attempts <= most, "1 of {share_failing}: {counts:?}");
            let halted = line.connection.halted().map(|halt| halt.kind);
            // One failure in twenty stays below the budget of one retry in ten.
            let want = (share_failing < 20).then_some(HaltKind::Budget);
            assert_eq!(halted, want, "1 of {share_failing}: {counts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_down_halts_the_connection_within_a_minute() {
        let script = Script::new(Duration::from_millis(1), |_| {
            Err(SendError::NotSent("connection refused".to_owned()))
        });
        let line = line(&script);
        let begun = Instant::now();
        let sent = line.send_many(1000, 8).await;
        assert!(begun.elapsed() <= Duration::from_mins(2), "{:?}", begun.elapsed());
        assert_eq!(
            line.connection.halted().map(|halt| halt.kind),
            Some(HaltKind::Budget)
        );
        let open = sent
            .iter()
            .filter(|sent| matches!(sent, Sent::NotSent { .. }))
            .count();
        assert!(open >= 980, "{open} of 1000 stay open");
        assert!(script.count() <= 50, "{} requests", script.count());
    }
}
