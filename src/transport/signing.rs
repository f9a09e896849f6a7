//! How a call gets its credentials: by waiting, by asking in its turn, or by being challenged.

use std::borrow::Cow;
use std::time::Duration;

use super::Auth;
use super::attempt::{self, Fault, Finding};
use super::auth::{Preparation, Reply, TokenAnswer, Turn};
use crate::wire::{AttemptEnd, Exec, Judge, Request, Response, SendError};

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
    kind: Kind,
}

/// Whether an attempt is the call's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    Probe,
    Token,
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
            Kind::Probe | Kind::Token => 0,
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
        // A token is fetched by the one whose turn it is; a nonce is asked for by whoever has none.
        let before = self.auth.before(request);
        let before = before.filter(|before| self.turn.is_some() || matches!(before, Preparation::Probe(_)));
        let (request, kind) = match before {
            None => (Cow::Borrowed(request), Kind::Call),
            Some(Preparation::Probe(probe)) => (Cow::Owned(probe), Kind::Probe),
            Some(Preparation::Token(asking)) => (Cow::Owned(asking), Kind::Token),
        };
        Errand { request, kind }
    }

    /// Sends it.
    pub(super) async fn send(&self, errand: &Errand<'_>, exec: &dyn Exec) -> Outcome {
        let request = &*errand.request;
        if errand.kind == Kind::Token {
            let result = exec.send_to_root(self.auth.ask(request)).await;
            return Outcome {
                result,
                generation: 0,
            };
        }
        let (signed, generation) = self.auth.sign(request, &|| exec.uri(&request.target));
        Outcome {
            result: exec.send(signed).await,
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
        self.auth.release(outcome.generation);
        match (errand.kind, outcome.result) {
            (Kind::Token, Ok(response)) => self.received(&response, judge),
            (_, Ok(response)) => self.answered(errand, response, outcome.generation, judge),
            (kind, Err(error)) => {
                self.is_renewed = false;
                let (finding, end) = attempt::read(Err(error), &errand.request, judge);
                (self.judged(kind, finding, outcome.generation), end)
            }
        }
    }

    /// An answer of the token endpoint. The vendor's judge knows only the API, and is not asked.
    fn received(&mut self, response: &Response, judge: &(dyn Judge + Send + Sync)) -> (Finding, AttemptEnd) {
        let (finding, class) = match self.auth.receive(response) {
            TokenAnswer::Token(..) => (Finding::Authenticated, "accepted"),
            TokenAnswer::Throttled(after) => {
                let reason = "the token endpoint throttles".to_owned();
                (Finding::Throttled { after, reason }, "throttled")
            }
            TokenAnswer::Fault(reason, after) => (Finding::Fault(unapplied(reason, after)), "transient"),
            TokenAnswer::Refused(reason) => (Finding::Stop(reason), "stopped"),
        };
        self.is_renewed = class == "accepted";
        (finding, attempt::ended(class, response, judge))
    }

    fn answered(
        &mut self,
        errand: &Errand<'_>,
        response: Response,
        generation: u64,
        judge: &(dyn Judge + Send + Sync),
    ) -> (Finding, AttemptEnd) {
        let reply = self.auth.read(&response, generation, self.is_renewed);
        let (finding, end) = attempt::read(Ok(response), &errand.request, judge);
        let (finding, class) = match (reply, finding) {
            (Reply::Again, _) => (Finding::Authenticated, "challenged"),
            (Reply::Renew, Finding::Stop(_)) => {
                self.auth.reject(generation);
                (Finding::Authenticated, "challenged")
            }
            (Reply::Fault(why), _) => (Finding::Fault(unapplied(why.to_owned(), None)), "challenged"),
            (Reply::Unusable(why), _) => (Finding::Unusable(why.to_owned()), "stopped"),
            (Reply::Judge | Reply::Renew, finding) => {
                (self.judged(errand.kind, finding, generation), end.class)
            }
        };
        self.is_renewed = class == "challenged";
        (finding, AttemptEnd { class, ..end })
    }

    /// An answer that is no challenge shows that the credentials are good, or not asked for, unless the vendor was too
    /// busy to look at them. A call that has to rest lets another go first.
    fn judged(&mut self, kind: Kind, finding: Finding, generation: u64) -> Finding {
        match finding {
            Finding::Accepted(_) | Finding::Over(_) => {
                self.auth.prove(generation);
                self.turn = None;
            }
            Finding::Fault(_) | Finding::Lost(_) if kind == Kind::Call => self.turn = None,
            _ => {}
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

/// A fault of an attempt that surely had no effect.
fn unapplied(reason: String, after: Option<Duration>) -> Fault {
    Fault {
        class: "server",
        reason,
        after,
        maybe_applied: false,
    }
}
