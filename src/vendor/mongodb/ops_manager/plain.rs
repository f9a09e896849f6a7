//! Tags as the plain strings that they are at Ops Manager.
//!
//! A whole set is written back, tags of others among them, so reading loses nothing: whatever a string is, it is written
//! as it was read.

use crate::model::Tag;
use crate::vendor::VendorError;

/// Reads a string. With a `join` it is split at the first one; a string of which either part would be empty is no pair,
/// and stands for itself.
pub(super) fn read(text: String, join: Option<&str>) -> Tag {
    match join.and_then(|join| text.split_once(join)) {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Tag {
            key: key.to_owned(),
            value: Some(value.to_owned()),
        },
        _ => Tag {
            key: text,
            value: None,
        },
    }
}

/// Writes a tag, if it would be read back as the same: `A-` joined by `--` would not.
pub(super) fn write(tag: &Tag, join: Option<&str>) -> Result<String, VendorError> {
    let text = match (&tag.value, join) {
        (None, _) => tag.key.clone(),
        (Some(value), Some(join)) => format!("{}{join}{value}", tag.key),
        (Some(_), None) => {
            return Err(VendorError::Unsupported(format!(
                "tag `{tag}` has a value, and groups know plain strings only; give the connection a `join`"
            )));
        }
    };
    if read(text.clone(), join) == *tag {
        return Ok(text);
    }
    Err(VendorError::Unsupported(format!(
        "tag `{tag}` would be read back otherwise from `{text}`; choose another `join` or key"
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings_are_split_at_the_first_join_where_both_parts_are_there() {
        for (text, join, key, value) in [
            ("ENV.PROD", Some("."), "ENV", Some("PROD")),
            ("ENV.PROD.EU", Some("."), "ENV", Some("PROD.EU")),
            ("ENV__PROD", Some("__"), "ENV", Some("PROD")),
            ("ENV", Some("."), "ENV", None),
            ("ENV.PROD", None, "ENV.PROD", None),
            (".PROD", Some("."), ".PROD", None),
            ("ENV.", Some("."), "ENV.", None),
            ("..A", Some("."), "..A", None),
            ("", Some("."), "", None),
        ] {
            let want = Tag {
                key: key.to_owned(),
                value: value.map(str::to_owned),
            };
            assert_eq!(read(text.to_owned(), join), want, "{text}");
        }
    }

    #[test]
    fn a_tag_that_would_be_read_back_otherwise_is_not_written() {
        for (key, value, join, names) in [
            ("A.B", Some("C"), Some("."), "read back otherwise from `A.B.C`"),
            ("A-", Some("B"), Some("--"), "read back otherwise from `A---B`"),
            ("A.B", None, Some("."), "read back otherwise from `A.B`"),
            ("A", Some("B"), None, "give the connection a `join`"),
        ] {
            let error = write(&Tag::new(key, value), join).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_string_is_written_as_it_was_read(text in "(?s).{0,50}", join in proptest::option::of(".{1,2}")) {
            let tag = read(text.clone(), join.as_deref());
            prop_assert_eq!(write(&tag, join.as_deref()), Ok(text));
        }

        #[test]
        fn strings_full_of_separators_too(text in "[.A-]{0,8}", join in "[.-]{1,3}") {
            let tag = read(text.clone(), Some(&join));
            prop_assert_eq!(write(&tag, Some(&join)), Ok(text));
        }

        #[test]
        fn a_written_tag_reads_back_the_same(key in "[A-C._-]{1,6}", value in "[A-C._-]{0,6}", join in "[._-]{1,2}") {
            let tag = Tag::new(key, Some(value));
            if let Ok(text) = write(&tag, Some(&join)) {
                prop_assert_eq!(read(text, Some(&join)), tag);
            } else {
                // Only a separator in the key, or one that runs into it, may be refused.
                let last = join.chars().next().unwrap();
                prop_assert!(tag.key.contains(&join) || tag.key.ends_with(last), "{} {}", tag, join);
            }
        }
    }
}
