//! Asks the vendor, while a plan is made, whether what it would write is legal, where the vendor can be asked.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::EngineError;
use super::draft::Memo;
use super::gather::Gathering;
use super::observed::{Observed, Seen};
use super::target::Target;
use crate::ledger::RunLog;
use crate::model::{Action, Call, Class, Effect, Failure, Whole};

/// An entity with the call that would be made for it.
struct Asked {
    entity: u32,
    call: Call,
}

/// Bars every entity for which the vendor says that the call would be refused.
pub(super) async fn validate(
    target: &Target,
    log: &RunLog,
    gathering: &Gathering,
    observed: &mut Observed,
) -> Result<(), EngineError> {
    let mut memo = Memo::default();
    let mut asked = Vec::new();
    for (entity, want, live) in observed.found() {
        let actions = memo.actions(want, live.before, &gathering.words);
        if !actions.is_empty() {
            let id = live.id(entity, &gathering.entities);
            let call = call(target, id, live.tags > 0, actions);
            asked.push(Asked { entity, call });
        }
    }
    let answers = asked.into_iter().map(|asked| async move {
        let failure = objection(target, log, &asked.call).await?;
        Ok::<_, EngineError>((asked.entity, failure))
    });
    let answers: Vec<(u32, Option<Failure>)> = stream::iter(answers)
        .buffer_unordered(target.concurrency)
        .try_collect()
        .await?;
    for (entity, failure) in answers {
        if let Some(Failure { class, message }) = failure {
            observed.states[entity as usize].seen = Seen::Barred(class, message);
        }
    }
    Ok(())
}

/// What the vendor has against a call; nothing where it can't be asked.
async fn objection(target: &Target, log: &RunLog, call: &Call) -> Result<Option<Failure>, EngineError> {
    let Some(request) = target.vendor.validate(call) else {
        return Ok(None);
    };
    let request = request.map_err(|error| EngineError::Job(error.to_string()))?;
    let answer = match target.try_ask(&request, log, call.entities.len()).await? {
        Ok(answer) => answer,
        Err(reason) => return Ok(Some(Failure::new(Class::Illegal, reason))),
    };
    let effects = target
        .vendor
        .validated(call, &answer)
        .map_err(|error| target.bad_answer(&error))?;
    let failure = effects.into_iter().find_map(|effect| match effect {
        Effect::Done => None,
        Effect::Observe(why) => Some(Failure::new(Class::Illegal, why)),
        Effect::Failed(failure) => Some(failure),
    });
    Ok(failure)
}

fn call(target: &Target, id: &str, exists: bool, actions: &[Action]) -> Call {
    let of = |remove: bool| {
        let tags = actions.iter().filter(move |action| action.remove == remove);
        tags.map(|action| action.tag.clone()).collect::<Vec<_>>()
    };
    Call {
        kind: target.kind().to_owned(),
        entities: vec![id.to_owned()],
        add: of(false),
        remove: of(true),
        plain_add: false,
        wholes: vec![Whole {
            tags: of(false),
            exists,
            handle: None,
        }],
    }
}
