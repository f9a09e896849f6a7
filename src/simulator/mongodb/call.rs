//! What the two APIs have beside their groups, and a request taken apart.

use http::HeaderValue;

use super::super::api::Asked;
use super::super::opening::OpenError;
use super::super::spec::Spec;
use super::answer::{Shape, origin};
use super::door::Door;
use super::members::Members;
use super::query::Query;
use super::refused::Refused;
use super::switches::{LateChallenge, Switches};

/// Everything that requests do not change.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) switches: Switches,
    pub(super) door: Door,
    pub(super) members: Members,
    pub(super) max_page: usize,
}

impl Setup {
    pub(super) fn of(spec: &Spec) -> Result<Self, OpenError> {
        let switches: Switches = spec.switches();
        let door = Door::of(spec, &switches)?;
        Ok(Self {
            members: Members::of(&door),
            max_page: spec.max_page,
            switches,
            door,
        })
    }

    /// A refusal of somebody at the door, with a challenge when the switch asks for one.
    pub(super) fn turned_away(&self, refused: Refused, now: i64) -> Refused {
        match self.switches.late_challenge {
            LateChallenge::Sent => refused.challenged(|| self.door.challenges(now)),
            LateChallenge::Absent => refused,
        }
    }
}

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) asked: &'a Asked<'a>,
    pub(super) query: Query<'a>,
    /// Milliseconds since 1970.
    pub(super) now: i64,
    pub(super) setup: &'a Setup,
    /// The media type of a good answer.
    pub(super) media: HeaderValue,
    /// Scheme, host and port as they were asked.
    pub(super) origin: String,
    /// The URL where the API begins.
    pub(super) base: String,
}

impl<'a> Call<'a> {
    /// Takes a request apart; `api` is the path at which the API begins, whatever stands before it.
    pub(super) fn of(
        setup: &'a Setup,
        asked: &'a Asked<'a>,
        api: &str,
        media: HeaderValue,
        now: i64,
    ) -> Self {
        let origin = origin(asked);
        let prefix = asked.path.split_once(api).map_or("", |(prefix, _)| prefix);
        Self {
            asked,
            query: Query::parse(asked.query),
            now,
            setup,
            media,
            base: format!("{origin}{prefix}{api}"),
            origin,
        }
    }

    /// How the answer shall look.
    pub(super) fn shape(&self) -> Result<Shape, Refused> {
        Shape::of(&self.query, &self.setup.switches)
    }

    /// The URL that was asked, with and without its query.
    pub(super) fn urls(&self) -> (String, String) {
        let url = |target: &str| format!("{}{target}", self.origin);
        (url(self.asked.target), url(self.asked.path))
    }
}
