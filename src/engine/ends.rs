//! What became of a call, entity by entity, and how it is settled.

use super::EngineError;
use super::apply::Run;
use super::wave::Doubt;
use crate::ledger::{LedgerError, LineBits, Settlement, Verdict};
use crate::model::{Call, Class, Effect, Failure};
use crate::transport::Sent;

/// What came of one call for one entity.
#[derive(Debug, Clone)]
pub(super) enum End {
    Done,
    Failed(Failure),
    Doubt(Failure),
    Open,
}

/// What came of sending a call once.
pub(super) enum Once {
    /// Something of each entity, in order.
    Ends(Vec<End>),
    /// It was refused as a whole, for this reason.
    Split(String),
}

impl Once {
    /// The same for every entity of a call.
    pub(super) fn all(end: End, entities: usize) -> Self {
        Self::Ends(vec![end; entities])
    }
}

impl Run<'_> {
    /// What the transport's word on a call means for its entities.
    pub(super) fn ended(&self, call: &Call, sent: Sent) -> Result<Once, EngineError> {
        let all = |end: End| Ok(Once::all(end, call.entities.len()));
        match sent {
            Sent::Accepted(answer) => {
                let effects = self.target.vendor.decode(call, &answer);
                Ok(Once::Ends(ends(
                    effects.map_err(|error| error.to_string()),
                    call.entities.len(),
                )))
            }
            Sent::Split { reason } => Ok(Once::Split(reason)),
            Sent::Unknown { reason } => all(End::Doubt(Failure::new(Class::Invisible, reason))),
            Sent::Exhausted {
                class,
                reason,
                maybe_applied: true,
            } => all(End::Doubt(failure(class, reason))),
            Sent::Refused { class, reason }
            | Sent::Exhausted {
                class,
                reason,
                maybe_applied: false,
            } => all(End::Failed(failure(class, reason))),
            Sent::NotSent { .. } => all(End::Open),
            Sent::JournalFailed(error) => Err(LedgerError::Broken(error.0).into()),
        }
    }

    /// Commits what is known of some lines, by their places, and gives back what is in doubt.
    pub(super) async fn settle_ends(
        &self,
        carried: impl Iterator<Item = (usize, LineBits)>,
        ends: Vec<End>,
    ) -> Result<Vec<Doubt>, EngineError> {
        let mut doubts = Vec::new();
        let mut settled = Vec::new();
        for ((place, line), end) in carried.zip(ends) {
            let verdict = match end {
                End::Open => continue,
                End::Doubt(failure) => {
                    doubts.push(Doubt {
                        place,
                        bits: line.bits,
                        failure,
                    });
                    continue;
                }
                End::Done => Verdict::Done,
                End::Failed(Failure { class, message }) => Verdict::failed(class, message),
            };
            settled.push((place, Settlement { line, verdict }));
        }
        self.commit(settled).await?;
        Ok(doubts)
    }

    /// Remembers that operations are about to be sent.
    pub(super) fn attempt(&self, place: usize, line: LineBits) {
        let attempted = &self.lines[place].attempted;
        attempted.set(attempted.get() | line.bits);
    }
}

/// An answer that does not cover the call settles nothing.
fn ends(effects: Result<Vec<Effect>, String>, entities: usize) -> Vec<End> {
    let why = match effects {
        Ok(effects) if effects.len() == entities => return effects.into_iter().map(end).collect(),
        Ok(_) => "the answer does not cover the call".to_owned(),
        Err(why) => why,
    };
    vec![End::Doubt(Failure::new(Class::Invisible, why)); entities]
}

fn end(effect: Effect) -> End {
    match effect {
        Effect::Done => End::Done,
        Effect::Observe(why) => End::Doubt(Failure::new(Class::Invisible, why)),
        Effect::Failed(failure) => End::Failed(failure),
    }
}

/// A verdict names its class as text; one that is not known is a refusal.
fn failure(class: &str, reason: String) -> Failure {
    Failure::new(class.parse().unwrap_or(Class::Refused), reason)
}
