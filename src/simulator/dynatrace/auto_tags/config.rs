//! `/api/config/v1/autoTags`: auto-tags in the configuration API.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::super::journal::Change;
use super::super::envelope::{self, Refused, empty};
use super::super::route::Call;
use super::super::switches::{ConfigFields, MalformedId, RuleOrder};
use super::config_form;
use super::definition::{Definition, Record};
use super::id::Id;
use super::store::{AutoTags, MAX_OBJECTS};

/// The version that `metadata` tells: the one that the vendor's page speaks of last.
const CLUSTER_VERSION: &str = "1.334.0.20260611-000000";

/// The object `EntityShortRepresentation`.
#[derive(Serialize)]
struct Stub<'a> {
    id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

impl<'a> Stub<'a> {
    fn new(id: Id, definition: &'a Definition) -> Self {
        Self {
            id: id.to_string(),
            name: &definition.name,
            description: definition.description.as_deref(),
        }
    }
}

/// `GET` of all, without pages.
pub(super) fn list(call: &Call<'_>, store: &AutoTags) -> Response<Bytes> {
    let values: Vec<_> = store
        .all_shown(call.now)
        .map(|(id, record)| Stub::new(id, &record.definition))
        .collect();
    envelope::json(200, &json!({ "values": values }))
}

/// `GET` of one. Conditions that refer to process groups are left out unless asked for.
pub(super) fn get(call: &Call<'_>, store: &AutoTags, id: &str) -> Result<Response<Bytes>, Refused> {
    let id = known_id(call, id)?;
    let included = call.query.flag("includeProcessGroupReferences")?;
    let record = store.shown(id, call.now).ok_or_else(unknown)?;
    let mut definition = record.definition.clone();
    if !included {
        definition = definition.without_process_groups();
    }
    if call.switches.rule_order == RuleOrder::Changed {
        definition = definition.reordered();
    }
    let mut shown = shown(id, record, &definition);
    if call.switches.config_fields == ConfigFields::Bare {
        bare(&mut shown);
    }
    Ok(envelope::json(200, &shown))
}

/// The object `AutoTag` with its identifier and metadata.
fn shown(id: Id, record: &Record, definition: &Definition) -> Value {
    json!({
        "metadata": {
            "configurationVersions": [record.revision.version],
            "clusterVersion": CLUSTER_VERSION,
        },
        "id": id.to_string(),
        "name": definition.name,
        "description": definition.description,
        "rules": definition.rules,
        "entitySelectorBasedRules": definition.entity_selector_based_rules,
    })
}

/// Takes away what the server fills in: nulls, empty lists and the normalization that is none.
fn bare(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let is_default = name == "normalization" && value == "LEAVE_TEXT_AS_IS";
                !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()) && !is_default
            });
            fields.values_mut().for_each(bare);
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        _ => {}
    }
}

/// `POST` of a new one.
pub(super) fn create(
    call: &Call<'_>,
    store: &mut AutoTags,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let definition = checked(call, store, None)?;
    let id = store.new_id();
    Ok(put(call, store, id, definition, changes))
}

/// `PUT` of one, which creates it when it is not there.
pub(super) fn replace(
    call: &Call<'_>,
    store: &mut AutoTags,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let id = written_id(id)?;
    let definition = checked(call, store, Some(id))?;
    Ok(put(call, store, id, definition, changes))
}

fn put(
    call: &Call<'_>,
    store: &mut AutoTags,
    id: Id,
    definition: Definition,
    changes: &mut Vec<Change<'static>>,
) -> Response<Bytes> {
    let answer = match store.get(id) {
        Some(_) => empty(204),
        None => envelope::json(201, &Stub::new(id, &definition)),
    };
    store.put(id, definition, None, call.now, changes);
    answer
}

/// `DELETE` of one.
pub(super) fn delete(
    call: &Call<'_>,
    store: &mut AutoTags,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let id = known_id(call, id)?;
    if store.delete(id, call.now, changes) {
        Ok(empty(204))
    } else {
        Err(unknown())
    }
}

/// `POST` to a validator: whether a body could be written, to an identifier or as a new one.
pub(super) fn validate(
    call: &Call<'_>,
    store: &AutoTags,
    id: Option<&str>,
) -> Result<Response<Bytes>, Refused> {
    checked(call, store, id.map(written_id).transpose()?)?;
    Ok(empty(204))
}

/// The body, if it may be written.
fn checked(call: &Call<'_>, store: &AutoTags, id: Option<Id>) -> Result<Definition, Refused> {
    let definition = config_form::read(call.body, id, call.switches.sent_metadata)?;
    if store.is_taken(&definition.name, id, call.now) {
        return Err(Refused::body("name", "Auto-tag must have a unique name."));
    }
    let is_new = id.is_none_or(|id| store.get(id).is_none());
    if is_new && store.len() >= MAX_OBJECTS {
        let message = format!("There can't be more than {MAX_OBJECTS} auto-tags.");
        return Err(Refused::body("", message));
    }
    Ok(definition)
}

/// The identifier of something that should be there.
fn known_id(call: &Call<'_>, text: &str) -> Result<Id, Refused> {
    match call.switches.malformed_id {
        MalformedId::NotFound => text.parse().map_err(|()| unknown()),
        MalformedId::BadRequest => written_id(text),
    }
}

/// The identifier to write to. One that is none is refused as invalid: a `PUT` knows no 404.
fn written_id(text: &str) -> Result<Id, Refused> {
    text.parse()
        .map_err(|()| Refused::path("id", format!("'{text}' is not a UUID")))
}

fn unknown() -> Refused {
    Refused::generic(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::api::Dynatrace;
    use super::super::super::testing::{ask, complaint, environment, environment_in};
    use super::super::testing::{CONFIG, ID, bare as named, infrastructure, paths, sample, with};
    use super::*;

    const OTHER: &str = "00000000-0000-4000-8000-000000000001";

    async fn call(simulator: &Dynatrace, line: &str, body: &str) -> (u16, Value) {
        let (method, rest) = line.split_once(' ').unwrap();
        ask(simulator, method, &format!("{CONFIG}{rest}"), body).await
    }

    async fn names(simulator: &Dynatrace) -> Vec<String> {
        let (status, body) = call(simulator, "GET ", "").await;
        assert_eq!(status, 200);
        let values = body["values"].as_array().unwrap();
        let mut names: Vec<String> = values
            .iter()
            .map(|stub| stub["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    #[tokio::test]
    async fn the_vendor_s_example_is_created_and_updated_under_its_identifier() {
        let simulator = environment("");
        let body = infrastructure();
        let target = format!("PUT /{ID}");
        let created = call(&simulator, &target, &body.to_string()).await;
        assert_eq!(
            created,
            (201, json!({"id": ID, "name": "Infrastructure - Linux"}))
        );
        let described = with(body, "/description", json!("all of them")).to_string();
        assert_eq!(call(&simulator, &target, &described).await, (204, Value::Null));
        let (_, list) = call(&simulator, "GET ", "").await;
        let stub = json!({"id": ID, "name": "Infrastructure - Linux", "description": "all of them"});
        assert_eq!(list, json!({"values": [stub]}));
    }

    #[tokio::test]
    async fn an_auto_tag_comes_back_with_what_the_server_fills_in() {
        let simulator = environment("");
        let (status, created) = call(&simulator, "POST ", &sample().to_string()).await;
        assert_eq!(status, 201);
        let id = created["id"].as_str().unwrap();
        let (status, shown) = call(&simulator, &format!("GET /{id}"), "").await;
        assert_eq!(status, 200);
        assert_eq!(shown["metadata"]["configurationVersions"], json!([1]));
        assert_eq!(
            (&shown["id"], &shown["name"]),
            (&json!(id), &json!("sampleAutoTag"))
        );
        let rule = &shown["rules"][0];
        assert_eq!(rule["normalization"], "LEAVE_TEXT_AS_IS");
        assert_eq!(rule["propagationTypes"], json!(["SERVICE_TO_HOST_LIKE"]));
        assert_eq!(
            rule["conditions"][1],
            json!({
                "key": {"attribute": "SERVICE_WEB_SERVER_NAME"},
                "comparisonInfo": {"type": "STRING", "operator": "EXISTS", "value": null, "negate": false},
            })
        );
        assert_eq!(rule["conditions"][2], sample()["rules"][0]["conditions"][2]);
        assert_eq!(
            shown["entitySelectorBasedRules"],
            json!([{
                "enabled": true, "entitySelector": "type(HOST) AND cpuCores(4)", "valueFormat": null,
                "normalization": "LEAVE_TEXT_AS_IS",
            }])
        );
    }

    #[tokio::test]
    async fn what_the_server_fills_in_can_be_left_out() {
        let simulator = environment("config-fields=bare");
        call(&simulator, &format!("PUT /{ID}"), &infrastructure().to_string()).await;
        let (_, shown) = call(&simulator, &format!("GET /{ID}"), "").await;
        let mut want = infrastructure();
        for rule in want["rules"].as_array_mut().unwrap() {
            rule.as_object_mut().unwrap().remove("propagationTypes");
        }
        assert_eq!((&shown["name"], &shown["rules"]), (&want["name"], &want["rules"]));
        assert_eq!(shown.get("entitySelectorBasedRules"), None);
        assert_eq!(shown.get("description"), None);
    }

    #[tokio::test]
    async fn what_was_read_can_be_written_back() {
        for (options, status) in [("", 204), ("sent-metadata=refuse", 400)] {
            let simulator = environment(options);
            call(&simulator, &format!("PUT /{ID}"), &sample().to_string()).await;
            let (_, shown) = call(&simulator, &format!("GET /{ID}"), "").await;
            let (got, body) = call(&simulator, &format!("PUT /{ID}"), &shown.to_string()).await;
            assert_eq!(got, status, "{options}: {body}");
            if status == 400 {
                assert_eq!(paths(&body["error"]), ["metadata"]);
                continue;
            }
            let (_, again) = call(&simulator, &format!("GET /{ID}"), "").await;
            assert_eq!(again["rules"], shown["rules"]);
            assert_eq!(again["metadata"]["configurationVersions"], json!([2]));
        }
    }

    #[tokio::test]
    async fn references_to_process_groups_are_left_out_unless_asked_for() {
        let simulator = environment("");
        let reference = |value: &str| {
            json!({
                "key": {"attribute": "PROCESS_GROUP_ID"},
                "comparisonInfo": {"type": "ENTITY_ID", "operator": "EQUALS", "value": value, "negate": false},
            })
        };
        let id = "PROCESS_GROUP-0000000000000001";
        let body = with(infrastructure(), "/rules/0/conditions/0", reference(id));
        let body = with(body, "/rules/1/conditions", json!([reference(id), reference(id)]));
        call(&simulator, &format!("PUT /{ID}"), &body.to_string()).await;
        let count = async |query: &str| {
            let (_, shown) = call(&simulator, &format!("GET /{ID}{query}"), "").await;
            let rules = shown["rules"].as_array().unwrap().clone();
            rules
                .iter()
                .map(|rule| rule["conditions"].as_array().unwrap().len())
                .collect::<Vec<_>>()
        };
        assert_eq!(count("").await, [2]);
        assert_eq!(count("?includeProcessGroupReferences=false").await, [2]);
        assert_eq!(count("?includeProcessGroupReferences=true").await, [3, 2]);
        let (status, _) = call(
            &simulator,
            &format!("GET /{ID}?includeProcessGroupReferences=yes"),
            "",
        )
        .await;
        assert_eq!(status, 400);
    }

    #[tokio::test]
    async fn rules_come_back_in_another_order_when_told() {
        for (options, want) in [
            ("", ["prod", "preProd"]),
            ("rule-order=changed", ["preProd", "prod"]),
        ] {
            let simulator = environment(options);
            call(&simulator, &format!("PUT /{ID}"), &infrastructure().to_string()).await;
            let (_, shown) = call(&simulator, &format!("GET /{ID}"), "").await;
            let formats = [0, 1].map(|n| shown["rules"][n]["valueFormat"].clone());
            assert_eq!(formats, want, "{options}");
        }
    }

    #[tokio::test]
    async fn a_name_is_unique_with_its_case() {
        let simulator = environment("");
        call(&simulator, &format!("PUT /{ID}"), &named("a")).await;
        for (line, name, status) in [
            ("POST ".to_owned(), "a", 400),
            (format!("PUT /{OTHER}"), "a", 400),
            ("POST /validator".to_owned(), "a", 400),
            (format!("POST /{OTHER}/validator"), "a", 400),
            (format!("POST /{ID}/validator"), "a", 204),
            (format!("PUT /{ID}"), "a", 204),
            ("POST ".to_owned(), "A", 201),
            (format!("PUT /{ID}"), "A", 400),
            (format!("PUT /{ID}"), "b", 204),
            ("POST ".to_owned(), "a", 201),
        ] {
            let (got, body) = call(&simulator, &line, &named(name)).await;
            assert_eq!(got, status, "{line} {name}: {body}");
            if got == 400 {
                assert_eq!(paths(&body["error"]), ["name"]);
                assert_eq!(complaint(&body), "Auto-tag must have a unique name.");
            }
        }
        assert_eq!(names(&simulator).await, ["A", "a", "b"]);
    }

    #[tokio::test]
    async fn validators_change_nothing() {
        let simulator = environment("");
        for (line, body, status) in [
            ("POST /validator", named("a"), 204),
            ("POST /validator", "{}".to_owned(), 400),
            ("POST /validator", json!({"name": "a", "id": ID}).to_string(), 400),
            (
                &format!("POST /{ID}/validator"),
                json!({"name": "a", "id": ID}).to_string(),
                204,
            ),
            (
                &format!("POST /{ID}/validator"),
                json!({"name": "a", "id": OTHER}).to_string(),
                400,
            ),
            ("POST /seven/validator", named("a"), 400),
        ] {
            assert_eq!(call(&simulator, line, &body).await.0, status, "{line} {body}");
        }
        assert!(names(&simulator).await.is_empty());
    }

    #[tokio::test]
    async fn identifiers_are_looked_at() {
        let simulator = environment("");
        let strict = environment("malformed-id=400");
        for (line, body, status, strictly) in [
            (format!("GET /{ID}"), String::new(), 404, 404),
            (format!("DELETE /{ID}"), String::new(), 404, 404),
            ("GET /seven".to_owned(), String::new(), 404, 400),
            ("DELETE /seven".to_owned(), String::new(), 404, 400),
            ("PUT /seven".to_owned(), named("a"), 400, 400),
            (
                format!("PUT /{ID}"),
                json!({"name": "a", "id": OTHER}).to_string(),
                400,
                400,
            ),
            (
                format!("PUT /{ID}"),
                json!({"name": "a", "id": ID.to_uppercase()}).to_string(),
                201,
                201,
            ),
            (format!("GET /{}", ID.to_uppercase()), String::new(), 200, 200),
            (format!("DELETE /{ID}"), String::new(), 204, 204),
            (format!("DELETE /{ID}"), String::new(), 404, 404),
        ] {
            let (got, shown) = call(&simulator, &line, &body).await;
            assert_eq!(
                (got, call(&strict, &line, &body).await.0),
                (status, strictly),
                "{line}"
            );
            if got == 404 {
                assert_eq!(
                    shown,
                    json!({"error": {"code": 404, "message": "HTTP 404 Not Found"}})
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_deleted_name_counts_as_taken_for_a_while() {
        let simulator = environment("name-hold=15s");
        call(&simulator, &format!("PUT /{ID}"), &named("a")).await;
        call(&simulator, &format!("DELETE /{ID}"), "").await;
        let (status, body) = call(&simulator, "POST ", &named("a")).await;
        assert_eq!(
            (status, complaint(&body)),
            (400, "Auto-tag must have a unique name.")
        );
        assert_eq!(call(&simulator, "POST ", &named("b")).await.0, 201);
        tokio::time::advance(Duration::from_millis(14_999)).await;
        assert_eq!(
            call(&simulator, &format!("PUT /{OTHER}"), &named("a")).await.0,
            400
        );
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(
            call(&simulator, &format!("PUT /{OTHER}"), &named("a")).await.0,
            201
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_held_name_is_free_for_the_auto_tag_that_had_it() {
        let simulator = environment("name-hold=15s");
        let target = format!("PUT /{ID}");
        call(&simulator, &target, &named("a")).await;
        call(&simulator, &target, &named("b")).await;
        assert_eq!(
            call(&simulator, "POST ", &named("a")).await.0,
            400,
            "given up by renaming"
        );
        assert_eq!(call(&simulator, &target, &named("a")).await.0, 204);
        call(&simulator, &format!("DELETE /{ID}"), "").await;
        assert_eq!(
            call(&simulator, &target, &named("a")).await.0,
            201,
            "a PUT behind a DELETE"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn reads_see_a_definition_only_after_the_delay_and_writes_at_once() {
        let simulator = environment("visibility=2s");
        let (get, put, delete) = (
            format!("GET /{ID}"),
            format!("PUT /{ID}"),
            format!("DELETE /{ID}"),
        );
        assert_eq!(call(&simulator, &put, &named("a")).await.0, 201);
        assert_eq!(call(&simulator, &get, "").await.0, 404);
        assert!(names(&simulator).await.is_empty());
        assert_eq!(call(&simulator, "POST ", &named("a")).await.0, 400);
        assert_eq!(call(&simulator, &put, &named("b")).await.0, 204);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(names(&simulator).await, ["b"]);
        assert_eq!(call(&simulator, &delete, "").await.0, 204);
        assert_eq!(call(&simulator, &delete, "").await.0, 404);
        assert_eq!(call(&simulator, &get, "").await.0, 200, "still seen");
        assert_eq!(names(&simulator).await, ["b"]);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(call(&simulator, &get, "").await.0, 404);
        assert!(names(&simulator).await.is_empty());
    }

    #[tokio::test]
    async fn each_scope_is_needed_where_the_reference_says() {
        let simulator = environment("missing-scopes=WriteConfig");
        let (status, body) = call(&simulator, "POST ", &named("a")).await;
        let message = "Token is missing required scope. Use one of: WriteConfig (Write configuration)";
        assert_eq!((status, complaint(&body)), (403, message));
        assert_eq!(call(&simulator, "GET ", "").await.0, 200);
        let simulator = environment("missing-scopes=ReadConfig");
        assert_eq!(call(&simulator, "GET ", "").await.0, 403);
        assert_eq!(call(&simulator, &format!("GET /{ID}"), "").await.0, 403);
        assert_eq!(call(&simulator, "POST /validator", &named("a")).await.0, 204);
    }

    #[tokio::test]
    async fn the_journal_tells_definitions_and_opening_again_gives_them() {
        let dir = tempfile::tempdir().unwrap();
        let simulator = environment_in(dir.path(), "");
        call(&simulator, &format!("PUT /{ID}"), &named("a")).await;
        call(&simulator, &format!("PUT /{ID}"), &infrastructure().to_string()).await;
        call(&simulator, "POST ", &named("gone")).await;
        let (_, list) = call(&simulator, "GET ", "").await;
        let gone = list["values"]
            .as_array()
            .unwrap()
            .iter()
            .find(|stub| stub["name"] == "gone");
        call(
            &simulator,
            &format!("DELETE /{}", gone.unwrap()["id"].as_str().unwrap()),
            "",
        )
        .await;
        let before = call(&simulator, &format!("GET /{ID}"), "").await;
        drop(simulator);

        let text = std::fs::read_to_string(dir.path().join("state")).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let changes = lines[2]["changes"].as_array().unwrap();
        let brief: Vec<_> = changes
            .iter()
            .map(|change| [&change["entity"], &change["op"], &change["key"]])
            .collect();
        assert_eq!(
            json!(brief),
            json!([[ID, "remove", "auto-tag"], [ID, "add", "auto-tag"]])
        );
        let value: Value = serde_json::from_str(changes[1]["value"].as_str().unwrap()).unwrap();
        assert_eq!(value["name"], "Infrastructure - Linux");
        assert_eq!(value["rules"], before.1["rules"]);
        assert_eq!(changes[0]["value"], lines[1]["changes"][0]["value"]);

        let again = environment_in(dir.path(), "");
        assert_eq!(call(&again, &format!("GET /{ID}"), "").await, before);
        assert_eq!(names(&again).await, ["Infrastructure - Linux"]);
        assert_eq!(call(&again, "POST ", &named("gone")).await.0, 201);
    }

    #[tokio::test]
    async fn an_environment_holds_five_thousand() {
        let spec = "simulator:?entities=1&auto-tags=5000";
        let spec = super::super::super::super::spec::Spec::from_url(spec, std::path::Path::new("")).unwrap();
        let simulator = Dynatrace::open(&spec).unwrap();
        assert_eq!(names(&simulator).await.len(), 5_000);
        for (line, status) in [("POST ".to_owned(), 400), (format!("PUT /{ID}"), 400)] {
            assert_eq!(
                call(&simulator, &line, &named("one more")).await.0,
                status,
                "{line}"
            );
        }
        let (_, list) = call(&simulator, "GET ", "").await;
        let known = list["values"][0]["id"].as_str().unwrap();
        assert_eq!(
            call(&simulator, &format!("PUT /{known}"), &named("another"))
                .await
                .0,
            204
        );
        call(&simulator, &format!("DELETE /{known}"), "").await;
        assert_eq!(
            call(&simulator, &format!("PUT /{ID}"), &named("one more"))
                .await
                .0,
            201
        );
    }
}
