//! What the README says is so: the output that it shows, the keys of its job file, its commands and codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tagferry::model::Outcome;

use crate::samples::Desk;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The rows of the table whose header begins with a word, each with its cells.
fn table<'t>(text: &'t str, header: &str) -> Vec<Vec<&'t str>> {
    let begin = format!("| {header} |");
    let lines = text.lines().skip_while(|line| !line.starts_with(&begin)).skip(2);
    lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

/// The texts between backticks.
fn literals(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_samples_print_what_the_readme_shows() {
    let (desk, readme) = (Desk::new(), readme());
    for sample in ["quickstart", "messy"] {
        let ended = desk.tagferry(&["run", &format!("samples/{sample}/job.toml")]);
        // How many calls it takes may change with the packing.
        let told: Vec<&str> = ended
            .stdout
            .lines()
            .filter(|line| !line.starts_with("calls:"))
            .collect();
        assert!(told.len() > 2, "{}", ended.stderr);
        assert!(
            readme.contains(&told.join("\n")),
            "{sample}: not shown: {}",
            told.join("\n")
        );
    }
}

#[test]
fn the_plan_of_the_quickstart_is_what_the_readme_shows() {
    let plan = Desk::new().tagferry(&["plan", "samples/quickstart/job.toml"]);
    // What stands above says where the samples are, and how many calls the packing takes.
    let (_, groups) = plan.stdout.split_once("\n\n").unwrap();
    assert!(readme().contains(groups), "not shown: {groups}");
}

#[test]
fn every_key_of_a_job_is_in_the_readme() {
    let schema: Value = serde_json::from_str(&Desk::new().tagferry(&["schema"]).stdout).unwrap();
    let readme = readme();
    let cells: String = table(&readme, "where").into_iter().flatten().collect();
    let known = literals(&cells);
    let objects = std::iter::once(&schema).chain(schema["$defs"].as_object().unwrap().values());
    let tables = [
        "source",
        "lookup",
        "target",
        "tag",
        "tags_from",
        "document",
        "losses",
        "guard",
        "connections",
    ];
    let keys: Vec<&String> = objects
        .filter_map(|object| object["properties"].as_object())
        .flat_map(|properties| properties.keys())
        // The tables are the first column.
        .filter(|key| !tables.contains(&key.as_str()))
        .collect();
    assert!(keys.len() > 40, "{keys:?}");
    let missing: Vec<_> = keys.iter().filter(|key| !known.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "not in the README: {missing:?}");
}

#[test]
fn the_job_that_the_readme_shows_can_be_used() {
    let (desk, readme) = (Desk::new(), readme());
    let job = readme
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    desk.write("job.toml", job);
    desk.write(
        "hosts.csv",
        "entity_id,environment,owner,labels\nHOST-63CBE1E459320DD7,PROD,me,tier=gold;backup=daily\n",
    );
    let ended = desk.tagferry(&["check", "job.toml"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn every_command_is_in_the_readme_and_there_are_no_others() {
    let help = Desk::new().tagferry(&["--help"]).stdout;
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let of_help: BTreeSet<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty() && *word != "help")
        .collect();
    let readme = readme();
    let rows = table(&readme, "command");
    let of_readme: BTreeSet<&str> = rows
        .iter()
        .flat_map(|cells| literals(cells[0]))
        .map(|command| command.strip_prefix("tagferry ").unwrap_or(command))
        .filter_map(|command| command.split(' ').next())
        .collect();
    assert_eq!(of_readme, of_help);
}

#[test]
fn the_outcomes_stand_in_the_readme_from_worst_to_best() {
    let readme = readme();
    let told: Vec<&str> = table(&readme, "outcome")
        .iter()
        .map(|cells| cells[0].trim_matches('`'))
        .collect();
    let mut outcomes = Outcome::ALL;
    outcomes.sort_unstable();
    assert_eq!(told, outcomes.map(Outcome::as_str));
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let (help, readme) = (Desk::new().tagferry(&["--help"]).stdout, readme());
    let codes: Vec<&str> = table(&readme, "code")
        .iter()
        .flat_map(|cells| cells[0].split(", "))
        .collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "130", "143"]);
    let (_, help) = help.split_once("Exit codes:").unwrap();
    for code in codes {
        assert!(
            help.split_whitespace().any(|word| word == code),
            "exit code {code}"
        );
    }
}

#[test]
fn the_files_that_the_documents_link_to_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')) {
            assert!(root.join(target).exists(), "{document} links to {target}");
        }
    }
}
