//! The live entities that a filter means, page by page, each once, with what a listing hides asked for.

use std::collections::{HashMap, HashSet};

use super::EngineError;
use super::observe::Observer;
use super::pages::{Listed, Pages};
use crate::event::Event;
use crate::model::{Listing, LiveEntity};
use crate::select::Filter;
use crate::vendor::Cursor;

/// Calls the roll of a kind. Of entities that were called only a digest of the identifier is kept.
#[derive(Debug)]
pub(super) struct Roll<'a> {
    observer: Observer<'a>,
    pages: Pages<'a>,
    filter: Filter,
    seen: HashSet<Digest>,
    /// The first page after a restart, which is told apart.
    held: Option<Listed>,
}

/// Half of a BLAKE3 digest: nobody meets two identifiers with the same.
type Digest = [u8; 16];

/// What is called next.
#[derive(Debug)]
pub(super) enum Called {
    /// The entities of a page. One of which still nothing is told has no tags.
    Page(Page),
    /// The vendor refused to go on, and everything is called once more. What was called and is not forgotten is left out.
    Again,
}

/// A page of the roll.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) entities: Vec<LiveEntity>,
    /// Where it goes on; `None` on the last page.
    pub(super) next: Option<Cursor>,
    /// Entities that the vendor put on it, whether or not they are meant.
    pub(super) read: u64,
    /// Entities of the kind, when the vendor says.
    pub(super) total: Option<u64>,
}

impl<'a> Roll<'a> {
    /// The roll from its beginning, or from where an earlier one stopped.
    pub(super) fn new(observer: Observer<'a>, filter: &Filter, from: Option<Cursor>) -> Self {
        let scope = observer.kind_scope();
        if observer.limits.lists == Listing::Bearers {
            let kind = observer.target.kind();
            let message = format!("the vendor lists those {kind} alone that carry a tag: no other is read");
            observer.target.events.tell(Event::Noticed { message });
        }
        let pages = match from {
            Some(cursor) => Pages::from(observer, scope, cursor),
            None => Pages::all(observer, scope),
        };
        Self {
            observer,
            pages: pages.chosen_by(filter.clone()),
            filter: filter.folded(|name| observer.target.vendor.fold_name(name)),
            seen: HashSet::new(),
            held: None,
        }
    }

    /// Counts an entity as called; `false` when it was called before.
    pub(super) fn note(&mut self, id: &str) -> bool {
        let mut digest = Digest::default();
        digest.copy_from_slice(&blake3::hash(id.as_bytes()).as_bytes()[..16]);
        self.seen.insert(digest)
    }

    /// Nobody was called yet.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }

    /// What comes next; `None` after the last page.
    pub(super) async fn next(&mut self) -> Result<Option<Called>, EngineError> {
        let listed = match self.held.take() {
            Some(held) => held,
            None => match self.pages.next().await? {
                None => return Ok(None),
                Some(listed) if listed.restarted => {
                    self.held = Some(listed);
                    return Ok(Some(Called::Again));
                }
                Some(listed) => listed,
            },
        };
        let page = listed.page;
        Ok(Some(Called::Page(Page {
            read: page.entities.len() as u64,
            entities: self.meant(page.entities).await?,
            next: page.next,
            total: page.total,
        })))
    }

    async fn meant(&mut self, listed: Vec<LiveEntity>) -> Result<Vec<LiveEntity>, EngineError> {
        let mut meant = Vec::with_capacity(listed.len());
        for entity in listed {
            if self.filter.fits_name(self.folded(&entity).as_deref()) && self.note(&entity.id) {
                meant.push(entity);
            }
        }
        let mut meant = self.told(meant).await?;
        // What hides its tags may carry them: it is for others to say that this is not known.
        meant.retain(|entity| self.filter.fits_tags(entity).unwrap_or(true));
        Ok(meant)
    }

    fn folded(&self, entity: &LiveEntity) -> Option<String> {
        let name = entity.name.as_deref()?;
        Some(self.observer.target.vendor.fold_name(name))
    }

    /// The entities, with the tags of those that the listing told nothing of. One that is gone by now is left out.
    async fn told(&self, listed: Vec<LiveEntity>) -> Result<Vec<LiveEntity>, EngineError> {
        let untold: Vec<&str> = listed
            .iter()
            .filter(|entity| entity.tags.is_none())
            .map(|entity| entity.id.as_str())
            .collect();
        if untold.is_empty() || self.observer.limits.observe_ids.is_none() {
            return Ok(listed);
        }
        let mut found = HashMap::new();
        let mut see = |entity: LiveEntity| drop(found.insert(entity.id.clone(), entity));
        self.observer.by_id(&untold, 1, &mut see).await?;
        let told = |entity: LiveEntity| match entity.tags {
            Some(_) => Some(entity),
            None => found.remove(&entity.id).map(|shown| LiveEntity {
                name: shown.name.or(entity.name),
                ..shown
            }),
        };
        Ok(listed.into_iter().filter_map(told).collect())
    }
}
