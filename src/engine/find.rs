//! Finds the live entities of rows that name them by several ways, or on which somebody has decided: the kind is listed
//! once, every number of the gathering is answered for, and those that turn out to be one entity are joined.

use super::EngineError;
use super::gather::Gathering;
use super::joins::Joins;
use super::observe::Observer;
use super::observed::{Observed, Seen};
use super::shelf::Shelf;
use crate::event::Event;
use crate::inventory;
use crate::mapping::LiveKey;
use crate::model::{Grain, Listing, LiveEntity};
use crate::resolve::{Answer, Named, Search};

/// Rows moved at once.
const BATCH: usize = 20_000;

/// What was found.
pub(super) struct Found {
    pub(super) observed: Observed,
    /// How many entities the rows name, now that those that are the same count once.
    pub(super) entities: u64,
    /// What is to be told about it, a sentence each.
    pub(super) facts: Vec<String>,
}

/// Finds them, and moves rows in the ledger to the entity that theirs turned out to be.
pub(super) async fn find(
    observer: &Observer<'_>,
    run: i64,
    gathering: &mut Gathering,
    named: &Named,
) -> Result<Found, EngineError> {
    let mut keys = Keys::new(gathering.live_key.take());
    let (search, shelf) = if named.needs_listing() {
        let (search, shelf) = listed(observer, named, &mut keys).await?;
        (search, Some(shelf))
    } else {
        (Search::unlisted(named), None)
    };
    let numbers = (0..).take(named.len());
    let answers: Vec<Answer> = numbers.map(|number| search.answer(named, number)).collect();
    let joins = Joins::new(named, &answers, &*observer.target.vendor, observer.target.kind());
    let moves = joins.apply(gathering);
    for batch in moves.chunks(BATCH) {
        observer.ledger.move_rows(run, batch).await?;
    }
    let mut observed = answered(gathering, &joins, &answers);
    see(observer, gathering, &mut observed, shelf, &answers).await?;
    Ok(Found {
        observed,
        entities: joins.are_first().filter(|is_first| *is_first).count() as u64,
        facts: keys.told(observer.target.kind()).into_iter().collect(),
    })
}

/// What the answers alone tell; those that lead to a live entity wait for what it carries.
fn answered(gathering: &Gathering, joins: &Joins, answers: &[Answer]) -> Observed {
    let mut observed = Observed::new(gathering);
    let states = observed.states.iter_mut().zip(answers);
    for ((state, answer), is_first) in states.zip(joins.are_first()) {
        state.seen = match answer {
            _ if !is_first => Seen::Elsewhere,
            Answer::Ambiguous(way, count, ids) => Seen::Ambiguous(*way, *count, ids.clone()),
            Answer::Skipped => Seen::Skipped,
            Answer::Live(_) | Answer::Missing | Answer::Astray => Seen::Missing,
        };
    }
    observed
}

/// Lists the kind, and puts by what the rows may mean.
async fn listed(
    observer: &Observer<'_>,
    named: &Named,
    keys: &mut Keys,
) -> Result<(Search, Shelf), EngineError> {
    let (kind, vendor) = (observer.target.kind(), &observer.target.vendor);
    if observer.limits.lists != Listing::Whole {
        return Err(EngineError::Job(format!(
            "neither names nor a match of {kind} can be resolved at this vendor, which lists none: use `entity` alone in \
             [target]"
        )));
    }
    let (mut search, mut shelf) = (Search::among_all(named), Shelf::new());
    let mut see = |live: LiveEntity| {
        let key = keys.of(&live, kind, observer.limits.grain);
        let name = live.name.as_deref().map(|name| vendor.fold_name(name));
        if search.see(named, &live.id, key.as_deref(), name.as_deref()) {
            shelf.put(&live);
        }
    };
    observer.listing(&mut see).await?;
    Ok((search, shelf))
}

/// Takes in what the found entities carry: as the listing told it, or by asking for them.
async fn see(
    observer: &Observer<'_>,
    gathering: &mut Gathering,
    observed: &mut Observed,
    shelf: Option<Shelf>,
    answers: &[Answer],
) -> Result<(), EngineError> {
    let Gathering {
        entities,
        words,
        further,
        ..
    } = gathering;
    let mut see = |live: LiveEntity| {
        if observed.see(&live, entities, words, further, &*observer.target.vendor) {
            observer.target.events.tell(Event::Advanced { by: 1 });
        }
    };
    if let Some(shelf) = shelf {
        shelf.entities().for_each(see);
        return Ok(());
    }
    // Joined numbers have a text that is no identifier, and only the first of them is asked for.
    let asked = (0..).zip(answers).filter_map(|(number, answer)| match answer {
        Answer::Live(id) if entities.text(number) == &**id => Some(entities.text(number)),
        _ => None,
    });
    let asked: Vec<&str> = asked.collect();
    observer.entities(&asked, &mut see).await
}

/// The keys of the declared rule, and why some entities have none.
struct Keys {
    rule: Option<LiveKey>,
    seen: u64,
    failed: u64,
    first: Option<String>,
}

impl Keys {
    fn new(rule: Option<LiveKey>) -> Self {
        Self {
            rule,
            seen: 0,
            failed: 0,
            first: None,
        }
    }

    /// The key of a live entity. One that hides its tags is asked for what it shows.
    fn of(&mut self, live: &LiveEntity, kind: &str, grain: Grain) -> Option<String> {
        let rule = self.rule.as_mut()?;
        self.seen += 1;
        let record = match grain {
            Grain::Document => inventory::outline(live, kind),
            Grain::Delta | Grain::WholeSet => {
                inventory::record(live, kind, grain).unwrap_or_else(|_| inventory::outline(live, kind))
            }
        };
        rule.of(record).unwrap_or_else(|why| {
            self.failed += 1;
            self.first.get_or_insert_with(|| format!("{}: {why}", live.id));
            None
        })
    }

    /// How many entities have no key because the template fails on them.
    fn told(&self, kind: &str) -> Option<String> {
        let first = self.first.as_ref()?;
        Some(format!(
            "match: {} of {} live {kind} have no key, since the template fails; {first}",
            self.failed, self.seen
        ))
    }
}
