//! Live entities as the rows of a job: read on one side of a bounded channel while the other side maps them.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::EngineError;
use super::observe::Observer;
use super::roll::{Called, Page, Roll};
use super::target::Target;
use crate::inventory;
use crate::ledger::{Ledger, RunLog};
use crate::model::{Class, Failure, Fields, Grain, Limits, LiveEntity, Origin, Record};
use crate::select::Filter;

/// Rows that may wait to be mapped, so that memory stays bounded when the vendor is faster than the mapping.
const QUEUE: usize = 2_000;

/// A live entity as a row: its record, or why there is none.
pub(super) type LiveRow = Result<Record, (Origin, Failure)>;

/// The live tags of one connection, as a source.
#[derive(Debug)]
pub struct Live {
    /// Taken when the reading begins.
    reader: Option<Reader>,
    rows: mpsc::Receiver<LiveRow>,
    name: Arc<str>,
}

/// The side that asks the vendor.
#[derive(Debug)]
pub(super) struct Reader {
    source: Arc<Target>,
    filter: Filter,
    rows: mpsc::Sender<LiveRow>,
    name: Arc<str>,
}

impl Live {
    /// The entities of the target's kind that a filter means.
    pub fn new(source: Arc<Target>, filter: Filter) -> Self {
        let (sender, rows) = mpsc::channel(QUEUE);
        let name: Arc<str> = format!("{}:{}", source.plan.connection, source.kind()).into();
        let reader = Reader {
            source,
            filter,
            rows: sender,
            name: Arc::clone(&name),
        };
        Self {
            reader: Some(reader),
            rows,
            name,
        }
    }

    /// The side that asks; it is there once.
    pub(super) fn reader(&mut self) -> Option<Reader> {
        self.reader.take()
    }

    /// Connection and kind, such as `prod:HOST`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The next row; `None` when the reading has ended. Not to be called where tasks run.
    pub(super) fn next(&mut self) -> Option<LiveRow> {
        // Without a reading there is nothing to wait for.
        self.reader = None;
        self.rows.blocking_recv()
    }
}

impl Reader {
    /// Reads to the end, or until nobody wants rows any more. Every request is in the run's log before it leaves.
    pub(super) async fn read(self, ledger: &Ledger, log: &RunLog) -> Result<(), EngineError> {
        let limits = self.source.vendor.limits(self.source.kind());
        let limits = limits.map_err(|error| EngineError::Job(error.to_string()))?;
        let observer = Observer {
            target: &self.source,
            ledger,
            log,
            limits: &limits,
        };
        let mut roll = Roll::new(observer, &self.filter, None);
        let mut place = 0;
        while let Some(called) = roll.next().await? {
            // What was sent on is not sent again: the roll has not forgotten it.
            let Called::Page(Page { entities, .. }) = called else {
                continue;
            };
            for entity in entities {
                place += 1;
                let row = self.row(&entity, place, &limits);
                if self.rows.send(row).await.is_err() {
                    return Ok(()); // Nobody maps any more: the plan has failed elsewhere.
                }
            }
        }
        Ok(())
    }

    fn row(&self, entity: &LiveEntity, place: u64, limits: &Limits) -> LiveRow {
        let origin = Origin {
            file: Arc::clone(&self.name),
            line: place,
            id: Some(entity.id.as_str().into()),
        };
        match inventory::record(entity, self.source.kind(), limits.grain) {
            Ok(record) => Ok(Record {
                origin,
                fields: Fields::Object(record),
            }),
            Err(why) => Err((origin, Failure::new(class(entity, limits.grain), why))),
        }
    }
}

fn class(entity: &LiveEntity, grain: Grain) -> Class {
    match (&entity.tags, grain) {
        (Some(_), Grain::Document) => Class::Unreadable,
        _ => Class::Hidden,
    }
}
