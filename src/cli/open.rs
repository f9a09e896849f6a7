//! From a job to what the engine works with: ledger, target, source, bounds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use anyhow::Context;

use super::Settings;
use super::account::Account;
use super::exit::Refusal;
use crate::engine::{Beside, DecisionFile, Dwell, Live, LookupFile, Source, Target};
use crate::event::Events;
use crate::guard::{Bounds, Breaker, Share};
use crate::inventory::{self, Inventory, InventoryError};
use crate::job::{self, Bound, GuardOptions, Job};
use crate::ledger::{self, Ledger};
use crate::model::{Grain, Limits, Listing, TagRules};
use crate::select::Filter;
use crate::transport::Rate;
use crate::vendor;

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

/// The pace of the job's target, where a rate is given.
pub(super) fn rate(job: &Job) -> Option<Rate> {
    Account::of_target(job).connection.network.pace.rate
}

/// The vendor of the job's target.
pub(super) fn vendor(job: &Job) -> anyhow::Result<Arc<dyn vendor::Vendor>> {
    let account = Account::of_target(job);
    let vendor = account.vendor()?.vendor;
    let limits = vendor
        .limits(account.kind)
        .map_err(|error| account.refusal(&error))?;
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
        _ if limits.lists != Listing::Whole && job.looks_for_entities() => format!(
            "this vendor lists no {kind}, so that names and matches can't be resolved: use `entity` alone in [target]"
        ),
        _ => return Ok(()),
    };
    Err(Refusal(format!("{}: {wrong}", job.path.display())))
}

/// Opens the job's target: credentials are loaded, nothing is sent.
pub(super) async fn target(job: &Job, ledger: &Ledger, events: Events) -> anyhow::Result<Target> {
    Account::of_target(job)
        .open(vendor(job)?, ledger, events, None)
        .await
}

/// The vendor of a listing, or why its entities can't be listed.
pub(super) fn listing_vendor(
    account: Account<'_>,
    filter: &Filter,
) -> anyhow::Result<Arc<dyn vendor::Vendor>> {
    let vendor = account.vendor()?.vendor;
    let limits = vendor
        .limits(account.kind)
        .map_err(|error| account.refusal(&error))?;
    if limits.lists == Listing::No {
        let why = format!(
            "`{}` can't be read from `{}`: this vendor lists none of that kind; use an inventory of identifiers",
            account.kind, account.connection.name
        );
        return Err(account.refusal(&why).into());
    }
    if let Some(selector) = filter.selector() {
        let legal = vendor.check_selector(account.kind, selector);
        legal.map_err(|why| account.refusal(&format!("`selector`: {why}")))?;
    }
    if limits.grain == Grain::Document && !filter.tags().is_empty() {
        let why = format!(
            "`{}` is a definition and carries no tags: choose by name",
            account.kind
        );
        return Err(account.refusal(&why).into());
    }
    Ok(Arc::from(vendor))
}

/// Opens the job's source: its files, or the connection that is read. Nothing is sent yet.
pub(super) async fn source(
    job: &Job,
    target: &Target,
    ledger: &Ledger,
    events: Events,
) -> anyhow::Result<(Source, Option<Arc<Target>>)> {
    let live = match &job.source {
        job::Source::Files(files) => return Ok((files_of(job, files)?, None)),
        job::Source::Live(live) => live,
    };
    let account = Account::named(job, &live.connection, &live.kind);
    let vendor = listing_vendor(account, &live.filter)?;
    let source = Arc::new(account.open(vendor, ledger, events, Some(target)).await?);
    let live = Live::new(Arc::clone(&source), live.filter.clone());
    let mapper = Box::new(job.mapper.clone());
    Ok((Source::Live(Box::new(live), mapper, beside(job)?), Some(source)))
}

/// Opens an inventory, and the files that are read before it.
pub(super) fn files_of(job: &Job, files: &inventory::Options) -> anyhow::Result<Source> {
    let inventory = inventory::open(files, &job.folder)?;
    Ok(Source::Inventory(
        Box::new(inventory),
        Box::new(job.mapper.clone()),
        beside(job)?,
    ))
}

/// Opens the files that are read before the rows are.
fn beside(job: &Job) -> anyhow::Result<Beside> {
    Ok(Beside {
        lookups: lookups(job)?,
        decisions: decisions(job)?,
    })
}

/// Opens the file of decisions. It need not be there, and is empty before somebody writes it.
fn decisions(job: &Job) -> anyhow::Result<Option<DecisionFile>> {
    let Some(name) = &job.target.decisions else {
        return Ok(None);
    };
    let inventory = decision_table(name, &job.folder).context("the file of decisions")?;
    Ok(Some(DecisionFile {
        name: name.clone(),
        inventory: inventory.map(Box::new),
    }))
}

/// A file of decisions as a table; `None` where it is not there or holds nothing.
pub(super) fn decision_table(name: &str, folder: &Path) -> Result<Option<Inventory>, InventoryError> {
    let is_there = match fs::metadata(folder.join(name)) {
        Ok(found) => !found.is_file() || found.len() > 0,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    };
    let options = inventory::Options {
        file: name.to_owned(),
        ..inventory::Options::default()
    };
    is_there.then(|| inventory::open(&options, folder)).transpose()
}

/// Opens the files that the job's templates look keys up in.
fn lookups(job: &Job) -> anyhow::Result<Vec<LookupFile>> {
    let lookup = |(name, options): (&String, &inventory::Options)| -> anyhow::Result<LookupFile> {
        let opened = inventory::open(options, &job.folder);
        Ok(LookupFile {
            name: name.clone(),
            inventory: Box::new(opened.with_context(|| format!("lookup `{name}`"))?),
        })
    };
    job.lookups.iter().map(lookup).collect()
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

/// How long the job's replaced keys stay, where it says so.
pub(super) fn dwell(job: &Job) -> Option<Dwell> {
    let mut dwell = Dwell {
        length: job.target.dwell?,
        ..Dwell::default()
    };
    for tag in &job.mapping.tags {
        if let Some(replaced) = &tag.replaces {
            let by = dwell.replaced.entry(replaced.trim().to_owned()).or_default();
            by.insert(tag.key.trim().to_owned());
        }
    }
    Some(dwell)
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
