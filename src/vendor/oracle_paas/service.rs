//! Service instances: how jobs, request bodies and queries name them.
//!
//! An instance is a service type and a name, `JaaS/MyJCSExample` here and `JaaS.MyJCSExample` in the query of a reading,
//! where commas stand between several (`JCS/op-paas-api-v1.1-tags-identitydomainid-tags-get.html`).

use serde::Serialize;

use crate::model::IdBudget;
use crate::vendor::VendorError;

/// The longest type or name. The vendor makes names of at most 50 characters; more are taken, since that is stated for
/// some services only.
const PART_MAX: usize = 128;

/// A service instance, as bodies name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Service<'a> {
    /// The type, such as `JaaS`; an open list.
    pub(super) service_type: &'a str,
    /// The name, which is compared with case.
    pub(super) service_name: &'a str,
}

/// The canonical form of an instance of the kind: `Name` and `JaaS/Name` are the same where the kind is `JaaS`. The
/// spelling of the type is the kind's, since the vendor writes the Java type `JaaS` in bodies and `jaas` in paths.
pub(super) fn canonical(kind: &str, wanted: &str) -> Result<String, String> {
    let shown = wanted.escape_debug();
    let name = match wanted.trim().split_once('/') {
        None => wanted.trim(),
        Some((of, name)) if of.eq_ignore_ascii_case(kind) => name,
        Some((of, _)) if is_part(of) => {
            return Err(format!(
                "`{shown}` is a {of}, not a {kind}; write `{kind}/NAME` or `NAME`"
            ));
        }
        Some(_) => {
            return Err(format!(
                "`{shown}` names no service; write `{kind}/NAME` or `NAME`"
            ));
        }
    };
    if is_part(name) {
        return Ok(format!("{kind}/{name}"));
    }
    Err(format!(
        "`{shown}` is no name of a {kind}: give 1 to {PART_MAX} characters, without dots, commas, slashes and control \
         characters"
    ))
}

/// Checks that a service type can stand in requests.
pub(super) fn check_type(kind: &str) -> Result<(), VendorError> {
    if is_part(kind) && !kind.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(VendorError::Unsupported(format!(
        "kind `{}` is no service type; one looks like `JaaS` or `DBaaS`",
        kind.escape_debug()
    )))
}

/// Takes identifiers in canonical form apart. There is at least one: without any, a reading would mean every tag of the
/// identity domain.
pub(super) fn all<'a>(kind: &'a str, ids: &'a [String]) -> Result<Vec<Service<'a>>, VendorError> {
    check_type(kind)?;
    if ids.is_empty() {
        return Err(VendorError::Unsupported("a request names no service".to_owned()));
    }
    ids.iter().map(|id| one(kind, id)).collect()
}

/// The `services` of a reading.
pub(super) fn selected(services: &[Service<'_>]) -> String {
    let dotted = services
        .iter()
        .map(|service| format!("{}.{}", service.service_type, service.service_name));
    dotted.collect::<Vec<_>>().join(",")
}

/// What [`selected`] spends in a URL: identifiers with a dot for their slash, and an encoded comma each. Names hold
/// letters, digits and hyphens at the vendor, so none is longer there than it is here.
pub(super) fn budget(chars: usize) -> IdBudget {
    IdBudget {
        chars,
        fixed: 0,
        each: "%2C".len(),
    }
}

fn one<'a>(kind: &'a str, id: &'a str) -> Result<Service<'a>, VendorError> {
    match id.split_once('/') {
        Some((of, name)) if of == kind && is_part(name) => Ok(Service {
            service_type: kind,
            service_name: name,
        }),
        _ => Err(VendorError::Unsupported(format!(
            "`{}` is no service of type {kind} in its canonical form",
            id.escape_debug()
        ))),
    }
}

/// Whether a text can be a type or a name. Dots and commas separate in a query, and how to escape them there is not
/// stated: an instance that was read as another would look untagged. The vendor's own names never hold them
/// (<https://docs.oracle.com/en/cloud/paas/api-platform-cloud-um/apfrl/op-instancemgmt-identitydomainid-services-apics-instances-post.html>).
fn is_part(text: &str) -> bool {
    (1..=PART_MAX).contains(&text.chars().count())
        && text.trim().len() == text.len()
        && !text.contains(|c: char| c.is_control() || matches!(c, '.' | ',' | '/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_with_or_without_its_type_is_the_same_instance() {
        for (kind, wanted, want) in [
            ("JaaS", "MyJCSExample", "JaaS/MyJCSExample"),
            ("JaaS", "JaaS/MyJCSExample", "JaaS/MyJCSExample"),
            ("JaaS", " jaas/MyJCSExample\t", "JaaS/MyJCSExample"),
            ("jaas", "JaaS/MyJCSExample", "jaas/MyJCSExample"),
            ("MySQLCS", "db-1_x", "MySQLCS/db-1_x"),
            ("DBaaS", "JaaS", "DBaaS/JaaS"),
            ("JaaS", "myjcsexample", "JaaS/myjcsexample"),
        ] {
            assert_eq!(canonical(kind, wanted), Ok(want.to_owned()), "{wanted}");
        }
    }

    #[test]
    fn what_can_not_be_named_in_a_query_is_refused_with_the_form_to_write() {
        let long = "x".repeat(129);
        for (wanted, names) in [
            (
                "DBaaS/Db1",
                "`DBaaS/Db1` is a DBaaS, not a JaaS; write `JaaS/NAME`",
            ),
            ("", "`` is no name of a JaaS"),
            ("  ", "is no name of a JaaS"),
            ("JaaS/", "is no name"),
            ("/x", "names no service"),
            ("a,b/x", "names no service"),
            ("JaaS/a/b", "without dots, commas, slashes"),
            ("JaaS/ a", "is no name"),
            ("JaaS.MyJCSExample", "without dots"),
            (".", "is no name"),
            ("..", "is no name"),
            ("a,b", "is no name"),
            ("a\nb", "`a\\nb` is no name"),
            (long.as_str(), "1 to 128 characters"),
        ] {
            let error = canonical("JaaS", wanted).unwrap_err();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn kinds_are_an_open_list_of_words() {
        for (kind, legal) in [
            ("JaaS", true),
            ("DBaaS", true),
            ("MySQLCS", true),
            ("DHCS", true),
            ("SOA", true),
            ("SOMETHING_NEW-2", true),
            ("", false),
            ("a b", false),
            ("a.b", false),
            ("a,b", false),
            ("a/b", false),
            ("a\u{0}", false),
        ] {
            assert_eq!(check_type(kind).is_ok(), legal, "{kind}");
        }
    }

    #[test]
    fn only_canonical_identifiers_of_the_kind_get_into_requests() {
        for (ids, names) in [
            (vec![], "names no service"),
            (vec!["MyJCSExample"], "`MyJCSExample` is no service of type JaaS"),
            (vec!["JaaS/a", "DBaaS/b"], "`DBaaS/b` is no service"),
            (vec!["JaaS/a,DBaaS.b"], "is no service"),
            (vec!["JaaS/"], "is no service"),
        ] {
            let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
            let error = all("JaaS", &ids).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_canonical_identifier_is_its_own_canonical_form_and_is_told_in_a_query_as_it_is(
            name in "[^./,\\pC\\s]{1,20}", other in "[A-Za-z][A-Za-z0-9-]{0,20}",
        ) {
            let ids = [name.as_str(), other.as_str()].map(|name| canonical("JaaS", name).unwrap());
            for id in &ids {
                prop_assert_eq!(&canonical("JaaS", id).unwrap(), id);
            }
            let query = selected(&all("JaaS", &ids).unwrap());
            let told: Vec<_> = query.split(',').map(|one| one.split_once('.').unwrap()).collect();
            prop_assert_eq!(told, vec![("JaaS", name.as_str()), ("JaaS", other.as_str())]);
        }
    }
}
