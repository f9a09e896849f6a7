//! What the tests of this folder share.

use bytes::Bytes;
use http::HeaderMap;

use super::options::Options;
use super::service_tags::ServiceTags;
use crate::model::{Call, Tag};
use crate::vendor::Scope;
use crate::wire::Response;

/// The identity domain of the vendor's own examples.
pub(super) fn options() -> Options {
    Options {
        identity_domain: "ExampleIdentityDomain".to_owned(),
        ..Options::default()
    }
}

pub(super) fn vendor() -> ServiceTags {
    ServiceTags::new(&options()).unwrap()
}

pub(super) fn plain(key: &str) -> Tag {
    Tag::new(key, None::<String>)
}

pub(super) fn pair(key: &str, value: &str) -> Tag {
    Tag::new(key, Some(value))
}

pub(super) fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("JaaS/{name}")).collect()
}

pub(super) fn scope(names: &[&str]) -> Scope {
    Scope::Ids {
        kind: "JaaS".to_owned(),
        ids: ids(names),
    }
}

/// A call that has been sent before, so that it goes by `PUT`.
pub(super) fn call(names: &[&str], add: &[Tag], remove: &[Tag]) -> Call {
    Call {
        kind: "JaaS".to_owned(),
        entities: ids(names),
        add: add.to_vec(),
        remove: remove.to_vec(),
        plain_add: false,
        wholes: Vec::new(),
    }
}

/// A plain `add` that was never sent, so that it goes by `POST`.
pub(super) fn first_add(names: &[&str], add: &[Tag]) -> Call {
    Call {
        plain_add: true,
        ..call(names, add, &[])
    }
}

pub(super) fn answer(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

pub(super) fn answer_with(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Response {
        headers: headers.collect(),
        ..answer(status, body)
    }
}
