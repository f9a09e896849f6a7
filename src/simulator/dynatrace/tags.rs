//! `/api/v2/tags`: the custom tags of the entities that a selector matches.

use bytes::Bytes;
use http::Response;
use serde::Serialize;

use super::super::journal::{Change, Op};
use super::super::tag_index::TagId;
use super::body::added;
use super::change::{apply, change};
use super::envelope::{Refused, json};
use super::route::Call;
use super::selection::{Selection, View};
use super::selector::{Reader, Selector};
use super::selector_text::PARAMETER;
use super::switches::{Count, PartialDelete, Representation, SelectorLength, UnmatchedDelete};
use super::tag_text::{CONTEXTLESS, representation};
use super::time_frame::{HOUR, TimeFrame};
use super::world::{EntityIndex, World};

/// Without `from`, entities of the last 24 hours.
const DEFAULT_FRAME: i64 = 24 * HOUR;
/// Characters of a selector.
pub(super) const MAX_SELECTOR: usize = 2_000;

/// A tag in an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MeTag<'a> {
    context: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    string_representation: String,
}

impl<'a> MeTag<'a> {
    pub(super) fn new(context: &'a str, key: &'a str, value: Option<&'a str>, style: Representation) -> Self {
        Self {
            context,
            key,
            value,
            string_representation: representation(context, key, value, style),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomEntityTags<'a> {
    total_count: usize,
    tags: Vec<MeTag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddedEntityTags<'a> {
    matched_entities_count: usize,
    applied_tags: Vec<MeTag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletedEntityTags {
    matched_entities_count: usize,
}

/// `GET`: the union of the manual tags of all matched entities.
pub(super) fn get(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    let selection = selection(call, world, View::Read(call.now))?;
    let mut tags: Vec<TagId> = selection
        .all()
        .flat_map(|index| world.shown(index, call.now))
        .copied()
        .collect();
    tags.sort_unstable();
    tags.dedup();
    let mut pairs: Vec<_> = tags.into_iter().map(|tag| world.tag(tag)).collect();
    pairs.sort_unstable();
    let style = call.switches.representation;
    let show = |(key, value)| MeTag::new(CONTEXTLESS, key, value, style);
    let tags: Vec<_> = pairs.into_iter().map(show).collect();
    Ok(json(
        200,
        &CustomEntityTags {
            total_count: tags.len(),
            tags,
        },
    ))
}

/// `POST`: adds every tag of the body to every matched entity.
pub(super) fn add(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let matched = matched(call, world)?;
    let tags = added(call.body)?;
    let n_changed = apply(call, world, &matched, &tags, changes)?;
    let style = call.switches.representation;
    let applied_tags = tags
        .iter()
        .map(|(key, value)| MeTag::new(CONTEXTLESS, key, value.as_deref(), style))
        .collect();
    let matched_entities_count = count(call, matched.len(), n_changed);
    Ok(json(
        200,
        &AddedEntityTags {
            matched_entities_count,
            applied_tags,
        },
    ))
}

/// `DELETE`: takes one tag, or every value of a key, off every matched entity.
pub(super) fn delete(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let matched = matched(call, world)?;
    let removal = Removal::of(call)?;
    let doomed: Vec<_> = matched
        .iter()
        .map(|&index| (index, removal.doomed(world, index)))
        .collect();
    let n_having = doomed.iter().filter(|(_, tags)| !tags.is_empty()).count();
    check_found(call, matched.len(), n_having).map_err(|status| removal.unfound(status))?;
    for (index, tags) in doomed {
        for tag in tags {
            change(world, index, Op::Remove, tag, call.now, changes);
        }
    }
    let matched_entities_count = count(call, matched.len(), n_having);
    Ok(json(
        200,
        &DeletedEntityTags {
            matched_entities_count,
        },
    ))
}

/// What a `DELETE` asks for.
struct Removal<'q> {
    key: &'q str,
    value: Option<&'q str>,
    /// Whether every value of the key goes.
    all: bool,
}

impl<'q> Removal<'q> {
    fn of(call: &'q Call<'_>) -> Result<Self, Refused> {
        let given = |name| call.query.first(name).filter(|text| !text.is_empty());
        let key = given("key").ok_or_else(|| Refused::query("key", "must not be empty"))?;
        let all = call.query.flag("deleteAllWithKey")?;
        let value = given("value").filter(|_| !all);
        Ok(Self { key, value, all })
    }

    /// The manual tags of an entity that are meant. What rules made or what was imported is never among them.
    fn doomed(&self, world: &World, index: EntityIndex) -> Vec<TagId> {
        let means = |tag: &&TagId| {
            let (key, value) = world.tag(**tag);
            key == self.key && (self.all || value == self.value)
        };
        world.manual(index).iter().filter(means).copied().collect()
    }

    fn unfound(&self, status: u16) -> Refused {
        let tag = representation(CONTEXTLESS, self.key, self.value, Representation::Plain);
        Refused::plain(status, format!("Unable to find tag {tag}"))
    }
}

fn check_found(call: &Call<'_>, n_matched: usize, n_having: usize) -> Result<(), u16> {
    let switches = call.switches;
    let refused = match (n_matched, n_having) {
        (0, _) => switches.unmatched_delete == UnmatchedDelete::Error,
        (_, 0) => true,
        _ => n_having < n_matched && switches.partial_delete == PartialDelete::Refuse,
    };
    if refused {
        Err(switches.missing_tag.status())
    } else {
        Ok(())
    }
}

fn count(call: &Call<'_>, n_matched: usize, n_changed: usize) -> usize {
    match call.switches.count {
        Count::Matched => n_matched,
        Count::Changed => n_changed,
    }
}

fn matched(call: &Call<'_>, world: &World) -> Result<Vec<EntityIndex>, Refused> {
    Ok(selection(call, world, View::Write)?.all().collect())
}

fn selection<'w>(call: &Call<'_>, world: &'w World, view: View) -> Result<Selection<'w>, Refused> {
    let selector = read_selector(call, selector_text(call)?, call.now)?;
    let frame = TimeFrame::of(&call.query, call.now, DEFAULT_FRAME)?;
    Ok(Selection::of(
        selector,
        world,
        frame,
        view,
        call.switches.bare_tag,
    ))
}

/// The selector of a request, which is required and limited in length.
pub(super) fn selector_text<'a>(call: &'a Call<'_>) -> Result<&'a str, Refused> {
    let text = call
        .query
        .first(PARAMETER)
        .ok_or_else(|| Refused::query(PARAMETER, "must not be null"))?;
    let length = match call.switches.selector_length {
        SelectorLength::Decoded => text.chars().count(),
        SelectorLength::Encoded => call.query.encoded_length(PARAMETER),
    };
    if length > MAX_SELECTOR {
        return Err(Refused::query(
            PARAMETER,
            format!("size must be between 0 and {MAX_SELECTOR}"),
        ));
    }
    Ok(text)
}

/// Reads a selector whose relative times count from `now`.
pub(super) fn read_selector(call: &Call<'_>, text: &str, now: i64) -> Result<Selector, Refused> {
    let escape = call.switches.quote_escape;
    Reader { now, escape }.read(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{IDLE, OLD, RULED, SHOP, WEB1, WEB2, ask, complaint, environment, tags_of};

    fn hosts(ids: &[&str]) -> String {
        let quoted: Vec<_> = ids.iter().map(|id| format!("\"{id}\"")).collect();
        format!("/api/v2/tags?entitySelector=entityId({})", quoted.join(","))
    }

    #[tokio::test]
    async fn adding_answers_as_recorded() {
        let simulator = environment("");
        let body = r#"{"tags":[{"key":"Datacenter","value":"Linz"},{"key":"mainApp"},{"key":"x","value":null},{"key":"y","value":""}]}"#;
        let (status, answer) = ask(&simulator, "POST", &hosts(&[WEB1, WEB2]), body).await;
        assert_eq!(status, 200);
        assert_eq!(
            answer,
            json!({"matchedEntitiesCount": 2, "appliedTags": [
                {"context": "CONTEXTLESS", "key": "Datacenter", "value": "Linz", "stringRepresentation": "Datacenter:Linz"},
                {"context": "CONTEXTLESS", "key": "mainApp", "stringRepresentation": "mainApp"},
                {"context": "CONTEXTLESS", "key": "x", "stringRepresentation": "x"},
                {"context": "CONTEXTLESS", "key": "y", "stringRepresentation": "y"},
            ]})
        );
        assert_eq!(
            tags_of(&simulator, WEB2),
            ["Datacenter:Linz", "env:dev", "mainApp", "x", "y"]
        );
    }

    #[tokio::test]
    async fn a_key_may_have_several_values_and_a_tag_is_there_once() {
        let simulator = environment("");
        for _ in 0..2 {
            let body = r#"{"tags":[{"key":"env","value":"dev"},{"key":"env","value":"dev"}]}"#;
            let (_, answer) = ask(&simulator, "POST", &hosts(&[WEB1]), body).await;
            assert_eq!(answer["matchedEntitiesCount"], 1);
        }
        assert_eq!(tags_of(&simulator, WEB1), ["env:dev", "env:prod", "owner"]);
    }

    #[tokio::test]
    async fn what_was_not_seen_within_24_hours_is_passed_over_in_silence() {
        let simulator = environment("");
        let body = r#"{"tags":[{"key":"new"}]}"#;
        for (frame, ids, count) in [
            ("", &[WEB1, IDLE, OLD][..], 1),
            ("&from=now-2d", &[WEB1, IDLE, OLD], 2),
            ("&from=now-3y&to=now", &[WEB1, IDLE, OLD], 3),
            ("&from=now-3y&to=now-1d", &[WEB1, IDLE, OLD], 2),
            ("", &["HOST-00000000000000FF", "HOST-nonsense"], 0),
            ("", &["DISK-0000000000000001"], 0),
        ] {
            let (status, answer) = ask(&simulator, "POST", &(hosts(ids) + frame), body).await;
            assert_eq!(
                (status, &answer["matchedEntitiesCount"]),
                (200, &json!(count)),
                "{frame} {ids:?}"
            );
        }
    }

    #[tokio::test]
    async fn bodies_are_checked() {
        let many = |n: usize| {
            let tags: Vec<_> = (0..n).map(|n| json!({"key": format!("k{n}")})).collect();
            json!({ "tags": tags }).to_string()
        };
        let long = |n: usize| json!({"tags": [{"key": "k".repeat(n), "value": "ü".repeat(n)}]}).to_string();
        for (body, status, path) in [
            (r#"{"tags":[]}"#.to_owned(), 200, None),
            (many(998), 200, None),
            (long(2_000), 200, None),
            (many(1_001), 400, Some("tags")),
            (long(2_001), 400, Some("tags[0].key")),
            (
                r#"{"tags":[{"key":"a"},{"key":""}]}"#.to_owned(),
                400,
                Some("tags[1].key"),
            ),
            (r#"{"tags":[{"value":"a"}]}"#.to_owned(), 400, Some("tags[0].key")),
            ("{}".to_owned(), 400, Some("tags")),
            ("{".to_owned(), 400, None),
            (String::new(), 400, None),
        ] {
            let (got, answer) = ask(&environment(""), "POST", &hosts(&[WEB1]), &body).await;
            let violated = answer["error"]["constraintViolations"][0]["path"].as_str();
            assert_eq!((got, violated), (status, path), "{body:.60}");
        }
    }

    #[tokio::test]
    async fn an_entity_is_never_overfilled_and_then_nothing_is_applied() {
        for (options, status) in [("", 400), ("full-status=409", 409)] {
            let simulator = environment(options);
            let tags: Vec<_> = (0..999).map(|n| json!({"key": format!("k{n}")})).collect();
            let body = json!({ "tags": tags }).to_string();
            let (got, answer) = ask(&simulator, "POST", &hosts(&[WEB2, WEB1]), &body).await;
            assert_eq!(got, status);
            assert!(complaint(&answer).starts_with(WEB1), "{answer}");
            assert_eq!(
                tags_of(&simulator, WEB2).len(),
                1,
                "the one with room was not changed either"
            );
            assert_eq!(ask(&simulator, "POST", &hosts(&[WEB2]), &body).await.0, 200);
            let (got, _) = ask(&simulator, "POST", &hosts(&[WEB2]), r#"{"tags":[{"key":"k5"}]}"#).await;
            assert_eq!(got, 200, "a full one takes what it has already");
        }
    }

    #[tokio::test]
    async fn a_listing_is_the_union_of_manual_tags() {
        let simulator = environment("");
        let (_, answer) = ask(&simulator, "GET", &hosts(&[WEB1, WEB2, RULED]), "").await;
        let shown: Vec<_> = answer["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| &tag["stringRepresentation"])
            .collect();
        assert_eq!(shown, ["env:dev", "env:prod", "owner"]);
        assert_eq!(answer["totalCount"], 3);
        assert_eq!(
            answer["tags"][2],
            json!({"context": "CONTEXTLESS", "key": "owner", "stringRepresentation": "owner"})
        );
    }

    #[tokio::test]
    async fn a_removal_takes_one_pair_or_every_value_of_a_key() {
        for (query, left) in [
            ("&key=env&value=prod", &["env", "env:dev", "owner"][..]),
            ("&key=env", &["env:dev", "env:prod", "owner"]),
            ("&key=env&value=", &["env:dev", "env:prod", "owner"]),
            ("&key=env&value=prod&deleteAllWithKey=true", &["owner"]),
            (
                "&key=env&value=dev&deleteAllWithKey=false",
                &["env", "env:prod", "owner"],
            ),
        ] {
            let simulator = environment("");
            let body = r#"{"tags":[{"key":"env"},{"key":"env","value":"dev"}]}"#;
            ask(&simulator, "POST", &hosts(&[WEB1]), body).await;
            let (status, answer) = ask(&simulator, "DELETE", &(hosts(&[WEB1]) + query), "").await;
            assert_eq!(
                (status, answer),
                (200, json!({"matchedEntitiesCount": 1})),
                "{query}"
            );
            assert_eq!(tags_of(&simulator, WEB1), left, "{query}");
        }
    }

    #[tokio::test]
    async fn a_tag_that_is_not_there_can_not_be_removed() {
        for (options, query, status, message) in [
            ("", "&key=env&value=test", 404, "Unable to find tag env:test"),
            (
                "missing-tag=400",
                "&key=env&value=test",
                400,
                "Unable to find tag env:test",
            ),
            ("", "&key=Env&value=prod", 404, "Unable to find tag Env:prod"),
            (
                "",
                "&key=nothing&deleteAllWithKey=true",
                404,
                "Unable to find tag nothing",
            ),
            ("", "&value=prod", 400, "must not be empty"),
            ("", "&key=", 400, "must not be empty"),
            (
                "",
                "&key=env&deleteAllWithKey=yes",
                400,
                "'yes' is neither 'true' nor 'false'",
            ),
        ] {
            let simulator = environment(options);
            let (got, answer) = ask(&simulator, "DELETE", &(hosts(&[WEB1]) + query), "").await;
            assert_eq!((got, complaint(&answer)), (status, message), "{options} {query}");
            assert_eq!(tags_of(&simulator, WEB1), ["env:prod", "owner"]);
        }
    }

    #[tokio::test]
    async fn tags_of_rules_and_imported_ones_can_not_be_removed() {
        let simulator = environment("");
        for query in [
            "&key=tier&value=gold",
            "&key=tier&deleteAllWithKey=true",
            "&key=Region&value=eu",
        ] {
            assert_eq!(
                ask(&simulator, "DELETE", &(hosts(&[RULED]) + query), "").await.0,
                404,
                "{query}"
            );
        }
        let manual = hosts(&[SHOP]) + "&key=tier&value=gold";
        assert_eq!(
            ask(&simulator, "DELETE", &manual, "").await.0,
            200,
            "by hand it can"
        );
    }

    #[tokio::test]
    async fn a_removal_from_some_applies_or_is_refused_as_the_switches_say() {
        for (options, status, count, kept) in [
            ("", 200, json!(2), false),
            ("count=changed", 200, json!(1), false),
            ("partial-delete=refuse", 404, json!(null), true),
        ] {
            let simulator = environment(options);
            let target = hosts(&[WEB1, WEB2]) + "&key=env&value=prod";
            let (got, answer) = ask(&simulator, "DELETE", &target, "").await;
            assert_eq!(
                (got, &answer["matchedEntitiesCount"]),
                (status, &count),
                "{options}"
            );
            assert_eq!(
                tags_of(&simulator, WEB1).contains(&"env:prod".to_owned()),
                kept,
                "{options}"
            );
        }
        for (options, status) in [("", 200), ("unmatched-delete=error", 404)] {
            let target = hosts(&["HOST-00000000000000FF"]) + "&key=env";
            assert_eq!(
                ask(&environment(options), "DELETE", &target, "").await.0,
                status,
                "{options}"
            );
        }
    }

    #[tokio::test]
    async fn nothing_is_escaped_outside_selectors_and_representations_when_told() {
        for (options, shown) in [("", "url:http://x"), ("representation=escaped", r"url:http\://x")] {
            let simulator = environment(options);
            let body = r#"{"tags":[{"key":"url","value":"http://x"}]}"#;
            let (_, answer) = ask(&simulator, "POST", &hosts(&[WEB1]), body).await;
            assert_eq!(answer["appliedTags"][0]["stringRepresentation"], shown);
            let target = hosts(&[WEB1]) + "&key=url&value=http%3A%2F%2Fx";
            assert_eq!(ask(&simulator, "DELETE", &target, "").await.0, 200);
        }
    }

    #[tokio::test]
    async fn the_length_of_a_selector_is_limited() {
        let exactly = |n: usize| format!("type(HOST),entityName({})", "%C3%BC".repeat(n - 23));
        for (options, length, status) in [
            ("", 2_000, 200),
            ("", 2_001, 400),
            ("selector-length=encoded", 1_000, 400),
            ("selector-length=encoded", 300, 200),
        ] {
            let target = format!("/api/v2/tags?entitySelector={}", exactly(length));
            assert_eq!(
                ask(&environment(options), "GET", &target, "").await.0,
                status,
                "{options} {length}"
            );
        }
    }
}
