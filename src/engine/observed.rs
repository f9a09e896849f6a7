//! What is known of each entity while a plan is made.

use std::collections::{BTreeSet, HashMap};

use super::draft::REMEMBERED;
use super::gather::Gathering;
use super::words::Words;
use crate::model::{Class, DOCUMENT_KEY, Interner, LiveEntity, LiveTag, Present, Provenance};
use crate::resolve::{Resolution, Resolver, Way};
use crate::vendor::Vendor;

/// One entity.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// What is wanted of it, after collisions; `None` when every row of it lost.
    pub(super) want: Option<u32>,
    /// What was found of it.
    pub(super) seen: Seen,
}

/// What was found of an entity.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// Nothing.
    Missing,
    /// Several that one way leads to: how many, and the first identifiers.
    Ambiguous(Way, u32, Vec<Box<str>>),
    /// The entity, by the identifier that the inventory does not have, but not what it carries.
    Untold(Option<Box<str>>),
    /// The entity.
    Live(Live),
    /// The entity, and why nothing can be done to it.
    Barred(Class, String),
    /// Nobody looked, since somebody decided that it is left out.
    Skipped,
    /// It turned out to be one that has an earlier number, which has its rows now.
    Elsewhere,
}

/// A found entity.
#[derive(Debug, Clone)]
pub(super) struct Live {
    /// The identifier, where the inventory has a name.
    pub(super) id: Option<Box<str>>,
    /// What it carries of the keys that its rows name.
    pub(super) before: u32,
    /// Manual tags that it carries, those in doubt among them.
    pub(super) tags: u32,
    /// Whether some of `before` are in doubt.
    pub(super) undecided: bool,
    /// What else it carries in doubt, of keys that only other rows name: asking about both at once tells of either.
    pub(super) beside: u32,
}

impl Live {
    /// The identifier of the entity of a number.
    pub(super) fn id<'a>(&'a self, number: u32, entities: &'a Interner) -> &'a str {
        self.id.as_deref().unwrap_or_else(|| entities.text(number))
    }
}

/// Every entity that the rows name, by number.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) states: Vec<State>,
    resolver: Option<Resolver>,
    /// The keys of each wanted set, worked out once while there are not too many.
    keys: HashMap<u32, BTreeSet<String>>,
    /// The keys of all of them.
    named: BTreeSet<String>,
}

impl Observed {
    /// Nothing was seen yet.
    pub(super) fn new(gathering: &Gathering) -> Self {
        let states = gathering.firsts.iter().map(|(_, want)| State {
            want: Some(*want),
            seen: Seen::Missing,
        });
        Self {
            named: gathering.words.keys(),
            states: states.collect(),
            resolver: gathering.by_name.then(|| Resolver::new(gathering.entities.len())),
            keys: HashMap::new(),
        }
    }

    /// Takes a live entity in; says whether it is one that the rows name and that was not seen before.
    pub(super) fn see(
        &mut self,
        live: &LiveEntity,
        entities: &Interner,
        words: &mut Words,
        further: &HashMap<u32, Vec<(u64, u32)>>,
        vendor: &dyn Vendor,
    ) -> bool {
        let number = match &mut self.resolver {
            None => entities.find(&live.id),
            Some(resolver) => {
                let number = live
                    .name
                    .as_ref()
                    .and_then(|name| entities.find(&vendor.fold_name(name)));
                if let Some(number) = number {
                    resolver.see(number, &live.id);
                }
                number
            }
        };
        let Some(number) = number else { return false };
        if let Seen::Skipped | Seen::Elsewhere = self.states[number as usize].seen {
            return false; // Whatever is live, nothing is asked of it by this number.
        }
        let fresh = matches!(self.states[number as usize].seen, Seen::Missing);
        let resolved = self.resolver.is_some().then(|| live.id.as_str().into());
        self.states[number as usize].seen = match self.resolver.as_ref().map(|resolver| resolver.get(number))
        {
            Some(Resolution::Ambiguous(count, ids)) => Seen::Ambiguous(Way::Name, *count, ids.clone()),
            _ => match &live.tags {
                Some(tags) => self.live(number, resolved, tags, words, further, vendor),
                None => Seen::Untold(resolved),
            },
        };
        fresh
    }

    /// The entities that are there and can be changed, by number, each with the set that is wanted.
    pub(super) fn found(&self) -> impl Iterator<Item = (u32, u32, &Live)> {
        (0..)
            .zip(&self.states)
            .filter_map(|(number, state)| match (state.want, &state.seen) {
                (Some(want), Seen::Live(live)) => Some((number, want, live)),
                _ => None,
            })
    }

    /// The entities that are there but of which nothing was told, by identifier.
    pub(super) fn untold<'a>(&'a self, entities: &'a Interner) -> Vec<&'a str> {
        let untold = (0..)
            .zip(&self.states)
            .filter_map(|(number, state)| match &state.seen {
                Seen::Untold(id) => Some(id.as_deref().unwrap_or_else(|| entities.text(number))),
                _ => None,
            });
        untold.collect()
    }

    /// Entities that are not there and can be made count as there and bare, under the identifier that they will have.
    pub(super) fn make_room(&mut self, words: &mut Words, new_id: impl Fn(u32) -> Option<String>) {
        for (number, state) in (0..).zip(&mut self.states) {
            if !matches!(state.seen, Seen::Missing) {
                continue;
            }
            let Some(id) = new_id(number) else { continue };
            let bare = words.before_id(&[]);
            state.seen = Seen::Live(Live {
                id: Some(id.into()),
                before: bare,
                tags: 0,
                undecided: false,
                beside: bare,
            });
        }
    }

    fn live(
        &mut self,
        number: u32,
        id: Option<Box<str>>,
        tags: &[LiveTag],
        words: &mut Words,
        further: &HashMap<u32, Vec<(u64, u32)>>,
        vendor: &dyn Vendor,
    ) -> Seen {
        let first = self.states[number as usize].want;
        let wants = first
            .into_iter()
            .chain(further.get(&number).into_iter().flatten().map(|(_, want)| *want));
        if self.keys.len() >= REMEMBERED {
            self.keys.clear();
        }
        let mut present = Vec::new();
        let mut undecided = false;
        for want in wants {
            let keys = self
                .keys
                .entry(want)
                .or_insert_with(|| words.named(want).into_iter().map(|tag| tag.key).collect());
            for LiveTag { tag, provenance } in tags.iter().filter(|tag| keys.contains(&tag.tag.key)) {
                undecided |= *provenance == Provenance::Undecided;
                // A document that says the same is the one that is wanted, however it is written.
                let same = (tag.key == DOCUMENT_KEY)
                    .then(|| words.named(want))
                    .into_iter()
                    .flatten()
                    .find(|wanted| wanted.key == tag.key && vendor.same(wanted, tag));
                present.push(Present::new(same.unwrap_or_else(|| tag.clone()), *provenance));
            }
        }
        present.sort();
        present.dedup();
        let in_doubt = tags.iter().filter(|tag| tag.provenance == Provenance::Undecided);
        let beside: Vec<Present> = in_doubt
            .filter(|tag| self.named.contains(&tag.tag.key))
            .map(|tag| Present::new(tag.tag.clone(), tag.provenance))
            .filter(|tag| present.binary_search(tag).is_err())
            .collect();
        let manual = tags
            .iter()
            .filter(|tag| tag.provenance != Provenance::Automatic)
            .count();
        Seen::Live(Live {
            id,
            before: words.before_id(&present),
            tags: u32::try_from(manual).unwrap_or(u32::MAX),
            undecided,
            beside: words.before_id(&beside),
        })
    }
}
