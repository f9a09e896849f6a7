//! The entities that a selector matches within a time frame.

use std::borrow::Cow;

use super::super::tag_index::TagId;
use super::selector::{Comparison, Criterion, NameTest, Selector};
use super::switches::BareTag;
use super::tag_text::{CONTEXTLESS, TagPattern};
use super::time_frame::TimeFrame;
use super::world::{EntityIndex, World};

/// Whether tags are seen as a read sees them, or as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// As a read at this moment sees them, with the delay of visibility.
    Read(i64),
    /// As they are.
    Write,
}

/// A selector made ready for a world.
#[derive(Debug)]
pub(super) struct Selection<'w> {
    kind: String,
    world: &'w World,
    view: View,
    frame: TimeFrame,
    candidates: Cow<'w, [EntityIndex]>,
    tests: Vec<Test>,
}

#[derive(Debug)]
enum Test {
    Entities(Vec<EntityIndex>),
    Tags(Vec<TagTest>),
    Name {
        how: NameTest,
        texts: Vec<String>,
        case_sensitive: bool,
    },
    FirstSeen(Comparison, i64),
    Always(bool),
    Not(Box<Test>),
}

#[derive(Debug)]
struct TagTest {
    pattern: TagPattern,
    /// The manual tag that fits, when any entity ever had it.
    manual: Option<TagId>,
    any_value: bool,
}

impl<'w> Selection<'w> {
    pub(super) fn of(
        selector: Selector,
        world: &'w World,
        frame: TimeFrame,
        view: View,
        bare_tag: BareTag,
    ) -> Self {
        let compile = |criterion| compile(criterion, &selector.kind, world, bare_tag);
        let mut tests: Vec<Test> = selector.criteria.into_iter().map(compile).collect();
        // Identifiers are looked up; only a selector without any walks through all entities of its kind.
        let ids = tests.iter().position(|test| matches!(test, Test::Entities(_)));
        let candidates = match ids.map(|at| tests.remove(at)) {
            Some(Test::Entities(entities)) => Cow::Owned(entities),
            _ => Cow::Borrowed(world.members(&selector.kind)),
        };
        Self {
            kind: selector.kind,
            world,
            view,
            frame,
            candidates,
            tests,
        }
    }

    /// The type of all its entities.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Every match, each with its position among the candidates, from a position on.
    fn from(&self, position: usize) -> impl Iterator<Item = (usize, EntityIndex)> {
        let rest = self.candidates.get(position..).unwrap_or_default();
        (position..)
            .zip(rest.iter().copied())
            .filter(|(_, index)| self.matches(*index))
    }

    /// A page of matches from a position on, and the position of the next match behind it.
    pub(super) fn page(&self, position: usize, size: usize) -> (Vec<EntityIndex>, Option<usize>) {
        let mut found: Vec<_> = self.from(position).take(size.saturating_add(1)).collect();
        let beyond = if found.len() > size { found.pop() } else { None };
        let indices = found.into_iter().map(|(_, index)| index).collect();
        (indices, beyond.map(|(position, _)| position))
    }

    /// Every match.
    pub(super) fn all(&self) -> impl Iterator<Item = EntityIndex> {
        self.from(0).map(|(_, index)| index)
    }

    fn matches(&self, index: EntityIndex) -> bool {
        self.frame.holds(self.world.last_seen(index, self.frame.now))
            && self.tests.iter().all(|test| self.holds(test, index))
    }

    fn holds(&self, test: &Test, index: EntityIndex) -> bool {
        match test {
            Test::Entities(entities) => entities.contains(&index),
            Test::Tags(tags) => tags.iter().any(|tag| self.has(index, tag)),
            Test::Name {
                how,
                texts,
                case_sensitive,
            } => {
                let name = self.world.name(index);
                texts
                    .iter()
                    .any(|text| name_fits(name, text, *how, *case_sensitive))
            }
            Test::FirstSeen(how, at) => {
                let seen = self.world.first_seen(index, self.frame.now);
                match how {
                    Comparison::Lt => seen < *at,
                    Comparison::Lte => seen <= *at,
                    Comparison::Gt => seen > *at,
                    Comparison::Gte => seen >= *at,
                }
            }
            Test::Always(holds) => *holds,
            Test::Not(test) => !self.holds(test, index),
        }
    }

    fn has(&self, index: EntityIndex, test: &TagTest) -> bool {
        let TagTest {
            pattern,
            manual,
            any_value,
        } = test;
        let tags = match self.view {
            View::Read(now) => self.world.shown(index, now),
            View::Write => self.world.manual(index),
        };
        let by_hand = pattern.context == CONTEXTLESS
            && (manual.is_some_and(|tag| tags.binary_search(&tag).is_ok())
                || *any_value && tags.iter().any(|tag| self.world.tag(*tag).0 == pattern.key));
        by_hand
            || self.world.given(index).iter().any(|(context, key, value)| {
                pattern.context == *context
                    && pattern.key == *key
                    && (*any_value || pattern.value.as_deref() == Some(*value))
            })
    }
}

fn compile(criterion: Criterion, kind: &str, world: &World, bare_tag: BareTag) -> Test {
    match criterion {
        Criterion::Ids(ids) => Test::Entities(found(&ids, kind, world)),
        Criterion::Tags(patterns) => {
            let test = |pattern| tag_test(pattern, world, bare_tag);
            Test::Tags(patterns.into_iter().map(test).collect())
        }
        Criterion::Name {
            how,
            texts,
            case_sensitive,
        } => {
            let fold = |text: String| if case_sensitive { text } else { text.to_lowercase() };
            let texts = texts.into_iter().map(fold).collect();
            Test::Name {
                how,
                texts,
                case_sensitive,
            }
        }
        Criterion::FirstSeen(how, at) => Test::FirstSeen(how, at),
        Criterion::Always(holds) => Test::Always(holds),
        Criterion::Not(criterion) => Test::Not(Box::new(compile(*criterion, kind, world, bare_tag))),
    }
}

fn found(ids: &[Option<u64>], kind: &str, world: &World) -> Vec<EntityIndex> {
    let mut entities: Vec<_> = ids
        .iter()
        .flatten()
        .filter_map(|&id| world.find(kind, id))
        .collect();
    entities.sort_unstable();
    entities.dedup();
    entities
}

fn tag_test(pattern: TagPattern, world: &World, bare_tag: BareTag) -> TagTest {
    TagTest {
        manual: world.tag_id(&pattern.key, pattern.value.as_deref()),
        any_value: pattern.value.is_none() && bare_tag == BareTag::Any,
        pattern,
    }
}

/// Compares a name with a text that is folded already unless case matters.
fn name_fits(name: &str, text: &str, how: NameTest, case_sensitive: bool) -> bool {
    let fits = |name: &str| match how {
        NameTest::Contains => name.contains(text),
        NameTest::StartsWith => name.starts_with(text),
        NameTest::Equals => name == text,
    };
    match how {
        _ if case_sensitive => fits(name),
        // Most names are ASCII, and a lookup by name walks through all of them.
        NameTest::Equals if name.is_ascii() => name.eq_ignore_ascii_case(text),
        _ => fits(&name.to_lowercase()),
    }
}
