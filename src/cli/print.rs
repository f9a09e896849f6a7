//! Standard output for results, standard error for everything else. A closed pipe ends quietly.

use std::io::{self, Write};

/// Writes a result. A reader that went away is not an error.
pub(super) fn result(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    quiet_pipe(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Takes a closed pipe for success.
pub(super) fn quiet_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a line to standard error. Nothing can be done when that fails.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
