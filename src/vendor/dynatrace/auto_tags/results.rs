//! What became of the settings objects of one request (`SettingsObjectResponse`), and which of them is whose.
//!
//! Several objects are not created together or not at all: each has a result of its own
//! (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/settings/objects/post-object>).

use serde::Deserialize;
use serde_json::Value;

use crate::model::{Class, Effect, Failure};
use crate::vendor::dynatrace::complaint::{Complaint, Fault};
use crate::wire::Response;

/// What became of one object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectResult {
    /// The HTTP status of this object alone.
    code: u16,
    #[serde(default)]
    object_id: Option<String>,
    #[serde(default)]
    error: Option<Fault>,
    /// The value as it was sent, of an object that was refused.
    #[serde(default)]
    invalid_value: Option<Value>,
}

impl ObjectResult {
    /// The object that was made or changed.
    pub(super) fn object_id(&self) -> Option<&str> {
        self.object_id.as_deref()
    }

    /// What the result of a write says. A conflict, a missing object and a name that is taken are looked into: somebody
    /// else, or an earlier attempt of this very call, may have been there.
    pub(super) fn written(&self) -> Effect {
        match self.code {
            200..=299 if self.error.is_none() && self.object_id.is_some() => Effect::Done,
            200..=299 => Effect::Observe(format!("{}; no object is named", self.words())),
            404 | 408 | 409 | 412 | 425 | 429 | 500.. => Effect::Observe(self.words()),
            400 if self.is_taken_name() => Effect::Observe(self.words()),
            400..=499 => Effect::Failed(self.failure()),
            _ => Effect::Observe(self.words()),
        }
    }

    /// What the result of a dry run says of a definition.
    pub(super) fn validated(&self) -> Effect {
        match self.code {
            200..=299 if self.error.is_none() => Effect::Done,
            // What has the name is the definition itself, or one that was deleted a moment ago: that shows when it is
            // put.
            400 | 409 if self.is_taken_name() => Effect::Done,
            400 => Effect::Failed(self.failure()),
            _ => Effect::Observe(self.words()),
        }
    }

    fn is_refused(&self) -> bool {
        self.error.is_some() || !(200..=299).contains(&self.code)
    }

    fn is_taken_name(&self) -> bool {
        self.error.as_ref().is_some_and(Fault::is_taken_name)
    }

    /// The name of the definition that was refused.
    fn name(&self) -> Option<&str> {
        self.invalid_value.as_ref()?.get("name")?.as_str()
    }

    fn failure(&self) -> Failure {
        let class = if self.code == 400 {
            Class::Illegal
        } else {
            Class::Refused
        };
        Failure::new(class, self.words())
    }

    fn words(&self) -> String {
        let words = self.error.as_ref().map(Fault::words).unwrap_or_default();
        let told = Complaint {
            status: self.code,
            words: if words.is_empty() {
                "no explanation".to_owned()
            } else {
                words
            },
            enveloped: true,
        };
        told.to_string()
    }
}

/// Reads the results of an answer: one object, or a list.
pub(super) fn read(answer: &Response) -> Option<Vec<ObjectResult>> {
    match answer.body.trim_ascii_start().first()? {
        b'[' => serde_json::from_slice(&answer.body).ok(),
        b'{' => serde_json::from_slice(&answer.body).ok().map(|one| vec![one]),
        _ => None,
    }
}

/// The effect on each definition of a call, by what is made of its own result. Where it can't be said which result is
/// whose, all are looked at.
pub(super) fn effects(
    names: &[&str],
    results: &[ObjectResult],
    effect: impl Fn(usize, &ObjectResult) -> Effect,
) -> Vec<Effect> {
    if results.len() != names.len() {
        let why = format!(
            "the answer tells of {} definitions, and {} were sent",
            results.len(),
            names.len()
        );
        return vec![Effect::Observe(why); names.len()];
    }
    if !is_in_order(names, results) {
        let words = results
            .iter()
            .find(|result| result.is_refused())
            .map(ObjectResult::words);
        let why = format!(
            "the answer does not tell which definition is meant: {}",
            words.unwrap_or_default()
        );
        return vec![Effect::Observe(why); names.len()];
    }
    (0..)
        .zip(results)
        .map(|(place, result)| effect(place, result))
        .collect()
}

/// Whether results surely stand in the order of the request, which is nowhere promised. Where all were taken, or all
/// refused alike, order does not matter; else every refused one must name itself in its place.
fn is_in_order(names: &[&str], results: &[ObjectResult]) -> bool {
    let all_refused = results.iter().all(ObjectResult::is_refused);
    let mut refused = names
        .iter()
        .zip(results)
        .filter(|(_, result)| result.is_refused());
    names.len() == 1 || refused.all(|(name, result)| result.name().map_or(all_refused, |told| told == *name))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn answer(body: &str) -> Response {
        Response {
            status: 207,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    /// An effect in a few words, for tables.
    fn word(effect: &Effect) -> String {
        match effect {
            Effect::Done => "done".to_owned(),
            Effect::Observe(why) => format!("observe: {why}"),
            Effect::Failed(Failure { class, message }) => format!("{class}: {message}"),
        }
    }

    fn refused(code: u16, path: &str, message: &str, name: Option<&str>) -> String {
        let value = name
            .map(|name| format!(r#","invalidValue":{{"name":"{name}"}}"#))
            .unwrap_or_default();
        format!(
            r#"{{"code":{code},"error":{{"code":{code},"message":"Validation failed","constraintViolations":[
                {{"path":"builtin:tags.auto-tagging/0/{path}","message":"{message}","parameterLocation":"PAYLOAD_BODY"}}]}}{value}}}"#
        )
    }

    #[test]
    fn every_code_of_an_object_has_its_effect() {
        let taken = refused(400, "name", "Tag name must be unique", Some("a"));
        let illegal = refused(400, "rules/0/valueFormat", "must be trimmed", None);
        for (body, written, validated) in [
            (r#"{"code":200,"objectId":"x"}"#, "done", "done"),
            (r#"{"code":201,"objectId":"x"}"#, "done", "done"),
            (
                r#"{"code":200}"#,
                "observe: the vendor answered 200: no explanation; no object is named",
                "done",
            ),
            (
                taken.as_str(),
                "observe: the vendor answered 400: Validation failed name: Tag name must be unique",
                "done",
            ),
            (
                illegal.as_str(),
                "illegal: the vendor answered 400: Validation failed rules/0/valueFormat: must be trimmed",
                "illegal: the vendor answered 400: Validation failed rules/0/valueFormat: must be trimmed",
            ),
            (
                r#"{"code":403}"#,
                "refused: the vendor answered 403: no explanation",
                "observe: the vendor answered 403: no explanation",
            ),
            (
                r#"{"code":404,"error":{"message":"gone"}}"#,
                "observe: the vendor answered 404: gone",
                "observe: the vendor answered 404: gone",
            ),
            (
                r#"{"code":409}"#,
                "observe: the vendor answered 409: no explanation",
                "observe: the vendor answered 409: no explanation",
            ),
            (
                r#"{"code":500}"#,
                "observe: the vendor answered 500: no explanation",
                "observe: the vendor answered 500: no explanation",
            ),
            (
                r#"{"code":0}"#,
                "observe: the vendor answered 0: no explanation",
                "observe: the vendor answered 0: no explanation",
            ),
        ] {
            let results = read(&answer(body)).unwrap();
            assert_eq!(word(&results[0].written()), written, "{body}");
            assert_eq!(word(&results[0].validated()), validated, "{body}");
        }
    }

    #[test]
    fn a_result_belongs_to_a_definition_only_where_the_answer_tells() {
        let done = r#"{"code":200,"objectId":"x"}"#;
        let a = refused(400, "rules", "bad", Some("a"));
        let b = refused(400, "rules", "bad", Some("b"));
        let nobody = refused(400, "rules", "bad", None);
        for (results, want) in [
            (vec![done, done], ["done", "done"]),
            (vec![done, &b], ["done", "illegal"]),
            (vec![&a, done], ["illegal", "done"]),
            (vec![&a, &b], ["illegal", "illegal"]),
            (vec![&nobody, &nobody], ["illegal", "illegal"]),
            (vec![done, &a], ["observe", "observe"]),
            (vec![&b, &a], ["observe", "observe"]),
            (vec![done, &nobody], ["observe", "observe"]),
            (vec![done], ["observe", "observe"]),
            (vec![done, done, done], ["observe", "observe"]),
            (vec![], ["observe", "observe"]),
        ] {
            let body = format!("[{}]", results.join(","));
            let results = read(&answer(&body)).unwrap();
            let effects = effects(&["a", "b"], &results, |_, result| result.written());
            let words: Vec<String> = effects
                .iter()
                .map(|effect| word(effect).split(':').next().unwrap_or_default().to_owned())
                .collect();
            assert_eq!(words, want, "{body}");
        }
    }

    #[test]
    fn the_only_definition_of_a_call_needs_no_name() {
        let other = refused(400, "rules", "bad", Some("A"));
        let results = read(&answer(&other)).unwrap();
        let effects = effects(&["a"], &results, |_, result| result.written());
        assert!(matches!(effects[..], [Effect::Failed(_)]));
    }

    #[test]
    fn what_is_no_result_is_not_read() {
        for body in [
            "",
            "null",
            "{}",
            "[1]",
            "<html>",
            r#"{"code":"200"}"#,
            r#"{"error":{"code":400}}"#,
            "[{\"code\":200}",
        ] {
            assert!(read(&answer(body)).is_none(), "{body}");
        }
    }
}
