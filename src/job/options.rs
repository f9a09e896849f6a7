//! The options of other rooms, under the names that the job file uses.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// How an inventory is to be read. Only `file` is needed: everything else is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceOptions {
    /// A path or a pattern such as `exports/*.csv`, relative to the job file's folder; `-` is standard input.
    pub file: String,
    /// The format. By default the file's extension tells.
    pub format: Option<SourceFormat>,
    /// The encoding, such as `windows-1252`. By default UTF-8; a byte order mark overrides it.
    pub encoding: Option<String>,
    /// The character between cells, one of ASCII. By default detected.
    pub delimiter: Option<char>,
    /// Whether a double quote is a character like any other.
    pub literal_quotes: bool,
    /// The names of the columns, for tables without a header.
    pub columns: Vec<String>,
    /// How many lines to leave out at the beginning of each file, before the header.
    pub skip_lines: u64,
    /// Where the list of rows is inside a JSON document: the name of a member, or a JSON pointer such as `/data/hosts`.
    pub items: Option<String>,
}

/// What an inventory is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// Cells separated by a delimiter, with a header.
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// One JSON document that is a list of objects, or holds one.
    Json,
    /// One JSON object a line.
    Jsonl,
}

/// The Dynatrace options of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynatraceOptions {
    /// The API.
    pub api: Api,
    /// How far back an entity may have been seen last.
    pub from: Option<String>,
    /// What stands between key and value in plain strings.
    pub join: Option<String>,
    /// Entities on a page of a listing.
    pub page_size: usize,
    /// Characters that the identifiers of one request may take.
    pub selector_chars: usize,
}

impl Default for DynatraceOptions {
    fn default() -> Self {
        Self {
            api: Api::V2,
            from: None,
            join: None,
            page_size: 500,
            selector_chars: 1_900,
        }
    }
}

/// Which of the vendor's tag APIs to speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Custom tags of the environment API v2, with keys and values.
    #[default]
    V2,
    /// Entity tags of the environment API v1: plain strings.
    V1,
}

/// The network options of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkOptions {
    /// How fast to send.
    pub pace: Pace,
    /// How long one attempt may take.
    pub timeout: TimeSpan,
    /// How long connecting and the TLS handshake may take.
    pub connect_timeout: TimeSpan,
    /// The URL of a proxy, or `environment`.
    pub proxy: Option<String>,
    /// A PEM file of certificate authorities to trust beside the system's.
    pub ca_cert: Option<PathBuf>,
    /// Whether plain `http` may leave this machine.
    pub allow_http: bool,
    /// The longest wait that a vendor may ask for.
    pub max_wait: TimeSpan,
    /// How long one call goes on being retried.
    pub max_elapsed: TimeSpan,
    /// How often one call is sent at most.
    pub attempts: u32,
    /// How many retries there may be for each call.
    pub retry_budget: f64,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            timeout: TimeSpan::from_secs(30),
            connect_timeout: TimeSpan::from_secs(10),
            proxy: None,
            ca_cert: None,
            allow_http: false,
            max_wait: TimeSpan::from_secs(5 * 60),
            max_elapsed: TimeSpan::from_secs(15 * 60),
            attempts: 5,
            retry_budget: 0.1,
        }
    }
}

/// The pace of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// The most requests in any span of the unit, such as `20/s`, `50/min` or `1000/h`; without it no rate is kept.
    pub rate: Option<Rate>,
    /// The most requests in flight, from 1 to 1000; 8 without it.
    pub concurrency: Option<usize>,
}

impl Pace {
    /// The most requests in flight that a connection may be told to have.
    pub const MOST_CONCURRENCY: usize = 1000;
}

/// A number of requests in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    /// The most requests in any window.
    pub requests: NonZeroU32,
    /// The window: a second, a minute or an hour.
    pub window: Duration,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}` is not a rate; write a whole number of at least 1 and a unit, like `20/s`, `50/min` or `1000/h`"
            )
        };
        let (requests, unit) = text.split_once('/').ok_or_else(refused)?;
        let window = match unit.trim() {
            "s" | "sec" | "second" => Duration::from_secs(1),
            "m" | "min" | "minute" => Duration::from_mins(1),
            "h" | "hour" => Duration::from_hours(1),
            _ => return Err(refused()),
        };
        let requests = requests.trim().parse().map_err(|_| refused())?;
        Ok(Self { requests, window })
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The most requests in any span of the unit.",
            "examples": ["20/s", "50/min"]
        })
    }
}

/// A length of time, more than nothing and at most 366 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeSpan(Duration);

impl TimeSpan {
    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The length, for clocks.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl TryFrom<String> for TimeSpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let signed: SignedDuration = text
            .parse()
            .map_err(|_| format!("`{text}` is not a length of time; write it like `30s`, `5m` or `1h30m`"))?;
        let length = Duration::try_from(signed).unwrap_or(Duration::ZERO);
        if length.is_zero() {
            return Err(format!(
                "`{text}` is no time at all; a length of time is more than `0s`"
            ));
        }
        if length > Duration::from_hours(366 * 24) {
            return Err(format!("`{text}` is longer than the 366 days that are allowed"));
        }
        Ok(Self(length))
    }
}

impl JsonSchema for TimeSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time, such as `30s`, `5m` or `1h30m`.",
            "examples": ["30s", "5m"]
        })
    }
}

/// Where a secret is: exactly one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretSource {
    /// The name of an environment variable.
    Env(String),
    /// A file that only its owner may read.
    File(PathBuf),
    /// A program and its arguments, which prints the secret.
    Command(Vec<String>),
}
