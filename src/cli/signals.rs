//! The signals that end a command: the first drains, the second stops at once.

use std::future::Future;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::print;
use crate::transport::Connection;

/// How long calls in flight may finish after the first signal.
const DRAIN: Duration = Duration::from_secs(30);

/// A signal stopped the command.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; the same command goes on where it stopped")]
pub(super) struct Interrupted {
    pub(super) signal: u8,
}

/// The signals, listened to as long as this lives, so that none that comes between two stages is lost.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// The one that came first.
    pub(super) first: Option<u8>,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            first: None,
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }

    /// Awaits `work`. The first SIGINT or SIGTERM stops claiming and lets what is in flight on the connections finish; the
    /// second, or `DRAIN`, stops at once.
    pub(super) async fn heard<T>(
        &mut self,
        work: impl Future<Output = T>,
        connections: &[&Arc<Connection>],
    ) -> anyhow::Result<T> {
        let mut work = std::pin::pin!(work);
        let mut deadline = std::pin::pin!(tokio::time::sleep(Duration::MAX));
        loop {
            let first = self.first;
            let number = tokio::select! {
                biased;
                number = self.next() => number,
                () = &mut deadline, if first.is_some() => return Err(stopped(first)),
                done = &mut work => return Ok(done),
            };
            if first.is_some() {
                return Err(stopped(first));
            }
            self.first = Some(number);
            for connection in connections {
                connection.drain();
            }
            deadline.as_mut().reset(tokio::time::Instant::now() + DRAIN);
            let again = if std::io::stdin().is_terminal() {
                "; once more stops at once"
            } else {
                ""
            };
            print::line(&format!(
                "stopping: requests in flight may finish ({} s at most){again}",
                DRAIN.as_secs()
            ));
        }
    }
}

fn stopped(signal: Option<u8>) -> anyhow::Error {
    Interrupted {
        signal: signal.unwrap_or(2),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_that_comes_between_two_stages_is_not_lost() {
        let mut signals = Signals::new().unwrap();
        let own = std::process::id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-TERM", &own])
            .status()
            .unwrap();
        assert!(sent.success());
        let next = tokio::time::timeout(Duration::from_mins(1), signals.next()).await;
        assert_eq!(next, Ok(15));
    }
}
