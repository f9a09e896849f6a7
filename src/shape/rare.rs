//! What is rare enough to be looked at first.

/// The share of the entities, one of so many, below which a group is small.
const SMALL_SHARE: u64 = 100;

/// A group of fewer entities is small however few there are in all.
const SMALL: u64 = 10;

/// How many times as many the largest has that dwarfs a small one.
const DWARFS: u64 = 20;

/// The share of the entities, one of so many, that all exceptions together may have: what is not rare is no exception.
const TOGETHER: u64 = 20;

/// Whether `entities` of `total` are small beside the largest group.
pub(super) fn is_dwarfed(entities: u64, total: u64, largest: u64) -> bool {
    let small = entities < SMALL || entities.saturating_mul(SMALL_SHARE) < total;
    small && entities.saturating_mul(DWARFS) <= largest
}

/// The most entities that an exception has, by the sizes of all groups; 0 where there is no exception.
pub(super) fn largest_exception(mut sizes: Vec<u64>) -> u64 {
    sizes.sort_unstable();
    let total: u64 = sizes.iter().sum();
    let Some(largest) = sizes.last().copied() else {
        return 0;
    };
    let (mut bound, mut together) = (0, 0);
    for of_size in sizes.chunk_by(|one, other| one == other) {
        let size = of_size[0];
        together += size * of_size.len() as u64;
        if !is_dwarfed(size, total, largest) || together.saturating_mul(TOGETHER) > total {
            break;
        }
        bound = size;
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_small_dwarfed_and_few() {
        for (sizes, want) in [
            (vec![], 0),
            (vec![1], 0),
            // Nothing dwarfs the others.
            (vec![1, 2, 3], 0),
            (vec![9, 170], 0),
            (vec![9, 180], 9),
            (vec![10, 300], 0),
            (vec![31_204, 12], 12),
            (vec![39_000, 500, 400], 0),
            (vec![60_000, 500, 400], 500),
            // Each is rare, but together they are much of the plan.
            ([vec![500], vec![1; 100]].concat(), 0),
            ([vec![5000], vec![1; 100], vec![9; 20]].concat(), 1),
        ] {
            assert_eq!(largest_exception(sizes.clone()), want, "{sizes:?}");
        }
    }
}
