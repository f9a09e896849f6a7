//! Loads a job file: parse, compare with the schema, read, check.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check::Check;
use super::connection::{self, Connection};
use super::document::Document;
use super::file::{GuardOptions, JobFile};
use super::mask;
use super::options::{Collision, InventoryOptions, LossOptions, TimeSpan};
use super::problem::{JobError, Problem};
use super::read;
use super::schema::SCHEMA;
use super::shape::{self, Finding};
use super::source::{self, Source};
use crate::mapping::{self, Mapper};

/// How old an observation may be, unless the job says otherwise.
const MAX_AGE: Duration = Duration::from_mins(10);

/// A job, checked as far as that is possible without inventory and network.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// The file, as it was named.
    pub path: PathBuf,
    /// The BLAKE3 digest of the file's bytes, in hexadecimal.
    pub digest: String,
    /// The folder of the file: relative paths in the job begin here.
    pub folder: PathBuf,
    /// How old an observation of live tags may be when its changes are sent.
    pub max_age: Duration,
    /// Where the rows come from.
    pub source: Source,
    /// The files that templates look keys up in, by the name of the lookup.
    pub lookups: BTreeMap<String, InventoryOptions>,
    /// Where the tags go.
    pub target: Target,
    /// The mapping as it is written.
    pub mapping: mapping::Options,
    /// The mapping, compiled. Clone it to map.
    pub mapper: Mapper,
    /// What tags may lose.
    pub losses: LossOptions,
    /// When a plan or a run is stopped.
    pub guard: GuardOptions,
    /// The connections by name; the target's is among them.
    pub connections: BTreeMap<String, Connection>,
}

impl Job {
    /// Whether the entities of its rows are looked for among the live ones, instead of being given by identifiers alone.
    pub fn looks_for_entities(&self) -> bool {
        self.mapping.entity.needs_listing()
    }
}

/// Where the tags of a job go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name of [`Job::connections`].
    pub connection: String,
    /// The vendor's word for what is tagged.
    pub kind: String,
    /// What happens where rows disagree.
    pub collision: Collision,
    /// What stands between joined values.
    pub separator: String,
    /// The file of decisions, relative to [`Job::folder`].
    pub decisions: Option<String>,
    /// How long replaced keys stay beside those that take their place.
    pub dwell: Option<Duration>,
}

/// Loads a job file. Everything that is wrong with it is reported at once, but a text that is no TOML stops at its
/// first mistake.
pub fn load(path: &Path) -> Result<Job, JobError> {
    let bytes = fs::read(path).map_err(|source| JobError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let text = decode(path, &bytes)?;
    let document = Document::parse(text).map_err(|error| broken(path, text, &error))?;
    let (job, findings) = examine(path, &bytes, &document);
    match job {
        Some(job) if findings.is_empty() => Ok(job),
        _ => Err(refused(path, &document, findings)),
    }
}

fn decode<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b str, JobError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (sound, _) = bytes.split_at(error.valid_up_to());
        let sound = String::from_utf8_lossy(sound);
        let shown = mask::masked(&sound, &mask::secrets_of_broken(&sound));
        let span = sound.len()..sound.len();
        let message = "this byte is not UTF-8; save the job file as UTF-8".to_owned();
        JobError::Refused {
            problems: vec![Problem::new(path, &sound, &shown, &span, message)],
        }
    })
}

/// A text that is no TOML.
fn broken(path: &Path, text: &str, error: &toml::de::Error) -> JobError {
    let span = error.span().unwrap_or(0..0);
    let shown = mask::masked(text, &mask::secrets_of_broken(text));
    let mut message = error.message().trim_end().to_owned();
    if message == "duplicate key" {
        let key = shown.get(span.clone()).unwrap_or_default();
        message = format!("duplicate key `{key}`; keep one of the two");
    }
    JobError::Refused {
        problems: vec![Problem::new(path, text, &shown, &span, message)],
    }
}

/// Everything that is wrong, in the order of its lines; several things at one place are told once.
fn refused(path: &Path, document: &Document<'_>, mut findings: Vec<Finding>) -> JobError {
    let shown = mask::masked(document.text, &mask::secrets(document.root.get_ref()));
    findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
    let problems = findings
        .into_iter()
        .map(|finding| Problem::new(path, document.text, &shown, &finding.span, finding.message))
        .collect();
    JobError::Refused { problems }
}

fn examine(path: &Path, bytes: &[u8], document: &Document<'_>) -> (Option<Job>, Vec<Finding>) {
    let mut findings = shape::findings(&document.root, &SCHEMA);
    let (file, unreadable) = read::read(&document.root, &findings);
    findings.extend(unreadable);
    let Some(file) = file else {
        return (None, findings);
    };
    let mut check = Check::new(document, &findings);
    check.job(&file);
    let source = source::build(&file, &mut check);
    let mapped = check.mapping(&file);
    let connections = connections(&file, &mut check);
    findings.extend(check.into_findings());
    let job = source
        .zip(mapped)
        .map(|(source, mapping)| join(path, bytes, file, source, mapping, connections));
    (job, findings)
}

fn connections(file: &JobFile, check: &mut Check<'_>) -> BTreeMap<String, Connection> {
    let named = file.connections.iter();
    named
        .filter_map(|(name, options)| {
            check.name(&["connections", name], name);
            Some((name.clone(), connection::build(name, options, check)?))
        })
        .collect()
}

fn join(
    path: &Path,
    bytes: &[u8],
    file: JobFile,
    source: Source,
    (mapping, mapper): (mapping::Options, Mapper),
    connections: BTreeMap<String, Connection>,
) -> Job {
    Job {
        name: file.name,
        path: path.to_owned(),
        digest: blake3::hash(bytes).to_hex().to_string(),
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        max_age: file.max_age.map_or(MAX_AGE, TimeSpan::get),
        source,
        lookups: file
            .lookup
            .iter()
            .filter_map(|(name, table)| Some((name.clone(), table.source()?)))
            .collect(),
        target: Target {
            connection: file.target.connection,
            kind: file.target.kind.trim().to_owned(),
            collision: file.target.collision,
            separator: file.target.separator.unwrap_or_else(|| ",".to_owned()),
            decisions: file.target.decisions,
            dwell: file.target.dwell.map(TimeSpan::get),
        },
        mapping,
        mapper,
        losses: file.losses,
        guard: file.guard,
        connections,
    }
}
