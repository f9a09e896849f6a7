//! What tests of the whole program share: the real binary in a folder of its own, simulators served by child processes,
//! and what the simulator's journal and the ledger say afterwards.
//!
//! The simulator's journal is the oracle: another process writes it, so it knows what arrived whatever became of the
//! program under test.

mod account;
mod fleet;
mod ledger;
mod poll;
mod process;
mod simulator;
mod workspace;

pub(crate) use fleet::{Fleet, hosts};
pub(crate) use ledger::{Attempt, LedgerCopy};
pub(crate) use poll::until;
pub(crate) use process::{Ended, Running};
pub(crate) use simulator::{Request, Simulator};
pub(crate) use workspace::{TOKEN, Workspace};
