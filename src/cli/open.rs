//! From a job to what the engine works with: ledger, connection, vendor, bounds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use super::Settings;
use super::exit::Refusal;
use crate::engine::{Embedded, LookupFile, Source, Target, TargetSpec};
use crate::event::Events;
use crate::guard::{Bounds, Breaker, Share};
use crate::inventory;
use crate::job::{Address, Bound, Connection, GuardOptions, Job, SourceOptions};
use crate::ledger::{self, Ledger, PlanTarget};
use crate::model::{Grain, Limits, TagRules};
use crate::simulator;
use crate::transport::{self, Auth, HttpExec, Rate};
use crate::vendor::{self, Opened};
use crate::wire::Exec;

/// What the gate learned is kept under this topic.
const GATE: &str = "gate";

/// Opens the ledger that the user named, or the default one.
pub(super) async fn ledger(settings: &Settings) -> anyhow::Result<Ledger> {
    Ok(Ledger::open(&ledger_path(settings)?).await?)
}

/// Opens it for looking only: one that can't be written is good enough.
pub(super) async fn ledger_to_read(settings: &Settings) -> anyhow::Result<Ledger> {
    Ok(Ledger::open_to_read(&ledger_path(settings)?).await?)
}

fn ledger_path(settings: &Settings) -> anyhow::Result<PathBuf> {
    let path = settings.ledger.clone().or_else(ledger::default_path);
    let none = || Refusal("neither HOME nor XDG_STATE_HOME is set; give --ledger FILE".to_owned());
    Ok(path.ok_or_else(none)?)
}

fn connection(job: &Job) -> &Connection {
    // A job whose target names no connection of its own is refused when it is loaded.
    &job.connections[&job.target.connection]
}

/// The pace of the job's target, where a rate is given.
pub(super) fn rate(job: &Job) -> Option<Rate> {
    connection(job).network.pace.rate
}

/// What a plan keeps of the job's target.
pub(super) fn plan_target(job: &Job) -> anyhow::Result<PlanTarget> {
    let connection = connection(job);
    let url = match &connection.address {
        Address::Http(url) => url.as_str().trim_end_matches('/').to_owned(),
        Address::Simulator(state) => {
            let file = state.split('?').next().unwrap_or_default();
            format!("simulator:{}", absolute(&job.folder.join(file)).display())
        }
    };
    Ok(PlanTarget {
        connection: connection.name.clone(),
        vendor: opened(job)?.spoken,
        url,
        tenant: connection.tenant.clone().unwrap_or_default(),
        kind: job.target.kind.clone(),
    })
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The vendor of the job's target as the job asks for it.
fn opened(job: &Job) -> anyhow::Result<Opened> {
    let made = connection(job).vendor.open(&job.target.kind);
    Ok(made.map_err(|error| Refusal(format!("{}: {error}", job.path.display())))?)
}

/// The vendor of the job's target.
pub(super) fn vendor(job: &Job) -> anyhow::Result<Arc<dyn vendor::Vendor>> {
    let vendor = opened(job)?.vendor;
    let limits = vendor.limits(&job.target.kind);
    let limits = limits.map_err(|error| Refusal(format!("{}: {error}", job.path.display())))?;
    check_actions(job, vendor.rules())?;
    check_form(job, &limits)?;
    Ok(Arc::from(vendor))
}

/// Refuses actions that the vendor's tags can't be meant with, before each row is rejected for them.
fn check_actions(job: &Job, rules: &TagRules) -> Result<(), Refusal> {
    let of_tags = (1..)
        .zip(&job.mapping.tags)
        .map(|(n, tag)| ("tag", n, tag.action));
    let of_many = (1..)
        .zip(&job.mapping.tags_from)
        .map(|(n, many)| ("tags_from", n, many.action));
    match of_tags.chain(of_many).find(|(.., action)| !rules.allows(*action)) {
        None => Ok(()),
        Some((table, n, action)) => Err(Refusal(format!(
            "{}: [[{table}]] {n}: `{action}` needs keys and values, and this API knows plain strings only: use `add` or \
             `remove`, or give the connection a `join`",
            job.path.display()
        ))),
    }
}

/// Definitions are asked for by `[document]`, tags are not; names need a vendor that can list.
fn check_form(job: &Job, limits: &Limits) -> Result<(), Refusal> {
    let kind = &job.target.kind;
    let wrong = match (limits.grain == Grain::Document, job.mapping.document.is_some()) {
        (true, false) => {
            format!("`{kind}` is a definition: use [document] in place of [[tag]] and [[tags_from]]")
        }
        (false, true) => {
            format!("[document] puts definitions, and `{kind}` bears tags: use [[tag]] or [[tags_from]]")
        }
        _ if !limits.lists && job.names_entities() => {
            format!("this vendor lists no {kind}, so that names can't be resolved: use `entity` in [target]")
        }
        _ => return Ok(()),
    };
    Err(Refusal(format!("{}: {wrong}", job.path.display())))
}

/// Opens the job's target: credentials are loaded, nothing is sent.
pub(super) async fn target(
    job: &Job,
    plan: PlanTarget,
    ledger: &Ledger,
    events: Events,
) -> anyhow::Result<Target> {
    let connection = connection(job);
    let vendor = vendor(job)?;
    let mut network = connection.network.clone();
    network.ca_cert = network.ca_cert.map(|path| job.folder.join(path));
    let (exec, auth): (Arc<dyn Exec>, Auth) = match &connection.address {
        Address::Simulator(state) => {
            let spec = simulator::Spec::from_url(&format!("simulator:{state}"), &job.folder)
                .map_err(|error| Refusal(format!("connection `{}`: {error}", connection.name)))?;
            let name = connection.vendor.listed.name;
            let simulator = simulator::Vendor::of(name)
                .with_context(|| format!("no simulator of `{name}`"))?
                .open(&spec)
                .context("opening the embedded simulator")?;
            (
                Arc::new(Embedded::new(simulator, connection.network.timeout.get())),
                Auth::NONE,
            )
        }
        Address::Http(url) => {
            let exec = HttpExec::new(url, &network)?;
            (Arc::new(exec), auth(job, connection).await?)
        }
    };
    let learned = ledger.learned(&plan.url, &plan.tenant, GATE).await?;
    let learned = learned.and_then(|text| serde_json::from_str(&text).ok());
    let way = transport::Connection::new(
        &plan.connection,
        exec,
        auth,
        &connection.network,
        learned,
        events.clone(),
    );
    let concurrency = connection.network.pace.most_in_flight();
    Ok(Target::new(TargetSpec {
        plan,
        vendor,
        connection: way,
        concurrency,
        events,
    }))
}

async fn auth(job: &Job, connection: &Connection) -> anyhow::Result<Auth> {
    let credentials = match connection.credentials.clone() {
        Some(source) => {
            let loaded = source.load(&job.folder).await;
            let doing = || format!("connection `{}`: loading its credentials", connection.name);
            Some(loaded.with_context(doing)?)
        }
        None => None,
    };
    Ok(Auth::new(connection.vendor.listed.schemes, credentials.as_ref())?)
}

/// Keeps what the gate learned, for the next run.
pub(super) async fn keep_learned(target: &Target, ledger: &Ledger) -> anyhow::Result<()> {
    let PlanTarget { url, tenant, .. } = target.plan_target();
    let learned = serde_json::to_string(&target.connection().learned())?;
    Ok(ledger.learn(url, tenant, GATE, &learned).await?)
}

/// Opens the job's inventory, and the files that its templates look keys up in.
pub(super) fn source(job: &Job) -> anyhow::Result<Source> {
    let inventory = inventory::open(&job.source, &job.folder)?;
    let lookup = |(name, options): (&String, &SourceOptions)| -> anyhow::Result<LookupFile> {
        let opened = inventory::open(options, &job.folder);
        Ok(LookupFile {
            name: name.clone(),
            inventory: Box::new(opened.with_context(|| format!("lookup `{name}`"))?),
        })
    };
    Ok(Source::Inventory(
        Box::new(inventory),
        Box::new(job.mapper.clone()),
        job.lookups.iter().map(lookup).collect::<Result<_, _>>()?,
    ))
}

/// A bound as the guard takes it.
pub(super) fn share(bound: Bound) -> Share {
    match bound {
        Bound::Number(number) => Share {
            floor: number,
            part: 0.0,
        },
        Bound::Percent(percent) => Share {
            floor: 0,
            part: percent / 100.0,
        },
    }
}

/// The bounds of the job's guard.
pub(super) fn bounds(guard: &GuardOptions) -> Bounds {
    let default = Bounds::default();
    Bounds {
        changes: guard.max_changes.map(share).or(default.changes),
        removals: guard.max_removals.map(share).or(default.removals),
        free_removals: false,
        missing: guard.max_missing.map(share).or(default.missing),
    }
}

/// After how many of its entities a run reads back what it did.
pub(super) fn waves(guard: &GuardOptions) -> Vec<Share> {
    guard.waves.iter().map(|bound| share(*bound)).collect()
}

/// When the job's runs stop because of failures.
pub(super) fn breaker(guard: &GuardOptions) -> Breaker {
    match guard.breaker {
        Some(Bound::Percent(percent)) => Breaker {
            share: percent / 100.0,
            ..Breaker::default()
        },
        // A number is refused when the job is loaded.
        None | Some(Bound::Number(_)) => Breaker::default(),
    }
}
