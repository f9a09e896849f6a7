//! Every direction between two vendors: exported here, mapped, written there, read back, and taken back.
//!
//! There are twelve: each of the four can be read and written. What a vendor can't tell is left out of the rows here: Oracle
//! PaaS lists only services that carry a tag.

use std::fmt::Write as _;

use super::{Desk, VENDORS, Vendor};
use crate::harness::Ended;

/// What the entities of the source carry.
const THERE: &[&str] = &["ENV=PROD;TEAM=A", "ENV=DEV;TIER=1", "TEAM=B", "ENV=QA"];

/// What those of the target carry at first.
const HERE: &[&str] = &["ENV=OLD;OWN=X", "", "TEAM=B;OWN=Y", "TIER=9"];

/// What they carry then, and what when it was taken back: somebody else has given the second and the last one a tag.
const THEN: &[(&str, &str)] = &[
    ("ENV=PROD;TEAM=A;OWN=X", "ENV=OLD;OWN=X"),
    ("ENV=DEV;TIER=1", "MINE=1"),
    ("TEAM=B;OWN=Y", "TEAM=B;OWN=Y"),
    ("ENV=QA;TIER=9", "TIER=9;MINE=1"),
];

#[test]
fn tags_of_every_vendor_arrive_at_every_other_and_can_be_taken_back() {
    let directions: Vec<(&Vendor, &Vendor)> = VENDORS
        .iter()
        .flat_map(|from| VENDORS.iter().map(move |to| (from, to)))
        .filter(|(from, to)| from.word != to.word)
        .collect();
    assert_eq!(directions.len(), 12);
    for four in directions.chunks(4) {
        std::thread::scope(|scope| {
            for (from, to) in four {
                scope.spawn(|| there_and_back(from, to));
            }
        });
    }
}

/// A desk whose entities carry these tags.
fn carrying(vendor: &'static Vendor, tags: &[&'static str]) -> Desk {
    let desk = Desk::new(vendor, tags.len(), &[]);
    write_tags(&desk, "before", tags);
    desk
}

fn write_tags(desk: &Desk, name: &str, tags: &[&str]) {
    let rows = tags.iter().enumerate();
    let rows: Vec<_> = rows
        .map(|(n, tags)| ((desk.vendor.id)(n), "add", *tags))
        .collect();
    desk.write_job(name, &rows, "");
    desk.run(name).expect(0);
}

/// The job that carries tags from the exported file to a desk; the connection that is exported stands in it too.
fn write_move(from: &Desk, to: &Desk, format: &str) {
    let mut crosswalk = "theirs,ours\n".to_owned();
    for n in 0..THERE.len() {
        writeln!(crosswalk, "{},{}", (from.vendor.id)(n), (to.vendor.id)(n)).expect("a string takes text");
    }
    to.workspace.write("crosswalk.csv", &crosswalk);
    let tags = match format {
        "csv" => "[[tag]]\nkey = \"{{ key }}\"\nvalue = \"{{ value }}\"",
        _ => "[[tags_from]]\ncolumn = \"tags\"",
    };
    let mut job = format!(
        "name = \"move\"\n[source]\nfile = \"exported.{format}\"\n[lookup.crosswalk]\nfile = \"crosswalk.csv\"\nkey = \"theirs\"\n\
         unique = [\"ours\"]\n[target]\nconnection = \"to\"\nkind = \"{}\"\nentity = \"{{{{ crosswalk[id].ours }}}}\"\n\
         {tags}\n",
        to.vendor.kind
    );
    for (name, desk) in [("from", from), ("to", to)] {
        let Vendor { word, connection, .. } = desk.vendor;
        let url = desk.simulator.url();
        write!(
            job,
            "[connections.{name}]\nvendor = \"{word}\"\nurl = \"{url}\"\n{connection}\n"
        )
        .expect("a string takes text");
    }
    to.workspace.write("move.toml", &job);
}

fn there_and_back(from: &'static Vendor, to: &'static Vendor) {
    let direction = format!("{} to {}", from.word, to.word);
    let (from, to) = (carrying(from, THERE), carrying(to, HERE));
    let read = from.simulator.handled();
    // Where a key has one value, rows of a table with one tag each come to the same as lists.
    let format = if to.vendor.several { "jsonl" } else { "csv" };
    let file = format!("exported.{format}");
    write_move(&from, &to, format);
    let run = |arguments: &[&str]| -> Ended { to.command(arguments) };
    let asked = ["--job", "move.toml", "--kind", from.vendor.kind];
    let written = ["--format", format, "-o", &file];
    run(&[&["export", "from"], &asked[..], &written].concat()).expect(0);

    run(&["run", "move.toml"]).expect(0);
    for (n, (then, _)) in THEN.iter().enumerate() {
        assert_eq!(to.tags(n), to.shown(then), "{direction}: {n}");
    }
    let moved = to.last_run().to_string();
    run(&["verify", &moved]).expect(0);
    run(&["plan", "move.toml", "--detailed-exitcode"]).expect(0);
    assert_eq!(from.writes_since(read), 0, "{direction}: the source is only read");

    write_tags(&to, "foreign", &["", "MINE=1", "", "MINE=1"]);
    run(&["undo", &moved, "--apply"]).expect(0);
    for (n, (_, back)) in THEN.iter().enumerate() {
        assert_eq!(to.tags(n), to.shown(back), "{direction}: {n} taken back");
    }
    let undo = to.last_run().to_string();
    run(&["verify", &undo]).expect(0);
}
