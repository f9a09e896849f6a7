//! `replaces`: a key that takes the place of another where something goes wrong. That it works at every vendor is in
//! `contract/rename.rs`.

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job};

/// Ten hosts of `env:prod`, and a job that renames that to `stage`.
fn renaming() -> (Desk, Vec<String>) {
    let desk = Desk::new("entities=10&seed=3&tags=none");
    let tenant = desk.tenant();
    let ids: Vec<String> = tenant.hosts().into_keys().collect();
    for id in &ids {
        tenant.add(id, "env", "prod");
    }
    drop(tenant);
    let rows = ids.iter().map(|id| [id.clone(), "prod".to_owned()]);
    desk.table("hosts.csv", ["id", "stage"], rows);
    desk.job("[[tag]]\nkey = \"stage\"\nvalue = \"{{ stage }}\"\nreplaces = \"env\"\n");
    (desk, ids)
}

/// Hosts that were made with an `owner`, whom a job renames to `team`, at a tenant that shows writes late.
fn late(visibility: &str) -> Desk {
    let desk = Desk::new("entities=30&seed=3");
    let hosts = desk.tenant().hosts().into_iter();
    let owned = hosts.filter_map(|(id, host)| Some([id, (*host.values("owner").first()?).to_owned()]));
    desk.table("hosts.csv", ["id", "owner"], owned);
    let rules = "[guard]\nmax_changes = \"100%\"\n[[tag]]\nkey = \"team\"\nvalue = \"{{ owner }}\"\nreplaces = \"owner\"\n";
    let late = format!("state.db?visibility={visibility}");
    desk.write("job.toml", job(rules).replace("state.db", &late));
    desk
}

fn text(desk: &Desk) -> String {
    std::fs::read_to_string(desk.path("job.toml")).unwrap()
}

#[test]
fn the_old_tag_stays_where_the_new_one_is_refused() {
    let (desk, ids) = renaming();
    let before = desk.tenant().hosts();
    let whole = text(&desk);
    let fault = "state.db?fault=error,status=400,method=POST";
    desk.write("job.toml", whole.replace("state.db", fault));
    desk.run().exits(4);
    assert_eq!(desk.tenant().hosts(), before);
    assert_eq!(desk.outcomes(1), [(Outcome::Failed, ids.len())].into());
    desk.write("job.toml", whole);
    desk.run().exits(0);
    for host in desk.tenant().hosts().values() {
        assert_eq!(host.values("stage"), ["prod"].into());
        assert!(host.values("env").is_empty());
    }
}

#[test]
fn the_old_tag_goes_only_once_the_new_one_is_seen() {
    let desk = late("2s");
    let before = desk.journal().len();
    desk.run().exits(0);
    let methods: Vec<String> = desk.journal()[before..]
        .iter()
        .map(|entry| entry["method"].as_str().unwrap().to_owned())
        .collect();
    let added = methods.iter().position(|method| method == "POST").unwrap();
    let removed = methods.iter().position(|method| method == "DELETE").unwrap();
    let looks = methods[added..removed]
        .iter()
        .filter(|method| *method == "GET")
        .count();
    assert!(looks >= 2, "{methods:?}");
}

#[test]
fn what_nobody_ever_sees_leaves_the_old_tag() {
    let desk = late("10m");
    let before = desk.tenant().hosts();
    desk.run().exits(4);
    let after = desk.tenant().hosts();
    for (id, host) in &before {
        assert_eq!(after[id].values("owner"), host.values("owner"));
    }
    let rows = desk.rows(1);
    assert!(rows.len() > 5);
    for row in rows {
        assert_eq!(
            (row.outcome, row.class),
            (Outcome::Failed, Some(Class::Invisible)),
            "{row:?}"
        );
    }
}

#[test]
fn a_full_entity_says_so_and_keeps_what_it_has() {
    let (desk, ids) = renaming();
    let tenant = desk.tenant();
    let values: Vec<String> = (0..999).map(|n| format!("v{n}")).collect();
    for part in values.chunks(100) {
        let tags: Vec<(&str, &str)> = part.iter().map(|value| ("filler", value.as_str())).collect();
        tenant.add_all(&ids[0], &tags);
    }
    drop(tenant);
    desk.run().exits(4);
    let hosts = desk.tenant().hosts();
    assert_eq!(hosts[&ids[0]].values("env"), ["prod"].into());
    let row = &desk.rows(1)[0];
    assert_eq!(
        (row.outcome, row.class),
        (Outcome::Rejected, Some(Class::Full)),
        "{row:?}"
    );
    assert_eq!(hosts[&ids[1]].values("stage"), ["prod"].into());
}

#[test]
fn what_cannot_be_meant_is_told_with_its_place() {
    let desk = Desk::new("entities=2&seed=3");
    desk.table("hosts.csv", ["id"], []);
    for (rule, says) in [
        (
            "action = \"remove\"\nreplaces = \"env\"",
            "use `set`, `add` or `fill`",
        ),
        ("replaces = \" \"", "the key is empty"),
        ("replaces = \"stage\"", "can't take its own place"),
        ("action = \"retire\"", "unknown word `retire`"),
    ] {
        desk.write("job.toml", job(&format!("[[tag]]\nkey = \"stage\"\n{rule}\n")));
        desk.tagferry(&["check", "job.toml"]).exits(3).says(&[says]);
    }
    // A row that asks for a key and replaces it contradicts itself.
    desk.table("hosts.csv", ["id"], [["HOST-0000000000000001".to_owned()]]);
    desk.job("[[tag]]\nkey = \"stage\"\nreplaces = \"env\"\n[[tag]]\nkey = \"env\"\nvalue = \"x\"\n");
    let ended = desk.tagferry(&["check", "job.toml"]);
    assert!(ended.out.contains("asks for both"), "{}", ended.out);
}

/// The job of [`renaming`], with a time of rest.
fn resting(desk: &Desk, length: &str) {
    let whole = text(desk).replace("[target]\n", &format!("[target]\ndwell = \"{length}\"\n"));
    desk.write("job.toml", whole);
}

#[test]
fn with_a_dwell_the_old_tag_stays_beside_the_new_one_until_a_later_run() {
    let (desk, ids) = renaming();
    let first = text(&desk);
    let carries = |stage: &[&str], env: &[&str]| {
        let hosts = desk.tenant().hosts();
        for id in &ids {
            assert_eq!(hosts[id].values("stage"), stage.iter().copied().collect(), "{id}");
            assert_eq!(hosts[id].values("env"), env.iter().copied().collect(), "{id}");
        }
    };
    resting(&desk, "1h");
    // A plan that nobody applies begins no rest.
    desk.tagferry(&["plan", "job.toml"]).exits(0);
    desk.run().exits(0);
    carries(&["prod"], &["prod"]);
    let planned = desk
        .tagferry(&["plan", "job.toml", "--detailed-exitcode"])
        .exits(0);
    let told = "10 unchanged, 0 to change, 10 with a replaced key that stays for now";
    assert!(planned.out.contains(told), "{}", planned.out);
    desk.run().exits(0);
    carries(&["prod"], &["prod"]);
    // The rest of one host begins anew, since somebody took its new tag away.
    desk.tenant().remove(&ids[0], "stage");
    desk.run().exits(0);
    carries(&["prod"], &["prod"]);

    desk.write("job.toml", &first);
    resting(&desk, "1ms");
    desk.run().exits(0);
    carries(&["prod"], &[]);
    // The last run is the sixth, after two plans.
    desk.tagferry(&["verify", "6"]).exits(0);
    desk.tagferry(&["undo", "6", "--apply"]).exits(0);
    carries(&["prod"], &["prod"]);
}

#[test]
fn neither_another_job_nor_a_night_without_the_tag_makes_a_rest_begin_anew() {
    for other in ["name = \"other\"", "name = \"tags\""] {
        let (desk, ids) = renaming();
        let first = text(&desk);
        resting(&desk, "1h");
        desk.run().exits(0);
        // Nobody is asked for the tag, and the old one is there.
        let without = text(&desk).replace("replaces", "when = \"stage == 'x'\"\nreplaces");
        assert!(first.contains("name = \"tags\""), "{first}");
        desk.write("other.toml", without.replace("name = \"tags\"", other));
        desk.tagferry(&["run", "other.toml"]).exits(0);
        desk.write("job.toml", &first);
        resting(&desk, "1ms");
        desk.run().exits(0);
        for id in &ids {
            assert!(
                desk.tenant().hosts()[id].values("env").is_empty(),
                "{other}: {id}"
            );
        }
    }
}
