//! Whether the vendor's API was ever met at a connection.
//!
//! It decides what a web page means: before, that the URL is wrong; later, a passing fault of a proxy.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether an answer of the API has come.
#[derive(Debug, Default)]
pub(super) struct Contact(AtomicBool);

impl Contact {
    /// An answer has come that only the API gives.
    pub(super) fn meet(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether one ever has.
    pub(super) fn is_met(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
