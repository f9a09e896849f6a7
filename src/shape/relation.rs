//! What makes a new value of an old one: nothing, another case, trimming.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// How new values follow from old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// They are the same.
    Same,
    /// In lower case.
    LowerCased,
    /// In upper case.
    UpperCased,
    /// Without white space around.
    Trimmed,
    /// Without white space around, and in lower case.
    TrimmedLowerCased,
    /// The same but for the case.
    OtherCase,
}

impl Relation {
    /// All of them, the simplest first.
    const ALL: [Self; 6] = [
        Self::Same,
        Self::LowerCased,
        Self::UpperCased,
        Self::Trimmed,
        Self::TrimmedLowerCased,
        Self::OtherCase,
    ];

    /// Whether the relation makes the new values of the old ones.
    fn holds(self, old: &[&str], new: &[&str]) -> bool {
        let made = |make: &dyn Fn(&str) -> String| {
            let made: BTreeSet<String> = old.iter().map(|value| make(value)).collect();
            made.iter().eq(new.iter().collect::<BTreeSet<_>>())
        };
        match self {
            Self::Same => old == new,
            Self::LowerCased => made(&str::to_lowercase),
            Self::UpperCased => made(&str::to_uppercase),
            Self::Trimmed => made(&|value| value.trim().to_owned()),
            Self::TrimmedLowerCased => made(&|value| value.trim().to_lowercase()),
            Self::OtherCase => {
                let folded = |values: &[&str]| -> BTreeSet<String> {
                    values.iter().map(|value| value.to_lowercase()).collect()
                };
                folded(old) == folded(new)
            }
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "same value",
            Self::LowerCased => "lower-cased",
            Self::UpperCased => "upper-cased",
            Self::Trimmed => "trimmed",
            Self::TrimmedLowerCased => "trimmed, lower-cased",
            Self::OtherCase => "other case",
        })
    }
}

/// The relations that hold. A value that is in lower case already is the same and also lower-cased: which of them is
/// meant shows only beside other entities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Relations(u8);

impl Relations {
    /// Those between old and new values, each in ascending order.
    pub(super) fn between(old: &[&str], new: &[&str]) -> Self {
        let holding = Relation::ALL.iter().filter(|one| one.holds(old, new));
        Self(holding.fold(0, |bits, one| bits | 1 << *one as u8))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn contain(self, relation: Relation) -> bool {
        self.0 >> relation as u8 & 1 == 1
    }
}

/// The relations in the order in which they are to be told, the one that explains the most entities first: `each` gives
/// how many entities have which relations. That only the case differs comes last: it says less than what was done to it.
pub(super) fn by_coverage(each: &[(u64, Relations)]) -> [Relation; 6] {
    let covered = |relation: Relation| -> u64 {
        let of = each.iter().filter(|(_, relations)| relations.contain(relation));
        of.map(|(entities, _)| entities).sum()
    };
    let mut all = Relation::ALL;
    // Stable, so that the simplest of those that explain as many stays first.
    all.sort_by_key(|relation| (*relation == Relation::OtherCase, Reverse(covered(*relation))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_relation_is_found_where_it_holds_and_nowhere_else() {
        use Relation::{LowerCased, OtherCase, Same, Trimmed, TrimmedLowerCased, UpperCased};
        for (old, new, want) in [
            (
                &["PROD"][..],
                &["prod"][..],
                &[LowerCased, TrimmedLowerCased, OtherCase][..],
            ),
            (&["prod"], &["PROD"], &[UpperCased, OtherCase]),
            (&["prod"], &["Prod"], &[OtherCase]),
            (&[" prod "], &["prod"], &[Trimmed, TrimmedLowerCased]),
            (&[" Prod"], &["prod"], &[TrimmedLowerCased]),
            (
                &["7"],
                &["7"],
                &[
                    Same,
                    LowerCased,
                    UpperCased,
                    Trimmed,
                    TrimmedLowerCased,
                    OtherCase,
                ],
            ),
            (&["dev"], &["prod"], &[]),
            (
                &["A", "B"],
                &["a", "b"],
                &[LowerCased, TrimmedLowerCased, OtherCase],
            ),
            (&["A", "a"], &["a"], &[LowerCased, TrimmedLowerCased, OtherCase]),
            (&["A"], &["a", "b"], &[]),
        ] {
            let found = Relations::between(old, new);
            let told: Vec<Relation> = Relation::ALL
                .into_iter()
                .filter(|one| found.contain(*one))
                .collect();
            assert_eq!(told, want, "{old:?} {new:?}");
            assert_eq!(found.is_empty(), want.is_empty());
        }
    }

    #[test]
    fn the_relation_that_explains_the_most_is_told_and_of_equals_the_simplest() {
        let of = |old, new| Relations::between(&[old], &[new]);
        let each = [
            (20, of("prod", "prod")),
            (11, of("PROD", "prod")),
            (2, of("Dev", "DEV")),
            (1, of("qa", "Qa")),
        ];
        let first = |each: &[(u64, Relations)]| by_coverage(each)[0];
        assert_eq!(first(&each), Relation::LowerCased);
        assert_eq!(first(&each[..1]), Relation::Same);
        assert_eq!(first(&each[2..]), Relation::UpperCased);
        assert_eq!(by_coverage(&each)[5], Relation::OtherCase);
        let spaced = (1, of(" Prod", "prod"));
        assert_eq!(first(&[each[1], spaced]), Relation::TrimmedLowerCased);
    }
}
