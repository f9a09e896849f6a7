//! `retry`: what failed is planned again, by class, and nothing else is.

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job, manual};

/// A run in which one host was refused, one was not found, and one was missing before; everybody else is done. v1 has
/// the entity in the path, so that the simulator's faults can be aimed at it.
fn failed() -> (Desk, Vec<String>) {
    let desk = Desk::new("entities=12&seed=3&tags=none");
    let mut ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
    ids.push("HOST-0000000000000001".to_owned());
    desk.table(
        "hosts.csv",
        ["id", "tag"],
        ids.iter().map(|id| [id.clone(), "gold".to_owned()]),
    );
    let faults = format!(
        "simulator:state.db?fault=error,status=400,method=POST,path={}&fault=error,status=404,method=POST,path={}",
        ids[0], ids[1]
    );
    let text = job("[[tag]]\nkey = \"{{ tag }}\"\naction = \"add\"\n") + "api = \"v1\"\n";
    desk.write("job.toml", text.replace("simulator:state.db", &faults));
    desk.run().exits(4);
    let want = [(Outcome::Done, 10), (Outcome::Failed, 2), (Outcome::Rejected, 1)];
    assert_eq!(desk.outcomes(1), want.into());
    assert_eq!(
        classes(&desk, 1)[..2],
        [Some(Class::Refused), Some(Class::Missing)]
    );
    desk.write("job.toml", text);
    (desk, ids)
}

fn classes(desk: &Desk, run: i64) -> Vec<Option<Class>> {
    desk.rows(run).into_iter().map(|row| row.class).collect()
}

#[test]
fn failures_are_planned_again_and_sent_when_told() {
    let (desk, ids) = failed();
    let before = desk.journal().len();
    desk.tagferry(&["retry", "1"]).exits(0);
    assert_eq!(desk.asked_since(before).writes, 0, "a plan only reads");
    assert_eq!(
        desk.operations(2),
        [format!("{} +gold", ids[0]), format!("{} +gold", ids[1])]
    );
    // Its rows are those of the inventory that failed.
    let rows = desk.rows(2);
    let lines: Vec<_> = rows
        .iter()
        .map(|row| (&*row.origin.file, row.origin.line))
        .collect();
    assert_eq!(lines, [("hosts.csv", 2), ("hosts.csv", 3)]);

    desk.tagferry(&["apply", "2"]).exits(0);
    assert_eq!(desk.outcomes(2), [(Outcome::Done, 2)].into());
    let hosts = desk.tenant().hosts();
    assert!(
        hosts
            .values()
            .all(|host| host.tags == [manual("gold", "")].into())
    );
    // The run whose failures they were stays as it was.
    assert_eq!(
        classes(&desk, 1)[..2],
        [Some(Class::Refused), Some(Class::Missing)]
    );
}

#[test]
fn a_class_chooses_which_failures_are_tried_again() {
    let (desk, ids) = failed();
    desk.tagferry(&["retry", "1", "--class", "missing,timeout", "--apply"])
        .exits(0);
    let hosts = desk.tenant().hosts();
    assert_eq!((hosts[&ids[0]].tags.len(), hosts[&ids[1]].tags.len()), (0, 1));
    assert_eq!(desk.operations(2), [format!("{} +gold", ids[1])]);
    // What is so meanwhile is unchanged, and costs no call.
    let before = desk.journal().len();
    desk.tagferry(&["retry", "1", "--class", "missing", "--apply"])
        .exits(0);
    assert_eq!(
        (desk.asked_since(before).writes, desk.outcomes(3)),
        (0, [(Outcome::Unchanged, 1)].into())
    );
}

#[test]
fn nothing_to_try_again_is_said() {
    let (desk, _) = failed();
    let say = [
        "has no failed or unknown operations of these classes",
        "rejected rows need a new `run`",
    ];
    desk.tagferry(&["retry", "1", "--class", "throttled"])
        .exits(3)
        .says(&say);
    desk.tagferry(&["retry", "1", "--apply"]).exits(0);
    desk.tagferry(&["retry", "2"])
        .exits(3)
        .says(&["run 2 has no failed or unknown operations"]);
}

#[test]
fn what_fails_again_stays_failed() {
    let (desk, ids) = failed();
    let text = std::fs::read_to_string(desk.path("job.toml")).unwrap();
    let fault = format!(
        "simulator:state.db?fault=error,status=400,method=POST,path={}",
        ids[0]
    );
    desk.write("job.toml", text.replace("simulator:state.db", &fault));
    desk.tagferry(&["retry", "1", "--apply"]).exits(4);
    assert_eq!(
        desk.outcomes(2),
        [(Outcome::Done, 1), (Outcome::Failed, 1)].into()
    );
    desk.write("job.toml", text);
    desk.tagferry(&["retry", "2", "--apply"]).exits(0);
    assert!(desk.tenant().hosts().values().all(|host| host.tags.len() == 1));
}
