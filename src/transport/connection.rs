//! One vendor account: what shares one quota, one pause and one set of credentials.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::budget::Budget;
use super::exchange::Exchange;
use super::gate::Gate;
use super::patience::Grant;
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
    pub(super) grant: Grant,
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
            grant: Grant::new(options),
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
        self.gate.learned()
    }

    /// Why nothing more is sent; `None` while the connection is open or merely drained.
    pub fn halted(&self) -> Option<Halt> {
        self.valve.halted()
    }

    /// Begins no new attempt: waiting calls end at once with [`Sent::NotSent`], those in flight finish.
    pub fn drain(&self) {
        self.valve.drain();
    }

    /// Whether it was drained.
    pub fn is_drained(&self) -> bool {
        self.valve.is_drained()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::script::{ByStatus, Line, Memory, Script, answer, write};
    use crate::transport::{Credentials, Pace, Secret};
    use crate::wire::{AuthScheme, SendError};
    use futures::future::join;
    use tokio::time::{Instant, sleep};

    const LATENCY: Duration = Duration::from_millis(20);

    fn options(rate: Option<&str>, concurrency: usize) -> Options {
        Options {
            pace: Pace {
                rate: rate.map(|rate| rate.parse().expect("a rate")),
                concurrency: Some(concurrency),
            },
            ..Options::default()
        }
    }

    fn not_sent(sent: &[Sent]) -> usize {
        let open = sent.iter().filter(|sent| matches!(sent, Sent::NotSent { .. }));
        open.count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_journal_that_fails_stops_everything_before_anything_leaves() {
        let script = Script::list([]);
        let line = Line::new(&script, &options(None, 8));
        let journal = Memory {
            fails_after: Some(0),
            ..Memory::default()
        };
        let sent = line.connection.send(&write("/"), &ByStatus, &journal).await;
        assert!(matches!(sent, Sent::JournalFailed(_)), "{sent:?}");
        assert_eq!(not_sent(&line.send_many(10, 4).await), 10);
        assert_eq!(script.count(), 0);
        let halt = line.connection.halted().expect("it halted");
        assert_eq!(halt.kind, HaltKind::Journal);
        assert!(halt.reason.contains("the disk is full"), "{}", halt.reason);
        assert_eq!(line.told(|event| matches!(event, Event::Halted { .. })), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn refused_credentials_halt_at_once_and_what_is_in_flight_finishes() {
        let script = Script::new(LATENCY, |arrival| {
            Ok(answer(if arrival.before == 3 { 401 } else { 200 }, &[]))
        });
        let line = Line::new(&script, &options(None, 8));
        let sent = line.send_many(100, 50).await;
        let accepted = sent
            .iter()
            .filter(|sent| matches!(sent, Sent::Accepted(_)))
            .count();
        // Four leave at once, since the connection begins with half of what is allowed. Those before the refusal let
        // others go, which finish.
        assert_eq!(accepted + 1, script.count());
        assert!(script.count() <= 8, "{}", script.count());
        assert_eq!(not_sent(&sent), 100 - accepted);
        assert_eq!(
            line.connection.halted().map(|halt| halt.kind),
            Some(HaltKind::Credentials)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_not_trusted_halts() {
        let script = Script::list([Err(SendError::Fatal("not trusted".to_owned()))]);
        let line = Line::new(&script, &options(None, 1));
        assert_eq!(not_sent(&line.send_many(10, 5).await), 10);
        assert_eq!(script.count(), 1);
        assert_eq!(
            line.connection.halted().map(|halt| halt.kind),
            Some(HaltKind::Unusable)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_waiting_calls_at_once_and_lets_those_in_flight_finish() {
        // Calls wait for a slot, for the rate, for the end of a pause and for a retry.
        let answers = [
            answer(200, &[]),
            answer(429, &[("retry-after", "60")]),
            answer(503, &[("retry-after", "60")]),
        ];
        for (first, rate) in answers.into_iter().zip([None, Some("1/min"), None]) {
            let script = Script::list([Ok(first)]);
            let line = Line::new(&script, &options(rate, 2));
            let begun = Instant::now();
            let (sent, ()) = join(line.send_many(10, 10), async {
                sleep(Duration::from_millis(30)).await;
                line.connection.drain();
            })
            .await;
            assert!(
                begun.elapsed() <= Duration::from_millis(50),
                "{:?}",
                begun.elapsed()
            );
            let accepted = sent
                .iter()
                .filter(|sent| matches!(sent, Sent::Accepted(_)))
                .count();
            assert_eq!(accepted + not_sent(&sent), 10, "{sent:?}");
            assert!(not_sent(&sent) > 0);
            assert_eq!(line.connection.halted(), None);
            assert_eq!(not_sent(&[line.send().await]), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_while_the_journal_commits_keeps_the_request_back_and_says_so() {
        let script = Script::list([]);
        let line = Line::new(&script, &options(None, 1));
        let journal = Memory::default();
        let request = write("/");
        let (sent, ()) = join(line.connection.send(&request, &ByStatus, &journal), async {
            line.connection.drain();
        })
        .await;
        assert_eq!(not_sent(&[sent]), 1);
        assert_eq!(journal.ends(), ["not_sent"]);
        assert_eq!(script.count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_token_reaches_the_server_and_neither_journal_nor_events() {
        let script = Script::list([Ok(answer(500, &[]))]);
        let scheme = AuthScheme::Token {
            header: "authorization",
            prefix: "Api-Token ",
        };
        let secret = Secret::from_text("canary-51c0".to_owned()).expect("a secret");
        let auth = Auth::new(&[scheme], Some(&Credentials::Token(secret))).expect("a usable token");
        let mut line = Line::new(&script, &options(None, 1));
        line.connection.auth = auth;
        let journal = Memory::default();
        line.connection.send(&write("/"), &ByStatus, &journal).await;
        let arrivals = script.arrivals();
        assert_eq!(arrivals.len(), 2);
        for arrival in &arrivals {
            assert_eq!(arrival.request.headers["authorization"], "Api-Token canary-51c0");
        }
        let attempts = journal.attempts.lock().expect("a journal");
        assert!(attempts.iter().all(|(request, ..)| request.headers.is_empty()));
        let told = format!("{:?} {:?} {:?}", line.events, line.connection, script.arrivals());
        assert!(!told.contains("canary"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_begins_with_half_or_what_was_learned_and_rises_to_what_is_allowed() {
        let script = Script::new(LATENCY, |_| Ok(answer(200, &[])));
        let line = Line::new(&script, &options(None, 8));
        assert_eq!(line.connection.learned().concurrency, 4);
        line.send_many(500, 50).await;
        let busiest = script.arrivals().iter().map(|arrival| arrival.in_flight).max();
        assert_eq!(busiest, Some(8));
        assert_eq!(script.arrivals()[3].in_flight, 4);
        assert_eq!(line.connection.learned().concurrency, 8);
        for (learned, want) in [(3, 3), (0, 1), (500, 8)] {
            let learned = Some(Learned {
                concurrency: learned,
                rate_percent: 100,
            });
            let exec: Arc<dyn Exec> = script.clone();
            let connection = Connection::new(
                "again",
                exec,
                Auth::NONE,
                &options(None, 8),
                learned,
                Events::default(),
            );
            assert_eq!(connection.learned().concurrency, want);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn timeouts_lower_the_limit_once_for_those_in_flight() {
        let script = Script::new(LATENCY, |arrival| match arrival.before {
            ..4 => Err(SendError::TimedOut("no answer".to_owned())),
            _ => Ok(answer(200, &[])),
        });
        let line = Line::new(&script, &options(None, 8));
        line.send_many(4, 4).await;
        let lowered = |event: &Event| matches!(event, Event::ConcurrencyChanged { limit: ..4, .. });
        let first = line
            .events
            .lock()
            .expect("no test panics here")
            .iter()
            .find(|event| lowered(event))
            .cloned();
        assert!(
            matches!(first, Some(Event::ConcurrencyChanged { limit: 2, .. })),
            "{first:?}"
        );
        let below = |event: &Event| matches!(event, Event::ConcurrencyChanged { limit: ..2, .. });
        assert_eq!(line.told(below), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_pays_for_a_token_again() {
        let script = Script::list((0..4).map(|_| Ok(answer(500, &[]))));
        let line = Line::new(&script, &options(Some("10/min"), 4));
        line.send().await;
        let at: Vec<_> = script.arrivals().iter().map(|arrival| arrival.at).collect();
        assert_eq!(at.len(), 5);
        let shortest = at.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).min();
        assert!(shortest >= Some(Duration::from_secs(6)), "{shortest:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_holds_through_pauses_and_retries() {
        let script = Script::new(Duration::from_millis(35), |arrival| {
            let status = match arrival.before % 40 {
                7 => 500,
                31 => 429,
                _ => 200,
            };
            Ok(answer(status, &[]))
        });
        let line = Line::new(&script, &options(Some("50/s"), 16));
        line.send_many(1000, 32).await;
        let at: Vec<_> = script.arrivals().iter().map(|arrival| arrival.at).collect();
        let second = Duration::from_secs(1);
        let fullest = at
            .iter()
            .map(|from| {
                at.iter()
                    .filter(|at| (*from..*from + second).contains(at))
                    .count()
            })
            .max();
        assert!(fullest <= Some(50), "{fullest:?} in a second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_dropped_gives_its_slot_back_and_stays_in_the_journal_without_an_end() {
        let script = Script::list([]);
        let line = Line::new(&script, &options(None, 1));
        let journal = Memory::default();
        let request = write("/");
        let call = line.connection.send(&request, &ByStatus, &journal);
        tokio::time::timeout(LATENCY / 2, call)
            .await
            .expect_err("it is in flight");
        assert_eq!(journal.ends(), ["none"]);
        assert!(matches!(line.send().await, Sent::Accepted(_)));
    }
}
