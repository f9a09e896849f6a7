//! Nonces: 24 bytes that tell this server alone when it issued them, and how often each was counted.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Bytes that say when a nonce was issued, and its number.
const INNER: usize = 10;
/// Bytes of a nonce: as seen on the wire, 32 characters of base64.
const LENGTH: usize = 24;

/// All nonces of a server. They need no memory until they are used.
#[derive(Debug)]
pub(super) struct Nonces {
    key: [u8; 32],
    /// Milliseconds that a nonce lives.
    life: i64,
    issued: AtomicU32,
    counts: Mutex<Counts>,
}

/// The highest counts of the nonces that may still be used.
#[derive(Debug, Default)]
struct Counts {
    by_nonce: HashMap<u32, u32>,
    /// When each nonce may be forgotten, roughly oldest first.
    due: VecDeque<(i64, u32)>,
}

/// A nonce of this server that has not expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Live {
    number: u32,
    until: i64,
}

impl Nonces {
    /// A server's nonces, each good for so long. Those of another process are foreign.
    pub(super) fn new(life: Duration) -> Self {
        let mut key = [0; 32];
        fastrand::fill(&mut key);
        Self {
            key,
            life: i64::try_from(life.as_millis()).unwrap_or(i64::MAX),
            issued: AtomicU32::new(0),
            counts: Mutex::default(),
        }
    }

    /// A new nonce, in base64.
    pub(super) fn issue(&self, now: i64) -> String {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        let mut inner = [0; INNER];
        // Six bytes of milliseconds last for 8,900 years.
        inner[..6].copy_from_slice(&now.to_be_bytes()[2..]);
        inner[6..].copy_from_slice(&number.to_be_bytes());
        let seal = self.seal(&inner);
        let mut nonce = [0; LENGTH];
        // The inner bytes are masked, so that nonces of one second do not look alike.
        for (at, byte) in inner.iter().enumerate() {
            nonce[at] = byte ^ self.mask(&seal)[at];
        }
        nonce[INNER..].copy_from_slice(&seal);
        BASE64_STANDARD.encode(nonce)
    }

    /// The nonce of a text, when this server issued it and it has not expired.
    pub(super) fn live(&self, text: &str, now: i64) -> Option<Live> {
        let bytes: [u8; LENGTH] = BASE64_STANDARD.decode(text).ok()?.try_into().ok()?;
        let (masked, seal) = bytes.split_at(INNER);
        let mask = self.mask(seal);
        let mut inner = [0; INNER];
        for (at, byte) in masked.iter().enumerate() {
            inner[at] = byte ^ mask[at];
        }
        if self.seal(&inner) != seal {
            return None;
        }
        let (mut issued, mut number) = ([0; 8], [0; 4]);
        issued[2..].copy_from_slice(&inner[..6]);
        number.copy_from_slice(&inner[6..]);
        let live = Live {
            number: u32::from_be_bytes(number),
            until: i64::from_be_bytes(issued).saturating_add(self.life),
        };
        (now < live.until).then_some(live)
    }

    /// Counts a use, and says whether its count is higher than every one before.
    pub(super) fn rises(&self, nonce: Live, count: u32, now: i64) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.forget(now);
        let known = counts.by_nonce.len();
        let highest = counts.by_nonce.entry(nonce.number).or_default();
        let rises = count > *highest;
        *highest = count.max(*highest);
        if counts.by_nonce.len() > known {
            counts.due.push_back((nonce.until, nonce.number));
        }
        rises
    }

    fn seal(&self, inner: &[u8; INNER]) -> [u8; LENGTH - INNER] {
        let mut seal = [0; LENGTH - INNER];
        seal.copy_from_slice(&blake3::keyed_hash(&self.key, inner).as_bytes()[..LENGTH - INNER]);
        seal
    }

    fn mask(&self, seal: &[u8]) -> [u8; INNER] {
        let mut mask = [0; INNER];
        mask.copy_from_slice(&blake3::keyed_hash(&self.key, seal).as_bytes()[..INNER]);
        mask
    }
}

impl Counts {
    fn forget(&mut self, now: i64) {
        while let Some((_, number)) = self.due.pop_front_if(|(until, _)| *until <= now) {
            self.by_nonce.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: i64 = 1_786_000_000_000;

    fn nonces() -> Nonces {
        Nonces::new(Duration::from_secs(2))
    }

    #[test]
    fn a_nonce_is_32_characters_and_none_comes_twice() {
        let nonces = nonces();
        let issued: HashSet<String> = (0..1_000).map(|_| nonces.issue(NOW)).collect();
        assert_eq!(issued.len(), 1_000);
        assert!(issued.iter().all(|nonce| nonce.len() == 32));
        let beginnings: HashSet<&str> = issued.iter().map(|nonce| &nonce[..6]).collect();
        assert!(beginnings.len() > 990, "they do not look alike");
    }

    #[test]
    fn a_nonce_lives_as_long_as_it_shall() {
        let nonces = nonces();
        let nonce = nonces.issue(NOW);
        for (after, live) in [(0, true), (1_999, true), (2_000, false), (1 << 40, false)] {
            assert_eq!(
                nonces.live(&nonce, NOW + after).is_some(),
                live,
                "after {after} ms"
            );
        }
    }

    #[test]
    fn a_foreign_or_changed_nonce_is_not_live() {
        let (nonces, others) = (nonces(), nonces());
        let nonce = nonces.issue(NOW);
        for at in 0..nonce.len() {
            let mut changed = nonce.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(nonces.live(&changed, NOW), None, "{changed}");
        }
        for foreign in [&*others.issue(NOW), "", "x", "669gyxpgL6MGDuSZvQ80Spv3k+Jc99ed"] {
            assert_eq!(nonces.live(foreign, NOW), None, "{foreign}");
        }
    }

    #[test]
    fn a_count_must_be_higher_than_every_one_before() {
        let nonces = nonces();
        let [one, two] = [(); 2].map(|()| nonces.live(&nonces.issue(NOW), NOW).unwrap());
        for (nonce, count, want) in [
            (one, 1, true),
            (one, 1, false),
            (one, 3, true),
            (one, 2, false),
            (two, 1, true),
            (two, 0, false),
        ] {
            assert_eq!(nonces.rises(nonce, count, NOW), want, "{nonce:?} {count}");
        }
    }

    #[test]
    fn expired_nonces_are_forgotten() {
        let nonces = nonces();
        for round in 0..100 {
            let now = NOW + round * 1_000;
            let live = nonces.live(&nonces.issue(now), now).unwrap();
            assert!(nonces.rises(live, 1, now));
        }
        let counts = nonces.counts.lock().unwrap();
        assert_eq!((counts.by_nonce.len(), counts.due.len()), (2, 2));
    }
}
