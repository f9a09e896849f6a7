//! What the vendor's reference leaves open must not matter: the same job ends the same, whichever way the vendor is.

use super::desk::{Desk, job, manual, rule};

/// Every switch of the simulator away from its default.
const SWITCHES: &[&str] = &[
    "missing-tag=400",
    "missing-tag=409",
    "partial-delete=refuse",
    "unmatched-delete=error",
    "count=changed",
    "representation=escaped",
    "bare-tag=any",
    "quote-escape=tilde",
    "last-page=null",
    "full-status=404",
    "full-status=409",
    "max-page=50",
    "stale=0.5",
    "partial-delete=refuse&missing-tag=400&count=changed&unmatched-delete=error",
];

#[test]
fn a_job_ends_the_same_whichever_way_the_vendor_is() {
    for switch in SWITCHES {
        let stale = switch
            .strip_prefix("stale=")
            .map(|share| format!("&stale={share}"))
            .unwrap_or_default();
        let desk = Desk::new(&format!("entities=150&seed=3&tags=none{stale}"));
        let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
        // Every host loses `env:old`, a third of them never had it; every third text is an awkward one.
        let tenant = desk.tenant();
        for (n, id) in ids.iter().enumerate().filter(|(n, _)| n % 3 != 0) {
            tenant.add_all(id, &[("env", "old"), ("gone", ["a:b", "say \"hi\"", "x"][n % 3])]);
        }
        drop(tenant);
        let row = |(n, id): (usize, &String)| {
            [
                id.clone(),
                format!("team {}", n % 5),
                ["a:b", "back\\slash", "50%"][n % 3].to_owned(),
            ]
        };
        desk.table(
            "hosts.csv",
            ["id", "team", "text"],
            ids.iter().enumerate().map(row),
        );
        let rules = rule("set", "env", "team") + &rule("add", "text", "text");
        let rules = rules + "[[tag]]\nkey = \"gone\"\naction = \"remove\"\n[guard]\nmax_changes = \"100%\"\n";
        let url = match stale.as_str() {
            "" => format!("simulator:state.db?{switch}"),
            _ => "simulator:state.db".to_owned(),
        };
        desk.write("job.toml", job(&rules).replace("simulator:state.db", &url));
        desk.run().exits(0);
        for ((n, id), host) in ids.iter().enumerate().zip(desk.tenant().hosts().values()) {
            let [_, team, text] = row((n, id));
            assert_eq!(
                host.tags,
                [manual("env", &team), manual("text", &text)].into(),
                "{switch}: {id}"
            );
        }
        desk.tagferry(&["plan", "--detailed-exitcode", "job.toml"])
            .exits(0);
    }
}

#[test]
fn plain_strings_end_the_same_too() {
    for switch in [
        "v1-colon=split",
        "v1-unknown=400",
        "v1-unknown=409",
        "missing-tag=400",
        "missing-tag=409",
    ] {
        let desk = Desk::new("entities=20&seed=3&tags=none");
        let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
        desk.tenant().add_all(&ids[0], &[("old", ""), ("kept", "")]);
        desk.table("hosts.csv", ["id"], ids.iter().map(|id| [id.clone()]));
        let rules =
            "[[tag]]\nkey = \"new one\"\naction = \"add\"\n[[tag]]\nkey = \"old\"\naction = \"remove\"\n";
        let text = job(rules).replace("simulator:state.db", &format!("simulator:state.db?{switch}"));
        desk.write("job.toml", text + "api = \"v1\"\n");
        desk.run().exits(0);
        let hosts = desk.tenant().hosts();
        assert_eq!(
            hosts[&ids[0]].tags,
            [manual("kept", ""), manual("new one", "")].into(),
            "{switch}"
        );
        assert!(
            ids[1..]
                .iter()
                .all(|id| hosts[id].tags == [manual("new one", "")].into()),
            "{switch}"
        );
    }
}

#[test]
fn a_selector_that_is_counted_otherwise_says_what_to_lower() {
    let desk = Desk::new("entities=150&seed=3&tags=none");
    let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
    for id in &ids {
        desk.tenant().add(id, "env", "old");
    }
    desk.table(
        "hosts.csv",
        ["id", "env"],
        ids.into_iter().map(|id| [id, "new".to_owned()]),
    );
    let text = job(&(rule("set", "env", "env") + "[guard]\nmax_changes = \"100%\"\n"));
    let text = text.replace("simulator:state.db", "simulator:state.db?selector-length=encoded");
    desk.write("job.toml", &text);
    desk.run()
        .exits(5)
        .says(&["entitySelector", "lower `selector_chars` of the connection"]);
    assert_eq!(
        desk.tenant()
            .hosts()
            .values()
            .filter(|host| host.values("env").contains("new"))
            .count(),
        0
    );
    desk.write("job.toml", text + "selector_chars = 1400\n");
    desk.run().exits(0);
    assert!(
        desk.tenant()
            .hosts()
            .values()
            .all(|host| host.values("env") == ["new"].into())
    );
}
