//! A simulator of Oracle PaaS Service Manager, as far as tags go.
//!
//! The six operations of "JCS/api-tags-and-assignments.html" and the listing of one instance's tags, which only the MySQLCS
//! pages have. Any path before `/paas/api/v1.1/` is accepted.
//!
//! | method | path behind `/paas/api/v1.1/` | what it does |
//! |---|---|---|
//! | `POST` | `tags/{identityDomainId}/tags` | creates tags, and assigns each to each service instance named |
//! | `PUT` | `tags/{identityDomainId}/assignments` | assigns and unassigns |
//! | `GET` | `tags/{identityDomainId}/tags` | lists tags |
//! | `DELETE` | `tags/{identityDomainId}/tags/{tagKey}/{tagValue}` | deletes one tag |
//! | `DELETE` | `tags/{identityDomainId}/tags/{tagKey}` | deletes every tag of a key |
//! | `PUT` | `tags/{identityDomainId}/tags` | deletes several tags |
//! | `GET` | `instancemgmt/{identityDomainId}/services/{serviceType}/instances/{serviceId}/tags` | lists the tags of one instance |
//!
//! # What there is
//! A tag is a pair of key and value; it exists by itself and is assigned to service instances, which have a type and a name.
//! The generator makes instances of the type `JaaS`, or of the types of `kind`, spelled as given. The field `id` of an
//! inventory holds `TYPE/NAME`; a name alone is an instance of the first type, and rows that name one twice are always one.
//! Whether an entity is stale has no meaning here.
//!
//! With `tags=some` instances carry plausible tags, and the account has tags of its own, as pairs: the metering tags
//! `costcenter` with `1001`, `1002` and `1003`, which nobody can assign, unassign or delete, and `department` with `finance`
//! and `research`, which can be assigned and unassigned but not deleted. System tags are those whose key begins with `ora_`.
//! Without `tags=some` there is no tag at all in the beginning.
//!
//! In the journal, `entity` is `TYPE/NAME` for an assignment, and empty for a tag itself: `add` when it was created, `remove`
//! when it was deleted. `value` is always there, and empty for the empty value.
//!
//! # Who may come in
//! With `auth=on`, Basic with a user and any password, or a bearer token; and the header `X-ID-TENANT-NAME` must be the identity
//! domain of the path. `token-env` names a variable with the only credentials to accept, `user:password` or a token; `tenant`
//! names the only identity domain. The words of `missing-scopes` are this simulator's own: `tags.read`, `tags.write`, or `tags`
//! for both.
//!
//! # Unknown behaviour
//! The first word is the default.
//!
//! | option | words | what is not documented |
//! |---|---|---|
//! | `media-type` | `vendor`, `json`, `both` | which of the two media types of the example an answer has |
//! | `issues` | `strings`, `objects`, `absent` | what the `issues` of a refusal are |
//! | `front-end-body` | `html`, `json`, `empty` | the body of 401, 403 and 5xx |
//! | `ecid` | `once`, `twice` | how often `X-ORACLE-DMS-ECID` comes; examples have both |
//! | `tenant-mismatch` | `401`, `403`, `400`, `404` | the status of a wrong identity domain |
//! | `existing-tag` | `200`, `409`, `400` | what `POST` answers to a tag that exists (an account's tag may) |
//! | `existing-assignment` | `200`, `409`, `400` | what `POST` answers to a tag that is assigned already |
//! | `unknown-service` | `400`, `404` | the status of an unknown instance in a `POST` |
//! | `assigned` | `200`, `204` | what a successful `PUT` of assignments answers: the same list as `POST`, or nothing |
//! | `not-assigned` | `404`, `409`, `400`, `200` | what unassigning a tag that is not assigned answers without `force` |
//! | `not-found` | `404`, `400`, `409` | the status of an unknown tag or instance in a `PUT` of assignments without `force` |
//! | `full-status` | `400`, `404`, `409` | the status when an instance would have more than 50 tags |
//! | `limit-counts` | `all`, `own` | whether system and metering tags count among the 50 |
//! | `put-order` | `unassign-first`, `assign-first` | which half of a `PUT` comes first; the limit must hold after each |
//! | `some-missing` | `404`, `204` | what deleting several tags answers without `force` when only some exist |
//! | `still-assigned` | `400`, `409` | the status of deleting several tags without `force` when one is assigned |
//! | `assignment-counts` | `object`, `absent` | what `assignmentCounts` is: `{"services": 1}`, or left out |
//! | `output-level` | `counts`, `full` | whether a listing without `outputLevel=FULL` leaves the services out; some pages lack the parameter |
//! | `listed-services` | `asked`, `all` | which carriers of a tag an answer about some instances lists |
//! | `path-type` | `any-case`, `exact` | whether `jaas` in a path is `JaaS`; bodies are always exact |
//! | `instance-tags` | `every-type`, `mysqlcs` | whether other types than `MySQLCS` have the listing of one instance |
//! | `trailing-slash` | `empty-value`, `all-values` | whether `DELETE …/tags/KEY/` is the tag with the empty value or the key |
//! | `key-case` | `sensitive`, `insensitive` | whether keys that differ in case are different |
//! | `unknown-fields` | `ignore`, `refuse` | what becomes of members and parameters that no page names |
//! | `request-type` | `json`, `any` | whether a body of another media type than `application/json` is refused with 415 |
//!
//! Decided without a switch, where the pages say nothing:
//! - A request is refused as a whole, with every issue of the first kind found: its form, classes of tags, new tags' texts, what
//!   does not exist, what is or is not assigned, the limit. The message is the first issue. `force` forgives no class.
//! - `createTagsIfNeeded`, `force` and `removeAssignments` are `true` or `false` in any case; anything else is refused with 400.
//! - Letters of a key are those of ASCII. Texts are checked where a tag would be created; elsewhere such a tag is not found.
//! - A pair that is to be put on an instance and taken off it is refused with 400. A `PUT` of assignments without halves does
//!   nothing; an empty list is an absent one; half a pair is refused with 400.
//! - A `POST` or `PUT` answers with the tags that it named and what they are assigned to now. A tag without assignments has no
//!   member `assignments`, and only listings have `assignmentCounts`.
//! - In `services=TYPE.NAME` the first dot divides, so names may have dots; what has no dot is refused with 400. `serviceId` is
//!   the name.
//! - Unknown paths are answered with 404, other methods with 405, bodies larger than `max-body` with 413, all as
//!   `failed-response`.
//!
//! What it leaves out: everything about service instances but their tags, `202` and jobs (no page of tags mentions them), and the
//! older payload of the `psm` command line (`isPlacementTag`).

mod access;
mod answer;
mod api;
mod assign;
mod body;
mod change;
mod create;
mod delete;
mod details;
mod front_end;
#[cfg(test)]
mod laws;
mod list;
mod plan;
mod populate;
mod query;
mod reader;
mod route;
mod switches;
mod tag_book;
mod tag_filter;
mod tag_rules;
#[cfg(test)]
mod testing;
mod world;

pub use api::{Domain, OraclePaas};
pub use switches::Switches;
