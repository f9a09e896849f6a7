//! The bodies that bring tags.

use serde::Deserialize;

use super::envelope::Refused;

/// Tags in a body.
const MAX_TAGS: usize = 1_000;
/// Characters of a key or value, as the v1 and configuration references have it.
const MAX_TEXT: usize = 2_000;

/// A key and perhaps a value.
pub(super) type Pair = (String, Option<String>);

#[derive(Deserialize)]
struct AddEntityTags {
    tags: Option<Vec<AddEntityTag>>,
}

#[derive(Deserialize)]
struct AddEntityTag {
    key: Option<String>,
    value: Option<String>,
}

/// Reads the body of `POST /api/v2/tags`.
pub(super) fn added(body: &[u8]) -> Result<Vec<Pair>, Refused> {
    let body: AddEntityTags = serde_json::from_slice(body).map_err(|why| unmapped(&why))?;
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
fn check_text(path: &str, text: &str, min: usize) -> Result<(), Refused> {
    if (min..=MAX_TEXT).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(Refused::body(
        path,
        format!("length must be between {min} and {MAX_TEXT}"),
    ))
}

/// Reads the body of a v1 `POST`, which may be absent.
pub(super) fn value_only(body: &[u8]) -> Result<Vec<String>, Refused> {
    #[derive(Deserialize)]
    struct UpdateEntity {
        tags: Option<Vec<String>>,
    }
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let body: UpdateEntity = serde_json::from_slice(body).map_err(|why| unmapped(&why))?;
    let tags = body
        .tags
        .ok_or_else(|| Refused::body("tags", "must not be null"))?;
    for (at, tag) in tags.iter().enumerate() {
        check_text(&format!("tags[{at}]"), tag, 1)?;
    }
    Ok(tags)
}

/// A body that is not what its type says.
pub(super) fn unmapped(why: &serde_json::Error) -> Refused {
    Refused::plain(400, format!("Could not map the JSON payload: {why}"))
}
