//! What a job may say about a Dynatrace connection, and the vendor that this makes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::auto_tags::{self, ConfigAutoTags, SettingsAutoTags};
use super::custom_tags::CustomTags;
use super::entity_tags::{self, EntityTags};
use crate::vendor::{Opened, Vendor, VendorError, VendorOptions};
use crate::wire::AuthScheme;

/// How Dynatrace wants its token: `Authorization: Api-Token …`, for all of its APIs.
pub const AUTH: AuthScheme = AuthScheme::Token {
    header: "authorization",
    prefix: "Api-Token ",
};

/// The longest entity selector, in characters
/// (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/entity-v2/entity-selector>).
pub(super) const SELECTOR_MAX: usize = 2_000;

/// The shortest budget that surely holds one identifier of any type.
const SELECTOR_MIN: usize = 100;

/// The time frame of v2 when the job names none. The API's own default, 24 hours, silently skips every entity
/// that was not seen since.
const FROM_V2: &str = "now-1y";

/// The longest time frame that v1 takes.
const FROM_V1: &str = "3days";

/// Which API is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Custom tags, `/api/v2/tags`: keys with values, many entities a call.
    #[default]
    V2,
    /// Topology and Smartscape, `/api/v1/entity/…`: plain strings, one entity a call. Deprecated since 1.263.
    V1,
    /// The settings schema `builtin:tags.auto-tagging`, for targets of kind `auto-tag`. Without it those speak the
    /// config API v1, `/api/config/v1/autoTags`, whichever API tags would speak.
    Settings,
}

/// The settings of a Dynatrace connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The API: `v2` (default) or `v1` for tags; `settings` for auto-tags in place of the config API v1.
    pub api: Api,
    /// How far back an entity may have been seen last. With v2 any start of a time frame, such as `now-1y`
    /// (default); with v1 one of its `relativeTime` words, at most `3days` (default).
    pub from: Option<String>,
    /// With v1, whose tags are plain strings: what stands between key and value in them.
    pub join: Option<String>,
    /// Entities on a page of a listing; 500 by default, which is the most with `settings`. The vendor may put fewer on
    /// it.
    pub page_size: usize,
    /// Characters that the identifiers of one request may take, 100 to 2000; 1900 by default.
    pub selector_chars: usize,
}

impl Default for Options {
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

impl VendorOptions for Options {
    const NAME: &'static str = "dynatrace";
    const SCHEMES: &'static [AuthScheme] = &[AUTH];

    fn open(&self, kind: &str, _tenant: Option<&str>) -> Result<Opened, VendorError> {
        let spoken = match (self.api, &self.join) {
            (Api::V2, _) => Self::NAME.to_owned(),
            (Api::V1, None) => format!("{} v1", Self::NAME),
            (Api::V1, Some(join)) => format!("{} v1 joined by `{join}`", Self::NAME),
            (Api::Settings, _) => format!("{} settings", Self::NAME),
        };
        Ok(Opened {
            vendor: vendor_for(kind, self)?,
            spoken,
        })
    }
}

/// Makes the vendor of a target's kind, or says which of the options can't be meant with it: definitions of auto-tags
/// are written by other APIs than tags.
pub fn vendor_for(kind: &str, options: &Options) -> Result<Box<dyn Vendor>, VendorError> {
    if auto_tags::is_kind(kind) {
        vendor_of_auto_tags(options)
    } else {
        vendor(options)
    }
}

fn vendor_of_auto_tags(options: &Options) -> Result<Box<dyn Vendor>, VendorError> {
    let Options {
        api,
        from,
        join,
        page_size,
        selector_chars: _,
    } = options;
    if from.is_some() || join.is_some() {
        let which = if from.is_some() { "from" } else { "join" };
        return refuse(format!(
            "`{which}` is for tags, and a target of kind `{}` has definitions: leave it out",
            auto_tags::KIND
        ));
    }
    match api {
        Api::V1 | Api::V2 => Ok(Box::new(ConfigAutoTags::new())),
        Api::Settings if (1..=auto_tags::PAGE_MAX).contains(page_size) => {
            Ok(Box::new(SettingsAutoTags::new(*page_size)))
        }
        Api::Settings => refuse(format!(
            "`page_size` is {page_size}; `api = \"settings\"` takes 1 to {0} ({0} when left out)",
            auto_tags::PAGE_MAX
        )),
    }
}

/// Makes the vendor of tags that the options ask for, or says which of them can't be meant.
pub fn vendor(options: &Options) -> Result<Box<dyn Vendor>, VendorError> {
    let Options {
        api,
        from,
        join,
        page_size,
        selector_chars,
    } = options;
    if *page_size == 0 {
        return refuse("`page_size` is 0; give at least 1 (500 when left out)");
    }
    if !(SELECTOR_MIN..=SELECTOR_MAX).contains(selector_chars) {
        return refuse(format!(
            "`selector_chars` is {selector_chars}; the vendor takes up to {SELECTOR_MAX}, and {SELECTOR_MIN} is the \
             least (1900 when left out)"
        ));
    }
    match api {
        Api::Settings => refuse(format!(
            "`api = \"settings\"` is for targets of kind `{}`; tags are written by `v2` or `v1`",
            auto_tags::KIND
        )),
        Api::V2 => {
            let from = from.as_deref().unwrap_or(FROM_V2);
            check_from(from)?;
            if join.is_some() {
                return refuse(
                    "`join` is for `api = \"v1\"`; tags of v2 have values of their own: leave it out",
                );
            }
            Ok(Box::new(CustomTags::new(from, *page_size, *selector_chars)))
        }
        Api::V1 => {
            let frame = from.as_deref().unwrap_or(FROM_V1);
            check_frame(frame)?;
            check_join(join.as_deref())?;
            Ok(Box::new(EntityTags::new(
                frame,
                join.as_deref(),
                *page_size,
                *selector_chars,
            )))
        }
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, VendorError> {
    Err(VendorError::Unsupported(why.into()))
}

/// `now-NU/A`, a timestamp with a date, or milliseconds; what is finer is left to the vendor.
fn check_from(from: &str) -> Result<(), VendorError> {
    let relative = from == "now" || from.starts_with("now-");
    let millis = !from.is_empty() && from.bytes().all(|byte| byte.is_ascii_digit());
    let dated = from.starts_with(|c: char| c.is_ascii_digit()) && from.contains('-');
    if relative || millis || dated {
        return Ok(());
    }
    refuse(format!(
        "`from` is `{}`; write a time such as `now-1y`, `2026-01-25T05:57` or milliseconds",
        from.escape_debug()
    ))
}

fn check_frame(frame: &str) -> Result<(), VendorError> {
    if entity_tags::FRAMES.contains(&frame) {
        return Ok(());
    }
    refuse(format!(
        "`from` is `{}`; `api = \"v1\"` reaches at most 3 days back: write one of {}",
        frame.escape_debug(),
        entity_tags::FRAMES.join(", ")
    ))
}

fn check_join(join: Option<&str>) -> Result<(), VendorError> {
    match join {
        Some("") => refuse("`join` is empty; give a separator such as `.` or leave it out"),
        Some(join) if join.contains(':') || join.contains(char::is_control) => refuse(format!(
            "`join` is `{}`; colons and control characters can't be sent to v1: take another such as `.` or `=`",
            join.escape_debug()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<Options, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn an_empty_table_is_v2_with_the_documented_defaults() {
        let options = options("").unwrap();
        assert_eq!(
            (options.api, options.page_size, options.selector_chars),
            (Api::V2, 500, 1_900)
        );
        assert_eq!((options.from, options.join), (None, None));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(options("pagesize = 5").is_err());
        assert!(options("api = \"v3\"").is_err());
    }

    #[test]
    fn options_that_can_be_meant_make_a_vendor() {
        for text in [
            "",
            "from = \"now-3y\"",
            "from = \"now-1y/w\"",
            "from = \"1611561421123\"",
            "from = \"2021-01-25 05:57\"",
            "selector_chars = 2000",
            "page_size = 1",
            "api = \"v1\"",
            "api = \"v1\"\njoin = \".\"\nfrom = \"day\"",
        ] {
            assert!(vendor(&options(text).unwrap()).is_ok(), "{text}");
        }
    }

    #[test]
    fn options_that_can_not_be_meant_are_named() {
        for (text, names) in [
            ("from = \"1y\"", "`from` is `1y`"),
            ("from = \"\"", "`from` is ``"),
            ("join = \".\"", "`join` is for"),
            ("page_size = 0", "`page_size` is 0"),
            ("selector_chars = 2001", "`selector_chars` is 2001"),
            ("selector_chars = 99", "`selector_chars` is 99"),
            ("api = \"v1\"\nfrom = \"now-1y\"", "at most 3 days back"),
            ("api = \"v1\"\njoin = \"\"", "`join` is empty"),
            ("api = \"v1\"\njoin = \":\"", "`join` is `:`"),
            ("api = \"v1\"\njoin = \"\\n\"", "`join` is `\\n`"),
        ] {
            let error = vendor(&options(text).unwrap()).unwrap_err().to_string();
            assert!(error.contains(names), "{text}: {error}");
        }
    }

    #[test]
    fn auto_tags_speak_the_config_api_unless_settings_are_asked_for() {
        for (kind, text, want) in [
            ("auto-tag", "", "ConfigAutoTags"),
            ("Auto-Tag", "api = \"v2\"", "ConfigAutoTags"),
            ("auto-tag", "api = \"v1\"", "ConfigAutoTags"),
            ("auto-tag", "api = \"settings\"", "SettingsAutoTags"),
            (
                "auto-tag",
                "api = \"settings\"\npage_size = 1",
                "SettingsAutoTags",
            ),
            ("HOST", "", "CustomTags"),
            ("HOST", "api = \"v1\"", "EntityTags"),
        ] {
            let made = format!("{:?}", vendor_for(kind, &options(text).unwrap()).unwrap());
            assert!(made.starts_with(want), "{kind} {text}: {made}");
        }
    }

    #[test]
    fn options_that_can_not_be_meant_with_a_kind_are_named() {
        for (kind, text, names) in [
            ("HOST", "api = \"settings\"", "is for targets of kind `auto-tag`"),
            ("auto-tag", "from = \"now-1y\"", "`from` is for tags"),
            ("auto-tag", "join = \".\"", "`join` is for tags"),
            (
                "auto-tag",
                "api = \"settings\"\npage_size = 501",
                "`page_size` is 501",
            ),
            ("auto-tag", "api = \"settings\"\npage_size = 0", "takes 1 to 500"),
        ] {
            let error = vendor_for(kind, &options(text).unwrap()).unwrap_err().to_string();
            assert!(error.contains(names), "{kind} {text}: {error}");
        }
    }
}
