//! From method and path to the code that answers.

use bytes::Bytes;
use http::{Method, Response};

use super::super::api::Asked;
use super::super::journal::Change;
use super::super::percent::decoded;
use super::answer::Refused;
use super::query::Query;
use super::switches::{Switches, TrailingSlash};
use super::world::World;
use super::{assign, create, delete, list};

/// What stands before every path; anything may stand before it, such as the path of a proxy.
const API: &str = "/paas/api/v1.1/";

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) asked: &'a Asked<'a>,
    pub(super) query: Query<'a>,
    /// Milliseconds since 1970.
    pub(super) now: i64,
    pub(super) switches: &'a Switches,
}

impl<'a> Call<'a> {
    pub(super) fn of(asked: &'a Asked<'a>, now: i64, switches: &'a Switches) -> Self {
        Self {
            asked,
            query: Query::parse(asked.query),
            now,
            switches,
        }
    }

    /// Refuses query parameters other than these, when the switch says so.
    pub(super) fn check_parameters(&self, known: &[&str]) -> Result<(), Refused> {
        self.query.check_names(known, self.switches.unknown_fields)
    }
}

/// What is asked for, and in which identity domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Route {
    pub(super) domain: String,
    pub(super) target: Target,
}

/// One of the seven operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Create,
    Assign,
    List,
    DeleteTag { key: String, value: String },
    DeleteKey { key: String },
    DeleteSeveral,
    Instance { kind: String, name: String },
}

/// What credentials must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Read,
    Write,
}

impl Scope {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Read => "tags.read",
            Self::Write => "tags.write",
        }
    }
}

impl Route {
    /// Finds the route; a path that is not known gives 404, a method that it does not take 405.
    pub(super) fn of(method: &Method, path: &str, slash: TrailingSlash) -> Result<Self, Refused> {
        let unknown = || Refused::new(404, "The requested resource was not found.");
        let (_, rest) = path.split_once(API).ok_or_else(unknown)?;
        let segments: Vec<String> = rest.split('/').map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (domain, target) = match &*segments {
            ["tags", domain, rest @ ..] => (domain, tags(method, rest, slash)),
            [
                "instancemgmt",
                domain,
                "services",
                kind,
                "instances",
                name,
                "tags",
            ] => (domain, Some(instance(method, kind, name))),
            _ => return Err(unknown()),
        };
        match target {
            Some(target) if !domain.is_empty() => Ok(Self {
                domain: (*domain).to_owned(),
                target: target?,
            }),
            _ => Err(unknown()),
        }
    }

    /// Whether it may change anything.
    pub(super) fn writes(&self) -> bool {
        !matches!(self.target, Target::List | Target::Instance { .. })
    }

    /// The scope that it needs.
    pub(super) fn scope(&self) -> Scope {
        if self.writes() { Scope::Write } else { Scope::Read }
    }
}

/// A path below `tags/{identityDomainId}`; `None` when nothing is there.
fn tags(method: &Method, segments: &[&str], slash: TrailingSlash) -> Option<Result<Target, Refused>> {
    let (target, allow) = match (segments, method) {
        (["tags"], &Method::POST) => (Some(Target::Create), ""),
        (["tags"], &Method::GET) => (Some(Target::List), ""),
        (["tags"], &Method::PUT) => (Some(Target::DeleteSeveral), ""),
        (["tags"], _) => (None, "GET, POST, PUT"),
        (["assignments"], &Method::PUT) => (Some(Target::Assign), ""),
        (["assignments"], _) => (None, "PUT"),
        (["tags", ""] | ["tags", "", _], _) => return None,
        (["tags", key] | ["tags", key, _], &Method::DELETE) => {
            let value = segments.get(2).copied();
            (Some(deletion(key, value, slash)), "")
        }
        (["tags", _] | ["tags", _, _], _) => (None, "DELETE"),
        _ => return None,
    };
    Some(target.ok_or_else(|| Refused::method(allow)))
}

fn deletion(key: &str, value: Option<&str>, slash: TrailingSlash) -> Target {
    let key = key.to_owned();
    match value {
        Some(value) if !value.is_empty() || slash == TrailingSlash::EmptyValue => Target::DeleteTag {
            key,
            value: value.to_owned(),
        },
        _ => Target::DeleteKey { key },
    }
}

fn instance(method: &Method, kind: &str, name: &str) -> Result<Target, Refused> {
    if method != Method::GET {
        return Err(Refused::method("GET"));
    }
    Ok(Target::Instance {
        kind: kind.to_owned(),
        name: name.to_owned(),
    })
}

/// Answers a request that changes nothing.
pub(super) fn read(route: &Route, call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    match &route.target {
        Target::List => list::tags(call, world),
        Target::Instance { kind, name } => list::instance(call, world, kind, name),
        _ => Err(Refused::method("GET")),
    }
}

/// Answers a request that may change something, and tells what it changed.
pub(super) fn write(
    route: &Route,
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    match &route.target {
        Target::Create => create::create(call, world, changes),
        Target::Assign => assign::assign(call, world, changes),
        Target::DeleteTag { key, value } => delete::tag(call, world, key, value, changes),
        Target::DeleteKey { key } => delete::key(call, world, key, changes),
        Target::DeleteSeveral => delete::several(call, world, changes),
        Target::List | Target::Instance { .. } => read(route, call, world),
    }
}

#[cfg(test)]
mod tests {
    use super::super::switches::Issues;
    use super::*;

    fn find(method: &str, path: &str, slash: TrailingSlash) -> Result<(String, Target), (u16, String)> {
        let found = Route::of(&method.parse().unwrap(), path, slash);
        found
            .map(|route| (route.domain, route.target))
            .map_err(|refused| {
                let answer = refused.into_response(Issues::Strings);
                let allow = answer.headers().get("allow");
                let allow = allow.map_or("", |value| value.to_str().unwrap());
                (answer.status().as_u16(), allow.to_owned())
            })
    }

    #[test]
    fn paths_lead_to_routes_whatever_stands_before() {
        let tag = |key: &str, value: &str| Target::DeleteTag {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let key = |key: &str| Target::DeleteKey { key: key.to_owned() };
        let instance = |kind: &str, name: &str| Target::Instance {
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        for (method, path, domain, want) in [
            (
                "POST",
                "/paas/api/v1.1/tags/Example/tags",
                "Example",
                Target::Create,
            ),
            (
                "GET",
                "/proxy/psm/paas/api/v1.1/tags/idcs-1a/tags",
                "idcs-1a",
                Target::List,
            ),
            ("PUT", "/paas/api/v1.1/tags/D/tags", "D", Target::DeleteSeveral),
            (
                "PUT",
                "/paas/api/v1.1/tags/a%20b/assignments",
                "a b",
                Target::Assign,
            ),
            (
                "DELETE",
                "/paas/api/v1.1/tags/D/tags/env/qa",
                "D",
                tag("env", "qa"),
            ),
            (
                "DELETE",
                "/paas/api/v1.1/tags/D/tags/e/a%2Fb%20%25",
                "D",
                tag("e", "a/b %"),
            ),
            ("DELETE", "/paas/api/v1.1/tags/D/tags/env/", "D", tag("env", "")),
            ("DELETE", "/paas/api/v1.1/tags/D/tags/env", "D", key("env")),
            (
                "DELETE",
                "/paas/api/v1.1/tags/tags/tags/tags",
                "tags",
                key("tags"),
            ),
            (
                "GET",
                "/paas/api/v1.1/instancemgmt/D/services/jaas/instances/My1/tags",
                "D",
                instance("jaas", "My1"),
            ),
        ] {
            let want = Ok((domain.to_owned(), want));
            assert_eq!(
                find(method, path, TrailingSlash::EmptyValue),
                want,
                "{method} {path}"
            );
        }
        let slashed = find(
            "DELETE",
            "/paas/api/v1.1/tags/D/tags/env/",
            TrailingSlash::AllValues,
        );
        assert_eq!(slashed, Ok(("D".to_owned(), key("env"))));
    }

    #[test]
    fn unknown_paths_are_404_and_other_methods_405() {
        for (method, path, status, allow) in [
            ("GET", "/", 404, ""),
            ("GET", "/paas/api/v1.2/tags/D/tags", 404, ""),
            ("GET", "/api/v1.1/tags/D/tags", 404, ""),
            ("GET", "/paas/api/v1.1/tags/D", 404, ""),
            ("GET", "/paas/api/v1.1/tags//tags", 404, ""),
            ("GET", "/paas/api/v1.1/tags/D/tags/", 404, ""),
            ("GET", "/paas/api/v1.1/Tags/D/tags", 404, ""),
            ("DELETE", "/paas/api/v1.1/tags/D/tags/", 404, ""),
            ("DELETE", "/paas/api/v1.1/tags/D/tags/a/b/c", 404, ""),
            (
                "GET",
                "/paas/api/v1.1/instancemgmt/D/services/JaaS/instances/a",
                404,
                "",
            ),
            ("DELETE", "/paas/api/v1.1/tags/D/tags", 405, "GET, POST, PUT"),
            ("PATCH", "/paas/api/v1.1/tags/D/tags", 405, "GET, POST, PUT"),
            ("POST", "/paas/api/v1.1/tags/D/assignments", 405, "PUT"),
            ("GET", "/paas/api/v1.1/tags/D/tags/env", 405, "DELETE"),
            ("PUT", "/paas/api/v1.1/tags/D/tags/env/qa", 405, "DELETE"),
            (
                "PUT",
                "/paas/api/v1.1/instancemgmt/D/services/JaaS/instances/a/tags",
                405,
                "GET",
            ),
        ] {
            let want = Err((status, allow.to_owned()));
            assert_eq!(
                find(method, path, TrailingSlash::EmptyValue),
                want,
                "{method} {path}"
            );
        }
    }
}
