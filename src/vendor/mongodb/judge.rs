//! What an answer means: one table for both APIs. The status decides, and the error code where one status says several
//! things; `UNEXPECTED_ERROR` is sent with any status and decides nothing.
//!
//! Transport has answered a digest challenge before an answer gets here, so that a 401 is one to a fresh nonce.

use http::header::LOCATION;

use super::complaint::{Complaint, Speaker, complaint};
use crate::model::{Class, LiveEntity};
use crate::vendor::VendorError;
use crate::vendor::contact::Contact;
use crate::vendor::wait::{says_when, wait};
use crate::vendor::words::{clean, is_page};
use crate::wire::{Response, RetryKind, Verdict};

/// What differs between the two APIs, in words.
#[derive(Debug)]
pub(super) struct Api {
    /// What to look at when the wrong server answers.
    pub(super) url_hint: &'static str,
    /// Which roles see tags and which may write them.
    pub(super) roles: &'static str,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A page of a listing.
    Listing,
    /// One entity.
    One,
    /// A change of one entity.
    Change,
}

/// Why an entity, or what it carries, is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unseen {
    /// It is not there, as far as these credentials can tell.
    Missing,
    /// These credentials may not see it or change it.
    Hidden,
}

/// Judges an answer. `fits` says what is wrong with an accepted one.
pub(super) fn judge(
    api: &Api,
    contact: &Contact,
    asked: Asked,
    response: &Response,
    fits: impl FnOnce() -> Result<(), VendorError>,
) -> Verdict {
    match response.status {
        200..=299 => succeeded(contact, asked, response, fits()),
        300..=399 => Verdict::Stop {
            reason: redirected(api, response),
        },
        503 if says_when(&response.headers) => throttled(response, None),
        400..=499 if !matches!(response.status, 408 | 425) => {
            let complaint = complaint(response);
            if complaint.speaker == Speaker::Api {
                contact.meet();
            }
            let wrong_server = is_page(response) && !contact.is_met();
            refused(api, asked, response, &complaint, wrong_server)
        }
        _ => failing(asked, response, || complaint(response).to_string()),
    }
}

fn succeeded(contact: &Contact, asked: Asked, response: &Response, fits: Result<(), VendorError>) -> Verdict {
    match fits {
        Ok(()) => {
            contact.meet();
            Verdict::Accept
        }
        Err(error) if asked != Asked::Change && is_page(response) && !contact.is_met() => Verdict::Stop {
            reason: error.to_string(),
        },
        Err(error) => failing(asked, response, || error.to_string()),
    }
}

/// A server that fails may have done its work before. A whole set that is sent again later could wipe what somebody else
/// wrote in between, so a change is observed; a reading is repeated.
fn failing(asked: Asked, response: &Response, reason: impl FnOnce() -> String) -> Verdict {
    match asked {
        Asked::Change => Verdict::Unknown { reason: reason() },
        Asked::Listing | Asked::One => Verdict::Retry {
            kind: RetryKind::Transient,
            after: wait(&response.headers),
        },
    }
}

fn redirected(api: &Api, response: &Response) -> String {
    let to = response
        .headers
        .get(LOCATION)
        .map(|location| clean(&String::from_utf8_lossy(location.as_bytes())));
    let to = to.unwrap_or_else(|| "somewhere".to_owned());
    format!(
        "the vendor answered {}: redirect to {to}: {}",
        response.status, api.url_hint
    )
}

/// Without a word on how long, as the quota of Ops Manager that begins anew each minute, transport backs off.
fn throttled(response: &Response, told: Option<&Complaint>) -> Verdict {
    Verdict::Retry {
        kind: RetryKind::Throttled,
        after: wait(&response.headers).or_else(|| told?.after),
    }
}

fn refused(
    api: &Api,
    asked: Asked,
    response: &Response,
    complaint: &Complaint,
    wrong_server: bool,
) -> Verdict {
    if complaint.status == 429 || complaint.code_is(is_throttling) {
        return throttled(response, Some(complaint));
    }
    if let Some(mend) = mend_connection(api, complaint, wrong_server) {
        return Verdict::Stop {
            reason: format!("{complaint}: {mend}"),
        };
    }
    match (unseen(complaint), asked) {
        (Some(_), Asked::One) => Verdict::Accept,
        (Some(Unseen::Missing), Asked::Listing) => Verdict::Stop {
            reason: format!("{complaint}: {}", api.url_hint),
        },
        (Some(Unseen::Hidden), Asked::Listing) => Verdict::Stop {
            reason: format!("{complaint}: {}", api.roles),
        },
        (Some(Unseen::Missing), Asked::Change) => refusal(Class::Missing, complaint.to_string()),
        (Some(Unseen::Hidden), Asked::Change) => {
            refusal(Class::Refused, format!("{complaint}: {}", api.roles))
        }
        (None, _) => refusal(class_of(complaint), advised(complaint)),
    }
}

fn refusal(class: Class, reason: String) -> Verdict {
    Verdict::Refuse {
        class: class.as_str(),
        reason,
    }
}

/// Rate limits have been seen with 400 too (`INVITATIONS_RATE_LIMITED_IP`), and the token server writes its own small.
fn is_throttling(code: &str) -> bool {
    code.to_ascii_uppercase().contains("RATE_LIMITED")
}

const OTHER_VERSION: &str = "the vendor does not speak this version of its API: use a newer tagferry, or check the connection's `url`";
const RETIRED_VERSION: &str =
    "the vendor has retired the version of its API that is asked for: use a newer tagferry";
const PROXY: &str =
    "a proxy or firewall between here and the vendor seems to have refused; check the way there";
const ADDRESS: &str = "put the address of this machine on the access list of the API key or service account";
const CREDENTIALS: &str = "mend the connection's credentials: they are missing, wrong, expired or deleted";
const TOKENS: &str =
    "mend the connection's credentials: the service account is refused a token, or has too many alive";

/// What to mend when every request of this connection would be refused alike.
fn mend_connection(api: &Api, complaint: &Complaint, wrong_server: bool) -> Option<&'static str> {
    let Complaint { status, speaker, .. } = complaint;
    match (status, speaker) {
        (404, _) if wrong_server => Some(api.url_hint),
        (406 | 415, _) => Some(OTHER_VERSION),
        (410, _) if complaint.code_is(is_retired) => Some(RETIRED_VERSION),
        (401 | 403, _) if bars_address(complaint) => Some(ADDRESS),
        (401, _) if unseen(complaint).is_none() => Some(CREDENTIALS),
        (403, Speaker::TokenServer) => Some(TOKENS),
        (407, _) | (403, Speaker::Other) => Some(PROXY),
        _ => None,
    }
}

fn is_retired(code: &str) -> bool {
    code == "VERSION_GONE"
}

/// Whether the address is what is refused: `IP_ADDRESS_NOT_ON_ACCESS_LIST`, `ORG_REQUIRES_ACCESS_LIST`, and the same with
/// `WHITELIST` as older servers say. A body of the oldest form has no code.
fn bars_address(complaint: &Complaint) -> bool {
    complaint.code_is(|code| code.ends_with("ACCESS_LIST") || code.ends_with("WHITELIST"))
        || (complaint.code.is_none() && complaint.words.starts_with("IP address "))
}

/// Why the entity that was asked for is not shown, when it is that. Authorization is refused with 401 today and with 403 in
/// the oldest documents.
fn unseen(complaint: &Complaint) -> Option<Unseen> {
    let role = |code: &str| code == "USER_UNAUTHORIZED" || code.starts_with("NOT_");
    match complaint.status {
        404 => Some(Unseen::Missing),
        410 if !complaint.code_is(is_retired) => Some(Unseen::Missing),
        400..=499 if complaint.code_is(is_missing) => Some(Unseen::Missing),
        401 if complaint.code_is(role) => Some(Unseen::Hidden),
        403 if complaint.speaker == Speaker::Api && !bars_address(complaint) => Some(Unseen::Hidden),
        _ => None,
    }
}

/// What a refused reading of one entity tells: nothing where it is missing, and the entity without its tags where those
/// are not shown to these credentials.
pub(super) fn unshown(id: &str, answer: &Response) -> Result<Option<LiveEntity>, VendorError> {
    let complaint = complaint(answer);
    match unseen(&complaint) {
        Some(Unseen::Missing) => Ok(None),
        Some(Unseen::Hidden) => Ok(Some(LiveEntity {
            id: id.to_owned(),
            name: None,
            tags: None,
            handle: None,
        })),
        None => Err(VendorError::BadAnswer(complaint.to_string())),
    }
}

/// `NOT_IN_GROUP` says that the group does not exist or is not this user's, and never which. A flex cluster is not there
/// as far as the route of the other clusters is concerned (400 `CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API`, seen by
/// terraform-provider-mongodbatlas), and the reverse.
fn is_missing(code: &str) -> bool {
    matches!(
        code,
        "GROUP_NOT_FOUND" | "INVALID_GROUP_ID" | "CLUSTER_NOT_FOUND" | "NOT_IN_GROUP"
    ) || (code.starts_with("CANNOT_USE_") && code.ends_with("_API"))
}

fn class_of(complaint: &Complaint) -> Class {
    match complaint.code.as_deref() {
        Some("INVALID_GROUP_TOKEN") => Class::Illegal,
        Some("TOO_MANY_GROUP_TOKENS") => Class::Full,
        _ => Class::Refused,
    }
}

/// The vendor's words, and what to do where they leave that open.
fn advised(complaint: &Complaint) -> String {
    // `CANNOT_UPDATE_PAUSED_CLUSTER`, as the Atlas operator meets it.
    if complaint.code_is(|code| code.contains("PAUSED")) {
        return format!("{complaint}: resume the cluster and retry");
    }
    complaint.to_string()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    const API: Api = Api {
        url_hint: "check the url",
        roles: "give it the role",
    };

    const ALL: [Asked; 3] = [Asked::Listing, Asked::One, Asked::Change];

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

    fn coded(status: u16, code: &str) -> Response {
        let body = format!(
            r#"{{"error":{status},"reason":"No","detail":"It is so.","errorCode":"{code}","parameters":["x",5,null]}}"#
        );
        answer(status, &[("content-type", "application/json")], &body)
    }

    fn odd() -> Result<(), VendorError> {
        Err(VendorError::BadAnswer("it is odd".to_owned()))
    }

    fn verdict(asked: Asked, response: &Response) -> Verdict {
        judge(&API, &Contact::default(), asked, response, odd)
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

    fn words(response: &Response) -> [String; 3] {
        ALL.map(|asked| word(&verdict(asked, response)))
    }

    #[test]
    fn every_status_has_its_verdict_whatever_an_unexpected_error_is_called() {
        for (status, listing, one, change) in [
            (200, "Transient", "Transient", "unknown"),
            (202, "Transient", "Transient", "unknown"),
            (204, "Transient", "Transient", "unknown"),
            (302, "stop", "stop", "stop"),
            (308, "stop", "stop", "stop"),
            (400, "refuse refused", "refuse refused", "refuse refused"),
            (401, "stop", "stop", "stop"),
            (402, "refuse refused", "refuse refused", "refuse refused"),
            (403, "stop", "accept", "refuse refused"),
            (404, "stop", "accept", "refuse missing"),
            (405, "refuse refused", "refuse refused", "refuse refused"),
            (406, "stop", "stop", "stop"),
            (407, "stop", "stop", "stop"),
            (408, "Transient", "Transient", "unknown"),
            (409, "refuse refused", "refuse refused", "refuse refused"),
            (410, "stop", "accept", "refuse missing"),
            (413, "refuse refused", "refuse refused", "refuse refused"),
            (415, "stop", "stop", "stop"),
            (422, "refuse refused", "refuse refused", "refuse refused"),
            (425, "Transient", "Transient", "unknown"),
            (429, "Throttled", "Throttled", "Throttled"),
            (500, "Transient", "Transient", "unknown"),
            (501, "Transient", "Transient", "unknown"),
            (502, "Transient", "Transient", "unknown"),
            (503, "Transient", "Transient", "unknown"),
            (504, "Transient", "Transient", "unknown"),
            (524, "Transient", "Transient", "unknown"),
        ] {
            assert_eq!(
                words(&coded(status, "UNEXPECTED_ERROR")),
                [listing, one, change],
                "{status}"
            );
        }
    }

    #[test]
    fn what_is_not_there_is_told_from_what_may_not_be_seen_and_from_refused_credentials() {
        let missing = ["stop", "accept", "refuse missing"];
        let hidden = ["stop", "accept", "refuse refused"];
        let credentials = ["stop", "stop", "stop"];
        for (status, code, want) in [
            (401, "NOT_IN_GROUP", missing),
            (401, "USER_UNAUTHORIZED", hidden),
            (401, "NOT_ORG_GROUP_CREATOR", hidden),
            (401, "NO_CURRENT_USER", credentials),
            (401, "SOMETHING_NEW", credentials),
            (403, "NOT_IN_GROUP", missing),
            (403, "USER_UNAUTHORIZED", hidden),
            (403, "CANNOT_CHANGE_GROUP_NAME", hidden),
            (403, "IP_ADDRESS_NOT_ON_ACCESS_LIST", credentials),
            (403, "IP_ADDRESS_NOT_ON_WHITELIST", credentials),
            (403, "ORG_REQUIRES_ACCESS_LIST", credentials),
            (404, "GROUP_NOT_FOUND", missing),
            (404, "INVALID_GROUP_ID", missing),
            (404, "GROUP_NAME_NOT_FOUND", missing),
            (404, "RESOURCE_NOT_FOUND", missing),
            (404, "CLUSTER_NOT_FOUND", missing),
            (400, "INVALID_GROUP_ID", missing),
            (400, "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API", missing),
        ] {
            assert_eq!(words(&coded(status, code)), want, "{status} {code}");
        }
    }

    #[test]
    fn every_other_code_of_the_documents_has_its_verdict() {
        for (status, code, want) in [
            (400, "INVALID_GROUP_TOKEN", "refuse illegal"),
            (400, "TOO_MANY_GROUP_TOKENS", "refuse full"),
            (400, "GROUP_MISMATCH", "refuse refused"),
            (400, "INVALID_ATTRIBUTE", "refuse refused"),
            (400, "INVALID_JSON", "refuse refused"),
            (400, "INVALID_JSON_ATTRIBUTE", "refuse refused"),
            (400, "MISSING_ATTRIBUTE", "refuse refused"),
            (400, "MISSING_ONE_OF_ATTRIBUTES", "refuse refused"),
            (400, "ATTRIBUTE_READ_ONLY", "refuse refused"),
            (400, "INVALID_QUERY_PARAMETER", "refuse refused"),
            (409, "MULTIPLE_GROUPS", "refuse refused"),
            (409, "GROUP_ALREADY_EXISTS", "refuse refused"),
            (409, "CANNOT_UPDATE_PAUSED_CLUSTER", "refuse refused"),
            (400, "INVITATIONS_RATE_LIMITED_IP", "Throttled"),
            (403, "RATE_LIMITED", "Throttled"),
            (429, "RATE_LIMITED", "Throttled"),
            (429, "RATE_LIMITED_TOKEN_BUCKET", "Throttled 5"),
            (410, "VERSION_GONE", "stop"),
        ] {
            assert_eq!(words(&coded(status, code)), [want; 3], "{status} {code}");
        }
        for code in ["GROUP_NOT_FOUND", "RATE_LIMITED", "UNEXPECTED_ERROR"] {
            let want = ["Transient", "Transient", "unknown"];
            assert_eq!(words(&coded(500, code)), want, "{code}");
        }
    }

    #[test]
    fn bodies_of_other_forms_are_judged_by_what_they_are() {
        let html = "<!doctype html><title>Unauthorized</title>";
        for (status, body, want) in [
            (401, "", ["stop", "stop", "stop"]),
            (401, html, ["stop", "stop", "stop"]),
            (
                401,
                r#"{"error":401,"reason":"Unauthorized","detail":"No."}"#,
                ["stop", "stop", "stop"],
            ),
            (401, r#"{"error":"invalid_token"}"#, ["stop", "stop", "stop"]),
            (403, "", ["stop", "stop", "stop"]),
            (403, html, ["stop", "stop", "stop"]),
            (
                403,
                r#"{"error":403,"reason":"Forbidden"}"#,
                ["stop", "accept", "refuse refused"],
            ),
            (
                403,
                r#"{"error":403,"detail":"IP address 192.0.2.1 is not allowed to access this resource."}"#,
                ["stop", "stop", "stop"],
            ),
            (
                403,
                r#"{"error":"access_denied","error_description":"Access Token limit reached."}"#,
                ["stop", "stop", "stop"],
            ),
            (
                400,
                r#"{"error":"rate_limited","error_description":"Resource is limited."}"#,
                ["Throttled", "Throttled", "Throttled"],
            ),
            (404, "", ["stop", "accept", "refuse missing"]),
            (404, "{", ["stop", "accept", "refuse missing"]),
            (404, html, ["stop", "stop", "stop"]),
            (429, html, ["Throttled", "Throttled", "Throttled"]),
            (500, html, ["Transient", "Transient", "unknown"]),
        ] {
            assert_eq!(words(&answer(status, &[], body)), want, "{status} {body}");
        }
    }

    #[test]
    fn waiting_times_reach_the_verdict() {
        let bucket = coded(429, "RATE_LIMITED_TOKEN_BUCKET");
        let with = |status: u16, headers: &[(&str, &str)]| answer(status, headers, "");
        let both = Response {
            headers: with(429, &[("RETRY-AFTER", "9")]).headers,
            ..bucket.clone()
        };
        for (response, want) in [
            (
                with(429, &[("Retry-After", "55"), ("RateLimit-Limit", "10")]),
                "Throttled 55",
            ),
            (with(429, &[("retry-after", "soon")]), "Throttled"),
            (with(429, &[("ratelimit-remaining", "0")]), "Throttled"),
            (bucket, "Throttled 5"),
            (both, "Throttled 9"),
            (with(503, &[("retry-after", "2")]), "Throttled 2"),
            (with(500, &[("retry-after", "4")]), "Transient 4"),
        ] {
            assert_eq!(word(&verdict(Asked::One, &response)), want, "{response:?}");
        }
    }

    #[test]
    fn an_accepted_answer_is_accepted_if_it_fits() {
        let fine = answer(200, &[], "{}");
        for asked in ALL {
            let accepted = judge(&API, &Contact::default(), asked, &fine, || Ok(()));
            assert_eq!(accepted, Verdict::Accept);
        }
        let Verdict::Unknown { reason } = verdict(Asked::Change, &fine) else {
            panic!("not unknown")
        };
        assert_eq!(reason, "it is odd");
    }

    #[test]
    fn a_web_page_stops_only_before_the_vendor_was_ever_met() {
        for (status, later) in [
            (200, ["Transient", "Transient", "unknown"]),
            (404, ["stop", "accept", "refuse missing"]),
        ] {
            let page = answer(status, &[("Content-Type", "Text/HTML; charset=utf-8")], "Log in");
            let contact = Contact::default();
            let judged = |asked: Asked| word(&judge(&API, &contact, asked, &page, odd));
            assert_eq!(judged(Asked::One), "stop");
            // A refusal in the vendor's own form is a meeting too.
            let refused = coded(400, "INVALID_ATTRIBUTE");
            assert_eq!(
                word(&judge(&API, &contact, Asked::One, &refused, odd)),
                "refuse refused"
            );
            assert_eq!(ALL.map(judged), later, "{status}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        for (response, asked, names) in [
            (
                coded(401, "NO_CURRENT_USER"),
                Asked::One,
                "401 NO_CURRENT_USER: It is so.: mend the connection's credentials",
            ),
            (
                coded(401, "USER_UNAUTHORIZED"),
                Asked::Change,
                "It is so.: give it the role",
            ),
            (
                coded(401, "USER_UNAUTHORIZED"),
                Asked::Listing,
                "It is so.: give it the role",
            ),
            (
                coded(403, "IP_ADDRESS_NOT_ON_ACCESS_LIST"),
                Asked::Change,
                "on the access list of the API key",
            ),
            (
                coded(404, "RESOURCE_NOT_FOUND"),
                Asked::Listing,
                "It is so.: check the url",
            ),
            (
                coded(409, "CANNOT_UPDATE_PAUSED_CLUSTER"),
                Asked::Change,
                "resume the cluster and retry",
            ),
            (coded(410, "VERSION_GONE"), Asked::One, "use a newer tagferry"),
            (coded(406, "NOT_ACCEPTABLE"), Asked::One, "use a newer tagferry"),
            (answer(407, &[], ""), Asked::One, "a proxy or firewall"),
            (
                answer(403, &[], "<html>Blocked</html>"),
                Asked::Change,
                "a proxy or firewall",
            ),
            (answer(404, &[], "<html>"), Asked::One, "check the url"),
            (
                answer(302, &[("Location", "https://sso.example/?x=1")], ""),
                Asked::One,
                "redirect to https://sso.example/?x=1: check the url",
            ),
            (
                answer(301, &[], ""),
                Asked::Listing,
                "redirect to somewhere: check the url",
            ),
        ] {
            let reason = match verdict(asked, &response) {
                Verdict::Stop { reason } | Verdict::Refuse { reason, .. } => reason,
                other => panic!("{other:?}"),
            };
            assert!(reason.contains(names), "{reason}");
        }
    }

    #[test]
    fn what_is_not_shown_is_missing_or_hidden_and_never_bare() {
        let hidden = |answer: &Response| unshown("id", answer).map(|live| live.map(|live| live.tags));
        assert_eq!(hidden(&coded(404, "GROUP_NOT_FOUND")), Ok(None));
        assert_eq!(hidden(&coded(401, "NOT_IN_GROUP")), Ok(None));
        assert_eq!(hidden(&coded(401, "USER_UNAUTHORIZED")), Ok(Some(None)));
        assert!(hidden(&coded(400, "INVALID_JSON")).is_err());
    }

    proptest! {
        /// Judging and reading never disagree: a refusal that is accepted can be read.
        #[test]
        fn a_refusal_that_is_accepted_can_be_read(status in 400u16..600, code in "[A-Z_]{0,12}|NOT_IN_GROUP|USER_UNAUTHORIZED", raw in "(?s).{0,40}") {
            for response in [coded(status, &code), answer(status, &[], &raw)] {
                let accepted = verdict(Asked::One, &response) == Verdict::Accept;
                prop_assert!(!accepted || unshown("id", &response).is_ok());
                if let Verdict::Refuse { class, .. } = verdict(Asked::Change, &response) {
                    prop_assert!(class.parse::<Class>().is_ok(), "{}", class);
                }
            }
        }
    }
}
