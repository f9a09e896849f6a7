//! Identifiers of 24 lower-case hexadecimal digits.

use std::fmt;

use super::super::generate::mix;

/// The earliest second in a made identifier: in July 2012.
const EARLIEST: u32 = 0x5000_0000;

/// An identifier: four bytes of seconds since 1970, and eight more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ObjectId([u8; 12]);

impl ObjectId {
    /// The identifier of what the generator or a name made with a number: the last sixteen digits are the number, and the
    /// first eight are `0x50000000 + (mix(number) >> 36)`, a second between July 2012 and January 2021.
    pub(super) fn of(number: u64) -> Self {
        let offset = u32::try_from(mix(number) >> 36).unwrap_or_default();
        Self::at(EARLIEST + offset, number)
    }

    /// The identifier of what is made at a second.
    pub(super) fn at(second: u32, number: u64) -> Self {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&second.to_be_bytes());
        bytes[4..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }

    /// Reads 24 digits; capitals are none, as the pattern of the Atlas reference has it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 24 || !text.bytes().all(lower) {
            return None;
        }
        let second = u32::from_str_radix(&text[..8], 16).ok()?;
        let number = u64::from_str_radix(&text[8..], 16).ok()?;
        Some(Self::at(second, number))
    }

    /// The second in which it was made, since 1970.
    pub(super) fn second(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// What stands behind the second.
    pub(super) fn number(self) -> u64 {
        let mut last = [0; 8];
        last.copy_from_slice(&self.0[4..]);
        u64::from_be_bytes(last)
    }

    /// When it was made, such as `2016-03-09T18:19:37Z`.
    pub(super) fn made_at(self) -> String {
        jiff::Timestamp::from_second(self.second().into())
            .unwrap_or_default()
            .to_string()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:016x}", self.second(), self.number())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_identifier_comes_back_as_it_went_and_keeps_its_number(number: u64) {
            let id = ObjectId::of(number);
            prop_assert_eq!(ObjectId::parse(&id.to_string()), Some(id));
            prop_assert_eq!(id.number(), number);
            prop_assert!((0x5000_0000..0x6000_0000).contains(&id.second()));
        }
    }

    #[test]
    fn only_24_lower_case_digits_are_an_identifier() {
        for (text, legal) in [
            ("6a793feb2c88faeba59bd8f6", true),
            ("6A793FEB2C88FAEBA59BD8F6", false),
            ("6a793feb2c88faeba59bd8f", false),
            ("6a793feb2c88faeba59bd8f60", false),
            ("6a793feb2c88faeba59bd8fg", false),
            ("+a793feb2c88faeba59bd8f6", false),
            ("", false),
        ] {
            assert_eq!(ObjectId::parse(text).is_some(), legal, "{text}");
        }
    }

    #[test]
    fn an_identifier_tells_when_it_was_made() {
        // The group of a recorded answer, made in the second before its `created`.
        let id = ObjectId::parse("6a793feb2c88faeba59bd8f6").unwrap();
        assert_eq!(id.made_at(), "2026-08-10T03:05:15Z");
    }
}
