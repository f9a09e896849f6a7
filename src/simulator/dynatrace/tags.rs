//! `/api/v2/tags`: the custom tags of the entities that a selector matches.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use super::super::journal::{Change, Op};
use super::super::switches::{Count, PartialDelete, Representation, SelectorLength, UnmatchedDelete};
use super::envelope::{Refused, json};
use super::route::Call;
use super::selection::{Selection, View};
use super::selector::{PARAMETER, Reader, Selector};
use super::tag_text::{CONTEXTLESS, representation};
use super::time_frame::{HOUR, TimeFrame};
use super::world::{EntityIndex, TagId, World};

/// Without `from`, entities of the last 24 hours.
const DEFAULT_FRAME: i64 = 24 * HOUR;
/// Characters of a selector.
const MAX_SELECTOR: usize = 2_000;
/// Tags in a body.
const MAX_TAGS: usize = 1_000;
/// Characters of a key or value, as the v1 and configuration references have it.
const MAX_TEXT: usize = 2_000;
/// Manual tags of an entity.
const MAX_MANUAL: usize = 1_000;

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

#[derive(Deserialize)]
struct AddEntityTags {
    tags: Option<Vec<AddEntityTag>>,
}

#[derive(Deserialize)]
struct AddEntityTag {
    key: Option<String>,
    value: Option<String>,
}

/// `GET`: the union of the manual tags of all matched entities.
pub(super) fn get(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct CustomEntityTags<'a> {
        total_count: usize,
        tags: Vec<MeTag<'a>>,
    }
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
    let style = call.spec.switches.representation;
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
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct AddedEntityTags<'a> {
        matched_entities_count: usize,
        applied_tags: Vec<MeTag<'a>>,
    }
    let matched = matched(call, world)?;
    let tags = body_tags(call.body)?;
    let changed = apply(call, world, &matched, &tags, changes)?;
    let style = call.spec.switches.representation;
    let applied_tags = tags
        .iter()
        .map(|(key, value)| MeTag::new(CONTEXTLESS, key, value.as_deref(), style))
        .collect();
    let matched_entities_count = count(call, matched.len(), changed);
    Ok(json(
        200,
        &AddedEntityTags {
            matched_entities_count,
            applied_tags,
        },
    ))
}

/// Adds tags to entities, all or nothing, and says how many entities changed. v1 ends here too.
pub(super) fn apply(
    call: &Call<'_>,
    world: &mut World,
    entities: &[EntityIndex],
    tags: &[Pair],
    changes: &mut Vec<Change<'static>>,
) -> Result<usize, Refused> {
    let ids: Vec<TagId> = tags
        .iter()
        .map(|(key, value)| world.intern(key, value.as_deref()))
        .collect();
    for &index in entities {
        let manual = world.manual(index);
        let n_new = ids
            .iter()
            .filter(|tag| manual.binary_search(tag).is_err())
            .count();
        if n_new > 0 && manual.len() + n_new > MAX_MANUAL {
            let message = format!(
                "{} can't carry more than {MAX_MANUAL} manual tags",
                world.id(index)
            );
            return Err(Refused::plain(call.spec.switches.full_status.status(), message));
        }
    }
    let mut n_changed = 0;
    for &index in entities {
        let before = changes.len();
        for &tag in &ids {
            change(world, index, Op::Add, tag, call.now, changes);
        }
        n_changed += usize::from(changes.len() > before);
    }
    Ok(n_changed)
}

/// A key and perhaps a value.
pub(super) type Pair = (String, Option<String>);

fn body_tags(body: &[u8]) -> Result<Vec<Pair>, Refused> {
    let body: AddEntityTags = serde_json::from_slice(body)
        .map_err(|why| Refused::plain(400, format!("Could not map the JSON payload: {why}")))?;
    let tags = body
        .tags
        .ok_or_else(|| Refused::body("tags", "must not be null"))?;
    if tags.len() > MAX_TAGS {
        return Err(Refused::body(
            "tags",
            format!("size must be between 0 and {MAX_TAGS}"),
        ));
    }
    let mut pairs = Vec::with_capacity(tags.len());
    for (at, AddEntityTag { key, value }) in tags.into_iter().enumerate() {
        let key = key.unwrap_or_default();
        check_text(&format!("tags[{at}].key"), &key, 1)?;
        // An empty value is the same as none.
        let value = value.filter(|value| !value.is_empty());
        check_text(
            &format!("tags[{at}].value"),
            value.as_deref().unwrap_or_default(),
            0,
        )?;
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// Refuses a key or value that is too short or too long.
pub(super) fn check_text(path: &str, text: &str, min: usize) -> Result<(), Refused> {
    if (min..=MAX_TEXT).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(Refused::body(
        path,
        format!("length must be between {min} and {MAX_TEXT}"),
    ))
}

/// `DELETE`: takes one tag, or every value of a key, off every matched entity.
pub(super) fn delete(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct DeletedEntityTags {
        matched_entities_count: usize,
    }
    let matched = matched(call, world)?;
    let key = call.query.first("key").filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Refused::query("key", "must not be empty"))?;
    let all = call.query.flag("deleteAllWithKey")?;
    let value = call
        .query
        .first("value")
        .filter(|value| !value.is_empty() && !all);
    let doomed: Vec<(EntityIndex, Vec<TagId>)> = matched
        .iter()
        .map(|&index| (index, doomed(world, index, key, value, all)))
        .collect();
    let n_having = doomed.iter().filter(|(_, tags)| !tags.is_empty()).count();
    check_found(call, matched.len(), n_having).map_err(|status| unfound(status, key, value))?;
    for (index, tags) in doomed {
        for tag in tags {
            change(world, index, Op::Remove, tag, call.now, changes);
        }
    }
    Ok(json(
        200,
        &DeletedEntityTags {
            matched_entities_count: count(call, matched.len(), n_having),
        },
    ))
}

/// The manual tags of an entity that a removal means. What rules made or what was imported is never among them.
fn doomed(world: &World, index: EntityIndex, key: &str, value: Option<&str>, all: bool) -> Vec<TagId> {
    let means = |tag: &&TagId| {
        let (own_key, own_value) = world.tag(**tag);
        own_key == key && (all || own_value == value)
    };
    world.manual(index).iter().filter(means).copied().collect()
}

fn check_found(call: &Call<'_>, n_matched: usize, n_having: usize) -> Result<(), u16> {
    let switches = &call.spec.switches;
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

fn unfound(status: u16, key: &str, value: Option<&str>) -> Refused {
    let colon = if value.is_some() { ":" } else { "" };
    Refused::plain(
        status,
        format!("Unable to find tag {key}{colon}{}", value.unwrap_or_default()),
    )
}

/// Changes one tag of one entity, and tells it when that changed anything.
pub(super) fn change(
    world: &mut World,
    index: EntityIndex,
    op: Op,
    tag: TagId,
    now: i64,
    changes: &mut Vec<Change<'static>>,
) {
    if world.change(index, op, tag, now) {
        let (key, value) = world.tag(tag);
        changes.push(Change {
            entity: world.id(index).into(),
            op,
            key: key.to_owned().into(),
            value: value.map(|value| value.to_owned().into()),
        });
    }
}

fn count(call: &Call<'_>, n_matched: usize, n_changed: usize) -> usize {
    match call.spec.switches.count {
        Count::Matched => n_matched,
        Count::Changed => n_changed,
    }
}

fn matched(call: &Call<'_>, world: &World) -> Result<Vec<EntityIndex>, Refused> {
    Ok(selection(call, world, View::Write)?.all().collect())
}

fn selection<'w>(call: &Call<'_>, world: &'w World, view: View) -> Result<Selection<'w>, Refused> {
    let selector = selector(call)?;
    let frame = TimeFrame::of(&call.query, call.now, DEFAULT_FRAME)?;
    Ok(Selection::of(
        selector,
        world,
        frame,
        view,
        call.spec.switches.bare_tag,
    ))
}

/// The selector of a request, which is required.
pub(super) fn selector(call: &Call<'_>) -> Result<Selector, Refused> {
    let text = call
        .query
        .first(PARAMETER)
        .ok_or_else(|| Refused::query(PARAMETER, "must not be null"))?;
    let length = match call.spec.switches.selector_length {
        SelectorLength::Decoded => text.chars().count(),
        SelectorLength::Encoded => call.query.encoded_length(PARAMETER),
    };
    if length > MAX_SELECTOR {
        return Err(Refused::query(
            PARAMETER,
            format!("size must be between 0 and {MAX_SELECTOR}"),
        ));
    }
    Reader {
        now: call.now,
        escape: call.spec.switches.quote_escape,
    }
    .read(text)
}
