//! Refuses a plan that would do too much: a wrong tenant, an emptied inventory. Pure.

use crate::model::Outcome;

/// A share of something: never less than a floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Allowed whatever the share is.
    pub floor: u64,
    /// Part of the whole, 0 to 1.
    pub part: f64,
}

impl Share {
    /// How many are allowed of so many.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are far below 2^52 and not negative"
    )]
    pub fn of(self, whole: u64) -> u64 {
        self.floor.max((whole as f64 * self.part.clamp(0.0, 1.0)) as u64)
    }
}

/// What a plan may do without being told. `None` allows all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Tags removed or replaced, of the manual tags of the planned entities.
    pub changes: Option<Share>,
    /// Tags removed and not replaced, of the same.
    pub removals: Option<Share>,
    /// Whether removals do not count towards `changes`.
    pub free_removals: bool,
    /// Entities that do not exist, of those that the inventory names.
    pub missing: Option<Share>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            changes: Some(Share { floor: 10, part: 0.3 }),
            removals: None,
            free_removals: false,
            missing: Some(Share { floor: 10, part: 0.2 }),
        }
    }
}

impl Bounds {
    /// The same, where tags may be removed without a bound; what is replaced still counts.
    #[must_use]
    pub fn allowing_removals(self) -> Self {
        Self {
            removals: None,
            free_removals: true,
            ..self
        }
    }
}

/// What a plan comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Entities that the inventory names.
    pub entities: u64,
    /// Those that were not found.
    pub missing: u64,
    /// Manual tags that the found ones carry, those among them that a rule may have made.
    pub manual_tags: u64,
    /// Tags that would be removed and not replaced.
    pub removals: u64,
    /// Tags that another value of their key would replace.
    pub rewrites: u64,
    /// All operations.
    pub operations: u64,
}

/// Why a plan is refused: one sentence for each bound that it breaks, with what to do about it.
pub fn objections(weight: &Weight, bounds: &Bounds) -> Vec<String> {
    let Weight {
        entities,
        missing,
        manual_tags,
        removals,
        rewrites,
        operations: _,
    } = *weight;
    let over = |share: Option<Share>, many: u64, whole: u64| {
        share.map(|share| share.of(whole)).filter(|most| many > *most)
    };
    let mut objections = Vec::new();
    if let Some(most) = over(bounds.missing, missing, entities) {
        objections.push(format!(
            "{missing} of {entities} entities do not exist at the target (at most {most} may be missing): is this the \
             right tenant and kind? If so, raise `max_missing` in [guard]"
        ));
    }
    let counted = if bounds.free_removals { 0 } else { removals } + rewrites;
    if let Some(most) = over(bounds.changes, counted, manual_tags) {
        objections.push(format!(
            "{removals} tags would be removed and {rewrites} replaced, of {manual_tags} that the entities carry (at most \
             {most} may change): if the plan is right, raise `max_changes` in [guard], or give --max-changes or \
             --allow-removals once"
        ));
    }
    if let Some(most) = over(bounds.removals, removals, manual_tags) {
        objections.push(format!(
            "{removals} tags would be removed, of {manual_tags} that the entities carry (at most {most} may go): if the \
             plan is right, raise `max_removals` in [guard], or give --allow-removals once"
        ));
    }
    objections
}

/// Stops a run whose failures pass a share, once enough operations have been settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breaker {
    /// The share of settled operations that may fail, 0 to 1.
    pub share: f64,
    /// Settled operations before it is looked at.
    pub sample: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            share: 0.5,
            sample: 100,
        }
    }
}

/// Counts what was settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    settled: u64,
    failed: u64,
}

impl Tally {
    /// So many operations ended so. Entities that are missing say nothing of the vendor and do not count.
    pub fn add(&mut self, outcome: Outcome, missing: bool, operations: u64) {
        if missing {
            return;
        }
        self.settled += operations;
        if matches!(outcome, Outcome::Failed | Outcome::Unknown) {
            self.failed += operations;
        }
    }

    /// Whether an operation failed, or nobody knows what became of it.
    pub fn has_failures(&self) -> bool {
        self.failed > 0
    }

    /// Why the run must stop, when it must.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn tripped(&self, breaker: &Breaker) -> Option<String> {
        let over = self.settled >= breaker.sample && self.failed as f64 > self.settled as f64 * breaker.share;
        over.then(|| {
            format!(
                "{} of {} operations failed, more than the breaker allows ({:.0} %): see the report; the same \
                 command goes on with what is open",
                self.failed,
                self.settled,
                breaker.share * 100.0
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(entities: u64, missing: u64, manual_tags: u64, removals: u64, rewrites: u64) -> Weight {
        Weight {
            entities,
            missing,
            manual_tags,
            removals,
            rewrites,
            operations: removals + rewrites,
        }
    }

    #[test]
    fn small_plans_pass_by_the_floor_and_large_ones_by_the_share() {
        let table = [
            (weight(10, 10, 0, 0, 0), 0),
            (weight(11, 11, 0, 0, 0), 1),
            (weight(100, 20, 0, 0, 0), 0),
            (weight(100, 21, 0, 0, 0), 1),
            (weight(1, 0, 0, 10, 0), 0),
            (weight(1, 0, 100, 15, 15), 0),
            (weight(1, 0, 100, 15, 16), 1),
            (weight(100, 100, 1, 0, 99), 2),
        ];
        for (weight, want) in table {
            assert_eq!(objections(&weight, &Bounds::default()).len(), want, "{weight:?}");
        }
    }

    #[test]
    fn a_bound_that_is_lifted_does_not_object_and_a_number_is_a_floor_without_a_share() {
        let weight = weight(100, 100, 0, 8, 99);
        let open = Bounds {
            changes: None,
            removals: None,
            free_removals: false,
            missing: None,
        };
        assert!(objections(&weight, &open).is_empty());
        let number = |floor| Some(Share { floor, part: 0.0 });
        assert_eq!(
            objections(
                &weight,
                &Bounds {
                    removals: number(7),
                    ..open
                }
            )
            .len(),
            1
        );
        assert!(
            objections(
                &weight,
                &Bounds {
                    removals: number(8),
                    ..open
                }
            )
            .is_empty()
        );
    }

    #[test]
    fn removals_that_are_allowed_count_for_nothing_and_rewrites_still_do() {
        let allowing = Bounds {
            removals: Some(Share { floor: 0, part: 0.0 }),
            ..Bounds::default()
        }
        .allowing_removals();
        assert!(objections(&weight(1, 0, 100, 100, 30), &allowing).is_empty());
        assert_eq!(objections(&weight(1, 0, 100, 0, 31), &allowing).len(), 1);
    }

    #[test]
    fn the_breaker_waits_for_its_sample_and_forgives_missing_entities() {
        let mut tally = Tally::default();
        tally.add(Outcome::Failed, true, 1000);
        tally.add(Outcome::Failed, false, 99);
        assert_eq!(tally.tripped(&Breaker::default()), None);
        tally.add(Outcome::Done, false, 98);
        assert!(tally.tripped(&Breaker::default()).is_some());
        tally.add(Outcome::Done, false, 1);
        assert_eq!(tally.tripped(&Breaker::default()), None);
    }
}
