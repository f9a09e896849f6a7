//! Reads what is live, in as few requests as possible: by listing the kind, or by asking for the entities.

use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::EngineError;
use super::pages::{Listed, Pages};
use super::target::Target;
use crate::ledger::{Ledger, RunLog};
use crate::model::{Grain, Limits, Listing, LiveEntity};
use crate::vendor::{Cursor, Page, Scope};

/// How large a kind was when it was listed last: it decides whether listing is cheaper than asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KindSize {
    entities: u64,
    page: u64,
}

impl KindSize {
    fn pages(self) -> u64 {
        self.entities.div_ceil(self.page.max(1)).max(1)
    }
}

/// Observes through one target for one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observer<'a> {
    pub(super) target: &'a Target,
    pub(super) ledger: &'a Ledger,
    pub(super) log: &'a RunLog,
    pub(super) limits: &'a Limits,
}

impl Observer<'_> {
    /// Calls `see` with every live entity of `ids`, and with others where listing is cheaper. An identifier that is never
    /// seen is missing.
    pub(super) async fn entities(
        &self,
        ids: &[&str],
        mut see: impl FnMut(LiveEntity),
    ) -> Result<(), EngineError> {
        if ids.is_empty() {
            return Ok(());
        }
        let longest = ids.iter().map(|id| id.len()).max().unwrap_or(0);
        let Some(a_request) = self.limits.observe_ids.map(|budget| budget.ids(longest)) else {
            return self.listing(&mut see).await;
        };
        if self.limits.lists != Listing::Whole {
            return self.by_id(ids, a_request, &mut see).await;
        }
        let asking = ids.len().div_ceil(a_request) as u64;
        match self.known_size().await? {
            Some(size) if size.pages() <= asking => self.listing(&mut see).await,
            Some(_) => self.by_id(ids, a_request, &mut see).await,
            None if asking <= 1 => self.by_id(ids, a_request, &mut see).await,
            None => self.try_listing(ids, a_request, &mut see).await,
        }
    }

    /// Observes entities with what they carry: a listing of definitions does not tell what they are.
    pub(super) async fn told(
        &self,
        ids: &[&str],
        mut see: impl FnMut(LiveEntity),
    ) -> Result<(), EngineError> {
        match (self.limits.grain, self.limits.observe_ids) {
            (Grain::Document, Some(budget)) => {
                let longest = ids.iter().map(|id| id.len()).max().unwrap_or(0);
                self.by_id(ids, budget.ids(longest), &mut see).await
            }
            _ => self.entities(ids, see).await,
        }
    }

    /// Lists the kind.
    pub(super) async fn listing(&self, see: &mut impl FnMut(LiveEntity)) -> Result<(), EngineError> {
        let first = self.first_page().await?;
        self.rest_of(first, see).await
    }

    /// Asks for entities by identifier, several requests at once.
    pub(super) async fn by_id(
        &self,
        ids: &[&str],
        a_request: usize,
        see: &mut impl FnMut(LiveEntity),
    ) -> Result<(), EngineError> {
        let kind = self.target.kind();
        let chunks = ids.chunks(a_request).map(|chunk| {
            let ids = chunk.iter().map(|id| (*id).to_owned()).collect();
            self.whole_scope(Scope::Ids {
                kind: kind.to_owned(),
                ids,
            })
        });
        let mut pages = stream::iter(chunks).buffer_unordered(self.target.concurrency);
        while let Some(entities) = pages.try_next().await? {
            entities.into_iter().for_each(&mut *see);
        }
        Ok(())
    }

    /// One page tells how large the kind is; then whatever is cheaper goes on.
    async fn try_listing(
        &self,
        ids: &[&str],
        a_request: usize,
        see: &mut impl FnMut(LiveEntity),
    ) -> Result<(), EngineError> {
        let first = self.first_page().await?;
        let seen: std::collections::HashSet<&str> =
            first.entities.iter().map(|entity| entity.id.as_str()).collect();
        let unseen: Vec<&str> = ids.iter().copied().filter(|id| !seen.contains(id)).collect();
        let rest = size_of(&first, self.limits).map_or(0, |size| size.pages().saturating_sub(1));
        if (unseen.len().div_ceil(a_request) as u64) < rest {
            first.entities.into_iter().for_each(&mut *see);
            return self.by_id(&unseen, a_request, see).await;
        }
        self.rest_of(first, see).await
    }

    async fn first_page(&self) -> Result<Page, EngineError> {
        self.first_of(&self.kind_scope()).await
    }

    /// The first page of a scope. That of a whole kind tells how large it is, which is kept.
    pub(super) async fn first_of(&self, scope: &Scope) -> Result<Page, EngineError> {
        let page = self.page(scope, None).await?;
        let size = match scope {
            Scope::Kind { .. } => size_of(&page, self.limits),
            Scope::Ids { .. } => None,
        };
        if let Some(size) = size {
            let plan = &self.target.plan;
            let text = serde_json::to_string(&size).expect("numbers are JSON");
            self.ledger
                .learn(&plan.url, &plan.tenant, &self.topic(), &text)
                .await?;
        }
        Ok(page)
    }

    async fn rest_of(&self, first: Page, see: &mut impl FnMut(LiveEntity)) -> Result<(), EngineError> {
        self.follow(&self.kind_scope(), first, see).await
    }

    /// Every page of a small scope.
    async fn whole_scope(&self, scope: Scope) -> Result<Vec<LiveEntity>, EngineError> {
        let first = self.page(&scope, None).await?;
        let mut entities = Vec::with_capacity(first.entities.len());
        self.follow(&scope, first, &mut |entity| entities.push(entity))
            .await?;
        Ok(entities)
    }

    /// Reads from a first page to the last. After a refused cursor everything is read once more from the start, so
    /// that an entity may be seen twice.
    async fn follow(
        &self,
        scope: &Scope,
        first: Page,
        see: &mut impl FnMut(LiveEntity),
    ) -> Result<(), EngineError> {
        let mut pages = Pages::after(*self, scope.clone(), &first);
        first.entities.into_iter().for_each(&mut *see);
        while let Some(Listed { page, .. }) = pages.next().await? {
            page.entities.into_iter().for_each(&mut *see);
        }
        Ok(())
    }

    /// A page, without which nothing goes on.
    async fn page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page, EngineError> {
        let page = self.try_page(scope, cursor).await?;
        page.map_err(|reason| self.target.stopped(reason))
    }

    /// A page, or why the vendor refuses this one.
    pub(super) async fn try_page(
        &self,
        scope: &Scope,
        cursor: Option<&Cursor>,
    ) -> Result<Result<Page, String>, EngineError> {
        let request = self.target.vendor.observe(scope, cursor);
        let request = request.map_err(|error| EngineError::Job(error.to_string()))?;
        let concerned = match scope {
            Scope::Kind { .. } => 0,
            Scope::Ids { ids, .. } => ids.len(),
        };
        Ok(match self.target.try_ask(&request, self.log, concerned).await? {
            Ok(answer) => Ok(self.target.page(scope, &answer)?),
            Err(reason) => Err(reason),
        })
    }

    pub(super) fn kind_scope(&self) -> Scope {
        Scope::Kind {
            kind: self.target.kind().to_owned(),
        }
    }

    fn topic(&self) -> String {
        format!("entities:{}", self.target.kind())
    }

    async fn known_size(&self) -> Result<Option<KindSize>, EngineError> {
        let plan = &self.target.plan;
        let text = self
            .ledger
            .learned(&plan.url, &plan.tenant, &self.topic())
            .await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

fn size_of(page: &Page, limits: &Limits) -> Option<KindSize> {
    Some(KindSize {
        entities: page.total?,
        page: page.page_size.unwrap_or(limits.page as u64),
    })
}
