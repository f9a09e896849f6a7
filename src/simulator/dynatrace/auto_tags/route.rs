//! The routes of auto-tags, in both APIs.

use bytes::Bytes;
use http::{Method, Response, StatusCode};

use super::super::super::journal::Change;
use super::super::super::percent::decoded;
use super::super::envelope::Refused;
use super::super::route::{Call, Scope};
use super::config;
use super::store::AutoTags;
use super::{settings, settings_list};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super::super) enum Route {
    List,
    Get(String),
    Create,
    Replace(String),
    Delete(String),
    Validate(Option<String>),
    ListObjects,
    GetObject(String),
    CreateObjects,
    ReplaceObject(String),
    DeleteObject(String),
}

impl Route {
    /// Finds the route behind `/api/`; `None` for a path that is not of auto-tags.
    pub(in super::super) fn of(method: &Method, segments: &[&str]) -> Option<Result<Self, Refused>> {
        let found = match segments {
            ["config", "v1", "autoTags", rest @ ..] if matches!(rest, [] | [_] | [_, "validator"]) => {
                Self::config(method, rest)
            }
            ["v2", "settings", "objects", rest @ ..] if rest.len() <= 1 => Self::settings(method, rest),
            _ => return None,
        };
        Some(found.ok_or_else(|| Refused::generic(StatusCode::METHOD_NOT_ALLOWED)))
    }

    /// `None` for a method that the path does not take.
    fn config(method: &Method, segments: &[&str]) -> Option<Self> {
        Some(match (segments, method) {
            ([], &Method::GET) => Self::List,
            ([], &Method::POST) => Self::Create,
            (["validator"], &Method::POST) => Self::Validate(None),
            ([id, "validator"], &Method::POST) => Self::Validate(Some(decoded(id))),
            (["validator"] | [_, "validator"], _) => return None,
            ([id], &Method::GET) => Self::Get(decoded(id)),
            ([id], &Method::PUT) => Self::Replace(decoded(id)),
            ([id], &Method::DELETE) => Self::Delete(decoded(id)),
            _ => return None,
        })
    }

    /// `None` for a method that the path does not take.
    fn settings(method: &Method, segments: &[&str]) -> Option<Self> {
        Some(match (segments, method) {
            ([], &Method::GET) => Self::ListObjects,
            ([], &Method::POST) => Self::CreateObjects,
            ([id], &Method::GET) => Self::GetObject(decoded(id)),
            ([id], &Method::PUT) => Self::ReplaceObject(decoded(id)),
            ([id], &Method::DELETE) => Self::DeleteObject(decoded(id)),
            _ => return None,
        })
    }

    /// Whether it may change anything.
    pub(in super::super) fn writes(&self) -> bool {
        match self {
            Self::List | Self::Get(_) | Self::Validate(_) | Self::ListObjects | Self::GetObject(_) => false,
            Self::Create
            | Self::Replace(_)
            | Self::Delete(_)
            | Self::CreateObjects
            | Self::ReplaceObject(_)
            | Self::DeleteObject(_) => true,
        }
    }

    /// The scopes that it needs, all of them.
    pub(in super::super) fn scopes(&self) -> &'static [Scope] {
        match self {
            Self::List | Self::Get(_) => &[Scope::ReadConfig],
            Self::Create | Self::Replace(_) | Self::Delete(_) | Self::Validate(_) => &[Scope::WriteConfig],
            Self::ListObjects | Self::GetObject(_) => &[Scope::ReadSettings],
            Self::CreateObjects | Self::DeleteObject(_) => &[Scope::WriteSettings],
            Self::ReplaceObject(_) => &[Scope::WriteSettings, Scope::ReadSettings],
        }
    }
}

/// Answers a request that changes nothing.
pub(in super::super) fn read(
    call: &Call<'_>,
    store: &AutoTags,
    route: &Route,
) -> Result<Response<Bytes>, Refused> {
    match route {
        Route::List => Ok(config::list(call, store)),
        Route::Get(id) => config::get(call, store, id),
        Route::Validate(id) => config::validate(call, store, id.as_deref()),
        Route::ListObjects => settings_list::list(call, store),
        Route::GetObject(id) => settings_list::get(call, store, id),
        Route::Create
        | Route::Replace(_)
        | Route::Delete(_)
        | Route::CreateObjects
        | Route::ReplaceObject(_)
        | Route::DeleteObject(_) => Err(Refused::generic(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

/// Answers a request that may change something, and tells what it changed.
pub(in super::super) fn write(
    call: &Call<'_>,
    store: &mut AutoTags,
    route: &Route,
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    match route {
        Route::Create => config::create(call, store, changes),
        Route::Replace(id) => config::replace(call, store, id, changes),
        Route::Delete(id) => config::delete(call, store, id, changes),
        Route::CreateObjects => settings::create(call, store, changes),
        Route::ReplaceObject(id) => settings::replace(call, store, id, changes),
        Route::DeleteObject(id) => Ok(settings::delete(call, store, id, changes)),
        _ => read(call, store, route),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_lead_to_routes() {
        let id = || "a/b".to_owned();
        for (method, path, want) in [
            ("GET", "config/v1/autoTags", Some(Ok(Route::List))),
            ("POST", "config/v1/autoTags", Some(Ok(Route::Create))),
            ("PUT", "config/v1/autoTags", Some(Err(405))),
            ("GET", "config/v1/autoTags/a%2Fb", Some(Ok(Route::Get(id())))),
            ("PUT", "config/v1/autoTags/a%2Fb", Some(Ok(Route::Replace(id())))),
            (
                "DELETE",
                "config/v1/autoTags/a%2Fb",
                Some(Ok(Route::Delete(id()))),
            ),
            ("POST", "config/v1/autoTags/a%2Fb", Some(Err(405))),
            (
                "POST",
                "config/v1/autoTags/validator",
                Some(Ok(Route::Validate(None))),
            ),
            ("GET", "config/v1/autoTags/validator", Some(Err(405))),
            (
                "POST",
                "config/v1/autoTags/a%2Fb/validator",
                Some(Ok(Route::Validate(Some(id())))),
            ),
            ("PUT", "config/v1/autoTags/a/validator", Some(Err(405))),
            ("GET", "config/v1/autoTags/a/b/c", None),
            ("GET", "config/v1/autotags", None),
            ("GET", "v2/autoTags", None),
            ("GET", "v2/settings/objects", Some(Ok(Route::ListObjects))),
            ("POST", "v2/settings/objects", Some(Ok(Route::CreateObjects))),
            ("DELETE", "v2/settings/objects", Some(Err(405))),
            (
                "GET",
                "v2/settings/objects/a%2Fb",
                Some(Ok(Route::GetObject(id()))),
            ),
            (
                "PUT",
                "v2/settings/objects/a%2Fb",
                Some(Ok(Route::ReplaceObject(id()))),
            ),
            (
                "DELETE",
                "v2/settings/objects/a%2Fb",
                Some(Ok(Route::DeleteObject(id()))),
            ),
            ("POST", "v2/settings/objects/a", Some(Err(405))),
            ("GET", "v2/settings/schemas", None),
        ] {
            let segments: Vec<&str> = path.split('/').collect();
            let found = Route::of(&method.parse().unwrap(), &segments);
            let found = found.map(|found| found.map_err(|refused| refused.status()));
            assert_eq!(found, want, "{method} {path}");
        }
    }
}
