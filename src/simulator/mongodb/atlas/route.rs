//! From method and path to what is asked for.

use http::Method;

use super::super::super::keyed::Counted;
use super::super::super::percent::decoded;
use super::super::refused::Refused;
use super::endpoint_sets::{CLUSTERS, EndpointSet, FLEX, ORGS, PROJECTS, RATE_LIMITS};
use super::version::Version;

/// Where the API begins. Whatever stands before it names the cloud.
pub(super) const API: &str = "/api/atlas/v2";

const PROJECT_VERSIONS: &[Version] = &[Version::lasting("2023-01-01")];
const CLUSTER_VERSIONS: &[Version] = &[
    Version::until("2023-01-01", "2027-07-01"),
    Version::until("2023-02-01", "2027-07-01"),
    Version::lasting("2024-08-05"),
];
const CLUSTER_CHANGE_VERSIONS: &[Version] = &[
    Version::until("2023-01-01", "2027-07-01"),
    Version::until("2023-02-01", "2027-07-01"),
    Version::until("2024-08-05", "2027-03-01"),
    Version::lasting("2024-10-23"),
];
const FLEX_VERSIONS: &[Version] = &[Version::lasting("2024-11-13")];
const RATE_LIMIT_VERSIONS: &[Version] = &[Version::lasting("2025-03-12")];

/// What is asked for. Identifiers and names are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Projects,
    CreateProject,
    Project(String),
    ChangeProject(String),
    RemoveProject(String),
    ByName(String),
    OfOrg(String),
    Clusters(String, Sort),
    Cluster(String, Sort, String),
    ChangeCluster(String, Sort, String),
    RateLimits,
    RateLimit(String),
}

/// The two sorts of clusters, each with routes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Dedicated,
    Flex,
}

impl Route {
    /// Finds the route; a path that is not known gives 404, a method that it does not take 405.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, Refused> {
        let (_, rest) = path.split_once(API).ok_or_else(|| Refused::no_resource(path))?;
        let segments: Vec<&str> = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
        let ["", segments @ ..] = &*segments else {
            return Err(Refused::no_resource(path));
        };
        let (found, allow) = if matches!(*method, Method::GET | Method::HEAD) {
            (Self::reading(segments), "GET")
        } else {
            Self::changing(method, segments)
        };
        match (found, Self::reading(segments)) {
            (Some(route), _) => Ok(route),
            (None, Some(_)) => Err(Refused::no_method(allow)),
            (None, None) => Err(Refused::no_resource(path)),
        }
    }

    fn reading(segments: &[&str]) -> Option<Self> {
        Some(match segments {
            ["groups"] => Self::Projects,
            ["groups", id] => Self::Project(decoded(id)),
            ["groups", "byName", name] => Self::ByName(decoded(name)),
            ["orgs", id, "groups"] => Self::OfOrg(decoded(id)),
            ["groups", id, sort] => Self::Clusters(decoded(id), Sort::of(sort)?),
            ["groups", id, sort, name] => Self::Cluster(decoded(id), Sort::of(sort)?, decoded(name)),
            ["rateLimits"] => Self::RateLimits,
            ["rateLimits", id] => Self::RateLimit(decoded(id)),
            _ => return None,
        })
    }

    /// The route of another method, and those that the path takes.
    fn changing(method: &Method, segments: &[&str]) -> (Option<Self>, &'static str) {
        match segments {
            ["groups"] => {
                let found = (*method == Method::POST).then_some(Self::CreateProject);
                (found, "GET, HEAD, POST")
            }
            ["groups", id] => {
                let found = match *method {
                    Method::PATCH => Some(Self::ChangeProject(decoded(id))),
                    Method::DELETE => Some(Self::RemoveProject(decoded(id))),
                    _ => None,
                };
                (found, "GET, HEAD, PATCH, DELETE")
            }
            ["groups", id, sort, name] => {
                let sort = Sort::of(sort).filter(|_| *method == Method::PATCH);
                let found = sort.map(|sort| Self::ChangeCluster(decoded(id), sort, decoded(name)));
                (found, "GET, HEAD, PATCH")
            }
            _ => (None, "GET, HEAD"),
        }
    }

    /// Whether it changes anything.
    pub(super) fn writes(&self) -> bool {
        matches!(
            self,
            Self::CreateProject | Self::ChangeProject(_) | Self::RemoveProject(_) | Self::ChangeCluster(..)
        )
    }

    /// Whether it has a body.
    pub(super) fn has_body(&self) -> bool {
        self.writes() && !matches!(self, Self::RemoveProject(_))
    }

    /// The project that the path names.
    pub(super) fn project(&self) -> Option<&str> {
        match self {
            Self::Project(id)
            | Self::ChangeProject(id)
            | Self::RemoveProject(id)
            | Self::Clusters(id, _)
            | Self::Cluster(id, ..)
            | Self::ChangeCluster(id, ..) => Some(id),
            _ => None,
        }
    }

    /// The role that it needs, as the vendor's specification names it.
    pub(super) fn role(&self) -> &'static str {
        match self {
            Self::CreateProject | Self::ChangeProject(_) | Self::RemoveProject(_) => "GROUP_OWNER",
            Self::ChangeCluster(..) => "GROUP_CLUSTER_MANAGER",
            Self::OfOrg(_) => "ORG_MEMBER",
            _ => "GROUP_READ_ONLY",
        }
    }

    /// The versions of the resource, oldest first.
    pub(super) fn versions(&self) -> &'static [Version] {
        match self {
            Self::Clusters(_, Sort::Flex)
            | Self::Cluster(_, Sort::Flex, _)
            | Self::ChangeCluster(_, Sort::Flex, _) => FLEX_VERSIONS,
            Self::Clusters(..) | Self::Cluster(..) => CLUSTER_VERSIONS,
            Self::ChangeCluster(..) => CLUSTER_CHANGE_VERSIONS,
            Self::RateLimits | Self::RateLimit(_) => RATE_LIMIT_VERSIONS,
            _ => PROJECT_VERSIONS,
        }
    }

    /// The endpoint set whose bucket it takes a token from, and whose bucket that is.
    pub(super) fn counted(&self) -> Counted {
        let set = self.endpoint_set();
        let owner = match self {
            Self::OfOrg(org) => org,
            _ => self
                .project()
                .filter(|_| set.scope == "GROUP")
                .unwrap_or_default(),
        };
        Counted {
            key: format!("{} {owner}", set.id),
            resource: set.resource(),
        }
    }

    fn endpoint_set(&self) -> &'static EndpointSet {
        match self {
            Self::Clusters(_, sort) | Self::Cluster(_, sort, _) | Self::ChangeCluster(_, sort, _) => {
                match sort {
                    Sort::Dedicated => &CLUSTERS,
                    Sort::Flex => &FLEX,
                }
            }
            Self::OfOrg(_) => &ORGS,
            Self::RateLimits | Self::RateLimit(_) => &RATE_LIMITS,
            _ => &PROJECTS,
        }
    }
}

impl Sort {
    fn of(segment: &str) -> Option<Self> {
        match segment {
            "clusters" => Some(Self::Dedicated),
            "flexClusters" => Some(Self::Flex),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::switches::Switches;
    use super::*;

    fn of(method: &str, path: &str) -> Result<Route, u16> {
        Route::of(&method.parse().unwrap(), path)
            .map_err(|refused| refused.into_response(&Switches::default()).status().as_u16())
    }

    #[test]
    fn paths_lead_to_routes_whatever_stands_before() {
        let (id, name) = (|| "1".to_owned(), || "Cluster0".to_owned());
        for (method, path, want) in [
            ("GET", "/api/atlas/v2/groups", Ok(Route::Projects)),
            ("HEAD", "/x/api/atlas/v2/groups/", Ok(Route::Projects)),
            ("POST", "/api/atlas/v2/groups", Ok(Route::CreateProject)),
            ("PATCH", "/api/atlas/v2/groups/1", Ok(Route::ChangeProject(id()))),
            ("DELETE", "/api/atlas/v2/groups/1", Ok(Route::RemoveProject(id()))),
            (
                "GET",
                "/api/atlas/v2/groups/byName/a%20b",
                Ok(Route::ByName("a b".to_owned())),
            ),
            ("GET", "/api/atlas/v2/orgs/1/groups", Ok(Route::OfOrg(id()))),
            (
                "GET",
                "/api/atlas/v2/groups/1/clusters",
                Ok(Route::Clusters(id(), Sort::Dedicated)),
            ),
            (
                "GET",
                "/api/atlas/v2/groups/1/flexClusters",
                Ok(Route::Clusters(id(), Sort::Flex)),
            ),
            (
                "PATCH",
                "/api/atlas/v2/groups/1/clusters/Cluster0",
                Ok(Route::ChangeCluster(id(), Sort::Dedicated, name())),
            ),
            (
                "GET",
                "/api/atlas/v2/groups/1/flexClusters/Cluster0",
                Ok(Route::Cluster(id(), Sort::Flex, name())),
            ),
            (
                "GET",
                "/api/atlas/v2/rateLimits/x",
                Ok(Route::RateLimit("x".to_owned())),
            ),
            ("GET", "/api/atlas/v1.0/groups", Err(404)),
            ("GET", "/api/atlas/v2", Err(404)),
            ("GET", "/api/atlas/v2groups", Err(404)),
            ("GET", "/api/atlas/v2/groups/1/peers", Err(404)),
            ("PATCH", "/api/atlas/v2/groups/1/peers/x", Err(404)),
            ("PUT", "/api/atlas/v2/groups/1", Err(405)),
            ("PATCH", "/api/atlas/v2/groups/byName/x", Err(405)),
            ("POST", "/api/atlas/v2/groups/1/clusters", Err(405)),
            ("PUT", "/api/atlas/v2/groups/1/clusters/x", Err(405)),
        ] {
            assert_eq!(of(method, path), want, "{method} {path}");
        }
    }

    #[test]
    fn each_endpoint_set_has_a_bucket_for_whom_it_belongs_to() {
        for (path, key, resource) in [
            ("groups", "projects_user ", "api/atlas/v2/groups"),
            ("groups/1", "projects_user ", "api/atlas/v2/groups"),
            ("orgs/9/groups", "orgs_organization 9", "api/atlas/v2/orgs"),
            (
                "groups/1/clusters",
                "clusters_group 1",
                "api/atlas/v2/groups/{groupId}/clusters",
            ),
            (
                "groups/2/clusters/x",
                "clusters_group 2",
                "api/atlas/v2/groups/{groupId}/clusters",
            ),
        ] {
            let counted = of("GET", &format!("{API}/{path}")).unwrap().counted();
            assert_eq!((&*counted.key, &*counted.resource), (key, resource), "{path}");
        }
    }
}
