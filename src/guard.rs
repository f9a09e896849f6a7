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

/// What a plan may do without being told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Removals and rewrites, as a share of the manual tags of the planned entities; `None` allows all.
    pub removals: Option<Share>,
    /// Entities that do not exist, as a share of the entities that the inventory names; `None` allows all.
    pub missing: Option<Share>,
    /// Operations of any kind; `None` allows all.
    pub changes: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            removals: Some(Share { floor: 10, part: 0.3 }),
            missing: Some(Share { floor: 10, part: 0.2 }),
            changes: None,
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
    /// Manual tags that the found ones carry.
    pub manual_tags: u64,
    /// Tags that would go: removed, or replaced by another value.
    pub removals: u64,
    /// All operations.
    pub operations: u64,
}

/// Why a plan is refused: one sentence for each bound that it breaks, with what to do about it.
pub fn objections(weight: &Weight, bounds: &Bounds) -> Vec<String> {
    let mut objections = Vec::new();
    if let Some(share) = bounds.missing
        && weight.missing > share.of(weight.entities)
    {
        objections.push(format!(
            "{} of {} entities do not exist at the target (at most {} may be missing): is this the right tenant and \
             kind? If so, raise `max_missing` in [guard]",
            weight.missing,
            weight.entities,
            share.of(weight.entities)
        ));
    }
    if let Some(share) = bounds.removals
        && weight.removals > share.of(weight.manual_tags)
    {
        objections.push(format!(
            "{} tags would be removed or replaced, of {} that the entities carry (at most {} may go): look at the \
             plan; if it is right, raise `max_removals` in [guard]",
            weight.removals,
            weight.manual_tags,
            share.of(weight.manual_tags)
        ));
    }
    if let Some(most) = bounds.changes
        && weight.operations > most
    {
        objections.push(format!(
            "{} operations are planned, and [guard] allows {most}: look at the plan; if it is right, raise \
             `max_changes`",
            weight.operations
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

    #[test]
    fn small_plans_pass_by_the_floor_and_large_ones_by_the_share() {
        let table = [
            (
                Weight {
                    entities: 10,
                    missing: 10,
                    ..Weight::default()
                },
                0,
            ),
            (
                Weight {
                    entities: 11,
                    missing: 11,
                    ..Weight::default()
                },
                1,
            ),
            (
                Weight {
                    entities: 100,
                    missing: 20,
                    ..Weight::default()
                },
                0,
            ),
            (
                Weight {
                    entities: 100,
                    missing: 21,
                    ..Weight::default()
                },
                1,
            ),
            (
                Weight {
                    manual_tags: 0,
                    removals: 10,
                    ..Weight::default()
                },
                0,
            ),
            (
                Weight {
                    manual_tags: 100,
                    removals: 30,
                    ..Weight::default()
                },
                0,
            ),
            (
                Weight {
                    manual_tags: 100,
                    removals: 31,
                    ..Weight::default()
                },
                1,
            ),
            (
                Weight {
                    entities: 100,
                    missing: 100,
                    manual_tags: 1,
                    removals: 99,
                    operations: 9,
                },
                2,
            ),
        ];
        for (weight, want) in table {
            assert_eq!(objections(&weight, &Bounds::default()).len(), want, "{weight:?}");
        }
    }

    #[test]
    fn a_bound_that_is_lifted_does_not_object_and_a_bound_on_changes_does() {
        let weight = Weight {
            entities: 100,
            missing: 100,
            removals: 99,
            operations: 8,
            ..Weight::default()
        };
        let open = Bounds {
            removals: None,
            missing: None,
            changes: None,
        };
        assert!(objections(&weight, &open).is_empty());
        assert_eq!(
            objections(
                &weight,
                &Bounds {
                    changes: Some(7),
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
                    changes: Some(8),
                    ..open
                }
            )
            .is_empty()
        );
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
