//! One opened connection: a vendor's words, and the way to it.

use std::sync::Arc;

use super::EngineError;
use super::journal::CallJournal;
use crate::event::Events;
use crate::ledger::{LedgerError, PlanTarget, RunLog};
use crate::model::TagSet;
use crate::transport::{Connection, Sent};
use crate::vendor::{Page, Scope, Vendor, VendorError};
use crate::wire::{Request, Response};

/// What a target is made of.
#[derive(Debug)]
pub struct TargetSpec {
    /// What the plan keeps of it.
    pub plan: PlanTarget,
    /// The vendor.
    pub vendor: Arc<dyn Vendor>,
    /// The way to it, which targets of one account share.
    pub connection: Arc<Connection>,
    /// Requests that may be in flight.
    pub concurrency: usize,
    /// Where to tell what happens.
    pub events: Events,
}

/// A connection that plans are made for and applied to.
#[derive(Debug)]
pub struct Target {
    pub(super) plan: PlanTarget,
    pub(super) vendor: Arc<dyn Vendor>,
    pub(super) connection: Arc<Connection>,
    pub(super) concurrency: usize,
    pub(super) events: Events,
}

impl Target {
    /// Opens nothing yet: the first request does.
    pub fn new(spec: TargetSpec) -> Self {
        let TargetSpec {
            plan,
            vendor,
            connection,
            concurrency,
            events,
        } = spec;
        Self {
            plan,
            vendor,
            connection,
            concurrency,
            events,
        }
    }

    /// What the plan keeps of the connection.
    pub fn plan_target(&self) -> &PlanTarget {
        &self.plan
    }

    /// The way to the vendor, for draining it and asking what it learned.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub(super) fn kind(&self) -> &str {
        &self.plan.kind
    }

    pub(super) async fn send(&self, request: &Request, journal: &CallJournal<'_>) -> Sent {
        self.connection.send(request, &*self.vendor, journal).await
    }

    /// Sends a request that reads. Anything but its answer ends the plan, or leaves what is open as it is.
    pub(super) async fn ask(
        &self,
        request: &Request,
        log: &RunLog,
        entities: usize,
    ) -> Result<Response, EngineError> {
        let asked = self.try_ask(request, log, entities).await?;
        asked.map_err(|reason| self.stopped(reason))
    }

    /// The same, but it is for the caller to say what a refusal of this one request means.
    pub(super) async fn try_ask(
        &self,
        request: &Request,
        log: &RunLog,
        entities: usize,
    ) -> Result<Result<Response, String>, EngineError> {
        match self.send(request, &CallJournal::new(log, entities, &[])).await {
            Sent::Accepted(response) => Ok(Ok(response)),
            Sent::Refused { reason, .. } => Ok(Err(reason)),
            Sent::JournalFailed(error) => Err(LedgerError::Broken(error.0).into()),
            Sent::Split { reason }
            | Sent::Unknown { reason }
            | Sent::Exhausted { reason, .. }
            | Sent::NotSent { reason } => Err(self.stopped(reason)),
        }
    }

    /// Which manual tags an entity carries, where the vendor can tell.
    pub(super) async fn manual_tags(&self, id: &str, log: &RunLog) -> Result<Option<TagSet>, EngineError> {
        let Some(request) = self.vendor.ask_manual(self.kind(), &[id.to_owned()]) else {
            return Ok(None);
        };
        let request = request.map_err(|error| EngineError::Job(error.to_string()))?;
        let answer = self.ask(&request, log, 1).await?;
        let manual = self
            .vendor
            .read_manual(&answer)
            .map_err(|error| self.bad_answer(&error))?;
        Ok(Some(manual))
    }

    pub(super) fn stopped(&self, reason: String) -> EngineError {
        EngineError::Stopped {
            connection: self.plan.connection.clone(),
            reason,
        }
    }

    pub(super) fn bad_answer(&self, error: &VendorError) -> EngineError {
        self.stopped(format!("the vendor's answer can't be read: {error}"))
    }

    pub(super) fn page(&self, scope: &Scope, answer: &Response) -> Result<Page, EngineError> {
        self.vendor
            .observed(scope, answer)
            .map_err(|error| self.bad_answer(&error))
    }
}
