//! The bodies that name tags and service instances, and what each must hold.

use http::header;
use serde_json::{Map, Value};

use super::answer::Refused;
use super::reader::Reader;
use super::route::Call;
use super::switches::RequestType;

/// A tag, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: String,
}

/// A service instance, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ServiceName {
    pub(super) kind: String,
    pub(super) name: String,
}

/// Tags, and the service instances that they are for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) tags: Vec<Pair>,
    pub(super) services: Vec<ServiceName>,
}

/// Reads the body of creating: tags, and perhaps assignments.
pub(super) fn created(call: &Call<'_>) -> Result<Half, Refused> {
    read(call, &["tags", "assignments"], |reader, body| {
        let tags = reader.tags(body, "tags");
        if tags.is_empty() {
            reader.complain("At least one tag key/value pair must be specified in tags.".to_owned());
        }
        let services = reader.services(body, "assignments");
        Half { tags, services }
    })
}

/// Reads the body of assigning: what to assign, and what to unassign. Each needs both tags and services, or neither.
pub(super) fn reassigned(call: &Call<'_>) -> Result<(Half, Half), Refused> {
    const ASSIGN: [&str; 2] = ["tagsToAssign", "createAssignmentsTo"];
    const UNASSIGN: [&str; 2] = ["tagsToUnassign", "deleteAssignmentsFrom"];
    let known = [ASSIGN, UNASSIGN].concat();
    read(call, &known, |reader, body| {
        let mut half = |[tags, services]: [&str; 2]| {
            let half = Half {
                tags: reader.tags(body, tags),
                services: reader.services(body, services),
            };
            if half.tags.is_empty() != half.services.is_empty() {
                reader.complain(format!("{tags} and {services} must be given together."));
            }
            half
        };
        (half(ASSIGN), half(UNASSIGN))
    })
}

/// Reads the body of deleting several tags.
pub(super) fn deleted(call: &Call<'_>) -> Result<Vec<Pair>, Refused> {
    read(call, &["tagsToDelete"], |reader, body| {
        let tags = reader.tags(body, "tagsToDelete");
        if tags.is_empty() {
            reader.complain("At least one tag must be specified in tagsToDelete.".to_owned());
        }
        tags
    })
}

fn read<T>(
    call: &Call<'_>,
    known: &[&str],
    members: impl FnOnce(&mut Reader<'_>, &Map<String, Value>) -> T,
) -> Result<T, Refused> {
    check_type(call)?;
    let body: Value = serde_json::from_slice(call.asked.body())
        .map_err(|why| Refused::new(400, format!("The request body is not valid JSON: {why}.")))?;
    let mut reader = Reader::new(call.switches);
    let read = reader
        .object(&body, "The request body", known)
        .map(|body| members(&mut reader, body));
    Refused::unless_tolerated(400, reader.into_issues())?;
    read.ok_or_else(|| Refused::new(400, "The request body can't be read."))
}

fn check_type(call: &Call<'_>) -> Result<(), Refused> {
    let Some(sent) = call.asked.headers().get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let sent = sent.to_str().unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    let legal = essence.eq_ignore_ascii_case("application/json");
    if legal || call.switches.request_type == RequestType::Any {
        return Ok(());
    }
    let issue = format!("The media type must be application/json, and is '{sent}'.");
    Err(Refused::new(415, issue))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::super::super::api::Asked;
    use super::super::super::spec::Spec;
    use super::super::switches::Issues;
    use super::*;

    /// What `read` makes of a body, or the status and the first issue.
    fn reading<T>(
        options: &str,
        media_type: Option<&str>,
        body: &str,
        read: impl Fn(&Call<'_>) -> Result<T, Refused>,
    ) -> Result<T, (u16, String)> {
        let spec = Spec::from_url(&format!("simulator:?{options}"), "".as_ref()).unwrap();
        let mut request = Request::put("/");
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let (asked, switches) = (Asked::of(&request), spec.switches());
        read(&Call::of(&asked, 0, &switches)).map_err(|refused| {
            let answer = refused.into_response(Issues::Strings);
            let body: Value = serde_json::from_slice(answer.body()).unwrap();
            let message = body["details"]["message"].as_str().unwrap();
            (answer.status().as_u16(), message.to_owned())
        })
    }

    fn pair(key: &str, value: &str) -> Pair {
        Pair {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn the_documented_bodies_are_read() {
        let body = r#"{"tags":[{"key":"environment","value":"qa"}],"assignments":{"services":[{"serviceType":"JaaS","serviceName":"MyJCSExample"}]}}"#;
        let half = reading("", None, body, created).unwrap();
        assert_eq!(half.tags, [pair("environment", "qa")]);
        let want = ServiceName {
            kind: "JaaS".to_owned(),
            name: "MyJCSExample".to_owned(),
        };
        assert_eq!(half.services, [want]);
    }

    #[test]
    fn absent_parts_are_empty_and_doubled_ones_are_one() {
        let body = r#"{"tags":[{"key":"a"},{"key":"a","value":""},{"key":"a","value":null},{"key":"A"}],"assignments":null}"#;
        for (options, tags) in [
            ("", vec![pair("a", ""), pair("A", "")]),
            ("key-case=insensitive", vec![pair("a", "")]),
        ] {
            let half = reading(options, None, body, created).unwrap();
            assert_eq!((half.tags, half.services), (tags, vec![]), "{options}");
        }
        let empty = reading(
            "",
            None,
            r#"{"tagsToAssign":[],"createAssignmentsTo":{}}"#,
            reassigned,
        );
        assert_eq!(empty, Ok((Half::default(), Half::default())));
    }

    #[test]
    fn what_is_wrong_with_a_body_is_told() {
        for (body, issue) in [
            ("", "The request body is not valid JSON: EOF"),
            ("{", "The request body is not valid JSON: EOF"),
            ("\u{FEFF}{}", "The request body is not valid JSON: expected"),
            ("[]", "The request body must be an object."),
            ("{}", "At least one tag key/value pair must be specified"),
            (
                r#"{"tags":[]}"#,
                "At least one tag key/value pair must be specified",
            ),
            (r#"{"tags":{}}"#, "tags must be an array."),
            (r#"{"tags":["a"]}"#, "tags[0] must be an object."),
            (
                r#"{"tags":[{"key":"a"},{"value":"b"}]}"#,
                "tags[1].key must be specified.",
            ),
            (r#"{"tags":[{"key":""}]}"#, "tags[0].key must be specified."),
            (
                r#"{"tags":[{"key":"a","value":1}]}"#,
                "tags[0].value must be a string.",
            ),
            (
                r#"{"tags":[{"key":"a"}],"assignments":[]}"#,
                "assignments must be an object.",
            ),
            (
                r#"{"tags":[{"key":"a"}],"assignments":{"services":[{"serviceType":"JaaS"}]}}"#,
                "assignments.services[0].serviceName must be specified.",
            ),
        ] {
            let (status, message) = reading("", None, body, created).unwrap_err();
            assert!(status == 400 && message.starts_with(issue), "{body}: {message}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(reading("", None, &deep, created).unwrap_err().0, 400);
    }

    #[test]
    fn each_half_of_an_assignment_is_whole_or_absent() {
        const TAGS: &str = r#"[{"key":"a"}]"#;
        const SERVICES: &str = r#"{"services":[{"serviceType":"JaaS","serviceName":"a"}]}"#;
        for (body, good) in [
            ("{}".to_owned(), true),
            (
                format!(r#"{{"tagsToAssign":{TAGS},"createAssignmentsTo":{SERVICES}}}"#),
                true,
            ),
            (
                format!(r#"{{"tagsToUnassign":{TAGS},"deleteAssignmentsFrom":{SERVICES}}}"#),
                true,
            ),
            (format!(r#"{{"tagsToAssign":{TAGS}}}"#), false),
            (format!(r#"{{"createAssignmentsTo":{SERVICES}}}"#), false),
            (format!(r#"{{"tagsToUnassign":{TAGS}}}"#), false),
            (format!(r#"{{"deleteAssignmentsFrom":{SERVICES}}}"#), false),
            (
                format!(r#"{{"tagsToAssign":{TAGS},"deleteAssignmentsFrom":{SERVICES}}}"#),
                false,
            ),
            (
                format!(r#"{{"TagsToUnassign":{TAGS},"deleteAssignmentsFrom":{SERVICES}}}"#),
                false,
            ),
        ] {
            let got = reading("", None, &body, reassigned).map_err(|(status, _)| status);
            assert_eq!(got.map(drop), if good { Ok(()) } else { Err(400) }, "{body}");
        }
    }

    #[test]
    fn members_that_no_page_names_are_passed_over_or_refused() {
        for body in [
            r#"{"tagsToDelete":[{"key":"a"}],"x":1}"#,
            r#"{"tagsToDelete":[{"key":"a","isPlacementTag":true}]}"#,
        ] {
            assert_eq!(reading("", None, body, deleted), Ok(vec![pair("a", "")]));
            let (status, message) = reading("unknown-fields=refuse", None, body, deleted).unwrap_err();
            assert!(status == 400 && message.contains("unknown member"), "{message}");
        }
    }

    #[test]
    fn a_body_is_json_by_its_media_type_unless_any_is_read() {
        for (options, media_type, status) in [
            ("", None, None),
            ("", Some("application/json"), None),
            ("", Some("Application/JSON; charset=utf-8"), None),
            ("", Some("text/plain"), Some(415)),
            ("", Some("application/x-www-form-urlencoded"), Some(415)),
            ("request-type=any", Some("text/plain"), None),
        ] {
            let got = reading(options, media_type, r#"{"tagsToDelete":[{"key":"a"}]}"#, deleted);
            assert_eq!(
                got.err().map(|(status, _)| status),
                status,
                "{options} {media_type:?}"
            );
        }
    }
}
