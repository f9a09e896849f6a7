//! Reads and maps an inventory without writing or asking anything.

use std::collections::HashMap;
use std::sync::Arc;

use super::EngineError;
use super::gather::{self, Source};
use super::losses::LossCounts;
use crate::fit;
use crate::model::{Failure, Loss, Origin};
use crate::vendor::Vendor;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// How each file was read, a line each.
    pub files: Vec<String>,
    /// Rows that were read.
    pub rows: u64,
    /// The first rejected rows.
    pub rejected: Vec<(Origin, Failure)>,
    /// How many rows are rejected.
    pub n_rejected: u64,
    /// Entities that the rows name.
    pub entities: u64,
    /// Cells that rendered empty and asked for nothing.
    pub empty: u64,
    /// The first rows whose tags lose something because the job allows it.
    pub lost: Vec<(Origin, Vec<Loss>)>,
    /// What tags lose, by class and by what is done about it.
    pub losses: LossCounts,
}

/// Checks an inventory; `named` is how many rejected rows, and how many that lose something, are kept. What finds no room on
/// its entity is not known before that is observed.
pub async fn check(
    source: Source,
    vendor: Arc<dyn Vendor>,
    kind: &str,
    losses: fit::Options,
    named: usize,
) -> Result<Checked, EngineError> {
    let (mut batches, thread) = gather::begin(source, vendor, kind.to_owned(), losses);
    let mut rejected: Vec<(u32, u64, Failure)> = Vec::new();
    let mut lost: Vec<(u32, u64, u32)> = Vec::new();
    while let Some(batch) = batches.recv().await {
        let lossy = batch
            .iter()
            .filter_map(|row| Some((row.file, row.line, row.losses?)));
        lost.extend(lossy.take(named - lost.len()));
        let bad = batch
            .into_iter()
            .filter_map(|row| Some((row.file, row.line, row.rejected?)));
        rejected.extend(bad.take(named - rejected.len()));
    }
    let gathering = gather::finished(thread).await?;
    let files: HashMap<u32, _> = (0..).zip(gathering.files.iter().cloned()).collect();
    let origin = |file: u32, line| Origin {
        file: files[&file].clone(),
        line,
        id: None,
    };
    Ok(Checked {
        files: gathering.facts,
        rows: gathering.rows,
        rejected: rejected
            .into_iter()
            .map(|(file, line, failure)| (origin(file, line), failure))
            .collect(),
        n_rejected: gathering.rejected.values().sum(),
        entities: gathering.firsts.len() as u64,
        empty: gathering.empty,
        lost: lost
            .into_iter()
            .map(|(file, line, set)| (origin(file, line), gathering.losses.set(set).to_vec()))
            .collect(),
        losses: gathering.losses.counts(),
    })
}
