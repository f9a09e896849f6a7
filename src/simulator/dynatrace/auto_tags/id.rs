//! Identifiers of auto-tags: UUIDs in the configuration API, object identifiers in the settings API.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::SCHEMA_ID;

/// Base64url as the vendor writes it, without padding; a client may have added some.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an object identifier begins and ends with: the beginning of the vendor's samples, `vu9U3h…`.
const MARK: [u8; 8] = [0xBE, 0xEF, 0x54, 0xDE, 0x15, 0xDA, 0xDE, 0xAD];

/// An auto-tag's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(u128);

impl Id {
    /// A UUID of version 4 out of any 128 bits.
    pub(super) fn of_bits(high: u64, low: u64) -> Self {
        let high = high & !0xF000 | 0x4000;
        let low = low & !(0b11 << 62) | (0b10 << 62);
        Self(u128::from(high) << 64 | u128::from(low))
    }

    /// The identifier in the settings API: base64url without padding of [`MARK`], the number 1 in four bytes, the texts
    /// `builtin:tags.auto-tagging`, `tenant`, `tenant` and the UUID, each behind its length in two bytes, and [`MARK`]
    /// again. The vendor's page tells only the order of the texts; the rest is as its samples look.
    pub(super) fn object_id(self) -> String {
        let mut bytes = MARK.to_vec();
        bytes.extend(1_u32.to_be_bytes());
        for text in [SCHEMA_ID, "tenant", "tenant", &self.to_string()] {
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(text.bytes());
        }
        bytes.extend(MARK);
        BASE64.encode(bytes)
    }

    /// The UUID inside an object identifier; `None` for one of another schema or no identifier at all.
    pub(super) fn of_object(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        let uuid = bytes.strip_suffix(&MARK)?.last_chunk::<36>()?;
        let id: Self = str::from_utf8(uuid).ok()?.parse().ok()?;
        (id.object_id() == text.trim_end_matches('=')).then_some(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        let group = |shift: u32| (bits >> shift) & 0xFFFF;
        let (first, last) = (bits >> 96, bits & 0xFFFF_FFFF_FFFF);
        write!(
            f,
            "{first:08x}-{:04x}-{:04x}-{:04x}-{last:012x}",
            group(80),
            group(64),
            group(48)
        )
    }
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let lengths = text.split('-').map(str::len);
        let hex = text.replace('-', "");
        if !lengths.eq([8, 4, 4, 4, 12]) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(());
        }
        u128::from_str_radix(&hex, 16).map(Self).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "4f211f13-a644-366e-956a-376db915fdc3";

    #[test]
    fn a_uuid_is_text_of_one_form_in_either_case() {
        for (text, want) in [
            (UUID, Some(UUID)),
            ("4F211F13-A644-366E-956A-376DB915FDC3", Some(UUID)),
            (
                "00000000-0000-0000-0000-000000000001",
                Some("00000000-0000-0000-0000-000000000001"),
            ),
            ("4f211f13a644366e956a376db915fdc3", None),
            ("4f211f13-a644-366e-956a-376db915fdc", None),
            ("4f211f13-a644-366e-956a376d-b915fdc3", None),
            ("4f211f13-a644-366e-956a-376db915fdcg", None),
            ("+f211f13-a644-366e-956a-376db915fdc3", None),
            ("", None),
        ] {
            let got = text.parse::<Id>().ok().map(|id| id.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
        assert_eq!(
            Id::of_bits(u64::MAX, 0).to_string(),
            "ffffffff-ffff-4fff-8000-000000000000"
        );
    }

    #[test]
    fn an_object_identifier_holds_schema_and_uuid() {
        let id: Id = UUID.parse().unwrap();
        let object = id.object_id();
        assert!(
            object.starts_with("vu9U3h"),
            "as the samples of the vendor: {object}"
        );
        assert!(!object.contains(['+', '/', '=']), "{object}");
        let readable: String = BASE64
            .decode(&object)
            .unwrap()
            .iter()
            .map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' })
            .collect();
        let order = format!("builtin:tags.auto-tagging..tenant..tenant.${UUID}");
        assert!(readable.contains(&order), "{readable}");
        assert_eq!(Id::of_object(&object), Some(id));
        assert_eq!(Id::of_object(&format!("{object}=")), Some(id));
    }

    #[test]
    fn what_is_no_object_identifier_is_none() {
        let object = UUID.parse::<Id>().unwrap().object_id();
        for text in [
            "",
            "vu9U3h",
            UUID,
            &object[1..],
            &object[..object.len() - 4],
            &object.to_lowercase(),
            &BASE64.encode(UUID),
            "é",
        ] {
            assert_eq!(Id::of_object(text), None, "{text}");
        }
    }
}
