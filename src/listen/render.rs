//! Progress as text: pure, without colours, in ASCII but for the words of others, which are escaped.

use std::time::Duration;

use tokio::time::Instant;

use super::tally::{Progressing, Tally};
use crate::event::{Event, Stage};
use crate::model::display_safe;

/// Shorter pauses are part of a vendor's usual pace and are only seen on the bar.
pub(super) const LONG_PAUSE: Duration = Duration::from_secs(10);

/// An ETA beyond this says nothing.
const FURTHEST: Duration = Duration::from_hours(100);

/// `applying: 1200/5000 rows, 48 calls (4.1/s), 2 retries, ETA 1 min 20 s`; nothing between stages.
pub(super) fn progress(tally: &Tally, now: Instant) -> Option<String> {
    let current = tally.current.as_ref()?;
    let mut parts = vec![done(current)];
    parts.extend(calls(current, current.call_pace.per_second(current.calls, now)));
    parts.extend(troubles(current));
    if let Some((left, reason)) = tally.paused(now) {
        parts.push(paused(left, reason));
    } else if let Some(remaining) = current.remaining(now).filter(|remaining| *remaining < FURTHEST) {
        parts.push(format!("ETA {}", duration(remaining)));
    }
    Some(parts.join(", "))
}

/// `applying: 5000/5000 rows in 3 min 5 s, 200 calls (1.1/s), 2 retries`, for a stage that has ended.
pub(super) fn ended(stage: &Progressing, now: Instant) -> String {
    let took = now.duration_since(stage.began);
    let mut parts = vec![format!("{} in {}", done(stage), duration(took))];
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let pace = (took >= Duration::from_secs(1)).then(|| stage.calls as f64 / took.as_secs_f64());
    parts.extend(calls(stage, pace));
    parts.extend(troubles(stage));
    parts.join(", ")
}

/// The line of an event that is told on its own; `None` for those that are only counted.
pub(super) fn told(event: &Event) -> Option<String> {
    let line = match event {
        Event::Halted { connection, reason } => format!("{connection}: halted: {reason}"),
        Event::Noticed { message } => message.clone(),
        Event::Paused {
            connection,
            length,
            reason,
        } if *length >= LONG_PAUSE => format!("{connection}: {}", paused(*length, reason)),
        _ => return None,
    };
    Some(display_safe(&line).into_owned())
}

fn done(stage: &Progressing) -> String {
    let (verb, things) = match stage.stage {
        Stage::Read => ("reading", "rows"),
        Stage::Observe => ("observing", "entities"),
        Stage::Diff => ("comparing", "entities"),
        Stage::Apply => ("applying", "rows"),
    };
    match stage.total {
        Some(total) => format!("{verb}: {}/{total} {things}", stage.done),
        None => format!("{verb}: {} {things}", stage.done),
    }
}

fn calls(stage: &Progressing, per_second: Option<f64>) -> Option<String> {
    let rate = per_second
        .map(|rate| format!(" ({rate:.1}/s)"))
        .unwrap_or_default();
    (stage.calls > 0).then(|| format!("{}{rate}", counted(stage.calls, "call", "calls")))
}

fn troubles(stage: &Progressing) -> Vec<String> {
    let mut parts = Vec::new();
    if stage.retries > 0 {
        parts.push(counted(stage.retries, "retry", "retries"));
    }
    if stage.bad > 0 {
        parts.push(format!("{} failed", stage.bad));
    }
    parts
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn paused(left: Duration, reason: &str) -> String {
    format!("paused {}: {}", duration(left), display_safe(reason))
}

/// A length of time in its two greatest units, rounded up to the second: `0 s`, `12 s`, `1 min 20 s`, `2 h 5 min`.
fn duration(length: Duration) -> String {
    let seconds = length.as_secs() + u64::from(length.subsec_nanos() > 0);
    let parts = match seconds {
        0..60 => [(seconds, "s"), (0, "")],
        60..3600 => [(seconds / 60, "min"), (seconds % 60, "s")],
        _ => [(seconds / 3600, "h"), (seconds % 3600 / 60, "min")],
    };
    let [(great, unit), (small, sub_unit)] = parts;
    if small == 0 {
        format!("{great} {unit}")
    } else {
        format!("{great} {unit} {small} {sub_unit}")
    }
}
