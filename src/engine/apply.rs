//! Carries a plan out. Resuming is the same thing: what is open is asked of the ledger, every time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::EngineError;
use super::observe::Observer;
use super::reconcile::{self, Standing};
use super::target::Target;
use super::wave::Direction;
use crate::event::{Event, Stage};
use crate::guard::{Breaker, Tally};
use crate::ledger::{Ledger, LineBits, OpenLine, RunLog, RunState, Settlement, Verdict, Vocabulary};
use crate::model::{Class, Failure, Limits, LiveEntity, Outcome, Rule, Tag, TagSet};

/// Bytes that a tag takes in a request beside its own text, generously.
const TAG_OVERHEAD: usize = 64;

/// How a run is applied.
#[derive(Debug, Clone, Copy)]
pub struct ApplyOptions {
    /// How old an observation may be when its operations are sent.
    pub max_age: Duration,
    /// When this process observed what the plan was made of; `None` when another process did.
    pub observed_at: Option<Instant>,
    /// When to stop because of failures.
    pub breaker: Breaker,
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
    let work = Run::load(run, target, ledger, &limits, options).await?;
    work.begin().await?;
    let ended = work.walk().await;
    target.events.tell(Event::StageEnded { stage: Stage::Apply });
    let halted = match ended {
        Ok(()) => work.stop_reason(),
        Err(EngineError::Stopped { reason, .. }) => Some(reason),
        Err(error) => return Err(error),
    };
    if work.lines.iter().all(|line| line.open.get() == 0) {
        ledger.set_state(run, RunState::Finished, None).await?;
        return Ok(Applied { halted: None });
    }
    let reason = halted.unwrap_or_else(|| "something is left open".to_owned());
    ledger.set_state(run, RunState::Applying, Some(&reason)).await?;
    Ok(Applied { halted: Some(reason) })
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
    options: &'a ApplyOptions,
    observed_at: Cell<Option<Instant>>,
    tally: Cell<Tally>,
    tripped: RefCell<Option<String>>,
}

impl<'a> Run<'a> {
    async fn load(
        run: i64,
        target: &'a Target,
        ledger: &'a Ledger,
        limits: &'a Limits,
        options: &'a ApplyOptions,
    ) -> Result<Self, EngineError> {
        let vocabulary = Vocabulary::load(ledger, run).await?;
        let weight = |tag: u32| {
            let Tag { key, value } = vocabulary.tag_of(tag);
            2 * (key.len() + value.map_or(0, |value| value.len())) + TAG_OVERHEAD
        };
        let weights = (0..).take(vocabulary.tags()).map(weight).collect();
        let lines = ledger.open_lines(run).await?.into_iter().map(|of| Line {
            open: Cell::new(of.open),
            attempted: Cell::new(of.attempted),
            good: Cell::new(of.good),
            round: Cell::new(0),
            of,
        });
        Ok(Self {
            target,
            ledger,
            log: ledger.run_log(run).await?,
            limits,
            weights,
            lines: lines.collect(),
            vocabulary,
            options,
            observed_at: Cell::new(options.observed_at),
            tally: Cell::default(),
            tripped: RefCell::default(),
        })
    }

    /// Tells how much there is to do, counted in rows of the plan.
    async fn begin(&self) -> Result<(), EngineError> {
        let entities = self
            .lines
            .iter()
            .map(|line| line.of.entity)
            .collect::<BTreeSet<_>>()
            .len() as u64;
        let summary = self.ledger.run(self.log.run()).await?.summary;
        let rows = summary
            .and_then(|summary| summary.get("rows")?.as_u64())
            .unwrap_or(entities)
            .max(entities);
        self.target.events.tell(Event::StageBegan {
            stage: Stage::Apply,
            total: Some(rows),
        });
        self.target.events.tell(Event::Advanced { by: rows - entities });
        Ok(())
    }

    async fn walk(&self) -> Result<(), EngineError> {
        while self.is_open() && !self.must_stop() {
            if self.is_stale() {
                self.refresh().await?;
            }
            let doubts = self.wave(Direction::Add).await?;
            self.settle_doubts(doubts).await?;
            self.block_removes().await?;
            let doubts = self.wave(Direction::Remove).await?;
            self.settle_doubts(doubts).await?;
        }
        Ok(())
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
    pub(super) fn is_stale(&self) -> bool {
        self.observed_at
            .get()
            .is_none_or(|at| at.elapsed() > self.options.max_age)
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
        let at = Instant::now();
        let open: Vec<usize> = (0..self.lines.len())
            .filter(|place| self.lines[*place].open.get() != 0)
            .collect();
        let ids: BTreeSet<&str> = open.iter().map(|place| &*self.lines[*place].of.id).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let mut live: HashMap<String, BTreeSet<Tag>> = HashMap::with_capacity(ids.len());
        self.observer()
            .entities(&ids, |entity: LiveEntity| {
                if ids.binary_search(&entity.id.as_str()).is_ok() {
                    live.insert(entity.id, entity.tags.into_iter().map(|tag| tag.tag).collect());
                }
            })
            .await?;
        let mut settled = Vec::new();
        for place in open {
            self.reconcile(place, live.get(&*self.lines[place].of.id), &mut settled);
        }
        self.commit(settled).await?;
        self.observed_at.set(Some(at));
        Ok(())
    }

    fn reconcile(&self, place: usize, live: Option<&BTreeSet<Tag>>, settled: &mut Vec<(usize, Settlement)>) {
        let line = &self.lines[place];
        let mut add = |bits: u64, verdict: Verdict| {
            if bits != 0 {
                let line = LineBits {
                    entity: line.of.entity,
                    part: line.of.part,
                    bits,
                };
                settled.push((place, Settlement { line, verdict }));
            }
        };
        let open = line.open.get();
        let Some(live) = live else {
            return add(
                open,
                Verdict::failed(Class::Missing, "the entity is no longer there"),
            );
        };
        let actions = self.vocabulary.actions(line.of.change);
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
        let key = (0..actions.len())
            .find(|bit| found.conflict >> bit & 1 == 1)
            .map(|bit| &actions[bit].tag.key);
        if let Some(key) = key {
            let now: Vec<String> = live
                .iter()
                .filter(|tag| tag.key == *key)
                .map(ToString::to_string)
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

    /// The open operations of a direction that may go now. A value that replaces another must be there before the
    /// other goes.
    pub(super) fn ready(&self, line: &Line, direction: Direction) -> u64 {
        let actions = self.vocabulary.actions(line.of.change);
        let mut ready = 0;
        for (bit, action) in actions.iter().enumerate() {
            let of_direction = action.remove == (direction == Direction::Remove);
            if of_direction && line.open.get() >> bit & 1 == 1 {
                let waits = action.remove && replacing(&actions, bit) & line.open.get() != 0;
                ready |= u64::from(!waits) << bit;
            }
        }
        ready
    }

    /// Closes removals whose replacement could not be added: the old value stays.
    async fn block_removes(&self) -> Result<(), EngineError> {
        let mut settled = Vec::new();
        for (place, line) in self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.open.get() != 0)
        {
            let actions = self.vocabulary.actions(line.of.change);
            let blocked = |bit: usize| {
                let replacing = replacing(&actions, bit);
                actions[bit].remove && replacing & !line.open.get() & !line.good.get() != 0
            };
            let bits = (0..actions.len()).filter(|bit| line.open.get() >> bit & 1 == 1 && blocked(*bit));
            let bits = bits.fold(0, |bits, bit| bits | 1 << bit);
            if bits != 0 {
                let line = LineBits {
                    entity: line.of.entity,
                    part: line.of.part,
                    bits,
                };
                let verdict = Verdict::failed(
                    Class::Blocked,
                    "the new value could not be added, so the old one stays",
                );
                settled.push((place, Settlement { line, verdict }));
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

/// The adds that must have succeeded before an action may remove a value: those that replace it.
fn replacing(actions: &[crate::model::Action], bit: usize) -> u64 {
    let gone = &actions[bit];
    if !matches!(gone.rule, Rule::Set | Rule::Update) {
        return 0;
    }
    let adds = actions.iter().enumerate().filter(|(_, action)| {
        !action.remove && action.tag.key == gone.tag.key && matches!(action.rule, Rule::Set | Rule::Update)
    });
    adds.fold(0, |bits, (bit, _)| bits | 1 << bit)
}
