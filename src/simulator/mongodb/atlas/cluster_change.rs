//! `PATCH` of clusters, dedicated and flex.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::super::super::journal::Change;
use super::super::body::Fields;
use super::super::call::Call;
use super::super::refused::Refused;
use super::super::switches::PausedStatus;
use super::super::world::{Index, World};
use super::cluster::{Cluster, found};
use super::route::Sort;
use super::tags::checked;

/// The fields of a dedicated cluster, those of older versions among them. All but `tags` and `paused` are read and not
/// kept.
const DEDICATED: &[&str] = &[
    "acceptDataRisksAndForceReplicaSetReconfig",
    "adaptiveCapacity",
    "advancedConfiguration",
    "autoScaling",
    "backupEnabled",
    "biConnector",
    "clusterType",
    "configServerManagementMode",
    "diskSizeGB",
    "diskWarmingMode",
    "encryptionAtRestProvider",
    "globalClusterSelfManagedSharding",
    "labels",
    "mongoDBEmployeeAccessGrant",
    "mongoDBMajorVersion",
    "name",
    "numShards",
    "paused",
    "pitEnabled",
    "providerBackupEnabled",
    "providerSettings",
    "redactClientLogData",
    "replicaSetScalingStrategy",
    "replicationFactor",
    "replicationSpec",
    "replicationSpecs",
    "retainBackups",
    "rootCertType",
    "tags",
    "terminationProtectionEnabled",
    "useAwsTimeBasedSnapshotCopyForFastInitialSync",
    "versionReleaseSystem",
];

/// The fields of a flex cluster that a change may have.
const FLEX: &[&str] = &["tags", "terminationProtectionEnabled"];

/// The tags that are sent replace all that the cluster had; what is left out is left alone.
pub(super) fn change(
    call: &Call<'_>,
    world: &mut World,
    (id, sort, name): (&str, Sort, &str),
    changes: &mut Vec<Change<'static>>,
) -> Result<Response<Bytes>, Refused> {
    let shape = call.shape()?;
    let cluster = found(call, world, (id, sort, name))?;
    let known = match sort {
        Sort::Dedicated => DEDICATED,
        Sort::Flex => FLEX,
    };
    let fields = Fields::parse(call.asked.body(), known)?;
    check_awake(call, world, cluster, &fields)?;
    let tags = fields
        .list("tags")?
        .map(|tags| checked(tags, &call.setup.switches));
    let tags = tags.transpose()?;
    if let Some(paused) = fields.flag("paused")? {
        world.pause(cluster, paused, changes);
    }
    if let Some(tags) = tags {
        world.replace_tags(cluster, &tags, call.now, changes);
    }
    let shown = Cluster::of(call, world, cluster, None);
    Ok(shape.one(StatusCode::OK, call.media.clone(), &shown))
}

/// A paused cluster takes no change but to go on, by itself. The status and code are not documented.
fn check_awake(call: &Call<'_>, world: &World, cluster: Index, fields: &Fields) -> Result<(), Refused> {
    let goes_on = fields.flag("paused")? == Some(false) && fields.has_only(&["paused"]);
    if !world.paused(cluster) || goes_on {
        return Ok(());
    }
    let status = match call.setup.switches.paused_status {
        PausedStatus::Conflict => 409,
        PausedStatus::BadRequest => 400,
    };
    let name = world.name(cluster);
    let detail = format!("Cannot update cluster {name} while it is paused or being paused.");
    Err(Refused::new(status, "CANNOT_UPDATE_PAUSED_CLUSTER", detail).about(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{PROJECT, ask, cloud, cloud_in, pair};

    const TAGS: &str = r#"{"tags":[{"key":"app","value":"cli"}]}"#;

    #[tokio::test]
    async fn a_patch_replaces_the_tags_of_a_cluster() {
        let simulator = cloud("");
        for (path, version) in [
            ("clusters/Cluster0", "2024-10-23"),
            ("flexClusters/Flex0", "2024-11-13"),
        ] {
            let path = format!("/groups/{PROJECT}/{path}");
            let got = ask(&simulator, "PATCH", &path, version, TAGS).await;
            assert_eq!(
                (got.status, &got.json()["tags"]),
                (200, &json!([pair("app", "cli")])),
                "{path}"
            );
            let media = format!("application/vnd.atlas.{version}+json;charset=utf-8");
            assert_eq!(got.header("content-type"), Some(&*media));
        }
        let entity = format!("{PROJECT}/Cluster0");
        assert_eq!(
            simulator.tags(&entity).unwrap(),
            [("app".to_owned(), "cli".to_owned())]
        );
        let path = format!("/groups/{PROJECT}/clusters/Cluster0");
        let got = ask(
            &simulator,
            "PATCH",
            &path,
            "2024-10-23",
            r#"{"backupEnabled":true}"#,
        )
        .await;
        assert_eq!(
            got.json()["tags"],
            json!([pair("app", "cli")]),
            "left out, left alone"
        );
    }

    #[tokio::test]
    async fn unknown_fields_and_missing_roles_are_refused() {
        for (options, path, version, body, want) in [
            (
                "",
                "clusters/Cluster0",
                "2024-10-23",
                r#"{"links":[]}"#,
                (400, "INVALID_ATTRIBUTE"),
            ),
            (
                "",
                "flexClusters/Flex0",
                "2024-11-13",
                r#"{"name":"x"}"#,
                (400, "INVALID_ATTRIBUTE"),
            ),
            (
                "",
                "clusters/Cluster0",
                "2024-10-23",
                r#"{"tags":[{"key":""}]}"#,
                (400, "VALIDATION_ERROR"),
            ),
            (
                "",
                "clusters/nobody",
                "2024-10-23",
                TAGS,
                (404, "CLUSTER_NOT_FOUND"),
            ),
            (
                "missing-scopes=GROUP_CLUSTER_MANAGER",
                "clusters/Cluster0",
                "2024-10-23",
                TAGS,
                (401, "USER_UNAUTHORIZED"),
            ),
            (
                "sunset=past",
                "clusters/Cluster0",
                "2024-08-05",
                TAGS,
                (410, "VERSION_GONE"),
            ),
        ] {
            let path = format!("/groups/{PROJECT}/{path}");
            let (status, code) = ask(&cloud(options), "PATCH", &path, version, body).await.error();
            assert_eq!((status, &*code), want, "{options} {path} {body}");
        }
    }

    #[tokio::test]
    async fn a_paused_cluster_takes_no_change_until_it_goes_on() {
        for (options, status) in [("", 409), ("paused-status=400", 400)] {
            let dir = tempfile::tempdir().unwrap();
            let simulator = cloud_in(dir.path(), options);
            let path = format!("/groups/{PROJECT}/clusters/asleep");
            let wake = r#"{"paused":false}"#;
            for (body, want) in [
                (TAGS, status),
                (r#"{"paused":false,"tags":[]}"#, status),
                (wake, 200),
                (TAGS, 200),
                (wake, 200),
            ] {
                let got = ask(&simulator, "PATCH", &path, "2024-10-23", body).await;
                assert_eq!(got.status, want, "{body}");
            }
            drop(simulator);
            let again = cloud_in(dir.path(), options);
            assert_eq!(ask(&again, "PATCH", &path, "2024-10-23", TAGS).await.status, 200);
        }
    }
}
