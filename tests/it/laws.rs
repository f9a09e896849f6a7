//! What must hold whatever the tenant, the job and other people do: random tenants, random wishes, random edits by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::desk::{Desk, Shown, job, rule};

const KEYS: [&str; 4] = ["env", "team", "tier", "other"];
const VALUES: [&str; 3] = ["a", "b", "c"];
const ACTIONS: [&str; 5] = ["set", "add", "fill", "update", "remove"];

/// The keys that jobs name: `other` is never theirs.
const NAMED: usize = 3;

type Tags = BTreeMap<String, BTreeSet<Shown>>;

fn pick<'a>(dice: &mut fastrand::Rng, of: &[&'a str]) -> &'a str {
    of[dice.usize(..of.len())]
}

fn tags(desk: &Desk) -> Tags {
    let hosts = desk.tenant().hosts().into_iter();
    hosts.map(|(id, host)| (id, host.tags)).collect()
}

/// Puts and removes some tags by hand on a share of the hosts.
fn edit(desk: &Desk, dice: &mut fastrand::Rng, ids: &[String]) {
    let tenant = desk.tenant();
    for id in ids {
        if dice.u8(..3) == 0 {
            tenant.remove_if_any(id, pick(dice, &KEYS));
        }
        for _ in 0..dice.u8(..3) {
            tenant.add(id, pick(dice, &KEYS), pick(dice, &VALUES));
        }
    }
}

/// A job of one rule a key, each with a column; rows leave some of them empty.
fn wishes(desk: &Desk, dice: &mut fastrand::Rng, ids: &[String]) -> Vec<[String; 4]> {
    let mut rules = "[guard]\nmax_changes = \"100%\"\n".to_owned();
    for key in &KEYS[..NAMED] {
        write!(rules, "{}", rule(pick(dice, &ACTIONS), key, key)).unwrap();
    }
    desk.write("job.toml", job(&rules).replace("hosts.csv", "hosts*.csv"));
    let mut cell = || {
        if dice.u8(..4) == 0 {
            ""
        } else {
            pick(dice, &VALUES)
        }
        .to_owned()
    };
    let row = |id: &String| [id.clone(), cell(), cell(), cell()];
    ids.iter().map(row).collect()
}

fn write(desk: &Desk, file: &str, rows: &[[String; 4]]) {
    desk.table(file, ["id", KEYS[0], KEYS[1], KEYS[2]], rows.iter().cloned());
}

#[test]
fn undoing_restores_what_the_run_wrote_and_nothing_else_whatever_others_did() {
    let seed = std::env::var("TAGFERRY_SEED").map_or(4, |seed| seed.parse().unwrap());
    for case in 0..8 {
        let mut dice = fastrand::Rng::with_seed(seed + case);
        let desk = Desk::new("entities=30&seed=5&tags=none");
        let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
        edit(&desk, &mut dice, &ids);
        let rows = wishes(&desk, &mut dice, &ids);
        write(&desk, "hosts.csv", &rows);
        let before = tags(&desk);
        desk.run().exits(0);
        let left = tags(&desk);
        let edited = &ids[..15];
        edit(&desk, &mut dice, edited);
        let now = tags(&desk);
        desk.tagferry(&["undo", "1"]);
        if desk.states().len() == 1 {
            assert_eq!(before, left, "seed {seed}, case {case}: nothing was changed");
            continue;
        }
        desk.tagferry(&["undo", "1", "--apply"]);
        let after = tags(&desk);
        for id in &ids {
            let context = format!("seed {seed}, case {case}, {id}");
            if now[id] == left[id] {
                assert_eq!(after[id], before[id], "{context}: nobody touched it");
            }
            for tag in before[id].union(&left[id]).chain(&now[id]) {
                let ours = before[id].contains(tag) != left[id].contains(tag);
                let changed = now[id].contains(tag) != after[id].contains(tag);
                let restored = after[id].contains(tag) == before[id].contains(tag);
                assert!(!changed || (ours && restored), "{context}: {tag:?}");
            }
        }
    }
}

#[test]
fn a_plan_depends_neither_on_the_order_of_rows_nor_on_that_of_files() {
    let mut dice = fastrand::Rng::with_seed(11);
    let desk = Desk::new("entities=40&seed=5&tags=none");
    let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
    edit(&desk, &mut dice, &ids);
    let mut rows = wishes(&desk, &mut dice, &ids);
    write(&desk, "hosts.csv", &rows);
    desk.plan().exits(0);
    let want = desk.operations(1);
    assert!(want.len() > 20, "{want:?}");
    for run in 2..6 {
        dice.shuffle(&mut rows);
        let (one, other) = rows.split_at(dice.usize(..rows.len()));
        write(&desk, "hosts.csv", one);
        write(&desk, "hosts-2.csv", other);
        desk.plan().exits(0);
        assert_eq!(desk.operations(run), want);
    }
    assert!(
        desk.operations(1)
            .iter()
            .all(|operation| !operation.contains("other"))
    );
}
