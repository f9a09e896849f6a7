//! Whether the vendor's API was ever met at a connection.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the vendor's API was ever met at this connection: a web page before that means a wrong URL, and
/// later a passing fault of a proxy.
#[derive(Debug, Default)]
pub(super) struct Contact(AtomicBool);

impl Contact {
    /// An answer was the vendor's.
    pub(super) fn met(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether one ever was.
    pub(super) fn is_met(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
