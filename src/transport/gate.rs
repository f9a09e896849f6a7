//! What every attempt passes before it may leave: a slot, the shared pause, a token.

use tokio::time::Instant;

use super::pacer::Pacer;
use super::pass::Pass;
use super::pause::Pause;
use super::slots::{Slot, Slots};
use super::{Learned, Options};

/// The gate of a connection.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) slots: Slots,
    pub(crate) pause: Pause,
    pacer: Option<Pacer>,
}

/// One request is let through.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) slot: Slot<'a>,
    pub(crate) pass: Pass<'a>,
}

impl Gate {
    /// A gate as a job wants it. It begins with what an earlier run learned, else with half of what is allowed.
    pub(crate) fn new(options: &Options, learned: Option<Learned>) -> Self {
        let most = options.pace.most_in_flight();
        let start = learned.map_or(most.div_ceil(2), |learned| learned.concurrency);
        Self {
            slots: Slots::new(most, start),
            pause: Pause::new(options.max_wait.get()),
            pacer: options
                .pace
                .rate
                .map(|rate| Pacer::new(rate, learned.map_or(100, |learned| learned.rate_percent))),
        }
    }

    /// Waits until a request may leave. No slot is held during a pause.
    pub(crate) async fn enter(&self) -> Entry<'_> {
        loop {
            self.pause.wait().await;
            let slot = self.slots.acquire().await;
            let Some(pass) = self.pause.try_pass() else {
                continue;
            };
            if let Some(pacer) = &self.pacer {
                pacer.take().await;
            }
            // A pause may have begun while waiting for the token, which then is lost: keeping it would let a burst go
            // when the pause ends.
            if pass.holds() {
                return Entry { slot, pass };
            }
        }
    }

    /// A request was accepted. Returns the new limit of requests in flight when it changed.
    pub(crate) fn succeeded(&self, every_slot_taken: bool) -> Option<usize> {
        if let Some(pacer) = &self.pacer {
            pacer.succeeded();
        }
        self.slots.succeeded(every_slot_taken)
    }

    /// A request that left at `departed` was throttled, and was no probe. Returns the new limit of requests in flight
    /// when it changed.
    pub(crate) fn throttled(&self, departed: Instant) -> Option<usize> {
        if let Some(pacer) = &self.pacer {
            pacer.slower();
        }
        self.slots.overloaded(departed)
    }

    /// What there is to remember for the next run.
    pub(crate) fn learned(&self) -> Learned {
        Learned {
            concurrency: self.slots.limit(),
            rate_percent: self.pacer.as_ref().map_or(100, Pacer::percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Pace;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_token_when_a_pause_begins_waits_for_its_end_and_pays_again() {
        let options = Options {
            pace: Pace {
                rate: Some("1/s".parse().expect("a rate")),
                concurrency: Some(4),
            },
            ..Options::default()
        };
        let gate = Gate::new(&options, None);
        let begun = Instant::now();
        let first = gate.enter().await;
        let (waited, ()) = tokio::join!(
            async {
                let entry = gate.enter().await;
                assert!(entry.pass.holds());
                begun.elapsed()
            },
            async {
                tokio::task::yield_now().await;
                first.pass.throttled(Some(Duration::from_secs(30)));
            }
        );
        assert!(waited >= Duration::from_secs(30), "{waited:?}");
    }
}
