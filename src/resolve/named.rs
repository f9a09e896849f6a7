//! The entities that the rows of a job name, where more than an identifier or a name leads to them: each combination of
//! clues once, known by a number.

use hashbrown::HashMap;

use super::decisions::{Compare, Decided, Decision, Decisions};
use crate::model::{Clues, Interner};

/// Numbers what rows say of their entities.
#[derive(Debug, Default)]
pub struct Named {
    pub(super) ids: Interner,
    pub(super) keys: Interner,
    /// As the vendor compares them.
    pub(super) names: Interner,
    /// Names as they were written first, by their numbers.
    spelled: Vec<Box<str>>,
    pub(super) entities: Vec<Entity>,
    numbers: HashMap<Told, u32>,
    decisions: Decisions,
}

/// What rows tell of one entity, by the numbers of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Told {
    pub(super) id: Option<u32>,
    pub(super) key: Option<u32>,
    pub(super) name: Option<u32>,
}

/// An entity that rows name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entity {
    pub(super) told: Told,
    decided: Option<u32>,
}

/// What reports call an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The text.
    pub text: Box<str>,
    /// Whether it is an identifier, since rows tell nothing else.
    pub is_id: bool,
}

impl Named {
    /// No entities yet; what was decided is in `decisions`.
    pub fn new(decisions: Decisions) -> Self {
        Self {
            decisions,
            ..Self::default()
        }
    }

    /// The number of the entity of a row. An identifier that the vendor's form forbids can't be a live one's: it counts as
    /// not told, unless nothing else is, and then is why the row can't be used.
    pub fn number(&mut self, clues: &Clues, compare: &impl Compare) -> Result<u32, String> {
        let id = clues.id.as_deref().map(|id| compare.id(id)).transpose();
        let id = match id {
            Err(why) if clues.key.is_none() && clues.name.is_none() => return Err(why),
            id => id.unwrap_or_default(),
        };
        let told = Told {
            id: id.map(|id| self.ids.intern(&id)),
            key: clues.key.as_deref().map(|key| self.keys.intern(key)),
            name: clues.name.as_deref().map(|name| self.name(name, compare)),
        };
        if let Some(number) = self.numbers.get(&told) {
            return Ok(*number);
        }
        let decided = self.decide(told, compare);
        let number = u32::try_from(self.entities.len()).unwrap_or(u32::MAX);
        self.entities.push(Entity { told, decided });
        self.numbers.insert(told, number);
        Ok(number)
    }

    fn name(&mut self, name: &str, compare: &impl Compare) -> u32 {
        let number = self.names.intern(&compare.name(name));
        if number as usize == self.spelled.len() {
            self.spelled.push(name.into());
        }
        number
    }

    /// The decision on an entity, by what reports call it. An identifier that was decided on is one to be found.
    fn decide(&mut self, told: Told, compare: &impl Compare) -> Option<u32> {
        let decided = match told {
            Told { name: Some(name), .. } => self.decisions.on_name(&self.spelled[name as usize], compare),
            Told { key: Some(key), .. } => self.decisions.on_key(self.keys.text(key)),
            Told { id, .. } => self.decisions.on_id(self.ids.text(id?)),
        }?;
        if let Decision::Id(id) = &self.decisions.get(decided).decision {
            self.ids.intern(id);
        }
        Some(decided)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// What reports call an entity: its name, else its key, else its identifier.
    pub fn called(&self, number: u32) -> &str {
        match self.entities[number as usize].told {
            Told { name: Some(name), .. } => &self.spelled[name as usize],
            Told { key: Some(key), .. } => self.keys.text(key),
            Told { id, .. } => id.map_or("", |id| self.ids.text(id)),
        }
    }

    /// The identifier that rows tell of it.
    pub fn id(&self, number: u32) -> Option<&str> {
        let id = self.entities[number as usize].told.id?;
        Some(self.ids.text(id))
    }

    /// What an entity that is not there would be made from: the identifier or the name that rows tell. `None` for one that
    /// somebody has decided on.
    pub fn new_from(&self, number: u32) -> Option<&str> {
        let name = || {
            self.entities[number as usize]
                .told
                .name
                .map(|name| &*self.spelled[name as usize])
        };
        match self.decided(number) {
            Some(_) => None,
            None => self.id(number).or_else(name),
        }
    }

    /// What reports call each of some groups of entities, at the place of the group's first: the least of their names, else
    /// of their keys, else of their identifiers, so that the order of the rows does not matter. The others have nothing.
    pub fn called_in_groups(&self, firsts: &[u32]) -> Vec<Option<Called>> {
        let mut called: Vec<Option<(u8, &str)>> = vec![None; firsts.len()];
        for (number, first) in (0..).zip(firsts) {
            let Told { key, name, .. } = self.entities[number as usize].told;
            let rank = match (name, key) {
                (Some(_), _) => 0,
                (None, Some(_)) => 1,
                (None, None) => 2,
            };
            let one = (rank, self.called(number));
            let best = &mut called[*first as usize];
            *best = Some(best.map_or(one, |best| best.min(one)));
        }
        let owned = |(rank, text): (u8, &str)| Called {
            text: text.into(),
            is_id: rank == 2,
        };
        called.into_iter().map(|called| called.map(owned)).collect()
    }

    /// Whether the live entities have to be listed: something is told that is no identifier.
    pub fn needs_listing(&self) -> bool {
        !self.keys.is_empty() || !self.names.is_empty()
    }

    /// What was decided on it.
    pub fn decided(&self, number: u32) -> Option<&Decided> {
        let decided = self.entities[number as usize].decided?;
        Some(self.decisions.get(decided))
    }

    /// What it was looked for by: `identifier, match key or name`.
    pub fn sought(&self, number: u32) -> String {
        let Told { id, key, name } = self.entities[number as usize].told;
        let ways = [
            (id.is_some(), "identifier"),
            (key.is_some(), "match key"),
            (name.is_some(), "name"),
        ];
        let ways: Vec<&str> = ways
            .iter()
            .filter(|(told, _)| *told)
            .map(|(_, way)| *way)
            .collect();
        match ways.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            ways => ways.concat(),
        }
    }

    /// The decisions.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::decisions::tests::{ALL, Plain, decisions};
    use super::*;

    pub(in crate::resolve) fn clues(id: &str, key: &str, name: &str) -> Clues {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Clues {
            id: given(id),
            key: given(key),
            name: given(name),
        }
    }

    #[test]
    fn what_says_the_same_has_one_number_and_is_called_as_it_was_written_first() {
        let mut named = Named::new(decisions(ALL, &[("k", "H-9"), ("web", "skip")]).unwrap());
        for (clues, number) in [
            (clues("h-1", "", "Web"), 0),
            (clues("H-1", "", "WEB"), 0),
            (clues("", "k", ""), 1),
            (clues("", "", "web"), 2),
            (clues("no id", "", "web"), 2),
            (clues("h-1", "", ""), 3),
            (clues("h-1", "k", "a"), 4),
        ] {
            assert_eq!(named.number(&clues, &Plain), Ok(number), "{clues:?}");
        }
        assert_eq!(
            named.number(&clues("no id", "", ""), &Plain),
            Err("`no id` is no identifier".to_owned())
        );
        assert_eq!(named.len(), 5);
        let called: Vec<&str> = (0..5).map(|number| named.called(number)).collect();
        assert_eq!(called, ["Web", "k", "Web", "H-1", "a"]);
        let sought: Vec<String> = (0..5).map(|number| named.sought(number)).collect();
        assert_eq!(
            sought,
            [
                "identifier or name",
                "match key",
                "name",
                "identifier",
                "identifier, match key or name"
            ]
        );
        let decided: Vec<Option<&Decision>> = (0..5)
            .map(|number| named.decided(number).map(|decided| &decided.decision))
            .collect();
        let id = Decision::Id("H-9".into());
        assert_eq!(
            decided,
            [
                Some(&Decision::Skip),
                Some(&id),
                Some(&Decision::Skip),
                None,
                None
            ]
        );
        assert_eq!(named.decisions().told(), "2 decisions, 1 of them `skip`");
    }

    #[test]
    fn a_group_is_called_by_its_least_name_whichever_came_first() {
        let rows = [
            clues("h-1", "", ""),
            clues("", "", "web"),
            clues("", "", "app"),
            clues("", "k", ""),
            clues("H-2", "", ""),
        ];
        for turn in 0..rows.len() {
            let mut turned = rows.clone();
            turned.rotate_left(turn);
            let mut named = Named::new(Decisions::default());
            for row in &turned {
                named.number(row, &Plain).unwrap();
            }
            let called = named.called_in_groups(&[0; 5]);
            let app = Called {
                text: "app".into(),
                is_id: false,
            };
            assert_eq!(called, [Some(app), None, None, None, None]);
        }
        let mut named = Named::new(Decisions::default());
        for row in &rows {
            named.number(row, &Plain).unwrap();
        }
        let called = named.called_in_groups(&[0, 1, 2, 0, 4]);
        let called: Vec<Option<&str>> = called
            .iter()
            .map(|called| called.as_ref().map(|called| &*called.text))
            .collect();
        assert_eq!(called, [Some("k"), Some("web"), Some("app"), None, Some("H-2")]);
    }
}
