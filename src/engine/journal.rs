//! Writes the attempts of one call to the ledger, together with the operations that it carries.

use futures::future::BoxFuture;

use crate::ledger::{LedgerError, LineBits, RunLog};
use crate::wire::{AttemptEnd, AttemptId, Journal, JournalError, Request};

/// The journal of one call.
#[derive(Debug)]
pub(super) struct CallJournal<'a> {
    pub(super) log: &'a RunLog,
    /// How many entities the call concerns.
    pub(super) entities: usize,
    /// The operations that it carries; none for an observation.
    pub(super) lines: &'a [LineBits],
}

impl Journal for CallJournal<'_> {
    fn intend<'a>(
        &'a self,
        request: &'a Request,
        number: u32,
    ) -> BoxFuture<'a, Result<AttemptId, JournalError>> {
        Box::pin(async move {
            let intended = self.log.intend(request, number, self.entities, self.lines).await;
            intended.map_err(|error| match error {
                LedgerError::Broken(why) => JournalError(why),
                other => JournalError(other.to_string()),
            })
        })
    }

    fn end(&self, attempt: AttemptId, end: AttemptEnd) {
        self.log.end(attempt, &end);
    }
}
