//! The vendors: one folder each, behind one synchronous trait.
//!
//! A vendor builds requests and reads answers. It has no clock, socket, retry, sleep or log, so it is tested as a table.

use std::fmt;

use crate::model::{Call, Effect, Limits, LiveEntity, TagRules, TagSet};
use crate::wire::{Judge, Request, Response};

pub mod dynatrace;

/// Which entities to observe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every entity of a kind.
    Kind {
        /// The kind.
        kind: String,
    },
    /// Entities of one kind by identifier, at most as many as `Limits::observe_ids` says.
    Ids {
        /// The kind.
        kind: String,
        /// The identifiers, in canonical form.
        ids: Vec<String>,
    },
}

/// Where a listing goes on, in the vendor's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// One page of an observation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The entities on it.
    pub entities: Vec<LiveEntity>,
    /// Where it goes on.
    pub next: Option<Cursor>,
    /// How many entities the whole scope holds, when the vendor says.
    pub total: Option<u64>,
    /// How many entities the vendor really puts on a page, when it says.
    pub page_size: Option<u64>,
}

/// A vendor could not build a request or read an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// What was asked for can't be said in this vendor's API.
    #[error("{0}")]
    Unsupported(String),
    /// The answer is not what the vendor's documentation promises.
    #[error("{0}")]
    BadAnswer(String),
}

/// One vendor API.
pub trait Vendor: Judge + Send + Sync + fmt::Debug {
    /// What a legal tag is here.
    fn rules(&self) -> &TagRules;

    /// Sizes and shapes of requests for a kind of entity. `Err` says why the kind can't bear tags through this API.
    fn limits(&self, kind: &str) -> Result<Limits, VendorError>;

    /// The canonical form of an identifier, or what is wrong with it for this kind. `wanted` is as the inventory has it.
    fn canonical_id(&self, kind: &str, wanted: &str) -> Result<String, String>;

    /// The form in which the vendor compares names: two entities are namesakes when these are equal.
    fn fold_name(&self, name: &str) -> String;

    /// A request for a page of live entities.
    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError>;

    /// Reads such a page. An entity of the scope that is on no page is missing at the vendor.
    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError>;

    /// A request that tells which manual tags some entities carry, as a union over all of them; `None` where live tags
    /// say themselves whose they are.
    fn ask_manual(&self, kind: &str, ids: &[String]) -> Option<Result<Request, VendorError>>;

    /// Reads the answer to [`Vendor::ask_manual`].
    fn read_manual(&self, answer: &Response) -> Result<TagSet, VendorError>;

    /// The request for a call.
    fn encode(&self, call: &Call) -> Result<Request, VendorError>;

    /// What an accepted answer says about each entity of the call, in the order of `call.entities`.
    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError>;

    /// Whether a removal counts as done only once it was observed gone.
    fn observe_removals(&self) -> bool;
}
