//! Identifiers of groups, which Atlas calls projects: 24 hexadecimal digits.
//!
//! The vendor writes them in lower case (`^([a-f0-9]{24})$` in the Atlas specification); here they are kept so, so that
//! equal ones are equal texts.

/// The digits of an identifier.
const DIGITS: usize = 24;

/// Lower-cases an identifier and checks that it is one, so that none can change what a request means.
pub(super) fn canonical(wanted: &str) -> Result<String, String> {
    let id = wanted.trim().to_ascii_lowercase();
    if id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(id);
    }
    Err(format!(
        "`{}` is no identifier of a group; one has {DIGITS} hexadecimal digits, such as `5c8100bcf2a30b12ff88258f`",
        wanted.escape_debug()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_24_hexadecimal_digits_in_lower_case() {
        for (wanted, want) in [
            ("5c8100bcf2a30b12ff88258f", true),
            (" 5C8100BCF2A30B12FF88258F\t", true),
            ("5c8100bcf2a30b12ff88258", false),
            ("5c8100bcf2a30b12ff88258f0", false),
            ("5c8100bcf2a30b12ff88258g", false),
            ("../../5c8100bcf2a30b12ff", false),
            ("ü5c8100bcf2a30b12ff8825", false),
            ("", false),
        ] {
            let found = canonical(wanted);
            if want {
                assert_eq!(found.as_deref(), Ok("5c8100bcf2a30b12ff88258f"), "{wanted}");
            } else {
                let why = found.expect_err(wanted);
                assert!(why.contains("24 hexadecimal digits"), "{why}");
            }
        }
    }
}
