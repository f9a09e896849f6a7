//! Keys that take the place of others: what is new is seen at the vendor before what is old goes.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::EngineError;
use super::apply::Run;
use super::change::bits_where;
use crate::model::{Class, LiveEntity, Tag};

/// How long is looked for what is new. After it the old stays.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first wait between two looks; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);

impl Run<'_> {
    /// Reads back what this run has put in the place of something else, before that goes.
    pub(super) async fn see_replacements(&self) -> Result<(), EngineError> {
        let mut unseen: Vec<usize> = (0..self.lines.len())
            .filter(|place| self.replaces_unseen(*place))
            .collect();
        let (began, mut wait) = (Instant::now(), FIRST_WAIT);
        while !unseen.is_empty() && !self.must_stop() {
            let seen = self.look_for(&unseen).await?;
            unseen.retain(|place| !seen.contains(place));
            for place in seen {
                self.lines[place].seen.set(true);
            }
            if unseen.is_empty() || began.elapsed() + wait > PATIENCE {
                break;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        if self.must_stop() {
            return Ok(()); // What is open stays open.
        }
        let why = "what replaces it was accepted and can't be seen there, so it stays";
        let settled = unseen.into_iter().map(|place| {
            let (_, mut settlement) = self.fails(place, Class::Invisible, why);
            settlement.line.bits &= self.change(&self.lines[place]).retires;
            (place, settlement)
        });
        self.commit(settled.collect()).await
    }

    /// Whether something of a line may go now in whose place this run has put something that it has not seen since.
    fn replaces_unseen(&self, place: usize) -> bool {
        let line = &self.lines[place];
        let change = self.change(line);
        let came = line.attempted.get() & line.good.get() & !change.removes;
        line.open.get() & change.retires != 0 && came != 0 && !line.seen.get()
    }

    /// The lines among `places` whose new tags are all there.
    async fn look_for(&self, places: &[usize]) -> Result<HashSet<usize>, EngineError> {
        let mut ids: Vec<(&str, usize)> = places
            .iter()
            .map(|place| (&*self.lines[*place].of.id, *place))
            .collect();
        ids.sort_unstable();
        let mut seen = HashSet::new();
        let mut named: Vec<&str> = ids.iter().map(|(id, _)| *id).collect();
        named.dedup();
        self.observer()
            .told(&named, |entity: LiveEntity| {
                let from = ids.partition_point(|(id, _)| *id < entity.id.as_str());
                let places = ids[from..].iter().take_while(|(id, _)| *id == entity.id);
                let places: Vec<usize> = places.map(|(_, place)| *place).collect();
                let Some(tags) = entity.carried() else { return };
                seen.extend(places.into_iter().filter(|place| self.has_come(*place, &tags)));
            })
            .await?;
        Ok(seen)
    }

    fn has_come(&self, place: usize, live: &BTreeSet<Tag>) -> bool {
        let line = &self.lines[place];
        let actions = self.actions(line);
        let came = bits_where(&actions, |action| !action.remove) & line.good.get();
        (0..)
            .zip(&actions)
            .filter(|(bit, _)| came >> bit & 1 == 1)
            .all(|(_, action)| live.contains(&action.tag))
    }
}
