//! What a tag may be, and which tags are not the user's own.
//!
//! Keys and values: "JCS/op-paas-api-v1.1-tags-identitydomainid-tags-post.html". The classes of tags: the MySQLCS pages.

/// Characters of a key.
const MAX_KEY: usize = 128;
/// Characters of a value.
const MAX_VALUE: usize = 256;
/// Tags of a service instance.
pub(super) const MAX_TAGS: usize = 50;
/// What the keys of system tags begin with.
const SYSTEM: &str = "ora_";

/// What may be done with a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Created here: everything.
    Instance,
    /// An account's non-metering tag: it can be assigned and unassigned.
    Account,
    /// An account's metering tag: nothing.
    Metering,
    /// A system tag: nothing.
    System,
}

impl Class {
    /// Whether this API assigns and unassigns it.
    pub(super) fn is_assignable(self) -> bool {
        matches!(self, Self::Instance | Self::Account)
    }

    /// What it is called in an issue.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Instance => "an instance tag",
            Self::Account => "an account tag",
            Self::Metering => "an account metering tag",
            Self::System => "a system tag",
        }
    }
}

/// Whether a key, folded as keys are compared, is that of a system tag.
pub(super) fn is_system(key: &str) -> bool {
    key.starts_with(SYSTEM)
}

/// Why a tag can't be created, or `None`.
pub(super) fn complaint(key: &str, value: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if key.is_empty() || key.len() > MAX_KEY || !key.chars().all(legal) {
        return Some(format!(
            "The tag key '{key}' must have 1 to {MAX_KEY} letters, digits, dashes and underscores."
        ));
    }
    if value.chars().count() > MAX_VALUE {
        return Some(format!(
            "The value of the tag key '{key}' must not have more than {MAX_VALUE} characters."
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_have_characters_and_lengths() {
        for (key, value, legal) in [
            ("environment", "qa", true),
            ("A-z_0", "", true),
            ("k", "any ünïcode: 'x'/%\n", true),
            (&"k".repeat(128), &"ü".repeat(256), true),
            (&"k".repeat(129), "", false),
            ("k", &"v".repeat(257), false),
            ("", "v", false),
            ("a b", "v", false),
            ("a.b", "v", false),
            ("a:b", "v", false),
            ("schlüssel", "v", false),
        ] {
            assert_eq!(complaint(key, value).is_none(), legal, "{key:.20}: {value:.20}");
        }
    }

    #[test]
    fn the_prefix_makes_a_system_tag() {
        for (key, system) in [
            ("ora_ha", true),
            ("ora", false),
            ("Ora_ha", false),
            ("my_ora_", false),
        ] {
            assert_eq!(is_system(key), system, "{key}");
        }
    }
}
