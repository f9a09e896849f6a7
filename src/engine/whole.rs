//! Whole sets and documents: an entity is observed just before it is written, what is live and what is wanted are merged,
//! and the result is written at once. So there are never two calls for one entity, and what others wrote until then stays.

use std::collections::{BTreeSet, HashMap};

use futures::future::LocalBoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::EngineError;
use super::apply::{GONE, Run, TAG_OVERHEAD};
use super::draft::HIDDEN;
use super::ends::{End, Once};
use super::journal::CallJournal;
use super::wave::Doubt;
use crate::ledger::LineBits;
use crate::model::{Call, Class, Failure, Limits, LiveEntity, Tag, Whole};

/// The open lines of one entity.
type Places<'a> = &'a [usize];

/// An entity as it is to be written.
#[derive(Debug)]
struct Merged {
    id: String,
    /// Its lines, by their places in the run's work, and the operations that are written for each.
    places: Vec<usize>,
    lines: Vec<LineBits>,
    add: Vec<Tag>,
    remove: Vec<Tag>,
    whole: Whole,
}

impl Run<'_> {
    /// Observes, merges and writes what is open, entity by entity. Gives back what is in doubt.
    pub(super) async fn whole_wave(&self) -> Result<Vec<Doubt>, EngineError> {
        let open: Vec<usize> = (0..self.lines.len())
            .filter(|place| self.lines[*place].open.get() != 0)
            .collect();
        // The lines of one entity stand together.
        let entities: Vec<Places<'_>> = open
            .chunk_by(|one, other| self.lines[*one].of.id == self.lines[*other].of.id)
            .collect();
        if self.limits.observe_ids.is_some() {
            let each = entities.into_iter().map(|places| self.one(places));
            return stream::iter(each)
                .buffer_unordered(self.target.concurrency)
                .try_concat()
                .await;
        }
        self.by_one_listing(entities).await
    }

    /// Observes one entity and writes it.
    async fn one(&self, places: Places<'_>) -> Result<Vec<Doubt>, EngineError> {
        if self.must_stop() {
            return Ok(Vec::new());
        }
        let id = &*self.lines[places[0]].of.id;
        let mut live = None;
        let looked = self
            .observer()
            .by_id(&[id], 1, &mut |entity| live = (entity.id == id).then_some(entity))
            .await;
        match looked {
            Ok(()) => {}
            // The connection goes on, so it is this entity that can't be looked at.
            Err(EngineError::Stopped { reason, .. }) if !self.must_stop() => {
                let why = format!("it can't be looked at before it is written: {reason}");
                let settled = places
                    .iter()
                    .map(|place| self.fails(*place, Class::Refused, &why));
                self.commit(settled.collect()).await?;
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        }
        match self.merge(places, live).await? {
            Some(merged) => self.write(vec![merged]).await,
            None => Ok(Vec::new()),
        }
    }

    /// Where the vendor can't be asked for one entity: everything is listed once. What is new goes several to a call, as
    /// far as the vendor takes them.
    async fn by_one_listing(&self, entities: Vec<Places<'_>>) -> Result<Vec<Doubt>, EngineError> {
        let mut live: HashMap<String, LiveEntity> = HashMap::new();
        self.observer()
            .listing(&mut |entity| drop(live.insert(entity.id.clone(), entity)))
            .await?;
        let (mut there, mut fresh) = (Vec::new(), Vec::new());
        for places in entities {
            let found = live.remove(&*self.lines[places[0]].of.id);
            if let Some(merged) = self.merge(places, found).await? {
                if merged.whole.exists {
                    there.push(vec![merged]);
                } else {
                    fresh.push(merged);
                }
            }
        }
        there.extend(self.batches(fresh));
        stream::iter(there.into_iter().map(|call| self.write(call)))
            .buffer_unordered(self.target.concurrency)
            .try_concat()
            .await
    }

    /// What is to be made, as many to a call as the vendor takes.
    fn batches(&self, fresh: Vec<Merged>) -> Vec<Vec<Merged>> {
        let sizes = fresh.iter().map(|one| one.whole.tags.iter().map(bytes_of).sum());
        let lengths = runs(sizes, self.limits);
        let mut fresh = fresh.into_iter();
        let batch = |length| fresh.by_ref().take(length).collect();
        lengths.into_iter().map(batch).collect()
    }

    /// Settles what is so already and what somebody else has changed; `None` when nothing is left to write.
    async fn merge(
        &self,
        places: Places<'_>,
        live: Option<LiveEntity>,
    ) -> Result<Option<Merged>, EngineError> {
        let fail = async |class: Class, why: &str| {
            let settled = places.iter().map(|place| self.fails(*place, class, why));
            self.commit(settled.collect()).await.map(|()| None)
        };
        let id = self.lines[places[0]].of.id.to_string();
        let exists = live.is_some();
        let handle = live.as_ref().and_then(|entity| entity.handle.clone());
        let mut tags = match live.map(LiveEntity::carried) {
            Some(Some(tags)) => tags,
            Some(None) => return fail(Class::Hidden, HIDDEN).await,
            None if self.limits.creations > 0 => BTreeSet::new(),
            None => return fail(Class::Missing, GONE).await,
        };
        let mut settled = Vec::new();
        for place in places {
            tags = self.as_known(&self.lines[*place], tags);
            self.reconcile(*place, Some(&tags), &mut settled);
        }
        self.commit(settled).await?;
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        let lines = places.iter().map(|place| {
            let line = &self.lines[*place];
            let bits = line.open.get();
            for (bit, action) in self.actions(line).into_iter().enumerate() {
                if bits >> bit & 1 == 1 {
                    (if action.remove { &mut remove } else { &mut add }).push(action.tag);
                }
            }
            line.bits(bits)
        });
        let lines: Vec<LineBits> = lines.collect();
        if add.is_empty() && remove.is_empty() {
            return Ok(None);
        }
        tags.retain(|tag| !remove.contains(tag));
        tags.extend(add.iter().cloned());
        let most = self.target.vendor.rules().tags_per_entity;
        if let Some(most) = most.filter(|most| tags.len() > *most && !add.is_empty()) {
            let why = format!(
                "it would carry {} tags, and at most {most} are allowed; remove some first",
                tags.len()
            );
            return fail(Class::Full, &why).await;
        }
        Ok(Some(Merged {
            id,
            places: places.to_vec(),
            lines,
            add,
            remove,
            whole: Whole {
                tags: tags.into_iter().collect(),
                exists,
                handle,
            },
        }))
    }

    /// Writes entities in one call, and settles what its answer says of each. One that is refused as a whole is halved.
    fn write(&self, merged: Vec<Merged>) -> LocalBoxFuture<'_, Result<Vec<Doubt>, EngineError>> {
        Box::pin(self.write_once(merged))
    }

    async fn write_once(&self, merged: Vec<Merged>) -> Result<Vec<Doubt>, EngineError> {
        let call = Call {
            kind: self.target.kind().to_owned(),
            entities: merged.iter().map(|one| one.id.clone()).collect(),
            add: merged.iter().flat_map(|one| one.add.clone()).collect(),
            remove: merged.iter().flat_map(|one| one.remove.clone()).collect(),
            plain_add: false,
            wholes: merged.iter().map(|one| one.whole.clone()).collect(),
        };
        let places: Vec<usize> = merged.iter().flat_map(|one| one.places.iter().copied()).collect();
        let lines: Vec<LineBits> = merged.iter().flat_map(|one| one.lines.iter().copied()).collect();
        let carried = places.iter().copied().zip(lines.iter().copied());
        let once = self.send_whole(&call, &places, &lines).await?;
        let ends = match once {
            Once::Ends(ends) => ends,
            Once::Split(reason) if merged.len() == 1 => {
                vec![End::Failed(Failure::new(Class::Refused, reason))]
            }
            Once::Split(_) => {
                let mut one = merged;
                let other = one.split_off(one.len() / 2);
                let mut doubts = self.write(one).await?;
                doubts.extend(self.write(other).await?);
                return Ok(doubts);
            }
        };
        // Every line of an entity ends as the entity does.
        let of_lines = merged
            .iter()
            .zip(ends)
            .flat_map(|(one, end)| vec![end; one.places.len()]);
        self.settle_ends(carried, of_lines.collect()).await
    }

    async fn send_whole(
        &self,
        call: &Call,
        places: &[usize],
        lines: &[LineBits],
    ) -> Result<Once, EngineError> {
        let all = |end: End| Ok(Once::all(end, call.entities.len()));
        let request = match self.target.vendor.encode(call) {
            Ok(request) => request,
            Err(error) => {
                return all(End::Failed(Failure::new(Class::Unsupported, error.to_string())));
            }
        };
        if self.must_stop() {
            return all(End::Open);
        }
        for (place, line) in places.iter().zip(lines) {
            self.attempt(*place, *line);
        }
        let journal = CallJournal::new(&self.log, call.entities.len(), lines);
        let sent = self.target.send(&request, &journal).await;
        self.ended(call, sent)
    }
}

/// Entities to be made, of so many bytes each, cut into calls: how many are in each.
pub(super) fn runs(sizes: impl Iterator<Item = usize>, limits: &Limits) -> Vec<usize> {
    let (mut lengths, mut bytes) = (Vec::<usize>::new(), 0);
    for size in sizes {
        bytes += size;
        match lengths.last_mut() {
            Some(length) if *length < limits.creations && bytes <= limits.body_bytes => *length += 1,
            _ => {
                bytes = size;
                lengths.push(1);
            }
        }
    }
    lengths
}

/// Bytes that a tag takes in a request, generously.
pub(super) fn bytes_of(tag: &Tag) -> usize {
    tag.key.len() + tag.value.as_ref().map_or(0, String::len) + TAG_OVERHEAD
}
