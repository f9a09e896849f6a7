//! The vendors: one folder each, behind one synchronous trait.
//!
//! A vendor builds requests and reads answers. It has no clock, socket, retry, sleep or log, so it is tested as a table.

use std::fmt;

use crate::model::{Call, Effect, Failure, Limits, LiveEntity, Tag, TagRules, TagSet};
use crate::wire::{Judge, Request, Response};

mod contact;
mod listed;
mod request;
mod wait;
mod words;

pub mod dynatrace;
pub mod mongodb;
pub mod oracle_paas;

pub use listed::{Listed, Opened, VendorOptions};

/// Every vendor that a job can name.
pub const VENDORS: &[Listed] = &[
    listed::listed::<dynatrace::Options>(),
    listed::listed::<oracle_paas::Options>(),
    listed::listed::<mongodb::ops_manager::Options>(),
    listed::listed::<mongodb::atlas::Options>(),
];

/// The vendor of a word.
pub fn named(word: &str) -> Option<Listed> {
    VENDORS.iter().find(|listed| listed.name == word).copied()
}

/// Which entities to observe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The entities of a kind, all of them or those that carry a tag, as `Limits::lists` says.
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

/// Which entities of a kind are meant, for a listing of fewer than all.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The kind.
    pub kind: &'a str,
    /// A pattern of `*`, `?` and `[…]` for their names. Everybody looks at names and tags again, so that a vendor may leave
    /// them out.
    pub names: Option<&'a str>,
    /// Tags that they all carry; one without a value stands for every value of its key.
    pub tags: &'a [Tag],
    /// Criteria in the vendor's own words, which [`Vendor::check_selector`] let pass and which must not be left out.
    pub selector: Option<&'a str>,
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

    /// The tag as the vendor will hand it back once it is written, or what is wrong with it and what to do: of class
    /// [`Class::TooLong`](crate::model::Class::TooLong) where its length alone is, so that a job can have it cut. What is
    /// compared with the live tags is this, so that a plan does not show the same difference for ever.
    fn kept(&self, tag: &Tag) -> Result<Tag, Failure> {
        self.rules().check(tag).map(|()| tag.clone())
    }

    /// Whether what [`Vendor::kept`] changes about tags is what an option of the connection asks for, and so no loss.
    fn rewrites_as_asked(&self) -> bool {
        false
    }

    /// Whether a live tag says the same at the vendor as one that is known: documents may differ in what does not matter
    /// there, and in what only the vendor fills in.
    fn same(&self, known: &Tag, live: &Tag) -> bool {
        known == live
    }

    /// Sizes and shapes of requests for a kind of entity. `Err` says why the kind can't bear tags through this API.
    fn limits(&self, kind: &str) -> Result<Limits, VendorError>;

    /// The canonical form of an identifier, or what is wrong with it for this kind. `wanted` is as the inventory has it.
    fn canonical_id(&self, kind: &str, wanted: &str) -> Result<String, String>;

    /// The form in which the vendor compares names: two entities are namesakes when these are equal.
    fn fold_name(&self, name: &str) -> String;

    /// The identifier under which an entity that is not there would be made, from what the inventory calls it: the same
    /// every time, so that making it twice is harmless. `None` where nothing can be made.
    fn new_id(&self, kind: &str, called: &str) -> Option<String> {
        let _ = (kind, called);
        None
    }

    /// A request for a page of live entities.
    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError>;

    /// A request for the first page of fewer entities than the kind has, at least of all that are meant; `None` where the
    /// vendor can't choose. Its page is read, and gone on from, as one of the whole kind.
    fn observe_chosen(&self, choice: &Choice<'_>) -> Option<Result<Request, VendorError>> {
        let _ = choice;
        None
    }

    /// What is wrong with criteria in the vendor's own words, as far as that can be told before it is asked.
    fn check_selector(&self, kind: &str, selector: &str) -> Result<(), VendorError> {
        let _ = (kind, selector);
        Err(VendorError::Unsupported(
            "this API knows no selectors: choose by `name` and `tag`".to_owned(),
        ))
    }

    /// Reads such a page. An entity that was asked for by identifier, or of a kind that is listed whole, and is on no page is
    /// missing at the vendor.
    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError>;

    /// A request that tells which manual tags some entities carry, as a union over all of them; `None` where live tags
    /// say themselves whose they are.
    fn ask_manual(&self, kind: &str, ids: &[String]) -> Option<Result<Request, VendorError>> {
        let _ = (kind, ids);
        None
    }

    /// Reads the answer to [`Vendor::ask_manual`].
    fn read_manual(&self, answer: &Response) -> Result<TagSet, VendorError> {
        let _ = answer;
        Err(VendorError::Unsupported(
            "live tags say themselves whose they are; there is nothing to ask for".to_owned(),
        ))
    }

    /// The request for a call.
    fn encode(&self, call: &Call) -> Result<Request, VendorError>;

    /// What an accepted answer says about each entity of the call, in the order of `call.entities`.
    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError>;

    /// A request that asks whether a call would be legal, without an effect; `None` where the vendor can't be asked.
    fn validate(&self, call: &Call) -> Option<Result<Request, VendorError>> {
        let _ = call;
        None
    }

    /// What an accepted answer to [`Vendor::validate`] says of each entity of the call, in the order of
    /// `call.entities`.
    fn validated(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let _ = answer;
        Ok(vec![Effect::Done; call.entities.len()])
    }

    /// A request that deletes a tag which nothing carries any more, where the connection asks for that. A refusal
    /// because something still carries it is no failure.
    fn tidy(&self, tag: &Tag) -> Option<Result<Request, VendorError>> {
        let _ = tag;
        None
    }

    /// Whether a removal counts as done only once it was observed gone.
    fn observe_removals(&self) -> bool;
}
