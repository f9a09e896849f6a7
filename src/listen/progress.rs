//! The listener: counts what it hears, and shows it by its style. The only file that knows of progress bars.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Style;
use super::render;
use super::tally::Tally;
use crate::event::{Event, Events};

/// How often the bar is looked at, and drawn at most.
const DRAWS_A_SECOND: u8 = 10;

/// How often a plain line tells of progress.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// How often the pace is looked at when there is no bar.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// While the total is known, and while it is not.
const BAR: &str = "[{bar:24}] {wide_msg}";
const COUNT: &str = "{wide_msg}";

/// Where lines go.
type WriteLine = dyn Fn(&str) + Send + Sync;

/// What shows progress. It ends when this is dropped.
pub struct Progress {
    shown: Arc<Shown>,
    ticking: Option<JoinHandle<()>>,
}

struct Shown {
    style: Style,
    tally: Mutex<Tally>,
    bar: ProgressBar,
    write_line: Arc<WriteLine>,
}

/// The end that rooms tell, and what shows it. Lines go to `write_line`, one at a time and safe to show; the bar draws
/// itself on stderr, and steps aside for lines.
///
/// # Panics
/// Outside of a tokio runtime, unless quiet: a task keeps the bar moving while nothing happens.
pub fn events(style: Style, write_line: Arc<WriteLine>) -> (Events, Progress) {
    let target = match style {
        Style::Bar => ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND),
        Style::Lines | Style::Quiet => ProgressDrawTarget::hidden(),
    };
    drawing_on(target, style, write_line)
}

fn drawing_on(target: ProgressDrawTarget, style: Style, write_line: Arc<WriteLine>) -> (Events, Progress) {
    let shown = Arc::new(Shown {
        style,
        tally: Mutex::default(),
        bar: ProgressBar::with_draw_target(None, target),
        write_line,
    });
    let ticking = match style {
        Style::Bar => Some(tokio::spawn(keep_drawing(shown.clone()))),
        Style::Lines => Some(tokio::spawn(keep_telling(shown.clone()))),
        Style::Quiet => None,
    };
    let hearing = shown.clone();
    let events = Events::to(move |event| hearing.hear(event, Instant::now()));
    (events, Progress { shown, ticking })
}

impl Progress {
    /// Clears the bar and shows no more progress; lines are still written.
    pub fn finish(&self) {
        if let Some(ticking) = &self.ticking {
            ticking.abort();
        }
        self.shown.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("style", &self.shown.style)
            .field("tally", &self.shown.tally())
            .finish_non_exhaustive()
    }
}

async fn keep_drawing(shown: Arc<Shown>) {
    let mut ticks = interval(Duration::from_secs(1) / u32::from(DRAWS_A_SECOND));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shown.draw(Instant::now());
    }
}

async fn keep_telling(shown: Arc<Shown>) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Instant::now();
    loop {
        let now = ticks.tick().await;
        let line = {
            let mut tally = shown.tally();
            tally.sample(now);
            (now.duration_since(told) >= LINE_EVERY).then(|| render::progress(&tally, now))
        };
        if let Some(line) = line {
            told = now;
            shown.say(line);
        }
    }
}

impl Shown {
    fn hear(&self, event: &Event, now: Instant) {
        let ended = self.tally().hear(event, now);
        let line = match (self.style, event) {
            (Style::Quiet, Event::Halted { .. }) | (Style::Bar | Style::Lines, _) => render::told(event),
            (Style::Quiet, _) => None,
        };
        self.say(line);
        if self.style == Style::Lines {
            self.say(ended.map(|stage| render::ended(&stage, now)));
        }
    }

    /// Writes a line, for which the bar steps aside. No lock may be held: writing may take its time.
    fn say(&self, line: Option<String>) {
        if let Some(line) = line {
            self.bar.suspend(|| (self.write_line)(&line));
        }
    }

    fn draw(&self, now: Instant) {
        let (line, done, total) = {
            let mut tally = self.tally();
            tally.sample(now);
            let current = tally.current.as_ref();
            let (done, total) = current.map_or((0, None), |current| (current.done, current.total));
            (render::progress(&tally, now), done, total)
        };
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_style(template(total.is_some()));
        self.bar.set_position(done);
        self.bar.set_message(line.unwrap_or_default());
    }

    /// A listener must not fail, so a panic elsewhere leaves the counts as they are.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn template(has_total: bool) -> ProgressStyle {
    let template = if has_total { BAR } else { COUNT };
    ProgressStyle::with_template(template)
        .expect("the templates are constant and well-formed")
        .progress_chars("=> ")
}
