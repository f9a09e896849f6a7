//! Waiting for something that another process does.

use std::time::{Duration, Instant};

/// How often it is looked whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until `found` gives something, and panics when that takes longer than `limit`.
pub(crate) fn until<T>(what: &str, limit: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(
            began.elapsed() < limit,
            "waited {} s in vain for {what}",
            limit.as_secs()
        );
        std::thread::sleep(LOOK_EVERY);
    }
}
