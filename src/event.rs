//! What happened, as data, and the end that sends it.
//!
//! Rooms tell; only `listen` hears. An event is a fact that has already happened, carries no secret, and telling it
//! neither waits nor fails.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Outcome;

/// The stages of a job, in walking order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows are read, mapped and written to the ledger.
    Read,
    /// Live tags are read from the vendor.
    Observe,
    /// The difference is computed and saved.
    Diff,
    /// Calls are sent.
    Apply,
    /// Live entities are written down.
    Export,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A stage began; `total` is how much there is to do, when that is known (rows, entities or operations).
    StageBegan {
        /// Which.
        stage: Stage,
        /// How much there is.
        total: Option<u64>,
    },
    /// So much more of the current stage is done.
    Advanced {
        /// How much.
        by: u64,
    },
    /// A stage ended.
    StageEnded {
        /// Which.
        stage: Stage,
    },
    /// A request left.
    AttemptSent {
        /// The connection's name.
        connection: Arc<str>,
    },
    /// A request will be sent again.
    Retrying {
        /// The connection's name.
        connection: Arc<str>,
        /// When.
        after: Duration,
        /// Why, in the vendor's words.
        reason: String,
    },
    /// The whole connection waits.
    Paused {
        /// The connection's name.
        connection: Arc<str>,
        /// How long.
        length: Duration,
        /// Why.
        reason: String,
    },
    /// The number of requests in flight that the connection allows itself has changed.
    ConcurrencyChanged {
        /// The connection's name.
        connection: Arc<str>,
        /// The new limit.
        limit: usize,
    },
    /// Nothing more is sent on the connection.
    Halted {
        /// The connection's name.
        connection: Arc<str>,
        /// Why, and what to mend.
        reason: String,
    },
    /// Operations were settled.
    Settled {
        /// How.
        outcome: Outcome,
        /// How many.
        operations: u64,
    },
    /// Something the user should know, that stops nothing.
    Noticed {
        /// A sentence.
        message: String,
    },
}

/// The sending end. Cloning is cheap; the default one tells nobody.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<Listener>>);

type Listener = dyn Fn(&Event) + Send + Sync;

impl Events {
    /// Tells a listener, which must neither block nor fail.
    pub fn to(listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells what happened.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "call sites build the event in place"
    )]
    pub fn tell(&self, event: Event) {
        if let Some(listener) = &self.0 {
            listener(&event);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Events(heard)"
        } else {
            "Events(unheard)"
        })
    }
}
