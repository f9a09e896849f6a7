//! Times each stage of the walk, and the walk itself, against the embedded and the served simulator.
//!
//! ```text
//! cargo bench                         every bench, small sizes
//! cargo bench -- plan --rows 1000000  the plan of a million rows
//! cargo bench -- calls --calls 10000  calls a second, beside a bare reqwest loop on the same server
//! ```
//! Figures are medians of what this machine did just now. No timing is asserted; README.md says what was measured.

#![expect(clippy::print_stdout, reason = "a bench tells its figures")]
#![expect(clippy::cast_possible_truncation, reason = "counts of a bench are small")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tagferry::diff;
use tagferry::engine::{self, ApplyOptions, Beside, Embedded, PlanInput, Source, Target, TargetSpec};
use tagferry::event::{Event, Events};
use tagferry::guard::{Bounds, Breaker};
use tagferry::ledger::{Ledger, LineBits, NewRun, PlanTarget, Settlement, Verdict};
use tagferry::mapping::{self, Entity, Mapper, TagOptions};
use tagferry::model::{Present, Rule, Tag, Wish};
use tagferry::pack::{self, Room, Wanted};
use tagferry::simulator::{self, dynatrace::Dynatrace};
use tagferry::transport::{Auth, Connection, Credentials, HttpExec, Options, Pace, Secret, SecretSource};
use tagferry::vendor::dynatrace;
use tagferry::wire::Exec;
use tagferry::{collide, inventory, report};

const TOKEN: &str =
    "dt0c01.AAAAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
const KEYS: [&str; 6] = ["env", "owner", "cost-center", "app", "region", "os"];
const ROUNDS: usize = 5;

struct Args {
    bench: Option<String>,
    rows: usize,
    calls: usize,
}

fn main() {
    let mut args = Args {
        bench: None,
        rows: 50_000,
        calls: 2_000,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse().ok()).expect("a number");
        match word.as_str() {
            "--rows" => args.rows = number(),
            "--calls" => args.calls = number(),
            "--bench" => {} // Cargo says so.
            name => args.bench = Some(name.to_owned()),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let wanted = |name: &str| args.bench.as_deref().is_none_or(|bench| bench == name);
    if wanted("read") {
        read(args.rows);
    }
    if wanted("map") {
        map(args.rows);
    }
    if wanted("lookup") {
        lookup(args.rows);
    }
    if wanted("diff") {
        diffs(args.rows);
    }
    if wanted("pack") {
        packs(args.rows);
    }
    if wanted("ledger") {
        runtime.block_on(ledger(args.rows));
    }
    if wanted("plan") {
        runtime.block_on(plan(args.rows));
    }
    if wanted("calls") {
        runtime.block_on(calls(args.calls));
    }
    println!("peak memory {} MiB", peak_mib());
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Tells the median of some rounds as a rate.
fn rate(name: &str, what: &str, amount: usize, mut times: Vec<Duration>) {
    let median = median(&mut times);
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let rate = amount as f64 / median.as_secs_f64();
    println!(
        "{name:<28} {rate:>14.0} {what}/s   median {median:.2?} of {}",
        times.len()
    );
}

fn timed(mut work: impl FnMut()) -> Vec<Duration> {
    let once = |_| {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    (0..ROUNDS).map(once).collect()
}

/// The largest resident size of this process, the simulator's within it.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// An inventory of the hosts that the simulator generates: ten columns, as in samples/quickstart.
fn write_inventory(path: &Path, ids: &[String]) {
    let mut text = String::from(
        "entity_id,hostname,environment,owner,cost_center,application,region,os,window,retired\n",
    );
    for (n, id) in ids.iter().enumerate() {
        let (env, owner) = (["prod", "stage", "dev", "test"][n % 4], n * 7919 % 300);
        let (app, region) = (
            n * 104_729 % 1500,
            ["eu-central-1", "eu-west-1", "us-east-1"][n % 3],
        );
        let _ = writeln!(
            text,
            "{id},host-{n}.example.com,{env},team-{owner},{},app-{app},{region},\"Debian 12, {}\",\"Sun 02:00, UTC\",false",
            4000 + owner,
            ["amd64", "arm64"][n % 2],
        );
    }
    std::fs::write(path, text).expect("a temporary file");
}

fn some_ids(rows: usize) -> Vec<String> {
    (0..rows)
        .map(|n| format!("HOST-{:016X}", (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .collect()
}

fn options(file: &Path) -> inventory::Options {
    inventory::Options {
        file: file.to_string_lossy().into_owned(),
        ..inventory::Options::default()
    }
}

fn tags() -> mapping::Options {
    let columns = [
        "environment",
        "owner",
        "cost_center",
        "application",
        "region",
        "os",
    ];
    let tag = |(key, column): (&str, &str)| TagOptions {
        key: key.to_owned(),
        value: Some(format!("{{{{ {column} }}}}")),
        ..toml::from_str("key = ''").expect("a tag of an empty key")
    };
    mapping::Options {
        entity: Entity::by_id("{{ entity_id }}"),
        tags: KEYS.into_iter().zip(columns).map(tag).collect(),
        tags_from: Vec::new(),
        document: None,
        lookups: BTreeMap::new(),
    }
}

fn read(rows: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("hosts.csv");
    write_inventory(&file, &some_ids(rows));
    let bare = timed(|| {
        let mut reader = csv::Reader::from_path(&file).expect("the file");
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).expect("a row") {
            black_box(&row);
        }
    });
    rate("read: bare csv loop", "rows", rows, bare);
    let ours = timed(|| {
        let inventory = inventory::open(&options(&file), folder.path()).expect("the file");
        assert_eq!(
            inventory
                .map(|entry| black_box(entry).is_ok())
                .filter(|ok| *ok)
                .count(),
            rows
        );
    });
    rate("read: inventory", "rows", rows, ours);
}

fn map(rows: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("hosts.csv");
    write_inventory(&file, &some_ids(rows));
    let mut mapper = Mapper::compile(&tags()).expect("a mapping");
    let mapped = timed(|| {
        for entry in inventory::open(&options(&file), folder.path()).expect("the file") {
            if let Ok(inventory::Entry::Record(record)) = entry {
                black_box(mapper.map(&record).expect("a good row"));
            }
        }
    });
    rate("read and map, 6 tags", "rows", rows, mapped);
}

/// A crosswalk of four columns: read whole, then asked for every key of it.
fn lookup(rows: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("crosswalk.csv");
    let mut text = String::from("hostname,entity_id,owner,site\n");
    for (n, id) in some_ids(rows).iter().enumerate() {
        let (owner, site) = (n * 7919 % 300, ["Frankfurt", "Dublin", "Ashburn"][n % 3]);
        let _ = writeln!(text, "host-{n}.example.com,{id},team-{owner},{site}");
    }
    std::fs::write(&file, text).expect("a temporary file");
    let crosswalk =
        toml::from_str("crosswalk = { file = 'crosswalk.csv', key = 'hostname', unique = ['entity_id'] }");
    let mapping = mapping::Options {
        entity: Entity::by_id("{{ hosts[hostname].entity_id }}"),
        tags: Vec::new(),
        lookups: [("hosts".to_owned(), crosswalk.expect("a lookup"))].into(),
        ..tags()
    };
    let before = peak_mib();
    let mut joined = None;
    let load = timed(|| {
        let mut mapper = Mapper::compile(&mapping).expect("a mapping");
        joined = None;
        let mut builder = mapper.crosswalk("hosts").expect("a lookup of a file");
        for entry in inventory::open(&options(&file), folder.path()).expect("the file") {
            if let Ok(inventory::Entry::Record(record)) = entry {
                builder.push(&record).expect("a good row");
            }
        }
        mapper.join(builder.finish().expect("a good crosswalk"));
        joined = Some(mapper);
    });
    rate("lookup: load, 4 columns", "rows", rows, load);
    println!("lookup: peak memory {} MiB, {before} MiB before it", peak_mib());
    let mut mapper = joined.expect("a round");
    let found = timed(|| {
        for entry in inventory::open(&options(&file), folder.path()).expect("the file") {
            if let Ok(inventory::Entry::Record(record)) = entry {
                black_box(mapper.map(&record).expect("a good row"));
            }
        }
    });
    rate("lookup: read and find", "rows", rows, found);
}

fn diffs(entities: usize) {
    let wishes: Vec<Wish> = KEYS
        .map(|key| Wish {
            rule: Rule::Set,
            tag: Tag::new(key, Some("new")),
        })
        .to_vec();
    let live: Vec<Present> = KEYS[..3]
        .iter()
        .map(|key| Present {
            tag: Tag::new(*key, Some("old")),
            automatic: false,
        })
        .collect();
    let times = timed(|| {
        for _ in 0..entities {
            black_box(diff::actions(black_box(&wishes), black_box(&live)));
        }
    });
    rate("diff, 6 keys", "entities", entities, times);
}

fn packs(entities: usize) {
    let wanted: Vec<Wanted> = (0..u32::try_from(entities).expect("a small number"))
        .map(|entity| {
            let (app, owner) = (entity * 31 % 1500, entity * 17 % 300);
            Wanted {
                entity,
                tags: vec![entity % 4, 4 + owner, 304 + owner, 604 + app],
            }
        })
        .collect();
    let weights = vec![40; 2200];
    let room = Room {
        entities: 81,
        tags: 1000,
        whole_sets: false,
        bytes: 900_000,
        weights: &weights,
    };
    println!(
        "pack: {} calls for {entities} entities of 4 tags",
        pack::calls(&wanted, &room).len()
    );
    rate(
        "pack, 4 tags",
        "entities",
        entities,
        timed(|| drop(black_box(pack::calls(&wanted, &room)))),
    );
}

fn plan_target(url: &str) -> PlanTarget {
    PlanTarget {
        connection: "dynatrace".to_owned(),
        vendor: "dynatrace".to_owned(),
        url: url.to_owned(),
        tenant: String::new(),
        kind: "HOST".to_owned(),
    }
}

async fn ledger(lines: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(&folder.path().join("ledger.db"))
        .await
        .expect("a ledger");
    let mut insert = Vec::new();
    let mut settle = Vec::new();
    for _ in 0..ROUNDS {
        let target = plan_target("https://bench");
        let new = NewRun {
            job: "bench",
            job_path: "job.toml",
            job_digest: "",
            follows: None,
            target,
        };
        let run = ledger.begin_run(&new).await.expect("a run");
        let rows: Vec<(u32, u32, u32, u32, u32, u64)> = (0..u32::try_from(lines).expect("a small number"))
            .map(|entity| (entity, 0, 0, 0, 1, 0b1111))
            .collect();
        let began = Instant::now();
        for batch in rows.chunks(5_000) {
            ledger.insert_lines(run, batch).await.expect("an insert");
        }
        insert.push(began.elapsed());
        let log = ledger.run_log(run).await.expect("a log");
        let began = Instant::now();
        for batch in rows.chunks(80) {
            let line = |row: &(u32, u32, u32, u32, u32, u64)| Settlement {
                line: LineBits {
                    entity: row.0,
                    part: 0,
                    bits: 0b1111,
                },
                verdict: Verdict::Done,
            };
            log.settle(&batch.iter().map(line).collect::<Vec<_>>())
                .await
                .expect("a settlement");
        }
        settle.push(began.elapsed());
    }
    rate("ledger: insert lines", "lines", lines, insert);
    rate("ledger: settle by eighties", "lines", lines, settle);
    ledger.close().await.expect("a close");
}

fn simulated(entities: usize, state: Option<&Path>) -> Dynatrace {
    let folder = Path::new("/");
    let url = format!("simulator:memory?entities={entities}&seed=7&tags=none&auth=off");
    let mut spec = simulator::Spec::from_url(&url, folder).expect("a simulator's URL");
    spec.state = state.map(Path::to_owned);
    Dynatrace::open(&spec).expect("a simulator")
}

/// The identifiers of a simulator, listed through its API.
async fn listed(simulator: &Dynatrace) -> Vec<String> {
    let mut target = "/api/v2/entities?entitySelector=type(%22HOST%22)&pageSize=500&from=now-1y".to_owned();
    let mut ids = Vec::new();
    loop {
        let request = http::Request::get(&target)
            .body(bytes::Bytes::new())
            .expect("a request");
        let simulator::Reply::Answer(answer) = simulator.answer(request).await else {
            panic!("no answer")
        };
        let page: serde_json::Value = serde_json::from_slice(answer.body()).expect("a page");
        let entities = page["entities"].as_array().expect("entities");
        ids.extend(
            entities
                .iter()
                .filter_map(|entity| Some(entity["entityId"].as_str()?.to_owned())),
        );
        let Some(next) = page["nextPageKey"].as_str() else {
            return ids;
        };
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        target = format!("/api/v2/entities?nextPageKey={next}");
    }
}

/// Tells how long each stage took.
fn stages() -> Events {
    let began = std::sync::Mutex::new(Instant::now());
    Events::to(move |event| {
        let mut began = began.lock().expect("no panic while timing");
        match event {
            Event::StageBegan { .. } => *began = Instant::now(),
            Event::StageEnded { stage } => println!("  {stage:?} took {:.2?}", began.elapsed()),
            _ => {}
        }
    })
}

/// No rate, and so many requests in flight.
fn unhurried(concurrency: usize) -> Options {
    let pace = Pace {
        rate: None,
        concurrency: Some(concurrency),
    };
    Options {
        pace,
        ..Options::default()
    }
}

fn target_to(exec: Arc<dyn Exec>, auth: Auth, url: &str, options: &Options) -> Target {
    Target::new(TargetSpec {
        plan: plan_target(url),
        vendor: Arc::from(dynatrace::vendor(&dynatrace::Options::default()).expect("a vendor")),
        connection: Connection::new("dynatrace", exec, auth, options, None, Events::default()).into(),
        concurrency: options.pace.most_in_flight(),
        events: stages(),
    })
}

async fn planned(
    file: &Path,
    mapping: &mapping::Options,
    target: &Target,
    ledger: &Ledger,
) -> engine::Planned {
    let inventory = inventory::open(&options(file), Path::new(".")).expect("the inventory");
    let mapper = Mapper::compile(mapping).expect("a mapping");
    let input = PlanInput {
        job: "bench",
        job_path: "job.toml",
        job_digest: "",
        follows: None,
        source: Source::Inventory(Box::new(inventory), Box::new(mapper), Beside::default()),
        policy: collide::Policy::Fail,
        separator: "",
        losses: tagferry::fit::Options::default(),
        bounds: &Bounds::default(),
        dwell: None,
    };
    engine::plan(input, target, ledger).await.expect("a plan")
}

/// The whole plan of an inventory against entities without tags, ledger included.
async fn plan(rows: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let simulator = simulated(rows, None);
    let file = folder.path().join("hosts.csv");
    write_inventory(&file, &listed(&simulator).await);
    println!(
        "plan: peak memory before it {} MiB, simulator and its {rows} entities within",
        peak_mib()
    );
    let exec = Arc::new(Embedded::new(Arc::new(simulator), Duration::from_secs(30)));
    let target = target_to(exec, Auth::NONE, "simulator:bench", &unhurried(8));
    let (mut times, mut grouped, mut foretold) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..3 {
        let path = folder.path().join(format!("ledger-{round}.db"));
        let ledger = Ledger::open(&path).await.expect("a ledger");
        let began = Instant::now();
        let planned = planned(&file, &tags(), &target, &ledger).await;
        times.push(began.elapsed());
        assert_eq!(planned.summary.operations as usize, rows * KEYS.len());
        let began = Instant::now();
        let review = report::review(&ledger, planned.run, 3).await.expect("a review");
        grouped.push(began.elapsed());
        black_box(review);
        let began = Instant::now();
        let forecast = engine::forecast(planned.run, &target, &ledger)
            .await
            .expect("a forecast");
        foretold.push(began.elapsed());
        println!("plan: {} calls, peak memory {} MiB", forecast.writes, peak_mib());
        ledger.close().await.expect("a close");
        let size = std::fs::metadata(&path).map_or(0, |file| file.len());
        println!("plan: ledger of {} bytes a row", size / rows as u64);
    }
    rate("plan, 6 tags, empty state", "rows", rows, times);
    rate("plan, grouped", "entities", rows, grouped);
    rate("plan, calls foretold", "entities", rows, foretold);
}

/// Calls that each carry one host, by the engine and by a bare reqwest loop in turn, each on a served simulator of its
/// own and with connections of its own.
async fn calls(calls: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ids = listed(&simulated(calls, None)).await;
    let file = folder.path().join("hosts.csv");
    write_inventory(&file, &ids);
    let ledger = Ledger::open(&folder.path().join("ledger.db"))
        .await
        .expect("a ledger");
    let (mut engine_times, mut usual_times, mut bare_times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        engine_times.push(applied(&file, &ledger, calls).await);
        usual_times.push(posted_as_usual(&ids));
        bare_times.push(posted(&ids).await);
    }
    let apply = median(&mut engine_times).as_secs_f64();
    let [usual, bare] = [&mut usual_times, &mut bare_times].map(|times| median(times).as_secs_f64() / apply);
    rate(
        "calls: bare reqwest loop, tokio's usual runtime",
        "calls",
        calls,
        usual_times,
    );
    rate("calls: bare reqwest loop, one thread", "calls", calls, bare_times);
    rate("calls: apply, durable", "calls", calls, engine_times);
    println!("calls: apply reaches {usual:.2} of the first bare loop and {bare:.2} of the second");
    ledger.close().await.expect("a close");
}

async fn token() -> Auth {
    let source = SecretSource::Command(vec!["printf".to_owned(), TOKEN.to_owned()]);
    let secret = Secret::load(&source).await.expect("a token");
    Auth::new(&[dynatrace::AUTH], Some(&Credentials::Token(secret))).expect("an auth header")
}

/// How long the engine takes to apply a plan of one call a host.
async fn applied(file: &Path, ledger: &Ledger, calls: usize) -> Duration {
    let mapping = mapping::Options {
        tags: vec![TagOptions {
            key: "name".to_owned(),
            value: Some("{{ hostname }}".to_owned()),
            ..toml::from_str("key = ''").expect("a tag of an empty key")
        }],
        ..tags()
    };
    let url = serve(simulated(calls, None));
    // The client keeps as many idle connections as its own options let be in flight, as in the program.
    let transport = unhurried(64);
    let exec = HttpExec::new(&url.parse().expect("a URL"), &transport).expect("a client");
    let target = target_to(Arc::new(exec), token().await, &url, &transport);
    let planned = planned(file, &mapping, &target, ledger).await;
    let options = ApplyOptions {
        max_age: Duration::from_mins(10),
        observed_at: Some(planned.observed_at),
        breaker: Breaker::default(),
        waves: Vec::new(),
    };
    let began = Instant::now();
    engine::apply(planned.run, &target, ledger, &options)
        .await
        .expect("an apply");
    let took = began.elapsed();
    let summary = ledger.summary(planned.run).await.expect("a summary");
    assert_eq!(summary.attempts.write as usize, calls, "one call a host");
    took
}

/// How long a bare reqwest loop takes for the same requests.
async fn posted(ids: &[String]) -> Duration {
    let url = serve(simulated(ids.len(), None));
    let began = Instant::now();
    post_all(&url, ids).await;
    began.elapsed()
}

/// The same on the runtime that `#[tokio::main]` makes, which hands requests from thread to thread.
fn posted_as_usual(ids: &[String]) -> Duration {
    std::thread::scope(|scope| {
        let posting = || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(posted(ids))
        };
        scope.spawn(posting).join().expect("a thread")
    })
}

/// Serves a simulator from a thread of its own, as another process would.
fn serve(simulator: Dynatrace) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port");
            tell.send(listener.local_addr().expect("an address"))
                .expect("a listener");
            simulator::serve(Arc::new(simulator), listener, std::future::pending())
                .await
                .expect("a server");
        });
    });
    format!("http://{}", told.recv().expect("an address"))
}

async fn post_all(base: &str, ids: &[String]) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let calls = ids.iter().enumerate().map(|(n, id)| {
        let url = format!("{base}/api/v2/tags?entitySelector=entityId(%22{id}%22)&from=now-1y");
        let body = format!(r#"{{"tags":[{{"key":"name","value":"host-{n}.example.com"}}]}}"#);
        let request = client
            .post(url)
            .header("authorization", format!("Api-Token {TOKEN}"))
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        async move {
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
            answer.bytes().await.expect("a body")
        }
    });
    futures::stream::iter(calls)
        .buffer_unordered(64)
        .for_each(|_| std::future::ready(()))
        .await;
}
