//! Reading accepted answers: JSON into a shape, or what stands there instead.
//!
//! Only the fields that are named are taken in; others, `agentApiKey` among them, are passed over unread.

use serde::de::DeserializeOwned;

use crate::vendor::VendorError;
use crate::vendor::words::{clean, unreadable};
use crate::wire::Response;

/// Reads an answer. `what` names it, and `url_hint` says what to look at when the wrong server answers.
pub(super) fn read<T: DeserializeOwned>(
    answer: &Response,
    what: &str,
    url_hint: &str,
) -> Result<T, VendorError> {
    let bad = |problem: String| VendorError::BadAnswer(format!("{what} can't be read: {problem}"));
    if let Some(problem) = unreadable(answer, url_hint) {
        return Err(bad(problem));
    }
    // A list would be read as the fields of a struct, in their order.
    if !answer.body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("it is no JSON object".to_owned()));
    }
    serde_json::from_slice(&answer.body).map_err(|error| bad(clean(&error.to_string())))
}
