//! Names into identifiers, through one listing of the kind. Pure: the engine brings the live entities.

/// What a name turned out to be.
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

/// How many identifiers of an ambiguous name are shown.
const SHOWN: usize = 3;

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
                if ids.len() < SHOWN {
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
        assert_eq!(
            resolver.get(2),
            &Resolution::Ambiguous(4, vec!["H-2".into(), "H-3".into(), "H-4".into()])
        );
    }
}
