//! What became of an operation and of a row.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The outcomes, worst first: a row's outcome is the smallest of its operations'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Sent, no answer, and observing could not settle it.
    Unknown,
    /// The vendor refused it, or retries ran out.
    Failed,
    /// Somebody else changed it since the plan; left alone.
    Conflict,
    /// Never sent: the row can't be used.
    Rejected,
    /// Still open: interrupted or halted.
    NotAttempted,
    /// The vendor confirmed it.
    Done,
    /// It was already so, or nothing was asked for.
    Unchanged,
}

impl Outcome {
    /// All outcomes, in the order in which tables show them (best first).
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Unchanged,
        Self::Rejected,
        Self::Conflict,
        Self::Failed,
        Self::Unknown,
        Self::NotAttempted,
    ];

    /// The word that ledger, reports and JSON use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::NotAttempted => "not_attempted",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| format!("unknown outcome `{text}`"))
    }
}

macro_rules! classes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// Why something was rejected, failed or is unknown: the word to filter by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Class { $($(#[doc = $doc])+ $name,)+ }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word that ledger, reports and `--class` use.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

classes! {
    /// The row could not be read from its file.
    Unreadable = "unreadable",
    /// A template of the job failed on the row.
    Mapping = "mapping",
    /// The vendor's rules forbid a tag of the row.
    Illegal = "illegal",
    /// A tag of the row is longer than the vendor allows.
    TooLong = "too_long",
    /// The vendor would hand a tag of the row back otherwise than it is written.
    Rewritten = "rewritten",
    /// The entity does not exist, or not within the time frame.
    Missing = "missing",
    /// Several entities bear the name.
    Ambiguous = "ambiguous",
    /// Another row asks for something else of the same entity and key.
    Collision = "collision",
    /// The entity carries as many tags as the vendor allows.
    Full = "full",
    /// A rule of the vendor makes the tag; it can't be removed.
    Automatic = "automatic",
    /// The vendor does not show what the entity carries, so that nothing may be replaced there.
    Hidden = "hidden",
    /// The vendor can't do this to this kind of entity.
    Unsupported = "unsupported",
    /// Somebody else changed the entity since the plan.
    Changed = "changed",
    /// The vendor refused the call.
    Refused = "refused",
    /// The vendor went on throttling until time ran out.
    Throttled = "throttled",
    /// No answer in time.
    Timeout = "timeout",
    /// The connection broke or could not be made.
    Network = "network",
    /// The vendor's server failed.
    Server = "server",
    /// The vendor accepted it, and it can't be seen there.
    Invisible = "invisible",
    /// An operation that had to come first did not succeed.
    Blocked = "blocked",
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| {
                let known: Vec<_> = Self::ALL.iter().map(|class| class.as_str()).collect();
                format!("unknown class `{text}`; known are {}", known.join(", "))
            })
    }
}

/// A class and a sentence about this case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class.
    pub class: Class,
    /// What happened and what to do, without secrets.
    pub message: String,
}

impl Failure {
    /// A failure of a class.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
        }
    }
}
