//! Progress as text: pure, without colours, in ASCII but for the words of others, which are escaped.

use std::time::Duration;

use tokio::time::Instant;

use super::tally::{Progressing, Tally};
use crate::event::{Event, Stage};
use crate::model::display_safe;

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
        } => format!("{connection}: {}", paused(*length, reason)),
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
        Stage::Export => ("exporting", "entities"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;

    /// A tally that heard all this at once, and what is shown so much later.
    fn after(events: &[Event], later: Duration) -> Option<String> {
        let began = Instant::now();
        let mut tally = Tally::default();
        tally.sample(began);
        for event in events {
            tally.hear(event, began);
            if matches!(event, Event::StageBegan { .. }) {
                tally.sample(began);
            }
        }
        progress(&tally, began + later)
    }

    fn began(stage: Stage, total: Option<u64>) -> Event {
        Event::StageBegan { stage, total }
    }

    fn sent() -> Event {
        Event::AttemptSent {
            connection: "live".into(),
        }
    }

    fn retrying() -> Event {
        Event::Retrying {
            connection: "live".into(),
            after: Duration::from_secs(1),
            reason: "HTTP 503".to_owned(),
        }
    }

    fn paused_for(length: Duration) -> Event {
        Event::Paused {
            connection: "live".into(),
            length,
            reason: "slow\u{1b}[2J down".to_owned(),
        }
    }

    #[test]
    fn the_line_tells_what_is_known() {
        let advanced = |by| Event::Advanced { by };
        let settled = |outcome, operations| Event::Settled { outcome, operations };
        let second = Duration::from_secs(1);
        for (events, later, want) in [
            (vec![], second, None),
            (vec![advanced(5), sent()], second, None),
            (vec![began(Stage::Read, None)], second, Some("reading: 0 rows")),
            (
                vec![began(Stage::Diff, Some(7)), advanced(7)],
                second,
                Some("comparing: 7/7 entities"),
            ),
            (
                vec![began(Stage::Observe, Some(900)), advanced(10), sent()],
                second,
                Some("observing: 10/900 entities, 1 call (1.0/s), ETA 1 min 29 s"),
            ),
            (
                vec![began(Stage::Observe, Some(900)), advanced(10), sent()],
                second / 2,
                Some("observing: 10/900 entities, 1 call"),
            ),
            (
                vec![began(Stage::Apply, Some(1_000_000_000)), advanced(1)],
                second,
                Some("applying: 1/1000000000 rows"),
            ),
            (
                vec![
                    began(Stage::Apply, Some(9)),
                    sent(),
                    retrying(),
                    sent(),
                    retrying(),
                    settled(Outcome::Failed, 2),
                    settled(Outcome::Done, 5),
                    settled(Outcome::Conflict, 1),
                ],
                second,
                Some("applying: 0/9 rows, 2 calls (2.0/s), 2 retries, 3 failed"),
            ),
            (
                vec![began(Stage::Apply, Some(9)), advanced(8), paused_for(second * 13)],
                second,
                Some(r"applying: 8/9 rows, paused 12 s: slow\u{1b}[2J down"),
            ),
            (
                vec![
                    began(Stage::Apply, Some(9)),
                    paused_for(second * 13),
                    paused_for(second * 3),
                ],
                second * 4,
                Some(r"applying: 0/9 rows, paused 9 s: slow\u{1b}[2J down"),
            ),
            (
                vec![began(Stage::Apply, Some(9)), paused_for(second * 13)],
                second * 13,
                Some("applying: 0/9 rows"),
            ),
            (
                vec![
                    began(Stage::Apply, Some(9)),
                    Event::StageEnded {
                        stage: Stage::Observe,
                    },
                ],
                second,
                Some("applying: 0/9 rows"),
            ),
            (
                vec![
                    began(Stage::Apply, Some(9)),
                    Event::StageEnded { stage: Stage::Apply },
                ],
                second,
                None,
            ),
        ] {
            assert_eq!(after(&events, later).as_deref(), want, "{events:?}");
        }
    }

    #[test]
    fn a_stage_that_has_ended_tells_how_long_it_took() {
        let now = Instant::now();
        let mut tally = Tally::default();
        tally.hear(&began(Stage::Apply, Some(3)), now);
        for event in [sent(), retrying(), sent(), Event::Advanced { by: 3 }] {
            tally.hear(&event, now);
        }
        let stage = tally
            .hear(&Event::StageEnded { stage: Stage::Apply }, now)
            .unwrap();
        assert_eq!(
            ended(&stage, now + Duration::from_secs(20)),
            "applying: 3/3 rows in 20 s, 2 calls (0.1/s), 1 retry"
        );
        assert_eq!(ended(&stage, now), "applying: 3/3 rows in 0 s, 2 calls, 1 retry");
    }

    #[test]
    fn lines_of_events_are_one_line_and_safe() {
        let halted = Event::Halted {
            connection: "live".into(),
            reason: "HTTP 401:\nexpired\u{202e}".to_owned(),
        };
        let noticed = Event::Noticed {
            message: "odd \u{7}".to_owned(),
        };
        for (event, want) in [
            (halted, Some(r"live: halted: HTTP 401:\nexpired\u{202e}")),
            (noticed, Some(r"odd \u{7}")),
            (
                paused_for(Duration::from_hours(1)),
                Some(r"live: paused 1 h: slow\u{1b}[2J down"),
            ),
            (sent(), None),
            (retrying(), None),
            (began(Stage::Read, None), None),
        ] {
            assert_eq!(told(&event).as_deref(), want, "{event:?}");
        }
    }

    #[test]
    fn lengths_of_time_have_two_units_and_round_up() {
        for (ms, want) in [
            (0, "0 s"),
            (1, "1 s"),
            (1_000, "1 s"),
            (11_200, "12 s"),
            (59_001, "1 min"),
            (80_000, "1 min 20 s"),
            (3_600_000, "1 h"),
            (7_530_000, "2 h 5 min"),
            (360_000_000, "100 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), want, "{ms}");
        }
    }
}
