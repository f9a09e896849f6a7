//! Who bears which of some texts: live entities are seen one by one, and a text turns out to mean none, one or several.

/// What a name, or the key of a declared rule, turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Resolution {
    /// No live entity bears it.
    #[default]
    Missing,
    /// Exactly one does.
    One(Box<str>),
    /// Several do: how many, and the first few identifiers.
    Ambiguous(u32, Vec<Box<str>>),
}

/// How many identifiers of an ambiguous name are kept, for somebody to choose from.
const KEPT: usize = 20;

/// Collects who bears which of the wanted names, by the names' numbers.
#[derive(Debug)]
pub struct Resolver {
    found: Vec<Resolution>,
}

impl Resolver {
    /// For names of the numbers 0 to `names`.
    pub fn new(names: usize) -> Self {
        Self {
            found: vec![Resolution::Missing; names],
        }
    }

    /// A live entity bears the name of this number. Seeing the same entity twice (a listing that shifted) counts once.
    pub fn see(&mut self, name: u32, id: &str) {
        let found = &mut self.found[name as usize];
        *found = match std::mem::take(found) {
            Resolution::Missing => Resolution::One(id.into()),
            Resolution::One(first) if &*first == id => Resolution::One(first),
            Resolution::One(first) => Resolution::Ambiguous(2, vec![first, id.into()]),
            Resolution::Ambiguous(count, ids) if ids.iter().any(|known| &**known == id) => {
                Resolution::Ambiguous(count, ids)
            }
            Resolution::Ambiguous(count, mut ids) => {
                if ids.len() < KEPT {
                    ids.push(id.into());
                }
                Resolution::Ambiguous(count + 1, ids)
            }
        };
    }

    /// What the name of this number turned out to be.
    pub fn get(&self, name: u32) -> &Resolution {
        &self.found[name as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_missing_found_or_ambiguous_and_a_shifted_page_changes_nothing() {
        let mut resolver = Resolver::new(3);
        for (name, id) in [
            (1, "H-1"),
            (1, "H-1"),
            (2, "H-2"),
            (2, "H-3"),
            (2, "H-2"),
            (2, "H-4"),
            (2, "H-5"),
        ] {
            resolver.see(name, id);
        }
        assert_eq!(resolver.get(0), &Resolution::Missing);
        assert_eq!(resolver.get(1), &Resolution::One("H-1".into()));
        let borne_by = ["H-2", "H-3", "H-4", "H-5"].map(Into::into);
        assert_eq!(resolver.get(2), &Resolution::Ambiguous(4, borne_by.into()));
    }

    #[test]
    fn of_many_namesakes_the_first_twenty_are_kept() {
        let mut resolver = Resolver::new(1);
        for n in 0..30 {
            resolver.see(0, &format!("H-{n}"));
        }
        let Resolution::Ambiguous(30, ids) = resolver.get(0) else {
            panic!("{:?}", resolver.get(0));
        };
        assert_eq!((ids.len(), &*ids[19]), (20, "H-19"));
    }
}
