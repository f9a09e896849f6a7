//! `POST` and `DELETE`: groups that come and go.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::super::super::journal::Change;
use super::super::body::{Fields, body, check_name};
use super::super::call::Call;
use super::super::members::name_taken;
use super::super::refused::{JSON, Refused};
use super::super::world::{ORG, World};
use super::view::View;

/// `POST /groups`: a group without tags.
pub(super) fn create(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let shape = call.shape()?;
    let fields = Fields::parse(body(call)?, &["name", "orgId"])?;
    let name = fields.text("name")?.ok_or_else(|| Refused::missing("name"))?;
    check_name(name)?;
    // Programmatic keys must say for which organization.
    if fields.text("orgId")?.ok_or_else(|| Refused::missing("orgId"))? != ORG {
        return Err(Refused::attribute("orgId"));
    }
    if !world.named(name).is_empty() {
        return Err(name_taken(name));
    }
    let id = world.new_id(call.now);
    world.name_group(id, name, changes);
    let group = world
        .group(id)
        .ok_or_else(|| Refused::new(500, "UNEXPECTED_ERROR", "Unexpected error."))?;
    let view = View::of(call, None);
    Ok(shape.one(StatusCode::CREATED, JSON, &view.whole(world, group)))
}

/// `DELETE /groups/{id}`.
pub(super) fn remove(
    call: &Call<'_>,
    world: &mut World,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let shape = call.shape()?;
    let group = call.setup.members.group(world, id, &call.setup.switches)?;
    world.remove_group(group, call.now, changes);
    Ok(shape.one(StatusCode::ACCEPTED, JSON, &json!({})))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, installation, patch};
    use super::*;

    #[tokio::test]
    async fn groups_come_and_go() {
        let simulator = installation("");
        let org = "a0123456789abcdef0123456";
        let made = ask(
            &simulator,
            "POST",
            "/groups",
            &format!(r#"{{"name":"new","orgId":"{org}"}}"#),
        )
        .await;
        assert_eq!((made.status, &made.json()["tags"]), (201, &json!([])));
        let id = made.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(patch(&simulator, &id, r#"{"tags":["A"]}"#).await.status, 200);
        for (body, want) in [
            (r#"{"name":"x"}"#.to_owned(), (400, "MISSING_ATTRIBUTE")),
            (format!(r#"{{"orgId":"{org}"}}"#), (400, "MISSING_ATTRIBUTE")),
            (
                format!(r#"{{"name":"new","orgId":"{org}"}}"#),
                (409, "GROUP_ALREADY_EXISTS"),
            ),
            (
                format!(r#"{{"name":"x","orgId":"{org}","tags":[]}}"#),
                (400, "INVALID_ATTRIBUTE"),
            ),
        ] {
            let (status, code) = ask(&simulator, "POST", "/groups", &body).await.error();
            assert_eq!((status, &*code), want, "{body}");
        }
        let gone = ask(&simulator, "DELETE", &format!("/groups/{id}"), "").await;
        assert_eq!((gone.status, &*gone.text), (202, "{}"));
        assert_eq!(
            ask(&simulator, "GET", &format!("/groups/{id}"), "").await.status,
            404
        );
    }
}
