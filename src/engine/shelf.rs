//! Live entities, put by while it is not yet known which of them the rows mean. Most carry the same tags as others, so each
//! tag is kept once.

use super::words::Words;
use crate::model::{LiveEntity, LiveTag, Provenance};

/// The entities, in the order in which they were seen.
#[derive(Debug)]
pub(super) struct Shelf {
    words: Words,
    entities: Vec<Shelved>,
}

/// One of them.
#[derive(Debug)]
struct Shelved {
    id: Box<str>,
    /// `None` where it is not told what it carries.
    tags: Option<Box<[(u32, Provenance)]>>,
}

impl Shelf {
    pub(super) fn new() -> Self {
        Self {
            words: Words::new(),
            entities: Vec::new(),
        }
    }

    /// Puts an entity by: its identifier and what it carries.
    pub(super) fn put(&mut self, live: &LiveEntity) {
        let words = &mut self.words;
        let mut tag = |live: &LiveTag| (words.tag_id(&live.tag), live.provenance);
        let tags = live.tags.as_ref();
        let tags = tags.map(|tags| tags.iter().map(&mut tag).collect());
        self.entities.push(Shelved {
            id: live.id.as_str().into(),
            tags,
        });
    }

    /// The entities again, without their names.
    pub(super) fn entities(&self) -> impl Iterator<Item = LiveEntity> {
        self.entities.iter().map(|shelved| LiveEntity {
            id: shelved.id.to_string(),
            name: None,
            tags: shelved
                .tags
                .as_ref()
                .map(|tags| tags.iter().map(|tag| self.tag(*tag)).collect()),
            handle: None,
        })
    }

    fn tag(&self, (id, provenance): (u32, Provenance)) -> LiveTag {
        LiveTag {
            tag: self.words.tag(u64::from(id)),
            provenance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tag;

    #[test]
    fn what_is_put_by_comes_back_but_for_the_name() {
        let tag = |key: &str, value: Option<&str>, provenance| LiveTag {
            tag: Tag::new(key, value),
            provenance,
        };
        let live = |id: &str, tags| LiveEntity {
            id: id.to_owned(),
            name: None,
            tags,
            handle: None,
        };
        let entities = [
            live(
                "H-1",
                Some(vec![
                    tag("env", Some("prod"), Provenance::Undecided),
                    tag("bare", None, Provenance::Manual),
                ]),
            ),
            live("H-2", None),
            live("H-3", Some(vec![tag("env", Some("prod"), Provenance::Automatic)])),
            live("H-4", Some(vec![])),
        ];
        let mut shelf = Shelf::new();
        for entity in &entities {
            shelf.put(&LiveEntity {
                name: Some("web".to_owned()),
                ..entity.clone()
            });
        }
        assert_eq!(shelf.entities().collect::<Vec<_>>(), entities);
    }
}
