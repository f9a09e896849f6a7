//! One at a time finds out how to authenticate; the others wait for what it learns.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Who leads.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: Mutex<bool>,
    /// Ticks whenever a turn ends.
    ended: watch::Sender<()>,
}

/// The right to find out how to authenticate. Given up when it is dropped, with whatever came of it.
#[derive(Debug)]
pub(in crate::transport) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits until requests may be signed, then gives nothing, or until it is one's turn to see to that.
    pub(super) async fn take(&self, is_ready: impl Fn() -> bool) -> Option<Turn<'_>> {
        let mut ended = self.ended.subscribe();
        loop {
            ended.mark_unchanged();
            if is_ready() {
                return None;
            }
            if !std::mem::replace(&mut *self.taken(), true) {
                let turn = Turn(self);
                // Another may have led between the question and here.
                return (!is_ready()).then_some(turn);
            }
            // The sender lives in `self`, so the channel never closes.
            drop(ended.changed().await);
        }
    }

    fn taken(&self) -> MutexGuard<'_, bool> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.taken() = false;
        self.0.ended.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn one_leads_and_all_others_follow_at_once_when_it_has_succeeded() {
        let (turns, ready) = (Turns::default(), AtomicBool::new(false));
        let is_ready = || ready.load(Ordering::Relaxed);
        let turn = turns.take(is_ready).await.expect("nobody leads");
        let waiting = futures::future::join_all((0..20).map(|_| turns.take(is_ready)));
        let (others, ()) = tokio::join!(waiting, async {
            tokio::task::yield_now().await;
            ready.store(true, Ordering::Relaxed);
            drop(turn);
        });
        assert!(others.iter().all(Option::is_none));
    }

    #[tokio::test]
    async fn a_leader_that_gives_up_is_followed_by_one_other() {
        let turns = Turns::default();
        let turn = turns.take(|| false).await.expect("nobody leads");
        let mut second = Box::pin(turns.take(|| false));
        let mut third = Box::pin(turns.take(|| false));
        assert!(futures::poll!(&mut second).is_pending() && futures::poll!(&mut third).is_pending());
        drop(turn);
        let second = second.await;
        assert!(second.is_some());
        assert!(futures::poll!(&mut third).is_pending());
        drop(second);
        assert!(third.await.is_some());
    }
}
