//! The retry budget: however bad the server is, retries stay a small share of the calls.

use std::sync::atomic::{AtomicU64, Ordering};

/// Retries that are allowed beside the share, so that a short run survives a short outage.
pub(crate) const CONSTANT: u64 = 20;

/// Counts calls and the retries that they cost.
#[derive(Debug)]
pub(crate) struct Budget {
    share: f64,
    calls: AtomicU64,
    retries: AtomicU64,
}

impl Budget {
    /// A budget of `share` retries for each call.
    pub(crate) fn new(share: f64) -> Self {
        Self {
            share: if share.is_finite() {
                share.clamp(0.0, 1.0)
            } else {
                0.0
            },
            calls: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        }
    }

    /// One more call was sent.
    pub(crate) fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one retry; `false` when the budget is spent.
    pub(crate) fn retry(&self) -> bool {
        let most = CONSTANT + self.allowance();
        self.retries
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| {
                (spent < most).then_some(spent + 1)
            })
            .is_ok()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share between 0 and 1 of a count of calls, which stays far below 2^52"
    )]
    fn allowance(&self) -> u64 {
        (self.calls() as f64 * self.share) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(budget: &Budget) -> u64 {
        std::iter::repeat_with(|| budget.retry())
            .take_while(|got| *got)
            .count() as u64
    }

    #[test]
    fn retries_are_a_share_of_the_calls_and_a_constant() {
        let budget = Budget::new(0.1);
        assert_eq!(taken(&budget), CONSTANT);
        for _ in 0..1000 {
            budget.call();
        }
        assert_eq!(taken(&budget), 100);
        assert_eq!(budget.retries(), CONSTANT + 100);
    }

    #[test]
    fn a_share_that_is_no_number_allows_only_the_constant() {
        let budget = Budget::new(f64::NAN);
        budget.call();
        assert_eq!(taken(&budget), CONSTANT);
    }
}
