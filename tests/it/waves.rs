//! Waves: a few entities first, read back before the others follow.

use tagferry::model::Outcome;

use super::desk::{Desk, rule};

/// A job that sets `stage:gold` on 60 hosts, after the waves of `waves`.
fn sixty(waves: &str) -> Desk {
    let desk = Desk::new("entities=60&seed=3&tags=none");
    let ids = desk.tenant().hosts().into_keys();
    desk.table("hosts.csv", ["id", "stage"], ids.map(|id| [id.clone(), id]));
    desk.job(&format!(
        "[guard]\nwaves = {waves}\n{}",
        rule("set", "stage", "stage")
    ));
    desk
}

/// What the requests of a run were: a letter for each read (`r`) and write (`w`), repeated ones once.
fn rhythm(desk: &Desk, before: usize) -> String {
    let mut rhythm = String::new();
    for entry in &desk.journal()[before..] {
        let letter = if entry["method"] == "GET" { 'r' } else { 'w' };
        if !rhythm.ends_with(letter) {
            rhythm.push(letter);
        }
    }
    rhythm
}

#[test]
fn each_wave_is_read_back_before_the_next_and_all_is_done_in_the_end() {
    let desk = sixty("[2, \"10%\"]");
    let before = desk.journal().len();
    desk.run().exits(0);
    assert_eq!(rhythm(&desk, before), "rwrwrw");
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 60)].into());
    let writes: Vec<usize> = desk.journal()[before..]
        .split(|entry| entry["method"] == "GET")
        .map(<[_]>::len)
        .filter(|writes| *writes > 0)
        .collect();
    assert_eq!(writes, [2, 4, 54]);
}

#[test]
fn a_wave_that_is_not_as_it_was_left_stops_the_run_until_it_is() {
    let desk = sixty("[2]");
    desk.plan().exits(0);
    let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
    // Interrupted after the first wave, as by an error of the first call of the second.
    let text = std::fs::read_to_string(desk.path("job.toml")).unwrap();
    let fault = "state.db?fault=error,status=401,method=POST,after=2";
    desk.write("job.toml", text.replace("state.db", fault));
    desk.tagferry(&["apply", "1"]).exits(5);
    desk.write("job.toml", &text);
    let outcomes = desk.outcomes(1);
    let done = outcomes[&Outcome::Done];
    assert!(done >= 2 && outcomes[&Outcome::NotAttempted] > 0, "{outcomes:?}");
    // Somebody takes the tag of the canary away.
    desk.tenant().remove(&ids[0], "stage");
    let before = desk.journal().len();
    desk.tagferry(&["apply", "1"]).exits(5).says(&[
        "are not as the run left them",
        &ids[0],
        "tagferry verify 1",
    ]);
    assert_eq!(desk.asked_since(before).writes, 0);
    desk.tenant().add(&ids[0], "stage", &ids[0]);
    desk.tagferry(&["apply", "1"]).exits(0);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 60)].into());
}

#[test]
fn a_wave_in_which_something_failed_stops_the_run_and_the_same_command_goes_on() {
    let desk = sixty("[3]");
    let text = std::fs::read_to_string(desk.path("job.toml")).unwrap();
    let fault = "state.db?fault=error,status=400,method=POST,after=1,count=1";
    desk.write("job.toml", text.replace("state.db", fault));
    desk.run().exits(5).says(&["something failed in this wave"]);
    let outcomes = desk.outcomes(1);
    let want = [
        (Outcome::Failed, 1),
        (Outcome::NotAttempted, 57),
        (Outcome::Done, 2),
    ];
    assert_eq!(outcomes, want.into());
    desk.write("job.toml", &text);
    desk.tagferry(&["apply", "1"]).exits(4);
    assert_eq!(
        desk.outcomes(1),
        [(Outcome::Failed, 1), (Outcome::Done, 59)].into()
    );
}
