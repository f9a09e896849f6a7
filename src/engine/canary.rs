//! Waves: a run changes a few entities first, reads them back, and goes on when they are as they should be.

use std::collections::HashSet;
use std::time::Duration;

use super::EngineError;
use super::target::Target;
use super::verify::{self, Difference};
use crate::guard::Share;
use crate::ledger::{Ledger, OpenLine};

/// How long a wave is read back before something that differs stops the run.
const PATIENCE: Duration = Duration::from_secs(30);

/// Entities that are named when they differ.
const NAMED: usize = 3;

/// Why a run stops whose wave had failures.
pub(super) const FAILED: &str =
    "something failed in this wave: see the report; the same command goes on with the next wave";

/// What is sent before the next look.
#[derive(Debug)]
pub(super) struct Wave {
    /// What is open.
    pub(super) lines: Vec<OpenLine>,
    /// Whether nothing was sent before it.
    pub(super) is_first: bool,
}

/// What is open, in waves. Each of `shares` says how many of the entities to change are changed once its wave has passed;
/// the last wave takes all.
pub(super) async fn waves(
    run: i64,
    lines: Vec<OpenLine>,
    ledger: &Ledger,
    shares: &[Share],
) -> Result<Vec<Wave>, EngineError> {
    if shares.is_empty() {
        return Ok(vec![Wave {
            lines,
            is_first: true,
        }]);
    }
    let total = ledger.entities_to_change(run).await?;
    let open = lines.chunk_by(|one, other| one.entity == other.entity).count() as u64;
    Ok(split(lines, total, total - open.min(total), shares))
}

fn split(mut lines: Vec<OpenLine>, total: u64, settled: u64, shares: &[Share]) -> Vec<Wave> {
    let mut waves = Vec::new();
    let mut reached = settled;
    for share in shares {
        let entities = usize::try_from(share.of(total).saturating_sub(reached)).unwrap_or(usize::MAX);
        if entities == 0 {
            continue;
        }
        let of_wave = lines
            .chunk_by(|one, other| one.entity == other.entity)
            .take(entities);
        let place = of_wave.map(<[OpenLine]>::len).sum();
        let rest = lines.split_off(place);
        let lines_of_wave = std::mem::replace(&mut lines, rest);
        if lines_of_wave.is_empty() {
            break;
        }
        waves.push(Wave {
            lines: lines_of_wave,
            is_first: reached == 0,
        });
        reached += entities as u64;
    }
    if !lines.is_empty() {
        waves.push(Wave {
            lines,
            is_first: reached == 0,
        });
    }
    waves
}

/// Reads back what the run has changed so far; `open` is what it has not. Gives back why it must not go on.
pub(super) async fn read_back(
    run: i64,
    open: &[OpenLine],
    target: &Target,
    ledger: &Ledger,
) -> Result<Option<String>, EngineError> {
    let first_open = open.iter().map(|line| line.entity).min().unwrap_or(u32::MAX);
    let open: HashSet<u32> = open.iter().map(|line| line.entity).collect();
    // What comes after belongs to later waves.
    let is_past = |entity: u32| entity < first_open && !open.contains(&entity);
    let verified = verify::verify_some(run, target, ledger, PATIENCE, is_past).await?;
    if target.connection().is_drained() {
        return Ok(Some("interrupted".to_owned())); // What differs may only not be visible yet.
    }
    let differ = &verified.differences;
    if differ.is_empty() {
        return Ok(None);
    }
    let named: Vec<&str> = differ
        .iter()
        .take(NAMED)
        .map(|Difference { entity, .. }| &**entity)
        .collect();
    Ok(Some(format!(
        "{} of the first {} entities are not as the run left them, such as {}: `tagferry verify {run}` tells how, and \
         nothing more is sent until they are",
        differ.len(),
        verified.entities,
        named.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(entities: &[u32]) -> Vec<OpenLine> {
        let line = |entity: &u32| OpenLine {
            entity: *entity,
            part: 0,
            before: 0,
            change: 1,
            open: 1,
            attempted: 0,
            good: 0,
            id: "x".into(),
        };
        entities.iter().map(line).collect()
    }

    fn shown(waves: &[Wave]) -> Vec<(Vec<u32>, bool)> {
        let wave = |wave: &Wave| (wave.lines.iter().map(|line| line.entity).collect(), wave.is_first);
        waves.iter().map(wave).collect()
    }

    fn number(floor: u64) -> Share {
        Share { floor, part: 0.0 }
    }

    #[test]
    fn each_share_counts_what_was_settled_before_and_the_last_wave_takes_the_rest() {
        // Entities with something open, entities to change, shares, and the waves, of which one may be the first.
        type Case<'a> = (&'a [u32], u64, &'a [Share], &'a [(&'a [u32], bool)]);
        let half = Share { floor: 0, part: 0.5 };
        let table: &[Case<'_>] = &[
            (
                &[0, 1, 2, 3],
                4,
                &[number(1)],
                &[(&[0], true), (&[1, 2, 3], false)],
            ),
            (
                &[0, 1, 2, 3],
                4,
                &[number(1), half],
                &[(&[0], true), (&[1], false), (&[2, 3], false)],
            ),
            // A share that was reached already makes no wave, nor does one that is less than an earlier one.
            (&[2, 3], 4, &[number(1), half], &[(&[2, 3], false)]),
            (&[0, 1], 2, &[number(5), number(1)], &[(&[0, 1], true)]),
            // Two lines of one entity stay together.
            (&[0, 0, 1], 2, &[number(1)], &[(&[0, 0], true), (&[1], false)]),
            (&[], 4, &[number(1)], &[]),
        ];
        for (open, total, shares, want) in table {
            let mut entities: Vec<u32> = open.to_vec();
            entities.dedup();
            let settled = total - entities.len() as u64;
            let got = split(lines(open), *total, settled, shares);
            let want: Vec<(Vec<u32>, bool)> = want
                .iter()
                .map(|(lines, first)| (lines.to_vec(), *first))
                .collect();
            assert_eq!(shown(&got), want, "{open:?} of {total} by {shares:?}");
        }
    }
}
