//! From method and path to the code that answers.

use bytes::Bytes;
use http::{Method, Response, StatusCode};

use super::super::api::Asked;
use super::super::journal::Change;
use super::super::percent::decoded;
use super::super::spec::Spec;
use super::envelope::Refused;
use super::query::Query;
use super::switches::Switches;
use super::world::World;
use super::{classic, classic_list, entities, tags};

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) route: &'a Route,
    pub(super) query: Query<'a>,
    pub(super) body: &'a [u8],
    /// Milliseconds since 1970.
    pub(super) now: i64,
    pub(super) spec: &'a Spec,
    pub(super) switches: &'a Switches,
}

impl<'a> Call<'a> {
    pub(super) fn of(
        route: &'a Route,
        asked: &Asked<'a>,
        now: i64,
        spec: &'a Spec,
        switches: &'a Switches,
    ) -> Self {
        Self {
            route,
            query: Query::parse(asked.query),
            body: asked.body(),
            now,
            spec,
            switches,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Route {
    GetTags,
    AddTags,
    DeleteTags,
    ListEntities,
    GetEntity(String),
    ClassicList(classic::Collection),
    ClassicGet(classic::Collection, String),
    ClassicAdd(classic::Collection, String),
    ClassicDelete(classic::Collection, String, String),
}

/// What a token must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Read,
    Write,
    Classic,
}

impl Scope {
    /// Its name and its title.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => ("entities.read", "Read entities"),
            Self::Write => ("entities.write", "Write entities"),
            Self::Classic => (
                "DataExport",
                "Access problem and event feed, metrics, and topology",
            ),
        }
    }
}

impl Route {
    /// Finds the route; a path that is not known gives 404, a method that it does not take 405.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, Refused> {
        let unknown = || Refused::generic(StatusCode::NOT_FOUND);
        // Whatever stands before `/api/` names the environment, such as `/e/{id}`.
        let (_, rest) = path.split_once("/api/").ok_or_else(unknown)?;
        let segments: Vec<&str> = rest.split('/').collect();
        let found = match (&*segments, method) {
            (["v2", "tags"], &Method::GET) => Self::GetTags,
            (["v2", "tags"], &Method::POST) => Self::AddTags,
            (["v2", "tags"], &Method::DELETE) => Self::DeleteTags,
            (["v2", "entities"], &Method::GET) => Self::ListEntities,
            (["v2", "entities", id], &Method::GET) => Self::GetEntity(decoded(id)),
            (["v2", "tags" | "entities"] | ["v2", "entities", _], _) => {
                return Err(Refused::generic(StatusCode::METHOD_NOT_ALLOWED));
            }
            (["v1", "entity", rest @ ..], _) => return Self::classic(method, rest),
            _ => return Err(unknown()),
        };
        Ok(found)
    }

    fn classic(method: &Method, segments: &[&str]) -> Result<Self, Refused> {
        let (collection, rest) =
            classic::Collection::of(segments).ok_or_else(|| Refused::generic(StatusCode::NOT_FOUND))?;
        let route = match (rest, method) {
            ([], &Method::GET) => Some(Self::ClassicList(collection)),
            ([id], &Method::GET) => Some(Self::ClassicGet(collection, decoded(id))),
            ([id], &Method::POST) if collection.takes_tags() => {
                Some(Self::ClassicAdd(collection, decoded(id)))
            }
            ([id, "tags", tag], &Method::DELETE) if collection.gives_tags_back() => {
                Some(Self::ClassicDelete(collection, decoded(id), decoded(tag)))
            }
            ([] | [_], _) => None,
            _ => return Err(Refused::generic(StatusCode::NOT_FOUND)),
        };
        route.ok_or_else(|| Refused::generic(StatusCode::METHOD_NOT_ALLOWED))
    }

    /// Whether it changes anything.
    pub(super) fn writes(&self) -> bool {
        matches!(
            self,
            Self::AddTags | Self::DeleteTags | Self::ClassicAdd(..) | Self::ClassicDelete(..)
        )
    }

    /// The scope that it needs.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::GetTags | Self::ListEntities | Self::GetEntity(_) => Scope::Read,
            Self::AddTags | Self::DeleteTags => Scope::Write,
            Self::ClassicList(_) | Self::ClassicGet(..) | Self::ClassicAdd(..) | Self::ClassicDelete(..) => {
                Scope::Classic
            }
        }
    }
}

/// Answers a request that changes nothing.
pub(super) fn read(call: &Call<'_>, world: &World) -> Result<Response<Bytes>, Refused> {
    match call.route {
        Route::GetTags => tags::get(call, world),
        Route::ListEntities => entities::list(call, world),
        Route::GetEntity(id) => entities::get(call, world, id),
        Route::ClassicList(collection) => classic_list::list(call, world, *collection),
        Route::ClassicGet(collection, id) => classic::get(call, world, *collection, id),
        Route::AddTags | Route::DeleteTags | Route::ClassicAdd(..) | Route::ClassicDelete(..) => {
            Err(Refused::generic(StatusCode::METHOD_NOT_ALLOWED))
        }
    }
}

/// Answers a request that may change something, and tells what it changed.
pub(super) fn write(
    call: &Call<'_>,
    world: &mut World,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    match call.route {
        Route::AddTags => tags::add(call, world, changes),
        Route::DeleteTags => tags::delete(call, world, changes),
        Route::ClassicAdd(collection, id) => classic::add(call, world, *collection, id, changes),
        Route::ClassicDelete(collection, id, tag) => {
            classic::delete(call, world, *collection, id, tag, changes)
        }
        _ => read(call, world),
    }
}

#[cfg(test)]
mod tests {
    use super::classic::Collection;
    use super::*;

    #[test]
    fn paths_lead_to_routes_whatever_stands_before() {
        let id = || "HOST-1".to_owned();
        for (method, path, want) in [
            ("GET", "/api/v2/tags", Route::GetTags),
            ("POST", "/e/abc-123/api/v2/tags", Route::AddTags),
            ("DELETE", "/api/v2/tags", Route::DeleteTags),
            ("GET", "/api/v2/entities", Route::ListEntities),
            ("GET", "/api/v2/entities/HOST-1", Route::GetEntity(id())),
            (
                "GET",
                "/api/v1/entity/services",
                Route::ClassicList(Collection::Services),
            ),
            (
                "POST",
                "/api/v1/entity/infrastructure/hosts/HOST-1",
                Route::ClassicAdd(Collection::Hosts, id()),
            ),
            (
                "DELETE",
                "/api/v1/entity/infrastructure/hosts/HOST-1/tags/a%2Fb%20c%3A+%zz",
                Route::ClassicDelete(Collection::Hosts, id(), "a/b c:+%zz".to_owned()),
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
            ("GET", "/api/v2/autoTags", 404),
            ("GET", "/api/v1/entity/infrastructure/custom/x", 404),
            ("DELETE", "/api/v1/entity/services/SERVICE-1/tags/x", 404),
            ("PUT", "/api/v2/tags", 405),
            ("POST", "/api/v2/entities", 405),
            (
                "POST",
                "/api/v1/entity/infrastructure/processes/PROCESS_GROUP_INSTANCE-1",
                405,
            ),
            ("DELETE", "/api/v1/entity/infrastructure/hosts/HOST-1", 405),
        ] {
            let refused = Route::of(&method.parse().unwrap(), path).unwrap_err();
            assert_eq!(refused.into_response().status(), status, "{method} {path}");
        }
    }
}
