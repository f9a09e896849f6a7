//! Runs for the tests of this room.

use serde_json::json;
use tempfile::TempDir;

use super::review::{GroupView, Review, Sample};
use crate::ledger::{
    Ledger, LineBits, NewRun, PlanTarget, RunRow, RunState, SetRole, Settlement, Verdict, action_code,
    wish_code,
};
use crate::model::{Class, Failure, Outcome, Rule};
use crate::shape::{Kind, Part, Side};

/// What tests write to.
pub(super) fn target() -> PlanTarget {
    PlanTarget {
        connection: "dynatrace".to_owned(),
        vendor: "dynatrace".to_owned(),
        url: "https://abc12345.live.dynatrace.com".to_owned(),
        tenant: String::new(),
        kind: "HOST".to_owned(),
    }
}

/// A planned run of so many rows that ask for nothing.
pub(super) fn planned_run(rows: u64) -> RunRow {
    RunRow {
        id: 7,
        job: "prod-hosts".to_owned(),
        job_path: "prod.toml".to_owned(),
        job_digest: String::new(),
        retry_of: None,
        undo_of: None,
        target: target(),
        state: RunState::Planned,
        reason: None,
        summary: Some(json!({
            "rows": rows, "rejected": {}, "empty_cells": 0, "entities": rows, "unchanged": rows, "to_change": 0,
            "operations": 0, "keys": {}, "files": ["hosts.csv: csv, UTF-8, delimiter `,`, 2 columns"],
        })),
        created_ms: 1_700_000_000_000,
        ended_ms: None,
    }
}

/// A review of an exception and a larger group, with a sample of each.
pub(super) fn review() -> Review {
    let part = |kind, key: &str, old, new| Part {
        kind,
        key: key.to_owned(),
        to: None,
        relation: None,
        old,
        new,
    };
    let one = |text: &str| Some(Side::One(text.to_owned()));
    let rewrite = part(Kind::Replace, "env\u{202e}", one("a|b\n"), one("prod"));
    let owner = |new| part(Kind::Add, "owner", None, new);
    let group = |entities, exception, part: Part, sample| GroupView {
        shape: part.to_string(),
        entities,
        exception,
        parts: vec![part],
        samples: vec![sample],
    };
    let sample = |entity: &str, name: Option<&str>, line, change| Sample {
        entity: entity.to_owned(),
        name: name.map(str::to_owned),
        file: Some("hosts.csv".to_owned()),
        line: Some(line),
        changes: vec![change],
    };
    let exception = sample("HOST-1", Some("web-01"), 17, rewrite.clone());
    let usual = sample("HOST-2", None, 2, owner(one("`team`")));
    Review {
        changed: 401,
        groups: vec![
            group(1, true, rewrite, exception),
            group(400, false, owner(Some(Side::Count(12))), usual),
        ],
    }
}

/// A run in a ledger of its own, which goes when this is dropped.
pub(super) struct Stored {
    pub(super) ledger: Ledger,
    pub(super) run: i64,
    _folder: TempDir,
}

/// A run that is planned and has no rows.
pub(super) async fn empty_run() -> Stored {
    let stored = begun().await;
    finish(&stored).await;
    stored
}

/// A run with a row of every outcome, each entity but the unchanged one with two operations.
pub(super) async fn stored_run() -> Stored {
    let stored = begun().await;
    insert_words(&stored).await;
    insert_rows(&stored).await;
    finish(&stored).await;
    settle(&stored).await;
    stored
}

async fn begun() -> Stored {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.db")).await.unwrap();
    let new = NewRun {
        job: "prod-hosts",
        job_path: "prod.toml",
        job_digest: "",
        follows: None,
        target: target(),
    };
    let run = ledger.begin_run(&new).await.unwrap();
    Stored {
        ledger,
        run,
        _folder: folder,
    }
}

async fn finish(stored: &Stored) {
    let summary = json!({});
    let finished = stored.ledger.finish_plan(stored.run, "", &summary, None);
    finished.await.unwrap();
}

async fn insert_words(Stored { ledger, run, .. }: &Stored) {
    let tags = [(1, "env", Some("prod")), (2, "owner", Some("team-a"))];
    ledger.insert_tags(*run, &tags).await.unwrap();
    let wants = json!([wish_code(Rule::Set, 1), wish_code(Rule::Set, 2)]).to_string();
    ledger
        .insert_sets(*run, SetRole::Want, &[(1, &wants)])
        .await
        .unwrap();
    let actions = json!([action_code(Rule::Set, false, 1), action_code(Rule::Set, false, 2)]).to_string();
    ledger
        .insert_sets(*run, SetRole::Change, &[(1, &actions)])
        .await
        .unwrap();
}

async fn insert_rows(Stored { ledger, run, .. }: &Stored) {
    ledger.insert_files(*run, &[(1, "hosts.csv")]).await.unwrap();
    let good = |id, line, entity| (id, 1, line, Some(entity), Some(1), None, None, None);
    let unreadable = (Some("unreadable"), Some("3 cells, and the header has 2"));
    let rows = [
        good(1, 2, 1),
        good(2, 3, 2),
        (3, 1, 4, None, None, unreadable.0, unreadable.1, None),
        good(4, 5, 3),
        good(5, 6, 4),
        good(6, 7, 5),
        good(7, 8, 6),
        good(8, 9, 7),
    ];
    ledger.insert_rows(*run, &rows).await.unwrap();
    let missing = (Some("missing"), Some("no HOST of this name"));
    let entities = [
        (1, "HOST-1", Some("web-01"), None, None),
        (2, "HOST-2", Some("web-02"), None, None),
        (3, "web-09", Some("web-09"), missing.0, missing.1),
        (4, "HOST-4", None, None, None),
        (5, "HOST-5", None, None, None),
        (6, "HOST-6", Some("=web-06"), None, None),
        (7, "HOST-7", None, None, None),
    ];
    ledger.insert_entities(*run, &entities).await.unwrap();
    let open = |entity| (entity, 0, 1, 0, 1, 0b11);
    let lines = [open(1), open(2), open(4), open(5), (6, 0, 1, 0, 0, 0), open(7)];
    ledger.insert_lines(*run, &lines).await.unwrap();
}

async fn settle(Stored { ledger, run, .. }: &Stored) {
    let of = |entity, bits, verdict| Settlement {
        line: LineBits {
            entity,
            part: 0,
            bits,
        },
        verdict,
    };
    let changed = Failure::new(Class::Changed, "`env` is now `test`");
    let silent = Failure::new(Class::Timeout, "no answer \u{1b}[2J");
    let settlements = [
        of(1, 0b11, Verdict::Done),
        of(2, 0b01, Verdict::Done),
        of(
            2,
            0b10,
            Verdict::failed(Class::Refused, "the vendor said no\nreally"),
        ),
        of(4, 0b10, Verdict::Done),
        of(4, 0b01, Verdict::Other(Outcome::Unknown, silent)),
        of(7, 0b10, Verdict::Done),
        of(7, 0b01, Verdict::Other(Outcome::Conflict, changed)),
    ];
    let log = ledger.run_log(*run).await.unwrap();
    log.settle(&settlements).await.unwrap();
}
