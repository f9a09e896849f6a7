//! Live entities as the rows of a job: from one tenant to another, within one, and between vendors.

use std::collections::BTreeSet;

use tagferry::model::{Class, Outcome};

use super::desk::{Desk, manual};
use super::harness::{Simulator, Workspace, hosts};

/// A job from `old` to `new`, both embedded simulators of Dynatrace; `rules` follow the target.
fn from_old_to_new(desk: &Desk, source: &str, rules: &str) {
    desk.write(
        "job.toml",
        format!(
            "name = \"move\"\n[source]\nconnection = \"old\"\n{source}\n[target]\nconnection = \"new\"\n{rules}\n\
             [connections.old]\nvendor = \"dynatrace\"\nurl = \"simulator:state.db\"\n\
             [connections.new]\nvendor = \"dynatrace\"\nurl = \"simulator:new.db?entities=60&seed=3&tags=none\"\n"
        ),
    );
}

const BY_ID: &str = "kind = \"HOST\"\nentity = \"{{ id }}\"\n";

#[test]
fn tags_are_carried_from_one_tenant_to_another_and_rows_name_the_entities_that_they_came_from() {
    let desk = Desk::new("entities=60&seed=3");
    from_old_to_new(
        &desk,
        "kind = \"HOST\"",
        &format!("{BY_ID}[[tags_from]]\ncolumn = \"tags\"\naction = \"add\""),
    );
    desk.tagferry(&["check", "job.toml"]).exits(0);
    let ended = desk.run().exits(0);
    assert!(ended.err.contains("60 rows"), "{}", ended.err);

    let rows = desk.rows(1);
    let origins: BTreeSet<String> = rows.iter().map(|row| row.origin.to_string()).collect();
    let want: BTreeSet<String> = hosts(60, 3).iter().map(|id| format!("old:HOST/{id}")).collect();
    assert_eq!(origins, want);
    let report = desk.tagferry(&["report", "1", "--format", "csv"]).exits(0).out;
    let first = format!(
        "\"{}\",\"\",\"{}\"",
        rows[0].origin,
        rows[0].entity.as_deref().unwrap()
    );
    assert!(report.contains(&first), "{first} in {report}");

    // Everything that anybody or a rule gave a host is there now, by hand.
    let (old, new) = (desk.tenant().hosts(), tenant_of(&desk, "new.db"));
    for (id, host) in &old {
        let contextless: BTreeSet<_> = host
            .tags
            .iter()
            .filter(|tag| tag.0 == "CONTEXTLESS")
            .cloned()
            .collect();
        assert_eq!(new[id], contextless, "{id}");
    }
    let before = desk.journal().len();
    desk.run().exits(0);
    assert_eq!(desk.outcomes(3)[&Outcome::Unchanged], 60, "run 2 is the export");
    let asked = desk.asked_since(before);
    assert_eq!(
        (asked.reads, asked.writes),
        (1, 0),
        "the source is read and never written"
    );
}

/// The contextless tags of each host of a state file, by what an export says of them.
fn tenant_of(desk: &Desk, state: &str) -> std::collections::BTreeMap<String, BTreeSet<super::desk::Shown>> {
    desk.write(
        "look.toml",
        format!(
            "name = \"look\"\n[source]\nfile = \"-\"\n[target]\nconnection = \"it\"\nkind = \"HOST\"\nentity = \"{{{{ id }}}}\"\n\
             [[tag]]\nkey = \"x\"\n[connections.it]\nvendor = \"dynatrace\"\nurl = \"simulator:{state}\"\n"
        ),
    );
    let out = desk
        .tagferry(&[
            "export",
            "it",
            "--job",
            "look.toml",
            "--format",
            "jsonl",
            "--quiet",
        ])
        .exits(0)
        .out;
    let host = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let tags = record["tags"].as_array().unwrap().iter();
        let tag = |tag: &serde_json::Value| {
            manual(
                tag["key"].as_str().unwrap(),
                tag["value"].as_str().unwrap_or_default(),
            )
        };
        (record["id"].as_str().unwrap().to_owned(), tags.map(tag).collect())
    };
    out.lines().map(host).collect()
}

#[test]
fn a_tenant_reads_and_writes_itself_through_one_connection() {
    let desk = Desk::new("entities=60&seed=3");
    let hosts = desk.tenant().hosts();
    let of_prod = |host: &super::desk::Entity| host.values("env").contains("prod");
    let wanted: BTreeSet<&String> = hosts
        .iter()
        .filter(|(_, host)| of_prod(host) && host.name.starts_with("web-"))
        .map(|(id, _)| id)
        .collect();
    assert!((1..30).contains(&wanted.len()), "{}", wanted.len());
    desk.write(
        "job.toml",
        "name = \"stage\"\n[source]\nconnection = \"tenant\"\nname = \"WEB-*\"\ntag = [\"env=prod\"]\n\
         [target]\nconnection = \"tenant\"\nkind = \"HOST\"\nentity = \"{{ id }}\"\n\
         [[tag]]\nkey = \"stage\"\nvalue = \"{{ tagged.env }}/{{ name | upper }}\"\n\
         [connections.tenant]\nvendor = \"dynatrace\"\nurl = \"simulator:state.db\"\n",
    );
    let before = desk.journal().len();
    desk.run().exits(0);
    let first = desk.journal()[before]["target"].as_str().unwrap().to_owned();
    assert!(
        first.contains("entityName.startsWith%28%22WEB-%22%29"),
        "the vendor chooses: {first}"
    );
    let after = desk.tenant().hosts();
    let tagged: BTreeSet<&String> = after
        .iter()
        .filter(|(_, host)| !host.values("stage").is_empty())
        .map(|(id, _)| id)
        .collect();
    assert_eq!(tagged, wanted);
    for id in wanted {
        let stage = format!(
            "{}/{}",
            hosts[id].values("env").first().unwrap(),
            hosts[id].name.to_uppercase()
        );
        assert_eq!(after[id].values("stage"), BTreeSet::from([stage.as_str()]));
    }
}

#[test]
fn definitions_are_copied_from_tenant_to_tenant_as_they_are() {
    let desk = Desk::new("entities=10&seed=3&auto-tags=7");
    let rules = "kind = \"auto-tag\"\nentity_name = \"{{ name }}\"\n[document]\n";
    from_old_to_new(&desk, "kind = \"auto-tag\"", rules);
    desk.run().exits(0);
    assert_eq!(desk.outcomes(1)[&Outcome::Done], 7, "{:?}", desk.rows(1));
    desk.run().exits(0);
    assert_eq!(desk.outcomes(2)[&Outcome::Unchanged], 7);
    from_old_to_new(&desk, "kind = \"auto-tag\"\ntag = \"env\"", rules);
    desk.plan()
        .exits(3)
        .says(&["is a definition and carries no tags"]);
}

#[test]
fn a_group_that_hides_its_tags_is_rejected_by_name_and_the_others_go_on() {
    let desk = Desk::bare();
    desk.write(
        "job.toml",
        "name = \"groups\"\n[source]\nconnection = \"old\"\nkind = \"group\"\n\
         [target]\nconnection = \"new\"\nkind = \"group\"\nentity = \"{{ id }}\"\n\
         [[tags_from]]\ncolumn = \"tags\"\naction = \"add\"\n\
         [connections.old]\nvendor = \"mongodb-ops-manager\"\nurl = \"simulator:old.db?entities=5&seed=3&tags-field=hidden\"\n\
         [connections.new]\nvendor = \"mongodb-ops-manager\"\nurl = \"simulator:new.db?entities=5&seed=3\"\n",
    );
    desk.run().exits(4);
    let rows = desk.rows(1);
    assert_eq!(rows.len(), 5);
    for row in rows {
        assert_eq!(
            (row.outcome, row.class),
            (Outcome::Rejected, Some(Class::Hidden)),
            "{row:?}"
        );
        assert!(row.origin.to_string().starts_with("old:group/"), "{}", row.origin);
    }
}

#[test]
fn a_vendor_that_tells_of_tagged_services_alone_is_read_by_them_and_one_that_lists_none_is_refused() {
    let desk = Desk::bare();
    let job = |kind: &str, vendor: &str| {
        format!(
            "name = \"out\"\n[source]\nconnection = \"old\"\nkind = \"{kind}\"\n\
             [target]\nconnection = \"new\"\nkind = \"HOST\"\nentity_name = \"{{{{ id }}}}\"\n\
             [[tags_from]]\ncolumn = \"tags\"\naction = \"add\"\n[guard]\nmax_missing = \"100%\"\n\
             [connections.old]\n{vendor}\n\
             [connections.new]\nvendor = \"dynatrace\"\nurl = \"simulator:new.db?entities=5&seed=3\"\n"
        )
    };
    let oracle = "vendor = \"oracle-paas\"\ntenant = \"acme\"\nurl = \"simulator:old.db?entities=30&seed=3&kind=JaaS\"";
    desk.write("job.toml", job("JaaS", oracle));
    desk.plan().exits(0);
    let rows = desk.rows(1);
    assert!((1..=30).contains(&rows.len()), "{}", rows.len());
    for row in rows {
        assert!(
            row.origin.to_string().starts_with("old:JaaS/JaaS/"),
            "{}",
            row.origin
        );
    }

    let atlas = "vendor = \"mongodb-atlas\"\nurl = \"simulator:atlas.db?kind=project,cluster\"";
    desk.write("job.toml", job("cluster", atlas));
    let why = "`cluster` can't be read from `old`: this vendor lists none of that kind";
    desk.plan().exits(3).says(&[why]);
    desk.tagferry(&["check", "job.toml"]).exits(3).says(&[why]);
}

#[test]
fn an_entity_is_one_row_though_the_listing_began_again() {
    let workspace = Workspace::new();
    let options = [
        "--entities",
        "120",
        "--seed",
        "7",
        "--fault",
        "stale-cursor,after=2,count=1",
    ];
    let simulator = Simulator::serve(&workspace, &options);
    workspace.write(
        "job.toml",
        &format!(
            "name = \"self\"\n[source]\nconnection = \"it\"\n[target]\nconnection = \"it\"\nkind = \"HOST\"\n\
             entity = \"{{{{ id }}}}\"\n[[tag]]\nkey = \"seen\"\nvalue = \"yes\"\n[connections.it]\nvendor = \"dynatrace\"\n\
             url = \"{}\"\ntoken = {{ env = \"DT_API_TOKEN\" }}\npage_size = 20\n",
            simulator.url()
        ),
    );
    let ended = workspace.run(&["run", "job.toml"]).expect(0);
    assert!(
        ended.stderr.contains("a listing is read again"),
        "{}",
        ended.stderr
    );
    assert_eq!(workspace.ledger().rows(1).len(), 120);
    simulator.check_attempts(&workspace.ledger().attempts());
}

#[test]
fn a_selector_in_the_vendors_own_words_chooses_there_and_one_that_can_not_be_meant_is_refused() {
    let desk = Desk::new("entities=60&seed=3");
    let rules = format!("{BY_ID}[[tags_from]]\ncolumn = \"tags\"\naction = \"add\"");
    let hosts = desk.tenant().hosts();
    let in_prod: BTreeSet<String> = hosts
        .iter()
        .filter(|(_, host)| host.values("env").contains("prod"))
        .map(|(id, _)| format!("old:HOST/{id}"))
        .collect();
    assert!((2..50).contains(&in_prod.len()), "{}", in_prod.len());
    for source in ["selector = 'tag(\"env:prod\")'", "tag = \"env=prod\""] {
        from_old_to_new(&desk, &format!("kind = \"HOST\"\n{source}"), &rules);
        let before = desk.journal().len();
        let ended = desk.plan().exits(0);
        let asked = &desk.journal()[before];
        let target = asked["target"].as_str().unwrap_or_default();
        assert!(target.contains("tag%28%22env%3Aprod%22%29"), "{asked}");
        assert!(
            ended.out.contains(&format!("rows: {} read", in_prod.len())),
            "{}",
            ended.out
        );
    }
    let origins: BTreeSet<String> = desk.rows(1).iter().map(|row| row.origin.to_string()).collect();
    assert_eq!(origins, in_prod);

    let chosen = [
        "--kind",
        "HOST",
        "--selector",
        "not(tag(\"env:prod\"))",
        "--format",
        "jsonl",
    ];
    let exported = desk.tagferry(&[&["export", "old", "--job", "job.toml"], &chosen[..]].concat());
    // What the job's own filter asks for still holds.
    assert_eq!(exported.exits(0).out.lines().count(), 0);

    from_old_to_new(&desk, "kind = \"HOST\"\nselector = 'type(SERVICE)'", &rules);
    let refused = desk.plan().exits(3);
    assert!(
        refused.err.contains("`selector`: the kind is `HOST` already"),
        "{}",
        refused.err
    );
    from_old_to_new(&desk, "kind = \"HOST\"\nselector = 'nonsense('", &rules);
    let refused = desk.plan();
    assert_ne!(refused.code, Some(0), "{}", refused.out);
    assert!(refused.err.contains("400"), "{}", refused.err);
}
