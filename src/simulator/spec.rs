//! Everything that can be said about a simulator, and the URL and options that say it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::Fault;
use super::population::Population;
use super::switches::SwitchSet;
use super::throttle::Throttle;
use super::value::{duration, on_or_off, parse};
use super::vendors::VENDORS;

/// What a simulator is made of and how it behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The journal; `None` keeps everything in memory only.
    pub state: Option<PathBuf>,
    /// What relative paths begin at.
    pub base_dir: PathBuf,
    /// How the entities are made; `None` means as the journal says, or [`Population::default`] for a new one.
    pub population: Option<Population>,
    /// Who may come in.
    pub access: Access,
    /// How long each answer takes at least.
    pub latency: Duration,
    /// How long a change stays invisible to reads.
    pub visibility: Duration,
    /// How long a nonce of digest authentication can be used; "a short amount of time" at MongoDB, a minute unless told.
    pub nonce_life: Duration,
    /// How long an access token of MongoDB Atlas can be used; documented as an hour.
    pub token_life: Duration,
    /// The largest page of a listing: of `/api/v2/entities` at Dynatrace, where it is not documented, and of
    /// `itemsPerPage` at MongoDB, which documents 500 and, in old versions, 100. 500 unless told.
    pub max_page: usize,
    /// The largest body, in bytes; Dynatrace documents 1 MB.
    pub max_body: usize,
    /// How requests are throttled.
    pub throttle: Throttle,
    /// What goes wrong, tried in this order for each request.
    pub faults: Vec<Fault>,
    /// What the faults' dice start from.
    pub fault_seed: u64,
    /// What the references leave open: names of switches and their words, checked.
    pub switches: Vec<(String, String)>,
}

/// Which credentials are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Whether credentials must be sent.
    pub required: bool,
    /// The environment variable that holds the only credentials accepted: a token, or a pair with a colon.
    pub token_env: Option<String>,
    /// The only tenant accepted: for Oracle PaaS the identity domain. Without it any is.
    pub tenant: Option<String>,
    /// The scopes or roles that the caller lacks.
    pub missing_scopes: Vec<String>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            state: None,
            base_dir: PathBuf::new(),
            population: None,
            access: Access::default(),
            latency: Duration::ZERO,
            visibility: Duration::ZERO,
            nonce_life: Duration::from_mins(1),
            token_life: Duration::from_hours(1),
            max_page: 500,
            max_body: 1_000_000,
            throttle: Throttle::default(),
            faults: Vec::new(),
            fault_seed: 1,
            switches: Vec::new(),
        }
    }
}

/// A simulator can't be made from what was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The URL does not begin with `simulator:`.
    #[error("`{0}` is not a simulator's URL; it begins with `simulator:`")]
    NotASimulator(String),
    /// No option bears the name.
    #[error("unknown option `{name}` of the simulator{hint}")]
    UnknownOption {
        /// The name.
        name: String,
        /// What may have been meant, or nothing.
        hint: String,
    },
    /// The value of an option can't be used.
    #[error("option `{name}` of the simulator: `{value}`: {why}")]
    BadValue {
        /// The option.
        name: String,
        /// The value.
        value: String,
        /// What to write instead.
        why: String,
    },
}

impl Spec {
    /// The options beside those of the population and the switches.
    const NAMES: [&'static str; 14] = [
        "auth",
        "token-env",
        "tenant",
        "missing-scopes",
        "latency",
        "visibility",
        "nonce-life",
        "token-life",
        "max-page",
        "max-body",
        "throttle",
        "fault",
        "fault-seed",
        "state",
    ];

    /// Reads a URL such as `simulator:state.db?entities=2000&seed=7`. Without a path nothing is kept; relative paths
    /// begin at `base_dir`.
    pub fn from_url(url: &str, base_dir: &Path) -> Result<Self, SpecError> {
        let rest = url
            .strip_prefix("simulator:")
            .ok_or_else(|| SpecError::NotASimulator(url.to_owned()))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut spec = Self {
            base_dir: base_dir.to_owned(),
            ..Self::default()
        };
        if !path.is_empty() {
            spec.state = Some(PathBuf::from(path));
        }
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            spec.set(&name, &value)?;
        }
        Ok(spec)
    }

    /// Sets one option by name, as URL and command line do.
    ///
    /// | option | value |
    /// |---|---|
    /// | `state` | the journal's file |
    /// | `entities`, `seed`, `kind`, `stale` | the generator: how many, from what, of which kinds in turn (Oracle PaaS: service types), the share not seen for a day (Dynatrace; Atlas: of clusters, the share that is paused) |
    /// | `tags` | `some` or `none`: what entities carry from the beginning |
    /// | `auto-tags` | how many auto-tags there are from the beginning, 0 unless told, at most 5000 (Dynatrace alone) |
    /// | `inventory`, `name`, `id`, `items`, `duplicates` | a CSV or JSON file, its fields for name and identifier (Oracle PaaS: `TYPE/NAME`), the key of a wrapped list, `merge` or `keep` (not Oracle PaaS) |
    /// | `auth` | `on` or `off`: whether well-formed credentials must be sent |
    /// | `token-env` | the environment variable that holds the only credentials accepted: for Dynatrace the API token `dt0c01.…`, for Oracle PaaS a token or `user:password`, for MongoDB `PUBLIC_KEY:PRIVATE_KEY` (for Atlas also client id and secret), `public:private` unless told |
    /// | `tenant` | the only tenant accepted (Oracle PaaS: the identity domain); any unless told. Dynatrace has none |
    /// | `missing-scopes` | what the caller lacks, with commas: scopes, or at MongoDB roles, `group:ID` and `access-list` |
    /// | `latency`, `visibility` | durations |
    /// | `nonce-life`, `token-life` | MongoDB: how long a nonce and an access token can be used |
    /// | `max-page`, `max-body` | entities (not settings objects), bytes |
    /// | `throttle` | as [`Throttle`] says |
    /// | `fault` | as [`Fault`] says; may be set repeatedly |
    /// | `fault-seed` | what the dice start from |
    ///
    /// The switches are in the tables of [the room](crate::simulator) and its vendors.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SpecError> {
        let bad = |why| SpecError::BadValue {
            name: name.to_owned(),
            value: value.to_owned(),
            why,
        };
        if Population::NAMES.contains(&name) {
            return self
                .population
                .get_or_insert_default()
                .set(name, value)
                .map_err(bad);
        }
        if self.set_own(name, value).map_err(bad)? {
            return Ok(());
        }
        // Vendors may share a name; a word that one of them knows is good.
        let mut wrong = None;
        for vendor in VENDORS {
            match vendor.knows(name, value) {
                Ok(true) => {
                    self.switches.push((name.to_owned(), value.to_owned()));
                    return Ok(());
                }
                Ok(false) => {}
                Err(why) => wrong = Some(why),
            }
        }
        if let Some(why) = wrong {
            return Err(bad(why));
        }
        Err(SpecError::UnknownOption {
            name: name.to_owned(),
            hint: hint(name),
        })
    }

    fn set_own(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            "state" => self.state = Some(PathBuf::from(value)),
            "auth" => self.access.required = on_or_off(value)?,
            "token-env" => self.access.token_env = Some(value.to_owned()),
            "tenant" => self.access.tenant = Some(value.to_owned()),
            "missing-scopes" => self.access.missing_scopes = list(value),
            "latency" => self.latency = duration(value)?,
            "visibility" => self.visibility = duration(value)?,
            "nonce-life" => self.nonce_life = duration(value)?,
            "token-life" => self.token_life = duration(value)?,
            "max-page" => self.max_page = parse::<usize>(value)?.max(1),
            "max-body" => self.max_body = parse(value)?,
            "throttle" => self.throttle = parse(value)?,
            "fault" => self.faults.push(parse(value)?),
            "fault-seed" => self.fault_seed = parse(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The switches of a vendor, turned as this spec says.
    pub(super) fn switches<S: SwitchSet>(&self) -> S {
        let mut switches = S::default();
        for (name, word) in &self.switches {
            // Words were checked when they were set; a word of another vendor's switch of that name turns nothing here.
            let _ = switches.set(name, word);
        }
        switches
    }

    /// A path of this spec, from where relative paths begin.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.base_dir.join(path)
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

fn hint(name: &str) -> String {
    Spec::NAMES
        .iter()
        .chain(&Population::NAMES)
        .chain(VENDORS.iter().flat_map(|vendor| vendor.switches))
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| format!("; did you mean `{known}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(url: &str) -> Result<Spec, SpecError> {
        Spec::from_url(url, Path::new("/jobs"))
    }

    #[test]
    fn a_url_says_everything() {
        let spec = from(
            "simulator:state.db?entities=2000&seed=7&latency=20ms&throttle=window,limit=50,per=60s,unit=s\
             &fault=lost-ack,share=0.1&fault=reset,count=2&missing-tag=400&auth=on&missing-scopes=entities.write",
        )
        .unwrap();
        let population = spec.population.clone().unwrap();
        assert_eq!(
            spec.resolve(spec.state.as_deref().unwrap()),
            Path::new("/jobs/state.db")
        );
        assert_eq!((population.entities, population.seed), (2_000, 7));
        assert_eq!(spec.latency, Duration::from_millis(20));
        assert_eq!(spec.faults.len(), 2);
        let switches: crate::simulator::dynatrace::Switches = spec.switches();
        assert_eq!(switches.missing_tag.status(), 400);
        assert!(spec.access.required);
        assert_eq!(spec.access.missing_scopes, ["entities.write"]);
    }

    #[test]
    fn without_a_path_nothing_is_kept_and_without_options_nothing_is_asked() {
        let spec = from("simulator:").unwrap();
        assert_eq!((spec.state, spec.population), (None, None));
        assert!(!spec.access.required, "an embedded simulator needs no token");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (url, want) in [
            (
                "https://x",
                "`https://x` is not a simulator's URL; it begins with `simulator:`",
            ),
            (
                "simulator:?entites=3",
                "unknown option `entites` of the simulator; did you mean `entities`?",
            ),
            (
                "simulator:?colour=red",
                "unknown option `colour` of the simulator",
            ),
            (
                "simulator:?latency=soon",
                "option `latency` of the simulator: `soon`: use a duration such as `20ms`, `1.5s` or `2m`",
            ),
            (
                "simulator:?auth=yes",
                "option `auth` of the simulator: `yes`: use `on` or `off`",
            ),
        ] {
            assert!(from(url).unwrap_err().to_string().starts_with(want), "{url}");
        }
    }

    #[test]
    fn every_option_is_set_by_its_name() {
        for name in Spec::NAMES
            .iter()
            .chain(&Population::NAMES)
            .chain(VENDORS.iter().flat_map(|vendor| vendor.switches))
        {
            let known = !matches!(
                Spec::default().set(name, "\u{0}"),
                Err(SpecError::UnknownOption { .. })
            );
            assert!(known, "{name}");
        }
    }
}
