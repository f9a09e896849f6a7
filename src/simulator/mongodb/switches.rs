//! What the references of Ops Manager, Cloud Manager and Atlas leave open, as switches; the table in the folder's docs
//! names them all.

use super::super::switches::switches;
use super::super::value::words;

words! {
    /// The hash of digest authentication.
    Algorithm {
        /// MD5, as seen on the wire.
        Md5 = "MD5",
        /// SHA-256, which RFC 7616 adds.
        Sha256 = "SHA-256",
        /// Either, in two challenges.
        Both = "both",
    }
}

words! {
    /// What a challenge says of a nonce that was too old.
    StaleFlag {
        /// `stale=true`, as RFC 7616 has it.
        Said = "said",
        /// `stale=false`: `true` was never seen on the wire.
        False = "false",
    }
}

words! {
    /// Whether the count of a nonce must rise.
    NcCheck {
        /// It must.
        On = "on",
        /// It may stand still or fall, as at Apache.
        Off = "off",
    }
}

words! {
    /// The status when the credentials were made for another `uri` than that of the request line.
    UriMismatch {
        /// 400, as Apache and RFC 7616 have it.
        BadRequest = "400",
        /// 401.
        Unauthorized = "401",
    }
}

words! {
    /// How a challenge names the quality of protection.
    Challenge {
        /// `qop="auth"`, as seen on the wire.
        Qop = "qop",
        /// `op="auth"`, as the documentation prints it; credentials without a `qop` are then good too.
        Op = "op",
    }
}

words! {
    /// Whether a 401 of somebody whose credentials are good has a challenge.
    LateChallenge {
        /// It has none.
        Absent = "absent",
        /// It has one.
        Sent = "sent",
    }
}

words! {
    /// The fields of an error.
    ErrorFields {
        /// `detail`, `error`, `errorCode`, `parameters`, `reason`.
        Five = "five",
        /// `detail`, `error`, `reason`, as in the oldest documentation.
        Three = "three",
    }
}

words! {
    /// What an error without parameters has for `parameters`.
    NoParameters {
        /// An empty list.
        List = "list",
        /// `null`.
        Null = "null",
        /// No such field.
        Absent = "absent",
    }
}

words! {
    /// The status of a caller without the role that a call needs.
    Unauthorized {
        /// 401.
        Unauthorized = "401",
        /// 403, as in the oldest documentation.
        Forbidden = "403",
    }
}

words! {
    /// What a group that does not exist is answered with.
    UnknownGroup {
        /// 404 `GROUP_NOT_FOUND`.
        NotFound = "404",
        /// 401 `NOT_IN_GROUP`.
        NotIn = "401",
    }
}

words! {
    /// Which media types a body may have.
    ContentType {
        /// JSON alone; anything else is refused with 415.
        Json = "json",
        /// Any.
        Any = "any",
    }
}

words! {
    /// What `itemsPerPage` above the largest page gives.
    PageLimit {
        /// The largest page.
        Clamp = "clamp",
        /// 400.
        Refuse = "400",
    }
}

words! {
    /// Which groups `tag=A&tag=B` lists.
    TagFilter {
        /// Those with both.
        And = "and",
        /// Those with either.
        Or = "or",
    }
}

words! {
    /// What becomes of lower-case letters in a tag.
    LowerCase {
        /// They are refused: the list of legal characters has only capitals.
        Refuse = "refuse",
        /// They are accepted: tags are called case-sensitive.
        Accept = "accept",
        /// They become capitals.
        Upper = "upper",
    }
}

words! {
    /// What becomes of a tag that one array holds twice.
    DuplicateTags {
        /// It is there twice.
        Keep = "keep",
        /// It is there once.
        Dedupe = "dedupe",
        /// The array is refused.
        Refuse = "refuse",
    }
}

words! {
    /// In which order tags are shown.
    TagOrder {
        /// Those that stay keep their places, and new ones follow as they were sent.
        Kept = "kept",
        /// Sorted.
        Sorted = "sorted",
    }
}

words! {
    /// Whether groups have the field `tags`, which takes a role to see.
    TagsField {
        /// They have it.
        Shown = "shown",
        /// They do not.
        Hidden = "hidden",
    }
}

words! {
    /// Whether `PATCH` stores tags, which Cloud Manager's current page no longer documents.
    TagsKept {
        /// It does.
        Yes = "yes",
        /// It answers 200 and stores none.
        No = "no",
    }
}

words! {
    /// The field of an enveloped answer that holds the entity.
    EnvelopeField {
        /// `content`.
        Content = "content",
        /// `envelope`, as in the tables of versions 5 to 7.
        Envelope = "envelope",
    }
}

words! {
    /// What Atlas makes of a media type without a version of the resource.
    Unversioned {
        /// 406 for an answer, 415 for a body.
        Refuse = "refuse",
        /// The newest version.
        Newest = "newest",
    }
}

words! {
    /// When a version of an Atlas resource is gone that has a date for it.
    Sunset {
        /// On that date.
        Dated = "dated",
        /// Already.
        Past = "past",
    }
}

words! {
    /// Which letters a tag of Atlas may have.
    TagLetters {
        /// Those of ASCII.
        Ascii = "ascii",
        /// Those of any language.
        Unicode = "unicode",
    }
}

words! {
    /// The status of a change to a paused cluster.
    PausedStatus {
        /// 409.
        Conflict = "409",
        /// 400.
        BadRequest = "400",
    }
}

words! {
    /// What errors of the token endpoint look like.
    OauthErrors {
        /// Like those of the API, as seen on the wire.
        Api = "api",
        /// `error` and `error_description`, as documented and as RFC 6749 has it.
        Oauth = "oauth",
    }
}

words! {
    /// How many tokens a client may ask for in a minute.
    TokenLimit {
        /// Ten.
        Ten = "10",
        /// Fifty, as a later text has it.
        Fifty = "50",
        /// As many as it likes.
        None = "none",
    }
}

switches! {
    /// What the MongoDB references leave open.
    Switches {
        /// The hash of digest authentication.
        algorithm: Algorithm = Algorithm::Md5, "algorithm";
        /// `stale` for a nonce that is too old.
        stale_flag: StaleFlag = StaleFlag::Said, "stale-flag";
        /// Nonce counts that do not rise.
        nc_check: NcCheck = NcCheck::On, "nc-check";
        /// Credentials for another target.
        uri_mismatch: UriMismatch = UriMismatch::BadRequest, "uri-mismatch";
        /// `qop` in a challenge.
        challenge: Challenge = Challenge::Qop, "challenge";
        /// A challenge beside a refusal of good credentials.
        late_challenge: LateChallenge = LateChallenge::Absent, "late-challenge";
        /// The fields of an error.
        error_fields: ErrorFields = ErrorFields::Five, "error-fields";
        /// An error without parameters.
        no_parameters: NoParameters = NoParameters::List, "no-parameters";
        /// The status of a missing role.
        unauthorized: Unauthorized = Unauthorized::Unauthorized, "unauthorized";
        /// A group that does not exist.
        unknown_group: UnknownGroup = UnknownGroup::NotFound, "unknown-group";
        /// The media type of a body.
        content_type: ContentType = ContentType::Json, "content-type";
        /// Too large a page.
        page_limit: PageLimit = PageLimit::Clamp, "page-limit";
        /// Several tags to list groups by.
        tag_filter: TagFilter = TagFilter::And, "tag-filter";
        /// Lower-case letters in tags.
        lower_case: LowerCase = LowerCase::Refuse, "lower-case";
        /// Tags sent twice.
        duplicate_tags: DuplicateTags = DuplicateTags::Keep, "duplicate-tags";
        /// The order of tags.
        tag_order: TagOrder = TagOrder::Kept, "tag-order";
        /// The field `tags`.
        tags_field: TagsField = TagsField::Shown, "tags-field";
        /// Whether tags are stored.
        tags_kept: TagsKept = TagsKept::Yes, "tags-kept";
        /// The envelope of one entity.
        envelope_field: EnvelopeField = EnvelopeField::Content, "envelope-field";
        /// Media types without a version.
        unversioned: Unversioned = Unversioned::Refuse, "unversioned";
        /// Versions that have an end.
        sunset: Sunset = Sunset::Dated, "sunset";
        /// Letters of Atlas' tags.
        tag_letters: TagLetters = TagLetters::Ascii, "tag-letters";
        /// The status of a change to a paused cluster.
        paused_status: PausedStatus = PausedStatus::Conflict, "paused-status";
        /// Errors of the token endpoint.
        oauth_errors: OauthErrors = OauthErrors::Api, "oauth-errors";
        /// Tokens a minute.
        token_limit: TokenLimit = TokenLimit::Ten, "token-limit";
    }
}

impl Unauthorized {
    /// The HTTP status.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::switches::SwitchSet as _;
    use super::*;

    #[test]
    fn a_switch_turns() {
        let mut switches = Switches::default();
        assert_eq!(switches.unauthorized.status(), 401);
        assert_eq!(switches.set("unauthorized", "403"), Ok(true));
        assert_eq!(switches.unauthorized.status(), 403);
    }

    #[test]
    fn the_table_in_the_docs_names_every_switch_its_words_and_first_its_default() {
        let table: Vec<Vec<&str>> = include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .map(|line| line.split('|').collect())
            .collect();
        let names: Vec<&str> = table
            .iter()
            .map(|row| row[0].trim_end_matches(['`', ' ']))
            .collect();
        assert_eq!(names, Switches::NAMES);
        for (name, row) in names.iter().zip(&table) {
            let words: Vec<&str> = row[1].split('`').skip(1).step_by(2).collect();
            assert!(words.len() > 1, "{name}");
            for (at, word) in words.iter().enumerate() {
                let mut switches = Switches::default();
                assert_eq!(switches.set(name, word), Ok(true), "{name}={word}");
                assert_eq!(switches == Switches::default(), at == 0, "{name}={word}");
            }
            let why = Switches::default().set(name, "?").unwrap_err();
            assert_eq!(why.matches(" or ").count(), words.len() - 1, "{name}: {why}");
        }
    }
}
