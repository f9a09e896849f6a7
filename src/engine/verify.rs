//! Reads back what a run set out to do, with patience for writes that become visible late, and tells what differs.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::EngineError;
use super::change::bits_where;
use super::observe::Observer;
use super::target::Target;
use crate::diff;
use crate::event::{Event, Stage};
use crate::ledger::{Ledger, RunLine, Vocabulary};
use crate::model::{Action, DOCUMENT_KEY, LiveEntity, Origin, Present, Rule, Tag};
use crate::undo;

/// The first wait between two looks; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// What reading back found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entities that the run found and could work on.
    pub entities: u64,
    /// Those of them that were not looked at, since nothing of what they were to carry was confirmed.
    pub skipped: u64,
    /// What is otherwise than the run left it, in the order of the plan's entities.
    pub differences: Vec<Difference>,
}

/// An entity that is otherwise than a run left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where the first row of the entity stands in the inventory.
    pub origin: Option<Origin>,
    /// The vendor's identifier.
    pub entity: String,
    /// How it differs.
    pub finding: Finding,
}

/// How an entity differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is no longer there.
    Gone,
    /// The vendor does not show what it carries.
    Hidden,
    /// Tags that it should carry and does not, and tags that it should not carry and does.
    Tags {
        /// What is not there.
        lacks: Vec<Tag>,
        /// What should not be there.
        carries: Vec<Tag>,
    },
}

/// Compares what is live with what a run left, and looks again at what differs until `patience` ends. Keys of which
/// something failed, is open or in conflict are not looked at.
pub async fn verify(
    run: i64,
    target: &Target,
    ledger: &Ledger,
    patience: Duration,
) -> Result<Verified, EngineError> {
    verify_some(run, target, ledger, patience, |_| true).await
}

/// The same for some of the entities.
pub(super) async fn verify_some(
    run: i64,
    target: &Target,
    ledger: &Ledger,
    patience: Duration,
    is_meant: impl Fn(u32) -> bool,
) -> Result<Verified, EngineError> {
    let limits = target
        .vendor
        .limits(target.kind())
        .map_err(|error| EngineError::Job(error.to_string()))?;
    let log = ledger.run_log(run).await?;
    let left = Left {
        observer: Observer {
            target,
            ledger,
            log: &log,
            limits: &limits,
        },
        vocabulary: Vocabulary::load(ledger, run).await?,
    };
    let mut lines = ledger.run_lines(run).await?;
    lines.retain(|line| is_meant(line.entity));
    let entities: Vec<Lines<'_>> = lines.chunk_by(|one, other| one.entity == other.entity).collect();
    let (checked, skipped): (Vec<Lines<'_>>, Vec<Lines<'_>>) = entities
        .iter()
        .partition(|lines| lines.iter().any(|line| line.change == 0 || line.good != 0));
    target.events.tell(Event::StageBegan {
        stage: Stage::Observe,
        total: Some(checked.len() as u64),
    });
    let mut differing = left.differing(checked).await?;
    let (began, mut wait) = (Instant::now(), FIRST_WAIT);
    while !differing.is_empty() && began.elapsed() + wait <= patience && !target.connection().is_drained() {
        tokio::time::sleep(wait).await;
        wait *= 2;
        let again = differing.into_iter().map(|(lines, _)| lines).collect();
        differing = left.differing(again).await?;
    }
    target.events.tell(Event::StageEnded {
        stage: Stage::Observe,
    });
    let numbers: Vec<u32> = differing.iter().map(|(lines, _)| lines[0].entity).collect();
    let mut named = ledger.named(run, &numbers).await?;
    let difference = |(lines, finding): (Lines<'_>, Finding)| Difference {
        origin: named.remove(&lines[0].entity).and_then(|named| named.origin),
        entity: lines[0].id.to_string(),
        finding,
    };
    Ok(Verified {
        entities: entities.len() as u64,
        skipped: skipped.len() as u64,
        differences: differing.into_iter().map(difference).collect(),
    })
}

/// The lines of one entity.
type Lines<'a> = &'a [RunLine];

/// What a run left.
struct Left<'a> {
    observer: Observer<'a>,
    vocabulary: Vocabulary,
}

impl Left<'_> {
    /// Looks at some entities, and gives those that differ, in their order.
    async fn differing<'l>(
        &self,
        entities: Vec<Lines<'l>>,
    ) -> Result<Vec<(Lines<'l>, Finding)>, EngineError> {
        let Observer { target, limits, .. } = self.observer;
        let places: HashMap<&str, usize> = entities
            .iter()
            .enumerate()
            .map(|(place, lines)| (&*lines[0].id, place))
            .collect();
        // Where entities are made and deleted, one that is not there carries nothing.
        let unseen = |lines: &Lines<'_>| match limits.creations {
            0 => Some(Finding::Gone),
            _ => self.finding(lines, Some(Vec::new())),
        };
        let mut findings: Vec<Option<Option<Finding>>> = vec![None; entities.len()];
        let ids: Vec<&str> = entities.iter().map(|lines| &*lines[0].id).collect();
        self.observer
            .told(&ids, |entity: LiveEntity| {
                if let Some(place) = places.get(&*entity.id) {
                    let tags = entity
                        .tags
                        .map(|tags| tags.into_iter().map(|live| live.tag).collect());
                    findings[*place] = Some(self.finding(entities[*place], tags));
                }
            })
            .await?;
        let mut differing = Vec::new();
        for (lines, finding) in entities.into_iter().zip(findings) {
            match finding.unwrap_or_else(|| unseen(&lines)) {
                Some(finding) => differing.push((lines, finding)),
                None => target.events.tell(Event::Advanced { by: 1 }),
            }
        }
        Ok(differing)
    }

    /// How an entity that carries `live` differs; `None` when it does not.
    fn finding(&self, lines: Lines<'_>, live: Option<Vec<Tag>>) -> Option<Finding> {
        let Some(live) = live else {
            return Some(Finding::Hidden);
        };
        let (mut lacks, mut carries) = (BTreeSet::new(), BTreeSet::new());
        // All lines of an entity want the same and began from the same.
        let first = lines.first()?;
        let before = self.vocabulary.before(first.before);
        let live = self.present(first, &before, live);
        let left_out = self.left_out(lines);
        for action in self.still_to_do(first.want, &before, &live) {
            if !left_out.contains(&action.tag.key) {
                let differs = if action.remove { &mut carries } else { &mut lacks };
                differs.insert(action.tag);
            }
        }
        let is_so = lacks.is_empty() && carries.is_empty();
        (!is_so).then(|| Finding::Tags {
            lacks: lacks.into_iter().collect(),
            carries: carries.into_iter().collect(),
        })
    }

    /// What would make of `live` what was wanted.
    fn still_to_do(&self, want: u32, before: &[Present], live: &[Present]) -> Vec<Action> {
        if self.vocabulary.undoes() {
            let undone = undo::actions(&self.vocabulary.reversals(want), live);
            return [undone.actions, undone.foreign].concat();
        }
        let mut wishes = self.vocabulary.wishes(want);
        // An `update` of a key that was not there asked for nothing.
        wishes.retain(|wish| {
            wish.rule != Rule::Update || before.iter().any(|present| present.tag.key == wish.tag.key)
        });
        diff::actions(&wishes, live)
    }

    /// The live tags, with those that were known to be rule-made marked, and documents that say the same written alike.
    fn present(&self, line: &RunLine, before: &[Present], live: Vec<Tag>) -> Vec<Present> {
        let known = || {
            let actions = self.vocabulary.actions(line.change).into_iter();
            let wishes = self.vocabulary.wishes(line.want).into_iter();
            let before = before.iter().map(|present| present.tag.clone());
            actions
                .map(|action| action.tag)
                .chain(wishes.map(|wish| wish.tag))
                .chain(before)
        };
        let present = |tag: Tag| {
            let same = (tag.key == DOCUMENT_KEY)
                .then(known)
                .into_iter()
                .flatten()
                .find(|known| known.key == tag.key && self.observer.target.vendor.same(known, &tag));
            let automatic = before
                .iter()
                .any(|present| present.automatic && present.tag == tag);
            Present {
                tag: same.unwrap_or(tag),
                automatic,
            }
        };
        live.into_iter().map(present).collect()
    }

    /// The keys of which something is neither done nor found so.
    fn left_out(&self, lines: Lines<'_>) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for line in lines {
            let actions = self.vocabulary.actions(line.change);
            let all = bits_where(&actions, |_| true);
            let left = (0..)
                .zip(actions)
                .filter(|(bit, _)| (all & !line.good) >> bit & 1 == 1);
            keys.extend(left.map(|(_, action)| action.tag.key));
        }
        keys
    }
}
