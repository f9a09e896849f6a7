//! What the vendor's reference leaves open, as switches; the table in the room's docs names them all.

use std::str::FromStr;
use std::time::Duration;

use super::super::switches::switches;
use super::super::value::{duration, words};

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

words! {
    /// `metadata` in the body of an auto-tag, which the configuration API calls read-only.
    SentMetadata {
        /// It is passed over.
        Ignore = "ignore",
        /// The body is refused.
        Refuse = "refuse",
    }
}

words! {
    /// The order in which the rules of an auto-tag come back.
    RuleOrder {
        /// As they were sent.
        Kept = "kept",
        /// Another one: a set has none.
        Changed = "changed",
    }
}

words! {
    /// What the configuration API shows of an auto-tag beside what was sent.
    ConfigFields {
        /// Defaults, nulls and empty lists.
        Filled = "filled",
        /// Nothing.
        Bare = "bare",
    }
}

words! {
    /// What the configuration API answers to `GET` and `DELETE` of an identifier that is no UUID.
    MalformedId {
        /// That nothing is there.
        NotFound = "404",
        /// That the identifier is invalid.
        BadRequest = "400",
    }
}

words! {
    /// A new settings object with the external identifier of another.
    SameExternalId {
        /// It replaces the other.
        Replace = "replace",
        /// It is refused with 409.
        Conflict = "conflict",
    }
}

words! {
    /// A new settings object without a scope, of a schema that has but one.
    MissingScope {
        /// It is refused.
        Refuse = "refuse",
        /// It gets that scope.
        Environment = "environment",
    }
}

words! {
    /// A property of a settings value whose precondition does not hold.
    Inapplicable {
        /// The value is refused.
        Refuse = "refuse",
        /// The property is passed over.
        Ignore = "ignore",
    }
}

words! {
    /// A property of a settings value that is left out and has a default.
    OmittedProperty {
        /// It gets the default.
        Filled = "filled",
        /// The value is refused.
        Refuse = "refuse",
    }
}

words! {
    /// A page of settings objects larger than the documented maximum.
    SettingsPage {
        /// It is refused.
        Refuse = "refuse",
        /// The page is as large as allowed.
        Clamp = "clamp",
    }
}

/// How long a name that was given up still counts as taken; a duration such as `5s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameHold(Duration);

impl NameHold {
    /// The duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for NameHold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration(text).map(Self)
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
        /// `metadata` in an auto-tag.
        sent_metadata: SentMetadata = SentMetadata::Ignore, "sent-metadata";
        /// The order of an auto-tag's rules.
        rule_order: RuleOrder = RuleOrder::Kept, "rule-order";
        /// What the configuration API fills in.
        config_fields: ConfigFields = ConfigFields::Filled, "config-fields";
        /// Identifiers of auto-tags that are none.
        malformed_id: MalformedId = MalformedId::NotFound, "malformed-id";
        /// Names of auto-tags that were given up.
        name_hold: NameHold = NameHold::default(), "name-hold";
        /// New objects with a known external identifier.
        same_external_id: SameExternalId = SameExternalId::Replace, "same-external-id";
        /// New objects without a scope.
        missing_scope: MissingScope = MissingScope::Refuse, "missing-scope";
        /// Properties whose precondition does not hold.
        inapplicable: Inapplicable = Inapplicable::Refuse, "inapplicable-property";
        /// Properties that are left out.
        omitted_property: OmittedProperty = OmittedProperty::Filled, "omitted-property";
        /// Pages that are too large.
        settings_page: SettingsPage = SettingsPage::Refuse, "settings-page";
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
