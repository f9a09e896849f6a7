//! Where a job says a name is that goes with a secret: a user, a public key, a client's identifier.

use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::transport::{Secret, SecretError, SecretSource};

/// A name. It is no secret, so it may stand in the job file, but it may be kept with the secret as well.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[serde(untagged)]
pub enum NameSource {
    /// The name itself.
    Text(String),
    /// Where it is.
    Elsewhere(SecretSource),
}

impl NameSource {
    /// Reads the name from where it is. The path of a file begins in a folder.
    pub(super) async fn load(self, folder: &Path) -> Result<Secret, SecretError> {
        match self {
            Self::Text(name) => Ok(Secret::of_name(&name)),
            Self::Elsewhere(source) => Secret::load_text(&source.within(folder)).await,
        }
    }
}

/// By hand, because serde tells of an untagged enum only that no variant fits.
impl<'de> Deserialize<'de> for NameSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms)
    }
}

struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = NameSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name, or where it is: `env`, `file` or `command`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<NameSource, E> {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(E::custom(
                "the name is empty or holds a control character; write it on one line",
            ));
        }
        Ok(NameSource::Text(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NameSource, A::Error> {
        SecretSource::deserialize(MapAccessDeserializer::new(map))
            .map(NameSource::Elsewhere)
            .map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Job {
        user: NameSource,
    }

    #[test]
    fn a_name_stands_in_the_job_or_says_where_it_is() {
        let elsewhere = NameSource::Elsewhere(SecretSource::Env("OPS_USER".to_owned()));
        for (text, want) in [
            (
                "user = 'jane@example.com'",
                Some(NameSource::Text("jane@example.com".to_owned())),
            ),
            ("user = { env = 'OPS_USER' }", Some(elsewhere)),
            ("user = ''", None),
            ("user = 'a\\nb'", Some(NameSource::Text("a\\nb".to_owned()))),
            ("user = \"a\\nb\"", None),
            ("user = 7", None),
            ("user = { env = 'A', file = 'b' }", None),
            ("user = {}", None),
        ] {
            let got = toml::from_str::<Job>(text).ok().map(|job| job.user);
            assert_eq!(got, want, "{text}");
        }
    }

    #[tokio::test]
    async fn the_path_of_a_file_begins_in_the_folder_of_the_job() {
        let folder = tempfile::tempdir().unwrap();
        let missing = NameSource::Elsewhere(SecretSource::File("user".into()));
        let error = missing.load(folder.path()).await.expect_err("there is no file");
        let path = folder.path().join("user").display().to_string();
        assert!(error.to_string().contains(&path), "{error}");
        let text = NameSource::Text("me".to_owned());
        let name = text.load(folder.path()).await.expect("it is here");
        assert_eq!(name.expose(), "me");
    }
}
