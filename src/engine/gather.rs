//! Rows into wishes, on a thread of its own: inventory, mapping and the vendor's rules, interned as they come.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::EngineError;
use super::decisions::{self, DecisionFile, Forms};
use super::fitting::Fitter;
use super::live::{Live, Reader};
use super::lookups::{self, LookupFile};
use super::losses::Losses;
use super::undo::UndoRow;
use super::words::Words;
use crate::fit;
use crate::inventory::{Entry, Inventory};
use crate::ledger::RetryRow;
use crate::mapping::{LiveKey, Mapped, Mapper};
use crate::model::{Class, Clues, EntityKey, Failure, Fields, Interner, Loss, Origin, Record};
use crate::resolve::Named;
use crate::vendor::Vendor;

/// Rows handed over at once.
const BATCH: usize = 10_000;

/// Batches that may wait to be written, so that memory stays bounded when the ledger is slower than the reader.
const QUEUE: usize = 4;

/// Where the wishes come from.
#[derive(Debug)]
pub enum Source {
    /// An inventory, through a mapping, with the files that are read before it.
    Inventory(Box<Inventory>, Box<Mapper>, Beside),
    /// The failed rows of an earlier run.
    Retry(Vec<RetryRow>),
    /// What an earlier run did.
    Undo(Vec<UndoRow>),
    /// A vendor's live tags, in the same way.
    Live(Box<Live>, Box<Mapper>, Beside),
}

/// The files that are read before the rows are.
#[derive(Debug, Default)]
pub struct Beside {
    /// What templates look keys up in.
    pub lookups: Vec<LookupFile>,
    /// What somebody has decided.
    pub decisions: Option<DecisionFile>,
}

impl Source {
    /// What has to be read from a vendor while the rows are gathered.
    pub(super) fn reader(&mut self) -> Option<Reader> {
        match self {
            Self::Live(live, ..) => live.reader(),
            Self::Inventory(..) | Self::Retry(_) | Self::Undo(_) => None,
        }
    }
}

/// One row as the ledger wants it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) file: u32,
    pub(super) line: u64,
    pub(super) entity: Option<u32>,
    pub(super) want: Option<u32>,
    pub(super) rejected: Option<Failure>,
    /// What its tags lose because the job allows it.
    pub(super) losses: Option<u32>,
    /// The live entity that it was read from.
    pub(super) live: Option<Arc<str>>,
}

/// Everything that was gathered: small numbers a row, and each text once.
#[derive(Debug)]
pub struct Gathering {
    pub(super) words: Words,
    /// Identifiers in canonical form, or folded names; empty while entities are `named`, until they are found.
    pub(super) entities: Interner,
    /// What reports call an entity beside its identifier: the name as it was written, when entities are named.
    pub(super) spelled: Vec<Option<Box<str>>>,
    pub(super) by_name: bool,
    /// What rows tell of their entities, where that is more than an identifier or a name, or something was decided.
    pub(super) named: Option<Named>,
    /// The declared rule's side of live entities.
    pub(super) live_key: Option<LiveKey>,
    /// What the first row of each entity asks for, and which row that is.
    pub(super) firsts: Vec<(u64, u32)>,
    /// The further rows of entities that have several.
    pub(super) further: HashMap<u32, Vec<(u64, u32)>>,
    pub(super) files: Vec<Arc<str>>,
    /// How each file was read, a sentence each.
    pub(super) facts: Vec<String>,
    pub(super) digest: String,
    pub(super) rows: u64,
    pub(super) rejected: HashMap<Class, u64>,
    /// Cells that rendered empty and asked for nothing.
    pub(super) empty: u64,
    /// What tags lose.
    pub(super) losses: Losses,
}

impl Gathering {
    /// Nothing is gathered yet.
    pub(super) fn new() -> Self {
        Self {
            words: Words::new(),
            entities: Interner::default(),
            spelled: Vec::new(),
            by_name: false,
            named: None,
            live_key: None,
            firsts: Vec::new(),
            further: HashMap::new(),
            files: Vec::new(),
            facts: Vec::new(),
            digest: String::new(),
            rows: 0,
            rejected: HashMap::new(),
            empty: 0,
            losses: Losses::default(),
        }
    }
}

/// Begins to gather; batches of rows come through the channel, and everything else when the thread ends.
pub(super) fn begin(
    source: Source,
    vendor: Arc<dyn Vendor>,
    kind: String,
    losses: fit::Options,
) -> (
    mpsc::Receiver<Vec<Row>>,
    tokio::task::JoinHandle<Result<Gathering, EngineError>>,
) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let thread = tokio::task::spawn_blocking(move || {
        let mut gatherer = Gatherer::new(vendor, kind, losses, sender);
        match source {
            Source::Inventory(inventory, mut mapper, beside) => {
                gatherer.join(beside, &mut mapper)?;
                gatherer.read(*inventory, *mapper)?;
            }
            Source::Retry(rows) => gatherer.again(rows),
            Source::Undo(rows) => gatherer.back(rows),
            Source::Live(live, mut mapper, beside) => {
                gatherer.join(beside, &mut mapper)?;
                gatherer.hear(*live, *mapper);
            }
        }
        Ok(gatherer.finish())
    });
    (receiver, thread)
}

/// Awaits the thread's end.
pub(super) async fn finished(
    thread: tokio::task::JoinHandle<Result<Gathering, EngineError>>,
) -> Result<Gathering, EngineError> {
    let joined = thread.await;
    joined.map_err(|error| EngineError::Job(format!("reading the inventory failed: {error}")))?
}

/// A live record as one line of JSON.
fn line_of(record: &Record) -> Vec<u8> {
    let Fields::Object(object) = &record.fields else {
        return Vec::new();
    };
    let mut line = serde_json::to_vec(object).expect("an object with text keys is JSON");
    line.push(b'\n');
    line
}

/// What a row comes to: its entity, its wanted set, and what its tags lose.
type Taken = (u32, u32, Vec<Loss>);

/// What a row tells, as clues.
fn clues(told: &EntityKey) -> Cow<'_, Clues> {
    let mut clues = Clues::default();
    match told {
        EntityKey::Clues(clues) => return Cow::Borrowed(clues),
        EntityKey::Id(id) => clues.id = Some(id.clone()),
        EntityKey::Name(name) => clues.name = Some(name.clone()),
    }
    Cow::Owned(clues)
}

struct Gatherer {
    vendor: Arc<dyn Vendor>,
    kind: String,
    batches: mpsc::Sender<Vec<Row>>,
    batch: Vec<Row>,
    /// The file of the last row, which is nearly always that of the next.
    last_file: Option<(Arc<str>, u32)>,
    fitter: Fitter,
    /// How the file of decisions was read, and its digest.
    decided: Option<(String, String)>,
    gathering: Gathering,
}

impl Gatherer {
    fn new(
        vendor: Arc<dyn Vendor>,
        kind: String,
        losses: fit::Options,
        batches: mpsc::Sender<Vec<Row>>,
    ) -> Self {
        Self {
            fitter: Fitter::new(Arc::clone(&vendor), &kind, losses),
            vendor,
            kind,
            batches,
            batch: Vec::new(),
            last_file: None,
            decided: None,
            gathering: Gathering::new(),
        }
    }

    /// Reads the files that the mapping looks keys up in, and what was decided.
    fn join(&mut self, beside: Beside, mapper: &mut Mapper) -> Result<(), EngineError> {
        for lookup in beside.lookups {
            let wanted = || !self.batches.is_closed();
            let facts = lookups::read(lookup, mapper, wanted)?;
            self.gathering.facts.extend(facts);
        }
        let ways = mapper.ways();
        if let Some(file) = beside.decisions {
            let forms = Forms {
                vendor: &*self.vendor,
                kind: &self.kind,
            };
            let read = decisions::read(file, ways, &forms)?;
            self.gathering.named = Some(Named::new(read.decisions));
            self.decided = Some((read.fact, read.digest));
        } else if !ways.is_one() {
            self.gathering.named = Some(Named::default());
        }
        self.gathering.live_key = mapper.live_key();
        Ok(())
    }

    /// Hands the last rows over, and tells what became of the decisions.
    fn finish(mut self) -> Gathering {
        self.flush();
        let Gathering {
            named, facts, digest, ..
        } = &mut self.gathering;
        if let (Some((fact, of_decisions)), Some(named)) = (self.decided, named) {
            let told = if of_decisions.is_empty() {
                fact
            } else {
                format!("{fact}; {}", named.decisions().told())
            };
            facts.push(told);
            *digest = blake3::hash(format!("{digest}\n{of_decisions}\n").as_bytes())
                .to_hex()
                .to_string();
        }
        self.gathering
    }

    fn read(&mut self, mut inventory: Inventory, mut mapper: Mapper) -> Result<(), EngineError> {
        for entry in inventory.by_ref() {
            match entry? {
                Entry::Bad { origin, reason } => {
                    self.push(&origin, Err(Failure::new(Class::Unreadable, reason)));
                }
                Entry::Record(record) => {
                    let found = mapper.map(&record).and_then(|mapped| self.take(&mapped));
                    self.push(&record.origin, found);
                }
            }
            if self.batches.is_closed() {
                return Ok(()); // Nobody writes any more: the plan has failed elsewhere.
            }
        }
        let facts = inventory.facts().iter().map(ToString::to_string);
        self.gathering.facts.splice(0..0, facts);
        self.gathering.digest = inventory.digest();
        Ok(())
    }

    /// Maps rows as they come from a vendor. Their digest is that of the records, a line each.
    fn hear(&mut self, mut live: Live, mut mapper: Mapper) {
        let mut digest = blake3::Hasher::new();
        while let Some(row) = live.next() {
            match row {
                Ok(record) => {
                    digest.update(&line_of(&record));
                    let found = mapper.map(&record).and_then(|mapped| self.take(&mapped));
                    self.push(&record.origin, found);
                }
                Err((origin, failure)) => self.push(&origin, Err(failure)),
            }
            if self.batches.is_closed() {
                return; // Nobody writes any more: the plan has failed elsewhere.
            }
        }
        let fact = format!("{}: {} live entities", live.name(), self.gathering.rows);
        self.gathering.facts.insert(0, fact);
        self.gathering.digest = digest.finalize().to_hex().to_string();
    }

    fn again(&mut self, rows: Vec<RetryRow>) {
        for row in rows {
            let entity = self.entity(&row.entity, &row.entity);
            let want = self.gathering.words.want_id(&row.wishes);
            self.push(&row.origin, Ok((entity, want, Vec::new())));
        }
    }

    fn back(&mut self, rows: Vec<UndoRow>) {
        self.gathering.words.undoing = true;
        for row in rows {
            let entity = self.entity(&row.entity, &row.entity);
            let want = self.gathering.words.reversals_id(&row.reversals);
            self.push(&row.origin, Ok((entity, want, Vec::new())));
        }
    }

    /// What a mapped row comes to, or why it can't be used.
    fn take(&mut self, mapped: &Mapped) -> Result<Taken, Failure> {
        self.gathering.empty += u64::from(mapped.empty);
        let (wishes, losses) = self.fitter.fit(mapped, &mut self.gathering.words)?;
        let is_plain = self.gathering.named.is_none();
        let entity = match &mapped.entity {
            EntityKey::Id(id) if is_plain => {
                let canonical = self.vendor.canonical_id(&self.kind, id);
                let canonical = canonical.map_err(|why| Failure::new(Class::Illegal, why))?;
                self.entity(&canonical, &canonical)
            }
            EntityKey::Name(name) if is_plain => {
                self.gathering.by_name = true;
                let folded = self.vendor.fold_name(name);
                self.entity(&folded, name)
            }
            told => self.named(&clues(told))?,
        };
        Ok((entity, self.gathering.words.want_id(&wishes), losses))
    }

    /// The number of an entity that several clues lead to, or on which somebody may have decided.
    fn named(&mut self, clues: &Clues) -> Result<u32, Failure> {
        let forms = Forms {
            vendor: &*self.vendor,
            kind: &self.kind,
        };
        let named = self.gathering.named.get_or_insert_default();
        let number = named.number(clues, &forms);
        number.map_err(|why| Failure::new(Class::Illegal, why))
    }

    fn entity(&mut self, key: &str, spelled: &str) -> u32 {
        let known = self.gathering.entities.len();
        let entity = self.gathering.entities.intern(key);
        if entity as usize == known && self.gathering.by_name {
            self.gathering.spelled.push(Some(spelled.into()));
        }
        entity
    }

    fn push(&mut self, origin: &Origin, found: Result<Taken, Failure>) {
        let gathering = &mut self.gathering;
        let id = gathering.rows;
        gathering.rows += 1;
        let (entity, want, losses, rejected) = match found {
            Ok((entity, want, losses)) => {
                match gathering.firsts.get(entity as usize) {
                    Some(_) => gathering.further.entry(entity).or_default().push((id, want)),
                    None => gathering.firsts.push((id, want)),
                }
                (Some(entity), Some(want), gathering.losses.note(losses), None)
            }
            Err(failure) => {
                *gathering.rejected.entry(failure.class).or_default() += 1;
                (None, None, None, Some(failure))
            }
        };
        let file = self.file(&origin.file);
        self.batch.push(Row {
            id,
            file,
            line: origin.line,
            entity,
            want,
            rejected,
            losses,
            live: origin.id.clone(),
        });
        if self.batch.len() == BATCH {
            self.flush();
        }
    }

    fn file(&mut self, name: &Arc<str>) -> u32 {
        if let Some((last, id)) = &self.last_file
            && last == name
        {
            return *id;
        }
        let files = &mut self.gathering.files;
        let place = files.iter().position(|file| file == name).unwrap_or_else(|| {
            files.push(Arc::clone(name));
            files.len() - 1
        });
        let id = u32::try_from(place).unwrap_or(u32::MAX);
        self.last_file = Some((Arc::clone(name), id));
        id
    }

    fn flush(&mut self) {
        // A closed channel means that the plan has failed elsewhere, which says why.
        let _ = self.batches.blocking_send(std::mem::take(&mut self.batch));
    }
}
