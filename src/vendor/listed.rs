//! How a job finds its vendor: by a word, and options that only that vendor knows.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::{Vendor, VendorError};
use crate::wire::AuthScheme;

/// What a job may say about a connection to one vendor.
pub trait VendorOptions: DeserializeOwned + JsonSchema {
    /// The vendor's word in job files.
    const NAME: &'static str;

    /// How it wants to be told who is calling: the first scheme that the credentials of a job fit is used.
    const SCHEMES: &'static [AuthScheme];

    /// Makes the vendor for a kind of entity of an account, or says which option can't be meant.
    fn open(&self, kind: &str, tenant: Option<&str>) -> Result<Opened, VendorError>;
}

/// A vendor as a job asks for it.
#[derive(Debug)]
pub struct Opened {
    /// The vendor.
    pub vendor: Box<dyn Vendor>,
    /// The vendor's word, with whatever decides how a tag is written there: a plan that was made in one form must not be
    /// sent in another.
    pub spoken: String,
}

/// A vendor of the list, before its options are read.
#[derive(Clone, Copy)]
pub struct Listed {
    /// Its word in job files.
    pub name: &'static str,
    /// How it wants to be told who is calling.
    pub schemes: &'static [AuthScheme],
    /// The JSON Schema of its options.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    open: fn(toml::Table, &str, Option<&str>) -> Result<Opened, VendorError>,
}

pub(super) const fn listed<O: VendorOptions>() -> Listed {
    Listed {
        name: O::NAME,
        schemes: O::SCHEMES,
        schema: |generator| O::json_schema(generator),
        open: |options, kind, tenant| {
            let options = O::deserialize(options);
            let options = options.map_err(|error| VendorError::Unsupported(error.message().to_owned()))?;
            options.open(kind, tenant)
        },
    }
}

impl Listed {
    /// Makes the vendor for a kind of entity of an account from the options of a job, or says which of them can't be
    /// meant.
    pub fn open(
        &self,
        options: &toml::Table,
        kind: &str,
        tenant: Option<&str>,
    ) -> Result<Opened, VendorError> {
        (self.open)(options.clone(), kind, tenant)
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
