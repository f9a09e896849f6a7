//! Text kept once, known by a number.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Gives each distinct text a number from 0 in the order of first sight. Costs about the text itself and twelve bytes.
#[derive(Debug, Default)]
pub struct Interner {
    bytes: String,
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// The number of a text, new or known.
    ///
    /// # Panics
    /// Past 2^32 texts, which is more than a run may have rows.
    pub fn intern(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        let found = self.table.find(hash, |&id| text_of(bytes, ends, id) == text);
        if let Some(&id) = found {
            return id;
        }
        let id = u32::try_from(ends.len()).expect("a run has fewer than 2^32 entities and tags");
        self.table
            .insert_unique(hash, id, |&id| hasher.hash_one(text_of(bytes, ends, id)));
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        id
    }

    /// The number of a text, if it is known.
    pub fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.table
            .find(hash, |&id| text_of(&self.bytes, &self.ends, id) == text)
            .copied()
    }

    /// The text of a number that this interner gave.
    pub fn text(&self, id: u32) -> &str {
        text_of(&self.bytes, &self.ends, id)
    }

    /// How many texts are known.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn text_of<'a>(bytes: &'a str, ends: &[usize], id: u32) -> &'a str {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &bytes[start..ends[id]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number_and_a_number_its_text() {
        let mut interner = Interner::default();
        let ids: Vec<u32> = (0..5000).map(|n| interner.intern(&format!("host-{n}"))).collect();
        for (n, id) in ids.iter().enumerate() {
            let text = format!("host-{n}");
            assert_eq!(
                (interner.intern(&text), interner.find(&text), interner.text(*id)),
                (*id, Some(*id), &*text)
            );
        }
        assert_eq!(
            (interner.len(), interner.find("nobody"), interner.intern("")),
            (5000, None, 5000)
        );
        assert_eq!(interner.text(5000), "");
    }
}
