//! What a job file says about losses: the table `[losses]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// What tags may lose where their target does not take them as they are. Whatever is not allowed rejects its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// What becomes of a tag that is too long: `reject` (default), `truncate` or `drop`.
    pub too_long: TooLong,
    /// What becomes of a tag that the target's rules forbid otherwise, such as one with a character that is not allowed:
    /// `reject` (default), `replace` or `drop`.
    pub illegal: Illegal,
    /// What becomes of tags for which an entity has no room: `reject` (default) or `drop`.
    pub over_count: OverCount,
    /// What becomes of a tag that the target will hand back otherwise than it is written: `reject` or `allow`. Left out, its
    /// row is rejected, unless an option of the connection asks for it (Ops Manager's `lower_case = "upper"`): then it is no
    /// loss.
    pub rewritten: Option<Rewritten>,
}

/// What becomes of a tag that is too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TooLong {
    /// Its row is rejected.
    #[default]
    Reject,
    /// Its value, or the whole of a plain string, is cut and ends with `-` and eight digits of the whole text's blake3
    /// digest. A key is never cut.
    Truncate,
    /// It is left out, and the rest of its row goes on.
    Drop,
}

/// What becomes of a tag that the target's rules forbid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Illegal {
    /// Its row is rejected.
    #[default]
    Reject,
    /// It is left out, and the rest of its row goes on.
    Drop,
    /// Each character of its value, or of a plain string, that is not allowed becomes `_`, or `-` where that is not allowed
    /// either. Keys are not changed, and letters and digits of ASCII never replaced: a tag for which that is not enough
    /// rejects its row.
    Replace,
}

/// What becomes of tags for which an entity has no room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OverCount {
    /// All rows of the entity are rejected.
    #[default]
    Reject,
    /// In the order of keys, and of values within a key, the first tags go until the entity is full, and the others are left
    /// out. What was to be replaced on such an entity stays.
    Drop,
}

/// What becomes of a tag that the target will hand back otherwise than it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rewritten {
    /// Its row is rejected, even where an option of the connection asks for the change.
    Reject,
    /// It goes, and counts as a loss.
    Allow,
}
