//! What a job may say about an Atlas connection, and the vendor that this makes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::resources::Resources;
use crate::vendor::mongodb::listing::PAGE_MAX;
use crate::vendor::{Opened, Vendor, VendorError, VendorOptions};
use crate::wire::AuthScheme;

/// The settings of an Atlas connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Projects on a page of a listing, 1 to 500; 500 by default.
    pub page_size: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { page_size: PAGE_MAX }
    }
}

impl VendorOptions for Options {
    const NAME: &'static str = "mongodb-atlas";
    const SCHEMES: &'static [AuthScheme] = &[
        AuthScheme::OAuth2 {
            endpoint: "/api/oauth/token",
        },
        AuthScheme::Digest,
    ];

    fn open(&self, _kind: &str, _tenant: Option<&str>) -> Result<Opened, VendorError> {
        Ok(Opened {
            vendor: vendor(self)?,
            spoken: Self::NAME.to_owned(),
        })
    }
}

/// Makes the vendor that the options ask for, or says which of them can't be meant.
pub fn vendor(options: &Options) -> Result<Box<dyn Vendor>, VendorError> {
    let Options { page_size } = options;
    if (1..=PAGE_MAX).contains(page_size) {
        return Ok(Box::new(Resources::new(*page_size)));
    }
    Err(VendorError::Unsupported(format!(
        "`page_size` is {page_size}; give 1 to {PAGE_MAX} ({PAGE_MAX} when left out)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<Options, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_page_holds_500_projects_unless_told_otherwise() {
        assert_eq!(options("").unwrap(), Options { page_size: 500 });
        for (text, legal) in [
            ("page_size = 1", true),
            ("page_size = 500", true),
            ("page_size = 0", false),
            ("page_size = 501", false),
        ] {
            assert_eq!(vendor(&options(text).unwrap()).is_ok(), legal, "{text}");
        }
        assert!(options("join = \".\"").is_err());
    }
}
