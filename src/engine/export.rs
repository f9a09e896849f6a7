//! Writes live entities down, a page at a time, so that an export that was cut off goes on where it stopped.
//!
//! An export is a run without rows: its requests are attempts like all others, and where it stands is in the ledger.

use std::io::{self, Read};

use super::EngineError;
use super::observe::Observer;
use super::roll::{Called, Page, Roll};
use super::target::Target;
use crate::event::{Event, Events, Stage};
use crate::inventory::ExportFormat;
use crate::ledger::{ExportRow, Ledger, NewRun, RunState};
use crate::model::Limits;
use crate::select::Filter;
use crate::vendor::Cursor;

/// Where an export is written.
pub trait Sink {
    /// How long what is there is, from an export that was cut off.
    fn length(&self) -> u64;

    /// What is there.
    fn read_back(&mut self) -> io::Result<Box<dyn Read + '_>>;

    /// Leaves only the first bytes; a stream can't.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;

    /// Writes more.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written survive a power cut, and says how long it is; `None` for a stream, which nobody goes on with.
    fn keep(&mut self) -> io::Result<Option<u64>>;

    /// Everything is written.
    fn finish(&mut self) -> io::Result<()>;
}

/// What is exported.
#[derive(Debug)]
pub struct ExportInput<'a> {
    /// The job's name.
    pub job: &'a str,
    /// The job file.
    pub job_path: &'a str,
    /// blake3 of the job file.
    pub job_digest: &'a str,
    /// Which entities.
    pub filter: &'a Filter,
    /// How they are written down.
    pub format: ExportFormat,
    /// What is exported, in words: with others it is another export.
    pub query: &'a str,
    /// The file, absolute; `None` for a stream.
    pub path: Option<&'a str>,
}

/// What came of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Its run.
    pub run: i64,
    /// Entities that were written.
    pub entities: u64,
    /// Entities that were left out, since the vendor hides what they carry.
    pub hidden: u64,
}

/// Exports the entities of the source's kind, or goes on with it.
pub async fn export(
    input: ExportInput<'_>,
    source: &Target,
    ledger: &Ledger,
    sink: &mut dyn Sink,
) -> Result<Exported, EngineError> {
    let limits = source.vendor.limits(source.kind());
    let limits = limits.map_err(|error| EngineError::Job(error.to_string()))?;
    let at = begin(&input, source, ledger, sink).await?;
    let mut writing = Writing {
        format: input.format,
        kind: source.kind(),
        limits: &limits,
        events: &source.events,
        ledger,
        sink,
        digest: blake3::Hasher::new(),
        at,
    };
    let run = writing.at.run;
    let written = writing.write(&input, source).await;
    if written.is_err() && input.path.is_none() {
        // Nobody goes on with a stream.
        let reason = Some("its export was cut off");
        ledger.set_state(run, RunState::Abandoned, reason).await?;
    }
    written
}

/// Where the export begins: at the start, or where an earlier one of the same stopped.
async fn begin(
    input: &ExportInput<'_>,
    source: &Target,
    ledger: &Ledger,
    sink: &mut dyn Sink,
) -> Result<ExportRow, EngineError> {
    if let Some(path) = input.path
        && let Some(earlier) = ledger.export_to(path).await?
    {
        let target = ledger.run(earlier.run).await?.target;
        let same = earlier.query == input.query && target == source.plan;
        if same && holds(sink, &earlier)? {
            return Ok(earlier);
        }
        let reason = Some("another export has begun to write its file");
        ledger.set_state(earlier.run, RunState::Abandoned, reason).await?;
    }
    let run = NewRun {
        job: input.job,
        job_path: input.job_path,
        job_digest: input.job_digest,
        follows: None,
        target: source.plan.clone(),
    };
    let path = input.path.unwrap_or_default();
    Ok(ledger.begin_export(&run, path, input.query).await?)
}

/// Whether a file is as an export left it, but for what was written after it was kept last: that is cut off.
fn holds(sink: &mut dyn Sink, earlier: &ExportRow) -> io::Result<bool> {
    if earlier.cursor.is_none() || sink.length() < earlier.bytes {
        return Ok(false);
    }
    sink.cut(earlier.bytes)?;
    let mut digest = blake3::Hasher::new();
    digest.update_reader(sink.read_back()?)?;
    Ok(digest.finalize().to_hex().as_str() == earlier.digest)
}

/// An export that is being written.
struct Writing<'a> {
    format: ExportFormat,
    kind: &'a str,
    limits: &'a Limits,
    events: &'a Events,
    ledger: &'a Ledger,
    sink: &'a mut dyn Sink,
    /// Of all that was written.
    digest: blake3::Hasher,
    at: ExportRow,
}

impl Writing<'_> {
    async fn write(&mut self, input: &ExportInput<'_>, source: &Target) -> Result<Exported, EngineError> {
        let log = self.ledger.run_log(self.at.run).await?;
        let observer = Observer {
            target: source,
            ledger: self.ledger,
            log: &log,
            limits: self.limits,
        };
        let mut roll = Roll::new(observer, input.filter, self.at.cursor.clone().map(Cursor));
        self.go_on(&mut roll).await?;
        let mut has_begun = false;
        while let Some(called) = roll.next().await? {
            match called {
                Called::Page(page) => {
                    if !has_begun {
                        self.tell_begun(&page);
                        has_begun = true;
                    }
                    self.page(page).await?;
                }
                // What is in a file is taken back; what has left through a stream is not called again.
                Called::Again if input.path.is_some() => {
                    roll.forget();
                    self.anew().await?;
                }
                Called::Again => {}
            }
        }
        self.sink.finish()?;
        self.events.tell(Event::StageEnded { stage: Stage::Export });
        let ExportRow {
            run,
            entities,
            hidden,
            ..
        } = self.at;
        let left_out = match hidden {
            0 => String::new(),
            hidden => format!(", and {hidden} were left out: the vendor does not show what they carry"),
        };
        let reason = format!("{entities} entities were exported{left_out}");
        self.ledger
            .set_state(run, RunState::Finished, Some(&reason))
            .await?;
        Ok(Exported {
            run,
            entities,
            hidden,
        })
    }

    /// Takes up what an earlier process has written, or begins.
    async fn go_on(&mut self, roll: &mut Roll<'_>) -> Result<(), EngineError> {
        if self.at.cursor.is_none() {
            return self.anew().await;
        }
        self.digest.update_reader(self.sink.read_back()?)?;
        let written = self.sink.read_back()?;
        self.format.identifiers(written, |id| {
            roll.note(id);
        })?;
        let message = format!(
            "going on after {} entities of run {}",
            self.at.entities, self.at.run
        );
        self.events.tell(Event::Noticed { message });
        Ok(())
    }

    /// Begins, or begins once more. The ledger forgets an earlier place before the file does.
    async fn anew(&mut self) -> Result<(), EngineError> {
        let at = &mut self.at;
        (at.bytes, at.entities, at.hidden) = (0, 0, 0);
        if at.cursor.take().is_some() {
            self.ledger.keep_export(&self.at).await?;
        }
        self.digest.reset();
        self.sink.cut(0)?;
        self.append(&self.format.header())
    }

    fn append(&mut self, text: &[u8]) -> Result<(), EngineError> {
        self.digest.update(text);
        Ok(self.sink.append(text)?)
    }

    async fn page(&mut self, page: Page) -> Result<(), EngineError> {
        let mut text = Vec::new();
        for entity in &page.entities {
            let written = self
                .format
                .append(entity, self.kind, self.limits.grain, &mut text);
            match written {
                Ok(()) => self.at.entities += 1,
                Err(_) => self.at.hidden += 1,
            }
        }
        self.append(&text)?;
        self.events.tell(Event::Advanced { by: page.read });
        let Some(Cursor(cursor)) = page.next else {
            return Ok(());
        };
        let Some(bytes) = self.sink.keep()? else {
            return Ok(());
        };
        self.at.cursor = Some(cursor);
        self.at.bytes = bytes;
        self.at.digest = self.digest.finalize().to_hex().to_string();
        Ok(self.ledger.keep_export(&self.at).await?)
    }

    fn tell_begun(&self, page: &Page) {
        // How much is left is not known of an export that goes on.
        let total = page.total.filter(|_| self.at.entities == 0);
        let stage = Stage::Export;
        self.events.tell(Event::StageBegan { stage, total });
    }
}
