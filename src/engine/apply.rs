//! Carries a plan out. Resuming is the same thing: what is open is asked of the ledger, every time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::EngineError;
use super::canary::{self, Wave};
use super::change::Change;
use super::draft::HIDDEN;
use super::observe::Observer;
use super::plan::BATCH;
use super::reconcile::{self, Standing};
use super::target::Target;
use super::wave::Direction;
use crate::event::{Event, Stage};
use crate::guard::{Breaker, Share, Tally};
use crate::ledger::{Ledger, LineBits, OpenLine, RunLog, RunState, Settlement, Verdict, Vocabulary};
use crate::model::{Action, Class, Failure, Grain, Limits, LiveEntity, Outcome, Tag, TagSet};

/// What is said of an entity that was there when it was planned.
pub(super) const GONE: &str = "the entity is no longer there";

/// Bytes that a tag takes in a request beside its own text, generously.
pub(super) const TAG_OVERHEAD: usize = 64;

/// An observation may be sent by for so long at least.
const LEAST_AGE: Duration = Duration::from_secs(1);

/// How a run is applied.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// How old an observation may be when its operations are sent.
    pub max_age: Duration,
    /// When this process observed what the plan was made of; `None` when another process did.
    pub observed_at: Option<Instant>,
    /// When to stop because of failures.
    pub breaker: Breaker,
    /// Shares of the entities to change after which a run reads back what it did before it goes on.
    pub waves: Vec<Share>,
}

/// How an apply ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Why something is left open; `None` when nothing is.
    pub halted: Option<String>,
}

/// Applies a run until nothing is open, or nothing more can be sent.
pub async fn apply(
    run: i64,
    target: &Target,
    ledger: &Ledger,
    options: &ApplyOptions,
) -> Result<Applied, EngineError> {
    let limits = target
        .vendor
        .limits(target.kind())
        .map_err(|error| EngineError::Job(error.to_string()))?;
    ledger.set_state(run, RunState::Applying, None).await?;
    let lines = ledger.open_lines(run).await?;
    begin(run, target, ledger, &lines).await?;
    let ended = in_waves(run, lines, target, ledger, &limits, options).await;
    target.events.tell(Event::StageEnded { stage: Stage::Apply });
    let halted = match ended {
        Ok(halted) => halted,
        Err(EngineError::Stopped { reason, .. }) => Some(reason),
        Err(error) => return Err(error),
    };
    let state = match halted {
        None => RunState::Finished,
        Some(_) => RunState::Applying,
    };
    ledger.set_state(run, state, halted.as_deref()).await?;
    Ok(Applied { halted })
}

/// Applies what is open, wave after wave. Gives back why something is left open; `None` when nothing is.
async fn in_waves(
    run: i64,
    lines: Vec<OpenLine>,
    target: &Target,
    ledger: &Ledger,
    limits: &Limits,
    options: &ApplyOptions,
) -> Result<Option<String>, EngineError> {
    let waves = canary::waves(run, lines, ledger, &options.waves).await?;
    let (last, mut removed) = (waves.len(), BTreeSet::new());
    for (number, Wave { lines, is_first }) in (1..).zip(waves) {
        if !is_first && let Some(reason) = canary::read_back(run, &lines, target, ledger).await? {
            return Ok(Some(reason));
        }
        let work = Run::load(run, lines, target, ledger, limits, options).await?;
        match limits.grain {
            Grain::Delta => work.walk().await?,
            Grain::WholeSet | Grain::Document => work.walk_whole().await?,
        }
        if work.is_open() {
            let reason = work.stop_reason();
            return Ok(Some(
                reason.unwrap_or_else(|| "something is left open".to_owned()),
            ));
        }
        removed.extend(work.removed());
        if number == last {
            work.tidy(&removed).await?;
        } else if work.tally.get().has_failures() {
            return Ok(Some(canary::FAILED.to_owned()));
        }
    }
    Ok(None)
}

/// Tells how much there is to do, counted in rows of the plan.
async fn begin(run: i64, target: &Target, ledger: &Ledger, lines: &[OpenLine]) -> Result<(), EngineError> {
    let entities = lines.chunk_by(|one, other| one.entity == other.entity).count() as u64;
    let summary = ledger.run(run).await?.summary;
    let rows = summary
        .and_then(|summary| summary.get("rows")?.as_u64())
        .unwrap_or(entities)
        .max(entities);
    target.events.tell(Event::StageBegan {
        stage: Stage::Apply,
        total: Some(rows),
    });
    target.events.tell(Event::Advanced { by: rows - entities });
    Ok(())
}

/// A line while it is worked on.
#[derive(Debug)]
pub(super) struct Line {
    /// As the ledger had it.
    pub(super) of: OpenLine,
    pub(super) open: Cell<u64>,
    pub(super) attempted: Cell<u64>,
    /// What is done, or was found so.
    pub(super) good: Cell<u64>,
    /// How often operations of it were sent and not seen.
    pub(super) round: Cell<usize>,
    /// Whether what comes and what goes is sent apart, although the vendor takes both together.
    pub(super) apart: Cell<bool>,
    /// Whether what takes the place of something was seen there.
    pub(super) seen: Cell<bool>,
}

impl Line {
    fn new(of: OpenLine) -> Self {
        let (open, attempted, good) = (Cell::new(of.open), Cell::new(of.attempted), Cell::new(of.good));
        Self {
            of,
            open,
            attempted,
            good,
            round: Cell::new(0),
            apart: Cell::new(false),
            seen: Cell::new(false),
        }
    }

    /// Some operations of it.
    pub(super) fn bits(&self, bits: u64) -> LineBits {
        LineBits {
            entity: self.of.entity,
            part: self.of.part,
            bits,
        }
    }
}

/// The work of one apply.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) target: &'a Target,
    ledger: &'a Ledger,
    pub(super) log: RunLog,
    pub(super) limits: &'a Limits,
    pub(super) vocabulary: Vocabulary,
    /// Bytes of each tag in a request.
    pub(super) weights: Vec<usize>,
    pub(super) lines: Vec<Line>,
    changes: HashMap<u32, Change>,
    options: &'a ApplyOptions,
    /// Until when the last observation may be sent by.
    fresh_until: Cell<Option<Instant>>,
    /// Whether something was sent by it.
    sent: Cell<bool>,
    tally: Cell<Tally>,
    tripped: RefCell<Option<String>>,
}

impl<'a> Run<'a> {
    /// Loads what is open of a run.
    pub(super) async fn load(
        run: i64,
        lines: Vec<OpenLine>,
        target: &'a Target,
        ledger: &'a Ledger,
        limits: &'a Limits,
        options: &'a ApplyOptions,
    ) -> Result<Self, EngineError> {
        let vocabulary = Vocabulary::load_changes(ledger, run).await?;
        let weight = |tag: u32| 2 * vocabulary.bytes_of(tag) + TAG_OVERHEAD;
        let weights = (0..).take(vocabulary.tags()).map(weight).collect();
        let lines: Vec<Line> = lines.into_iter().map(Line::new).collect();
        let mut changes = HashMap::new();
        for line in &lines {
            changes
                .entry(line.of.change)
                .or_insert_with(|| Change::new(line.of.change, &vocabulary, limits));
            // What takes the place of another is seen before the other goes.
            line.apart.set(changes[&line.of.change].retires != 0);
        }
        Ok(Self {
            target,
            ledger,
            log: ledger.run_log(run).await?,
            limits,
            weights,
            lines,
            changes,
            vocabulary,
            options,
            fresh_until: Cell::new(options.observed_at.map(|at| at + options.max_age)),
            sent: Cell::new(false),
            tally: Cell::default(),
            tripped: RefCell::default(),
        })
    }

    async fn walk(&self) -> Result<(), EngineError> {
        while self.is_open() && !self.must_stop() {
            if self.is_stale() {
                self.refresh().await?;
            }
            if self.limits.together {
                let doubts = self.wave(Direction::Together).await?;
                self.settle_doubts(doubts).await?;
            }
            let doubts = self.wave(Direction::Add).await?;
            self.settle_doubts(doubts).await?;
            self.block_removes().await?;
            self.see_replacements().await?;
            let doubts = self.wave(Direction::Remove).await?;
            self.settle_doubts(doubts).await?;
        }
        Ok(())
    }

    /// The walk where whole sets or documents are written: each is observed just before.
    async fn walk_whole(&self) -> Result<(), EngineError> {
        while self.is_open() && !self.must_stop() {
            let doubts = self.whole_wave().await?;
            self.settle_doubts(doubts).await?;
        }
        Ok(())
    }

    /// The live tags, with a document that says the same as one that the line knows written as that one.
    pub(super) fn as_known(&self, line: &Line, live: BTreeSet<Tag>) -> BTreeSet<Tag> {
        if self.limits.grain != Grain::Document {
            return live;
        }
        let vendor = &self.target.vendor;
        let before = self.vocabulary.before(line.of.before);
        let known: Vec<Tag> = self
            .actions(line)
            .into_iter()
            .map(|action| action.tag)
            .chain(before.into_iter().map(|present| present.tag))
            .collect();
        let as_known = |tag: Tag| {
            let same = known.iter().find(|known| vendor.same(known, &tag));
            same.cloned().unwrap_or(tag)
        };
        live.into_iter().map(as_known).collect()
    }

    fn is_open(&self) -> bool {
        self.lines.iter().any(|line| line.open.get() != 0)
    }

    /// Whether nothing more may be sent.
    pub(super) fn must_stop(&self) -> bool {
        self.stop_reason().is_some()
    }

    fn stop_reason(&self) -> Option<String> {
        let connection = &self.target.connection;
        let halted = connection.halted().map(|halt| halt.reason);
        let drained = || connection.is_drained().then(|| "interrupted".to_owned());
        self.tripped.borrow().clone().or(halted).or_else(drained)
    }

    /// Whether what was observed is too old to send by.
    fn is_stale(&self) -> bool {
        self.fresh_until.get().is_none_or(|until| Instant::now() > until)
    }

    /// Whether a call may go by the last observation. Its first call finds it fresh for a moment, however long packing
    /// took: else a large run with a short `max_age` would only ever observe.
    pub(super) fn may_send(&self) -> bool {
        if self.must_stop() {
            return false;
        }
        if !self.sent.replace(true) {
            let least = Instant::now() + LEAST_AGE;
            self.fresh_until
                .set(self.fresh_until.get().map(|until| until.max(least)));
        }
        !self.is_stale()
    }

    pub(super) fn observer(&self) -> Observer<'_> {
        Observer {
            target: self.target,
            ledger: self.ledger,
            log: &self.log,
            limits: self.limits,
        }
    }

    /// Observes every open entity again, and settles what is so already and what somebody else has changed.
    async fn refresh(&self) -> Result<(), EngineError> {
        let mut open: Vec<(&str, usize)> = (0..)
            .zip(&self.lines)
            .filter(|(_, line)| line.open.get() != 0)
            .map(|(place, line)| (&*line.of.id, place))
            .collect();
        open.sort_unstable();
        let mut ids: Vec<&str> = open.iter().map(|(id, _)| *id).collect();
        ids.dedup();
        let mut seen = vec![false; open.len()];
        let mut settled = Vec::new();
        // Compared as they come: the live tags of a million entities need not be in memory together.
        self.observer()
            .entities(&ids, |entity: LiveEntity| {
                let from = open.partition_point(|(id, _)| *id < entity.id.as_str());
                let lines = open[from..].iter().take_while(|(id, _)| *id == entity.id).count();
                if lines == 0 || seen[from] {
                    return;
                }
                let tags = entity.carried();
                for (n, (_, place)) in (from..).zip(&open[from..from + lines]) {
                    seen[n] = true;
                    match &tags {
                        Some(tags) => self.reconcile(*place, Some(tags), &mut settled),
                        None => settled.push(self.fails(*place, Class::Hidden, HIDDEN)),
                    }
                }
            })
            .await?;
        for ((_, place), _) in open.iter().zip(seen).filter(|(_, seen)| !seen) {
            self.reconcile(*place, None, &mut settled);
        }
        while !settled.is_empty() {
            let rest = settled.split_off(settled.len().min(BATCH));
            self.commit(std::mem::replace(&mut settled, rest)).await?;
        }
        // Counted from its end, and never nothing: a slow observation must not be stale before anything is sent by it.
        self.fresh_until
            .set(Some(Instant::now() + self.options.max_age.max(LEAST_AGE)));
        self.sent.set(false);
        Ok(())
    }

    /// All that is open of a line fails.
    pub(super) fn fails(&self, place: usize, class: Class, why: &str) -> (usize, Settlement) {
        let line = &self.lines[place];
        let settlement = Settlement {
            line: line.bits(line.open.get()),
            verdict: Verdict::failed(class, why),
        };
        (place, settlement)
    }

    /// Settles of a line what is so already and what somebody else has changed; `None` when the entity is gone.
    pub(super) fn reconcile(
        &self,
        place: usize,
        live: Option<&BTreeSet<Tag>>,
        settled: &mut Vec<(usize, Settlement)>,
    ) {
        let line = &self.lines[place];
        let mut add = |bits: u64, verdict: Verdict| {
            if bits != 0 {
                settled.push((
                    place,
                    Settlement {
                        line: line.bits(bits),
                        verdict,
                    },
                ));
            }
        };
        let open = line.open.get();
        let Some(live) = live else {
            return add(open, Verdict::failed(Class::Missing, GONE));
        };
        let actions = self.actions(line);
        let before = self.vocabulary.before(line.of.before);
        let standing = Standing {
            actions: &actions,
            open,
            attempted: line.attempted.get(),
            before: &before,
        };
        let found = reconcile::reconcile(&standing, live);
        add(found.done, Verdict::Done);
        add(found.unchanged, Verdict::Unchanged);
        let changed = actions
            .iter()
            .enumerate()
            .find(|(bit, _)| found.conflict >> bit & 1 == 1);
        if let Some((
            _,
            Action {
                tag: Tag { key, .. }, ..
            },
        )) = changed
        {
            let now: Vec<String> = live
                .iter()
                .filter(|tag| tag.key == *key)
                .map(|tag| shortened(&tag.to_string()))
                .collect();
            let now = if now.is_empty() {
                "nothing".to_owned()
            } else {
                now.join(", ")
            };
            let why = format!("`{key}` was changed by somebody else since the plan (now {now}); plan again");
            add(
                found.conflict,
                Verdict::Other(Outcome::Conflict, Failure::new(Class::Changed, why)),
            );
        }
    }

    /// What is to be done to a line.
    pub(super) fn change(&self, line: &Line) -> &Change {
        &self.changes[&line.of.change]
    }

    /// What each bit of a line does. Not kept: where no two entities are alike, that would be a text for every operation.
    pub(super) fn actions(&self, line: &Line) -> Vec<Action> {
        self.vocabulary.actions(line.of.change)
    }

    /// The open operations of a direction that may go now. A value that replaces another must be there before the
    /// other goes, or come in the same call.
    pub(super) fn ready(&self, line: &Line, direction: Direction) -> u64 {
        let (change, open) = (self.change(line), line.open.get());
        let apart = !self.limits.together || line.apart.get();
        match direction {
            Direction::Together if apart => 0,
            Direction::Together => open & !change.waiting_for(!open & !line.good.get()),
            Direction::Add | Direction::Remove if !apart => 0,
            Direction::Add | Direction::Remove => {
                open & change.of_direction(direction) & !change.waiting_for(open)
            }
        }
    }

    /// Closes removals whose replacement could not be added: the old value stays.
    async fn block_removes(&self) -> Result<(), EngineError> {
        let mut settled = Vec::new();
        for (place, line) in self.lines.iter().enumerate() {
            let open = line.open.get();
            let blocked = open & self.change(line).waiting_for(!open & !line.good.get());
            if blocked != 0 {
                let verdict =
                    Verdict::failed(Class::Blocked, "what replaces it could not be added, so it stays");
                settled.push((
                    place,
                    Settlement {
                        line: line.bits(blocked),
                        verdict,
                    },
                ));
            }
        }
        self.commit(settled).await
    }

    /// Which manual tags an entity carries, where the vendor can tell.
    pub(super) async fn manual_tags(&self, id: &str) -> Result<Option<TagSet>, EngineError> {
        self.target.manual_tags(id, &self.log).await
    }

    /// Returns once settlements are committed; then they count.
    pub(super) async fn commit(&self, settled: Vec<(usize, Settlement)>) -> Result<(), EngineError> {
        if settled.is_empty() {
            return Ok(());
        }
        let (places, settlements): (Vec<usize>, Vec<Settlement>) = settled.into_iter().unzip();
        self.log.settle(&settlements).await?;
        for (place, Settlement { line, verdict }) in places.into_iter().zip(settlements) {
            self.count(place, line.bits, &verdict);
        }
        Ok(())
    }

    fn count(&self, place: usize, bits: u64, verdict: &Verdict) {
        let line = &self.lines[place];
        line.open.set(line.open.get() & !bits);
        let (outcome, operations) = (verdict.outcome(), u64::from(bits.count_ones()));
        if matches!(outcome, Outcome::Done | Outcome::Unchanged) {
            line.good.set(line.good.get() | bits);
        }
        let missing = matches!(verdict, Verdict::Other(_, failure) if failure.class == Class::Missing);
        let mut tally = self.tally.get();
        tally.add(outcome, missing, operations);
        self.tally.set(tally);
        if self.tripped.borrow().is_none() {
            *self.tripped.borrow_mut() = tally.tripped(&self.options.breaker);
        }
        let events = &self.target.events;
        events.tell(Event::Settled { outcome, operations });
        if line.open.get() == 0 && line.of.part == 0 {
            events.tell(Event::Advanced { by: 1 });
        }
    }
}

/// As much of a tag as a message needs: a document is one too.
pub(super) fn shortened(tag: &str) -> String {
    const LONGEST: usize = 120;
    match tag.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &tag[..end]),
        None => tag.to_owned(),
    }
}
