//! `tagferry simulate`: serves a vendor's API on loopback.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::simulator::{Spec, VENDORS, Vendor, serve};

/// The word for every vendor at once.
const ALL: &str = "all";

/// What `tagferry simulate` is told. Options left out are as in a `simulator:` URL, except that credentials are required.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The vendor to simulate; `all` serves each on a port of its own, with a state file of its own
    #[arg(value_parser = PossibleValuesParser::new(VENDORS.iter().map(|vendor| vendor.name).chain([ALL])))]
    vendor: String,
    /// Address to listen on; loopback only, port 0 for any free one. With `all`, the first of as many ports as vendors
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    listen: SocketAddr,
    #[command(flatten)]
    entities: EntityArgs,
    #[command(flatten)]
    behaviour: BehaviourArgs,
}

/// What entities there are.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Entities")]
struct EntityArgs {
    /// File that keeps everything; made when absent. Without it nothing is kept
    #[arg(long, value_name = "FILE", value_parser = option("state"))]
    state: Option<String>,
    /// How many entities to generate [default: 1000]
    #[arg(long, value_name = "N", value_parser = option("entities"), conflicts_with = "inventory")]
    entities: Option<String>,
    /// What generated entities follow from [default: 1]
    #[arg(long, value_name = "N", value_parser = option("seed"))]
    seed: Option<String>,
    /// Kinds of the entities, in turn, with commas [default: `HOST` at Dynatrace, `JaaS` at Oracle PaaS, `group` at Ops
    /// Manager, `project` at Atlas, which also knows `cluster`]
    #[arg(long, value_name = "KIND", value_parser = option("kind"))]
    kind: Option<String>,
    /// What entities carry from the beginning: some or none
    #[arg(long, value_name = "WORD", value_parser = option("tags"))]
    tags: Option<String>,
    /// Dynatrace: share of the entities that were not seen for a day; at Atlas, of clusters that are paused
    #[arg(long, value_name = "SHARE", value_parser = option("stale"))]
    stale: Option<String>,
    /// How many auto-tags to generate, for Dynatrace alone [default: 0]
    #[arg(long, value_name = "N", value_parser = option("auto-tags"))]
    auto_tags: Option<String>,
    /// CSV or JSON file to make one entity for each row of
    #[arg(long, value_name = "FILE", value_parser = option("inventory"))]
    inventory: Option<String>,
    /// Field of the inventory that holds the name
    #[arg(long, value_name = "FIELD", value_parser = option("name"), requires = "inventory")]
    name: Option<String>,
    /// Field of the inventory that holds the identifier; for Oracle PaaS `TYPE/NAME`
    #[arg(long, value_name = "FIELD", value_parser = option("id"), requires = "inventory")]
    id: Option<String>,
    /// Key of the list in a JSON inventory
    #[arg(long, value_name = "KEY", value_parser = option("items"), requires = "inventory")]
    items: Option<String>,
    /// Dynatrace: whether rows of one name are one entity: merge or keep [default: merge]
    #[arg(long, value_name = "WORD", value_parser = option("duplicates"), requires = "inventory")]
    duplicates: Option<String>,
}

/// How the simulator behaves.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Behaviour")]
struct BehaviourArgs {
    /// Whether credentials must be sent: on or off. Without --token-env Dynatrace and Oracle PaaS take any well-formed ones,
    /// and MongoDB the public key `public` with the private key `private`
    #[arg(long, value_name = "WORD", value_parser = option("auth"), default_value = "on")]
    auth: String,
    /// Environment variable that holds the only credentials to accept: a token, `user:password` for Oracle PaaS, or
    /// `PUBLIC_KEY:PRIVATE_KEY` for MongoDB
    #[arg(long, value_name = "VARIABLE", value_parser = option("token-env"))]
    token_env: Option<String>,
    /// Only tenant to accept: the identity domain for Oracle PaaS; the others have none
    #[arg(long, value_name = "NAME", value_parser = option("tenant"))]
    tenant: Option<String>,
    /// What the caller lacks, with commas: scopes of a token, or at MongoDB roles, `group:ID` and `access-list`
    #[arg(long, value_name = "SCOPE", value_parser = option("missing-scopes"))]
    missing_scopes: Option<String>,
    /// How long each answer takes, such as 20ms
    #[arg(long, value_name = "DURATION", value_parser = option("latency"))]
    latency: Option<String>,
    /// How long a change stays invisible to reads
    #[arg(long, value_name = "DURATION", value_parser = option("visibility"))]
    visibility: Option<String>,
    /// How long a nonce of MongoDB's digest authentication can be used [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = option("nonce-life"))]
    nonce_life: Option<String>,
    /// How long an access token of MongoDB Atlas can be used [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = option("token-life"))]
    token_life: Option<String>,
    /// Largest page of a listing [default: 500]
    #[arg(long, value_name = "N", value_parser = option("max-page"))]
    max_page: Option<String>,
    /// Largest body in bytes [default: 1000000]
    #[arg(long, value_name = "N", value_parser = option("max-body"))]
    max_body: Option<String>,
    /// How to throttle: `pool,workers=4,queue=8,service=20ms`, `window,limit=50,per=60s,unit=us|ms|s`,
    /// `plain,limit=50,per=60s`, and for MongoDB `group-window,limit=100,per=60s` and
    /// `bucket,capacity=1200,refill=1200,per=60s,headers=on|off`; each also with `retry-after=none|seconds|date` and
    /// `body=envelope|empty|html`
    #[arg(long, value_name = "THROTTLE", value_parser = option("throttle"))]
    throttle: Option<String>,
    /// What goes wrong, such as `lost-ack,share=0.1,method=POST,path=/tags,after=5,count=3`; may be given repeatedly
    ///
    /// Known are `reset`, `timeout`, `lost-ack`, `hang`, `lost-reply`, `error`, `truncated`, `garbage`, `slow` and
    /// `stale-cursor`; `error` and `lost-reply` take `status=` and `retry-after=`, `slow` takes `delay=`.
    #[arg(long = "fault", value_name = "FAULT", value_parser = option("fault"))]
    faults: Vec<String>,
    /// What the faults' dice start from
    #[arg(long, value_name = "N", value_parser = option("fault-seed"))]
    fault_seed: Option<String>,
    /// What the vendor's documentation leaves open, such as `missing-tag=400`; may be given repeatedly
    #[arg(long = "switch", value_name = "NAME=WORD", value_parser = switch)]
    switches: Vec<(String, String)>,
}

/// Checks the value of an option of the simulator where it is typed, and hands it on as text.
fn option(name: &'static str) -> impl TypedValueParser<Value = String> {
    clap::builder::StringValueParser::new()
        .try_map(move |value| Spec::default().set(name, &value).map(|()| value))
}

fn switch(text: &str) -> Result<(String, String), String> {
    let (name, word) = text.split_once('=').ok_or("use `NAME=WORD`")?;
    let known: Vec<&str> = VENDORS
        .iter()
        .flat_map(|vendor| vendor.switches)
        .copied()
        .collect();
    if !known.contains(&name) {
        return Err(format!("no such switch; known are {}", known.join(", ")));
    }
    Spec::default().set(name, word).map_err(|why| why.to_string())?;
    Ok((name.to_owned(), word.to_owned()))
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "use an address such as `127.0.0.1:8080`")?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only loopback addresses are served".to_owned())
    }
}

impl Args {
    fn spec(&self) -> anyhow::Result<Spec> {
        let Self {
            vendor: _,
            listen: _,
            entities,
            behaviour,
        } = self;
        let given = entities.options().into_iter().chain(behaviour.options());
        let given = given.filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let repeated = behaviour.faults.iter().map(|fault| ("fault", &**fault));
        let switches = behaviour.switches.iter().map(|(name, word)| (&**name, &**word));
        let mut spec = Spec {
            base_dir: PathBuf::from("."),
            ..Spec::default()
        };
        spec.set("auth", &behaviour.auth)?;
        for (name, value) in given.chain(repeated).chain(switches) {
            spec.set(name, value)?;
        }
        Ok(spec)
    }
}

impl EntityArgs {
    fn options(&self) -> [(&'static str, &Option<String>); 12] {
        let Self {
            state,
            entities,
            seed,
            kind,
            tags,
            stale,
            auto_tags,
            inventory,
            name,
            id,
            items,
            duplicates,
        } = self;
        [
            ("state", state),
            ("entities", entities),
            ("seed", seed),
            ("kind", kind),
            ("tags", tags),
            ("stale", stale),
            ("auto-tags", auto_tags),
            ("inventory", inventory),
            ("name", name),
            ("id", id),
            ("items", items),
            ("duplicates", duplicates),
        ]
    }
}

impl BehaviourArgs {
    fn options(&self) -> [(&'static str, &Option<String>); 11] {
        [
            ("token-env", &self.token_env),
            ("tenant", &self.tenant),
            ("missing-scopes", &self.missing_scopes),
            ("latency", &self.latency),
            ("visibility", &self.visibility),
            ("nonce-life", &self.nonce_life),
            ("token-life", &self.token_life),
            ("max-page", &self.max_page),
            ("max-body", &self.max_body),
            ("throttle", &self.throttle),
            ("fault-seed", &self.fault_seed),
        ]
    }
}

/// Serves until SIGTERM or SIGINT. Once a vendor is listened for, one line with its URL is printed.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let spec = args.spec()?;
    let mut serving = JoinSet::new();
    let (stop, stopped) = watch::channel(());
    // Whoever reads the lines may send a signal at once.
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    for (vendor, spec, address) in served(&args, &spec) {
        let simulator = tokio::task::spawn_blocking(move || vendor.open(&spec)).await??;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("can't listen on {address}; try another port"))?;
        announce(vendor.name, listener.local_addr()?)?;
        let mut stopped = stopped.clone();
        serving.spawn(serve(simulator, listener, async move {
            drop(stopped.changed().await);
        }));
    }
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    drop(stop);
    while let Some(ended) = serving.join_next().await {
        ended??;
    }
    Ok(())
}

/// Each vendor to serve, with what it is made of and where it listens.
fn served(args: &Args, spec: &Spec) -> Vec<(Vendor, Spec, SocketAddr)> {
    if let Some(vendor) = Vendor::of(&args.vendor) {
        return vec![(vendor, spec.clone(), args.listen)];
    }
    let one = |(n, vendor): (u16, &Vendor)| {
        let mut spec = spec.clone();
        if let Some(state) = &mut spec.state {
            state.as_mut_os_string().push(format!(".{}", vendor.name));
        }
        let mut address = args.listen;
        if address.port() != 0 {
            address.set_port(address.port().saturating_add(n));
        }
        (*vendor, spec, address)
    };
    (0..).zip(VENDORS).map(one).collect()
}

fn announce(vendor: &str, address: SocketAddr) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "simulator: {vendor} listening on http://{address}")?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Spec, String> {
        let words = ["simulate", "dynatrace"]
            .into_iter()
            .chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        line.args.spec().map_err(|error| error.to_string())
    }

    #[test]
    fn flags_say_what_a_url_says() {
        let flags = "--state s.db --entities 5 --seed 7 --latency 20ms --throttle window,limit=5,per=1s --fault reset,count=1 --fault slow --switch count=changed --switch missing-tag=400 --missing-scopes DataExport --tenant x --switch not-assigned=200";
        let url = "simulator:s.db?entities=5&seed=7&latency=20ms&throttle=window,limit=5,per=1s&fault=reset,count=1&fault=slow&count=changed&missing-tag=400&missing-scopes=DataExport&tenant=x&not-assigned=200&auth=on";
        let want = Spec::from_url(url, std::path::Path::new(".")).unwrap();
        assert_eq!(parse(flags), Ok(want));
    }

    #[test]
    fn credentials_are_required_unless_told() {
        assert!(parse("").unwrap().access.required);
        assert!(!parse("--auth off").unwrap().access.required);
    }

    #[test]
    fn what_is_wrong_is_said_where_it_was_typed() {
        for (line, part) in [
            ("--listen 0.0.0.0:80", "only loopback addresses are served"),
            ("--listen here", "use an address such as"),
            ("--latency soon", "use a duration such as"),
            ("--switch colour=red", "no such switch; known are missing-tag"),
            ("--switch count", "use `NAME=WORD`"),
            ("--fault flood", "`lost-ack`"),
            ("--name host", "--inventory"),
            ("--inventory a.csv --entities 5", "cannot be used with"),
        ] {
            let why = parse(line).unwrap_err();
            assert!(why.contains(part), "{line}: {why}");
        }
    }
}
