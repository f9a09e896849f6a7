//! Joins the rooms: plans, observes and applies. What it decides is in the pure stages; what it knows is in the ledger.

mod apply;
mod canary;
mod change;
mod check;
mod crowded;
mod decisions;
mod doubt;
mod draft;
mod dwell;
mod embedded;
mod ends;
mod export;
mod find;
mod fitting;
mod forecast;
mod gather;
mod joins;
mod journal;
mod live;
mod lookups;
mod losses;
mod observe;
mod observed;
mod ownership;
mod pages;
mod plan;
mod reconcile;
mod replace;
mod roll;
mod shelf;
mod target;
mod tidy;
mod undo;
mod validate;
mod verify;
mod wave;
mod whole;
mod words;

pub use apply::{Applied, ApplyOptions, apply};
pub use check::{Checked, check};
pub use decisions::DecisionFile;
pub use dwell::Dwell;
pub use embedded::Embedded;
pub use export::{ExportInput, Exported, Sink, export};
pub use forecast::{Forecast, forecast};
pub use gather::{Beside, Gathering, Source};
pub use live::Live;
pub use lookups::LookupFile;
pub use losses::LossCounts;
pub use plan::{KeyCount, PlanInput, PlanSummary, Planned, plan};
pub use target::{Target, TargetSpec};
pub use undo::{UndoRow, undo_rows};
pub use verify::{Difference, Finding, Verified, verify};

use crate::inventory::InventoryError;
use crate::ledger::LedgerError;
use crate::mapping::LookupError;

/// A plan could not be made, or a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The inventory can't be read on.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// A file that templates look keys up in can't be used.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What is exported can't be written.
    #[error("the export can't be written")]
    Write(#[from] std::io::Error),
    /// The job asks for something that its vendor can't do.
    #[error("{0}")]
    Job(String),
    /// Nothing more can be sent on the connection: credentials, the retry budget, an unreachable vendor.
    #[error("connection `{connection}`: {reason}")]
    Stopped {
        /// The connection.
        connection: String,
        /// Why, and what to mend.
        reason: String,
    },
}
