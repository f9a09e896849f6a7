//! The memory of a simulator: an append-only file of JSON lines.
//!
//! The first line says how the entities were made, every other one tells of a request and what it changed. Replaying the
//! changes gives the state. A line is in the operating system's hands before the answer leaves, so a killed process
//! loses no answered change; a line that was cut off by a kill is dropped on opening. Tokens are never written.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

/// One request, as a line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry<'a> {
    /// Counts the requests of the file, from 1.
    pub(super) seq: u64,
    /// Milliseconds since 1970.
    pub(super) ms: i64,
    /// The method.
    #[serde(borrow)]
    pub(super) method: Cow<'a, str>,
    /// Path and query as they were received.
    #[serde(borrow)]
    pub(super) target: Cow<'a, str>,
    /// The status answered; absent when no answer was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// What it changed.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) changes: Vec<Change<'a>>,
    /// The fault committed on it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Cow<'a, str>>,
}

/// One manual tag of one entity that came or went, or something else that a vendor keeps under an identifier. What an empty
/// entity means is a vendor's affair: for Oracle PaaS the tag itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change<'a> {
    /// The entity's identifier.
    #[serde(borrow)]
    pub(super) entity: Cow<'a, str>,
    /// Which way.
    pub(super) op: Op,
    /// The key.
    #[serde(borrow)]
    pub(super) key: Cow<'a, str>,
    /// The value.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Cow<'a, str>>,
}

/// Whether a tag came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Op {
    /// It came.
    Add,
    /// It went.
    Remove,
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: Option<File>,
    seq: u64,
    /// Where the next line begins.
    end: u64,
    /// Used again for every line.
    line: Vec<u8>,
}

impl Journal {
    /// A journal that keeps nothing but the count.
    pub(super) fn in_memory() -> Self {
        Self {
            file: None,
            seq: 0,
            end: 0,
            line: Vec::new(),
        }
    }

    /// A journal that goes on in a file behind its last line.
    pub(super) fn in_file(file: File, seq: u64, end: u64) -> Self {
        Self {
            file: Some(file),
            seq,
            end,
            line: Vec::new(),
        }
    }

    /// How many requests the file tells of.
    pub(super) fn handled(&self) -> u64 {
        self.seq
    }

    /// Writes a request; its number is set here. The line goes out in one write.
    pub(super) fn append(&mut self, entry: &mut Entry<'_>) -> std::io::Result<()> {
        self.seq += 1;
        entry.seq = self.seq;
        let Some(file) = &mut self.file else { return Ok(()) };
        self.line.clear();
        serde_json::to_writer(&mut self.line, entry)?;
        self.line.push(b'\n');
        if let Err(why) = file.write_all(&self.line) {
            // Half a line in the middle would make the file unreadable.
            file.set_len(self.end)?;
            file.seek(SeekFrom::Start(self.end))?;
            return Err(why);
        }
        self.end += self.line.len() as u64;
        Ok(())
    }
}

impl Drop for Journal {
    /// Gives the file free at once: a process that is just being started may still hold a copy of this descriptor, and
    /// with it the lock, until it runs its own program.
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Closing unlocks it too, so a failure costs no more than that moment.
            let _ = file.unlock();
        }
    }
}
