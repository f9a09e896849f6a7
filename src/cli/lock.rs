//! Locks that die with their process: a job by its name, a connection by URL and tenant, whatever the ledger.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

/// How often a lock that others hold is tried.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// What to do when another process has the lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum IfLocked {
    /// End with exit code 7.
    #[default]
    Fail,
    /// Wait until it is free.
    Wait,
    /// End with exit code 0.
    Skip,
}

/// A lock could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    /// Another process has it.
    #[error(
        "{what} is in use by another tagferry{holder}; use `--if-locked wait` or `skip`, or end that one"
    )]
    Held {
        /// What is locked.
        what: String,
        /// ` (process N)`, or nothing.
        holder: String,
    },
    /// Another process exports to the same file.
    #[error("{}: another tagferry exports to this file; wait for its end, or name another file", .0.display())]
    Export(PathBuf),
    /// The lock file can't be made.
    #[error("{path}: can't make the lock file for {what}")]
    File {
        /// What is locked.
        what: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// A held lock. Closing the file frees it, however the process ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held for its life, never read")] File);

/// Takes the lock of `name`; `what` is how people are told of it. `None` when another process has it and that is to be
/// skipped.
pub(super) async fn take(name: &str, what: &str, if_locked: IfLocked) -> Result<Option<Lock>, LockError> {
    let path = folder().join(format!("{}.lock", blake3::hash(name.as_bytes()).to_hex()));
    let failed = |source| LockError::File {
        what: what.to_owned(),
        path: path.clone(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = options.open(&path).map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => match if_locked {
                IfLocked::Skip => return Ok(None),
                IfLocked::Wait => tokio::time::sleep(TRY_EVERY).await,
                IfLocked::Fail => {
                    return Err(LockError::Held {
                        what: what.to_owned(),
                        holder: holder(&mut file),
                    });
                }
            },
        }
    }
    // Only for people to read; the lock itself is the kernel's.
    let noted = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    noted.map_err(failed)?;
    Ok(Some(Lock(file)))
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!(" (process {pid})"),
        _ => String::new(),
    }
}

/// One folder for all ledgers of a user, so that two ledgers can't drive one connection at once.
fn folder() -> PathBuf {
    let state = crate::ledger::default_path().and_then(|path| path.parent().map(PathBuf::from));
    state
        .unwrap_or_else(|| std::env::temp_dir().join("tagferry"))
        .join("locks")
}
