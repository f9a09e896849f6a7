//! "Did you mean": the known name that is nearest to a misspelt one.

/// The name that was probably meant: one that differs in case alone, or the one that the fewest edits reach, as long as
/// that is at most a third of its letters and not all of them.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&folded, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            let length = name.chars().count();
            *distance <= length.max(3) / 3 && *distance < length
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_or_none() {
        let known = ["value", "key", "when", "Domain name"];
        for (wrong, want) in [
            ("vaule", Some("value")),
            ("KEY", Some("key")),
            ("domain_name", Some("Domain name")),
            ("keys", Some("key")),
            ("separator", None),
            ("", None),
            ("k", None),
        ] {
            assert_eq!(nearest(wrong, known), want, "{wrong}");
        }
    }
}
