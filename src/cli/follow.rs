//! What the commands about an earlier run share: a plan, and with `--apply` its apply.

use super::exit::Exit;
use super::loosen::LoosenArgs;
use super::results::{self, PlanArgs};
use super::session::Session;
use crate::engine::Source;
use crate::ledger::Follows;

/// What they take.
#[derive(Debug, clap::Args)]
pub(super) struct FollowArgs {
    /// Send the plan at once.
    #[arg(long)]
    pub(super) apply: bool,
    #[command(flatten)]
    loosen: LoosenArgs,
    /// Print the plan, or with --apply the outcomes, as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Plans, and applies the plan when that is asked for and no guard refuses it.
pub(super) async fn plan(
    session: &mut Session,
    source: Source,
    follows: Follows,
    args: &FollowArgs,
) -> anyhow::Result<Exit> {
    session.bounds = args.loosen.of(session.bounds);
    let planned = session.plan(source, Some(follows)).await?;
    if !args.apply || !planned.objections.is_empty() {
        results::plan(session, &planned, &PlanArgs::json(args.json)).await?;
        return Ok(if planned.objections.is_empty() {
            Exit::Done
        } else {
            Exit::Stopped
        });
    }
    let (summary, exit) = session.apply(planned.run, Some(planned.observed_at)).await?;
    results::outcomes(&session.ledger, planned.run, &summary, args.json).await?;
    Ok(exit)
}
