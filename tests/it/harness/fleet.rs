//! The hosts that a simulator generates, worked out here a second time.

/// A tag: key and value.
pub(crate) type Tag = (String, Option<String>);

/// The identifier of the generated host `index` (from 0): the output of `SplitMix64` from `seed` at that place.
pub(crate) fn host(seed: u64, index: u64) -> String {
    let state = seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    format!("HOST-{:016X}", state ^ (state >> 31))
}

/// The identifiers of all hosts of `simulate dynatrace --entities N --seed SEED`.
pub(crate) fn hosts(entities: u64, seed: u64) -> Vec<String> {
    (0..entities).map(|index| host(seed, index)).collect()
}
