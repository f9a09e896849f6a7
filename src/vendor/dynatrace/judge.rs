//! What an answer means. One table for both APIs; what differs between requests is a [`Case`].
//!
//! Statuses are those of <https://docs.dynatrace.com/managed/dynatrace-api/basics/dynatrace-api-response-codes>, and what
//! clients of the vendor met beside them.

use std::sync::atomic::{AtomicBool, Ordering};

use http::header::LOCATION;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::answer::Shape;
use super::complaint::{Complaint, URL_HINT, clean, complaint, is_page, unreadable};
use super::wait::{says_when, wait};
use crate::model::Class;
use crate::wire::{Purpose, Request, Response, RetryKind, Verdict};

/// What the verdict on an answer depends on, beside the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// What an accepted answer looks like.
    pub(super) shape: Shape,
    /// What a 404 says.
    pub(super) not_found: NotFound,
    /// Entities times tags: a refused call of several is halved, and one is refused for good.
    pub(super) parts: usize,
    /// The scopes that the token needs.
    pub(super) scopes: &'static str,
}

/// What a 404 says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    /// The route: the URL is wrong.
    Route,
    /// The entity that the path names.
    Entity,
    /// What is to be removed is not there; observing shows whether that is so.
    Removed,
}

/// Whether the vendor's API was ever met at this connection: a web page before that means a wrong URL, and later a
/// passing fault of a proxy.
#[derive(Debug, Default)]
pub(super) struct Contact(AtomicBool);

/// Judges an answer.
pub(super) fn judge(case: Case, contact: &Contact, request: &Request, response: &Response) -> Verdict {
    match response.status {
        200..=299 => succeeded(case, contact, request, response),
        300..=399 => Verdict::Stop {
            reason: redirected(response),
        },
        429 => throttled(response),
        503 if says_when(&response.headers) => throttled(response),
        404 if is_page(response) => Verdict::Stop {
            reason: misled(&complaint(response)),
        },
        408 | 425 | 500 | 502 | 503 | 504 | 520..=524 => transient(response),
        _ => refused(case, request, &complaint(response)),
    }
}

fn succeeded(case: Case, contact: &Contact, request: &Request, response: &Response) -> Verdict {
    if case.shape.fits(&response.body) {
        contact.0.store(true, Ordering::Relaxed);
        return Verdict::Accept;
    }
    let reason = unreadable(response)
        .unwrap_or_else(|| format!("the answer is not what is promised: {}", complaint(response)));
    match request.purpose {
        Purpose::Write => Verdict::Unknown { reason },
        Purpose::Observe | Purpose::Validate if is_page(response) && !contact.0.load(Ordering::Relaxed) => {
            Verdict::Stop { reason }
        }
        Purpose::Observe | Purpose::Validate => transient(response),
    }
}

fn redirected(response: &Response) -> String {
    let to = response
        .headers
        .get(LOCATION)
        .map(|location| clean(&String::from_utf8_lossy(location.as_bytes())));
    let to = to.unwrap_or_else(|| "somewhere".to_owned());
    format!(
        "the vendor answered {}: redirect to {to}: {URL_HINT}",
        response.status
    )
}

fn throttled(response: &Response) -> Verdict {
    Verdict::Retry {
        kind: RetryKind::Throttled,
        after: wait(&response.headers),
    }
}

fn transient(response: &Response) -> Verdict {
    Verdict::Retry {
        kind: RetryKind::Transient,
        after: wait(&response.headers),
    }
}

fn refused(case: Case, request: &Request, complaint: &Complaint) -> Verdict {
    if is_gone(case, complaint) {
        return Verdict::Accept;
    }
    match complaint.status {
        401 | 403 | 407 => Verdict::Stop {
            reason: denied(case, complaint),
        },
        404 => not_found(case, request, complaint),
        500.. => Verdict::Refuse {
            class: Class::Server.as_str(),
            reason: complaint.to_string(),
        },
        _ => whole(case, request, complaint, class_of(complaint)),
    }
}

/// The vendor refuses a removal of what is not there, with a status that is nowhere documented; its own Terraform
/// provider goes by the text. Only observing tells on which entities that is so.
fn is_gone(case: Case, complaint: &Complaint) -> bool {
    case.not_found == NotFound::Removed
        && (400..500).contains(&complaint.status)
        && (complaint.status == 404 || complaint.words.starts_with("Unable to find tag"))
}

fn denied(case: Case, complaint: &Complaint) -> String {
    let mend = match complaint {
        Complaint { status: 401, .. } => format!(
            "mend the token: it is missing, expired, disabled or of another environment, or lacks {}",
            case.scopes
        ),
        Complaint {
            status: 403,
            enveloped: true,
            ..
        } => format!("give the token {}", case.scopes),
        _ => "a proxy or firewall between here and the vendor seems to have refused; check the way there"
            .to_owned(),
    };
    format!("{complaint}: {mend}")
}

fn not_found(case: Case, request: &Request, complaint: &Complaint) -> Verdict {
    match case.not_found {
        NotFound::Entity => whole(case, request, complaint, Class::Missing),
        NotFound::Route | NotFound::Removed => Verdict::Stop {
            reason: misled(complaint),
        },
    }
}

fn misled(complaint: &Complaint) -> String {
    format!("{complaint}: {URL_HINT}")
}

/// A change of several is halved until the guilty part stands alone; a reading has no halves.
fn whole(case: Case, request: &Request, complaint: &Complaint, class: Class) -> Verdict {
    let reason = complaint.to_string();
    if request.purpose == Purpose::Write && case.parts > 1 {
        return Verdict::Split { reason };
    }
    Verdict::Refuse {
        class: class.as_str(),
        reason,
    }
}

/// How the vendor words its limit of 1000 manual tags an entity is not documented, so this goes by what any wording
/// must say.
fn class_of(complaint: &Complaint) -> Class {
    let words = complaint.words.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    if says(&["tag"])
        && says(&["1000", "1,000"])
        && says(&["limit", "exceed", "maximum", "too many", "more than"])
    {
        Class::Full
    } else {
        Class::Refused
    }
}

/// How many entities a v2 target selects. Identifiers are quoted, and hold no quotes themselves.
pub(super) fn entities_in(target: &str) -> usize {
    let selector = target
        .split(['?', '&'])
        .find(|part| part.starts_with("entitySelector="))
        .unwrap_or_default();
    (selector.matches("%22").count() / 2).max(1)
}

/// How many tags a body adds; a request without a body is about one.
pub(super) fn tags_in(body: &[u8]) -> usize {
    #[derive(Deserialize)]
    struct Tags {
        tags: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Tags>(body).map_or(1, |body| body.tags.len().max(1))
}
