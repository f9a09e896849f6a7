//! Oracle PaaS Service Manager: the tags of service instances.
//!
//! `service_tags` is the vendor. What it needs stands beside it: the job's options, what is allowed, how instances are
//! named, the bodies of requests, the shapes of answers, the vendor's words, and the verdicts. Nothing here waits or
//! sends.
//!
//! The vendor takes Basic credentials, or a bearer token of Oracle Identity Cloud Service
//! (`JCS/Authentication.html`), and names each exchange in the header `X-ORACLE-DMS-ECID` of its answer. `JCS/…` stands
//! for `https://docs.oracle.com/en/cloud/paas/java-cloud/jsrmr/…` in all these files.

mod answer;
mod body;
mod complaint;
mod judge;
mod limits;
mod options;
#[cfg(test)]
mod properties;
mod service;
mod service_tags;
#[cfg(test)]
mod testing;

pub use options::{Options, vendor};
pub use service_tags::ServiceTags;
