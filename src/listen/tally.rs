//! What has been heard, counted: the stage at hand, its calls, and the pause that is on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::rate::Rate;
use crate::event::{Event, Stage};
use crate::model::Outcome;

/// Shorter pauses belong to a vendor's usual pace: they are seen on the bar and told by no line.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// How soon a connection's next long pause gets a line again, so that hours of throttling fill no log.
const PAUSE_TOLD_EVERY: Duration = Duration::from_secs(30);

/// The end of a longer pause is not waited for by anybody.
const LONGEST_PAUSE: Duration = Duration::from_hours(24 * 365);

/// The stage at hand.
#[derive(Debug, Clone)]
pub(super) struct Progressing {
    pub(super) stage: Stage,
    pub(super) total: Option<u64>,
    pub(super) began: Instant,
    pub(super) done: u64,
    pub(super) calls: u64,
    pub(super) retries: u64,
    /// Operations that ended badly: failed, unknown or in conflict.
    pub(super) bad: u64,
    pub(super) pace: Rate,
    pub(super) call_pace: Rate,
}

/// A pause of a connection.
#[derive(Debug, Clone)]
struct Pause {
    until: Instant,
    reason: String,
}

/// All that is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) current: Option<Progressing>,
    pause: Option<Pause>,
    /// When a pause of each connection last got a line.
    pauses_told: HashMap<Arc<str>, Instant>,
}

impl Progressing {
    fn new(stage: Stage, total: Option<u64>, now: Instant) -> Self {
        Self {
            stage,
            total,
            began: now,
            done: 0,
            calls: 0,
            retries: 0,
            bad: 0,
            pace: Rate::default(),
            call_pace: Rate::default(),
        }
    }

    /// How long the rest will take at the present pace; `None` while nobody can tell.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(super) fn remaining(&self, now: Instant) -> Option<Duration> {
        let rest = self.total?.checked_sub(self.done).filter(|rest| *rest > 0)?;
        let pace = self.pace.per_second(self.done, now).filter(|pace| *pace > 0.0)?;
        Duration::try_from_secs_f64(rest as f64 / pace).ok()
    }
}

impl Tally {
    /// Counts what happened. Gives back the stage that has ended, if this ended it.
    pub(super) fn hear(&mut self, event: &Event, now: Instant) -> Option<Progressing> {
        match event {
            Event::StageBegan { stage, total } => {
                self.current = Some(Progressing::new(*stage, *total, now));
            }
            Event::StageEnded { stage } => {
                return self.current.take_if(|current| current.stage == *stage);
            }
            Event::Paused { length, reason, .. } => self.pause(*length, reason, now),
            event => {
                if let Some(current) = &mut self.current {
                    current.count(event);
                }
            }
        }
        None
    }

    /// Whether an event that may get a line is worth one: a pause is when it is long and none of its connection was told
    /// just before.
    pub(super) fn is_news(&mut self, event: &Event, now: Instant) -> bool {
        let Event::Paused {
            connection, length, ..
        } = event
        else {
            return true;
        };
        let told = self.pauses_told.get(connection);
        let is_news =
            *length >= LONG_PAUSE && told.is_none_or(|told| now.duration_since(*told) >= PAUSE_TOLD_EVERY);
        if is_news {
            self.pauses_told.insert(connection.clone(), now);
        }
        is_news
    }

    /// Looks at the pace, so that rates are those of the last seconds.
    pub(super) fn sample(&mut self, now: Instant) {
        if let Some(current) = &mut self.current {
            current.pace.sample(current.done, now);
            current.call_pace.sample(current.calls, now);
        }
    }

    /// The pause that is on, and how much of it is left.
    pub(super) fn paused(&self, now: Instant) -> Option<(Duration, &str)> {
        let Pause { until, reason } = self.pause.as_ref()?;
        let left = until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some((left, reason))
    }

    /// Of pauses that overlap, the one that ends last is shown.
    fn pause(&mut self, length: Duration, reason: &str, now: Instant) {
        let until = now + length.min(LONGEST_PAUSE);
        if self.pause.as_ref().is_none_or(|pause| pause.until <= until) {
            self.pause = Some(Pause {
                until,
                reason: reason.to_owned(),
            });
        }
    }
}

impl Progressing {
    fn count(&mut self, event: &Event) {
        match event {
            Event::Advanced { by } => self.done += by,
            Event::AttemptSent { .. } => self.calls += 1,
            Event::Retrying { .. } => self.retries += 1,
            Event::Settled {
                outcome: Outcome::Failed | Outcome::Unknown | Outcome::Conflict,
                operations,
            } => self.bad += operations,
            // The rest is no count, or `hear` has taken it.
            Event::Settled { .. }
            | Event::StageBegan { .. }
            | Event::StageEnded { .. }
            | Event::Paused { .. }
            | Event::ConcurrencyChanged { .. }
            | Event::Halted { .. }
            | Event::Noticed { .. } => {}
        }
    }
}
