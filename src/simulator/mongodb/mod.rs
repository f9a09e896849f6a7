//! Simulators of MongoDB's administration APIs: groups of Ops Manager and Cloud Manager (`mongodb-ops-manager`), and
//! projects and clusters of Atlas (`mongodb-atlas`).
//!
//! Ops Manager: `GET` and `POST /groups`, `GET`, `PATCH` and `DELETE` of one group, `/groups/byName/{name}`,
//! `/groups/byAgentApiKey/{key}` and `/orgs/{id}/groups`, below any path before `/api/public/v1.0`. Tags are plain strings.
//! Atlas: the same below `/api/atlas/v2`, with pairs of key and value for tags, `clusters` and `flexClusters` of a project,
//! and `rateLimits`; `/api/oauth/token` and `/api/oauth/revoke`. Every resource has dated versions, of which a request must
//! name one.
//!
//! # Credentials
//! With `auth=on` digest credentials are asked for, by challenges as they were seen on the wire. Accepted are the public key
//! `public` with the private key `private`, or the pair that the variable of `token-env` holds, written
//! `PUBLIC_KEY:PRIVATE_KEY`. At Atlas the same pair is also client id and secret of a service account. Nonces live for
//! `nonce-life` (a minute: "a short amount of time" is all that is documented), access tokens for `token-life` (an hour).
//!
//! `missing-scopes` names what the caller lacks: a role (`GLOBAL_OWNER` to change groups of Ops Manager, it or
//! `GLOBAL_READ_ONLY` to see tags and agent API keys; at Atlas `GROUP_READ_ONLY`, `GROUP_OWNER`, `GROUP_CLUSTER_MANAGER` and
//! `ORG_MEMBER`), membership in a group (`group:ID`), or a place on the API access list (`access-list`).
//!
//! # Limits
//! `throttle=group-window` counts requests that name a group, for each group and minute of the clock, as Cloud Manager
//! documents it. `throttle=bucket` counts requests of an endpoint set, as Atlas documents it. Neither counts challenges.
//!
//! # State
//! A change is told with the group's identifier for `entity`, or with `GROUP_ID/CLUSTER_NAME`. Plain tags have a key and no
//! value. The entity `groups` stands for the list of groups (key: identifier, value: name), `paused` for the paused clusters
//! (key: `GROUP_ID/CLUSTER_NAME`). Access tokens and nonces do not outlive the process.
//!
//! A made group has an identifier that follows from its 64-bit number: the last sixteen digits are the number, the first
//! eight are `0x50000000 + (mix(number) >> 36)`, a second between 2012 and 2021. Tags are made as `ENV.PROD` for Ops Manager
//! and as `env` with `prod` for Atlas. A made project has up to two clusters (`Cluster0`, `Cluster1`) and every fourth one
//! also the flex cluster `Flex0`; made clusters (`kind=cluster`) stand in projects of ten. A row of an inventory is a group
//! by 24 digits (`id`), a cluster by `GROUP_ID/CLUSTER_NAME` (`id`), or, by `name` alone, of the first kind: `group`, or
//! `project` or `cluster`.
//!
//! # Unknown behaviour
//! The first word is the default; O stands for Ops Manager, A for Atlas.
//!
//! | option | words | of | what is not documented |
//! |---|---|---|---|
//! | `algorithm` | `MD5`, `SHA-256`, `both` | O A | whether anything but MD5 is offered; `both` gives two challenges |
//! | `stale-flag` | `said`, `false` | O A | whether a challenge calls a nonce that is too old stale |
//! | `nc-check` | `on`, `off` | O A | whether the count of a nonce must rise |
//! | `uri-mismatch` | `400`, `401` | O A | the status for credentials of another target |
//! | `challenge` | `qop`, `op` | O A | the wire says `qop="auth"`, the documentation prints `op="auth"` |
//! | `late-challenge` | `absent`, `sent` | O A | whether a 401 after good credentials has a challenge |
//! | `error-fields` | `five`, `three` | O A | the fields of an error; three in the oldest documentation |
//! | `no-parameters` | `list`, `null`, `absent` | O A | `parameters` of an error that has none |
//! | `unauthorized` | `401`, `403` | O A | the status of `USER_UNAUTHORIZED`; 403 in the oldest documentation |
//! | `unknown-group` | `404`, `401` | O A | `GROUP_NOT_FOUND` or `NOT_IN_GROUP` for a group that does not exist |
//! | `content-type` | `json`, `any` | O | whether a body must be declared as JSON, else 415 |
//! | `page-limit` | `clamp`, `400` | O A | `itemsPerPage` above the largest page, which is `max-page` |
//! | `tag-filter` | `and`, `or` | O | which groups `tag=A&tag=B` lists |
//! | `lower-case` | `refuse`, `accept`, `upper` | O | lower-case letters in tags |
//! | `duplicate-tags` | `keep`, `dedupe`, `refuse` | O | a tag that one array holds twice |
//! | `tag-order` | `kept`, `sorted` | O A | the order of tags; `kept`: what stays keeps its place, what is new follows |
//! | `tags-field` | `shown`, `hidden` | O | whether groups have `tags`, which takes a role to see |
//! | `tags-kept` | `yes`, `no` | O | whether `PATCH` stores tags, of which Cloud Manager's page no longer speaks |
//! | `envelope-field` | `content`, `envelope` | O A | the field of an enveloped entity |
//! | `unversioned` | `refuse`, `newest` | A | a media type without a date: 406 and 415, or the newest version |
//! | `sunset` | `dated`, `past` | A | when a version with an end is gone: on its date, or already |
//! | `tag-letters` | `ascii`, `unicode` | A | which letters tags may have |
//! | `paused-status` | `409`, `400` | A | the status of a change to a paused cluster |
//! | `oauth-errors` | `api`, `oauth` | A | the form of the token endpoint's errors: seen on the wire, or documented |
//! | `token-limit` | `10`, `50`, `none` | A | requests for a token a minute |
//!
//! Decided without a switch: group names take spaces beside the characters of Atlas' specification, since recorded ones have
//! them; listings are sorted by name, as recorded ones are; a bucket gets its refill at once after each period, as the wait
//! of the recorded refusal suggests; a group that does not exist is answered before the throttle, as recorded; fields of an
//! entity that can't be changed are unknown fields; errors are never enveloped or pretty, but for the 401 without good
//! credentials.
//!
//! What it leaves out: LDAP mappings are read and not kept, and so are all settings of clusters but tags and `paused`.
//! Clusters can't be made or removed. There is one organization.

mod answer;
mod atlas;
mod body;
mod call;
mod digest;
mod door;
mod members;
mod nonce;
mod object_id;
mod ops_manager;
mod paging;
mod populate;
mod pretty;
mod query;
mod refused;
mod switches;
#[cfg(test)]
mod testing;
mod verifier;
mod world;

pub use atlas::{Atlas, Cloud};
pub use ops_manager::{Installation, OpsManager};
pub use switches::Switches;
