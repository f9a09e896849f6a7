//! What a job may say about an Ops Manager connection, and the vendor that this makes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::groups::Groups;
use super::limits;
use crate::model::Tag;
use crate::vendor::mongodb::listing::PAGE_MAX;
use crate::vendor::{Opened, Vendor, VendorError, VendorOptions};
use crate::wire::AuthScheme;

/// What becomes of lower-case letters in tags. The documents allow `A` to `Z` alone and yet call tags case-sensitive and
/// alphanumeric; the vendor's own Kubernetes operator writes them in upper case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LowerCase {
    /// A row with such a tag is rejected.
    #[default]
    Refuse,
    /// They are sent as they are.
    Allow,
    /// They are written in upper case.
    Upper,
}

impl LowerCase {
    /// The tag as it is to be written.
    pub(super) fn written(self, tag: &Tag) -> Tag {
        match self {
            Self::Refuse | Self::Allow => tag.clone(),
            Self::Upper => Tag {
                key: tag.key.to_ascii_uppercase(),
                value: tag.value.as_deref().map(str::to_ascii_uppercase),
            },
        }
    }
}

/// The settings of an Ops Manager or Cloud Manager connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// What stands between key and value in tags, which are plain strings, such as `.`; without it (default) tags have no
    /// values, and rows can only add and remove.
    pub join: Option<String>,
    /// What becomes of lower-case letters in tags: `refuse` (default), `allow` or `upper`.
    pub lower_case: LowerCase,
    /// Groups on a page of a listing, 1 to 500; 500 by default. Older servers put at most 100 on it.
    pub page_size: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            join: None,
            lower_case: LowerCase::Refuse,
            page_size: PAGE_MAX,
        }
    }
}

impl VendorOptions for Options {
    const NAME: &'static str = "mongodb-ops-manager";
    const SCHEMES: &'static [AuthScheme] = &[AuthScheme::Digest];

    fn open(&self, _kind: &str, _tenant: Option<&str>) -> Result<Opened, VendorError> {
        let spoken = match &self.join {
            Some(join) => format!("{} joined by `{join}`", Self::NAME),
            None => Self::NAME.to_owned(),
        };
        Ok(Opened {
            vendor: vendor(self)?,
            spoken,
        })
    }
}

/// Makes the vendor that the options ask for, or says which of them can't be meant.
pub fn vendor(options: &Options) -> Result<Box<dyn Vendor>, VendorError> {
    let Options {
        join,
        lower_case,
        page_size,
    } = options;
    if !(1..=PAGE_MAX).contains(page_size) {
        return refuse(format!(
            "`page_size` is {page_size}; give 1 to {PAGE_MAX} ({PAGE_MAX} when left out)"
        ));
    }
    if let Some(join) = join {
        check_join(join, *lower_case)?;
    }
    Ok(Box::new(Groups::new(join.as_deref(), *lower_case, *page_size)))
}

fn check_join(join: &str, lower_case: LowerCase) -> Result<(), VendorError> {
    if join.is_empty() {
        return refuse("`join` is empty; give a separator such as `.` or leave it out".to_owned());
    }
    if join.chars().all(limits::legal(lower_case)) {
        return Ok(());
    }
    refuse(format!(
        "`join` is `{}`, which no tag may hold here; take `.`, `_` or `-`",
        join.escape_debug()
    ))
}

fn refuse<T>(why: String) -> Result<T, VendorError> {
    Err(VendorError::Unsupported(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<Options, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn an_empty_table_has_the_documented_defaults() {
        assert_eq!(
            options("").unwrap(),
            Options {
                join: None,
                lower_case: LowerCase::Refuse,
                page_size: 500
            }
        );
    }

    #[test]
    fn an_unknown_key_or_word_is_refused() {
        assert!(options("pagesize = 5").is_err());
        assert!(options("lower_case = \"keep\"").is_err());
    }

    #[test]
    fn options_that_can_be_meant_make_a_vendor() {
        for text in [
            "",
            "join = \".\"",
            "join = \"__\"",
            "join = \"x\"\nlower_case = \"allow\"",
            "lower_case = \"upper\"\npage_size = 1",
            "lower_case = \"refuse\"\npage_size = 500",
        ] {
            assert!(vendor(&options(text).unwrap()).is_ok(), "{text}");
        }
    }

    #[test]
    fn options_that_can_not_be_meant_are_named() {
        for (text, names) in [
            ("page_size = 0", "`page_size` is 0"),
            ("page_size = 501", "`page_size` is 501"),
            ("join = \"\"", "`join` is empty"),
            ("join = \"=\"", "`join` is `=`"),
            ("join = \"\\n\"", "`join` is `\\n`"),
            ("join = \"x\"", "`join` is `x`"),
            ("join = \"x\"\nlower_case = \"upper\"", "`join` is `x`"),
        ] {
            let error = vendor(&options(text).unwrap()).unwrap_err().to_string();
            assert!(error.contains(names), "{text}: {error}");
        }
    }
}
