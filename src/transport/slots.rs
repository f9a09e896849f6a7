//! How many requests may be in flight: a limit that finds itself.
//!
//! Additive increase, multiplicative decrease: a window of successes with every slot taken adds one, throttling and
//! timeouts take three tenths. The limit stays between 1 and what the job allows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The slots of a connection.
#[derive(Debug)]
pub(crate) struct Slots {
    free: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    most: usize,
    /// Slots that are still out although the limit no longer allows them; their return is not counted.
    owed: usize,
    /// Successes with every slot taken since the limit last changed.
    successes: usize,
    decreased: Option<Instant>,
}

/// The right to have one request in flight; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    slots: &'a Slots,
    permit: Option<SemaphorePermit<'a>>,
}

impl Slots {
    /// Slots for at most `most` requests, of which `start` are open at first.
    pub(crate) fn new(most: usize, start: usize) -> Self {
        let most = most.max(1);
        let limit = start.clamp(1, most);
        Self {
            free: Semaphore::new(limit),
            state: Mutex::new(State {
                limit,
                most,
                owed: 0,
                successes: 0,
                decreased: None,
            }),
        }
    }

    /// Waits for a slot, in order of arrival.
    pub(crate) async fn acquire(&self) -> Slot<'_> {
        let permit = self.free.acquire().await.expect("the semaphore is never closed");
        Slot {
            slots: self,
            permit: Some(permit),
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.state().limit
    }

    /// Counts a success. Only those with every slot taken say that the limit is what holds the connection back.
    /// Returns the new limit when it changed.
    pub(crate) fn succeeded(&self, every_slot_taken: bool) -> Option<usize> {
        let mut state = self.state();
        if !every_slot_taken || state.limit == state.most {
            return None;
        }
        state.successes += 1;
        if state.successes < state.limit {
            return None;
        }
        state.successes = 0;
        state.limit += 1;
        if state.owed > 0 {
            state.owed -= 1;
        } else {
            self.free.add_permits(1);
        }
        Some(state.limit)
    }

    /// Lowers the limit, because a request that left at `departed` was throttled or timed out. Requests that left before
    /// the last decrease tell nothing new. Returns the new limit when it changed.
    pub(crate) fn overloaded(&self, departed: Instant) -> Option<usize> {
        let mut state = self.state();
        if state.decreased.is_some_and(|last| departed <= last) {
            return None;
        }
        state.decreased = Some(Instant::now());
        state.successes = 0;
        let lower = (state.limit * 7 / 10).max(1);
        let excess = state.limit - lower;
        if excess == 0 {
            return None;
        }
        state.limit = lower;
        state.owed += excess - self.free.forget_permits(excess);
        Some(lower)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot<'_> {
    /// Gives the slot back; says whether every slot was taken until now.
    pub(crate) fn release(self) -> bool {
        self.slots.free.available_permits() == 0
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        // The permit goes back under the lock, so that a decrease at the same moment counts it once.
        let mut state = self.slots.state();
        let Some(permit) = self.permit.take() else { return };
        if state.owed > 0 {
            state.owed -= 1;
            permit.forget();
        } else {
            drop(permit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use proptest::prelude::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_full_window_of_successes_adds_one_slot_up_to_the_most() {
        let slots = Slots::new(4, 2);
        assert_eq!(slots.succeeded(true), None);
        assert_eq!(slots.succeeded(false), None);
        assert_eq!(slots.succeeded(true), Some(3));
        for _ in 0..20 {
            slots.succeeded(true);
        }
        assert_eq!(slots.limit(), 4);
        assert_eq!(slots.free.available_permits(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_left_before_a_decrease_do_not_decrease_again() {
        let slots = Slots::new(100, 100);
        let departed = Instant::now();
        tokio::time::advance(Duration::from_millis(40)).await;
        assert_eq!(slots.overloaded(departed), Some(70));
        for _ in 0..99 {
            assert_eq!(slots.overloaded(departed), None);
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(slots.overloaded(Instant::now()), Some(49));
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_never_falls_below_one() {
        let slots = Slots::new(8, 8);
        let mut limits = Vec::new();
        for _ in 0..8 {
            tokio::time::advance(Duration::from_millis(1)).await;
            limits.extend(slots.overloaded(Instant::now()));
        }
        assert_eq!(limits, [5, 3, 2, 1]);
        assert!(slots.acquire().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_that_is_out_when_the_limit_falls_is_not_handed_on() {
        let slots = Slots::new(2, 2);
        let first = slots.acquire().await;
        let second = slots.acquire().await;
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(slots.overloaded(Instant::now()), Some(1));
        assert!(first.release());
        assert!(slots.acquire().now_or_never().is_none());
        drop(second);
        assert!(slots.acquire().now_or_never().is_some());
    }

    proptest! {
        #[test]
        fn slots_out_and_free_always_add_up_to_the_limit_and_what_is_owed(
            most in 1_usize..20,
            start in 0_usize..25,
            steps in prop::collection::vec(0_u8..4, 0..200),
        ) {
            let slots = Slots::new(most, start);
            let mut out = Vec::new();
            let mut now = Instant::now();
            for step in steps {
                match step {
                    0 => out.extend(slots.acquire().now_or_never()),
                    1 => drop(out.pop()),
                    2 => drop(slots.succeeded(true)),
                    _ => {
                        now = now.max(Instant::now()) + Duration::from_secs(1);
                        slots.overloaded(now);
                    }
                }
                let state = slots.state();
                prop_assert!((1..=most).contains(&state.limit));
                prop_assert_eq!(out.len() + slots.free.available_permits(), state.limit + state.owed);
            }
        }
    }
}
