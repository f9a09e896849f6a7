//! Identifiers of the config API: UUIDs, and the one that a new definition gets from its name.

/// What a name is hashed with, so that nobody else's hash of it is the same identifier.
const NAMESPACE: &str = "tagferry dynatrace auto-tag";

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The canonical form of an identifier, which is in lower case.
pub(super) fn canonical(wanted: &str) -> Result<String, String> {
    let id = wanted.trim().to_ascii_lowercase();
    if is_uuid(&id) {
        return Ok(id);
    }
    Err(format!(
        "`{}` is no identifier of an auto-tag; one looks like `7c82c170-b380-4fa7-992a-453f3e73047b` (use `entity_name` \
         for names)",
        wanted.escape_debug()
    ))
}

/// The identifier under which a definition is made. What is an identifier already stays it; a name always gives the same
/// one, in whatever tenant, so that making the definition twice (after a lost answer, or from two machines) puts one
/// definition. It is a UUID of version 8, whose bits are the maker's choice (RFC 9562, section 5.8).
pub(super) fn of_new(called: &str) -> String {
    canonical(called).unwrap_or_else(|_| of_name(called))
}

fn of_name(name: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(NAMESPACE);
    hasher.update(name.as_bytes());
    let mut bits = [0; 16];
    hasher.finalize_xof().fill(&mut bits);
    bits[6] = bits[6] & 0x0f | 0x80;
    bits[8] = bits[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bits));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn is_uuid(id: &str) -> bool {
    let fits = |(place, c): (usize, char)| match c {
        '-' => HYPHENS.contains(&place),
        _ => c.is_ascii_hexdigit() && !HYPHENS.contains(&place),
    };
    id.len() == 36 && id.char_indices().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_uuids_in_lower_case() {
        let canon = "7c82c170-b380-4fa7-992a-453f3e73047b";
        for (wanted, want) in [
            (canon, Some(canon)),
            (" 7C82C170-B380-4FA7-992A-453F3E73047B ", Some(canon)),
            ("7c82c170b3804fa7992a453f3e73047b", None),
            ("{7c82c170-b380-4fa7-992a-453f3e73047b}", None),
            ("7c82c170-b380-4fa7-992a-453f3e73047", None),
            ("7c82c170-b380-4fa7-992a-453f3e73047g", None),
            ("7c82c170-b380-4fa7-992a-453f3e7304-b", None),
            ("7c82c17-0b380-4fa7-992a-453f3e73047b", None),
            ("Infrastructure - Linux", None),
            ("../../../../api/config/v1/autoTags/xx", None),
            ("", None),
        ] {
            assert_eq!(canonical(wanted).ok().as_deref(), want, "{wanted}");
        }
        assert!(
            canonical("linux")
                .unwrap_err()
                .contains("use `entity_name` for names")
        );
    }

    #[test]
    fn a_name_always_gives_the_same_identifier() {
        let linux = "b1efe51b-17db-8c75-beca-4232d814e033";
        for (called, want) in [
            (
                "7C82C170-B380-4FA7-992A-453F3E73047B",
                "7c82c170-b380-4fa7-992a-453f3e73047b",
            ),
            ("Infrastructure - Linux", linux),
        ] {
            assert_eq!(of_new(called), want, "{called}");
        }
        assert_ne!(of_new("infrastructure - linux"), linux);
    }

    proptest! {
        #[test]
        fn every_name_gives_a_canonical_uuid_of_version_8(name in ".*") {
            let id = of_name(&name);
            prop_assert_eq!(canonical(&id), Ok(id.clone()));
            prop_assert_eq!(&id[14..15], "8");
            prop_assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"));
        }
    }
}
