//! `PUT …/assignments`: assigns and unassigns in one request.

use std::collections::HashSet;

use bytes::Bytes;
use http::Response;

use super::super::journal::Change;
use super::answer::{Refused, no_content};
use super::body::{Half, Pair, reassigned};
use super::change::Work;
use super::details::written;
use super::plan::{self, Product, Wanted};
use super::route::Call;
use super::switches::{Assigned, KeyCase, PutOrder};
use super::tag_book::TagId;
use super::world::{ServiceIndex, World};

/// The status that stands for "pass over it".
const TOLERATED: u16 = 200;

/// Assigns and unassigns, all or nothing.
pub(super) fn assign(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    call.check_parameters(&["createTagsIfNeeded", "force"])?;
    let (assign, unassign) = reassigned(call)?;
    let (assign, unassign) = planned(call, world, &assign, &unassign)?;
    let now = call.now;
    let work = Work { world, now, changes };
    let tags = carry_out(work, &assign, &unassign, call.switches.put_order);
    let asked = [assign.services, unassign.services].concat();
    Ok(match call.switches.assigned {
        Assigned::List => written(world, &tags, &asked, call.switches),
        Assigned::Empty => no_content(),
    })
}

/// What the two halves come to, or why they are refused.
fn planned<'b>(
    call: &Call<'_>,
    world: &World,
    assign: &'b Half,
    unassign: &Half,
) -> Result<(Product<Wanted<'b>>, Product<TagId>), Refused> {
    let create = call.query.flag("createTagsIfNeeded")?;
    let force = call.query.flag("force")?;
    check_contradiction(assign, unassign, call.switches.key_case)?;
    plan::check_classes(world, assign.tags.iter().chain(&unassign.tags))?;
    let not_found = call.switches.not_found.status();
    let missing = if force { TOLERATED } else { not_found };
    let assign = Product {
        tags: wanted(world, &assign.tags, create, missing)?,
        services: plan::services(world, &assign.services, missing)?,
    };
    let unassign = Product {
        tags: plan::existing(world, &unassign.tags, missing)?,
        services: plan::services(world, &unassign.services, missing)?,
    };
    if !force {
        check_assigned(call, world, &unassign)?;
    }
    plan::check_room(world, &assign, &unassign, call.switches)?;
    Ok((assign, unassign))
}

fn wanted<'b>(
    world: &World,
    tags: &'b [Pair],
    create: bool,
    missing: u16,
) -> Result<Vec<Wanted<'b>>, Refused> {
    if create {
        return plan::existing_or_new(world, tags);
    }
    let known = plan::existing(world, tags, missing)?;
    Ok(known.into_iter().map(Wanted::Known).collect())
}

/// Refuses a tag that shall be put on an instance and taken off it. Moving one between instances is no contradiction.
fn check_contradiction(assign: &Half, unassign: &Half, case: KeyCase) -> Result<(), Refused> {
    let losing: HashSet<_> = unassign.services.iter().collect();
    if !assign.services.iter().any(|service| losing.contains(service)) {
        return Ok(());
    }
    let text = |pair: &Pair| (case.fold(&pair.key).into_owned(), pair.value.clone());
    let lost: HashSet<_> = unassign.tags.iter().map(text).collect();
    let both = assign.tags.iter().filter(|pair| lost.contains(&text(pair)));
    let issue = |pair| {
        let tag = plan::quoted(pair);
        format!("The tag {tag} can't be assigned to a service and unassigned from it in one request.")
    };
    Refused::unless_tolerated(400, both.map(issue))
}

/// Unassigning what is not assigned is refused or tolerated, as the switch says.
fn check_assigned(call: &Call<'_>, world: &World, unassign: &Product<TagId>) -> Result<(), Refused> {
    let of = |index: &ServiceIndex| {
        let index = *index;
        unassign.tags.iter().map(move |tag| (index, *tag))
    };
    let pairs = unassign.services.iter().flat_map(of);
    let absent = pairs.filter(|(index, tag)| !world.carries(*index, *tag));
    let issue = |(index, tag): (ServiceIndex, TagId)| {
        let (kind, name) = world.name(index);
        let tag = plan::quoted_tag(world, tag);
        format!("The tag {tag} is not assigned to the service {kind}.{name}.")
    };
    Refused::unless_tolerated(call.switches.not_assigned.status(), absent.map(issue))
}

/// Returns the tags that the request is about.
fn carry_out(
    mut work: Work<'_>,
    assign: &Product<Wanted<'_>>,
    unassign: &Product<TagId>,
    order: PutOrder,
) -> Vec<TagId> {
    let take_off = |work: &mut Work<'_>| {
        for &index in &unassign.services {
            for &tag in &unassign.tags {
                work.unassign(index, tag);
            }
        }
    };
    if order == PutOrder::UnassignFirst {
        take_off(&mut work);
    }
    let mut tags = plan::carry_out(&mut work, assign);
    if order == PutOrder::AssignFirst {
        take_off(&mut work);
    }
    let assigned: HashSet<_> = tags.iter().copied().collect();
    tags.extend(unassign.tags.iter().filter(|tag| !assigned.contains(tag)));
    tags
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Desk, EXAMPLE, MYSQL, WEB1, WEB2, services, tags};

    fn assigning(pairs: &[(&str, &str)], ids: &[&str]) -> Value {
        json!({"tagsToAssign": tags(pairs), "createAssignmentsTo": services(ids)})
    }

    fn unassigning(pairs: &[(&str, &str)], ids: &[&str]) -> Value {
        json!({"tagsToUnassign": tags(pairs), "deleteAssignmentsFrom": services(ids)})
    }

    fn both(mut assigning: Value, mut unassigning: Value) -> Value {
        let members = assigning.as_object_mut().unwrap();
        members.append(unassigning.as_object_mut().unwrap());
        assigning
    }

    #[tokio::test]
    async fn the_documented_example_assigns_two_values_and_unassigns_a_third() {
        for (options, answered) in [
            (
                "",
                json!([
                    {"key": "environment", "value": "qa", "assignments": services(&[EXAMPLE])},
                    {"key": "environment", "value": "development", "assignments": services(&[EXAMPLE])},
                    {"key": "environment", "value": "qa-other"},
                ]),
            ),
            ("assigned=204", Value::Null),
        ] {
            let desk = Desk::new(options);
            let old = assigning(&[("environment", "qa-other")], &[EXAMPLE]);
            desk.put("?createTagsIfNeeded=true", &old).await;
            assert_eq!(desk.tags_of(EXAMPLE), ["environment:qa-other"]);
            let body = both(
                assigning(
                    &[("environment", "qa"), ("environment", "development")],
                    &[EXAMPLE],
                ),
                unassigning(&[("environment", "qa-other")], &[EXAMPLE]),
            );
            let (status, answer) = desk.put("?createTagsIfNeeded=true", &body).await;
            let want = if answered.is_null() { 204 } else { 200 };
            assert_eq!((status, answer), (want, answered));
            assert_eq!(
                desk.tags_of(EXAMPLE),
                ["environment:development", "environment:qa"]
            );
            assert!(
                desk.tags().contains(&"environment:qa-other".to_owned()),
                "it still exists"
            );
        }
    }

    #[tokio::test]
    async fn a_tag_that_does_not_exist_is_created_passed_over_or_refused() {
        for (options, query, status, carried) in [
            ("", "", 404, &["env:prod", "owner:ops"][..]),
            ("not-found=409", "", 409, &["env:prod", "owner:ops"]),
            (
                "",
                "?createTagsIfNeeded=false&force=false",
                404,
                &["env:prod", "owner:ops"],
            ),
            (
                "",
                "?createTagsIfNeeded=true",
                200,
                &["env:dev", "env:prod", "new:1", "owner:ops"],
            ),
            (
                "",
                "?createTagsIfNeeded=True&force=True",
                200,
                &["env:dev", "env:prod", "new:1", "owner:ops"],
            ),
            ("", "?force=true", 200, &["env:dev", "env:prod", "owner:ops"]),
            ("", "?createTagsIfNeeded=yes", 400, &["env:prod", "owner:ops"]),
        ] {
            let desk = Desk::new(options);
            let body = assigning(&[("env", "dev"), ("new", "1")], &[WEB1]);
            assert_eq!(desk.put(query, &body).await.0, status, "{options} {query}");
            assert_eq!(desk.tags_of(WEB1), carried, "{options} {query}");
        }
    }

    #[tokio::test]
    async fn assigning_is_additive_and_safe_to_repeat() {
        let desk = Desk::new("existing-tag=409&existing-assignment=409");
        let body = assigning(&[("env", "prod"), ("owner", "ops")], &[WEB1, WEB2, WEB1]);
        for _ in 0..2 {
            assert_eq!(desk.put("", &body).await.0, 200);
            assert_eq!(desk.tags_of(WEB2).len(), 5);
        }
    }

    #[tokio::test]
    async fn an_unknown_service_is_refused_or_under_force_passed_over() {
        for (options, query, want) in [
            ("", "", 404),
            ("not-found=400", "", 400),
            ("", "?force=true", 200),
        ] {
            let desk = Desk::new(options);
            for body in [
                assigning(&[("owner", "ops")], &["JaaS/nobody", MYSQL]),
                unassigning(&[("owner", "ops")], &[WEB1, "MySQLCS/web-1"]),
            ] {
                let before = desk.facts();
                assert_eq!(desk.put(query, &body).await.0, want, "{options} {query}");
                assert_eq!(desk.facts() != before, want == 200, "{options} {query}");
            }
        }
    }

    #[tokio::test]
    async fn unassigning_what_is_not_assigned_is_refused_or_tolerated() {
        for (options, query, want) in [
            ("", "", 404),
            ("not-assigned=409", "", 409),
            ("not-assigned=400", "", 400),
            ("not-assigned=200", "", 200),
            ("", "?force=true", 200),
        ] {
            let desk = Desk::new(options);
            let body = unassigning(&[("env", "prod"), ("owner", "ops")], &[WEB1]);
            assert_eq!(desk.put(query, &body).await.0, 200, "both are assigned");
            desk.put("", &assigning(&[("env", "prod")], &[WEB1])).await;
            assert_eq!(
                desk.put(query, &body).await.0,
                want,
                "{options} {query}: one is not"
            );
            assert_eq!(desk.tags_of(WEB1).is_empty(), want == 200, "{options} {query}");
        }
        let desk = Desk::new("not-assigned=200");
        let unknown = unassigning(&[("env", "nothing")], &[WEB1]);
        assert_eq!(
            desk.put("", &unknown).await.0,
            404,
            "a tag that does not exist is not found"
        );
        assert_eq!(desk.put("?force=true", &unknown).await.0, 200);
    }

    #[tokio::test]
    async fn tags_that_are_not_the_users_refuse_the_whole_request_even_under_force() {
        let desk = Desk::new("");
        let before = desk.facts();
        let good = ("owner", "ops");
        for body in [
            assigning(&[good, ("ora_ha", "on")], &[MYSQL]),
            assigning(&[good, ("ora_new", "")], &[MYSQL]),
            assigning(&[good, ("costcenter", "1001")], &[MYSQL]),
            unassigning(&[("env", "dev"), ("ora_ha", "on")], &[WEB2]),
            unassigning(&[("env", "dev"), ("costcenter", "1001")], &[WEB2]),
        ] {
            let (status, _) = desk.put("?createTagsIfNeeded=true&force=true", &body).await;
            assert_eq!(status, 400, "{body}");
        }
        assert_eq!(desk.facts(), before);
        let account = [("department", "finance")];
        assert_eq!(desk.put("", &assigning(&account, &[MYSQL])).await.0, 200);
        assert_eq!(desk.tags_of(MYSQL), ["department:finance"]);
        assert_eq!(desk.put("", &unassigning(&account, &[MYSQL])).await.0, 200);
    }

    #[tokio::test]
    async fn a_tag_can_be_moved_but_not_put_on_and_taken_off_one_instance() {
        let desk = Desk::new("");
        let moved = both(
            assigning(&[("env", "prod")], &[MYSQL]),
            unassigning(&[("env", "prod")], &[WEB1]),
        );
        assert_eq!(desk.put("", &moved).await.0, 200);
        assert_eq!((desk.tags_of(WEB1).len(), desk.tags_of(MYSQL).len()), (1, 1));
        let contradiction = both(
            assigning(&[("env", "prod")], &[MYSQL, WEB1]),
            unassigning(&[("env", "prod"), ("owner", "ops")], &[WEB1]),
        );
        assert_eq!(desk.put("?force=true", &contradiction).await.0, 400);
        assert_eq!(desk.tags_of(WEB1), ["owner:ops"]);
    }

    #[tokio::test]
    async fn a_full_instance_can_exchange_a_tag_when_unassigning_comes_first() {
        for (options, want, order) in [
            ("", 200, ["remove", "add"]),
            ("put-order=assign-first", 400, ["", ""]),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let desk = Desk::within(dir.path(), options);
            let keys: Vec<_> = (0..50).map(|n| format!("k{n}")).collect();
            let pairs: Vec<_> = keys.iter().map(|key| (&**key, "")).collect();
            let full = assigning(&pairs, &[MYSQL]);
            assert_eq!(desk.put("?createTagsIfNeeded=true", &full).await.0, 200);
            let exchange = both(
                assigning(&[("env", "prod")], &[MYSQL]),
                unassigning(&[("k7", "")], &[MYSQL]),
            );
            assert_eq!(desk.put("", &exchange).await.0, want, "{options}");
            assert_eq!(desk.tags_of(MYSQL).contains(&"env:prod".to_owned()), want == 200);
            let journal = std::fs::read_to_string(dir.path().join("state")).unwrap();
            let last: Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
            let op = |n: usize| last["changes"][n]["op"].as_str().unwrap_or_default().to_owned();
            assert_eq!([op(0), op(1)], order, "{options}");
        }
    }

    #[tokio::test]
    async fn keys_are_compared_as_the_switch_says() {
        for (options, want) in [("", 404), ("key-case=insensitive", 200)] {
            let desk = Desk::new(options);
            let (status, answer) = desk.put("", &assigning(&[("ENV", "prod")], &[MYSQL])).await;
            assert_eq!(status, want, "{options}");
            if want == 200 {
                assert_eq!(answer[0]["key"], "env", "the first spelling stays");
            }
            let system = assigning(&[("ORA_new", "")], &[MYSQL]);
            let (status, _) = desk.put("?createTagsIfNeeded=true", &system).await;
            assert_eq!(status == 400, want == 200, "{options}: a system tag");
        }
    }

    #[tokio::test]
    async fn new_tags_must_be_legal() {
        let desk = Desk::new("");
        for (key, status) in [("a b", 400), ("a:b", 400), ("", 400), ("a-b_1", 200)] {
            let body = assigning(&[(key, "x")], &[MYSQL]);
            let (got, _) = desk.put("?createTagsIfNeeded=true", &body).await;
            assert_eq!(got, status, "{key}");
        }
        let body = assigning(&[("a b", "x")], &[MYSQL]);
        assert_eq!(desk.put("", &body).await.0, 404, "it can't exist");
    }

    #[tokio::test]
    async fn nothing_asked_is_nothing_done() {
        let desk = Desk::new("");
        assert_eq!(desk.put("", &json!({})).await, (200, json!([])));
    }
}
