//! Tags of v1 as the plain strings that they are there.
//!
//! With a `join` a string is read and written as key and value, split at the first separator.

use crate::model::{LiveTag, Provenance, Tag};
use crate::vendor::VendorError;

/// A tag as a plain string, which is sent only if it reads back as the same tag: `a-` joined by `--` would not.
pub(super) fn write(tag: &Tag, join: Option<&str>) -> Result<String, VendorError> {
    let text = match (&tag.value, join) {
        (None, _) => tag.key.clone(),
        (Some(value), Some(join)) => format!("{}{join}{value}", tag.key),
        (Some(_), None) => {
            return unsupported(format!(
                "tag `{tag}` has a value, and v1 knows plain strings only; give a `join`"
            ));
        }
    };
    let back = read(
        Tag {
            key: text.clone(),
            value: None,
        },
        join,
    );
    if back.is_some_and(|back| back.tag == *tag) {
        Ok(text)
    } else {
        unsupported(format!(
            "tag `{tag}` would be read back otherwise from `{text}`; choose another `join` or key"
        ))
    }
}

/// A live tag. Strings that would be written otherwise than they stand belong to nobody. A tag with a value
/// of its own came by v2 or a rule: it is there, and cannot be removed by v1.
pub(super) fn read(tag: Tag, join: Option<&str>) -> Option<LiveTag> {
    if tag.value.is_some() {
        return Some(LiveTag {
            tag,
            provenance: Provenance::Automatic,
        });
    }
    let tag = match join.and_then(|join| tag.key.split_once(join)) {
        Some(("", _) | (_, "")) => return None,
        Some((key, value)) => Tag::new(key, Some(value)),
        None => tag,
    };
    Some(LiveTag {
        tag,
        provenance: Provenance::Manual,
    })
}

fn unsupported<T>(why: String) -> Result<T, VendorError> {
    Err(VendorError::Unsupported(why))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(key: &str) -> Tag {
        Tag::new(key, None::<String>)
    }

    fn pair(key: &str, value: &str) -> Tag {
        Tag::new(key, Some(value))
    }

    #[test]
    fn strings_are_split_at_the_first_join() {
        for (text, join, want) in [
            ("env.prod", Some("."), Some(pair("env", "prod"))),
            ("env.prod.eu", Some("."), Some(pair("env", "prod.eu"))),
            ("env", Some("."), Some(plain("env"))),
            ("env.prod", None, Some(plain("env.prod"))),
            ("env__prod", Some("__"), Some(pair("env", "prod"))),
            (".prod", Some("."), None),
            ("env.", Some("."), None),
        ] {
            assert_eq!(read(plain(text), join).map(|live| live.tag), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(key in "[a-c._-]{1,6}", value in "[a-c._-]{0,6}", join in "[._-]{1,2}") {
            let tag = Tag::new(key, Some(value));
            if let Ok(text) = write(&tag, Some(&join)) {
                prop_assert_eq!(read(plain(&text), Some(&join)).map(|live| live.tag), Some(tag));
            } else {
                // Only a separator in the key, or one that runs into it, may be refused.
                let last = join.chars().next().unwrap();
                prop_assert!(tag.key.contains(&join) || tag.key.ends_with(last), "{} {}", tag, join);
            }
        }
    }
}
