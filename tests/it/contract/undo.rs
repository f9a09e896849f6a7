//! Taking a run back and reading it back, at every vendor.

use super::{ACTIONS, Case, Desk, Vendor, each};

/// A desk whose entities got what `ACTIONS` say, each in a case of its own: the cases, and the number of the run. Two more
/// entities were set like the first.
fn acted(vendor: &'static Vendor) -> (Desk, Vec<&'static Case>, i64) {
    let mut cases = super::cases(vendor);
    cases.extend([&ACTIONS[3], &ACTIONS[3]]);
    let desk = Desk::new(vendor, cases.len(), &[]);
    desk.run_cases("before", &cases, |case| ("add", case.0));
    desk.run_cases("then", &cases, |case| (case.1, case.2));
    let run = desk.last_run();
    (desk, cases, run)
}

#[test]
fn a_run_that_is_taken_back_leaves_what_was_before_and_what_others_wrote_since() {
    each(|vendor| {
        let (desk, cases, run) = acted(vendor);
        let run = run.to_string();
        desk.command(&["verify", &run]).expect(0);
        // Of the last two entities somebody changes a key of the run, or another one.
        let (theirs, beside) = (cases.len() - 1, cases.len() - 2);
        let foreign = [
            ((vendor.id)(theirs), "set", "ENV=QA"),
            ((vendor.id)(beside), "add", "OTHER=1"),
        ];
        desk.write_job("foreign", &foreign, "");
        desk.run("foreign").expect(0);
        let verified = desk.command(&["verify", &run, "--patience", "1s"]).expect(4);
        let lines: Vec<&str> = verified.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{}: {lines:?}", vendor.word);
        assert!(lines[0].contains(&(vendor.id)(theirs)), "{lines:?}");

        let sent = desk.simulator.handled();
        desk.command(&["undo", &run]).expect(0);
        assert_eq!(desk.writes_since(sent), 0, "a plan only reads");
        let undone = desk.command(&["undo", &run, "--apply"]).expect(4);
        assert!(
            undone.stdout.contains("`ENV` is no longer as the run left it"),
            "{}: {}",
            vendor.word,
            undone.stdout
        );
        for (n, case) in cases.iter().enumerate() {
            // `TIER` was the run's own, and nobody has touched it since.
            let want = match n {
                _ if n == theirs => "ENV=QA".to_owned(),
                _ if n == beside => format!("{};OTHER=1", case.0),
                _ => case.0.to_owned(),
            };
            assert_eq!(desk.tags(n), desk.shown(&want), "{}: {case:?}", vendor.word);
        }
        let undo = desk.last_run().to_string();
        desk.command(&["verify", &undo]).expect(0);

        let sent = desk.simulator.handled();
        desk.command(&["undo", &run, "--apply"]).expect(4);
        assert_eq!(desk.writes_since(sent), 0, "{}: undone already", vendor.word);
        // Taking back the taking back is the run once more.
        desk.command(&["undo", &undo, "--apply"]).expect(0);
        for (n, case) in cases.iter().enumerate().take(beside) {
            assert_eq!(desk.tags(n), desk.shown(case.3), "{}: {case:?}", vendor.word);
        }
    });
}
