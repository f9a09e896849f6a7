//! What the vendor's pages leave open, as switches; the table in the folder's docs names them all.

use std::borrow::Cow;

use super::super::switches::switches;
use super::super::value::words;

/// Declares statuses that are words of a switch.
macro_rules! statuses {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $each:literal])+ $variant:ident = $word:literal => $status:literal,)+ }) => {
        words! { $(#[doc = $doc])+ $name { $($(#[doc = $each])+ $variant = $word,)+ } }

        impl $name {
            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }
        }
    };
}

statuses! {
    /// The status when something that an assignment names does not exist.
    Missing {
        /// 404.
        NotFound = "404" => 404,
        /// 400.
        BadRequest = "400" => 400,
        /// 409.
        Conflict = "409" => 409,
    }
}

statuses! {
    /// The status when a service instance would carry too many tags.
    Full {
        /// 400.
        BadRequest = "400" => 400,
        /// 404.
        NotFound = "404" => 404,
        /// 409.
        Conflict = "409" => 409,
    }
}

statuses! {
    /// What creating answers when something is there already.
    Existing {
        /// 200: nothing is done about it.
        Tolerate = "200" => 200,
        /// 409.
        Conflict = "409" => 409,
        /// 400.
        BadRequest = "400" => 400,
    }
}

statuses! {
    /// The status when creating names a service instance that does not exist.
    UnknownService {
        /// 400, the only refusal that the page of creating lists.
        BadRequest = "400" => 400,
        /// 404.
        NotFound = "404" => 404,
    }
}

statuses! {
    /// What unassigning answers, without `force`, about a tag that is not assigned.
    NotAssigned {
        /// 404.
        NotFound = "404" => 404,
        /// 409.
        Conflict = "409" => 409,
        /// 400.
        BadRequest = "400" => 400,
        /// 200: nothing is done about it.
        Tolerate = "200" => 200,
    }
}

statuses! {
    /// What deleting several tags answers, without `force`, when only some of them exist.
    SomeMissing {
        /// 404; none is deleted.
        Refuse = "404" => 404,
        /// 204; those that exist are deleted.
        Tolerate = "204" => 204,
    }
}

statuses! {
    /// The status when several tags shall be deleted without `force` and one is assigned.
    StillAssigned {
        /// 400.
        BadRequest = "400" => 400,
        /// 409, as for a single tag.
        Conflict = "409" => 409,
    }
}

statuses! {
    /// The status of a successful `PUT` of assignments.
    Assigned {
        /// 200, with the same list as creating.
        List = "200" => 200,
        /// 204, without a body.
        Empty = "204" => 204,
    }
}

statuses! {
    /// The status when `X-ID-TENANT-NAME` is absent or not the identity domain of the path.
    TenantMismatch {
        /// 401.
        Unauthorized = "401" => 401,
        /// 403.
        Forbidden = "403" => 403,
        /// 400.
        BadRequest = "400" => 400,
        /// 404.
        NotFound = "404" => 404,
    }
}

words! {
    /// The media type of JSON answers.
    MediaType {
        /// `application/vnd.com.oracle.oracloud.provisioning.Service+json`.
        Vendor = "vendor",
        /// `application/json`.
        Json = "json",
        /// Both, in two headers, as in the recorded example.
        Both = "both",
    }
}

words! {
    /// The shape of `issues` in a refusal.
    Issues {
        /// Strings.
        Strings = "strings",
        /// Objects with a `message`.
        Objects = "objects",
        /// None.
        Absent = "absent",
    }
}

words! {
    /// The body of a 401, a 403 and every 5xx, which a front end may answer.
    FrontEndBody {
        /// A page of HTML.
        Html = "html",
        /// A refusal like the others.
        Json = "json",
        /// Nothing.
        Empty = "empty",
    }
}

words! {
    /// How often `X-ORACLE-DMS-ECID` comes.
    Ecid {
        /// Once.
        Once = "once",
        /// Twice, with the same value.
        Twice = "twice",
    }
}

words! {
    /// Which assigned tags count towards the limit of a service instance.
    LimitCounts {
        /// All of them.
        All = "all",
        /// Those that this API assigns: no system tags and no account metering tags.
        Own = "own",
    }
}

words! {
    /// What a `PUT` of assignments does first; the limit must hold after each half.
    PutOrder {
        /// Unassigns.
        UnassignFirst = "unassign-first",
        /// Assigns.
        AssignFirst = "assign-first",
    }
}

words! {
    /// What `assignmentCounts` is.
    AssignmentCounts {
        /// `{"services": 1}`.
        Object = "object",
        /// It is left out.
        Absent = "absent",
    }
}

words! {
    /// What a listing shows without `outputLevel=FULL`.
    OutputLevel {
        /// Only how many services carry a tag.
        Counts = "counts",
        /// Everything, as if the parameter did not exist.
        Full = "full",
    }
}

words! {
    /// Which services the assignments of an answer list, when a request is about some services.
    ListedServices {
        /// Those that the request is about.
        Asked = "asked",
        /// Every one that carries the tag.
        All = "all",
    }
}

words! {
    /// How a service type in a path is compared.
    PathType {
        /// Without case, so that `jaas` is `JaaS`.
        AnyCase = "any-case",
        /// Exactly.
        Exact = "exact",
    }
}

words! {
    /// The service types that have the listing of one instance's tags.
    InstanceTags {
        /// All of them.
        EveryType = "every-type",
        /// `MySQLCS` alone, whose pages are the only ones to document it.
        Mysqlcs = "mysqlcs",
    }
}

words! {
    /// What `DELETE …/tags/KEY/` means.
    TrailingSlash {
        /// The tag with the empty value.
        EmptyValue = "empty-value",
        /// Every tag of the key.
        AllValues = "all-values",
    }
}

words! {
    /// Whether keys that differ in case are different keys.
    KeyCase {
        /// They are.
        Sensitive = "sensitive",
        /// They are not; the first spelling stays.
        Insensitive = "insensitive",
    }
}

impl KeyCase {
    /// A key as it is compared.
    pub(super) fn fold(self, key: &str) -> Cow<'_, str> {
        match self {
            Self::Sensitive => key.into(),
            Self::Insensitive => key.to_lowercase().into(),
        }
    }
}

words! {
    /// What becomes of a member or parameter that no page names.
    UnknownFields {
        /// It is passed over.
        Ignore = "ignore",
        /// It refuses the request with 400.
        Refuse = "refuse",
    }
}

words! {
    /// Which media types of a request's body are read; any other is refused with 415.
    RequestType {
        /// `application/json`, or no media type at all.
        Json = "json",
        /// Any.
        Any = "any",
    }
}

switches! {
    /// What the pages of Oracle PaaS Service Manager leave open.
    Switches {
        /// The media type of JSON answers.
        media_type: MediaType = MediaType::Vendor, "media-type";
        /// The shape of `issues`.
        issues: Issues = Issues::Strings, "issues";
        /// The body of 401, 403 and 5xx.
        front_end_body: FrontEndBody = FrontEndBody::Html, "front-end-body";
        /// The status when header and path name different identity domains.
        tenant_mismatch: TenantMismatch = TenantMismatch::Unauthorized, "tenant-mismatch";
        /// How often the correlation header comes.
        ecid: Ecid = Ecid::Once, "ecid";
        /// Creating a tag that exists.
        existing_tag: Existing = Existing::Tolerate, "existing-tag";
        /// Creating an assignment that exists.
        existing_assignment: Existing = Existing::Tolerate, "existing-assignment";
        /// Creating tags for an unknown service instance.
        unknown_service: UnknownService = UnknownService::BadRequest, "unknown-service";
        /// What a successful `PUT` of assignments answers.
        assigned: Assigned = Assigned::List, "assigned";
        /// Unassigning what is not assigned.
        not_assigned: NotAssigned = NotAssigned::NotFound, "not-assigned";
        /// An unknown tag or service instance in a `PUT` of assignments.
        not_found: Missing = Missing::NotFound, "not-found";
        /// The status when a service instance is full.
        full_status: Full = Full::BadRequest, "full-status";
        /// Which tags count towards the limit.
        limit_counts: LimitCounts = LimitCounts::All, "limit-counts";
        /// The order of the halves of a `PUT` of assignments.
        put_order: PutOrder = PutOrder::UnassignFirst, "put-order";
        /// Deleting several tags of which only some exist.
        some_missing: SomeMissing = SomeMissing::Refuse, "some-missing";
        /// Deleting several tags of which one is assigned.
        still_assigned: StillAssigned = StillAssigned::BadRequest, "still-assigned";
        /// The shape of `assignmentCounts`.
        assignment_counts: AssignmentCounts = AssignmentCounts::Object, "assignment-counts";
        /// What a listing shows without `outputLevel=FULL`.
        output_level: OutputLevel = OutputLevel::Counts, "output-level";
        /// Which services an answer lists.
        listed_services: ListedServices = ListedServices::Asked, "listed-services";
        /// Service types in paths.
        path_type: PathType = PathType::AnyCase, "path-type";
        /// The listing of one instance's tags.
        instance_tags: InstanceTags = InstanceTags::EveryType, "instance-tags";
        /// A path that ends behind a key.
        trailing_slash: TrailingSlash = TrailingSlash::EmptyValue, "trailing-slash";
        /// The case of keys.
        key_case: KeyCase = KeyCase::Sensitive, "key-case";
        /// Members and parameters that no page names.
        unknown_fields: UnknownFields = UnknownFields::Ignore, "unknown-fields";
        /// The media type of requests.
        request_type: RequestType = RequestType::Json, "request-type";
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::switches::SwitchSet as _;
    use super::*;

    #[test]
    fn a_switch_turns_and_its_statuses_are_those_of_its_words() {
        let mut switches = Switches::default();
        for (word, status) in [("404", 404), ("409", 409), ("400", 400), ("200", 200)] {
            assert_eq!(switches.set("not-assigned", word), Ok(true));
            assert_eq!(switches.not_assigned.status(), status);
        }
        let why = switches.set("not-assigned", "410").unwrap_err();
        assert_eq!(why, "use `404` or `409` or `400` or `200`");
    }
}
