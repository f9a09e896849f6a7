//! The file of an export: written beside its name, locked, and put in its place once it is whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::lock::LockError;
use crate::engine::Sink;

/// `FILE.partial`, which an export that was cut off leaves behind, and which the next one goes on with.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    beside: PathBuf,
    path: PathBuf,
    length: u64,
}

impl Partial {
    /// Opens the partial file of a file, or makes it, readable by its owner alone; no other process has it meanwhile.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let beside = beside(path);
        let doing = || format!("{}: opening it", beside.display());
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&beside)
                .with_context(doing)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Export(path.to_owned()).into()),
                Err(TryLockError::Error(source)) => return Err(source).with_context(doing),
            }
            let opened = file.metadata().with_context(doing)?;
            // Whoever had the lock before may have renamed the file while it was being opened here.
            let is_there = fs::metadata(&beside)
                .is_ok_and(|there| (there.dev(), there.ino()) == (opened.dev(), opened.ino()));
            if is_there {
                return Ok(Self {
                    file,
                    length: opened.len(),
                    beside,
                    path: path.to_owned(),
                });
            }
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

impl Sink for Partial {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_back(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(File::open(&self.beside)?.take(self.length)))
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.length = bytes;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn keep(&mut self) -> io::Result<Option<u64>> {
        self.file.sync_data()?;
        Ok(Some(self.length))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.beside, &self.path)?;
        // The new name is in the folder, which has to last as well.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// A stream: standard output, a pipe, a device. What has left it can't be taken back.
pub(super) struct Stream(pub(super) Box<dyn Write>);

impl Sink for Stream {
    fn length(&self) -> u64 {
        0
    }

    fn read_back(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(io::empty()))
    }

    fn cut(&mut self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn keep(&mut self) -> io::Result<Option<u64>> {
        self.0.flush()?;
        Ok(None)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a file that was given up. Another test that starts a process just then holds the lock until that has begun,
    /// since a fork shares it.
    fn reopened(path: &Path) -> Partial {
        let began = std::time::Instant::now();
        loop {
            match Partial::open(path) {
                Ok(partial) => return partial,
                Err(error) if began.elapsed().as_secs() > 30 => panic!("{error:#}"),
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    #[test]
    fn a_file_is_there_once_it_is_whole_and_what_was_cut_off_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts.csv");
        let mut partial = Partial::open(&path).unwrap();
        partial.append(b"one\ntwo\n").unwrap();
        assert_eq!(partial.keep().unwrap(), Some(8));
        partial.append(b"thr").unwrap();
        drop(partial);
        assert!(!path.exists());

        let mut partial = reopened(&path);
        assert_eq!(partial.length(), 11);
        partial.cut(8).unwrap();
        let mut text = String::new();
        partial.read_back().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
        partial.append(b"three\n").unwrap();
        partial.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        assert!(!folder.path().join("hosts.csv.partial").exists());
    }

    #[test]
    fn two_exports_to_one_file_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts.csv");
        let first = Partial::open(&path).unwrap();
        let refused = Partial::open(&path).unwrap_err();
        assert!(
            matches!(refused.downcast_ref(), Some(LockError::Export(held)) if *held == path),
            "{refused}"
        );
        Partial::open(&folder.path().join("other.csv")).unwrap();
        drop(first);
        reopened(&path);
    }
}
