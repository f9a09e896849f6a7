//! A folder with a job, an inventory, and a state home of its own.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::ledger::LedgerCopy;
use super::process::{Ended, Running};

/// A well-formed token, which the simulator lets in.
pub(crate) const TOKEN: &str =
    "dt0c01.AAAAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

/// A temporary folder in which the program runs. The folder is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: TempDir,
    started: AtomicUsize,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("tagferry-it-").tempdir();
        Self {
            folder: folder.expect("a temporary folder"),
            started: AtomicUsize::new(0),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file of the folder can be written");
        path
    }

    /// The program with arguments, begun in the folder, with a token that lets it in, and nothing else of ours in its
    /// environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagferry"));
        command.args(arguments);
        self.at_home(&mut command);
        command
    }

    /// Gives a command the folder and the environment of [`Workspace::command`].
    pub(crate) fn at_home(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env_remove("TAGFERRY_LEDGER")
            .env("XDG_STATE_HOME", self.path("state-home"))
            .env("DT_API_TOKEN", TOKEN);
    }

    /// Starts a command of this folder.
    pub(crate) fn start(&self, command: &mut Command) -> Running {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        Running::start(command, &self.path(&format!("process-{number}")))
    }

    /// Starts the program.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        self.start(&mut self.command(arguments))
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.spawn(arguments).wait()
    }

    /// A copy of the ledger as it is on disk. Only while no process has it open for writing is the copy whole.
    pub(crate) fn ledger(&self) -> LedgerCopy {
        LedgerCopy::of(&self.path("state-home/tagferry/ledger.db"))
    }

    /// Every file below the folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder can be listed") {
                let path = entry.expect("a folder can be listed").path();
                if path.is_dir() { &mut folders } else { &mut found }.push(path);
            }
        }
        found
    }

    /// Writes `job.toml`: hosts of `hosts.csv` by `entity_id`, a `set` for each key from the column of that name, any
    /// number of changes, one
    /// connection at `url`; `network` are further lines of the connection.
    pub(crate) fn write_job(&self, name: &str, keys: &[&str], url: &str, network: &str) -> PathBuf {
        self.write(
            "job.toml",
            &job_text(name, Path::new("hosts.csv"), keys, url, network),
        )
    }
}

/// The text of such a job.
pub(crate) fn job_text(name: &str, file: &Path, keys: &[&str], url: &str, network: &str) -> String {
    let mut text = format!(
        "name = \"{name}\"\n[source]\nfile = \"{}\"\n[target]\nconnection = \"dynatrace\"\nkind = \"HOST\"\nentity = \
         \"{{{{ entity_id }}}}\"\n",
        file.display()
    );
    for key in keys {
        write!(text, "[[tag]]\nkey = \"{key}\"\nvalue = \"{{{{ {key} }}}}\"\n").expect("a string takes text");
    }
    let connection =
        format!("vendor = \"dynatrace\"\nurl = \"{url}\"\ntoken = {{ env = \"DT_API_TOKEN\" }}\n");
    text + "[guard]\nmax_changes = \"100%\"\n[connections.dynatrace]\n" + &connection + network + "\n"
}
