//! How fast something goes, judged by its last half minute.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How long is looked back. Long enough to even out calls that settle a hundred rows at once, short enough to follow a
/// pause.
const WINDOW: Duration = Duration::from_secs(30);

/// Samples are taken no closer than this.
const STEP: Duration = Duration::from_secs(1);

/// What was counted at several times. Counts only grow.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate(VecDeque<(Instant, u64)>);

impl Rate {
    /// Takes a sample, unless the last one is too young.
    pub(super) fn sample(&mut self, count: u64, now: Instant) {
        if self
            .0
            .back()
            .is_some_and(|(at, _)| now.duration_since(*at) < STEP)
        {
            return;
        }
        self.0.push_back((now, count));
        // The oldest sample stands just outside of the window, or is the first of all.
        while self
            .0
            .get(1)
            .is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW)
        {
            self.0.pop_front();
        }
    }

    /// How many a second; `None` until a second has been seen.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(super) fn per_second(&self, count: u64, now: Instant) -> Option<f64> {
        let (at, earlier) = self.0.front()?;
        let seconds = now.duration_since(*at).as_secs_f64();
        (seconds >= STEP.as_secs_f64()).then(|| count.saturating_sub(*earlier) as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_follows_the_last_half_minute() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(0, began), None, "nothing was sampled");
        rate.sample(100, began);
        assert_eq!(
            rate.per_second(150, began + Duration::from_millis(999)),
            None,
            "too early to tell"
        );
        // Ten a second for a minute, then nothing.
        for second in 1..=60 {
            rate.sample(100 + second * 10, at(second));
            assert_eq!(
                rate.per_second(100 + second * 10, at(second)),
                Some(10.0),
                "{second}"
            );
        }
        for second in 61..=75 {
            rate.sample(700, at(second));
        }
        assert_eq!(
            rate.per_second(700, at(75)),
            Some(5.0),
            "half of the window was idle"
        );
        for second in 76..=100 {
            rate.sample(700, at(second));
        }
        assert_eq!(rate.per_second(700, at(100)), Some(0.0));
        assert!(rate.0.len() <= 31, "{}", rate.0.len());
    }
}
