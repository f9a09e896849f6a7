//! Jobs over `api = "v1"`: tags are plain strings, and only hosts give theirs back.

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job, manual, rule};

/// A tenant of untagged entities of a kind, and a job over v1 that sets the column `env`.
fn desk(kind: &str, n: usize, rules: &str, join: Option<&str>) -> (Desk, Vec<String>) {
    let desk = Desk::new(&format!("entities={n}&seed=3&tags=none&kind={kind}"));
    let ids: Vec<String> = desk.tenant().entities(kind).into_keys().collect();
    desk.table(
        "hosts.csv",
        ["id", "env"],
        ids.iter().map(|id| [id.clone(), "prod".to_owned()]),
    );
    write_job(&desk, kind, rules, join);
    (desk, ids)
}

fn write_job(desk: &Desk, kind: &str, rules: &str, join: Option<&str>) {
    let join = join
        .map(|join| format!("join = \"{join}\"\n"))
        .unwrap_or_default();
    let text = job(rules).replace("\"HOST\"", &format!("\"{kind}\""));
    desk.write("job.toml", format!("{text}api = \"v1\"\n{join}"));
}

/// A rule about plain strings.
fn plain(action: &str) -> String {
    format!("[[tag]]\nkey = \"{{{{ env }}}}\"\naction = \"{action}\"\n")
}

#[test]
fn hosts_take_plain_strings_and_give_them_back() {
    let (desk, ids) = desk("HOST", 20, &plain("add"), None);
    desk.tenant().add_all(&ids[0], &[("legacy", ""), ("env", "dev")]);
    desk.run().exits(0);
    let hosts = desk.tenant().hosts();
    assert!(hosts.values().all(|host| host.tags.contains(&manual("prod", ""))));
    assert_eq!(hosts[&ids[0]].tags.len(), 3, "what was there stays");
    let targets: Vec<String> = desk
        .journal()
        .iter()
        .map(|entry| entry["target"].to_string())
        .collect();
    let posts = targets
        .iter()
        .filter(|target| target.contains("/api/v1/entity/infrastructure/hosts/HOST-"));
    assert_eq!(posts.count(), 20, "v1 takes one entity a call");
    desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
        .exits(0);

    write_job(
        &desk,
        "HOST",
        &(plain("remove") + "[guard]\nmax_changes = \"100%\"\n"),
        None,
    );
    desk.run().exits(0);
    let hosts = desk.tenant().hosts();
    assert!(
        hosts
            .values()
            .all(|host| !host.tags.contains(&manual("prod", "")))
    );
    assert_eq!(
        hosts[&ids[0]].tags,
        [manual("legacy", ""), manual("env", "dev")].into()
    );
}

#[test]
fn a_join_makes_key_and_value_of_strings() {
    let rules = rule("set", "env", "env") + "[guard]\nmax_changes = \"100%\"\n";
    let (desk, ids) = desk("HOST", 12, &rules, Some("."));
    desk.tenant()
        .add_all(&ids[0], &[("env.dev", ""), ("environment", ""), ("env", "v2")]);
    desk.run().exits(0);
    let hosts = desk.tenant().hosts();
    for id in &ids[1..] {
        assert_eq!(hosts[id].tags, [manual("env.prod", "")].into());
    }
    // The old string of the key went; strings that do not parse, and tags with values of v2, belong to nobody.
    let want = [
        manual("env.prod", ""),
        manual("environment", ""),
        manual("env", "v2"),
    ]
    .into();
    assert_eq!(hosts[&ids[0]].tags, want);
    desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
        .exits(0);
}

#[test]
fn process_groups_take_strings_and_a_removal_is_rejected_at_plan_time() {
    let (desk, ids) = desk("PROCESS_GROUP", 12, &plain("add"), None);
    desk.run().exits(0);
    let groups = desk.tenant().entities("PROCESS_GROUP");
    assert!(
        groups
            .values()
            .all(|group| group.tags == [manual("prod", "")].into())
    );
    let targets: Vec<String> = desk
        .journal()
        .iter()
        .map(|entry| entry["target"].to_string())
        .collect();
    assert!(
        targets
            .iter()
            .any(|target| target.contains("/api/v1/entity/infrastructure/process-groups/"))
    );

    let before = desk.journal().len();
    write_job(&desk, "PROCESS_GROUP", &plain("remove"), None);
    desk.run().exits(4);
    assert_eq!(desk.asked_since(before).writes, 0);
    let rows = desk.rows(2);
    assert_eq!(rows.len(), ids.len());
    for row in rows {
        assert_eq!(
            (row.outcome, row.class),
            (Outcome::Rejected, Some(Class::Unsupported)),
            "{row:?}"
        );
        assert!(row.message.is_some_and(|why| why.contains("remove")));
    }
    assert_eq!(desk.tenant().entities("PROCESS_GROUP"), groups);
}

#[test]
fn a_value_of_a_process_group_that_would_have_to_go_is_rejected_and_kept() {
    let (desk, ids) = desk("PROCESS_GROUP", 2, &rule("set", "env", "env"), Some("."));
    desk.tenant().add(&ids[0], "env.dev", "");
    desk.run().exits(4);
    let told: Vec<_> = desk
        .rows(1)
        .into_iter()
        .map(|row| (row.outcome, row.class))
        .collect();
    assert_eq!(
        told,
        [
            (Outcome::Rejected, Some(Class::Unsupported)),
            (Outcome::Done, None)
        ]
    );
    let groups = desk.tenant().entities("PROCESS_GROUP");
    assert_eq!(groups[&ids[0]].tags, [manual("env.dev", "")].into());
    assert_eq!(groups[&ids[1]].tags, [manual("env.prod", "")].into());
}

#[test]
fn what_plain_strings_can_not_mean_is_refused_before_anything_is_asked() {
    for action in ["set", "fill", "update"] {
        let (desk, _) = desk("HOST", 3, &(plain("add") + &plain(action)), None);
        let before = desk.journal().len();
        for command in ["check", "plan", "run"] {
            let refused = desk.tagferry(&[command, "job.toml"]).exits(3);
            refused.says(&[&format!("[[tag]] 2: `{action}` needs keys and values"), "`join`"]);
        }
        assert_eq!(desk.journal().len(), before);
    }
}

#[test]
fn a_value_without_a_join_rejects_its_row() {
    let (desk, _) = desk("HOST", 3, &rule("add", "env", "env"), None);
    let before = desk.journal().len();
    desk.run().exits(4);
    for row in desk.rows(1) {
        assert_eq!(
            (row.outcome, row.class),
            (Outcome::Rejected, Some(Class::Illegal)),
            "{row:?}"
        );
        assert!(row.message.is_some_and(|why| why.contains("`join`")));
    }
    assert_eq!(desk.asked_since(before).writes, 0);
}
