//! Deleting tags: one, every one of a key, or several.
//!
//! An account's tags and system tags are never deleted. A single tag and a key give 409 while assigned and not told to remove
//! the assignments; several tags have no documented status for that.

use bytes::Bytes;
use http::Response;

use super::super::journal::Change;
use super::answer::{Refused, no_content};
use super::body::{Pair, deleted};
use super::change::Work;
use super::plan;
use super::route::Call;
use super::tag_book::TagId;
use super::tag_rules::Class;
use super::world::World;

/// The status of what is tolerated.
const TOLERATED: u16 = 204;

/// `DELETE …/tags/{tagKey}/{tagValue}`.
pub(super) fn tag(
    call: &Call<'_>,
    world: &mut World,
    key: &str,
    value: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let assigned = assigned_status(call)?;
    let pair = Pair {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    check_classes(world, std::slice::from_ref(&pair))?;
    let tags = plan::existing(world, &[pair], 404)?;
    check_unassigned(world, &tags, assigned)?;
    Ok(delete(call, world, &tags, changes))
}

/// `DELETE …/tags/{tagKey}`.
pub(super) fn key(
    call: &Call<'_>,
    world: &mut World,
    key: &str,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let assigned = assigned_status(call)?;
    let tags = world.tags().of_key(key);
    let pair = |tag: &TagId| Pair {
        key: key.to_owned(),
        value: world.tag(*tag).value.to_string(),
    };
    let mut pairs: Vec<_> = tags.iter().map(pair).collect();
    if pairs.is_empty() {
        // A key that no tag has may still be one of the system.
        pairs.push(Pair {
            key: key.to_owned(),
            value: String::new(),
        });
    }
    check_classes(world, &pairs)?;
    if tags.is_empty() {
        return Err(Refused::new(404, format!("The tag key '{key}' does not exist.")));
    }
    check_unassigned(world, &tags, assigned)?;
    Ok(delete(call, world, &tags, changes))
}

/// `PUT …/tags`.
pub(super) fn several(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    call.check_parameters(&["force"])?;
    let force = call.query.flag("force")?;
    let pairs = deleted(call)?;
    check_classes(world, &pairs)?;
    let (missing, assigned) = if force {
        (TOLERATED, TOLERATED)
    } else {
        let none = plan::existing(world, &pairs, TOLERATED)?.is_empty();
        let missing = if none {
            404
        } else {
            call.switches.some_missing.status()
        };
        (missing, call.switches.still_assigned.status())
    };
    let tags = plan::existing(world, &pairs, missing)?;
    check_unassigned(world, &tags, assigned)?;
    Ok(delete(call, world, &tags, changes))
}

/// The status when a tag is assigned: 409, unless its assignments shall be removed.
fn assigned_status(call: &Call<'_>) -> Result<u16, Refused> {
    call.check_parameters(&["removeAssignments"])?;
    let remove = call.query.flag("removeAssignments")?;
    Ok(if remove { TOLERATED } else { 409 })
}

fn check_classes(world: &World, pairs: &[Pair]) -> Result<(), Refused> {
    let issue = |pair: &Pair| {
        let class = world.tags().class(&pair.key, &pair.value);
        let (text, title) = (plan::quoted(pair), class.title());
        (class != Class::Instance).then(|| format!("The tag {text} is {title} and can't be removed."))
    };
    Refused::unless_tolerated(400, pairs.iter().filter_map(issue))
}

fn check_unassigned(world: &World, tags: &[TagId], status: u16) -> Result<(), Refused> {
    let assigned = tags.iter().filter(|tag| !world.tag(**tag).services.is_empty());
    let issue = |tag: &TagId| {
        format!(
            "The tag {} is assigned to services.",
            plan::quoted_tag(world, *tag)
        )
    };
    Refused::unless_tolerated(status, assigned.map(issue))
}

fn delete(
    call: &Call<'_>,
    world: &mut World,
    tags: &[TagId],
    changes: &mut Vec<Change<'static>>,
) -> Response<Bytes> {
    let now = call.now;
    let mut work = Work { world, now, changes };
    for tag in tags {
        work.delete(*tag);
    }
    no_content()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Desk, TAGS, WEB1, tags};

    async fn delete(desk: &Desk, path: &str) -> u16 {
        let (status, answer) = desk.ask("DELETE", &format!("{TAGS}/{path}"), &Value::Null).await;
        assert_eq!(status == 204, answer.is_null(), "{path}: a refusal says why");
        status
    }

    #[tokio::test]
    async fn a_tag_is_deleted_unless_it_is_assigned_or_not_the_users() {
        for (path, status) in [
            ("unused/", 204),
            ("unused/?removeAssignments=false", 204),
            ("env/prod", 409),
            ("env/prod?removeAssignments=false", 409),
            ("env/prod?removeAssignments=true", 204),
            ("env/prod?removeAssignments=x", 400),
            ("env/", 404),
            ("env/PROD", 404),
            ("ora_ha/on?removeAssignments=true", 400),
            ("ora_none/", 400),
            ("costcenter/1003", 400),
            ("department/finance", 400),
        ] {
            let desk = Desk::new("");
            let before = desk.facts();
            assert_eq!(delete(&desk, path).await, status, "{path}");
            assert_eq!(desk.facts() != before, status == 204, "{path}");
        }
    }

    #[tokio::test]
    async fn a_deleted_tag_is_nowhere_and_deleting_it_again_is_not_found() {
        let desk = Desk::new("");
        assert_eq!(delete(&desk, "env/prod?removeAssignments=true").await, 204);
        assert_eq!(desk.tags_of(WEB1), ["owner:ops"]);
        assert!(!desk.tags().contains(&"env:prod".to_owned()));
        assert_eq!(delete(&desk, "env/prod?removeAssignments=true").await, 404);
    }

    #[tokio::test]
    async fn a_key_goes_with_all_its_values_or_not_at_all() {
        for (path, status, left) in [
            ("env", 409, 10),
            ("env?removeAssignments=true", 204, 8),
            ("unused", 204, 9),
            ("nothing", 404, 10),
            ("ora_ha?removeAssignments=true", 400, 10),
            ("ora_none", 400, 10),
            ("costcenter?removeAssignments=true", 400, 10),
        ] {
            let desk = Desk::new("");
            assert_eq!(delete(&desk, path).await, status, "{path}");
            assert_eq!(desk.tags().len(), left, "{path}");
        }
    }

    #[tokio::test]
    async fn a_slash_behind_a_key_means_the_empty_value_or_the_key() {
        for (options, left) in [("", 10), ("trailing-slash=all-values", 9)] {
            let desk = Desk::new(options);
            let body = json!({"tags": [{"key": "two"}, {"key": "two", "value": "x"}]});
            desk.post(&body).await;
            assert_eq!(delete(&desk, "two/").await, 204);
            assert_eq!(desk.tags().len(), left + 1, "{options}");
            assert_eq!(desk.tags().contains(&"two:x".to_owned()), options.is_empty());
        }
    }

    #[tokio::test]
    async fn values_are_percent_encoded_once() {
        let desk = Desk::new("");
        for (value, encoded) in [
            ("a/b", "a%2Fb"),
            ("100%", "100%25"),
            ("%2F", "%252F"),
            ("a b+c?#&'ü", "a%20b+c%3F%23&'%C3%BC"),
        ] {
            desk.post(&json!({"tags": [{"key": "k", "value": value}]})).await;
            assert_eq!(delete(&desk, &format!("k/{encoded}")).await, 204, "{value}");
        }
    }

    #[tokio::test]
    async fn several_tags_are_deleted_as_force_and_the_switches_say() {
        for (options, force, pairs, status) in [
            ("", false, &[("unused", "")][..], 204),
            ("", false, &[("unused", ""), ("unused", "")], 204),
            ("", false, &[("unused", ""), ("no", "")], 404),
            ("some-missing=204", false, &[("unused", ""), ("no", "")], 204),
            ("some-missing=204", false, &[("no", "")], 404),
            ("", true, &[("no", "")], 204),
            ("", true, &[("env", "prod"), ("no", "")], 204),
            ("", false, &[("unused", ""), ("env", "prod")], 400),
            (
                "still-assigned=409",
                false,
                &[("unused", ""), ("env", "prod")],
                409,
            ),
            ("", true, &[("unused", ""), ("ora_ha", "on")], 400),
            ("", true, &[("unused", ""), ("costcenter", "1001")], 400),
            ("", true, &[("department", "finance")], 400),
            ("", true, &[], 400),
        ] {
            let desk = Desk::new(options);
            let before = desk.facts();
            let target = format!("{TAGS}?force={force}");
            let (got, _) = desk
                .ask("PUT", &target, &json!({ "tagsToDelete": tags(pairs) }))
                .await;
            assert_eq!(got, status, "{options} {force} {pairs:?}");
            let some_exist = pairs.iter().any(|(key, _)| *key != "no");
            assert_eq!(
                desk.facts() != before,
                status == 204 && some_exist,
                "{options} {force} {pairs:?}"
            );
        }
    }
}
