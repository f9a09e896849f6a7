//! Entities that several ways lead to, and those that somebody decides on: reviewed, edited, planned again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use tagferry::model::Outcome::{Done, Rejected, Unchanged};
use tagferry::model::{Class, Outcome};

use super::desk::{Desk, job, rule};

/// A tenant with hosts of these names, without tags, and `hosts.csv` with these columns and rows.
fn desk<const N: usize>(live: &[&str], header: [&str; N], rows: &[[&str; N]]) -> Desk {
    let desk = Desk::bare();
    desk.table("cmdb.csv", ["name"], live.iter().map(|name| [(*name).to_owned()]));
    drop(desk.tenant_with("inventory=cmdb.csv&name=name&duplicates=keep"));
    inventory(&desk, header, rows);
    desk
}

fn inventory<const N: usize>(desk: &Desk, header: [&str; N], rows: &[[&str; N]]) {
    desk.table("hosts.csv", header, rows.iter().map(|row| row.map(str::to_owned)));
}

/// Writes `job.toml` with these lines of `[target]`, for a tag `stage` of the column.
fn ways(desk: &Desk, target: &str) {
    let text = job(&rule("set", "stage", "stage"));
    desk.write("job.toml", text.replace("entity = \"{{ id }}\"", target));
}

const BY_NAME: &str = "entity_name = \"{{ name }}\"\ndecisions = \"decisions.csv\"";

/// The identifiers of the hosts of a name, in order.
fn named(desk: &Desk, name: &str) -> Vec<String> {
    let hosts = desk.tenant().hosts().into_iter();
    hosts
        .filter(|(_, host)| host.name == name)
        .map(|(id, _)| id)
        .collect()
}

/// The stage of each host that has one, by its identifier.
fn stages(desk: &Desk) -> BTreeMap<String, String> {
    let stage = |(id, host): (String, super::desk::Entity)| {
        let stages = host.values("stage");
        assert!(stages.len() < 2, "{id}: {stages:?}");
        Some((id, stages.first().copied()?.to_owned()))
    };
    desk.tenant().hosts().into_iter().filter_map(stage).collect()
}

/// Entity, class and decision of each row of the file.
fn decided(desk: &Desk) -> Vec<[String; 3]> {
    let mut reader = csv::Reader::from_path(desk.path("decisions.csv")).unwrap();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| [0, 1, 5].map(|place| row[place].to_owned()))
        .collect()
}

/// A desk where one name of five is clear: `twin` is borne by two hosts, and four are borne by none.
fn unclear() -> Desk {
    let rows = [
        ["web-1", "gold"],
        ["twin", "gold"],
        ["gone-1", "tin"],
        ["gone-2", "tin"],
        ["gone-3", "tin"],
        ["=SUM(1)", "tin"],
        ["TWIN", "gold"],
    ];
    let desk = desk(&["web-1", "twin", "Twin", "renamed"], ["name", "stage"], &rows);
    ways(&desk, BY_NAME);
    desk
}

#[test]
fn what_is_missing_or_ambiguous_gets_a_row_to_decide_in() {
    let desk = unclear();
    let review = "review: tagferry review 1 -o decisions.csv\n";
    let plan = desk.plan().exits(0).says(&[review]);
    let fact = "file: decisions.csv: not there yet, or empty, so that nothing is decided\n";
    assert!(plan.out.contains(fact), "{}", plan.out);
    let twins = [named(&desk, "twin"), named(&desk, "Twin")].concat();
    let written = |listed: &[&str]| {
        let gone =
            |name: &str, line| format!("\"{name}\",\"missing\",\"1\",\"hosts.csv:{line}\",\"\",\"\"\r\n");
        format!(
            "\"entity\",\"class\",\"rows\",\"first\",\"candidates\",\"decision\"\r\n\
             \"twin\",\"ambiguous\",\"2\",\"hosts.csv:3\",\"{}\",\"\"\r\n{}{}{}{}",
            listed.join("; "),
            gone("gone-1", 4),
            gone("gone-2", 5),
            gone("gone-3", 6),
            gone("'=SUM(1)", 7),
        )
    };
    let shown = desk.tagferry(&["review", "1"]).exits(0).out;
    // The listing has its own order.
    let (one, other) = (twins[0].as_str(), twins[1].as_str());
    assert!(
        [written(&[one, other]), written(&[other, one])].contains(&shown),
        "{shown}"
    );
    desk.tagferry(&["review", "1", "-o", "decisions.csv"])
        .exits(0)
        .says(&["decisions.csv: 5 to decide on, 0 decided"]);
    assert_eq!(fs::read_to_string(desk.path("decisions.csv")).unwrap(), shown);
    let found = fs::metadata(desk.path("decisions.csv")).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);

    // As long as nobody has decided, they are left alone, and the others are not.
    desk.run().exits(4);
    let web = named(&desk, "web-1").remove(0);
    assert_eq!(stages(&desk), [(web, "gold".to_owned())].into());
}

#[test]
fn what_was_decided_is_done_by_the_next_run_and_stays_decided() {
    let desk = unclear();
    let [web, one, renamed] = ["web-1", "Twin", "renamed"].map(|name| named(&desk, name).remove(0));
    // As Excel saves it where `;` separates: with a byte order mark, and quotes only where they are needed.
    let edited = format!(
        "\u{feff}entity;class;rows;first;candidates;decision\r\ntwin;ambiguous;2;hosts.csv:3;;{}\r\n\
         gone-1;missing;1;hosts.csv:4;;{renamed}\r\ngone-2;missing;1;hosts.csv:5;;Skip\r\ngone-3;missing;1;;;\r\n\
         '=SUM(1);missing;1;;;skip\r\nnobody;;;;;skip\r\n",
        one.to_lowercase(),
    );
    desk.write("decisions.csv", &edited);
    let plan = desk.plan().exits(0);
    for part in [
        "file: decisions.csv: csv, UTF-8, delimiter `;`, 6 columns; 5 decisions, 3 of them `skip`, 1 undecided; no row needs 1 of them\n",
        "rows: 7 read, 1 rejected (1 missing)\n",
        "entities: 6 named, 0 unchanged, 3 to change, 2 skipped, 1 unusable\n",
    ] {
        assert!(plan.out.contains(part), "{part}{}", plan.out);
    }
    desk.run().exits(4);
    let rows = desk.rows(2);
    let outcomes: Vec<Outcome> = rows.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [Done, Done, Done, Unchanged, Rejected, Unchanged, Done]);
    let told = (rows[1].entity.as_deref(), rows[1].name.as_deref());
    assert_eq!(told, (Some(one.as_str()), Some("twin")));
    let want: BTreeMap<String, String> = [(&web, "gold"), (&one, "gold"), (&renamed, "tin")]
        .map(|(id, stage)| (id.clone(), stage.to_owned()))
        .into();
    assert_eq!(stages(&desk), want);
    desk.tagferry(&["verify", "2"]).exits(0);

    desk.tagferry(&["review", "2", "-o", "decisions.csv"])
        .exits(0)
        .says(&["decisions.csv: 1 to decide on, 5 decided"]);
    let kept = fs::read_to_string(desk.path("decisions.csv")).unwrap();
    let twin = format!(
        "\"twin\";\"ambiguous\";\"2\";\"hosts.csv:3\";\"\";\"{}\"\r\n",
        one.to_lowercase()
    );
    for part in [
        twin.as_str(),
        "\"'=SUM(1)\";\"missing\";\"1\";\"\";\"\";\"skip\"\r\n",
        "\"gone-3\";\"missing\";\"1\";\"hosts.csv:6\";\"\";\"\"\r\n",
    ] {
        assert!(kept.contains(part), "{part}{kept}");
    }
    let open = "\"hosts.csv:6\";\"\";\"";
    desk.write("decisions.csv", kept.replace(open, &format!("{open}skip")));
    let before = desk.journal().len();
    desk.run().exits(0);
    assert_eq!(desk.outcomes(3), [(Unchanged, 7)].into());
    assert_eq!(desk.asked_since(before).writes, 0);
    assert_eq!(stages(&desk), want);
}

#[test]
fn a_row_by_identifier_and_another_by_name_are_rows_of_one_host_whichever_comes_first() {
    for turn in 0..4 {
        let desk = desk(&["web-1", "web-2"], ["id", "name", "stage"], &[]);
        let [one, two] = ["web-1", "web-2"].map(|name| named(&desk, name).remove(0));
        let mut rows = [
            [one.as_str(), "", "gold"],
            ["", "WEB-1", "gold"],
            ["HOST-00000000000000FF", "web-2", "gold"],
            [two.as_str(), "nobody", "tin"],
        ];
        rows.rotate_left(turn);
        inventory(&desk, ["id", "name", "stage"], &rows);
        ways(&desk, "entity = \"{{ id }}\"\nentity_name = \"{{ name }}\"");
        let plan = desk.plan().exits(0);
        for part in [
            "rows: 4 read, 2 rejected (2 collision)\n",
            "entities: 2 named, 0 unchanged, 1 to change",
        ] {
            assert!(plan.out.contains(part), "{turn}: {part}{}", plan.out);
        }
        desk.run().exits(4);
        let told = |row: tagferry::ledger::RowReport| (row.entity.unwrap(), row.outcome, row.class);
        let told: BTreeSet<_> = desk
            .rows(2)
            .into_iter()
            .map(told)
            .map(|told| format!("{told:?}"))
            .collect();
        let want = [
            (one.clone(), Outcome::Done, None),
            (two.clone(), Outcome::Rejected, Some(Class::Collision)),
        ];
        assert_eq!(
            told,
            want.iter().map(|told| format!("{told:?}")).collect(),
            "{turn}"
        );
        assert_eq!(stages(&desk), [(one.clone(), "gold".to_owned())].into(), "{turn}");
        desk.run().exits(4);
        assert_eq!(
            desk.outcomes(3),
            [(Outcome::Unchanged, 2), (Outcome::Rejected, 2)].into()
        );
        desk.tagferry(&["undo", "2", "--apply"]).exits(0);
        assert_eq!(stages(&desk), BTreeMap::new(), "{turn}");
    }
}

#[test]
fn a_declared_rule_finds_by_a_tag_or_a_short_name_and_what_it_does_not_find_is_sought_by_name() {
    let live = [
        "web-1.example.com",
        "web-2.example.com",
        "db-1.example.com",
        "spare",
    ];
    let rows = [
        ["4711", "spare", "gold"],
        ["4712", "spare", "tin"],
        ["", "DB-1.example.com", "tin"],
        ["9999", "nobody", "tin"],
        ["4713", "nobody", "tin"],
        ["", "", "tin"],
    ];
    let desk = desk(&live, ["asset", "name", "stage"], &rows);
    let id = |name: &str| named(&desk, name).remove(0);
    let ids = live.map(id);
    let tenant = desk.tenant();
    tenant.add(&ids[0], "asset-id", "4711");
    for twice in &ids[1..3] {
        tenant.add(twice, "asset-id", "4713");
    }
    drop(tenant);
    ways(
        &desk,
        "match = { row = \"{{ asset }}\", live = \"{{ tagged['asset-id'] }}\" }\nentity_name = \"{{ name }}\"",
    );
    let before = desk.journal().len();
    desk.run()
        .exits(4)
        .says(&["review: tagferry review 1 -o decisions.csv, with"]);
    let journal = desk.journal();
    let targets = journal[before..]
        .iter()
        .map(|entry| entry["target"].as_str().unwrap());
    let lists = targets.filter(|target| target.starts_with("/api/v2/entities"));
    assert_eq!(lists.count(), 1, "one listing serves every way");
    let told: Vec<_> = desk
        .rows(1)
        .into_iter()
        .map(|row| (row.outcome, row.class))
        .collect();
    let rejected = |class| (Outcome::Rejected, Some(class));
    let done = (Outcome::Done, None);
    assert_eq!(
        told,
        [
            done,
            done,
            done,
            rejected(Class::Missing),
            rejected(Class::Ambiguous),
            rejected(Class::Mapping)
        ]
    );
    let why: Vec<String> = desk.rows(1).into_iter().filter_map(|row| row.message).collect();
    assert!(
        why[0].starts_with("no HOST of this match key or name exists at `tenant`"),
        "{why:?}"
    );
    assert!(
        why[1].starts_with("2 live entities have this match key, such as HOST-"),
        "{why:?}"
    );
    assert!(why[2].contains("each template renders empty"), "{why:?}");
    let want = [(&ids[0], "gold"), (&ids[3], "tin"), (&ids[2], "tin")];
    let want: BTreeMap<String, String> = want.map(|(id, stage)| (id.clone(), stage.to_owned())).into();
    assert_eq!(stages(&desk), want);
    // By the short name; the template fails on the one that has none.
    inventory(
        &desk,
        ["asset", "name", "stage"],
        &[["", "web-2", "new"], ["", "spare", "new"]],
    );
    ways(
        &desk,
        "match = { row = \"{{ name }}\", live = \"{% if '.' in name %}{{ name | split('.') | first }}{% else %}{{ short }}{% endif %}\" }",
    );
    let plan = desk.plan().exits(0);
    let fact = format!(
        "file: match: 1 of 4 live HOST have no key, since the template fails; {}: `target.match.live`: no field `short` in this row",
        ids[3]
    );
    assert!(plan.out.contains(&fact), "{fact}{}", plan.out);
    assert!(
        plan.out.contains("rows: 2 read, 1 rejected (1 missing)"),
        "{}",
        plan.out
    );
    assert_eq!(desk.operations(2), [format!("{} +stage:new", ids[1])]);
}

#[test]
fn a_file_of_decisions_that_can_not_be_meant_refuses_the_plan_with_its_line() {
    let desk = desk(&["web-1", "web-2"], ["name", "stage"], &[["web-1", "gold"]]);
    ways(&desk, BY_NAME);
    let id = "HOST-00000000000000FF";
    for (file, why) in [
        (
            "entity,decision\nweb-1,web\n".to_owned(),
            "decisions.csv:2: the decision `web` is no identifier of a HOST",
        ),
        (
            "entity,decision\na,skip\nweb-1,SERVICE-0000000000000001\n".to_owned(),
            "decisions.csv:3: the decision `SERVICE-0000000000000001` is a SERVICE, not a HOST",
        ),
        (
            format!("entity,decision\nweb-1,{id}\nWEB-1,skip\n"),
            "decisions.csv:3: `web-1` is decided otherwise on decisions.csv:2; keep one of the two",
        ),
        (
            "entity,decision\nweb-1\n".to_owned(),
            "decisions.csv:2: has 1 cell where the header has 2",
        ),
        (
            "entity,decision\n,skip\n".to_owned(),
            "decisions.csv:2: decides on nothing: `entity` is empty",
        ),
        (
            "entity,verdict\nweb-1,skip\n".to_owned(),
            "decisions.csv: a file of decisions has the columns `entity` and `decision`, and here is no `decision`; it has: entity, verdict",
        ),
    ] {
        desk.write("decisions.csv", &file);
        for command in ["check", "plan", "run"] {
            desk.tagferry(&[command, "job.toml"]).exits(3).says(&[why]);
        }
    }
    assert_eq!(stages(&desk), BTreeMap::new());

    // An empty file decides on nothing, and one on a host that is not there rejects the row with its line.
    desk.write("decisions.csv", "");
    desk.tagferry(&["check", "job.toml"]).exits(0);
    desk.write("decisions.csv", format!("entity,decision\nweb-1,{id}\n"));
    desk.run().exits(4);
    let rows = desk.rows(desk.states().len().try_into().unwrap());
    assert_eq!(
        (rows[0].outcome, rows[0].class),
        (Outcome::Rejected, Some(Class::Missing))
    );
    let want = format!("decisions.csv:2 decides on {id}, and no HOST of this identifier exists at `tenant`");
    assert!(rows[0].message.as_deref().unwrap().starts_with(&want), "{rows:?}");
    assert_eq!(stages(&desk), BTreeMap::new());

    // A review does not replace what is no file of decisions.
    let run = desk.states().len().to_string();
    desk.tagferry(&["review", &run, "-o", "hosts.csv"])
        .exits(3)
        .says(&["hosts.csv: it is there already and has no columns `entity` and `decision`"]);
    desk.tagferry(&["review", "99", "-o", "new.csv"]).exits(3);
    assert!(!desk.path("new.csv").exists());
}

#[test]
fn a_decision_on_an_identifier_needs_no_listing_and_joins_the_rows_of_both() {
    let desk = desk(&["a", "b", "c"], ["id", "stage"], &[]);
    let [a, b, c] = ["a", "b", "c"].map(|name| named(&desk, name).remove(0));
    inventory(
        &desk,
        ["id", "stage"],
        &[[&a, "gold"], [&c, "gold"], ["HOST-00000000000000FF", "gold"]],
    );
    ways(&desk, "entity = \"{{ id }}\"\ndecisions = \"decisions.csv\"");
    desk.write(
        "decisions.csv",
        format!("entity,decision\n{a},{b}\n{c},skip\nhost-00000000000000ff,{b}\n"),
    );
    desk.run().exits(0);
    let told: Vec<_> = desk
        .rows(1)
        .into_iter()
        .map(|row| (row.entity.unwrap(), row.outcome))
        .collect();
    let done = (b.clone(), Outcome::Done);
    assert_eq!(told, [done.clone(), (c, Outcome::Unchanged), done]);
    assert_eq!(stages(&desk), [(b, "gold".to_owned())].into());
    assert_eq!(desk.operations(1).len(), 1);
}

#[test]
fn a_migration_with_unknown_and_ambiguous_names_adds_up() {
    let live: Vec<String> = (0..1000)
        .map(|n| format!("host-{n:04}"))
        .chain((0..10).map(|n| format!("HOST-{n:04}")))
        .collect();
    let live: Vec<&str> = live.iter().map(String::as_str).collect();
    let rows: Vec<String> = (0..970)
        .map(|n| format!("host-{n:04}"))
        .chain((0..30).map(|n| format!("gone-{n:04}")))
        .collect();
    let rows: Vec<[&str; 2]> = rows.iter().map(|name| [name.as_str(), "gold"]).collect();
    let desk = desk(&live, ["name", "stage"], &rows);
    ways(&desk, BY_NAME);
    desk.run().exits(4);
    assert_eq!(
        desk.outcomes(1),
        [(Outcome::Done, 960), (Outcome::Rejected, 40)].into()
    );
    desk.tagferry(&["review", "1", "-o", "decisions.csv"])
        .exits(0)
        .says(&["40 to decide on"]);
    let classes = |class: &str| decided(&desk).iter().filter(|row| row[1] == class).count();
    assert_eq!((classes("ambiguous"), classes("missing")), (10, 30));
    let mut file = "entity,decision\n".to_owned();
    for [entity, class, _] in decided(&desk) {
        let decision = if class == "missing" {
            "skip".to_owned()
        } else {
            named(&desk, &entity).remove(0)
        };
        writeln!(file, "{entity},{decision}").unwrap();
    }
    desk.write("decisions.csv", file);
    desk.run().exits(0);
    assert_eq!(
        desk.outcomes(2),
        [(Outcome::Done, 10), (Outcome::Unchanged, 990)].into()
    );
    assert_eq!(stages(&desk).len(), 970);
}

#[test]
fn what_is_skipped_does_not_count_as_missing_for_the_guard() {
    let rows = [["web-1", "gold"], ["gone-1", "tin"], ["gone-2", "tin"]];
    let desk = desk(&["web-1"], ["name", "stage"], &rows);
    ways(&desk, BY_NAME);
    let text = fs::read_to_string(desk.path("job.toml")).unwrap();
    desk.write("job.toml", text + "[guard]\nmax_missing = 1\n");
    desk.run().exits(5);
    assert_eq!(stages(&desk), BTreeMap::new());
    desk.write("decisions.csv", "entity,decision\ngone-1,skip\n");
    desk.run().exits(4);
    assert_eq!(
        desk.outcomes(2),
        [(Done, 1), (Unchanged, 1), (Rejected, 1)].into()
    );
    assert_eq!(stages(&desk).len(), 1);
}

#[test]
fn a_definition_that_is_skipped_is_not_made() {
    let desk = Desk::new("entities=10&seed=3&auto-tags=7");
    desk.write(
        "job.toml",
        "name = \"move\"\n[source]\nconnection = \"old\"\nkind = \"auto-tag\"\n\
         [target]\nconnection = \"new\"\nkind = \"auto-tag\"\nentity_name = \"{{ name }}\"\n\
         match = { row = \"{{ name | lower }}\", live = \"{{ name | lower }}\" }\n\
         decisions = \"decisions.csv\"\n[document]\n\
         [connections.old]\nvendor = \"dynatrace\"\nurl = \"simulator:state.db\"\n\
         [connections.new]\nvendor = \"dynatrace\"\nurl = \"simulator:new.db?entities=5&seed=3\"\n",
    );
    desk.plan().exits(0);
    let rows = desk.rows(1);
    let name = rows[2].name.clone().unwrap();
    desk.table(
        "decisions.csv",
        ["entity", "decision"],
        [[name.clone(), "skip".to_owned()]],
    );
    let run = |desk: &Desk| {
        desk.run().exits(0);
        desk.states().len().try_into().unwrap()
    };
    let first = run(&desk);
    assert_eq!(
        desk.outcomes(first),
        [(Outcome::Done, 6), (Outcome::Unchanged, 1)].into()
    );
    assert_eq!(desk.rows(first)[2].outcome, Outcome::Unchanged);
    let second = run(&desk);
    assert_eq!(desk.outcomes(second), [(Outcome::Unchanged, 7)].into());
    fs::remove_file(desk.path("decisions.csv")).unwrap();
    let third = run(&desk);
    assert_eq!(
        desk.outcomes(third),
        [(Outcome::Done, 1), (Outcome::Unchanged, 6)].into()
    );
}

#[test]
fn a_vendor_that_lists_nothing_refuses_a_rule_and_takes_decisions_on_identifiers() {
    let desk = Desk::bare();
    desk.table(
        "hosts.csv",
        ["id", "stage"],
        [["JaaS/none".to_owned(), "gold".to_owned()]],
    );
    let oracle = |target: &str| {
        format!(
            "name = \"o\"\n[source]\nfile = \"hosts.csv\"\n[target]\nconnection = \"it\"\nkind = \"JaaS\"\n{target}\n{}\
             [connections.it]\nvendor = \"oracle-paas\"\ntenant = \"acme\"\nurl = \"simulator:o.db?entities=3&seed=3&kind=JaaS\"\n",
            rule("set", "stage", "stage")
        )
    };
    desk.write(
        "job.toml",
        oracle("entity = \"{{ id }}\"\nmatch = { row = \"{{ id }}\", live = \"{{ name }}\" }"),
    );
    for command in ["check", "plan"] {
        desk.tagferry(&[command, "job.toml"])
            .exits(3)
            .says(&["this vendor lists no JaaS, so that names and matches can't be resolved"]);
    }
    desk.write(
        "job.toml",
        oracle("entity = \"{{ id }}\"\ndecisions = \"decisions.csv\""),
    );
    desk.write("decisions.csv", "entity,decision\nJaaS/none,skip\n");
    desk.run().exits(0);
    assert_eq!(desk.outcomes(1), [(Outcome::Unchanged, 1)].into());
}

#[test]
fn what_is_decided_on_an_identifier_does_not_touch_rows_that_are_called_by_their_name() {
    let header = ["id", "name", "stage"];
    for (decision, outcome) in [("skip", Unchanged), ("HOST-00000000000000FF", Rejected)] {
        for order in [[0, 1], [1, 0]] {
            let desk = desk(&["web-1", "web-2"], header, &[]);
            let id = named(&desk, "web-1").remove(0);
            let rows = [[id.as_str(), "", "tin"], [id.as_str(), "web-x", "gold"]];
            inventory(&desk, header, &order.map(|place| rows[place]));
            ways(
                &desk,
                "entity = \"{{ id }}\"\nentity_name = \"{{ name }}\"\ndecisions = \"decisions.csv\"",
            );
            desk.write("decisions.csv", format!("entity,decision\n{id},{decision}\n"));
            desk.run().exits(if outcome == Unchanged { 0 } else { 4 });
            assert_eq!(
                stages(&desk),
                [(id.clone(), "gold".to_owned())].into(),
                "{decision} {order:?}"
            );
            assert_eq!(
                desk.outcomes(1),
                [(outcome, 1), (Done, 1)].into(),
                "{decision} {order:?}"
            );
        }
    }
}

#[test]
fn a_file_of_decisions_keeps_its_mode_and_is_never_a_compressed_one() {
    let desk = unclear();
    desk.plan().exits(0);
    let review = |file| desk.tagferry(&["review", "1", "-o", file]);
    let mode = |file| fs::metadata(desk.path(file)).unwrap().permissions().mode() & 0o777;
    review("decisions.csv").exits(0);
    assert_eq!(mode("decisions.csv"), 0o600);
    fs::set_permissions(desk.path("decisions.csv"), fs::Permissions::from_mode(0o664)).unwrap();
    review("decisions.csv").exits(0);
    assert_eq!(mode("decisions.csv"), 0o664);
    let refused = review("decisions.csv.gz").exits(3);
    assert!(
        refused.err.contains("decisions.csv.gz: it is a table to edit"),
        "{}",
        refused.err
    );
    assert!(!desk.path("decisions.csv.gz").exists());
}
