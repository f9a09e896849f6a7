//! What planning and applying need: the job, its locks, the ledger, the connection, and signals.

use std::sync::Arc;
use std::time::Duration;

use super::account::{self, Account};
use super::exit::{Exit, Refusal};
use super::lock::{self, IfLocked, Lock};
use super::signals::{Interrupted, Signals};
use super::{Settings, open, print};
use crate::engine::{self, ApplyOptions, PlanInput, Planned, Source, Target, Verified};
use crate::event::Events;
use crate::guard::Bounds;
use crate::job::{self, Job};
use crate::ledger::{Follows, Ledger, PlanTarget, RunRow, RunState, Summary};
use crate::listen::{self, Progress, Style};
use crate::model::Outcome;
use crate::report;

/// A job with everything that it needs, locked.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) job: Job,
    pub(super) ledger: Ledger,
    pub(super) target: Target,
    /// What the guard lets a plan do: the job's bounds, unless a flag loosens them.
    pub(super) bounds: Bounds,
    /// What a live source is read through.
    source: Option<Arc<Target>>,
    events: Events,
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
        let plan_target = Account::of_target(&job).plan_target()?;
        let name = format!("connection {} {}", plan_target.url, plan_target.tenant);
        let what = format!("connection `{}`", plan_target.connection);
        let Some(of_connection) = lock::take(&name, &what, if_locked).await? else {
            return Ok(None);
        };
        let ledger = open::ledger(settings).await?;
        ledger.discard_unplanned(&job.name).await?;
        let (events, progress) = progress(settings);
        let target = open::target(&job, &ledger, events.clone()).await?;
        let locks = [of_job, of_connection];
        Ok(Some(Self {
            bounds: open::bounds(&job.guard),
            job,
            ledger,
            target,
            source: None,
            events,
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

    /// Opens what the job's rows come from.
    pub(super) async fn source(&mut self) -> anyhow::Result<Source> {
        let events = self.events.clone();
        let (source, read_through) = open::source(&self.job, &self.target, &self.ledger, events).await?;
        self.source = read_through;
        Ok(source)
    }

    /// Makes a plan of the job's rows, or of what an earlier run did.
    pub(super) async fn plan(&mut self, source: Source, follows: Option<Follows>) -> anyhow::Result<Planned> {
        if let Some(signal) = self.signals.first {
            return Err(Interrupted { signal }.into());
        }
        let dwell = open::dwell(&self.job);
        let input = PlanInput {
            job: &self.job.name,
            job_path: &self.job.path.to_string_lossy(),
            job_digest: &self.job.digest,
            follows,
            source,
            policy: self.job.target.collision,
            separator: &self.job.target.separator,
            losses: self.job.losses,
            bounds: &self.bounds,
            dwell: dwell.as_ref(),
        };
        // On the heap: what a plan keeps while it waits is large.
        let planning = Box::pin(engine::plan(input, &self.target, &self.ledger));
        let source = self.source.as_ref().map(|source| source.connection());
        let connections: Vec<_> = source.into_iter().chain([self.target.connection()]).collect();
        let planned = self.signals.heard(planning, &connections).await;
        self.progress.finish();
        if let Some(source) = &self.source {
            account::keep_learned(source, &self.ledger).await?;
        }
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
        let applying = Box::pin(engine::apply(run, &self.target, &self.ledger, &options));
        let applied = self.signals.heard(applying, &[self.target.connection()]).await;
        self.progress.finish();
        let applied = applied??;
        account::keep_learned(&self.target, &self.ledger).await?;
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
        let verified = self.signals.heard(verifying, &[self.target.connection()]).await;
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
        // What was counted while planning is the mark of a plan.
        RunState::Finished if run.summary.is_none() => "it is an export, which changes nothing",
        RunState::Planned | RunState::Applying | RunState::Finished => return Ok(()),
        RunState::Planning => "its plan was never finished; plan again",
        RunState::Refused => "the guard refused its plan; mend the inventory or [guard], and plan again",
        RunState::Exporting => "it is an export; `export` goes on with it",
        RunState::Abandoned => "it was abandoned; plan again",
    };
    Err(Refusal(format!("run {} can't be applied: {why}", run.id)).into())
}

/// Who tells of progress, and what shows it.
pub(super) fn progress(settings: &Settings) -> (Events, Progress) {
    let style = if settings.quiet {
        Style::Quiet
    } else {
        Style::for_stderr()
    };
    listen::events(style, Arc::new(print::line))
}
