//! The same job again: no write, and no more reads than the vendor's paging makes necessary.

use super::desk::{Asked, Desk, rule};
use tagferry::model::Outcome;

/// Identifiers that fit into one selector of 1,900 characters: `HOST-` and 16 digits, two quotes and a comma each.
const IDS_A_SELECTOR: usize = 1_900 / 24;

/// A desk of 1,200 hosts, of which the job names the first so many.
fn some_of_1200(named: usize, rules: &str) -> Desk {
    let desk = Desk::new("entities=1200&seed=3");
    let hosts = desk.tenant().hosts();
    let rows = hosts.into_keys().take(named).enumerate();
    let row = |(n, id): (usize, String)| [id, format!("team-{}", n % 7), format!("rack-{}", n % 40)];
    desk.table("hosts.csv", ["id", "team", "rack"], rows.map(row));
    desk.job(rules);
    desk
}

#[test]
fn an_unchanged_inventory_costs_no_write_and_the_fewest_reads() {
    let rules = rule("set", "squad", "team") + &rule("add", "rack", "rack");
    for named in [1, 70, 150, 700, 1_200] {
        let desk = some_of_1200(named, &rules);
        desk.run().exits(0);
        assert_eq!(desk.outcomes(1), [(Outcome::Done, named)].into());
        let tags = desk.tenant().hosts();
        let before = desk.journal().len();
        desk.run().exits(0);
        let asked = desk.asked_since(before);
        let most = 1_200_usize.div_ceil(500).min(named.div_ceil(IDS_A_SELECTOR));
        assert!(
            asked.reads <= most,
            "{named} rows: {asked:?}, and {most} reads are enough"
        );
        assert_eq!((asked.writes, asked.ownership), (0, 0), "{named} rows");
        assert_eq!(desk.outcomes(2), [(Outcome::Unchanged, named)].into());
        assert_eq!(desk.operations(2), Vec::<String>::new());
        assert_eq!(desk.tenant().hosts(), tags);
    }
}

#[test]
fn what_a_rule_of_the_vendor_makes_costs_reads_to_tell_and_still_no_write() {
    // The generator gives a twentieth of the hosts `tier:gold` by hand and as many by a rule.
    let desk = some_of_1200(1_200, &rule("set", "tier", "team"));
    desk.run().exits(0);
    let before = desk.journal().len();
    desk.run().exits(0);
    let Asked {
        reads,
        ownership,
        writes,
    } = desk.asked_since(before);
    assert_eq!((reads, writes), (3, 0));
    let hosts = desk.tenant().hosts();
    let ruled = hosts
        .values()
        .filter(|host| host.values("tier").contains("gold"))
        .count();
    assert!(ruled > 20, "the population has some");
    assert_eq!(
        ownership,
        ruled.div_ceil(IDS_A_SELECTOR),
        "one question for each group of them"
    );
}

#[test]
fn rows_that_repeat_each_other_are_one_wish() {
    let desk = Desk::new("entities=3&seed=3");
    let ids: Vec<String> = desk.tenant().hosts().into_keys().collect();
    let rows = ids.iter().chain(&ids).map(|id| [id.clone(), "a".to_owned()]);
    desk.table("hosts.csv", ["id", "team"], rows);
    desk.job(&rule("set", "squad", "team"));
    desk.run().exits(0);
    assert_eq!(desk.outcomes(1), [(Outcome::Done, 6)].into());
    assert_eq!(desk.operations(1).len(), 3);
    assert_eq!(desk.asked_since(0).writes, 1);
}
