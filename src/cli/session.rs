//! What planning and applying need: the job, its locks, the ledger, the connection, and signals.

use std::future::Future;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::{Exit, Refusal};
use super::lock::{self, IfLocked, Lock};
use super::{Settings, open, print};
use crate::engine::{self, ApplyOptions, PlanInput, Planned, Source, Target, Verified};
use crate::event::Events;
use crate::guard::Bounds;
use crate::job::{self, Job};
use crate::ledger::{Follows, Ledger, PlanTarget, RunRow, RunState, Summary};
use crate::listen::{self, Progress, Style};
use crate::model::Outcome;
use crate::report;

/// How long calls in flight may finish after the first signal.
const DRAIN: Duration = Duration::from_secs(30);

/// A signal stopped the command.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; the same command goes on where it stopped")]
pub(super) struct Interrupted {
    pub(super) signal: u8,
}

/// A job with everything that it needs, locked.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) job: Job,
    pub(super) ledger: Ledger,
    pub(super) target: Target,
    /// What the guard lets a plan do: the job's bounds, unless a flag loosens them.
    pub(super) bounds: Bounds,
    progress: Progress,
    quiet: bool,
    signals: Signals,
    _locks: [Lock; 2],
}

/// Opens a session for a job, does some work in it and closes it in order. When another process has a lock and that is
/// to be skipped, nothing is done.
pub(super) async fn with_session(
    job: Job,
    settings: &Settings,
    if_locked: IfLocked,
    work: impl AsyncFnOnce(&mut Session) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let Some(mut session) = Session::open(job, settings, if_locked).await? else {
        print::line("skipped: another tagferry has the job or its connection");
        return Ok(Exit::Done);
    };
    let ended = work(&mut session).await;
    session.ledger.close().await?;
    ended
}

/// A run, and the job that it was planned from as its file is now.
pub(super) async fn planned_job(run: i64, settings: &Settings) -> anyhow::Result<(RunRow, Job)> {
    let ledger = open::ledger(settings).await?;
    let run = ledger.run(run).await;
    ledger.close().await?;
    let run = run?;
    let job = job::load(run.job_path.as_ref())?;
    Ok((run, job))
}

impl Session {
    /// Takes the locks and opens everything; `None` when another process has a lock and that is to be skipped.
    async fn open(job: Job, settings: &Settings, if_locked: IfLocked) -> anyhow::Result<Option<Self>> {
        let name = format!("job {}", job.name);
        let Some(of_job) = lock::take(&name, &format!("job `{}`", job.name), if_locked).await? else {
            return Ok(None);
        };
        let plan_target = open::plan_target(&job)?;
        let name = format!("connection {} {}", plan_target.url, plan_target.tenant);
        let what = format!("connection `{}`", plan_target.connection);
        let Some(of_connection) = lock::take(&name, &what, if_locked).await? else {
            return Ok(None);
        };
        let ledger = open::ledger(settings).await?;
        ledger.discard_unplanned(&job.name).await?;
        let (events, progress) = progress(settings);
        let target = open::target(&job, plan_target, &ledger, events).await?;
        let locks = [of_job, of_connection];
        Ok(Some(Self {
            bounds: open::bounds(&job.guard),
            job,
            ledger,
            target,
            progress,
            quiet: settings.quiet,
            // Last: while locks are awaited and secrets are read, a signal ends the process at once.
            signals: Signals::new()?,
            _locks: locks,
        }))
    }

    /// Tells what goes on, unless that is not wanted.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            print::line(text);
        }
    }

    /// Makes a plan of the inventory, or of what an earlier run did.
    pub(super) async fn plan(&mut self, source: Source, follows: Option<Follows>) -> anyhow::Result<Planned> {
        if let Some(signal) = self.signals.first {
            return Err(Interrupted { signal }.into());
        }
        let input = PlanInput {
            job: &self.job.name,
            job_path: &self.job.path.to_string_lossy(),
            job_digest: &self.job.digest,
            follows,
            source,
            policy: self.job.target.collision,
            separator: &self.job.target.separator,
            bounds: &self.bounds,
        };
        let planning = engine::plan(input, &self.target, &self.ledger);
        let planned = until_signalled(planning, &self.target, &mut self.signals).await;
        self.progress.finish();
        match (planned?, self.signals.first) {
            // The plan that a drained connection could not observe is an error of its own; a finished one is kept.
            (Err(_), Some(signal)) => Err(Interrupted { signal }.into()),
            (planned, _) => Ok(planned?),
        }
    }

    /// Applies a run as far as it goes, and shows what became of it.
    pub(super) async fn apply(
        &mut self,
        run: i64,
        observed_at: Option<tokio::time::Instant>,
    ) -> anyhow::Result<(Summary, Exit)> {
        let options = ApplyOptions {
            max_age: self.job.max_age,
            observed_at,
            breaker: open::breaker(&self.job.guard),
            waves: open::waves(&self.job.guard),
        };
        let applying = engine::apply(run, &self.target, &self.ledger, &options);
        let applied = until_signalled(applying, &self.target, &mut self.signals).await;
        self.progress.finish();
        let applied = applied??;
        open::keep_learned(&self.target, &self.ledger).await?;
        let summary = self.ledger.summary(run).await?;
        if let Some(wrong) = report::unaccounted(&self.ledger.run(run).await?, &summary) {
            anyhow::bail!(wrong);
        }
        let open = summary.operations_of(Outcome::NotAttempted) > 0;
        let exit = match (open, self.signals.first) {
            (true, Some(signal)) => Exit::Interrupted(signal),
            (true, None) => Exit::Stopped,
            (false, _) => Exit::of(&summary),
        };
        if let Some(reason) = applied.halted {
            print::line(&format!("stopped: {reason}"));
            print::line("what is open stays open: the same command goes on once this is mended");
        }
        Ok((summary, exit))
    }

    /// Reads back what a run left.
    pub(super) async fn verify(&mut self, run: i64, patience: Duration) -> anyhow::Result<Verified> {
        let verifying = engine::verify(run, &self.target, &self.ledger, patience);
        let verified = until_signalled(verifying, &self.target, &mut self.signals).await;
        self.progress.finish();
        match self.signals.first {
            // What was drained was not looked at to its end.
            Some(signal) => Err(Interrupted { signal }.into()),
            None => Ok(verified??),
        }
    }

    /// Refuses a run that was planned for another target than the job has now.
    pub(super) fn same_target(&self, run: &RunRow) -> anyhow::Result<()> {
        let PlanTarget {
            connection: _,
            vendor,
            url,
            tenant,
            kind,
        } = self.target.plan_target();
        let now = (vendor, url, tenant, kind);
        if now
            == (
                &run.target.vendor,
                &run.target.url,
                &run.target.tenant,
                &run.target.kind,
            )
        {
            return Ok(());
        }
        let then = &run.target;
        Err(Refusal(format!(
            "run {} was planned for {} at {} ({}), and `{}` is now {vendor} at {url} ({kind}): plan again, or abandon it",
            run.id, then.vendor, then.url, then.kind, then.connection
        ))
        .into())
    }
}

/// Refuses a run that can't be applied.
pub(super) fn applicable(run: &RunRow) -> anyhow::Result<()> {
    let why = match run.state {
        RunState::Planned | RunState::Applying | RunState::Finished => return Ok(()),
        RunState::Planning => "its plan was never finished; plan again",
        RunState::Refused => "the guard refused its plan; mend the inventory or [guard], and plan again",
        RunState::Abandoned => "it was abandoned; plan again",
    };
    Err(Refusal(format!("run {} can't be applied: {why}", run.id)).into())
}

fn progress(settings: &Settings) -> (Events, Progress) {
    let style = if settings.quiet {
        Style::Quiet
    } else {
        Style::for_stderr()
    };
    listen::events(style, Arc::new(print::line))
}

/// The signals that end a command. Listened to as long as a session lives, so that none that comes between two stages is
/// lost.
#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// The one that came first.
    first: Option<u8>,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
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
}

/// Awaits `work`. The first SIGINT or SIGTERM stops claiming and lets what is in flight finish; the second, or
/// `DRAIN`, stops at once.
async fn until_signalled<T>(
    work: impl Future<Output = T>,
    target: &Target,
    signals: &mut Signals,
) -> anyhow::Result<T> {
    let mut work = std::pin::pin!(work);
    let mut deadline = std::pin::pin!(tokio::time::sleep(Duration::MAX));
    loop {
        let first = signals.first;
        let number = tokio::select! {
            biased;
            number = signals.next() => number,
            () = &mut deadline, if first.is_some() => return Err(stopped(first)),
            done = &mut work => return Ok(done),
        };
        if first.is_some() {
            return Err(stopped(first));
        }
        signals.first = Some(number);
        target.connection().drain();
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
