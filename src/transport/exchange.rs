//! The retry loop: one call, from its first attempt to its last.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::attempt::{self, Fault, Finding};
use super::gate::Entry;
use super::pass::Pass;
use super::patience::Patience;
use super::pause::Begun;
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
    patience: Patience,
}

enum Step {
    Over(Sent),
    Again(Duration),
}

/// An attempt that has come back, and what the gate wants to know of it.
struct Back<'a> {
    pass: Pass<'a>,
    departed: Instant,
    every_slot_taken: bool,
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
            patience: Patience::new(connection.grant),
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
            match self.patience.deadline() {
                Some(deadline) => timeout_at(deadline, gate.enter()).await.ok(),
                None => Some(gate.enter().await),
            }
        };
        tokio::select! {
            biased;
            reason = self.connection.valve.closed() => Err(Sent::NotSent { reason }),
            entry = entered => entry.ok_or_else(|| self.patience.exhausted(&self.patience.out_of_time())),
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
        // While the journal committed, the connection may have closed, or a pause may have begun.
        let closed = self.connection.valve.reason();
        if closed.is_some() || !pass.holds() {
            self.journal.end(id, kept_back());
            return closed.map_or(Step::Again(Duration::ZERO), |reason| {
                Step::Over(Sent::NotSent { reason })
            });
        }
        self.departs();
        let departed = Instant::now();
        let signed = self.connection.auth.sign(self.request);
        let outcome = self.connection.exec.send(signed).await;
        let every_slot_taken = slot.release();
        let (finding, end) = attempt::read(outcome, self.request, self.judge);
        self.journal.end(id, end);
        let back = Back {
            pass,
            departed,
            every_slot_taken,
        };
        self.settle(finding, back)
    }

    fn departs(&mut self) {
        if self.patience.departs() {
            self.connection.budget.call();
        }
        self.connection.tally.attempts.fetch_add(1, Ordering::Relaxed);
        self.connection.tell_sent();
    }

    fn settle(&mut self, finding: Finding, back: Back<'_>) -> Step {
        match finding {
            Finding::Throttled { after, reason } => self.throttled(back, after, reason),
            Finding::Fault(fault) => {
                self.note_fault(back, &fault);
                self.again(fault)
            }
            Finding::Lost(fault) => {
                self.note_fault(back, &fault);
                Step::Over(Sent::Unknown { reason: fault.reason })
            }
            Finding::Accepted(response) => {
                self.accepted(back, &response);
                Step::Over(Sent::Accepted(response))
            }
            Finding::Over(ending) => {
                back.pass.answered();
                Step::Over(self.patience.over(ending, self.request.purpose))
            }
            Finding::Stop(reason) => self.halted(HaltKind::Credentials, reason),
            Finding::Unusable(reason) => self.halted(HaltKind::Unusable, reason),
        }
    }

    fn accepted(&self, back: Back<'_>, response: &Response) {
        let connection = self.connection;
        back.pass.answered();
        connection.tell_limit(connection.gate.succeeded(back.every_slot_taken));
        let spent = wait::quota_spent(&response.headers).and_then(|wait| connection.gate.pause.spent(wait));
        if let Some(length) = spent {
            connection.tell_paused(length, "the vendor says that nothing remains of the quota");
        }
    }

    fn throttled(&mut self, back: Back<'_>, after: Option<Duration>, reason: String) -> Step {
        let connection = self.connection;
        connection.tally.throttled.fetch_add(1, Ordering::Relaxed);
        if let Some(begun) = back.pass.throttled(after) {
            connection.tell_paused(begun.length, &reason);
            if !begun.by_probe {
                connection.tell_limit(connection.gate.throttled(back.departed));
            }
            self.end_storm(begun);
        }
        self.patience.throttled(reason);
        Step::Again(Duration::ZERO)
    }

    /// Throttling that does not end is no fault of any call, so it stops the connection rather than failing them all.
    fn end_storm(&self, begun: Begun) {
        if begun.throttled_for >= self.connection.grant.elapsed() {
            let reason = format!(
                "the vendor has throttled every request for {} s; run the same command again later",
                begun.throttled_for.as_secs()
            );
            self.connection.halt(HaltKind::Throttled, &reason);
        }
    }

    fn note_fault(&self, back: Back<'_>, fault: &Fault) {
        let connection = self.connection;
        if let Some(begun) = back.pass.faulted(fault.after) {
            connection.tell_paused(begun.length, &fault.reason);
        }
        if fault.class == "timeout" {
            connection.tell_limit(connection.gate.slots.overloaded(back.departed));
        }
    }

    /// Decides whether a call goes on after a fault, and when.
    fn again(&mut self, fault: Fault) -> Step {
        let connection = self.connection;
        let reason = fault.reason.clone();
        let rest = match self.patience.fault(fault) {
            Ok(rest) => rest,
            Err(why) => return Step::Over(self.patience.exhausted(&why)),
        };
        if !connection.budget.retry() {
            let why = format!(
                "the retry budget is spent ({} retries of {} calls); run the same command again when the vendor answers",
                connection.budget.retries(),
                connection.budget.calls()
            );
            connection.halt(HaltKind::Budget, &format!("{reason}; {why}"));
            return Step::Over(self.patience.exhausted(&why));
        }
        connection.tell_retrying(rest, &reason);
        Step::Again(rest)
    }

    fn halted(&self, kind: HaltKind, reason: String) -> Step {
        self.connection.halt(kind, &reason);
        Step::Over(Sent::NotSent { reason })
    }

    fn journal_failed(&self, error: JournalError) -> Step {
        self.connection.halt(HaltKind::Journal, &error.to_string());
        Step::Over(Sent::JournalFailed(error))
    }
}

/// The end of an attempt that was committed and then not sent.
fn kept_back() -> AttemptEnd {
    AttemptEnd {
        class: "not_sent",
        status: None,
        correlation: None,
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
                    assert!(reason.ends_with("gave up after 5 faults"), "{reason}");
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
    async fn a_refusal_after_an_attempt_that_may_have_been_applied_does_not_say_that_nothing_happened() {
        let script = Script::new(Duration::from_millis(20), |arrival| match arrival.before {
            0 => Err(SendError::TimedOut("no answer".to_owned())),
            _ => Ok(answer(400, &[])),
        });
        let sent = line(&script).send().await;
        let Sent::Exhausted {
            class: "refused",
            reason,
            maybe_applied: true,
        } = &sent
        else {
            panic!("{sent:?}")
        };
        assert!(reason.contains("an earlier attempt had no answer"), "{reason}");
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
            let gap = arrivals[1].at.saturating_sub(arrivals[0].at);
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
        for seed in 0..20 {
            let script = Script::new(Duration::from_millis(1), |_| {
                Err(SendError::NotSent("connection refused".to_owned()))
            });
            let line = line(&script);
            fastrand::seed(seed);
            let begun = Instant::now();
            let sent = line.send_many(1000, 8).await;
            assert!(
                begun.elapsed() <= Duration::from_mins(1),
                "seed {seed}: {:?}",
                begun.elapsed()
            );
            let halted = line.connection.halted().map(|halt| halt.kind);
            assert_eq!(halted, Some(HaltKind::Budget));
            let open = sent
                .iter()
                .filter(|sent| matches!(sent, Sent::NotSent { .. }))
                .count();
            assert!(open >= 980, "{open} of 1000 stay open");
            assert!(script.count() <= 50, "{} requests", script.count());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_a_pause_overtakes_in_the_journal_is_kept_back() {
        let script = Script::list([Ok(answer(429, &[("retry-after", "5")]))]);
        let line = line(&script);
        let slow = Memory {
            commits_in: Duration::from_millis(50),
            ..Memory::default()
        };
        let request = write("/");
        let (first, second) = tokio::join!(line.send(), line.connection.send(&request, &ByStatus, &slow));
        assert!(matches!((first, second), (Sent::Accepted(_), Sent::Accepted(_))));
        assert_eq!(slow.ends(), ["not_sent", "accepted"]);
        let gap = script.arrivals()[1].at.saturating_sub(script.arrivals()[0].at);
        assert!(gap >= Duration::from_secs(5), "{gap:?}");
    }
}
