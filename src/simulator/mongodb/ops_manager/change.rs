//! `PATCH`: a group's name and tags, each only when it is there.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::super::super::journal::Change;
use super::super::body::{Fields, body, check_name};
use super::super::call::Call;
use super::super::members::name_taken;
use super::super::refused::{JSON, Refused};
use super::super::switches::TagsKept;
use super::super::world::{Index, World};
use super::tags::checked;
use super::view::View;

/// The fields of which at least one must be there.
const CHANGEABLE: [&str; 3] = ["name", "tags", "ldapGroupMappings"];

/// `PATCH /groups/{id}`. The tags that are sent replace all that the group had. Mappings of LDAP groups are read and not
/// kept, since no group here belongs to an LDAP installation.
pub(super) fn change(
    call: &Call<'_>,
    world: &mut World,
    id: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let shape = call.shape()?;
    let group = call.setup.members.group(world, id, &call.setup.switches)?;
    let fields = Fields::parse(body(call)?, &["id", "name", "tags", "ldapGroupMappings"])?;
    check_fields(&fields, id)?;
    let name = new_name(&fields, world, group)?;
    let tags = fields
        .list("tags")?
        .map(|tags| checked(tags, &call.setup.switches))
        .transpose()?;
    if let Some(name) = name {
        world.name_group(world.id(group), name, changes);
    }
    if let Some(tags) = tags.filter(|_| call.setup.switches.tags_kept == TagsKept::Yes) {
        let tags: Vec<_> = tags.into_iter().map(|tag| (tag, None)).collect();
        world.replace_tags(group, &tags, call.now, changes);
    }
    let view = View::of(call, None);
    Ok(shape.one(StatusCode::OK, JSON, &view.whole(world, group)))
}

fn check_fields(fields: &Fields, id: &str) -> Result<(), Refused> {
    if let Some(other) = fields.text("id")?.filter(|other| *other != id) {
        let detail =
            format!("The group ID in the request body {other} does not match the one in the URL {id}.");
        return Err(Refused::new(400, "GROUP_MISMATCH", detail).about(other).about(id));
    }
    if CHANGEABLE.iter().all(|name| fields.get(name).is_none()) {
        let detail = format!("At least one of {} must be specified.", CHANGEABLE.join(", "));
        let refused = Refused::new(400, "MISSING_ONE_OF_ATTRIBUTES", detail);
        return Err(CHANGEABLE.into_iter().fold(refused, Refused::about));
    }
    fields.list("ldapGroupMappings").map(drop)
}

/// The name that the group shall have, when it is another one.
fn new_name<'a>(fields: &'a Fields, world: &World, group: Index) -> Result<Option<&'a str>, Refused> {
    let name = fields.text("name")?.filter(|name| *name != world.name(group));
    if let Some(name) = name {
        check_name(name)?;
        if !world.named(name).is_empty() {
            return Err(name_taken(name));
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::testing::send;
    use super::super::testing::{API, BANK, NOBODY, SHOP, ask, installation, patch};

    #[tokio::test]
    async fn a_patch_replaces_all_tags() {
        let simulator = installation("");
        let got = patch(&simulator, SHOP, r#"{"tags":["EU","DEV"]}"#).await;
        assert_eq!((got.status, &got.json()["tags"]), (200, &json!(["EU", "DEV"])));
        assert_eq!(got.json()["name"], "shop", "what is left out is left alone");
        assert_eq!(simulator.tags(SHOP).unwrap(), ["EU", "DEV"]);
        let got = patch(&simulator, SHOP, r#"{"name":"store"}"#).await;
        assert_eq!(
            (&got.json()["name"], &got.json()["tags"]),
            (&json!("store"), &json!(["EU", "DEV"]))
        );
        let got = patch(&simulator, SHOP, r#"{"tags":[]}"#).await;
        assert_eq!(got.json()["tags"], json!([]));
        assert_eq!(
            ask(&simulator, "GET", &format!("/groups/{SHOP}"), "")
                .await
                .json(),
            got.json()
        );
    }

    #[tokio::test]
    async fn every_documented_refusal_of_a_patch() {
        let simulator = installation("");
        let long = "X".repeat(33);
        for (id, body, want) in [
            (
                SHOP,
                r#"{"tags":["a b"]}"#.to_owned(),
                (400, "INVALID_GROUP_TOKEN"),
            ),
            (
                SHOP,
                format!(r#"{{"tags":["{long}"]}}"#),
                (400, "INVALID_GROUP_TOKEN"),
            ),
            (
                SHOP,
                json!({"tags": (0..11).map(|n| format!("T{n}")).collect::<Vec<_>>()}).to_string(),
                (400, "TOO_MANY_GROUP_TOKENS"),
            ),
            (
                SHOP,
                format!(r#"{{"id":"{BANK}","tags":[]}}"#),
                (400, "GROUP_MISMATCH"),
            ),
            (
                SHOP,
                r#"{"tags":[],"links":[]}"#.to_owned(),
                (400, "INVALID_ATTRIBUTE"),
            ),
            (SHOP, r#"{"tags":null}"#.to_owned(), (400, "INVALID_ATTRIBUTE")),
            (SHOP, r#"{"tags":"PROD"}"#.to_owned(), (400, "INVALID_ATTRIBUTE")),
            (SHOP, r#"{"tags":[],}"#.to_owned(), (400, "INVALID_JSON")),
            (SHOP, "{}".to_owned(), (400, "MISSING_ONE_OF_ATTRIBUTES")),
            (
                SHOP,
                format!(r#"{{"id":"{SHOP}"}}"#),
                (400, "MISSING_ONE_OF_ATTRIBUTES"),
            ),
            (
                SHOP,
                r#"{"name":"bank"}"#.to_owned(),
                (409, "GROUP_ALREADY_EXISTS"),
            ),
            (NOBODY, r#"{"tags":[]}"#.to_owned(), (404, "GROUP_NOT_FOUND")),
            (
                "5C8100BCF2A30B12FF88258F",
                r#"{"tags":[]}"#.to_owned(),
                (404, "INVALID_GROUP_ID"),
            ),
        ] {
            let (status, code) = patch(&simulator, id, &body).await.error();
            assert_eq!((status, &*code), want, "{body}");
        }
        assert_eq!(
            simulator.tags(SHOP).unwrap(),
            ["PROD", "EU"],
            "a refusal changes nothing"
        );
        let good = patch(
            &simulator,
            SHOP,
            &format!(r#"{{"id":"{SHOP}","name":"shop","tags":["A"]}}"#),
        )
        .await;
        assert_eq!(good.status, 200, "its own identifier and name are no mistake");
        let plain = send(
            &simulator,
            "PATCH",
            &format!("{API}/groups/{SHOP}"),
            &[],
            r#"{"tags":[]}"#,
        )
        .await;
        assert_eq!(plain.status, 415);
    }

    #[tokio::test]
    async fn switches_change_what_is_not_documented() {
        for (options, id, body, want) in [
            (
                "unknown-group=401",
                NOBODY,
                r#"{"tags":[]}"#,
                (401, "NOT_IN_GROUP"),
            ),
            (
                "missing-scopes=GLOBAL_OWNER",
                SHOP,
                r#"{"tags":[]}"#,
                (401, "USER_UNAUTHORIZED"),
            ),
            (
                "missing-scopes=GLOBAL_OWNER&unauthorized=403",
                SHOP,
                r#"{"tags":[]}"#,
                (403, "USER_UNAUTHORIZED"),
            ),
            (
                "missing-scopes=access-list",
                SHOP,
                r#"{"tags":[]}"#,
                (403, "IP_ADDRESS_NOT_ON_ACCESS_LIST"),
            ),
            (
                "duplicate-tags=refuse",
                SHOP,
                r#"{"tags":["A","A"]}"#,
                (400, "INVALID_ATTRIBUTE"),
            ),
            ("lower-case=accept", SHOP, r#"{"tags":["a"]}"#, (200, "")),
            ("error-fields=three", SHOP, "{}", (400, "")),
        ] {
            let simulator = installation(options);
            let got = patch(&simulator, id, body).await;
            let (status, code) = got.error();
            assert_eq!((status, &*code), want, "{options}");
            assert!(!got.headers.contains_key("www-authenticate"), "{options}");
        }
        let simulator = installation("unknown-group=401&late-challenge=sent");
        assert!(
            patch(&simulator, NOBODY, "{}")
                .await
                .header("www-authenticate")
                .is_some()
        );
    }

    #[tokio::test]
    async fn tags_are_kept_or_not_and_sorted_or_not() {
        for (options, stored, shown) in [
            ("", &["EU", "DEV", "ASIA"][..], json!(["EU", "DEV", "ASIA"])),
            (
                "tag-order=sorted",
                &["EU", "DEV", "ASIA"],
                json!(["ASIA", "DEV", "EU"]),
            ),
            ("tags-kept=no", &["PROD", "EU"], json!(["PROD", "EU"])),
            ("tags-field=hidden", &["EU", "DEV", "ASIA"], Value::Null),
        ] {
            let simulator = installation(options);
            let got = patch(&simulator, SHOP, r#"{"tags":["DEV","EU","ASIA"]}"#).await;
            assert_eq!((got.status, &got.json()["tags"]), (200, &shown), "{options}");
            assert_eq!(got.json().get("tags").is_none(), shown.is_null(), "{options}");
            assert_eq!(simulator.tags(SHOP).unwrap(), stored, "{options}");
        }
    }
}
