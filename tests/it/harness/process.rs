//! A child process of a test: watched with a deadline, ended when it is dropped.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::poll::until;

/// How long any run of a test may take before the test gives up; generous, since machines are shared.
const PATIENCE: Duration = Duration::from_mins(3);

/// A process that was started. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    /// Starts a command whose output goes to `NAME.out` and `NAME.err`. Files never fill up as pipes do.
    pub(super) fn start(command: &mut Command, output: &std::path::Path) -> Self {
        let (stdout, stderr) = (output.with_extension("out"), output.with_extension("err"));
        let file = |path: &PathBuf| Stdio::from(File::create(path).expect("an output file"));
        let child = command
            .stdin(Stdio::null())
            .stdout(file(&stdout))
            .stderr(file(&stderr))
            .spawn()
            .expect("the command starts");
        Self {
            child,
            stdout,
            stderr,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_some()
    }

    /// What it has written to stdout so far.
    pub(crate) fn stdout(&self) -> String {
        text(&self.stdout)
    }

    /// What it has written to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Sends a signal by its name, such as `INT`. A process that has ended is no longer reached, and not waited for yet, so
    /// that its number is still its own.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.id());
        let sent = Command::new("sh").args(["-c", &line]).status().expect("a shell");
        assert!(sent.success(), "`{line}` failed");
    }

    /// Kills it at once.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().expect("it can be killed");
        let status = self.child.wait().expect("it can be waited for");
        self.ended(status)
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let child = &mut self.child;
        let exited = || child.try_wait().expect("it can be waited for");
        let status = until("a process to end", PATIENCE, exited);
        self.ended(status)
    }

    fn ended(&self, status: ExitStatus) -> Ended {
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended long ago; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Panics unless it ended with this exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "it ended otherwise: {self:#?}");
        self
    }
}

fn text(path: &PathBuf) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("an output file")).into_owned()
}
