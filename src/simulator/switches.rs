//! What the vendor's reference leaves open, as switches; the table in the room's docs names them all.

use super::value::{parse, words};

words! {
    /// The status of a refusal whose status is not documented.
    Refusal {
        /// 404.
        NotFound = "404",
        /// 400.
        BadRequest = "400",
        /// 409.
        Conflict = "409",
    }
}

impl Refusal {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::BadRequest => 400,
            Self::Conflict => 409,
        }
    }
}

words! {
    /// A removal of which some matched entities do not carry the tag.
    PartialDelete {
        /// The others lose it.
        Apply = "apply",
        /// The whole call is refused.
        Refuse = "refuse",
    }
}

words! {
    /// A removal whose selector matches no entity.
    UnmatchedDelete {
        /// 200 with a count of 0.
        Count = "count",
        /// As if the tag could not be found.
        Error = "error",
    }
}

words! {
    /// What `matchedEntitiesCount` counts.
    Count {
        /// Every entity that the selector matched.
        Matched = "matched",
        /// Only entities that were changed.
        Changed = "changed",
    }
}

words! {
    /// How `stringRepresentation` shows colons inside a key or value.
    Representation {
        /// As they are.
        Plain = "plain",
        /// With a backslash.
        Escaped = "escaped",
    }
}

words! {
    /// What `tag("env")` matches.
    BareTag {
        /// Only the tag without a value.
        Exact = "exact",
        /// Every tag of the key.
        Any = "any",
    }
}

words! {
    /// How a quote is written inside a quoted value of a selector.
    QuoteEscape {
        /// It can't be.
        None = "none",
        /// As `~"`, as in metric selectors.
        Tilde = "tilde",
    }
}

words! {
    /// What the 2,000 characters of a selector are counted on.
    SelectorLength {
        /// The decoded text.
        Decoded = "decoded",
        /// The text as it stands in the URL.
        Encoded = "encoded",
    }
}

words! {
    /// How the last page of a listing shows that nothing follows.
    LastPage {
        /// No `nextPageKey`.
        Absent = "absent",
        /// `"nextPageKey": null`.
        Null = "null",
    }
}

words! {
    /// What v1 makes of a tag `a:b`.
    V1Colon {
        /// A key `a:b` without a value.
        Key = "key",
        /// The key `a` with the value `b`.
        Split = "split",
    }
}

/// All switches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switches {
    /// The status of "Unable to find tag".
    pub missing_tag: Refusal,
    /// Whether one entity without the tag refuses a removal.
    pub partial_delete: PartialDelete,
    /// What a removal that matches nothing answers.
    pub unmatched_delete: UnmatchedDelete,
    /// What the counts count.
    pub count: Count,
    /// Colons in `stringRepresentation`.
    pub representation: Representation,
    /// What a value-only tag criterion matches.
    pub bare_tag: BareTag,
    /// Quotes inside quotes.
    pub quote_escape: QuoteEscape,
    /// What a selector's length is counted on.
    pub selector_length: SelectorLength,
    /// The end of a listing.
    pub last_page: LastPage,
    /// The status when an entity is full.
    pub full_status: Refusal,
    /// Colons in v1 tags.
    pub v1_colon: V1Colon,
    /// The status of an unknown entity in v1.
    pub v1_unknown: Refusal,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            missing_tag: Refusal::NotFound,
            partial_delete: PartialDelete::Apply,
            unmatched_delete: UnmatchedDelete::Count,
            count: Count::Matched,
            representation: Representation::Plain,
            bare_tag: BareTag::Exact,
            quote_escape: QuoteEscape::None,
            selector_length: SelectorLength::Decoded,
            last_page: LastPage::Absent,
            full_status: Refusal::BadRequest,
            v1_colon: V1Colon::Key,
            v1_unknown: Refusal::NotFound,
        }
    }
}

impl Switches {
    /// The names of all switches.
    pub const NAMES: [&'static str; 12] = [
        "missing-tag",
        "partial-delete",
        "unmatched-delete",
        "count",
        "representation",
        "bare-tag",
        "quote-escape",
        "selector-length",
        "last-page",
        "full-status",
        "v1-colon",
        "v1-unknown",
    ];

    /// Sets a switch by name; `Ok(false)` when no switch bears it.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            "missing-tag" => self.missing_tag = parse(value)?,
            "partial-delete" => self.partial_delete = parse(value)?,
            "unmatched-delete" => self.unmatched_delete = parse(value)?,
            "count" => self.count = parse(value)?,
            "representation" => self.representation = parse(value)?,
            "bare-tag" => self.bare_tag = parse(value)?,
            "quote-escape" => self.quote_escape = parse(value)?,
            "selector-length" => self.selector_length = parse(value)?,
            "last-page" => self.last_page = parse(value)?,
            "full-status" => self.full_status = parse(value)?,
            "v1-colon" => self.v1_colon = parse(value)?,
            "v1-unknown" => self.v1_unknown = parse(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_a_wrong_word_is_answered_with_the_right_ones() {
        for name in Switches::NAMES {
            let why = Switches::default().set(name, "perhaps").unwrap_err();
            assert!(why.contains(" or "), "{name}: {why}");
        }
        assert_eq!(Switches::default().set("nothing", "x"), Ok(false));
    }

    #[test]
    fn a_switch_turns() {
        let mut switches = Switches::default();
        assert_eq!(switches.set("missing-tag", "400"), Ok(true));
        assert_eq!(switches.missing_tag.status(), 400);
        assert_eq!(switches.missing_tag.as_str(), "400");
    }
}
