//! How many calls an apply will take: the walk of [`super::apply()`] with the same packing, sending nothing and taking every
//! call for done. What is loaded is what an apply loads.

use std::time::Duration;

use super::EngineError;
use super::apply::{ApplyOptions, Line, Run};
use super::target::Target;
use super::wave::Direction;
use super::whole::{bytes_of, runs};
use crate::guard::Breaker;
use crate::ledger::Ledger;
use crate::model::Grain;

/// What an apply will send at least: without retries, and without looking for what an answer did not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Requests that write.
    pub writes: u64,
    /// Requests that read an entity just before it is written.
    pub reads: u64,
}

/// Foretells the calls of what is open of a run. Nothing is sent or written.
pub async fn forecast(run: i64, target: &Target, ledger: &Ledger) -> Result<Forecast, EngineError> {
    let limits = target
        .vendor
        .limits(target.kind())
        .map_err(|error| EngineError::Job(error.to_string()))?;
    let options = ApplyOptions {
        max_age: Duration::MAX,
        observed_at: None,
        breaker: Breaker::default(),
        waves: Vec::new(),
    };
    let work = Run::load(
        run,
        ledger.open_lines(run).await?,
        target,
        ledger,
        &limits,
        &options,
    )
    .await?;
    Ok(match limits.grain {
        Grain::Delta => work.foretell(),
        Grain::WholeSet | Grain::Document => work.foretell_whole(),
    })
}

impl Run<'_> {
    /// The calls of [`Run::walk`], where every one succeeds.
    fn foretell(&self) -> Forecast {
        let mut forecast = Forecast::default();
        loop {
            let before = forecast.writes;
            for direction in [Direction::Together, Direction::Add, Direction::Remove] {
                for packed in self.pack(direction) {
                    forecast.writes += 1;
                    for (place, carried) in packed.entities.iter().zip(self.carried(&packed)) {
                        let line = &self.lines[*place as usize];
                        line.open.set(line.open.get() & !carried.bits);
                        line.good.set(line.good.get() | carried.bits);
                    }
                }
            }
            if forecast.writes == before {
                return forecast;
            }
        }
    }

    /// The calls of [`Run::walk_whole`]: what is there is written one by one, what is new several to a call.
    fn foretell_whole(&self) -> Forecast {
        let entities = self.lines.chunk_by(|one, other| one.of.id == other.of.id);
        if self.limits.observe_ids.is_some() {
            let entities = entities.count() as u64;
            return Forecast {
                writes: entities,
                reads: entities,
            };
        }
        let (fresh, there): (Vec<&[Line]>, Vec<&[Line]>) = entities.partition(|lines| self.is_new(lines));
        let sizes = fresh.iter().map(|lines| {
            let actions = lines.iter().flat_map(|line| self.actions(line));
            actions.map(|action| bytes_of(&action.tag)).sum()
        });
        Forecast {
            writes: (there.len() + runs(sizes, self.limits).len()) as u64,
            reads: 0,
        }
    }

    /// Whether an entity is to be made: where entities can be, one that carried nothing was not there.
    fn is_new(&self, lines: &[Line]) -> bool {
        let carried = |line: &Line| !self.vocabulary.before(line.of.before).is_empty();
        self.limits.creations > 0 && !lines.iter().any(carried)
    }
}
