//! `/api/v2/settings/objects`: writing auto-tags in the settings API.

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};

use super::super::super::journal::Change;
use super::super::body::unmapped;
use super::super::envelope::{self, Refused, empty};
use super::super::route::Call;
use super::super::switches::{MissingScope, SameExternalId};
use super::definition::Definition;
use super::form::{Form, Style, Violations};
use super::id::Id;
use super::settings_list::update_token;
use super::store::{AutoTags, MAX_OBJECTS};
use super::{SCHEMA_ID, SCOPE, settings_form};

/// Characters of a client's own identifier.
const EXTERNAL_ID: std::ops::RangeInclusive<usize> = 0..=500;

/// What a client wants to be created.
#[derive(Debug, Default)]
struct Sent<'v> {
    schema_id: String,
    external_id: Option<String>,
    object_id: Option<String>,
    value: Option<&'v Value>,
}

/// Why one object is refused, and the value that is to blame.
struct Failure<'v> {
    refused: Refused,
    value: Option<&'v Value>,
}

impl From<Refused> for Failure<'_> {
    fn from(refused: Refused) -> Self {
        Self { refused, value: None }
    }
}

impl Failure<'_> {
    /// The object `SettingsObjectResponse`.
    fn show(&self) -> Value {
        let mut shown = json!({"code": self.refused.status(), "error": self.refused.error()});
        if let Some(value) = self.value {
            shown["invalidValue"] = value.clone();
        }
        shown
    }
}

fn done(object_id: Option<String>) -> Value {
    let mut shown = Map::new();
    shown.insert("code".to_owned(), 200.into());
    shown.extend(object_id.map(|id| ("objectId".to_owned(), id.into())));
    shown.into()
}

/// `POST` of several, each for itself: those that are refused do not keep the others from being created.
pub(super) fn create(
    call: &Call<'_>,
    store: &mut AutoTags,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let validate_only = call.query.flag("validateOnly")?;
    let items: Vec<Value> = serde_json::from_slice(call.body).map_err(|why| unmapped(&why))?;
    let mut results = Vec::with_capacity(items.len());
    for (n, item) in items.iter().enumerate() {
        let result = checked(call, store, n, item);
        results.push(match result {
            Ok(_) if validate_only => done(None),
            Ok((id, definition, external_id)) => {
                store.put(id, definition, external_id, call.now, changes);
                done(Some(id.object_id()))
            }
            Err(failure) => failure.show(),
        });
    }
    Ok(envelope::json(status(&results), &results))
}

/// The status that all results share, or 207.
fn status(results: &[Value]) -> u16 {
    let code = |result: &Value| result["code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let first = results.first().and_then(code).unwrap_or(200);
    let same = results.iter().all(|result| code(result) == Some(first));
    if same { first } else { 207 }
}

/// One object of a `POST`, if it may be written: under which identifier, and what.
fn checked<'v>(
    call: &Call<'_>,
    store: &AutoTags,
    n: usize,
    item: &'v Value,
) -> Result<(Id, Definition, Option<String>), Failure<'v>> {
    let sent = sent(call, item)?;
    if sent.schema_id != SCHEMA_ID {
        let message = format!("Schema '{}' not found.", sent.schema_id);
        return Err(Refused::plain(404, message).into());
    }
    let replaced = replaced(call, store, &sent)?;
    let path = format!("{SCHEMA_ID}/{n}");
    let definition = valid(call, store, replaced, sent.value.unwrap_or(&Value::Null), path)?;
    let id = replaced.unwrap_or_else(|| store.new_id());
    Ok((id, definition, sent.external_id))
}

/// Reads the object `SettingsObjectCreate`.
fn sent<'v>(call: &Call<'_>, item: &'v Value) -> Result<Sent<'v>, Refused> {
    let violations = Violations::new(Style::Slashes);
    let sent = Form::of(&violations, String::new(), item).map(|mut form| {
        let schema_id = form.text("schemaId", 1..=usize::MAX);
        let value = form.any("value");
        let external_id = form.text("externalId", EXTERNAL_ID);
        let sent = Sent {
            schema_id: form.required("schemaId", schema_id).unwrap_or_default(),
            // An empty one names nothing.
            external_id: external_id.filter(|id| !id.is_empty()),
            object_id: form.text("objectId", 0..=usize::MAX),
            value: form.required("value", value),
        };
        check_scope(call, &mut form);
        for name in ["schemaVersion", "insertAfter", "insertBefore"] {
            form.text(name, 0..=usize::MAX);
        }
        form.finish();
        sent
    });
    violations.pass(sent.unwrap_or_default())
}

fn check_scope(call: &Call<'_>, form: &mut Form<'_, '_>) {
    let mut scope = form.text("scope", 0..=usize::MAX);
    if call.switches.missing_scope == MissingScope::Refuse {
        scope = form.required("scope", scope);
    }
    if let Some(scope) = scope.filter(|scope| scope != SCOPE) {
        let message = format!("'{scope}' is not a scope of {SCHEMA_ID}, which has only '{SCOPE}'");
        form.blame("scope", message);
    }
}

/// The object that a `POST` replaces: one with the same external identifier, or the one that it names beside such an
/// identifier.
fn replaced(call: &Call<'_>, store: &AutoTags, sent: &Sent<'_>) -> Result<Option<Id>, Refused> {
    let Some(external_id) = &sent.external_id else {
        return Ok(None);
    };
    let owner = store.of_external_id(external_id);
    let conflict = || Refused::plain(409, format!("The external ID '{external_id}' is in use."));
    if let Some(object_id) = &sent.object_id {
        let (id, _) = existing(store, object_id)?;
        return if owner.is_none_or(|owner| owner == id) {
            Ok(Some(id))
        } else {
            Err(conflict())
        };
    }
    match call.switches.same_external_id {
        SameExternalId::Conflict if owner.is_some() => Err(conflict()),
        _ => Ok(owner),
    }
}

/// The value, if it may be written to an object or as a new one.
fn valid<'v>(
    call: &Call<'_>,
    store: &AutoTags,
    id: Option<Id>,
    value: &'v Value,
    path: String,
) -> Result<Definition, Failure<'v>> {
    let blamed = |refused| Failure {
        refused,
        value: Some(value),
    };
    let definition = settings_form::read(value, path.clone(), call.switches).map_err(blamed)?;
    if store.is_taken(&definition.name, id, call.now) {
        let path = format!("{path}/name");
        return Err(blamed(Refused::body(path, "Tag name must be unique")));
    }
    if id.is_none() && store.len() >= MAX_OBJECTS {
        let message = format!("There can't be more than {MAX_OBJECTS} objects.");
        return Err(blamed(Refused::body(path, message)));
    }
    Ok(definition)
}

/// The object of an identifier, with its token.
fn existing(store: &AutoTags, object_id: &str) -> Result<(Id, String), Refused> {
    let id = Id::of_object(object_id);
    id.and_then(|id| Some((id, update_token(store.get(id)?))))
        .ok_or_else(|| {
            Refused::plain(
                404,
                format!("No object available for the given objectId '{object_id}'"),
            )
        })
}

/// `PUT` of one, which must be there.
pub(super) fn replace(
    call: &Call<'_>,
    store: &mut AutoTags,
    object_id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let body: Value = serde_json::from_slice(call.body).map_err(|why| unmapped(&why))?;
    let result = replacement(call, store, object_id, &body).map(|(id, definition)| {
        store.put(id, definition, None, call.now, changes);
        done(Some(id.object_id()))
    });
    let shown = result.unwrap_or_else(|failure| failure.show());
    Ok(envelope::json(status(std::slice::from_ref(&shown)), &shown))
}

fn replacement<'v>(
    call: &Call<'_>,
    store: &AutoTags,
    object_id: &str,
    body: &'v Value,
) -> Result<(Id, Definition), Failure<'v>> {
    let (id, token) = existing(store, object_id)?;
    let violations = Violations::new(Style::Slashes);
    let sent = Form::of(&violations, String::new(), body).map(|mut form| {
        let value = form.any("value");
        let value = form.required("value", value);
        for name in ["schemaVersion", "insertAfter", "insertBefore"] {
            form.text(name, 0..=usize::MAX);
        }
        let token = form.text("updateToken", 0..=usize::MAX);
        form.finish();
        (value, token)
    });
    let (value, sent_token) = violations.pass(sent)?.unwrap_or_default();
    check_token(&token, sent_token.as_deref())?;
    let path = format!("{SCHEMA_ID}/0");
    let definition = valid(call, store, Some(id), value.unwrap_or(&Value::Null), path)?;
    Ok((id, definition))
}

/// `DELETE` of one, which must be there.
pub(super) fn delete(
    call: &Call<'_>,
    store: &mut AutoTags,
    object_id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Response<Bytes> {
    let deletable = existing(store, object_id).and_then(|(id, token)| {
        check_token(&token, call.query.first("updateToken"))?;
        Ok(id)
    });
    match deletable {
        Ok(id) => {
            store.delete(id, call.now, changes);
            empty(204)
        }
        Err(refused) => envelope::json(refused.status(), &Failure::from(refused).show()),
    }
}

fn check_token(token: &str, sent: Option<&str>) -> Result<(), Refused> {
    match sent {
        Some(sent) if sent != token => Err(Refused::plain(
            409,
            "The update token does not match: the object was changed since it was read.",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::api::Dynatrace;
    use super::super::super::testing::{ask, complaint, environment, environment_in};
    use super::super::testing::{CONFIG, ID, OBJECTS, bare, infrastructure, object, paths, shop, with};
    use super::*;

    async fn post(simulator: &Dynatrace, items: &[Value]) -> (u16, Value) {
        ask(simulator, "POST", OBJECTS, &Value::from(items).to_string()).await
    }

    async fn names(simulator: &Dynatrace) -> Vec<String> {
        let (_, list) = ask(simulator, "GET", CONFIG, "").await;
        let values = list["values"].as_array().unwrap();
        let mut names: Vec<_> = values
            .iter()
            .map(|stub| stub["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    async fn one(simulator: &Dynatrace, object_id: &str) -> Value {
        let (status, shown) = ask(simulator, "GET", &format!("{OBJECTS}/{object_id}"), "").await;
        assert_eq!(status, 200, "{shown}");
        shown
    }

    fn codes(results: &Value) -> Vec<u64> {
        results
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["code"].as_u64().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn the_vendor_s_example_is_created_and_seen_by_both_apis() {
        let simulator = environment("");
        let item = json!({
            "schemaId": SCHEMA_ID, "schemaVersion": "1.0.18", "scope": "environment", "externalId": "own", "value": shop(),
        });
        let (status, results) = post(&simulator, &[item]).await;
        assert_eq!((status, codes(&results)), (200, vec![200]));
        let object_id = results[0]["objectId"].as_str().unwrap();
        let shown = one(&simulator, object_id).await;
        assert_eq!((&shown["value"], &shown["externalId"]), (&shop(), &json!("own")));
        let id = Id::of_object(object_id).unwrap();
        let (status, config) = ask(&simulator, "GET", &format!("{CONFIG}/{id}"), "").await;
        assert_eq!((status, &config["name"]), (200, &json!("ocp-project")));
        assert_eq!(
            config["rules"][0]["propagationTypes"],
            json!(["PROCESS_GROUP_TO_SERVICE"])
        );
    }

    #[tokio::test]
    async fn each_object_has_its_own_result_in_the_order_of_the_request() {
        let wrong = || with(object("x"), "/value/rules", json!([{"type": "ME"}]));
        let unknown = || with(object("x"), "/schemaId", json!("builtin:nothing"));
        let (good, other) = (object("a"), object("b"));
        for (items, status, want) in [
            (vec![], 200, vec![]),
            (vec![good.clone(), other.clone()], 200, vec![200, 200]),
            (vec![wrong(), good.clone(), unknown()], 207, vec![400, 200, 404]),
            (vec![good.clone(), good.clone()], 207, vec![200, 400]),
            (vec![wrong(), wrong()], 400, vec![400, 400]),
            (vec![wrong(), unknown()], 207, vec![400, 404]),
            (vec![unknown()], 404, vec![404]),
            (vec![json!(7)], 400, vec![400]),
        ] {
            let simulator = environment("");
            let (got, results) = post(&simulator, &items).await;
            assert_eq!((got, codes(&results)), (status, want.clone()), "{results}");
            let n_good = want.iter().filter(|code| **code == 200).count();
            assert_eq!(names(&simulator).await.len(), n_good, "not atomic");
        }
    }

    #[tokio::test]
    async fn a_result_tells_what_is_wrong_where() {
        let simulator = environment("");
        post(&simulator, &[object("taken")]).await;
        let (status, results) = post(&simulator, &[object("free"), object("taken")]).await;
        assert_eq!(status, 207);
        let violation = json!({
            "path": "builtin:tags.auto-tagging/1/name", "message": "Tag name must be unique",
            "parameterLocation": "PAYLOAD_BODY", "location": null,
        });
        let error =
            json!({"code": 400, "message": "Constraints violated.", "constraintViolations": [violation]});
        let value = json!({"name": "taken", "rules": []});
        assert_eq!(
            results[1],
            json!({"code": 400, "error": error, "invalidValue": value})
        );
        for (pointer, value, path) in [
            ("/schemaId", Value::Null, "schemaId"),
            ("/scope", json!("HOST-0000000000000001"), "scope"),
            ("/scope", Value::Null, "scope"),
            ("/value", Value::Null, "value"),
            ("/value", json!([]), "builtin:tags.auto-tagging/0"),
            ("/externalId", json!("x".repeat(501)), "externalId"),
            ("/colour", json!("red"), "colour"),
        ] {
            let (status, results) = post(&simulator, &[with(object("x"), pointer, value)]).await;
            assert_eq!(
                (status, paths(&results[0]["error"])),
                (400, vec![path]),
                "{results}"
            );
        }
        let (status, body) = ask(&simulator, "POST", OBJECTS, &object("x").to_string()).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (400, &json!(400)),
            "a list is wanted"
        );
        let simulator = environment("missing-scope=environment");
        let (status, _) = post(&simulator, &[with(object("x"), "/scope", Value::Null)]).await;
        assert_eq!(status, 200);
    }

    #[tokio::test]
    async fn validating_changes_nothing() {
        let simulator = environment("");
        let target = format!("{OBJECTS}?validateOnly=true");
        let body = json!([object("a"), object("")]).to_string();
        let (status, results) = ask(&simulator, "POST", &target, &body).await;
        assert_eq!((status, codes(&results)), (207, vec![200, 400]));
        assert_eq!(results[0], json!({"code": 200}));
        assert!(names(&simulator).await.is_empty());
    }

    #[tokio::test]
    async fn a_token_holds_until_the_next_write_through_either_api() {
        let simulator = environment("");
        ask(
            &simulator,
            "PUT",
            &format!("{CONFIG}/{ID}"),
            &infrastructure().to_string(),
        )
        .await;
        let object_id = ID.parse::<Id>().unwrap().object_id();
        let target = format!("{OBJECTS}/{object_id}");
        let value = one(&simulator, &object_id).await["value"].clone();
        let token = async || one(&simulator, &object_id).await["updateToken"].clone();
        let put = async |token: &Value| {
            let body = json!({"value": value, "updateToken": token}).to_string();
            ask(&simulator, "PUT", &target, &body).await
        };
        let first = token().await;
        assert_eq!(
            put(&first).await,
            (200, json!({"code": 200, "objectId": object_id}))
        );
        let (status, refused) = put(&first).await;
        assert_eq!(
            (status, &refused["code"], &refused["error"]["code"]),
            (409, &json!(409), &json!(409))
        );
        assert_eq!(
            put(&Value::Null).await.0,
            200,
            "without a token nothing is compared"
        );

        let second = token().await;
        ask(&simulator, "PUT", &format!("{CONFIG}/{ID}"), &bare("renamed")).await;
        let stale = format!("{target}?updateToken={}", second.as_str().unwrap());
        assert_eq!(ask(&simulator, "DELETE", &stale, "").await.0, 409);
        let fresh = format!("{target}?updateToken={}", token().await.as_str().unwrap());
        assert_eq!(ask(&simulator, "DELETE", &fresh, "").await, (204, Value::Null));
        let (status, gone) = ask(&simulator, "DELETE", &target, "").await;
        assert_eq!(
            (status, &gone["code"], &gone["error"]["code"]),
            (404, &json!(404), &json!(404))
        );
        assert_eq!(put(&Value::Null).await.0, 404);
    }

    #[tokio::test]
    async fn a_replacement_is_looked_at_as_a_new_one() {
        let simulator = environment("");
        let (_, results) = post(&simulator, &[object("a"), object("b")]).await;
        let target = format!("{OBJECTS}/{}", results[0]["objectId"].as_str().unwrap());
        for (value, status, path) in [
            (
                json!({"value": {"name": "b", "rules": []}}),
                400,
                "builtin:tags.auto-tagging/0/name",
            ),
            (
                json!({"value": {"name": " ", "rules": []}}),
                400,
                "builtin:tags.auto-tagging/0/name",
            ),
            (json!({}), 400, "value"),
            (
                json!({"value": {"name": "a"}, "scope": "environment"}),
                400,
                "scope",
            ),
            (
                json!({"value": {"name": "a"}, "schemaVersion": "1.0.18"}),
                200,
                "",
            ),
        ] {
            let (got, shown) = ask(&simulator, "PUT", &target, &value.to_string()).await;
            assert_eq!((got, &shown["code"]), (status, &json!(status)), "{shown}");
            assert_eq!(paths(&shown["error"]).first().copied().unwrap_or_default(), path);
        }
    }

    #[tokio::test]
    async fn an_external_identifier_is_of_one_object() {
        let own = |name: &str, id: &str| with(object(name), "/externalId", json!(id));
        let simulator = environment("");
        let (_, first) = post(&simulator, &[own("a", "own-1"), own("b", "own-2")]).await;
        let (status, second) = post(&simulator, &[own("c", "own-1")]).await;
        assert_eq!((status, &second[0]["objectId"]), (200, &first[0]["objectId"]));
        assert_eq!(names(&simulator).await, ["b", "c"]);
        let named = with(own("d", "own-3"), "/objectId", first[0]["objectId"].clone());
        assert_eq!(post(&simulator, &[named]).await.0, 200);
        assert_eq!(names(&simulator).await, ["b", "d"]);
        let stolen = with(own("e", "own-2"), "/objectId", first[0]["objectId"].clone());
        assert_eq!(post(&simulator, &[stolen]).await.0, 409);
        let nowhere = with(own("e", "own-9"), "/objectId", json!("vu9U3h"));
        assert_eq!(post(&simulator, &[nowhere]).await.0, 404);

        assert_eq!(post(&simulator, &[own("f", ""), own("g", "")]).await.0, 200);
        assert_eq!(
            names(&simulator).await,
            ["b", "d", "f", "g"],
            "an empty one names nothing"
        );

        let simulator = environment("same-external-id=conflict");
        let (status, results) = post(&simulator, &[own("a", "own-1"), own("b", "own-1")]).await;
        assert_eq!((status, codes(&results)), (207, vec![200, 409]));
        assert_eq!(post(&simulator, &[own("b", "own-1")]).await.0, 409);
        assert_eq!(names(&simulator).await, ["a"]);
    }

    #[tokio::test]
    async fn a_replacement_needs_both_scopes() {
        for (missing, allowed) in [
            ("settings.read", ["POST", "DELETE"]),
            ("settings.write", ["GET", "GET"]),
        ] {
            let simulator = environment(&format!("missing-scopes={missing}"));
            for method in ["GET", "POST", "PUT", "DELETE"] {
                let target = match method {
                    "POST" => OBJECTS.to_owned(),
                    _ => format!("{OBJECTS}/x"),
                };
                let (status, body) = ask(&simulator, method, &target, "[]").await;
                assert_eq!(
                    status != 403,
                    allowed.contains(&method),
                    "{method} without {missing}"
                );
                assert!(status != 403 || complaint(&body).contains(missing), "{body}");
            }
        }
    }

    #[tokio::test]
    async fn opening_again_keeps_tokens_and_external_identifiers() {
        let dir = tempfile::tempdir().unwrap();
        let simulator = environment_in(dir.path(), "");
        let item = with(object("a"), "/externalId", json!("own"));
        let (_, results) = post(&simulator, &[item, object("b")]).await;
        let object_id = results[0]["objectId"].as_str().unwrap();
        let before = one(&simulator, object_id).await;
        drop(simulator);
        assert_eq!(one(&environment_in(dir.path(), ""), object_id).await, before);
    }
}
