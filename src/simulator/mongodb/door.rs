//! Who may come in: the keys that are accepted, and the roles that a caller lacks.

use secrecy::{ExposeSecret, SecretString};

use http::HeaderValue;

use super::super::api::Asked;
use super::super::opening::OpenError;
use super::super::spec::{Access, Spec};
use super::object_id::ObjectId;
use super::refused::Refused;
use super::switches::Switches;
use super::verifier::Verifier;

/// The keys that are accepted when keys are required and no variable holds them.
const DEFAULT: (&str, &str) = ("public", "private");

/// The word that stands for the API access list among what a caller lacks.
const ACCESS_LIST: &str = "access-list";

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    required: bool,
    keys: Keys,
    /// Roles, `group:ID` and `access-list`, as `missing-scopes` names them.
    missing: Vec<String>,
    verifier: Verifier,
}

/// A public and a private key; for Atlas also the identifier and the secret of a service account.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) public: String,
    pub(super) private: SecretString,
}

impl Door {
    pub(super) fn of(spec: &Spec, switches: &Switches) -> Result<Self, OpenError> {
        let access = &spec.access;
        Ok(Self {
            required: access.required || access.token_env.is_some(),
            keys: Keys::of(access)?,
            missing: access.missing_scopes.clone(),
            verifier: Verifier::new(spec.nonce_life, switches),
        })
    }

    /// Whether credentials must be sent at all.
    pub(super) fn required(&self) -> bool {
        self.required
    }

    /// Lets a request with good digest credentials in, and refuses every other one.
    pub(super) fn authenticate(&self, asked: &Asked<'_>, now: i64) -> Result<(), Refused> {
        if self.required {
            self.verifier.verify(asked, &self.keys, now)
        } else {
            Ok(())
        }
    }

    /// The challenges of a 401, in the order of preference.
    pub(super) fn challenges(&self, now: i64) -> Vec<HeaderValue> {
        self.verifier.challenges(false, now)
    }

    /// Whether a name and a secret are the right ones.
    pub(super) fn knows(&self, name: &str, secret: &str) -> bool {
        // Both are compared, so that nothing tells which of them is wrong.
        same(name, &self.keys.public) & same(secret, self.keys.private.expose_secret())
    }

    /// Whether the caller lacks a role.
    pub(super) fn lacks(&self, role: &str) -> bool {
        self.missing.iter().any(|missing| missing == role)
    }

    /// Refuses a caller whose address is not on the access list.
    pub(super) fn check_address(&self) -> Result<(), Refused> {
        if !self.lacks(ACCESS_LIST) {
            return Ok(());
        }
        let address = "127.0.0.1";
        let detail = format!("IP address {address} is not allowed to access this resource.");
        Err(Refused::new(403, "IP_ADDRESS_NOT_ON_ACCESS_LIST", detail).about(address))
    }

    /// The groups that the caller is not in.
    pub(super) fn hidden(&self) -> impl Iterator<Item = ObjectId> {
        self.missing
            .iter()
            .filter_map(|missing| ObjectId::parse(missing.strip_prefix("group:")?))
    }
}

impl Keys {
    /// Those of the variable, written `PUBLIC_KEY:PRIVATE_KEY`, or [`DEFAULT`].
    fn of(access: &Access) -> Result<Self, OpenError> {
        let text = match &access.token_env {
            Some(name) => std::env::var(name).map_err(|_| OpenError::NoToken(name.clone()))?,
            None => format!("{}:{}", DEFAULT.0, DEFAULT.1),
        };
        let (public, private) = text
            .split_once(':')
            .ok_or_else(|| OpenError::NoPair(access.token_env.clone().unwrap_or_default()))?;
        Ok(Self {
            public: public.to_owned(),
            private: private.into(),
        })
    }
}

/// Compares two texts in a time that does not tell where they differ.
pub(super) fn same(one: &str, other: &str) -> bool {
    // Hashes of this kind are compared in constant time.
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pair_of_the_variable_comes_in_when_one_is_named() {
        // Any variable will do that is there wherever tests run; a search path has a colon.
        let path = std::env::var("PATH").unwrap();
        let (user, password) = path.split_once(':').unwrap();
        let mut spec = Spec::default();
        spec.set("token-env", "PATH").unwrap();
        let door = Door::of(&spec, &Switches::default()).unwrap();
        assert!(door.required() && door.knows(user, password));
        assert!(!door.knows("public", "private") && !door.knows(user, "x") && !door.knows("x", password));
        assert!(
            !format!("{door:?}").contains(password),
            "the secret does not print"
        );
        for (variable, why) in [
            ("TAGFERRY_TEST_NO_SUCH_VARIABLE", "is not set"),
            ("CARGO_MANIFEST_DIR", "has no colon"),
        ] {
            spec.set("token-env", variable).unwrap();
            let error = Door::of(&spec, &Switches::default()).unwrap_err();
            assert!(error.to_string().ends_with(why), "{error}");
        }
    }

    #[test]
    fn what_a_caller_lacks_is_named() {
        let mut spec = Spec::default();
        let id = "5c8100bcf2a30b12ff88258f";
        spec.set("missing-scopes", &format!("GLOBAL_OWNER,group:{id},group:x"))
            .unwrap();
        let door = Door::of(&spec, &Switches::default()).unwrap();
        assert!(door.lacks("GLOBAL_OWNER") && !door.lacks("GLOBAL_READ_ONLY"));
        assert_eq!(door.hidden().map(|id| id.to_string()).collect::<Vec<_>>(), [id]);
        assert_eq!(door.check_address(), Ok(()));
    }
}
