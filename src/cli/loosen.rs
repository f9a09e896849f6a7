//! Flags that loosen the guard for one plan.

use super::open;
use crate::guard::Bounds;
use crate::job::Bound;

/// What they are.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct LoosenArgs {
    /// Let this plan remove any number of tags; those that are replaced still count.
    #[arg(long)]
    allow_removals: bool,
    /// The most tags that this plan may remove or replace, in place of the job's: a number, or a share such as `50%`.
    #[arg(long, value_name = "BOUND")]
    max_changes: Option<Bound>,
}

impl LoosenArgs {
    /// The job's bounds with what was asked for.
    pub(super) fn of(self, bounds: Bounds) -> Bounds {
        let changes = self.max_changes.map(open::share).or(bounds.changes);
        let bounds = Bounds { changes, ..bounds };
        if self.allow_removals {
            bounds.allowing_removals()
        } else {
            bounds
        }
    }
}
