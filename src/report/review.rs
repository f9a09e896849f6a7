//! The changes of a plan grouped by their shape, each group with a sample that is the same whenever the plan is shown.
//!
//! The sample is the first in the order of the inventory of each different change of a group, and where these are few the
//! next entities that have them: it shows as many different changes as it has room for, and its rows are quickly found.

use std::collections::HashMap;

use serde::Serialize;

use super::rows::ReportError;
use crate::ledger::{Alike, Ledger, Named, Vocabulary};
use crate::shape::{self, Change, Group, Part};

/// What a plan would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Entities that would change.
    pub(super) changed: u64,
    /// By the shape of their change: exceptions first, then the larger ones first.
    pub(super) groups: Vec<GroupView>,
}

/// Entities whose changes have the same shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct GroupView {
    /// As people read it.
    pub(super) shape: String,
    pub(super) entities: u64,
    /// Whether it is rare in a plan that does something else to nearly all.
    pub(super) exception: bool,
    /// The shape key by key.
    pub(super) parts: Vec<Part>,
    pub(super) samples: Vec<Sample>,
}

/// An entity of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Sample {
    pub(super) entity: String,
    pub(super) name: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u64>,
    /// What is done to it, key by key.
    pub(super) changes: Vec<Part>,
}

/// Groups the changes of a run, whether they are settled or not, with at most so many samples of each group.
pub async fn review(ledger: &Ledger, run: i64, samples: usize) -> Result<Review, ReportError> {
    let alike = ledger.alike(run, samples.max(1)).await?;
    let vocabulary = Vocabulary::load_actions(ledger, run).await?;
    let change = |n: usize| {
        let Alike {
            changes,
            entities,
            first,
        } = &alike[n];
        Change {
            actions: changes
                .iter()
                .flat_map(|change| vocabulary.actions(*change))
                .collect(),
            entities: *entities,
            first: first[0],
        }
    };
    let groups = shape::groups(alike.len(), change, samples);
    drop(vocabulary);
    let chosen: Vec<Vec<(u32, &[Part])>> = groups
        .iter()
        .map(|group| chosen(group, &alike, samples))
        .collect();
    let entities: Vec<u32> = chosen.iter().flatten().map(|(entity, _)| *entity).collect();
    let named = ledger.named(run, &entities).await?;
    let shape = |(group, chosen): (&Group, &Vec<(u32, &[Part])>)| GroupView {
        shape: group.to_string(),
        entities: group.entities,
        exception: group.is_exception,
        parts: group.parts.clone(),
        samples: chosen.iter().filter_map(|one| sample(*one, &named)).collect(),
    };
    Ok(Review {
        changed: groups.iter().map(|group| group.entities).sum(),
        groups: groups.iter().zip(&chosen).map(shape).collect(),
    })
}

/// The entities of a group's sample with what is done to each: the first of each change, then the second of each.
fn chosen<'a>(group: &'a Group, alike: &[Alike], samples: usize) -> Vec<(u32, &'a [Part])> {
    let of_rank = |rank: usize| {
        let members = group.members.iter();
        members.filter_map(move |member| Some((*alike[member.change].first.get(rank)?, &*member.parts)))
    };
    (0..samples).flat_map(of_rank).take(samples).collect()
}

fn sample((entity, parts): (u32, &[Part]), named: &HashMap<u32, Named>) -> Option<Sample> {
    let Named { id, name, origin } = named.get(&entity)?;
    Some(Sample {
        entity: id.clone(),
        name: name.clone(),
        file: origin.as_ref().map(|origin| origin.file.to_string()),
        line: origin.as_ref().map(|origin| origin.line),
        changes: parts.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[tokio::test]
    async fn entities_of_a_run_are_grouped_with_a_sample_of_those_that_come_first() {
        let stored = testing::stored_run().await;
        let review = async |samples| super::review(&stored.ledger, stored.run, samples).await.unwrap();
        let two = review(2).await;
        let told = |shape: &GroupView| (shape.shape.clone(), shape.entities, shape.exception);
        assert_eq!(two.changed, 5);
        let shapes: Vec<_> = two.groups.iter().map(told).collect();
        assert_eq!(shapes, [("+env=prod, +owner=team-a".to_owned(), 5, false)]);
        let samples: Vec<_> = two.groups[0].samples.iter().collect();
        let places: Vec<_> = samples
            .iter()
            .map(|one| (&*one.entity, one.name.as_deref(), one.file.as_deref(), one.line))
            .collect();
        let file = Some("hosts.csv");
        assert_eq!(
            places,
            [
                ("HOST-1", Some("web-01"), file, Some(2)),
                ("HOST-2", Some("web-02"), file, Some(3))
            ]
        );
        assert_eq!(samples[0].changes, two.groups[0].parts);
        assert_eq!(review(2).await, two);
        assert_eq!(review(0).await.groups[0].samples, []);
        assert_eq!(review(9).await.groups[0].samples.len(), 5);
        let empty = testing::empty_run().await;
        assert_eq!(
            super::review(&empty.ledger, empty.run, 3).await.unwrap(),
            Review::default()
        );
    }
}
