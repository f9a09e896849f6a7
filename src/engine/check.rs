//! Reads and maps an inventory without writing or asking anything.

use std::collections::HashMap;
use std::sync::Arc;

use super::EngineError;
use super::gather::{self, Source};
use crate::model::{Failure, Origin};
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
}

/// Checks an inventory; `named` is how many rejected rows are kept.
pub async fn check(
    source: Source,
    vendor: Arc<dyn Vendor>,
    kind: &str,
    named: usize,
) -> Result<Checked, EngineError> {
    let (mut batches, thread) = gather::begin(source, vendor, kind.to_owned());
    let mut rejected: Vec<(u32, u64, Failure)> = Vec::new();
    while let Some(batch) = batches.recv().await {
        let bad = batch
            .into_iter()
            .filter_map(|row| Some((row.file, row.line, row.rejected?)));
        rejected.extend(bad.take(named - rejected.len()));
    }
    let gathering = gather::finished(thread).await?;
    let files: HashMap<u32, _> = (0..).zip(gathering.files.iter().cloned()).collect();
    let place = |(file, line, failure)| {
        (
            Origin {
                file: files[&file].clone(),
                line,
                id: None,
            },
            failure,
        )
    };
    Ok(Checked {
        files: gathering.facts,
        rows: gathering.rows,
        rejected: rejected.into_iter().map(place).collect(),
        n_rejected: gathering.rejected.values().sum(),
        entities: gathering.firsts.len() as u64,
        empty: gathering.empty,
    })
}
