//! Tag models: keys and values into plain strings and back, value tables and folds of case; and what tags lose where their
//! target does not take them as they are, each class rejected unless the job allows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::desk::{Desk, job, manual};

/// Makes a plan of `job.toml`, as JSON.
fn plan(desk: &Desk) -> Value {
    let planned = desk.tagferry(&["plan", "--json", "job.toml"]).exits(0);
    serde_json::from_str(&planned.out).unwrap()
}

/// Applies a plan, and gives back the rows of its report.
fn apply(desk: &Desk, plan: &Value, exit: i32) -> Vec<Value> {
    let run = plan["run"].to_string();
    desk.tagferry(&["apply", &run]).exits(exit);
    let report = desk.tagferry(&["report", &run, "--format", "json"]).exits(0).out;
    let report: Value = serde_json::from_str(&report).unwrap();
    report["rows"].as_array().unwrap().clone()
}

/// Outcome, class and losses of each row, such as `done` or `rejected illegal`, with `too_long truncated` and the like behind.
fn told(rows: &[Value]) -> Vec<String> {
    let row = |row: &Value| {
        let losses = row["losses"].as_array().unwrap().iter();
        let losses = losses.flat_map(|loss| [&loss["class"], &loss["remedy"]]);
        let words = [&row["outcome"], &row["class"]].into_iter().chain(losses);
        words.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(row).collect()
}

/// Asserts that a further plan changes nothing, and loses the same.
#[track_caller]
fn is_settled(desk: &Desk, first: &Value) {
    let again = plan(desk);
    assert_eq!(again["plan"]["operations"], 0, "{again:#}");
    assert_eq!(again["plan"]["losses"], first["plan"]["losses"]);
}

/// The lines of a connection to a simulated Ops Manager whose groups are those of `groups.csv` (`id`, `name`), without tags.
fn ops(more: &str) -> String {
    format!(
        "[connections.ops]\nvendor = \"mongodb-ops-manager\"\n\
         url = \"simulator:ops.db?inventory=groups.csv&id=id&name=name&tags=none\"\n{more}\n"
    )
}

/// The identifier of the group of a number.
fn group(n: usize) -> String {
    format!("{:024x}", 0xA000_0000 + n)
}

/// A desk with so many groups, and a job that asks for what `rules` say of the rows of `rows.csv`.
fn groups(count: usize, connection: &str, rules: &str) -> Desk {
    let desk = Desk::bare();
    let rows = (0..count).map(|n| [group(n), format!("GROUP-{n}")]);
    desk.table("groups.csv", ["id", "name"], rows);
    write_groups_job(&desk, connection, rules);
    desk
}

fn write_groups_job(desk: &Desk, connection: &str, rules: &str) {
    desk.write(
        "job.toml",
        format!(
            "name = \"models\"\n[source]\nfile = \"rows.csv\"\n[target]\nconnection = \"ops\"\nkind = \"group\"\n\
             entity = \"{{{{ id }}}}\"\n{rules}\n{}",
            ops(connection)
        ),
    );
}

/// The tags of each group, as they are written `key:value`, by identifier.
fn of_groups(desk: &Desk) -> BTreeMap<String, BTreeSet<String>> {
    let out = desk
        .tagferry(&[
            "export", "ops", "--job", "job.toml", "--kind", "group", "--format", "jsonl", "--quiet",
        ])
        .exits(0)
        .out;
    let entity = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        let tag = |tag: &Value| match tag["value"].as_str() {
            Some(value) => format!("{}:{value}", tag["key"].as_str().unwrap()),
            None => tag["key"].as_str().unwrap().to_owned(),
        };
        let tags = record["tags"].as_array().unwrap().iter().map(tag).collect();
        (record["id"].as_str().unwrap().to_owned(), tags)
    };
    out.lines().map(entity).collect()
}

fn set<const N: usize>(tags: [&str; N]) -> BTreeSet<String> {
    tags.map(str::to_owned).into()
}

/// Untagged hosts at a tenant of their own.
fn hosts(count: usize) -> (Desk, Vec<String>) {
    let desk = Desk::new(&format!("entities={count}&seed=3&tags=none"));
    let ids = desk.tenant().hosts().into_keys().collect();
    (desk, ids)
}

#[test]
fn keys_and_values_become_plain_strings_and_by_a_pattern_keys_and_values_again() {
    let (desk, ids) = hosts(2);
    let tenant = desk.tenant();
    tenant.add_all(&ids[0], &[("env", "prod"), ("team", "sre")]);
    tenant.add_all(&ids[1], &[("env", "dev"), ("main", "")]);
    drop(tenant);
    desk.table(
        "groups.csv",
        ["id", "name"],
        (0..2).map(|n| [group(n), format!("G-{n}")]),
    );
    let connections =
        ops("") + "[connections.tenant]\nvendor = \"dynatrace\"\nurl = \"simulator:state.db\"\n";
    let there = |from: &str, to: &str, rules: &str| {
        let [(source, kind), (target, other)] = [from, to].map(|name| match name {
            "ops" => (name, "group"),
            _ => (name, "HOST"),
        });
        desk.write(
            "job.toml",
            format!(
                "name = \"models\"\n[source]\nconnection = \"{source}\"\nkind = \"{kind}\"\n[target]\n\
                 connection = \"{target}\"\nkind = \"{other}\"\nentity = \"{{{{ others[id] }}}}\"\n[lookup.others]\n\
                 map = {{ {} = \"{}\", {} = \"{}\", {} = \"{}\", {} = \"{}\" }}\n[[tags_from]]\ncolumn = \"tags\"\n\
                 {rules}\n{connections}",
                ids[0], group(0), ids[1], group(1), group(0), ids[0], group(1), ids[1]
            ),
        );
    };
    there(
        "tenant",
        "ops",
        "key_as = \"{{ key | upper }}{{ '-' if value else '' }}{{ value | upper }}\"\nvalue_as = \"\"\naction = \"add\"",
    );
    let first = plan(&desk);
    assert_eq!(told(&apply(&desk, &first, 0)), ["done", "done"]);
    assert_eq!(
        of_groups(&desk).into_values().collect::<Vec<_>>(),
        [set(["ENV-PROD", "TEAM-SRE"]), set(["ENV-DEV", "MAIN"])]
    );
    is_settled(&desk, &first);

    there(
        "ops",
        "tenant",
        "pattern = \"(?<key>[A-Z]+)(?:-(?<value>.+))?\"\nkey_as = \"{{ key | lower }}\"\n\
         value_as = \"{{ value | lower }}\"\nprefix = \"back-\"",
    );
    let back = plan(&desk);
    assert_eq!(told(&apply(&desk, &back, 0)), ["done", "done"]);
    let tenant = desk.tenant().hosts();
    assert_eq!(
        ids.iter().map(|id| tenant[id].tags.clone()).collect::<Vec<_>>(),
        [
            [
                ("env", "prod"),
                ("team", "sre"),
                ("back-env", "prod"),
                ("back-team", "sre")
            ]
            .map(|(k, v)| manual(k, v))
            .into(),
            [
                ("env", "dev"),
                ("main", ""),
                ("back-env", "dev"),
                ("back-main", "")
            ]
            .map(|(k, v)| manual(k, v))
            .into(),
        ]
    );
    is_settled(&desk, &back);
}

#[test]
fn a_value_table_and_a_fold_of_case_make_one_tag_of_many_spellings() {
    let (desk, ids) = hosts(2);
    let rows = ["Env=PRD;ENV=prd; Owner = Ann", "env=lab"];
    let rows = ids
        .iter()
        .zip(rows)
        .map(|(id, tags)| [id.clone(), tags.to_owned()]);
    desk.table("hosts.csv", ["id", "tags"], rows);
    desk.job(
        "[lookup.stages]\nmap = { prd = \"production\" }\nfold_case = true\n\
         [[tags_from]]\ncolumn = \"tags\"\nseparator = \";\"\npair = \"=\"\nkey_as = \"{{ key | lower }}\"\n\
         value_as = \"{{ stages.get(value, value) }}\"\n",
    );
    let first = plan(&desk);
    assert_eq!(told(&apply(&desk, &first, 0)), ["done", "done"]);
    let tenant = desk.tenant().hosts();
    assert_eq!(
        tenant[&ids[0]].tags,
        [manual("env", "production"), manual("owner", "Ann")].into()
    );
    assert_eq!(tenant[&ids[1]].tags, [manual("env", "lab")].into());
    is_settled(&desk, &first);
}

/// Three hosts: one row is as it should be, one has a value that is too long, one a character that is not allowed.
fn unfit(losses: &str) -> (Desk, Vec<String>) {
    let (desk, ids) = hosts(3);
    let long = "x".repeat(2_001);
    let rows = [("ok", "ok"), ("ok", long.as_str()), ("a\u{7}b", "ok")];
    let row = |(id, (a, b)): (&String, (&str, &str))| [id.clone(), a.to_owned(), b.to_owned()];
    desk.table("hosts.csv", ["id", "a", "b"], ids.iter().zip(rows).map(row));
    desk.job(&format!(
        "[losses]\n{losses}\n[[tags_from]]\ncolumns = [\"a\", \"b\"]\n"
    ));
    (desk, ids)
}

#[test]
fn what_is_too_long_or_illegal_rejects_its_row_unless_the_job_lets_it_be_changed_or_dropped() {
    let cut = format!(
        "{}-{}",
        "x".repeat(1_991),
        &blake3::hash("x".repeat(2_001).as_bytes()).to_hex()[..8]
    );
    let whole = [("a", "ok"), ("b", "ok")];
    let changed = [("a", "ok"), ("b", cut.as_str())];
    for (losses, exit, lost, rows, live) in [
        (
            "",
            4,
            json!({}),
            ["done", "rejected too_long", "rejected illegal"],
            [whole.to_vec(), vec![], vec![]],
        ),
        (
            "too_long = \"truncate\"\nillegal = \"replace\"",
            0,
            json!({ "too_long": { "truncated": 1 }, "illegal": { "replaced": 1 } }),
            ["done", "done too_long truncated", "done illegal replaced"],
            [whole.to_vec(), changed.to_vec(), vec![("a", "a_b"), ("b", "ok")]],
        ),
        (
            "too_long = \"drop\"\nillegal = \"drop\"",
            0,
            json!({ "too_long": { "dropped": 1 }, "illegal": { "dropped": 1 } }),
            ["done", "done too_long dropped", "done illegal dropped"],
            [whole.to_vec(), vec![("a", "ok")], vec![("b", "ok")]],
        ),
    ] {
        let (desk, ids) = unfit(losses);
        let first = plan(&desk);
        assert_eq!(first["plan"]["losses"], lost, "{losses}");
        assert_eq!(told(&apply(&desk, &first, exit)), rows, "{losses}");
        let tenant = desk.tenant().hosts();
        for (id, want) in ids.iter().zip(live) {
            let want = want.into_iter().map(|(key, value)| manual(key, value)).collect();
            assert_eq!(tenant[id].tags, want, "{losses}");
        }
        is_settled(&desk, &first);
    }
}

#[test]
fn losses_are_told_by_check_plan_show_and_every_report() {
    let (desk, ids) = unfit("too_long = \"truncate\"\nillegal = \"drop\"");
    let line = "losses: illegal 1 (dropped), too_long 1 (truncated)\n";
    let illegal = "illegal (dropped): value of `a` holds \\u{7}, which is not allowed; the tag is left out";
    let checked = desk.tagferry(&["check", "job.toml"]).exits(0).out;
    let told: Vec<&str> = checked.lines().collect();
    assert_eq!(
        told[2],
        "hosts.csv:4: illegal (dropped): value of `a` holds \\u{7}, which is not allowed; the tag is left out"
    );
    assert!(
        told[1].starts_with("hosts.csv:3: too_long (truncated): value of `b`"),
        "{checked}"
    );
    assert!(checked.contains(line), "{checked}");
    let planned = desk.plan().exits(0).out;
    assert!(planned.contains(line), "{planned}");
    let shown = desk.tagferry(&["show", "1", "--format", "markdown"]).exits(0).out;
    assert!(
        shown.contains("\nLosses: illegal 1 (dropped), too_long 1 (truncated).\n"),
        "{shown}"
    );

    let ran = desk.tagferry(&["run", "--fresh", "job.toml"]).exits(0);
    assert!(
        ran.err
            .contains("; losses: illegal 1 (dropped), too_long 1 (truncated)"),
        "{}",
        ran.err
    );
    let text = desk.tagferry(&["report", "2"]).exits(0).out;
    let first = format!(
        "hosts.csv:3: truncated (too_long): {}: value of `b` has 2001 characters, and 2000 fit: it ends",
        ids[1]
    );
    let second = format!("hosts.csv:4: dropped (illegal): {}: value of `a` holds", ids[2]);
    let lines: Vec<&str> = text.lines().take(3).collect();
    assert!(
        lines[0].starts_with(&first) && lines[1].starts_with(&second) && lines[2].is_empty(),
        "{text}"
    );
    let csv = desk.tagferry(&["report", "2", "--format", "csv"]).exits(0).out;
    let rows: Vec<BTreeMap<String, String>> = csv::Reader::from_reader(csv.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap();
    let losses: Vec<&str> = rows.iter().map(|row| row["losses"].as_str()).collect();
    assert_eq!((losses[0], losses[2]), ("", illegal));
    assert!(
        losses[1].starts_with("too_long (truncated): value of `b`"),
        "{}",
        losses[1]
    );
}

#[test]
fn a_key_stays_whose_replacement_is_dropped() {
    let (desk, ids) = hosts(2);
    let tenant = desk.tenant();
    for id in &ids {
        tenant.add(id, "env", "prod");
    }
    drop(tenant);
    let values = ["x".repeat(2_001), "prod".to_owned()];
    desk.table(
        "hosts.csv",
        ["id", "stage"],
        ids.iter().cloned().zip(values).map(|(id, value)| [id, value]),
    );
    let rules = "[losses]\ntoo_long = \"drop\"\n[[tag]]\nkey = \"stage\"\nvalue = \"{{ stage }}\"\nreplaces = \"env\"\n";
    desk.write("job.toml", job(rules));
    let first = plan(&desk);
    let rows = apply(&desk, &first, 0);
    assert_eq!(told(&rows), ["unchanged too_long dropped", "done"]);
    let message = rows[0]["losses"][0]["message"].as_str().unwrap();
    assert!(
        message.ends_with("the tag is left out, and `env`, which it was to replace, stays"),
        "{message}"
    );
    let tenant = desk.tenant().hosts();
    assert_eq!(tenant[&ids[0]].tags, [manual("env", "prod")].into());
    assert_eq!(tenant[&ids[1]].tags, [manual("stage", "prod")].into());
    is_settled(&desk, &first);
}

const LIST: &str = "[[tags_from]]\ncolumn = \"tags\"\nseparator = \";\"\naction = \"add\"\n";

#[test]
fn tags_that_find_no_room_reject_their_rows_or_are_dropped_whatever_the_order_of_the_rows() {
    let names: Vec<String> = (1..=12).map(|n| format!("T{n:02}")).collect();
    let (low, high) = (names[..6].join(";"), names[6..].join(";"));
    for (losses, order, want) in [
        ("", [&low, &high], "rejected full"),
        (
            "over_count = \"drop\"",
            [&low, &high],
            "done full dropped full dropped",
        ),
        (
            "over_count = \"drop\"",
            [&high, &low],
            "done full dropped full dropped",
        ),
    ] {
        let desk = groups(1, "", &format!("[losses]\n{losses}\n{LIST}"));
        desk.table(
            "rows.csv",
            ["id", "tags"],
            order.map(|tags| [group(0), tags.clone()]),
        );
        let first = plan(&desk);
        let (exit, counts, carried) = if losses.is_empty() {
            (4, json!({}), BTreeSet::new())
        } else {
            (
                0,
                json!({ "full": { "dropped": 2 } }),
                names[..10].iter().cloned().collect(),
            )
        };
        assert_eq!(first["plan"]["losses"], counts);
        assert_eq!(told(&apply(&desk, &first, exit)), [want, want], "{losses}");
        assert_eq!(of_groups(&desk)[&group(0)], carried, "{losses}");
        is_settled(&desk, &first);
    }
}

#[test]
fn what_was_to_be_replaced_stays_where_a_tag_finds_no_room() {
    let desk = groups(1, "join = \".\"", &LIST.replace("action", "pair = \".\"\naction"));
    let carried: Vec<String> = std::iter::once("ENV.PROD".to_owned())
        .chain((1..10).map(|n| format!("T{n}.X")))
        .collect();
    desk.table("rows.csv", ["id", "tags"], [[group(0), carried.join(";")]]);
    apply(&desk, &plan(&desk), 0);
    let before = of_groups(&desk);
    assert_eq!(before[&group(0)].len(), 10);
    let rules = "[losses]\nover_count = \"drop\"\n[[tag]]\nkey = \"STAGE\"\nvalue = \"PROD\"\nreplaces = \"ENV\"\n\
                 [[tag]]\nkey = \"A\"\nvalue = \"NEW\"\n";
    write_groups_job(&desk, "join = \".\"", rules);
    let first = plan(&desk);
    assert_eq!(
        told(&apply(&desk, &first, 0)),
        ["unchanged full dropped full dropped"]
    );
    assert_eq!(of_groups(&desk), before);
}

#[test]
fn what_the_target_rewrites_is_no_loss_where_the_connection_asks_for_it_unless_the_job_says_so() {
    let rewritten = json!({ "rewritten": { "allowed": 1 } });
    for (losses, exit, lost, want) in [
        ("", 0, json!({}), "done"),
        ("rewritten = \"allow\"", 0, rewritten, "done rewritten allowed"),
        ("rewritten = \"reject\"", 4, json!({}), "rejected rewritten"),
    ] {
        let desk = groups(
            1,
            "lower_case = \"upper\"",
            &format!("[losses]\n{losses}\n{LIST}"),
        );
        desk.table("rows.csv", ["id", "tags"], [[group(0), "prod;EU".to_owned()]]);
        let first = plan(&desk);
        assert_eq!(first["plan"]["losses"], lost, "{losses}");
        assert_eq!(told(&apply(&desk, &first, exit)), [want], "{losses}");
        let carried = if exit == 0 { set(["EU", "PROD"]) } else { set([]) };
        assert_eq!(of_groups(&desk)[&group(0)], carried, "{losses}");
        is_settled(&desk, &first);
    }
}

#[test]
fn plain_strings_that_do_not_fit_are_cut_and_replaced_in_capitals() {
    let desk = groups(
        2,
        "",
        &format!("[losses]\ntoo_long = \"truncate\"\nillegal = \"replace\"\n{LIST}"),
    );
    let long = "A-NAME-THAT-IS-LONGER-THAN-32-CHARACTERS";
    let rows = [[group(0), long.to_owned()], [group(1), "TEAM A/B".to_owned()]];
    desk.table("rows.csv", ["id", "tags"], rows);
    let first = plan(&desk);
    assert_eq!(
        told(&apply(&desk, &first, 0)),
        ["done too_long truncated", "done illegal replaced"]
    );
    let digits = blake3::hash(long.as_bytes()).to_hex()[..8].to_uppercase();
    let cut = format!("{}-{digits}", &long[..23]);
    let carried: Vec<BTreeSet<String>> = of_groups(&desk).into_values().collect();
    assert_eq!(carried, [set([&cut]), set(["TEAM_A_B"])]);
    is_settled(&desk, &first);
}

#[test]
fn a_value_that_is_too_long_once_rows_are_joined_is_told_while_planning_or_cut() {
    for (losses, want) in [
        ("", "rejected too_long"),
        ("too_long = \"truncate\"", "done too_long truncated"),
        ("too_long = \"drop\"", "unchanged too_long dropped"),
    ] {
        let rules = format!("[losses]\n{losses}\n[[tag]]\nkey = \"OWNER\"\nvalue = \"{{{{ owner }}}}\"\n");
        let desk = groups(1, "join = \".\"", &rules);
        let text = std::fs::read_to_string(desk.path("job.toml")).unwrap();
        let joining = "kind = \"group\"\ncollision = \"join\"\nseparator = \"_\"";
        desk.write("job.toml", text.replace("kind = \"group\"", joining));
        let owners = ["TEAM-OF-NETWORKS", "TEAM-OF-DATABASES"];
        desk.table(
            "rows.csv",
            ["id", "owner"],
            owners.map(|owner| [group(0), owner.to_owned()]),
        );
        let first = plan(&desk);
        let exit = if losses.is_empty() { 4 } else { 0 };
        assert_eq!(told(&apply(&desk, &first, exit)), [want, want], "{losses}");
        let digits = blake3::hash(owners.join("_").as_bytes()).to_hex()[..8].to_uppercase();
        let carried = if want.contains("truncated") {
            set([&format!("OWNER:TEAM-OF-NETWORKS_-{digits}")])
        } else {
            set([])
        };
        assert_eq!(of_groups(&desk)[&group(0)], carried, "{losses}");
        is_settled(&desk, &first);
    }
}

#[test]
fn keys_that_go_or_are_replaced_are_meant_as_the_target_spells_them() {
    let upper = "join = \".\"\nlower_case = \"upper\"";
    let set = |key: &str, more: &str| format!("[[tag]]\nkey = \"{key}\"\nvalue = \"prod\"\n{more}\n");
    let carries = |desk: &Desk, want: &[&str]| {
        let want: BTreeSet<String> = want.iter().map(|tag| (*tag).to_owned()).collect();
        assert_eq!(of_groups(desk)[&group(0)], want);
    };
    let desk = groups(1, upper, &set("env", ""));
    desk.table("rows.csv", ["id"], [[group(0)]]);
    apply(&desk, &plan(&desk), 0);
    carries(&desk, &["ENV:PROD"]);
    for (dwell, want) in [("1h", &["ENV:PROD", "STAGE:PROD"][..]), ("1ms", &["STAGE:PROD"])] {
        let rules = format!("dwell = \"{dwell}\"\n{}", set("stage", "replaces = \"env\""));
        write_groups_job(&desk, upper, &rules);
        // A plan that nobody applies begins no rest.
        plan(&desk);
        apply(&desk, &plan(&desk), 0);
        carries(&desk, want);
    }
    write_groups_job(&desk, upper, "[[tag]]\nkey = \"stage\"\naction = \"remove\"\n");
    apply(&desk, &plan(&desk), 0);
    carries(&desk, &[]);
}
