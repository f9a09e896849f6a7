//! What an answer means. One table for both APIs; what differs between requests is a [`Case`].
//!
//! Statuses are those of
//! <https://docs.dynatrace.com/managed/dynatrace-api/basics/dynatrace-api-response-codes>, and what clients
//! of the vendor met beside them.

use http::header::LOCATION;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::answer::Shape;
use super::complaint::{Complaint, URL_HINT, complaint, unreadable};
use crate::model::Class;
use crate::vendor::contact::Contact;
use crate::vendor::wait::{says_when, wait};
use crate::vendor::words::{clean, is_page};
use crate::wire::{Purpose, Request, Response, RetryKind, Verdict};

/// Names the state of a request to the vendor's support.
pub(super) const CORRELATION: &[&str] = &["x-dynatrace-requeststateid"];

/// What the verdict on an answer depends on, beside the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// What an accepted answer looks like.
    pub(super) shape: Shape,
    /// What a 404 says.
    pub(super) not_found: NotFound,
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
        contact.meet();
        return Verdict::Accept;
    }
    let reason = unreadable(response)
        .unwrap_or_else(|| format!("the answer is not what is promised: {}", complaint(response)));
    match request.purpose {
        Purpose::Write => Verdict::Unknown { reason },
        _ if is_page(response) && !contact.is_met() => Verdict::Stop { reason },
        Purpose::Observe | Purpose::Validate | Purpose::Authenticate => transient(response),
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
        404 if case.not_found == NotFound::Entity => missing(request, complaint),
        404 => Verdict::Stop {
            reason: misled(complaint),
        },
        500.. => Verdict::Refuse {
            class: Class::Server.as_str(),
            reason: complaint.to_string(),
        },
        _ => halved(request, complaint).unwrap_or_else(|| failed(request, complaint)),
    }
}

/// The vendor refuses a removal of what is not there, with a status that is nowhere documented; its own
/// Terraform provider goes by the text. Only observing tells on which entities that is so.
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

/// Whatever tags it carries, a call for one entity that is not there has no guilty half.
fn missing(request: &Request, complaint: &Complaint) -> Verdict {
    let reason = complaint.to_string();
    if entities_in(&request.target) > 1 {
        return Verdict::Split { reason };
    }
    Verdict::Refuse {
        class: Class::Missing.as_str(),
        reason,
    }
}

fn misled(complaint: &Complaint) -> String {
    format!("{complaint}: {URL_HINT}")
}

/// A change of several entities or tags is halved until the guilty part stands alone; a reading has no
/// halves. The request alone tells what it is about.
fn halved(request: &Request, complaint: &Complaint) -> Option<Verdict> {
    let several = entities_in(&request.target) > 1 || tags_in(&request.body) > 1;
    (request.purpose == Purpose::Write && several).then(|| Verdict::Split {
        reason: complaint.to_string(),
    })
}

fn failed(request: &Request, complaint: &Complaint) -> Verdict {
    let mut reason = complaint.to_string();
    if request.target.contains("nextPageKey=") {
        // Pages may be removed while a listing is read; the vendor then refuses the cursor.
        reason.push_str(": the listing may have changed while it was read; observe it from its start");
    }
    if blames_length(&complaint.words) {
        reason.push_str(": lower `selector_chars` of the connection");
    }
    Verdict::Refuse {
        class: class_of(complaint).as_str(),
        reason,
    }
}

/// What the 2,000 characters of a selector are counted on is not documented: a percent-encoded one is longer.
fn blames_length(words: &str) -> bool {
    let of_size = ["size", "length", "long", "characters"];
    words.contains("entitySelector") && of_size.iter().any(|word| words.contains(word))
}

/// How the vendor words its limit of 1000 manual tags an entity is not documented, so this goes by what any
/// wording must say.
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
fn entities_in(target: &str) -> usize {
    let selector = target
        .split(['?', '&'])
        .find(|part| part.starts_with("entitySelector="))
        .unwrap_or_default();
    (selector.matches("%22").count() / 2).max(1)
}

/// How many tags a body adds; a request without a body is about one.
fn tags_in(body: &[u8]) -> usize {
    #[derive(Deserialize)]
    struct Tags {
        tags: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Tags>(body).map_or(1, |body| body.tags.len().max(1))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;

    const SCOPES: &str = "the scope entities.write";

    const ONE: &str = "?entitySelector=entityId%28%22HOST-1%22%29";
    const TWO: &str = "?entitySelector=entityId%28%22HOST-1%22%2C%22HOST-2%22%29";

    fn request(purpose: Purpose, query: &str, body: &'static str) -> Request {
        Request {
            purpose,
            idempotent: true,
            method: Method::GET,
            target: format!("/api/v2/x{query}"),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    /// A request with what its verdict depends on.
    type Sent = (Case, Request);

    fn adding(query: &str, body: &'static str) -> Sent {
        let case = Case {
            shape: Shape::Count,
            not_found: NotFound::Entity,
            scopes: SCOPES,
        };
        (case, request(Purpose::Write, query, body))
    }

    fn removing(query: &str) -> Sent {
        let case = Case {
            shape: Shape::Count,
            not_found: NotFound::Removed,
            scopes: SCOPES,
        };
        (case, request(Purpose::Write, query, ""))
    }

    fn listing(query: &str) -> Sent {
        let case = Case {
            shape: Shape::Entities,
            not_found: NotFound::Route,
            scopes: SCOPES,
        };
        (case, request(Purpose::Observe, query, ""))
    }

    fn one() -> Sent {
        adding(ONE, r#"{"tags":[{"key":"a"}]}"#)
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Response {
            status,
            headers: headers.collect(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn verdict((case, request): &Sent, response: &Response) -> Verdict {
        judge(*case, &Contact::default(), request, response)
    }

    /// A verdict in a few words, for tables.
    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Accept => "accept".to_owned(),
            Verdict::Retry { kind, after: None } => format!("{kind:?}"),
            Verdict::Retry {
                kind,
                after: Some(after),
            } => format!("{kind:?} {}", after.as_secs()),
            Verdict::Split { .. } => "split".to_owned(),
            Verdict::Unknown { .. } => "unknown".to_owned(),
            Verdict::Refuse { class, .. } => format!("refuse {class}"),
            Verdict::Stop { .. } => "stop".to_owned(),
        }
    }

    #[test]
    fn every_status_has_its_verdict() {
        let envelope = r#"{"error":{"code":0,"message":"Constraints violated.","constraintViolations":[{"path":"tags","message":"bad"}]}}"#;
        for (status, single, several, read) in [
            (201, "unknown", "unknown", "Transient"),
            (301, "stop", "stop", "stop"),
            (302, "stop", "stop", "stop"),
            (307, "stop", "stop", "stop"),
            (400, "refuse refused", "split", "refuse refused"),
            (401, "stop", "stop", "stop"),
            (403, "stop", "stop", "stop"),
            (404, "refuse missing", "split", "stop"),
            (405, "refuse refused", "split", "refuse refused"),
            (407, "stop", "stop", "stop"),
            (408, "Transient", "Transient", "Transient"),
            (409, "refuse refused", "split", "refuse refused"),
            (413, "refuse refused", "split", "refuse refused"),
            (414, "refuse refused", "split", "refuse refused"),
            (425, "Transient", "Transient", "Transient"),
            (429, "Throttled", "Throttled", "Throttled"),
            (500, "Transient", "Transient", "Transient"),
            (501, "refuse server", "refuse server", "refuse server"),
            (502, "Transient", "Transient", "Transient"),
            (503, "Transient", "Transient", "Transient"),
            (504, "Transient", "Transient", "Transient"),
            (520, "Transient", "Transient", "Transient"),
            (524, "Transient", "Transient", "Transient"),
            (525, "refuse server", "refuse server", "refuse server"),
        ] {
            let answer = answer(status, &[], envelope);
            let words = [one(), adding(TWO, ""), listing(TWO)].map(|sent| word(&verdict(&sent, &answer)));
            assert_eq!(words, [single, several, read], "{status}");
        }
    }

    #[test]
    fn waiting_times_reach_the_verdict() {
        for (status, headers, want) in [
            (429, vec![("retry-after", "7")], "Throttled 7"),
            (429, vec![("x-ratelimit-reset", "soon")], "Throttled"),
            (503, vec![("retry-after", "2")], "Throttled 2"),
            (503, vec![("retry-after", "whenever")], "Throttled"),
            (500, vec![("retry-after", "4")], "Transient 4"),
        ] {
            assert_eq!(word(&verdict(&one(), &answer(status, &headers, ""))), want);
        }
    }

    #[test]
    fn a_success_is_accepted_only_in_its_shape() {
        for (body, write, read) in [
            (r#"{"matchedEntitiesCount":1}"#, "accept", "Transient"),
            (r#"{"entities":[]}"#, "unknown", "accept"),
            (r#"{"entities":[{"entityId":"HOST-1"#, "unknown", "Transient"),
            ("", "unknown", "Transient"),
            ("OK", "unknown", "Transient"),
            (
                r#"{"error":{"code":500,"message":"late"}}"#,
                "unknown",
                "Transient",
            ),
        ] {
            for status in [200, 201, 202, 204] {
                let answer = answer(status, &[], body);
                let words = [one(), listing(ONE)].map(|sent| word(&verdict(&sent, &answer)));
                assert_eq!(words, [write, read], "{status} {body}");
            }
        }
    }

    #[test]
    fn a_web_page_stops_only_before_the_vendor_was_ever_met() {
        let page = answer(
            200,
            &[("content-type", "text/html;charset=utf-8")],
            "<!doctype html><title>Log in</title>",
        );
        let contact = Contact::default();
        let read = |response: &Response| {
            let (case, request) = listing(ONE);
            judge(case, &contact, &request, response)
        };
        let Verdict::Stop { reason } = read(&page) else {
            panic!("not stopped")
        };
        assert!(
            reason.contains(".live.dynatrace.com") && reason.contains(".apps.dynatrace.com"),
            "{reason}"
        );
        assert_eq!(read(&answer(200, &[], r#"{"entities":[]}"#)), Verdict::Accept);
        assert_eq!(word(&read(&page)), "Transient");
        let Verdict::Unknown { reason } = verdict(&one(), &page) else {
            panic!("not unknown")
        };
        assert!(reason.contains("a web page came instead of JSON"), "{reason}");
    }

    #[test]
    fn a_tag_that_is_not_there_ends_in_observing() {
        let gone = r#"{"error":{"code":400,"message":"Unable to find tag env:prod"}}"#;
        let late = r#"{"error":{"code":400,"message":"Sorry: Unable to find tag env:prod"}}"#;
        for (case, status, body, want) in [
            (removing(ONE), 400, gone, "accept"),
            (removing(ONE), 404, gone, "accept"),
            (removing(TWO), 400, gone, "accept"),
            (removing(ONE), 404, "", "accept"),
            (
                removing(ONE),
                404,
                r#"{"error":{"code":404,"message":"HTTP 404 Not Found"}}"#,
                "accept",
            ),
            (removing(ONE), 404, "<html>nginx</html>", "stop"),
            (removing(ONE), 400, late, "refuse refused"),
            (removing(TWO), 400, late, "split"),
            (removing(ONE), 500, gone, "Transient"),
            (one(), 400, gone, "refuse refused"),
        ] {
            assert_eq!(
                word(&verdict(&case, &answer(status, &[], body))),
                want,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn stops_say_what_to_mend() {
        let envelope = |message: &str| format!(r#"{{"error":{{"code":0,"message":"{message}"}}}}"#);
        let scope = "Token is missing required scope. Use one of: entities.write (Write entities)";
        for (status, headers, body, names) in [
            (
                401,
                vec![],
                envelope("Missing authorization parameter."),
                "Missing authorization parameter.: mend the token",
            ),
            (
                401,
                vec![],
                String::new(),
                "Unauthorized: mend the token: it is missing, expired",
            ),
            (
                403,
                vec![],
                envelope(scope),
                "(Write entities): give the token the scope entities.write",
            ),
            (
                403,
                vec![],
                "<html>Blocked</html>".to_owned(),
                "a proxy or firewall",
            ),
            (407, vec![], String::new(), "a proxy or firewall"),
            (
                302,
                vec![("location", "https://sso.example/?api-token=abcdefghij0123456789")],
                String::new(),
                "redirect to https://sso.example/?api-token=***: check the connection's `url`",
            ),
            (
                301,
                vec![],
                String::new(),
                "redirect to somewhere: check the connection's `url`",
            ),
            (404, vec![], "<html>".to_owned(), "check the connection's `url`"),
        ] {
            let Verdict::Stop { reason } = verdict(&adding(TWO, ""), &answer(status, &headers, &body)) else {
                panic!("{status} did not stop")
            };
            assert!(reason.contains(names), "{reason}");
        }
    }

    #[test]
    fn a_full_entity_is_told_from_other_refusals() {
        for (message, want) in [
            ("The maximum of 1000 tags is exceeded", "refuse full"),
            ("Too many tags: more than 1,000", "refuse full"),
            ("size must be between 0 and 1000", "refuse refused"),
            ("Tag limit", "refuse refused"),
            ("key exceeds 2000 characters", "refuse refused"),
        ] {
            let body = format!(r#"{{"error":{{"code":400,"message":"{message}"}}}}"#);
            assert_eq!(
                word(&verdict(&one(), &answer(400, &[], &body))),
                want,
                "{message}"
            );
            assert_eq!(
                word(&verdict(
                    &adding(ONE, r#"{"tags":[{"key":"a"},{"key":"b"}]}"#),
                    &answer(400, &[], &body)
                )),
                "split",
                "{message}"
            );
        }
    }

    #[test]
    fn a_refused_cursor_says_to_begin_again() {
        let Verdict::Refuse { class, reason } = verdict(&listing("?nextPageKey=x"), &answer(400, &[], ""))
        else {
            panic!("not refused")
        };
        assert_eq!(class, "refused");
        assert!(reason.ends_with("observe it from its start"), "{reason}");
    }

    #[test]
    fn a_selector_that_is_too_long_says_which_setting_to_lower() {
        for (message, hinted) in [
            ("entitySelector: size must be between 0 and 2000", true),
            ("entitySelector: unknown entity type", false),
            ("key: size must be between 1 and 100", false),
        ] {
            let body = format!(r#"{{"error":{{"code":400,"message":"{message}"}}}}"#);
            let Verdict::Refuse { reason, .. } = verdict(&listing("?a=b"), &answer(400, &[], &body)) else {
                panic!("not refused")
            };
            assert_eq!(
                reason.ends_with("lower `selector_chars` of the connection"),
                hinted,
                "{reason}"
            );
        }
    }

    #[test]
    fn an_entity_that_is_not_there_is_alone_whatever_tags_it_should_get() {
        let several = r#"{"tags":[{"key":"a"},{"key":"b"}]}"#;
        for (query, body, want) in [
            (ONE, several, "refuse missing"),
            ("", several, "refuse missing"),
            (TWO, several, "split"),
            (TWO, "", "split"),
        ] {
            let verdict = verdict(&adding(query, body), &answer(404, &[], ""));
            assert_eq!(word(&verdict), want, "{query}");
        }
    }

    #[test]
    fn parts_are_counted_from_the_request_alone() {
        for (target, want) in [
            (
                "/api/v2/tags?entitySelector=entityId%28%22HOST-1%22%29&from=now-1y",
                1,
            ),
            (
                "/api/v2/tags?entitySelector=entityId%28%22HOST-1%22%2C%22HOST-2%22%29&from=now-1y&key=%22a%22&value=%22b%22",
                2,
            ),
            (
                "/api/v2/tags?from=now-1y&entitySelector=entityId%28%22A-1%22%2C%22A-2%22%2C%22A-3%22%29",
                3,
            ),
            ("/api/v1/entity/services/SERVICE-1", 1),
        ] {
            assert_eq!(entities_in(target), want, "{target}");
        }
        for (body, want) in [
            ("", 1),
            (r#"{"tags":["a","b","c"]}"#, 3),
            (r#"{"tags":[{"key":"a"},{"key":"a","value":"b"}]}"#, 2),
        ] {
            assert_eq!(tags_in(body.as_bytes()), want, "{body}");
        }
    }

    #[test]
    fn every_refusal_is_spelt_as_a_class_of_the_model() {
        for status in (100..600).filter(|status| *status != 204) {
            if let Verdict::Refuse { class, .. } = verdict(&one(), &answer(status, &[], "")) {
                assert!(class.parse::<Class>().is_ok(), "{class}");
            }
        }
    }
}
