//! `POST …/tags`: creates tags, and assigns each to each service instance that is named.

use bytes::Bytes;
use http::Response;

use super::super::journal::Change;
use super::answer::Refused;
use super::body::created;
use super::change::Work;
use super::details::written;
use super::plan::{self, Product, Wanted};
use super::route::Call;
use super::tag_book::TagId;
use super::world::{ServiceIndex, World};

/// Creates and assigns, all or nothing. Of an account's tags only the assignments are made.
pub(super) fn create(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    call.check_parameters(&[])?;
    let body = created(call)?;
    plan::check_classes(world, &body.tags)?;
    let tags = plan::existing_or_new(world, &body.tags)?;
    let services = plan::services(world, &body.services, call.switches.unknown_service.status())?;
    let assign = Product { tags, services };
    check_existing(call, world, &assign)?;
    let unassign = Product {
        tags: Vec::new(),
        services: Vec::new(),
    };
    plan::check_room(world, &assign, &unassign, call.switches)?;
    let now = call.now;
    let mut work = Work { world, now, changes };
    let tags = plan::carry_out(&mut work, &assign);
    Ok(written(world, &tags, &assign.services, call.switches))
}

/// What is there already is tolerated or refused, as the switches say.
fn check_existing(call: &Call<'_>, world: &World, assign: &Product<Wanted<'_>>) -> Result<(), Refused> {
    let known = || {
        assign.tags.iter().filter_map(|tag| match tag {
            Wanted::Known(tag) => Some(*tag),
            Wanted::New(_) => None,
        })
    };
    let created = known().filter(|tag| plan::is_created_here(world, *tag));
    let issue = |tag| format!("The tag {} exists already.", plan::quoted_tag(world, tag));
    Refused::unless_tolerated(call.switches.existing_tag.status(), created.map(issue))?;

    let pairs = || {
        let of = |index: &ServiceIndex| {
            let index = *index;
            known().map(move |tag| (index, tag))
        };
        assign.services.iter().flat_map(of)
    };
    let assigned = pairs().filter(|(index, tag)| world.carries(*index, *tag));
    let issue = |(index, tag): (ServiceIndex, TagId)| {
        let (kind, name) = world.name(index);
        let tag = plan::quoted_tag(world, tag);
        format!("The tag {tag} is assigned to the service {kind}.{name} already.")
    };
    let status = call.switches.existing_assignment.status();
    Refused::unless_tolerated(status, assigned.map(issue))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Desk, MYSQL, WEB1, WEB2, services, tags};

    fn body(pairs: &[(&str, &str)], ids: &[&str]) -> Value {
        json!({"tags": tags(pairs), "assignments": services(ids)})
    }

    #[tokio::test]
    async fn the_documented_example_answers_as_documented() {
        let desk = Desk::new("");
        let body = json!({
            "tags": [{"key": "environment", "value": "qa"}],
            "assignments": {"services": [{"serviceType": "JaaS", "serviceName": "MyJCSExample"}]},
        });
        let (status, answer) = desk.post(&body).await;
        assert_eq!(status, 200);
        assert_eq!(
            answer.to_string(),
            r#"[{"key":"environment","value":"qa","assignments":{"services":[{"serviceType":"JaaS","serviceName":"MyJCSExample"}]}}]"#
        );
        assert_eq!(desk.tags_of("JaaS/MyJCSExample"), ["environment:qa"]);
    }

    #[tokio::test]
    async fn tags_may_be_created_without_assignments_and_their_value_is_empty_unless_told() {
        let desk = Desk::new("");
        let (status, answer) = desk.post(&json!({"tags": [{"key": "new"}]})).await;
        assert_eq!((status, answer), (200, json!([{"key": "new", "value": ""}])));
        assert!(desk.tags().contains(&"new:".to_owned()));
    }

    #[tokio::test]
    async fn each_tag_is_assigned_to_each_service_and_a_key_may_have_several_values() {
        let desk = Desk::new("");
        let (status, answer) = desk
            .post(&body(
                &[("env", "qa"), ("env", "uat"), ("new", "")],
                &[WEB1, MYSQL],
            ))
            .await;
        assert_eq!((status, answer.as_array().unwrap().len()), (200, 3));
        assert_eq!(
            desk.tags_of(WEB1),
            ["env:prod", "env:qa", "env:uat", "new:", "owner:ops"]
        );
        assert_eq!(desk.tags_of(MYSQL), ["env:qa", "env:uat", "new:"]);
    }

    #[tokio::test]
    async fn what_exists_is_tolerated_or_refused_as_the_switches_say() {
        for (options, existing, assigned) in [
            ("", 200, 200),
            ("existing-tag=409", 409, 409),
            ("existing-tag=400", 400, 400),
            ("existing-assignment=409", 200, 409),
            ("existing-assignment=400", 200, 400),
        ] {
            let desk = Desk::new(options);
            let before = desk.facts();
            let (status, _) = desk.post(&body(&[("new", ""), ("env", "prod")], &[WEB1])).await;
            assert_eq!(status, assigned, "{options}: {WEB1} has it");
            assert_eq!(desk.facts() == before, assigned != 200, "{options}");
            let (status, _) = desk.post(&body(&[("env", "prod")], &[MYSQL])).await;
            assert_eq!(status, existing, "{options}: {MYSQL} does not have it");
        }
    }

    #[tokio::test]
    async fn tags_that_are_not_the_users_refuse_the_whole_request() {
        let desk = Desk::new("existing-tag=409");
        let before = desk.facts();
        for pair in [("ora_ha", "on"), ("ora_new", ""), ("costcenter", "1001")] {
            let (status, answer) = desk.post(&body(&[("new", ""), pair], &[WEB1])).await;
            assert_eq!(status, 400, "{pair:?}");
            let issue = answer["details"]["issues"][0].as_str().unwrap();
            assert!(issue.contains(pair.0) && issue.contains(pair.1), "{issue}");
        }
        assert_eq!(desk.facts(), before);
        let (status, _) = desk.post(&body(&[("department", "finance")], &[WEB1])).await;
        assert_eq!(status, 200, "an account's tag is assigned although it exists");
        let (status, _) = desk.post(&body(&[("costcenter", "mine")], &[WEB1])).await;
        assert_eq!(status, 200, "another value of the key is not the account's");
    }

    #[tokio::test]
    async fn an_unknown_service_refuses_the_whole_request() {
        for (options, want) in [("", 400), ("unknown-service=404", 404)] {
            let desk = Desk::new(options);
            let before = desk.facts();
            for id in ["JaaS/nobody", "jaas/web-1", "SOA/web-1"] {
                let (status, answer) = desk.post(&body(&[("new", "")], &[WEB1, id])).await;
                assert_eq!(status, want, "{id}");
                let message = answer["details"]["message"].as_str().unwrap();
                assert_eq!(
                    message,
                    format!("The service {} does not exist.", id.replace('/', "."))
                );
            }
            assert_eq!(desk.facts(), before);
        }
    }

    #[tokio::test]
    async fn an_instance_is_never_overfilled_and_then_nothing_is_created() {
        let keys: Vec<_> = (0..49).map(|n| format!("k{n}")).collect();
        let pairs = |n: usize| keys[..n].iter().map(|key| (&**key, "")).collect::<Vec<_>>();
        for (options, want) in [("", 400), ("full-status=409", 409)] {
            let desk = Desk::new(options);
            let before = desk.facts();
            let (status, answer) = desk.post(&body(&pairs(49), &[MYSQL, WEB1])).await;
            assert_eq!(status, want);
            assert_eq!(
                answer["details"]["issues"],
                json!(["The service JaaS.web-1 would have more than 50 tags."])
            );
            assert_eq!(desk.facts(), before);
            assert_eq!(desk.post(&body(&pairs(48), &[WEB1])).await.0, 200);
            assert_eq!(desk.post(&body(&pairs(5), &[WEB1])).await.0, 200, "it has these");
            assert_eq!(desk.post(&body(&[("more", "")], &[WEB1])).await.0, want);
        }
    }

    #[tokio::test]
    async fn system_and_metering_tags_count_towards_the_limit_unless_told() {
        let keys: Vec<_> = (0..49).map(|n| format!("k{n}")).collect();
        let pairs: Vec<_> = keys.iter().map(|key| (&**key, "")).collect();
        for (options, want) in [("", 400), ("limit-counts=own", 200)] {
            // The second instance has one tag of its own, a system tag and a metering tag.
            let (status, _) = Desk::new(options).post(&body(&pairs, &[WEB2])).await;
            assert_eq!(status, want, "{options}");
        }
    }

    #[tokio::test]
    async fn the_answer_lists_the_services_asked_about_or_all() {
        for (options, n_listed) in [("", 1), ("listed-services=all", 2)] {
            let desk = Desk::new(options);
            let (_, answer) = desk.post(&body(&[("env", "prod")], &[MYSQL])).await;
            let listed = answer[0]["assignments"]["services"].as_array().unwrap();
            assert_eq!(listed.len(), n_listed, "{options}: {answer}");
        }
    }
}
