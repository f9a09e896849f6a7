//! A connection of a job for one kind of entity: its vendor, the way to it, and what a run keeps of it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::exit::Refusal;
use crate::engine::{Embedded, Target, TargetSpec};
use crate::event::Events;
use crate::job::{Address, Connection, Job};
use crate::ledger::{Ledger, PlanTarget};
use crate::simulator;
use crate::transport::{self, Auth, HttpExec};
use crate::vendor::{Opened, Vendor};
use crate::wire::Exec;

/// What the gate learned is kept under this topic.
const GATE: &str = "gate";

/// A connection of a job, and what is looked for there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'j> {
    pub(super) job: &'j Job,
    pub(super) connection: &'j Connection,
    /// The vendor's word.
    pub(super) kind: &'j str,
}

impl<'j> Account<'j> {
    /// The job's target.
    pub(super) fn of_target(job: &'j Job) -> Self {
        Self::named(job, &job.target.connection, &job.target.kind)
    }

    /// A connection that the job is known to have: one that names another is refused when it is loaded.
    pub(super) fn named(job: &'j Job, name: &str, kind: &'j str) -> Self {
        Self {
            job,
            connection: &job.connections[name],
            kind,
        }
    }

    /// What a run keeps of it.
    pub(super) fn plan_target(self) -> anyhow::Result<PlanTarget> {
        let connection = self.connection;
        let url = match &connection.address {
            Address::Http(url) => url.as_str().trim_end_matches('/').to_owned(),
            Address::Simulator(state) => {
                let file = state.split('?').next().unwrap_or_default();
                format!("simulator:{}", absolute(&self.job.folder.join(file)).display())
            }
        };
        Ok(PlanTarget {
            connection: connection.name.clone(),
            vendor: self.vendor()?.spoken,
            url,
            tenant: connection.tenant.clone().unwrap_or_default(),
            kind: self.kind.to_owned(),
        })
    }

    /// The vendor as the job asks for it.
    pub(super) fn vendor(self) -> anyhow::Result<Opened> {
        let made = self.connection.vendor.open(self.kind);
        Ok(made.map_err(|error| self.refusal(&error))?)
    }

    /// What the job can't mean, with its file.
    pub(super) fn refusal(self, why: &impl ToString) -> Refusal {
        Refusal(format!("{}: {}", self.job.path.display(), why.to_string()))
    }

    /// Opens it: credentials are loaded, nothing is sent. What goes to the same account as `beside` goes the same way, so
    /// that both share one quota.
    pub(super) async fn open(
        self,
        vendor: Arc<dyn Vendor>,
        ledger: &Ledger,
        events: Events,
        beside: Option<&Target>,
    ) -> anyhow::Result<Target> {
        let plan = self.plan_target()?;
        let shared = beside.filter(|target| {
            let of = target.plan_target();
            of.url == plan.url && of.tenant == plan.tenant
        });
        let connection = match shared {
            Some(target) => Arc::clone(target.connection()),
            None => Arc::new(self.way(&plan, ledger, events.clone()).await?),
        };
        Ok(Target::new(TargetSpec {
            plan,
            vendor,
            connection,
            concurrency: self.connection.network.pace.most_in_flight(),
            events,
        }))
    }

    async fn way(
        self,
        plan: &PlanTarget,
        ledger: &Ledger,
        events: Events,
    ) -> anyhow::Result<transport::Connection> {
        let connection = self.connection;
        let (exec, auth) = self.exec().await?;
        let learned = ledger.learned(&plan.url, &plan.tenant, GATE).await?;
        let learned = learned.and_then(|text| serde_json::from_str(&text).ok());
        let network = &connection.network;
        Ok(transport::Connection::new(
            &plan.connection,
            exec,
            auth,
            network,
            learned,
            events,
        ))
    }

    async fn exec(self) -> anyhow::Result<(Arc<dyn Exec>, Auth)> {
        let connection = self.connection;
        let mut network = connection.network.clone();
        network.ca_cert = network.ca_cert.map(|path| self.job.folder.join(path));
        Ok(match &connection.address {
            Address::Simulator(state) => {
                let spec = simulator::Spec::from_url(&format!("simulator:{state}"), &self.job.folder)
                    .map_err(|error| Refusal(format!("connection `{}`: {error}", connection.name)))?;
                let name = connection.vendor.listed.name;
                let simulator = simulator::Vendor::of(name)
                    .with_context(|| format!("no simulator of `{name}`"))?
                    .open(&spec)
                    .context("opening the embedded simulator")?;
                let embedded = Embedded::new(simulator, connection.network.timeout.get());
                (Arc::new(embedded), Auth::NONE)
            }
            Address::Http(url) => {
                let exec = HttpExec::new(url, &network)?;
                (Arc::new(exec), self.auth().await?)
            }
        })
    }

    async fn auth(self) -> anyhow::Result<Auth> {
        let connection = self.connection;
        let credentials = match connection.credentials.clone() {
            Some(source) => {
                let loaded = source.load(&self.job.folder).await;
                let doing = || format!("connection `{}`: loading its credentials", connection.name);
                Some(loaded.with_context(doing)?)
            }
            None => None,
        };
        Ok(Auth::new(connection.vendor.listed.schemes, credentials.as_ref())?)
    }
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Keeps what the gate learned, for the next run.
pub(super) async fn keep_learned(target: &Target, ledger: &Ledger) -> anyhow::Result<()> {
    let PlanTarget { url, tenant, .. } = target.plan_target();
    let learned = serde_json::to_string(&target.connection().learned())?;
    Ok(ledger.learn(url, tenant, GATE, &learned).await?)
}
