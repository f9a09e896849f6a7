//! One group, as far as an answer is read.

use serde::Deserialize;
use serde_json::Value;

use crate::vendor::VendorError;
use crate::vendor::mongodb::answer;
use crate::vendor::words::clean;
use crate::wire::Response;

/// What to look at when the wrong server answers.
pub(super) const URL_HINT: &str = "check the connection's `url`: it is scheme, host and port of Ops Manager, or \
     `https://cloud.mongodb.com`, without `/api/public/v1.0`";

/// A group, as far as it is read. Tags are seen with a role alone, and their list is missing without it.
#[derive(Debug, Deserialize)]
pub(super) struct Group {
    /// Its identifier.
    pub(super) id: String,
    /// Its name, where it is text.
    #[serde(default)]
    pub(super) name: Value,
    #[serde(default)]
    tags: Value,
}

impl Group {
    /// The tags as they stand there; `None` where that is not told, or is no list of strings and could not be written
    /// back.
    pub(super) fn strings(self) -> Option<Vec<String>> {
        let Value::Array(tags) = self.tags else {
            return None;
        };
        let text = |tag| match tag {
            Value::String(text) => Some(text),
            _ => None,
        };
        tags.into_iter().map(text).collect()
    }
}

/// Reads a group that was asked for. Another one is no answer.
pub(super) fn read(answer: &Response, id: &str) -> Result<Group, VendorError> {
    let group: Group = answer::read(answer, "the group", URL_HINT)?;
    if group.id.eq_ignore_ascii_case(id) {
        return Ok(group);
    }
    Err(VendorError::BadAnswer(format!(
        "the answer is of group `{}` and not of `{id}`",
        clean(&group.id)
    )))
}
