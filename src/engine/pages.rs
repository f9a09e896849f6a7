//! A listing, page by page, from its beginning or from where an earlier one stopped.

use std::mem;

use super::EngineError;
use super::observe::Observer;
use crate::event::Event;
use crate::select::Filter;
use crate::vendor::{Choice, Cursor, Page, Scope};

/// Pages of a listing before it is taken for endless.
const MOST_PAGES: u64 = 1_000_000;

/// How often a listing begins again when the vendor refuses to go on with it, as it does when pages were removed.
const RESTARTS: usize = 2;

/// Reads one page after the other.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    observer: Observer<'a>,
    scope: Scope,
    /// What the vendor may choose by, so that there is less to read.
    filter: Filter,
    next: Next,
    read: u64,
    restarts: usize,
}

/// What comes next.
#[derive(Debug)]
enum Next {
    Beginning,
    At(Cursor),
    End,
}

/// A page.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) page: Page,
    /// Whether the vendor refused to go on, so that this is the first page once more, and entities that were seen will be
    /// seen again.
    pub(super) restarted: bool,
}

impl<'a> Pages<'a> {
    /// Every page.
    pub(super) fn all(observer: Observer<'a>, scope: Scope) -> Self {
        Self::begin(observer, scope, Next::Beginning)
    }

    /// The pages from a cursor on.
    pub(super) fn from(observer: Observer<'a>, scope: Scope, cursor: Cursor) -> Self {
        Self::begin(observer, scope, Next::At(cursor))
    }

    /// The pages that follow another one.
    pub(super) fn after(observer: Observer<'a>, scope: Scope, page: &Page) -> Self {
        let next = page.next.clone().map_or(Next::End, Next::At);
        Self::begin(observer, scope, next)
    }

    fn begin(observer: Observer<'a>, scope: Scope, next: Next) -> Self {
        Self {
            observer,
            scope,
            filter: Filter::default(),
            next,
            read: 0,
            restarts: 0,
        }
    }

    /// The same pages with at least the entities that a filter means.
    pub(super) fn chosen_by(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Listed>, EngineError> {
        let listed = match mem::replace(&mut self.next, Next::End) {
            Next::End => return Ok(None),
            Next::Beginning => Listed {
                page: self.first().await?,
                restarted: false,
            },
            Next::At(cursor) => match self.at(&cursor).await? {
                Some(listed) => listed,
                None => return Ok(None),
            },
        };
        self.read += 1;
        if self.read > MOST_PAGES {
            let reason = format!("a listing of {} has no end", self.observer.target.kind());
            return Err(self.observer.target.stopped(reason));
        }
        self.next = listed.page.next.clone().map_or(Next::End, Next::At);
        Ok(Some(listed))
    }

    async fn first(&self) -> Result<Page, EngineError> {
        let Observer { target, log, .. } = self.observer;
        let choice = Choice {
            kind: target.kind(),
            names: self.filter.name(),
            tags: self.filter.tags(),
            selector: self.filter.selector(),
        };
        match target.vendor.observe_chosen(&choice) {
            Some(request) => {
                let request = request.map_err(|error| EngineError::Job(error.to_string()))?;
                target.page(&self.scope, &target.ask(&request, log, 0).await?)
            }
            None => self.observer.first_of(&self.scope).await,
        }
    }

    async fn at(&mut self, cursor: &Cursor) -> Result<Option<Listed>, EngineError> {
        let target = self.observer.target;
        let page = match self.observer.try_page(&self.scope, Some(cursor)).await? {
            Ok(page) if page.next.as_ref() != Some(cursor) => page,
            // A page without entities that leads to itself ends it; with some, nobody knows what is missing.
            Ok(page) if page.entities.is_empty() => return Ok(None),
            Ok(_) => {
                let reason = "a listing leads back to the page that it came from".to_owned();
                return Err(target.stopped(reason));
            }
            Err(reason) if self.restarts == RESTARTS => return Err(target.stopped(reason)),
            Err(reason) => {
                self.restarts += 1;
                let message = format!("a listing is read again from its start: {reason}");
                target.events.tell(Event::Noticed { message });
                return Ok(Some(Listed {
                    page: self.first().await?,
                    restarted: true,
                }));
            }
        };
        Ok(Some(Listed {
            page,
            restarted: false,
        }))
    }
}
