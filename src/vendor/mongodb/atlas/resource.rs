//! One project or cluster, as far as an answer is read.

use serde::Deserialize;
use serde_json::Value;

use super::kind::Place;
use super::pairs;
use crate::model::{LiveEntity, LiveTag, Provenance};
use crate::vendor::VendorError;
use crate::vendor::mongodb::answer;
use crate::vendor::words::clean;
use crate::wire::Response;

/// What to look at when the wrong server answers.
pub(super) const URL_HINT: &str =
    "check the connection's `url`: it is `https://cloud.mongodb.com`, without `/api/atlas/v2`";

/// A project or a cluster. A cluster's `id` is none that any route takes; it is known by project and name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    group_id: Value,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    tags: Value,
}

impl Resource {
    /// The entity of a listing, which is a project.
    pub(super) fn listed(self) -> Result<LiveEntity, VendorError> {
        match &self.id {
            Some(id) => {
                let id = id.to_ascii_lowercase();
                Ok(self.live(id))
            }
            None => Err(VendorError::BadAnswer(
                "a page of projects can't be read: one has no `id`".to_owned(),
            )),
        }
    }

    /// The entity, by an identifier.
    pub(super) fn live(self, id: String) -> LiveEntity {
        let manual = |tag| LiveTag {
            tag,
            provenance: Provenance::Manual,
        };
        LiveEntity {
            id,
            name: self.name.as_str().map(str::to_owned),
            tags: pairs::read(self.tags).map(|tags| tags.into_iter().map(manual).collect()),
            handle: None,
        }
    }

    /// What it carries.
    pub(super) fn tags(self) -> Value {
        self.tags
    }

    /// Whether this is what is at a place. That letter case may differ is assumed, and that a cluster tells its project is
    /// not relied upon.
    fn is_at(&self, place: &Place) -> bool {
        let is = |told: &str, want: &str| told.eq_ignore_ascii_case(want);
        match &place.cluster {
            None => self.id.as_deref().is_some_and(|id| is(id, &place.project)),
            Some(cluster) => {
                self.name.as_str().is_some_and(|name| is(name, cluster))
                    && self.group_id.as_str().is_none_or(|id| is(id, &place.project))
            }
        }
    }
}

/// Reads what was asked for. Something else is no answer.
pub(super) fn read(answer: &Response, place: &Place) -> Result<Resource, VendorError> {
    let resource: Resource = answer::read(answer, "the answer", URL_HINT)?;
    if resource.is_at(place) {
        return Ok(resource);
    }
    let told = resource.id.as_deref().or(resource.name.as_str());
    Err(VendorError::BadAnswer(format!(
        "the answer is of `{}` and not of `{}`",
        clean(told.unwrap_or("?")),
        place.id()
    )))
}
