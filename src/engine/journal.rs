//! Writes the attempts of one call to the ledger, together with the operations that it carries.

use std::sync::Mutex;
use std::sync::PoisonError;

use futures::future::BoxFuture;

use crate::ledger::{Intent, LedgerError, LineBits, RunLog};
use crate::wire::{AttemptEnd, AttemptId, Journal, JournalError, Request};

/// The journal of one call.
#[derive(Debug)]
pub(super) struct CallJournal<'a> {
    log: &'a RunLog,
    entities: usize,
    lines: &'a [LineBits],
    /// The first attempt, when it was committed ahead and has not left yet.
    ahead: Mutex<Option<AttemptId>>,
}

impl<'a> CallJournal<'a> {
    /// For a call that concerns so many entities and carries these operations.
    pub(super) fn new(log: &'a RunLog, entities: usize, lines: &'a [LineBits]) -> Self {
        Self {
            log,
            entities,
            lines,
            ahead: Mutex::new(None),
        }
    }

    /// The same, with the first attempt committed already.
    pub(super) fn ahead(self, attempt: Option<AttemptId>) -> Self {
        Self {
            ahead: Mutex::new(attempt),
            ..self
        }
    }

    fn take(&self) -> Option<AttemptId> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// An attempt that was committed ahead and never left is told so.
impl Drop for CallJournal<'_> {
    fn drop(&mut self) {
        if let Some(attempt) = self.take() {
            self.log.end(
                attempt,
                &AttemptEnd {
                    class: "not_sent",
                    status: None,
                    correlation: None,
                },
            );
        }
    }
}

impl Journal for CallJournal<'_> {
    fn intend<'a>(
        &'a self,
        request: &'a Request,
        number: u32,
    ) -> BoxFuture<'a, Result<AttemptId, JournalError>> {
        if let Some(attempt) = self.take() {
            return Box::pin(std::future::ready(Ok(attempt)));
        }
        Box::pin(async move {
            let intent = Intent {
                request,
                entities: self.entities,
                lines: self.lines,
            };
            self.log
                .intend(&intent, number)
                .await
                .map_err(|error| match error {
                    LedgerError::Broken(why) => JournalError(why),
                    other => JournalError(other.to_string()),
                })
        })
    }

    fn end(&self, attempt: AttemptId, end: AttemptEnd) {
        self.log.end(attempt, &end);
    }
}
