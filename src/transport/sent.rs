//! What came of a call, and what a connection can tell about itself.

use serde::{Deserialize, Serialize};

use crate::wire::{JournalError, Response};

/// What came of a call, after all its attempts.
#[derive(Debug, Clone)]
pub enum Sent {
    /// The answer is what was asked for.
    Accepted(Response),
    /// Some part of the call was refused: halve it.
    Split {
        /// The vendor's words.
        reason: String,
    },
    /// It can't be said whether the call had an effect: observe.
    Unknown {
        /// Why not.
        reason: String,
    },
    /// The vendor refused it.
    Refused {
        /// The class of the failure, as `model::Class` spells it.
        class: &'static str,
        /// The vendor's words.
        reason: String,
    },
    /// Attempts, time or the retry budget ran out.
    Exhausted {
        /// The class of the last failure: `throttled`, `timeout`, `network` or `server`.
        class: &'static str,
        /// What happened last, and what ran out.
        reason: String,
        /// Whether some attempt may have had its effect: then observe before saying that it failed.
        maybe_applied: bool,
    },
    /// The connection is halted or drained; the call stays open. Earlier attempts of it are in the journal.
    NotSent {
        /// Why.
        reason: String,
    },
    /// The journal can't be written, so nothing was sent, and nothing more will be.
    JournalFailed(JournalError),
}

/// What a connection's gate learned, for the next run. It holds no burst: a new run starts cold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// How many requests in flight the vendor bore.
    pub concurrency: usize,
    /// How much of the job's rate it bore, in percent; 100 where the job gives no rate.
    #[serde(default = "whole")]
    pub rate_percent: u8,
}

fn whole() -> u8 {
    100
}

/// What a connection has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Calls of which at least one attempt left.
    pub calls: u64,
    /// Attempts that were sent.
    pub attempts: u64,
    /// Attempts that were sent again after a passing fault; not those after throttling.
    pub retries: u64,
    /// Attempts that the vendor throttled.
    pub throttled: u64,
    /// Pauses of the whole connection.
    pub pauses: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_learned_is_still_read() {
        let learned: Learned = serde_json::from_str(r#"{"concurrency":3}"#).expect("it is read");
        assert_eq!((learned.concurrency, learned.rate_percent), (3, 100));
        let text = serde_json::to_string(&learned).expect("it is written");
        assert_eq!(
            serde_json::from_str::<Learned>(&text).expect("it is read"),
            learned
        );
    }
}
