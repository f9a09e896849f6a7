//! Endpoint sets, each with its limit, and the routes that tell of them.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

use super::super::super::throttle::{Throttle, ThrottleMode};
use super::super::answer::List;
use super::super::call::Call;
use super::super::paging::Page;
use super::super::refused::Refused;
use super::super::world::World;

/// Endpoints that share a limit. Only the last one's names are documented; which endpoints share one is not.
#[derive(Debug)]
pub(super) struct EndpointSet {
    pub(super) id: &'static str,
    name: &'static str,
    /// Whose bucket it is: `USER`, `ORGANIZATION` or `GROUP`.
    pub(super) scope: &'static str,
    /// Methods and paths, without what all paths begin with. The first path is what a 429 names.
    endpoints: &'static [(&'static str, &'static str)],
}

pub(super) const PROJECTS: EndpointSet = EndpointSet {
    id: "projects_user",
    name: "Projects",
    scope: "USER",
    endpoints: &[
        ("GET", "/groups"),
        ("POST", "/groups"),
        ("GET", "/groups/{groupId}"),
        ("PATCH", "/groups/{groupId}"),
        ("DELETE", "/groups/{groupId}"),
        ("GET", "/groups/byName/{groupName}"),
    ],
};

pub(super) const CLUSTERS: EndpointSet = EndpointSet {
    id: "clusters_group",
    name: "Clusters",
    scope: "GROUP",
    endpoints: &[
        ("GET", "/groups/{groupId}/clusters"),
        ("GET", "/groups/{groupId}/clusters/{clusterName}"),
        ("PATCH", "/groups/{groupId}/clusters/{clusterName}"),
    ],
};

pub(super) const FLEX: EndpointSet = EndpointSet {
    id: "flexClusters_group",
    name: "Flex Clusters",
    scope: "GROUP",
    endpoints: &[
        ("GET", "/groups/{groupId}/flexClusters"),
        ("GET", "/groups/{groupId}/flexClusters/{name}"),
        ("PATCH", "/groups/{groupId}/flexClusters/{name}"),
    ],
};

pub(super) const ORGS: EndpointSet = EndpointSet {
    id: "orgs_organization",
    name: "Organizations",
    scope: "ORGANIZATION",
    endpoints: &[("GET", "/orgs"), ("GET", "/orgs/{orgId}/groups")],
};

pub(super) const RATE_LIMITS: EndpointSet = EndpointSet {
    id: "rateLimitsInspection_group",
    name: "Rate Limits Inspection",
    scope: "GROUP",
    endpoints: &[("GET", "/rateLimits"), ("GET", "/rateLimits/{endpointSetId}")],
};

const ALL: [EndpointSet; 5] = [PROJECTS, CLUSTERS, FLEX, ORGS, RATE_LIMITS];

/// The numbers of every bucket: capacity, what it gets back, and after how many seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits([u64; 3]);

impl Limits {
    /// Those of the throttle; of one that counts no tokens, what Atlas was seen to allow for projects.
    pub(super) fn of(throttle: &Throttle) -> Self {
        match throttle.mode {
            ThrottleMode::Bucket {
                capacity,
                refill,
                per,
                ..
            } => Self([capacity, refill, per.as_secs()]),
            _ => Self([1_200, 1_200, 60]),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    capacity: Amount,
    endpoint_set_id: &'static str,
    endpoint_set_name: &'static str,
    endpoints: Vec<Endpoint>,
    refill_duration_seconds: Amount,
    refill_rate: Amount,
    scope: &'static str,
}

#[derive(Debug, Serialize)]
struct Amount {
    value: u64,
}

#[derive(Debug, Serialize)]
struct Endpoint {
    method: &'static str,
    path: String,
}

impl EndpointSet {
    /// What a 429 calls it, such as `api/atlas/v2/orgs`.
    pub(super) fn resource(&self) -> String {
        format!("api/atlas/v2{}", self.endpoints[0].1)
    }

    fn shown(&self, Limits([capacity, refill, seconds]): Limits) -> Shown {
        let endpoint = |(method, path): &(&'static str, &str)| Endpoint {
            method,
            path: format!("/api/atlas/v2{path}"),
        };
        Shown {
            capacity: Amount { value: capacity },
            endpoint_set_id: self.id,
            endpoint_set_name: self.name,
            endpoints: self.endpoints.iter().map(endpoint).collect(),
            refill_duration_seconds: Amount { value: seconds },
            refill_rate: Amount { value: refill },
            scope: self.scope,
        }
    }

    /// Whether it belongs to one of whom the query names, and bears a name and path of the query.
    fn matches(&self, call: &Call<'_>) -> bool {
        let scopes = [
            ("groupId", "GROUP"),
            ("orgId", "ORGANIZATION"),
            ("userId", "USER"),
            ("ipAddress", "IP"),
        ];
        let mut asked = scopes.iter().filter(|(name, _)| call.query.first(name).is_some());
        let among = |name: &str, matches: &dyn Fn(&str) -> bool| {
            let mut values = call.query.all(name).peekable();
            values.peek().is_none() || values.any(matches)
        };
        let has_path = |path: &str| {
            self.endpoints
                .iter()
                .any(|(_, own)| path.strip_prefix("/api/atlas/v2") == Some(own))
        };
        asked.all(|(_, scope)| *scope == self.scope)
            && among("name", &|name| name == self.name)
            && among("endpointPath", &has_path)
    }
}

/// `GET /rateLimits`: the sets that the query asks for. A group that it names must be there.
pub(super) fn list(call: &Call<'_>, world: &World, limits: Limits) -> Result<Response<Bytes>, Refused> {
    check_group(call, world)?;
    let page = Page::of(&call.query, call.setup.max_page, call.setup.switches.page_limit)?;
    let sets: Vec<&EndpointSet> = ALL.iter().filter(|set| set.matches(call)).collect();
    let (this, url) = call.urls();
    let list = List {
        links: page.links(this, &url, &call.query, sets.len()),
        results: page.part(&sets).iter().map(|set| set.shown(limits)).collect(),
        total_count: page.total(sets.len()),
    };
    Ok(call.shape()?.list(call.media.clone(), &list))
}

/// `GET /rateLimits/{endpointSetId}`.
pub(super) fn one(
    call: &Call<'_>,
    world: &World,
    id: &str,
    limits: Limits,
) -> Result<Response<Bytes>, Refused> {
    check_group(call, world)?;
    let set = ALL.iter().find(|set| set.id == id);
    let set = set.ok_or_else(|| Refused::no_resource(id))?;
    Ok(call
        .shape()?
        .one(StatusCode::OK, call.media.clone(), &set.shown(limits)))
}

fn check_group(call: &Call<'_>, world: &World) -> Result<(), Refused> {
    let members = &call.setup.members;
    match call.query.first("groupId") {
        Some(id) => members.group(world, id, &call.setup.switches).map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{PROJECT, ask, cloud};

    #[tokio::test]
    async fn the_sets_are_told_with_the_numbers_of_the_throttle() {
        let simulator = cloud("throttle=bucket,capacity=10,refill=5,per=60s");
        let got = ask(
            &simulator,
            "GET",
            "/rateLimits/rateLimitsInspection_group",
            "2025-03-12",
            "",
        )
        .await;
        assert_eq!(
            got.json(),
            json!({
                "capacity": {"value": 10},
                "endpointSetId": "rateLimitsInspection_group",
                "endpointSetName": "Rate Limits Inspection",
                "endpoints": [
                    {"method": "GET", "path": "/api/atlas/v2/rateLimits"},
                    {"method": "GET", "path": "/api/atlas/v2/rateLimits/{endpointSetId}"},
                ],
                "refillDurationSeconds": {"value": 60},
                "refillRate": {"value": 5},
                "scope": "GROUP",
            })
        );
        let unknown = ask(&simulator, "GET", "/rateLimits/x", "2025-03-12", "").await;
        assert_eq!(unknown.status, 404);
    }

    #[tokio::test]
    async fn sets_are_listed_by_whom_they_belong_to_and_by_path() {
        let simulator = cloud("");
        for (query, want) in [
            (String::new(), 5),
            (format!("?groupId={PROJECT}"), 3),
            ("?userId=x".to_owned(), 1),
            ("?ipAddress=127.0.0.1".to_owned(), 0),
            ("?name=Projects&name=Clusters".to_owned(), 2),
            (
                format!(
                    "?groupId={PROJECT}&endpointPath=%2Fapi%2Fatlas%2Fv2%2Fgroups%2F%7BgroupId%7D%2Fclusters"
                ),
                1,
            ),
        ] {
            let got = ask(
                &simulator,
                "GET",
                &format!("/rateLimits{query}"),
                "2025-03-12",
                "",
            )
            .await;
            assert_eq!(got.json()["totalCount"], want, "{query}");
        }
        let unknown = ask(
            &simulator,
            "GET",
            "/rateLimits?groupId=111111111111111111111111",
            "2025-03-12",
            "",
        )
        .await;
        assert_eq!(unknown.status, 404);
    }
}
