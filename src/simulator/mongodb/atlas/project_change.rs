//! Projects that come, change and go.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::super::super::journal::Change;
use super::super::body::{Fields, check_name};
use super::super::call::Call;
use super::super::members::name_taken;
use super::super::refused::Refused;
use super::super::world::{ORG, World};
use super::project::Project;
use super::tags::checked;

/// `POST /groups`.
pub(super) fn create(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let shape = call.shape()?;
    let fields = Fields::parse(
        call.asked.body(),
        &["name", "orgId", "tags", "withDefaultAlertsSettings"],
    )?;
    let name = fields.text("name")?.ok_or_else(|| Refused::missing("name"))?;
    check_name(name)?;
    if fields.text("orgId")?.ok_or_else(|| Refused::missing("orgId"))? != ORG {
        return Err(Refused::attribute("orgId"));
    }
    fields.flag("withDefaultAlertsSettings")?;
    let tags = fields.list("tags")?.map_or(&[][..], Vec::as_slice);
    let tags = checked(tags, &call.setup.switches)?;
    if !world.named(name).is_empty() {
        return Err(name_taken(name));
    }
    let id = world.new_id(call.now);
    world.name_group(id, name, changes);
    let group = call
        .setup
        .members
        .group(world, &id.to_string(), &call.setup.switches)?;
    world.replace_tags(group, &tags, call.now, changes);
    let project = Project::whole(call, world, group, None);
    Ok(shape.one(StatusCode::CREATED, call.media.clone(), &project))
}

/// `PATCH /groups/{groupId}`. The tags that are sent replace all that the project had; what is left out is left alone.
pub(super) fn change(
    call: &Call<'_>,
    world: &mut World,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let shape = call.shape()?;
    let group = call.setup.members.group(world, id, &call.setup.switches)?;
    let fields = Fields::parse(call.asked.body(), &["name", "tags", "withDefaultAlertsSettings"])?;
    fields.flag("withDefaultAlertsSettings")?;
    let tags = fields
        .list("tags")?
        .map(|tags| checked(tags, &call.setup.switches));
    let tags = tags.transpose()?;
    if let Some(name) = fields.text("name")?.filter(|name| *name != world.name(group)) {
        check_name(name)?;
        if !world.named(name).is_empty() {
            return Err(name_taken(name));
        }
        world.name_group(world.id(group), name, changes);
    }
    if let Some(tags) = tags {
        world.replace_tags(group, &tags, call.now, changes);
    }
    let project = Project::whole(call, world, group, None);
    Ok(shape.one(StatusCode::OK, call.media.clone(), &project))
}

/// `DELETE /groups/{groupId}`. A project with clusters stays; the status is not documented.
pub(super) fn remove(
    call: &Call<'_>,
    world: &mut World,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let shape = call.shape()?;
    let group = call.setup.members.group(world, id, &call.setup.switches)?;
    if !world.clusters(group).is_empty() {
        let detail = "Cannot close group while it has active Atlas clusters.";
        return Err(Refused::new(
            409,
            "CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS",
            detail,
        ));
    }
    world.remove_group(group, call.now, changes);
    Ok(shape.one(StatusCode::ACCEPTED, call.media.clone(), &json!({})))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{IDLE, PROJECT, ask, cloud, pair};
    use super::*;

    const VERSION: &str = "2023-01-01";

    #[tokio::test]
    async fn replacing_goes_as_recorded() {
        let simulator = cloud("");
        let path = format!("/groups/{PROJECT}");
        let renamed = r#"{"name":"e2e-proj-939-updated","tags":[{"key":"env","value":"e2e"},{"key":"app","value":"cli"}]}"#;
        for (body, tags) in [
            (renamed, json!([pair("env", "e2e"), pair("app", "cli")])),
            ("", json!([pair("env", "e2e"), pair("app", "cli")])),
            ("{}", json!([pair("env", "e2e"), pair("app", "cli")])),
            (r#"{"tags":[]}"#, json!([])),
            ("", json!([])),
        ] {
            let method = if body.is_empty() { "GET" } else { "PATCH" };
            let got = ask(&simulator, method, &path, VERSION, body).await;
            let project = got.json();
            assert_eq!((got.status, &project["tags"]), (200, &tags), "{body}");
            assert_eq!(project["name"], "e2e-proj-939-updated", "{body}");
        }
        assert_eq!(simulator.tags(PROJECT), Some(Vec::new()));
    }

    #[tokio::test]
    async fn a_project_is_made_and_removed_as_recorded() {
        let simulator = cloud("");
        let body = r#"{"name":"new","orgId":"a0123456789abcdef0123456","tags":[{"key":"env","value":"e2e"}],"withDefaultAlertsSettings":true}"#;
        let made = ask(&simulator, "POST", "/groups", VERSION, body).await;
        assert_eq!(
            (made.status, &made.json()["tags"]),
            (201, &json!([pair("env", "e2e")]))
        );
        assert_eq!(made.json()["clusterCount"], 0);
        let path = format!("/groups/{}", made.json()["id"].as_str().unwrap());
        let gone = ask(&simulator, "DELETE", &path, VERSION, "").await;
        assert_eq!((gone.status, &*gone.text), (202, "{}"));
        assert_eq!(
            gone.header("content-type"),
            Some("application/vnd.atlas.2023-01-01+json;charset=utf-8")
        );
        assert_eq!(ask(&simulator, "GET", &path, VERSION, "").await.status, 404);
        let kept = ask(&simulator, "DELETE", &format!("/groups/{PROJECT}"), VERSION, "").await;
        assert_eq!(kept.status, 409);
    }

    #[tokio::test]
    async fn what_is_wrong_changes_nothing() {
        let simulator = cloud("");
        for (body, want) in [
            (
                r#"{"tags":[{"key":"a"}],"name":"other"}"#,
                (400, "VALIDATION_ERROR"),
            ),
            (r#"{"tags":{}}"#, (400, "INVALID_ATTRIBUTE")),
            (r#"{"id":"x","tags":[]}"#, (400, "INVALID_ATTRIBUTE")),
            (r#"{"tags":[],"name":"idle one"}"#, (409, "GROUP_ALREADY_EXISTS")),
            (r#"{"name":""}"#, (400, "INVALID_ATTRIBUTE")),
            ("[", (400, "INVALID_JSON")),
        ] {
            let got = ask(&simulator, "PATCH", &format!("/groups/{PROJECT}"), VERSION, body).await;
            let (status, code) = got.error();
            assert_eq!((status, &*code), want, "{body}");
        }
        let after = ask(&simulator, "GET", &format!("/groups/{PROJECT}"), VERSION, "")
            .await
            .json();
        assert_eq!(
            (&after["name"], &after["tags"][1]),
            (&json!("e2e-proj-939"), &pair("prod", "false"))
        );
    }

    #[tokio::test]
    async fn roles_and_membership_are_looked_at_first() {
        let closed = format!("missing-scopes=group:{IDLE}");
        for (options, method, id, want) in [
            (
                "missing-scopes=GROUP_OWNER",
                "PATCH",
                PROJECT,
                (401, "USER_UNAUTHORIZED"),
            ),
            (
                "missing-scopes=GROUP_OWNER&unauthorized=403",
                "PATCH",
                PROJECT,
                (403, "USER_UNAUTHORIZED"),
            ),
            ("missing-scopes=GROUP_OWNER", "GET", PROJECT, (200, "")),
            (
                "missing-scopes=GROUP_READ_ONLY",
                "GET",
                PROJECT,
                (401, "USER_UNAUTHORIZED"),
            ),
            (&closed, "PATCH", IDLE, (401, "NOT_IN_GROUP")),
            (
                "unknown-group=401",
                "GET",
                "111111111111111111111111",
                (401, "NOT_IN_GROUP"),
            ),
            (
                "missing-scopes=access-list",
                "GET",
                PROJECT,
                (403, "IP_ADDRESS_NOT_ON_ACCESS_LIST"),
            ),
        ] {
            let body = if method == "PATCH" { r#"{"tags":[]}"# } else { "" };
            let got = ask(&cloud(options), method, &format!("/groups/{id}"), VERSION, body).await;
            let (status, code) = got.error();
            assert_eq!((status, &*code), want, "{options}");
        }
    }
}
