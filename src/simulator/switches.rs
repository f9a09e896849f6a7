//! What the vendors' references leave open: a set of switches for each vendor, each with a name of its own.

/// A vendor's switches.
pub(super) trait SwitchSet: Default {
    /// The names of all of them.
    const NAMES: &'static [&'static str];

    /// Sets a switch by name; `Ok(false)` when no switch bears it.
    fn set(&mut self, name: &str, word: &str) -> Result<bool, String>;
}

/// Declares a vendor's switches: field, type, what it is unless told, and the option's name.
macro_rules! switches {
    ($(#[doc = $doc:literal])+ $set:ident {
        $($(#[doc = $each:literal])+ $field:ident: $words:ty = $default:expr, $name:literal;)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $set { $($(#[doc = $each])+ pub $field: $words,)+ }

        impl Default for $set {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::simulator::switches::SwitchSet for $set {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn set(&mut self, name: &str, word: &str) -> Result<bool, String> {
                match name {
                    $($name => self.$field = $crate::simulator::value::parse(word)?,)+
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}
pub(super) use switches;
