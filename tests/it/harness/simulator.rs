//! A simulator served by a process of its own.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use tagferry::simulator::Spec;
use tagferry::simulator::dynatrace::Dynatrace;

use super::fleet::Tag;
use super::ledger::Attempt;
use super::poll::until;
use super::process::Running;
use super::workspace::Workspace;

/// How long a simulator may take until it listens.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// A served simulator. Dropping it ends its process.
#[derive(Debug)]
pub(crate) struct Simulator {
    state: PathBuf,
    url: String,
    process: Option<Running>,
}

/// A line of the simulator's journal: a request that it handled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Request {
    /// Counts the requests, from 1.
    pub(crate) seq: u64,
    /// Milliseconds since 1970.
    pub(crate) ms: i64,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// What was answered; `None` when nothing was.
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) changes: Vec<Change>,
    pub(crate) fault: Option<String>,
}

/// One manual tag that came (`add`) or went (`remove`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Change {
    pub(crate) entity: String,
    pub(crate) op: String,
    pub(crate) key: String,
    pub(crate) value: Option<String>,
}

impl Request {
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

impl Simulator {
    /// Serves a simulator whose journal is a file of the workspace, with further options of `simulate`.
    pub(crate) fn serve(workspace: &Workspace, options: &[&str]) -> Self {
        Self::serve_with(workspace, "simulator.jsonl", options, &[])
    }

    /// As [`Simulator::serve`], with the name of the journal and variables of its environment. Serving a journal that is
    /// there goes on with its state.
    pub(crate) fn serve_with(
        workspace: &Workspace,
        state: &str,
        options: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        Self::serve_of("dynatrace", workspace, state, options, variables)
    }

    /// The same for any vendor.
    pub(crate) fn serve_of(
        vendor: &str,
        workspace: &Workspace,
        state: &str,
        options: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let path = workspace.path(state);
        let mut command = workspace.command(&["simulate", vendor, "--state"]);
        command.arg(&path).args(options).envs(variables.iter().copied());
        let mut process = workspace.start(&mut command);
        let url = until("the simulator to listen", STARTS_WITHIN, || {
            assert!(!process.has_ended(), "no simulator: {}", process.stderr());
            let said = process.stdout();
            let (line, _) = said.split_once('\n')?;
            line.split_once(" on ").map(|(_, url)| url.to_owned())
        });
        Self {
            state: path,
            url,
            process: Some(process),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its address, for serving another simulator there after this one.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Ends its process; the journal stays.
    pub(crate) fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal("TERM");
            process.wait().expect(0);
        }
    }

    /// Every request that it has handled so far.
    pub(crate) fn journal(&self) -> Vec<Request> {
        let text = fs::read_to_string(&self.state).expect("the journal can be read");
        // A last line without its end is still being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let line = |line| serde_json::from_str(line).expect("a line of the journal is a request");
        whole.lines().skip(1).map(line).collect()
    }

    /// How many requests it has handled so far.
    pub(crate) fn handled(&self) -> usize {
        self.journal().len()
    }

    /// Panics when a request was handled that is no attempt of `attempts`.
    pub(crate) fn check_attempts<'a>(&self, attempts: impl IntoIterator<Item = &'a Attempt>) {
        let mut left: HashMap<(&str, &str), usize> = HashMap::new();
        for Attempt { method, target, .. } in attempts {
            *left.entry((method, target)).or_default() += 1;
        }
        for request in &self.journal() {
            let left = left.get_mut(&(request.method.as_str(), request.target.as_str()));
            let known = left.is_some_and(|left| {
                let known = *left > 0;
                *left = left.saturating_sub(1);
                known
            });
            assert!(known, "sent without being written down before: {request:?}");
        }
    }

    /// The manual tags of entities as they are now, each sorted.
    pub(crate) fn tags(&self, ids: &[String]) -> Vec<Vec<Tag>> {
        tags(
            &fs::read_to_string(&self.state).expect("the journal can be read"),
            ids,
        )
    }

    /// The manual tags of entities before any request.
    pub(crate) fn first_tags(&self, ids: &[String]) -> Vec<Vec<Tag>> {
        let text = fs::read_to_string(&self.state).expect("the journal can be read");
        let header = text.lines().next().expect("the journal has a first line");
        tags(&format!("{header}\n"), ids)
    }
}

/// Replays a journal. The file itself is locked as long as it is served, so its text is replayed from another.
fn tags(journal: &str, ids: &[String]) -> Vec<Vec<Tag>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("state"), journal).expect("a file can be written");
    let spec = Spec::from_url("simulator:state", folder.path()).expect("a simulator's URL");
    let replayed = Dynatrace::open(&spec).expect("the journal can be replayed");
    let tags = |id: &String| {
        replayed
            .manual_tags(id)
            .unwrap_or_else(|| panic!("no entity {id}"))
    };
    ids.iter().map(tags).collect()
}
