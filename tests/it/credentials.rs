//! Credentials that are refused stop a run at once and say what to mend; the token itself is never seen anywhere.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use crate::harness::{Ended, Fleet, Request, Simulator, TOKEN, Workspace, until};

/// A well-formed token that can't be mistaken for anything else.
const CANARY: &str =
    "dt0c01.CANARY7Q3NEVERSHOWN8ZX24.CANARY5WMUSTNOTLEAVEANYTRACE0ANYWHERE9ATALL1234567890ABCDEFGHIJK";

fn few_requests(simulator: &Simulator) {
    let handled = simulator.handled();
    assert!(handled <= 8, "{handled} requests with a token that is refused");
    assert!(
        simulator
            .journal()
            .iter()
            .all(|request| request.changes.is_empty())
    );
}

fn run_with(workspace: &Workspace, token: &str) -> Ended {
    let mut command = workspace.command(&["run", "job.toml"]);
    workspace.start(command.env("DT_API_TOKEN", token)).wait()
}

#[test]
fn a_wrong_token_stops_at_once_and_the_right_one_goes_on() {
    let workspace = Workspace::new();
    let fleet = Fleet::wide(100, 3);
    let accepts = [("--token-env", "ACCEPTED")];
    let options: Vec<&str> = accepts.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let own = fleet.options();
    let all: Vec<&str> = own.iter().map(String::as_str).chain(options).collect();
    let simulator = Simulator::serve_with(&workspace, "simulator.jsonl", &all, &[("ACCEPTED", TOKEN)]);
    fleet.write(&workspace, simulator.url(), "");
    for wrong in [CANARY, "dt0c01.SHORT.TOKEN"] {
        let ended = run_with(&workspace, wrong).expect(5);
        for part in ["401", "token"] {
            assert!(
                ended.stderr.contains(part),
                "`{part}` is missing: {}",
                ended.stderr
            );
        }
        assert!(!ended.stderr.contains(wrong));
    }
    few_requests(&simulator);
    run_with(&workspace, TOKEN).expect(0);
    fleet.check(&simulator);
}

#[test]
fn a_missing_scope_is_named_and_nothing_is_lost() {
    for (scope, begins) in [("entities.read", false), ("entities.write", true)] {
        let workspace = Workspace::new();
        let fleet = Fleet::wide(100, 3);
        let mut simulator = fleet.serve(&workspace, &["--missing-scopes", scope]);
        fleet.write(&workspace, simulator.url(), "");
        let ended = workspace.run(&["run", "job.toml"]).expect(5);
        for part in ["403", scope] {
            assert!(
                ended.stderr.contains(part),
                "`{part}` is missing: {}",
                ended.stderr
            );
        }
        let writes = simulator
            .journal()
            .iter()
            .filter(|request| request.is_write())
            .count();
        assert_eq!(writes > 0, begins, "{scope}: {writes} writes");
        assert!(writes <= 8, "{writes} writes without the scope");
        let address = simulator.address().to_owned();
        simulator.stop();
        let again = fleet.serve(&workspace, &["--listen", &address]);
        workspace.run(&["run", "job.toml"]).expect(0);
        fleet.check(&again);
        let mut ledger = workspace.ledger();
        let last = ledger.runs().pop().expect("a run");
        assert_eq!(last.state, "finished");
        assert_eq!(ledger.rows(last.id).len(), fleet.ids.len());
    }
}

/// Ways in which a token might be written down.
fn spellings(token: &str) -> Vec<String> {
    let secret = token.rsplit('.').next().unwrap_or(token);
    let each = |before: &str| {
        token.bytes().fold(String::new(), |mut text, byte| {
            write!(text, "{before}{byte:02X}").expect("a string takes text");
            text
        })
    };
    let (percent, hex) = (each("%"), each("").to_lowercase());
    let mut found = vec![
        token.to_owned(),
        secret.to_owned(),
        token.replace('.', "%2E"),
        percent,
        hex,
    ];
    // Base64 depends on how many bytes stand before, modulo three, so the part that never changes is sought.
    for before in 0..3 {
        let text = base64(&[&b"abc"[..before], token.as_bytes()].concat());
        let unchanging = text.len() - 8;
        found.push(text[4..unchanging].to_owned());
    }
    found
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        let letter = |shift: u32| char::from(ALPHABET[(word >> shift & 63) as usize]);
        let letters: String = [18, 12, 6, 0].into_iter().map(letter).collect();
        letters[..=chunk.len()].to_owned() + &"=".repeat(3 - chunk.len())
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn the_token_is_in_no_output_no_ledger_no_journal_and_no_lock() {
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!(base64(b"Ma"), "TWE=");
    for before in ["", "Api-Token ", "user:", "Bearer "] {
        let text = base64(format!("{before}{CANARY} and more").as_bytes());
        let found = spellings(CANARY).iter().any(|spelling| text.contains(spelling));
        assert!(found, "the token is not found in {text}");
    }
    let workspace = Workspace::new();
    let fleet = Fleet::wide(60, 3);
    let simulator = fleet.serve(&workspace, &["--fault", "error,share=0.05", "--fault-seed", "3"]);
    fleet.write(&workspace, simulator.url(), "");
    let mut killed = workspace.command(&["run", "job.toml"]);
    let running = workspace.start(killed.env("DT_API_TOKEN", CANARY));
    until("a write", Duration::from_mins(1), || {
        simulator.journal().iter().any(Request::is_write).then_some(())
    });
    // Killed, so that the write-ahead log is left behind to be searched.
    let _ = running.kill();
    searched(&workspace);
    run_with(&workspace, CANARY).expect(0);
    let wrong = CANARY.replace("dt0c01", "dt0c02");
    let _ = run_with(&workspace, &wrong).expect(5);
    for arguments in [
        &["status"][..],
        &["report", "1"],
        &["check", "job.toml"],
        &["plan", "job.toml"],
    ] {
        let mut command = workspace.command(arguments);
        workspace.start(command.env("DT_API_TOKEN", CANARY)).wait();
    }
    searched(&workspace);
}

/// Panics when any file of the workspace holds the canary in any spelling.
fn searched(workspace: &Workspace) {
    let spellings = spellings(CANARY);
    let files = workspace.files();
    let named = |part: &str| files.iter().any(|file| file.to_string_lossy().contains(part));
    for part in ["ledger.db", ".lock", "simulator.jsonl", ".out", ".err"] {
        assert!(named(part), "no {part} among {files:?}");
    }
    for file in &files {
        let bytes = fs::read(file).expect("a file can be read");
        for spelling in &spellings {
            let found = bytes
                .windows(spelling.len())
                .any(|window| window == spelling.as_bytes());
            assert!(!found, "{} holds the token as {spelling}", file.display());
        }
    }
}
