//! What one vendor's server is, behind the shell that all of them share.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};

use super::journal::{Change, Entry};
use super::keyed::{Counted, Excess};
use super::opening::OpenError;
use super::population::Population;
use super::spec::Spec;

/// A request, with its target taken apart.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request<Bytes>,
    /// Path and query as they were received.
    pub(super) target: &'a str,
    pub(super) path: &'a str,
    /// What stands behind the `?`, or nothing.
    pub(super) query: &'a str,
}

impl<'a> Asked<'a> {
    pub(super) fn of(request: &'a Request<Bytes>) -> Self {
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            request,
            target,
            path,
            query,
        }
    }

    pub(super) fn method(&self) -> &'a Method {
        self.request.method()
    }

    pub(super) fn headers(&self) -> &'a HeaderMap {
        self.request.headers()
    }

    pub(super) fn body(&self) -> &'a [u8] {
        self.request.body()
    }
}

/// One vendor's API over its own state. The shell around it keeps the journal, the clock, the throttle and the faults.
///
/// A request is admitted first (credentials, route, scope), then passes the throttle, and is then read or written with
/// under a lock. Moments are milliseconds since 1970.
pub(super) trait Api: fmt::Debug + Send + Sync + Sized + 'static {
    /// The vendor's name, as state files and command lines have it.
    const VENDOR: &'static str;

    /// What a request asks for.
    type Route: fmt::Debug + Send + Sync;

    /// Makes the state as it is before the first request.
    fn open(spec: &Spec, population: &Population) -> Result<Self, OpenError>;

    /// Finds what is asked for, or refuses who asks: credentials, unknown paths, missing roles. The shell has checked
    /// nothing yet but the size of the body, which it refuses itself.
    fn admit(&self, asked: &Asked<'_>, now: i64) -> Result<Self::Route, Box<Response<Bytes>>>;

    /// Whether a route may change anything.
    fn writes(route: &Self::Route) -> bool;

    /// Answers a request that changes nothing.
    fn read(&self, route: &Self::Route, asked: &Asked<'_>, now: i64) -> Response<Bytes>;

    /// Answers a request that may change something, and tells what it changed, in order.
    fn write(
        &mut self,
        route: &Self::Route,
        asked: &Asked<'_>,
        now: i64,
        changes: &mut Vec<Change<'static>>,
    ) -> Response<Bytes>;

    /// Takes the changes of a request back, because the journal could not be written.
    fn undo(&mut self, changes: &[Change<'_>], now: i64);

    /// Applies what a line of the journal tells. What no longer exists is passed over.
    fn replay(&mut self, entry: &Entry<'_>);

    /// An error in the vendor's own form, such as the 503 of a fault.
    fn failure(status: StatusCode, message: &str) -> Response<Bytes>;

    /// What a throttle that counts by key counts a request against; what is against nothing passes such a throttle.
    fn counted(_route: &Self::Route) -> Option<Counted> {
        None
    }

    /// A 429 in the vendor's own form.
    fn too_many(&self, excess: &Excess<'_>) -> Response<Bytes>;

    /// A target as it may be written down, without a secret in its query.
    fn masked(target: &str) -> Cow<'_, str> {
        target.into()
    }

    /// Puts on an answer what every one of this vendor carries, whoever made it: the API, the throttle or a fault.
    fn finish(&self, _answer: &mut Response<Bytes>) {}

    /// How many entities there are.
    fn entities(&self) -> usize;
}
