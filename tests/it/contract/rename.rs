//! A key that takes the place of another, at every vendor: an entity has the old value or the new one at any moment.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::{Desk, PASSWORD, Shown, Vendor, each, state};
use crate::harness::until;

const ENTITIES: usize = 12;

/// A desk whose entities carry `ENV`, and a job that renames that to `STAGE`.
fn to_rename(vendor: &'static Vendor, options: &[&str]) -> Desk {
    let desk = Desk::new(vendor, ENTITIES, options);
    let values: Vec<String> = (0..ENTITIES).map(|n| format!("ENV=V{}", n / 2)).collect();
    let rows: Vec<_> = (0..)
        .zip(&values)
        .map(|(n, value)| ((vendor.id)(n), "add", value.as_str()))
        .collect();
    desk.write_job("before", &rows, "");
    desk.run("before").expect(0);
    let mut inventory = "id,stage\n".to_owned();
    for n in 0..ENTITIES {
        writeln!(inventory, "{},V{}", (vendor.id)(n), n / 2).expect("a string takes text");
    }
    desk.workspace.write("rename.csv", &inventory);
    let Vendor {
        word,
        kind,
        connection,
        ..
    } = vendor;
    let url = desk.simulator.url();
    desk.workspace.write(
        "rename.toml",
        &format!(
            "name = \"rename\"\n[source]\nfile = \"rename.csv\"\n[target]\nconnection = \"it\"\nkind = \"{kind}\"\n\
             entity = \"{{{{ id }}}}\"\n[guard]\nmax_changes = \"100%\"\n[[tag]]\nkey = \"STAGE\"\nvalue = \"{{{{ stage }}}}\"\n\
             replaces = \"ENV\"\n[connections.it]\nvendor = \"{word}\"\nurl = \"{url}\"\npace = {{ concurrency = 2 }}\n{connection}\n"
        ),
    );
    desk
}

/// Panics when an entity was without both values after any request since the first `before`.
fn never_without(desk: &Desk, before: usize) {
    let journal = desk.simulator.journal();
    for end in before..=journal.len() {
        let state = state(&journal[..end]);
        for n in 0..ENTITIES {
            let value = format!("V{}", n / 2);
            let either: BTreeSet<Shown> = desk.shown(&format!("ENV={value};STAGE={value}"));
            let carried = &state[&(desk.vendor.id)(n)];
            assert!(
                !carried.is_disjoint(&either),
                "{}: entity {n} after {end} requests: {carried:?}",
                desk.vendor.word
            );
        }
    }
}

#[test]
fn a_renamed_key_has_its_new_value_before_the_old_goes_however_often_the_run_is_killed() {
    each(|vendor| {
        let desk = to_rename(vendor, &["--latency", "20ms"]);
        let before = desk.simulator.journal().len();
        for requests in 1..10 {
            let sent = desk.simulator.journal().len();
            let mut running = desk.start(&["run", "rename.toml"], PASSWORD);
            until("requests", Duration::from_mins(1), || {
                let arrived = desk.simulator.journal().len() >= sent + requests;
                (arrived || running.has_ended()).then_some(())
            });
            running.kill();
        }
        desk.run("rename").expect(0);
        never_without(&desk, before);
        for n in 0..ENTITIES {
            assert_eq!(
                desk.tags(n),
                desk.shown(&format!("STAGE=V{}", n / 2)),
                "{}",
                vendor.word
            );
        }
        let run = desk.last_run().to_string();
        desk.command(&["verify", &run]).expect(0);
    });
}

#[test]
fn a_renamed_key_that_is_taken_back_has_its_old_value_before_the_new_goes() {
    each(|vendor| {
        let desk = to_rename(vendor, &[]);
        let before = desk.simulator.journal().len();
        desk.run("rename").expect(0);
        let run = desk.last_run().to_string();
        desk.command(&["undo", &run, "--apply"]).expect(0);
        never_without(&desk, before);
        for n in 0..ENTITIES {
            assert_eq!(
                desk.tags(n),
                desk.shown(&format!("ENV=V{}", n / 2)),
                "{}",
                vendor.word
            );
        }
    });
}

#[test]
fn what_asks_for_nothing_replaces_nothing() {
    each(|vendor| {
        let desk = to_rename(vendor, &[]);
        let row = format!("id,stage\n{},\n", (vendor.id)(0));
        desk.workspace.write("rename.csv", &row);
        desk.run("rename").expect(0);
        assert_eq!(desk.tags(0), desk.shown("ENV=V0"), "{}", vendor.word);
    });
}
