//! The ledger: the SQLite database of plans, operations, attempts and before-states. The only room with SQL.
//!
//! One task writes (`writer`), so that no two transactions of a process wait for each other; everything that has queued
//! while it was busy goes into its next transaction. Readers have connections of their own. The file is in WAL mode with
//! `synchronous=FULL`: what was acknowledged survives a power cut.

mod alike;
mod applying;
mod dwelling;
mod exporting;
mod losses;
mod pages;
mod planning;
mod reading;
mod runs;
mod store;
#[cfg(test)]
mod tests;
mod undecided;
mod vocabulary;
mod writer;

pub use alike::{Alike, Named};
pub use applying::{Intent, LineBits, OpenLine, RunLine, RunLog, Settlement, Verdict};
pub use dwelling::Dweller;
pub use exporting::ExportRow;
pub use losses::loss_members;
pub use planning::{EntityRow, Follows, LineRow, NewRun, PlanTarget, RowMove, RowRow, TagRow, now_ms};
pub use reading::{AttemptCounts, DoneLine, DoneRow, RetryRow, RowReport, Summary};
pub use runs::{RunRow, RunState};
pub use store::{Ledger, default_path};
pub use undecided::Undecided;
pub use vocabulary::{
    BITS_A_LINE, RULES, SetRole, Vocabulary, action_code, present_code, reversal, reversal_code, wish_code,
};

use std::path::PathBuf;

/// The ledger could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file or its folder can't be made or opened.
    #[error("{path}: can't open the ledger: {why}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not, and what to do.
        why: String,
    },
    /// The file is something else.
    #[error("{path}: not a tagferry ledger: {why}; give another file with --ledger")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// A statement failed.
    #[error("the ledger failed while {doing}: {source}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// An earlier write failed, so that nothing more is written.
    #[error(
        "the ledger can't be written: {0}; nothing more is sent: see that its disk has room, then run the same command again"
    )]
    Broken(String),
    /// No such run.
    #[error("there is no run {0} in this ledger; `tagferry status` lists the runs")]
    NoRun(i64),
    /// What is stored can't be read as what it should be.
    #[error("the ledger holds {what} that can't be read: {text}")]
    Corrupt {
        /// What it should be.
        what: &'static str,
        /// What stands there.
        text: String,
    },
}

impl LedgerError {
    fn sql(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { doing, source }
    }
}
