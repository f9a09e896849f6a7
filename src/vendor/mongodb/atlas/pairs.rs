//! Tags as Atlas writes them: `{"key": …, "value": …}`, each key once.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::model::Tag;
use crate::vendor::VendorError;

/// A tag in a request (`ResourceTag`). A tag without a value is nowhere legal, but may be there: then it is written as it
/// was read.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

impl<'a> From<&'a Tag> for Pair<'a> {
    fn from(Tag { key, value }: &'a Tag) -> Self {
        Self {
            key,
            value: value.as_deref().unwrap_or_default(),
        }
    }
}

/// All tags that an entity shall carry, each once and in order. The vendor keeps one value a key, and which of two it
/// would keep is not documented.
pub(super) fn write(tags: &[Tag]) -> Result<BTreeSet<Pair<'_>>, VendorError> {
    let pairs: BTreeSet<Pair<'_>> = tags.iter().map(Pair::from).collect();
    let twice = pairs
        .iter()
        .zip(pairs.iter().skip(1))
        .find(|(one, next)| one.key == next.key);
    match twice {
        Some((one, next)) => Err(VendorError::Unsupported(format!(
            "a key has one value here, and `{}` would have `{}` and `{}`: use `set` instead of `add`, or remove one first",
            one.key, one.value, next.value
        ))),
        None => Ok(pairs),
    }
}

/// Reads the list of tags; `None` where it is not told, or holds what could not be written back.
pub(super) fn read(tags: Value) -> Option<Vec<Tag>> {
    let Value::Array(tags) = tags else { return None };
    let pair = |tag: Value| {
        let text = |name: &str| tag.get(name)?.as_str();
        Some(Tag::new(text("key")?, Some(text("value")?)))
    };
    tags.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag::new(key, Some(value))
    }

    #[test]
    fn tags_are_written_in_order_and_each_once() {
        let tags = [
            tag("env", "e2e"),
            tag("app", "cli"),
            tag("env", "e2e"),
            tag("old", ""),
        ];
        let written = serde_json::to_value(write(&tags).unwrap()).unwrap();
        let want = json!([
            { "key": "app", "value": "cli" },
            { "key": "env", "value": "e2e" },
            { "key": "old", "value": "" },
        ]);
        assert_eq!(written, want);
        assert_eq!(serde_json::to_value(write(&[]).unwrap()).unwrap(), json!([]));
    }

    #[test]
    fn two_values_of_one_key_are_never_sent() {
        let error = write(&[tag("env", "prod"), tag("a", "b"), tag("env", "dev")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a key has one value here, and `env` would have `dev` and `prod`: use `set` instead of `add`, or remove one \
             first"
        );
    }

    #[test]
    fn tags_that_are_no_pairs_of_texts_are_not_told() {
        for (tags, want) in [
            (json!([]), Some(vec![])),
            (
                json!([{ "key": "a", "value": "b", "more": 1 }]),
                Some(vec![tag("a", "b")]),
            ),
            (json!([{ "key": "a", "value": "" }]), Some(vec![tag("a", "")])),
            (json!(null), None),
            (json!({ "a": "b" }), None),
            (json!(["a"]), None),
            (json!([{ "key": "a" }]), None),
            (json!([{ "key": "a", "value": null }]), None),
            (json!([{ "key": "a", "value": true }]), None),
            (json!([{ "key": "a", "value": "b" }, null]), None),
        ] {
            assert_eq!(read(tags.clone()), want, "{tags}");
        }
    }

    proptest! {
        #[test]
        fn written_tags_read_back_the_same(tags in proptest::collection::btree_map("(?s).{0,20}", "(?s).{0,20}", 0..8)) {
            let tags: Vec<Tag> = tags.iter().map(|(key, value)| tag(key, value)).collect();
            let written = serde_json::to_value(write(&tags).unwrap()).unwrap();
            prop_assert_eq!(read(written), Some(tags));
        }
    }
}
