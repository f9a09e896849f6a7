//! One wave of calls: what is open and of one direction is packed, sent and settled; what an answer could not tell is
//! handed back.

use std::collections::HashMap;

use futures::future::LocalBoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::EngineError;
use super::apply::Run;
use super::ends::{End, Once};
use super::journal::CallJournal;
use crate::ledger::{Intent, LineBits};
use crate::model::{Call, Class, Failure, Tag};
use crate::pack::{self, GOES, Packed, Room, Wanted};
use crate::wire::{AttemptId, Request};

/// Which way a wave goes. Adds come first, so that a value is never off an entity in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Tags are added and removed in one call.
    Together,
    /// Tags are added.
    Add,
    /// Tags are removed.
    Remove,
}

/// Operations that an answer could not settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The line, by its place in the run's work.
    pub(super) place: usize,
    /// The operations.
    pub(super) bits: u64,
    /// What they fail with when observing does not find them done.
    pub(super) failure: Failure,
}

/// A call that is ready to be sent.
struct Claimed {
    packed: Packed,
    call: Call,
    /// The vendor's request, or why there is none.
    request: Result<Request, String>,
    /// The operations that it carries.
    lines: Vec<LineBits>,
    /// The attempt under which it is in the ledger already.
    attempt: Option<AttemptId>,
}

impl Claimed {
    fn intent(&self) -> Option<Intent<'_>> {
        let request = self.request.as_ref().ok()?;
        Some(Intent {
            request,
            entities: self.call.entities.len(),
            lines: &self.lines,
        })
    }
}

/// Pages of calls that are committed while another is sent.
const PAGES_AHEAD: usize = 2;

/// Calls under way for each that may be in flight: the others wait for their settlement to be committed.
const CALLS_A_SLOT: usize = 4;

impl Run<'_> {
    /// Packs and sends what is open of a direction. Gives back what is in doubt.
    pub(super) async fn wave(&self, direction: Direction) -> Result<Vec<Doubt>, EngineError> {
        let a_page = self.target.concurrency;
        let calls = self.pack(direction);
        let pages = calls.chunks(a_page).map(|page| self.claim(page));
        stream::iter(pages)
            .buffered(PAGES_AHEAD)
            .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
            .try_flatten()
            .map_ok(|claimed| self.call(claimed))
            .try_buffer_unordered(a_page * CALLS_A_SLOT)
            .try_concat()
            .await
    }

    /// Commits the first attempts of some calls together, so that a slot never waits for the disk. There are never more
    /// of them ahead than `PAGES_AHEAD` times what may be in flight.
    async fn claim(&self, page: &[Packed]) -> Result<Vec<Claimed>, EngineError> {
        if !self.may_send() {
            return Ok(Vec::new());
        }
        let mut claimed: Vec<Claimed> = page.iter().map(|packed| self.prepare(packed.clone())).collect();
        let intents: Vec<Intent<'_>> = claimed.iter().filter_map(Claimed::intent).collect();
        let attempts = self.log.intend_all(&intents).await?;
        let sendable = claimed.iter_mut().filter(|one| one.request.is_ok());
        for (one, attempt) in sendable.zip(attempts) {
            one.attempt = Some(attempt);
        }
        Ok(claimed)
    }

    fn prepare(&self, packed: Packed) -> Claimed {
        let lines = self.carried(&packed);
        let call = self.spelled(&packed, &lines);
        let request = self
            .target
            .vendor
            .encode(&call)
            .map_err(|error| error.to_string());
        Claimed {
            packed,
            call,
            request,
            lines,
            attempt: None,
        }
    }

    /// What is open of a direction and may go now, in as few calls as possible.
    pub(super) fn pack(&self, direction: Direction) -> Vec<Packed> {
        let limits = self.limits;
        let together = direction == Direction::Together;
        let most = match direction {
            Direction::Together => limits.adds.min(limits.removes),
            Direction::Add => limits.adds,
            Direction::Remove => limits.removes,
        };
        let mut longest = 0;
        let mut wanted = Vec::new();
        for (place, line) in (0..).zip(&self.lines) {
            let ready = self.ready(line, direction);
            let tags = self.change(line).tags.iter().enumerate();
            let mut tags: Vec<u32> = tags
                .filter(|(bit, _)| ready >> bit & 1 == 1)
                .map(|(_, tag)| *tag)
                .collect();
            tags.sort_unstable();
            // Two rules of a row may ask for the same tag.
            tags.dedup();
            if together && tags.len() > most {
                // Cut in two, what goes could go before what replaces it comes.
                line.apart.set(true);
            } else if !tags.is_empty() {
                longest = longest.max(line.of.id.len());
                wanted.push(Wanted { entity: place, tags });
            }
        }
        let room = Room {
            entities: limits.entities_a_call(longest),
            tags: most.max(1),
            whole_sets: false,
            bytes: limits.body_bytes,
            weights: &self.weights,
        };
        // What only comes may be taken apart in any way; where something goes, a repeated call must not undo anything.
        let goes = |one: &Wanted| one.tags.last().is_some_and(|tag| tag & GOES != 0);
        let (exact, free): (Vec<Wanted>, Vec<Wanted>) =
            wanted.into_iter().partition(|one| limits.together && goes(one));
        let exactly = Room {
            whole_sets: true,
            ..room
        };
        let mut calls = pack::calls(&free, &room);
        calls.extend(pack::calls(&exact, &exactly));
        calls
    }

    /// Sends a call, and its halves as long as the vendor refuses it as a whole.
    async fn call(&self, claimed: Claimed) -> Result<Vec<Doubt>, EngineError> {
        match self.once(&claimed).await? {
            Once::Ends(ends) => self.settle(claimed, ends).await,
            // The simpler request was refused: the other one is tried, since it has been attempted now.
            Once::Split(_) if claimed.call.plain_add => self.call_again(self.prepare(claimed.packed)).await,
            Once::Split(reason) => self.split(claimed, reason).await,
        }
    }

    fn call_again(&self, claimed: Claimed) -> LocalBoxFuture<'_, Result<Vec<Doubt>, EngineError>> {
        Box::pin(self.call(claimed))
    }

    /// Halves by entity, then by tag. Halves of the entities that are refused with the same message share what is wrong,
    /// so the tags are halved instead; when those are too, it is not about any part of the call. A call that adds and
    /// removes is not halved by tag: what comes goes first, and what it replaces after that.
    fn split(&self, claimed: Claimed, reason: String) -> LocalBoxFuture<'_, Result<Vec<Doubt>, EngineError>> {
        Box::pin(async move {
            let mut reason = reason;
            let mixed = !claimed.call.add.is_empty() && !claimed.call.remove.is_empty();
            let by_tag = if mixed { None } else { by_tag(&claimed.packed) };
            for halves in [by_entity(&claimed.packed), by_tag] {
                let Some((one, other)) = halves else { continue };
                let one = self.prepare(one);
                let first = self.once(&one).await?;
                let other = self.prepare(other);
                let second = self.once(&other).await?;
                if let (Once::Split(why), Once::Split(same)) = (&first, &second)
                    && why == same
                {
                    reason.clone_from(why);
                    continue;
                }
                let mut doubts = Vec::new();
                for (half, once) in [(one, first), (other, second)] {
                    doubts.extend(match once {
                        Once::Ends(ends) => self.settle(half, ends).await?,
                        Once::Split(reason) => self.split(half, reason).await?,
                    });
                }
                return Ok(doubts);
            }
            let end = if mixed {
                for place in &claimed.packed.entities {
                    self.lines[*place as usize].apart.set(true);
                }
                End::Open
            } else {
                End::Failed(Failure::new(Class::Refused, reason))
            };
            let ends = vec![end; claimed.packed.entities.len()];
            self.settle(claimed, ends).await
        })
    }

    async fn once(&self, claimed: &Claimed) -> Result<Once, EngineError> {
        let Claimed {
            packed,
            call,
            request,
            lines,
            attempt,
        } = claimed;
        let all = |end: End| Ok(Once::all(end, packed.entities.len()));
        let journal = CallJournal::new(&self.log, call.entities.len(), lines).ahead(*attempt);
        let request = match request {
            Ok(request) => request,
            Err(why) => return all(End::Failed(Failure::new(Class::Unsupported, why.clone()))),
        };
        if !self.may_send() {
            return all(End::Open);
        }
        for (place, line) in packed.entities.iter().zip(lines) {
            self.attempt(*place as usize, *line);
        }
        let sent = self.target.send(request, &journal).await;
        self.ended(call, sent)
    }

    /// Commits what is known, and gives back what is in doubt.
    async fn settle(&self, claimed: Claimed, ends: Vec<End>) -> Result<Vec<Doubt>, EngineError> {
        let places = claimed.packed.entities.into_iter().map(|place| place as usize);
        self.settle_ends(places.zip(claimed.lines), ends).await
    }

    fn spelled(&self, packed: &Packed, lines: &[LineBits]) -> Call {
        let (remove, add): (Vec<u32>, Vec<u32>) = packed.tags.iter().partition(|tag| **tag & GOES != 0);
        let spell = |tags: Vec<u32>| -> Vec<Tag> {
            let tags = tags.into_iter();
            tags.map(|tag| self.vocabulary.tag_of(tag & !GOES)).collect()
        };
        let is_plain = |(place, line): (&u32, &LineBits)| {
            let of = &self.lines[*place as usize];
            line.bits & !self.change(of).plain == 0 && line.bits & of.attempted.get() == 0
        };
        let plain_add = self.limits.together && packed.entities.iter().zip(lines).all(is_plain);
        let entities = packed
            .entities
            .iter()
            .map(|place| self.lines[*place as usize].of.id.to_string())
            .collect();
        Call {
            kind: self.target.kind().to_owned(),
            entities,
            add: spell(add),
            remove: spell(remove),
            plain_add,
            wholes: Vec::new(),
        }
    }

    /// The operations that a call carries, line by line.
    pub(super) fn carried(&self, packed: &Packed) -> Vec<LineBits> {
        let mut memo: HashMap<u32, u64> = HashMap::new();
        let line = |place: &u32| {
            let line = &self.lines[*place as usize];
            let change = self.change(line);
            let of_call = memo.entry(line.of.change).or_insert_with(|| {
                let tags = change.tags.iter().enumerate();
                let carried = tags.filter(|(_, tag)| packed.tags.binary_search(tag).is_ok());
                carried.fold(0, |bits, (bit, _)| bits | 1 << bit)
            });
            line.bits(*of_call & line.open.get())
        };
        packed.entities.iter().map(line).collect()
    }
}

/// A call in two by entity; `None` when it has only one.
fn by_entity(Packed { entities, tags }: &Packed) -> Option<(Packed, Packed)> {
    let (one, other) = entities.split_at(entities.len() / 2);
    let half = |entities: &[u32]| Packed {
        entities: entities.to_vec(),
        tags: tags.clone(),
    };
    (!one.is_empty()).then(|| (half(one), half(other)))
}

/// A call in two by tag; `None` when it has only one.
fn by_tag(Packed { entities, tags }: &Packed) -> Option<(Packed, Packed)> {
    let (one, other) = tags.split_at(tags.len() / 2);
    let half = |tags: &[u32]| Packed {
        entities: entities.clone(),
        tags: tags.to_vec(),
    };
    (!one.is_empty()).then(|| (half(one), half(other)))
}
