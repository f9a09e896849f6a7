//! What the vendor's reference leaves open, as switches; the table in the room's docs names them all.

use super::super::switches::switches;
use super::super::value::words;

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

switches! {
    /// What the Dynatrace reference leaves open.
    Switches {
        /// The status of "Unable to find tag".
        missing_tag: Refusal = Refusal::NotFound, "missing-tag";
        /// Whether one entity without the tag refuses a removal.
        partial_delete: PartialDelete = PartialDelete::Apply, "partial-delete";
        /// What a removal that matches nothing answers.
        unmatched_delete: UnmatchedDelete = UnmatchedDelete::Count, "unmatched-delete";
        /// What the counts count.
        count: Count = Count::Matched, "count";
        /// Colons in `stringRepresentation`.
        representation: Representation = Representation::Plain, "representation";
        /// What a value-only tag criterion matches.
        bare_tag: BareTag = BareTag::Exact, "bare-tag";
        /// Quotes inside quotes.
        quote_escape: QuoteEscape = QuoteEscape::None, "quote-escape";
        /// What a selector's length is counted on.
        selector_length: SelectorLength = SelectorLength::Decoded, "selector-length";
        /// The end of a listing.
        last_page: LastPage = LastPage::Absent, "last-page";
        /// The status when an entity is full.
        full_status: Refusal = Refusal::BadRequest, "full-status";
        /// Colons in v1 tags.
        v1_colon: V1Colon = V1Colon::Key, "v1-colon";
        /// The status of an unknown entity in v1.
        v1_unknown: Refusal = Refusal::NotFound, "v1-unknown";
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::switches::SwitchSet as _;
    use super::*;

    #[test]
    fn a_switch_turns() {
        let mut switches = Switches::default();
        assert_eq!(switches.set("missing-tag", "400"), Ok(true));
        assert_eq!(switches.missing_tag.status(), 400);
        assert_eq!(switches.missing_tag.as_str(), "400");
    }
}
