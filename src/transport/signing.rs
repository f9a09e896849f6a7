//! How a call gets its credentials: by waiting, by asking in its turn, or by being challenged.

use std::borrow::Cow;

use bytes::Bytes;

use super::Auth;
use super::attempt::{self, Fault, Finding};
use super::auth::{Reply, Turn};
use crate::wire::{AttemptEnd, Exec, Judge, Purpose, Request, Response, SendError};

/// The credentials of one call on its way.
pub(super) struct Signing<'a> {
    auth: &'a Auth,
    /// Held from the question how to authenticate until a request was taken.
    turn: Option<Turn<'a>>,
    /// Whether the attempt before was challenged, or fetched the credentials: there are no better ones then.
    is_renewed: bool,
}

/// What the next attempt is.
#[derive(Debug)]
pub(super) struct Errand<'r> {
    /// What is sent, before credentials.
    pub(super) request: Cow<'r, Request>,
    pub(super) kind: Kind,
}

/// Whether an attempt is the call's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The call's request.
    Call,
    /// The same without its body, to be told what the server asks for. Data goes out once.
    Probe,
}

/// An attempt that has come back.
#[derive(Debug)]
pub(super) struct Outcome {
    result: Result<Response, SendError>,
    /// Of the credentials that it carried.
    generation: u64,
}

impl Errand<'_> {
    /// The number that the journal gives the attempt, after so many of the call.
    pub(super) fn number(&self, attempts: u32) -> u32 {
        match self.kind {
            Kind::Call => attempts + 1,
            Kind::Probe => 0,
        }
    }
}

impl<'a> Signing<'a> {
    pub(super) fn new(auth: &'a Auth) -> Self {
        Self {
            auth,
            turn: None,
            is_renewed: false,
        }
    }

    /// Waits until a request may be signed, or until it is this call's turn to see to that.
    pub(super) async fn ready(&mut self) {
        if self.turn.is_none() {
            self.turn = self.auth.turn().await;
        }
    }

    /// Whether that still holds after waiting for something else.
    pub(super) fn is_ready(&self) -> bool {
        self.turn.is_some() || self.auth.is_ready()
    }

    /// What there is to be sent for a call.
    pub(super) fn errand<'r>(&self, request: &'r Request) -> Errand<'r> {
        if self.turn.is_none() || !self.auth.must_probe(request) {
            return Errand {
                request: Cow::Borrowed(request),
                kind: Kind::Call,
            };
        }
        let probe = Request {
            purpose: Purpose::Authenticate,
            idempotent: true,
            body: Bytes::new(),
            ..request.clone()
        };
        Errand {
            request: Cow::Owned(probe),
            kind: Kind::Probe,
        }
    }

    /// Sends it.
    pub(super) async fn send(&self, errand: &Errand<'_>, exec: &dyn Exec) -> Outcome {
        let request = &*errand.request;
        let (signed, generation) = self.auth.sign(request, || exec.uri(&request.target));
        Outcome {
            result: exec.send(&signed).await,
            generation,
        }
    }

    /// What came of it.
    pub(super) fn read(
        &mut self,
        errand: &Errand<'_>,
        outcome: Outcome,
        judge: &(dyn Judge + Send + Sync),
    ) -> (Finding, AttemptEnd) {
        let Outcome { result, generation } = outcome;
        let reply = match &result {
            Ok(response) => self.auth.read(response, generation, self.is_renewed),
            Err(_) => Reply::Judge,
        };
        let (finding, end) = attempt::read(result, &errand.request, judge);
        self.is_renewed = matches!(reply, Reply::Again | Reply::Fault(_));
        let ended = |class| AttemptEnd { class, ..end.clone() };
        match reply {
            Reply::Judge => (self.judged(errand.kind, finding, generation), end),
            Reply::Again => (Finding::Authenticated, ended("challenged")),
            Reply::Fault(reason) => (Finding::Fault(contradiction(reason)), ended("challenged")),
            Reply::Unusable(reason) => (Finding::Unusable(reason.to_owned()), ended("stopped")),
        }
    }

    /// An answer that is no challenge shows that the credentials are good, or not asked for, unless the vendor was too
    /// busy to look at them.
    fn judged(&mut self, kind: Kind, finding: Finding, generation: u64) -> Finding {
        if matches!(finding, Finding::Accepted(_) | Finding::Over(_)) {
            self.auth.prove(generation);
            self.turn = None;
        }
        if kind == Kind::Call {
            return finding;
        }
        match finding {
            // The server let a request without credentials in: so goes the call itself.
            Finding::Accepted(_) | Finding::Over(_) => Finding::Authenticated,
            // What never left can't have had its effect.
            Finding::Fault(fault) | Finding::Lost(fault) => Finding::Fault(Fault {
                maybe_applied: false,
                ..fault
            }),
            other => other,
        }
    }
}

fn contradiction(reason: &str) -> Fault {
    Fault {
        class: "server",
        reason: reason.to_owned(),
        after: None,
        maybe_applied: false,
    }
}
