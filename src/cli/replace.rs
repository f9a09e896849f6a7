//! Files that are replaced only once what takes their place is whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Lets `write` write a file beside the one of a path, and puts it in its place. What is new is readable by its owner alone;
/// what was there keeps its mode. A pipe, a
/// terminal or `/dev/null` is written to; replacing it would take it from everybody.
pub(super) async fn replaced(
    path: &Path,
    write: impl AsyncFnOnce(&mut dyn io::Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let out = OpenOptions::new().write(true).open(path);
        let mut out = out.with_context(|| format!("{}: opening it", path.display()))?;
        return write(&mut out).await;
    }
    // The file that a link leads to is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = beside(&path);
    let written = match create(&beside, &path) {
        Ok(mut out) => finish(write(&mut out).await, &out, &beside, &path),
        Err(error) => Err(error),
    };
    if written.is_err() {
        // Nothing else can be done about a file that nobody asked for.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn create(beside: &Path, path: &Path) -> anyhow::Result<File> {
    // A killed process of the same number may have left one; what else stands there is not written through.
    let _ = fs::remove_file(beside);
    let out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside);
    let out = out.with_context(|| format!("{}: creating it", beside.display()))?;
    if let Ok(there) = fs::metadata(path) {
        let kept = out.set_permissions(there.permissions());
        kept.with_context(|| format!("{}: giving it the mode of {}", beside.display(), path.display()))?;
    }
    Ok(out)
}

fn finish(written: anyhow::Result<()>, out: &File, beside: &Path, path: &Path) -> anyhow::Result<()> {
    written?;
    out.sync_all()
        .with_context(|| format!("{}: writing it", beside.display()))?;
    fs::rename(beside, path).with_context(|| format!("{}: replacing it", path.display()))
}

/// A name beside a file for the file that will replace it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}
