//! A migration of fifty thousand hosts from one tenant to another, where they have other names: three names in a hundred are
//! unknown there, one is borne by two hosts, and two values in a hundred are too long.
//!
//! The source has plain strings such as `env-prd`, the target keys and values. What every row comes to, and what every host of
//! the target carries in the end, is worked out here from the number of the host alone. The rows are an export, since a debug
//! build takes twice as long to list fifty thousand live hosts of a simulator as to read them from a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem::replace;

use serde_json::{Value, json};
use tagferry::model::Outcome::{Done, Unchanged};

use super::desk::Desk;

/// The longest value at the target, in characters.
const LONGEST: usize = 2_000;

const STAGES: [[&str; 2]; 3] = [["prd", "production"], ["stg", "staging"], ["dev", "development"]];
const TEAMS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

/// What the target knows of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Once,
    Twice,
    Never,
}

fn known(n: usize) -> Known {
    match n % 100 {
        7 | 37 | 77 => Known::Never,
        50 => Known::Twice,
        _ => Known::Once,
    }
}

/// Two of each hundred, at other places in each, so that unknown and ambiguous hosts are among them.
fn is_over_long(n: usize) -> bool {
    (n / 100 + 7 * (n % 100)).is_multiple_of(50)
}

/// Whether the host carries at the target what is wanted before anything is done.
fn is_settled(n: usize) -> bool {
    n % 100 == 11
}

/// Whether the host carries another team at the target.
fn is_outdated(n: usize) -> bool {
    matches!(n % 100, 3 | 50)
}

/// The identifier of a host at the source.
fn old_id(n: usize) -> String {
    format!("HOST-{:016X}", 0x1000_0000 + n)
}

/// Where the row of a host stands: the listing is in the order of identifiers.
fn line(n: usize) -> String {
    (n + 1).to_string()
}

/// The identifiers of the hosts that bear the name of a host at the target.
fn new_ids(n: usize) -> Vec<String> {
    let bearers: &[usize] = match known(n) {
        Known::Never => &[],
        Known::Once => &[0x2000_0000],
        Known::Twice => &[0x2000_0000, 0x3000_0000],
    };
    let id = |base| format!("HOST-{:016X}", base + n);
    bearers.iter().map(id).collect()
}

/// A host of the target that no row names.
fn bystander(n: usize) -> String {
    format!("HOST-{:016X}", 0x4000_0000 + n)
}

fn new_name(n: usize) -> String {
    format!("node-{n:05}.example.com")
}

/// The team of a host; with `team-` before it, a long one is as long as a plain string may be.
fn team(n: usize) -> String {
    let name = TEAMS[n % TEAMS.len()];
    name.repeat(if is_over_long(n) {
        LONGEST - "team-".len()
    } else {
        1
    })
}

/// What a host shall carry: its stage and its team, whose value is cut where it is too long.
fn wanted(n: usize) -> [(String, Option<String>); 2] {
    let mut team = format!("owned by {}", team(n));
    if team.len() > LONGEST {
        let digest = blake3::hash(team.as_bytes()).to_hex();
        team.truncate(LONGEST - 9);
        team = format!("{team}-{}", &digest[..8]);
    }
    let stage = STAGES[n % STAGES.len()][1].to_owned();
    [("stage".to_owned(), Some(stage)), ("team".to_owned(), Some(team))]
}

const JOB: &str = r#"name = "migration"
[source]
file = "hosts.jsonl"
[lookup.renamed]
file = "crosswalk.csv"
key = "old"
unique = ["new"]
[lookup.stages]
map = { prd = "production", stg = "staging", dev = "development" }
[target]
connection = "new"
kind = "HOST"
entity_name = "{{ renamed[name].new }}"
decisions = "decisions.csv"
[[tags_from]]
column = "tags"
pattern = "(?<key>[a-z]+)-(?<value>.+)"
value_as = "{{ stages.get(value, 'owned by ' ~ value) }}"
rename = { env = "stage" }
[losses]
too_long = "truncate"
[connections.old]
vendor = "dynatrace"
url = "simulator:old.db"
[connections.new]
vendor = "dynatrace"
url = "simulator:state.db"
"#;

/// What the hosts of the target carry by hand, by identifier.
type Carried = BTreeMap<String, Vec<(String, Option<String>)>>;

/// A desk with two tenants, of which the target has one bystander for each hundred hosts of the source. Run 1 has exported the
/// source, run 2 is the first plan.
struct Migration {
    desk: Desk,
    hosts: usize,
}

impl Migration {
    fn new(hosts: usize) -> Self {
        let desk = Desk::bare();
        let old_name = |n: usize| format!("host-{n:05}.old.example.com");
        desk.table(
            "old.csv",
            ["id", "name"],
            (0..hosts).map(|n| [old_id(n), old_name(n)]),
        );
        let crosswalk = (0..hosts).map(|n| [old_name(n), new_name(n)]);
        desk.table("crosswalk.csv", ["old", "new"], crosswalk);
        // The vendor compares names without case, so that the second one of a name is written otherwise.
        let spellings = |n| [new_name(n), new_name(n).to_uppercase()];
        let bearers = (0..hosts).flat_map(|n| new_ids(n).into_iter().zip(spellings(n)));
        let others = (0..hosts / 100).map(|n| (bystander(n), format!("other-{n:05}.example.com")));
        let rows = bearers.chain(others).map(|(id, name)| [id, name]);
        desk.table("new.csv", ["id", "name"], rows);
        desk.write("job.toml", JOB);
        let migration = Self { desk, hosts };
        migration.tag_source();
        migration.tag_target();
        let words = [
            "export",
            "old",
            "--job",
            "job.toml",
            "--kind",
            "HOST",
            "-o",
            "hosts.jsonl",
        ];
        migration
            .desk
            .tagferry(&[&words[..], &["--format", "jsonl"]].concat())
            .exits(0);
        migration
    }

    /// Gives each host of the source its stage and its team, as plain strings.
    fn tag_source(&self) {
        let mut alike: BTreeMap<[String; 2], Vec<String>> = BTreeMap::new();
        for n in 0..self.hosts {
            let tags = [
                format!("env-{}", STAGES[n % STAGES.len()][0]),
                format!("team-{}", team(n)),
            ];
            alike.entry(tags).or_default().push(old_id(n));
        }
        let tenant = self.desk.tenant_of("old.db", "inventory=old.csv&id=id&name=name");
        for ([stage, team], ids) in alike {
            tenant.add_to_all(&ids, &[(&stage, ""), (&team, "")]);
        }
    }

    /// Gives the hosts of the target tags that are nobody's business, some of them what is wanted, and some what is not.
    fn tag_target(&self) {
        let options = "inventory=new.csv&id=id&name=name&tags=some";
        let tenant = self.desk.tenant_with(options);
        let outdated = self.rows(is_outdated).into_iter().flat_map(new_ids);
        let bystanders = (0..self.hosts / 100).map(bystander);
        let ids: Vec<String> = outdated.chain(bystanders).collect();
        tenant.add_to_all(&ids, &[("team", "legacy")]);
        for n in self.rows(is_settled) {
            let tags = wanted(n);
            let tags = tags
                .each_ref()
                .map(|(key, value)| (key.as_str(), value.as_deref().unwrap()));
            tenant.add_to_all(&new_ids(n), &tags);
        }
    }

    /// The numbers of the hosts that are so.
    fn rows(&self, so: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.hosts).filter(|n| so(*n)).collect()
    }

    fn count(&self, so: impl Fn(usize) -> bool) -> usize {
        self.rows(so).len()
    }

    fn carried(&self) -> Carried {
        let tenant = self.desk.tenant();
        let bearers = (0..self.hosts).flat_map(new_ids);
        let ids = bearers.chain((0..self.hosts / 100).map(bystander));
        ids.map(|id| (id.clone(), tenant.by_hand(&id))).collect()
    }

    /// Makes a plan of `job.toml`, as JSON.
    fn plan(&self) -> Value {
        let planned = self.desk.tagferry(&["plan", "--json", "job.toml"]).exits(0);
        serde_json::from_str(&planned.out).unwrap()
    }

    /// A table that tagferry wrote: each row by column.
    fn table(text: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// Asserts what became of each row in run 2, and that what was cut is told with its row, whatever became of that.
    fn check_report(&self) {
        let report = self
            .desk
            .tagferry(&["report", "2", "--format", "csv"])
            .exits(0)
            .out;
        let mut rows: BTreeMap<String, BTreeMap<String, String>> = Self::table(&report)
            .into_iter()
            .map(|row| (row["line"].clone(), row))
            .collect();
        for n in 0..self.hosts {
            let row = rows.remove(&line(n)).unwrap();
            let want = match known(n) {
                Known::Never => ["rejected", "missing"],
                Known::Twice => ["rejected", "ambiguous"],
                Known::Once if is_settled(n) => ["unchanged", ""],
                Known::Once => ["done", ""],
            };
            assert_eq!([&row["outcome"], &row["class"]], want, "{row:?}");
            let told = row["losses"].starts_with("too_long (truncated): value of `team` has 2004 characters");
            assert_eq!(
                (told, row["losses"].is_empty()),
                (is_over_long(n), !is_over_long(n)),
                "{row:?}"
            );
            assert_eq!(row["name"], new_name(n));
        }
        assert_eq!(rows.len(), 0, "every row is there once");
    }

    /// Asserts what is to be decided on, and decides: one of two hosts is meant, and unknown ones are left out.
    fn decide(&self) {
        let said = format!(
            "{} to decide on, 0 decided",
            self.count(|n| known(n) != Known::Once)
        );
        let words = ["review", "2", "-o", "decisions.csv"];
        self.desk.tagferry(&words).exits(0).says(&[&said]);
        let text = fs::read_to_string(self.desk.path("decisions.csv")).unwrap();
        let mut rows: BTreeMap<String, BTreeMap<String, String>> = Self::table(&text)
            .into_iter()
            .map(|row| (row["entity"].clone(), row))
            .collect();
        let mut decided = Vec::new();
        for n in self.rows(|n| known(n) != Known::Once) {
            let row = rows.remove(&new_name(n)).unwrap();
            let class = if known(n) == Known::Never {
                "missing"
            } else {
                "ambiguous"
            };
            let first = format!("hosts.jsonl:{}", line(n));
            let told = ["class", "rows", "first", "decision"].map(|column| row[column].as_str());
            assert_eq!(told, [class, "1", &first, ""], "{row:?}");
            let candidates: BTreeSet<&str> = row["candidates"]
                .split("; ")
                .filter(|id| !id.is_empty())
                .collect();
            assert_eq!(candidates, new_ids(n).iter().map(String::as_str).collect());
            decided.push([new_name(n), meant(n).unwrap_or_else(|| "skip".to_owned())]);
        }
        assert_eq!(rows.len(), 0, "nothing else is to be decided on");
        self.desk.table("decisions.csv", ["entity", "decision"], decided);
    }
}

/// The host that a row is about once somebody has decided: of two, now the one and now the other.
fn meant(n: usize) -> Option<String> {
    let ids = new_ids(n);
    ids.get(n / 100 % ids.len().max(1)).cloned()
}

/// What the hosts of the target carry once these rows are carried out.
fn after(mut carried: Carried, rows: &[usize]) -> Carried {
    for n in rows {
        let tags = carried.get_mut(&meant(*n).unwrap()).unwrap();
        tags.retain(|(key, _)| key != "stage" && key != "team");
        tags.extend(wanted(*n));
        tags.sort_unstable();
    }
    carried
}

/// Asserts what a plan of the fifty thousand comes to: 500 are as wanted, and 500 carry another team.
fn check_counts(plan: &Value) {
    let want = json!({
        "rows": 50_000, "rejected": { "ambiguous": 500, "missing": 1_500 }, "losses": { "too_long": { "truncated": 1_000 } },
        "entities": 50_000, "unchanged": 500, "to_change": 47_500, "operations": 2 * 47_500 + 500,
        "keys": { "stage": { "adds": 47_500, "removes": 0 }, "team": { "adds": 47_500, "removes": 500 } },
    });
    for (count, want) in want.as_object().unwrap() {
        assert_eq!(plan[count], *want, "{count}");
    }
}

#[test]
fn fifty_thousand_hosts_are_carried_over_decided_on_and_taken_back_and_every_row_adds_up() {
    let migration = Migration::new(50_000);
    let desk = &migration.desk;
    let ambiguous = migration.rows(|n| known(n) == Known::Twice);
    let clear = migration.rows(|n| known(n) == Known::Once);
    let counts = [
        migration.count(|n| known(n) == Known::Never),
        ambiguous.len(),
        migration.count(is_over_long),
    ];
    assert_eq!(counts, [1_500, 500, 1_000], "3, 1 and 2 of a hundred");
    assert_eq!(
        migration.count(|n| is_outdated(n) && known(n) == Known::Once),
        500
    );
    let untouched = migration.carried();
    let mut handled = desk.handled();

    let plan = migration.plan();
    check_counts(&plan["plan"]);
    assert_eq!(desk.asked_since(replace(&mut handled, desk.handled())).writes, 0);
    desk.tagferry(&["apply", "2"]).exits(4);
    let writes = desk.asked_since(replace(&mut handled, desk.handled())).writes;
    assert_eq!(plan["calls"]["writes"], writes, "as many as were foretold");
    migration.check_report();
    let carried_over = after(untouched.clone(), &clear);
    assert!(migration.carried() == carried_over, "run 2 wrote something else");

    migration.decide();
    desk.run().exits(0);
    assert_eq!(desk.outcomes(3), [(Done, 500), (Unchanged, 49_500)].into());
    let decided = after(carried_over.clone(), &ambiguous);
    assert!(migration.carried() == decided, "run 3 wrote something else");

    handled = desk.handled();
    desk.run().exits(0);
    assert_eq!(desk.outcomes(4), [(Unchanged, 50_000)].into());
    assert_eq!(desk.asked_since(handled).writes, 0);

    desk.tagferry(&["undo", "3", "--apply"]).exits(0);
    assert!(migration.carried() == carried_over, "run 3 is not taken back");
    desk.tagferry(&["undo", "2", "--apply"]).exits(0);
    assert!(migration.carried() == untouched, "run 2 is not taken back");
}

#[test]
fn what_may_not_be_cut_rejects_its_row_and_is_not_sought_at_the_target() {
    let migration = Migration::new(1_000);
    let desk = &migration.desk;
    let untouched = migration.carried();
    desk.write("job.toml", JOB.replace("too_long = \"truncate\"\n", ""));
    let checked = desk.tagferry(&["check", "job.toml"]).exits(4).out;
    assert!(
        checked.ends_with("1000 rows, 20 rejected, 980 entities, 0 empty cells skipped\n"),
        "{checked}"
    );
    let mut plan = migration.plan();
    let fitting = |what| migration.count(|n| known(n) == what && !is_over_long(n));
    let rejected = json!({
        "too_long": migration.count(is_over_long), "missing": fitting(Known::Never), "ambiguous": fitting(Known::Twice),
    });
    assert_eq!(rejected, json!({ "too_long": 20, "missing": 29, "ambiguous": 9 }));
    assert_eq!(plan["plan"]["rejected"].take(), rejected);
    assert_eq!(plan["plan"]["losses"], json!({}));
    desk.tagferry(&["apply", "2"]).exits(4);
    let rows = migration.rows(|n| known(n) == Known::Once && !is_over_long(n));
    assert!(
        migration.carried() == after(untouched, &rows),
        "something else was written"
    );
}
