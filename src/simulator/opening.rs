//! Opening a journal: the lock, the first line, the replay.

use std::borrow::Cow;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::{Entry, Journal};
use super::population::Population;
use super::spec::Spec;

/// The version of the lines. A file of another version is refused.
const FORMAT: u32 = 1;

/// A simulator can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file can't be opened, read or written.
    #[error("{}: can't be {doing}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Another process has the journal open.
    #[error("{}: another simulator has this state file open; stop it or use another file", .0.display())]
    Locked(PathBuf),
    /// A line of the journal is not one of ours.
    #[error("{}:{line}: not a line of a simulator's state: {why}; move the file away to begin anew", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The journal tells of other entities than the options.
    #[error("{}: made with other entities ({made}); leave those options out, or use another file", path.display())]
    OtherPopulation {
        /// The file.
        path: PathBuf,
        /// How its entities were made, as JSON.
        made: String,
    },
    /// The inventory can't be used.
    #[error("{}: {why}", path.display())]
    Inventory {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The environment variable for the token is not set.
    #[error("the environment variable `{0}` shall hold the token to accept, and is not set")]
    NoToken(String),
    /// The environment variable for the token holds no pair of keys.
    #[error("the environment variable `{0}` shall hold `PUBLIC_KEY:PRIVATE_KEY`, and has no colon")]
    NoPair(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    tagferry_simulator: u32,
    vendor: Cow<'static, str>,
    made: Population,
}

/// An opened file, locked, of which the first line is read.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    file: Option<File>,
    /// Where the lines after the header begin.
    start: u64,
    /// How the entities are made.
    pub(super) population: Population,
}

impl Opened {
    /// Opens the journal of a spec, making it when it is absent, and settles how the entities are made.
    pub(super) fn open(spec: &Spec, vendor: &'static str) -> Result<Self, OpenError> {
        let Some(path) = spec.state.as_deref().map(|path| spec.resolve(path)) else {
            let population = spec.population.clone().unwrap_or_default();
            return Ok(Self {
                path: PathBuf::new(),
                file: None,
                start: 0,
                population,
            });
        };
        let mut file = locked(&path)?;
        let (population, start) = match header(&path, &file)? {
            Some((header, start)) => (agreed(&path, header, vendor, spec)?, start),
            None => begin(&path, &mut file, vendor, spec)?,
        };
        Ok(Self {
            path,
            file: Some(file),
            start,
            population,
        })
    }

    /// Replays every request after the header, and leaves the journal ready for more.
    pub(super) fn replay(self, apply: impl FnMut(&Entry<'_>)) -> Result<Journal, OpenError> {
        let Self {
            path, file, start, ..
        } = self;
        let Some(mut file) = file else {
            return Ok(Journal::in_memory());
        };
        let failed = |doing| failure(&path, doing);
        file.seek(SeekFrom::Start(start)).map_err(failed("read"))?;
        let (seq, end) = replay_lines(&path, &file, start, apply)?;
        // What follows the last line break was cut off by a kill before its answer left.
        file.set_len(end).map_err(failed("cut to its last whole line"))?;
        file.seek(SeekFrom::Start(end)).map_err(failed("written"))?;
        Ok(Journal::in_file(file, seq, end))
    }
}

/// Applies every whole line from where the file stands, and returns the number of the last one and where it ends.
fn replay_lines(
    path: &Path,
    file: &File,
    start: u64,
    mut apply: impl FnMut(&Entry<'_>),
) -> Result<(u64, u64), OpenError> {
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let (mut line, mut seq, mut end) = (Vec::new(), 0, start);
    for number in 2.. {
        line.clear();
        let n_read = reader
            .read_until(b'\n', &mut line)
            .map_err(failure(path, "read"))?;
        if line.last() != Some(&b'\n') {
            break;
        }
        let entry: Entry<'_> = serde_json::from_slice(&line).map_err(|why| OpenError::Line {
            path: path.to_owned(),
            line: number,
            why: why.to_string(),
        })?;
        seq = entry.seq;
        end += n_read as u64;
        apply(&entry);
    }
    Ok((seq, end))
}

fn failure(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> OpenError {
    move |source| OpenError::File {
        path: path.to_owned(),
        doing,
        source,
    }
}

fn locked(path: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failure(path, "opened"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failure(path, "locked")(source)),
    }
}

/// The header and where it ends; `None` for a file that is empty or was cut off within its first line.
fn header(path: &Path, file: &File) -> Result<Option<(Header, u64)>, OpenError> {
    // No header is that long; a large file without a line break is not read whole.
    let mut reader = BufReader::new(file.take(1 << 20));
    let mut line = Vec::new();
    let n_read = reader
        .read_until(b'\n', &mut line)
        .map_err(failure(path, "read"))?;
    let wrong = |why: String| OpenError::Line {
        path: path.to_owned(),
        line: 1,
        why,
    };
    if line.last() != Some(&b'\n') {
        let ours = br#"{"tagferry_simulator":"#;
        let cut_off = line.starts_with(ours) || ours.starts_with(&line);
        return if cut_off {
            Ok(None)
        } else {
            Err(wrong("no header".to_owned()))
        };
    }
    let header: Header = serde_json::from_slice(&line).map_err(|why| wrong(why.to_string()))?;
    if header.tagferry_simulator != FORMAT {
        return Err(wrong(format!(
            "its format is {}, and {FORMAT} is known",
            header.tagferry_simulator
        )));
    }
    Ok(Some((header, n_read as u64)))
}

fn agreed(path: &Path, header: Header, vendor: &str, spec: &Spec) -> Result<Population, OpenError> {
    if header.vendor != vendor {
        let why = format!("it is of the vendor `{}`", header.vendor);
        return Err(OpenError::Line {
            path: path.to_owned(),
            line: 1,
            why,
        });
    }
    match &spec.population {
        Some(wanted) if *wanted != header.made => Err(OpenError::OtherPopulation {
            path: path.to_owned(),
            made: serde_json::to_string(&header.made).unwrap_or_default(),
        }),
        _ => Ok(header.made),
    }
}

fn begin(
    path: &Path,
    file: &mut File,
    vendor: &'static str,
    spec: &Spec,
) -> Result<(Population, u64), OpenError> {
    let made = spec.population.clone().unwrap_or_default();
    let header = Header {
        tagferry_simulator: FORMAT,
        vendor: Cow::Borrowed(vendor),
        made,
    };
    let mut line = serde_json::to_vec(&header).unwrap_or_default();
    line.push(b'\n');
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(&line))
        .map_err(failure(path, "written"))?;
    Ok((header.made, line.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::super::journal::{Change, Op};
    use super::*;

    fn spec(dir: &tempfile::TempDir, options: &str) -> Spec {
        Spec::from_url(&format!("simulator:state.db?{options}"), dir.path()).unwrap()
    }

    fn open(spec: &Spec) -> Result<(Journal, Vec<String>), OpenError> {
        let mut seen = Vec::new();
        let opened = Opened::open(spec, "dynatrace")?;
        let journal = opened.replay(|entry| {
            let keys = entry.changes.iter().map(|change| change.key.clone().into_owned());
            seen.extend(keys);
        })?;
        Ok((journal, seen))
    }

    fn entry(key: &str) -> Entry<'_> {
        let change = Change {
            entity: "HOST-1".into(),
            op: Op::Add,
            key: key.into(),
            value: None,
        };
        Entry {
            seq: 0,
            ms: 5,
            method: "POST".into(),
            target: "/api/v2/tags".into(),
            status: Some(200),
            changes: vec![change],
            fault: None,
        }
    }

    #[test]
    fn what_was_written_is_replayed_and_a_cut_line_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(&dir, "entities=3");
        let (mut journal, _) = open(&spec).unwrap();
        journal.append(&mut entry("a\"\n€")).unwrap();
        journal.append(&mut entry("b")).unwrap();
        drop(journal);

        let path = dir.path().join("state.db");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.lines()
                .nth(1)
                .unwrap()
                .starts_with(r#"{"seq":1,"ms":5,"method":"POST""#),
            "{text}"
        );
        for cut in 1..text.lines().last().unwrap().len() {
            std::fs::write(&path, &text.as_bytes()[..text.len() - cut]).unwrap();
            let (journal, seen) = open(&spec).unwrap();
            assert_eq!(
                (seen, journal.handled()),
                (vec!["a\"\n€".to_owned()], 1),
                "cut by {cut}"
            );
        }
        let (mut journal, _) = open(&spec).unwrap();
        journal.append(&mut entry("c")).unwrap();
        drop(journal);
        assert_eq!(open(&spec).unwrap().1, ["a\"\n€", "c"]);
    }

    #[test]
    fn a_header_that_was_cut_off_begins_anew_and_a_foreign_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        for (text, ours) in [
            ("", true),
            (r#"{"tagf"#, true),
            (r#"{"tagferry_simulator":1,"ven"#, true),
            ("a,b\n1,2\n", false),
            ("a,b", false),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(open(&spec(&dir, "")).is_ok(), ours, "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap() != text, ours, "{text}");
        }
    }

    #[test]
    fn one_process_has_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(&dir, "");
        let held = open(&spec).unwrap();
        assert!(matches!(open(&spec), Err(OpenError::Locked(_))));
        drop(held);
        assert!(open(&spec).is_ok());
    }

    #[test]
    fn the_file_says_how_its_entities_were_made() {
        let dir = tempfile::tempdir().unwrap();
        let made =
            |options: &str| Opened::open(&spec(&dir, options), "dynatrace").map(|opened| opened.population);
        let first = made("entities=7&seed=3").unwrap();
        assert_eq!(made("").unwrap(), first, "no options: as the file says");
        assert_eq!(made("entities=7&seed=3").unwrap(), first);
        let why = made("entities=8").unwrap_err().to_string();
        assert!(
            why.contains("made with other entities") && why.contains(r#""entities":7"#),
            "{why}"
        );
        assert!(Opened::open(&spec(&dir, ""), "other").is_err());
    }

    #[test]
    fn a_broken_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(&dir, "");
        drop(open(&spec).unwrap());
        let path = dir.path().join("state.db");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"seq\":1}\n");
        std::fs::write(&path, text).unwrap();
        assert!(
            open(&spec)
                .unwrap_err()
                .to_string()
                .contains("state.db:2: not a line")
        );
    }
}
