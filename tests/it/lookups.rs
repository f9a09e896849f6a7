//! Crosswalks: names that another file leads to identifiers, and values that stand in the job.

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job, rule};

/// The identifiers of a tenant's hosts, sorted.
fn ids(desk: &Desk) -> Vec<String> {
    desk.tenant().hosts().into_keys().collect()
}

/// Writes `job.toml`: hosts of `hosts.csv` by what `entity` makes of a row, and what `rules` add.
fn job_by(desk: &Desk, entity: &str, rules: &str) {
    let text = job(rules);
    desk.write("job.toml", text.replace("{{ id }}", entity));
}

/// A crosswalk `hosts` by host name, and what else is said of it.
fn hosts(more: &str) -> String {
    format!(
        "{}[lookup.hosts]\nfile = \"crosswalk.csv\"\nkey = \"hostname\"\n{more}\n",
        rule("set", "stage", "stage")
    )
}

const BY_HOST: &str = "{{ hosts[hostname].entity_id }}";

/// A desk with three hosts that an inventory knows as `web-1` to `web-3`, and its crosswalk.
fn desk() -> (Desk, Vec<String>) {
    let desk = Desk::new("entities=3&seed=5&tags=none");
    let ids = ids(&desk);
    let row = |(n, id): (usize, &String)| [format!("web-{}", n + 1), id.clone(), format!("team-{n}")];
    desk.table(
        "crosswalk.csv",
        ["hostname", "entity_id", "team"],
        ids.iter().enumerate().map(row),
    );
    (desk, ids)
}

fn inventory<const N: usize>(desk: &Desk, names: [&str; N]) {
    let rows = names.map(|name| [name.to_owned(), "dev".to_owned()]);
    desk.table("hosts.csv", ["hostname", "stage"], rows);
}

#[test]
fn names_become_identifiers_and_a_name_that_is_not_there_is_rejected() {
    let (desk, ids) = desk();
    inventory(&desk, ["web-1", "web-17", " web-3 "]);
    job_by(
        &desk,
        BY_HOST,
        &(rule("set", "team", "hosts[hostname].team") + &hosts("unique = [\"entity_id\"]")),
    );
    let why = "`target.entity`: lookup `hosts` has no row of key `web-17` (crosswalk.csv)";
    let checked = desk.tagferry(&["check", "job.toml"]).exits(4);
    assert!(
        checked.out.contains(&format!("hosts.csv:3: {why} (mapping)")),
        "{}",
        checked.out
    );
    assert!(
        checked
            .out
            .contains("crosswalk.csv: csv, UTF-8, delimiter `,`, 3 columns; 3 rows of lookup `hosts`\n"),
        "{}",
        checked.out
    );

    desk.run().exits(4);
    let rows = desk.rows(1);
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.entity.as_deref(), row.outcome))
        .collect();
    assert_eq!(
        told,
        [
            (Some(ids[0].as_str()), Outcome::Done),
            (None, Outcome::Rejected),
            (Some(ids[2].as_str()), Outcome::Done)
        ]
    );
    assert_eq!(
        (rows[1].class, rows[1].message.as_deref()),
        (Some(Class::Mapping), Some(why))
    );
    let live = desk.tenant().hosts();
    let teams: Vec<Vec<&str>> = ids
        .iter()
        .map(|id| live[id].values("team").into_iter().collect())
        .collect();
    assert_eq!(teams, [vec!["team-0"], vec![], vec!["team-2"]]);
}

#[test]
fn a_plan_tells_how_each_lookup_was_read() {
    let (desk, _) = desk();
    inventory(&desk, ["web-1"]);
    desk.write("more/b.csv", "hostname,entity_id\n,HOST-1\nx,HOST-2\n");
    let rules = hosts("bad_rows = \"skip\"").replace("crosswalk.csv", "more/*.csv");
    job_by(
        &desk,
        "{{ hosts.get(hostname, {}).entity_id | default('HOST-0000000000000001') }}",
        &rules,
    );
    desk.write("more/a.csv", "hostname;entity_id\nweb-1;HOST-0000000000000002\n");
    let planned = desk.tagferry(&["plan", "--json", "job.toml"]);
    for part in [
        "hosts.csv: csv, UTF-8, delimiter `,`, 2 columns",
        "more/a.csv: csv, UTF-8, delimiter `;`, 2 columns; 1 row of lookup `hosts`",
        "more/b.csv: csv, UTF-8, delimiter `,`, 2 columns; 1 row of lookup `hosts`, 1 skipped",
    ] {
        assert!(
            planned.out.contains(part),
            "{part}: {}{}",
            planned.out,
            planned.err
        );
    }
}

#[test]
fn what_makes_a_crosswalk_unsure_refuses_the_plan_before_anything_is_asked() {
    let (desk, _) = desk();
    inventory(&desk, ["web-1"]);
    let before = desk.journal().len();
    for (table, more, part) in [
        (
            "hostname,entity_id\nweb-1,A\nweb-2,B\nweb-1,C\n",
            "",
            "crosswalk.csv:4: the key `web-1` is on crosswalk.csv:2 already",
        ),
        (
            "hostname,entity_id\nweb-1,A\nWEB-1,B\n",
            "fold_case = true",
            "crosswalk.csv:3: the key `WEB-1` is on crosswalk.csv:2 already",
        ),
        (
            "hostname,entity_id\nweb-1,A\nweb-2,A\n",
            "unique = [\"entity_id\"]",
            "crosswalk.csv:3: `entity_id` is `A`, as on crosswalk.csv:2 for another key",
        ),
        (
            "hostname,entity_id\n,A\n",
            "",
            "crosswalk.csv:2: has no key: `hostname` is empty",
        ),
        (
            "hostname,entity_id\nweb-1,A\nweb-2\n",
            "",
            "crosswalk.csv:3: has 1 cell where the header has 2",
        ),
        (
            "host,entity_id\nweb-1,A\n",
            "",
            "crosswalk.csv has no column `hostname`; it has: host, entity_id",
        ),
        ("", "", "crosswalk.csv: the file has no header: it is empty"),
    ] {
        desk.write("crosswalk.csv", table);
        job_by(&desk, BY_HOST, &hosts(more));
        for command in ["check", "plan", "run"] {
            desk.tagferry(&[command, "job.toml"])
                .exits(3)
                .says(&["lookup `hosts`", part]);
        }
    }
    job_by(&desk, BY_HOST, &hosts("").replace("crosswalk.csv", "nowhere.csv"));
    desk.plan()
        .exits(3)
        .says(&["lookup `hosts`: nowhere.csv: the file can't be opened"]);
    assert_eq!(desk.journal().len(), before, "nothing was asked of the tenant");
}

#[test]
fn several_rows_of_a_key_mean_what_the_job_declares() {
    let (desk, ids) = desk();
    inventory(&desk, ["WEB-1"]);
    let rows = ["sre", "net", "dba"].map(|team| ["web-1".to_owned(), ids[0].clone(), team.to_owned()]);
    desk.table("crosswalk.csv", ["hostname", "entity_id", "team"], rows);
    let one = (BY_HOST, "{{ hosts[hostname].team }}");
    let all = (
        "{{ hosts[hostname][0].entity_id }}",
        "{{ hosts[hostname] | map(attribute='team') | join('+') }}",
    );
    for (repeated, (entity, team), want) in [
        ("first", one, "sre"),
        ("last", one, "dba"),
        ("list", all, "sre+net+dba"),
    ] {
        let rules = format!(
            "[[tag]]\nkey = \"team\"\nvalue = \"{team}\"\n{}",
            hosts(&format!("repeated = \"{repeated}\"\nfold_case = true"))
        );
        job_by(&desk, entity, &rules);
        desk.run().exits(0);
        let live = desk.tenant().hosts();
        assert_eq!(live[&ids[0]].values("team"), [want].into(), "{repeated}");
    }
}

#[test]
fn values_of_the_job_are_looked_up_with_another_to_fall_back_on() {
    let (desk, ids) = desk();
    let rows = ["dev", "PRD", "lab"]
        .iter()
        .zip(&ids)
        .map(|(stage, id)| [id.clone(), (*stage).to_owned()]);
    desk.table("hosts.csv", ["id", "stage"], rows);
    desk.job(
        "[[tag]]\nkey = \"stage\"\nvalue = \"{{ stages.get(stage, stage) }}\"\n\
         [[tag]]\nkey = \"known\"\nvalue = \"{{ stages[stage] }}\"\nwhen = \"stage in stages\"\n\
         [lookup.stages]\nmap = { dev = \"development\", prd = \"production\" }\nfold_case = true\n",
    );
    desk.run().exits(0);
    let live = desk.tenant().hosts();
    let of = |key| -> Vec<Vec<&str>> {
        ids.iter()
            .map(|id| live[id].values(key).into_iter().collect())
            .collect()
    };
    assert_eq!(of("stage"), [["development"], ["production"], ["lab"]]);
    assert_eq!(of("known"), [vec!["development"], vec!["production"], vec![]]);
}

#[test]
fn a_column_with_the_name_of_a_lookup_rejects_the_row() {
    let (desk, _) = desk();
    desk.write("hosts.csv", "hostname,hosts,stage\nweb-1,mine,dev\n");
    job_by(&desk, BY_HOST, &hosts(""));
    let checked = desk.tagferry(&["check", "job.toml"]).exits(4);
    let why = "`hosts` is a field of this row and a lookup of the job; give the lookup another name";
    assert!(checked.out.contains(why), "{}", checked.out);
}

#[test]
fn json_lines_and_compressed_files_are_crosswalks_too() {
    use std::io::Write as _;
    let (desk, ids) = desk();
    inventory(&desk, ["web-2"]);
    let lines = format!(
        "{{\"asset\": {{\"name\": \"web-2\"}}, \"ids\": {{\"dynatrace\": \"{}\"}}}}\n",
        ids[1]
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    desk.write("crosswalk.jsonl.gz", gzip.finish().unwrap());
    let rules = hosts("unique = [\"/ids/dynatrace\"]")
        .replace("crosswalk.csv", "crosswalk.jsonl.gz")
        .replace("\"hostname\"", "\"/asset/name\"");
    job_by(&desk, "{{ hosts[hostname].ids.dynatrace }}", &rules);
    desk.run().exits(0);
    assert_eq!(desk.rows(1)[0].entity.as_deref(), Some(ids[1].as_str()));
    assert_eq!(desk.tenant().hosts()[&ids[1]].values("stage"), ["dev"].into());
}
