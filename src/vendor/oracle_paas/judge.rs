//! What an answer means.
//!
//! The pages list 200, 204, 400, 404 and 409, and no status for `PUT …/assignments`
//! (`JCS/api-tags-and-assignments.html`); what else comes is judged so that nothing is guessed.

use http::Method;
use http::header::LOCATION;

use super::answer;
use super::body::Parts;
use super::complaint::{Complaint, complaint, unreadable};
use super::limits::TAGS_PER_INSTANCE;
use crate::model::Class;
use crate::vendor::contact::Contact;
use crate::vendor::wait::{says_when, wait};
use crate::vendor::words::{clean, is_page};
use crate::wire::{Purpose, Request, Response, RetryKind, Verdict};

/// What to look at when the wrong server answers.
const URL_HINT: &str = "check the connection's `url`, such as `https://psm.us.oraclecloud.com`, and its \
     `tenant`";

/// Judges an answer.
pub(super) fn judge(contact: &Contact, request: &Request, response: &Response) -> Verdict {
    match response.status {
        200..=299 => succeeded(contact, request, response),
        300..=399 => Verdict::Stop {
            reason: redirected(response),
        },
        401 | 403 | 407 => Verdict::Stop {
            reason: denied(&complaint(response)),
        },
        429 => retry(RetryKind::Throttled, response),
        503 if says_when(&response.headers) => retry(RetryKind::Throttled, response),
        // Both say that the request was not looked at.
        408 | 425 => retry(RetryKind::Transient, response),
        400..=499 => refused(contact, request, &complaint(response)),
        _ => faulted(request, response),
    }
}

fn succeeded(contact: &Contact, request: &Request, response: &Response) -> Verdict {
    let listed = answer::listing(response).is_some();
    if listed {
        contact.meet();
    }
    let empty = response.body.trim_ascii().is_empty();
    match (request.purpose, response.status) {
        (Purpose::Observe | Purpose::Validate | Purpose::Authenticate, 200) if listed => Verdict::Accept,
        (Purpose::Observe | Purpose::Validate | Purpose::Authenticate, _)
            if is_page(response) && !contact.is_met() =>
        {
            Verdict::Stop {
                reason: format!("{}: {URL_HINT}", unreadable(response)),
            }
        }
        (Purpose::Observe | Purpose::Validate | Purpose::Authenticate, _) => {
            retry(RetryKind::Transient, response)
        }
        // What a change is answered with is documented for `POST` only: an empty body is taken, and read as saying
        // nothing.
        (Purpose::Write, 200 | 201 | 204) if listed || empty => Verdict::Accept,
        (Purpose::Write, status @ (202 | 204)) => Verdict::Unknown {
            reason: format!("the vendor answered {status}, which does not say that it is done"),
        },
        (Purpose::Write, _) => Verdict::Unknown {
            reason: unreadable(response),
        },
    }
}

fn redirected(response: &Response) -> String {
    let to = response
        .headers
        .get(LOCATION)
        .map(|location| clean(&String::from_utf8_lossy(location.as_bytes())));
    let to = to.unwrap_or_else(|| "somewhere".to_owned());
    format!(
        "the vendor answered {}: redirect to {to}, perhaps to log in: {URL_HINT}",
        response.status
    )
}

fn denied(complaint: &Complaint) -> String {
    let mend = match complaint.status {
        401 => "mend the credentials: they are missing, wrong or expired, or not of this `tenant`",
        403 if complaint.enveloped => "give the user a role that may tag services in this `tenant`",
        403 => {
            "the user may not tag services in this `tenant`, or a proxy or firewall has refused; check both"
        }
        _ => "a proxy between here and the vendor wants credentials; check the way there",
    };
    format!("{complaint}: {mend}")
}

fn retry(kind: RetryKind, response: &Response) -> Verdict {
    Verdict::Retry {
        kind,
        after: wait(&response.headers),
    }
}

/// A server that fails may have done its work before, so only what may be done twice is sent again.
fn faulted(request: &Request, response: &Response) -> Verdict {
    if request.idempotent {
        return retry(RetryKind::Transient, response);
    }
    Verdict::Unknown {
        reason: format!("{}; it may have been done all the same", complaint(response)),
    }
}

fn refused(contact: &Contact, request: &Request, complaint: &Complaint) -> Verdict {
    if complaint.status == 404 && !complaint.enveloped && !contact.is_met() {
        return Verdict::Stop {
            reason: format!("{complaint}: {URL_HINT}"),
        };
    }
    match request.method {
        Method::GET => reading_refused(complaint),
        Method::POST => creation_refused(request, complaint),
        Method::PUT => change_refused(request, complaint),
        _ => refuse(deletion_class(complaint), complaint),
    }
}

/// A service that is not there should be left out in silence; where it is refused instead, `observed` tells what that
/// says of whom.
fn reading_refused(complaint: &Complaint) -> Verdict {
    match complaint.status {
        404 if complaint.enveloped => Verdict::Accept,
        413 | 414 | 431 => Verdict::Refuse {
            class: Class::Refused.as_str(),
            reason: format!("{complaint}: lower `services_chars` of the connection"),
        },
        _ => refuse(Class::Refused, complaint),
    }
}

/// What comes of making a tag that exists, or of assigning one twice, is not documented. It is settled by the other
/// request: halves go by `PUT`, and so does what observing finds missing.
fn creation_refused(request: &Request, complaint: &Complaint) -> Verdict {
    let reason = complaint.to_string();
    if Parts::of(&request.body).several() {
        Verdict::Split { reason }
    } else {
        Verdict::Unknown { reason }
    }
}

/// The failed-response is for the whole request, so what can be halved is. What is to be removed and is not found is
/// gone: then observing tells of all services at once, and of several as well.
fn change_refused(request: &Request, complaint: &Complaint) -> Verdict {
    let parts = Parts::of(&request.body);
    let reason = complaint.to_string();
    match complaint.status {
        404 if parts.only_removes() => Verdict::Unknown { reason },
        _ if parts.several() => Verdict::Split { reason },
        // Which status says that an assignment is gone is not documented.
        400 | 409 if parts.only_removes() => Verdict::Unknown { reason },
        // Tags are made as needed, so it is the service that is missing.
        404 => refuse(Class::Missing, complaint),
        _ if blames_number(&complaint.words) => refuse(Class::Full, complaint),
        _ => refuse(Class::Refused, complaint),
    }
}

/// Nothing is lost where a tag is gone already, or is carried again.
fn deletion_class(complaint: &Complaint) -> Class {
    if complaint.status == 404 {
        Class::Missing
    } else {
        Class::Refused
    }
}

fn refuse(class: Class, complaint: &Complaint) -> Verdict {
    Verdict::Refuse {
        class: class.as_str(),
        reason: complaint.to_string(),
    }
}

/// How the vendor words its limit of tags an instance is not documented, so this goes by what any wording must say.
fn blames_number(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    says(&["tag"])
        && words.contains(&TAGS_PER_INSTANCE.to_string())
        && says(&["limit", "exceed", "maximum", "too many", "more than"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::Vendor;
    use crate::vendor::oracle_paas::options::Options;
    use crate::vendor::oracle_paas::service_tags::ServiceTags;
    use crate::vendor::oracle_paas::testing::{
        answer, answer_with, call, first_add, options, pair, plain, scope, vendor,
    };

    const FAILED: &str = r#"{"details":{"message":"Tags can't be assigned.","issues":["no such thing"]}}"#;
    const LIST: &str = r#"[{"key":"a","assignments":{"services":[]}}]"#;

    fn reading() -> Request {
        vendor().observe(&scope(&["A", "B"]), None).unwrap()
    }

    fn creating(names: &[&str]) -> Request {
        vendor().encode(&first_add(names, &[plain("a")])).unwrap()
    }

    fn adding(names: &[&str]) -> Request {
        vendor().encode(&call(names, &[plain("a")], &[])).unwrap()
    }

    fn removing(names: &[&str]) -> Request {
        vendor().encode(&call(names, &[], &[plain("a")])).unwrap()
    }

    fn replacing() -> Request {
        let [new, old] = [pair("a", "new"), pair("a", "old")];
        vendor().encode(&call(&["A"], &[new], &[old])).unwrap()
    }

    fn deleting() -> Request {
        let options = Options {
            delete_unused: true,
            ..options()
        };
        let vendor = ServiceTags::new(&options).unwrap();
        vendor.tidy(&pair("a", "b")).unwrap().unwrap()
    }

    /// The verdict at a connection where the API was met.
    fn verdict(request: &Request, response: &Response) -> Verdict {
        let contact = Contact::default();
        contact.meet();
        judge(&contact, request, response)
    }

    /// A verdict in a few words, for tables.
    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Accept => "accept".to_owned(),
            Verdict::Retry { kind, after } => {
                let after = after.map(|after| format!(" {}", after.as_secs()));
                format!("{kind:?}{}", after.unwrap_or_default())
            }
            Verdict::Split { .. } => "split".to_owned(),
            Verdict::Unknown { .. } => "unknown".to_owned(),
            Verdict::Refuse { class, .. } => format!("refuse {class}"),
            Verdict::Stop { .. } => "stop".to_owned(),
        }
    }

    #[test]
    fn every_refusal_of_the_page_has_its_verdict() {
        for (request, of_400, of_404, of_409) in [
            (reading(), "refuse refused", "accept", "refuse refused"),
            (creating(&["A"]), "unknown", "unknown", "unknown"),
            (creating(&["A", "B"]), "split", "split", "split"),
            (
                adding(&["A"]),
                "refuse refused",
                "refuse missing",
                "refuse refused",
            ),
            (adding(&["A", "B"]), "split", "split", "split"),
            (removing(&["A"]), "unknown", "unknown", "unknown"),
            (removing(&["A", "B"]), "split", "unknown", "split"),
            (replacing(), "split", "split", "split"),
            (deleting(), "refuse refused", "refuse missing", "refuse refused"),
        ] {
            for body in [FAILED, ""] {
                let words = [400, 404, 409].map(|status| word(&verdict(&request, &answer(status, body))));
                // Without its failed-response a 404 of a reading is no word of the vendor's.
                let of_404 = if of_404 == "accept" && body.is_empty() {
                    "refuse refused"
                } else {
                    of_404
                };
                assert_eq!(words, [of_400, of_404, of_409], "{} {body}", request.target);
            }
        }
    }

    #[test]
    fn every_other_status_has_its_verdict() {
        for (status, read, add, remove) in [
            (301, "stop", "stop", "stop"),
            (302, "stop", "stop", "stop"),
            (401, "stop", "stop", "stop"),
            (403, "stop", "stop", "stop"),
            (405, "refuse refused", "refuse refused", "refuse refused"),
            (407, "stop", "stop", "stop"),
            (408, "Transient", "Transient", "Transient"),
            (413, "refuse refused", "refuse refused", "refuse refused"),
            (415, "refuse refused", "refuse refused", "refuse refused"),
            (425, "Transient", "Transient", "Transient"),
            (429, "Throttled", "Throttled", "Throttled"),
            (500, "Transient", "Transient", "unknown"),
            (502, "Transient", "Transient", "unknown"),
            (503, "Transient", "Transient", "unknown"),
            (504, "Transient", "Transient", "unknown"),
            (599, "Transient", "Transient", "unknown"),
            (999, "Transient", "Transient", "unknown"),
        ] {
            for body in [FAILED, "<html>front end</html>", ""] {
                let requests = [reading(), adding(&["A"]), removing(&["A"])];
                let words = requests.map(|request| word(&verdict(&request, &answer(status, body))));
                assert_eq!(words, [read, add, remove], "{status} {body}");
            }
        }
        assert_eq!(word(&verdict(&adding(&["A", "B"]), &answer(413, ""))), "split");
    }

    #[test]
    fn a_success_is_accepted_only_in_its_shape() {
        let page = "<!doctype html><title>Sign in</title>";
        for (status, body, read, write) in [
            (200, LIST, "accept", "accept"),
            (200, "[]", "accept", "accept"),
            (201, LIST, "Transient", "accept"),
            (204, "", "Transient", "accept"),
            (200, "", "Transient", "accept"),
            (202, "", "Transient", "unknown"),
            (202, LIST, "Transient", "unknown"),
            (206, LIST, "Transient", "unknown"),
            (207, LIST, "Transient", "unknown"),
            (200, page, "Transient", "unknown"),
            (200, FAILED, "Transient", "unknown"),
            (200, r#"[{"key":"a"#, "Transient", "unknown"),
            (200, "null", "Transient", "unknown"),
            (200, "OK", "Transient", "unknown"),
        ] {
            let answer = answer(status, body);
            assert_eq!(word(&verdict(&reading(), &answer)), read, "{status} {body}");
            for request in [creating(&["A"]), adding(&["A"]), replacing(), deleting()] {
                assert_eq!(word(&verdict(&request, &answer)), write, "{status} {body}");
            }
        }
    }

    #[test]
    fn waiting_times_reach_the_verdict_in_whatever_case_their_header_is() {
        for (status, headers, want) in [
            (429, vec![("retry-after", "7")], "Throttled 7"),
            (429, vec![("Retry-After", "soon")], "Throttled"),
            (503, vec![("RETRY-AFTER", "2")], "Throttled 2"),
            (503, vec![("retry-after", "whenever")], "Throttled"),
            (408, vec![("retry-after", "4")], "Transient 4"),
        ] {
            for request in [adding(&["A"]), removing(&["A"])] {
                let answer = answer_with(status, &headers, "");
                assert_eq!(word(&verdict(&request, &answer)), want);
            }
        }
    }

    #[test]
    fn the_wrong_server_stops_only_before_the_api_was_ever_met() {
        let contact = Contact::default();
        for (status, body) in [
            (200, "<html>Sign in</html>"),
            (404, ""),
            (404, "<html>nginx</html>"),
            (404, r#"{"error":"no route"}"#),
        ] {
            let Verdict::Stop { reason } = judge(&contact, &reading(), &answer(status, body)) else {
                panic!("{status} {body} did not stop")
            };
            assert!(
                reason.contains("`url`") && reason.contains("`tenant`"),
                "{reason}"
            );
        }
        assert_eq!(judge(&contact, &reading(), &answer(404, FAILED)), Verdict::Accept);
        assert_eq!(judge(&contact, &reading(), &answer(200, LIST)), Verdict::Accept);
        let page = judge(&contact, &reading(), &answer(200, "<html>Sign in</html>"));
        assert_eq!(word(&page), "Transient");
        assert_eq!(
            word(&judge(&contact, &reading(), &answer(404, ""))),
            "refuse refused"
        );
    }

    #[test]
    fn stops_say_what_to_mend() {
        for (status, headers, body, names) in [
            (
                401,
                vec![],
                "",
                "answered 401: Unauthorized: mend the credentials",
            ),
            (
                401,
                vec![("Content-Type", "text/html")],
                "<html><h1>Login failed</h1>",
                "<html><h1>Login failed</h1>: mend the credentials",
            ),
            (
                403,
                vec![],
                FAILED,
                "Tags can't be assigned.; no such thing: give the user a role",
            ),
            (
                403,
                vec![],
                "<html>Blocked</html>",
                "a proxy or firewall has refused",
            ),
            (407, vec![], "", "a proxy between here and the vendor"),
            (
                302,
                vec![("Location", "https://login.example/?t=1")],
                "",
                "redirect to https://login.example/?t=1, perhaps to log in: check the connection's `url`",
            ),
            (307, vec![], "", "redirect to somewhere, perhaps to log in"),
        ] {
            let answer = answer_with(status, &headers, body);
            let Verdict::Stop { reason } = verdict(&adding(&["A"]), &answer) else {
                panic!("{status} did not stop")
            };
            assert!(reason.contains(names), "{reason}");
        }
    }

    #[test]
    fn reasons_are_the_vendor_s_words() {
        for (request, status, body, want) in [
            (
                adding(&["A", "B"]),
                400,
                FAILED,
                "the vendor answered 400: Tags can't be assigned.; no such thing",
            ),
            (
                removing(&["A"]),
                404,
                FAILED,
                "the vendor answered 404: Tags can't be assigned.; no such thing",
            ),
            (
                removing(&["A"]),
                500,
                "",
                "the vendor answered 500: Internal Server Error; it may have been done all the same",
            ),
            (
                adding(&["A"]),
                202,
                "",
                "the vendor answered 202, which does not say that it is done",
            ),
            (
                reading(),
                414,
                "",
                "the vendor answered 414: URI Too Long: lower `services_chars` of the connection",
            ),
        ] {
            let verdict = verdict(&request, &answer(status, body));
            let (Verdict::Split { reason } | Verdict::Unknown { reason } | Verdict::Refuse { reason, .. }) =
                verdict
            else {
                panic!("{verdict:?}")
            };
            assert_eq!(reason, want);
        }
    }

    #[test]
    fn a_full_instance_is_told_from_other_refusals() {
        for (message, want) in [
            ("The maximum number of tags is 50", "refuse full"),
            ("Too many tags: 50 are allowed", "refuse full"),
            ("Tag value exceeds 256 characters", "refuse refused"),
            ("Tag limit", "refuse refused"),
            ("metering tag", "refuse refused"),
        ] {
            let body = format!(r#"{{"details":{{"message":"{message}"}}}}"#);
            assert_eq!(
                word(&verdict(&adding(&["A"]), &answer(400, &body))),
                want,
                "{message}"
            );
        }
    }

    #[test]
    fn every_refusal_is_spelt_as_a_class_of_the_model() {
        for status in (100..600).filter(|status| *status != 204) {
            for request in [reading(), adding(&["A"]), removing(&["A"]), deleting()] {
                if let Verdict::Refuse { class, .. } = verdict(&request, &answer(status, "")) {
                    assert!(class.parse::<Class>().is_ok(), "{class}");
                }
            }
        }
    }
}
