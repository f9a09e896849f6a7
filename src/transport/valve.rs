//! Stops a connection: for good when it halts, in order when it is drained. What is in flight finishes.

use tokio::sync::watch;

/// What made a connection halt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HaltKind {
    /// The vendor refuses the credentials or their scopes.
    Credentials,
    /// Too many retries for the calls made.
    Budget,
    /// The vendor throttled without a break for `max_elapsed`.
    Throttled,
    /// The journal can't be written.
    Journal,
    /// No request can be sent at all: a certificate that is not trusted, a URL that can't be used.
    Unusable,
}

/// Why nothing more is sent on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// What made it halt.
    pub kind: HaltKind,
    /// The vendor's or the network's words, and what to mend.
    pub reason: String,
}

/// Open until halted or drained; never opens again.
#[derive(Debug)]
pub(crate) struct Valve(watch::Sender<Closing>);

#[derive(Debug, Default)]
struct Closing {
    halt: Option<Halt>,
    drained: bool,
}

impl Closing {
    fn reason(&self) -> Option<String> {
        match &self.halt {
            Some(halt) => Some(halt.reason.clone()),
            None if self.drained => Some("stopped before it was sent; it stays open".to_owned()),
            None => None,
        }
    }
}

impl Valve {
    pub(crate) fn is_drained(&self) -> bool {
        self.0.borrow().drained
    }

    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Closing::default()))
    }

    /// Halts. Only the first reason is kept; returns whether this was it.
    pub(crate) fn halt(&self, halt: Halt) -> bool {
        self.0.send_if_modified(|closing| {
            let first = closing.halt.is_none();
            if first {
                closing.halt = Some(halt);
            }
            first
        })
    }

    pub(crate) fn drain(&self) {
        self.0.send_modify(|closing| closing.drained = true);
    }

    pub(crate) fn halted(&self) -> Option<Halt> {
        self.0.borrow().halt.clone()
    }

    /// Why nothing may be begun, when that is so.
    pub(crate) fn reason(&self) -> Option<String> {
        self.0.borrow().reason()
    }

    /// Waits until nothing may be begun any more, and says why.
    pub(crate) async fn closed(&self) -> String {
        let mut watching = self.0.subscribe();
        loop {
            if let Some(reason) = watching.borrow_and_update().reason() {
                return reason;
            }
            watching
                .changed()
                .await
                .expect("the sender lives as long as the valve that is borrowed here");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halt(reason: &str) -> Halt {
        Halt {
            kind: HaltKind::Budget,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn the_first_reason_stands() {
        let valve = Valve::new();
        assert_eq!(valve.reason(), None);
        assert!(valve.halt(halt("one")));
        assert!(!valve.halt(halt("two")));
        valve.drain();
        assert_eq!(valve.halted(), Some(halt("one")));
        assert_eq!(valve.reason().as_deref(), Some("one"));
    }

    #[tokio::test]
    async fn a_waiter_hears_of_a_drain_that_came_before_and_of_one_that_comes_after() {
        let valve = Valve::new();
        let (heard, ()) = tokio::join!(valve.closed(), async { valve.drain() });
        assert_eq!(heard, valve.closed().await);
        assert_eq!(valve.halted(), None);
    }
}
