//! The vendors' servers, for samples, rehearsals and tests: Dynatrace, Oracle PaaS Service Manager, and
//! [MongoDB](mongodb)'s Ops Manager and Atlas.
//!
//! A simulator takes `http::Request<Bytes>` and answers with a [`Reply`], in the same process or served over HTTP by
//! [`serve`]. It is written from the vendor's reference alone and shares no type with the other rooms, so that a mistake
//! of a driver is not repeated here.
//!
//! What it is made of and how it misbehaves is a [`Spec`], read from a URL such as
//! `simulator:state.db?entities=2000&seed=7&latency=20ms`; [`Spec::set`] lists every option. Its memory is a journal: a
//! file of JSON lines, one for every request handled, which gives the state again when it is replayed.
//!
//! # Unknown behaviour
//! Where a vendor's reference is silent, its switches decide; the first word is the default. Those of
//! [Oracle PaaS](oracle_paas) and [MongoDB](mongodb) are in tables of their own, those of Dynatrace
//! ([`dynatrace::Switches`]) here:
//!
//! | option | words | what is not documented |
//! |---|---|---|
//! | `missing-tag` | `404`, `400`, `409` | the status of "Unable to find tag" |
//! | `partial-delete` | `apply`, `refuse` | whether one entity without the tag refuses the whole removal |
//! | `unmatched-delete` | `count`, `error` | a removal whose selector matches nothing |
//! | `count` | `matched`, `changed` | what `matchedEntitiesCount` counts |
//! | `representation` | `plain`, `escaped` | whether `stringRepresentation` escapes colons |
//! | `bare-tag` | `exact`, `any` | whether `tag("env")` also matches `env:prod` |
//! | `quote-escape` | `none`, `tilde` | how a quote is written inside a quoted value |
//! | `selector-length` | `decoded`, `encoded` | what the 2,000 characters of a selector are counted on |
//! | `last-page` | `absent`, `null` | how the last page says that it is the last |
//! | `full-status` | `400`, `404`, `409` | the status when an entity would carry more than 1000 manual tags |
//! | `v1-colon` | `key`, `split` | what v1 makes of `a:b` |
//! | `v1-unknown` | `404`, `400`, `409` | the status of an unknown entity in v1 |
//!
//! Its auto-tags have more:
//!
//! | option | words | what is not documented |
//! |---|---|---|
//! | `sent-metadata` | `ignore`, `refuse` | what becomes of the read-only `metadata` in a body |
//! | `rule-order` | `kept`, `changed` | the order in which rules come back (a set in settings; clients report another one) |
//! | `config-fields` | `filled`, `bare` | whether defaults, nulls and empty lists are shown |
//! | `malformed-id` | `404`, `400` | the status of `GET` and `DELETE` of an identifier that is no UUID |
//! | `name-hold` | a duration, `0` | how long a name that was given up still counts as taken |
//! | `same-external-id` | `replace`, `conflict` | a new settings object with the `externalId` of another |
//! | `missing-scope` | `refuse`, `environment` | a new settings object without a scope |
//! | `inapplicable-property` | `refuse`, `ignore` | a settings property whose precondition does not hold |
//! | `omitted-property` | `filled`, `refuse` | a settings property with a default that is left out |
//! | `settings-page` | `refuse`, `clamp` | a `pageSize` of settings above the documented 500 |
//!
//! Also not documented, and set elsewhere: the largest page (`max-page`), the body of a 429, the unit of its reset header
//! and whether it carries `Retry-After` (`throttle`), how soon a write is visible to reads (`visibility`). Decided without
//! a switch: one entity asked for outside its time frame is answered with 404, a call that would overfill one entity is
//! refused whole, names of auto-tags compare with case, a malformed body and an unknown property are refused with 400, and
//! rules of attributes come before those of selectors.
//!
//! What that of Dynatrace leaves out: tags that the auto-tags here would make, their placeholders, the syntax of their selectors, each
//! single attribute of their conditions (only families are known), limits of rules and conditions for all auto-tags
//! together, settings of other schemas, synthetic monitors, custom devices, relationships and entity attributes in
//! selectors, management zones (none exist). Such routes answer 404, such predicates 400.

mod api;
mod clock;
mod fault;
mod gate;
mod generate;
mod inventory;
mod journal;
mod keyed;
mod mishap;
mod opening;
mod percent;
mod population;
mod reply;
mod server;
mod simulated;
mod spec;
mod switches;
mod tag_index;
mod throttle;
mod unseen;
mod value;
mod vendors;

pub mod dynatrace;
pub mod mongodb;
pub mod oracle_paas;

pub use fault::{Fault, FaultKind};
pub use opening::OpenError;
pub use population::{Population, TagsMade};
pub use reply::Reply;
pub use server::serve;
pub use simulated::{Simulated, Simulator};
pub use spec::{Access, Spec, SpecError};
pub use throttle::{ResetUnit, RetryAfter, Throttle, ThrottleBody, ThrottleMode};
pub use vendors::{VENDORS, Vendor};
