//! Exponential backoff with full jitter: each wait is drawn from nothing to a ceiling that doubles.
//!
//! Why full jitter: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.

use std::time::Duration;

/// The shortest wait, so that an unlucky draw does not become a busy loop.
const SHORTEST: Duration = Duration::from_millis(20);

/// A schedule of waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    /// The ceiling of the first wait.
    pub(crate) base: Duration,
    /// The ceiling that is never exceeded.
    pub(crate) cap: Duration,
}

impl Backoff {
    /// After a passing fault of one call.
    pub(crate) const CALL: Self = Self {
        base: Duration::from_millis(200),
        cap: Duration::from_secs(20),
    };
    /// After several faults in a row, for the whole connection. Short, since the budget ends it.
    pub(crate) const FAILING: Self = Self {
        base: Duration::from_millis(500),
        cap: Duration::from_secs(5),
    };
    /// After throttling that does not say how long it lasts.
    pub(crate) const THROTTLED: Self = Self {
        base: Duration::from_secs(1),
        cap: Duration::from_secs(20),
    };

    /// The most that the wait after `before` earlier ones can be.
    fn ceiling(self, before: u32) -> Duration {
        self.base
            .saturating_mul(2_u32.saturating_pow(before))
            .min(self.cap)
    }

    /// Draws the wait after `before` earlier ones.
    pub(crate) fn draw(self, before: u32) -> Duration {
        self.ceiling(before).mul_f64(fastrand::f64()).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let seconds: Vec<_> = (0..7).map(|n| Backoff::THROTTLED.ceiling(n).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 20, 20]);
        assert_eq!(Backoff::THROTTLED.ceiling(u32::MAX), Duration::from_secs(20));
    }

    #[test]
    fn draws_fill_the_range_and_never_leave_it() {
        fastrand::seed(7);
        let draws: Vec<_> = (0..1000).map(|_| Backoff::THROTTLED.draw(0)).collect();
        assert!(
            draws
                .iter()
                .all(|wait| (SHORTEST..=Duration::from_secs(1)).contains(wait))
        );
        let short = draws
            .iter()
            .filter(|wait| **wait < Duration::from_millis(500))
            .count();
        assert!((400..600).contains(&short), "{short} of 1000 below the middle");
    }
}
