//! Deletes tags that a run has taken off and that nothing carries any more, where the connection asks for that.

use std::collections::BTreeSet;

use super::EngineError;
use super::apply::Run;
use crate::event::Event;
use crate::model::Tag;

impl Run<'_> {
    /// Tries each tag that was removed once. A tag that is still carried somewhere stays; so does everything when the
    /// vendor can't be reached: nothing that the job asks for depends on it.
    pub(super) async fn tidy(&self, removed: &BTreeSet<Tag>) -> Result<(), EngineError> {
        for tag in removed {
            let Some(request) = self.target.vendor.tidy(tag) else {
                return Ok(());
            };
            let request = request.map_err(|error| EngineError::Job(error.to_string()))?;
            let kept = match self.target.try_ask(&request, &self.log, 0).await {
                Ok(Ok(_)) => continue,
                Ok(Err(reason)) | Err(EngineError::Stopped { reason, .. }) => reason,
                Err(error) => return Err(error),
            };
            let message = format!("the unused tag `{tag}` was not deleted: {kept}");
            self.target.events.tell(Event::Noticed { message });
            if self.must_stop() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The tags that are off some entity now, by this run or before it.
    pub(super) fn removed(&self) -> BTreeSet<Tag> {
        let mut seen = BTreeSet::new();
        let mut removed = BTreeSet::new();
        for line in &self.lines {
            let gone = line.good.get() & self.change(line).removes;
            if gone == 0 || !seen.insert((line.of.change, gone)) {
                continue;
            }
            let actions = self.actions(line).into_iter().enumerate();
            removed.extend(
                actions
                    .filter(|(bit, _)| gone >> bit & 1 == 1)
                    .map(|(_, action)| action.tag),
            );
        }
        removed
    }
}
