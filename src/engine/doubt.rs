//! Settles by observing what an answer could not tell, with patience for writes that become visible late.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::EngineError;
use super::apply::{GONE, Run};
use super::change::bits_where;
use super::wave::Doubt;
use crate::ledger::{Settlement, Verdict};
use crate::model::{Class, Failure, LiveEntity, Outcome, Tag};

/// How long a round waits for its writes to become visible before what is missing is sent again: 30 seconds in all. So
/// many rounds that a vendor which fails every twentieth write loses hardly one in a million.
const PATIENCE: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(8),
    Duration::from_secs(14),
];

/// The first wait between two looks; each further one is twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(250);

impl Run<'_> {
    /// Looks until everything in doubt is done, or patience ends. What is not found is left open to be sent again; after
    /// the last round it fails with the reason for which it was in doubt.
    pub(super) async fn settle_doubts(&self, mut doubts: Vec<Doubt>) -> Result<(), EngineError> {
        let began = tokio::time::Instant::now();
        let mut wait = FIRST_LOOK;
        while !doubts.is_empty() {
            let looked = match self.look(&doubts).await {
                Ok(looked) => looked,
                Err(EngineError::Stopped { reason, .. }) => return self.give_up(doubts, &reason).await,
                Err(error) => return Err(error),
            };
            doubts = self.settle_looked(doubts, &looked).await?;
            let patience = doubts
                .iter()
                .map(|doubt| PATIENCE[self.round(doubt.place)])
                .max()
                .unwrap_or_default();
            if doubts.is_empty() || began.elapsed() + wait > patience || self.must_stop() {
                break;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        self.end_round(doubts).await
    }

    fn round(&self, place: usize) -> usize {
        self.lines[place].round.get().min(PATIENCE.len() - 1)
    }

    /// What is live of each entity in doubt; nothing where the vendor does not tell.
    async fn look(&self, doubts: &[Doubt]) -> Result<HashMap<String, Option<BTreeSet<Tag>>>, EngineError> {
        let ids: BTreeSet<&str> = doubts
            .iter()
            .map(|doubt| &*self.lines[doubt.place].of.id)
            .collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let mut live = HashMap::with_capacity(ids.len());
        let mut see = |entity: LiveEntity| {
            if ids.binary_search(&entity.id.as_str()).is_ok() {
                live.insert(entity.id.clone(), entity.carried());
            }
        };
        self.observer().told(&ids, &mut see).await?;
        Ok(live)
    }

    /// Settles what was found done and what is gone; gives back the rest.
    async fn settle_looked(
        &self,
        doubts: Vec<Doubt>,
        live: &HashMap<String, Option<BTreeSet<Tag>>>,
    ) -> Result<Vec<Doubt>, EngineError> {
        let mut settled = Vec::new();
        let mut left = Vec::new();
        for doubt in doubts {
            let line = &self.lines[doubt.place];
            // Where entities are made and deleted, one that is not there carries nothing.
            let bare = (self.limits.creations > 0).then(|| Some(BTreeSet::new()));
            match live.get(&*line.of.id).cloned().or(bare) {
                None => {
                    let verdict = Verdict::failed(Class::Missing, GONE);
                    settled.push(self.settlement(&doubt, doubt.bits, verdict));
                }
                Some(None) => left.push(doubt),
                Some(Some(tags)) => {
                    let tags = self.as_known(line, tags);
                    let actions = self.actions(line);
                    let done = bits_where(&actions, |action| tags.contains(&action.tag) != action.remove)
                        & doubt.bits;
                    if done != 0 {
                        settled.push(self.settlement(&doubt, done, Verdict::Done));
                    }
                    if doubt.bits & !done != 0 {
                        left.push(Doubt {
                            bits: doubt.bits & !done,
                            ..doubt
                        });
                    }
                }
            }
        }
        self.commit(settled).await?;
        Ok(left)
    }

    /// What is still not visible goes round again, or fails after the last round.
    async fn end_round(&self, doubts: Vec<Doubt>) -> Result<(), EngineError> {
        if self.must_stop() {
            return Ok(()); // Everything in doubt stays open; the next apply looks first.
        }
        let mut settled = Vec::new();
        for doubt in doubts {
            let round = &self.lines[doubt.place].round;
            round.set(round.get() + 1);
            if round.get() >= PATIENCE.len() {
                settled.extend(self.last_verdict(doubt).await?);
            }
        }
        self.commit(settled).await
    }

    /// What did not come about fails with the reason for the doubt; a tag that refuses to go may also be a rule's.
    async fn last_verdict(&self, doubt: Doubt) -> Result<Vec<(usize, Settlement)>, EngineError> {
        let line = &self.lines[doubt.place];
        let removes = self.change(line).removes & doubt.bits;
        let mut settled = Vec::new();
        let Failure { class, message } = doubt.failure.clone();
        let times = PATIENCE.len();
        if doubt.bits & !removes != 0 {
            let why = format!("{message}; it was sent {times} times and can't be seen there");
            settled.push(self.settlement(&doubt, doubt.bits & !removes, Verdict::failed(class, why)));
        }
        if removes != 0 {
            let manual = match self.manual_tags(&line.of.id).await {
                Err(EngineError::Stopped { reason, .. }) if !self.must_stop() => {
                    let why = format!("{message}; and asking whose the tag is failed: {reason}");
                    let verdict = Verdict::Other(Outcome::Unknown, Failure::new(class, why));
                    settled.push(self.settlement(&doubt, removes, verdict));
                    return Ok(settled);
                }
                asked => asked?,
            };
            // Where the vendor can't be asked, nothing says that a rule makes the tag.
            let is_manual = |tag: &Tag| manual.as_ref().is_none_or(|manual| manual.0.contains(tag));
            let kept = bits_where(&self.actions(line), |action| is_manual(&action.tag)) & removes;
            if kept != 0 {
                let why = format!("{message}; it was sent {times} times and the vendor still shows the tag");
                let verdict = Verdict::failed(class, why);
                settled.push(self.settlement(&doubt, kept, verdict));
            }
            if removes & !kept != 0 {
                let verdict = Verdict::failed(
                    Class::Automatic,
                    "a rule of the vendor makes this tag; it can't be removed",
                );
                settled.push(self.settlement(&doubt, removes & !kept, verdict));
            }
        }
        Ok(settled)
    }

    /// Observing failed, so that nobody can say what the calls did.
    async fn give_up(&self, doubts: Vec<Doubt>, reason: &str) -> Result<(), EngineError> {
        if self.must_stop() {
            return Ok(());
        }
        let unknown = |doubt: &Doubt| {
            let why = format!("{}; and observing it failed: {reason}", doubt.failure.message);
            let failure = Failure::new(doubt.failure.class, why);
            self.settlement(doubt, doubt.bits, Verdict::Other(Outcome::Unknown, failure))
        };
        self.commit(doubts.iter().map(unknown).collect()).await
    }

    fn settlement(&self, doubt: &Doubt, bits: u64, verdict: Verdict) -> (usize, Settlement) {
        (
            doubt.place,
            Settlement {
                line: self.lines[doubt.place].bits(bits),
                verdict,
            },
        )
    }
}
