//! A table of `[connections]`: what is common to all vendors. What only one of them knows stands beside it in the file.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::options::{NameSource, Pace, SecretSource, TimeSpan};
use crate::vendor::VENDORS;

/// One vendor account.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionOptions {
    /// Whose API it is.
    #[schemars(schema_with = "vendor_words")]
    pub vendor: String,
    /// The base URL, such as `https://abc12345.live.dynatrace.com`, or `simulator:FILE` for the embedded simulator.
    pub url: String,
    /// The account, where one URL serves several; the lock goes by URL and tenant.
    pub tenant: Option<String>,
    /// Where the API token is: `{ env = "NAME" }`, `{ file = "PATH" }` or `{ command = ["PROGRAM", "ARGUMENT"] }`.
    pub token: Option<SecretSource>,
    /// The user, or the public key, as text or where it is, like a token. Goes with `password`.
    pub user: Option<NameSource>,
    /// Where the password, or the private key, is, like a token. Goes with `user`.
    pub password: Option<SecretSource>,
    /// The identifier of an OAuth2 client, as text or where it is, like a token. Goes with `client_secret`.
    pub client_id: Option<NameSource>,
    /// Where the secret of the OAuth2 client is, like a token. Goes with `client_id`.
    pub client_secret: Option<SecretSource>,
    /// How fast to send.
    pub pace: Option<Pace>,
    /// How long one attempt may take, from connecting to the last byte of the answer. Default `30s`.
    pub timeout: Option<TimeSpan>,
    /// How long connecting and the TLS handshake may take. Default `10s`.
    pub connect_timeout: Option<TimeSpan>,
    /// The URL of a proxy, or `environment` to read `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. By default none is used.
    pub proxy: Option<String>,
    /// A PEM file of certificate authorities to trust beside the system's, relative to the job file's folder.
    pub ca_cert: Option<PathBuf>,
    /// Whether plain `http` may leave this machine. Default false.
    pub allow_http: Option<bool>,
    /// The longest wait that a vendor may ask for; a longer one is cut to this. Default `5m`.
    pub max_wait: Option<TimeSpan>,
    /// How long one call goes on being retried, and how long unbroken throttling is borne. Default `15m`.
    pub max_elapsed: Option<TimeSpan>,
    /// How often one call is sent at most; throttled attempts do not count. Default 5.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: Option<u32>,
    /// How many retries there may be for each call, over the whole connection. Default 0.1.
    #[schemars(range(min = 0, max = 1))]
    pub retry_budget: Option<f64>,
    /// What only the vendor knows; read apart.
    #[serde(skip)]
    #[schemars(skip)]
    pub options: toml::Table,
}

/// The words of the vendors, as a schema.
fn vendor_words(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<&str> = VENDORS.iter().map(|vendor| vendor.name).collect();
    json_schema!({ "type": "string", "enum": words })
}
