//! Reads `src/` and refuses an import that the table of rooms forbids, and what only one room may do elsewhere.
//!
//! Inline tests and test-only files (`#[cfg(test)]`) are left out: they may reach further where a test needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::tokens::{self, UsedPath};

/// The rooms in walking order, each with those that it may import. A room may import only rooms above it, so no two
/// import each other, by whatever detour.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("wire", &[]),
    ("simulator", &[]),
    ("event", &["model"]),
    ("inventory", &["model"]),
    ("mapping", &["model"]),
    ("fit", &["model"]),
    ("resolve", &["model"]),
    ("collide", &["model"]),
    ("diff", &["model"]),
    ("undo", &["model"]),
    ("guard", &["model"]),
    ("pack", &["model"]),
    ("shape", &["model"]),
    ("select", &["model"]),
    ("vendor", &["model", "wire"]),
    ("transport", &["event", "wire"]),
    (
        "job",
        &[
            "collide",
            "fit",
            "inventory",
            "mapping",
            "model",
            "select",
            "transport",
            "vendor",
        ],
    ),
    ("ledger", &["model", "wire"]),
    (
        "engine",
        &[
            "collide",
            "diff",
            "event",
            "fit",
            "guard",
            "inventory",
            "ledger",
            "mapping",
            "model",
            "pack",
            "resolve",
            "select",
            "simulator",
            "transport",
            "undo",
            "vendor",
            "wire",
        ],
    ),
    ("listen", &["event", "model"]),
    ("report", &["ledger", "model", "shape"]),
    (
        "cli",
        &[
            "engine",
            "event",
            "guard",
            "inventory",
            "job",
            "ledger",
            "listen",
            "model",
            "report",
            "select",
            "simulator",
            "transport",
            "vendor",
            "wire",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Crates that belong to some rooms alone. The simulator may listen, so it may have hyper's server.
const KEPT_CRATES: &[(&str, &[&str])] = &[
    ("sqlx", &["ledger"]),
    ("reqwest", &["transport"]),
    ("hyper", &["simulator"]),
    ("hyper_util", &["simulator"]),
    ("indicatif", &["listen"]),
    ("anyhow", &["cli"]),
];

/// Macros that print. `io::stdout` and `io::stderr` are looked for as paths.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Asking whether a stream is a terminal prints nothing.
const ASKING: (&str, &str, &str) = ("listen", "stderr", "is_terminal");

/// A file of `src/`, with its path below it.
#[derive(Debug)]
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }

    /// How many `super` lead from the file's module to the root.
    fn depth(&self) -> usize {
        let steps = self.path.split('/').count();
        match self.path.as_str() {
            "lib.rs" | "main.rs" => 0,
            path if path.ends_with("/mod.rs") => steps - 1,
            _ => steps,
        }
    }
}

/// Everything in `sources` that breaks a rule: `FILE:LINE: what`.
fn breaches(sources: &[Source]) -> Vec<String> {
    let tests: BTreeSet<String> = sources.iter().flat_map(test_files).collect();
    let mut found = Vec::new();
    for source in sources {
        let beside = |test: &String| {
            source.path == format!("{test}.rs") || source.path.starts_with(&format!("{test}/"))
        };
        if !tests.iter().any(beside) {
            found.extend(of_source(source));
        }
    }
    // `{self, Ledger}` imports one room once.
    found.dedup();
    found
}

/// The files that `#[cfg(test)] mod NAME;` declares, without `.rs`.
fn test_files(source: &Source) -> Vec<String> {
    let folder = match source.path.rsplit_once('/') {
        Some((folder, "mod.rs")) => format!("{folder}/"),
        _ if source.depth() == 0 => String::new(),
        _ => format!("{}/", source.path.trim_end_matches(".rs")),
    };
    let declared = tokens::test_modules(&source.text);
    declared
        .into_iter()
        .map(|name| format!("{folder}{name}"))
        .collect()
}

fn of_source(source: &Source) -> Vec<String> {
    let room = source.room();
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{}: `{room}` is not in the table of rooms", source.path)];
    };
    let mut found = Vec::new();
    let mut blame = |line: usize, what: String| found.push(format!("{}:{line}: {what}", source.path));
    for used in tokens::paths(&source.text) {
        if let Some(other) = imported(&used, source.depth())
            && other != room
            && is_room(other)
            && !allowed.contains(&other)
        {
            blame(used.line, format!("`{room}` may not import `{other}`"));
        }
        if let Some(kept) = kept_crate(&used, room) {
            blame(used.line, kept);
        }
        if room != "cli" && prints(&used, room) {
            blame(
                used.line,
                format!("`{}` prints, which is for `cli` alone", used.segments.join("::")),
            );
        }
    }
    found
}

fn is_room(name: &str) -> bool {
    ROOMS.iter().any(|(room, _)| *room == name)
}

/// The name that a path finds at the crate's root.
fn imported(used: &UsedPath, depth: usize) -> Option<&str> {
    let segments = &used.segments;
    match segments.first()?.as_str() {
        "crate" | "tagferry" => segments.get(1).map(String::as_str),
        "super" => {
            let supers = segments.iter().take_while(|segment| *segment == "super").count();
            segments
                .get(supers)
                .filter(|_| supers >= depth)
                .map(String::as_str)
        }
        _ => None,
    }
}

fn kept_crate(used: &UsedPath, room: &str) -> Option<String> {
    let first = used.segments.first()?;
    let (name, keepers) = KEPT_CRATES.iter().find(|(name, _)| name == first)?;
    let path = used.segments.len() > 1 || used.is_import;
    (path && !keepers.contains(&room)).then(|| format!("`{name}` is for {keepers:?} alone"))
}

fn prints(used: &UsedPath, room: &str) -> bool {
    let last = used.segments.last().map(String::as_str).unwrap_or_default();
    if used.is_macro {
        return PRINTING.contains(&last);
    }
    let stream = used
        .segments
        .windows(2)
        .any(|pair| pair[0] == "io" && matches!(pair[1].as_str(), "stdout" | "stderr" | "Stdout" | "Stderr"));
    let asks = (room, last, used.then.as_str()) == ASKING;
    stream && !asks
}

fn project() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).unwrap();
                sources.push(Source {
                    path: below.to_str().unwrap().to_owned(),
                    text: fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    sources
}

#[test]
fn every_import_is_allowed_and_everything_kept_to_a_room_stays_there() {
    let sources = project();
    let seen: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    let table: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(seen, table, "the rooms of src/ and of the table");
    let found = breaches(&sources);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_table_goes_one_way() {
    let places: BTreeMap<&str, usize> = ROOMS
        .iter()
        .enumerate()
        .map(|(n, (room, _))| (*room, n))
        .collect();
    for (room, allowed) in ROOMS {
        for other in *allowed {
            assert!(
                places[other] < places[room],
                "`{room}` imports `{other}`, which does not stand above it"
            );
        }
    }
}

#[test]
fn the_architecture_tells_every_room_in_walking_order() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| room |"))
        .skip(2);
    let told: Vec<&str> = rows
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            line.split(" | ")
                .next()
                .unwrap_or_default()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .collect();
    let rooms = ROOMS.iter().map(|(room, _)| *room);
    let rooms: Vec<&str> = rooms.filter(|room| !["main", "lib"].contains(room)).collect();
    assert_eq!(told, rooms);
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    for source in project() {
        assert!(
            source.text.starts_with("//! "),
            "{} has no `//!` at its top",
            source.path
        );
    }
}

/// The breaches of one made-up file.
fn of(path: &str, text: &str) -> Vec<String> {
    breaches(&[Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }])
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    for text in [
        "use crate::ledger;",
        "use crate::ledger::{self, Ledger as Book};",
        "use crate::{model::Tag, ledger::Ledger};",
        "fn f() { crate::ledger::default_path(); }",
        "use super::ledger;",
        "use super::{model, ledger::Ledger};",
        "use crate::\n    ledger;",
        "pub(crate) use crate::ledger;",
        "fn f<'a>(x: &'a crate::ledger::Ledger) -> char { '\"' }",
        "macro_rules! m { () => { $crate::ledger::Ledger } }",
    ] {
        let found = of("pack.rs", text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(
            found[0].ends_with("`pack` may not import `ledger`"),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn the_line_of_a_breach_is_told() {
    assert_eq!(
        of(
            "vendor/a/b.rs",
            "\n/* a\n b */\nuse super::super::super::transport;"
        ),
        ["vendor/a/b.rs:4: `vendor` may not import `transport`"]
    );
}

#[test]
fn what_is_allowed_passes() {
    for (path, text) in [
        ("pack.rs", "use crate::model::Tag;"),
        (
            "pack.rs",
            "// use crate::ledger;\n/* crate::ledger /* nested */ */ //! crate::ledger",
        ),
        (
            "pack.rs",
            "const A: &str = \"crate::ledger\"; const B: &str = r#\"\"crate::ledger\"\"#;",
        ),
        (
            "pack.rs",
            "#[cfg(test)]\nmod tests { use crate::ledger; fn f() { println!(\"x\"); } }",
        ),
        ("pack.rs", "#[cfg(test)]\nuse crate::ledger::{Ledger};\nfn f() {}"),
        ("pack.rs", "use crate::model as ledger; fn f() { ledger::tag(); }"),
        ("vendor/a/b.rs", "use super::super::ledger; use super::transport;"),
        ("ledger/store.rs", "use sqlx::Row; use super::writer;"),
        (
            "listen/style.rs",
            "use std::io; fn f() -> bool { io::stderr().is_terminal() }",
        ),
        (
            "listen/bar.rs",
            "fn f() { indicatif::ProgressDrawTarget::stderr(); }",
        ),
        (
            "transport/secret.rs",
            "fn f(c: &mut Command) { c.stdout(Stdio::piped()); }",
        ),
        (
            "cli/print.rs",
            "use std::io::stdout; fn f() { println!(\"x\"); anyhow::bail!(\"x\") }",
        ),
        ("main.rs", "fn main() { tagferry::cli::main() }"),
    ] {
        assert_eq!(of(path, text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn what_belongs_to_one_room_is_found_elsewhere() {
    for (path, text, names) in [
        ("engine/plan.rs", "use sqlx::Row;", "`sqlx` is for"),
        ("engine/plan.rs", "use sqlx;", "`sqlx` is for"),
        (
            "engine/plan.rs",
            "fn f() { sqlx::query(\"x\"); }",
            "`sqlx` is for",
        ),
        ("vendor/a.rs", "fn f(c: reqwest::Client) {}", "`reqwest` is for"),
        ("simulator/a.rs", "use reqwest::Client;", "`reqwest` is for"),
        (
            "simulator/a.rs",
            "use crate::model::Tag;",
            "`simulator` may not import `model`",
        ),
        ("transport/a.rs", "use hyper::server;", "`hyper` is for"),
        ("engine/a.rs", "use indicatif::ProgressBar;", "`indicatif` is for"),
        ("engine/a.rs", "use anyhow::Context;", "`anyhow` is for"),
        ("engine/a.rs", "fn f() { println!(\"x\"); }", "`println` prints"),
        (
            "engine/a.rs",
            "fn f() { std::eprintln! (\"x\"); }",
            "`std::eprintln` prints",
        ),
        (
            "engine/a.rs",
            "use std::io::{self, stdout, Write};",
            "`std::io::stdout` prints",
        ),
        (
            "report/a.rs",
            "fn f() { io::stderr().lock(); }",
            "`io::stderr` prints",
        ),
        (
            "listen/a.rs",
            "fn f() { io::stderr().lock(); }",
            "`io::stderr` prints",
        ),
        ("nowhere.rs", "", "`nowhere` is not in the table"),
    ] {
        let found = of(path, text);
        assert_eq!(found.len(), 1, "{path}: {text}: {found:?}");
        assert!(found[0].contains(names), "{path}: {text}: {found:?}");
    }
}

#[test]
fn files_that_only_tests_have_are_left_out() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let sources = [
        source("transport/mod.rs", "mod http;\n#[cfg(test)]\nmod script;"),
        source("transport/script.rs", "use crate::ledger::Ledger;"),
        source("transport/http.rs", "use crate::ledger::Ledger;"),
    ];
    assert_eq!(
        breaches(&sources),
        ["transport/http.rs:1: `transport` may not import `ledger`"]
    );
}
