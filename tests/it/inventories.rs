//! Real inventories, each with a job of at most 25 lines, against tenants that were made from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, Ended, Tags, inputs, job, manual};

const AZURE: &str = include_str!("jobs/azure.toml");
const NETBOX: &str = include_str!("jobs/netbox.toml");

/// A desk with an inventory, its job, and a tenant with an entity for each name of the inventory.
fn desk(job: &str, inventory: &Path, name: &str) -> Desk {
    assert!(job.lines().count() <= 25, "a job of an inventory is short");
    let desk = Desk::bare();
    let file = inventory.file_name().unwrap().to_str().unwrap();
    fs::copy(inventory, desk.path(file)).unwrap();
    desk.write("job.toml", job);
    drop(desk.tenant_with(&format!("inventory={file}&name={name}&duplicates=keep")));
    desk
}

/// The rows of a CSV file without line breaks in cells, as maps.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let bytes = fs::read(path).unwrap();
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let mut reader = csv::Reader::from_reader(text);
    let rows = reader.deserialize();
    rows.map(Result::unwrap).collect()
}

#[test]
fn azure_resources_carry_the_tags_of_their_cell_whether_csv_or_json() {
    let Some(inputs) = inputs() else { return };
    let table = inputs.join("azure/azure-resources-2026-07-03.csv");
    let desk_of_table = desk(AZURE, &table, "Name");
    desk_of_table.run().exits(0);

    let mut want: BTreeMap<String, Tags> = BTreeMap::new();
    let rows = rows(&table);
    for row in &rows {
        let pairs = row["Tags"].split(';').filter(|item| !item.is_empty());
        let tags = pairs
            .map(|item| item.split_once('=').unwrap())
            .map(|(key, value)| manual(key, value));
        want.insert(row["Name"].clone(), tags.collect());
    }
    let tagged = rows.iter().filter(|row| !row["Tags"].is_empty()).count();
    assert_eq!((rows.len(), tagged), (44, 19));
    let got = desk_of_table.tenant().hosts();
    let got: BTreeMap<String, Tags> = got.into_values().map(|host| (host.name, host.tags)).collect();
    assert_eq!(got, want);
    assert_eq!(
        desk_of_table.outcomes(1),
        [(Outcome::Done, tagged), (Outcome::Unchanged, 44 - tagged)].into()
    );

    let desk_of_json = desk(
        &AZURE.replace(".csv", ".json"),
        &table.with_extension("json"),
        "Name",
    );
    desk_of_json.plan().exits(0);
    let operations = desk_of_json.operations(1);
    assert!(!operations.is_empty());
    assert_eq!(operations, desk_of_table.operations(1), "one and the same plan");
    desk_of_json.tagferry(&["apply", "1"]).exits(0);
    let got = desk_of_json.tenant().hosts();
    assert_eq!(
        got.into_values()
            .map(|host| (host.name, host.tags))
            .collect::<BTreeMap<_, _>>(),
        want
    );
}

#[test]
fn netbox_devices_carry_their_columns_and_unusable_rows_say_why() {
    let Some(inputs) = inputs() else { return };
    let table = inputs.join("netbox/netbox-demo-v3.6-devices-vms.csv");
    let desk = desk(NETBOX, &table, "name");
    desk.run().exits(4);

    let rows = rows(&table);
    let mut borne: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        *borne.entry(row["name"].to_lowercase()).or_default() += 1;
    }
    let hosts = desk.tenant().hosts();
    let tags_of = |name: &str| {
        let named: Vec<&Tags> = hosts
            .values()
            .filter(|host| host.name == name)
            .map(|host| &host.tags)
            .collect();
        named.into_iter().flatten().cloned().collect::<Tags>()
    };
    let reports = desk.rows(1);
    assert_eq!((rows.len(), reports.len()), (252, 252));
    let mut rejected = BTreeMap::new();
    for ((line, row), report) in (2..).zip(&rows).zip(&reports) {
        assert_eq!(report.origin.line, line);
        let name = &row["name"];
        let class = match borne[&name.to_lowercase()] {
            _ if name.is_empty() => Some(Class::Mapping),
            1 => None,
            _ => Some(Class::Ambiguous),
        };
        assert_eq!(report.class, class, "{report:?}");
        match class {
            None => {
                assert_eq!(report.outcome, Outcome::Done, "{report:?}");
                assert_eq!(tags_of(name), wanted(row), "{name}");
            }
            Some(class) => {
                assert!(report.message.as_ref().is_some_and(|why| !why.is_empty()));
                *rejected.entry(class.as_str()).or_insert(0) += 1;
                assert!(name.is_empty() || tags_of(name).is_empty(), "{name}");
            }
        }
    }
    assert_eq!(rejected, [("ambiguous", 3), ("mapping", 22)].into());
    desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
        .exits(0);
}

/// What a row of NetBox asks for.
fn wanted(row: &BTreeMap<String, String>) -> Tags {
    let columns = [
        "role",
        "manufacturer",
        "site",
        "tenant",
        "rack",
        "status",
        "platform",
        "cluster",
    ];
    let of_columns = columns.iter().filter(|column| !row[**column].is_empty());
    let of_list = row["site_tags"]
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let tags = of_columns.map(|column| manual(column, row[*column].trim()));
    let tags: BTreeSet<_> = tags.chain(of_list.map(|item| manual("site-tag", item))).collect();
    assert!(!tags.is_empty());
    tags
}

const ROWS: &str = "id,note,day\nHOST-0000000000000001,say \"\"hi\"\",mon;tue\nHOST-0000000000000002,ümlaut,\nHOST-0000000000000003,0007,wed\n";

/// The same rows in every form that an inventory may have: name, bytes.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let csv = ROWS.replace("say \"\"hi\"\"", "\"say \"\"hi\"\"\"");
    let objects = [
        r#"{"id": "HOST-0000000000000001", "note": "say \"hi\"", "day": ["mon", "tue"]}"#,
        r#"{"id": "HOST-0000000000000002", "note": "\u00fcmlaut", "day": null}"#,
        r#"{"id": "HOST-0000000000000003", "note": "0007", "day": "wed"}"#,
    ];
    let utf16: Vec<u8> = csv.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(csv.as_bytes()).unwrap();
    vec![
        ("hosts.csv", csv.clone().into()),
        ("hosts.csv", csv.replace('\n', "\r\n").into()),
        ("hosts.csv", csv.replace('\n', "\r").into()),
        ("hosts.csv", csv.trim_end().into()),
        ("hosts.csv", format!("sep=|\r\n{}", csv.replace(',', "|")).into()),
        ("hosts.tsv", csv.replace(',', "\t").into()),
        ("hosts.csv", [b"\xEF\xBB\xBF", csv.as_bytes()].concat()),
        ("hosts.csv", [&[0xFF, 0xFE], utf16.as_slice()].concat()),
        ("hosts.csv.gz", gz.finish().unwrap()),
        ("hosts.json", format!("[{}]", objects.join(",\n")).into()),
        ("hosts.jsonl", objects.join("\n").into()),
    ]
}

#[test]
fn every_form_of_the_same_rows_gives_the_same_plan() {
    let rules = "[[tag]]\nkey = \"note\"\nvalue = \"{{ note }}\"\n\
        [[tags_from]]\ncolumn = \"day\"\nseparator = \";\"\nkey = \"day\"\naction = \"add\"\n";
    let want = [
        "HOST-0000000000000001 +day:mon",
        "HOST-0000000000000001 +day:tue",
        "HOST-0000000000000001 +note:say \"hi\"",
        "HOST-0000000000000002 +note:ümlaut",
        "HOST-0000000000000003 +day:wed",
        "HOST-0000000000000003 +note:0007",
    ];
    let cmdb = "id\nHOST-0000000000000001\nHOST-0000000000000002\nHOST-0000000000000003\n";
    let plan = |desk: &Desk| {
        desk.write("cmdb.csv", cmdb);
        drop(desk.tenant_with("inventory=cmdb.csv&id=id"));
    };
    for (file, bytes) in forms() {
        let desk = Desk::bare();
        plan(&desk);
        desk.write(file, &bytes);
        desk.write("job.toml", job(rules).replace("hosts.csv", file));
        desk.plan().exits(0);
        assert_eq!(
            desk.operations(1),
            want,
            "{file}: {:?}",
            String::from_utf8_lossy(&bytes)
        );
    }

    // Through a pipe, and as several files.
    let desk = Desk::bare();
    plan(&desk);
    desk.write("job.toml", job(rules).replace("hosts.csv", "-"));
    let (_, bytes) = forms().swap_remove(0);
    desk.write("piped", &bytes);
    let stdin = fs::File::open(desk.path("piped")).unwrap();
    let output = desk.command(&["plan", "job.toml"]).stdin(stdin).output().unwrap();
    Ended::new(&["plan", "job.toml", "<", "piped"], output).exits(0);
    assert_eq!(desk.operations(1), want);

    let desk = Desk::bare();
    plan(&desk);
    let text = String::from_utf8(bytes).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    for (n, row) in rows.lines().enumerate() {
        desk.write(&format!("part-{n}.csv"), format!("{header}\n{row}\n"));
    }
    desk.write("job.toml", job(rules).replace("hosts.csv", "part-*.csv"));
    desk.plan().exits(0);
    assert_eq!(desk.operations(1), want);
    let files: Vec<String> = desk.rows(1).iter().map(|row| row.origin.to_string()).collect();
    assert_eq!(files, ["part-0.csv:2", "part-1.csv:2", "part-2.csv:2"]);
}
