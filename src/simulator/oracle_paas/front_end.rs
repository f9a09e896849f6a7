//! The front end: headers that every answer carries, and the answers that it gives itself.
//!
//! The headers are those of the recorded example in "JCS/op-paas-api-v1.1-tags-identitydomainid-tags-post.html". Its value of
//! `Access-Control-Allow-Origin` is garbled by the page and ends here after the star.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::answer::JSON;
use super::switches::{Ecid, FrontEndBody, MediaType, Switches};

const VENDOR_TYPE: HeaderValue =
    HeaderValue::from_static("application/vnd.com.oracle.oracloud.provisioning.Service+json");
const ECID: HeaderName = HeaderName::from_static("x-oracle-dms-ecid");

const FIXED: [(HeaderName, &str); 4] = [
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, POST, DELETE, PUT, OPTIONS, HEAD",
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Content-Type, api_key, Authorization, X-ID-TENANT-NAME, X-USER-IDENTITY-DOMAIN-NAME",
    ),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

/// What stands between the clients and the API.
#[derive(Debug)]
pub(super) struct FrontEnd {
    media_type: MediaType,
    ecid: Ecid,
    body: FrontEndBody,
    /// The first part of every correlation identifier of this process.
    context: u128,
    n_answers: AtomicU32,
}

impl FrontEnd {
    pub(super) fn new(switches: &Switches) -> Self {
        Self {
            media_type: switches.media_type,
            ecid: switches.ecid,
            body: switches.front_end_body,
            context: fastrand::u128(..),
            n_answers: AtomicU32::new(0),
        }
    }

    /// Makes an answer ready to leave.
    pub(super) fn finish(&self, answer: &mut Response<Bytes>) {
        if is_own(answer.status()) {
            self.replace_body(answer);
        }
        let headers = answer.headers_mut();
        if headers.get(header::CONTENT_TYPE) == Some(&JSON) {
            if self.media_type != MediaType::Json {
                headers.insert(header::CONTENT_TYPE, VENDOR_TYPE);
            }
            if self.media_type == MediaType::Both {
                headers.append(header::CONTENT_TYPE, JSON);
            }
        }
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Ok(ecid) = HeaderValue::from_str(&self.next_ecid()) {
            headers.insert(ECID, ecid.clone());
            if self.ecid == Ecid::Twice {
                headers.append(ECID, ecid);
            }
        }
    }

    fn replace_body(&self, answer: &mut Response<Bytes>) {
        match self.body {
            FrontEndBody::Json => {}
            FrontEndBody::Empty => {
                *answer.body_mut() = Bytes::new();
                answer.headers_mut().remove(header::CONTENT_TYPE);
            }
            FrontEndBody::Html => {
                let status = answer.status();
                let page = format!(
                    "<html><head><title>{status}</title></head><body><h1>Error {status}</h1></body></html>"
                );
                *answer.body_mut() = Bytes::from(page);
                let html = HeaderValue::from_static("text/html; charset=UTF-8");
                answer.headers_mut().insert(header::CONTENT_TYPE, html);
            }
        }
    }

    /// Such as `1bcaf164-c5b5-4c70-b7d8-5a24c1e19493-00000a8a`: one for each answer.
    fn next_ecid(&self) -> String {
        let digits = format!("{:032x}", self.context);
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &digits[group]);
        let number = self.n_answers.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number:08x}", groups.join("-"))
    }
}

/// Whether an answer with this status does not come from the API itself: no page documents its body.
fn is_own(status: StatusCode) -> bool {
    status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN || status.is_server_error()
}

#[cfg(test)]
mod tests {
    use super::super::super::spec::Spec;
    use super::super::answer::{Refused, json};
    use super::super::switches::Issues;
    use super::*;

    fn finished(option: &str, mut answer: Response<Bytes>) -> Response<Bytes> {
        let spec = Spec::from_url(&format!("simulator:?{option}"), "".as_ref()).unwrap();
        FrontEnd::new(&spec.switches()).finish(&mut answer);
        answer
    }

    fn all<'a>(answer: &'a Response<Bytes>, name: &str) -> Vec<&'a str> {
        let values = answer.headers().get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn the_media_type_is_the_one_that_its_switch_says() {
        let vendor = "application/vnd.com.oracle.oracloud.provisioning.Service+json";
        for (option, want) in [
            ("", &[vendor][..]),
            ("media-type=json", &["application/json"]),
            ("media-type=both", &[vendor, "application/json"]),
        ] {
            assert_eq!(
                all(&finished(option, json(&[0])), "content-type"),
                want,
                "{option}"
            );
        }
    }

    #[test]
    fn every_answer_has_a_correlation_identifier_of_its_own() {
        let front_end = FrontEnd::new(&Switches::default());
        let (first, second) = (front_end.next_ecid(), front_end.next_ecid());
        assert_eq!(first[..36], second[..36]);
        assert_eq!([&first[36..], &second[36..]], ["-00000000", "-00000001"]);
        let dashes: Vec<_> = first.match_indices('-').map(|(at, _)| at).collect();
        assert_eq!(dashes, [8, 13, 18, 23, 36]);
        for (option, n_ecids) in [("", 1), ("ecid=twice", 2)] {
            let answer = finished(option, super::super::answer::no_content());
            let ecids = all(&answer, "x-oracle-dms-ecid");
            assert_eq!(ecids.len(), n_ecids);
            assert!(ecids.iter().all(|ecid| *ecid == ecids[0]), "{ecids:?}");
            assert_eq!(answer.headers()["x-frame-options"], "DENY");
        }
    }

    #[test]
    fn bodies_of_the_front_end_are_not_documented_and_the_others_stay() {
        for (option, status, begin, media_type) in [
            ("", 401, "<html>", Some("text/html; charset=UTF-8")),
            ("", 503, "<html>", Some("text/html; charset=UTF-8")),
            ("front-end-body=empty", 403, "", None),
            (
                "front-end-body=json&media-type=json",
                500,
                "{\"details\"",
                Some("application/json"),
            ),
            ("media-type=json", 404, "{\"details\"", Some("application/json")),
        ] {
            let answer = finished(option, Refused::new(status, "x").into_response(Issues::Strings));
            let body = String::from_utf8(answer.body().to_vec()).unwrap();
            assert!(
                body.starts_with(begin) && body.is_empty() == begin.is_empty(),
                "{option}: {body}"
            );
            assert_eq!(
                all(&answer, "content-type").first().copied(),
                media_type,
                "{option}"
            );
        }
    }
}
