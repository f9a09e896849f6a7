//! Makes a plan: rows are read, live tags are observed, and the difference is saved.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use tokio::time::Instant;

use serde::{Deserialize, Serialize};

use super::EngineError;
use super::crowded::{self, Room};
use super::draft::{Draft, Memo};
use super::dwell::{self, Dwell, Rests};
use super::find;
use super::fitting::Fitter;
use super::gather::{self, Gathering, Row, Source};
use super::losses::LossCounts;
use super::observe::Observer;
use super::observed::{Observed, Seen, State};
use super::ownership::{self, Doubtful};
use super::target::Target;
use super::validate;
use super::words::Words;
use crate::collide::{self, Claim, Policy};
use crate::event::{Event, Stage};
use crate::fit;
use crate::guard::{self, Bounds};
use crate::ledger::{Follows, Ledger, NewRun, RowRow, RunLog};
use crate::model::{Class, Grain, Limits, Listing, LiveEntity, Loss, Wish};

/// Rows written at once.
pub(super) const BATCH: usize = 20_000;

/// What a plan is made of.
#[derive(Debug)]
pub struct PlanInput<'a> {
    /// The job's name.
    pub job: &'a str,
    /// The job file.
    pub job_path: &'a str,
    /// blake3 of the job file.
    pub job_digest: &'a str,
    /// The earlier run that the plan is about, when it is.
    pub follows: Option<Follows>,
    /// Where the wishes come from.
    pub source: Source,
    /// What becomes of rows that disagree.
    pub policy: Policy,
    /// What joins values under the policy `join`.
    pub separator: &'a str,
    /// What tags may lose.
    pub losses: fit::Options,
    /// What the plan may do without being told.
    pub bounds: &'a Bounds,
    /// How long replaced keys stay beside those that take their place; `None` lets them go in the same run.
    pub dwell: Option<&'a Dwell>,
}

/// What happens to the tags of one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCount {
    /// Tags to add.
    pub adds: u64,
    /// Tags to remove, replaced values among them.
    pub removes: u64,
}

/// What a plan comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// Rows that were read.
    pub rows: u64,
    /// Rows that can't be used, by class.
    pub rejected: BTreeMap<String, u64>,
    /// Cells that rendered empty and asked for nothing.
    pub empty_cells: u64,
    /// What tags lose because the job allows it, by class and by what is done about it.
    #[serde(default)]
    pub losses: LossCounts,
    /// Entities that the rows name.
    pub entities: u64,
    /// Those of them that somebody decided to leave out.
    #[serde(default)]
    pub skipped: u64,
    /// Entities that are as wanted.
    pub unchanged: u64,
    /// Entities to change.
    pub to_change: u64,
    /// Entities where something stays, since somebody else changed it after the run that is taken back; what is beside it
    /// may still go back.
    #[serde(default)]
    pub foreign: u64,
    /// Entities where a replaced key stays for now, beside the one that takes its place.
    #[serde(default)]
    pub resting: u64,
    /// Operations.
    pub operations: u64,
    /// Operations by key.
    pub keys: BTreeMap<String, KeyCount>,
    /// How each file was read, a sentence each.
    pub files: Vec<String>,
}

/// A plan that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its run.
    pub run: i64,
    /// What it comes to.
    pub summary: PlanSummary,
    /// Why the guard refuses it; empty when it may be applied.
    pub objections: Vec<String>,
    /// When the live tags began to be read.
    pub observed_at: Instant,
}

/// Makes and saves a plan.
pub async fn plan(input: PlanInput<'_>, target: &Target, ledger: &Ledger) -> Result<Planned, EngineError> {
    let limits = target
        .vendor
        .limits(target.kind())
        .map_err(|error| EngineError::Job(error.to_string()))?;
    let run = ledger
        .begin_run(&NewRun {
            job: input.job,
            job_path: input.job_path,
            job_digest: input.job_digest,
            follows: input.follows,
            target: target.plan.clone(),
        })
        .await?;
    let log = ledger.run_log(run).await?;
    let mut planner = Planner {
        target,
        ledger,
        run,
        limits: &limits,
        losses: input.losses,
        lost: BTreeMap::new(),
        summary: PlanSummary::default(),
    };
    let rests = Rests {
        job: input.job,
        dwell: input.dwell,
        follows: input.follows.is_some(),
    };
    let mut gathering = planner.gather(input.source, &log).await?;
    let observed_at = Instant::now();
    let mut observed = planner.observe(&mut gathering, &log).await?;
    let lost = planner
        .merge(&mut gathering, &mut observed, input.policy, input.separator)
        .await?;
    let resting = dwell::rest(&planner, rests, &mut gathering, &mut observed).await?;
    planner
        .settle_ownership(&mut gathering, &mut observed, &log)
        .await?;
    let is_live = |entity: &&u32| matches!(observed.states[**entity as usize].seen, Seen::Live(_));
    planner.summary.resting = resting.iter().filter(is_live).count() as u64;
    planner.save_losses(&mut gathering).await?;
    target.events.tell(Event::StageEnded {
        stage: Stage::Observe,
    });
    if limits.grain == Grain::Document {
        validate::validate(target, &log, &gathering, &mut observed).await?;
    }
    let draft = Draft {
        target,
        ledger,
        run,
        log: &log,
        limits: &limits,
        summary: &mut planner.summary,
        lost: &lost,
    };
    let mut weight = draft.save(&mut gathering, &observed).await?;
    if gathering.words.undoing {
        // What goes is what the run that is taken back has put there.
        (weight.removals, weight.rewrites) = (0, 0);
    }
    let objections = guard::objections(&weight, input.bounds);
    let refused = (!objections.is_empty()).then(|| objections.join("; "));
    let summary = serde_json::to_value(&planner.summary).expect("counts are JSON");
    ledger
        .finish_plan(run, &gathering.digest, &summary, refused.as_deref())
        .await?;
    Ok(Planned {
        run,
        summary: planner.summary,
        objections,
        observed_at,
    })
}

pub(super) struct Planner<'a> {
    pub(super) target: &'a Target,
    pub(super) ledger: &'a Ledger,
    pub(super) run: i64,
    limits: &'a Limits,
    losses: fit::Options,
    /// What entities lose beside what their rows do.
    lost: BTreeMap<u32, Vec<Loss>>,
    summary: PlanSummary,
}

impl Planner<'_> {
    /// Reads, maps and writes the rows.
    async fn gather(&mut self, mut source: Source, log: &RunLog) -> Result<Gathering, EngineError> {
        let events = &self.target.events;
        events.tell(Event::StageBegan {
            stage: Stage::Read,
            total: None,
        });
        let reader = source.reader();
        let reading = async {
            match reader {
                Some(reader) => reader.read(self.ledger, log).await,
                None => Ok(()),
            }
        };
        let (vendor, kind) = (self.target.vendor.clone(), self.target.kind().to_owned());
        let (mut batches, thread) = gather::begin(source, vendor, kind, self.losses);
        let writing = async {
            while let Some(batch) = batches.recv().await {
                let rows: Vec<RowRow<'_>> = batch.iter().map(stored).collect();
                self.ledger.insert_rows(self.run, &rows).await?;
                let lost = batch.iter().filter_map(|row| Some((row.id, row.losses?)));
                let lost: Vec<(u64, u32)> = lost.collect();
                self.ledger.insert_row_losses(self.run, &lost).await?;
                events.tell(Event::Advanced {
                    by: batch.len() as u64,
                });
            }
            Ok::<_, EngineError>(())
        };
        tokio::try_join!(reading, writing)?;
        let gathering = gather::finished(thread).await?;
        let files: Vec<(u32, &str)> = (0..).zip(gathering.files.iter().map(|file| &**file)).collect();
        self.ledger.insert_files(self.run, &files).await?;
        self.summary.rows = gathering.rows;
        self.summary.empty_cells = gathering.empty;
        self.summary.entities = gathering.firsts.len() as u64;
        self.summary.files.clone_from(&gathering.facts);
        for (class, rows) in &gathering.rejected {
            self.reject(*class, *rows);
        }
        events.tell(Event::StageEnded { stage: Stage::Read });
        Ok(gathering)
    }

    /// Writes and counts what tags lose.
    async fn save_losses(&mut self, gathering: &mut Gathering) -> Result<(), EngineError> {
        let lost = mem::take(&mut self.lost).into_iter();
        let of_entities: Vec<(u32, u32)> = lost
            .filter_map(|(entity, losses)| Some((entity, gathering.losses.note(losses)?)))
            .collect();
        for batch in of_entities.chunks(BATCH) {
            self.ledger.insert_entity_losses(self.run, batch).await?;
        }
        self.summary.losses = gathering.losses.counts();
        for batch in gathering.losses.rows().chunks(BATCH) {
            self.ledger.insert_losses(self.run, batch).await?;
        }
        Ok(())
    }

    fn reject(&mut self, class: Class, rows: u64) {
        *self
            .summary
            .rejected
            .entry(class.as_str().to_owned())
            .or_default() += rows;
    }

    /// Reads what is live of the entities that the rows name.
    async fn observe(&mut self, gathering: &mut Gathering, log: &RunLog) -> Result<Observed, EngineError> {
        self.target.events.tell(Event::StageBegan {
            stage: Stage::Observe,
            total: Some(gathering.firsts.len() as u64),
        });
        let observer = Observer {
            target: self.target,
            ledger: self.ledger,
            log,
            limits: self.limits,
        };
        let named = gathering.named.take();
        let mut observed = match &named {
            None => self.seen(gathering, &observer).await?,
            Some(named) => {
                let found = find::find(&observer, self.run, gathering, named).await?;
                self.summary.entities = found.entities;
                self.summary.files.extend(found.facts);
                found.observed
            }
        };
        let Gathering {
            entities,
            words,
            further,
            spelled,
            ..
        } = gathering;
        let untold: Vec<String> = observed.untold(entities).into_iter().map(str::to_owned).collect();
        self.ask_for(&untold, &observer, |live| {
            observed.see(&live, entities, words, further, &*self.target.vendor);
        })
        .await?;
        observed.make_room(words, |number| {
            let from = match &named {
                Some(named) => named.new_from(number)?,
                None => spelled
                    .get(number as usize)
                    .and_then(Option::as_deref)
                    .unwrap_or_else(|| entities.text(number)),
            };
            self.target.vendor.new_id(self.target.kind(), from)
        });
        gathering.named = named;
        Ok(observed)
    }

    /// The same for entities that rows name by an identifier or a name alone.
    async fn seen(
        &self,
        gathering: &mut Gathering,
        observer: &Observer<'_>,
    ) -> Result<Observed, EngineError> {
        let events = &self.target.events;
        let total = gathering.entities.len();
        let mut observed = Observed::new(gathering);
        let Gathering {
            entities,
            words,
            further,
            by_name,
            ..
        } = gathering;
        let mut see = |live: LiveEntity| {
            if observed.see(&live, entities, words, further, &*self.target.vendor) {
                events.tell(Event::Advanced { by: 1 });
            }
        };
        if *by_name && total > 0 {
            if self.limits.lists != Listing::Whole {
                return Err(EngineError::Job(format!(
                    "names of {} can't be resolved at this vendor, which lists none: use `entity` in [target]",
                    self.target.kind()
                )));
            }
            observer.listing(&mut see).await?;
        } else {
            let ids: Vec<&str> = (0..).take(total).map(|entity| entities.text(entity)).collect();
            observer.entities(&ids, &mut see).await?;
        }
        Ok(observed)
    }

    /// Asks one by one for entities of which a listing told nothing.
    async fn ask_for(
        &self,
        ids: &[String],
        observer: &Observer<'_>,
        mut see: impl FnMut(LiveEntity),
    ) -> Result<(), EngineError> {
        if self.limits.observe_ids.is_none() {
            return Ok(());
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        observer.by_id(&ids, 1, &mut see).await
    }

    /// Settles what several rows ask of one entity, and rejects the losers. Gives back how many rows each entity lost.
    async fn merge(
        &mut self,
        gathering: &mut Gathering,
        observed: &mut Observed,
        policy: Policy,
        separator: &str,
    ) -> Result<HashMap<u32, u64>, EngineError> {
        let mut losers = Vec::new();
        let mut lost = HashMap::new();
        let mut fitter = Fitter::new(self.target.vendor.clone(), self.target.kind(), self.losses);
        let further = mem::take(&mut gathering.further);
        for (entity, rows) in &further {
            let state = &mut observed.states[*entity as usize];
            if !matches!(state.seen, Seen::Live(_)) {
                continue; // All its rows are rejected anyway.
            }
            let first = gathering.firsts[*entity as usize];
            let all: Vec<(u64, Vec<Wish>)> = std::iter::once(&first)
                .chain(rows)
                .map(|(row, want)| (*row, gathering.words.wishes(*want)))
                .collect();
            let claims: Vec<Claim<'_>> = all
                .iter()
                .map(|(row, wishes)| Claim { row: *row, wishes })
                .collect();
            let settled = collide::settle(&claims, policy, separator);
            let some_hold = settled.losers.len() < claims.len();
            let words = &mut gathering.words;
            state.want = some_hold.then(|| words.want_id(&settled.wishes));
            if policy == Policy::Join && some_hold {
                let losses = want_joined(state, &settled.wishes, &mut fitter, words);
                self.lost.entry(*entity).or_default().extend(losses);
            }
            lost.insert(*entity, settled.losers.len() as u64);
            losers.extend(settled.losers);
        }
        gathering.further = further;
        self.reject_losers(losers).await?;
        Ok(lost)
    }

    async fn reject_losers(&mut self, mut losers: Vec<collide::Loser>) -> Result<(), EngineError> {
        losers.sort_by_key(|loser| loser.row);
        for batch in losers.chunks(BATCH) {
            self.reject(Class::Collision, batch.len() as u64);
            let others: Vec<u64> = batch.iter().map(|loser| loser.other).collect();
            let places = self.ledger.row_places(self.run, &others).await?;
            let message = |loser: &collide::Loser| {
                let other = places
                    .get(&loser.other)
                    .map_or_else(|| "another row".to_owned(), ToString::to_string);
                let key = &loser.key;
                format!(
                    "asks for something else of `{key}` than {other} does; `collision` in [target] can choose"
                )
            };
            let rows: Vec<(u64, &str, String)> = batch
                .iter()
                .map(|loser| (loser.row, Class::Collision.as_str(), message(loser)))
                .collect();
            self.ledger.reject_rows(self.run, &rows).await?;
        }
        Ok(())
    }

    /// Finds out which of the tags that would go are rule-made, and which entities have no room left.
    async fn settle_ownership(
        &mut self,
        gathering: &mut Gathering,
        observed: &mut Observed,
        log: &RunLog,
    ) -> Result<(), EngineError> {
        let most = self.target.vendor.rules().tags_per_entity.unwrap_or(usize::MAX);
        let mut doubtful = Vec::new();
        let mut crowded = Vec::new();
        let mut memo = Memo::default();
        for (entity, want, live) in observed.found() {
            let actions = memo.actions(want, live.before, &gathering.words);
            let id = live.id(entity, &gathering.entities);
            let adds = actions.iter().filter(|action| !action.remove).count();
            // Where the whole set is written at once, what goes makes room for what comes.
            let leaving = match self.limits.grain {
                Grain::Delta => 0,
                Grain::WholeSet | Grain::Document => actions.len() - adds,
            };
            if adds > 0 && (live.tags as usize + adds).saturating_sub(leaving) > most {
                crowded.push((
                    entity,
                    id.to_owned(),
                    live.tags as usize,
                    adds.saturating_sub(leaving),
                ));
            }
            let ours = gathering.words.put_there(want);
            let going: Vec<_> = actions
                .iter()
                .filter(|action| action.remove && !ours.contains(&action.tag))
                .map(|action| action.tag.clone())
                .collect();
            if !going.is_empty() && live.undecided {
                let borne = [live.before, live.beside].map(|set| gathering.words.before(set));
                doubtful.push(Doubtful {
                    entity,
                    id: id.to_owned(),
                    tags: going,
                    borne: borne
                        .into_iter()
                        .flatten()
                        .filter(|present| !present.automatic)
                        .map(|present| present.tag)
                        .collect(),
                });
            }
        }
        for (entity, tags) in ownership::settle(self.target, log, self.limits, doubtful).await? {
            if let Seen::Live(live) = &mut observed.states[entity as usize].seen {
                let mut before = gathering.words.before(live.before);
                before
                    .iter_mut()
                    .filter(|present| tags.contains(&present.tag))
                    .for_each(|one| one.automatic = true);
                live.before = gathering.words.before_id(&before);
            }
        }
        for (entity, id, carried, adds) in crowded {
            // What can't be told counts as manual: a full entity is never emptied to make room.
            let manual = self
                .target
                .manual_tags(&id, log)
                .await?
                .map_or(carried, |manual| manual.0.len());
            if manual + adds > most {
                let room = Room {
                    manual,
                    most,
                    grain: self.limits.grain,
                };
                if self.losses.over_count == fit::OverCount::Drop
                    && !gathering.words.undoing
                    && let Some(losses) = crowded::leave_out(entity, room, gathering, observed)
                {
                    self.lost.entry(entity).or_default().extend(losses);
                    continue;
                }
                let why = format!(
                    "carries {manual} of at most {most} manual tags, and {adds} more are asked for; remove some first"
                );
                observed.states[entity as usize].seen = Seen::Barred(Class::Full, why);
            }
        }
        Ok(())
    }
}

/// Fits values that were joined, which are none that a row had, and gives back what they lose.
fn want_joined(state: &mut State, wishes: &[Wish], fitter: &mut Fitter, words: &mut Words) -> Vec<Loss> {
    match fitter.fit_joined(wishes, words) {
        Ok((wishes, losses)) => {
            state.want = Some(words.want_id(&wishes));
            losses
        }
        Err(why) => {
            state.seen = Seen::Barred(why.class, why.message);
            Vec::new()
        }
    }
}

fn stored(row: &Row) -> RowRow<'_> {
    let Row {
        id,
        file,
        line,
        entity,
        want,
        rejected,
        losses: _,
        live,
    } = row;
    let class = rejected.as_ref().map(|failure| failure.class.as_str());
    let message = rejected.as_ref().map(|failure| failure.message.as_str());
    (*id, *file, *line, *entity, *want, class, message, live.as_deref())
}
