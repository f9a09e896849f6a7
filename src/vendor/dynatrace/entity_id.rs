//! Entity types and identifiers: their canonical form, and the selectors that name them.
//!
//! Dynatrace compares types and identifiers without case
//! (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/entity-v2/entity-selector>); here both
//! are kept in upper case, so that equal ones are equal texts.

use super::options::SELECTOR_MAX;
use crate::model::IdBudget;
use crate::vendor::{Scope, VendorError};

/// The longest suffix that is taken for one. The documentation shows 16 hexadecimal digits everywhere and
/// promises them nowhere, so other suffixes pass too: an identifier that does not exist is found missing by
/// observing.
const SUFFIX_MAX: usize = 64;

/// Upper-cases an identifier and checks that it is one of the kind.
pub(super) fn canonical(kind: &str, wanted: &str) -> Result<String, String> {
    let id = wanted.trim().to_ascii_uppercase();
    let kind = kind.to_ascii_uppercase();
    let example = format!("{kind}-0123456789ABCDEF");
    let shown = wanted.escape_debug();
    let Some(suffix) = id.strip_prefix(&kind).and_then(|rest| rest.strip_prefix('-')) else {
        return Err(match id.rsplit_once('-') {
            Some((other, _)) if is_type(other) => {
                format!("`{shown}` is a {other}, not a {kind}; an identifier looks like `{example}`")
            }
            _ => format!("`{shown}` is no identifier of a {kind}; one looks like `{example}`"),
        });
    };
    if is_suffix(suffix) {
        Ok(id)
    } else {
        Err(format!(
            "`{shown}` does not end like an identifier; one looks like `{example}`"
        ))
    }
}

/// Checks that a type can stand in a selector.
pub(super) fn check_type(kind: &str) -> Result<(), VendorError> {
    if is_type(kind) {
        return Ok(());
    }
    Err(VendorError::Unsupported(format!(
        "kind `{}` is no entity type; one looks like `HOST` or `PROCESS_GROUP`",
        kind.escape_debug()
    )))
}

/// The entity selector of a scope.
pub(super) fn selector(scope: &Scope) -> Result<String, VendorError> {
    match scope {
        Scope::Kind { kind } => {
            check_type(kind)?;
            Ok(format!("type(\"{kind}\")"))
        }
        Scope::Ids { kind, ids } => of_ids(kind, ids),
    }
}

/// A selector of identifiers, each in quotes: those are optional for plain ones, and cost no more than safety
/// is worth.
pub(super) fn of_ids(kind: &str, ids: &[String]) -> Result<String, VendorError> {
    check_ids(kind, ids)?;
    let selector = format!("entityId(\"{}\")", ids.join("\",\""));
    let length = selector.chars().count();
    if length > SELECTOR_MAX {
        return Err(VendorError::Unsupported(format!(
            "{} identifiers make a selector of {length} characters, and {SELECTOR_MAX} are allowed; send fewer a call",
            ids.len()
        )));
    }
    Ok(selector)
}

/// Checks that there are identifiers and that each is one of the kind, so that none can change what a request
/// means.
pub(super) fn check_ids(kind: &str, ids: &[String]) -> Result<(), VendorError> {
    check_type(kind)?;
    if ids.is_empty() {
        // Without identifiers a selector would be refused or, worse, mean other entities.
        return Err(VendorError::Unsupported("a request names no entity".to_owned()));
    }
    ids.iter()
        .try_for_each(|id| canonical(kind, id).map(drop).map_err(VendorError::Unsupported))
}

/// What [`of_ids`] spends beside the identifiers: `entityId(` and `)`, then two quotes and a comma each.
pub(super) fn budget(chars: usize) -> IdBudget {
    IdBudget {
        chars,
        fixed: 10,
        each: 3,
    }
}

/// Types are words such as `HOST` and `SYNTHETIC_TEST`; those of extensions also hold colons, dots and hyphens.
fn is_type(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-'))
}

fn is_suffix(text: &str) -> bool {
    (1..=SUFFIX_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_upper_cased_and_trimmed() {
        for (kind, wanted, want) in [
            ("HOST", "HOST-82F576674F19AC16", "HOST-82F576674F19AC16"),
            ("HOST", " host-82f576674f19ac16\t", "HOST-82F576674F19AC16"),
            ("host", "Host-82F576674F19AC16", "HOST-82F576674F19AC16"),
            (
                "PROCESS_GROUP",
                "process_group-e5c3cc7ec1f80b5b",
                "PROCESS_GROUP-E5C3CC7EC1F80B5B",
            ),
            (
                "os:service",
                "os:service-0123456789abcdef",
                "OS:SERVICE-0123456789ABCDEF",
            ),
            ("HOST", "HOST-0123456789ABCDEF01", "HOST-0123456789ABCDEF01"),
        ] {
            assert_eq!(canonical(kind, wanted), Ok(want.to_owned()), "{wanted}");
        }
    }

    #[test]
    fn wrong_kinds_and_shapes_are_refused_with_an_example() {
        for (kind, wanted, names) in [
            ("HOST", "SERVICE-0123456789ABCDEF", "is a SERVICE, not a HOST"),
            (
                "PROCESS_GROUP",
                "PROCESS_GROUP_INSTANCE-0123456789ABCDEF",
                "is a PROCESS_GROUP_INSTANCE, not",
            ),
            ("HOST", "HOST_GROUP-0123456789ABCDEF", "is a HOST_GROUP, not"),
            ("HOST", "", "is no identifier"),
            ("HOST", "web-01.example.com\"", "not a HOST"),
            ("HOST", "0123456789ABCDEF", "is no identifier"),
            ("HOST", "HOST", "is no identifier"),
            ("HOST", "HOST-", "does not end like"),
            ("HOST", "HOST-1.2E+15", "does not end like"),
            ("HOST", "HOST-1\",\"HOST-2", "does not end like"),
            ("HOST", "HOST-1)", "does not end like"),
            ("HOST", "HOST-1\n", ""),
        ] {
            match canonical(kind, wanted) {
                Err(error) => {
                    assert!(error.contains(names), "{wanted}: {error}");
                    assert!(error.contains(&format!("`{kind}-0123456789ABCDEF`")), "{error}");
                }
                Ok(id) => assert_eq!((names, id.as_str()), ("", "HOST-1"), "{wanted}"),
            }
        }
    }

    #[test]
    fn selectors_quote_what_they_name() {
        let ids = |ids: &[&str]| Scope::Ids {
            kind: "HOST".into(),
            ids: ids.iter().map(|&id| id.into()).collect(),
        };
        for (scope, want) in [
            (Scope::Kind { kind: "HOST".into() }, "type(\"HOST\")"),
            (ids(&["HOST-1"]), "entityId(\"HOST-1\")"),
            (ids(&["HOST-1", "HOST-2"]), "entityId(\"HOST-1\",\"HOST-2\")"),
        ] {
            assert_eq!(selector(&scope).unwrap(), want);
        }
    }

    #[test]
    fn a_selector_that_would_mean_something_else_is_not_made() {
        let ids = |ids: &[&str]| Scope::Ids {
            kind: "HOST".into(),
            ids: ids.iter().map(|&id| id.into()).collect(),
        };
        for scope in [
            ids(&[]),
            ids(&["HOST-1\""]),
            ids(&["SERVICE-1"]),
            Scope::Kind {
                kind: "HOST\"),type(\"SERVICE".into(),
            },
            Scope::Kind { kind: String::new() },
        ] {
            assert!(selector(&scope).is_err(), "{scope:?}");
        }
    }

    #[test]
    fn a_selector_of_2000_characters_passes_and_a_longer_one_does_not() {
        // Ten characters and 24 for each identifier of 16 digits, but one less, since the last has no comma.
        let mut ids: Vec<String> = (0..83).map(|n| format!("HOST-{n:016X}")).collect();
        assert!(
            of_ids("HOST", &ids)
                .unwrap_err()
                .to_string()
                .contains("2001 characters")
        );
        ids[0].pop();
        assert_eq!(of_ids("HOST", &ids).unwrap().len(), 2_000);
    }

    proptest! {
        #[test]
        fn what_the_budget_allows_fits(chars in 100_usize..=2_000, width in 4_usize..=40) {
            let longest = "HOST-".len() + width;
            let ids: Vec<String> = (0..budget(chars).ids(longest)).map(|n| format!("HOST-{n:0width$}")).collect();
            prop_assert!(of_ids("HOST", &ids).unwrap().chars().count() <= chars);
        }

        #[test]
        fn canonical_form_is_stable(suffix in "[0-9a-fA-F]{16}") {
            let once = canonical("HOST", &format!("host-{suffix}")).unwrap();
            prop_assert_eq!(canonical("HOST", &once), Ok(once));
        }
    }
}
