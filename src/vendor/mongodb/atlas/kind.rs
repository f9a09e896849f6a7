//! The kinds that bear tags: their identifiers, their routes and the versions of their media types.
//!
//! The version is a date within the media type, and each route has its own
//! (`x-xgen-version` in the Atlas specification). One that is retired is refused with 410 `VERSION_GONE`, so the newest of
//! each is asked for.

use crate::vendor::VendorError;
use crate::vendor::mongodb::group_id;
use crate::vendor::request::Target;

/// The route that everything is under.
pub(super) const GROUPS: &str = "/api/atlas/v2/groups";

/// A kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A project, which the routes call group. Identified by 24 hexadecimal digits.
    Project,
    /// A cluster, identified as `project/name`.
    Cluster,
    /// A flex cluster, identified in the same way.
    FlexCluster,
}

/// What an identifier says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The project.
    pub(super) project: String,
    /// The cluster in it, of kinds that are one.
    pub(super) cluster: Option<String>,
}

impl Kind {
    /// The kind that a job names.
    pub(super) fn named(name: &str) -> Result<Self, VendorError> {
        match name.to_ascii_lowercase().as_str() {
            "project" | "group" => Ok(Self::Project),
            "cluster" => Ok(Self::Cluster),
            "flex-cluster" => Ok(Self::FlexCluster),
            _ => Err(VendorError::Unsupported(format!(
                "kind `{}` bears no tags here; known are `project`, `cluster` and `flex-cluster`",
                name.escape_debug()
            ))),
        }
    }

    /// The media type of an answer to a reading.
    pub(super) fn read_as(self) -> &'static str {
        match self {
            Self::Project => "application/vnd.atlas.2023-01-01+json",
            Self::Cluster => "application/vnd.atlas.2024-08-05+json",
            Self::FlexCluster => "application/vnd.atlas.2024-11-13+json",
        }
    }

    /// The media type of a change and of its answer.
    pub(super) fn written_as(self) -> &'static str {
        match self {
            Self::Cluster => "application/vnd.atlas.2024-10-23+json",
            Self::Project | Self::FlexCluster => self.read_as(),
        }
    }

    /// The segment of the route that leads from a project to a cluster.
    fn segment(self) -> Option<&'static str> {
        match self {
            Self::Project => None,
            Self::Cluster => Some("clusters"),
            Self::FlexCluster => Some("flexClusters"),
        }
    }

    /// Takes an identifier apart, or says what is wrong with it.
    pub(super) fn place(self, wanted: &str) -> Result<Place, String> {
        if self.segment().is_none() {
            return Ok(Place {
                project: group_id::canonical(wanted)?,
                cluster: None,
            });
        }
        let shown = wanted.escape_debug();
        let Some((project, cluster)) = wanted.trim().split_once('/') else {
            return Err(format!(
                "`{shown}` is no identifier of a cluster; one is project and name, such as \
                 `5c8100bcf2a30b12ff88258f/orders`"
            ));
        };
        if !is_name(cluster) {
            return Err(format!(
                "`{shown}` does not end in the name of a cluster, which has letters, digits and `-` and begins with no `-`"
            ));
        }
        Ok(Place {
            project: group_id::canonical(project)?,
            cluster: Some(cluster.to_owned()),
        })
    }

    /// The route to an entity.
    pub(super) fn target(self, place: &Place) -> Target {
        let project = Target::new(GROUPS).segment(&place.project);
        match (self.segment(), &place.cluster) {
            (Some(segment), Some(cluster)) => project.segment(segment).segment(cluster),
            _ => project,
        }
    }
}

impl Place {
    /// The identifier in canonical form.
    pub(super) fn id(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("{}/{cluster}", self.project),
            None => self.project.clone(),
        }
    }

    /// The place that the path of a request leads to; `None` for a listing.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix(GROUPS)?.strip_prefix('/')?.split('/');
        let project = segments.next()?.to_owned();
        Some(Self {
            project,
            cluster: segments.nth(1).map(str::to_owned),
        })
    }
}

/// `^[a-zA-Z0-9][a-zA-Z0-9-]*$` in the Atlas specification. Letter case is kept: whether it matters is not stated.
fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "32b6e34b3d91647abb20e7b8";

    #[test]
    fn each_kind_has_its_route_and_its_versions() {
        let dated = |date: &str| format!("application/vnd.atlas.{date}+json");
        for (name, kind, id, path, read, written) in [
            ("project", Kind::Project, ID, "", "2023-01-01", "2023-01-01"),
            ("GROUP", Kind::Project, ID, "", "2023-01-01", "2023-01-01"),
            (
                "cluster",
                Kind::Cluster,
                "32b6e34b3d91647abb20e7b8/Orders-1",
                "/clusters/Orders-1",
                "2024-08-05",
                "2024-10-23",
            ),
            (
                "flex-cluster",
                Kind::FlexCluster,
                "32b6e34b3d91647abb20e7b8/f",
                "/flexClusters/f",
                "2024-11-13",
                "2024-11-13",
            ),
        ] {
            assert_eq!(Kind::named(name), Ok(kind));
            assert_eq!(
                (kind.read_as(), kind.written_as()),
                (&*dated(read), &*dated(written))
            );
            let place = kind.place(id).unwrap();
            assert_eq!(place.id(), id);
            let target = kind.target(&place).read().target;
            assert_eq!(target, format!("/api/atlas/v2/groups/{ID}{path}"));
            assert_eq!(Place::of_path(&target), Some(place));
        }
        assert_eq!(Place::of_path(GROUPS), None);
        assert!(Kind::named("serverless").is_err());
    }

    #[test]
    fn identifiers_are_canonical_and_can_not_change_what_a_request_means() {
        let upper = ID.to_ascii_uppercase();
        for (kind, wanted, want) in [
            (Kind::Project, format!(" {upper} "), Ok(ID.to_owned())),
            (
                Kind::Project,
                format!("{ID}/orders"),
                Err("24 hexadecimal digits"),
            ),
            (
                Kind::Cluster,
                format!("{upper}/Orders"),
                Ok(format!("{ID}/Orders")),
            ),
            (Kind::Cluster, ID.to_owned(), Err("one is project and name")),
            (Kind::Cluster, format!("{ID}/"), Err("the name of a cluster")),
            (Kind::Cluster, format!("{ID}/-a"), Err("the name of a cluster")),
            (Kind::Cluster, format!("{ID}/a b"), Err("the name of a cluster")),
            (Kind::Cluster, format!("{ID}/a/b"), Err("the name of a cluster")),
            (Kind::Cluster, format!("{ID}/.."), Err("the name of a cluster")),
            (
                Kind::FlexCluster,
                "orders/a".to_owned(),
                Err("24 hexadecimal digits"),
            ),
        ] {
            match (kind.place(&wanted), want) {
                (Ok(place), Ok(want)) => assert_eq!(place.id(), want),
                (Err(why), Err(want)) => assert!(why.contains(want), "{why}"),
                (found, want) => panic!("{wanted}: {found:?} and not {want:?}"),
            }
        }
    }
}
