//! The right to send one request, and what coming back from it means for the pause.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::pause::{Begun, Pause, Phase};

/// So many faults in a row, over the whole connection, make it pause.
const FAULTS: u32 = 5;

/// The right to send one request now. A probe that is given up lets another request probe.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    pub(super) pause: &'a Pause,
    pub(super) epoch: u64,
    pub(super) probe: bool,
}

impl Pass<'_> {
    /// Whether no pause has begun since.
    pub(crate) fn holds(&self) -> bool {
        let state = self.pause.state();
        let phase = if self.probe { Phase::Probing } else { Phase::Open };
        state.epoch == self.epoch && state.phase == phase
    }

    /// The request was throttled, and the vendor asked to wait `after`. Returns the pause, when this begins one.
    pub(crate) fn throttled(mut self, after: Option<Duration>) -> Option<Begun> {
        let after = after.filter(|wait| !wait.is_zero());
        let pause = self.pause;
        let mut state = pause.state();
        let by_probe = std::mem::take(&mut self.probe);
        if state.epoch != self.epoch {
            // It left before the pause began. Only what the vendor says about its length is news.
            if let (Phase::Until(_), Some(wait)) = (state.phase, after) {
                pause.begin(&mut state, wait.min(pause.longest));
            }
            return None;
        }
        let level = state.rise();
        let own = Backoff::THROTTLED.draw(level);
        let length = match after {
            Some(wait) if level == 0 => wait,
            // The vendor's word did not suffice the last time.
            Some(wait) => wait.max(own),
            None => own,
        };
        let length = length.min(pause.longest);
        let since = *state.throttled_since.get_or_insert_with(Instant::now);
        pause.begin(&mut state, length);
        Some(Begun {
            length,
            throttled_for: since.elapsed(),
            by_probe,
        })
    }

    /// The request met a passing fault, and the vendor may have asked to wait `after`. Returns the pause, when several in
    /// a row begin one.
    pub(crate) fn faulted(mut self, after: Option<Duration>) -> Option<Begun> {
        let pause = self.pause;
        let mut state = pause.state();
        let by_probe = std::mem::take(&mut self.probe);
        if state.epoch != self.epoch {
            return None;
        }
        state.faults += 1;
        if state.faults < FAULTS {
            if by_probe {
                pause.open(&mut state);
            }
            return None;
        }
        let own = Backoff::FAILING.draw(state.rise());
        let length = after.unwrap_or_default().max(own).min(pause.longest);
        pause.begin(&mut state, length);
        Some(Begun {
            length,
            throttled_for: Duration::ZERO,
            by_probe,
        })
    }

    /// The vendor answered, whatever it said.
    pub(crate) fn answered(mut self) {
        let mut state = self.pause.state();
        let probe = std::mem::take(&mut self.probe);
        if state.epoch != self.epoch {
            return;
        }
        state.faults = 0;
        if probe {
            self.pause.open(&mut state);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.probe {
            return;
        }
        let mut state = self.pause.state();
        if state.epoch == self.epoch && state.phase == Phase::Probing {
            self.pause.enter(&mut state, Phase::Until(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_nothing_is_no_answer_and_the_backoff_is_taken() {
        let pause = Pause::new(Duration::from_mins(5));
        let pass = pause.try_pass().expect("it is open");
        let begun = pass.throttled(Some(Duration::ZERO)).expect("it begins a pause");
        assert!(begun.length > Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_a_row_of_faults() {
        let pause = Pause::new(Duration::from_mins(5));
        let pass = || pause.try_pass().expect("it is open");
        for _ in 0..3 {
            for _ in 1..FAULTS {
                assert_eq!(pass().faulted(None), None);
            }
            pass().answered();
        }
        for _ in 1..FAULTS {
            assert_eq!(pass().faulted(None), None);
        }
        assert!(pass().faulted(None).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_after_faults_lasts_as_long_as_the_vendor_asks_up_to_the_longest() {
        for (after, want) in [(30, 30), (4000, 300)] {
            let pause = Pause::new(Duration::from_mins(5));
            let after = Some(Duration::from_secs(after));
            let begun = (0..FAULTS).find_map(|_| pause.try_pass().expect("it is open").faulted(after));
            assert_eq!(begun.map(|begun| begun.length), Some(Duration::from_secs(want)));
        }
    }
}
