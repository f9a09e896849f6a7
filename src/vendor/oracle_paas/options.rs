//! What a job may say about a connection to Oracle PaaS Service Manager, and the vendor that this makes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::service_tags::ServiceTags;
use crate::vendor::{Opened, Vendor, VendorError, VendorOptions};
use crate::wire::AuthScheme;

/// The most characters of `services` that may be asked for: what front ends take in a request line is 8 kB.
const SERVICES_CHARS_MAX: usize = 7_000;

/// The settings of a connection to Oracle PaaS Service Manager.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The identity domain ID, which is the connection's `tenant`; with Identity Cloud Service it begins with `idcs-`. It
    /// stands in the path and in the header `X-ID-TENANT-NAME` of every request
    /// (<https://docs.oracle.com/en/cloud/paas/java-cloud/jsrmr/Authentication.html>).
    #[serde(skip)]
    pub identity_domain: String,
    /// Service instances that one call changes at most; 50 by default. The vendor states no number.
    pub services_a_call: usize,
    /// Tags that one call adds at most, and tags that it removes; 50 by default. The vendor states no number.
    pub tags_a_call: usize,
    /// Characters that the instances of one reading may take in its URL, 1 to 7000; 1900 by default. With 1 every
    /// instance is asked for alone.
    pub services_chars: usize,
    /// Whether the vendor shall pass over tags, instances and assignments that it does not find; false by default,
    /// since misspelt instances are passed over too. What is written is then always observed.
    pub force: bool,
    /// Whether a tag that nothing carries any more is deleted; false by default.
    pub delete_unused: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            identity_domain: String::new(),
            services_a_call: 50,
            tags_a_call: 50,
            services_chars: 1_900,
            force: false,
            delete_unused: false,
        }
    }
}

impl VendorOptions for Options {
    const NAME: &'static str = "oracle-paas";
    const SCHEMES: &'static [AuthScheme] = &[AuthScheme::Basic, AuthScheme::Bearer];

    fn open(&self, _kind: &str, tenant: Option<&str>) -> Result<Opened, VendorError> {
        let options = Self {
            identity_domain: tenant.unwrap_or_default().to_owned(),
            ..self.clone()
        };
        Ok(Opened {
            vendor: vendor(&options)?,
            spoken: Self::NAME.to_owned(),
        })
    }
}

/// Makes the vendor that the options ask for, or says which of them can't be meant.
pub fn vendor(options: &Options) -> Result<Box<dyn Vendor>, VendorError> {
    for (name, value) in [
        ("services_a_call", options.services_a_call),
        ("tags_a_call", options.tags_a_call),
    ] {
        if value == 0 {
            return refuse(format!("`{name}` is 0; give at least 1 (50 when left out)"));
        }
    }
    if !(1..=SERVICES_CHARS_MAX).contains(&options.services_chars) {
        return refuse(format!(
            "`services_chars` is {}; give 1 to {SERVICES_CHARS_MAX} (1900 when left out)",
            options.services_chars
        ));
    }
    check_domain(&options.identity_domain)?;
    Ok(Box::new(ServiceTags::new(options)?))
}

/// A domain has to stand in a path and in a header. One of dots alone would be resolved away in the path.
fn check_domain(domain: &str) -> Result<(), VendorError> {
    if domain.is_empty() {
        return refuse(
            "`tenant` is missing; give the identity domain ID of the account, such as \
             `idcs-98888f7964454b658ac6d2f625b29030`",
        );
    }
    let dots = domain.bytes().all(|byte| byte == b'.');
    if dots || !domain.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
        return refuse(format!(
            "`tenant` is `{}`; give the bare identity domain ID, without spaces, slashes or a URL",
            domain.escape_debug()
        ));
    }
    Ok(())
}

fn refuse<T>(why: impl Into<String>) -> Result<T, VendorError> {
    Err(VendorError::Unsupported(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(domain: &str, text: &str) -> Options {
        Options {
            identity_domain: domain.to_owned(),
            ..toml::from_str(text).unwrap()
        }
    }

    #[test]
    fn an_empty_table_has_the_documented_defaults() {
        let Options {
            identity_domain: _,
            services_a_call,
            tags_a_call,
            services_chars,
            force,
            delete_unused,
        } = options("", "");
        assert_eq!((services_a_call, tags_a_call, services_chars), (50, 50, 1_900));
        assert_eq!((force, delete_unused), (false, false));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<Options>("domain = \"x\"").is_err());
        assert!(toml::from_str::<Options>("force = 5").is_err());
    }

    #[test]
    fn the_tenant_is_the_identity_domain() {
        let options: Options = toml::from_str("").unwrap();
        assert!(options.open("JaaS", Some("idcs-98888f")).is_ok());
        let why = options.open("JaaS", None).unwrap_err().to_string();
        assert!(why.contains("`tenant` is missing"), "{why}");
    }

    #[test]
    fn options_that_can_be_meant_make_a_vendor() {
        for text in [
            "",
            "services_a_call = 1\ntags_a_call = 1",
            "services_chars = 1",
            "services_chars = 7000",
            "force = true\ndelete_unused = true",
        ] {
            assert!(vendor(&options("idcs-98888f", text)).is_ok(), "{text}");
        }
    }

    #[test]
    fn options_that_can_not_be_meant_are_named() {
        for (domain, text, names) in [
            ("", "", "`tenant` is missing"),
            ("..", "", "`tenant` is `..`"),
            ("a/b", "", "`tenant` is `a/b`"),
            ("a\nb", "", "`tenant` is `a\\nb`"),
            ("é", "", "`tenant` is `é`"),
            ("x", "services_a_call = 0", "`services_a_call` is 0"),
            ("x", "tags_a_call = 0", "`tags_a_call` is 0"),
            ("x", "services_chars = 0", "`services_chars` is 0"),
            ("x", "services_chars = 7001", "`services_chars` is 7001"),
        ] {
            let error = vendor(&options(domain, text)).unwrap_err().to_string();
            assert!(error.contains(names), "{domain} {text}: {error}");
        }
    }
}
