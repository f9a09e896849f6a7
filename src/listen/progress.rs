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
        bar: ProgressBar::with_draw_target(None, target).with_style(template(false)),
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
        let (ended, is_news) = {
            let mut tally = self.tally();
            (tally.hear(event, now), tally.is_news(event, now))
        };
        if is_news && (self.style != Style::Quiet || matches!(event, Event::Halted { .. })) {
            self.say(render::told(event));
        }
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
        let line = line.unwrap_or_default();
        if line == self.bar.message() {
            return; // Nothing has moved, and so neither does the terminal.
        }
        if self.bar.length() != total {
            self.bar.set_style(template(total.is_some()));
            total.map_or_else(|| self.bar.unset_length(), |total| self.bar.set_length(total));
        }
        self.bar.set_position(done);
        self.bar.set_message(line);
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

#[cfg(test)]
mod tests {
    use std::io;

    use indicatif::TermLike;
    use tokio::time::{advance, sleep};

    use super::*;
    use crate::event::Stage;

    /// A terminal that keeps what stands on it; its last line is where the bar is.
    #[derive(Debug, Clone)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Screen {
        fn new() -> Self {
            Self(Arc::new(Mutex::new(vec![String::new()])))
        }

        fn lines(&self) -> Vec<String> {
            self.0
                .lock()
                .unwrap()
                .iter()
                .map(|line| line.trim_end().to_owned())
                .collect()
        }

        fn edit(&self, edit: impl FnOnce(&mut Vec<String>)) {
            edit(&mut self.0.lock().unwrap());
        }

        fn writer(&self) -> Arc<WriteLine> {
            let screen = self.clone();
            Arc::new(move |line| screen.write_line(line).unwrap())
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            assert_eq!(n, 0, "the bar has one line");
            Ok(())
        }
        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.move_cursor_up(n)
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.edit(|lines| lines.push(String::new()));
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.edit(|lines| lines.last_mut().unwrap().push_str(text));
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.edit(|lines| lines.last_mut().unwrap().clear());
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn began(stage: Stage, total: Option<u64>) -> Event {
        Event::StageBegan { stage, total }
    }

    fn sent() -> Event {
        Event::AttemptSent {
            connection: "live".into(),
        }
    }

    fn paused(seconds: u64) -> Event {
        Event::Paused {
            connection: "live".into(),
            length: Duration::from_secs(seconds),
            reason: "HTTP 429".to_owned(),
        }
    }

    fn halted() -> Event {
        Event::Halted {
            connection: "live".into(),
            reason: "HTTP 401; mend the token".to_owned(),
        }
    }

    fn noticed() -> Event {
        Event::Noticed {
            message: "a note".to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_bar_steps_aside_for_lines_and_goes_when_it_is_finished() {
        let screen = Screen::new();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), DRAWS_A_SECOND);
        let (events, progress) = drawing_on(target, Style::Bar, screen.writer());
        events.tell(began(Stage::Observe, Some(4)));
        events.tell(Event::Advanced { by: 2 });
        sleep(Duration::from_millis(150)).await;
        assert_eq!(
            screen.lines(),
            ["[============>           ] observing: 2/4 entities"]
        );
        events.tell(noticed());
        assert_eq!(
            screen.lines(),
            ["a note", "[============>           ] observing: 2/4 entities"]
        );
        events.tell(paused(12));
        sleep(Duration::from_millis(100)).await;
        let want = [
            "a note",
            "live: paused 12 s: HTTP 429",
            "[============>           ] observing: 2/4 entities, paused 12 s: HTTP 429",
        ];
        assert_eq!(screen.lines(), want);
        progress.finish();
        events.tell(halted());
        assert_eq!(
            screen.lines(),
            [want[0], want[1], "live: halted: HTTP 401; mend the token", ""]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_without_a_total_is_counted_without_a_bar() {
        let screen = Screen::new();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), DRAWS_A_SECOND);
        let (events, _progress) = drawing_on(target, Style::Bar, screen.writer());
        events.tell(began(Stage::Read, None));
        events.tell(Event::Advanced { by: 5_000 });
        sleep(Duration::from_millis(150)).await;
        assert_eq!(screen.lines(), ["reading: 5000 rows"]);
    }

    #[tokio::test(start_paused = true)]
    async fn lines_come_every_half_minute_and_at_the_end_of_a_stage() {
        let screen = Screen::new();
        let (events, _progress) = events(Style::Lines, screen.writer());
        sleep(Duration::from_millis(500)).await;
        events.tell(began(Stage::Apply, Some(100)));
        for _ in 0..70 {
            events.tell(sent());
            events.tell(Event::Advanced { by: 1 });
            sleep(Duration::from_secs(1)).await;
        }
        events.tell(Event::StageEnded { stage: Stage::Apply });
        let want = [
            "applying: 30/100 rows, 30 calls (1.0/s), ETA 1 min 10 s",
            "applying: 60/100 rows, 60 calls (1.0/s), ETA 40 s",
            "applying: 70/100 rows in 1 min 10 s, 70 calls (1.0/s)",
            "",
        ];
        assert_eq!(screen.lines(), want);
        sleep(Duration::from_mins(5)).await;
        assert_eq!(screen.lines(), want, "between stages there is nothing to tell");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_comes_though_nothing_happens() {
        let screen = Screen::new();
        let (events, progress) = events(Style::Lines, screen.writer());
        sleep(Duration::from_millis(500)).await;
        events.tell(began(Stage::Apply, Some(10)));
        events.tell(paused(45));
        sleep(Duration::from_secs(31)).await;
        let want = [
            "live: paused 45 s: HTTP 429",
            "applying: 0/10 rows, paused 16 s: HTTP 429",
            "",
        ];
        assert_eq!(screen.lines(), want);
        progress.finish();
        sleep(Duration::from_mins(5)).await;
        assert_eq!(screen.lines(), want, "finished is finished");
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_is_not_filled_with_pauses() {
        let screen = Screen::new();
        let (events, _progress) = events(Style::Lines, screen.writer());
        for _ in 0..6 {
            events.tell(paused(10));
            advance(Duration::from_secs(10)).await;
        }
        events.tell(paused(9));
        assert_eq!(
            screen.lines().len(),
            2 + 1,
            "one in half a minute: {:?}",
            screen.lines()
        );
    }

    #[test]
    fn quiet_tells_only_why_a_connection_halted() {
        let screen = Screen::new();
        let (events, progress) = events(Style::Quiet, screen.writer());
        events.tell(began(Stage::Apply, Some(1)));
        events.tell(noticed());
        events.tell(paused(60));
        events.tell(halted());
        events.tell(Event::StageEnded { stage: Stage::Apply });
        progress.finish();
        assert_eq!(screen.lines(), ["live: halted: HTTP 401; mend the token", ""]);
    }
}
