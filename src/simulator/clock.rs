//! The time as a simulator sees it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The wall clock at the start, and tokio's clock since: under a paused clock everything here stands still too.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    epoch: Duration,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            began: Instant::now(),
            epoch: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// The time since 1970.
    pub(super) fn now(&self) -> Duration {
        self.epoch + self.began.elapsed()
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        i64::try_from(self.now().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_tokio() {
        let clock = Clock::start();
        let before = clock.now_ms();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now_ms() - before, 3_000);
    }
}
