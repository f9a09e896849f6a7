//! Entities that an inventory knows by name.

use std::collections::BTreeMap;

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job, rule};

/// The job of a desk, with entities by the column `name`.
fn by_name(desk: &Desk) {
    let text = job(&rule("set", "stage", "stage"));
    desk.write(
        "job.toml",
        text.replace("entity = \"{{ id }}\"", "entity_name = \"{{ name }}\""),
    );
}

#[test]
fn names_are_found_without_case_and_what_is_not_is_named() {
    let desk = Desk::bare();
    let names = ["web-01", "Web-02", "ÄPFEL", "twin", "Twin", "last one"];
    desk.table("cmdb.csv", ["name"], names.map(|name| [name.to_owned()]));
    drop(desk.tenant_with("inventory=cmdb.csv&name=name&duplicates=keep"));
    let rows = ["WEB-01", "web-02", "äpfel", "twin", "unheard-of", "", "Last One"];
    desk.table(
        "hosts.csv",
        ["name", "stage"],
        rows.map(|name| [name.to_owned(), "gold".into()]),
    );
    by_name(&desk);
    desk.run().exits(4);

    let rows = desk.rows(1);
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.origin.line, row.outcome, row.class))
        .collect();
    let rejected = |class| (Outcome::Rejected, Some(class));
    let good = (Outcome::Done, None);
    let want = [
        good,
        good,
        good,
        rejected(Class::Ambiguous),
        rejected(Class::Missing),
        rejected(Class::Mapping),
        good,
    ];
    let want: Vec<_> = (2..)
        .zip(want)
        .map(|(line, (outcome, class))| (line, outcome, class))
        .collect();
    assert_eq!(told, want, "{rows:?}");
    assert_eq!(
        rows[4].name.as_deref().or(rows[4].entity.as_deref()),
        Some("unheard-of"),
        "{rows:?}"
    );
    let why = rows[3].message.as_deref().unwrap();
    assert!(
        why.contains("2 live entities bear this name") && why.contains("HOST-"),
        "{why}"
    );

    let hosts = desk.tenant().hosts();
    let tagged: Vec<&str> = hosts
        .values()
        .filter(|host| !host.tags.is_empty())
        .map(|host| host.name.as_str())
        .collect();
    assert_eq!(tagged.len(), 4, "{tagged:?}");
    assert!(!tagged.iter().any(|name| name.eq_ignore_ascii_case("twin")));
    assert_eq!(
        rows[0].name.as_deref(),
        Some("WEB-01"),
        "the row is told as its file has it"
    );
    assert!(hosts.contains_key(rows[0].entity.as_deref().unwrap()));
}

#[test]
fn five_thousand_names_cost_one_listing() {
    let desk = Desk::new("entities=5000&seed=3");
    let names: BTreeMap<String, String> = desk
        .tenant()
        .hosts()
        .into_iter()
        .map(|(id, host)| (host.name, id))
        .collect();
    assert_eq!(names.len(), 5_000);
    desk.table(
        "hosts.csv",
        ["name", "stage"],
        names.keys().map(|name| [name.to_uppercase(), "gold".into()]),
    );
    by_name(&desk);
    let before = desk.journal().len();
    desk.plan().exits(0);
    let asked = desk.asked_since(before);
    assert_eq!(
        (asked.reads, asked.ownership, asked.writes),
        (10, 0, 0),
        "5,000 hosts are ten pages of 500"
    );
    let rows = desk.rows(1);
    assert_eq!(rows.len(), 5_000);
    for row in &rows {
        let name = row.name.as_deref().unwrap().to_lowercase();
        assert_eq!(row.entity.as_deref(), Some(names[&name].as_str()));
    }
}

#[test]
fn two_spellings_of_one_name_are_one_entity() {
    let desk = Desk::bare();
    desk.table(
        "cmdb.csv",
        ["name"],
        [["web-01".to_owned()], ["web-02".to_owned()]],
    );
    drop(desk.tenant_with("inventory=cmdb.csv&name=name"));
    let rows = [
        ("web-01", "gold"),
        ("WEB-01", "tin"),
        ("web-02", "gold"),
        ("Web-02", "gold"),
    ];
    desk.table(
        "hosts.csv",
        ["name", "stage"],
        rows.map(|(name, stage)| [name.to_owned(), stage.to_owned()]),
    );
    by_name(&desk);
    desk.run().exits(4);
    let outcomes: Vec<_> = desk
        .rows(1)
        .into_iter()
        .map(|row| (row.outcome, row.class))
        .collect();
    let collision = (Outcome::Rejected, Some(Class::Collision));
    assert_eq!(
        outcomes,
        [collision, collision, (Outcome::Done, None), (Outcome::Done, None)]
    );
}
