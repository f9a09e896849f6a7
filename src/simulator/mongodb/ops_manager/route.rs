//! From method and path to what is asked for.

use http::Method;

use super::super::super::keyed::Counted;
use super::super::super::percent::decoded;
use super::super::refused::Refused;

/// Where the API begins. Whatever stands before it names the installation.
pub(super) const API: &str = "/api/public/v1.0";

/// What is asked for. Identifiers are as they stand in the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super::super) enum Route {
    List,
    Create,
    Get(String),
    Change(String),
    Remove(String),
    ByName(String),
    ByAgentKey(String),
    OfOrg(String),
}

impl Route {
    /// Finds the route; a path that is not known gives 404, a method that it does not take 405.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, Refused> {
        let (_, rest) = path.split_once(API).ok_or_else(|| Refused::no_resource(path))?;
        let segments: Vec<&str> = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let found = match (&*segments, method) {
            (["", "groups"], _) if reads => Self::List,
            (["", "groups"], &Method::POST) => Self::Create,
            (["", "groups"], _) => return Err(Refused::no_method("GET, HEAD, POST")),
            (["", "groups", id], _) if reads => Self::Get(decoded(id)),
            (["", "groups", id], &Method::PATCH) => Self::Change(decoded(id)),
            (["", "groups", id], &Method::DELETE) => Self::Remove(decoded(id)),
            (["", "groups", _], _) => return Err(Refused::no_method("GET, HEAD, PATCH, DELETE")),
            (["", "groups", "byName", name], _) if reads => Self::ByName(decoded(name)),
            (["", "groups", "byAgentApiKey", key], _) if reads => Self::ByAgentKey(decoded(key)),
            (["", "orgs", id, "groups"], _) if reads => Self::OfOrg(decoded(id)),
            (["", "groups", "byName" | "byAgentApiKey", _] | ["", "orgs", _, "groups"], _) => {
                return Err(Refused::no_method("GET, HEAD"));
            }
            _ => return Err(Refused::no_resource(path)),
        };
        Ok(found)
    }

    /// Whether it changes anything.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Self::Create | Self::Change(_) | Self::Remove(_))
    }

    /// The group that the path names.
    pub(super) fn group(&self) -> Option<&str> {
        match self {
            Self::Get(id) | Self::Change(id) | Self::Remove(id) => Some(id),
            _ => None,
        }
    }

    /// Requests that name a group count against that group.
    pub(super) fn counted(&self) -> Option<Counted> {
        let group = self.group()?;
        Some(Counted {
            key: group.to_owned(),
            resource: format!("{API}/groups/{group}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::switches::Switches;
    use super::*;

    const ID: &str = "5c8100bcf2a30b12ff88258f";

    #[test]
    fn paths_lead_to_routes_whatever_stands_before() {
        let id = || ID.to_owned();
        for (method, path, want) in [
            ("GET", "/api/public/v1.0/groups", Route::List),
            ("HEAD", "/api/public/v1.0/groups/", Route::List),
            ("POST", "/ops/api/public/v1.0/groups", Route::Create),
            (
                "GET",
                "/api/public/v1.0/groups/5c8100bcf2a30b12ff88258f",
                Route::Get(id()),
            ),
            (
                "PATCH",
                "/api/public/v1.0/groups/5c8100bcf2a30b12ff88258f",
                Route::Change(id()),
            ),
            (
                "DELETE",
                "/api/public/v1.0/groups/5c8100bcf2a30b12ff88258f",
                Route::Remove(id()),
            ),
            (
                "GET",
                "/api/public/v1.0/groups/byName/a%2Fb%20c+d",
                Route::ByName("a/b c+d".to_owned()),
            ),
            (
                "GET",
                "/api/public/v1.0/groups/byAgentApiKey/k",
                Route::ByAgentKey("k".to_owned()),
            ),
            (
                "GET",
                "/api/public/v1.0/orgs/5c8100bcf2a30b12ff88258f/groups",
                Route::OfOrg(id()),
            ),
        ] {
            assert_eq!(
                Route::of(&method.parse().unwrap(), path),
                Ok(want),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn unknown_paths_are_404_and_other_methods_405() {
        for (method, path, status) in [
            ("GET", "/", 404),
            ("GET", "/api/public/v1.0", 404),
            ("GET", "/api/public/v1.0/Groups", 404),
            ("GET", "/api/public/v1.0groups", 404),
            ("GET", "/api/public/v2.0/groups", 404),
            ("GET", "/api/public/v1.0/groups/a/hosts", 404),
            ("PUT", "/api/public/v1.0/groups", 405),
            ("PUT", "/api/public/v1.0/groups/a", 405),
            ("PATCH", "/api/public/v1.0/groups/byName/a", 405),
            ("POST", "/api/public/v1.0/orgs/a/groups", 405),
        ] {
            let refused = Route::of(&method.parse().unwrap(), path).unwrap_err();
            let answer = refused.into_response(&Switches::default());
            assert_eq!(answer.status(), status, "{method} {path}");
        }
    }

    #[test]
    fn what_names_a_group_counts_against_it() {
        assert_eq!(Route::List.counted(), None);
        let counted = Route::Change(ID.to_owned()).counted().unwrap();
        assert_eq!(counted.key, ID);
        assert_eq!(counted.resource, format!("/api/public/v1.0/groups/{ID}"));
    }
}
