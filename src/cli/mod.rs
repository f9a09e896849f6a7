//! The command line: one file a subcommand. The only room that prints or decides exit codes.

mod abandon;
mod account;
mod apply;
mod check;
mod completions;
mod exit;
mod export;
mod follow;
mod lock;
mod loosen;
mod man;
mod open;
mod partial;
mod plan;
mod print;
mod replace;
mod report;
mod results;
mod retry;
mod review;
mod run;
mod schema;
mod session;
mod show;
mod signals;
pub mod simulate;
mod status;
mod undo;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

pub use exit::Exit;

/// Moves tags in bulk: reads an inventory, compares it with what is live at a vendor, sends the difference at the pace
/// that the vendor allows, and accounts for every row.
#[derive(Debug, Parser)]
#[command(name = "tagferry", version, about, arg_required_else_help = true, after_help = exit::HELP)]
pub struct Cli {
    /// The SQLite file of plans and outcomes [default: `$XDG_STATE_HOME/tagferry/ledger.db`].
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TAGFERRY_LEDGER",
        hide_env_values = true
    )]
    ledger: Option<PathBuf>,
    /// Show no progress; only results and why a connection halted.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "made once a process")]
enum Command {
    /// Look at a job and its inventory, without the network.
    Check(check::Args),
    /// Read, map, observe and compare; save the plan and show it.
    Plan(plan::Args),
    /// Show a saved plan again.
    Show(show::Args),
    /// Carry out a saved plan; the same command resumes it.
    Apply(apply::Args),
    /// Plan and apply, unattended; goes on with an interrupted run first.
    Run(run::Args),
    /// Where runs stand.
    Status(status::Args),
    /// Every row of a run and what became of it.
    Report(report::Args),
    /// Write the missing and ambiguous entities of a run to a file, to decide on them.
    Review(review::Args),
    /// Write a vendor's live tags down as an inventory.
    Export(export::Args),
    /// Plan the failed and unknown operations of a run again.
    Retry(retry::Args),
    /// Plan what takes a run back, where it still is as the run left it.
    Undo(undo::Args),
    /// Read back what a run left, and tell what differs.
    Verify(verify::Args),
    /// Close a run that shall not go on.
    Abandon(abandon::Args),
    /// Serve a vendor's API on this machine, for trying jobs out.
    Simulate(simulate::Args),
    /// Print the JSON Schema of job files.
    Schema,
    /// Print completions for a shell.
    Completions(completions::Args),
    /// Print the manual page.
    Man,
}

/// The signal for a file that would outgrow `ulimit -f`; its number on Linux (but MIPS and PA-RISC), macOS and the BSDs.
const SIGXFSZ: i32 = 25;

/// What every subcommand may ask.
#[derive(Debug)]
struct Settings {
    ledger: Option<PathBuf>,
    quiet: bool,
}

/// Runs the command line of this process to its end.
pub fn main() -> ExitCode {
    let Cli {
        ledger,
        quiet,
        command,
    } = Cli::parse();
    let settings = Settings { ledger, quiet };
    // One thread for the engine and its connections: handing each request to another costs more than it gains, since SQLite
    // and what reads inventories have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&anyhow::Error::new(error).context("starting the runtime")).into(),
    };
    let ended = runtime.block_on(dispatch(command, &settings));
    // A thread that still reads an inventory after an interruption must not hold the process.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => exit::report(&error).into(),
    }
}

async fn dispatch(command: Command, settings: &Settings) -> anyhow::Result<Exit> {
    // Heard and left alone, since its default is to kill without a word: the write fails, and its error is told. When it
    // can't be heard, no more is lost than by any kill.
    let _heard = signal(SignalKind::from_raw(SIGXFSZ));
    match command {
        Command::Check(args) => check::run(args, settings).await,
        Command::Plan(args) => plan::run(args, settings).await,
        Command::Show(args) => show::run(args, settings).await,
        Command::Apply(args) => apply::run(args, settings).await,
        Command::Run(args) => run::run(args, settings).await,
        Command::Status(args) => status::run(args, settings).await,
        Command::Report(args) => report::run(args, settings).await,
        Command::Review(args) => review::run(args, settings).await,
        Command::Export(args) => export::run(args, settings).await,
        Command::Retry(args) => retry::run(args, settings).await,
        Command::Undo(args) => undo::run(args, settings).await,
        Command::Verify(args) => verify::run(args, settings).await,
        Command::Abandon(args) => abandon::run(args, settings).await,
        Command::Simulate(args) => simulate::run(args).await.map(|()| Exit::Done),
        Command::Schema => schema::run(),
        Command::Completions(args) => completions::run(&args),
        Command::Man => man::run(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_can_be_parsed() {
        Cli::command().debug_assert();
    }
}
