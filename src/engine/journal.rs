//! Writes the attempts of one call to the ledger, together with the operations that it carries.

use std::sync::Mutex;
use std::sync::PoisonError;

use futures::future::BoxFuture;

use crate::ledger::{Intent, LedgerError, LineBits, RunLog};
use crate::wire::{AttemptEnd, AttemptId, Journal, JournalError, Purpose, Request};

/// The journal of one call.
#[derive(Debug)]
pub(super) struct CallJournal<'a> {
    log: &'a RunLog,
    entities: usize,
    lines: &'a [LineBits],
    /// The first attempt of the call itself, when it was committed ahead and has not left yet.
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
        // What only authenticates carries none of the call's operations.
        let (entities, lines) = match request.purpose {
            Purpose::Authenticate => (0, &[][..]),
            Purpose::Observe | Purpose::Write | Purpose::Validate => {
                if let Some(attempt) = self.take() {
                    return Box::pin(std::future::ready(Ok(attempt)));
                }
                (self.entities, self.lines)
            }
        };
        Box::pin(async move {
            let intent = Intent {
                request,
                entities,
                lines,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Ledger, NewRun, PlanTarget};
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    fn request(purpose: Purpose) -> Request {
        Request {
            purpose,
            idempotent: true,
            method: Method::PATCH,
            target: "/groups/1".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    #[tokio::test]
    async fn what_only_authenticates_leaves_the_attempt_that_was_committed_ahead_to_the_call() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db")).await.unwrap();
        let target = PlanTarget {
            connection: "ops".to_owned(),
            vendor: "v".to_owned(),
            url: "https://h".to_owned(),
            tenant: String::new(),
            kind: "PROJECT".to_owned(),
        };
        let run = NewRun {
            job: "j",
            job_path: "job.toml",
            job_digest: "d",
            follows: None,
            target,
        };
        let run = ledger.begin_run(&run).await.unwrap();
        let log = ledger.run_log(run).await.unwrap();
        let (write, probe) = (request(Purpose::Write), request(Purpose::Authenticate));
        let lines = [LineBits {
            entity: 0,
            part: 0,
            bits: 1,
        }];
        let intent = Intent {
            request: &write,
            entities: 1,
            lines: &lines,
        };
        let ahead = log.intend(&intent, 1).await.unwrap();
        let journal = CallJournal::new(&log, 1, &lines).ahead(Some(ahead));
        let asked = journal.intend(&probe, 0).await.unwrap();
        let sent = journal.intend(&write, 1).await.unwrap();
        let again = journal.intend(&write, 1).await.unwrap();
        assert_eq!(sent, ahead);
        assert!(ahead < asked && asked < again);
    }
}
