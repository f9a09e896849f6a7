//! Clusters as Atlas shows them, dedicated and flex, and the routes that read them.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::answer::Link;
use super::super::call::Call;
use super::super::refused::Refused;
use super::super::world::{Index, Kind, World};
use super::project::page;
use super::route::Sort;
use super::tags::{Pair, shown};

/// A cluster of either sort; fields that follow from its size are left empty.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cluster<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_settings: Option<Backup>,
    #[serde(rename = "clusterType")]
    topology: &'static str,
    connection_strings: Map<String, Value>,
    create_date: String,
    group_id: String,
    id: String,
    links: Vec<Link>,
    #[serde(rename = "mongoDBVersion")]
    mongodb_version: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_settings: Option<Provider>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_specs: Option<[(); 0]>,
    state_name: &'static str,
    tags: Vec<Pair<'a>>,
    termination_protection_enabled: bool,
    version_release_system: &'static str,
}

#[derive(Debug, Serialize)]
struct Backup {
    enabled: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    backing_provider_name: &'static str,
    #[serde(rename = "diskSizeGB")]
    disk_size_gb: f64,
    #[serde(rename = "providerName")]
    name: &'static str,
    region_name: &'static str,
}

impl<'a> Cluster<'a> {
    /// A cluster of a project, with its tags as a read at a moment sees them, or as they are.
    pub(super) fn of(call: &Call<'_>, world: &'a World, index: Index, at: Option<i64>) -> Self {
        let (flex, group) = match world.kind(index) {
            Kind::Flex(group) => (true, group),
            Kind::Cluster(group) => (false, group),
            Kind::Group => (false, index),
        };
        let (group, name, id) = (world.id(group), world.name(index), world.id(index));
        let segment = if flex { "flexClusters" } else { "clusters" };
        let provider = Provider {
            backing_provider_name: "AWS",
            disk_size_gb: 5.0,
            name: "FLEX",
            region_name: "US_EAST_1",
        };
        Self {
            backup_enabled: (!flex).then_some(false),
            backup_settings: flex.then_some(Backup { enabled: true }),
            topology: "REPLICASET",
            connection_strings: Map::new(),
            create_date: id.made_at(),
            group_id: group.to_string(),
            id: id.to_string(),
            links: vec![Link::new(
                "self",
                format!("{}/groups/{group}/{segment}/{name}", call.base),
            )],
            mongodb_version: "8.0.4",
            name,
            paused: (!flex).then(|| world.paused(index)),
            provider_settings: flex.then_some(provider),
            replication_specs: (!flex).then_some([]),
            state_name: "IDLE",
            tags: shown(world, index, at, &call.setup.switches),
            termination_protection_enabled: false,
            version_release_system: "LTS",
        }
    }
}

/// `GET /groups/{groupId}/clusters` and `…/flexClusters`.
pub(super) fn list(call: &Call<'_>, world: &World, id: &str, sort: Sort) -> Result<Response<Bytes>, Refused> {
    let group = call.setup.members.group(world, id, &call.setup.switches)?;
    let clusters: Vec<Index> = world
        .clusters(group)
        .iter()
        .copied()
        .filter(|cluster| sort_of(world, *cluster) == Some(sort))
        .collect();
    page(call, &clusters, |cluster| {
        Cluster::of(call, world, cluster, Some(call.now))
    })
}

/// `GET /groups/{groupId}/clusters/{clusterName}` and the same of flex clusters.
pub(super) fn one(
    call: &Call<'_>,
    world: &World,
    (id, sort, name): (&str, Sort, &str),
) -> Result<Response<Bytes>, Refused> {
    let cluster = found(call, world, (id, sort, name))?;
    let shown = Cluster::of(call, world, cluster, Some(call.now));
    Ok(call.shape()?.one(StatusCode::OK, call.media.clone(), &shown))
}

/// The cluster of a sort; one of the other sort is not found. Names compare with case.
pub(super) fn found(
    call: &Call<'_>,
    world: &World,
    (id, sort, name): (&str, Sort, &str),
) -> Result<Index, Refused> {
    let group = call.setup.members.group(world, id, &call.setup.switches)?;
    let cluster = world.cluster(group, name);
    cluster
        .filter(|cluster| sort_of(world, *cluster) == Some(sort))
        .ok_or_else(|| {
            let detail = format!("No cluster named {name} exists in group {id}.");
            Refused::new(404, "CLUSTER_NOT_FOUND", detail)
                .about(name)
                .about(id)
        })
}

fn sort_of(world: &World, cluster: Index) -> Option<Sort> {
    match world.kind(cluster) {
        Kind::Group => None,
        Kind::Cluster(_) => Some(Sort::Dedicated),
        Kind::Flex(_) => Some(Sort::Flex),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{PROJECT, ask, cloud, pair};

    #[tokio::test]
    async fn clusters_of_each_sort_are_listed_by_themselves() {
        let simulator = cloud("");
        for (path, version, want) in [
            ("clusters", "2024-08-05", &["Cluster0", "Cluster1", "asleep"][..]),
            ("flexClusters", "2024-11-13", &["Flex0"]),
        ] {
            let got = ask(
                &simulator,
                "GET",
                &format!("/groups/{PROJECT}/{path}"),
                version,
                "",
            )
            .await
            .json();
            let names = got["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|cluster| cluster["name"].clone());
            assert_eq!(names.collect::<Vec<_>>(), want, "{path}");
            assert_eq!(got["totalCount"], want.len());
        }
        let got = ask(
            &simulator,
            "GET",
            &format!("/groups/{PROJECT}/clusters?itemsPerPage=1&pageNum=2"),
            "2024-08-05",
            "",
        )
        .await;
        assert_eq!(got.json()["results"][0]["name"], "Cluster1");
        assert_eq!(got.json()["links"][2]["rel"], "next");
    }

    #[tokio::test]
    async fn a_cluster_shows_its_tags_and_its_sort() {
        let simulator = cloud("");
        let path = format!("/groups/{PROJECT}/clusters/Cluster0");
        let got = ask(&simulator, "GET", &path, "2024-08-05", "").await;
        assert_eq!(
            got.header("content-type"),
            Some("application/vnd.atlas.2024-08-05+json;charset=utf-8")
        );
        let cluster = got.json();
        assert_eq!(cluster["tags"], json!([pair("env", "prod")]));
        assert_eq!(
            (
                &cluster["groupId"],
                &cluster["paused"],
                &cluster["mongoDBVersion"]
            ),
            (&json!(PROJECT), &json!(false), &json!("8.0.4"))
        );
        let flex = ask(
            &simulator,
            "GET",
            &format!("/groups/{PROJECT}/flexClusters/Flex0"),
            "2024-11-13",
            "",
        )
        .await;
        assert_eq!(flex.json()["providerSettings"]["providerName"], "FLEX");
        for (path, version) in [
            ("clusters/Flex0", "2024-08-05"),
            ("flexClusters/Cluster0", "2024-11-13"),
            ("clusters/cluster0", "2024-08-05"),
        ] {
            let got = ask(
                &simulator,
                "GET",
                &format!("/groups/{PROJECT}/{path}"),
                version,
                "",
            )
            .await;
            assert_eq!(got.error(), (404, "CLUSTER_NOT_FOUND".to_owned()), "{path}");
        }
    }
}
