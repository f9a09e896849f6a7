//! The requests of both APIs: one that reads, and one that replaces all tags of an entity.

use http::header::ACCEPT;
use http::{HeaderValue, Method};
use serde::Serialize;

use crate::vendor::VendorError;
use crate::vendor::request::Target;
use crate::wire::{Purpose, Request};

/// Reads an answer of a media type.
pub(super) fn read(target: Target, accept: &'static str) -> Request {
    accepting(target.read(), accept)
}

/// Replaces all tags of an entity.
///
/// Twice is once as far as this entity is concerned, and yet the request is not idempotent: there is no version to write
/// against, so one that is repeated late wipes what somebody else wrote in between. Where no answer came, the entity is
/// observed and merged anew.
pub(super) fn replace<T: Serialize>(
    target: Target,
    media_type: &'static str,
    tags: T,
) -> Result<Request, VendorError> {
    /// Every field that is left out is left alone, so nothing else is ever sent; no tags are an empty list.
    #[derive(Serialize)]
    struct Body<T> {
        tags: T,
    }
    let request = target.json(Purpose::Write, Method::PATCH, media_type, &Body { tags })?;
    Ok(Request {
        idempotent: false,
        ..accepting(request, media_type)
    })
}

fn accepting(mut request: Request, media_type: &'static str) -> Request {
    request
        .headers
        .insert(ACCEPT, HeaderValue::from_static(media_type));
    request
}
