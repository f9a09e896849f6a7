//! The ledger through its own interface, on a file in a temporary folder.

use http::{HeaderMap, Method};

use super::vocabulary::SetRole;
use super::*;
use crate::model::{Class, Failure, Loss, Outcome, Remedy, Rule};
use crate::wire::{AttemptEnd, AttemptId, Purpose, Request};

struct Fixture {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
    ledger: Ledger,
    run: i64,
}

fn target() -> PlanTarget {
    PlanTarget {
        connection: "dt".to_owned(),
        vendor: "dynatrace".to_owned(),
        url: "https://abc".to_owned(),
        tenant: String::new(),
        kind: "HOST".to_owned(),
    }
}

fn new_run() -> NewRun<'static> {
    NewRun {
        job: "nightly",
        job_path: "job.toml",
        job_digest: "d1",
        follows: None,
        target: target(),
    }
}

/// Two hosts: host 0 gets env:prod (tag 0) for env:dev (tag 1), as asked by rows 0 and 2; host 1 is as wanted. Row 1 is
/// unreadable, row 3 names a missing host.
async fn planned() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path).await.unwrap();
    let run = ledger.begin_run(&new_run()).await.unwrap();
    ledger.insert_files(run, &[(0, "hosts.csv")]).await.unwrap();
    let rows = [
        (0, 0, 2, Some(0), Some(0), None, None, None),
        (
            1,
            0,
            3,
            None,
            None,
            Some("unreadable"),
            Some("it has 3 cells"),
            None,
        ),
        (2, 0, 4, Some(0), Some(0), None, None, None),
        (3, 0, 5, Some(2), Some(0), None, None, None),
        (4, 0, 6, Some(1), Some(0), None, None, None),
    ];
    ledger.insert_rows(run, &rows).await.unwrap();
    ledger
        .insert_tags(run, &[(0, "env", Some("prod")), (1, "env", Some("dev"))])
        .await
        .unwrap();
    let want = format!("[{}]", wish_code(Rule::Set, 0));
    let before = format!("[{}]", present_code(false, 1));
    let change = format!(
        "[{},{}]",
        action_code(Rule::Set, false, 0),
        action_code(Rule::Set, true, 1)
    );
    ledger
        .insert_sets(run, SetRole::Want, &[(0, &want)])
        .await
        .unwrap();
    ledger
        .insert_sets(run, SetRole::Before, &[(0, "[]"), (1, &before)])
        .await
        .unwrap();
    ledger
        .insert_sets(run, SetRole::Change, &[(0, "[]"), (1, &change)])
        .await
        .unwrap();
    let entities = [
        (0, "HOST-A", None, None, None),
        (1, "HOST-B", None, None, None),
        (2, "HOST-C", None, Some("missing"), Some("no such host")),
    ];
    ledger.insert_entities(run, &entities).await.unwrap();
    ledger
        .insert_lines(run, &[(0, 0, 0, 1, 1, 0b11), (1, 0, 0, 0, 0, 0)])
        .await
        .unwrap();
    ledger
        .finish_plan(run, "i1", &serde_json::json!({ "rows": 5 }), None)
        .await
        .unwrap();
    Fixture {
        _folder: folder,
        path,
        ledger,
        run,
    }
}

fn request() -> Request {
    Request {
        purpose: Purpose::Write,
        idempotent: true,
        method: Method::POST,
        target: "/api/v2/tags?entitySelector=x".to_owned(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
    }
}

fn bits_of_host_a(bits: u64) -> LineBits {
    LineBits {
        entity: 0,
        part: 0,
        bits,
    }
}

async fn outcomes(fixture: &Fixture) -> Vec<(u64, Outcome, Option<Class>)> {
    let mut rows = Vec::new();
    fixture
        .ledger
        .each_row(fixture.run, |row| {
            rows.push((row.origin.line, row.outcome, row.class));
        })
        .await
        .unwrap();
    rows
}

#[tokio::test]
async fn every_row_has_one_outcome_and_they_add_up() {
    let fixture = planned().await;
    let want = [
        (2, Outcome::NotAttempted, None),
        (3, Outcome::Rejected, Some(Class::Unreadable)),
        (4, Outcome::NotAttempted, None),
        (5, Outcome::Rejected, Some(Class::Missing)),
        (6, Outcome::Unchanged, None),
    ];
    assert_eq!(outcomes(&fixture).await, want);
    let summary = fixture.ledger.summary(fixture.run).await.unwrap();
    assert_eq!(summary.rows, summary.row_outcomes.iter().sum::<u64>());
    assert_eq!(summary.operations_of(Outcome::NotAttempted), 2);
}

#[tokio::test]
async fn what_only_authenticates_is_an_attempt_but_neither_a_read_nor_a_write_nor_a_retry() {
    let fixture = planned().await;
    let log = fixture.ledger.run_log(fixture.run).await.unwrap();
    for (purpose, number) in [
        (Purpose::Authenticate, 0),
        (Purpose::Observe, 1),
        (Purpose::Write, 1),
        (Purpose::Authenticate, 0),
        (Purpose::Write, 1),
        (Purpose::Write, 2),
    ] {
        let request = Request { purpose, ..request() };
        let intent = Intent {
            request: &request,
            entities: 1,
            lines: &[],
        };
        log.intend(&intent, number).await.unwrap();
    }
    let counts = fixture.ledger.summary(fixture.run).await.unwrap().attempts;
    assert_eq!((counts.observe, counts.write, counts.retries), (1, 3, 1));
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM attempt WHERE purpose = 'authenticate'")
        .fetch_one(&fixture.ledger.readers)
        .await
        .unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn an_attempt_is_in_the_file_before_intend_returns_and_its_end_follows() {
    let fixture = planned().await;
    let log = fixture.ledger.run_log(fixture.run).await.unwrap();
    let attempt = log
        .intend(
            &Intent {
                request: &request(),
                entities: 1,
                lines: &[bits_of_host_a(0b01)],
            },
            1,
        )
        .await
        .unwrap();
    let other = Ledger::open(&fixture.path).await.unwrap();
    let line = &other.open_lines(fixture.run).await.unwrap()[0];
    assert_eq!((line.open, line.attempted, &*line.id), (0b11, 0b01, "HOST-A"));
    log.end(
        attempt,
        &AttemptEnd {
            class: "accepted",
            status: Some(200),
            correlation: None,
        },
    );
    let settled = Settlement {
        line: bits_of_host_a(0b01),
        verdict: Verdict::Done,
    };
    log.settle(&[settled]).await.unwrap();
    let row: (Option<String>, Option<i64>, i64) =
        sqlx::query_as("SELECT class, status, ended_ms >= sent_ms FROM attempt WHERE run = ?1")
            .bind(fixture.run)
            .fetch_one(&other.readers)
            .await
            .unwrap();
    assert_eq!(row, (Some("accepted".to_owned()), Some(200), 1));
    let next = other
        .run_log(fixture.run)
        .await
        .unwrap()
        .intend(
            &Intent {
                request: &request(),
                entities: 1,
                lines: &[],
            },
            2,
        )
        .await
        .unwrap();
    assert!(next > attempt, "a second process goes on counting");
    assert_eq!(
        fixture
            .ledger
            .summary(fixture.run)
            .await
            .unwrap()
            .attempts
            .retries,
        1
    );
}

/// Number, class, status and the vendor's identifier of an attempt.
type AttemptRow = (i64, Option<String>, Option<i64>, Option<String>);

#[tokio::test]
async fn what_goes_into_one_transaction_is_all_there() {
    let fixture = planned().await;
    let log = fixture.ledger.run_log(fixture.run).await.unwrap();
    let (request, lines) = (request(), [bits_of_host_a(0b10)]);
    let intent = |lines| Intent {
        request: &request,
        entities: 1,
        lines,
    };
    let first = log.intend(&intent(&[]), 1).await.unwrap();
    log.end(
        first,
        &AttemptEnd {
            class: "accepted",
            status: Some(204),
            correlation: Some("c-1".to_owned()),
        },
    );
    let refused = Verdict::failed(Class::Refused, "no");
    let settled = [(0b01, Verdict::Done), (0b10, refused)].map(|(bits, verdict)| Settlement {
        line: bits_of_host_a(bits),
        verdict,
    });
    // Both wait in the queue before the writer comes to run, so that five statements share a transaction.
    let again = intent(&lines);
    let (second, ended) = futures::join!(log.intend(&again, 2), log.settle(&settled));
    ended.unwrap();
    let rows: Vec<AttemptRow> =
        sqlx::query_as("SELECT id, class, status, correlation FROM attempt WHERE run = ?1 ORDER BY id")
            .bind(fixture.run)
            .fetch_all(&fixture.ledger.readers)
            .await
            .unwrap();
    let id = |attempt: AttemptId| i64::try_from(attempt.0).unwrap();
    let accepted = (Some("accepted".to_owned()), Some(204), Some("c-1".to_owned()));
    assert_eq!(
        rows,
        [
            (id(first), accepted.0, accepted.1, accepted.2),
            (id(second.unwrap()), None, None, None)
        ]
    );
    let line: (i64, i64, i64) =
        sqlx::query_as("SELECT open, attempted, done FROM line WHERE run = ?1 AND entity = 0")
            .bind(fixture.run)
            .fetch_one(&fixture.ledger.readers)
            .await
            .unwrap();
    assert_eq!(line, (0, 0b10, 0b01));
    assert_eq!(outcomes(&fixture).await[0].1, Outcome::Failed);
}

#[tokio::test]
async fn the_worst_of_a_rows_operations_is_its_outcome_and_settling_twice_changes_nothing() {
    let fixture = planned().await;
    let log = fixture.ledger.run_log(fixture.run).await.unwrap();
    let done = Settlement {
        line: bits_of_host_a(0b01),
        verdict: Verdict::Done,
    };
    log.settle(std::slice::from_ref(&done)).await.unwrap();
    assert_eq!(outcomes(&fixture).await[0].1, Outcome::NotAttempted);
    let failed = Verdict::Other(Outcome::Failed, Failure::new(Class::Automatic, "a rule makes it"));
    log.settle(&[Settlement {
        line: bits_of_host_a(0b10),
        verdict: failed,
    }])
    .await
    .unwrap();
    assert_eq!(
        outcomes(&fixture).await[0],
        (2, Outcome::Failed, Some(Class::Automatic))
    );
    log.settle(&[done]).await.unwrap();
    assert_eq!(outcomes(&fixture).await[0].1, Outcome::Failed);
    assert!(fixture.ledger.open_lines(fixture.run).await.unwrap().is_empty());
    let summary = fixture.ledger.summary(fixture.run).await.unwrap();
    assert_eq!(
        (
            summary.operations_of(Outcome::Done),
            summary.operations_of(Outcome::Failed)
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn failed_rows_are_found_again_by_class_with_what_they_asked_for() {
    let fixture = planned().await;
    let log = fixture.ledger.run_log(fixture.run).await.unwrap();
    let failed = Settlement {
        line: bits_of_host_a(0b11),
        verdict: Verdict::failed(Class::Timeout, "no answer"),
    };
    log.settle(&[failed]).await.unwrap();
    let again = fixture
        .ledger
        .rows_to_retry(fixture.run, &[Class::Timeout])
        .await
        .unwrap();
    let lines: Vec<u64> = again.iter().map(|row| row.origin.line).collect();
    assert_eq!(
        (lines, again[0].entity.as_str(), again[0].wishes.len()),
        (vec![2, 4], "HOST-A", 1)
    );
    assert!(
        fixture
            .ledger
            .rows_to_retry(fixture.run, &[Class::Server])
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn losers_of_a_collision_are_rejected_with_their_reason() {
    let fixture = planned().await;
    fixture
        .ledger
        .reject_rows(
            fixture.run,
            &[(2, "collision", "hosts.csv:2 asks otherwise".to_owned())],
        )
        .await
        .unwrap();
    assert_eq!(
        outcomes(&fixture).await[2],
        (4, Outcome::Rejected, Some(Class::Collision))
    );
    let places = fixture.ledger.row_places(fixture.run, &[0, 4]).await.unwrap();
    assert_eq!(
        (places[&0].to_string(), places[&4].to_string()),
        ("hosts.csv:2".to_owned(), "hosts.csv:6".to_owned())
    );
}

#[tokio::test]
async fn losses_are_told_with_their_row_and_those_of_an_entity_with_all_of_its_rows() {
    let fixture = planned().await;
    let Fixture { ledger, run, .. } = &fixture;
    assert!(!ledger.has_losses(*run).await.unwrap());
    let loss = |class, remedy| Loss {
        class,
        remedy,
        message: format!("{class}"),
    };
    let cut = loss(Class::TooLong, Remedy::Truncated);
    let full = loss(Class::Full, Remedy::Dropped);
    let sets = [
        loss_members(std::slice::from_ref(&cut)),
        loss_members(std::slice::from_ref(&full)),
    ];
    ledger
        .insert_losses(*run, &[(0, &sets[0]), (1, &sets[1])])
        .await
        .unwrap();
    ledger.insert_row_losses(*run, &[(2, 0), (4, 0)]).await.unwrap();
    ledger.insert_entity_losses(*run, &[(0, 1)]).await.unwrap();
    assert!(ledger.has_losses(*run).await.unwrap());
    let mut found = Vec::new();
    ledger.each_row(*run, |row| found.push(row.losses)).await.unwrap();
    assert_eq!(
        found,
        [
            vec![full.clone()],
            vec![],
            vec![cut.clone(), full],
            vec![],
            vec![cut]
        ]
    );
}

#[tokio::test]
async fn an_unfinished_plan_is_discarded_but_its_attempts_and_a_finished_one_stay() {
    let fixture = planned().await;
    let killed = fixture.ledger.begin_run(&new_run()).await.unwrap();
    fixture
        .ledger
        .insert_rows(killed, &[(0, 0, 2, None, None, None, None, None)])
        .await
        .unwrap();
    fixture.ledger.insert_losses(killed, &[(0, "[]")]).await.unwrap();
    fixture.ledger.insert_row_losses(killed, &[(0, 0)]).await.unwrap();
    fixture
        .ledger
        .insert_entity_losses(killed, &[(0, 0)])
        .await
        .unwrap();
    let log = fixture.ledger.run_log(killed).await.unwrap();
    log.intend(
        &Intent {
            request: &request(),
            entities: 1,
            lines: &[],
        },
        1,
    )
    .await
    .unwrap();
    fixture.ledger.discard_unplanned("another job").await.unwrap();
    assert_eq!(fixture.ledger.runs(None).await.unwrap().len(), 2);
    fixture.ledger.discard_unplanned("nightly").await.unwrap();
    let runs = fixture.ledger.runs(None).await.unwrap();
    assert_eq!(
        runs.iter().map(|run| (run.id, run.state)).collect::<Vec<_>>(),
        [(fixture.run, RunState::Planned), (killed, RunState::Abandoned)]
    );
    let left = "SELECT (SELECT count(*) FROM inventory_row WHERE run = ?1) + (SELECT count(*) FROM loss_set WHERE run = ?1)
        + (SELECT count(*) FROM row_loss WHERE run = ?1) + (SELECT count(*) FROM entity_loss WHERE run = ?1)";
    let left: i64 = sqlx::query_scalar(left)
        .bind(killed)
        .fetch_one(&fixture.ledger.readers)
        .await
        .unwrap();
    assert_eq!(left, 0);
    let kept = fixture.ledger.summary(killed).await.unwrap();
    assert_eq!((kept.rows, kept.attempts.write), (0, 1));
}

#[tokio::test]
async fn only_a_run_whose_apply_began_is_unfinished() {
    let fixture = planned().await;
    assert_eq!(fixture.ledger.unfinished("nightly").await.unwrap(), None);
    fixture
        .ledger
        .set_state(fixture.run, RunState::Applying, None)
        .await
        .unwrap();
    let found = fixture.ledger.unfinished("nightly").await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.target, found.summary),
        (fixture.run, target(), Some(serde_json::json!({ "rows": 5 })))
    );
    fixture
        .ledger
        .set_state(fixture.run, RunState::Finished, None)
        .await
        .unwrap();
    assert_eq!(fixture.ledger.unfinished("nightly").await.unwrap(), None);
    assert!(fixture.ledger.run(fixture.run).await.unwrap().ended_ms.is_some());
}

#[tokio::test]
async fn what_a_connection_taught_is_kept_and_replaced() {
    let fixture = planned().await;
    for value in ["1", "2"] {
        fixture
            .ledger
            .learn("https://abc", "", "gate", value)
            .await
            .unwrap();
    }
    assert_eq!(
        fixture
            .ledger
            .learned("https://abc", "", "gate")
            .await
            .unwrap()
            .as_deref(),
        Some("2")
    );
    assert_eq!(
        fixture.ledger.learned("https://abc", "t", "gate").await.unwrap(),
        None
    );
}

#[tokio::test]
async fn after_a_failed_write_nothing_more_is_written() {
    let fixture = planned().await;
    let twice = [(0, "a", None), (0, "b", None)];
    assert!(fixture.ledger.insert_tags(fixture.run, &twice).await.is_err());
    let log = fixture.ledger.run_log(fixture.run).await.unwrap();
    let refused = log
        .intend(
            &Intent {
                request: &request(),
                entities: 1,
                lines: &[],
            },
            1,
        )
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("can't be written"), "{refused}");
    assert!(fixture.ledger.close().await.is_err());
}

#[tokio::test]
async fn updates_look_their_rows_up_instead_of_reading_the_run() {
    use super::applying::{ATTEMPTED, END, SETTLED};
    let fixture = planned().await;
    for update in [ATTEMPTED, SETTLED, END, super::planning::REJECT] {
        let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {update}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained)
            .fetch_all(&fixture.ledger.readers)
            .await
            .unwrap();
        let steps: Vec<&str> = plan.iter().map(|step| step.3.as_str()).collect();
        assert!(
            steps[0].starts_with("SCAN j") && steps[1].starts_with("SEARCH"),
            "{update}: {steps:?}"
        );
    }
}

#[tokio::test]
async fn what_is_open_is_found_through_its_index() {
    let fixture = planned().await;
    let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", super::applying::OPEN_LINES.page));
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained)
        .bind(fixture.run)
        .fetch_all(&fixture.ledger.readers)
        .await
        .unwrap();
    assert!(plan.iter().any(|step| step.3.contains("line_open")), "{plan:?}");
    assert!(
        !plan.iter().any(|step| step.3.contains("TEMP B-TREE")),
        "in order already: {plan:?}"
    );
}

#[tokio::test]
async fn any_text_comes_back_as_it_was() {
    let fixture = planned().await;
    let (ledger, run) = (&fixture.ledger, fixture.run);
    let value = "a\0b\u{1}\u{2028}\"\\\u{10ffff}";
    ledger
        .insert_tags(run, &[(7, "k\0ey", Some(value))])
        .await
        .unwrap();
    let vocabulary = Vocabulary::load(ledger, run).await.unwrap();
    let tag = vocabulary.tag_of(7);
    assert_eq!((tag.key.as_str(), tag.value.as_deref()), ("k\0ey", Some(value)));
}

#[tokio::test]
async fn many_rows_with_gaps_between_their_numbers_are_all_read() {
    let fixture = planned().await;
    let (ledger, run) = (&fixture.ledger, fixture.run);
    let numbers: Vec<u32> = (100..8_300).chain([20_000]).collect();
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let tags: Vec<_> = numbers
        .iter()
        .zip(&texts)
        .map(|(n, text)| (*n, text.as_str(), None))
        .collect();
    ledger.insert_tags(run, &tags).await.unwrap();
    let vocabulary = Vocabulary::load(ledger, run).await.unwrap();
    for (number, text) in numbers.iter().zip(&texts) {
        assert_eq!(vocabulary.tag_of(*number).key, *text);
    }
}

#[tokio::test]
async fn an_export_is_no_unfinished_plan_and_knows_how_far_it_has_come() {
    let fixture = planned().await;
    let (ledger, run) = (&fixture.ledger, fixture.run);
    let begun = ledger
        .begin_export(&new_run(), "/tmp/out.csv", "csv")
        .await
        .unwrap();
    assert_eq!(ledger.run(begun.run).await.unwrap().state, RunState::Exporting);
    let at = ExportRow {
        cursor: Some("AQ/1+2==".to_owned()),
        bytes: 1_234,
        digest: "d2".to_owned(),
        entities: 20,
        hidden: 1,
        ..begun
    };
    ledger.keep_export(&at).await.unwrap();
    ledger.discard_unplanned("nightly").await.unwrap();
    ledger
        .discard_unplanned(&ledger.run(run).await.unwrap().job)
        .await
        .unwrap();
    assert_eq!(ledger.export_to("/tmp/out.csv").await.unwrap(), Some(at.clone()));
    assert_eq!(ledger.export_to("/tmp/other.csv").await.unwrap(), None);
    ledger
        .set_state(at.run, RunState::Finished, Some("20 entities were exported"))
        .await
        .unwrap();
    assert_eq!(ledger.export_to("/tmp/out.csv").await.unwrap(), None);
    assert_eq!(ledger.run(at.run).await.unwrap().state, RunState::Finished);
}

#[tokio::test]
async fn a_row_knows_the_live_entity_that_it_was_read_from() {
    let fixture = planned().await;
    let ledger = &fixture.ledger;
    let run = ledger.begin_run(&new_run()).await.unwrap();
    ledger.insert_files(run, &[(0, "old:HOST")]).await.unwrap();
    let message = Some("the vendor does not show what it carries");
    let row = (0, 0, 1, None, None, Some("hidden"), message, Some("HOST-1"));
    ledger.insert_rows(run, &[row]).await.unwrap();
    let mut origins = Vec::new();
    ledger
        .each_row(run, |row| origins.push(row.origin.to_string()))
        .await
        .unwrap();
    assert_eq!(origins, ["old:HOST/HOST-1"]);
    let places = ledger.row_places(run, &[0]).await.unwrap();
    assert_eq!(places[&0].to_string(), "old:HOST/HOST-1");
}

#[tokio::test]
async fn rows_that_move_are_those_of_their_entity_and_what_is_unclear_is_told_with_its_candidates() {
    let fixture = planned().await;
    let (ledger, run) = (&fixture.ledger, fixture.run);
    // Another run has an entity of the same number.
    let other = ledger.begin_run(&new_run()).await.unwrap();
    ledger.insert_files(other, &[(0, "other.csv")]).await.unwrap();
    let rows = [
        (0, 0, 2, Some(0), None, None, None, None),
        (1, 0, 3, Some(1), None, None, None, None),
        (2, 0, 4, Some(2), None, None, None, None),
        (3, 0, 5, Some(2), None, None, None, None),
    ];
    ledger.insert_rows(other, &rows).await.unwrap();
    ledger.move_rows(other, &[(2, 0), (3, 1)]).await.unwrap();
    let entities = [
        (0, "twin", Some("Twin"), Some("ambiguous"), Some("2 of them")),
        (1, "HOST-9", None, Some("missing"), Some("no such host")),
    ];
    ledger.insert_entities(other, &entities).await.unwrap();
    let candidates = [(0, r#"["HOST-1","HOST-2"]"#.to_owned())];
    ledger.insert_candidates(other, &candidates).await.unwrap();

    let undecided = |entity: &str, class, rows, file: &str, line, candidates: &[&str]| Undecided {
        entity: entity.to_owned(),
        class,
        rows,
        first: Some(crate::model::Origin {
            file: file.into(),
            line,
            id: None,
        }),
        candidates: candidates.iter().map(|id| (*id).to_owned()).collect(),
    };
    let want = [
        undecided("Twin", Class::Ambiguous, 2, "other.csv", 2, &["HOST-1", "HOST-2"]),
        undecided("HOST-9", Class::Missing, 2, "other.csv", 3, &[]),
    ];
    assert_eq!(ledger.undecided(other).await.unwrap(), want);
    let want = [undecided("HOST-C", Class::Missing, 1, "hosts.csv", 5, &[])];
    assert_eq!(
        ledger.undecided(run).await.unwrap(),
        want,
        "no other run is moved"
    );
    ledger.discard_unplanned("nightly").await.unwrap();
    assert_eq!(ledger.undecided(other).await.unwrap(), []);
}
