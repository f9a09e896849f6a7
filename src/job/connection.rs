//! A checked connection: where it goes, whose API it is, and how it is spoken to.

use url::Url;

use super::check::Check;
use super::connection_options::ConnectionOptions;
use super::credentials;
use super::options::{CredentialSource, NetworkOptions};
use super::schema;
use crate::mapping::nearest;
use crate::transport::{TransportError, check_base};
use crate::vendor::{self, Listed, Opened, VendorError};

/// What stands before the file of an embedded simulator.
const SIMULATOR: &str = "simulator:";

/// One vendor account of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Its name in the job file.
    pub name: String,
    /// Where it goes.
    pub address: Address,
    /// The account, where one URL serves several.
    pub tenant: Option<String>,
    /// What it is known by; an embedded simulator needs nothing.
    pub credentials: Option<CredentialSource>,
    /// Whose API it is.
    pub vendor: Vendor,
    /// How it is spoken to.
    pub network: NetworkOptions,
}

/// Where a connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A vendor's base URL: HTTPS, or HTTP where the job allows it.
    Http(Url),
    /// The embedded simulator: its state file and settings, such as `state.db?entities=2000&seed=7`.
    Simulator(String),
}

/// A vendor with its options, which it has not looked at yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Vendor {
    /// The vendor.
    pub listed: Listed,
    /// What the job says of it.
    pub options: toml::Table,
    /// The account, where one URL serves several.
    pub tenant: Option<String>,
}

impl Vendor {
    /// Makes the vendor for a kind of entity, or says which option can't be meant.
    pub fn open(&self, kind: &str) -> Result<Opened, VendorError> {
        self.listed.open(&self.options, kind, self.tenant.as_deref())
    }
}

/// Checks the connection of a name and builds it; `None` when it can't be used.
pub(super) fn build(name: &str, options: &ConnectionOptions, check: &mut Check<'_>) -> Option<Connection> {
    let before = check.count();
    let address = address(name, options, check);
    let credentials = address
        .as_ref()
        .and_then(|address| credentials::build(name, options, address, check));
    numbers(name, options, check);
    let vendor = vendor(name, options, check);
    if check.count() > before {
        return None;
    }
    Some(Connection {
        name: name.to_owned(),
        address: address?,
        tenant: options.tenant.clone(),
        credentials,
        vendor: vendor?,
        network: network(options),
    })
}

fn address(name: &str, options: &ConnectionOptions, check: &mut Check<'_>) -> Option<Address> {
    let refused = match options.url.strip_prefix(SIMULATOR) {
        Some(state) if state.split('?').next() == Some("") => {
            "`simulator:` names no file; write `simulator:state.db`".to_owned()
        }
        Some(state) => return Some(Address::Simulator(state.to_owned())),
        None => match http(&options.url, options.allow_http == Some(true)) {
            Ok(url) => return Some(Address::Http(url)),
            Err(why) => why,
        },
    };
    check.value(&["connections", name, "url"], refused);
    None
}

/// A base URL that may be spoken to.
fn http(text: &str, allow_http: bool) -> Result<Url, String> {
    if !text.contains("://") {
        return Err("the URL has no scheme; begin it with `https://`".to_owned());
    }
    // A text that is no URL may still hold a password, so it is not repeated.
    let url = Url::parse(text).map_err(|why| {
        format!("the URL can't be read: {why}; write it like `https://abc12345.live.dynatrace.com`")
    })?;
    match check_base(&url, allow_http) {
        Ok(()) => Ok(url),
        Err(error) => Err(format!(
            "the URL can't be used: {}",
            error.to_string().trim_start_matches("url: ")
        )),
    }
}

fn numbers(name: &str, options: &ConnectionOptions, check: &mut Check<'_>) {
    if let Err(TransportError::Option { key, why }) = network(options).check() {
        let path: Vec<_> = ["connections", name].into_iter().chain(key.split('.')).collect();
        check.value(&path, format!("`{key}`: {why}"));
    }
    for (key, text) in [("tenant", &options.tenant), ("proxy", &options.proxy)] {
        if text.as_deref() == Some("") {
            check.value(
                &["connections", name, key],
                format!("`{key}` is empty; leave it out for the default"),
            );
        }
    }
}

/// The vendor, when it knows all the options that are left.
fn vendor(name: &str, options: &ConnectionOptions, check: &mut Check<'_>) -> Option<Vendor> {
    let listed = vendor::named(&options.vendor)?;
    let own = schema::names_of(&listed);
    for (key, value) in &options.options {
        let path = ["connections", name, key];
        if !own.contains(key) {
            let known: Vec<_> = own.iter().map(|key| format!("`{key}`")).collect();
            check.key(
                &path,
                format!(
                    "`{key}` is no option of `{}`; its own are {}",
                    listed.name,
                    known.join(", ")
                ),
            );
        } else if value.as_str() == Some("") {
            check.value(&path, format!("`{key}` is empty; leave it out for the default"));
        }
    }
    Some(Vendor {
        listed,
        options: options.options.clone(),
        tenant: options.tenant.clone(),
    })
}

fn network(options: &ConnectionOptions) -> NetworkOptions {
    let default = NetworkOptions::default();
    NetworkOptions {
        pace: options.pace.clone().unwrap_or_default(),
        timeout: options.timeout.unwrap_or(default.timeout),
        connect_timeout: options.connect_timeout.unwrap_or(default.connect_timeout),
        proxy: options.proxy.clone(),
        ca_cert: options.ca_cert.clone(),
        allow_http: options.allow_http.unwrap_or(default.allow_http),
        max_wait: options.max_wait.unwrap_or(default.max_wait),
        max_elapsed: options.max_elapsed.unwrap_or(default.max_elapsed),
        attempts: options.attempts.unwrap_or(default.attempts),
        retry_budget: options.retry_budget.unwrap_or(default.retry_budget),
    }
}

/// Says that a connection is not there, and which ones are.
pub(super) fn undefined<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone) -> String {
    let hint = nearest(name, known.clone().map(String::as_str))
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
    if known.is_empty() {
        return format!("no connection `{name}`; add a table [connections.{name}]");
    }
    format!("no connection `{name}`{hint}; there are {}", known.join(", "))
}
