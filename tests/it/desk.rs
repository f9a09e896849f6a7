//! A folder with a job, its inventory, a ledger and a simulated tenant: what tests of whole jobs work at.
//!
//! The tenant is the embedded simulator's state file. Tests change and read it through the vendor's API while no tagferry
//! has it open, and its journal says afterwards what was asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bytes::Bytes;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tagferry::ledger::{Ledger, RowReport};
use tagferry::model::Outcome;
use tagferry::simulator::dynatrace::Dynatrace;
use tagferry::simulator::{Reply, Spec};
use tempfile::TempDir;

/// Wide enough for every entity that a simulator makes.
const FROM: &str = "now-3y";

/// Identifiers of hosts that a selector of 2000 characters has room for.
const IDS_A_CALL: usize = 80;

/// The state file of every desk.
const STATE: &str = "state.db";

/// A tag as `/api/v2/entities` shows it: context, key, value.
pub(crate) type Shown = (String, String, Option<String>);

/// What one entity shows.
pub(crate) type Tags = BTreeSet<Shown>;

/// The tag that a person would write `key:value`.
pub(crate) fn manual(key: &str, value: &str) -> Shown {
    let value = (!value.is_empty()).then(|| value.to_owned());
    ("CONTEXTLESS".to_owned(), key.to_owned(), value)
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Desk(TempDir);

impl Desk {
    /// A desk whose tenant was made with these options, such as `entities=60&seed=3`.
    pub(crate) fn new(population: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        drop(desk.tenant_with(population));
        desk
    }

    /// A desk without a tenant.
    pub(crate) fn bare() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes `job.toml`: hosts of `hosts.csv` by the column `id`, and what `rules` add to that.
    pub(crate) fn job(&self, rules: &str) {
        self.write("job.toml", job(rules));
    }

    /// Writes a CSV file.
    pub(crate) fn table<const N: usize>(
        &self,
        name: &str,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let mut table = csv::Writer::from_path(self.path(name)).unwrap();
        table.write_record(header).unwrap();
        for row in rows {
            table.write_record(&row).unwrap();
        }
        table.flush().unwrap();
    }

    /// A command of tagferry at this desk, with nothing of the environment but what it needs.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagferry"));
        command
            .args(words)
            .current_dir(self.0.path())
            .env_clear()
            .env("XDG_STATE_HOME", self.path("state"))
            .env("HOME", self.0.path())
            .env("DT_API_TOKEN", token());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn tagferry(&self, words: &[&str]) -> Ended {
        let output = self.command(words).output().unwrap();
        Ended::new(words, output)
    }

    /// Plans and applies `job.toml`.
    pub(crate) fn run(&self) -> Ended {
        self.tagferry(&["run", "job.toml"])
    }

    /// Plans `job.toml` only.
    pub(crate) fn plan(&self) -> Ended {
        self.tagferry(&["plan", "job.toml"])
    }

    /// The tenant; nobody else can have it open meanwhile.
    pub(crate) fn tenant(&self) -> Tenant {
        self.tenant_with("")
    }

    /// The tenant with other options than those of its entities.
    pub(crate) fn tenant_with(&self, options: &str) -> Tenant {
        self.tenant_of(STATE, options)
    }

    /// A tenant of another state file.
    pub(crate) fn tenant_of(&self, state: &str, options: &str) -> Tenant {
        let spec = Spec::from_url(&format!("simulator:{state}?{options}"), self.0.path()).unwrap();
        Tenant {
            simulator: Dynatrace::open(&spec).unwrap(),
        }
    }

    /// Every request that the tenant was asked, in order.
    pub(crate) fn journal(&self) -> Vec<Value> {
        self.journal_since(0)
    }

    /// Every request but the first `before` of them.
    fn journal_since(&self, before: usize) -> Vec<Value> {
        let text = fs::read_to_string(self.path(STATE)).unwrap();
        let lines = text.lines().skip(1 + before);
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many requests the tenant was asked.
    pub(crate) fn handled(&self) -> usize {
        let text = fs::read_to_string(self.path(STATE)).unwrap();
        text.lines().count() - 1
    }

    /// What the requests after the first `before` of them were.
    pub(crate) fn asked_since(&self, before: usize) -> Asked {
        let mut asked = Asked::default();
        for entry in self.journal_since(before) {
            let target = entry["target"].as_str().unwrap();
            match entry["method"].as_str().unwrap() {
                "GET" if target.starts_with("/api/v2/tags") => asked.ownership += 1,
                "GET" => asked.reads += 1,
                _ => asked.writes += 1,
            }
        }
        asked
    }

    /// The rows of a run, in the order of the inventory.
    pub(crate) fn rows(&self, run: i64) -> Vec<RowReport> {
        block_on(async {
            let ledger = Ledger::open(&self.ledger()).await.unwrap();
            let mut rows = Vec::new();
            ledger.each_row(run, |row| rows.push(row)).await.unwrap();
            ledger.close().await.unwrap();
            rows
        })
    }

    /// How many rows of a run have each outcome.
    pub(crate) fn outcomes(&self, run: i64) -> BTreeMap<Outcome, usize> {
        let mut outcomes = BTreeMap::new();
        for row in self.rows(run) {
            *outcomes.entry(row.outcome).or_default() += 1;
        }
        outcomes
    }

    /// The operations that a run planned, as `entity +key:value`, sorted.
    pub(crate) fn operations(&self, run: i64) -> Vec<String> {
        let tags: BTreeMap<i64, String> = self
            .select("SELECT id, key, value FROM tag WHERE run = ?", run, |row| {
                let (key, value): (String, Option<String>) = (row.get(1), row.get(2));
                (
                    row.get(0),
                    value.map_or(key.clone(), |value| format!("{key}:{value}")),
                )
            })
            .into_iter()
            .collect();
        let sql = "SELECT e.key, s.members FROM line AS l
            JOIN entity AS e ON e.run = l.run AND e.id = l.entity
            JOIN tag_set AS s ON s.run = l.run AND s.role = 'change' AND s.id = l.change WHERE l.run = ?";
        let lines: Vec<(String, String)> = self.select(sql, run, |row| (row.get(0), row.get(1)));
        let mut operations = Vec::new();
        for (entity, members) in lines {
            // The migration says how actions are written: (tag * 2 + remove) * 8 + rule.
            for code in serde_json::from_str::<Vec<i64>>(&members).unwrap() {
                let sign = if code / 8 % 2 == 1 { '-' } else { '+' };
                operations.push(format!("{entity} {sign}{}", tags[&(code / 16)]));
            }
        }
        operations.sort();
        operations
    }

    /// The state of each run, oldest first.
    pub(crate) fn states(&self) -> Vec<String> {
        self.select("SELECT state FROM run WHERE id > ? ORDER BY id", 0, |row| {
            row.get(0)
        })
    }

    fn ledger(&self) -> PathBuf {
        self.path("state/tagferry/ledger.db")
    }

    fn select<T>(
        &self,
        sql: &'static str,
        argument: i64,
        each: impl Fn(&sqlx::sqlite::SqliteRow) -> T,
    ) -> Vec<T> {
        block_on(async {
            let options = SqliteConnectOptions::new()
                .filename(self.ledger())
                .read_only(true);
            let pool = SqlitePool::connect_with(options).await.unwrap();
            let rows = sqlx::query(sql).bind(argument).fetch_all(&pool).await.unwrap();
            pool.close().await;
            rows.iter().map(each).collect()
        })
    }
}

/// The text of a job: hosts of `hosts.csv` by the column `id` at the desk's tenant, and what `rules` add.
pub(crate) fn job(rules: &str) -> String {
    format!(
        "name = \"tags\"\n[source]\nfile = \"hosts.csv\"\n[target]\nconnection = \"tenant\"\nkind = \"HOST\"\n\
         entity = \"{{{{ id }}}}\"\n{rules}\n[connections.tenant]\nvendor = \"dynatrace\"\nurl = \"simulator:{STATE}\"\n"
    )
}

/// A rule of a job that takes key and value from a column.
pub(crate) fn rule(action: &str, key: &str, column: &str) -> String {
    format!("[[tag]]\nkey = \"{key}\"\nvalue = \"{{{{ {column} }}}}\"\naction = \"{action}\"\n")
}

/// A token of the vendor's form.
pub(crate) fn token() -> String {
    format!("dt0c01.{}.{}", "A".repeat(24), "B".repeat(64))
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(work)
}

/// What was asked of a tenant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Requests that read entities.
    pub(crate) reads: usize,
    /// Requests that tell manual tags from rule-made ones.
    pub(crate) ownership: usize,
    /// Requests that write.
    pub(crate) writes: usize,
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    words: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn new(words: &[&str], output: Output) -> Self {
        Self {
            words: words.join(" "),
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code; on failure, shows what was printed.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { words, out, err, .. } = &self;
        assert_eq!(
            self.code,
            Some(code),
            "tagferry {words}\n--- stdout\n{out}\n--- stderr\n{err}"
        );
        assert!(!err.contains("panicked"), "tagferry {words}\n{err}");
        self
    }

    /// Asserts that each part is on standard error.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(
                self.err.contains(part),
                "tagferry {}: no `{part}` in\n{}",
                self.words,
                self.err
            );
        }
        self
    }
}

/// A simulated tenant, through the vendor's API.
#[derive(Debug)]
pub(crate) struct Tenant {
    simulator: Dynatrace,
}

/// An entity as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    pub(crate) name: String,
    pub(crate) tags: Tags,
}

impl Entity {
    /// The values of a key, rule-made ones among them.
    pub(crate) fn values(&self, key: &str) -> BTreeSet<&str> {
        let of_key = self
            .tags
            .iter()
            .filter(|tag| tag.0 == "CONTEXTLESS" && tag.1 == key);
        of_key.map(|tag| tag.2.as_deref().unwrap_or_default()).collect()
    }
}

impl Tenant {
    /// Every host, by identifier.
    pub(crate) fn hosts(&self) -> BTreeMap<String, Entity> {
        self.entities("HOST")
    }

    /// Every entity of a kind, by identifier.
    pub(crate) fn entities(&self, kind: &str) -> BTreeMap<String, Entity> {
        let selector = encoded(&format!("type(\"{kind}\")"));
        let first = format!("entitySelector={selector}&fields=%2Btags&from={FROM}&pageSize=500");
        let mut entities = BTreeMap::new();
        let mut query = Some(first);
        while let Some(now) = query {
            let page = self.ask("GET", &format!("/api/v2/entities?{now}"), "");
            for entity in page["entities"].as_array().unwrap() {
                let tags = entity["tags"].as_array().unwrap().iter().map(shown).collect();
                let name = entity["displayName"].as_str().unwrap().to_owned();
                entities.insert(
                    entity["entityId"].as_str().unwrap().to_owned(),
                    Entity { name, tags },
                );
            }
            query = page["nextPageKey"]
                .as_str()
                .map(|key| format!("nextPageKey={}", encoded(key)));
        }
        entities
    }

    /// Whether an entity holds a pair by hand, which only a question about it alone tells.
    pub(crate) fn has_by_hand(&self, id: &str, key: &str, value: &str) -> bool {
        self.by_hand(id)
            .contains(&(key.to_owned(), Some(value.to_owned())))
    }

    /// What an entity holds by hand: key and value of each tag, sorted.
    pub(crate) fn by_hand(&self, id: &str) -> Vec<(String, Option<String>)> {
        self.simulator.manual_tags(id).unwrap()
    }

    /// Adds a tag by hand.
    pub(crate) fn add(&self, id: &str, key: &str, value: &str) {
        self.add_all(id, &[(key, value)]);
    }

    /// Adds tags by hand.
    pub(crate) fn add_all(&self, id: &str, tags: &[(&str, &str)]) {
        self.add_to_all(&[id.to_owned()], tags);
    }

    /// Adds the same tags by hand to many entities.
    pub(crate) fn add_to_all(&self, ids: &[String], tags: &[(&str, &str)]) {
        let tags: Vec<Value> = tags
            .iter()
            .map(|(key, value)| serde_json::json!({ "key": key, "value": value }))
            .collect();
        let body = serde_json::json!({ "tags": tags }).to_string();
        for ids in ids.chunks(IDS_A_CALL) {
            let matched = &self.ask("POST", &tags_of(&ids.join("\",\"")), &body)["matchedEntitiesCount"];
            assert_eq!(matched, ids.len(), "{ids:?}");
        }
    }

    /// Removes every value of a key by hand.
    pub(crate) fn remove(&self, id: &str, key: &str) {
        let target = format!("{}&deleteAllWithKey=true&key={}", tags_of(id), encoded(key));
        self.ask("DELETE", &target, "");
    }

    /// Removes every value of a key by hand, where there is any.
    pub(crate) fn remove_if_any(&self, id: &str, key: &str) {
        let tags = self.simulator.manual_tags(id).unwrap();
        if tags.iter().any(|tag| tag.0 == key) {
            self.remove(id, key);
        }
    }

    fn ask(&self, method: &str, target: &str, body: &str) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(target)
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        let Reply::Answer(answer) = block_on(self.simulator.answer(request)) else {
            panic!("no answer to {method} {target}");
        };
        let text = String::from_utf8_lossy(answer.body());
        assert!(answer.status().is_success(), "{method} {target}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

fn shown(tag: &Value) -> Shown {
    let text = |name: &str| tag[name].as_str().map(str::to_owned);
    (text("context").unwrap(), text("key").unwrap(), text("value"))
}

fn tags_of(id: &str) -> String {
    format!(
        "/api/v2/tags?from={FROM}&entitySelector={}",
        encoded(&format!("entityId(\"{id}\")"))
    )
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The folder of real inventories; without it a test has nothing to say and says so.
pub(crate) fn inputs() -> Option<&'static Path> {
    static INPUTS: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    let folder = INPUTS.get_or_init(|| std::env::var_os("TAGFERRY_INPUTS").map(PathBuf::from));
    if folder.is_none() {
        println!("not tried: TAGFERRY_INPUTS names no folder of inventories");
    }
    folder.as_deref()
}
