//! Keys that stay for a while beside the ones that take their place, across the runs of a job.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::EngineError;
use super::draft::Memo;
use super::gather::Gathering;
use super::observed::Observed;
use super::plan::{BATCH, Planner};
use crate::fit;
use crate::ledger::{Dweller, Ledger, now_ms};
use crate::model::{Action, Rule, Tag};
use crate::vendor::Vendor;

/// How long keys stay beside those that take their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dwell {
    /// How long, from when what takes their place is there.
    pub length: Duration,
    /// The keys that stay, each with those that take its place.
    pub replaced: BTreeMap<String, BTreeSet<String>>,
}

/// Whose keys stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rests<'a> {
    pub(super) job: &'a str,
    /// `None` lets them go at once.
    pub(super) dwell: Option<&'a Dwell>,
    /// Whether the plan takes up an earlier run again.
    pub(super) follows: bool,
}

/// What is to be done about a key that another has taken the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stay {
    /// What takes its place comes with this run: it stays, and its time begins when that run has ended.
    Comes,
    /// What takes its place is there, and was not known to be: it stays, and its time begins now.
    Begins,
    /// Its time goes on.
    Rests,
    /// Its time is over: it goes.
    Over,
}

/// How long a key still stays: `comes` says whether this run brings what takes its place, `since` when that was there
/// first, where anybody knows. A clock that was set back makes it stay longer.
fn stay(comes: bool, since: Option<i64>, now: i64, length: Duration) -> Stay {
    let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    match since {
        _ if comes => Stay::Comes,
        None => Stay::Begins,
        Some(since) if now.saturating_sub(since) >= length => Stay::Over,
        Some(_) => Stay::Rests,
    }
}

/// Takes out of what is wanted the keys whose time is not over. Gives back the entities on which some stay.
pub(super) async fn rest(
    planner: &Planner<'_>,
    about: Rests<'_>,
    gathering: &mut Gathering,
    observed: &mut Observed,
) -> Result<Vec<u32>, EngineError> {
    let Some(dwell) = about.dwell else {
        return Ok(Vec::new());
    };
    let Planner {
        target, ledger, run, ..
    } = planner;
    let mut stays = Stays {
        follows: about.follows,
        dwell: dwell.as_kept(&*target.vendor),
        known: ledger.dwellers(about.job, target.plan_target()).await?,
        now: now_ms(),
        kept: Vec::new(),
        over: Vec::new(),
    };
    let mut memo = Memo::default();
    let mut wants = Vec::new();
    for (entity, want, live) in observed.found() {
        let actions = memo.actions(want, live.before, &gathering.words);
        let named = || gathering.words.named(want);
        let staying = stays.of(live.id(entity, &gathering.entities), actions, named);
        if !staying.is_empty() {
            wants.push((entity, want, staying));
        }
    }
    let resting = wants.iter().map(|(entity, ..)| *entity).collect();
    for (entity, want, staying) in wants {
        let mut wishes = gathering.words.wishes(want);
        wishes.retain(|wish| wish.rule != Rule::Retire || !staying.contains(&wish.tag.key));
        observed.states[entity as usize].want = Some(gathering.words.want_id(&wishes));
    }
    stays.save(*run, ledger).await?;
    Ok(resting)
}

impl Dwell {
    /// The same with keys as the vendor hands them back.
    fn as_kept(&self, vendor: &dyn Vendor) -> Self {
        let kept = |key: &String| fit::kept_key(key, |tag| vendor.kept(tag));
        let replaced = self.replaced.iter();
        Self {
            length: self.length,
            replaced: replaced
                .map(|(key, by)| (kept(key), by.iter().map(kept).collect()))
                .collect(),
        }
    }
}

struct Stays {
    /// Whether the plan takes up an earlier run again: then no key goes or stays by it, but what it brings is new.
    follows: bool,
    dwell: Dwell,
    known: HashMap<Dweller, Option<i64>>,
    now: i64,
    /// What the ledger is to keep, and whether this run brings what takes its place.
    kept: Vec<(Dweller, bool)>,
    /// What is gone.
    over: Vec<Dweller>,
}

impl Stays {
    /// The keys of an entity that stay; `named` gives the tags that are wanted of it.
    fn of(&mut self, id: &str, actions: &[Action], named: impl Fn() -> Vec<Tag>) -> Vec<String> {
        let mut staying = Vec::new();
        for (key, by) in &self.dwell.replaced {
            let comes = actions
                .iter()
                .any(|action| !action.remove && by.contains(&action.tag.key));
            let goes = |action: &Action| action.rule == Rule::Retire && action.tag.key == *key;
            let dweller = (id.to_owned(), key.clone());
            let since = self.known.get(&dweller);
            if self.follows {
                self.kept
                    .extend((comes && since.is_some()).then_some((dweller, true)));
                continue;
            }
            if !actions.iter().any(goes) {
                // What is not asked for this time may still be there.
                let is_gone = since.is_some() && named().iter().any(|tag| tag.key == *key);
                self.over.extend(is_gone.then_some(dweller));
                continue;
            }
            match stay(comes, since.copied().flatten(), self.now, self.dwell.length) {
                Stay::Over => continue, // It is forgotten by the plan that finds it gone.
                Stay::Rests => {}
                stay => self.kept.push((dweller, stay == Stay::Comes)),
            }
            staying.push(key.clone());
        }
        staying
    }

    async fn save(&self, run: i64, ledger: &Ledger) -> Result<(), EngineError> {
        for batch in self.kept.chunks(BATCH) {
            let rows = batch.iter();
            let rows: Vec<_> = rows
                .map(|((id, key), comes)| (id.as_str(), key.as_str(), *comes, self.now))
                .collect();
            ledger.keep_dwellers(run, &rows).await?;
        }
        for batch in self.over.chunks(BATCH) {
            ledger
                .forget_dwellers(run, &batch.iter().collect::<Vec<_>>())
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_until_what_takes_its_place_was_there_for_long_enough() {
        let hour = Duration::from_hours(1);
        let ms = 3_600_000;
        for (comes, since, now, want) in [
            (true, None, 0, Stay::Comes),
            (true, Some(0), 9 * ms, Stay::Comes),
            (false, None, 9 * ms, Stay::Begins),
            (false, Some(ms), ms, Stay::Rests),
            (false, Some(ms), 2 * ms - 1, Stay::Rests),
            (false, Some(ms), 2 * ms, Stay::Over),
            (false, Some(9 * ms), ms, Stay::Rests),
            (false, Some(i64::MIN), i64::MAX, Stay::Over),
        ] {
            assert_eq!(stay(comes, since, now, hour), want, "{comes} {since:?} {now}");
        }
    }

    #[test]
    fn what_a_run_takes_up_again_makes_the_time_begin_anew_and_nothing_stay() {
        let action = |rule, remove, key: &str| Action {
            rule,
            remove,
            tag: Tag::new(key, Some("x")),
        };
        let (comes, goes) = (
            action(Rule::Set, false, "stage"),
            action(Rule::Retire, true, "env"),
        );
        let dweller = ("H-1".to_owned(), "env".to_owned());
        let stays = |follows, known: bool| Stays {
            follows,
            dwell: Dwell {
                length: Duration::from_hours(1),
                replaced: [("env".to_owned(), ["stage".to_owned()].into())].into(),
            },
            known: known.then(|| (dweller.clone(), Some(0))).into_iter().collect(),
            now: 1,
            kept: Vec::new(),
            over: Vec::new(),
        };
        let asked = || vec![Tag::new("stage", Some("x")), Tag::new("env", None::<String>)];
        let of = |mut stays: Stays, actions: &[Action], asked: Vec<Tag>| {
            let staying = stays.of("H-1", actions, || asked.clone());
            (staying.len(), stays.kept, stays.over)
        };
        let brought = vec![(dweller.clone(), true)];
        for (follows, known, actions, asked, want) in [
            (
                true,
                true,
                vec![comes.clone()],
                asked(),
                (0, brought.clone(), vec![]),
            ),
            (true, false, vec![comes.clone()], asked(), (0, vec![], vec![])),
            (true, true, vec![goes.clone()], asked(), (0, vec![], vec![])),
            (
                false,
                true,
                vec![comes, goes.clone()],
                asked(),
                (1, brought, vec![]),
            ),
            (false, true, vec![goes], asked(), (1, vec![], vec![])),
            (false, true, vec![], asked(), (0, vec![], vec![dweller.clone()])),
            (false, true, vec![], vec![], (0, vec![], vec![])),
        ] {
            let shown = format!("{follows} {known} {actions:?}");
            assert_eq!(of(stays(follows, known), &actions, asked), want, "{shown}");
        }
    }
}
