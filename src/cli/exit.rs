//! Exit codes, and how errors are told.

use std::process::ExitCode;

use super::lock::LockError;
use super::print;
use super::signals::Interrupted;
use crate::engine::EngineError;
use crate::inventory::InventoryError;
use crate::job::JobError;
use crate::ledger::{LedgerError, Summary};
use crate::model::Outcome;
use crate::report::ReportError;
use crate::simulator::OpenError;
use crate::transport::{SecretError, TransportError};

/// What the help says of exit codes.
pub(super) const HELP: &str = "Exit codes: 0 all done or unchanged; 1 unexpected failure; 2 usage; 3 job or inventory \
    refused; 4 finished, but some rows are neither done nor unchanged, `verify` found differences, or entities could not be \
    exported; 5 stopped by a guard, the breaker or refused \
    credentials; 6 the plan has changes (plan --detailed-exitcode); 7 locked; 130 or 143 interrupted";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is done or unchanged.
    Done,
    /// An unexpected failure, of the ledger too.
    Failed,
    /// The job or its inventory was refused.
    Refused,
    /// Finished, but some rows are neither done nor unchanged.
    Partial,
    /// A guard, the breaker or refused credentials stopped it.
    Stopped,
    /// The plan has changes.
    Changes,
    /// Another process has the job or the connection.
    Locked,
    /// Interrupted by a signal of this number with something still open.
    Interrupted(u8),
}

impl Exit {
    /// What a run's summary comes to, when nothing interrupted it.
    pub(super) fn of(summary: &Summary) -> Self {
        let good = summary.rows_of(Outcome::Done) + summary.rows_of(Outcome::Unchanged);
        if summary.rows_of(Outcome::NotAttempted) > 0 {
            Self::Stopped
        } else if good < summary.rows {
            Self::Partial
        } else {
            Self::Done
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Refused => 3,
            Exit::Partial => 4,
            Exit::Stopped => 5,
            Exit::Changes => 6,
            Exit::Locked => 7,
            Exit::Interrupted(signal) => 128 + signal,
        })
    }
}

/// Tells an error with its causes, once, and says what it comes to.
pub(super) fn report(error: &anyhow::Error) -> Exit {
    let exit = exit_of(error);
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some libraries repeat their cause in their own words.
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    print::line(&format!("error: {text}"));
    exit
}

fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(interrupted) = cause.downcast_ref::<Interrupted>() {
            return Exit::Interrupted(interrupted.signal);
        }
        if cause.is::<LockError>() || matches!(cause.downcast_ref(), Some(OpenError::Locked(_))) {
            return Exit::Locked;
        }
        if cause.is::<JobError>()
            || cause.is::<InventoryError>()
            || cause.is::<Refusal>()
            || cause.is::<SecretError>()
        {
            return Exit::Refused;
        }
        if let Some(error) = cause.downcast_ref::<TransportError>() {
            // A connection that can't be set up is a matter of the job, but for a client that can't be built.
            return match error {
                TransportError::Client(_) => Exit::Failed,
                _ => Exit::Refused,
            };
        }
        if let Some(OpenError::OtherPopulation { .. } | OpenError::Inventory { .. }) = cause.downcast_ref() {
            return Exit::Refused;
        }
        match cause.downcast_ref::<EngineError>() {
            Some(EngineError::Inventory(_) | EngineError::Lookup(_) | EngineError::Job(_)) => {
                return Exit::Refused;
            }
            Some(EngineError::Stopped { .. }) => return Exit::Stopped,
            Some(EngineError::Ledger(_) | EngineError::Write(_)) => return Exit::Failed,
            None => {}
        }
        if matches!(cause.downcast_ref(), Some(LedgerError::NoRun(_)))
            || matches!(
                cause.downcast_ref(),
                Some(ReportError::Ledger(LedgerError::NoRun(_)) | ReportError::NoPlan(_))
            )
        {
            return Exit::Refused;
        }
    }
    Exit::Failed
}

/// What was asked for can't be meant: exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(pub(super) String);
