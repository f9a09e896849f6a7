//! The list of vendors that can be simulated: the one place that names them all.

use std::sync::Arc;

use super::api::Api;
use super::opening::OpenError;
use super::simulated::{Simulated, Simulator};
use super::spec::Spec;
use super::switches::SwitchSet;
use super::{dynatrace, mongodb, oracle_paas};

/// One vendor that can be simulated.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// Its name, as jobs and command lines have it.
    pub name: &'static str,
    /// The names of its switches.
    pub switches: &'static [&'static str],
    set_switch: fn(&str, &str) -> Result<bool, String>,
    open: fn(&Spec) -> Result<Arc<dyn Simulator>, OpenError>,
}

/// All of them.
pub const VENDORS: &[Vendor] = &[
    vendor::<dynatrace::Environment, dynatrace::Switches>(),
    vendor::<oracle_paas::Domain, oracle_paas::Switches>(),
    vendor::<mongodb::Installation, mongodb::Switches>(),
    vendor::<mongodb::Cloud, mongodb::Switches>(),
];

const fn vendor<A: Api, S: SwitchSet>() -> Vendor {
    Vendor {
        name: A::VENDOR,
        switches: S::NAMES,
        set_switch: |name, word| S::default().set(name, word),
        open: |spec| Ok(Arc::new(Simulated::<A>::open(spec)?)),
    }
}

impl Vendor {
    /// The vendor of a name.
    pub fn of(name: &str) -> Option<Self> {
        VENDORS.iter().find(|vendor| vendor.name == name).copied()
    }

    /// Opens the state that a spec names, or makes the entities anew. Reading a large state takes time: a caller on an
    /// async runtime does this on a blocking thread.
    pub fn open(&self, spec: &Spec) -> Result<Arc<dyn Simulator>, OpenError> {
        (self.open)(spec)
    }

    /// Checks a word for a switch; `Ok(false)` when this vendor has no switch of that name.
    pub(super) fn knows(&self, switch: &str, word: &str) -> Result<bool, String> {
        (self.set_switch)(switch, word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_is_known_and_a_wrong_word_is_answered_with_the_right_ones() {
        for vendor in VENDORS {
            for switch in vendor.switches {
                let why = vendor.knows(switch, "perhaps").unwrap_err();
                assert!(why.contains(" or "), "{switch}: {why}");
            }
            assert_eq!(vendor.knows("nothing", "x"), Ok(false));
        }
    }

    #[test]
    fn names_of_vendors_are_their_own() {
        for vendor in VENDORS {
            assert_eq!(Vendor::of(vendor.name).map(|found| found.name), Some(vendor.name));
        }
        assert!(Vendor::of("nobody").is_none());
    }
}
